//! What acknowledgements and timers change: loss, recovery and the window.

use super::congestion::{Acknowledged, Loss};
use super::outstanding::{Acked, Lost};
use super::prr::Prr;
use super::sender::{Blocked, Sender};
use super::tail_probe::Outcome;
use crate::chunk::sack::Sack;
use crate::event::Events;
use crate::stats::Stats;
use base::Serial32;
use std::time::{Duration, Instant};

/// What an acknowledgement meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SackOutcome {
    /// The cumulative TSN moved: T3-rtx starts anew (RFC 9260 §6.3.2, R3).
    pub(crate) advanced: bool,
    /// Something was acknowledged: the peer is alive.
    pub(crate) progress: bool,
}

impl Sender {
    /// Whether a SACK speaks of data that was never sent.
    pub(crate) fn is_unsent(&self, sack: &Sack<'_>) -> bool {
        self.outstanding.is_unsent(sack)
    }

    /// Takes in a SACK; `None` when it is out of date.
    pub(crate) fn on_sack(
        &mut self,
        now: Instant,
        sack: &Sack<'_>,
        events: &mut Events,
        stats: &mut Stats,
    ) -> Option<SackOutcome> {
        let in_flight = self.outstanding.in_flight();
        let shortest = self.shortest.of_late().unwrap_or(Duration::ZERO);
        let acked = self.outstanding.on_sack(now, shortest, sack)?;
        if acked.bytes > 0 {
            //= rfc9260 §7.2.4
            //# the cwnd adjustment rules defined in Sections 7.2.1 and 7.2.2 MUST be applied first.
            self.take_in(now, &acked, in_flight);
        }
        self.find_needless(now, &acked, sack, stats);
        self.deliver_tracked(events);
        let more_lost = self.find_lost(now, in_flight, events, stats);
        let (flying, packet_len) = (self.outstanding.in_flight(), self.max_packet_len);
        if let Some(prr) = self.recovery.prr() {
            prr.on_ack(acked.bytes, flying, more_lost, packet_len);
        }
        // RFC 9260 §6.2.1, D ii.
        self.advertised = sack.window as usize;
        self.peer_window = self.advertised.saturating_sub(flying);
        self.pace(now);
        self.plan_forward(now);
        self.offer_space(events);
        Some(SackOutcome { advanced: acked.advanced, progress: acked.bytes > 0 || acked.advanced })
    }

    /// Takes in the cumulative TSN of a SHUTDOWN.
    pub(crate) fn on_cumulative(&mut self, now: Instant, cumulative: Serial32, events: &mut Events) -> bool {
        let tsn = self.outstanding.extend(cumulative);
        let advanced = self.outstanding.on_cumulative(now, Duration::ZERO, tsn).advanced;
        self.deliver_tracked(events);
        advanced
    }

    /// T3-rtx expired.
    pub(crate) fn on_timeout(&mut self, now: Instant, events: &mut Events, stats: &mut Stats) {
        stats.timeouts += 1;
        let loss = self.loss(now, self.outstanding.in_flight());
        // A closed window is no sign of congestion: what is in flight then is a probe (RFC 9260 §6.1, A).
        if loss.in_flight > 0 && self.advertised > 0 {
            //= rfc9260 §7.2.1
            //# The initial cwnd after a retransmission timeout MUST be no more than PMDCS
            self.control(|congestion| congestion.on_timeout(&loss));
            self.recovery.begin(self.packet, None);
        }
        self.rto.back_off();
        let rule = self.rack.rule(self.shortest_rtt(), self.smoothed_rtt(), false);
        let lost = self.outstanding.on_timeout(now, rule.age);
        self.recovery.on_marked(lost.chunks);
        self.rescue = true;
        self.reorder_at = None;
        self.probe.reset();
        self.pace(now);
        self.give_up(now, &lost.abandoned, events, stats);
        self.forward_pending = self.outstanding.advance();
    }

    /// Enough time passed for chunks to be lost that might have been reordered (RFC 8985 §6.2, step 5).
    pub(crate) fn on_reorder_timeout(&mut self, now: Instant, events: &mut Events, stats: &mut Stats) {
        let in_flight = self.outstanding.in_flight();
        if self.find_lost(now, in_flight, events, stats) {
            self.pace(now);
            self.plan_forward(now);
        }
    }

    /// When [`on_reorder_timeout`](Self::on_reorder_timeout) is to be called.
    pub(crate) fn reorder_at(&self) -> Option<Instant> {
        self.reorder_at
    }

    /// How long to wait for an acknowledgement before the peer is asked for it, if it is to be asked: not while the peer
    /// takes nothing.
    ///
    /// RFC 8985 §7.2 leaves this to T3-rtx while losses are repaired, too. Here a repetition that is lost with everything
    /// behind it is found sooner, as in QUIC (RFC 9002 §6.2.1). There still is one probe at a time, and none after it
    /// without a new measurement.
    pub(crate) fn probe_timeout(&self) -> Option<Duration> {
        let in_flight = self.outstanding.in_flight();
        if in_flight == 0 || self.advertised == 0 {
            return None;
        }
        self.probe.timeout(self.rto.smoothed()?, in_flight < self.max_packet_len)
    }

