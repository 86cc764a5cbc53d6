//! Messages that wait for their first transmission, and whose turn it is.
//!
//! Without user message interleaving (RFC 8260) the fragments of a message have consecutive TSNs, so the choice
//! between streams is made per message; with it, per fragment. Either way it is a look at the top of a heap, and for a
//! single stream the heap has one entry.

mod message;
mod snapshot;
mod stream;
mod turns;

pub(crate) use message::{Limit, LimitSnapshot};
pub(crate) use snapshot::QueueSnapshot;

use crate::chunk::data::{DataHeader, Format};
use crate::config::Scheduler;
use crate::types::{End, Message, MessageId, Order, Piece, Ppid, SendOptions, StreamId};
use base::Serial32;
use bytes::Bytes;
use message::Queued;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use stream::{Active, Begun, Charge, OpenState, Reset, Stream, Turn};
use turns::Turns;

/// A fragment smaller than this is not worth its header.
const MIN_FRAGMENT: usize = 16;

/// Room for messages that the queue of a stream may keep while it is idle.
const MAX_SPARE: usize = 16;

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
    /// It ends a message whose acknowledgement is wanted at once.
    pub(crate) immediate: bool,
    /// It ends a message whose sender wants to know.
    pub(crate) tracking: Option<MessageId>,
}

/// A message that left the queue without being sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropped {
    pub(crate) stream: StreamId,
    /// The stream's queue fell to its threshold thereby.
    pub(crate) low: bool,
    pub(crate) tracking: Option<MessageId>,
}

/// The rest of a message some of which was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Of its never written last fragment.
    pub(crate) header: DataHeader,
    pub(crate) dropped: Dropped,
}

/// What an open message came to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Opened {
    /// There is none.
    None,
    /// Nothing of it was sent, and it is gone.
    Dropped(Dropped),
    /// A part of it was sent: this is its number.
    Begun(u64),
    /// It was gone already.
    GivenUp,
}

/// All messages not yet sent.
#[derive(Debug)]
pub(crate) struct SendQueue {
    streams: BTreeMap<StreamId, Stream>,
    turns: Turns,
    format: Format,
    /// The payload of a chunk that fills a packet alone.
    full: usize,
    next_number: u64,
    held: usize,
    messages: usize,
    /// Streams with `Reset::Draining` and nothing left to send.
    drained: Vec<StreamId>,
    /// Streams with a message that is not ended.
    open: BTreeSet<StreamId>,
    /// Messages with a priority of which nothing was sent, the least important last, older ones behind.
    evictable: BTreeSet<(u32, Reverse<u64>, StreamId)>,
    /// For the next stream that gets something to send.
    spare: Option<Box<Active>>,
}

impl SendQueue {
    pub(crate) fn new(scheduler: Scheduler, full: usize) -> Self {
        Self {
            streams: BTreeMap::new(),
            turns: Turns::new(scheduler),
            format: Format::Plain,
            full,
            next_number: 0,
            held: 0,
            messages: 0,
            drained: Vec::new(),
            open: BTreeSet::new(),
            evictable: BTreeSet::new(),
            spare: None,
        }
    }

    /// Begins towards a peer with this window. Nothing was sent before.
    pub(crate) fn start(&mut self, format: Format, full: usize, window: usize) {
        self.format = format;
        self.turns.start(format, window);
        self.full = full;
        self.schedule_all();
    }

    /// Sets the payload of a chunk that fills a packet alone.
    pub(crate) fn set_full(&mut self, full: usize) {
        if self.full != full {
            self.full = full;
            self.schedule_all();
        }
    }

    /// What was ready may be no longer, and the other way round.
    fn schedule_all(&mut self) {
        let pinned = self.turns.pinned;
        self.turns.clear();
        self.turns.pinned = pinned;
        let streams: Vec<_> = self.streams.keys().copied().filter(|stream| Some(*stream) != pinned).collect();
        for stream in streams {
            if let Some(active) = self.active(stream) {
                active.turn = Turn::Idle;
            }
            self.schedule(stream);
        }
        self.settle();
    }

    pub(crate) fn push(&mut self, now: Instant, stream: StreamId, message: Message, options: SendOptions) {
        let queued = Queued::whole(now, self.next_number, message, options);
        self.enqueue(stream, queued);
    }

