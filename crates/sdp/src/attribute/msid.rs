use std::fmt;

use crate::grammar::{Failure, word};

/// The stream a track belongs to (RFC 8830 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Msid {
    /// The stream, `-` for none.
    pub stream: String,
    /// What browsers put after it: the track.
    pub track: Option<String>,
}

impl Msid {
    /// What stands for "no stream".
    pub const NO_STREAM: &'static str = "-";

    /// A stream, without a track.
    #[must_use]
    pub fn new(stream: impl Into<String>) -> Self {
        Self { stream: stream.into(), track: None }
    }

    /// Names the track too.
    #[must_use]
    pub fn with_track(mut self, track: impl Into<String>) -> Self {
        self.track = Some(track.into());
        self
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        // The grammar has at most 64 characters; longer ones are seen, and are bounded by the text.
        let (rest, stream) = word(input, "a stream")?;
        let (rest, track) = match rest.strip_prefix(' ') {
            Some(rest) => word(rest, "a track").map(|(rest, track)| (rest, Some(track.to_owned())))?,
            None => (rest, None),
        };
        Ok((rest, Self { stream: stream.to_owned(), track }))
    }
}

impl fmt::Display for Msid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stream)?;
        match &self.track {
            Some(track) => write!(f, " {track}"),
            None => Ok(()),
        }
    }
}
