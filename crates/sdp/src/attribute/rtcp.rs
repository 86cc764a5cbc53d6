use std::fmt;

use crate::{
    Connection,
    grammar::{Failure, number},
};

/// Where RTCP goes when it has a port of its own (RFC 3605 §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rtcp {
    /// The port, 9 for none yet.
    pub port: u16,
    /// The address, if it differs from that of the media.
    pub connection: Option<Connection>,
}

impl Rtcp {
    /// `9 IN IP4 0.0.0.0`: nowhere yet (RFC 9429 §5.2.1).
    #[must_use]
    pub fn unspecified() -> Self {
        Self { port: 9, connection: Some(Connection::unspecified()) }
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (rest, port) = number(input, "a port")?;
        let (rest, connection) = match rest.strip_prefix(' ') {
            Some(rest) => Connection::parse(rest).map(|(rest, connection)| (rest, Some(connection)))?,
            None => (rest, None),
        };
        Ok((rest, Self { port, connection }))
    }
}

impl fmt::Display for Rtcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.port)?;
        match &self.connection {
            Some(connection) => write!(f, " {connection}"),
            None => Ok(()),
        }
    }
}
