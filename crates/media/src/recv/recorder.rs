//! Arrivals of a whole transport, for transport-wide feedback.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use base::extend_u16;
use rtp::rtcp::TransportFeedbackBuilder;
use rtp::{SequenceNumber, Ssrc};

/// Numbers remembered: those of one report and the time that packets may be late.
const WINDOW: usize = 4_096;

/// Which packets arrived when. Numbers have places; a place without a packet is `None`.
#[derive(Debug)]
pub(crate) struct Recorder {
    origin: Instant,
    arrivals: VecDeque<Option<i64>>,
    /// Number of the first place.
    first: u64,
    /// Where the next report begins.
    unreported: u64,
    has_news: bool,
    /// When the next report may leave.
    due: Option<Instant>,
    media: Ssrc,
    count: u8,
    builder: TransportFeedbackBuilder,
}

impl Recorder {
    pub(crate) fn new(origin: Instant) -> Self {
        Self {
            origin,
            arrivals: VecDeque::new(),
            first: 0,
            unreported: 0,
            has_news: false,
            due: None,
            media: Ssrc(0),
            count: 0,
            builder: TransportFeedbackBuilder::new(),
        }
    }

    /// A packet arrived. The first of a report's packets starts its interval.
    pub(crate) fn on_packet(
        &mut self,
        now: Instant,
        arrival: Instant,
        number: SequenceNumber,
        media: Ssrc,
        interval: Duration,
    ) {
        let ticks = self.ticks(arrival);
        let end = self.first + self.arrivals.len() as u64;
        let number = if self.arrivals.is_empty() && self.first == 0 {
            let number = 0x1_0000 + u64::from(number.0);
            (self.first, self.unreported) = (number, number);
            number
        } else {
            extend_u16(end.saturating_sub(1), number.0)
        };
        if number < self.first {
            // Too late to be told apart from lost.
            return;
        }
        let place = number - self.first;
        if place >= (self.arrivals.len() + WINDOW) as u64 {
            // A hole larger than the window: what was before it is of no use any more.
            self.arrivals.clear();
            (self.first, self.unreported) = (number, number);
        }
        let place = usize::try_from(number - self.first).unwrap_or(0);
        if place >= self.arrivals.len() {
            self.arrivals.resize(place + 1, None);
        }
        if let Some(slot) = self.arrivals.get_mut(place)
            && slot.is_none()
        {
            *slot = Some(ticks);
            // A late packet is reported together with those behind it, once more.
            self.unreported = self.unreported.min(number);
            self.has_news = true;
            self.media = media;
            if self.due.is_none() {
                self.due = now.checked_add(interval);
            }
        }
        while self.arrivals.len() > WINDOW {
            self.arrivals.pop_front();
            self.first += 1;
        }
        self.unreported = self.unreported.max(self.first);
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.has_news && self.due.is_some_and(|at| at <= now)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.has_news { self.due } else { None }
    }

    /// Appends one feedback of at most `max_len` bytes. More may be due behind it.
    pub(crate) fn write(
        &mut self,
        now: Instant,
        sender: Ssrc,
        max_len: usize,
        interval: Duration,
        out: &mut Vec<u8>,
    ) {
        let skip = usize::try_from(self.unreported - self.first).unwrap_or(usize::MAX);
        let numbers = self.first + skip as u64..;
        let mut arrived = self
            .arrivals
            .iter()
            .skip(skip)
            .zip(numbers)
            .filter_map(|(ticks, number)| Some((number, (*ticks)?)));
        let Some((first, ticks)) = arrived.next() else {
            self.has_news = false;
            return;
        };
        self.builder.start(SequenceNumber(first as u16), ticks, max_len);
        let mut last = None;
        let mut is_full = false;
        for (number, ticks) in std::iter::once((first, ticks)).chain(arrived) {
            if self.builder.push(SequenceNumber(number as u16), ticks).is_err() {
                is_full = true;
                break;
            }
            last = Some(number);
        }
        // One packet always fits a feedback of the least length a packet may have; were it not so, it is left out.
        self.unreported = last.unwrap_or(first) + 1;
        if last.is_some() {
            self.builder.write(out, sender, self.media, self.count);
            self.count = self.count.wrapping_add(1);
        }
        self.has_news = is_full;
        self.due = if is_full { Some(now) } else { now.checked_add(interval) };
    }

