//! Messages that are not yet whole, where fragments have numbers of their own, as they move to another process.

use super::{Interleaved, Key, Partial, Run};
use crate::handover::wire::{Contradiction, MAX_COUNT, ensure, is_ascending, wire_struct};
use crate::types::{Ppid, StreamId};
use bytes::Bytes;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(crate) struct InterleavedSnapshot {
    messages: Vec<PartialSnapshot>,
}

#[derive(Clone, Debug)]
struct PartialSnapshot {
    stream: StreamId,
    unordered: bool,
    mid: u32,
    ppid: Ppid,
    first_tsn: u64,
    taken: bool,
    front: RunSnapshot,
    /// By the number of the first fragment.
    early: Vec<(u64, RunSnapshot)>,
    end: Option<u64>,
    oversized: bool,
}

#[derive(Clone, Debug)]
struct RunSnapshot {
    next: u64,
    data: Bytes,
}

wire_struct!(InterleavedSnapshot { messages });
wire_struct!(PartialSnapshot {
    stream,
    unordered,
    mid,
    ppid,
    first_tsn,
    taken,
    front,
    early,
    end,
    oversized
});
wire_struct!(RunSnapshot { next, data });

impl InterleavedSnapshot {
    pub(crate) fn check(&self, inbound: u16) -> Result<(), Contradiction> {
        let keys = self.messages.iter().map(PartialSnapshot::key);
        ensure(is_ascending(keys), "the order of messages not yet whole")?;
        for message in &self.messages {
            ensure(message.stream.0 < inbound, "a fragment of a stream that does not exist")?;
            message.check()?;
        }
        Ok(())
    }

    pub(crate) fn payload(&self) -> usize {
        self.messages.iter().fold(0, |sum, message| sum.saturating_add(message.len()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

impl PartialSnapshot {
    fn key(&self) -> Key {
        (self.stream, self.unordered, self.mid)
    }

    fn len(&self) -> usize {
        let runs = self.early.iter().map(|(_, run)| run).chain([&self.front]);
        runs.fold(0, |sum, run| sum.saturating_add(run.data.len()))
    }

    fn check(&self) -> Result<(), Contradiction> {
        let Self { first_tsn, taken, front, early, end, oversized, .. } = self;
        ensure(*first_tsn < MAX_COUNT, "the TSN of a fragment")?;
        ensure(front.next > 0 || !early.is_empty(), "a message of which nothing arrived")?;
        ensure(*oversized || *taken || front.data.len() as u64 >= front.next, "the bytes of a fragment")?;
        ensure(front.next > 0 || (front.data.is_empty() && !taken), "the bytes of a fragment")?;
        // One that touches the front would be a part of it; early ones may touch each other.
        let mut free = front.next.saturating_add(1);
        for (first, run) in early {
            ensure(free <= *first && *first < run.next, "fragments that lie over each other")?;
            free = run.next;
        }
        let bytes = |(first, run): &(u64, RunSnapshot)| {
            *oversized || run.data.len() as u64 >= run.next.saturating_sub(*first)
        };
        ensure(early.iter().all(bytes), "the bytes of a fragment")?;
        ensure(!oversized || self.len() == 0, "bytes of a message that is too large")?;
        let last = early.last().map_or(front.next, |(_, run)| run.next);
        let complete = *end == Some(front.next);
        ensure(last < MAX_COUNT && !complete, "a whole message among fragments")?;
        ensure(end.is_none_or(|end| (last..MAX_COUNT).contains(&end)), "fragments behind the last")
    }
}

impl Interleaved {
    pub(crate) fn snapshot(&self) -> InterleavedSnapshot {
        let Self { messages, max_message_size: _, usual: _, payload: _, capacity: _, runs: _ } = self;
        let messages = messages.iter().map(|(key, partial)| partial.snapshot(*key)).collect();
        InterleavedSnapshot { messages }
    }

    pub(crate) fn restore(snapshot: InterleavedSnapshot, max_message_size: usize) -> Self {
        let InterleavedSnapshot { messages } = snapshot;
        let mut interleaved = Self::new(max_message_size);
        for message in messages {
            let key = message.key();
            let partial = Partial::restore(message);
            interleaved.charge(partial.size());
            interleaved.messages.insert(key, partial);
        }
        interleaved
    }
}

impl Partial {
    fn snapshot(&self, (stream, unordered, mid): Key) -> PartialSnapshot {
        let Self { ppid, first_tsn, taken, front, early, end, len: _, capacity: _, oversized } = self;
        PartialSnapshot {
            stream,
            unordered,
            mid,
            ppid: *ppid,
            first_tsn: *first_tsn,
            taken: *taken,
            front: front.snapshot(),
            early: early.iter().map(|(first, run)| (*first, run.snapshot())).collect(),
            end: *end,
            oversized: *oversized,
        }
    }

    fn restore(snapshot: PartialSnapshot) -> Self {
        let len = snapshot.len();
        let PartialSnapshot {
            stream: _,
            unordered: _,
            mid: _,
            ppid,
            first_tsn,
            taken,
            front,
            early,
            end,
            oversized,
        } = snapshot;
        let front = Run::restore(front);
        let early: BTreeMap<_, _> =
            early.into_iter().map(|(first, run)| (first, Run::restore(run))).collect();
        let runs = early.values().chain([&front]);
        let capacity = runs.fold(0_usize, |sum, run| sum.saturating_add(run.data.capacity()));
        Self { ppid, first_tsn, taken, front, early, end, len, capacity, oversized }
    }
}

impl Run {
    fn snapshot(&self) -> RunSnapshot {
        let Self { next, data } = self;
        RunSnapshot { next: *next, data: Bytes::copy_from_slice(data) }
    }

    fn restore(snapshot: RunSnapshot) -> Self {
        let RunSnapshot { next, data } = snapshot;
        Self { next, data: data.into() }
    }
}
