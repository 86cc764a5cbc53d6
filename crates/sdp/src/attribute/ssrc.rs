use std::fmt;

use crate::grammar::{Failure, number, push, space, text, token};

/// Something said about one RTP source (RFC 5576 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ssrc {
    /// The synchronisation source.
    pub ssrc: u32,
    /// What is said: `cname`, `msid`, ...
    pub name: String,
    /// Its value, if it has one.
    pub value: Option<String>,
}

impl Ssrc {
    /// The canonical name of a source (RFC 5576 §6.1).
    #[must_use]
    pub fn cname(ssrc: u32, cname: impl Into<String>) -> Self {
        Self { ssrc, name: "cname".to_owned(), value: Some(cname.into()) }
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (rest, ssrc) = number(input, "an SSRC")?;
        let (rest, ()) = space(rest)?;
        let (rest, name) = token(rest, "a source attribute")?;
        let (rest, value) = match rest.strip_prefix(':') {
            Some(rest) => text(rest, "a value").map(|(rest, text)| (rest, Some(text.to_owned())))?,
            None => (rest, None),
        };
        Ok((rest, Self { ssrc, name: name.to_owned(), value }))
    }
}

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.ssrc, self.name)?;
        match &self.value {
            Some(value) => write!(f, ":{value}"),
            None => Ok(()),
        }
    }
}

/// RTP sources that belong together (RFC 5576 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SsrcGroup {
    /// In which way: `FID` for a source and its retransmissions (RFC 4588), `SIM`, ...
    pub semantics: String,
    /// The sources, in order.
    pub ssrcs: Vec<u32>,
}

impl SsrcGroup {
    /// The word for a source and its retransmissions.
    pub const FID: &'static str = "FID";

    /// A source and its retransmissions.
    #[must_use]
    pub fn fid(ssrc: u32, rtx: u32) -> Self {
        Self { semantics: Self::FID.to_owned(), ssrcs: vec![ssrc, rtx] }
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (mut rest, semantics) = token(input, "group semantics")?;
        let mut ssrcs = Vec::new();
        while !rest.is_empty() {
            let (after, ()) = space(rest)?;
            let (after, ssrc) = number(after, "an SSRC")?;
            (rest, ()) = push(&mut ssrcs, ssrc, after)?;
        }
        Ok((rest, Self { semantics: semantics.to_owned(), ssrcs }))
    }
}

impl fmt::Display for SsrcGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.semantics)?;
        self.ssrcs.iter().try_for_each(|ssrc| write!(f, " {ssrc}"))
    }
}
