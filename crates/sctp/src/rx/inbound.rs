//! Whole messages on their way to the application: order within streams, and queues to pull from.

mod snapshot;

pub(crate) use snapshot::InboundSnapshot;

use super::pieces::Streamed;
use super::reassembly::Whole;
use crate::chunk::data::{DataHeader, Format};
use crate::event::Events;
use crate::types::{Delivery, End, Message, Piece, Ppid, StreamId};
use base::{Serial16, Serial32};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// Bytes charged for each message on top of its payload.
pub(crate) const MESSAGE_OVERHEAD: usize = 96;

/// Bytes charged for each stream with messages to pull: its queue, with room for the first few.
const QUEUE_OVERHEAD: usize = 256;

/// Bytes charged for each stream with messages out of order: the first node of their tree.
pub(crate) const EARLY_OVERHEAD: usize = 640;

/// Empty queues kept for reuse, and the messages they may have room for; others are dropped as soon as they are empty.
const MAX_IDLE_QUEUES: usize = 8;
const MAX_IDLE_CAPACITY: usize = 128;

/// Messages that arrived before the ones they come after, by sequence number. `None` stands for a message that was too
/// large to be kept and still has its place in the order.
type Early = BTreeMap<u32, Option<Message>>;

/// A reset that waits for a TSN (RFC 6525 §5.2.2, E2).
#[derive(Debug)]
struct Deferred {
    last_tsn: u64,
    /// None means all.
    streams: Vec<StreamId>,
    /// Messages sent after it on these streams.
    held: Vec<Whole>,
}

/// All streams the peer sends on.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    /// With interleaving messages are numbered by MIDs of 32 bits, without by SSNs of 16.
    format: Format,
    /// Next numbers of ordered messages; grown to the highest stream used, so that idle streams cost four bytes.
    next: Vec<u32>,
    early: BTreeMap<StreamId, Early>,
    ready: BTreeMap<StreamId, VecDeque<Piece>>,
    /// Streams received in pieces.
    pub(super) streamed: BTreeMap<StreamId, Streamed>,
    /// Streams with whole messages ready, each at most once, in turn.
    turns: VecDeque<StreamId>,
    deferred: Option<Deferred>,
    payload: usize,
    messages: usize,
}

impl Inbound {
    /// Takes in a whole message and queues what can be delivered now.
    pub(crate) fn deliver(&mut self, whole: Whole, events: &mut Events) {
        let stream = whole.header.stream;
        if let Some(deferred) = &mut self.deferred
            && whole.first_tsn > deferred.last_tsn
            && (deferred.streams.is_empty() || deferred.streams.contains(&stream))
        {
            self.payload = self.payload.saturating_add(whole.payload.as_ref().map_or(0, Bytes::len));
            self.messages = self.messages.saturating_add(1);
            deferred.held.push(whole);
            return;
        }
        let message = whole.payload.map(|payload| Message { ppid: whole.header.ppid, payload });
        if message.is_none() {
            events.too_large(stream);
        }
        let mid = whole.header.mid;
        //= rfc9260 §3.3.1
        //# Therefore, the receiver MUST ignore the Stream Sequence Number field.
        //= rfc9260 §3.3.1
        //# unordered DATA chunks MUST be dispatched to the upper layer by the receiver without any attempt to
        //# reorder.
        //= rfc9260 §6.6
        //# the receiver MUST ignore the field.
        if whole.header.unordered {
            self.ready(stream, true, mid, message, events);
            return;
        }
        //= rfc9260 §6.6
        //# Within a stream, an endpoint MUST deliver DATA chunks received with the U flag set to 0 to the upper layer
        //# according to the order of their Stream Sequence Number.
        //= rfc9260 §6.6
        //# the endpoint MUST hold the received DATA chunks from delivery to the ULP until they are reordered.
        let next = self.next_mid(stream);
        if mid == next {
            self.ready(stream, false, mid, message, events);
            self.set_next(stream, self.following(next));
            self.deliver_early(stream, events);
        } else if self.is_after(mid, next) {
            self.count(message.as_ref());
            let early = self.early.entry(stream).or_default();
            if let Some(replaced) = early.insert(mid.0, message) {
                self.uncount(replaced.as_ref());
            }
        }
        // A number from the past cannot come from a sender that follows RFC 9260 §6.5; there is no place for it.
    }