    /// Queues a piece. Whether it begins a message depends on whether one is open.
    pub(crate) fn push_piece(&mut self, now: Instant, stream: StreamId, piece: Piece, options: SendOptions) {
        let is_last = piece.end != End::More;
        if !self.open.contains(&stream) {
            if is_last {
                self.push(now, stream, Message { ppid: piece.ppid, payload: piece.payload }, options);
                return;
            }
            let queued = Queued::open(now, self.next_number, piece, options);
            self.enqueue(stream, queued);
            self.open.insert(stream);
            if let Some(active) = self.active(stream) {
                active.open = OpenState::Open;
            }
            return;
        }
        let Some(active) = self.streams.get_mut(&stream).and_then(|entry| entry.active.as_mut()) else {
            return;
        };
        let Some(last) = active.queue.back_mut() else { return };
        self.held -= last.held();
        active.buffered += last.counted(piece.payload.len());
        last.append(piece.payload, is_last);
        self.held += last.held();
        if is_last {
            active.open = OpenState::None;
            self.open.remove(&stream);
        }
        self.schedule(stream);
        self.settle();
    }

    /// Lets what is there of an open message go without waiting for a full packet, but for its last byte.
    pub(crate) fn flush_open(&mut self, stream: StreamId) {
        if self.open.contains(&stream)
            && let Some(last) = self.active(stream).and_then(|active| active.queue.back_mut())
        {
            last.flush();
            self.schedule(stream);
            self.settle();
        }
    }

    /// The same for all: their tails may be what fills the send buffer.
    pub(crate) fn flush_all_open(&mut self) {
        for stream in self.open.iter().copied().collect::<Vec<_>>() {
            self.flush_open(stream);
        }
    }

    /// Whether a message is open on the stream, or was until it was given up.
    pub(crate) fn is_open(&self, stream: StreamId) -> bool {
        self.active_ref(stream).is_some_and(|active| active.open != OpenState::None)
    }

    /// Tells once that the open message was given up.
    pub(crate) fn take_given_up(&mut self, stream: StreamId) -> bool {
        let Some(active) = self.active(stream).filter(|active| active.open == OpenState::GivenUp) else {
            return false;
        };
        active.open = OpenState::None;
        self.retire(stream);
        true
    }

    /// Looks at the open message, and drops it if nothing of it was sent.
    pub(crate) fn close_open(&mut self, stream: StreamId) -> Opened {
        if self.take_given_up(stream) {
            return Opened::GivenUp;
        }
        let Some(active) = self.active(stream).filter(|active| active.open == OpenState::Open) else {
            return Opened::None;
        };
        if active.queue.len() == 1 && active.begun.is_some() {
            return active.queue.front().map_or(Opened::None, |first| Opened::Begun(first.number));
        }
        let at = active.queue.len().saturating_sub(1);
        let dropped = self.remove(stream, at);
        self.take_given_up(stream);
        dropped.map_or(Opened::None, Opened::Dropped)
    }

    /// Ends the open message with what is there of it.
    pub(crate) fn end_open(&mut self, now: Instant, stream: StreamId) {
        if self.open.contains(&stream) {
            let piece = Piece { ppid: Ppid(0), payload: Bytes::new(), end: End::Last };
            self.push_piece(now, stream, piece, SendOptions::new());
        }
    }

    /// Drops messages at the head whose lifetime is over and of which nothing was sent. Returns how many.
    pub(crate) fn drop_expired(&mut self, now: Instant, mut dropped: impl FnMut(Dropped)) -> u64 {
        let mut count = 0;
        while let Some(stream) = self.head() {
            let expired = self.active_ref(stream).is_some_and(|active| {
                active.begun.is_none()
                    && active.queue.front().is_some_and(|first| first.limit.is_expired(now))
            });
            if !expired {
                break;
            }
            let Some(one) = self.remove(stream, 0) else { break };
            dropped(one);
            count += 1;
        }
        count
    }

