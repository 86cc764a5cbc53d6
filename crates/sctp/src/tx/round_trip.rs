//! The shortest round trip of late.

use std::time::{Duration, Instant};

/// How long one is remembered, at least; twice that at most.
const SPAN: Duration = Duration::from_secs(30);

/// A minimum over the last one or two spans, so that a path that became longer is not judged by what it was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shortest {
    this: Option<Duration>,
    last: Option<Duration>,
    since: Option<Instant>,
}

impl Shortest {
    pub(super) fn observe(&mut self, now: Instant, round_trip: Duration) {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= SPAN) {
            self.since = Some(now);
            self.last = self.this.take();
        }
        self.this = Some(self.this.map_or(round_trip, |this| this.min(round_trip)));
    }

    pub(super) fn of_late(&self) -> Option<Duration> {
        match (self.this, self.last) {
            (Some(this), Some(last)) => Some(this.min(last)),
            (this, last) => this.or(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_after_a_minute() {
        let start = testkit::start();
        let mut shortest = Shortest::default();
        assert_eq!(shortest.of_late(), None);
        for (second, ms, expected) in [(0, 20, 20), (1, 50, 20), (29, 30, 20), (31, 50, 20), (62, 50, 50)] {
            shortest.observe(start + Duration::from_secs(second), Duration::from_millis(ms));
            assert_eq!(shortest.of_late(), Some(Duration::from_millis(expected)), "{second}");
        }
    }
}