    /// The sender gave up ordered messages up to `last` on this stream (RFC 3758 §3.6).
    pub(crate) fn skip(&mut self, stream: StreamId, last: Serial32, events: &mut Events) {
        let next = self.next_mid(stream);
        if last != next && !self.is_after(last, next) {
            return;
        }
        self.cut_current(stream, false, |mid, inbound| !inbound.is_after(mid, last), events);
        let mut mid = next;
        while let Some(early) = self.early.get_mut(&stream) {
            // In order of distance: the numbers may wrap.
            let found = early.range(mid.0..).next().or_else(|| early.iter().next()).map(|(mid, _)| *mid);
            let Some(found) = found.map(Serial32).filter(|found| !self.is_after(*found, last)) else { break };
            self.uncount_early(stream, found, events);
            mid = found;
        }
        self.set_next(stream, self.following(last));
        self.deliver_early(stream, events);
        if self.streamed.contains_key(&stream) {
            // What could be given out now may have come long ago.
            events.readable(stream);
        }
    }

    /// The sender gave up unordered messages up to `last` (RFC 8260 §2.3.1).
    pub(crate) fn skip_unordered(&mut self, stream: StreamId, last: Serial32, events: &mut Events) {
        self.cut_current(stream, true, |mid, inbound| !inbound.is_after(mid, last), events);
    }

    /// Takes the next message, streams in turn.
    pub(crate) fn recv(&mut self) -> Option<(StreamId, Message)> {
        while let Some(stream) = self.turns.pop_front() {
            let message = self.pop(stream);
            if self.ready.get(&stream).is_some_and(|queue| !queue.is_empty()) {
                self.turns.push_back(stream);
            }
            if let Some(message) = message {
                return Some((stream, message));
            }
        }
        None
    }

    /// Takes the next message of one stream.
    pub(crate) fn recv_from(&mut self, stream: StreamId) -> Option<Message> {
        if self.streamed.contains_key(&stream) {
            return None;
        }
        let message = self.pop(stream)?;
        if self.ready.get(&stream).is_none_or(VecDeque::is_empty)
            && let Some(at) = self.turns.iter().position(|turn| *turn == stream)
        {
            self.turns.remove(at);
        }
        Some(message)
    }

    /// Takes the next end of a message, or whole message, of a stream received in pieces.
    pub(super) fn recv_end(&mut self, stream: StreamId) -> Option<Piece> {
        let piece = self.pop_piece(stream)?;
        if let Some(streamed) = self.streamed.get_mut(&stream) {
            streamed.tail = false;
        }
        Some(piece)
    }

    /// Looks at the next message of one stream, or the next end of one.
    pub(crate) fn peek(&self, stream: StreamId) -> Option<(Ppid, &Bytes)> {
        self.ready.get(&stream)?.front().map(|piece| (piece.ppid, &piece.payload))
    }

    /// Changes how a stream is received.
    pub(crate) fn set_delivery(&mut self, stream: StreamId, delivery: Delivery) {
        match delivery {
            Delivery::Pieces => {
                self.streamed.entry(stream).or_default();
                self.turns.retain(|turn| *turn != stream);
            }
            Delivery::Messages => {
                let between = self.streamed.get(&stream).is_some_and(|it| it.current.is_none() && !it.tail);
                if !between {
                    return;
                }
                self.streamed.remove(&stream);
                if self.ready.get(&stream).is_some_and(|queue| !queue.is_empty()) {
                    self.turns.push_back(stream);
                }
            }
        }
    }

    /// Notes a reset that waits for `last_tsn`; one that waits already is widened.
    pub(crate) fn defer_reset(&mut self, last_tsn: u64, streams: Vec<StreamId>) {
        match &mut self.deferred {
            Some(deferred) => {
                deferred.last_tsn = deferred.last_tsn.max(last_tsn);
                if streams.is_empty() {
                    deferred.streams.clear();
                } else if !deferred.streams.is_empty() {
                    deferred.streams.extend(streams);
                    deferred.streams.sort_unstable();
                    deferred.streams.dedup();
                }
            }
            None => self.deferred = Some(Deferred { last_tsn, streams, held: Vec::new() }),
        }
    }

