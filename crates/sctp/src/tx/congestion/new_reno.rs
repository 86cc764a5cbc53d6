//! The algorithm of RFC 9260 §7.2.

use super::{Acknowledged, CongestionControl, CongestionControlFactory, Loss, NewPath, idle_window};

/// Slow start, congestion avoidance and one halving per window of loss, as RFC 9260 §7.2 has them. Growth is by bytes
/// acknowledged.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
pub struct NewReno;

impl CongestionControlFactory for NewReno {
    fn build(&self, path: &NewPath) -> Box<dyn CongestionControl> {
        Box::new(State::new(path))
    }
}

#[derive(Clone, Debug)]
struct State {
    window: usize,
    threshold: usize,
    /// `partial_bytes_acked` of RFC 9260 §7.2.2.
    partial_acked: usize,
    packet_len: usize,
    /// Window and threshold before the last reduction.
    before: (usize, usize),
}

impl State {
    /// The peer's first window is the first threshold (RFC 9260 §7.2.1).
    fn new(path: &NewPath) -> Self {
        let (window, threshold) = (path.initial_window, path.peer_window);
        Self { window, threshold, partial_acked: 0, packet_len: path.packet_len, before: (window, threshold) }
    }

    fn half(&self) -> usize {
        (self.window / 2).max(4 * self.packet_len)
    }
}

impl CongestionControl for State {
    fn on_ack(&mut self, ack: &Acknowledged) {
        if ack.recovering {
            return;
        }
        //= rfc9260 §7.2
        //# The slow-start and congestion avoidance algorithms MUST be used by an endpoint to control the amount of
        //# data being injected into the network.
        //= rfc9260 §7.2.1
        //# an SCTP endpoint MUST use the slow-start algorithm to increase cwnd only if the current congestion window
        //# is being fully utilized and the data sender is not in Fast Recovery.
        //= rfc9260 §7.2.1
        //# Only when these two conditions are met can the cwnd be increased; otherwise, the cwnd MUST NOT be
        //# increased.
        if self.window <= self.threshold {
            if ack.window_limited {
                //= rfc9260 §7.2.1
                //# If these conditions are met, then cwnd MUST be increased by, at most, the lesser of
                // The step that leaves slow start goes one packet beyond the threshold, not a whole batch.
                let rest = self.threshold - self.window;
                self.window += ack.bytes.min(rest.saturating_add(self.packet_len));
            }
            return;
        }
        self.partial_acked += ack.bytes;
        if self.partial_acked >= self.window {
            if ack.window_limited {
                //= rfc9260 §7.2.2
                //# SCTP MUST NOT increment cwnd by more than PMDCS per RTT.
                self.partial_acked -= self.window;
                self.window += self.packet_len;
            } else {
                // RFC 9260 §7.2.2: it must not grow beyond one window's worth while nothing presses.
                self.partial_acked = self.window;
            }
        }
    }

    fn on_loss(&mut self, _: &Loss) {
        self.before = (self.window, self.threshold);
        self.threshold = self.half();
        self.window = self.threshold;
        self.partial_acked = 0;
    }

    fn on_timeout(&mut self, _: &Loss) {
        // A second expiry in a row says nothing new about the path's capacity (RFC 5681 §3.1).
        if self.window > self.packet_len {
            self.before = (self.window, self.threshold);
            self.threshold = self.half();
        }
        self.window = self.packet_len;
        self.partial_acked = 0;
    }

    fn on_needless_reduction(&mut self) {
        let (window, threshold) = self.before;
        self.window = self.window.max(window);
        self.threshold = self.threshold.max(threshold);
    }

    fn on_idle(&mut self, timeouts: u32) {
        if timeouts == 0 {
            return;
        }
        self.threshold = self.threshold.max(self.window);
        self.window = idle_window(self.window, self.packet_len, timeouts);
        self.partial_acked = 0;
    }

    fn set_packet_len(&mut self, bytes: usize) {
        self.packet_len = bytes;
    }

    fn window(&self) -> usize {
        self.window
    }

    fn threshold(&self) -> usize {
        self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(packets: usize) -> State {
        State::new(&NewPath { initial_window: packets * 1_000, ..NewPath::new(1_000) })
    }

    fn acked(bytes: usize) -> Acknowledged {
        Acknowledged::new(testkit::start(), bytes)
    }

    fn loss() -> Loss {
        Loss::new(acked(0).now, 0)
    }

    //= rfc9260 §7.2
    //= type=test
    //# The slow-start and congestion avoidance algorithms MUST be used by an endpoint to control the amount of data
    //# being injected into the network.
    //= rfc9260 §7.2.2
    //= type=test
    //# SCTP MUST NOT increment cwnd by more than PMDCS per RTT.
    //= rfc9260 §7.2.1
    //= type=test
    //# If these conditions are met, then cwnd MUST be increased by, at most, the lesser of
    /// `sctp_cwnd_slow_start_ca`, and users 46: the window grows exponentially from the first.
    #[test]
    fn sctp_cwnd_slow_start_then_one_packet_per_window() {
        let mut cc = State::new(&NewPath::new(1_000).with_peer_window(40_000));
        for _ in 1..=31 {
            cc.on_ack(&acked(1_000));
        }
        assert_eq!(cc.window(), 41_000);
        for _ in 32..=72 {
            cc.on_ack(&acked(1_000));
        }
        assert_eq!(cc.window(), 42_000);
    }

    //= rfc9260 §7.2.1
    //= type=test
    //# an SCTP endpoint MUST use the slow-start algorithm to increase cwnd only if the current congestion window is
    //# being fully utilized and the data sender is not in Fast Recovery.
    //= rfc9260 §7.2.1
    //= type=test
    //# Only when these two conditions are met can the cwnd be increased; otherwise, the cwnd MUST NOT be increased.
    #[test]
    fn an_idle_sender_does_not_grow_its_window() {
        let mut cc = state(10);
        for _ in 1..100 {
            cc.on_ack(&Acknowledged { window_limited: false, ..acked(1_000) });
        }
        assert_eq!(cc.window(), 10_000);
        cc.on_idle(1);
        assert_eq!((cc.window(), cc.threshold()), (5_000, usize::MAX));
        cc.on_idle(30);
        assert_eq!(cc.window(), 4_000);
        let mut collapsed = state(10);
        collapsed.on_timeout(&loss());
        collapsed.on_idle(1);
        assert_eq!(collapsed.window(), 1_000, "idling never raises the window");
    }

    #[test]
    fn a_reduction_is_a_half_and_can_be_taken_back() {
        let mut cc = state(20);
        cc.on_loss(&loss());
        assert_eq!(cc.window(), 10_000);
        cc.on_ack(&Acknowledged { recovering: true, ..acked(5_000) });
        assert_eq!(cc.window(), 10_000, "not while it recovers");
        cc.on_needless_reduction();
        assert_eq!((cc.window(), cc.threshold()), (20_000, usize::MAX));
        cc.on_loss(&loss());
        cc.on_loss(&loss());
        assert_eq!(cc.window(), 5_000);
        cc.on_timeout(&loss());
        assert_eq!((cc.window(), cc.threshold()), (1_000, 4_000));
        cc.on_timeout(&loss());
        assert_eq!((cc.window(), cc.threshold()), (1_000, 4_000), "a second expiry says nothing new");
    }
}
