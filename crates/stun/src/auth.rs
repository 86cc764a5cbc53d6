//! Credentials: the short-term and the long-term mechanism (RFC 8489 §9).

mod long_term;
mod nonce_cookie;
mod opaque_string;
mod short_term;

pub use long_term::{ChallengeError, LongTerm, ResponseError, long_term_key, userhash};
pub use nonce_cookie::SecurityFeatures;
pub use opaque_string::opaque_string;
pub use short_term::{ShortTerm, ShortTermError};

use crypto::CryptoError;
use std::fmt;

/// A user name or password cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// It contains a control character (RFC 8265 §4.2.1 forbids them).
    ControlCharacter,
    /// The crypto provider has not the algorithm, or refuses the key.
    Crypto(CryptoError),
    /// It is empty.
    Empty,
    /// The user name has more than 508 bytes (RFC 8489 §14.3).
    TooLong,
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlCharacter => f.write_str("a credential contains a control character"),
            Self::Crypto(error) => write!(f, "the key cannot be made: {error}"),
            Self::Empty => f.write_str("a credential is empty"),
            Self::TooLong => f.write_str("the user name has more than 508 bytes"),
        }
    }
}

impl std::error::Error for CredentialError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Crypto(error) => Some(error),
            Self::ControlCharacter | Self::Empty | Self::TooLong => None,
        }
    }
}

impl From<CryptoError> for CredentialError {
    fn from(error: CryptoError) -> Self {
        Self::Crypto(error)
    }
}

/// The longest user name that may be sent, in bytes (RFC 8489 §14.3).
const MAX_USERNAME: usize = 508;