    /// Makes `bytes` of room by dropping messages less important than `priority`, or than anything without one
    /// (RFC 7496 §3.2). Drops none when that would not be enough.
    pub(crate) fn evict(&mut self, priority: Option<u32>, bytes: usize) -> Vec<Dropped> {
        let mut found = Vec::new();
        let mut room = 0;
        for &(value, Reverse(number), stream) in self.evictable.iter().rev() {
            if room >= bytes || priority.is_some_and(|priority| value <= priority) {
                break;
            }
            let queue = self.active_ref(stream).map(|active| &active.queue);
            let queued = queue.and_then(|queue| {
                let at = queue.binary_search_by_key(&number, |queued| queued.number).ok()?;
                queue.get(at)
            });
            room += queued.map_or(0, Queued::held);
            found.push((stream, number));
        }
        if room < bytes {
            return Vec::new();
        }
        found
            .into_iter()
            .filter_map(|(stream, number)| {
                let queue = &self.active_ref(stream)?.queue;
                let at = queue.binary_search_by_key(&number, |queued| queued.number).ok()?;
                self.remove(stream, at)
            })
            .collect()
    }

    /// The length of the next fragment when `room` payload bytes are left in the packet. `None` when nothing waits or
    /// when the next fragment wants a packet of its own.
    pub(crate) fn next_fragment(&self, room: usize) -> Option<usize> {
        let active = self.active_ref(self.head()?)?;
        let first = active.first(self.full)?;
        let len = first.fragment(active.begun.is_some(), room, self.full)?;
        Some(len).filter(|len| *len == first.left() || !self.takes_whole_only(active))
    }

    /// Whether the next message is one that would fill the packet, were there room for a fragment.
    pub(crate) fn next_is_large(&self) -> bool {
        let active = self.head().and_then(|stream| self.active_ref(stream));
        active.is_some_and(|active| {
            let is_large = |first: &Queued| first.is_large(active.begun.is_some(), self.full);
            active.first(self.full).is_some_and(is_large) && !self.takes_whole_only(active)
        })
    }

    /// The length of the chunks that fill an otherwise empty packet, headers and padding included, if that is easy to
    /// say: when one message fills it, or when all that goes into it is on one stream. `payload_limit` is how much
    /// payload may go at all; `pads` is whether a remainder is filled up.
    pub(crate) fn next_packet(
        &self,
        now: Instant,
        space: usize,
        payload_limit: usize,
        pads: bool,
    ) -> Option<usize> {
        let active = self.active_ref(self.head()?)?;
        let one_stream = self.turns.is_single() || self.turns.is_per_packet();
        let mut begun = active.begun.is_some();
        let (mut used, mut payload) = (0, 0);
        let whole_only = self.turns.is_per_packet() && !self.format.is_interleaved();
        for queued in &active.queue {
            if !begun && queued.limit.is_expired(now) {
                return None;
            }
            if !begun && !queued.is_ready(self.full) {
                break;
            }
            let left = queued.left();
            let room = super::payload_room(self.format, space - used);
            let len = queued.fragment(begun, room, self.full);
            if used > 0 && whole_only && len != Some(left) {
                break;
            }
            let Some(len) = len else {
                if pads && queued.is_large(begun, self.full) {
                    used = space;
                }
                break;
            };
            payload += len;
            used += super::data_len(self.format, crate::tlv::padded(len));
            if payload > payload_limit {
                return None;
            }
            begun = false;
            if used >= space {
                break;
            }
            if !one_stream {
                return None;
            }
            // What is left of an open message waits for more.
            if len < left {
                break;
            }
        }
        Some(used).filter(|used| *used > 0)
    }

