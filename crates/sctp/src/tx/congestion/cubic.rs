//! CUBIC (RFC 9438).

use super::hystart::HyStart;
use super::{Acknowledged, CongestionControl, CongestionControlFactory, Loss, NewPath, idle_window};
use std::time::{Duration, Instant};

/// `C` of RFC 9438 §5.1, in packets per second cubed.
const C: f64 = 0.4;
/// The factor of a reduction (RFC 9438 §4.6).
const BETA: f64 = 0.7;
/// What makes additive growth as fast as that of Reno, which halves instead (RFC 9438 §4.3).
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

/// How much more than its first window a peer may be found to take: windows grow (see
/// [`Config::with_receive_buffer_cap`](crate::Config::with_receive_buffer_cap)), so the first one does not end slow start.
const SEED: usize = 8;

/// After a reduction the window returns along a cubic curve to where it was: fast at first, slowly near it, and fast
/// again beyond (RFC 9438). Growth depends on time and not on the round trip, which fills long fat paths; on short ones
/// it is at least that of [`NewReno`](super::NewReno). Slow start ends with the first queue, not with the first loss
/// (HyStart++, RFC 9406). This is the default.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
pub struct Cubic;

impl CongestionControlFactory for Cubic {
    fn build(&self, path: &NewPath) -> Box<dyn CongestionControl> {
        Box::new(State::new(path))
    }
}

/// What a reduction changes, in bytes.
#[derive(Clone, Copy, Debug)]
struct Curve {
    window: f64,
    threshold: f64,
    /// The window before the last reduction, or less after two in a row (`W_max`).
    plateau: f64,
    /// The window before the last reduction (`cwnd_prior`).
    prior: f64,
    /// What Reno would have (`W_est`).
    friendly: f64,
    /// When congestion avoidance began, and how many seconds after it the plateau is reached (`K`).
    epoch: Option<(Instant, f64)>,
}

#[derive(Clone, Debug)]
struct State {
    curve: Curve,
    packet_len: f64,
    /// Of the first slow start only (RFC 9406 §4.3).
    hystart: Option<HyStart>,
    /// Since when the window is not used up: that time does not count.
    paused: Option<Instant>,
    before: Curve,
}

impl State {
    fn new(path: &NewPath) -> Self {
        let curve = Curve {
            window: path.initial_window as f64,
            threshold: path.peer_window.saturating_mul(SEED) as f64,
            plateau: 0.0,
            prior: f64::MAX,
            friendly: 0.0,
            epoch: None,
        };
        Self {
            curve,
            packet_len: path.packet_len as f64,
            hystart: Some(HyStart::new()),
            paused: None,
            before: curve,
        }
    }

    fn slow_start(&mut self, ack: &Acknowledged) {
        let growth = self.hystart.as_mut().map_or(Some(ack.bytes), |hystart| hystart.on_ack(ack));
        let Some(growth) = growth else {
            self.curve.threshold = self.curve.window;
            self.hystart = None;
            return;
        };
        if ack.window_limited {
            let rest = self.curve.threshold - self.curve.window;
            self.curve.window += (growth as f64).min(rest + self.packet_len);
        }
    }

    /// RFC 9438 §4.2 to §4.5.
    fn avoid_congestion(&mut self, ack: &Acknowledged) {
        if !ack.window_limited {
            self.paused.get_or_insert(ack.now);
            return;
        }
        let (packet, curve) = (self.packet_len, &mut self.curve);
        if let Some((epoch, _)) = &mut curve.epoch
            && let Some(since) = self.paused.take()
        {
            // RFC 9438 §5.8: as if the time had not passed.
            *epoch += ack.now.saturating_duration_since(since);
        }
        self.paused = None;
        let (epoch, k) = *curve.epoch.get_or_insert_with(|| {
            // Above the plateau, or after a timeout, the curve begins at its flat point.
            curve.plateau = curve.plateau.max(curve.window);
            curve.friendly = curve.window;
            (ack.now, ((curve.plateau - curve.window) / packet / C).cbrt())
        });
        let time = ack.now.saturating_duration_since(epoch).as_secs_f64();
        let at = |time: f64| C * (time - k).powi(3) * packet + curve.plateau;
        let share = ack.bytes as f64 / curve.window;
        let alpha = if curve.friendly >= curve.prior { 1.0 } else { ALPHA };
        curve.friendly += alpha * packet * share;
        if at(time) < curve.friendly {
            curve.window = curve.window.max(curve.friendly);
        } else {
            let round_trip = ack.smoothed.unwrap_or(Duration::ZERO).as_secs_f64();
            let target = at(time + round_trip).clamp(curve.window, 1.5 * curve.window);
            curve.window += (target - curve.window) * share.min(1.0);
        }
    }

