//! Which media section and which encoding a packet belongs to (RFC 9143 §15, RFC 8852 §3).

use std::fmt;

use base::PutExt;

use super::{ExtensionKind, ExtensionValue};

/// Bytes kept inline. Longer names do not fit a one-byte header extension; browsers stay below 16.
const CAPACITY: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Name {
    bytes: [u8; CAPACITY],
    len: u8,
}

impl Name {
    fn new(text: &[u8], is_allowed: fn(u8) -> bool) -> Option<Self> {
        if text.is_empty() || !text.iter().copied().all(is_allowed) {
            return None;
        }
        let mut bytes = [0; CAPACITY];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { bytes, len: text.len() as u8 })
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        // The constructor lets ASCII pass only.
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// RFC 8866 §9, `token-char`.
fn is_token(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x27 | 0x2a..=0x2b | 0x2d..=0x2e | 0x30..=0x39 | 0x41..=0x5a | 0x5e..=0x7e)
}

/// RFC 8852 §3: alphanumeric; `-` and `_` because RFC 8851 §10 allows them and implementations send them.
fn is_rid(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $allowed:path, $kind:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Name);

        impl $name {
            /// `None` when the text is empty, longer than 64 bytes, or has characters that are not allowed.
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                Name::new(text.as_bytes(), $allowed).map(Self)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_str()).finish()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ExtensionValue for $name {
            const KIND: ExtensionKind = $kind;

            fn parse(data: &[u8]) -> Option<Self> {
                Name::new(data, $allowed).map(Self)
            }

            fn write(&self, out: &mut Vec<u8>) {
                out.put_slice(self.as_str().as_bytes());
            }

            fn encoded_len(&self) -> usize {
                self.as_str().len()
            }
        }
    };
}

name!(
    /// The identification tag of a media section (RFC 5888 §4, RFC 9143 §15).
    Mid,
    is_token,
    ExtensionKind::Mid
);
name!(
    /// The identifier of one encoding within a media section (RFC 8852 §3.1).
    Rid,
    is_rid,
    ExtensionKind::Rid
);

/// On a repair stream: the encoding that it repairs (RFC 8852 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "another meaning of the same name")]
pub struct RepairedRid(pub Rid);

impl ExtensionValue for RepairedRid {
    const KIND: ExtensionKind = ExtensionKind::RepairedRid;

    fn parse(data: &[u8]) -> Option<Self> {
        Rid::parse(data).map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn encoded_len(&self) -> usize {
        self.0.encoded_len()
    }
}
