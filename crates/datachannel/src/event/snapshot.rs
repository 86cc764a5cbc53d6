//! Events that were not polled, as they move to another process.

use super::{ChannelEnd, Event};
use crate::handover::wire::{Malformed, Wire};
use crate::slab::ChannelKey;
use sctp::{MessageId, Progress};

/// All but the end, which nothing moves after.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EventSnapshot {
    Abandoned(MessageId, Progress),
    Announced(ChannelKey),
    BufferedAmountLow(ChannelKey),
    Closed(ChannelKey, ChannelEnd),
    Closing(ChannelKey),
    Connected(u16),
    Delivered(MessageId),
    Opened(ChannelKey),
    Readable(ChannelKey),
    SendSpace,
}

impl Wire for EventSnapshot {
    fn put(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Abandoned(id, progress) => (1_u8, (id, progress)).put(out),
            Self::Announced(key) => (2_u8, key).put(out),
            Self::BufferedAmountLow(key) => (3_u8, key).put(out),
            Self::Closed(key, end) => (4_u8, (key, end)).put(out),
            Self::Closing(key) => (5_u8, key).put(out),
            Self::Connected(max_channels) => (6_u8, max_channels).put(out),
            Self::Delivered(id) => (7_u8, id).put(out),
            Self::Opened(key) => (8_u8, key).put(out),
            Self::Readable(key) => (9_u8, key).put(out),
            Self::SendSpace => 10_u8.put(out),
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(match u8::take(bytes)? {
            1 => Self::Abandoned(Wire::take(bytes)?, Wire::take(bytes)?),
            2 => Self::Announced(Wire::take(bytes)?),
            3 => Self::BufferedAmountLow(Wire::take(bytes)?),
            4 => Self::Closed(Wire::take(bytes)?, Wire::take(bytes)?),
            5 => Self::Closing(Wire::take(bytes)?),
            6 => Self::Connected(Wire::take(bytes)?),
            7 => Self::Delivered(Wire::take(bytes)?),
            8 => Self::Opened(Wire::take(bytes)?),
            9 => Self::Readable(Wire::take(bytes)?),
            10 => Self::SendSpace,
            _ => return Err(Malformed),
        })
    }
}

impl Event {
    pub(crate) fn snapshot(&self) -> Option<EventSnapshot> {
        Some(match *self {
            Self::Abandoned { id, progress } => EventSnapshot::Abandoned(id, progress),
            Self::Announced(key) => EventSnapshot::Announced(key),
            Self::AssociationClosed(_) => return None,
            Self::BufferedAmountLow(key) => EventSnapshot::BufferedAmountLow(key),
            Self::Closed(key, end) => EventSnapshot::Closed(key, end),
            Self::Closing(key) => EventSnapshot::Closing(key),
            Self::Connected { max_channels } => EventSnapshot::Connected(max_channels),
            Self::Delivered(id) => EventSnapshot::Delivered(id),
            Self::Opened(key) => EventSnapshot::Opened(key),
            Self::Readable(key) => EventSnapshot::Readable(key),
            Self::SendSpace => EventSnapshot::SendSpace,
        })
    }

    pub(crate) fn restore(snapshot: EventSnapshot) -> Self {
        match snapshot {
            EventSnapshot::Abandoned(id, progress) => Self::Abandoned { id, progress },
            EventSnapshot::Announced(key) => Self::Announced(key),
            EventSnapshot::BufferedAmountLow(key) => Self::BufferedAmountLow(key),
            EventSnapshot::Closed(key, end) => Self::Closed(key, end),
            EventSnapshot::Closing(key) => Self::Closing(key),
            EventSnapshot::Connected(max_channels) => Self::Connected { max_channels },
            EventSnapshot::Delivered(id) => Self::Delivered(id),
            EventSnapshot::Opened(key) => Self::Opened(key),
            EventSnapshot::Readable(key) => Self::Readable(key),
            EventSnapshot::SendSpace => Self::SendSpace,
        }
    }
}
