//! Messages that are not yet whole, where their fragments have numbers of their own (RFC 8260 §2.2.3).
//!
//! What came in order of a message is one buffer that grows at its end; what came early waits in runs beside it and
//! is copied once, when its turn comes. Nothing is concluded from TSNs.

mod snapshot;

pub(crate) use snapshot::InterleavedSnapshot;

use super::reassembly::{Front, RUN_OVERHEAD, Whole, grow};
use crate::chunk::data::DataHeader;
use crate::event::Violation;
use crate::types::{Ppid, StreamId};
use base::Serial32;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Bytes charged for each message on top of its buffers.
pub(crate) const PARTIAL_OVERHEAD: usize = 320;

/// Stream, whether unordered, MID.
type Key = (StreamId, bool, u32);

/// Consecutive fragments.
#[derive(Debug)]
struct Run {
    /// One past its last fragment.
    next: u64,
    data: Vec<u8>,
}

/// What is there of a message. Fragment numbers are extended to 64 bits, for a message may have more than 2^32.
#[derive(Debug)]
struct Partial {
    ppid: Ppid,
    /// The lowest TSN seen.
    first_tsn: u64,
    /// Fragments before `front` were given out.
    taken: bool,
    /// What follows what was given out, or starts at the first fragment.
    front: Run,
    early: BTreeMap<u64, Run>,
    /// One past the last fragment, once that is known.
    end: Option<u64>,
    /// Bytes in all runs.
    len: usize,
    capacity: usize,
    /// Too large: its bytes are no longer kept.
    oversized: bool,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Interleaved {
    messages: BTreeMap<Key, Partial>,
    max_message_size: usize,
    /// As in `Reassembly`.
    usual: usize,
    payload: usize,
    capacity: usize,
    runs: usize,
}

impl Interleaved {
    pub(crate) fn new(max_message_size: usize) -> Self {
        Self { messages: BTreeMap::new(), max_message_size, usual: 0, payload: 0, capacity: 0, runs: 0 }
    }

    /// Takes in a chunk that was not seen before. Gives the message back once it is whole, or what of it was not given
    /// out yet. Buffers may grow by `spare` bytes beyond what they have to.
    pub(crate) fn insert(
        &mut self,
        tsn: u64,
        header: DataHeader,
        payload: &[u8],
        streamed: bool,
        spare: usize,
    ) -> Result<Option<Whole>, Violation> {
        let key = (header.stream, header.unordered, header.mid.0);
        let max = if streamed { usize::MAX } else { self.max_message_size };
        if header.begin && header.end {
            if self.messages.contains_key(&key) {
                return Err(Violation::Fragments);
            }
            let payload = (payload.len() <= max).then(|| Bytes::copy_from_slice(payload));
            return Ok(Some(Whole { header, payload, first_tsn: tsn }));
        }
        let partial = self.messages.entry(key).or_insert_with(|| Partial::new(tsn));
        let before = partial.size();
        partial.first_tsn = partial.first_tsn.min(tsn);
        partial.insert(&header, payload, max, (self.usual, spare))?;
        let (after, complete) = (partial.size(), partial.end == Some(partial.front.next));
        self.refund(before);
        self.charge(after);
        if !complete {
            return Ok(None);
        }
        let Some(partial) = self.messages.remove(&key) else { return Ok(None) };
        self.refund(after);
        if !partial.taken {
            self.usual = partial.front.data.len();
        }
        let payload = (!partial.oversized).then(|| Bytes::from(partial.front.data.into_boxed_slice()));
        let header = DataHeader { ppid: partial.ppid, ..header };
        Ok(Some(Whole { header, payload, first_tsn: partial.first_tsn }))
    }

    /// What could be given out of a message that is not whole.
    pub(crate) fn front(&self, stream: StreamId, unordered: bool, mid: Serial32) -> Option<Front> {
        let partial = self.messages.get(&(stream, unordered, mid.0))?;
        let front = Front { mid, ppid: partial.ppid, first_tsn: partial.first_tsn };
        Some(front).filter(|_| !partial.front.data.is_empty())
    }

    /// The first unordered message of which something could be given out.
    pub(crate) fn unordered_front(&self, stream: StreamId) -> Option<Front> {
        self.messages
            .range((stream, true, 0)..=(stream, true, u32::MAX))
            .find(|(_, partial)| !partial.front.data.is_empty())
            .and_then(|(key, _)| self.front(stream, true, Serial32(key.2)))
    }

    /// Gives out what is there at the front of a message.
    pub(crate) fn take(&mut self, stream: StreamId, unordered: bool, mid: Serial32) -> Bytes {
        let key = (stream, unordered, mid.0);
        let Some(partial) = self.messages.get_mut(&key) else { return Bytes::new() };
        let before = partial.size();
        let data = std::mem::take(&mut partial.front.data);
        partial.taken = true;
        partial.len = partial.len.saturating_sub(data.len());
        partial.capacity = partial.capacity.saturating_sub(data.capacity());
        let after = partial.size();
        self.refund(before);
        self.charge(after);
        Bytes::from(data)
    }

    /// Drops what belongs to messages given up: all up to `last`.
    pub(crate) fn skip(&mut self, stream: StreamId, unordered: bool, last: Serial32) {
        for mids in up_to(last) {
            let range = (stream, unordered, *mids.start())..=(stream, unordered, *mids.end());
            while let Some((&key, _)) = self.messages.range(range.clone()).next() {
                self.drop_one(key);
            }
        }
    }

