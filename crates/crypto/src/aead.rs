//! Authenticated encryption with associated data (RFC 5116).

use crate::{AuthError, CryptoError};
use std::fmt::Debug;

/// An AEAD algorithm. All have 12-byte nonces and 16-byte tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AeadId {
    /// AES-128-GCM (RFC 5116 §5.1).
    Aes128Gcm,
    /// AES-256-GCM (RFC 5116 §5.2).
    Aes256Gcm,
    /// ChaCha20-Poly1305 (RFC 8439).
    ChaCha20Poly1305,
}

impl AeadId {
    /// Key length in bytes.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
        }
    }
}

/// An AEAD algorithm of a provider.
pub trait Aead: Debug + Send + Sync {
    /// Which algorithm this is.
    fn id(&self) -> AeadId;

    /// Expands a key, once per key.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] when `key` has not [`AeadId::key_len`] bytes.
    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError>;
}

/// An expanded key, called once per packet. Works in place; the tag is apart.
///
/// The caller guarantees that no nonce is used twice with one key.
pub trait AeadKey: Debug + Send + Sync {
    /// Encrypts `in_out` and writes the tag.
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &mut [u8; 16]);

    /// Decrypts `in_out` when `tag` is right.
    ///
    /// # Errors
    /// [`AuthError`] when the tag is wrong; `in_out` then holds nothing of use and must be thrown away.
    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &[u8; 16]) -> Result<(), AuthError>;
}
