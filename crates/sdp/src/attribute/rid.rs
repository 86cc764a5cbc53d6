use std::fmt;

use super::PayloadType;
use crate::grammar::{Failure, fail, run, space, text, token};

/// One encoding of a media description (RFC 8851 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rid {
    /// Its name: letters, digits, `-` and `_` (RFC 8852 §3.3 sends it in packets).
    pub id: String,
    /// Whether whoever wrote it sends or receives it.
    pub direction: RidDirection,
    /// `pt=` and restrictions, as they came.
    pub parameters: Option<String>,
}

impl Rid {
    /// An encoding without restrictions.
    #[must_use]
    pub fn new(id: impl Into<String>, direction: RidDirection) -> Self {
        Self { id: id.into(), direction, parameters: None }
    }

    /// Payload types it is limited to; empty for no limit. What is not a payload type is left out.
    pub fn payload_types(&self) -> impl Iterator<Item = PayloadType> {
        let parameters = self.parameters.as_deref().unwrap_or("");
        let list = parameters.split(';').find_map(|part| part.trim().strip_prefix("pt=")).unwrap_or("");
        list.split(',').filter_map(|number| number.parse().ok())
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (rest, id) = id(input)?;
        let (rest, ()) = space(rest)?;
        let (after, direction) = token(rest, "send or recv")?;
        let direction = match direction {
            "recv" => RidDirection::Recv,
            "send" => RidDirection::Send,
            _ => return fail(rest, "send or recv"),
        };
        let (rest, parameters) = match after.strip_prefix(' ') {
            Some(rest) => text(rest, "restrictions").map(|(rest, text)| (rest, Some(text.to_owned())))?,
            None => (after, None),
        };
        Ok((rest, Self { id: id.to_owned(), direction, parameters }))
    }
}

impl fmt::Display for Rid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.direction)?;
        match &self.parameters {
            Some(parameters) => write!(f, " {parameters}"),
            None => Ok(()),
        }
    }
}

/// Which way an encoding goes, seen from whoever wrote the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an encoding is sent or received")]
pub enum RidDirection {
    /// `recv`.
    Recv,
    /// `send`.
    Send,
}

impl RidDirection {
    /// The same, seen from the other side.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Recv => Self::Send,
            Self::Send => Self::Recv,
        }
    }
}

impl fmt::Display for RidDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recv => "recv",
            Self::Send => "send",
        })
    }
}

pub(super) fn id(input: &str) -> Result<(&str, &str), Failure<'_>> {
    run(
        input,
        |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_',
        "a restriction identifier",
    )
}
