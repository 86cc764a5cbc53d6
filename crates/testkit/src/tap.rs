//! What can be seen, and done, on the wire.

use crate::{DropReason, HostId, NetworkId};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};
use stun::net::Transport;

/// Where a datagram was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a datagram has these stations and no other")]
pub enum Point {
    /// Leaving a host, with the addresses the host uses.
    Sent(HostId),
    /// Arriving at a host, with the addresses the host sees.
    Received(HostId),
    /// Given up somewhere.
    Dropped(DropReason),
}

/// One look at a datagram.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Sighting<'a> {
    /// When.
    pub at: Instant,
    /// Since the start of the run.
    pub elapsed: Duration,
    /// Where.
    pub point: Point,
    /// UDP, or a message of a TCP stream.
    pub transport: Transport,
    /// The sender's address as seen here.
    pub source: SocketAddr,
    /// The receiver's address as seen here.
    pub destination: SocketAddr,
    /// The payload.
    pub datagram: &'a [u8],
}

/// What a hook on the wire does with the datagram it saw. It counts for `Sent` and `Received` sightings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "hooks in tests build it")]
pub enum Verdict {
    /// Lets it go on.
    Pass,
    /// Takes it off the wire.
    Drop,
    /// Puts this payload in its place.
    Replace(Vec<u8>),
}

/// What an attacker on the wire adds to it.
#[derive(Debug, Default)]
pub struct Attack {
    pub(crate) injections: Vec<Injection>,
}

impl Attack {
    /// Sends a UDP datagram with any source address into a network, `delay` from now.
    pub fn inject(
        &mut self,
        network: NetworkId,
        delay: Duration,
        source: SocketAddr,
        destination: SocketAddr,
        datagram: &[u8],
    ) {
        self.injections.push(Injection { network, delay, source, destination, datagram: datagram.to_vec() });
    }
}

#[derive(Debug)]
pub(crate) struct Injection {
    pub(crate) network: NetworkId,
    pub(crate) delay: Duration,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) datagram: Vec<u8>,
}

/// Counters of a world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorldStats {
    /// Datagrams that hosts sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Datagrams that arrived at a bound socket, copies included.
    pub delivered: u64,
    /// Datagrams put in by attackers.
    pub injected: u64,
    /// Datagrams that did not arrive, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
}

impl WorldStats {
    /// How many were dropped for this reason.
    #[must_use]
    pub fn dropped_for(&self, reason: DropReason) -> u64 {
        self.dropped.get(&reason).copied().unwrap_or(0)
    }
}
