//! The short-term mechanism (RFC 8489 §9.1), which ICE uses.

#![deny(clippy::indexing_slicing)]

use super::{CredentialError, MAX_USERNAME, opaque_string};
use crate::{
    AttributeType, Builder, Integrity, IntegrityKey, Message,
    attr::{Code, Username},
};
use crypto::Provider;
use std::fmt;

/// A user name and password that both sides got by other means, for a limited time.
#[derive(Clone, Debug)]
pub struct ShortTerm {
    username: String,
    key: IntegrityKey,
}

impl ShortTerm {
    /// Prepares the key.
    ///
    /// # Errors
    /// [`CredentialError`] when one of them cannot be used.
    pub fn new(provider: &Provider, username: &str, password: &str) -> Result<Self, CredentialError> {
        let username = opaque_string(username)?.into_owned();
        if username.len() > MAX_USERNAME {
            return Err(CredentialError::TooLong);
        }
        let key = IntegrityKey::new(provider, opaque_string(password)?.as_bytes())?;
        Ok(Self { username, key })
    }

    /// The user name.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The prepared key.
    #[must_use]
    pub const fn key(&self) -> &IntegrityKey {
        &self.key
    }

    /// Adds USERNAME and the integrity attribute to a request or indication.
    pub fn sign(&self, builder: &mut Builder<'_>, integrity: Integrity) {
        builder.raw(AttributeType::USERNAME, self.username.as_bytes());
        builder.integrity(&self.key, integrity);
    }

    /// Checks a request or indication in the order of RFC 8489 §9.1.3. The response must use the algorithm returned.
    ///
    /// # Errors
    /// [`ShortTermError`]; a request is answered with its [`code`](ShortTermError::code), an indication is dropped.
    pub fn check(&self, message: &Message<'_>) -> Result<Integrity, ShortTermError> {
        let username = message.get::<Username<'_>>().ok().flatten();
        let (Some(username), Some(_)) = (username, message.integrity()) else {
            return Err(ShortTermError::Missing);
        };
        if username.as_bytes() != self.username.as_bytes() {
            return Err(ShortTermError::UnknownUser);
        }
        message.verify(&self.key).map_err(|_| ShortTermError::Mismatch)
    }
}

/// A request or indication did not pass the short-term mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShortTermError {
    /// Message integrity is wrong.
    Mismatch,
    /// USERNAME or message integrity is missing.
    Missing,
    /// The user name is not ours.
    UnknownUser,
}

impl ShortTermError {
    /// The error code of the answer.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Missing => Code::BAD_REQUEST,
            Self::Mismatch | Self::UnknownUser => Code::UNAUTHENTICATED,
        }
    }
}

impl fmt::Display for ShortTermError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mismatch => "message integrity is wrong",
            Self::Missing => "USERNAME or message integrity is missing",
            Self::UnknownUser => "the user name is unknown",
        })
    }
}

impl std::error::Error for ShortTermError {}
