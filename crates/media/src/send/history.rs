//! Packets that left with a transport-wide number, until the peer reports on them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use base::extend_u16;
use rtp::rtcp::TransportFeedback;

use crate::congestion::{FeedbackSummary, PacketResult, SentPacket};
use crate::ids::SenderId;

/// Packets remembered: four seconds of 10 Mbit/s.
const MAX_PACKETS: usize = 4_096;
/// 64 ms in ticks of 250 µs, times the 2^24 values of the reference time.
const REFERENCE_PERIOD: i64 = 256 << 24;

#[derive(Clone, Copy, Debug)]
struct Entry {
    packet: SentPacket,
    is_received: bool,
    is_reported: bool,
}

/// Numbers follow each other without holes, so a number is a place.
#[derive(Debug, Default)]
pub(crate) struct SentHistory {
    entries: VecDeque<Entry>,
    /// The number of the next packet.
    next: u64,
    results: Vec<PacketResult>,
    /// Arrival time of the latest report, in ticks since the first one, with the wraps of the reference time undone.
    clock: Option<(i64, i64)>,
}

impl SentHistory {
    /// The number that the next packet gets.
    pub(crate) fn next_number(&self) -> u64 {
        self.next
    }

    pub(crate) fn on_sent(&mut self, at: Instant, size: usize, sender: SenderId) -> SentPacket {
        let packet = SentPacket { number: self.next, at, size, sender };
        self.next += 1;
        if self.entries.len() >= MAX_PACKETS {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { packet, is_received: false, is_reported: false });
        packet
    }

    /// Takes a feedback: what became of each packet it names that is still remembered, and a summary.
    pub(crate) fn on_feedback(
        &mut self,
        now: Instant,
        feedback: &TransportFeedback<'_>,
    ) -> (&[PacketResult], FeedbackSummary) {
        let mut summary = FeedbackSummary::default();
        self.results.clear();
        let epoch = self.epoch(i64::from(feedback.reference_time) * 256);
        let newest_sent = self.next.saturating_sub(1);
        let first = self.entries.front().map_or(self.next, |entry| entry.packet.number);
        let base = extend_u16(newest_sent, feedback.base.0);
        for (number, arrival) in (base..).zip(feedback.arrivals()) {
            let place = number.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) else { continue };
            if entry.is_received {
                continue;
            }
            let arrival = arrival.ticks.map(|ticks| {
                Duration::from_micros(u64::try_from(ticks + epoch).unwrap_or(0).saturating_mul(250))
            });
            if arrival.is_some() {
                entry.is_received = true;
                summary.received += 1;
                summary.received_bytes += entry.packet.size;
                summary.feedback_rtt = Some(now.saturating_duration_since(entry.packet.at));
            } else if !entry.is_reported {
                summary.lost += 1;
            }
            entry.is_reported = true;
            self.results.push(PacketResult { packet: entry.packet, arrival });
        }
        (&self.results, summary)
    }

    /// What to add to the ticks of this report, so that its times follow those of earlier ones.
    fn epoch(&mut self, reference: i64) -> i64 {
        let (last, offset) = *self.clock.get_or_insert((reference, REFERENCE_PERIOD));
        let mut offset = offset;
        if reference - last > REFERENCE_PERIOD / 2 {
            offset -= REFERENCE_PERIOD;
        } else if last - reference > REFERENCE_PERIOD / 2 {
            offset += REFERENCE_PERIOD;
        }
        self.clock = Some((reference, offset));
        offset
    }
}

#[cfg(test)]
mod tests {
    use rtp::rtcp::{Compound, RtcpPacket, TransportFeedbackBuilder};
    use rtp::{SequenceNumber, Ssrc};

    use super::*;

    fn report(arrivals: &[(u16, i64)]) -> Vec<u8> {
        let mut builder = TransportFeedbackBuilder::new();
        builder.start(SequenceNumber(arrivals[0].0), arrivals[0].1, 1_200);
        for (number, ticks) in arrivals {
            builder.push(SequenceNumber(*number), *ticks).expect("fits");
        }
        let mut out = Vec::new();
        builder.write(&mut out, Ssrc(1), Ssrc(2), 0);
        out
    }

    fn take(history: &mut SentHistory, now: Instant, report: &[u8]) -> (Vec<PacketResult>, FeedbackSummary) {
        let Some(Ok(RtcpPacket::TransportFeedback(feedback))) = Compound::new(report).next() else {
            panic!("not a feedback")
        };
        let (results, summary) = history.on_feedback(now, &feedback);
        (results.to_vec(), summary)
    }

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn results_carry_arrivals_and_holes_and_each_packet_counts_once() {
        let now = start();
        let mut history = SentHistory { next: 65_534, ..SentHistory::default() };
        for size in 0..6 {
            history.on_sent(now, 100 + size, SenderId(0));
        }
        let report = report(&[(65_534, 1_000), (65_535, 1_040), (2, 1_400)]);
        let (results, summary) = take(&mut history, now + Duration::from_millis(80), &report);
        assert_eq!((summary.received, summary.received_bytes, summary.lost), (3, 100 + 101 + 104, 2));
        assert_eq!(summary.feedback_rtt, Some(Duration::from_millis(80)));
        let numbers: Vec<_> = results.iter().map(|result| result.packet.number).collect();
        assert_eq!(numbers, [65_534, 65_535, 65_536, 65_537, 65_538]);
        let arrivals: Vec<_> = results.iter().filter_map(|result| result.arrival).collect();
        assert_eq!(arrivals[1] - arrivals[0], Duration::from_millis(10));
        let (results, summary) = take(&mut history, now, &report);
        assert_eq!(summary, FeedbackSummary::default());
        assert_eq!(results.len(), 2, "missing still");
    }

    #[test]
    fn numbers_never_sent_are_passed_over() {
        let now = start();
        let mut history = SentHistory::default();
        history.on_sent(now, 1, SenderId(0));
        let (results, _) = take(&mut history, now, &report(&[(5, 0), (32_000, 1)]));
        assert!(results.is_empty());
        assert_eq!(history.epoch(0), history.epoch(0));
    }

    #[test]
    fn the_reference_time_wraps() {
        let mut history = SentHistory::default();
        let last = ((1 << 23) - 1) * 256;
        let before = last + history.epoch(last);
        let first = -(1 << 23) * 256;
        let after = first + history.epoch(first);
        assert_eq!(after - before, 256);
    }
}
