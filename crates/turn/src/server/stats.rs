//! Counters of a server.

/// Counters of a [`Server`](super::Server) since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// Answers queued, of all kinds.
    pub answers: u64,
    /// Answers dropped because nobody polled them.
    pub answers_dropped: u64,
    /// Binding requests answered.
    pub bindings: u64,
    /// Requests answered with 401.
    pub challenges: u64,
    /// Requests answered with 438.
    pub stale_nonces: u64,
    /// Requests answered with another error.
    pub errors: u64,
    /// Error answers withheld from addresses that asked too often without proving anything.
    pub replies_withheld: u64,
    /// Allocations made.
    pub allocations_made: u64,
    /// Allocations ended.
    pub allocations_ended: u64,
    /// Requests refused with 403 and data dropped because the policy forbids the peer.
    pub peers_forbidden: u64,
    /// Datagrams from clients that are neither STUN nor ChannelData, or malformed.
    pub malformed: u64,
    /// Indications and channel data from clients without what they need: allocation, permission, channel.
    pub unsolicited: u64,
    /// Datagrams of peers without permission, dropped.
    pub unpermitted: u64,
    /// Datagrams dropped because of the bandwidth limit.
    pub over_limit: u64,
    /// Datagrams relayed to peers.
    pub relayed_to_peers: u64,
    /// Datagrams relayed to clients.
    pub relayed_to_clients: u64,
}