    fn reduce(&mut self) {
        self.before = self.curve;
        let curve = &mut self.curve;
        curve.prior = curve.window;
        // RFC 9260 §7.2.3 has no less than four packets, which later losses among them can be seen by.
        // RFC 9438 §4.7: a flow that did not get back to its plateau leaves room for others.
        let below = curve.window < curve.plateau;
        curve.plateau = if below { curve.window * (1.0 + BETA) / 2.0 } else { curve.window };
        curve.threshold = (curve.window * BETA).max(4.0 * self.packet_len);
        curve.epoch = None;
        self.paused = None;
        self.hystart = None;
    }
}

impl CongestionControl for State {
    fn on_ack(&mut self, ack: &Acknowledged) {
        if ack.recovering {
            return;
        }
        if self.curve.window < self.curve.threshold {
            self.slow_start(ack);
        } else {
            self.avoid_congestion(ack);
        }
    }

    fn on_loss(&mut self, _: &Loss) {
        self.reduce();
        self.curve.window = self.curve.threshold;
    }

    fn on_timeout(&mut self, _: &Loss) {
        // A second expiry in a row says nothing new about the path's capacity (RFC 5681 §3.1).
        if self.curve.window > self.packet_len {
            self.reduce();
        }
        // RFC 9438 §4.8: the curve begins at its flat point, wherever slow start ends.
        self.curve.plateau = 0.0;
        self.curve.window = self.packet_len;
        self.curve.epoch = None;
    }

    /// RFC 9438 §4.9.
    fn on_needless_reduction(&mut self) {
        let (window, threshold) = (self.curve.window, self.curve.threshold);
        self.curve = self.before;
        self.curve.window = self.curve.window.max(window);
        self.curve.threshold = self.curve.threshold.max(threshold);
    }

    fn on_idle(&mut self, timeouts: u32) {
        if timeouts == 0 {
            return;
        }
        self.curve.threshold = self.curve.threshold.max(self.curve.window);
        let window = idle_window(self.window(), self.packet_len as usize, timeouts);
        self.curve.window = self.curve.window.min(window as f64);
        self.curve.epoch = None;
        self.paused = None;
    }

    fn set_packet_len(&mut self, bytes: usize) {
        self.packet_len = bytes as f64;
    }

    fn window(&self) -> usize {
        self.curve.window as usize
    }

