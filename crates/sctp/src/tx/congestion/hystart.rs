//! When slow start has found the path's capacity: HyStart++ (RFC 9406).

use super::Acknowledged;
use std::time::Duration;

/// RFC 9406 §4.3.
const MIN_THRESHOLD: Duration = Duration::from_millis(4);
const MAX_THRESHOLD: Duration = Duration::from_millis(16);
const DIVISOR: u32 = 8;
const SAMPLES: u32 = 8;
const GROWTH_DIVISOR: usize = 4;
const CONSERVATIVE_ROUNDS: u32 = 5;

/// Where slow start stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The window doubles each round trip.
    Standard,
    /// Round trips have become longer, perhaps because of a queue: growth goes on at a quarter of the pace, and is
    /// resumed should they become shorter again.
    Conservative { baseline: Duration, rounds: u32 },
}

/// Watches the round trips of slow start. Packets are paced where round trips are long enough to matter, so growth by
/// one acknowledgement is not limited (the `L` of RFC 9406 §4.2).
#[derive(Clone, Debug)]
pub(super) struct HyStart {
    phase: Phase,
    last_round: Duration,
    this_round: Duration,
    samples: u32,
    /// The round ends when a packet after this one is acknowledged.
    round_end: u64,
}

impl HyStart {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Standard,
            last_round: Duration::MAX,
            this_round: Duration::MAX,
            samples: 0,
            round_end: 0,
        }
    }

    /// By how many bytes the window is to grow; `None` when slow start is over.
    pub(super) fn on_ack(&mut self, ack: &Acknowledged) -> Option<usize> {
        if ack.packet > self.round_end {
            self.round_end = ack.newest_packet;
            self.last_round = self.this_round;
            self.this_round = Duration::MAX;
            self.samples = 0;
            if let Phase::Conservative { rounds, .. } = &mut self.phase {
                *rounds += 1;
                if *rounds >= CONSERVATIVE_ROUNDS {
                    return None;
                }
            }
        }
        if let Some(round_trip) = ack.round_trip {
            self.this_round = self.this_round.min(round_trip);
            self.samples += 1;
        }
        let known = self.samples >= SAMPLES && self.this_round != Duration::MAX;
        match self.phase {
            Phase::Standard if known && self.last_round != Duration::MAX => {
                let threshold = (self.last_round / DIVISOR).clamp(MIN_THRESHOLD, MAX_THRESHOLD);
                if self.this_round >= self.last_round.saturating_add(threshold) {
                    self.phase = Phase::Conservative { baseline: self.this_round, rounds: 0 };
                }
            }
            Phase::Conservative { baseline, .. } if known && self.this_round < baseline => {
                self.phase = Phase::Standard;
            }
            Phase::Standard | Phase::Conservative { .. } => {}
        }
        Some(match self.phase {
            Phase::Standard => ack.bytes,
            Phase::Conservative { .. } => ack.bytes / GROWTH_DIVISOR,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A round of ten acknowledgements of a thousand bytes; gives the growth of the last.
    fn round(hystart: &mut HyStart, number: u64, round_trip: u64) -> Option<usize> {
        let mut growth = None;
        for packet in number * 10 + 1..=number * 10 + 10 {
            let mut ack = Acknowledged::new(testkit::start(), 1_000);
            ack.packet = packet;
            ack.newest_packet = packet + 9;
            ack.round_trip = Some(Duration::from_millis(round_trip));
            growth = hystart.on_ack(&ack);
        }
        growth
    }

    /// RFC 9406 §4.2: an eighth more is a queue; growth then is a quarter, and ends after five rounds.
    #[test]
    fn rfc9406_4_2_longer_round_trips_end_slow_start() {
        let mut hystart = HyStart::new();
        assert_eq!(round(&mut hystart, 0, 40), Some(1_000));
        assert_eq!(round(&mut hystart, 1, 44), Some(1_000), "less than an eighth");
        assert_eq!(round(&mut hystart, 2, 50), Some(250));
        for number in 3..7 {
            assert_eq!(round(&mut hystart, number, 51), Some(250), "{number}");
        }
        let mut ack = Acknowledged::new(testkit::start(), 1_000);
        ack.packet = 100;
        assert_eq!(hystart.on_ack(&ack), None);
    }

    #[test]
    fn rfc9406_4_2_a_false_alarm_resumes_slow_start() {
        let mut hystart = HyStart::new();
        round(&mut hystart, 0, 40);
        assert_eq!(round(&mut hystart, 1, 60), Some(250));
        assert_eq!(round(&mut hystart, 2, 41), Some(1_000));
    }

    #[test]
    fn round_trips_of_microseconds_never_alarm() {
        let mut hystart = HyStart::new();
        for number in 0..50 {
            assert_eq!(round(&mut hystart, number, number % 4), Some(1_000));
        }
    }
}
