use std::fmt;

use super::{Joined, RidDirection, rid};
use crate::grammar::{Failure, fail, push, space, token};

/// Several encodings of one source (RFC 8853 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Simulcast {
    /// What is sent and what is received, at most one list each, in the order of the line.
    pub lists: Vec<SimulcastList>,
}

impl Simulcast {
    /// A line with one list.
    #[must_use]
    pub fn new(direction: RidDirection, streams: Vec<Vec<SimulcastId>>) -> Self {
        Self { lists: vec![SimulcastList { direction, streams }] }
    }

    /// The streams in one direction; none if the line does not have it.
    pub fn streams(&self, direction: RidDirection) -> impl Iterator<Item = &[SimulcastId]> {
        let list = self.lists.iter().find(move |list| list.direction == direction);
        list.into_iter().flat_map(|list| list.streams.iter().map(Vec::as_slice))
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (mut rest, first) = SimulcastList::parse(input)?;
        let mut lists = vec![first];
        if !rest.is_empty() {
            let (after_space, ()) = space(rest)?;
            let (after, second) = SimulcastList::parse(after_space)?;
            //= rfc8853 §5.2
            //# When listing multiple directions,
            //# each direction MUST NOT occur more than once on the same line.
            if lists.iter().any(|list| list.direction == second.direction) {
                return fail(after_space, "the other direction");
            }
            lists.push(second);
            rest = after;
        }
        Ok((rest, Self { lists }))
    }
}

impl fmt::Display for Simulcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Joined(&self.lists, " ").fmt(f)
    }
}

/// The encodings in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimulcastList {
    /// Whether whoever wrote it sends or receives them.
    pub direction: RidDirection,
    /// Each stream with its alternatives, of which one is used, best first.
    pub streams: Vec<Vec<SimulcastId>>,
}

impl SimulcastList {
    fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (rest, word) = token(input, "send or recv")?;
        let direction = match word {
            "recv" => RidDirection::Recv,
            "send" => RidDirection::Send,
            _ => return fail(input, "send or recv"),
        };
        let (mut rest, ()) = space(rest)?;
        let mut streams = vec![Vec::new()];
        loop {
            let (after, id) = SimulcastId::parse(rest)?;
            if let Some(stream) = streams.last_mut() {
                push(stream, id, after)?;
            }
            match after.as_bytes().first() {
                Some(b',') => {}
                Some(b';') => drop(push(&mut streams, Vec::new(), after)?),
                Some(_) | None => return Ok((after, Self { direction, streams })),
            }
            rest = after.get(1..).unwrap_or("");
        }
    }
}

impl fmt::Display for SimulcastList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.direction)?;
        for (index, stream) in self.streams.iter().enumerate() {
            let separator = if index == 0 { "" } else { ";" };
            write!(f, "{separator}{}", Joined(stream, ","))?;
        }
        Ok(())
    }
}

/// A reference to an `a=rid` line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimulcastId {
    /// Its name.
    pub rid: String,
    /// `~`: starts paused.
    pub paused: bool,
}

impl SimulcastId {
    /// An encoding that is not paused.
    #[must_use]
    pub fn new(rid: impl Into<String>) -> Self {
        Self { rid: rid.into(), paused: false }
    }

    fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (rest, paused) = match input.strip_prefix('~') {
            Some(rest) => (rest, true),
            None => (input, false),
        };
        rid::id(rest).map(|(rest, id)| (rest, Self { rid: id.to_owned(), paused }))
    }
}

impl fmt::Display for SimulcastId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.paused { "~" } else { "" }, self.rid)
    }
}
