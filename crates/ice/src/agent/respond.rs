//! Checks of the peer (RFC 8445 §7.3).

use super::{Agent, Era, outbound::Reply};
use crate::{
    Candidate, CandidateKind, Event, Foundation, Priority, Role,
    check::{Request, Verdict, split_username},
    checklist::{Link, PairId, PairState},
};
use std::time::Instant;
use stun::{IntegrityKey, Message, attr::Code};

/// Responses that wait to be sent.
const MAX_REPLIES: usize = 64;

/// What a valid check tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Learnt {
    pub(super) link: Link,
    pub(super) priority: Priority,
    pub(super) nominates: bool,
}

impl Agent {
    /// Takes a Binding request. `false` when it is not authenticated: nothing has changed then.
    pub(super) fn respond(&mut self, now: Instant, link: Link, message: &Message<'_>) -> bool {
        let Some((local_ufrag, remote_ufrag)) = split_username(message) else { return false };
        let Some((era, key)) = self.authenticate(local_ufrag, remote_ufrag, message) else { return false };
        let known_base = self.generation(era).is_some_and(|of| of.local_of_base(link.base).is_some());
        if !known_base {
            return false;
        }
        let id = message.transaction_id();
        let request = match Request::read(message) {
            Ok(request) => request,
            Err(verdict) => {
                self.push_reply(Reply { link, id, verdict, key });
                return true;
            }
        };
        if let Some((role, tie_breaker)) = request.role
            && !self.repair_role(role, tie_breaker)
        {
            self.push_reply(Reply { link, id, verdict: Verdict::Error(Code::ROLE_CONFLICT), key });
            return true;
        }
        self.push_reply(Reply { link, id, verdict: Verdict::Success { mapped: link.remote }, key });
        self.heed(now, era, remote_ufrag, link, &request);
        true
    }

    /// The generation that a request is for, and the key its response is signed with.
    fn authenticate(&self, local: &str, remote: &str, message: &Message<'_>) -> Option<(Era, IntegrityKey)> {
        for era in [Era::Current, Era::Previous] {
            let Some(generation) = self.generation(era) else { continue };
            // After a restart of the peer alone both generations have our fragment; then its own decides.
            let other = generation.remote.as_ref().is_some_and(|side| side.credentials.ufrag() != remote);
            let ambiguous = era == Era::Current && self.previous.is_some() && other;
            if generation.failed || generation.credentials.ufrag() != local || ambiguous {
                continue;
            }
            let key = generation.key.as_ref()?;
            if message.verify(key).is_ok() {
                return Some((era, key.clone()));
            }
        }
        None
    }

    //= rfc8445 §7.3.1.1
    //# If the agent's tiebreaker value is larger than or equal to the
    //# contents of the ICE-CONTROLLING attribute, the agent generates
    //# a Binding error response and includes an ERROR-CODE attribute
    //# with a value of 487 (Role Conflict) but retains its role.
    /// `false` when the peer has to give way.
    fn repair_role(&mut self, peer: Role, tie_breaker: u64) -> bool {
        if peer != self.role {
            return true;
        }
        self.counters.role_conflicts += 1;
        let we_stay = match self.role {
            Role::Controlling => self.tie_breaker >= tie_breaker,
            Role::Controlled => self.tie_breaker < tie_breaker,
        };
        debug!(role = %self.role, we_stay, "role conflict");
        if we_stay {
            return false;
        }
        self.switch_role(self.role.opposite());
        true
    }

    /// A conflict has been decided.
    pub(super) fn switch_role(&mut self, role: Role) {
        self.change_role(role);
        self.push_event(Event::RoleChanged(role));
    }

    pub(super) fn change_role(&mut self, role: Role) {
        if self.role == role {
            return;
        }
        self.role = role;
        for generation in std::iter::once(&mut self.current).chain(&mut self.previous) {
            generation.checklist.set_role(role);
            generation.nominating = None;
        }
    }

    /// Acts on a request that was answered with success.
    fn heed(&mut self, now: Instant, era: Era, remote_ufrag: &str, link: Link, request: &Request) {
        let learnt = Learnt { link, priority: request.priority, nominates: request.nominates };
        let Some(generation) = self.generation_mut(era) else { return };
        match &generation.remote {
            None => generation.remember_early(crate::generation::EarlyCheck {
                link,
                ufrag: remote_ufrag.to_owned(),
                priority: request.priority,
                nominates: request.nominates,
            }),
            // Answered, but of a generation of the peer that we do not know.
            Some(remote) if remote.credentials.ufrag() != remote_ufrag => {}
            Some(_) if era == Era::Current => self.learn(now, &learnt),
            Some(_) => {
                if let Some(pair) = generation.checklist.find_mut(link).filter(|pair| pair.may_receive()) {
                    pair.counters.requests_received += 1;
                    self.last_heard = Some(now);
                }
            }
        }
    }

    /// RFC 8445 §7.3.1.3 to §7.3.1.5: learns the address, triggers a check, takes the nomination.
    pub(super) fn learn(&mut self, now: Instant, learnt: &Learnt) {
        let Some(id) = self.pair_for(now, learnt) else { return };
        let role = self.role;
        let Some(pair) = self.current.checklist.get_mut(id) else { return };
        if pair.expired {
            // RFC 7675 §5.1: these credentials are spent on this path.
            return;
        }
        pair.heard = true;
        pair.counters.requests_received += 1;
        let nominates = learnt.nominates && role == Role::Controlled;
        match pair.state {
            PairState::Succeeded => {
                self.last_heard = Some(now);
                if nominates {
                    self.accept_nomination(now, id);
                }
            }
            PairState::InProgress => {
                pair.nominate_on_success |= nominates;
                self.current.cancel_checks(now, |check| check.pair == id);
                self.current.checklist.trigger(id);
            }
            PairState::Frozen | PairState::Waiting | PairState::Failed => {
                pair.nominate_on_success |= nominates;
                self.current.checklist.trigger(id);
            }
        }
    }

    /// The pair that a check came over; made, with its remote candidate, if it is new.
    fn pair_for(&mut self, now: Instant, learnt: &Learnt) -> Option<PairId> {
        if let Some(pair) = self.current.checklist.find(learnt.link) {
            return Some(pair.id());
        }
        let address = learnt.link.remote;
        let known =
            self.current.remotes.iter().find(|remote| remote.address == Some(address)).map(|of| of.id);
        let remote = match known {
            Some(remote) => remote,
            None if !self.current.make_room_for_learnt() => return None,
            None => {
                let foundation = Foundation::from_number(0);
                let kind = CandidateKind::PeerReflexive;
                let candidate = Candidate::new(foundation, learnt.priority, kind, address);
                debug!(%address, "learnt a peer-reflexive candidate");
                self.current.add_remote(candidate, Some(address))
            }
        };
        let local = self.current.local_of_base(learnt.link.base)?.id;
        self.add_triggered_pair(now, local, remote)
    }

    fn push_reply(&mut self, reply: Reply) {
        if self.replies.len() < MAX_REPLIES {
            self.replies.push_back(reply);
        } else {
            self.counters.responses_dropped += 1;
        }
    }
}
