//! One machine alone with what the fuzzer says.

use super::{Bounds, reached, reached_event};
use crate::{
    Machine, clock,
    machine::{Polled, poll_checked},
};
use std::{
    fmt,
    time::{Duration, Instant},
};

/// Events that one drain may yield.
const EVENTS: usize = 10_000;
/// Alarms in one second of virtual time.
const ALARMS_PER_SECOND: u64 = 2_000;

/// A machine without an other side. All that is asserted of a pair is asserted of it, too.
pub struct Lone<M: Machine> {
    /// The machine.
    pub machine: M,
    /// The present.
    pub now: Instant,
    bounds: Bounds,
    has_ended: bool,
}

impl<M: Machine> fmt::Debug for Lone<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lone").field("now", &self.now).field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl<M: Machine> Lone<M> {
    /// What `make` builds.
    pub fn new(make: impl FnOnce(Instant) -> M, bounds: Bounds) -> Self {
        let now = clock::start();
        Self { machine: make(now), now, bounds, has_ended: false }
    }

    /// Hands it a datagram and takes what comes of it.
    pub fn deliver(&mut self, path: M::Path, datagram: &[u8]) -> Vec<(M::Path, Vec<u8>)> {
        let mut datagram = datagram.to_vec();
        self.machine.handle_datagram(self.now, path, &mut datagram);
        self.drain()
    }

    /// Lets time pass, and takes what comes of it.
    ///
    /// # Panics
    ///
    /// When an alarm does not move the next one, or there are too many of them.
    pub fn advance(&mut self, span: Duration) -> Vec<(M::Path, Vec<u8>)> {
        let mut sent = self.drain();
        let end = self.now + span;
        let mut alarms = 0;
        while let Some(at) = self.machine.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.machine.handle_timeout(self.now);
            sent.extend(self.drain());
            let next = self.machine.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "busy loop: the alarm has not moved");
            alarms += 1;
            assert!(alarms <= (span.as_secs() + 1) * ALARMS_PER_SECOND, "{alarms} alarms in {span:?}");
        }
        self.now = end;
        sent
    }

    /// Takes all that it has to send and to say.
    ///
    /// # Panics
    ///
    /// When that is too much, or comes after its end.
    pub fn drain(&mut self) -> Vec<(M::Path, Vec<u8>)> {
        let mut sent = Vec::new();
        let mut bytes = 0;
        loop {
            match poll_checked(&mut self.machine, self.now) {
                Ok(Some(Polled { path, datagram })) => {
                    assert!(!self.has_ended, "a datagram after the final event");
                    bytes += datagram.len();
                    sent.push((path, datagram));
                }
                Ok(None) => break,
                Err(broken) => panic!("{broken}"),
            }
            let (most, most_bytes) = self.bounds.most();
            assert!(sent.len() <= most, "more than {most} datagrams from one drain");
            assert!(bytes <= most_bytes, "more than {most_bytes} bytes from one drain");
        }
        let mut events = 0;
        while let Some(event) = self.machine.poll_event() {
            assert!(!self.has_ended, "the event {event:?} after the final event");
            reached_event(|| format!("{event:?}"));
            self.has_ended = M::is_final(&event);
            events += 1;
            assert!(events <= EVENTS, "more than {EVENTS} events from one drain");
        }
        assert!(!self.has_ended || self.machine.poll_timeout().is_none(), "an alarm after the final event");
        self.machine.check();
        if self.machine.is_ready() {
            reached("ready");
        }
        sent
    }
}
