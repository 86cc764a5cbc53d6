use std::{borrow::Cow, fmt};

use super::Direction;
use crate::grammar::{Failure, fail, kept, number, space, text, word};

/// What browsers write, the most frequent first.
const KNOWN: &[&str] = &[
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "urn:ietf:params:rtp-hdrext:toffset",
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "urn:3gpp:video-orientation",
    "http://www.webrtc.org/experiments/rtp-hdrext/video-timing",
    "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type",
    "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
    "urn:ietf:params:rtp-hdrext:csrc-audio-level",
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
];

/// Maps a number in RTP header extensions to a meaning (RFC 8285 §8).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extmap {
    /// 1 to 14 in one-byte headers, up to 255 in two-byte ones; 4096 to 4351 only propose (RFC 8285 §7).
    pub id: u16,
    /// Where the extension is used, if less than in both directions.
    pub direction: Option<Direction>,
    /// What it means.
    pub uri: Cow<'static, str>,
    /// Text of the extension's own.
    pub attributes: Option<String>,
}

impl Extmap {
    /// Used in all directions of the media, without attributes.
    #[must_use]
    pub fn new(id: u16, uri: impl Into<String>) -> Self {
        Self { id, direction: None, uri: Cow::Owned(uri.into()), attributes: None }
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        // Whether ids are unique is for whoever knows the whole media description.
        const EXPECTED: &str = "an extension id: 1 to 255, or 4096 to 4351";
        let (rest, id) = number(input, EXPECTED)?;
        if !matches!(id, 1..=255 | 4096..=4351) {
            return fail(input, EXPECTED);
        }
        let (rest, direction) = match rest.strip_prefix('/') {
            Some(rest) => {
                let (after, name) = word(rest, "a direction")?;
                let Some(direction) = Direction::new(name) else { return fail(rest, "a direction") };
                (after, Some(direction))
            }
            None => (rest, None),
        };
        let (rest, ()) = space(rest)?;
        let (rest, uri) = word(rest, "a URI")?;
        let (rest, attributes) = match rest.strip_prefix(' ') {
            Some(rest) => {
                text(rest, "extension attributes").map(|(rest, text)| (rest, Some(text.to_owned())))?
            }
            None => (rest, None),
        };
        Ok((rest, Self { id, direction, uri: kept(uri, KNOWN), attributes }))
    }
}

impl fmt::Display for Extmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if let Some(direction) = self.direction {
            write!(f, "/{direction}")?;
        }
        write!(f, " {}", self.uri)?;
        if let Some(attributes) = &self.attributes {
            write!(f, " {attributes}")?;
        }
        Ok(())
    }
}