    /// Takes the next `len` bytes: what `next_fragment` said.
    pub(crate) fn take(&mut self, len: usize) -> Option<Fragment> {
        let stream = self.head()?;
        let interleaved = self.format.is_interleaved();
        let entry = self.streams.get_mut(&stream)?;
        let active = entry.active.as_mut()?;
        if let Turn::Scheduled(stamp) = active.turn {
            self.turns.grant(active, stamp);
            self.turns.pinned = Some(stream);
            active.turn = Turn::Pinned;
        }
        let first = active.queue.front_mut()?;
        let unordered = first.order == Order::Unordered;
        let begun = match active.begun {
            Some(begun) => begun,
            None => {
                //= rfc9260 §6.5
                //# The Stream Sequence Number of an outgoing stream MUST be incremented by 1 for each ordered user
                //# message sent on that outgoing stream.
                //= rfc9260 §6.5
                //# For unordered user messages, the Stream Sequence Number MUST NOT be changed.
                //= rfc9260 §3.3.1
                //# When a user message is fragmented by SCTP for transport, the same Stream Sequence Number MUST be
                //# carried in each of the fragments of the message.
                let next = if unordered { &mut entry.next_unordered } else { &mut entry.next_ordered };
                let mid = *next;
                *next = mid.next();
                if let Limit::Priority(priority) = first.limit {
                    self.evictable.remove(&(priority, Reverse(first.number), stream));
                }
                // One that is open may be endless. It is the receiver's choice to hold it whole.
                let counts = interleaved && !first.is_open() && first.left() > self.full;
                let charge = if counts { self.turns.charge(first.left()) } else { None };
                let charge = charge.unwrap_or_default();
                self.turns.begin(charge);
                Begun { mid, fsn: 0, charge }
            }
        };
        self.held -= first.held();
        //= rfc9260 §3.3.1
        //# An unfragmented user message MUST have both the B and E bits set to 1.
        //= rfc9260 §6.9
        //# The transmitter MUST also set the B/E bits of the first DATA chunk in the series to 10, the B/E bits of
        //# the last DATA chunk in the series to 01, and the B/E bits of all other DATA chunks in the series to 00.
        let begin = active.begun.is_none();
        let payload = first.take(len);
        let end = first.left() == 0 && !first.is_open();
        let header = DataHeader {
            stream,
            mid: if unordered && !interleaved { Serial32(0) } else { begun.mid },
            fsn: begun.fsn,
            ppid: first.ppid,
            unordered,
            begin,
            end,
        };
        let (message, limit) = (first.number, first.limit);
        let (immediate, tracking) = (end && first.immediate, first.tracking.filter(|_| end));
        let counted = first.counted(payload.len());
        self.held += if end { 0 } else { first.held() };
        active.begun = Some(Begun { fsn: begun.fsn.wrapping_add(1), ..begun });
        let low = active.unbuffer(counted, entry.low_threshold);
        if interleaved {
            self.turns.correct(entry.weight, active, payload.len());
        }
        if end {
            active.queue.pop_front();
            self.messages -= 1;
            self.end_begun(stream);
        }
        if !self.turns.is_per_packet() && (end || interleaved) {
            self.unpin(stream);
        }
        self.settle();
        Some(Fragment { header, payload, message, limit, low, immediate, tracking })
    }

    /// The packet is full: with one stream a packet, it is another's turn.
    pub(crate) fn end_packet(&mut self) {
        if let Some(stream) = self.turns.pinned
            && (self.format.is_interleaved()
                || self.active_ref(stream).is_none_or(|active| active.begun.is_none()))
        {
            self.unpin(stream);
            self.settle();
        }
    }

    /// Gives up the rest of a message some of which is sent.
    pub(crate) fn abandon(&mut self, stream: StreamId, message: u64) -> Option<Cut> {
        let active = self.active_ref(stream)?;
        let begun = active.begun?;
        let first = active.queue.front().filter(|first| first.number == message)?;
        let unordered = first.order == Order::Unordered;
        let header = DataHeader {
            stream,
            mid: if unordered && !self.format.is_interleaved() { Serial32(0) } else { begun.mid },
            fsn: begun.fsn,
            ppid: first.ppid,
            unordered,
            begin: false,
            end: true,
        };
        let dropped = self.remove(stream, 0)?;
        Some(Cut { header, dropped })
    }

    /// The peer takes fewer streams than messages are queued for: drops those beyond.
    pub(crate) fn limit_streams(&mut self, count: u16) -> Vec<Dropped> {
        let beyond: Vec<_> = self.streams.range(StreamId(count)..).map(|(stream, _)| *stream).collect();
        let mut dropped = Vec::new();
        for stream in beyond {
            while let Some(one) = self.remove(stream, 0) {
                dropped.push(one);
            }
            self.take_given_up(stream);
            self.streams.remove(&stream);
        }
        dropped
    }

