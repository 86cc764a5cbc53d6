//! AES in counter mode, and the bare block.

use crate::{BlockCipher, BlockKey, CipherId, CryptoError, StreamCipher, StreamKey};
use ::aws_lc_rs::{
    cipher::{self, EncryptingKey, EncryptionContext, UnboundCipherKey},
    error::Unspecified,
    iv::FixedLength,
};
use std::fmt;

/// Every counter-mode cipher of this back end.
pub(super) const STREAM: &[&dyn StreamCipher] = &[&AES_128, &AES_192, &AES_256];

/// Every bare block cipher of this back end.
pub(super) const BLOCK: &[&dyn BlockCipher] = &[&AES_128, &AES_256];

const AES_128: Aes = Aes { id: CipherId::Aes128, algorithm: &cipher::AES_128 };
const AES_192: Aes = Aes { id: CipherId::Aes192, algorithm: &cipher::AES_192 };
const AES_256: Aes = Aes { id: CipherId::Aes256, algorithm: &cipher::AES_256 };

struct Aes {
    id: CipherId,
    algorithm: &'static cipher::Algorithm,
}

impl Aes {
    fn expand(
        &self,
        key: &[u8],
        mode: fn(UnboundCipherKey) -> Result<EncryptingKey, Unspecified>,
    ) -> Result<Box<Key>, CryptoError> {
        let key = UnboundCipherKey::new(self.algorithm, key)
            .map_err(|_| CryptoError::KeyLength { expected: self.id.key_len(), actual: key.len() })?;
        let key = mode(key).map_err(|_| CryptoError::Unsupported)?;
        Ok(Box::new(Key { id: self.id, key }))
    }
}

impl StreamCipher for Aes {
    fn id(&self) -> CipherId {
        self.id
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn StreamKey>, CryptoError> {
        Ok(self.expand(key, EncryptingKey::ctr)?)
    }
}

impl BlockCipher for Aes {
    fn id(&self) -> CipherId {
        self.id
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn BlockKey>, CryptoError> {
        Ok(self.expand(key, EncryptingKey::ecb)?)
    }
}

impl fmt::Debug for Aes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cipher({:?})", self.id)
    }
}

/// The key schedule, expanded once, for one of the two modes.
struct Key {
    id: CipherId,
    key: EncryptingKey,
}

impl StreamKey for Key {
    fn apply(&self, iv: &[u8; 16], in_out: &mut [u8]) {
        self.key
            .less_safe_encrypt(in_out, EncryptionContext::Iv128(FixedLength::from(iv)))
            .expect("invariant: counter mode takes any length");
    }
}

impl BlockKey for Key {
    fn encrypt(&self, block: &mut [u8; 16]) {
        self.key
            .less_safe_encrypt(block, EncryptionContext::None)
            .expect("invariant: the slice is one block");
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CipherKey({:?})", self.id)
    }
}
