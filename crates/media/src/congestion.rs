//! The seam to congestion control: what was sent, and what became of it.

use std::fmt;
use std::time::{Duration, Instant};

use crate::ids::SenderId;

/// A packet that left with a transport-wide sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentPacket {
    /// Its transport-wide number, without wraps.
    pub number: u64,
    /// When it left.
    pub at: Instant,
    /// Bytes of RTP, header included, without SRTP and lower layers.
    pub size: usize,
    /// The sender it belongs to.
    pub sender: SenderId,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketResult {
    /// The packet.
    pub packet: SentPacket,
    /// When it arrived, on the peer's clock, in time since an arbitrary start; `None` when it is reported missing. A
    /// packet reported missing may be reported as arrived later.
    pub arrival: Option<Duration>,
}

/// A feedback in one line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedbackSummary {
    /// Packets reported as arrived for the first time.
    pub received: u32,
    /// Their bytes.
    pub received_bytes: usize,
    /// Packets reported missing for the first time.
    pub lost: u32,
    /// From sending the newest packet reported on to this feedback: an upper bound of the round-trip time.
    pub feedback_rtt: Option<Duration>,
}

/// Decides how much may be sent. The engine tells it everything that it needs; it does nothing by itself.
pub trait CongestionController: fmt::Debug + Send {
    /// A packet left.
    fn on_sent(&mut self, now: Instant, packet: SentPacket);

    /// The peer reported on packets, in order of their numbers.
    fn on_feedback(&mut self, now: Instant, results: &[PacketResult]);

    /// A report gave a round-trip time.
    fn on_round_trip(&mut self, now: Instant, rtt: Duration);

    /// A deadline of [`CongestionController::poll_timeout`] may have passed.
    fn on_timeout(&mut self, now: Instant);

    /// Bits per second that the encoders should produce together; `None` while not known.
    fn target_bitrate(&self) -> Option<u64>;

    /// When [`CongestionController::on_timeout`] is wanted.
    fn poll_timeout(&self) -> Option<Instant>;
}
