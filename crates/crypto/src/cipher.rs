//! AES in counter mode, and the bare block for key derivation and masks.

use crate::CryptoError;
use std::fmt::Debug;

/// An AES key size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CipherId {
    /// AES with 128-bit keys.
    Aes128,
    /// AES with 192-bit keys.
    Aes192,
    /// AES with 256-bit keys.
    Aes256,
}

impl CipherId {
    /// Key length in bytes.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }
}

/// A counter-mode stream cipher of a provider (RFC 3711 §4.1.1, RFC 6188).
pub trait StreamCipher: Debug + Send + Sync {
    /// Which cipher this is.
    fn id(&self) -> CipherId;

    /// Expands a key.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] when `key` has not [`CipherId::key_len`] bytes.
    fn key(&self, key: &[u8]) -> Result<Box<dyn StreamKey>, CryptoError>;
}

/// An expanded counter-mode key.
pub trait StreamKey: Debug + Send + Sync {
    /// XORs the key stream into `in_out`. `iv` is the first counter block; the counter is the whole 128-bit block,
    /// counted big-endian.
    fn apply(&self, iv: &[u8; 16], in_out: &mut [u8]);
}

/// A bare block cipher of a provider (record-number masks of DTLS 1.3, RFC 9147 §4.2.3).
pub trait BlockCipher: Debug + Send + Sync {
    /// Which cipher this is.
    fn id(&self) -> CipherId;

    /// Expands a key.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] when `key` has not [`CipherId::key_len`] bytes.
    fn key(&self, key: &[u8]) -> Result<Box<dyn BlockKey>, CryptoError>;
}

/// An expanded block cipher key.
pub trait BlockKey: Debug + Send + Sync {
    /// Encrypts one block in place.
    fn encrypt(&self, block: &mut [u8; 16]);
}
