//! Messages that wait for their first transmission, and whose turn it is.
//!
//! Without user message interleaving (RFC 8260) the fragments of a message have consecutive TSNs, so the choice
//! between streams is made per message. It is weighted fair queueing: each message is stamped with the virtual time at
//! which its stream, given its weight, would have finished it, and the lowest stamp goes first.

use super::OVERHEAD;
use crate::chunk::data::DataHeader;
use crate::types::{Message, Order, Reliability, SendOptions, StreamId};
use base::Serial16;
use bytes::Bytes;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Instant;

/// The weight of a stream that was given none: "normal" of RFC 8831 §6.4.
const DEFAULT_WEIGHT: u16 = 256;

/// A fragment smaller than this is not worth its header.
const MIN_FRAGMENT: usize = 16;

/// When a message is given up, resolved against the time of `send`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Never,
    Retransmits(u16),
    Until(Instant),
}

impl Limit {
    fn resolve(reliability: Reliability, now: Instant) -> Self {
        match reliability {
            Reliability::Reliable => Self::Never,
            Reliability::MaxRetransmits(count) => Self::Retransmits(count),
            Reliability::MaxLifetime(life) => now.checked_add(life).map_or(Self::Never, Self::Until),
        }
    }

    fn is_expired(self, now: Instant) -> bool {
        matches!(self, Self::Until(deadline) if deadline <= now)
    }
}

/// A piece of a message, ready for its TSN.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) header: DataHeader,
    pub(crate) payload: Bytes,
    /// Which message it is a piece of.
    pub(crate) message: u64,
    pub(crate) limit: Limit,
    /// The stream's queue fell to its threshold with this piece.
    pub(crate) low: bool,
}

#[derive(Debug)]
struct Queued {
    message: Message,
    order: Order,
    limit: Limit,
    number: u64,
    /// Left out of `Stream::buffered`.
    uncounted: bool,
}

impl Queued {
    /// What `bytes` of its payload count for in `Stream::buffered`.
    fn counted(&self, bytes: usize) -> usize {
        if self.uncounted { 0 } else { bytes }
    }
}

/// Whether a stream is being reset (RFC 6525 §5.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reset {
    #[default]
    None,
    /// Asked for; messages queued before still go out.
    Draining,
    /// The request is with the peer.
    Requested,
}

#[derive(Debug)]
struct Stream {
    queue: VecDeque<Queued>,
    next_ssn: Serial16,
    /// Payload bytes in `queue`, the fragments already taken left out.
    buffered: usize,
    low_threshold: usize,
    weight: u16,
    /// Virtual time at which what was scheduled so far is finished.
    finish: u64,
    reset: Reset,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            next_ssn: Serial16(0),
            buffered: 0,
            low_threshold: 0,
            weight: DEFAULT_WEIGHT,
            finish: 0,
            reset: Reset::None,
        }
    }
}

impl Stream {
    /// Takes `bytes` off the count; tells whether it thereby fell to the threshold.
    fn unbuffer(&mut self, bytes: usize) -> bool {
        let before = self.buffered;
        self.buffered = before.saturating_sub(bytes);
        before > self.low_threshold && self.buffered <= self.low_threshold
    }
}

/// The message at the head, once its first fragment was taken.
#[derive(Clone, Copy, Debug)]
struct Current {
    stream: StreamId,
    offset: usize,
    ssn: Serial16,
}

/// All messages not yet sent.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    streams: BTreeMap<StreamId, Stream>,
    /// One entry for each stream with messages, by the stamp of its first one. `current`'s stream is not in it.
    turns: BinaryHeap<Reverse<(u64, u64, StreamId)>>,
    current: Option<Current>,
    virtual_time: u64,
    next_number: u64,
    held: usize,
    messages: usize,
    /// Streams with `Reset::Draining` and nothing left to send.
    drained: Vec<StreamId>,
}

impl SendQueue {
    pub(crate) fn push(&mut self, now: Instant, stream: StreamId, message: Message, options: SendOptions) {
        let len = message.payload.len();
        let number = self.next_number;
        self.next_number += 1;
        self.held += len + OVERHEAD;
        self.messages += 1;
        let entry = self.streams.entry(stream).or_default();
        let limit = Limit::resolve(options.reliability, now);
        let was_idle = entry.queue.is_empty();
        let queued = Queued { message, order: options.order, limit, number, uncounted: options.uncounted };
        entry.buffered += queued.counted(len);
        entry.queue.push_back(queued);
        if was_idle {
            self.schedule(stream);
        }
    }

    /// Drops messages at the head whose lifetime is over and of which nothing was sent. `low` hears of streams whose
    /// queue fell to its threshold thereby. Returns how many were dropped.
    pub(crate) fn drop_expired(&mut self, now: Instant, mut low: impl FnMut(StreamId)) -> u64 {
        let mut dropped = 0;
        while let Some(stream) = self.head().filter(|_| self.current.is_none()) {
            let Some(entry) = self.streams.get_mut(&stream) else { break };
            let Some(first) = entry.queue.front().filter(|first| first.limit.is_expired(now)) else { break };
            let len = first.message.payload.len();
            let counted = first.counted(len);
            if entry.unbuffer(counted) {
                low(stream);
            }
            self.turns.pop();
            self.finish_first(stream);
            self.held -= len + OVERHEAD;
            dropped += 1;
        }
        dropped
    }

