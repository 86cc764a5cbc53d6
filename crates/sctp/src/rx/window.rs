//! How large the receive window is: as large as a round trip needs, up to a cap.

use std::time::{Duration, Instant};

/// The round trip is asked for after this many bytes, and again after this long without an answer.
const ASK_AFTER: usize = 32 << 10;
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Dynamic right-sizing: the window doubles when the application takes half of it within one round trip. Then a peer
/// that still had room would have sent more, or nearly so; and the application keeps up, so that the memory is not
/// taken but for a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    bytes: usize,
    cap: usize,
    /// Bytes that arrived since the beginning, up to what makes the round trip of interest.
    arrived: usize,
    asked: Option<Instant>,
    /// When half a window was taken last.
    since: Option<Instant>,
    /// Bytes the application took since then.
    taken: usize,
}

impl Window {
    pub(super) fn new(first: usize, cap: usize) -> Self {
        Self { bytes: first, cap: cap.max(first), arrived: 0, asked: None, taken: 0, since: None }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn on_arrival(&mut self, bytes: usize) {
        if self.arrived < ASK_AFTER {
            self.arrived = self.arrived.saturating_add(bytes);
        }
    }

    pub(super) fn on_taken(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_add(bytes);
    }

    /// Whether to measure the round trip now, given that it is not known.
    pub(super) fn wants_round_trip(&mut self, now: Instant) -> bool {
        let waits = self.asked.is_some_and(|asked| now.saturating_duration_since(asked) < ASK_AGAIN);
        let wants = self.arrived >= ASK_AFTER && !waits && self.bytes < self.cap;
        if wants {
            self.asked = Some(now);
        }
        wants
    }

    /// A packet with data came.
    #[inline]
    pub(super) fn grow(&mut self, now: Instant, round_trip: Option<Duration>) {
        if self.taken >= self.bytes / 2 {
            self.end_round(now, round_trip);
        }
    }

    fn end_round(&mut self, now: Instant, round_trip: Option<Duration>) {
        let took = self.since.replace(now).map(|since| now.saturating_duration_since(since));
        if let (Some(took), Some(round_trip)) = (took, round_trip)
            && took < round_trip
        {
            self.bytes = self.bytes.saturating_mul(2).min(self.cap);
        }
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(100);

    #[test]
    fn it_doubles_while_the_application_keeps_up_to_the_cap() {
        let mut now = testkit::start();
        let mut window = Window::new(1 << 20, 3 << 20);
        let mut sizes = Vec::new();
        for _ in 0..4 {
            window.on_taken(window.bytes() / 2);
            now += RTT / 2;
            window.grow(now, Some(RTT));
            sizes.push(window.bytes() >> 20);
        }
        assert_eq!(sizes, [1, 2, 3, 3], "the first half has no beginning");
    }

    #[test]
    fn it_stays_when_less_is_enough_or_nobody_reads() {
        let mut now = testkit::start();
        let mut window = Window::new(1 << 20, 8 << 20);
        for _ in 0..100 {
            window.on_taken((1 << 19) / 10);
            window.grow(now, Some(RTT));
            now += RTT / 10;
        }
        for _ in 0..100 {
            window.on_arrival(1 << 20);
            window.grow(now, Some(RTT));
            now += RTT;
        }
        assert_eq!(window.bytes(), 1 << 20);
        assert_eq!(Window::new(1 << 20, 0).cap, 1 << 20, "a cap below the first window is that window");
    }

    #[test]
    fn the_round_trip_is_asked_for_once_a_second() {
        let now = testkit::start();
        let mut window = Window::new(1 << 20, 8 << 20);
        assert!(!window.wants_round_trip(now), "not for a few bytes");
        window.on_arrival(ASK_AFTER);
        assert!(window.wants_round_trip(now));
        assert!(!window.wants_round_trip(now + Duration::from_millis(999)));
        assert!(window.wants_round_trip(now + ASK_AGAIN));
    }
}
