//! The retransmission timeout (RFC 9260 §6.3.1).

use crate::handover::wire::{Contradiction, ensure, wire_struct};
use base::RttEstimator;
use std::time::Duration;

/// RTO.Max of RFC 9260 §16: no timeout is longer.
const HIGHEST: Duration = Duration::from_secs(60);

/// The shortest timeout of a chunk that is answered at once.
const LEAST: Duration = Duration::from_millis(100);

/// Smooths round-trip times as RFC 9260 says, with the minimum counted on top of the smoothed time: see
/// [`Config::with_rto`](crate::Config::with_rto).
#[derive(Clone, Debug)]
pub(crate) struct Rto {
    estimator: RttEstimator,
    /// What a layer below has measured.
    expected: Option<Duration>,
    initial: Duration,
    margin: Duration,
    max: Duration,
    doublings: u32,
}

impl Rto {
    pub(crate) fn new(initial: Duration, margin: Duration, max: Duration) -> Self {
        let estimator = RttEstimator::new(initial, Duration::ZERO, HIGHEST);
        Self { estimator, expected: None, initial, margin, max, doublings: 0 }
    }

    /// A layer below has measured the round trip: until there is a measurement of our own, timeouts follow from it
    /// as from a first one (RFC 9260 §6.3.1, C2).
    pub(crate) fn expect(&mut self, rtt: Duration) {
        self.expected = Some(rtt);
    }

    /// Takes the time of a chunk that was sent once (RFC 9260 §6.3.1, C5: Karn's rule).
    pub(crate) fn observe(&mut self, rtt: Duration) {
        self.estimator.observe(rtt);
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
        self.doubled(match (self.estimator.smoothed(), self.expected) {
            (Some(smoothed), _) => smoothed + (self.estimator.variation() * 4).max(self.margin),
            (None, Some(expected)) => expected.saturating_add(expected.saturating_mul(2).max(self.margin)),
            (None, None) => self.initial,
        })
    }

    /// The timeout of INIT and COOKIE ECHO. They are answered at once: no delayed acknowledgement is to be allowed for.
    pub(crate) fn handshake_timeout(&self) -> Duration {
        self.doubled(self.expected.map_or(self.initial, |expected| expected.saturating_mul(3).max(LEAST)))
    }

    pub(crate) fn smoothed(&self) -> Option<Duration> {
        self.estimator.smoothed()
    }

    /// What is known of the round trip, measured here or below.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.estimator.smoothed().or(self.expected)
    }

    /// The maximum bounds the doubling. A path that is slower than it keeps the timeout it needs.
    fn doubled(&self, base: Duration) -> Duration {
        base.saturating_mul(1 << self.doublings).min(self.max.max(base)).min(HIGHEST)
    }
}

/// What is known of the round trip, as it moves to another process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RtoSnapshot {
    smoothed: Option<Duration>,
    variation: Duration,
    expected: Option<Duration>,
    doublings: u32,
}

wire_struct!(RtoSnapshot { smoothed, variation, expected, doublings });

/// No round trip is longer.
const LONGEST: Duration = Duration::from_secs(86_400);

impl RtoSnapshot {
    pub(crate) fn check(&self) -> Result<(), Contradiction> {
        let Self { smoothed, variation, expected: _, doublings } = self;
        ensure(smoothed.is_none_or(|smoothed| smoothed <= LONGEST), "the round trip")?;
        ensure(*variation <= LONGEST, "the variation of the round trip")?;
        ensure(*doublings <= 16, "the back-off of the timeout")
    }
}

impl Rto {
    pub(crate) fn snapshot(&self) -> RtoSnapshot {
        let Self { estimator, expected, initial: _, margin: _, max: _, doublings } = self;
        RtoSnapshot {
            smoothed: estimator.smoothed().map(|smoothed| smoothed.min(LONGEST)),
            variation: estimator.variation().min(LONGEST),
            expected: *expected,
            doublings: *doublings,
        }
    }

    /// Goes on with what another process measured.
    pub(crate) fn adopt(&mut self, snapshot: RtoSnapshot) {
        let RtoSnapshot { smoothed, variation, expected, doublings } = snapshot;
        if let Some(smoothed) = smoothed {
            self.estimator = self.estimator.with_measured(smoothed, variation);
        }
        self.expected = expected;
        self.doublings = doublings;
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
    /// RFC 9260 §6.3.1, C2, with the measurement of a layer below: a lost INIT does not cost the initial timeout.
    #[test]
    fn rfc9260_6_3_1_a_known_round_trip_replaces_the_initial_timeout() {
        let mut rto = Rto::new(ms(500), ms(220), ms(3_000));
        assert_eq!(rto.handshake_timeout(), ms(500));
        rto.expect(ms(50));
        assert_eq!((rto.handshake_timeout(), rto.timeout()), (ms(150), ms(270)));
        rto.back_off();
        assert_eq!((rto.handshake_timeout(), rto.timeout()), (ms(300), ms(540)));
        rto.recovered();
        rto.expect(ms(1));
        assert_eq!((rto.handshake_timeout(), rto.timeout()), (ms(100), ms(221)));
        rto.expect(Duration::MAX);
        assert_eq!((rto.handshake_timeout(), rto.timeout()), (ms(60_000), ms(60_000)));
        rto.observe(ms(60));
        assert_eq!(rto.timeout(), ms(280), "what was measured here counts");
    }
}
