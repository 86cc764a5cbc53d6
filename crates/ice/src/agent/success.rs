//! Responses to our checks (RFC 8445 §7.2.5) and to consent checks (RFC 7675 §5).

use super::{Agent, Era, Received};
use crate::{
    Role,
    check::{Check, Verdict, read_response},
    checklist::{Link, Pair, PairId, PairState},
    consent::Consent,
};
use std::{net::SocketAddr, time::Instant};
use stun::{Message, TransactionId, attr::Code};

/// What a response answers.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Check(Check),
    Consent(PairId),
}

impl Agent {
    pub(super) fn receive_response(&mut self, now: Instant, link: Link, message: &Message<'_>) -> Received {
        let id = message.transaction_id();
        let Some((era, asked)) = self.find_asked(id) else {
            self.counters.stray_responses += 1;
            return Received::Ignored;
        };
        let key =
            self.generation(era).and_then(|of| of.remote.as_ref()).and_then(|remote| remote.key.as_ref());
        //= rfc8489 §9.1.4
        //# If the request was sent over an unreliable transport, the response
        //# MUST be discarded, as if it had never been received.
        if key.is_none_or(|key| message.verify(key).is_err()) {
            self.counters.unauthenticated += 1;
            return Received::Ignored;
        }
        let Some(verdict) = read_response(message) else {
            self.counters.malformed += 1;
            return Received::Ignored;
        };
        match asked {
            Asked::Check(check) => self.on_check_response(now, era, &check, link, &verdict),
            Asked::Consent(pair) => self.on_consent_response(now, era, pair, link, id, &verdict),
        }
        Received::Control
    }

    fn find_asked(&self, id: TransactionId) -> Option<(Era, Asked)> {
        [Era::Current, Era::Previous].into_iter().find_map(|era| {
            let generation = self.generation(era)?;
            if let Some(check) = generation.checks.iter().find(|check| check.id == id) {
                return Some((era, Asked::Check(*check)));
            }
            let holds =
                |pair: &&Pair| pair.consent.as_ref().is_some_and(|consent| consent.is_outstanding(id));
            generation.checklist.iter().find(holds).map(|pair| (era, Asked::Consent(pair.id())))
        })
    }

    fn on_check_response(&mut self, now: Instant, era: Era, check: &Check, link: Link, verdict: &Verdict) {
        let cancelled = check.cancelled_until.is_some();
        let Some(generation) = self.generation_mut(era) else { return };
        generation.checks.retain(|known| known.id != check.id);
        let Some(pair) = generation.checklist.get_mut(check.pair) else { return };
        //= rfc8445 §7.2.5.2.1
        //# The ICE agent MUST check that the source and destination transport
        //# addresses in the Binding request and response are symmetric.
        if pair.link() != link {
            self.counters.asymmetric_responses += 1;
            if !cancelled {
                self.on_check_failed(now, era, check.pair);
            }
            return;
        }
        pair.counters.responses_received += 1;
        match verdict {
            Verdict::Success { mapped } => self.on_check_succeeded(now, era, check, *mapped),
            Verdict::Error(code) if *code == Code::ROLE_CONFLICT => self.on_role_conflict(check),
            Verdict::Error(_) | Verdict::Unknown(_) => {
                debug!(?verdict, "a check was refused");
                if !cancelled {
                    self.on_check_failed(now, era, check.pair);
                }
            }
        }
    }

    /// RFC 8445 §7.2.5.1: the peer keeps its role, we change ours and check again.
    fn on_role_conflict(&mut self, check: &Check) {
        self.counters.role_conflicts += 1;
        if check.fields.role == self.role {
            self.switch_role(self.role.opposite());
            //= rfc8445 §7.2.5.1
            //# The agent MUST change the tiebreaker value.
            self.tie_breaker = self.rng.u64();
        }
        self.current.checklist.trigger(check.pair);
    }

