//! Messages that are not yet whole (RFC 9260 §6.9).
//!
//! The fragments of a message have consecutive TSNs, so what arrived of it is a set of runs of consecutive TSNs. A run
//! is one buffer: a fragment that continues a run is copied to its end, and a fragment between two runs joins them. A
//! message that arrives in order is therefore copied once, and fragments cost no bookkeeping of their own.

mod snapshot;

pub(crate) use snapshot::ReassemblySnapshot;

use crate::chunk::data::DataHeader;
use crate::event::Violation;
use crate::types::{Ppid, StreamId};
use base::Serial32;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Bytes charged for each run on top of its buffer.
pub(crate) const RUN_OVERHEAD: usize = 192;

#[derive(Debug)]
struct Run {
    /// One past its last TSN.
    next: u64,
    /// Of its first fragment.
    header: DataHeader,
    /// Has the last fragment of the message.
    ended: bool,
    data: Vec<u8>,
    /// Too large: its bytes are no longer kept.
    oversized: bool,
    /// Its first bytes were given out.
    taken: bool,
}

/// A message that became whole.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) header: DataHeader,
    /// `None` when it was too large to be kept.
    pub(crate) payload: Option<Bytes>,
    pub(crate) first_tsn: u64,
}

/// What could be given out of a message that is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Front {
    pub(crate) mid: Serial32,
    pub(crate) ppid: Ppid,
    pub(crate) first_tsn: u64,
}

/// All runs, by their first TSN.
#[derive(Debug)]
pub(crate) struct Reassembly {
    runs: BTreeMap<u64, Run>,
    max_message_size: usize,
    /// Length of the last message that became whole. Messages of a stream tend to be alike, so a run that has an eighth
    /// of that gets room for the rest at once.
    usual: usize,
    payload: usize,
    capacity: usize,
    /// The runs of streams received in pieces that begin an ordered message.
    fronts: BTreeMap<(StreamId, u32), u64>,
}

impl Reassembly {
    pub(crate) fn new(max_message_size: usize) -> Self {
        let (runs, fronts) = (BTreeMap::new(), BTreeMap::new());
        Self { runs, max_message_size, usual: 0, payload: 0, capacity: 0, fronts }
    }

    /// Takes in a chunk that was not seen before. Gives the message back once it is whole, or what of it was not given
    /// out yet.
    pub(crate) fn insert(
        &mut self,
        tsn: u64,
        header: DataHeader,
        payload: &[u8],
        streamed: bool,
    ) -> Result<Option<Whole>, Violation> {
        let streamed = streamed && !header.unordered;
        let max = if streamed { usize::MAX } else { self.max_message_size };
        let fits = payload.len() <= max;
        //= rfc9260 §6.9
        //# An endpoint MUST recognize fragmented DATA chunks by examining the B/ E bits in each of the received DATA
        //# chunks and queue the fragmented DATA chunks for reassembly.
        //= rfc9260 §6.9
        //# it MUST support reassembly when receiving DATA chunks.
        if header.begin && header.end {
            let payload = fits.then(|| Bytes::copy_from_slice(payload));
            return Ok(Some(Whole { header, payload, first_tsn: tsn }));
        }
        let first = self.extend_previous(tsn, &header, payload, max)?;
        let first = match first {
            Some(first) => first,
            None => {
                let data = if fits { payload.to_vec() } else { Vec::new() };
                let next = tsn.saturating_add(1);
                let run = Run { next, header, ended: header.end, data, oversized: !fits, taken: false };
                self.charge(&run);
                self.runs.insert(tsn, run);
                tsn
            }
        };
        self.join_following(first, max)?;
        if !self.runs.get(&first).is_some_and(|run| run.header.begin && run.ended) {
            if streamed {
                self.note_front(first);
            }
            return Ok(None);
        }
        let Some(run) = self.runs.remove(&first) else { return Ok(None) };
        self.refund(&run);
        self.forget_front(&run.header);
        if !run.taken {
            self.usual = run.data.len();
        }
        let payload = (!run.oversized).then(|| Bytes::from(run.data.into_boxed_slice()));
        Ok(Some(Whole { header: run.header, payload, first_tsn: first }))
    }

