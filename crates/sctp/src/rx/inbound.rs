//! Whole messages on their way to the application: order within streams, and queues to pull from.

use super::reassembly::Whole;
use crate::event::Events;
use crate::types::{Message, StreamId};
use base::Serial16;
use std::collections::{BTreeMap, VecDeque};

/// Bytes charged for each message on top of its payload.
pub(crate) const MESSAGE_OVERHEAD: usize = 96;

/// Bytes charged for each stream with messages to pull: its queue, with room for the first few.
const QUEUE_OVERHEAD: usize = 256;

/// Bytes charged for each stream with messages out of order: the first node of their tree.
pub(crate) const EARLY_OVERHEAD: usize = 640;

/// Empty queues kept for reuse, and the messages they may have room for; others are dropped as soon as they are empty.
const MAX_IDLE_QUEUES: usize = 64;
const MAX_IDLE_CAPACITY: usize = 128;

/// Messages that arrived before the ones they come after, by sequence number. `None` stands for a message that was too
/// large to be kept and still has its place in the order.
type Early = BTreeMap<u16, Option<Message>>;

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
    /// Next sequence numbers; grown to the highest stream used, so that idle streams cost two bytes.
    next_ssn: Vec<u16>,
    early: BTreeMap<StreamId, Early>,
    ready: BTreeMap<StreamId, VecDeque<Message>>,
    /// Streams with something ready, each at most once, in turn.
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
            self.payload = self.payload.saturating_add(whole.payload.as_ref().map_or(0, bytes::Bytes::len));
            self.messages = self.messages.saturating_add(1);
            deferred.held.push(whole);
            return;
        }
        let message = whole.payload.map(|payload| Message { ppid: whole.header.ppid, payload });
        if message.is_none() {
            events.too_large(stream);
        }
        if whole.header.unordered {
            self.ready(stream, message, events);
            return;
        }
        let next = self.next_ssn(stream);
        if whole.header.ssn == next {
            self.ready(stream, message, events);
            self.set_next_ssn(stream, next.next());
            self.deliver_early(stream, events);
        } else if whole.header.ssn.is_after(next) {
            self.count(message.as_ref());
            let early = self.early.entry(stream).or_default();
            if let Some(replaced) = early.insert(whole.header.ssn.0, message) {
                self.uncount(replaced.as_ref());
            }
        }
        // A number from the past cannot come from a sender that follows RFC 9260 §6.5; there is no place for it.
    }

    /// The sender gave up ordered messages up to `last` on this stream (RFC 3758 §3.6).
    pub(crate) fn skip(&mut self, stream: StreamId, last: Serial16, events: &mut Events) {
        let next = self.next_ssn(stream);
        if !last.is_at_or_after(next) {
            return;
        }
        if let Some(early) = self.early.get_mut(&stream) {
            // In order of distance: the numbers may wrap.
            let mut passed: Vec<u16> =
                early.keys().copied().filter(|ssn| !Serial16(*ssn).is_after(last)).collect();
            passed.sort_by_key(|ssn| Serial16(*ssn).distance_from(next));
            let passed: Vec<_> = passed.iter().filter_map(|ssn| early.remove(ssn)).collect();
            for message in passed {
                self.uncount(message.as_ref());
                self.ready(stream, message, events);
            }
        }
        self.set_next_ssn(stream, last.next());
        self.deliver_early(stream, events);
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
        let message = self.pop(stream)?;
        if self.ready.get(&stream).is_none_or(VecDeque::is_empty)
            && let Some(at) = self.turns.iter().position(|turn| *turn == stream)
        {
            self.turns.remove(at);
        }
        Some(message)
    }

    /// Looks at the next message of one stream.
    pub(crate) fn peek(&self, stream: StreamId) -> Option<&Message> {
        self.ready.get(&stream)?.front()
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

    /// The streams of a deferred reset whose TSN is reached.
    pub(crate) fn take_deferred(&mut self, cumulative: u64) -> Option<(Vec<StreamId>, Vec<Whole>)> {
        let deferred = self.deferred.take_if(|deferred| deferred.last_tsn <= cumulative)?;
        for whole in &deferred.held {
            self.payload = self.payload.saturating_sub(whole.payload.as_ref().map_or(0, bytes::Bytes::len));
            self.messages = self.messages.saturating_sub(1);
        }
        Some((deferred.streams, deferred.held))
    }

    /// Starts streams from sequence number zero; none means all (RFC 6525 §5.2.2, E3). What is ready stays.
    pub(crate) fn reset(&mut self, streams: &[StreamId]) {
        if streams.is_empty() {
            self.next_ssn.clear();
            for early in std::mem::take(&mut self.early).into_values() {
                self.uncount_all(early);
            }
        }
        for &stream in streams {
            if self.next_ssn.len() > usize::from(stream.0) {
                self.set_next_ssn(stream, Serial16(0));
            }
            if let Some(early) = self.early.remove(&stream) {
                self.uncount_all(early);
            }
        }
    }

    /// Streams something was received on in order since their last reset, and those with messages to pull.
    pub(crate) fn used(&self) -> Vec<StreamId> {
        let counted = self.next_ssn.iter().zip(0..=u16::MAX);
        let mut used: Vec<_> =
            counted.filter(|(ssn, _)| **ssn != 0).map(|(_, stream)| StreamId(stream)).collect();
        used.extend(self.ready.keys().chain(self.early.keys()));
        used.sort_unstable();
        used.dedup();
        used
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
        self.next_ssn.len().saturating_mul(size_of::<u16>())
    }

    fn deliver_early(&mut self, stream: StreamId, events: &mut Events) {
        loop {
            let next = self.next_ssn(stream);
            let Some(early) = self.early.get_mut(&stream) else { return };
            let message = early.remove(&next.0);
            if early.is_empty() {
                self.early.remove(&stream);
            }
            let Some(message) = message else { return };
            self.uncount(message.as_ref());
            self.ready(stream, message, events);
            self.set_next_ssn(stream, next.next());
        }
    }

    fn ready(&mut self, stream: StreamId, message: Option<Message>, events: &mut Events) {
        let Some(message) = message else { return };
        self.count(Some(&message));
        let queue = self.ready.entry(stream).or_default();
        if queue.is_empty() {
            self.turns.push_back(stream);
        }
        queue.push_back(message);
        events.readable(stream);
    }

    fn pop(&mut self, stream: StreamId) -> Option<Message> {
        let queue = self.ready.get_mut(&stream)?;
        let message = queue.pop_front()?;
        let is_large = queue.capacity() > MAX_IDLE_CAPACITY;
        if queue.is_empty() && (is_large || self.ready.len() > MAX_IDLE_QUEUES) {
            self.ready.remove(&stream);
        }
        self.uncount(Some(&message));
        Some(message)
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

    fn next_ssn(&self, stream: StreamId) -> Serial16 {
        Serial16(self.next_ssn.get(usize::from(stream.0)).copied().unwrap_or(0))
    }

    fn set_next_ssn(&mut self, stream: StreamId, ssn: Serial16) {
        let index = usize::from(stream.0);
        if self.next_ssn.len() <= index {
            self.next_ssn.resize(index.saturating_add(1), 0);
        }
        if let Some(slot) = self.next_ssn.get_mut(index) {
            *slot = ssn.0;
        }
    }
}
