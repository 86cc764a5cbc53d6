//! Pacing: packets leave at the rate of the window rather than all at once, where the path has latency.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// On paths faster than this, bursts do no harm, and timers would cost more than they give.
const MIN_ROUND_TRIP: Duration = Duration::from_millis(2);

/// A burst is this many packets, or what passes in this time, whichever is more: timers are coarse.
const BURST_PACKETS: u64 = 16;
const BURST_TIME: Duration = Duration::from_millis(2);

/// It goes on when half a burst may go, but does not wait longer than this for it.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// A bucket of bytes that fills at a rate.
#[derive(Clone, Debug)]
pub(super) struct Pacer {
    /// Bytes a second; zero for as many as there are.
    rate: u64,
    /// What the owner allows.
    budget: Option<NonZeroU64>,
    /// What the path allows.
    path: Option<u64>,
    packet_len: u64,
    /// What may go, as of `since`. Below zero when a packet exceeded it.
    credit: i64,
    since: Option<Instant>,
    /// Nothing goes before this.
    until: Option<Instant>,
}

impl Pacer {
    pub(super) fn new(packet_len: usize) -> Self {
        Self {
            rate: 0,
            budget: None,
            path: None,
            packet_len: packet_len as u64,
            credit: 0,
            since: None,
            until: None,
        }
    }

    pub(super) fn set_packet_len(&mut self, packet_len: usize) {
        self.packet_len = packet_len as u64;
    }

    /// What the owner allows.
    pub(super) fn budget(&self) -> Option<NonZeroU64> {
        self.budget
    }

    pub(super) fn set_budget(&mut self, now: Instant, budget: Option<NonZeroU64>) {
        self.budget = budget;
        self.apply(now);
    }

    /// What the path allows, at this round trip; `rate` says it.
    pub(super) fn set_path(&mut self, now: Instant, round_trip: Duration, rate: impl FnOnce() -> u64) {
        let path = (round_trip >= MIN_ROUND_TRIP).then(rate);
        if path != self.path {
            self.path = path;
            self.apply(now);
        }
    }

    /// Forgets the path and keeps the budget.
    pub(super) fn restart(&mut self, now: Instant) {
        self.path = None;
        self.apply(now);
    }

    /// Whether a packet may go.
    #[inline]
    pub(super) fn allows(&self, now: Instant) -> bool {
        self.rate == 0 || self.until.is_none_or(|until| until <= now)
    }

    /// When the next packet may go, if it has to wait.
    pub(super) fn held_until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| self.rate != 0 && *until > now)
    }

    /// Whether what the owner allows is what holds it.
    pub(super) fn is_budget(&self) -> bool {
        self.budget.is_some_and(|budget| budget.get() == self.rate)
    }

    /// A packet went.
    #[inline]
    pub(super) fn on_sent(&mut self, now: Instant, bytes: usize) {
        if self.rate == 0 {
            return;
        }
        self.refill(now);
        self.credit -= bytes as i64;
        if self.credit <= 0 {
            let wanted = (self.burst() / 2).min(self.bytes_in(LONGEST_WAIT)).max(1) - self.credit;
            let nanos = (wanted as u128 * 1_000_000_000).div_ceil(u128::from(self.rate));
            self.until = now.checked_add(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
        }
    }

    fn apply(&mut self, now: Instant) {
        self.refill(now);
        let budget = self.budget.map(NonZeroU64::get);
        let rate = match (self.path, budget) {
            (Some(path), Some(budget)) => path.min(budget),
            (Some(rate), None) | (None, Some(rate)) => rate,
            (None, None) => 0,
        };
        if self.rate == 0 && rate != 0 {
            self.rate = rate;
            self.credit = self.burst();
            self.since = Some(now);
            self.until = None;
            return;
        }
        // A wait that was counted at the old rate is counted anew.
        if let Some(until) = self.until.filter(|until| *until > now && rate > 0) {
            let left = until.duration_since(now).as_nanos() * u128::from(self.rate) / u128::from(rate);
            self.until = now.checked_add(Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX)));
        }
        self.rate = rate;
    }

    fn refill(&mut self, now: Instant) {
        let Some(since) = self.since else { return };
        let gained = self.bytes_in(now.saturating_duration_since(since));
        if gained > 0 {
            self.credit = self.credit.saturating_add(gained).min(self.burst());
            self.since = Some(now);
        }
    }

    fn burst(&self) -> i64 {
        let packets = (BURST_PACKETS * self.packet_len) as i64;
        packets.max(self.bytes_in(BURST_TIME))
    }

    fn bytes_in(&self, time: Duration) -> i64 {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let bytes = u128::from(nanos) * u128::from(self.rate) / 1_000_000_000;
        i64::try_from(bytes).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Sends packets of 1,000 bytes for a second; gives how many, and the longest burst.
    fn second(pacer: &mut Pacer, mut now: Instant) -> (usize, usize) {
        let end = now + ms(1_000);
        let (mut sent, mut longest) = (0, 0);
        while now < end {
            let mut burst = 0;
            while pacer.allows(now) && burst < 1_000 {
                pacer.on_sent(now, 1_000);
                burst += 1;
            }
            sent += burst;
            longest = longest.max(burst);
            let until = pacer.held_until(now);
            assert!(until.is_none_or(|until| until > now), "a wait that is none");
            let Some(until) = until else { break };
            now = until;
        }
        (sent, longest)
    }

    #[test]
    fn the_rate_is_kept_in_bursts() {
        let now = testkit::start();
        let mut pacer = Pacer::new(1_000);
        pacer.set_path(now, ms(50), || 1_000_000);
        let (sent, longest) = second(&mut pacer, now);
        assert!((1_000..=1_020).contains(&sent), "{sent}");
        assert_eq!(longest, 16);
        // Later bursts are half as long.
        let (sent, longest) = second(&mut pacer, now + ms(1_001));
        assert!((990..=1_020).contains(&sent) && longest <= 8, "{sent} {longest}");
    }

    #[test]
    fn short_paths_are_not_paced_and_budgets_are_kept_on_any() {
        let now = testkit::start();
        let mut pacer = Pacer::new(1_000);
        pacer.set_path(now, Duration::from_micros(1_999), || 1_000);
        assert_eq!(second(&mut pacer, now).0, 1_000, "as much as is asked");
        pacer.set_budget(now, NonZeroU64::new(100_000));
        let (sent, _) = second(&mut pacer, now);
        assert!((100..=117).contains(&sent), "{sent}");
        pacer.set_budget(now + ms(1_000), None);
        assert!(pacer.allows(now + ms(1_000)));
    }

    #[test]
    fn a_faster_rate_shortens_the_wait() {
        let now = testkit::start();
        let mut pacer = Pacer::new(1_000);
        pacer.set_budget(now, NonZeroU64::new(1));
        pacer.on_sent(now, 20_000);
        let wait = pacer.held_until(now).map(|until| until - now);
        assert!(wait > Some(Duration::from_secs(1_000)), "{wait:?}");
        pacer.set_budget(now, NonZeroU64::new(1_000_000));
        let wait = pacer.held_until(now).map(|until| until - now);
        assert!(wait < Some(ms(20)), "{wait:?}");
    }
}
