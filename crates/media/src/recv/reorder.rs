//! How long a hole may be mere disorder, learned from the packets that filled one by themselves.

use std::time::{Duration, Instant};

/// Beyond this a hole counts as a loss: repairs would come too late to be of use.
const MOST: Duration = Duration::from_millis(100);
/// What was learned holds for this long to twice this long.
const MEMORY: Duration = Duration::from_secs(10);

/// The longest delays of packets that were overtaken, now and a little before.
#[derive(Debug)]
pub(crate) struct Reordering {
    since: Instant,
    now: Duration,
    before: Duration,
}

impl Reordering {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { since: now, now: Duration::ZERO, before: Duration::ZERO }
    }

    /// A packet came by itself so long after a later one.
    pub(crate) fn observe(&mut self, now: Instant, late: Duration) {
        self.advance(now);
        if late <= MOST {
            self.now = self.now.max(late);
        }
    }

    /// How long to wait for a packet that was overtaken: `least`, and a quarter more than was ever needed lately.
    pub(crate) fn tolerance(&mut self, now: Instant, least: Duration) -> Duration {
        self.advance(now);
        let longest = self.now.max(self.before);
        (longest + longest / 4).min(MOST).max(least)
    }

    fn advance(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.since);
        if age >= MEMORY {
            self.before = if age < MEMORY * 2 { self.now } else { Duration::ZERO };
            self.now = Duration::ZERO;
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn follows_the_path_within_bounds_and_forgets() {
        let ms = Duration::from_millis;
        let start = Instant::now();
        let mut path = Reordering::new(start);
        assert_eq!(path.tolerance(start, ms(10)), ms(10));
        path.observe(start, ms(40));
        path.observe(start, ms(20));
        assert_eq!(path.tolerance(start, ms(10)), ms(50));
        path.observe(start, ms(90));
        assert_eq!(path.tolerance(start, ms(10)), ms(100));
        path.observe(start, ms(2_000));
        assert_eq!(path.tolerance(start + ms(15_000), ms(10)), ms(100));
        assert_eq!(path.tolerance(start + ms(26_000), ms(10)), ms(10), "no longer so");
        assert_eq!(path.tolerance(start + ms(26_000), ms(300)), ms(300), "what was configured is the least");
    }
}
