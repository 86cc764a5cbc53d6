//! Bulk that makes way: delay-based control in the manner of LEDBAT (RFC 6817).

use super::{Acknowledged, CongestionControl, CongestionControlFactory, Loss, NewPath, idle_window};
use std::time::{Duration, Instant};

/// How many spans the shortest round trip is remembered for, and their length (`BASE_HISTORY`, RFC 6817 §2.5).
const HISTORY: usize = 4;
const SPAN: Duration = Duration::from_secs(60);

/// Takes what others leave: it adds at most a [target](Self::with_target) of delay to the path, and gives way to
/// anything that adds more. For files below a call.
///
/// RFC 6817 measures the delay of one way; an SCTP acknowledgement has no clock in it, so this takes the round trip,
/// less the shortest seen. Acknowledgements that come late are therefore taken for congestion too. Above the target the
/// window falls in proportion to the excess, once a round trip and at most to a half, where RFC 6817 lets it fall by
/// one packet a round trip: that yields in time and not minutes later. A loss halves it.
#[derive(Clone, Copy, Debug)]
pub struct Scavenger {
    target: Duration,
}

impl Scavenger {
    /// A target of 60 ms.
    #[must_use]
    pub const fn new() -> Self {
        Self { target: Duration::from_millis(60) }
    }

    /// How much delay it may add, from 1 to 100 ms (RFC 6817 §2.3 allows no more). A smaller one yields earlier and
    /// uses less of a path whose delay varies by itself.
    #[must_use]
    pub fn with_target(self, target: Duration) -> Self {
        Self { target: target.clamp(Duration::from_millis(1), Duration::from_millis(100)) }
    }
}

impl Default for Scavenger {
    fn default() -> Self {
        Self::new()
    }
}

impl CongestionControlFactory for Scavenger {
    fn build(&self, path: &NewPath) -> Box<dyn CongestionControl> {
        Box::new(State::new(self.target, path))
    }
}

#[derive(Clone, Debug)]
struct State {
    target: f64,
    packet_len: usize,
    window: f64,
    threshold: usize,
    /// The shortest round trips of the last spans, newest first, and when the newest began.
    shortest: [Duration; HISTORY],
    span: Option<Instant>,
    /// The shortest round trip of this round: single late acknowledgements do not count.
    current: Duration,
    round_end: u64,
    before: (f64, usize),
}

impl State {
    fn new(target: Duration, path: &NewPath) -> Self {
        Self {
            target: target.as_secs_f64(),
            packet_len: path.packet_len,
            window: path.initial_window as f64,
            threshold: path.peer_window,
            shortest: [Duration::MAX; HISTORY],
            span: None,
            current: Duration::MAX,
            round_end: 0,
            before: (path.initial_window as f64, path.peer_window),
        }
    }

    fn note(&mut self, now: Instant, round_trip: Duration) {
        self.current = self.current.min(round_trip);
        if self.span.is_none_or(|since| now.saturating_duration_since(since) >= SPAN) {
            self.span = Some(now);
            self.shortest.rotate_right(1);
            if let Some(newest) = self.shortest.first_mut() {
                *newest = round_trip;
            }
        }
        if let Some(newest) = self.shortest.first_mut() {
            *newest = (*newest).min(round_trip);
        }
    }

    /// Seconds that packets wait in queues, and of the round trip without them.
    fn delays(&self) -> Option<(f64, f64)> {
        let base = self.shortest.iter().min().copied().filter(|base| *base != Duration::MAX)?;
        let current = Some(self.current).filter(|current| *current != Duration::MAX)?;
        Some((current.saturating_sub(base).as_secs_f64(), base.as_secs_f64()))
    }

    fn least(&self) -> f64 {
        2.0 * self.packet_len as f64
    }

    fn reduce(&mut self) {
        self.before = (self.window, self.threshold);
        self.window = (self.window / 2.0).max(self.least());
        self.threshold = self.window as usize;
    }
}