    /// The length of the next fragment when `room` payload bytes are left in a packet that holds `full` of them when
    /// it has nothing else. `None` when nothing waits or when the next fragment wants a packet of its own.
    pub(crate) fn next_fragment(&self, room: usize, full: usize) -> Option<usize> {
        let stream = self.head()?;
        let first = self.streams.get(&stream)?.queue.front()?;
        let total = first.message.payload.len();
        let offset = self.current.map_or(0, |current| current.offset);
        fragment_len(total, total - offset, room, full)
    }

    /// Whether the next message is one that would fill the packet, were there room for a fragment.
    pub(crate) fn next_is_large(&self, full: usize) -> bool {
        let first = self.head().and_then(|stream| self.streams.get(&stream)?.queue.front());
        first.is_some_and(|first| first.message.payload.len() > full)
    }

    /// The length of the chunks that fill an otherwise empty packet, headers and padding included, if that is easy to
    /// say: when one message fills it, or when all that waits is on one stream. `payload_limit` is how much payload
    /// may go at all; `pads` is whether a remainder is filled up.
    pub(crate) fn next_packet(
        &self,
        now: Instant,
        space: usize,
        payload_limit: usize,
        pads: bool,
    ) -> Option<usize> {
        let full = super::payload_room(space);
        let entry = self.streams.get(&self.head()?)?;
        let one_stream = self.turns.len() + usize::from(self.current.is_some()) == 1;
        let mut offset = self.current.map_or(0, |current| current.offset);
        let (mut used, mut payload) = (0, 0);
        for queued in &entry.queue {
            if offset == 0 && queued.limit.is_expired(now) {
                return None;
            }
            let total = queued.message.payload.len();
            let rest = total - offset;
            let Some(len) = fragment_len(total, rest, super::payload_room(space - used), full) else {
                if total > full && pads {
                    used = space;
                }
                break;
            };
            payload += len;
            used += super::data_len(crate::tlv::padded(len));
            if payload > payload_limit {
                return None;
            }
            offset = 0;
            if len < rest || used >= space {
                break;
            }
            if !one_stream {
                return None;
            }
        }
        Some(used).filter(|used| *used > 0)
    }

    /// Takes the next `len` bytes: what `next_fragment` said.
    pub(crate) fn take(&mut self, len: usize) -> Option<Fragment> {
        let stream = self.head()?;
        let entry = self.streams.get_mut(&stream)?;
        let first = entry.queue.front()?;
        let unordered = first.order == Order::Unordered;
        let current = match self.current {
            Some(current) => current,
            None => {
                let Reverse((stamp, ..)) = self.turns.pop()?;
                self.virtual_time = self.virtual_time.max(stamp);
                let ssn = entry.next_ssn;
                if !unordered {
                    entry.next_ssn = ssn.next();
                }
                Current { stream, offset: 0, ssn }
            }
        };
        let total = first.message.payload.len();
        let end_offset = (current.offset + len).min(total);
        let header = DataHeader {
            stream,
            ssn: if unordered { Serial16(0) } else { current.ssn },
            ppid: first.message.ppid,
            unordered,
            begin: current.offset == 0,
            end: end_offset == total,
        };
        let payload = first.message.payload.slice(current.offset..end_offset);
        let (message, limit) = (first.number, first.limit);
        let counted = first.counted(payload.len());
        let low = entry.unbuffer(counted);
        self.held -= payload.len();
        if header.end {
            self.current = None;
            self.held -= OVERHEAD;
            self.finish_first(stream);
        } else {
            self.current = Some(Current { offset: end_offset, ..current });
        }
        Some(Fragment { header, payload, message, limit, low })
    }

    /// Gives up the rest of a message some of which is sent. Returns the header of its never written last fragment,
    /// and whether the stream's queue fell to its threshold.
    pub(crate) fn abandon(&mut self, message: u64) -> Option<(DataHeader, bool)> {
        let current = self.current?;
        let entry = self.streams.get_mut(&current.stream)?;
        let first = entry.queue.front().filter(|first| first.number == message)?;
        let rest = first.message.payload.len() - current.offset;
        let unordered = first.order == Order::Unordered;
        let header = DataHeader {
            stream: current.stream,
            ssn: if unordered { Serial16(0) } else { current.ssn },
            ppid: first.message.ppid,
            unordered,
            begin: false,
            end: true,
        };
        let counted = first.counted(rest);
        let low = entry.unbuffer(counted);
        self.held -= rest + OVERHEAD;
        self.current = None;
        self.finish_first(current.stream);
        Some((header, low))
    }

