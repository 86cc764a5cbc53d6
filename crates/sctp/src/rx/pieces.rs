//! Messages that are given out before they are whole.

use super::receiver::Receiver;
use crate::chunk::data::Format;
use crate::event::Events;
use crate::rx::reassembly::Front;
use crate::types::{Delivery, End, Piece, Ppid, StreamId};
use base::Serial32;
use std::collections::VecDeque;

/// A stream received in pieces.
#[derive(Debug, Default)]
pub(super) struct Streamed {
    /// The message of which something was given out, until its end is ready.
    pub(super) current: Option<Current>,
    /// Messages that are whole and have to wait for the end of the current one.
    pub(super) later: VecDeque<Piece>,
    /// The first that is ready is the end of a message whose beginning was given out.
    pub(super) tail: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Current {
    pub(super) unordered: bool,
    pub(super) mid: Serial32,
    pub(super) ppid: Ppid,
}

impl Streamed {
    /// Queues the end of a message, or a whole one; `which` says of which message it is.
    pub(super) fn queue(
        &mut self,
        ready: &mut VecDeque<Piece>,
        which: Option<(bool, Serial32)>,
        piece: Piece,
    ) {
        match self.current {
            None => ready.push_back(piece),
            Some(current) if which == Some((current.unordered, current.mid)) => {
                self.current = None;
                self.tail = true;
                ready.push_back(piece);
                ready.append(&mut self.later);
            }
            Some(_) => self.later.push_back(piece),
        }
    }
}

impl Receiver {
    /// Changes how a stream is received.
    pub(crate) fn set_delivery(&mut self, stream: StreamId, delivery: Delivery, events: &mut Events) {
        self.inbound.set_delivery(stream, delivery);
        if delivery == Delivery::Pieces {
            self.reassembly.stream_pieces(stream);
            self.announce_piece(stream, events);
        }
    }

    /// Takes what can be had of the next message of a stream received in pieces.
    pub(crate) fn recv_piece(&mut self, stream: StreamId) -> Option<Piece> {
        if !self.is_streamed(stream) {
            return None;
        }
        let piece = self.inbound.recv_end(stream).or_else(|| {
            let (unordered, front) = self.next_front(stream)?;
            let payload = match self.format {
                Format::Plain => self.reassembly.take(stream, front.mid),
                Format::Interleaved => self.interleaved.take(stream, unordered, front.mid),
            };
            let streamed = self.inbound.streamed.get_mut(&stream)?;
            streamed.current = Some(Current { unordered, mid: front.mid, ppid: front.ppid });
            Some(Piece { ppid: front.ppid, payload, end: End::More })
        });
        self.reopen();
        piece
    }

    /// The PPID of what `recv_piece` would give next.
    pub(crate) fn peek_piece(&self, stream: StreamId) -> Option<Ppid> {
        let ready = self.inbound.peek(stream).map(|(ppid, _)| ppid);
        ready.or_else(|| self.next_front(stream).map(|(_, front)| front.ppid))
    }

    pub(crate) fn is_streamed(&self, stream: StreamId) -> bool {
        !self.inbound.streamed.is_empty() && self.inbound.streamed.contains_key(&stream)
    }

    /// Tells of a message whose beginning can be given out.
    pub(super) fn announce_piece(&mut self, stream: StreamId, events: &mut Events) {
        if self.next_front(stream).is_some() {
            events.readable(stream);
        }
    }

    /// Whether the application has something to pull.
    pub(super) fn has_something(&self) -> bool {
        self.inbound.has_ready()
            || self.inbound.streamed.keys().any(|stream| self.peek_piece(*stream).is_some())
    }

    /// The message that is next, if its beginning is there: the one begun, or the next ordered one, or any unordered
    /// one. Two messages of a stream are never mixed.
    fn next_front(&self, stream: StreamId) -> Option<(bool, Front)> {
        let streamed = self.inbound.streamed.get(&stream)?;
        let front = |unordered, mid| match (self.format, unordered) {
            (Format::Plain, false) => self.reassembly.front(stream, mid),
            (Format::Plain, true) => None,
            (Format::Interleaved, unordered) => self.interleaved.front(stream, unordered, mid),
        };
        let (unordered, front) = match streamed.current {
            Some(Current { unordered, mid, .. }) => (unordered, front(unordered, mid)?),
            None => match front(false, self.inbound.next_mid(stream)) {
                Some(front) => (false, front),
                None if self.format.is_interleaved() => (true, self.interleaved.unordered_front(stream)?),
                None => return None,
            },
        };
        Some((unordered, front)).filter(|(_, front)| !self.inbound.waits_for_reset(stream, front.first_tsn))
    }
}
