//! USERNAME, USERHASH, REALM, NONCE, SOFTWARE, ALTERNATE-DOMAIN (RFC 8489 §14).

#![deny(clippy::indexing_slicing)]

use super::{Attribute, AttributeError, AttributeType};
use crate::TransactionId;
use base::PutExt;
use std::{borrow::Cow, fmt};

/// The longest text that RFC 5389 let a sender encode, and that a receiver must therefore take.
pub(super) const MAX_DECODED: usize = 763;

/// A text does not fit its attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// It has more bytes or characters than the attribute may carry.
    TooLong {
        /// Which attribute.
        attribute: AttributeType,
    },
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { attribute } => write!(f, "the text is too long for {attribute:?}"),
        }
    }
}

impl std::error::Error for TextError {}

macro_rules! text_attribute {
    ($(#[$doc:meta])* $name:ident, $kind:ident, chars < $chars:literal, bytes <= $bytes:literal, received <= $received:expr) => {
        $(#[$doc])*
        ///
        /// Holds the bytes as received: they need not be UTF-8.
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name<'a>(&'a [u8]);

        impl<'a> $name<'a> {
            /// The attribute for a text.
            ///
            /// # Errors
            /// [`TextError::TooLong`] beyond what RFC 8489 lets a sender encode.
            pub fn new(text: &'a str) -> Result<Self, TextError> {
                if text.len() > $bytes || text.chars().count() >= $chars {
                    return Err(TextError::TooLong { attribute: Self::TYPE });
                }
                Ok(Self(text.as_bytes()))
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &'a [u8] {
                self.0
            }

            /// The text, `None` when it is not UTF-8.
            #[must_use]
            pub const fn as_str(&self) -> Option<&'a str> {
                match std::str::from_utf8(self.0) {
                    Ok(text) => Some(text),
                    Err(_) => None,
                }
            }

            /// The text; bytes that are not UTF-8 become U+FFFD.
            #[must_use]
            pub fn to_string_lossy(&self) -> Cow<'a, str> {
                String::from_utf8_lossy(self.0)
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.to_string_lossy())
            }
        }

        impl<'a> Attribute<'a> for $name<'a> {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &'a [u8], _: TransactionId) -> Result<Self, AttributeError> {
                if value.len() > $received { Err(AttributeError::Length(Self::TYPE)) } else { Ok(Self(value)) }
            }

            fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
                out.put_slice(self.0);
            }
        }
    };
}

text_attribute! {
    /// The name under which a TLS or DTLS alternate server is verified (RFC 8489 §14.16).
    AlternateDomain, ALTERNATE_DOMAIN, chars < 256, bytes <= 255, received <= 255
}
text_attribute! {
    /// The server's challenge, opaque to the client (RFC 8489 §14.10).
    Nonce, NONCE, chars < 128, bytes <= 509, received <= MAX_DECODED
}
text_attribute! {
    /// The domain of long-term credentials (RFC 8489 §14.9).
    Realm, REALM, chars < 128, bytes <= 509, received <= MAX_DECODED
}
text_attribute! {
    /// What the sender runs, for diagnosis only (RFC 8489 §14.14).
    Software, SOFTWARE, chars < 128, bytes <= 509, received <= MAX_DECODED
}
text_attribute! {
    /// Who sends the request (RFC 8489 §14.3).
    Username, USERNAME, chars < 509, bytes <= 508, received <= MAX_DECODED
}

/// A hash in the place of the user name (RFC 8489 §14.4); [`auth::userhash`](crate::auth::userhash) makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserHash([u8; 32]);

impl UserHash {
    /// The attribute for a hash.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Attribute<'_> for UserHash {
    const TYPE: AttributeType = AttributeType::USERHASH;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        value.try_into().map(Self).map_err(|_| AttributeError::Length(Self::TYPE))
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.put_slice(&self.0);
    }
}
