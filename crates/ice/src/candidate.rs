//! Candidates (RFC 8445 §5.1, RFC 8839 §5.1).

mod foundation;
mod parse;
mod print;
mod priority;

pub use foundation::Foundation;
pub(crate) use foundation::{FoundationKey, Foundations};
pub use parse::ParseCandidateError;
pub use priority::Priority;
pub(crate) use priority::{LocalPreference, candidate_priority, pair_priority};

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// The component of the only component there is: RTP and RTCP are multiplexed.
pub(crate) const COMPONENT: u16 = 1;

/// One candidate, local or remote, in the form in which it is signalled.
///
/// [`FromStr`](std::str::FromStr) reads the value of the candidate attribute of RFC 8839 §5.1 (a leading `a=` is
/// accepted), [`Display`](fmt::Display) writes it. Extensions that are not known are kept and written back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    foundation: Foundation,
    component: u16,
    transport: CandidateTransport,
    priority: Priority,
    address: CandidateAddress,
    port: u16,
    kind: CandidateKind,
    related: Option<(IpAddr, u16)>,
    tcp_type: Option<TcpType>,
    ufrag: Option<String>,
    extensions: Vec<(String, String)>,
    /// Not signalled: the server a local candidate came from.
    url: Option<String>,
}

impl Candidate {
    /// A UDP candidate of component 1.
    #[must_use]
    pub fn new(foundation: Foundation, priority: Priority, kind: CandidateKind, addr: SocketAddr) -> Self {
        Self {
            foundation,
            component: COMPONENT,
            transport: CandidateTransport::Udp,
            priority,
            address: CandidateAddress::Ip(addr.ip()),
            port: addr.port(),
            kind,
            related: None,
            tcp_type: None,
            ufrag: None,
            extensions: Vec::new(),
            url: None,
        }
    }

    /// Sets the generation it belongs to, by username fragment.
    #[must_use]
    pub fn with_ufrag(mut self, ufrag: impl Into<String>) -> Self {
        self.ufrag = Some(ufrag.into());
        self
    }

    /// Puts a name in the place of the address.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.address = CandidateAddress::Name(name.into());
        self
    }

    /// Sets the related address and port (RFC 8839 §5.1).
    #[must_use]
    pub fn with_related(mut self, address: IpAddr, port: u16) -> Self {
        self.related = Some((address, port));
        self
    }

    pub(crate) fn with_url(mut self, url: Option<String>) -> Self {
        self.url = url;
        self
    }

    /// The foundation.
    #[must_use]
    pub fn foundation(&self) -> &Foundation {
        &self.foundation
    }

    /// The component, 1 to 256; 1 is RTP or the only one.
    #[must_use]
    pub fn component(&self) -> u16 {
        self.component
    }

    /// The transport protocol.
    #[must_use]
    pub fn transport(&self) -> &CandidateTransport {
        &self.transport
    }

    /// The priority.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// The address or name.
    #[must_use]
    pub fn address(&self) -> &CandidateAddress {
        &self.address
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Address and port, unless the address is a name.
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match &self.address {
            CandidateAddress::Ip(ip) => Some(SocketAddr::new(*ip, self.port)),
            CandidateAddress::Name(_) => None,
        }
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> CandidateKind {
        self.kind
    }

    /// Related address and port.
    #[must_use]
    pub fn related(&self) -> Option<(IpAddr, u16)> {
        self.related
    }

    /// The direction of a TCP candidate (RFC 6544 §4.5).
    #[must_use]
    pub fn tcp_type(&self) -> Option<TcpType> {
        self.tcp_type
    }

    /// The username fragment of its generation, if it says.
    #[must_use]
    pub fn ufrag(&self) -> Option<&str> {
        self.ufrag.as_deref()
    }

    /// Extension names and values that are not known, in the order received.
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.extensions.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The URL of the server that a local server-reflexive or relayed candidate came from.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// What stands in the place of the address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "connection-address is an address or a name")]
pub enum CandidateAddress {
    /// An IP address.
    Ip(IpAddr),
    /// A name; only `.local` names are ever resolved.
    Name(String),
}

impl fmt::Display for CandidateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The type of a candidate (RFC 8445 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8445 has these four")]
pub enum CandidateKind {
    /// An address of this host.
    Host,
    /// The address a STUN server saw.
    ServerReflexive,
    /// An address learnt from a connectivity check.
    PeerReflexive,
    /// An address on a TURN server.
    Relayed,
}

impl CandidateKind {
    /// The word used in the attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }
}

impl fmt::Display for CandidateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The transport protocol of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CandidateTransport {
    /// One that is not known; such candidates are ignored.
    Other(String),
    /// TCP (RFC 6544); understood and ignored.
    Tcp,
    /// UDP.
    Udp,
}

impl fmt::Display for CandidateTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(token) => f.write_str(token),
            Self::Tcp => f.write_str("tcp"),
            Self::Udp => f.write_str("udp"),
        }
    }
}

/// The direction of a TCP candidate (RFC 6544 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6544 has these three")]
pub enum TcpType {
    /// Opens connections.
    Active,
    /// Accepts connections.
    Passive,
    /// Opens one at the same time as the peer.
    SimultaneousOpen,
}

impl TcpType {
    /// The word used in the attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::SimultaneousOpen => "so",
        }
    }
}
