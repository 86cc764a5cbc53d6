//! What a server tells its driver.

use super::RelayId;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use stun::net::FiveTuple;

/// Something for the driver to do or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An allocation is there.
    Allocated {
        /// Its relay socket.
        relay: RelayId,
        /// The client, seen from here.
        client: FiveTuple,
        /// The address that peers see.
        relayed: SocketAddr,
        /// Whose it is. Chosen by the client: escape it in logs, and do not make it a label of metrics.
        username: Arc<str>,
    },
    /// Close this relay socket. May come twice for a socket that was opened late.
    CloseRelay {
        /// Which one.
        relay: RelayId,
    },
    /// The server is closed. The last event.
    Closed,
    /// Open a UDP socket and call [`relay_opened`](super::Server::relay_opened) or
    /// [`relay_failed`](super::Server::relay_failed).
    OpenRelay {
        /// How to call it from now on.
        relay: RelayId,
        /// The address to bind it to.
        ip: IpAddr,
        /// Which port. Take it from 49152 to 65535, at random (RFC 8656 §7.2, RFC 6056).
        port: PortWish,
    },
    /// An allocation is gone.
    Released {
        /// Its relay socket.
        relay: RelayId,
        /// The client, seen from here.
        client: FiveTuple,
        /// Why.
        reason: ReleaseReason,
        /// What it carried.
        traffic: Traffic,
    },
}

/// Which port a relay socket is to have (RFC 8656 §18.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortWish {
    /// Any.
    Any,
    /// An even one.
    Even,
}

/// Why an allocation is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReleaseReason {
    /// The client deleted it.
    Deleted,
    /// The client did not refresh it.
    Expired,
    /// The driver lost its socket.
    RelayFailed,
    /// The server was closed.
    ServerClosed,
}

/// Payload that an allocation carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Datagrams from the client to peers.
    pub datagrams_to_peers: u64,
    /// Their payload bytes.
    pub bytes_to_peers: u64,
    /// Datagrams from peers to the client.
    pub datagrams_to_client: u64,
    /// Their payload bytes.
    pub bytes_to_client: u64,
    /// Datagrams dropped because of the bandwidth limit.
    pub datagrams_over_limit: u64,
}
