use std::{borrow::Cow, fmt};

use super::PayloadType;
use crate::grammar::{Failure, kept, space, text, token};

/// What browsers write.
const KNOWN: &[&str] = &["nack", "pli", "ccm", "fir", "transport-cc", "goog-remb", "rrtr"];

/// An RTCP feedback message that may be used (RFC 4585 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RtcpFb {
    /// The payload types it is for.
    pub target: FeedbackTarget,
    /// The kind: `nack`, `ccm`, `transport-cc`, ...
    pub id: Cow<'static, str>,
    /// What comes after it: `pli`, `fir`, ...
    pub parameter: Option<Cow<'static, str>>,
}

impl RtcpFb {
    /// A feedback message for one payload type, without parameter.
    #[must_use]
    pub fn new(payload_type: PayloadType, id: impl Into<String>) -> Self {
        Self { target: FeedbackTarget::PayloadType(payload_type), id: Cow::Owned(id.into()), parameter: None }
    }

    /// Adds the word after the kind.
    #[must_use]
    pub fn with_parameter(mut self, parameter: impl Into<String>) -> Self {
        self.parameter = Some(Cow::Owned(parameter.into()));
        self
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (rest, target) = match input.strip_prefix('*') {
            Some(rest) => (rest, FeedbackTarget::All),
            None => PayloadType::parse(input).map(|(rest, pt)| (rest, FeedbackTarget::PayloadType(pt)))?,
        };
        let (rest, ()) = space(rest)?;
        let (rest, id) = token(rest, "a feedback type")?;
        let (rest, parameter) = match rest.strip_prefix(' ') {
            Some(rest) => {
                text(rest, "a feedback parameter").map(|(rest, text)| (rest, Some(kept(text, KNOWN))))?
            }
            None => (rest, None),
        };
        Ok((rest, Self { target, id: kept(id, KNOWN), parameter }))
    }
}

impl fmt::Display for RtcpFb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target {
            FeedbackTarget::All => f.write_str("*")?,
            FeedbackTarget::PayloadType(payload_type) => payload_type.fmt(f)?,
        }
        write!(f, " {}", self.id)?;
        match &self.parameter {
            Some(parameter) => write!(f, " {parameter}"),
            None => Ok(()),
        }
    }
}

/// What a feedback message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the grammar of RFC 4585 §4.2 has these two")]
pub enum FeedbackTarget {
    /// `*`: all payload types of the media description.
    All,
    /// One payload type.
    PayloadType(PayloadType),
}