    /// Forgets every message and sequence number. Thresholds and weights stay.
    pub(crate) fn clear(&mut self) {
        for stream in self.streams.values_mut() {
            let (low_threshold, weight) = (stream.low_threshold, stream.weight);
            // Who is in the middle of a message must not begin another with what is left of it.
            let is_open = stream.active.as_ref().is_some_and(|active| active.open != OpenState::None);
            let active = is_open.then(|| Box::new(Active { open: OpenState::GivenUp, ..Active::default() }));
            *stream = Stream { active, low_threshold, weight, ..Stream::default() };
        }
        self.turns.clear_all();
        self.drained.clear();
        self.open.clear();
        self.evictable.clear();
        self.held = 0;
        self.messages = 0;
    }

    /// Begins a reset. `false` when one is under way.
    pub(crate) fn start_reset(&mut self, stream: StreamId) -> bool {
        self.take_given_up(stream);
        let entry = self.streams.entry(stream).or_default();
        if entry.reset != Reset::None {
            return false;
        }
        entry.reset = Reset::Draining;
        if entry.active.is_none() {
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
            //= rfc8260 §2.3.2
            //# When an association resets the SSN using the SCTP extension defined in [RFC6525], the two counters
            //# (one for the ordered messages, one for the unordered messages) used for the MIDs MUST be reset to 0.
            entry.next_ordered = Serial32(0);
            entry.next_unordered = Serial32(0);
        }
    }

    pub(crate) fn is_resetting(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_some_and(|entry| entry.reset != Reset::None)
    }

    /// Whether anything was ever sent or queued on the stream since its last reset.
    pub(crate) fn is_used(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_some_and(|entry| {
            entry.next_ordered.0 != 0 || entry.next_unordered.0 != 0 || entry.active.is_some()
        })
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
    pub(crate) fn set_next(&mut self, stream: StreamId, mid: Serial32) {
        let entry = self.streams.entry(stream).or_default();
        entry.next_ordered = mid;
        entry.next_unordered = mid;
    }

    pub(crate) fn buffered(&self, stream: StreamId) -> usize {
        self.active_ref(stream).map_or(0, |active| active.buffered)
    }

    /// Whether a message waits that was not written to its end.
    pub(crate) fn has_messages(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_some_and(|entry| entry.active.is_some())
    }

    /// Gives memory back that is kept for the next message.
    pub(crate) fn shrink(&mut self) {
        self.spare = None;
    }

    /// Bytes of memory, roughly.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages == 0
    }

    /// With a stream for each packet, and without interleaving, a message begun behind another in a packet would keep
    /// the turn for its stream, and so would the next: it is begun there only if it ends there.
    fn takes_whole_only(&self, active: &Active) -> bool {
        self.turns.is_per_packet()
            && !self.format.is_interleaved()
            && active.turn == Turn::Pinned
            && active.begun.is_none()
    }

    fn head(&self) -> Option<StreamId> {
        self.turns.pinned.or_else(|| self.turns.peek().map(|(_, stream)| stream))
    }

    fn active(&mut self, stream: StreamId) -> Option<&mut Active> {
        self.streams.get_mut(&stream)?.active.as_deref_mut()
    }

    fn active_ref(&self, stream: StreamId) -> Option<&Active> {
        self.streams.get(&stream)?.active.as_deref()
    }

    fn enqueue(&mut self, stream: StreamId, queued: Queued) {
        self.next_number += 1;
        self.held += queued.held();
        self.messages += 1;
        if let Limit::Priority(priority) = queued.limit {
            self.evictable.insert((priority, Reverse(queued.number), stream));
        }
        let entry = self.streams.entry(stream).or_default();
        let active = match &mut entry.active {
            Some(active) => active,
            empty => empty.insert(self.spare.take().unwrap_or_default()),
        };
        active.buffered += queued.counted(queued.left());
        active.queue.push_back(queued);
        if active.turn == Turn::Idle {
            self.schedule(stream);
            self.settle();
        }
    }

