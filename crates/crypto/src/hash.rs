//! Hash functions, for transcripts, fingerprints and key derivation.

use std::fmt::Debug;

/// A hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum HashId {
    /// MD5, for the long-term keys of STUN only (RFC 8489 §18.5.1.1).
    Md5,
    /// SHA-1, for fingerprints of old peers only.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashId {
    /// The longest output of any algorithm, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Output length in bytes.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A hash algorithm of a provider.
pub trait Hash: Debug + Send + Sync {
    /// Which algorithm this is.
    fn id(&self) -> HashId;

    /// Hashes the concatenation of `parts` into the front of `out` and returns the output length.
    ///
    /// # Panics
    /// When `out` is shorter than [`HashId::output_len`].
    fn hash(&self, parts: &[&[u8]], out: &mut [u8]) -> usize;

    /// Starts a running hash.
    fn start(&self) -> Box<dyn HashContext>;
}

/// A running hash whose value can be read at any point.
pub trait HashContext: Debug + Send + Sync {
    /// Adds data.
    fn update(&mut self, data: &[u8]);

    /// Writes the hash of everything so far into the front of `out` and returns its length. The context goes on.
    ///
    /// # Panics
    /// When `out` is shorter than the output.
    fn current(&self, out: &mut [u8]) -> usize;

    /// A second context with the same history.
    fn fork(&self) -> Box<dyn HashContext>;
}