    /// The peer takes fewer streams than messages are queued for: drops those beyond. Returns how many.
    pub(crate) fn limit_streams(&mut self, count: u16) -> u64 {
        let beyond = self.streams.split_off(&StreamId(count));
        if beyond.is_empty() {
            return 0;
        }
        let mut dropped = 0;
        for queued in beyond.values().flat_map(|stream| &stream.queue) {
            self.held -= queued.message.payload.len() + OVERHEAD;
            self.messages -= 1;
            dropped += 1;
        }
        self.turns.retain(|Reverse((.., stream))| stream.0 < count);
        dropped
    }

    /// Forgets every message and sequence number. Thresholds and weights stay.
    pub(crate) fn clear(&mut self) {
        for stream in self.streams.values_mut() {
            let (low_threshold, weight) = (stream.low_threshold, stream.weight);
            *stream = Stream { low_threshold, weight, ..Stream::default() };
        }
        self.turns.clear();
        self.drained.clear();
        self.current = None;
        self.held = 0;
        self.messages = 0;
    }

    /// Begins a reset. `false` when one is under way.
    pub(crate) fn start_reset(&mut self, stream: StreamId) -> bool {
        let entry = self.streams.entry(stream).or_default();
        if entry.reset != Reset::None {
            return false;
        }
        entry.reset = Reset::Draining;
        if entry.queue.is_empty() {
            self.drained.push(stream);
        }
        true
    }

    /// Moves up to `max` streams that are ready to be reset into a request.
    pub(crate) fn take_drained(&mut self, max: usize) -> Vec<StreamId> {
        let count = self.drained.len().min(max);
        let streams: Vec<_> = self.drained.drain(..count).collect();
        for stream in &streams {
            if let Some(entry) = self.streams.get_mut(stream) {
                entry.reset = Reset::Requested;
            }
        }
        streams
    }

    /// Whether a request could be made.
    pub(crate) fn has_drained(&self) -> bool {
        !self.drained.is_empty()
    }

    /// Ends a reset, from sequence number zero or as before.
    pub(crate) fn end_reset(&mut self, stream: StreamId, from_zero: bool) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        entry.reset = Reset::None;
        if from_zero {
            entry.next_ssn = Serial16(0);
        }
    }

    pub(crate) fn is_resetting(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_some_and(|entry| entry.reset != Reset::None)
    }

    /// Whether anything was ever sent or queued on the stream since its last reset.
    pub(crate) fn is_used(&self, stream: StreamId) -> bool {
        self.streams
            .get(&stream)
            .is_some_and(|entry| entry.next_ssn != Serial16(0) || !entry.queue.is_empty())
    }

    /// Every stream of which that is so.
    pub(crate) fn used(&self) -> Vec<StreamId> {
        self.streams.keys().copied().filter(|stream| self.is_used(*stream)).collect()
    }

    pub(crate) fn set_low_threshold(&mut self, stream: StreamId, bytes: usize) {
        self.streams.entry(stream).or_default().low_threshold = bytes;
    }

    pub(crate) fn set_weight(&mut self, stream: StreamId, weight: u16) {
        self.streams.entry(stream).or_default().weight = weight.max(1);
    }

    #[cfg(test)]
    fn set_next_ssn(&mut self, stream: StreamId, ssn: Serial16) {
        self.streams.entry(stream).or_default().next_ssn = ssn;
    }

    pub(crate) fn buffered(&self, stream: StreamId) -> usize {
        self.streams.get(&stream).map_or(0, |entry| entry.buffered)
    }

    /// Bytes of memory, roughly.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages == 0
    }

    fn head(&self) -> Option<StreamId> {
        match self.current {
            Some(current) => Some(current.stream),
            None => self.turns.peek().map(|Reverse((.., stream))| *stream),
        }
    }

    /// Stamps the first message of a stream and gives the stream its turn.
    fn schedule(&mut self, stream: StreamId) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        let Some(first) = entry.queue.front() else { return };
        let cost = (first.message.payload.len() + OVERHEAD) as u64 * 1_024 / u64::from(entry.weight);
        entry.finish = entry.finish.max(self.virtual_time) + cost;
        self.turns.push(Reverse((entry.finish, first.number, stream)));
    }

    /// Removes the first message of a stream that is not among the turns, and queues the stream again.
    fn finish_first(&mut self, stream: StreamId) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        entry.queue.pop_front();
        self.messages -= 1;
        if !entry.queue.is_empty() {
            self.schedule(stream);
        } else if entry.reset == Reset::Draining {
            self.drained.push(stream);
        }
    }
}

/// A message that fits a packet is not cut: one loss then costs one message. Larger ones fill every packet to the
/// last word, so that packets of a burst have equal sizes.
fn fragment_len(total: usize, rest: usize, room: usize, full: usize) -> Option<usize> {
    if rest <= room {
        Some(rest)
    } else if room >= full || (total > full && room >= MIN_FRAGMENT) {
        Some(room & !3)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
