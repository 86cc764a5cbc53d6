//! One channel, as it moves to another process.

use super::{Channel, ChannelState, Owed, Reset};
use crate::event::ChannelEnd;
use crate::handover::wire::{Contradiction, Malformed, Wire, ensure, wire_enum, wire_newtype, wire_struct};
use crate::ids::ChannelId;
use crate::init::{ChannelInit, Order, Priority, Reliability};
use crate::payload::{Kind, Piece};
use bytes::{Bytes, BytesMut};
use sctp::Delivery;
use std::time::Duration;

/// The longest label and protocol: their lengths have 16 bits (RFC 8832 §5.1).
const MAX_TEXT: usize = 65_535;

#[derive(Clone, Debug)]
pub(crate) struct ChannelSnapshot {
    init: ChannelInit,
    pub(crate) id: Option<ChannelId>,
    pub(crate) state: ChannelState,
    was_open: bool,
    owed: Owed,
    outgoing: Reset,
    incoming_done: bool,
    discards: bool,
    end: ChannelEnd,
    partial: Option<(Kind, Bytes)>,
    leftover: Vec<Piece>,
    delivery: Delivery,
    open_len: Option<usize>,
    low_threshold: usize,
}

wire_struct!(ChannelSnapshot {
    init,
    id,
    state,
    was_open,
    owed,
    outgoing,
    incoming_done,
    discards,
    end,
    partial,
    leftover,
    delivery,
    open_len,
    low_threshold
});
wire_struct!(ChannelInit { label, protocol, order, reliability, priority, negotiated });
wire_struct!(Piece { kind, data, end });
wire_newtype!(ChannelId, Priority);
wire_enum!(ChannelState { 0 => Connecting, 1 => Open, 2 => Closing, 3 => Closed });
wire_enum!(Owed { 0 => Nothing, 1 => Open, 2 => Ack });
wire_enum!(Reset { 0 => None, 1 => Wanted, 2 => Requested, 3 => Done });
wire_enum!(Order { 0 => Ordered, 1 => Unordered });
wire_enum!(Kind { 0 => Binary, 1 => Text });
wire_enum!(ChannelEnd {
    0 => Association,
    1 => Closed,
    2 => ClosedByPeer,
    3 => NoStream,
    4 => MessageTooLarge,
    5 => Violation
});

impl Wire for Reliability {
    fn put(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Reliable => 0_u8.put(out),
            Self::MaxRetransmits(count) => (1_u8, count).put(out),
            Self::MaxLifetime(life) => (2_u8, life).put(out),
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        match u8::take(bytes)? {
            0 => Ok(Self::Reliable),
            1 => u16::take(bytes).map(Self::MaxRetransmits),
            2 => Duration::take(bytes).map(Self::MaxLifetime),
            _ => Err(Malformed),
        }
    }
}

impl ChannelSnapshot {
    pub(crate) fn check(&self) -> Result<(), Contradiction> {
        let Self { init, id, state, leftover, .. } = self;
        let fits = init.label.len() <= MAX_TEXT && init.protocol.len() <= MAX_TEXT;
        ensure(fits, "a label")?;
        let numbered = id.or(init.negotiated).is_none_or(|id| id <= ChannelId::MAX);
        ensure(numbered, "the number of a channel")?;
        let needs_number = matches!(state, ChannelState::Open | ChannelState::Closing);
        ensure(id.is_some() || !needs_number, "an open channel without a number")?;
        ensure((*state == ChannelState::Closed) != leftover.is_empty(), "what is left of a closed channel")
    }

    /// Whether its number is its own.
    pub(crate) fn holds(&self) -> Option<ChannelId> {
        self.id.filter(|_| self.state != ChannelState::Closed)
    }
}

impl Channel {
    pub(crate) fn snapshot(&self) -> ChannelSnapshot {
        let Self {
            init,
            id,
            state,
            was_open,
            owed,
            outgoing,
            incoming_done,
            discards,
            end,
            partial,
            leftover,
            delivery,
            open_len,
            low_threshold,
            readable_queued: _,
            low_queued: _,
        } = self;
        ChannelSnapshot {
            init: init.clone(),
            id: *id,
            state: *state,
            was_open: *was_open,
            owed: *owed,
            outgoing: *outgoing,
            incoming_done: *incoming_done,
            discards: *discards,
            end: *end,
            partial: partial.as_ref().map(|partial| (partial.0, Bytes::copy_from_slice(&partial.1))),
            leftover: leftover.iter().flat_map(|kept| kept.iter().cloned()).collect(),
            delivery: *delivery,
            open_len: *open_len,
            low_threshold: *low_threshold,
        }
    }

    pub(crate) fn restore(snapshot: ChannelSnapshot) -> Self {
        let ChannelSnapshot {
            init,
            id,
            state,
            was_open,
            owed,
            outgoing,
            incoming_done,
            discards,
            end,
            partial,
            leftover,
            delivery,
            open_len,
            low_threshold,
        } = snapshot;
        Self {
            init,
            id,
            state,
            was_open,
            owed,
            outgoing,
            incoming_done,
            discards,
            end,
            partial: partial.map(|(kind, data)| Box::new((kind, BytesMut::from(&data[..])))),
            leftover: (!leftover.is_empty()).then(|| Box::new(leftover.into())),
            delivery,
            open_len,
            low_threshold,
            // The events say.
            readable_queued: false,
            low_queued: false,
        }
    }
}