    /// A check ended without success.
    pub(super) fn on_check_failed(&mut self, _now: Instant, era: Era, id: PairId) {
        let Some(generation) = self.generation_mut(era) else { return };
        let nominating = generation.nominating == Some(id);
        if nominating {
            generation.nominating = None;
        }
        let Some(pair) = generation.checklist.get(id) else { return };
        // A valid pair lives by its consent, unless it was this check that was to nominate it (RFC 8445 §7.2.5.3.4).
        if pair.is_valid() && !nominating {
            return;
        }
        debug!(link = ?pair.link(), "a check failed");
        generation.checks.retain(|check| check.pair != id);
        generation.checklist.fail(id);
    }

    fn on_check_succeeded(&mut self, now: Instant, era: Era, check: &Check, mapped: SocketAddr) {
        let Some(base) = self.pair(era, check.pair).map(|pair| pair.link().base) else { return };
        let seen_as = self.local_seen_as(era, base, mapped, check.fields.priority);
        let consent = Consent::new(now, &self.config, &mut *self.rng);
        let role = self.role;
        let Some(generation) = self.generation_mut(era) else { return };
        let Some(pair) = generation.checklist.get_mut(check.pair) else { return };
        if pair.expired {
            return;
        }
        pair.state = PairState::Succeeded;
        pair.send_errors = 0;
        pair.seen_as = seen_as.unwrap_or(pair.seen_as);
        if let Some(round_trip) = check.transaction.round_trip(now) {
            pair.observe_round_trip(round_trip);
        }
        match &mut pair.consent {
            Some(consent) => consent.renew(now),
            None => pair.consent = Some(consent),
        }
        let ours =
            check.fields.nominates && check.fields.role == Role::Controlling && role == Role::Controlling;
        let theirs = std::mem::take(&mut pair.nominate_on_success) && role == Role::Controlled;
        debug!(link = ?pair.link(), ours, theirs, "a check succeeded");
        if ours {
            generation.take_nomination(check.pair);
        }
        generation.first_valid_at.get_or_insert(now);
        if generation.nominating != Some(check.pair) {
            generation.checklist.untrigger(check.pair);
        }
        generation.checks.retain(|other| other.pair != check.pair || other.fields.nominates);
        generation.checklist.unfreeze_like(check.pair);
        self.last_heard = Some(now);
        self.last_answered = Some(now);
        if ours && era == Era::Current {
            self.conclude(now, check.pair);
        } else if theirs && era == Era::Current {
            self.accept_nomination(now, check.pair);
        }
    }

    fn on_consent_response(
        &mut self,
        now: Instant,
        era: Era,
        id: PairId,
        link: Link,
        transaction: TransactionId,
        verdict: &Verdict,
    ) {
        let Some(pair) = self.pair_mut(era, id) else { return };
        // RFC 7675 §5.1: a response must come from the address that the request went to.
        if pair.link() != link {
            self.counters.asymmetric_responses += 1;
            return;
        }
        pair.counters.responses_received += 1;
        match verdict {
            Verdict::Success { .. } => {
                let Some(consent) = &mut pair.consent else { return };
                let Some(answered) = consent.on_response(now, transaction) else { return };
                pair.send_errors = 0;
                pair.observe_round_trip(answered.round_trip);
                self.last_heard = Some(now);
                self.last_answered = Some(now);
                let awaited = era == Era::Current && self.current.nominating == Some(id);
                if answered.nominates && awaited && self.role == Role::Controlling {
                    self.current.take_nomination(id);
                    self.conclude(now, id);
                }
            }
            //= rfc7675 §5.2
            //# Consent for sending application data is immediately revoked by
            //# receipt of an authenticated message that closes the connection (e.g.,
            //# a Transport Layer Security (TLS) fatal alert) or receipt of a valid
            //# and authenticated STUN response with error code Forbidden (403).
            Verdict::Error(code) if *code == Code::FORBIDDEN => {
                pair.expire();
                self.counters.consent_expiries += 1;
            }
            Verdict::Error(_) | Verdict::Unknown(_) => {}
        }
    }
}
