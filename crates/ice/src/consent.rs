//! Consent to send, pair by pair (RFC 7675).

use crate::Config;
use crypto::Random;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use stun::TransactionId;

/// The shortest time between two consent checks (RFC 7675 §5.1).
const MIN_INTERVAL: Duration = Duration::from_secs(4);

/// Requests remembered; more cannot be sent before consent expires.
const MAX_OUTSTANDING: usize = 8;

/// A request not answered for this long counts as missed, unless the round trip is longer.
const MISSED_AFTER: Duration = Duration::from_secs(1);

/// The consent of the peer to receive on one pair.
#[derive(Debug)]
pub(crate) struct Consent {
    /// When our check first succeeded.
    since: Instant,
    last_response: Instant,
    next_check: Instant,
    /// Requests not answered, the oldest first.
    outstanding: VecDeque<Outstanding>,
}

#[derive(Clone, Copy, Debug)]
struct Outstanding {
    id: TransactionId,
    sent: Instant,
    nominates: bool,
    /// An ordinary check was started because this one was missed.
    doubted: bool,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) round_trip: Duration,
    /// Whether it carried our nomination.
    pub(crate) nominates: bool,
}

impl Consent {
    /// Consent given by the response that came at `now`.
    pub(crate) fn new(now: Instant, config: &Config, rng: &mut dyn Random) -> Self {
        let next_check = now + interval(config, rng);
        Self { since: now, last_response: now, next_check, outstanding: VecDeque::new() }
    }

    /// A valid response to an ordinary check of the pair.
    pub(crate) fn renew(&mut self, now: Instant) {
        self.last_response = now;
        self.outstanding.clear();
    }

    /// Starts the check that is due and returns its new transaction id.
    //= rfc7675 §5.1
    //# Each STUN binding request for consent MUST use a new STUN transaction
    //# identifier, as described in Section 6 of [RFC5389].
    pub(crate) fn start_check(
        &mut self,
        now: Instant,
        nominates: bool,
        config: &Config,
        rng: &mut dyn Random,
    ) -> TransactionId {
        let id = TransactionId::random(rng);
        if self.outstanding.len() == MAX_OUTSTANDING {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back(Outstanding { id, sent: now, nominates, doubted: false });
        self.next_check = now + interval(config, rng);
        id
    }

    /// Whether `id` is a request that has not been answered.
    pub(crate) fn is_outstanding(&self, id: TransactionId) -> bool {
        self.outstanding.iter().any(|outstanding| outstanding.id == id)
    }

    /// Takes a valid response.
    ///
    /// Each request is answered once: a repeated response finds nothing and changes nothing.
    pub(crate) fn on_response(&mut self, now: Instant, id: TransactionId) -> Option<Answered> {
        let Outstanding { sent, nominates, .. } =
            self.outstanding.iter().copied().find(|outstanding| outstanding.id == id)?;
        // Earlier requests are as good as answered: the path works.
        self.outstanding.retain(|outstanding| outstanding.id != id && outstanding.sent >= sent);
        self.last_response = now;
        Some(Answered { round_trip: now.saturating_duration_since(sent), nominates })
    }

    /// How many requests have gone without response for longer than a response takes.
    pub(crate) fn misses(&self, now: Instant, round_trip: Option<Duration>) -> usize {
        let wait = patience(round_trip);
        self.outstanding.iter().filter(|of| now.saturating_duration_since(of.sent) >= wait).count()
    }

    /// Whether a request was missed that has not been followed by an ordinary check.
    pub(crate) fn is_in_doubt(&self, now: Instant, round_trip: Option<Duration>) -> bool {
        let wait = patience(round_trip);
        self.outstanding.iter().any(|of| !of.doubted && now.saturating_duration_since(of.sent) >= wait)
    }

    /// An ordinary check follows all that was missed so far.
    pub(crate) fn start_doubt(&mut self, now: Instant, round_trip: Option<Duration>) {
        let wait = patience(round_trip);
        for of in &mut self.outstanding {
            of.doubted |= now.saturating_duration_since(of.sent) >= wait;
        }
    }

    /// When [`misses`](Self::misses) grows next.
    pub(crate) fn next_miss(&self, now: Instant, round_trip: Option<Duration>) -> Option<Instant> {
        let wait = patience(round_trip);
        self.outstanding.iter().filter_map(|of| of.sent.checked_add(wait)).find(|at| *at > now)
    }

    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    pub(crate) fn last_response(&self) -> Instant {
        self.last_response
    }

    pub(crate) fn next_check(&self) -> Instant {
        self.next_check
    }

    /// When sending has to stop.
    pub(crate) fn expires_at(&self, config: &Config) -> Instant {
        self.last_response + config.consent_expiry
    }
}

/// How long a response is awaited (RFC 7675 §5.1).
fn patience(round_trip: Option<Duration>) -> Duration {
    MISSED_AFTER.max(round_trip.unwrap_or_default().saturating_mul(3))
}

//= rfc7675 §5.1
//# To prevent synchronization of consent checks, each
//# interval MUST be randomized from between 0.8 and 1.2 times the basic
//# period.
fn interval(config: &Config, rng: &mut dyn Random) -> Duration {
    let spread = rng.u32() % 401;
    (config.consent_interval * (800 + spread) / 1_000).max(MIN_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Steps(u32);

    impl Random for Steps {
        fn fill(&mut self, out: &mut [u8]) {
            for byte in out {
                self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (self.0 >> 24) as u8;
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn consent_interval_5s_jitter_0_8_1_2_min_4s() {
        let (mut rng, config) = (Steps(1), Config::new());
        let intervals: Vec<_> = (0..1_000).map(|_| interval(&config, &mut rng)).collect();
        let (min, max) = (intervals.iter().min().unwrap(), intervals.iter().max().unwrap());
        assert!(*min >= Duration::from_secs(4) && *min < Duration::from_millis(4_100), "{min:?}");
        assert!(*max <= Duration::from_secs(6) && *max > Duration::from_millis(5_900), "{max:?}");
        let fast = Config::new().with_consent_interval(Duration::from_secs(1));
        assert!((0..1_000).all(|_| interval(&fast, &mut rng) >= MIN_INTERVAL));
    }

    #[test]
    fn a_response_counts_once_and_late_ones_still_count() {
        let (mut rng, config, start) = (Steps(2), Config::new(), start());
        let second = Duration::from_secs(1);
        let answered = |seconds, nominates| Answered { round_trip: seconds * second, nominates };
        let mut consent = Consent::new(start, &config, &mut rng);
        let first = consent.start_check(start + 5 * second, true, &config, &mut rng);
        let later = consent.start_check(start + 10 * second, false, &config, &mut rng);
        assert_eq!(consent.misses(start + 10 * second, None), 1);
        assert_eq!(consent.next_miss(start + 10 * second, None), Some(start + 11 * second));
        assert_eq!(consent.on_response(start + 11 * second, first), Some(answered(6, true)));
        assert_eq!(consent.on_response(start + 12 * second, first), None);
        assert_eq!(consent.expires_at(&config), start + 41 * second);
        assert!(consent.is_outstanding(later));
        assert_eq!(consent.on_response(start + 12 * second, later), Some(answered(2, false)));
        assert_eq!(consent.misses(start + 20 * second, None), 0);
    }
}
