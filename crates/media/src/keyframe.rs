//! Key frame requests, not too many of them, in both directions.

use std::time::{Duration, Instant};

/// How often a request is repeated while no key frame comes.
const MAX_REPEATS: u8 = 10;

/// Requests of the peer, passed to the application at most once per interval.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Incoming {
    passed: Option<Instant>,
    is_held: bool,
    fir_sequence: Option<u8>,
}

impl Incoming {
    /// A request came. Whether to pass it on now; otherwise it is held until the interval is over.
    pub(crate) fn request(&mut self, now: Instant, interval: Duration) -> bool {
        self.is_held = true;
        self.expire(now, interval)
    }

    /// Whether a full intra request is new (RFC 5104 §4.3.1.2): repetitions have the same number.
    pub(crate) fn is_new_fir(&mut self, sequence: u8) -> bool {
        self.fir_sequence.replace(sequence) != Some(sequence)
    }

    /// A key frame was sent, which answers what is held.
    pub(crate) fn satisfied(&mut self) {
        self.is_held = false;
    }

    /// Whether a held request is to be passed on now.
    pub(crate) fn expire(&mut self, now: Instant, interval: Duration) -> bool {
        let is_due = self.passed.and_then(|at| at.checked_add(interval)).is_none_or(|due| due <= now);
        if !self.is_held || !is_due {
            return false;
        }
        self.is_held = false;
        self.passed = Some(now);
        true
    }

    pub(crate) fn deadline(&self, interval: Duration) -> Option<Instant> {
        if self.is_held { self.passed.and_then(|at| at.checked_add(interval)) } else { None }
    }
}

/// Our requests to the peer, repeated until a key frame arrives.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outgoing {
    due: Option<Instant>,
    sent: Option<Instant>,
    repeats: u8,
    pub(crate) fir_sequence: u8,
}

impl Outgoing {
    //= rfc5104 §4.3.1.1
    //# The sequence
    //# number SHALL be increased by 1 modulo 256 for each new
    //# command.  A repetition SHALL NOT increase the sequence
    //# number.
    /// A key frame is wanted from `now` on.
    pub(crate) fn want(&mut self, now: Instant, interval: Duration) {
        if self.due.is_none() {
            let earliest = self.sent.and_then(|at| at.checked_add(interval)).map_or(now, |at| at.max(now));
            self.due = Some(earliest);
            self.repeats = 0;
            self.fir_sequence = self.fir_sequence.wrapping_add(1);
        }
    }

    /// A key frame arrived.
    pub(crate) fn satisfied(&mut self) {
        self.due = None;
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|at| at <= now)
    }

    /// The request was written.
    pub(crate) fn written(&mut self, now: Instant, interval: Duration) {
        self.sent = Some(now);
        self.repeats += 1;
        self.due = if self.repeats < MAX_REPEATS { now.checked_add(interval) } else { None };
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(500);

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn start() -> Instant {
        Instant::now()
    }

    /// T-S15: a flood of requests becomes one per interval, and the last one is not lost.
    #[test]
    fn t_s15_a_flood_of_requests_is_thinned() {
        let start = start();
        let mut incoming = Incoming::default();
        let mut passed = 0;
        for ms in 0..2_000 {
            let now = start + Duration::from_millis(ms);
            passed += u32::from(incoming.request(now, INTERVAL));
        }
        assert_eq!(passed, 4);
        let held = incoming.deadline(INTERVAL).expect("one is held");
        assert_eq!(held, start + Duration::from_millis(2_000));
        assert!(incoming.expire(held, INTERVAL));
        assert!(!incoming.expire(held + INTERVAL, INTERVAL));
    }

    #[test]
    fn a_key_frame_answers_what_is_held() {
        let start = start();
        let mut incoming = Incoming::default();
        assert!(incoming.request(start, INTERVAL));
        assert!(!incoming.request(start + INTERVAL / 2, INTERVAL));
        incoming.satisfied();
        assert_eq!(incoming.deadline(INTERVAL), None);
        assert!(!incoming.expire(start + 2 * INTERVAL, INTERVAL));
    }

    #[test]
    fn rtcp_fir_206_4_seq_nr_dedupe() {
        let mut incoming = Incoming::default();
        assert!(incoming.is_new_fir(0));
        assert!(!incoming.is_new_fir(0));
        assert!(incoming.is_new_fir(1));
    }

    #[test]
    fn our_requests_repeat_until_a_key_frame_and_not_for_ever() {
        let start = start();
        let mut outgoing = Outgoing::default();
        outgoing.want(start, INTERVAL);
        let mut now = start;
        let mut written = 0;
        while let Some(due) = outgoing.deadline() {
            now = due;
            assert!(outgoing.is_due(now));
            outgoing.written(now, INTERVAL);
            written += 1;
        }
        assert_eq!(written, u32::from(MAX_REPEATS));
        outgoing.want(now, INTERVAL);
        assert_eq!(outgoing.deadline(), Some(now + INTERVAL), "not sooner than the interval");
        outgoing.satisfied();
        assert_eq!(outgoing.deadline(), None);
    }
}