    /// Drops what is left from before a reset of these streams, or of all; everything up to `last_tsn`.
    pub(crate) fn reset(&mut self, streams: &[StreamId], last_tsn: u64) {
        let over = |key: &Key, partial: &Partial| {
            partial.first_tsn <= last_tsn && (streams.is_empty() || streams.contains(&key.0))
        };
        let keys: Vec<_> =
            self.messages.iter().filter(|(key, partial)| over(key, partial)).map(|(key, _)| *key).collect();
        for key in keys {
            self.drop_one(key);
        }
    }

    /// Payload bytes held.
    pub(crate) fn payload(&self) -> usize {
        self.payload
    }

    /// Bytes of memory, roughly.
    pub(crate) fn held(&self) -> usize {
        self.capacity
            .saturating_add(self.messages.len().saturating_mul(PARTIAL_OVERHEAD))
            .saturating_add(self.runs.saturating_mul(RUN_OVERHEAD))
    }

    fn drop_one(&mut self, key: Key) {
        if let Some(partial) = self.messages.remove(&key) {
            self.refund(partial.size());
        }
    }

    fn charge(&mut self, size: Size) {
        self.payload = self.payload.saturating_add(size.payload);
        self.capacity = self.capacity.saturating_add(size.capacity);
        self.runs = self.runs.saturating_add(size.runs);
    }

    fn refund(&mut self, size: Size) {
        self.payload = self.payload.saturating_sub(size.payload);
        self.capacity = self.capacity.saturating_sub(size.capacity);
        self.runs = self.runs.saturating_sub(size.runs);
    }
}

/// What a message holds beyond itself.
#[derive(Clone, Copy, Debug)]
struct Size {
    payload: usize,
    capacity: usize,
    runs: usize,
}

impl Partial {
    fn new(tsn: u64) -> Self {
        Self {
            ppid: Ppid(0),
            first_tsn: tsn,
            taken: false,
            front: Run { next: 0, data: Vec::new() },
            early: BTreeMap::new(),
            end: None,
            len: 0,
            capacity: 0,
            oversized: false,
        }
    }

    fn size(&self) -> Size {
        Size { payload: self.len, capacity: self.capacity, runs: self.early.len() }
    }

    fn insert(
        &mut self,
        header: &DataHeader,
        payload: &[u8],
        max: usize,
        growth: (usize, usize),
    ) -> Result<(), Violation> {
        let fsn = if header.begin { 0 } else { self.extend(header.fsn)? };
        let beyond = self.end.is_some_and(|end| fsn >= end || header.end);
        // The first fragment is number zero, and no other is.
        if fsn < self.front.next || beyond || header.begin != (fsn == 0) {
            return Err(Violation::Fragments);
        }
        if header.begin {
            self.ppid = header.ppid;
        }
        let next = fsn.saturating_add(1);
        if header.end {
            if self.early.last_key_value().is_some_and(|(_, run)| run.next > next) {
                return Err(Violation::Fragments);
            }
            self.end = Some(next);
        }
        if self.len.saturating_add(payload.len()) > max {
            self.discard();
        }
        let payload = if self.oversized { &[] } else { payload };
        if fsn == self.front.next {
            extend_run(&mut self.front, next, payload, growth, &mut self.capacity);
            self.absorb();
        } else {
            match self.early.range_mut(..=fsn).next_back() {
                Some((_, run)) if run.next > fsn => return Err(Violation::Fragments),
                Some((_, run)) if run.next == fsn => {
                    extend_run(run, next, payload, (0, growth.1), &mut self.capacity);
                }
                _ => {
                    let run = Run { next, data: payload.to_vec() };
                    self.capacity = self.capacity.saturating_add(run.data.capacity());
                    self.early.insert(fsn, run);
                }
            }
        }
        self.len = self.len.saturating_add(payload.len());
        Ok(())
    }

    /// Joins what came early and is next now.
    fn absorb(&mut self) {
        while let Some(run) = self.early.remove(&self.front.next) {
            self.capacity = self.capacity.saturating_sub(run.data.capacity());
            extend_run(&mut self.front, run.next, &run.data, (0, 0), &mut self.capacity);
        }
    }

    fn discard(&mut self) {
        self.oversized = true;
        self.front.data = Vec::new();
        for run in self.early.values_mut() {
            run.data = Vec::new();
        }
        self.len = 0;
        self.capacity = 0;
    }

    /// RFC 8260 §2.1: serial number arithmetic, and never so many in flight that it could be ambiguous.
    fn extend(&self, fsn: u32) -> Result<u64, Violation> {
        let offset = fsn.wrapping_sub(self.front.next as u32) as i32;
        self.front.next.checked_add_signed(i64::from(offset)).ok_or(Violation::Fragments)
    }
}

/// `growth`: what is usual, and what may be spared.
fn extend_run(run: &mut Run, next: u64, payload: &[u8], growth: (usize, usize), capacity: &mut usize) {
    *capacity = capacity.saturating_sub(run.data.capacity());
    grow(&mut run.data, payload, growth.0, growth.1);
    *capacity = capacity.saturating_add(run.data.capacity());
    run.next = next;
}

/// The numbers at or before `last` in serial number arithmetic, as ranges of plain numbers. They start with the oldest.
pub(super) fn up_to(last: Serial32) -> Vec<RangeInclusive<u32>> {
    const HALF: u32 = 1 << 31;
    let oldest = last.minus(HALF.wrapping_sub(1)).0;
    if oldest <= last.0 { vec![oldest..=last.0] } else { vec![oldest..=u32::MAX, 0..=last.0] }
}

#[cfg(test)]
mod tests;
