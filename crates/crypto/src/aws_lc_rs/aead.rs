//! AES-GCM and ChaCha20-Poly1305.

use crate::{Aead, AeadId, AeadKey, AuthError, CryptoError};
use ::aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use std::fmt;

/// Every AEAD of this back end.
pub(super) const ALL: &[&dyn Aead] = &[
    &Algorithm { id: AeadId::Aes128Gcm, algorithm: &aead::AES_128_GCM },
    &Algorithm { id: AeadId::Aes256Gcm, algorithm: &aead::AES_256_GCM },
    &Algorithm { id: AeadId::ChaCha20Poly1305, algorithm: &aead::CHACHA20_POLY1305 },
];

struct Algorithm {
    id: AeadId,
    algorithm: &'static aead::Algorithm,
}

impl Aead for Algorithm {
    fn id(&self) -> AeadId {
        self.id
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let key = UnboundKey::new(self.algorithm, key)
            .map_err(|_| CryptoError::KeyLength { expected: self.id.key_len(), actual: key.len() })?;
        Ok(Box::new(Key { id: self.id, key: LessSafeKey::new(key) }))
    }
}

impl fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aead({:?})", self.id)
    }
}

/// A key whose nonces the caller keeps apart.
struct Key {
    id: AeadId,
    key: LessSafeKey,
}

impl AeadKey for Key {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &mut [u8; 16]) {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let sealed = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(aad), in_out)
            .expect("invariant: no datagram reaches the 64 GiB that GCM allows");
        tag.copy_from_slice(sealed.as_ref());
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &[u8; 16]) -> Result<(), AuthError> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.key
            .open_in_place_separate_tag(nonce, Aad::from(aad), tag, in_out)
            .map(|_| ())
            .map_err(|_| AuthError)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AeadKey({:?})", self.id)
    }
}