    fn threshold(&self) -> usize {
        self.curve.threshold as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use testkit::start as now;

    const MS: Duration = Duration::from_millis(1);

    fn state(packets: usize) -> State {
        State::new(&NewPath { initial_window: packets * 1_000, ..NewPath::new(1_000) })
    }

    /// Acknowledges everything in flight, a packet at a time, for this long.
    fn run(cc: &mut State, from: Instant, time: Duration, round_trip: Duration) -> Instant {
        let mut now = from;
        while now < from + time {
            let packets = (cc.window() / 1_000).max(1);
            for index in 0..packets {
                let at = now + round_trip * index as u32 / packets as u32;
                cc.on_ack(&Acknowledged { smoothed: Some(round_trip), ..Acknowledged::new(at, 1_000) });
            }
            now += round_trip;
        }
        now
    }

    /// RFC 9438 §4.2: the window follows `C (t - K)^3 + W_max`, a round trip ahead.
    #[test]
    fn rfc9438_4_2_growth_follows_the_curve() {
        let mut cc = state(1_000);
        let start = now();
        cc.on_loss(&Loss::new(start, 0));
        assert_eq!(cc.window(), 700_000);
        let k = (300.0_f64 / 0.4).cbrt();
        for seconds in 1..14 {
            let mut other = cc.clone();
            let begin = run(&mut other, start, Duration::from_secs(seconds), MS * 100);
            let time = begin.duration_since(start).as_secs_f64();
            let expected = 0.4 * (time - k).powi(3) + 1_000.0;
            let reached = other.window() as f64 / 1_000.0;
            assert!((reached - expected).abs() < 6.0, "after {time} s {reached}, the curve says {expected}");
        }
    }

    /// RFC 9438 §4.3: with short round trips it is as fast as Reno.
    #[test]
    fn rfc9438_4_3_short_round_trips_grow_as_reno_would() {
        let mut cc = state(20);
        let start = now();
        cc.on_loss(&Loss::new(start, 0));
        assert_eq!(cc.window(), 14_000);
        run(&mut cc, start, MS * 100, MS);
        // 100 round trips at 0.53 packets up to the window before, and one packet a round trip from there.
        let reached = cc.window() / 1_000;
        assert!((100..110).contains(&reached), "{reached}");
    }

    /// RFC 9438 §4.6, §4.7.
    #[test]
    fn rfc9438_4_7_a_second_loss_below_the_plateau_leaves_room() {
        let mut cc = state(100);
        cc.on_loss(&Loss::new(now(), 0));
        assert_eq!((cc.window(), cc.curve.plateau), (70_000, 100_000.0));
        cc.on_loss(&Loss::new(now(), 0));
        assert_eq!((cc.window(), cc.curve.plateau), (49_000, 59_500.0));
    }

    /// RFC 9438 §4.8: slow start to seven tenths, and then the curve from its flat point.
    #[test]
    fn rfc9438_4_8_after_a_timeout() {
        let mut cc = state(100);
        let start = now();
        cc.on_timeout(&Loss::new(start, 0));
        assert_eq!((cc.window(), cc.threshold()), (1_000, 70_000));
        cc.on_timeout(&Loss::new(start, 0));
        assert_eq!(cc.threshold(), 70_000);
        let after = run(&mut cc, start, MS * 700, MS * 100);
        assert!((70_000..73_000).contains(&cc.window()), "{}", cc.window());
        run(&mut cc, after, MS * 1_000, MS * 100);
        assert!(cc.window() < 80_000, "{}", cc.window());
    }

    /// RFC 9438 §4.9.
    #[test]
    fn rfc9438_4_9_a_needless_reduction_is_taken_back() {
        let mut cc = state(100);
        cc.on_loss(&Loss::new(now(), 0));
        cc.on_needless_reduction();
        assert_eq!(cc.window(), 100_000);
        assert_eq!(cc.threshold(), State::new(&NewPath::new(1_000)).threshold());
    }

    /// RFC 9438 §5.8: time without need for the window does not count.
    #[test]
    fn rfc9438_5_8_pauses_do_not_count() {
        let mut cc = state(1_000);
        let start = now();
        cc.on_loss(&Loss::new(start, 0));
        let at = run(&mut cc, start, MS * 1_000, MS * 100);
        let before = cc.window();
        cc.on_ack(&Acknowledged { window_limited: false, ..Acknowledged::new(at, 1_000) });
        let later = at + Duration::from_secs(60);
        cc.on_ack(&Acknowledged { smoothed: Some(MS * 100), ..Acknowledged::new(later, 1_000) });
        assert!(cc.window() < before + 1_000, "{before} {}", cc.window());
    }

    #[test]
    fn the_first_window_of_the_peer_does_not_end_slow_start() {
        let mut cc = State::new(&NewPath::new(1_000).with_peer_window(100_000));
        for _ in 0..400 {
            cc.on_ack(&Acknowledged::new(now(), 1_000));
        }
        assert_eq!((cc.window(), cc.threshold()), (410_000, 800_000));
    }
}
