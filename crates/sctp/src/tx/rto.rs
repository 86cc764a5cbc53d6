//! The retransmission timeout (RFC 9260 §6.3.1).

use base::RttEstimator;
use std::time::Duration;

/// RTO.Max of RFC 9260 §16: no timeout is longer.
const HIGHEST: Duration = Duration::from_secs(60);

/// Smooths round-trip times as RFC 9260 says, with the minimum counted on top of the smoothed time: see
/// [`Config::with_rto`](crate::Config::with_rto).
#[derive(Clone, Debug)]
pub(crate) struct Rto {
    estimator: RttEstimator,
    lowest: Option<Duration>,
    initial: Duration,
    margin: Duration,
    max: Duration,
    doublings: u32,
}

impl Rto {
    pub(crate) fn new(initial: Duration, margin: Duration, max: Duration) -> Self {
        let estimator = RttEstimator::new(initial, Duration::ZERO, HIGHEST);
        Self { estimator, lowest: None, initial, margin, max, doublings: 0 }
    }

    /// Takes the time of a chunk that was sent once (RFC 9260 §6.3.1, C5: Karn's rule).
    pub(crate) fn observe(&mut self, rtt: Duration) {
        self.estimator.observe(rtt);
        self.lowest = Some(self.lowest.map_or(rtt, |lowest| lowest.min(rtt)));
        self.doublings = 0;
    }

    /// RFC 9260 §6.3.3, E2.
    pub(crate) fn back_off(&mut self) {
        self.doublings = (self.doublings + 1).min(16);
    }

    /// The peer answers again: the doubling is undone even where Karn's rule forbids a measurement, or a path with
    /// much loss would hardly ever leave the longest timeout.
    pub(crate) fn recovered(&mut self) {
        self.doublings = 0;
    }

    pub(crate) fn timeout(&self) -> Duration {
        let base = match self.estimator.smoothed() {
            None => self.initial,
            Some(smoothed) => smoothed + (self.estimator.variation() * 4).max(self.margin),
        };
        // The maximum bounds the doubling. A path that is slower than it keeps the timeout it needs.
        base.saturating_mul(1 << self.doublings).min(self.max.max(base)).min(HIGHEST)
    }

    pub(crate) fn smoothed(&self) -> Option<Duration> {
        self.estimator.smoothed()
    }

    /// The shortest time measured.
    pub(crate) fn lowest(&self) -> Option<Duration> {
        self.lowest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// `sctp_rto_karn_initial_min_max`.
    #[test]
    fn starts_at_the_initial_value_doubles_and_stays_above_a_delayed_ack() {
        let mut rto = Rto::new(ms(500), ms(220), ms(3_000));
        assert_eq!(rto.timeout(), ms(500));
        rto.back_off();
        assert_eq!(rto.timeout(), ms(1_000));
        for _ in 0..10 {
            rto.back_off();
        }
        assert_eq!(rto.timeout(), ms(3_000));
        rto.observe(ms(60));
        for _ in 0..50 {
            rto.observe(ms(60));
        }
        assert_eq!(rto.timeout(), ms(280));
    }
}
