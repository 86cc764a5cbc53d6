//! Multicast DNS for candidates (RFC 6762, draft-ietf-mmusic-mdns-ice-candidates).
//!
//! [`Resolver`] finds the addresses behind the peer's `.local` names, [`Responder`] answers for ours. Both are sans-IO:
//! the driver owns sockets that have joined [`GROUP_V4`] and [`GROUP_V6`] on port 5353, gives both machines every
//! datagram that comes in, and sends what they append. They are apart from the [`Agent`](crate::Agent) because one of
//! each serves all agents of a process:
//!
//! - [`Event::Resolve`](crate::Event::Resolve) goes to [`Resolver::resolve`], its [`Resolution`] to
//!   [`Agent::resolved`](crate::Agent::resolved);
//! - [`Event::PublishName`](crate::Event::PublishName) and [`Event::WithdrawName`](crate::Event::WithdrawName) go to
//!   [`Responder::publish`] and [`Responder::withdraw`].
//!
//! What is on the wire besides is none of our business: it is dropped and counted.

mod message;
mod resolver;
mod responder;

pub use resolver::{Resolution, ResolveError, Resolver};
pub use responder::{PublishError, Responder};

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// The port of multicast DNS.
pub const PORT: u16 = 5_353;

/// The IPv4 group.
pub const GROUP_V4: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(224, 0, 0, 251), PORT));

/// The IPv6 group, on the link of whatever interface it is sent through.
pub const GROUP_V6: SocketAddr =
    SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb), PORT, 0, 0));

/// A datagram that was appended to the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the appended bytes are to be sent"]
#[non_exhaustive]
pub struct MdnsTransmit {
    /// Where it goes: a group, through every interface, or the one who asked.
    pub to: SocketAddr,
    /// Bytes appended.
    pub len: usize,
}

/// What a machine counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MdnsStats {
    /// Datagrams that are not DNS, or damaged.
    pub malformed: u64,
    /// Datagrams that are for somebody else.
    pub foreign: u64,
    /// Queries or responses sent.
    pub sent: u64,
    /// Queries not answered because there were too many.
    pub limited: u64,
}
