//! What the engine has to tell.

use std::collections::VecDeque;
use std::time::Duration;

use rtp::ntp::NtpTime;
use rtp::{Rid, Ssrc, Timestamp};

use crate::congestion::FeedbackSummary;
use crate::ids::{ReceiverId, SenderId};

/// A fact about a stream. Payload is fetched with `recv_frame` and `recv_packet`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The peer limits the bit rate of a sender (RFC 5104 §4.2.1).
    BitrateLimit {
        /// The sender.
        sender: SenderId,
        /// Bits per second.
        bitrate: u64,
    },
    /// The peer ended a stream (RFC 3550 §6.6).
    Bye {
        /// Where it belonged.
        receiver: ReceiverId,
        /// The stream.
        ssrc: Ssrc,
    },
    /// Frames can be fetched. Not repeated until `recv_frame` has returned `None`.
    FrameReady(ReceiverId),
    /// Packets are missing for good, or could not be read; the next frame carries the same in its `gap`.
    Gap {
        /// Where.
        receiver: ReceiverId,
        /// The stream.
        ssrc: Ssrc,
        /// Packets that never came.
        packets: u32,
    },
    /// The peer needs a key frame. At most one per 500 ms and sender, unless configured otherwise.
    KeyFrameRequested(SenderId),
    /// Packets can be fetched. Not repeated until `recv_packet` has returned `None`.
    PacketReady(ReceiverId),
    /// The bit rate that the peer believes its path can carry, over all streams.
    RemoteEstimate {
        /// Bits per second.
        bitrate: u64,
    },
    /// A report gave a round-trip time.
    RoundTrip {
        /// The sender that was reported on.
        sender: SenderId,
        /// The time measured.
        rtt: Duration,
    },
    /// The peer said what its clocks show.
    SenderReport {
        /// Where the stream belongs.
        receiver: ReceiverId,
        /// The stream.
        ssrc: Ssrc,
        /// Wall-clock time.
        ntp: NtpTime,
        /// The same instant on the clock of the medium.
        timestamp: Timestamp,
    },
    /// The peer uses the SSRC of one of our senders (RFC 3550 §8.2): remove the sender and add it with another.
    SsrcCollision(SenderId),
    /// The first packet of a stream arrived.
    StreamStarted {
        /// Where it belongs.
        receiver: ReceiverId,
        /// The stream.
        ssrc: Ssrc,
        /// The encoding, for simulcast.
        rid: Option<Rid>,
    },
    /// The congestion controller changed its target.
    TargetBitrate {
        /// Bits per second.
        bitrate: u64,
    },
    /// The peer reported which packets of the transport arrived.
    TransportFeedback(FeedbackSummary),
}

/// Events that wait to be fetched.
const MAX_WAITING: usize = 1_024;

/// Events in order. When nobody fetches them the oldest are dropped and counted.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    events: VecDeque<Event>,
    /// Streams that want something done; each at most once.
    ready: VecDeque<Event>,
    pub(crate) dropped: u64,
}

impl EventQueue {
    pub(crate) fn push(&mut self, event: Event) {
        if self.events.len() >= MAX_WAITING {
            self.events.pop_front();
            self.dropped += 1;
        }
        self.events.push_back(event);
    }

    /// For events that say that something is to be done: never dropped, and not repeated while they wait.
    pub(crate) fn push_ready(&mut self, event: Event) {
        if !self.ready.contains(&event) {
            self.ready.push_back(event);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        self.events.pop_front().or_else(|| self.ready.pop_front())
    }

    /// Forgets what was announced about a stream that is gone.
    pub(crate) fn forget_receiver(&mut self, receiver: ReceiverId) {
        self.ready.retain(
            |event| !matches!(event, Event::FrameReady(id) | Event::PacketReady(id) if *id == receiver),
        );
    }

    pub(crate) fn forget_sender(&mut self, sender: SenderId) {
        self.ready.retain(|event| !matches!(event, Event::KeyFrameRequested(id) if *id == sender));
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.ready.clear();
    }
}
