//! Packet filters at a host or a gateway.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use stun::net::Transport;

/// How long an inbound answer is expected after the last outbound datagram.
const ESTABLISHED: Duration = Duration::from_secs(120);

/// What a packet filter lets through. The default lets everything through.
#[derive(Clone, Debug, Default)]
pub struct Firewall {
    no_udp: bool,
    stateful: bool,
    remote_ports: Option<BTreeSet<u16>>,
    remotes_blocked: BTreeSet<IpAddr>,
}

impl Firewall {
    /// Lets everything through.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// Drops all UDP, in both directions.
    #[must_use]
    pub fn block_udp(mut self) -> Self {
        self.no_udp = true;
        self
    }

    /// Lets nothing in that is not an answer: the outside endpoint must have been sent to within two minutes.
    #[must_use]
    pub fn stateful(mut self) -> Self {
        self.stateful = true;
        self
    }

    /// Lets traffic out to these ports only.
    #[must_use]
    pub fn only_remote_ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.remote_ports = Some(ports.into_iter().collect());
        self
    }

    /// Drops everything from and to an address.
    #[must_use]
    pub fn block_remote(mut self, address: IpAddr) -> Self {
        self.remotes_blocked.insert(address);
        self
    }
}

/// A firewall in operation.
#[derive(Debug, Default)]
pub(crate) struct FirewallState {
    rules: Firewall,
    seen: BTreeMap<(Transport, SocketAddr, SocketAddr), Instant>,
}

impl FirewallState {
    pub(crate) fn new(rules: Firewall) -> Self {
        Self { rules, seen: BTreeMap::new() }
    }

    pub(crate) fn outbound(
        &mut self,
        now: Instant,
        transport: Transport,
        inside: SocketAddr,
        outside: SocketAddr,
    ) -> bool {
        if self.refuses(transport, outside.ip())
            || self.rules.remote_ports.as_ref().is_some_and(|ports| !ports.contains(&outside.port()))
        {
            return false;
        }
        if self.rules.stateful {
            self.seen.insert((transport, inside, outside), now);
        }
        true
    }

    pub(crate) fn inbound(
        &mut self,
        now: Instant,
        transport: Transport,
        inside: SocketAddr,
        outside: SocketAddr,
    ) -> bool {
        if self.refuses(transport, outside.ip()) {
            return false;
        }
        if !self.rules.stateful {
            return true;
        }
        self.seen
            .get(&(transport, inside, outside))
            .is_some_and(|last| now.saturating_duration_since(*last) < ESTABLISHED)
    }

    fn refuses(&self, transport: Transport, outside: IpAddr) -> bool {
        (self.rules.no_udp && transport == Transport::Udp) || self.rules.remotes_blocked.contains(&outside)
    }
}
