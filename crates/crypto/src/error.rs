//! The two ways in which a primitive can fail.

use std::fmt;

/// A tag or signature did not verify.
///
/// One opaque value: telling *why* helps only an attacker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "opaque by design, it will never say more")]
pub struct AuthError;

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("authentication failed")
    }
}

impl std::error::Error for AuthError {}

/// A primitive could not be set up or completed with what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptoError {
    /// The peer's public key is malformed, not on the curve, or leads to an all-zero secret.
    InvalidPublicKey,
    /// A key has the wrong length for its algorithm.
    KeyLength {
        /// Bytes the algorithm wants.
        expected: usize,
        /// Bytes it got.
        actual: usize,
    },
    /// The random source kept giving values that no key can be made of.
    Random,
    /// The provider does not have, or refuses, the algorithm.
    Unsupported,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidPublicKey => f.write_str("the peer's public key is not valid"),
            Self::KeyLength { expected, actual } => {
                write!(f, "the key has {actual} bytes, the algorithm wants {expected}")
            }
            Self::Random => f.write_str("the random source gave no usable value"),
            Self::Unsupported => f.write_str("the crypto provider does not offer this algorithm"),
        }
    }
}

impl std::error::Error for CryptoError {}
