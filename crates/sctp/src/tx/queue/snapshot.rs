//! Everything that waits for its first transmission, as it moves to another process.
//!
//! What moves is the streams, with their numbers, settings and messages. Turns begin anew: who had more than its share
//! lately is forgotten. A message that was begun goes on first where it must (RFC 9260 §6.9: its fragments have
//! consecutive TSNs).

use super::SendQueue;
use super::message::{Limit, Queued, QueuedSnapshot};
use super::stream::{Active, Begun, Charge, OpenState, Reset, Stream, Turn};
use super::turns::Turns;
use crate::chunk::data::Format;
use crate::config::Scheduler;
use crate::handover::wire::{Contradiction, MAX_COUNT, ensure, is_ascending, wire_enum, wire_struct};
use crate::types::StreamId;
use base::Serial32;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

#[derive(Clone, Debug)]
pub(crate) struct QueueSnapshot {
    next_number: u64,
    /// The window of the peer when it was all free.
    window: usize,
    streams: Vec<StreamSnapshot>,
}

#[derive(Clone, Debug)]
struct StreamSnapshot {
    stream: StreamId,
    low_threshold: usize,
    next_ordered: Serial32,
    next_unordered: Serial32,
    weight: u16,
    reset: Reset,
    messages: Vec<QueuedSnapshot>,
    /// The first message, once something of it was sent.
    begun: Option<Begun>,
    /// The open message was given up, and its writer does not know.
    given_up: bool,
}

wire_struct!(QueueSnapshot { next_number, window, streams });
wire_struct!(StreamSnapshot {
    stream,
    low_threshold,
    next_ordered,
    next_unordered,
    weight,
    reset,
    messages,
    begun,
    given_up
});
wire_struct!(Begun { mid, fsn, charge });
wire_struct!(Charge { large, small });
wire_enum!(Reset { 0 => None, 1 => Draining, 2 => Requested });

impl QueueSnapshot {
    pub(crate) fn check(&self, format: Format, outbound: u16) -> Result<(), Contradiction> {
        let Self { next_number, window, streams } = self;
        ensure(*next_number < MAX_COUNT, "the number of messages")?;
        ensure(*window <= u32::MAX as usize, "the first window of the peer")?;
        ensure(is_ascending(streams.iter().map(|stream| stream.stream)), "the order of streams")?;
        for stream in streams {
            stream.check(*next_number, outbound)?;
        }
        let begun = streams.iter().filter(|stream| stream.begun.is_some()).count();
        ensure(format.is_interleaved() || begun <= 1, "messages begun side by side")
    }

    /// Streams whose reset is with the peer.
    pub(crate) fn requested(&self) -> impl Iterator<Item = StreamId> {
        self.streams.iter().filter(|stream| stream.reset == Reset::Requested).map(|stream| stream.stream)
    }

    /// How many messages have a name.
    pub(crate) fn names(&self) -> usize {
        let messages = self.streams.iter().flat_map(|stream| &stream.messages);
        messages.filter(|message| message.tracking.is_some()).count()
    }

    /// How far the message of this number was sent, if a part of it was: its MID and the number of its next fragment.
    pub(crate) fn begun(&self) -> impl Iterator<Item = (u64, Serial32, u32)> {
        self.streams
            .iter()
            .filter_map(|stream| Some((stream.messages.first()?.number, stream.begun?)))
            .map(|(number, begun)| (number, begun.mid, begun.fsn))
    }
}

impl StreamSnapshot {
    fn check(&self, next_number: u64, outbound: u16) -> Result<(), Contradiction> {
        let Self { stream, next_ordered, next_unordered, weight, reset, messages, begun, given_up, .. } =
            self;
        ensure(*weight > 0, "a stream without weight")?;
        ensure(messages.is_empty() || stream.0 < outbound, "a message on a stream that does not exist")?;
        let numbers = messages.iter().map(|message| message.number);
        ensure(is_ascending(numbers.chain([next_number])), "the order of messages")?;
        for (message, left) in messages.iter().zip((0..messages.len()).rev()) {
            message.check()?;
            ensure(!message.is_open() || (left == 0 && !given_up), "a message that is not ended")?;
        }
        let idle = messages.is_empty() && !given_up;
        ensure(idle || *reset != Reset::Requested, "messages behind a reset")?;
        let Some(begun) = begun else { return Ok(()) };
        let next = match messages.first() {
            Some(first) if first.is_unordered() => next_unordered,
            Some(_) => next_ordered,
            None => return Err(Contradiction("something begun that is not there")),
        };
        ensure(begun.mid.next() == *next, "the number of a message that was begun")?;
        let most = u32::MAX as usize;
        ensure(begun.charge.large <= most && begun.charge.small <= most, "what was begun")
    }
}

