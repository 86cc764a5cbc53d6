//! MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.5, §14.6).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crypto::{CryptoError, MacId, MacKey, Provider};
use std::{fmt, sync::Arc};

/// Bytes of a MESSAGE-INTEGRITY value.
pub(crate) const SHA1_LEN: usize = 20;

/// Which of the two integrity attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Integrity {
    /// MESSAGE-INTEGRITY, HMAC-SHA1.
    Sha1,
    /// MESSAGE-INTEGRITY-SHA256.
    Sha256,
}

impl Integrity {
    /// Bytes of the untruncated value.
    #[must_use]
    pub const fn tag_len(self) -> usize {
        match self {
            Self::Sha1 => SHA1_LEN,
            Self::Sha256 => 32,
        }
    }
}

/// A key for both integrity attributes, prepared once and used for every message.
///
/// Cheap to clone; shows nothing of the key in `Debug`.
#[derive(Clone)]
pub struct IntegrityKey {
    sha1: Option<Arc<dyn MacKey>>,
    sha256: Option<Arc<dyn MacKey>>,
}

impl IntegrityKey {
    /// Prepares the key `key`: the password itself for short-term credentials, a hash for long-term ones; see
    /// [`auth`](crate::auth).
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] when the provider has neither HMAC-SHA1 nor HMAC-SHA256.
    pub fn new(provider: &Provider, key: &[u8]) -> Result<Self, CryptoError> {
        let prepare = |id| provider.mac(id).map(|mac| Arc::from(mac.key(key)));
        let this = Self { sha1: prepare(MacId::HmacSha1), sha256: prepare(MacId::HmacSha256) };
        if this.sha1.is_none() && this.sha256.is_none() {
            return Err(CryptoError::Unsupported);
        }
        Ok(this)
    }

    /// The prepared MAC of an algorithm.
    #[must_use]
    pub fn mac(&self, integrity: Integrity) -> Option<&dyn MacKey> {
        match integrity {
            Integrity::Sha1 => self.sha1.as_deref(),
            Integrity::Sha256 => self.sha256.as_deref(),
        }
    }
}

impl fmt::Debug for IntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntegrityKey(..)")
    }
}

/// A message is not proven to come from the holder of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntegrityError {
    /// The value is wrong.
    Mismatch,
    /// There is no integrity attribute.
    Missing,
    /// The crypto provider has not the algorithm that the message uses.
    Unsupported,
}

impl fmt::Display for IntegrityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mismatch => "message integrity is wrong",
            Self::Missing => "message integrity is missing",
            Self::Unsupported => "the crypto provider lacks the integrity algorithm",
        })
    }
}

impl std::error::Error for IntegrityError {}

/// What an integrity value covers: the message up to the attribute, with the length field pointing to its end.
///
/// Kept in two parts so that neither side needs to write into, or copy, the message.
pub(crate) struct HmacText<'a> {
    front: [u8; 4],
    rest: &'a [u8],
}

impl<'a> HmacText<'a> {
    /// For the attribute at offset `at` of `message` with a value of `len` bytes.
    //= rfc8489 §14.5
    //# The Length field of the STUN message header is adjusted to point to
    //# the end of the MESSAGE-INTEGRITY attribute.
    pub(crate) fn new(message: &'a [u8], at: usize, len: usize) -> Self {
        let covered = message.get(..at).unwrap_or_default();
        let length = at.saturating_add(4).saturating_add(len).saturating_sub(crate::HEADER_LEN) as u16;
        let [high, low] = length.to_be_bytes();
        let (front, rest) = match covered.split_first_chunk::<4>() {
            Some(([a, b, _, _], rest)) => ([*a, *b, high, low], rest),
            None => ([0, 0, high, low], covered),
        };
        Self { front, rest }
    }

    pub(crate) fn parts(&self) -> [&[u8]; 2] {
        [&self.front, self.rest]
    }
}
