//! What a client tells.

use super::{AllocateError, RequestError};
use crate::attr::Icmp;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// Something happened at a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The allocation is there.
    Allocated {
        /// The address that the server relays for us.
        relayed: SocketAddr,
        /// Our address as the server sees it: a server-reflexive candidate.
        mapped: SocketAddr,
        /// How long it lives without a refresh, which the client sends by itself.
        lifetime: Duration,
    },
    /// The server, proven by message integrity, wants us to use another one (300). The last event of this client:
    /// start one for that address with the same credentials, unless it was tried within five minutes (RFC 8489
    /// §10).
    AlternateServer(SocketAddr),
    /// Data for this peer goes over a channel from now on.
    ChannelBound(SocketAddr),
    /// There is no channel to this peer, or no longer. Data goes in Send indications.
    ChannelFailed {
        /// Which peer.
        peer: SocketAddr,
        /// Why.
        error: RequestError,
    },
    /// The allocation is gone. The last event of this client.
    Closed(CloseReason),
    /// There is no allocation, and will be none. The last event of this client.
    Failed(AllocateError),
    /// A datagram to this peer came back to the server (RFC 8656 §11.6). Anybody on the path can make one up.
    Icmp {
        /// Which peer.
        peer: SocketAddr,
        /// What the network said.
        icmp: Icmp,
    },
    /// There is no permission for this address, or no longer.
    PermissionFailed {
        /// Which address.
        ip: IpAddr,
        /// Why.
        error: RequestError,
    },
    /// Data can be sent to, and received from, all ports of this address.
    PermissionReady(IpAddr),
}

/// Why an allocation is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The server says that it has no such allocation (437, or a lifetime of zero).
    AllocationLost,
    /// It could not be refreshed in time.
    Expired,
    /// [`Client::close`](super::Client::close) was called.
    Local,
}
