//! Message authentication: HMAC (RFC 2104).

use crate::AuthError;
use std::fmt::Debug;

/// A MAC algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MacId {
    /// HMAC-SHA1.
    HmacSha1,
    /// HMAC-SHA256.
    HmacSha256,
    /// HMAC-SHA384.
    HmacSha384,
    /// HMAC-SHA512.
    HmacSha512,
}

impl MacId {
    /// The longest output of any algorithm, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Output length in bytes.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::HmacSha1 => 20,
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }
}

/// A MAC algorithm of a provider.
pub trait Mac: Debug + Send + Sync {
    /// Which algorithm this is.
    fn id(&self) -> MacId;

    /// Prepares a key of any length; both pads are hashed here, once per key.
    fn key(&self, key: &[u8]) -> Box<dyn MacKey>;
}

/// A prepared MAC key.
pub trait MacKey: Debug + Send + Sync {
    /// Writes the tag over the concatenation of `parts` into the front of `out` and returns its length.
    ///
    /// When `out` is shorter than the tag, the tag is cut to the length of `out` (truncated HMAC).
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) -> usize;

    /// Compares in constant time; `tag` may be a truncated tag.
    ///
    /// # Errors
    /// [`AuthError`] when the tag is wrong, empty, or longer than the algorithm's output.
    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), AuthError>;
}