    /// Drops what belongs to messages given up: everything that begins at `tsn` or before.
    pub(crate) fn forward(&mut self, tsn: u64) {
        while let Some(entry) = self.runs.first_entry().filter(|entry| *entry.key() <= tsn) {
            let run = entry.remove();
            self.refund(&run);
            self.forget_front(&run.header);
        }
    }

    /// The stream is received in pieces from now on.
    pub(crate) fn stream_pieces(&mut self, stream: StreamId) {
        let begun = self.runs.iter().filter(|(_, run)| run.header.stream == stream && !run.header.unordered);
        for first in begun.map(|(first, _)| *first).collect::<Vec<_>>() {
            self.note_front(first);
        }
    }

    /// What could be given out of an ordered message that is not whole.
    pub(crate) fn front(&self, stream: StreamId, mid: Serial32) -> Option<Front> {
        let first_tsn = *self.fronts.get(&(stream, mid.0))?;
        let run = self.runs.get(&first_tsn).filter(|run| !run.data.is_empty())?;
        Some(Front { mid, ppid: run.header.ppid, first_tsn })
    }

    /// Gives out what is there of a message. What follows continues the run.
    pub(crate) fn take(&mut self, stream: StreamId, mid: Serial32) -> Bytes {
        let Some(first) = self.fronts.get(&(stream, mid.0)) else { return Bytes::new() };
        let Some(run) = self.runs.get_mut(first) else { return Bytes::new() };
        run.taken = true;
        let data = std::mem::take(&mut run.data);
        self.capacity = self.capacity.saturating_sub(data.capacity());
        self.payload = self.payload.saturating_sub(data.len());
        Bytes::from(data)
    }

    /// Payload bytes held.
    pub(crate) fn payload(&self) -> usize {
        self.payload
    }

    /// Bytes of memory, roughly.
    pub(crate) fn held(&self) -> usize {
        self.capacity.saturating_add(self.runs.len().saturating_mul(RUN_OVERHEAD))
    }

    fn note_front(&mut self, first: u64) {
        let Some(run) = self.runs.get(&first).filter(|run| run.header.begin && !run.oversized) else {
            return;
        };
        self.fronts.insert((run.header.stream, run.header.mid.0), first);
    }

    fn forget_front(&mut self, header: &DataHeader) {
        if header.begin && !self.fronts.is_empty() {
            self.fronts.remove(&(header.stream, header.mid.0));
        }
    }

    /// Appends to the run that ends just before `tsn`, if there is one; gives its key.
    fn extend_previous(
        &mut self,
        tsn: u64,
        header: &DataHeader,
        payload: &[u8],
        max: usize,
    ) -> Result<Option<u64>, Violation> {
        let Some((&first, run)) = self.runs.range_mut(..tsn).next_back().filter(|(_, run)| run.next == tsn)
        else {
            return Ok(None);
        };
        if run.ended || header.begin {
            // Two messages side by side: the one must have ended and the other begin.
            return if run.ended && header.begin { Ok(None) } else { Err(Violation::Fragments) };
        }
        check_same_message(&run.header, header)?;
        self.capacity = self.capacity.saturating_sub(run.data.capacity());
        self.payload = self.payload.saturating_sub(run.data.len());
        append(run, payload, max, self.usual);
        self.capacity = self.capacity.saturating_add(run.data.capacity());
        self.payload = self.payload.saturating_add(run.data.len());
        run.next = tsn.saturating_add(1);
        run.ended = header.end;
        Ok(Some(first))
    }

