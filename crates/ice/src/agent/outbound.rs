//! Datagrams that go out.

use super::{Agent, Era, Life};
use crate::{
    Priority, Role,
    candidate::candidate_priority,
    check::{self, Check, CheckFields, Verdict},
    checklist::{Base, Link, Pair, PairId, PairState},
    gather::Gatherer,
    generation::Generation,
};
use std::time::{Duration, Instant};
use stun::{IntegrityKey, Step, TransactionId, net::Transmit};

/// The shortest retransmission timeout (RFC 8445 §14.3).
const MIN_RTO: Duration = Duration::from_millis(500);

/// The longest: beyond it a loss would cost more than the pacing it protects.
const MAX_RTO: Duration = Duration::from_secs(2);

/// A response that waits to be sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) link: Link,
    pub(super) id: TransactionId,
    pub(super) verdict: Verdict,
    /// That of the generation that was asked.
    pub(super) key: IntegrityKey,
}

impl Agent {
    /// Appends the next datagram of STUN or TURN that is due, one at a time, until `None`.
    #[must_use = "the appended bytes are to be sent"]
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        let now = self.advance(now);
        match self.life {
            Life::Open => {}
            Life::Closing => {
                let transmit = self.gatherer.poll_transmit(now, out);
                if transmit.is_none() {
                    self.finish_closing();
                }
                return transmit;
            }
            Life::Closed => return None,
        }
        self.poll_reply(out)
            .or_else(|| self.gatherer.poll_transmit(now, out))
            .or_else(|| self.poll_repeats(now, out))
            .or_else(|| self.poll_paced(now, out))
            .or_else(|| self.poll_doubt(now, out))
            .or_else(|| self.poll_consent(now, out))
            .or_else(|| self.poll_keepalive(now, out))
    }

    /// Appends whatever `write` appends as one datagram on the selected path, framed for TURN where it is relayed.
    ///
    /// `None` without calling `write` when there is no path that may be sent on, and `None` with `out` as it was
    /// when `write` returns `None`.
    #[must_use = "the appended bytes are to be sent"]
    pub fn frame_with<R>(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<R>,
    ) -> Option<(R, Transmit)> {
        let selected = self.selected.filter(|_| self.is_writable())?;
        let mut len = 0;
        let measured = |out: &mut Vec<u8>| {
            let start = out.len();
            let written = write(out);
            len = out.len().saturating_sub(start);
            written
        };
        let framed = send_on(&mut self.gatherer, selected.link, out, measured)?;
        let now = self.now;
        if let Some(pair) = self.pair_mut(selected.era, selected.pair) {
            pair.counters.packets_sent += 1;
            pair.counters.bytes_sent += len as u64;
            pair.counters.last_packet_sent = Some(now);
        }
        Some(framed)
    }

    /// Bytes that [`frame_with`](Self::frame_with) adds to each datagram: 0, or the framing of TURN.
    #[must_use]
    pub fn overhead(&self) -> usize {
        match self.selected.map(|selected| selected.link) {
            Some(Link { base: Base::Relay(id), remote }) => {
                self.gatherer.relay(id).map_or(0, |relay| relay.overhead(remote))
            }
            Some(Link { base: Base::Host(_), .. }) | None => 0,
        }
    }

    /// Whether data can be sent now: a pair is selected and the peer consents (RFC 7675).
    #[must_use]
    pub fn is_writable(&self) -> bool {
        let consent = self
            .selected
            .and_then(|selected| self.pair(selected.era, selected.pair))
            .and_then(|pair| pair.consent.as_ref());
        self.life == Life::Open && consent.is_some_and(|consent| self.now < consent.expires_at(&self.config))
    }

    fn poll_reply(&mut self, out: &mut Vec<u8>) -> Option<Transmit> {
        while let Some(reply) = self.replies.pop_front() {
            let write = |out: &mut Vec<u8>| check::write_response(out, reply.id, &reply.verdict, &reply.key);
            if let Some(((), transmit)) = send_on(&mut self.gatherer, reply.link, out, write) {
                for generation in std::iter::once(&mut self.current).chain(&mut self.previous) {
                    if let Some(pair) = generation.checklist.find_mut(reply.link) {
                        pair.counters.responses_sent += 1;
                        break;
                    }
                }
                return Some(transmit);
            }
        }
        None
    }

    /// Requests to be sent again, and those that were started just now.
    fn poll_repeats(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        for place in 0..self.current.checks.len() {
            let check = self.current.checks.get_mut(place)?;
            let due = check.cancelled_until.is_none() && !check.is_exhausted();
            if !due || check.transaction.poll(now) != Step::Send {
                continue;
            }
            let check = *check;
            if let Some(transmit) = self.send_request(check.pair, check.id, &check.fields, out) {
                return Some(transmit);
            }
        }
        None
    }

    /// Starts the next transaction, one every Ta (RFC 8445 §6.1.4, §14.2).
    fn poll_paced(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        if now < self.pace_at {
            return None;
        }
        if self.gatherer.has_queued() && !self.has_triggered() {
            self.pace_at = now + self.config.pacing;
            self.gatherer.start_next(now);
            return self.gatherer.poll_transmit(now, out);
        }
        let ready = |pair: &Pair| is_ready(&self.gatherer, pair);
        let id = self.current.checklist.take_next(ready)?;
        self.pace_at = now + self.config.pacing;
        self.start_check(now, id);
        self.poll_repeats(now, out)
    }

    /// A consent check is sent once only and every 4 to 6 s (RFC 7675 §5.1), so chance alone may eat all of 30 s on a path
    /// that loses much. After each that was missed, the pair in use gets an ordinary check as well, which is repeated.
    ///
    //= rfc7675 §5.1
    //# Connectivity checks that are paced as described in
    //# Section 16 of [RFC5245], and responses to connectivity checks are
    //# permitted.
    fn poll_doubt(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        if now < self.pace_at {
            return None;
        }
        let id = self.doubted()?;
        let pair = self.current.checklist.get_mut(id)?;
        let round_trip = pair.rtt.smoothed();
        pair.consent.as_mut()?.start_doubt(now, round_trip);
        self.pace_at = now + self.config.pacing;
        self.current.cancel_checks(now, |check| check.pair == id && check.doubts);
        self.start_check(now, id);
        if let Some(check) = self.current.checks.last_mut() {
            check.doubts = true;
        }
        self.poll_repeats(now, out)
    }

    /// The pair in use, when a consent check of it was missed.
    fn doubted(&self) -> Option<PairId> {
        let selected = self.selected.filter(|selected| selected.era == Era::Current)?;
        let pair = self.current.checklist.get(selected.pair).filter(|pair| pair.is_valid())?;
        let is_in_doubt = pair.consent.as_ref()?.is_in_doubt(self.now, pair.rtt.smoothed());
        (is_in_doubt && is_ready(&self.gatherer, pair)).then_some(selected.pair)
    }

    fn start_check(&mut self, now: Instant, id: PairId) {
        let fields = CheckFields {
            role: self.role,
            tie_breaker: self.tie_breaker,
            priority: self.learnt_priority(id),
            nominates: self.current.nominating == Some(id),
        };
        // Counted with this one, which is still waiting.
        let pending = u32::try_from(self.current.checklist.pending()).unwrap_or(u32::MAX);
        let rto = (self.config.pacing.saturating_mul(pending)).clamp(MIN_RTO, MAX_RTO);
        if let Some(pair) = self.current.checklist.get_mut(id)
            && pair.state != PairState::Succeeded
        {
            pair.state = PairState::InProgress;
        }
        let transaction = TransactionId::random(&mut *self.rng);
        let check = Check::new(now, transaction, id, fields, rto, self.config.max_transmissions);
        if self.current.checks.len() >= self.config.max_pairs {
            // Cancelled ones only wait for late responses: the oldest of them makes room.
            let cancelled = |check: &Check| check.cancelled_until.is_some();
            let place = self.current.checks.iter().position(cancelled).unwrap_or_default();
            self.current.checks.remove(place);
        }
        self.current.checks.push(check);
    }

    /// RFC 8445 §7.1.1: what a peer-reflexive candidate learnt from the check would have.
    fn learnt_priority(&self, id: PairId) -> Priority {
        let local = self.current.checklist.get(id).and_then(|pair| self.current.local(pair.local()));
        let preference = local.map(|local| local.preference);
        preference.map_or(Priority(1), |preference| {
            candidate_priority(crate::CandidateKind::PeerReflexive, preference)
        })
    }

    fn has_triggered(&self) -> bool {
        self.current.checklist.has_triggered(|pair| is_ready(&self.gatherer, pair))
    }

    /// Whether a transaction would start if pacing let it.
    pub(super) fn has_paced_work(&self) -> bool {
        self.gatherer.has_queued()
            || self.current.checklist.has_next(|pair| is_ready(&self.gatherer, pair))
            || self.doubted().is_some()
    }

    //= rfc7675 §5.1
    //# Each STUN
    //# binding request for consent is transmitted once only.
    fn poll_consent(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        while let Some((era, id)) = self.consent_due(now) {
            // Repeating the nomination lets the peer follow at once when a NAT changes our address.
            let nominated = self.pair(era, id).is_some_and(|pair| pair.nominated);
            let nominating = era == Era::Current && self.current.nominating == Some(id);
            let nominates = self.role == Role::Controlling && (nominated || nominating);
            let Some(transaction) = self.start_consent_check(now, era, id, nominates) else { break };
            let priority = self.learnt_priority(id);
            let (role, tie_breaker) = (self.role, self.tie_breaker);
            let Some(pair) = self.pair_mut(era, id) else { break };
            pair.counters.consent_requests_sent += 1;
            let fields = CheckFields { role, tie_breaker, priority, nominates };
            let transmit = match era {
                Era::Current => self.send_request(id, transaction, &fields, out),
                Era::Previous => {
                    let Self { previous, gatherer, .. } = self;
                    previous.as_mut().and_then(|of| write_check(of, gatherer, id, transaction, &fields, out))
                }
            };
            if transmit.is_some() {
                return transmit;
            }
        }
        None
    }

    fn start_consent_check(
        &mut self,
        now: Instant,
        era: Era,
        id: PairId,
        nominates: bool,
    ) -> Option<TransactionId> {
        let Self { current, previous, rng, config, .. } = self;
        let generation = match era {
            Era::Current => Some(current),
            Era::Previous => previous.as_mut(),
        };
        let consent = generation?.checklist.get_mut(id)?.consent.as_mut()?;
        Some(consent.start_check(now, nominates, config, &mut **rng))
    }

    fn consent_due(&self, now: Instant) -> Option<(Era, PairId)> {
        let due = |pair: &&Pair| pair.consent.as_ref().is_some_and(|consent| consent.next_check() <= now);
        self.consenting_pairs().find(|(_, pair)| due(pair)).map(|(era, pair)| (era, pair.id()))
    }

    /// The pairs whose consent is kept: all valid ones, and before a restart is done the one in use.
    pub(super) fn consenting_pairs(&self) -> impl Iterator<Item = (Era, &Pair)> {
        let current = self.current.checklist.iter().filter(|pair| pair.is_valid());
        let old = self.selected.filter(|selected| selected.era == Era::Previous);
        let old = old.and_then(|selected| self.pair(Era::Previous, selected.pair));
        let old = old.filter(|pair| pair.is_valid());
        current.map(|pair| (Era::Current, pair)).chain(old.map(|pair| (Era::Previous, pair)))
    }

    /// RFC 8445 §11: mappings at STUN servers, until it is known which candidates are needed.
    fn poll_keepalive(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        if !self.needs_keepalive() {
            return None;
        }
        self.gatherer.poll_keepalive(now, out, &mut *self.rng)
    }

    pub(super) fn needs_keepalive(&self) -> bool {
        !self.is_concluded() && !self.current.failed
    }

    fn send_request(
        &mut self,
        pair: PairId,
        id: TransactionId,
        fields: &CheckFields,
        out: &mut Vec<u8>,
    ) -> Option<Transmit> {
        write_check(&mut self.current, &mut self.gatherer, pair, id, fields, out)
    }
}

