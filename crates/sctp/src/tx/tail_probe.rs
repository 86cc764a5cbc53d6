//! The tail loss probe (RFC 8985 §7): when acknowledgements stay away, one packet asks for them before T3-rtx does.

use std::time::Duration;

/// What is allowed for an acknowledgement that the peer delays, at first and at most (RFC 9260 §6.2 has 200 ms, and
/// never more than 500 ms). Peers that delay less are not waited for; one whose delay made a probe needless is from
/// then on.
const FIRST_DELAY: Duration = Duration::from_millis(50);
const MOST_DELAY: Duration = Duration::from_millis(500);

/// No probe is sent sooner: on a short path, what is overdue by less is in a queue of this machine or the other.
const LEAST: Duration = Duration::from_millis(10);

/// The probe that was sent and is not acknowledged (`TLP.end_seq`).
#[derive(Clone, Copy, Debug)]
struct Sent {
    tsn: u64,
    /// It repeated a chunk (`TLP.is_retrans`).
    is_repetition: bool,
}

/// What became of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was new data, or what it repeated had arrived.
    Fine,
    /// It repaired a loss that nothing else shows.
    Repaired,
}

/// The probe of an association.
#[derive(Clone, Debug)]
pub(super) struct TailProbe {
    sent: Option<Sent>,
    /// A round trip was measured since the last probe.
    measured: bool,
    /// One is to be sent.
    due: bool,
    /// `TLP.max_ack_delay`.
    ack_delay: Duration,
}

impl Default for TailProbe {
    fn default() -> Self {
        Self { sent: None, measured: true, due: false, ack_delay: FIRST_DELAY }
    }
}

impl TailProbe {
    /// How long to wait for an acknowledgement, unless no probe may be sent. `lone` says that a single packet is in
    /// flight, whose acknowledgement may be delayed.
    pub(super) fn timeout(&self, smoothed: Duration, lone: bool) -> Option<Duration> {
        let delay = if lone { self.ack_delay } else { Duration::ZERO };
        (self.sent.is_none() && self.measured && !self.due).then(|| (smoothed * 2).max(LEAST) + delay)
    }

    pub(super) fn on_timeout(&mut self) {
        self.due = true;
    }

    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// It was sent, or nothing could be.
    pub(super) fn on_sent(&mut self, tsn: u64, is_repetition: bool) {
        self.sent = Some(Sent { tsn, is_repetition });
        self.measured = false;
        self.due = false;
    }

    /// What was in flight is acknowledged, lost or found some other way: no probe is needed.
    pub(super) fn cancel(&mut self) {
        self.due = false;
    }

    pub(super) fn on_measured(&mut self) {
        self.measured = true;
    }

    /// Everything before `base` is acknowledged; `needless` says that what the probe repeated had arrived.
    pub(super) fn on_ack(&mut self, base: u64, needless: impl Fn(u64) -> bool) -> Option<Outcome> {
        let sent = self.sent.filter(|sent| sent.tsn < base)?;
        self.sent = None;
        if !sent.is_repetition {
            return Some(Outcome::Fine);
        }
        if needless(sent.tsn) {
            self.ack_delay = (self.ack_delay * 2).min(MOST_DELAY);
            return Some(Outcome::Fine);
        }
        Some(Outcome::Repaired)
    }

    /// A recovery began: other rules find what is lost now.
    pub(super) fn reset(&mut self) {
        self.sent = None;
        self.due = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn rfc8985_7_2_two_round_trips_and_an_allowance_for_one_packet() {
        let mut probe = TailProbe::default();
        assert_eq!(probe.timeout(ms(40), false), Some(ms(80)));
        assert_eq!(probe.timeout(ms(40), true), Some(ms(130)));
        probe.on_sent(7, true);
        assert_eq!(probe.timeout(ms(40), true), None, "one at a time");
        assert_eq!(probe.on_ack(8, |_| true), Some(Outcome::Fine));
        assert_eq!(probe.timeout(ms(40), true), None, "a measurement first");
        probe.on_measured();
        assert_eq!(probe.timeout(ms(40), true), Some(ms(180)), "it was needless: the peer delays more");
        probe.on_timeout();
        assert_eq!(probe.timeout(ms(40), true), None, "one is due");
    }

    #[test]
    fn rfc8985_7_4_2_a_probe_may_hide_the_loss_it_repairs() {
        let mut probe = TailProbe::default();
        probe.on_sent(7, true);
        assert_eq!(probe.on_ack(7, |_| false), None);
        assert_eq!(probe.on_ack(8, |_| false), Some(Outcome::Repaired));
        assert_eq!(probe.on_ack(9, |_| false), None);
        probe.on_sent(9, false);
        assert_eq!(probe.on_ack(10, |_| false), Some(Outcome::Fine));
    }
}
