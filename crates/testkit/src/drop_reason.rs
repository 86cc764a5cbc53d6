//! Why a datagram did not arrive.

use std::fmt;

/// Why the network threw a datagram away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DropReason {
    /// The loss process in bursts took it.
    BurstLoss,
    /// A firewall does not let it through.
    Firewall,
    /// A hook on the wire took it.
    Intercepted,
    /// The interface is switched off.
    InterfaceDown,
    /// The independent loss process took it.
    Loss,
    /// Larger than the link carries; nobody is told (a black hole).
    Mtu,
    /// The NAT has no mapping for it, or no room for a new one.
    NatMapping,
    /// The NAT has a mapping, and its filter refuses this sender.
    NatFilter,
    /// Nobody owns the destination address.
    NoRoute,
    /// The host is there, the port is not bound.
    NoSocket,
    /// The sending node does not own the local address it named.
    NotOurs,
    /// The queue before the link was full.
    Queue,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BurstLoss => "burst loss",
            Self::Firewall => "firewall",
            Self::Intercepted => "intercepted",
            Self::InterfaceDown => "interface down",
            Self::Loss => "loss",
            Self::Mtu => "larger than the MTU",
            Self::NatMapping => "no NAT mapping",
            Self::NatFilter => "NAT filter",
            Self::NoRoute => "no route",
            Self::NoSocket => "no socket",
            Self::NotOurs => "not our address",
            Self::Queue => "queue full",
        })
    }
}
