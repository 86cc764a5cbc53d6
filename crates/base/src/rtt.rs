//! Round-trip time smoothing and the retransmission timeout (RFC 6298).

use std::time::Duration;

/// Smoothed round-trip time, its variation and the timeout that follows from them.
#[derive(Clone, Copy, Debug)]
pub struct RttEstimator {
    smoothed: Option<Duration>,
    variation: Duration,
    rto: Duration,
    initial: Duration,
    min: Duration,
    max: Duration,
}

impl RttEstimator {
    /// `initial` is the timeout before any measurement; `min` and `max` bound it always.
    #[must_use]
    pub fn new(initial: Duration, min: Duration, max: Duration) -> Self {
        Self { smoothed: None, variation: Duration::ZERO, rto: initial.clamp(min, max), initial, min, max }
    }

    /// Goes on with what was measured elsewhere.
    #[must_use]
    pub fn with_measured(self, smoothed: Duration, variation: Duration) -> Self {
        let rto = smoothed.saturating_add(variation.saturating_mul(4).max(Duration::from_millis(1)));
        Self { smoothed: Some(smoothed), variation, rto: rto.clamp(self.min, self.max), ..self }
    }

    /// Takes a measurement of a datagram that was sent once only (Karn's algorithm, RFC 6298 §3).
    pub fn observe(&mut self, rtt: Duration) {
        let smoothed = match self.smoothed {
            None => {
                self.variation = rtt / 2;
                rtt
            }
            Some(smoothed) => {
                self.variation = (self.variation * 3 + smoothed.abs_diff(rtt)) / 4;
                (smoothed * 7 + rtt) / 8
            }
        };
        self.smoothed = Some(smoothed);
        self.rto = (smoothed + (self.variation * 4).max(Duration::from_millis(1))).clamp(self.min, self.max);
    }

    /// Doubles the timeout after an expiry (RFC 6298 §5.5).
    pub fn back_off(&mut self) {
        self.rto = (self.rto * 2).min(self.max);
    }

    /// Forgets all measurements, for a new path.
    pub fn reset(&mut self) {
        *self = Self::new(self.initial, self.min, self.max);
    }

    /// The retransmission timeout.
    #[must_use]
    pub fn rto(&self) -> Duration {
        self.rto
    }

    /// The smoothed round-trip time, once measured.
    #[must_use]
    pub fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }

    /// The round-trip time variation.
    #[must_use]
    pub fn variation(&self) -> Duration {
        self.variation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// RFC 6298 §2.2, §2.3.
    #[test]
    fn follows_rfc6298() {
        let mut rtt = RttEstimator::new(ms(1_000), ms(10), ms(60_000));
        assert_eq!(rtt.rto(), ms(1_000));
        rtt.observe(ms(100));
        assert_eq!(rtt.rto(), ms(300));
        rtt.observe(ms(180));
        assert_eq!(rtt.smoothed(), Some(ms(110)));
        assert_eq!(rtt.variation(), Duration::from_micros(57_500));
        assert_eq!(rtt.rto(), ms(340));
    }

    #[test]
    fn backs_off_up_to_the_limit() {
        let mut rtt = RttEstimator::new(ms(500), ms(10), ms(1_500));
        rtt.back_off();
        assert_eq!(rtt.rto(), ms(1_000));
        rtt.back_off();
        assert_eq!(rtt.rto(), ms(1_500));
    }
}
