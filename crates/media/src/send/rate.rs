//! How much may be sent again: a share of the media of the last second.

use std::time::{Duration, Instant};

const BUCKETS: usize = 10;
const BUCKET: Duration = Duration::from_millis(100);

/// Bytes within the last second, in ten buckets.
#[derive(Clone, Debug)]
struct RateWindow {
    buckets: [usize; BUCKETS],
    /// When the newest bucket began.
    newest: Instant,
    /// Its place.
    place: usize,
}

impl RateWindow {
    const fn new(now: Instant) -> Self {
        Self { buckets: [0; BUCKETS], newest: now, place: 0 }
    }

    fn advance(&mut self, now: Instant) {
        let steps = now.saturating_duration_since(self.newest).as_millis() / BUCKET.as_millis();
        for _ in 0..steps.min(BUCKETS as u128) {
            self.place = (self.place + 1) % BUCKETS;
            if let Some(bucket) = self.buckets.get_mut(self.place) {
                *bucket = 0;
            }
        }
        self.newest += BUCKET * u32::try_from(steps).unwrap_or(u32::MAX);
    }

    fn add(&mut self, now: Instant, bytes: usize) {
        self.advance(now);
        if let Some(bucket) = self.buckets.get_mut(self.place) {
            *bucket += bytes;
        }
    }

    fn sum(&mut self, now: Instant) -> usize {
        self.advance(now);
        self.buckets.iter().sum()
    }
}

/// The allowance for retransmissions of a whole engine.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    media: RateWindow,
    repeated: RateWindow,
    percent: usize,
    floor: usize,
}

impl Budget {
    pub(crate) fn new(now: Instant, percent: u8, floor: usize) -> Self {
        Self {
            media: RateWindow::new(now),
            repeated: RateWindow::new(now),
            percent: usize::from(percent),
            floor,
        }
    }

    pub(crate) fn on_media(&mut self, now: Instant, bytes: usize) {
        self.media.add(now, bytes);
    }

    /// Takes `bytes` out of the allowance, if they are in it. The packet counts from now on, sent or not.
    pub(crate) fn reserve(&mut self, now: Instant, bytes: usize) -> bool {
        let allowed = (self.media.sum(now) * self.percent / 100).max(self.floor);
        if self.repeated.sum(now) + bytes > allowed {
            return false;
        }
        self.repeated.add(now, bytes);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn the_share_follows_the_media_of_the_last_second() {
        let start = Instant::now();
        let mut budget = Budget::new(start, 25, 100);
        assert!(budget.reserve(start, 100));
        assert!(!budget.reserve(start, 1));
        budget.on_media(start, 4_000);
        assert!(budget.reserve(start, 900));
        assert!(!budget.reserve(start + Duration::from_millis(900), 1));
        let later = start + Duration::from_millis(1_000);
        assert!(budget.reserve(later, 100), "all forgotten but the floor");
        assert!(!budget.reserve(later, 1));
        assert!(budget.reserve(start + Duration::from_secs(10_000_000), 100));
    }
}
