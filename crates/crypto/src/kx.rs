//! Ephemeral key exchange.

use crate::{CryptoError, Random, Secret};
use std::fmt::Debug;

/// A named group, as in the TLS registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Group {
    /// secp256r1 (0x0017); public keys are uncompressed points.
    Secp256r1,
    /// x25519 (0x001d).
    X25519,
}

impl Group {
    /// Its number in the TLS Supported Groups registry.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Secp256r1 => 0x0017,
            Self::X25519 => 0x001d,
        }
    }
}

/// A key exchange group of a provider.
pub trait KeyExchange: Debug + Send + Sync {
    /// Which group this is.
    fn group(&self) -> Group;

    /// Makes an ephemeral key pair.
    ///
    /// # Errors
    /// [`CryptoError::Random`] when the source never gave a valid scalar.
    fn start(&self, rng: &mut dyn Random) -> Result<Box<dyn ActiveKeyExchange>, CryptoError>;
}

/// An ephemeral key pair waiting for the peer's half.
pub trait ActiveKeyExchange: Debug + Send + Sync {
    /// Which group this is.
    fn group(&self) -> Group;

    /// Our half, as it goes on the wire.
    fn public_key(&self) -> &[u8];

    /// Computes the shared secret.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicKey`] for anything but a valid key of this group, including keys that make the
    /// X25519 output all zero (RFC 7748 §6.1).
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError>;
}
