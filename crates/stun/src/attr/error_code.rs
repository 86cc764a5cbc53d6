//! ERROR-CODE (RFC 8489 §14.8).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           Reserved, should be 0         |Class|     Number    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      Reason Phrase (variable)                                ..
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

#![deny(clippy::indexing_slicing)]

use super::{Attribute, AttributeError, AttributeType, text::MAX_DECODED};
use crate::TransactionId;
use base::{PutExt, Reader};
use std::{borrow::Cow, fmt};

/// An error number, 300 to 699.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(u16);

impl Code {
    /// 300 (RFC 8489 §14.8).
    pub const TRY_ALTERNATE: Self = Self(300);
    /// 400 (RFC 8489 §14.8).
    pub const BAD_REQUEST: Self = Self(400);
    /// 401 (RFC 8489 §14.8).
    pub const UNAUTHENTICATED: Self = Self(401);
    /// 403 (RFC 8656 §19).
    pub const FORBIDDEN: Self = Self(403);
    /// 420 (RFC 8489 §14.8).
    pub const UNKNOWN_ATTRIBUTE: Self = Self(420);
    /// 437 (RFC 8656 §19).
    pub const ALLOCATION_MISMATCH: Self = Self(437);
    /// 438 (RFC 8489 §14.8).
    pub const STALE_NONCE: Self = Self(438);
    /// 440 (RFC 8656 §19).
    pub const ADDRESS_FAMILY_NOT_SUPPORTED: Self = Self(440);
    /// 441 (RFC 8656 §19).
    pub const WRONG_CREDENTIALS: Self = Self(441);
    /// 442 (RFC 8656 §19).
    pub const UNSUPPORTED_TRANSPORT_PROTOCOL: Self = Self(442);
    /// 443 (RFC 8656 §19).
    pub const PEER_ADDRESS_FAMILY_MISMATCH: Self = Self(443);
    /// 446 (RFC 6062 §6.3).
    pub const CONNECTION_ALREADY_EXISTS: Self = Self(446);
    /// 447 (RFC 6062 §6.3).
    pub const CONNECTION_TIMEOUT_OR_FAILURE: Self = Self(447);
    /// 486 (RFC 8656 §19).
    pub const ALLOCATION_QUOTA_REACHED: Self = Self(486);
    /// 487 (RFC 8445 §16.2).
    pub const ROLE_CONFLICT: Self = Self(487);
    /// 500 (RFC 8489 §14.8).
    pub const SERVER_ERROR: Self = Self(500);
    /// 508 (RFC 8656 §19).
    pub const INSUFFICIENT_CAPACITY: Self = Self(508);

    /// A code by number, `None` outside 300 to 699.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 300 && number <= 699 { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The phrase that the registry recommends, empty for codes not listed here.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TRY_ALTERNATE => "Try Alternate",
            Self::BAD_REQUEST => "Bad Request",
            Self::UNAUTHENTICATED => "Unauthenticated",
            Self::FORBIDDEN => "Forbidden",
            Self::UNKNOWN_ATTRIBUTE => "Unknown Attribute",
            Self::ALLOCATION_MISMATCH => "Allocation Mismatch",
            Self::STALE_NONCE => "Stale Nonce",
            Self::ADDRESS_FAMILY_NOT_SUPPORTED => "Address Family not Supported",
            Self::WRONG_CREDENTIALS => "Wrong Credentials",
            Self::UNSUPPORTED_TRANSPORT_PROTOCOL => "Unsupported Transport Protocol",
            Self::PEER_ADDRESS_FAMILY_MISMATCH => "Peer Address Family Mismatch",
            Self::CONNECTION_ALREADY_EXISTS => "Connection Already Exists",
            Self::CONNECTION_TIMEOUT_OR_FAILURE => "Connection Timeout or Failure",
            Self::ALLOCATION_QUOTA_REACHED => "Allocation Quota Reached",
            Self::ROLE_CONFLICT => "Role Conflict",
            Self::SERVER_ERROR => "Server Error",
            Self::INSUFFICIENT_CAPACITY => "Insufficient Capacity",
            Self(_) => "",
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            "" => write!(f, "{}", self.0),
            reason => write!(f, "{} ({reason})", self.0),
        }
    }
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode<'a> {
    code: Code,
    reason: &'a [u8],
}

impl<'a> ErrorCode<'a> {
    /// A code with the phrase that the registry recommends.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self { code, reason: code.reason().as_bytes() }
    }

    /// A code without a phrase: four bytes, for answers that must stay small.
    #[must_use]
    pub const fn bare(code: Code) -> Self {
        Self { code, reason: &[] }
    }

    /// A code with its own phrase, cut to 127 characters (RFC 8489 §14.8).
    #[must_use]
    pub fn with_reason(code: Code, reason: &'a str) -> Self {
        let end = reason.char_indices().nth(127).map_or(reason.len(), |(at, _)| at);
        Self { code, reason: reason.get(..end).unwrap_or_default().as_bytes() }
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The phrase as received; bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn reason(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.reason)
    }
}

impl<'a> Attribute<'a> for ErrorCode<'a> {
    const TYPE: AttributeType = AttributeType::ERROR_CODE;

    fn decode(value: &'a [u8], _: TransactionId) -> Result<Self, AttributeError> {
        let length = AttributeError::Length(Self::TYPE);
        let mut reader = Reader::new(value);
        let word = reader.u32().map_err(|_| length)?;
        let reason = reader.take_rest();
        if reason.len() > MAX_DECODED {
            return Err(length);
        }
        let (class, number) = ((word >> 8 & 0b111) as u16, (word & 0xff) as u16);
        //= rfc8489 §14.8
        //# The value MUST be between 3
        //# and 6.
        if !(3..=6).contains(&class) || number > 99 {
            return Err(AttributeError::Value(Self::TYPE));
        }
        Ok(Self { code: Code(class.saturating_mul(100).saturating_add(number)), reason })
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        let Code(number) = self.code;
        out.put_u16(0);
        out.put_u8((number / 100) as u8);
        out.put_u8((number % 100) as u8);
        out.put_slice(self.reason);
    }
}
