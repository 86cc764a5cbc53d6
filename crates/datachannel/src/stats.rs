//! Counters.

mod snapshot;

pub(crate) use snapshot::CountersSnapshot;

use std::time::Duration;

/// A snapshot. Counts never go back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Channels that were open at some time: `dataChannelsOpened` of webrtc-stats.
    pub channels_opened: u64,
    /// Of those, the ones that are closed: `dataChannelsClosed`.
    pub channels_closed: u64,
    /// OPENs answered with a reset: malformed, wrong number, too many.
    pub opens_refused: u64,
    /// Messages dropped because their channel did not exist or was closing.
    pub messages_dropped: u64,
    /// Messages accepted by `send`.
    pub messages_sent: u64,
    /// Their payload bytes.
    pub bytes_sent: u64,
    /// Messages given to `recv`.
    pub messages_received: u64,
    /// Their payload bytes.
    pub bytes_received: u64,
    /// SCTP packets written and taken in.
    pub packets_sent: u64,
    /// SCTP packets taken in.
    pub packets_received: u64,
    /// Chunks repeated.
    pub retransmissions: u64,
    /// The largest packet in use, in bytes (RFC 8899).
    pub packet_len: usize,
    /// Congestion window, in bytes.
    pub congestion_window: usize,
    /// What the peer can take beyond what is in flight, in bytes.
    pub peer_window: usize,
    /// Bytes in flight.
    pub in_flight: usize,
    /// Smoothed round-trip time.
    pub rtt: Option<Duration>,
}
