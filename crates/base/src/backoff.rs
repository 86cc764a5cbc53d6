//! Doubling intervals with an end.

use std::time::Duration;

/// A series of intervals, each twice the one before, up to a limit, for a bounded number of tries.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    interval: Duration,
    max_interval: Duration,
    tries_left: u32,
}

impl Backoff {
    /// `tries` counts every transmission, the first one included.
    #[must_use]
    pub fn new(first: Duration, max_interval: Duration, tries: u32) -> Self {
        Self { interval: first, max_interval, tries_left: tries }
    }

    /// The interval to wait after the transmission made now, or `None` when no try is left.
    pub fn next_interval(&mut self) -> Option<Duration> {
        self.tries_left = self.tries_left.checked_sub(1)?;
        let interval = self.interval;
        self.interval = (self.interval * 2).min(self.max_interval);
        Some(interval)
    }

    /// Whether all tries are used.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.tries_left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_the_limit_and_ends() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_millis(1_500), 3);
        assert_eq!(backoff.next_interval(), Some(Duration::from_millis(500)));
        assert_eq!(backoff.next_interval(), Some(Duration::from_millis(1_000)));
        assert_eq!(backoff.next_interval(), Some(Duration::from_millis(1_500)));
        assert!(backoff.is_exhausted());
        assert_eq!(backoff.next_interval(), None);
    }
}
