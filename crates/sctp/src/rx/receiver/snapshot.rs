//! The receiving half, as it moves to another process. It begins with an acknowledgement: the peer learns what is there.

use super::super::inbound::InboundSnapshot;
use super::super::interleaved::InterleavedSnapshot;
use super::super::reassembly::ReassemblySnapshot;
use super::super::tracker::TrackerSnapshot;
use super::{Ack, Coalescing, Inbound, Interleaved, QUICK, Reassembly, Receiver, Tracker, Window};
use crate::association::Peer;
use crate::config::Config;
use crate::handover::wire::{Contradiction, ensure, wire_struct};

/// Twice the largest window there can be: see [`Config::with_receive_buffer`].
const MOST_HELD: usize = 2 << 30;

#[derive(Clone, Debug)]
pub(crate) struct ReceiverSnapshot {
    tracker: TrackerSnapshot,
    reassembly: ReassemblySnapshot,
    interleaved: InterleavedSnapshot,
    inbound: InboundSnapshot,
    /// Of the next handshake.
    first_buffer: usize,
    /// The window, were nothing held.
    buffer: usize,
}

wire_struct!(ReceiverSnapshot { tracker, reassembly, interleaved, inbound, first_buffer, buffer });

/// More is held than the configuration allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMuch {
    pub(crate) held: usize,
    pub(crate) limit: usize,
}

impl ReceiverSnapshot {
    pub(crate) fn check(&self, peer: &Peer) -> Result<(), Contradiction> {
        let Self { tracker, reassembly, interleaved, inbound, first_buffer, buffer } = self;
        tracker.check()?;
        reassembly.check(tracker, peer.inbound)?;
        interleaved.check(peer.inbound)?;
        inbound.check(peer.format())?;
        let other =
            if peer.format().is_interleaved() { reassembly.is_empty() } else { interleaved.is_empty() };
        ensure(other, "messages in both formats")?;
        ensure(*buffer <= MOST_HELD / 2 && *first_buffer <= MOST_HELD / 2, "the receive window")?;
        ensure(self.payload() <= MOST_HELD, "the bytes that wait to be pulled")
    }

    fn payload(&self) -> usize {
        let parts = [self.reassembly.payload(), self.interleaved.payload(), self.inbound.payload()];
        parts.into_iter().fold(0, usize::saturating_add)
    }
}

impl Receiver {
    pub(crate) fn snapshot(&self) -> ReceiverSnapshot {
        let Self {
            format: _,
            tracker,
            reassembly,
            interleaved,
            inbound,
            ack: _,
            coalescing: _,
            packet_has_data: _,
            quick: _,
            first_buffer,
            buffer_cap: _,
            buffer,
            max_message_size: _,
            advertised: _,
            promised: _,
        } = self;
        ReceiverSnapshot {
            tracker: tracker.snapshot(),
            reassembly: reassembly.snapshot(),
            interleaved: interleaved.snapshot(),
            inbound: inbound.snapshot(),
            first_buffer: *first_buffer,
            buffer: buffer.bytes(),
        }
    }

    /// The window is what it was, within what the configuration allows.
    ///
    /// What is held must leave room: in a window that became smaller, nothing could ever arrive that makes the begun
    /// messages whole.
    pub(crate) fn restore(snapshot: ReceiverSnapshot, config: &Config, peer: &Peer) -> Result<Self, TooMuch> {
        let held = snapshot.payload();
        let ReceiverSnapshot { tracker, reassembly, interleaved, inbound, first_buffer, buffer } = snapshot;
        let cap = config.receive_buffer_cap.max(config.receive_buffer);
        let limit = if buffer > cap { cap / 2 } else { cap.saturating_mul(2) };
        if held > limit {
            return Err(TooMuch { held, limit });
        }
        let bytes = buffer.clamp(4_096, cap.max(4_096));
        let first_buffer = first_buffer.clamp(4_096, config.receive_buffer.max(4_096));
        let max = config.max_message_size;
        let streamed = inbound.streamed();
        Ok(Self {
            format: peer.format(),
            tracker: Tracker::restore(tracker),
            reassembly: Reassembly::restore(reassembly, max, streamed.into_iter()),
            interleaved: Interleaved::restore(interleaved, max),
            inbound: Inbound::restore(inbound, peer.format()),
            ack: Ack::Now,
            coalescing: Coalescing::new(),
            packet_has_data: false,
            quick: QUICK,
            first_buffer,
            buffer_cap: config.receive_buffer_cap,
            buffer: Window::new(bytes, cap),
            max_message_size: max,
            // The acknowledgement that is owed says what it is.
            advertised: 0,
            promised: 0,
        })
    }
}
