//! Counters, for humans and for tests.

mod snapshot;

pub(crate) use snapshot::CountersSnapshot;

use std::time::Duration;

/// A snapshot of an association's counters. Counts never go back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Packets written.
    pub packets_sent: u64,
    /// Packets taken in, dropped ones included.
    pub packets_received: u64,
    /// Bytes of all packets written, SCTP headers included.
    pub bytes_sent: u64,
    /// Bytes of all packets taken in.
    pub bytes_received: u64,
    /// DATA chunks written, repeated ones included.
    pub data_chunks_sent: u64,
    /// DATA chunks taken in, duplicates included.
    pub data_chunks_received: u64,
    /// DATA chunks repeated, for whatever reason.
    pub retransmissions: u64,
    /// Expiries of T3-rtx (RFC 9260 §6.3.3).
    pub timeouts: u64,
    /// Reductions of the congestion window after loss seen in SACKs.
    pub congestion_events: u64,
    /// Reductions of the congestion window that were taken back: nothing had been lost.
    pub needless_reductions: u64,
    /// Tail loss probes (RFC 8985 §7), of new data or repeated.
    pub tail_probes: u64,
    /// Messages given up under partial reliability (RFC 3758).
    pub messages_abandoned: u64,
    /// Messages accepted by `send`.
    pub messages_sent: u64,
    /// Messages delivered to `recv`.
    pub messages_received: u64,
    /// SACK chunks written.
    pub sacks_sent: u64,
    /// Probes of the path MTU written, the small ones included (RFC 8899).
    pub path_probes: u64,
    /// DATA chunks received more than once.
    pub duplicates_received: u64,
    /// DATA chunks dropped because they lay outside the window, the distance bound or the stream range.
    pub data_dropped: u64,
    /// Packets dropped: malformed, wrong checksum, wrong ports.
    pub malformed_packets: u64,
    /// Packets dropped for their verification tag (RFC 9260 §8.5).
    pub wrong_tag: u64,
    /// Cookies dropped: forged, altered, or too old.
    pub bad_cookies: u64,
    /// The largest packet in use, in bytes.
    pub packet_len: usize,
    /// Congestion window, in bytes.
    pub congestion_window: usize,
    /// Slow start threshold, in bytes.
    pub slow_start_threshold: usize,
    /// What the peer can take beyond what is in flight, in bytes.
    pub peer_window: usize,
    /// Bytes in flight.
    pub in_flight: usize,
    /// Bytes held for the receiver, and for reassembly, overhead included.
    pub receive_held: usize,
    /// What the receive window may be by now, in bytes: see
    /// [`Config::with_receive_buffer_cap`](crate::Config::with_receive_buffer_cap).
    pub receive_buffer: usize,
    /// What the send buffer may hold by now, in bytes: see
    /// [`Config::with_send_buffer_cap`](crate::Config::with_send_buffer_cap).
    pub send_limit: usize,
    /// Bytes held by the send buffer, overhead included.
    pub send_held: usize,
    /// Smoothed round-trip time.
    pub rtt: Option<Duration>,
    /// The retransmission timeout.
    pub rto: Duration,
}
