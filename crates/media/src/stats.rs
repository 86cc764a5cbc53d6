//! Counters. They only grow, but for the few that say so.

use std::time::Duration;

use rtp::Ssrc;

/// Counters of the whole engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineStats {
    /// RTP packets that came in.
    pub rtp_received: u64,
    /// RTCP datagrams that came in.
    pub rtcp_received: u64,
    /// RTCP datagrams written.
    pub rtcp_sent: u64,
    /// RTP packets dropped because they are not RTP.
    pub malformed_rtp: u64,
    /// RTCP packets, within datagrams, dropped because they are not what they claim.
    pub malformed_rtcp: u64,
    /// RTP packets dropped because nothing tells where they belong.
    pub unroutable: u64,
    /// RTP packets dropped because a table of streams was full.
    pub streams_refused: u64,
    /// Retransmissions whose original stream is not known.
    pub orphan_retransmissions: u64,
    /// RTP packets dropped because they carry an SSRC of our own.
    pub collisions: u64,
    /// Events dropped because nobody fetched them.
    pub events_dropped: u64,
    /// Packets that transport-wide feedback reported as arrived.
    pub packets_acknowledged: u64,
    /// Packets that transport-wide feedback reported missing.
    pub packets_reported_lost: u64,
    /// Feedback packets received.
    pub feedback_received: u64,
    /// Feedback packets sent.
    pub feedback_sent: u64,
    /// Smoothed round-trip time over all senders, once measured. Goes up and down.
    pub rtt: Option<Duration>,
}

/// Counters of one sender.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SenderStats {
    /// Packets sent for the first time.
    pub packets: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Their bytes of header.
    pub header_bytes: u64,
    /// Packets sent again.
    pub retransmitted_packets: u64,
    /// Their payload bytes.
    pub retransmitted_bytes: u64,
    /// Requests to send again that were refused: not in the history, too often, or beyond the share allowed.
    pub retransmissions_refused: u64,
    /// Frames taken.
    pub frames: u64,
    /// Key frames taken.
    pub key_frames: u64,
    /// Packets waiting. Goes up and down.
    pub queued_packets: usize,
    /// Payload bytes waiting. Goes up and down.
    pub queued_bytes: usize,
    /// Packets that were named in NACKs.
    pub nacked_packets: u64,
    /// NACK packets received.
    pub nack_count: u64,
    /// PLI packets received.
    pub pli_count: u64,
    /// New full intra requests received.
    pub fir_count: u64,
    /// What the peer reported last.
    pub remote: Option<RemoteStats>,
}

/// The last report of the peer on one of our streams.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RemoteStats {
    /// Share of packets lost in the last interval, 0 to 1.
    pub fraction_lost: f64,
    /// Packets lost since the beginning.
    pub packets_lost: i64,
    /// Interarrival jitter.
    pub jitter: Duration,
    /// Round-trip time, if the report gave one.
    pub rtt: Option<Duration>,
    /// Sum of all round-trip times measured.
    pub total_rtt: Duration,
    /// How many were measured.
    pub rtt_measurements: u64,
}

/// Counters of one receiver, over all its streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverStats {
    /// Packets received, those recovered by retransmission included, duplicates not.
    pub packets: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Their bytes of header and padding.
    pub header_bytes: u64,
    /// Packets expected and not received on the original streams (RFC 3550 §6.4.1). May shrink.
    pub packets_lost: i64,
    /// Largest interarrival jitter among the streams. Goes up and down.
    pub jitter: Duration,
    /// Packets dropped because they came twice.
    pub duplicates: u64,
    /// Packets dropped because they came too late, or far out of order.
    pub packets_discarded: u64,
    /// Packets that a retransmission brought.
    pub retransmitted_packets: u64,
    /// Their payload bytes.
    pub retransmitted_bytes: u64,
    /// Packets asked for again, each time counted.
    pub nacked_packets: u64,
    /// NACK packets sent.
    pub nack_count: u64,
    /// PLI packets sent.
    pub pli_count: u64,
    /// FIR packets sent.
    pub fir_count: u64,
    /// Payloads that could not be read.
    pub payload_errors: u64,
    /// Frames put together.
    pub frames: u64,
    /// Key frames among them.
    pub key_frames: u64,
    /// Frames dropped because nobody fetched them.
    pub frames_dropped: u64,
    /// Packets dropped because nobody fetched them.
    pub packets_dropped: u64,
    /// Holes in the stream of frames.
    pub gaps: u64,
    /// The streams, in the order they appeared.
    pub ssrcs: Vec<Ssrc>,
}
