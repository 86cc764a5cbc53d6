//! A bandwidth limit.

use std::{num::NonZeroU64, time::Instant};

/// Bytes per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteRate(NonZeroU64);

impl ByteRate {
    /// A rate.
    #[must_use]
    pub const fn per_second(bytes: NonZeroU64) -> Self {
        Self(bytes)
    }
}

/// Lets a rate pass, with bursts of one second of it and 64 KiB at least, so that no datagram is too large for ever.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    rate: u64,
    burst: u64,
    tokens: u64,
    filled_at: Instant,
}

impl Bucket {
    pub(super) fn new(ByteRate(rate): ByteRate, now: Instant) -> Self {
        let burst = rate.get().max(64 * 1024);
        Self { rate: rate.get(), burst, tokens: burst, filled_at: now }
    }

    /// Takes `bytes` when they are there.
    pub(super) fn take(&mut self, now: Instant, bytes: usize) -> bool {
        let elapsed = now.saturating_duration_since(self.filled_at);
        let earned = elapsed.as_nanos().saturating_mul(u128::from(self.rate)) / 1_000_000_000;
        if earned > 0 {
            // What is lost by rounding down is less than a byte per call.
            self.tokens =
                self.tokens.saturating_add(u64::try_from(earned).unwrap_or(u64::MAX)).min(self.burst);
            self.filled_at = now;
        }
        match self.tokens.checked_sub(bytes as u64) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn lets_the_rate_pass() {
        let start = Instant::now();
        let rate = NonZeroU64::new(100_000).expect("invariant: not zero");
        let mut bucket = Bucket::new(ByteRate::per_second(rate), start);
        let mut passed = 0;
        for ms in 0..10_000 {
            // 10 times too much.
            if bucket.take(start + Duration::from_millis(ms), 1_000) {
                passed += 1_000;
            }
        }
        assert!((1_000_000..=1_100_000).contains(&passed), "{passed}");
    }
}