    /// Joins the run at `first` with the one that starts where it ends.
    fn join_following(&mut self, first: u64, max: usize) -> Result<(), Violation> {
        let Some(next) = self.runs.get(&first).map(|run| run.next) else { return Ok(()) };
        let Some(following) = self.runs.get(&next) else { return Ok(()) };
        let begins = following.header.begin;
        let Some(mut run) = self.runs.remove(&first) else { return Ok(()) };
        self.refund(&run);
        if run.ended || begins {
            let sound = run.ended && begins;
            self.charge(&run);
            self.runs.insert(first, run);
            return if sound { Ok(()) } else { Err(Violation::Fragments) };
        }
        if let Some(following) = self.runs.remove(&next) {
            self.refund(&following);
            check_same_message(&run.header, &following.header)?;
            append(&mut run, &following.data, max, self.usual);
            run.next = following.next;
            run.ended = following.ended;
            if following.oversized {
                discard(&mut run);
            }
        }
        self.charge(&run);
        self.runs.insert(first, run);
        Ok(())
    }

    fn charge(&mut self, run: &Run) {
        self.capacity = self.capacity.saturating_add(run.data.capacity());
        self.payload = self.payload.saturating_add(run.data.len());
    }

    fn refund(&mut self, run: &Run) {
        self.capacity = self.capacity.saturating_sub(run.data.capacity());
        self.payload = self.payload.saturating_sub(run.data.len());
    }
}

fn check_same_message(a: &DataHeader, b: &DataHeader) -> Result<(), Violation> {
    let same = a.stream == b.stream && a.unordered == b.unordered && (a.unordered || a.mid == b.mid);
    if same { Ok(()) } else { Err(Violation::Fragments) }
}

fn append(run: &mut Run, payload: &[u8], max: usize, usual: usize) {
    if run.oversized || run.data.len().saturating_add(payload.len()) > max {
        discard(run);
        return;
    }
    grow(&mut run.data, payload, usual, usize::MAX);
}

/// Appends, with room for what is likely to follow: at most `spare` bytes of it.
pub(super) fn grow(data: &mut Vec<u8>, payload: &[u8], usual: usize, spare: usize) {
    if data.capacity().saturating_sub(data.len()) < payload.len() {
        // Half as much again: a doubling would make the buffers much larger than what they hold.
        let half = payload.len().max(data.len() / 2);
        let likely = usual.saturating_sub(data.len());
        let reaches = data.len() >= usual / 8;
        let wanted = if reaches { half.max(likely) } else { half };
        data.reserve_exact(wanted.min(payload.len().saturating_add(spare)));
    }
    data.extend_from_slice(payload);
}

