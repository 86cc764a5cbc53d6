//! Packets that are missing, and when to ask for them (RFC 4585 §6.2.1).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use std::time::{Duration, Instant};

use rtp::SequenceNumber;

#[derive(Clone, Copy, Debug)]
struct Missing {
    number: u64,
    /// When a later packet came.
    since: Instant,
    due: Instant,
    times: u8,
}

/// A packet that was missed and came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// How long it was missed.
    pub(crate) late: Duration,
    pub(crate) was_asked: bool,
}

/// What one source misses, in order.
#[derive(Debug, Default)]
pub(crate) struct NackList {
    missing: Vec<Missing>,
}

impl NackList {
    /// The numbers `first..first + count` were skipped, and are to be asked for after `patience`. Returns whether the
    /// list is full; then it was emptied, because asking for that much would not help.
    #[must_use]
    pub(crate) fn skipped(
        &mut self,
        now: Instant,
        first: u64,
        count: u64,
        patience: Duration,
        limit: usize,
    ) -> bool {
        let room = limit.saturating_sub(self.missing.len());
        if count > room as u64 {
            self.missing.clear();
            return true;
        }
        let due = now.checked_add(patience).unwrap_or(now);
        let missing = |number| Missing { number, since: now, due, times: 0 };
        self.missing.extend((first..first.saturating_add(count)).map(missing));
        false
    }

    /// A packet came. Tells whether it was missed.
    pub(crate) fn received(&mut self, now: Instant, number: u64) -> Option<Found> {
        let place = self.missing.binary_search_by_key(&number, |missing| missing.number).ok()?;
        let missing = self.missing.remove(place);
        Some(Found { late: now.saturating_duration_since(missing.since), was_asked: missing.times > 0 })
    }

    /// Whether a number is missed, and was asked for.
    pub(crate) fn was_asked(&self, number: SequenceNumber) -> bool {
        self.missing.iter().any(|missing| missing.number as u16 == number.0 && missing.times > 0)
    }

    /// Nobody waits for packets before `number` any more.
    pub(crate) fn forget_before(&mut self, number: u64) {
        let place = self.missing.partition_point(|missing| missing.number < number);
        self.missing.drain(..place);
    }

    pub(crate) fn clear(&mut self) {
        self.missing.clear();
    }

    /// What is to be asked for now, in order.
    pub(crate) fn due(&self, now: Instant) -> impl Iterator<Item = SequenceNumber> + '_ {
        let due = self.missing.iter().filter(move |missing| missing.due <= now);
        due.map(|missing| SequenceNumber(missing.number as u16))
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.missing.iter().any(|missing| missing.due <= now)
    }

    /// The first `count` of what is due were asked for. They are asked for again after `interval`, and given up after
    /// `limit` times.
    pub(crate) fn asked(&mut self, now: Instant, mut count: usize, interval: Duration, limit: u8) {
        self.missing.retain_mut(|missing| {
            if count == 0 || missing.due > now {
                return true;
            }
            count = count.saturating_sub(1);
            missing.times = missing.times.saturating_add(1);
            missing.due = now.checked_add(interval).unwrap_or(now);
            missing.times < limit
        });
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.missing.iter().map(|missing| missing.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn start() -> Instant {
        Instant::now()
    }

    fn due(list: &NackList, now: Instant) -> Vec<u16> {
        list.due(now).map(|number| number.0).collect()
    }

    #[test]
    fn asks_after_the_tolerance_repeats_and_gives_up() {
        let now = start();
        let mut list = NackList::default();
        assert!(!list.skipped(now, 0x1_fffe, 4, 10 * MS, 100));
        assert_eq!(due(&list, now), []);
        let found = list.received(now + 3 * MS, 0x1_ffff);
        assert_eq!(found, Some(Found { late: 3 * MS, was_asked: false }));
        assert_eq!(list.received(now + 3 * MS, 0x1_ffff), None);
        assert_eq!(list.deadline(), Some(now + 10 * MS));
        assert_eq!(due(&list, now + 10 * MS), [65_534, 0, 1]);
        list.asked(now + 10 * MS, 2, 50 * MS, 2);
        assert_eq!(due(&list, now + 10 * MS), [1], "the first two were asked for");
        assert!(list.was_asked(SequenceNumber(0)) && !list.was_asked(SequenceNumber(1)));
        list.asked(now + 10 * MS, 1, 50 * MS, 2);
        assert_eq!(list.deadline(), Some(now + 60 * MS));
        list.forget_before(0x2_0000);
        assert_eq!(due(&list, now + 60 * MS), [0, 1]);
        list.asked(now + 60 * MS, 2, 50 * MS, 2);
        assert_eq!(list.deadline(), None, "asked for twice");
    }

    #[test]
    fn a_list_that_overflows_is_emptied() {
        let now = start();
        let mut list = NackList::default();
        assert!(!list.skipped(now, 10, 60, MS, 100));
        assert!(list.skipped(now, 80, 41, MS, 100));
        assert_eq!(list.deadline(), None);
        assert!(list.skipped(now, 0, u64::MAX, MS, 100));
    }
}
