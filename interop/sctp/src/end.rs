//! One end of an association, whoever made it.

use std::time::Duration;

/// What is done to both ends. Time counts from the start of the program.
pub(crate) trait End {
    fn connect(&mut self, now: Duration);
    fn send(&mut self, now: Duration, stream: u16, payload: &[u8], mode: Mode) -> Sent;
    fn recv(&mut self, now: Duration) -> Option<Received>;
    fn handle_packet(&mut self, now: Duration, packet: &[u8]);
    fn poll_packet(&mut self, now: Duration) -> Option<Vec<u8>>;
    fn handle_timeout(&mut self, now: Duration);
    fn poll_timeout(&self) -> Option<Duration>;
    fn poll_fact(&mut self, now: Duration) -> Option<Fact>;
    /// Resets the outgoing stream.
    fn reset(&mut self, now: Duration, stream: u16) -> Result<(), String>;
    fn shutdown(&mut self, now: Duration);
    fn abort(&mut self, now: Duration);
}

/// How one message is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    pub(crate) ordered: bool,
    pub(crate) reliability: Reliability,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reliability {
    Lifetime(Duration),
    Reliable,
    Retransmits(u16),
}

#[derive(Debug)]
pub(crate) enum Sent {
    /// Try again later.
    Full,
    Refused(String),
    Taken,
}

#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) stream: u16,
    pub(crate) ppid: u32,
    pub(crate) payload: Vec<u8>,
}

/// What an end tells about the association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Closed {
        /// By SHUTDOWN and not by ABORT, error or silence.
        gracefully: bool,
        why: String,
    },
    Connected,
    IncomingReset(u16),
    OutgoingReset(u16),
    /// Something went wrong and the association goes on.
    Remark(String),
    Restarted,
}

/// What is asked of both ends when they are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Bytes.
    pub(crate) receive_window: usize,
    /// RFC 8260.
    pub(crate) interleaving: bool,
    /// RFC 9653.
    pub(crate) zero_checksum: bool,
    /// It waits for the other's INIT.
    pub(crate) passive: bool,
    pub(crate) seed: u64,
}

/// Every message is sent with it: binary data of WebRTC.
pub(crate) const PPID: u32 = 53;

/// Nobody takes larger messages.
pub(crate) const MAX_MESSAGE: usize = 256 << 10;

/// Packets of both sides are no larger.
pub(crate) const MAX_PACKET: usize = 1_160;

impl Mode {
    pub(crate) const ORDERED: Self = Self { ordered: true, reliability: Reliability::Reliable };
    pub(crate) const UNORDERED: Self = Self { ordered: false, reliability: Reliability::Reliable };
}

impl Default for Settings {
    fn default() -> Self {
        Self { receive_window: 1 << 20, interleaving: false, zero_checksum: false, passive: false, seed: 1 }
    }
}