fn discard(run: &mut Run) {
    run.oversized = true;
    run.data = Vec::new();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(ssn: u16, begin: bool, end: bool) -> DataHeader {
        let mid = Serial32(u32::from(ssn));
        DataHeader { stream: StreamId(1), mid, fsn: 0, ppid: Ppid(53), unordered: false, begin, end }
    }

    proptest! {
        /// Whatever the order of fragments, each message comes out once and unchanged, and nothing is left.
        #[test]
        fn any_order_of_fragments_gives_the_messages(
            sizes in proptest::collection::vec(1_usize..6, 1..8),
            shuffle in any::<u64>(),
        ) {
            let mut fragments = Vec::new();
            let mut tsn = 1_000_u64;
            for (ssn, count) in sizes.iter().enumerate() {
                for piece in 0..*count {
                    let payload = vec![ssn as u8, piece as u8, tsn as u8];
                    fragments.push((tsn, header(ssn as u16, piece == 0, piece + 1 == *count), payload));
                    tsn += 1;
                }
            }
            let mut expected = vec![Vec::new(); sizes.len()];
            for (_, header, payload) in &fragments {
                expected[header.mid.0 as usize].extend_from_slice(payload);
            }
            // A small generator: the order is a function of one number, so that failures shrink.
            let mut state = shuffle | 1;
            for index in (1..fragments.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                fragments.swap(index, (state >> 33) as usize % (index + 1));
            }
            let mut reassembly = Reassembly::new(1_000);
            let mut got = vec![None; sizes.len()];
            for (tsn, header, payload) in fragments {
                if let Some(whole) = reassembly.insert(tsn, header, &payload, false).unwrap() {
                    let slot = &mut got[whole.header.mid.0 as usize];
                    prop_assert!(slot.is_none());
                    *slot = whole.payload;
                }
            }
            for (got, expected) in got.iter().zip(&expected) {
                prop_assert_eq!(got.as_deref(), Some(&expected[..]));
            }
            prop_assert_eq!((reassembly.payload(), reassembly.held()), (0, 0));
        }
    }

    /// T-C15: bytes held stay at or below the limit.
    #[test]
    fn t_c15_a_message_beyond_the_limit_is_not_kept() {
        let mut reassembly = Reassembly::new(10);
        assert!(reassembly.insert(1, header(0, true, false), &[0; 6], false).unwrap().is_none());
        assert!(reassembly.insert(2, header(0, false, false), &[0; 6], false).unwrap().is_none());
        assert_eq!(reassembly.payload(), 0);
        let whole = reassembly.insert(3, header(0, false, true), &[0; 6], false).unwrap().unwrap();
        assert!(whole.payload.is_none());
        let whole = reassembly.insert(4, header(1, true, true), &[0; 10], false).unwrap().unwrap();
        assert!(whole.payload.is_some());
    }

    /// A message as long as the one before gets its buffer in one piece, once an eighth of it is there.
    #[test]
    fn a_message_like_the_last_gets_room_at_once() {
        let mut reassembly = Reassembly::new(1 << 20);
        let mut insert = |tsn, ssn, piece| {
            let header = header(ssn, piece == 0, piece == 63);
            let whole = reassembly.insert(tsn, header, &[7; 1_000], false).unwrap();
            (whole.is_some(), reassembly.held())
        };
        for piece in 0..64 {
            let (whole, _) = insert(1 + piece, 0, piece);
            assert_eq!(whole, piece == 63);
        }
        for piece in 0..63 {
            let (_, held) = insert(65 + piece, 1, piece);
            // Before: at most half as much again as there is.
            let limit = if piece < 8 { 1_500 * (piece as usize + 1) } else { 64_000 };
            assert!(held <= RUN_OVERHEAD + limit, "{piece}: {held}");
            assert!(piece < 12 || held == RUN_OVERHEAD + 64_000, "{piece}: {held}");
        }
    }

    #[test]
    fn contradictions_are_violations() {
        let mut reassembly = Reassembly::new(100);
        reassembly.insert(1, header(0, true, false), b"a", false).unwrap();
        assert_eq!(
            reassembly.insert(2, header(0, true, false), b"b", false).unwrap_err(),
            Violation::Fragments
        );
        let mut reassembly = Reassembly::new(100);
        reassembly.insert(1, header(0, true, false), b"a", false).unwrap();
        assert_eq!(
            reassembly.insert(2, header(1, false, false), b"b", false).unwrap_err(),
            Violation::Fragments
        );
        let mut reassembly = Reassembly::new(100);
        reassembly.insert(2, header(0, true, false), b"a", false).unwrap();
        assert_eq!(
            reassembly.insert(1, header(0, true, false), b"b", false).unwrap_err(),
            Violation::Fragments
        );
    }

    /// Users 40: no bytes stay behind.
    #[test]
    fn forward_drops_what_was_given_up() {
        let mut reassembly = Reassembly::new(100);
        reassembly.insert(1, header(0, true, false), b"a", false).unwrap();
        reassembly.insert(3, header(0, false, true), b"c", false).unwrap();
        reassembly.insert(7, header(2, true, false), b"d", false).unwrap();
        reassembly.forward(3);
        assert_eq!(reassembly.payload(), 1);
    }
}
