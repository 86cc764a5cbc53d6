//! One candidate pair.

use crate::{
    Priority, Role,
    candidate::pair_priority,
    consent::Consent,
    generation::{LocalId, RemoteId},
    stats::PairCounters,
};
use base::RttEstimator;
use std::{net::SocketAddr, time::Duration};
use stun::net::FiveTuple;

/// Where a local candidate sends from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Base {
    /// A socket, by its address.
    Host(SocketAddr),
    /// An allocation on a TURN server.
    Relay(RelayId),
}

/// One allocation, for the life of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RelayId(pub(crate) u32);

/// What tells pairs apart: our base and the peer's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link {
    pub(crate) base: Base,
    pub(crate) remote: SocketAddr,
}

impl Link {
    /// The path of a datagram from a socket: a link-local address gets the scope of the socket again.
    pub(crate) fn path_from(self, local: SocketAddr) -> FiveTuple {
        let mut remote = self.remote;
        if let (SocketAddr::V6(local), SocketAddr::V6(remote)) = (local, &mut remote)
            && remote.ip().is_unicast_link_local()
        {
            remote.set_scope_id(local.scope_id());
        }
        FiveTuple::udp(local, remote)
    }
}

/// One pair within its generation; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PairId(pub(crate) u32);

/// RFC 8445 §6.1.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PairState {
    Frozen,
    Waiting,
    InProgress,
    Succeeded,
    Failed,
}

/// What a pair is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairEnds {
    pub(crate) link: Link,
    pub(crate) local: LocalId,
    pub(crate) local_foundation: u32,
    pub(crate) local_priority: Priority,
    pub(crate) remote: RemoteId,
    pub(crate) remote_foundation: u32,
    pub(crate) remote_priority: Priority,
}

/// A candidate pair and what is known about it.
#[derive(Debug)]
pub(crate) struct Pair {
    id: PairId,
    ends: PairEnds,
    role: Role,
    pub(crate) state: PairState,
    /// The peer, or we, nominated it; only ever set on a valid pair.
    pub(crate) nominated: bool,
    /// Nominations received that have not been followed yet, since the last of the pair in use.
    pub(crate) bids: u8,
    /// A received USE-CANDIDATE waits for our own check to succeed (RFC 8445 §7.3.1.5).
    pub(crate) nominate_on_success: bool,
    /// An authenticated request came over it: data may come over it too.
    pub(crate) heard: bool,
    /// Present exactly while the pair is valid, that is in state Succeeded.
    pub(crate) consent: Option<Consent>,
    /// The local candidate that the peer sees: the mapped address of the last response.
    pub(crate) seen_as: LocalId,
    pub(crate) rtt: RttEstimator,
    pub(crate) counters: PairCounters,
    /// The round-trip time last measured.
    pub(crate) last_round_trip: Option<Duration>,
    /// Consent was lost: with these credentials the pair is never used again (RFC 7675 §5.1).
    pub(crate) expired: bool,
    /// Sends that the operating system refused since the last response.
    pub(crate) send_errors: u8,
}

impl Pair {
    pub(crate) fn new(id: PairId, role: Role, ends: PairEnds) -> Self {
        let rto = Duration::from_millis(500);
        Self {
            id,
            role,
            state: PairState::Frozen,
            nominated: false,
            bids: 0,
            nominate_on_success: false,
            heard: false,
            consent: None,
            seen_as: ends.local,
            rtt: RttEstimator::new(rto, Duration::from_millis(20), Duration::from_secs(8)),
            counters: PairCounters::default(),
            last_round_trip: None,
            expired: false,
            send_errors: 0,
            ends,
        }
    }

    pub(crate) fn fail(&mut self) {
        self.state = PairState::Failed;
        self.consent = None;
        self.nominated = false;
        self.nominate_on_success = false;
        self.heard = false;
    }

    /// The peer no longer consents.
    pub(crate) fn expire(&mut self) {
        self.fail();
        self.expired = true;
    }

    pub(crate) fn observe_round_trip(&mut self, round_trip: Duration) {
        self.rtt.observe(round_trip);
        self.last_round_trip = Some(round_trip);
        self.counters.total_round_trip_time += round_trip;
    }

    pub(crate) fn set_role(&mut self, role: Role) {
        self.role = role;
        self.nominate_on_success = false;
    }

    /// The remote candidate has been signalled, after its address was learnt from a check.
    pub(crate) fn set_remote(&mut self, priority: Priority, foundation: u32) {
        self.ends.remote_priority = priority;
        self.ends.remote_foundation = foundation;
    }

    pub(crate) fn id(&self) -> PairId {
        self.id
    }

    pub(crate) fn link(&self) -> Link {
        self.ends.link
    }

    pub(crate) fn local(&self) -> LocalId {
        self.ends.local
    }

    pub(crate) fn remote(&self) -> RemoteId {
        self.ends.remote
    }

    pub(crate) fn foundation(&self) -> (u32, u32) {
        (self.ends.local_foundation, self.ends.remote_foundation)
    }

    pub(crate) fn priority(&self) -> u64 {
        pair_priority(self.role, self.ends.local_priority, self.ends.remote_priority)
    }

    /// Our check was answered, and consent has not been lost since.
    pub(crate) fn is_valid(&self) -> bool {
        self.consent.is_some()
    }

    /// Whether the peer may send data over it.
    pub(crate) fn may_receive(&self) -> bool {
        self.heard || self.is_valid()
    }
}
