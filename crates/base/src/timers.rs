//! A table of deadlines, one per kind of timer.

use std::time::Instant;

/// Deadlines indexed by a small enum. `N` is the number of kinds; `K` maps to `0..N`.
#[derive(Clone, Debug)]
pub struct TimerTable<K, const N: usize> {
    deadlines: [Option<Instant>; N],
    index: fn(K) -> usize,
    kinds: [K; N],
}

impl<K: Copy, const N: usize> TimerTable<K, N> {
    /// A table with nothing set. `kinds` lists every kind at its own index.
    #[must_use]
    pub const fn new(kinds: [K; N], index: fn(K) -> usize) -> Self {
        Self { deadlines: [None; N], index, kinds }
    }

    /// Sets the deadline of a kind, replacing an earlier one.
    pub fn set(&mut self, kind: K, at: Instant) {
        if let Some(slot) = self.slot(kind) {
            *slot = Some(at);
        }
    }

    /// Sets it only when it is not running.
    pub fn set_if_stopped(&mut self, kind: K, at: Instant) {
        if let Some(slot) = self.slot(kind) {
            slot.get_or_insert(at);
        }
    }

    /// Stops a kind.
    pub fn stop(&mut self, kind: K) {
        if let Some(slot) = self.slot(kind) {
            *slot = None;
        }
    }

    /// Stops all.
    pub fn stop_all(&mut self) {
        self.deadlines = [None; N];
    }

    /// The deadline of a kind.
    #[must_use]
    pub fn get(&self, kind: K) -> Option<Instant> {
        self.deadlines.get((self.index)(kind)).copied().flatten()
    }

    /// The earliest deadline and its kind; the lower index wins a tie.
    #[must_use]
    pub fn next(&self) -> Option<(Instant, K)> {
        let mut best: Option<(Instant, K)> = None;
        for (deadline, kind) in self.deadlines.iter().zip(self.kinds) {
            if let Some(at) = *deadline
                && best.is_none_or(|(earliest, _)| at < earliest)
            {
                best = Some((at, kind));
            }
        }
        best
    }

    /// Takes the earliest kind that is due at `now`, stopping it.
    pub fn expire(&mut self, now: Instant) -> Option<K> {
        let (at, kind) = self.next()?;
        if at > now {
            return None;
        }
        self.stop(kind);
        Some(kind)
    }

    fn slot(&mut self, kind: K) -> Option<&mut Option<Instant>> {
        self.deadlines.get_mut((self.index)(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Timer {
        Ack,
        Retransmit,
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn expires_in_order_of_time_and_once() {
        let start = Instant::now();
        let mut table = TimerTable::new([Timer::Ack, Timer::Retransmit], |kind| kind as usize);
        table.set(Timer::Ack, start + Duration::from_millis(20));
        table.set(Timer::Retransmit, start + Duration::from_millis(10));
        table.set_if_stopped(Timer::Retransmit, start);
        assert_eq!(table.expire(start), None);
        let late = start + Duration::from_secs(1);
        assert_eq!(table.expire(late), Some(Timer::Retransmit));
        assert_eq!(table.expire(late), Some(Timer::Ack));
        assert_eq!(table.expire(late), None);
        assert_eq!(table.next().map(|(at, _)| at), None);
    }
}
