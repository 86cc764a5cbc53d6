//! When a chunk counts as lost: the time-based rule of RACK (RFC 8985 §6).
//!
//! A chunk is lost when a packet sent later was delivered and the reordering window has passed. The order of sending
//! is the order of packet numbers, so there are no ties to break.

use std::time::{Duration, Instant};

/// While no reordering was seen, a chunk is lost as soon as a packet sent this many packets later was delivered.
///
/// This is the third miss indication of RFC 9260 §7.2.4 (`DupThresh` of RFC 8985 §6.2), counted in packets instead of
/// SACKs: a receiver that takes in a batch of packets answers with one SACK, which then stands for as many indications
/// as the batch had packets. It applies to repeated chunks as well, so a repetition that is lost too does not wait for
/// the timer.
pub(super) const LOSS_DISTANCE: u64 = 3;

/// For how many recoveries a widened window is kept (RFC 8985 §6.2, step 4).
const PERSISTENCE: u32 = 16;

/// A packet that the peer has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivered {
    pub(super) packet: u64,
    pub(super) sent_at: Instant,
}

/// What deliveries say of packets sent before.
#[derive(Clone, Debug, Default)]
pub(super) struct Rack {
    /// The newest packet delivered, and the time it took (`RACK.xmit_ts`, `RACK.rtt`).
    newest: u64,
    rtt: Duration,
    reordering_seen: bool,
    /// `RACK.reo_wnd_mult` less one.
    widened: u32,
    persistence: u32,
    /// The window is widened once a round trip: not before a packet after this one is delivered.
    widened_at: u64,
}

/// What makes a packet lost, at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Packets before this one are judged.
    pub(super) newest: u64,
    /// Those sent so long ago are lost,
    pub(super) age: Duration,
    /// and those with a number up to this.
    pub(super) counted: u64,
}

impl Rack {
    pub(super) fn on_delivered(&mut self, now: Instant, delivered: Delivered) {
        if delivered.packet > self.newest {
            self.newest = delivered.packet;
            self.rtt = now.saturating_duration_since(delivered.sent_at);
        }
    }

    /// A chunk sent once arrived behind one sent after it.
    pub(super) fn on_reordered(&mut self) {
        self.reordering_seen = true;
    }

    /// A chunk counted as lost had arrived. `newest_sent` is the last packet written.
    pub(super) fn on_needless(&mut self, newest_sent: u64) {
        self.reordering_seen = true;
        if self.newest >= self.widened_at {
            self.widened_at = newest_sent + 1;
            self.widened = (self.widened + 1).min(1_000);
            self.persistence = PERSISTENCE;
        }
    }

    pub(super) fn on_recovery_end(&mut self) {
        self.persistence = self.persistence.saturating_sub(1);
        if self.persistence == 0 {
            self.widened = 0;
        }
    }

    /// RFC 8985 §6.2, steps 4 and 5.
    pub(super) fn rule(&self, shortest: Duration, smoothed: Duration, recovering: bool) -> Rule {
        let window = if self.reordering_seen || !recovering {
            (shortest / 4).saturating_mul(self.widened + 1).min(smoothed)
        } else {
            Duration::ZERO
        };
        let distance = if self.reordering_seen { u64::MAX } else { LOSS_DISTANCE };
        Rule { newest: self.newest, age: self.rtt + window, counted: self.newest.saturating_sub(distance) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn delivered(rack: &mut Rack, packet: u64) {
        let start = testkit::start();
        rack.on_delivered(start + ms(40), Delivered { packet, sent_at: start });
    }

    #[test]
    fn rfc8985_6_2_the_window_is_a_quarter_of_the_shortest_round_trip() {
        let mut rack = Rack::default();
        delivered(&mut rack, 10);
        delivered(&mut rack, 7);
        let rule = rack.rule(ms(40), ms(50), false);
        assert_eq!((rule.newest, rule.age, rule.counted), (10, ms(50), 7));
        let rule = rack.rule(ms(40), ms(50), true);
        assert_eq!(rule.age, ms(40), "none while it recovers and saw no reordering");
        rack.on_reordered();
        let rule = rack.rule(ms(40), ms(50), true);
        assert_eq!((rule.age, rule.counted), (ms(50), 0), "packets no longer count");
    }

    #[test]
    fn rfc8985_6_2_the_window_widens_once_a_round_trip_and_forgets_after_16_recoveries() {
        let mut rack = Rack::default();
        delivered(&mut rack, 10);
        rack.on_needless(20);
        rack.on_needless(21);
        assert_eq!(rack.rule(ms(40), ms(500), false).age, ms(60));
        delivered(&mut rack, 25);
        rack.on_needless(30);
        assert_eq!(rack.rule(ms(40), ms(500), false).age, ms(70));
        assert_eq!(rack.rule(ms(40), ms(25), false).age, ms(65), "at most a smoothed round trip");
        for _ in 0..15 {
            rack.on_recovery_end();
        }
        assert_eq!(rack.rule(ms(40), ms(500), false).age, ms(70));
        rack.on_recovery_end();
        assert_eq!(rack.rule(ms(40), ms(500), false).age, ms(50));
    }
}
