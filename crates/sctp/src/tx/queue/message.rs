//! One message that waits, whole or in pieces.

mod snapshot;

pub(crate) use snapshot::{LimitSnapshot, QueuedSnapshot};

use super::super::OVERHEAD;
use super::MIN_FRAGMENT;
use crate::types::{Message, MessageId, Order, Piece, Ppid, Reliability, SendOptions};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Instant;

/// When a message is given up, resolved against the time of `send`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Never,
    Retransmits(u16),
    Until(Instant),
    /// When its room is needed for something with a lower number (RFC 7496 §3.2).
    Priority(u32),
}

impl Limit {
    fn resolve(reliability: Reliability, now: Instant) -> Self {
        match reliability {
            Reliability::Reliable => Self::Never,
            Reliability::MaxRetransmits(count) => Self::Retransmits(count),
            Reliability::MaxLifetime(life) => now.checked_add(life).map_or(Self::Never, Self::Until),
            Reliability::Priority(priority) => Self::Priority(priority),
        }
    }

    pub(super) fn is_expired(self, now: Instant) -> bool {
        matches!(self, Self::Until(deadline) if deadline <= now)
    }
}

#[derive(Debug)]
pub(super) struct Queued {
    pub(super) ppid: Ppid,
    pub(super) order: Order,
    pub(super) limit: Limit,
    pub(super) number: u64,
    pub(super) immediate: bool,
    pub(super) tracking: Option<MessageId>,
    /// Left out of what the stream has buffered.
    uncounted: bool,
    /// The whole message when it was queued in one; no longer true of one that grows.
    total: usize,
    /// The bytes not yet taken, or the first of them.
    payload: Bytes,
    pieces: Option<Box<Pieces>>,
}

/// What a message that came in pieces has beyond `Queued::payload`.
#[derive(Debug, Default)]
struct Pieces {
    rest: VecDeque<Bytes>,
    rest_len: usize,
    open: bool,
    /// This many bytes go without waiting for a full packet.
    flush: usize,
}

impl Queued {
    pub(super) fn whole(now: Instant, number: u64, message: Message, options: SendOptions) -> Self {
        Self {
            ppid: message.ppid,
            order: options.order,
            limit: Limit::resolve(options.reliability, now),
            number,
            immediate: options.immediate_ack,
            tracking: options.tracking,
            uncounted: options.uncounted,
            total: message.payload.len(),
            payload: message.payload,
            pieces: None,
        }
    }

    /// Of a message of which more pieces follow.
    pub(super) fn open(now: Instant, number: u64, piece: Piece, options: SendOptions) -> Self {
        let message = Message { ppid: piece.ppid, payload: piece.payload };
        let pieces = Some(Box::new(Pieces { open: true, ..Pieces::default() }));
        Self { pieces, ..Self::whole(now, number, message, options) }
    }

    pub(super) fn append(&mut self, payload: Bytes, is_last: bool) {
        let pieces = self.pieces.get_or_insert_default();
        pieces.open = !is_last;
        if self.payload.is_empty() {
            self.payload = payload;
        } else if !payload.is_empty() {
            pieces.rest_len += payload.len();
            pieces.rest.push_back(payload);
        }
    }

    /// Lets everything but the last byte go, which is kept for the chunk that ends the message: there is no chunk
    /// without user data (RFC 9260 §3.3.1).
    pub(super) fn flush(&mut self) {
        let left = self.left();
        if let Some(pieces) = &mut self.pieces {
            pieces.flush = left.saturating_sub(1);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.pieces.as_ref().is_some_and(|pieces| pieces.open)
    }

    /// Bytes not yet taken.
    pub(super) fn left(&self) -> usize {
        self.payload.len() + self.pieces.as_ref().map_or(0, |pieces| pieces.rest_len)
    }

    /// Bytes of memory, roughly.
    pub(super) fn held(&self) -> usize {
        self.left() + OVERHEAD * (1 + self.pieces.as_ref().map_or(0, |pieces| pieces.rest.len()))
    }

    /// What `bytes` of its payload count for in what the stream has buffered.
    pub(super) fn counted(&self, bytes: usize) -> usize {
        if self.uncounted { 0 } else { bytes }
    }

    /// Whether a fragment can be had of it that is worth a packet.
    pub(super) fn is_ready(&self, full: usize) -> bool {
        match &self.pieces {
            Some(pieces) if pieces.open => pieces.flush > 0 || self.left() > full,
            _ => true,
        }
    }

    /// Whether it fills packets.
    pub(super) fn is_large(&self, begun: bool, full: usize) -> bool {
        match &self.pieces {
            None => self.total > full,
            Some(pieces) => (begun && !pieces.open) || self.left() > full,
        }
    }

    //= rfc9260 §6.9
    //# The data sender MUST break the user message into a series of DATA chunks.
    //= rfc9260 §6.1
    //# The sender MUST also have an algorithm for sending new DATA chunks to avoid silly window syndrome (SWS) as
    //# described in [RFC1122].
    /// The length of its next fragment with `room` left in a packet that holds `full`.
    ///
    /// A message that fits a packet is not cut: one loss then costs one message. Larger ones fill every packet to the
    /// last word, so that packets of a burst have equal sizes.
    pub(super) fn fragment(&self, begun: bool, room: usize, full: usize) -> Option<usize> {
        let left = self.left();
        let fill =
            (room >= full || (room >= MIN_FRAGMENT && self.is_large(begun, full))).then_some(room & !3);
        match &self.pieces {
            Some(pieces) if pieces.open => {
                let flushed = (pieces.flush > 0).then_some(left.saturating_sub(1)).filter(|len| *len > 0);
                match (fill, flushed) {
                    (Some(fill), _) if left > fill => Some(fill),
                    (_, flushed) => flushed.filter(|len| *len <= room),
                }
            }
            _ if left <= room => Some(left),
            _ => fill,
        }
    }

    /// Takes the next `len` bytes. They are copied only where pieces meet.
    pub(super) fn take(&mut self, len: usize) -> Bytes {
        let len = len.min(self.left());
        let Some(pieces) = &mut self.pieces else { return self.payload.split_to(len) };
        pieces.flush = pieces.flush.saturating_sub(len);
        let mut taken = self.payload.split_to(len.min(self.payload.len()));
        if taken.len() < len {
            let mut joined = BytesMut::with_capacity(len);
            joined.extend_from_slice(&taken);
            while joined.len() < len
                && let Some(mut next) = pieces.rest.pop_front()
            {
                pieces.rest_len -= next.len();
                joined.extend_from_slice(&next.split_to(next.len().min(len - joined.len())));
                self.payload = next;
            }
            taken = joined.freeze();
        }
        if self.payload.is_empty()
            && let Some(next) = pieces.rest.pop_front()
        {
            pieces.rest_len -= next.len();
            self.payload = next;
        }
        taken
    }
}
