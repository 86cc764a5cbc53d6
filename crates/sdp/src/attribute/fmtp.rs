use std::{borrow::Cow, fmt};

use super::PayloadType;
use crate::grammar::{Failure, fail, space, text, token, whole};

/// Parameters of a format (RFC 8866 §6.15).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fmtp {
    /// The format as on the `m=` line: a payload type, or a word.
    pub format: Cow<'static, str>,
    /// The parameters as they came; most codecs write `name=value` with semicolons between them.
    pub parameters: String,
}

impl Fmtp {
    /// Parameters of a payload type.
    #[must_use]
    pub fn new(payload_type: PayloadType, parameters: impl Into<String>) -> Self {
        Self { format: payload_type.as_str().into(), parameters: parameters.into() }
    }

    /// The format, if it is a payload type.
    #[must_use]
    pub fn payload_type(&self) -> Option<PayloadType> {
        self.format.parse().ok()
    }

    /// The parameters one by one: name, and value if there is an equals sign. Spaces around them are left out.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.parameters.split(';').map(str::trim).filter(|part| !part.is_empty()).map(|part| {
            match part.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
                None => (part, None),
            }
        })
    }

    /// The value of the first parameter with this name; letter case of names means nothing.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value)
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (rest, format) = token(input, "a format")?;
        // What looks like a number has to be one that RTP can carry.
        let format = match format.as_bytes() {
            [b'0'..=b'9' | b'-' | b'+', ..] => match whole(PayloadType::parse, format) {
                Ok(payload_type) => Cow::Borrowed(payload_type.as_str()),
                Err(_) => return fail(input, PayloadType::EXPECTED),
            },
            _ => Cow::Owned(format.to_owned()),
        };
        let (rest, ()) = space(rest)?;
        let (rest, parameters) = text(rest, "format parameters")?;
        Ok((rest, Self { format, parameters: parameters.to_owned() }))
    }
}

impl fmt::Display for Fmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.format, self.parameters)
    }
}
