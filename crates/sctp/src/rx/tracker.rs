//! Which TSNs arrived (RFC 9260 §6.2).

mod snapshot;

pub(crate) use snapshot::TrackerSnapshot;

use base::Serial32;
use std::collections::VecDeque;

/// How far beyond the cumulative TSN a chunk may lie. The window would allow more for one-byte chunks, at a cost in
/// bookkeeping that no sender in good faith asks for.
const MAX_DISTANCE: u64 = 16_384;

/// Duplicates remembered for the next SACK.
const MAX_DUPLICATES: usize = 16;

/// Where a TSN lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not seen before; its extended number.
    New(u64),
    /// Seen before.
    Duplicate,
    /// Too far ahead.
    Beyond,
}

/// Everything up to `cumulative`, and ranges above it.
#[derive(Debug)]
pub(crate) struct Tracker {
    cumulative: u64,
    /// First and last TSN of each run above a gap, in order.
    ranges: VecDeque<(u64, u64)>,
    duplicates: Vec<Serial32>,
}

impl Tracker {
    /// Expects `first` next.
    pub(crate) fn new(first: Serial32) -> Self {
        // An era is left below, for numbers from before the first.
        let cumulative = u64::from(u32::MAX).saturating_add(u64::from(first.0));
        Self { cumulative, ranges: VecDeque::new(), duplicates: Vec::new() }
    }

    pub(crate) fn place(&self, tsn: Serial32) -> Place {
        let tsn = self.extend(tsn);
        if tsn <= self.cumulative || self.range_of(tsn).is_some() {
            Place::Duplicate
        } else if tsn > self.cumulative.saturating_add(MAX_DISTANCE) {
            Place::Beyond
        } else {
            Place::New(tsn)
        }
    }

    pub(crate) fn note_duplicate(&mut self, tsn: Serial32) {
        if self.duplicates.len() < MAX_DUPLICATES {
            self.duplicates.push(tsn);
        }
    }

    /// Records a TSN that `place` called new.
    pub(crate) fn insert(&mut self, tsn: u64) {
        if tsn == self.cumulative.saturating_add(1) {
            self.cumulative = tsn;
            self.absorb();
            return;
        }
        let next = self.ranges.partition_point(|(first, _)| *first <= tsn);
        let joins_next = self.ranges.get(next).is_some_and(|(first, _)| *first == tsn.saturating_add(1));
        let previous = next.checked_sub(1).and_then(|index| self.ranges.get_mut(index));
        match previous {
            Some(range) if range.1.saturating_add(1) == tsn => {
                range.1 = tsn;
                if joins_next
                    && let Some((_, last)) = self.ranges.remove(next)
                    && let Some(range) = self.ranges.get_mut(next.saturating_sub(1))
                {
                    range.1 = last;
                }
            }
            _ if joins_next => {
                if let Some(range) = self.ranges.get_mut(next) {
                    range.0 = tsn;
                }
            }
            _ => self.ranges.insert(next, (tsn, tsn)),
        }
    }

    /// The sender gave up everything up to `tsn` (RFC 3758 §3.6). `false` when that is nothing new.
    pub(crate) fn forward(&mut self, tsn: u64) -> bool {
        if tsn <= self.cumulative {
            return false;
        }
        self.cumulative = tsn;
        self.absorb();
        true
    }

    pub(crate) fn extend(&self, tsn: Serial32) -> u64 {
        let offset = tsn.0.wrapping_sub(self.cumulative as u32) as i32;
        self.cumulative.saturating_add_signed(i64::from(offset))
    }

    /// The Cumulative TSN Ack Point.
    pub(crate) fn cumulative(&self) -> u64 {
        self.cumulative
    }

    /// The largest TSN received.
    pub(crate) fn highest(&self) -> u64 {
        self.ranges.back().map_or(self.cumulative, |(_, last)| *last)
    }

    pub(crate) fn has_gaps(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// Gap Ack Blocks, as offsets from the cumulative TSN.
    pub(crate) fn blocks(&self) -> impl ExactSizeIterator<Item = (u16, u16)> {
        let cumulative = self.cumulative;
        let offset = move |tsn: u64| u16::try_from(tsn.saturating_sub(cumulative)).unwrap_or(u16::MAX);
        self.ranges.iter().map(move |(first, last)| (offset(*first), offset(*last)))
    }

    pub(crate) fn duplicates(&self) -> &[Serial32] {
        &self.duplicates
    }

    pub(crate) fn clear_duplicates(&mut self) {
        self.duplicates.clear();
    }

    /// Moves the cumulative TSN over ranges it has reached.
    fn absorb(&mut self) {
        while let Some(&(first, last)) = self.ranges.front() {
            if first > self.cumulative.saturating_add(1) {
                break;
            }
            self.cumulative = self.cumulative.max(last);
            self.ranges.pop_front();
        }
    }

    fn range_of(&self, tsn: u64) -> Option<(u64, u64)> {
        let index = self.ranges.partition_point(|(first, _)| *first <= tsn).checked_sub(1)?;
        self.ranges.get(index).copied().filter(|(_, last)| *last >= tsn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Against a set, around the wrap (T-C04).
        #[test]
        fn t_c04_agrees_with_a_set(offsets in proptest::collection::vec(0_u32..40, 0..80), wrap in 0_u32..20) {
            let start = u32::MAX - wrap;
            let mut tracker = Tracker::new(Serial32(start));
            let mut seen = BTreeSet::new();
            for offset in offsets {
                let tsn = Serial32(start.wrapping_add(offset));
                match tracker.place(tsn) {
                    Place::New(extended) => {
                        prop_assert!(seen.insert(offset));
                        tracker.insert(extended);
                    }
                    Place::Duplicate => prop_assert!(seen.contains(&offset)),
                    Place::Beyond => prop_assert!(false),
                }
                let run = (0..).take_while(|number| seen.contains(number)).count() as u32;
                prop_assert_eq!(tracker.cumulative() as u32, start.wrapping_add(run).wrapping_sub(1));
                let mut listed = BTreeSet::new();
                for (first, last) in tracker.blocks() {
                    prop_assert!(first >= 2 && first <= last);
                    listed.extend((first..=last).map(|block| run + u32::from(block) - 1));
                }
                let expected: BTreeSet<_> = seen.iter().copied().filter(|number| *number >= run).collect();
                prop_assert_eq!(listed, expected);
            }
        }
    }

    #[test]
    fn far_ahead_is_refused_and_far_behind_is_old() {
        let tracker = Tracker::new(Serial32(5));
        assert_eq!(tracker.place(Serial32(5 + 16_384)), Place::Beyond);
        assert_eq!(tracker.place(Serial32(4)), Place::Duplicate);
        assert_eq!(tracker.place(Serial32(5_u32.wrapping_sub(1 << 30))), Place::Duplicate);
    }
}