    /// A deferred reset whose TSN is reached: that TSN, its streams, and what came behind it.
    pub(crate) fn take_deferred(&mut self, cumulative: u64) -> Option<(u64, Vec<StreamId>, Vec<Whole>)> {
        let deferred = self.deferred.take_if(|deferred| deferred.last_tsn <= cumulative)?;
        for whole in &deferred.held {
            self.payload = self.payload.saturating_sub(whole.payload.as_ref().map_or(0, Bytes::len));
            self.messages = self.messages.saturating_sub(1);
        }
        Some((deferred.last_tsn, deferred.streams, deferred.held))
    }

    /// Starts streams from sequence number zero; none means all (RFC 6525 §5.2.2, E3). What is ready stays.
    pub(crate) fn reset(&mut self, streams: &[StreamId]) {
        if streams.is_empty() {
            self.next.clear();
            for early in std::mem::take(&mut self.early).into_values() {
                self.uncount_all(early);
            }
        }
        for &stream in streams {
            if self.next.len() > usize::from(stream.0) {
                self.set_next(stream, Serial32(0));
            }
            if let Some(early) = self.early.remove(&stream) {
                self.uncount_all(early);
            }
        }
    }

    /// Streams something was received on in order since their last reset, and those with messages to pull.
    pub(crate) fn used(&self) -> Vec<StreamId> {
        let counted = self.next.iter().zip(0..=u16::MAX);
        let mut used: Vec<_> =
            counted.filter(|(next, _)| **next != 0).map(|(_, stream)| StreamId(stream)).collect();
        used.extend(self.ready.keys().chain(self.early.keys()));
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Gives memory back that is kept for the next messages.
    pub(crate) fn shrink(&mut self) {
        self.ready.retain(|_, queue| !queue.is_empty());
        self.turns.shrink_to_fit();
    }

    /// Whether something waits to be pulled.
    pub(crate) fn has_ready(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Payload bytes held.
    pub(crate) fn payload(&self) -> usize {
        self.payload
    }

    /// Bytes of memory that messages take, roughly.
    pub(crate) fn held(&self) -> usize {
        [
            (self.messages, MESSAGE_OVERHEAD),
            (self.turns.len(), QUEUE_OVERHEAD),
            (self.early.len(), EARLY_OVERHEAD),
        ]
        .into_iter()
        .fold(self.payload, |sum, (count, bytes)| sum.saturating_add(count.saturating_mul(bytes)))
    }

    /// Bytes of memory that sequence numbers take, messages or not.
    pub(crate) fn numbers(&self) -> usize {
        self.next.len().saturating_mul(size_of::<u32>())
    }

    fn deliver_early(&mut self, stream: StreamId, events: &mut Events) {
        while self.early.get(&stream).is_some_and(|early| early.contains_key(&self.next_mid(stream).0)) {
            let next = self.next_mid(stream);
            self.uncount_early(stream, next, events);
            self.set_next(stream, self.following(next));
        }
    }

    /// The turn of a message that came early.
    fn uncount_early(&mut self, stream: StreamId, mid: Serial32, events: &mut Events) {
        let Some(early) = self.early.get_mut(&stream) else { return };
        let Some(message) = early.remove(&mid.0) else { return };
        if early.is_empty() {
            self.early.remove(&stream);
        }
        self.uncount(message.as_ref());
        self.ready(stream, false, mid, message, events);
    }

    fn ready(
        &mut self,
        stream: StreamId,
        unordered: bool,
        mid: Serial32,
        message: Option<Message>,
        events: &mut Events,
    ) {
        let Some(message) = message else { return };
        self.count(Some(&message));
        let piece = Piece { ppid: message.ppid, payload: message.payload, end: End::Last };
        let queue = self.ready.entry(stream).or_default();
        match self.streamed.get_mut(&stream) {
            Some(streamed) => streamed.queue(queue, Some((unordered, mid)), piece),
            None => {
                if queue.is_empty() {
                    self.turns.push_back(stream);
                }
                queue.push_back(piece);
            }
        }
        events.readable(stream);
    }

    /// The rest of the message that is being given out will not come.
    pub(super) fn cut_current(
        &mut self,
        stream: StreamId,
        unordered: bool,
        is_cut: impl Fn(Serial32, &Self) -> bool,
        events: &mut Events,
    ) {
        let current = self.streamed.get(&stream).and_then(|streamed| streamed.current);
        let Some(current) = current.filter(|now| now.unordered == unordered && is_cut(now.mid, self)) else {
            return;
        };
        self.messages = self.messages.saturating_add(1);
        let piece = Piece { ppid: current.ppid, payload: Bytes::new(), end: End::GivenUp };
        let queue = self.ready.entry(stream).or_default();
        if let Some(streamed) = self.streamed.get_mut(&stream) {
            streamed.queue(queue, Some((unordered, current.mid)), piece);
        }
        events.readable(stream);
    }

    fn pop(&mut self, stream: StreamId) -> Option<Message> {
        let Piece { ppid, payload, .. } = self.pop_piece(stream)?;
        Some(Message { ppid, payload })
    }

    fn pop_piece(&mut self, stream: StreamId) -> Option<Piece> {
        let queue = self.ready.get_mut(&stream)?;
        let piece = queue.pop_front()?;
        let is_large = queue.capacity() > MAX_IDLE_CAPACITY;
        if queue.is_empty() && (is_large || self.ready.len() > MAX_IDLE_QUEUES) {
            self.ready.remove(&stream);
        }
        self.payload = self.payload.saturating_sub(piece.payload.len());
        self.messages = self.messages.saturating_sub(1);
        Some(piece)
    }

    fn count(&mut self, message: Option<&Message>) {
        self.payload = self.payload.saturating_add(message.map_or(0, |message| message.payload.len()));
        self.messages = self.messages.saturating_add(1);
    }

    fn uncount(&mut self, message: Option<&Message>) {
        self.payload = self.payload.saturating_sub(message.map_or(0, |message| message.payload.len()));
        self.messages = self.messages.saturating_sub(1);
    }

    fn uncount_all(&mut self, early: Early) {
        for message in early.into_values() {
            self.uncount(message.as_ref());
        }
    }

    /// The number of the next ordered message.
    pub(super) fn next_mid(&self, stream: StreamId) -> Serial32 {
        Serial32(self.next.get(usize::from(stream.0)).copied().unwrap_or(0))
    }

    /// Whether this belongs to an ordered message whose place in the order was passed.
    pub(super) fn is_past(&self, header: &DataHeader, tsn: u64) -> bool {
        !header.unordered
            && self.is_after(self.next_mid(header.stream), header.mid)
            && !self.waits_for_reset(header.stream, tsn)
    }

    /// Whether a message waits for a reset of its stream that is not performed yet.
    pub(super) fn waits_for_reset(&self, stream: StreamId, first_tsn: u64) -> bool {
        self.deferred.as_ref().is_some_and(|deferred| {
            first_tsn > deferred.last_tsn
                && (deferred.streams.is_empty() || deferred.streams.contains(&stream))
        })
    }

    /// Messages are numbered anew, this way.
    pub(super) fn start(&mut self, format: Format, events: &mut Events) {
        for stream in self.streamed.keys().copied().collect::<Vec<_>>() {
            self.cut_current(stream, false, |_, _| true, events);
            self.cut_current(stream, true, |_, _| true, events);
        }
        self.reset(&[]);
        self.format = format;
    }

    fn following(&self, mid: Serial32) -> Serial32 {
        match self.format {
            Format::Plain => Serial32(u32::from(Serial16(mid.0 as u16).next().0)),
            Format::Interleaved => mid.next(),
        }
    }

    fn is_after(&self, a: Serial32, b: Serial32) -> bool {
        match self.format {
            Format::Plain => Serial16(a.0 as u16).is_after(Serial16(b.0 as u16)),
            Format::Interleaved => a.is_after(b),
        }
    }

    pub(super) fn set_next(&mut self, stream: StreamId, mid: Serial32) {
        let index = usize::from(stream.0);
        if self.next.len() <= index {
            self.next.resize(index.saturating_add(1), 0);
        }
        if let Some(slot) = self.next.get_mut(index) {
            *slot = mid.0;
        }
    }
}