/// Appends a Binding request for a pair and counts it.
fn write_check(
    generation: &mut Generation,
    gatherer: &mut Gatherer,
    pair: PairId,
    id: TransactionId,
    fields: &CheckFields,
    out: &mut Vec<u8>,
) -> Option<Transmit> {
    let remote = generation.remote.as_ref()?;
    let key = remote.key.as_ref()?;
    let pair = generation.checklist.get_mut(pair)?;
    let write = |out: &mut Vec<u8>| check::write_request(out, id, &remote.username, fields, key);
    let ((), transmit) = send_on(gatherer, pair.link(), out, write)?;
    pair.counters.requests_sent += 1;
    trace!(link = ?pair.link(), nominates = fields.nominates, "check");
    Some(transmit)
}

/// Appends whatever `write` appends as one datagram from a base to an address.
fn send_on<R>(
    gatherer: &mut Gatherer,
    link: Link,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Option<R>,
) -> Option<(R, Transmit)> {
    match link.base {
        Base::Host(local) => {
            let start = out.len();
            let Some(written) = write(out) else {
                out.truncate(start);
                return None;
            };
            Some((written, Transmit::new(link.path_from(local), out.len() - start)))
        }
        Base::Relay(id) => gatherer.relay_mut(id)?.frame_with(link.remote, out, write),
    }
}

/// Whether a check can be sent: through a relay only once the peer is permitted (RFC 8445 §7.2.1).
fn is_ready(gatherer: &Gatherer, pair: &Pair) -> bool {
    match pair.link().base {
        Base::Host(_) => true,
        Base::Relay(id) => gatherer.relay(id).is_some_and(|relay| relay.is_permitted(pair.link().remote)),
    }
}
