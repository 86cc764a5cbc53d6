use std::fmt;

use nom::IResult;

use super::Direction;
use crate::grammar::{Failure, fail, number, space, text, word};

/// Maps a number in RTP header extensions to a meaning (RFC 8285 §8).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extmap {
    /// 1 to 14 in one-byte headers, up to 255 in two-byte ones; 4096 to 4351 only propose (RFC 8285 §7).
    pub id: u16,
    /// Where the extension is used, if less than in both directions.
    pub direction: Option<Direction>,
    /// What it means.
    pub uri: String,
    /// Text of the extension's own.
    pub attributes: Option<String>,
}

impl Extmap {
    /// Used in all directions of the media, without attributes.
    #[must_use]
    pub fn new(id: u16, uri: impl Into<String>) -> Self {
        Self { id, direction: None, uri: uri.into(), attributes: None }
    }

    pub(super) fn parse(input: &str) -> IResult<&str, Self, Failure<'_>> {
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
        Ok((rest, Self { id, direction, uri: uri.to_owned(), attributes }))
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
