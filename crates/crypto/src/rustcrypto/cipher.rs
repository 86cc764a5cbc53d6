//! AES in counter mode over `ctr`, and the bare block over `aes`.

use crate::{BlockCipher, BlockKey, CipherId, CryptoError, StreamCipher, StreamKey};
use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipherCore};
use aes::{Aes128, Aes192, Aes256};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use std::fmt;
use std::marker::PhantomData;

/// Every counter-mode cipher of this back end.
pub(super) const STREAM: &[&dyn StreamCipher] = &[
    &Aes::<Aes128>::new(CipherId::Aes128),
    &Aes::<Aes192>::new(CipherId::Aes192),
    &Aes::<Aes256>::new(CipherId::Aes256),
];

/// Every bare block cipher of this back end.
pub(super) const BLOCK: &[&dyn BlockCipher] =
    &[&Aes::<Aes128>::new(CipherId::Aes128), &Aes::<Aes256>::new(CipherId::Aes256)];

struct Aes<C> {
    id: CipherId,
    cipher: PhantomData<fn() -> C>,
}

impl<C> Aes<C> {
    const fn new(id: CipherId) -> Self {
        Self { id, cipher: PhantomData }
    }
}

impl<C: KeyInit> Aes<C> {
    fn expand(&self, key: &[u8]) -> Result<AesKey<C>, CryptoError> {
        let cipher = C::new_from_slice(key)
            .map_err(|_| CryptoError::KeyLength { expected: self.id.key_len(), actual: key.len() })?;
        Ok(AesKey { id: self.id, cipher })
    }
}

impl<C> StreamCipher for Aes<C>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit + Send + Sync + 'static,
{
    fn id(&self) -> CipherId {
        self.id
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn StreamKey>, CryptoError> {
        Ok(Box::new(self.expand(key)?))
    }
}

impl<C> BlockCipher for Aes<C>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit + Send + Sync + 'static,
{
    fn id(&self) -> CipherId {
        self.id
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn BlockKey>, CryptoError> {
        Ok(Box::new(self.expand(key)?))
    }
}

impl<C> fmt::Debug for Aes<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cipher({:?})", self.id)
    }
}

/// The key schedule, expanded once.
struct AesKey<C> {
    id: CipherId,
    cipher: C,
}

impl<C> StreamKey for AesKey<C>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Send + Sync,
{
    fn apply(&self, iv: &[u8; 16], in_out: &mut [u8]) {
        // The counter borrows the key schedule: nothing is copied per packet.
        CtrCore::<&C, Ctr128BE>::inner_iv_init(&self.cipher, iv.into())
            .apply_keystream_partial(in_out.into());
    }
}

impl<C> BlockKey for AesKey<C>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Send + Sync,
{
    fn encrypt(&self, block: &mut [u8; 16]) {
        self.cipher.encrypt_block(block.into());
    }
}

impl<C> fmt::Debug for AesKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CipherKey({:?})", self.id)
    }
}
