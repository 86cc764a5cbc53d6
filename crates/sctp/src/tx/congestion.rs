//! Congestion control (RFC 9260 §7.2).

/// How much may be in flight.
///
/// Slow start, congestion avoidance and one reduction per window of loss, as RFC 9260 §7.2 has them. Growth is by
/// bytes acknowledged. The recovery period is counted in packet numbers: it ends with the acknowledgement of a packet
/// sent after the reduction, which is what the Fast Recovery exit point of §7.2.4 approximates with a TSN.
///
/// All decisions of the algorithm are in these methods and nowhere else; another algorithm needs only to offer them.
#[derive(Clone, Debug)]
pub(crate) struct Congestion {
    window: usize,
    threshold: usize,
    /// `partial_bytes_acked` of RFC 9260 §7.2.2.
    partial_acked: usize,
    packet_len: usize,
    /// Packets up to this number belong to the period before the last reduction.
    recovery: u64,
    events: u64,
}

impl Congestion {
    pub(crate) fn new(packet_len: usize, initial_packets: usize) -> Self {
        Self {
            window: packet_len * initial_packets,
            threshold: usize::MAX,
            partial_acked: 0,
            packet_len,
            recovery: 0,
            events: 0,
        }
    }

    /// The peer's first window is the first threshold (RFC 9260 §7.2.1).
    pub(crate) fn seed_threshold(&mut self, peer_window: usize) {
        self.threshold = peer_window;
    }

    pub(crate) fn set_packet_len(&mut self, packet_len: usize) {
        self.packet_len = packet_len;
    }

    /// `bytes` were acknowledged, the newest of them in packet `newest`. `limited` says that the window was what kept
    /// us from sending more.
    pub(crate) fn on_ack(&mut self, bytes: usize, newest: u64, limited: bool) {
        if newest <= self.recovery {
            return;
        }
        if self.window <= self.threshold {
            if limited {
                // The step that leaves slow start goes one packet beyond the threshold, not a whole batch.
                let rest = self.threshold - self.window;
                self.window += bytes.min(rest.saturating_add(self.packet_len));
            }
            return;
        }
        self.partial_acked += bytes;
        if self.partial_acked >= self.window {
            if limited {
                self.partial_acked -= self.window;
                self.window += self.packet_len;
            } else {
                // RFC 9260 §7.2.2: it must not grow beyond one window's worth while nothing presses.
                self.partial_acked = self.window;
            }
        }
    }

    /// Loss was seen in SACKs, of packet `lost` at the latest; the next packet has number `next`. Tells whether the
    /// window was reduced.
    pub(crate) fn on_loss(&mut self, lost: u64, next: u64) -> bool {
        if lost <= self.recovery {
            return false;
        }
        self.recovery = next.saturating_sub(1);
        self.threshold = self.half();
        self.window = self.threshold;
        self.partial_acked = 0;
        self.events += 1;
        true
    }

    /// T3-rtx expired (RFC 9260 §7.2.3).
    pub(crate) fn on_timeout(&mut self, next: u64) {
        // A second expiry in a row says nothing new about the path's capacity (RFC 5681 §3.1).
        if self.window > self.packet_len {
            self.threshold = self.half();
        }
        self.window = self.packet_len;
        self.partial_acked = 0;
        self.recovery = next.saturating_sub(1);
    }

    /// Nothing was sent for this many timeouts (RFC 9260 §7.2.1).
    pub(crate) fn on_idle(&mut self, timeouts: u32) {
        if timeouts == 0 {
            return;
        }
        self.threshold = self.threshold.max(self.window);
        let floor = 4 * self.packet_len;
        for _ in 0..timeouts.min(32) {
            self.window = self.window.min((self.window / 2).max(floor));
        }
        self.partial_acked = 0;
    }

    pub(crate) fn window(&self) -> usize {
        self.window
    }

    pub(crate) fn threshold(&self) -> usize {
        self.threshold
    }

    /// Reductions after loss seen in SACKs.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    fn half(&self) -> usize {
        (self.window / 2).max(4 * self.packet_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sctp_cwnd_slow_start_ca`, and users 46: the window grows exponentially from the first.
    #[test]
    fn sctp_cwnd_slow_start_then_one_packet_per_window() {
        let mut cc = Congestion::new(1_000, 10);
        cc.seed_threshold(40_000);
        for packet in 1..=31 {
            cc.on_ack(1_000, packet, true);
        }
        assert_eq!(cc.window(), 41_000);
        for packet in 32..=72 {
            cc.on_ack(1_000, packet, true);
        }
        assert_eq!(cc.window(), 42_000);
    }

    #[test]
    fn an_idle_sender_does_not_grow_its_window() {
        let mut cc = Congestion::new(1_000, 10);
        for packet in 1..100 {
            cc.on_ack(1_000, packet, false);
        }
        assert_eq!(cc.window(), 10_000);
        cc.on_idle(1);
        assert_eq!((cc.window(), cc.threshold()), (5_000, usize::MAX));
        cc.on_idle(30);
        assert_eq!(cc.window(), 4_000);
        let mut collapsed = Congestion::new(1_000, 10);
        collapsed.on_timeout(1);
        collapsed.on_idle(1);
        assert_eq!(collapsed.window(), 1_000, "idling never raises the window");
    }

    #[test]
    fn one_window_of_loss_is_one_reduction() {
        let mut cc = Congestion::new(1_000, 20);
        assert!(cc.on_loss(5, 21));
        assert!(!cc.on_loss(20, 25));
        assert_eq!(cc.window(), 10_000);
        cc.on_ack(5_000, 20, true);
        assert_eq!(cc.window(), 10_000);
        assert!(cc.on_loss(21, 30));
        assert_eq!(cc.window(), 5_000);
        cc.on_timeout(31);
        assert_eq!((cc.window(), cc.threshold()), (1_000, 4_000));
    }
}