    /// Gives an idle stream its turn, if it has a use for it.
    fn schedule(&mut self, stream: StreamId) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        let Some(active) = entry.active.as_deref_mut().filter(|active| active.turn == Turn::Idle) else {
            return;
        };
        let Some(first) = active.queue.front().filter(|first| first.is_ready(self.full)) else { return };
        let left = first.left();
        let bytes = if self.format.is_interleaved() { left.min(self.full) } else { left };
        let number = first.number;
        let stamp = self.turns.push(stream, entry.weight, active, number, bytes);
        active.turn = Turn::Scheduled(stamp);
    }

    /// Sees to it that the first of the turns is one that can be taken.
    fn settle(&mut self) {
        while self.turns.pinned.is_none()
            && let Some((stamp, stream)) = self.turns.peek()
        {
            let active = self.streams.get_mut(&stream).and_then(|entry| entry.active.as_deref_mut());
            let Some(active) = active.filter(|active| active.turn == Turn::Scheduled(stamp)) else {
                self.turns.pop();
                continue;
            };
            let first = active.queue.front();
            let may_begin = !self.format.is_interleaved()
                || active.begun.is_some()
                || first.is_none_or(|first| {
                    first.is_open() || first.left() <= self.full || self.turns.charge(first.left()).is_some()
                });
            if may_begin {
                return;
            }
            self.turns.pop();
            active.turn = Turn::Waiting;
            self.turns.waiting.push_back(stream);
        }
    }

    /// The turn of a stream is over.
    fn unpin(&mut self, stream: StreamId) {
        if self.turns.pinned == Some(stream) {
            self.turns.pinned = None;
        }
        if let Some(active) = self.active(stream) {
            active.follows = active.turn == Turn::Pinned;
            active.turn = Turn::Idle;
        }
        self.schedule(stream);
        if let Some(active) = self.active(stream) {
            active.follows = false;
        }
    }

    /// Takes a message out of the middle, whether begun or not.
    fn remove(&mut self, stream: StreamId, at: usize) -> Option<Dropped> {
        let entry = self.streams.get_mut(&stream)?;
        let active = entry.active.as_mut()?;
        let queued = active.queue.remove(at)?;
        let low = active.unbuffer(queued.counted(queued.left()), entry.low_threshold);
        self.held -= queued.held();
        self.messages -= 1;
        if queued.is_open() {
            // A stream that is being reset waits for nobody to be told.
            active.open = if entry.reset == Reset::None { OpenState::GivenUp } else { OpenState::None };
            self.open.remove(&stream);
        }
        if let Limit::Priority(priority) = queued.limit {
            self.evictable.remove(&(priority, Reverse(queued.number), stream));
        }
        if at == 0 {
            // One that was not begun may leave in the middle of a packet.
            let keeps_turn =
                self.turns.is_per_packet() && active.turn == Turn::Pinned && active.begun.is_none();
            let waits = active.turn == Turn::Waiting;
            self.end_begun(stream);
            if waits {
                self.turns.waiting.retain(|waiting| *waiting != stream);
            }
            if !keeps_turn {
                self.unpin(stream);
            }
            self.settle();
        }
        Some(Dropped { stream, low, tracking: queued.tracking })
    }

    /// The first message of a stream is gone.
    fn end_begun(&mut self, stream: StreamId) {
        let Some(active) = self.active(stream) else { return };
        let charge = active.begun.take().map_or_else(Charge::default, |begun| begun.charge);
        if charge != Charge::default() {
            self.turns.finish(charge);
            // A few at a time: one that may not be begun after all comes back.
            for _ in 0..4 {
                let Some(next) = self.turns.waiting.front().copied() else { break };
                let left =
                    self.active_ref(next).and_then(|active| active.queue.front()).map_or(0, Queued::left);
                if self.turns.charge(left).is_none() {
                    break;
                }
                self.turns.waiting.pop_front();
                if let Some(active) = self.active(next) {
                    active.turn = Turn::Idle;
                }
                self.schedule(next);
            }
        }
        self.retire(stream);
    }

    /// A stream with nothing queued needs little, and may be reset.
    fn retire(&mut self, stream: StreamId) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        let empty = |active: &mut Box<Active>| active.queue.is_empty() && active.open == OpenState::None;
        let Some(mut active) = entry.active.take_if(empty) else { return };
        if entry.reset == Reset::Draining {
            self.drained.push(stream);
        }
        if active.queue.capacity() <= MAX_SPARE {
            let queue = std::mem::take(&mut active.queue);
            *active = Active { queue, ..Active::default() };
            self.spare = Some(active);
        }
    }
}

#[cfg(test)]
mod tests;
