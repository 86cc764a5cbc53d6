use std::{fmt, str::FromStr};

use super::{located, one_line};
use crate::{
    ParseError,
    grammar::{Failure, fail, literal, number, push, sized, space, token, whole, word},
};

/// An ICE candidate as text (RFC 8839 §5.1).
///
/// `Display` prints `candidate:...`; `FromStr` takes that, with or without `a=` before it, so that a candidate
/// that trickles in on its own can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// Equal for candidates that are alike (RFC 8445 §5.1.1.3); 1 to 32 characters.
    pub foundation: String,
    /// 1 for RTP and for everything else that is multiplexed with it, 2 for RTCP; 1 to 256.
    pub component: u16,
    /// `udp` or `tcp`, in any letter case.
    pub transport: String,
    /// RFC 8445 §5.1.2.
    pub priority: u32,
    /// An IP address or a name such as `….local`.
    pub address: String,
    /// The port.
    pub port: u16,
    /// `host`, `srflx`, `prflx`, `relay` or another word.
    pub kind: String,
    /// `raddr`: the address it was learned from.
    pub related_address: Option<String>,
    /// `rport`: the port it was learned from.
    pub related_port: Option<u16>,
    /// Names and values after that, in order: `tcptype`, `generation`, `ufrag`, ...
    pub extensions: Vec<(String, String)>,
}

impl Candidate {
    /// A candidate of component 1 without related address and without extensions.
    #[must_use]
    pub fn new(
        foundation: impl Into<String>,
        transport: impl Into<String>,
        priority: u32,
        address: impl Into<String>,
        port: u16,
        kind: impl Into<String>,
    ) -> Self {
        Self {
            foundation: foundation.into(),
            component: 1,
            transport: transport.into(),
            priority,
            address: address.into(),
            port,
            kind: kind.into(),
            related_address: None,
            related_port: None,
            extensions: Vec::new(),
        }
    }

    /// Reads `candidate:...`, with or without `a=` before it.
    ///
    /// # Errors
    ///
    /// Says where the text stopped being a candidate; more than one line is none.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        one_line(text)?;
        let line = text.strip_prefix("a=").unwrap_or(text);
        let Some(value) = line.strip_prefix("candidate:") else {
            return Err(located(text, Failure { rest: line, expected: "the word candidate and a colon" }));
        };
        whole(Self::value, value).map_err(|failure| located(text, failure))
    }

    /// The value of the first extension with this name.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The credentials generation it belongs to, if it says so (RFC 8838 §15, RFC 8839 §5.1).
    #[must_use]
    pub fn ufrag(&self) -> Option<&str> {
        self.extension("ufrag")
    }

    pub(crate) fn value(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let visible = crate::grammar::is_visible;
        let (rest, foundation) = sized(input, 1..=32, visible, "a foundation of 1 to 32 characters")?;
        let (rest, ()) = space(rest)?;
        let (rest, component) = component(rest)?;
        let (rest, ()) = space(rest)?;
        let (rest, transport) = token(rest, "a transport")?;
        let (rest, ()) = space(rest)?;
        let (rest, priority) = number(rest, "a priority")?;
        let (rest, ()) = space(rest)?;
        let (rest, address) = sized(rest, 1..=253, visible, "an address of at most 253 characters")?;
        let (rest, ()) = space(rest)?;
        let (rest, port) = number(rest, "a port")?;
        let (rest, ()) = literal(rest, " typ ", "the word typ")?;
        let (rest, kind) = token(rest, "a candidate type")?;
        let (rest, related_address) = match rest.strip_prefix(" raddr ") {
            Some(rest) => {
                word(rest, "a related address").map(|(rest, address)| (rest, Some(address.to_owned())))?
            }
            None => (rest, None),
        };
        let (mut rest, related_port) = match rest.strip_prefix(" rport ") {
            Some(rest) => number(rest, "a related port").map(|(rest, port)| (rest, Some(port)))?,
            None => (rest, None),
        };
        let mut extensions = Vec::new();
        while !rest.is_empty() {
            let (after, ()) = space(rest)?;
            let (after, name) = word(after, "an extension name")?;
            let (after, ()) = space(after)?;
            let (after, value) = word(after, "an extension value")?;
            (rest, ()) = push(&mut extensions, (name.to_owned(), value.to_owned()), after)?;
        }
        let candidate = Self {
            foundation: foundation.to_owned(),
            component,
            transport: transport.to_owned(),
            priority,
            address: address.to_owned(),
            port,
            kind: kind.to_owned(),
            related_address,
            related_port,
            extensions,
        };
        Ok((rest, candidate))
    }
}

impl FromStr for Candidate {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, component, transport, priority, address, port, kind, .. } = self;
        write!(f, "candidate:{foundation} {component} {transport} {priority} {address} {port} typ {kind}")?;
        if let Some(address) = &self.related_address {
            write!(f, " raddr {address}")?;
        }
        if let Some(port) = self.related_port {
            write!(f, " rport {port}")?;
        }
        self.extensions.iter().try_for_each(|(name, value)| write!(f, " {name} {value}"))
    }
}

fn component(input: &str) -> Result<(&str, u16), Failure<'_>> {
    const EXPECTED: &str = "a component from 1 to 256";
    let (rest, component) = number(input, EXPECTED)?;
    if (1..=256).contains(&component) { Ok((rest, component)) } else { fail(input, EXPECTED) }
}