impl CongestionControl for State {
    fn on_ack(&mut self, ack: &Acknowledged) {
        if let Some(round_trip) = ack.round_trip {
            self.note(ack.now, round_trip);
        }
        let ends = ack.packet > self.round_end;
        let delays = self.delays();
        if ends {
            self.round_end = ack.newest_packet;
            self.current = Duration::MAX;
        }
        if ack.recovering {
            return;
        }
        let Some((queueing, base)) = delays else {
            if ack.window_limited && self.window() < self.threshold {
                self.window += ack.bytes as f64;
            }
            return;
        };
        let packet = self.packet_len as f64;
        if queueing > self.target {
            if ends {
                let excess = queueing / self.target - 1.0;
                self.window = (self.window - self.window * excess.min(0.5)).max(self.least());
                self.threshold = self.window as usize;
            }
        } else if !ack.window_limited {
        } else if self.window() < self.threshold && queueing < self.target * 0.75 {
            self.window += ack.bytes as f64;
        } else {
            self.threshold = self.threshold.min(self.window as usize);
            // Slower than others on short paths, where a target of delay is many round trips.
            let gain = 1.0 / (2.0 * self.target / base.max(1e-6)).ceil().clamp(1.0, 16.0);
            let off_target = 1.0 - queueing / self.target;
            self.window += gain * off_target * packet * ack.bytes as f64 / self.window;
        }
    }

    fn on_loss(&mut self, _: &Loss) {
        self.reduce();
    }

    fn on_timeout(&mut self, _: &Loss) {
        if self.window > self.packet_len as f64 {
            self.reduce();
        }
        self.window = self.packet_len as f64;
    }

    fn on_needless_reduction(&mut self) {
        self.window = self.window.max(self.before.0);
        self.threshold = self.threshold.max(self.before.1);
    }

    fn on_idle(&mut self, timeouts: u32) {
        self.window = self.window.min(idle_window(self.window(), self.packet_len, timeouts) as f64);
    }

    fn set_packet_len(&mut self, bytes: usize) {
        self.packet_len = bytes;
    }

    fn window(&self) -> usize {
        self.window as usize
    }

    fn threshold(&self) -> usize {
        self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of ten acknowledgements each.
    fn rounds(cc: &mut State, from: u64, count: u64, round_trip: u64) {
        let now = testkit::start();
        for packet in from * 10 + 1..=(from + count) * 10 {
            let mut ack = Acknowledged::new(now, cc.window() / 10);
            ack.packet = packet;
            ack.newest_packet = packet + 9;
            ack.round_trip = Some(Duration::from_millis(round_trip));
            cc.on_ack(&ack);
        }
    }

    #[test]
    fn rfc6817_2_4_a_queue_above_the_target_shrinks_the_window_and_one_below_lets_it_grow() {
        let mut cc = State::new(Duration::from_millis(60), &NewPath::new(1_000));
        rounds(&mut cc, 0, 4, 20);
        let grown = cc.window();
        assert!(grown > 100_000, "{grown}");
        rounds(&mut cc, 4, 2, 100);
        let shrunk = cc.window();
        assert!(shrunk < grown, "{grown} {shrunk}");
        rounds(&mut cc, 6, 20, 200);
        assert_eq!(cc.window(), 2_000, "it gives way altogether");
        rounds(&mut cc, 26, 20, 40);
        assert!(cc.window() > 2_000, "{}", cc.window());
    }

    #[test]
    fn a_loss_halves() {
        let mut cc = State::new(Duration::from_millis(60), &NewPath::new(1_000));
        let now = testkit::start();
        cc.on_loss(&Loss::new(now, 10_000));
        assert_eq!(cc.window(), 5_000);
        cc.on_needless_reduction();
        assert_eq!(cc.window(), 10_000);
        cc.on_timeout(&Loss::new(now, 10_000));
        assert_eq!(cc.window(), 1_000);
    }
}