    fn ticks(&self, arrival: Instant) -> i64 {
        let after = arrival.saturating_duration_since(self.origin).as_micros();
        let before = self.origin.saturating_duration_since(arrival).as_micros();
        (i64::try_from(after).unwrap_or(i64::MAX) - i64::try_from(before).unwrap_or(i64::MAX)).div_euclid(250)
    }
}

#[cfg(test)]
mod tests {
    use rtp::rtcp::{Compound, RtcpPacket};

    use super::*;

    const INTERVAL: Duration = Duration::from_millis(100);

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn start() -> Instant {
        Instant::now()
    }

    fn arrived(recorder: &mut Recorder, now: Instant) -> Vec<u16> {
        let mut out = Vec::new();
        recorder.write(now, Ssrc(1), 1_000, INTERVAL, &mut out);
        match Compound::new(&out).next() {
            Some(Ok(RtcpPacket::TransportFeedback(feedback))) => {
                feedback.arrivals().filter(|a| a.ticks.is_some()).map(|a| a.sequence.0).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reports_each_interval_and_late_packets_again() {
        let now = start();
        let mut recorder = Recorder::new(now);
        for number in [65_534, 65_535, 1] {
            recorder.on_packet(now, now, SequenceNumber(number), Ssrc(7), INTERVAL);
        }
        assert!(!recorder.is_due(now));
        assert_eq!(recorder.deadline(), Some(now + INTERVAL));
        let now = now + INTERVAL;
        assert!(recorder.is_due(now));
        assert_eq!(arrived(&mut recorder, now), [65_534, 65_535, 1]);
        assert_eq!(recorder.deadline(), None);
        recorder.on_packet(now, now, SequenceNumber(2), Ssrc(7), INTERVAL);
        recorder.on_packet(now, now, SequenceNumber(0), Ssrc(7), INTERVAL);
        assert_eq!(arrived(&mut recorder, now + INTERVAL), [0, 1, 2]);
        assert_eq!(recorder.deadline(), None);
        recorder.on_packet(now, now, SequenceNumber(2), Ssrc(7), INTERVAL);
        assert_eq!(recorder.deadline(), None, "a duplicate is no news");
    }

    /// T-S11: gaps of every size are bounded in memory, length and work.
    #[test]
    fn t_s11_gaps_of_any_size() {
        let now = start();
        for gap in [4_094, 4_095, 4_096, 4_097, 8_191, 16_384, 32_766, 32_767, 32_768, 32_769, 65_535_u16] {
            let mut recorder = Recorder::new(now);
            for step in 0..40_u16 {
                let number = SequenceNumber(step.wrapping_mul(gap));
                recorder.on_packet(now, now, number, Ssrc(7), INTERVAL);
                assert!(recorder.arrivals.len() <= WINDOW);
            }
            let mut out = Vec::new();
            let mut writes = 0;
            let later = now + INTERVAL;
            while recorder.is_due(later) {
                let before = out.len();
                recorder.write(later, Ssrc(1), 200, INTERVAL, &mut out);
                assert!(out.len() - before <= 200);
                writes += 1;
                assert!(writes < 100, "{gap}");
            }
        }
    }

    #[test]
    fn a_clock_that_goes_backwards_is_reported_as_it_is() {
        let now = start();
        let mut recorder = Recorder::new(now + Duration::from_secs(20));
        for (number, ms) in [(1, 20_000), (2, 0), (3, 30_000)] {
            recorder.on_packet(
                now,
                now + Duration::from_millis(ms),
                SequenceNumber(number),
                Ssrc(7),
                INTERVAL,
            );
        }
        let later = now + INTERVAL;
        assert_eq!(arrived(&mut recorder, later), [1]);
        assert_eq!(arrived(&mut recorder, later), [2]);
        assert_eq!(arrived(&mut recorder, later), [3]);
    }
}