impl Charge {
    fn at_most(self, bytes: usize) -> Self {
        let Self { large, small } = self;
        Self { large: large.min(bytes), small: small.min(bytes) }
    }
}

impl SendQueue {
    pub(crate) fn snapshot(&self, now: Instant) -> QueueSnapshot {
        let Self {
            streams,
            turns,
            format: _,
            full: _,
            next_number,
            held: _,
            messages: _,
            drained: _,
            open: _,
            evictable: _,
            spare: _,
        } = self;
        QueueSnapshot {
            next_number: *next_number,
            window: turns.window().min(u32::MAX as usize),
            streams: streams.iter().map(|(stream, entry)| entry.snapshot(*stream, now)).collect(),
        }
    }

    /// Everything but the messages and streams themselves is counted anew.
    pub(crate) fn restore(
        snapshot: QueueSnapshot,
        now: Instant,
        scheduler: Scheduler,
        format: Format,
        full: usize,
    ) -> Self {
        let QueueSnapshot { next_number, window, streams } = snapshot;
        let mut turns = Turns::new(scheduler);
        turns.start(format, window);
        let mut queue = Self {
            streams: BTreeMap::new(),
            turns,
            format,
            full,
            next_number,
            held: 0,
            messages: 0,
            drained: Vec::new(),
            open: BTreeSet::new(),
            evictable: BTreeSet::new(),
            spare: None,
        };
        for snapshot in streams {
            queue.adopt(snapshot.stream, Stream::restore(snapshot, now));
        }
        queue.schedule_all();
        queue
    }

    /// Takes in a stream and what it counts for.
    fn adopt(&mut self, stream: StreamId, mut entry: Stream) {
        if let Some(active) = &mut entry.active {
            for (queued, at) in active.queue.iter().zip(0_usize..) {
                self.held += queued.held();
                self.messages += 1;
                let is_begun = at == 0 && active.begun.is_some();
                if let (Limit::Priority(priority), false) = (queued.limit, is_begun) {
                    self.evictable.insert((priority, Reverse(queued.number), stream));
                }
            }
            if active.open == OpenState::Open {
                self.open.insert(stream);
            }
            if let Some(begun) = active.begun {
                self.turns.begin(begun.charge);
                if !self.format.is_interleaved() {
                    self.turns.pinned = Some(stream);
                    active.turn = Turn::Pinned;
                }
            }
        } else if entry.reset == Reset::Draining {
            self.drained.push(stream);
        }
        self.streams.insert(stream, entry);
    }
}

impl Stream {
    fn snapshot(&self, stream: StreamId, now: Instant) -> StreamSnapshot {
        let Self { active, low_threshold, next_ordered, next_unordered, weight, reset } = self;
        let (messages, begun, given_up) = match active {
            None => (Vec::new(), None, false),
            Some(active) => {
                let Active { queue, buffered: _, begun, open, turn: _, start: _, finish: _, follows: _ } =
                    &**active;
                let messages = queue.iter().map(|queued| queued.snapshot(now)).collect();
                (messages, *begun, *open == OpenState::GivenUp)
            }
        };
        StreamSnapshot {
            stream,
            low_threshold: *low_threshold,
            next_ordered: *next_ordered,
            next_unordered: *next_unordered,
            weight: *weight,
            reset: *reset,
            messages,
            begun: begun.map(|begun| Begun { charge: begun.charge.at_most(u32::MAX as usize), ..begun }),
            given_up,
        }
    }

    fn restore(snapshot: StreamSnapshot, now: Instant) -> Self {
        let StreamSnapshot {
            stream: _,
            low_threshold,
            next_ordered,
            next_unordered,
            weight,
            reset,
            messages,
            begun,
            given_up,
        } = snapshot;
        let open = match (given_up, messages.last()) {
            (true, _) => OpenState::GivenUp,
            (false, Some(last)) if last.is_open() => OpenState::Open,
            (false, _) => OpenState::None,
        };
        let active = (given_up || !messages.is_empty()).then(|| {
            let queue: std::collections::VecDeque<_> =
                messages.into_iter().map(|message| Queued::restore(message, now)).collect();
            let buffered = queue.iter().map(|queued| queued.counted(queued.left())).sum();
            let (turn, start, finish, follows) = (Turn::Idle, 0, 0, false);
            Box::new(Active { queue, buffered, begun, open, turn, start, finish, follows })
        });
        Self { active, low_threshold, next_ordered, next_unordered, weight, reset }
    }
}
