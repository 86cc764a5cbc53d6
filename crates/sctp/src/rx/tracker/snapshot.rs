//! Which TSNs arrived, as it moves to another process. Duplicates not yet reported are left behind.

use super::{MAX_DISTANCE, Tracker};
use crate::handover::wire::{Contradiction, MAX_COUNT, ensure, is_ascending, wire_struct};

#[derive(Clone, Debug)]
pub(crate) struct TrackerSnapshot {
    cumulative: u64,
    ranges: Vec<(u64, u64)>,
}

wire_struct!(TrackerSnapshot { cumulative, ranges });

impl TrackerSnapshot {
    pub(crate) fn check(&self) -> Result<(), Contradiction> {
        let Self { cumulative, ranges } = self;
        ensure((u64::from(u32::MAX)..MAX_COUNT).contains(cumulative), "the cumulative TSN")?;
        let sound = ranges.iter().all(|(first, last)| first <= last);
        // Two that touch would be one.
        let ends = ranges.iter().map(|(first, last)| (*first, last.saturating_add(1)));
        let apart =
            is_ascending([cumulative.saturating_add(1)].into_iter().chain(ends.flat_map(|(a, b)| [a, b])));
        ensure(sound && apart, "TSNs that arrived")?;
        let farthest = cumulative.saturating_add(MAX_DISTANCE);
        ensure(ranges.last().is_none_or(|(_, last)| *last <= farthest), "a TSN that is far ahead")
    }

    /// Whether all of these arrived.
    pub(crate) fn has(&self, first: u64, last: u64) -> bool {
        let before = self.ranges.partition_point(|range| range.0 <= first).checked_sub(1);
        let range = before.and_then(|at| self.ranges.get(at));
        last <= self.cumulative || range.is_some_and(|range| last <= range.1)
    }
}

impl Tracker {
    pub(crate) fn snapshot(&self) -> TrackerSnapshot {
        let Self { cumulative, ranges, duplicates: _ } = self;
        TrackerSnapshot { cumulative: *cumulative, ranges: ranges.iter().copied().collect() }
    }

    pub(crate) fn restore(snapshot: TrackerSnapshot) -> Self {
        let TrackerSnapshot { cumulative, ranges } = snapshot;
        Self { cumulative, ranges: ranges.into(), duplicates: Vec::new() }
    }
}
