use std::fmt;

use crate::grammar::{Failure, number, space, token};

/// `sctpmap:5000 webrtc-datachannel 1024`: how drafts before RFC 8841 wrote the SCTP port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sctpmap {
    /// The SCTP port, which is the format on the `m=` line too.
    pub port: u16,
    /// The protocol inside, `webrtc-datachannel`.
    pub protocol: String,
    /// The number of streams.
    pub streams: Option<u16>,
}

impl Sctpmap {
    /// Data channels on a port.
    #[must_use]
    pub fn new(port: u16, streams: u16) -> Self {
        Self { port, protocol: "webrtc-datachannel".to_owned(), streams: Some(streams) }
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (rest, port) = number(input, "an SCTP port")?;
        let (rest, ()) = space(rest)?;
        let (rest, protocol) = token(rest, "a protocol")?;
        let (rest, streams) = match rest.strip_prefix(' ') {
            Some(rest) => number(rest, "a number of streams").map(|(rest, streams)| (rest, Some(streams)))?,
            None => (rest, None),
        };
        Ok((rest, Self { port, protocol: protocol.to_owned(), streams }))
    }
}

impl fmt::Display for Sctpmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.port, self.protocol)?;
        match self.streams {
            Some(streams) => write!(f, " {streams}"),
            None => Ok(()),
        }
    }
}
