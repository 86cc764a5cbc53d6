use std::{fmt, str::FromStr};

use nom::IResult;

use super::located;
use crate::{
    ParseError,
    grammar::{Failure, fail, run, space, token, whole},
};

/// The hash of a certificate (RFC 8122 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fingerprint {
    /// The hash function, such as `sha-256`; letter case means nothing.
    pub hash: String,
    /// The hash.
    pub value: Vec<u8>,
}

impl Fingerprint {
    /// A fingerprint made with the function that `hash` names.
    #[must_use]
    pub fn new(hash: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self { hash: hash.into(), value: value.into() }
    }

    /// Reads the text after `a=fingerprint:`.
    ///
    /// # Errors
    ///
    /// Says where the text stopped being a fingerprint.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        whole(Self::value, text).map_err(|failure| located(text, failure))
    }

    pub(super) fn value(input: &str) -> IResult<&str, Self, Failure<'_>> {
        let (after_hash, hash) = token(input, "a hash function")?;
        let (start, ()) = space(after_hash)?;
        let (rest, digits) = run(start, |c| c.is_ascii_hexdigit() || c == ':', "hexadecimal bytes")?;
        // RFC 8122 §5 asks for upper case in what is written, both are read.
        let byte = |pair: &str| match pair.len() {
            2 => u8::from_str_radix(pair, 16).ok(),
            _ => None,
        };
        let Some(value) = digits.split(':').map(byte).collect::<Option<Vec<u8>>>() else {
            return fail(start, "pairs of hexadecimal digits with colons between them");
        };
        if length(hash).is_some_and(|length| length != value.len()) {
            return fail(start, "as many bytes as the hash function gives");
        }
        Ok((rest, Self { hash: hash.to_owned(), value }))
    }
}

impl FromStr for Fingerprint {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit =
            |nibble: u8| char::from_digit(u32::from(nibble), 16).map_or('0', |c| c.to_ascii_uppercase());
        let mut text = String::with_capacity(self.value.len().saturating_mul(3));
        for byte in &self.value {
            if !text.is_empty() {
                text.push(':');
            }
            text.extend([digit(byte >> 4), digit(byte & 15)]);
        }
        write!(f, "{} {text}", self.hash)
    }
}

fn length(hash: &str) -> Option<usize> {
    let lengths =
        [("md5", 16), ("sha-1", 20), ("sha-224", 28), ("sha-256", 32), ("sha-384", 48), ("sha-512", 64)];
    lengths.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(hash)).map(|(_, length)| length)
}