    /// When a packet that asks for an acknowledgement is due by now: the timer may have been set before the last packet
    /// went out. `None` when none is to be sent.
    pub(crate) fn probe_at(&self, now: Instant) -> Option<Instant> {
        let timeout = self.probe_timeout()?;
        Some(self.last_sent.map_or(now, |sent| sent + timeout))
    }

    /// A packet that asks for an acknowledgement is due.
    pub(crate) fn on_probe_timeout(&mut self) {
        self.probe.on_timeout();
    }

    /// What went out with COOKIE ECHO goes again with its repetition.
    pub(crate) fn repeat_all(&mut self, now: Instant, events: &mut Events, stats: &mut Stats) {
        let lost = self.outstanding.on_timeout(now, Duration::ZERO);
        self.give_up(now, &lost.abandoned, events, stats);
    }

    /// Round trips, the end of a recovery, and the growth of the window.
    fn take_in(&mut self, now: Instant, acked: &Acked, in_flight: usize) {
        self.rto.recovered();
        let newest = acked.newest.filter(|_| acked.is_first);
        let round_trip = newest.map(|newest| now.saturating_duration_since(newest.sent_at));
        if let Some(round_trip) = round_trip {
            self.shortest.observe(now, round_trip);
            if acked.ends_round {
                self.rto.observe(round_trip);
            }
            self.probe.on_measured();
        }
        if acked.reordered {
            self.rack.on_reordered();
        }
        if let Some(newest) = acked.newest {
            self.rack.on_delivered(now, newest);
        }
        let packet = acked.newest.map_or(0, |newest| newest.packet);
        if self.recovery.on_ack(packet) {
            self.rack.on_recovery_end();
        }
        let window_limited = match self.blocked {
            Blocked::No => false,
            Blocked::Window => true,
            // The pacer is ahead of the window: what it holds back is part of what the window allows.
            Blocked::Pacer => !self.pacer.is_budget() && in_flight >= self.window / 2,
        };
        let ack = Acknowledged {
            in_flight,
            packet,
            newest_packet: self.packet,
            round_trip,
            shortest: self.shortest.of_late(),
            smoothed: self.rto.smoothed(),
            window_limited,
            recovering: self.recovery.is_active(),
            ..Acknowledged::new(now, acked.bytes)
        };
        self.control(|congestion| congestion.on_ack(&ack));
    }

    /// Looks for what shows that a chunk was repeated, or counted as lost, although it had arrived.
    fn find_needless(&mut self, now: Instant, acked: &Acked, sack: &Sack<'_>, stats: &mut Stats) {
        let extend = |tsn| self.outstanding.extend(tsn);
        let base = self.outstanding.base();
        let twice =
            |tsn| acked.early.contains(&tsn) || sack.duplicates().any(|duplicate| extend(duplicate) == tsn);
        let outcome = self.probe.on_ack(base, twice);
        let mut needless = acked.needless > 0;
        self.recovery.on_needless(acked.needless);
        for tsn in sack.duplicates().map(extend).chain(acked.early.iter().copied()) {
            needless |= self.recovery.on_needless_repeat(tsn);
        }
        if needless {
            self.rack.on_needless(self.packet);
            if self.recovery.take_needless() {
                stats.needless_reductions += 1;
                self.control(|congestion| congestion.on_needless_reduction());
            }
        }
        if outcome == Some(Outcome::Repaired) {
            self.reduce(now, self.outstanding.in_flight());
        }
    }

    /// Finds what is lost by now; tells whether there was any.
    fn find_lost(&mut self, now: Instant, in_flight: usize, events: &mut Events, stats: &mut Stats) -> bool {
        let rule = self.rack.rule(self.shortest_rtt(), self.smoothed_rtt(), self.recovery.is_active());
        let lost = self.outstanding.detect_lost(now, rule);
        self.reorder_at = lost.next_at;
        let Lost { packet: Some(packet), chunks, abandoned, .. } = lost else { return false };
        if self.recovery.is_new(packet) {
            self.reduce(now, in_flight);
        }
        self.recovery.on_marked(chunks);
        self.give_up(now, &abandoned, events, stats);
        true
    }

    /// A loss in a new round trip: the window is reduced, and reached step by step.
    fn reduce(&mut self, now: Instant, in_flight: usize) {
        self.reductions += 1;
        let loss = self.loss(now, in_flight);
        self.control(|congestion| congestion.on_loss(&loss));
        self.recovery.begin(self.packet, Some(Prr::new(self.window, in_flight, self.max_packet_len)));
        self.probe.reset();
    }

    fn loss(&self, now: Instant, in_flight: usize) -> Loss {
        Loss { newest_packet: self.packet, ..Loss::new(now, in_flight) }
    }

    fn shortest_rtt(&self) -> Duration {
        self.shortest.of_late().unwrap_or(Duration::ZERO)
    }

    fn smoothed_rtt(&self) -> Duration {
        self.rto.smoothed().unwrap_or(Duration::ZERO)
    }
}
