//! Why a packet or an extension was refused.

use std::fmt;

use base::Truncated;

/// Why bytes are not the packet they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// A field holds a value that its specification rules out.
    Invalid {
        /// The field.
        field: &'static str,
        /// Where it is, in bytes from the start of what was parsed.
        offset: usize,
    },
    /// The input ended within a field, or a length field promised more than there is.
    Truncated {
        /// Where the input ended, in bytes from the start of what was parsed.
        offset: usize,
    },
}

impl ParseError {
    pub(crate) const fn invalid(field: &'static str, offset: usize) -> Self {
        Self::Invalid { field, offset }
    }
}

impl From<Truncated> for ParseError {
    fn from(truncated: Truncated) -> Self {
        Self::Truncated { offset: truncated.offset }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { field, offset } => write!(f, "invalid {field} at offset {offset}"),
            Self::Truncated { offset } => write!(f, "input ends within the field at offset {offset}"),
        }
    }
}

impl std::error::Error for ParseError {}

/// Why a header extension element was not written. Nothing was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionError {
    /// The identifier has no place in this form: 15 and above need two-byte headers (RFC 8285 §4.2).
    Id,
    /// One-byte headers carry 1 to 16 bytes, two-byte headers 0 to 255.
    Length,
    /// The whole block would exceed 65,535 words.
    Full,
}

impl fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => "the identifier needs two-byte extension headers",
            Self::Length => "the element is too short or too long for this form",
            Self::Full => "the extension block is full",
        })
    }
}

impl std::error::Error for ExtensionError {}
