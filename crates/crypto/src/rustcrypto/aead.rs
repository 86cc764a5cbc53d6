//! AES-GCM over `aes-gcm`.

use crate::{Aead, AeadId, AeadKey, AuthError, CryptoError};
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::{AeadInOut, Aes128Gcm, Aes256Gcm, KeyInit};
use std::fmt;
use std::marker::PhantomData;

/// Every AEAD of this back end.
pub(super) const ALL: &[&dyn Aead] =
    &[&Gcm::<Aes128Gcm>::new(AeadId::Aes128Gcm), &Gcm::<Aes256Gcm>::new(AeadId::Aes256Gcm)];

struct Gcm<C> {
    id: AeadId,
    cipher: PhantomData<fn() -> C>,
}

impl<C> Gcm<C> {
    const fn new(id: AeadId) -> Self {
        Self { id, cipher: PhantomData }
    }
}

impl<C> Aead for Gcm<C>
where
    C: AeadInOut<NonceSize = U12, TagSize = U16> + KeyInit + Send + Sync + 'static,
{
    fn id(&self) -> AeadId {
        self.id
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let cipher = C::new_from_slice(key)
            .map_err(|_| CryptoError::KeyLength { expected: self.id.key_len(), actual: key.len() })?;
        Ok(Box::new(GcmKey { id: self.id, cipher }))
    }
}

impl<C> fmt::Debug for Gcm<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aead({:?})", self.id)
    }
}

/// Key schedule and GHASH tables, expanded once.
struct GcmKey<C> {
    id: AeadId,
    cipher: C,
}

impl<C> AeadKey for GcmKey<C>
where
    C: AeadInOut<NonceSize = U12, TagSize = U16> + Send + Sync,
{
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &mut [u8; 16]) {
        let sealed = self
            .cipher
            .encrypt_inout_detached(nonce.into(), aad, in_out.into())
            .expect("invariant: no datagram reaches the 64 GiB that GCM allows");
        *tag = sealed.into();
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &[u8; 16]) -> Result<(), AuthError> {
        self.cipher
            .decrypt_inout_detached(nonce.into(), aad, in_out.into(), tag.into())
            .map_err(|_| AuthError)
    }
}

impl<C> fmt::Debug for GcmKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AeadKey({:?})", self.id)
    }
}
