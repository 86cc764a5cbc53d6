use std::fmt;

use nom::IResult;

use super::PayloadType;
use crate::grammar::{Failure, fail, space, text, token};

/// Parameters of a format (RFC 8866 §6.15).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fmtp {
    /// The format as on the `m=` line: a payload type, or a word.
    pub format: String,
    /// The parameters as they came; most codecs write `name=value` with semicolons between them.
    pub parameters: String,
}

impl Fmtp {
    /// Parameters of a payload type.
    #[must_use]
    pub fn new(payload_type: PayloadType, parameters: impl Into<String>) -> Self {
        Self { format: payload_type.to_string(), parameters: parameters.into() }
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

    pub(super) fn parse(input: &str) -> IResult<&str, Self, Failure<'_>> {
        let (rest, format) = token(input, "a format")?;
        // What looks like a number has to be one that RTP can carry.
        if format.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+')
            && format.parse::<PayloadType>().is_err()
        {
            return fail(input, PayloadType::EXPECTED);
        }
        let (rest, ()) = space(rest)?;
        let (rest, parameters) = text(rest, "format parameters")?;
        Ok((rest, Self { format: format.to_owned(), parameters: parameters.to_owned() }))
    }
}

impl fmt::Display for Fmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.format, self.parameters)
    }
}
