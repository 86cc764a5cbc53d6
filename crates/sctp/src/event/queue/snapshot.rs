//! Events that were not polled, as they move to another process.

use super::Events;
use crate::event::{Direction, Event, Progress, ResetOutcome};
use crate::handover::wire::{Malformed, Wire, wire_enum};
use crate::types::{MessageId, StreamId};
use base::Reader;

/// All but the end, which nothing moves after.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EventSnapshot {
    Abandoned(MessageId, Progress),
    BufferedAmountLow(StreamId),
    Connected(u16, u16),
    Delivered(MessageId),
    MessageTooLarge(StreamId),
    Readable(StreamId),
    Restarted,
    SendSpace,
    ShuttingDown,
    StreamsChanged(u16, u16),
    StreamsDenied(Direction),
    StreamReset(StreamId, Direction, ResetOutcome),
}

wire_enum!(Progress { 0 => Unsent, 1 => Begun });
wire_enum!(ResetOutcome { 0 => Denied, 1 => NothingToDo, 2 => Performed });

impl Wire for EventSnapshot {
    fn put(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Abandoned(id, progress) => (1_u8, (id, progress)).put(out),
            Self::BufferedAmountLow(stream) => (2_u8, stream).put(out),
            Self::Connected(outbound, inbound) => (3_u8, (outbound, inbound)).put(out),
            Self::Delivered(id) => (4_u8, id).put(out),
            Self::MessageTooLarge(stream) => (5_u8, stream).put(out),
            Self::Readable(stream) => (6_u8, stream).put(out),
            Self::Restarted => 7_u8.put(out),
            Self::SendSpace => 8_u8.put(out),
            Self::ShuttingDown => 9_u8.put(out),
            Self::StreamsChanged(outbound, inbound) => (10_u8, (outbound, inbound)).put(out),
            Self::StreamsDenied(direction) => (11_u8, direction).put(out),
            Self::StreamReset(stream, direction, outcome) => (12_u8, (stream, (direction, outcome))).put(out),
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match u8::take(reader)? {
            1 => Self::Abandoned(Wire::take(reader)?, Wire::take(reader)?),
            2 => Self::BufferedAmountLow(Wire::take(reader)?),
            3 => Self::Connected(Wire::take(reader)?, Wire::take(reader)?),
            4 => Self::Delivered(Wire::take(reader)?),
            5 => Self::MessageTooLarge(Wire::take(reader)?),
            6 => Self::Readable(Wire::take(reader)?),
            7 => Self::Restarted,
            8 => Self::SendSpace,
            9 => Self::ShuttingDown,
            10 => Self::StreamsChanged(Wire::take(reader)?, Wire::take(reader)?),
            11 => Self::StreamsDenied(Wire::take(reader)?),
            12 => Self::StreamReset(Wire::take(reader)?, Wire::take(reader)?, Wire::take(reader)?),
            _ => return Err(Malformed),
        })
    }
}

impl EventSnapshot {
    /// Whether it is about a message with a name.
    pub(crate) fn is_named(&self) -> bool {
        matches!(self, Self::Abandoned(..) | Self::Delivered(_))
    }
}

impl Events {
    pub(crate) fn snapshot(&self) -> Vec<EventSnapshot> {
        let Self { queue, readable: _, low: _, too_large: _, resets: _, send_space: _, streams_changed: _ } =
            self;
        let event = |event: &Event| {
            Some(match *event {
                Event::Abandoned { id, progress } => EventSnapshot::Abandoned(id, progress),
                Event::BufferedAmountLow(stream) => EventSnapshot::BufferedAmountLow(stream),
                Event::Closed(_) => return None,
                Event::Connected { outbound, inbound } => EventSnapshot::Connected(outbound, inbound),
                Event::Delivered(id) => EventSnapshot::Delivered(id),
                Event::MessageTooLarge(stream) => EventSnapshot::MessageTooLarge(stream),
                Event::Readable(stream) => EventSnapshot::Readable(stream),
                Event::Restarted => EventSnapshot::Restarted,
                Event::SendSpace => EventSnapshot::SendSpace,
                Event::ShuttingDown => EventSnapshot::ShuttingDown,
                Event::StreamsChanged { outbound, inbound } => {
                    EventSnapshot::StreamsChanged(outbound, inbound)
                }
                Event::StreamsDenied(direction) => EventSnapshot::StreamsDenied(direction),
                Event::StreamReset { stream, direction, outcome } => {
                    EventSnapshot::StreamReset(stream, direction, outcome)
                }
            })
        };
        queue.iter().filter_map(event).collect()
    }

    /// Those that are coalesced stand in it once.
    pub(crate) fn restore(snapshot: Vec<EventSnapshot>) -> Self {
        let mut events = Self::default();
        for event in snapshot {
            match event {
                EventSnapshot::Abandoned(id, progress) => events.push(Event::Abandoned { id, progress }),
                EventSnapshot::BufferedAmountLow(stream) => events.buffered_low(stream),
                EventSnapshot::Connected(outbound, inbound) => {
                    events.push(Event::Connected { outbound, inbound });
                }
                EventSnapshot::Delivered(id) => events.push(Event::Delivered(id)),
                EventSnapshot::MessageTooLarge(stream) => events.too_large(stream),
                EventSnapshot::Readable(stream) => events.readable(stream),
                EventSnapshot::Restarted => events.restarted(),
                EventSnapshot::SendSpace => events.send_space(),
                EventSnapshot::ShuttingDown => events.push(Event::ShuttingDown),
                EventSnapshot::StreamsChanged(outbound, inbound) => {
                    events.streams_changed(outbound, inbound);
                }
                EventSnapshot::StreamsDenied(direction) => events.push(Event::StreamsDenied(direction)),
                EventSnapshot::StreamReset(stream, direction, outcome) => {
                    events.reset(stream, direction, outcome);
                }
            }
        }
        events
    }
}
