//! Counters of a client.

/// Counters of a [`Client`](super::Client) since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientStats {
    /// Requests sent, retransmissions included.
    pub requests_sent: u64,
    /// Responses that matched a request.
    pub responses_received: u64,
    /// Responses dropped because they did not prove the key (or, by 400, could not).
    pub responses_unverified: u64,
    /// Datagrams that are not for this client: another path, no TURN, an unknown transaction or channel.
    pub datagrams_ignored: u64,
    /// Datagrams from peers without permission, dropped.
    pub unpermitted_dropped: u64,
    /// Datagrams framed for peers.
    pub datagrams_sent: u64,
    /// Their payload bytes.
    pub bytes_sent: u64,
    /// Datagrams received from peers.
    pub datagrams_received: u64,
    /// Their payload bytes.
    pub bytes_received: u64,
    /// Answers that called a nonce stale.
    pub stale_nonces: u64,
}
