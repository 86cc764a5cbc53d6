//! A message that waits, as it moves to another process.

use super::{Limit, Pieces, Queued};
use crate::handover::wire::{Contradiction, Malformed, Wire, ensure, wire_struct};
use crate::types::{MessageId, Order, Ppid};
use base::Reader;
use bytes::{Bytes, BytesMut};
use std::time::{Duration, Instant};

/// A limit whose deadline is a time that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitSnapshot {
    Never,
    Retransmits(u16),
    Left(Duration),
    Priority(u32),
}

impl Limit {
    pub(crate) fn snapshot(self, now: Instant) -> LimitSnapshot {
        match self {
            Self::Never => LimitSnapshot::Never,
            Self::Retransmits(count) => LimitSnapshot::Retransmits(count),
            Self::Until(deadline) => LimitSnapshot::Left(deadline.saturating_duration_since(now)),
            Self::Priority(priority) => LimitSnapshot::Priority(priority),
        }
    }

    pub(crate) fn restore(snapshot: LimitSnapshot, now: Instant) -> Self {
        match snapshot {
            LimitSnapshot::Never => Self::Never,
            LimitSnapshot::Retransmits(count) => Self::Retransmits(count),
            LimitSnapshot::Left(left) => now.checked_add(left).map_or(Self::Never, Self::Until),
            LimitSnapshot::Priority(priority) => Self::Priority(priority),
        }
    }
}

impl Wire for LimitSnapshot {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Never => 0_u8.put(out),
            Self::Retransmits(count) => {
                1_u8.put(out);
                count.put(out);
            }
            Self::Left(left) => {
                2_u8.put(out);
                left.put(out);
            }
            Self::Priority(priority) => {
                3_u8.put(out);
                priority.put(out);
            }
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match u8::take(reader)? {
            0 => Ok(Self::Never),
            1 => u16::take(reader).map(Self::Retransmits),
            2 => Duration::take(reader).map(Self::Left),
            3 => u32::take(reader).map(Self::Priority),
            _ => Err(Malformed),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct QueuedSnapshot {
    ppid: Ppid,
    order: Order,
    limit: LimitSnapshot,
    pub(crate) number: u64,
    immediate: bool,
    pub(crate) tracking: Option<MessageId>,
    uncounted: bool,
    total: usize,
    /// All that is left of it, in one.
    payload: Bytes,
    pieces: Option<PiecesSnapshot>,
}

#[derive(Clone, Copy, Debug)]
struct PiecesSnapshot {
    open: bool,
    flush: usize,
}

wire_struct!(QueuedSnapshot {
    ppid,
    order,
    limit,
    number,
    immediate,
    tracking,
    uncounted,
    total,
    payload,
    pieces
});
wire_struct!(PiecesSnapshot { open, flush });

impl QueuedSnapshot {
    pub(crate) fn is_open(&self) -> bool {
        self.pieces.is_some_and(|pieces| pieces.open)
    }

    pub(crate) fn is_unordered(&self) -> bool {
        self.order == Order::Unordered
    }

    pub(crate) fn check(&self) -> Result<(), Contradiction> {
        let left = self.payload.len();
        // The last byte of an open message waits for its end; one that is ended and has none left is gone.
        ensure(left > 0, "a message without bytes")?;
        ensure(self.pieces.is_some() || left <= self.total, "more of a message than there is")?;
        ensure(self.pieces.is_none_or(|pieces| pieces.flush <= left), "more to be flushed than there is")
    }
}

impl Queued {
    pub(crate) fn snapshot(&self, now: Instant) -> QueuedSnapshot {
        let Self { ppid, order, limit, number, immediate, tracking, uncounted, total, payload, pieces } =
            self;
        QueuedSnapshot {
            ppid: *ppid,
            order: *order,
            limit: limit.snapshot(now),
            number: *number,
            immediate: *immediate,
            tracking: *tracking,
            uncounted: *uncounted,
            total: *total,
            payload: match pieces {
                Some(pieces) => joined(payload, pieces),
                None => payload.clone(),
            },
            pieces: pieces.as_ref().map(|pieces| {
                let Pieces { rest: _, rest_len: _, open, flush } = **pieces;
                PiecesSnapshot { open, flush }
            }),
        }
    }

    pub(crate) fn restore(snapshot: QueuedSnapshot, now: Instant) -> Self {
        let QueuedSnapshot {
            ppid,
            order,
            limit,
            number,
            immediate,
            tracking,
            uncounted,
            total,
            payload,
            pieces,
        } = snapshot;
        let pieces = pieces.map(|PiecesSnapshot { open, flush }| {
            Box::new(Pieces { rest: std::collections::VecDeque::new(), rest_len: 0, open, flush })
        });
        let limit = Limit::restore(limit, now);
        Self { ppid, order, limit, number, immediate, tracking, uncounted, total, payload, pieces }
    }
}

fn joined(first: &Bytes, pieces: &Pieces) -> Bytes {
    if pieces.rest.is_empty() {
        return first.clone();
    }
    let mut joined = BytesMut::with_capacity(first.len() + pieces.rest_len);
    joined.extend_from_slice(first);
    for piece in &pieces.rest {
        joined.extend_from_slice(piece);
    }
    joined.freeze()
}
