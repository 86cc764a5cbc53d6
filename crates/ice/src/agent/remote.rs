//! The peer's side: credentials, candidates, names.

use super::{Agent, respond::Learnt};
use crate::{
    AddCandidateError, Candidate, CandidateAddress, CandidateKind, CandidateTransport, Credentials, Event,
    candidate::COMPONENT,
    checklist::{Base, PairId},
    gather::is_usable,
    generation::{LocalId, RemoteId},
};
use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

/// Names asked for at the same time.
const MAX_LOOKUPS: usize = 8;

impl Agent {
    pub(super) fn accept_remote_credentials(&mut self, now: Instant, credentials: Credentials) {
        match &self.current.remote {
            Some(remote) if remote.credentials == credentials => return,
            // The peer restarted and we did not: the same credentials of ours, everything of the peer's anew.
            Some(_) => {
                let ours = self.current.credentials.clone();
                let mut locals = std::mem::take(&mut self.current.locals);
                locals.retain(|local| local.candidate.kind() != CandidateKind::PeerReflexive);
                self.begin_generation(now, ours);
                for local in locals {
                    self.current.add_local(|id| crate::generation::LocalCandidate { id, ..local });
                }
            }
            None => {}
        }
        let ufrag = credentials.ufrag().to_owned();
        self.current.set_remote(&self.provider, credentials);
        self.current.started_at = Some(now);
        self.current.signalled_at = Some(now);
        // Candidates that came first may be of another generation.
        self.current.remotes.retain(|remote| remote.candidate.ufrag().is_none_or(|of| of == ufrag));
        let remotes: Vec<_> = self.current.remotes.iter().map(|remote| remote.id).collect();
        for remote in remotes {
            self.pair_remote(now, remote);
        }
        // RFC 8445 §7.3: what came before is now to be acted upon.
        for early in std::mem::take(&mut self.current.early) {
            if early.ufrag == ufrag {
                let learnt =
                    Learnt { link: early.link, priority: early.priority, nominates: early.nominates };
                self.learn(now, &learnt);
            }
        }
    }

    pub(super) fn accept_remote_candidate(
        &mut self,
        now: Instant,
        candidate: Candidate,
    ) -> Result<(), AddCandidateError> {
        if self.current.remote_end {
            return Err(AddCandidateError::AfterEnd);
        }
        let expected = self.current.remote.as_ref().map(|remote| remote.credentials.ufrag());
        if let (Some(expected), Some(ufrag)) = (expected, candidate.ufrag())
            && expected != ufrag
        {
            return Err(AddCandidateError::UnknownUfrag);
        }
        self.current.signalled_at = Some(now);
        if !self.is_useful(&candidate) {
            return Ok(());
        }
        match candidate.address().clone() {
            CandidateAddress::Ip(ip) => {
                let address = SocketAddr::new(ip.to_canonical(), candidate.port());
                self.add_remote_address(now, candidate, address)
            }
            CandidateAddress::Name(name) => self.add_remote_name(candidate, &name),
        }
    }

    pub(super) fn accept_resolution(&mut self, now: Instant, name: &str, address: Option<IpAddr>) {
        let is_it = |candidate: &Candidate| match candidate.address() {
            CandidateAddress::Name(known) => known.eq_ignore_ascii_case(name),
            CandidateAddress::Ip(_) => false,
        };
        let mut waiting = Vec::new();
        self.current.remotes.retain(|remote| {
            let hit = remote.address.is_none() && is_it(&remote.candidate);
            if hit {
                waiting.push(remote.candidate.clone());
            }
            !hit
        });
        for candidate in waiting {
            let address = address.map(|ip| SocketAddr::new(ip.to_canonical(), candidate.port()));
            match address.filter(|address| is_usable(*address, &self.config)) {
                // The place it had is free again, so the limit cannot be hit.
                Some(address) => drop(self.add_remote_address(now, candidate, address)),
                None => self.counters.unresolved_candidates += 1,
            }
        }
    }

    /// Asks for names, a few at a time, each once.
    pub(super) fn ask_names(&mut self, now: Instant) {
        if self.current.failed {
            return;
        }
        let until = now + self.config.resolve_timeout;
        let mut asked: Vec<String> = Vec::new();
        for remote in self.current.remotes.iter().filter(|remote| remote.asked_until.is_some()) {
            asked.extend(unresolved_name(&remote.candidate, remote.address));
        }
        asked.dedup();
        let mut questions = Vec::new();
        for remote in self.current.remotes.iter_mut().filter(|remote| remote.asked_until.is_none()) {
            let Some(name) = unresolved_name(&remote.candidate, remote.address) else { continue };
            if asked.contains(&name) {
                remote.asked_until = Some(until);
            } else if asked.len() < MAX_LOOKUPS {
                remote.asked_until = Some(until);
                asked.push(name.clone());
                questions.push(name);
            }
        }
        for name in questions {
            self.push_event(Event::Resolve { name });
        }
    }

    /// Drops candidates whose names stayed unresolved.
    pub(super) fn expire_names(&mut self, now: Instant) {
        let before = self.current.remotes.len();
        self.current
            .remotes
            .retain(|remote| remote.address.is_some() || remote.asked_until.is_none_or(|until| until > now));
        self.counters.unresolved_candidates += (before - self.current.remotes.len()) as u64;
    }

    /// Pairs a new candidate of ours with all of the peer's (RFC 8838 §10).
    pub(super) fn pair_local(&mut self, now: Instant, local: LocalId) {
        let remotes: Vec<_> = self.current.remotes.iter().map(|remote| remote.id).collect();
        for remote in remotes {
            self.add_pair(now, local, remote);
        }
    }

    /// Pairs a new candidate of the peer with all of ours (RFC 8838 §11).
    pub(super) fn pair_remote(&mut self, now: Instant, remote: RemoteId) {
        let locals: Vec<_> = self.current.locals.iter().map(|local| local.id).collect();
        for local in locals {
            self.add_pair(now, local, remote);
        }
    }

    pub(super) fn add_pair(&mut self, now: Instant, local: LocalId, remote: RemoteId) -> Option<PairId> {
        if self.current.remote.is_none() || self.current.failed {
            return None;
        }
        // RFC 8445 §8.1.2: once nominated, only what the peer triggers is still checked.
        if self.is_concluded() {
            return None;
        }
        self.add_triggered_pair(now, local, remote)
    }

    /// Adds a pair in whatever state the checklist is.
    pub(super) fn add_triggered_pair(
        &mut self,
        now: Instant,
        local: LocalId,
        remote: RemoteId,
    ) -> Option<PairId> {
        let pair = self.current.pair(self.role, local, remote)?;
        let link = self.current.checklist.get(pair)?.link();
        // Something new to try before the loss of the last valid pair becomes final.
        self.fail_at = self.fail_at.map(|at| at.max(now + self.config.patience));
        if let Base::Relay(id) = link.base
            && let Some(relay) = self.gatherer.relay_mut(id)
        {
            // RFC 8445 §7.2.1: the permission comes before the check.
            relay.permit(now, link.remote);
        }
        Some(pair)
    }

    /// Counts what can never work.
    fn is_useful(&mut self, candidate: &Candidate) -> bool {
        match candidate.transport() {
            CandidateTransport::Udp => {}
            CandidateTransport::Tcp => {
                self.counters.tcp_candidates += 1;
                return false;
            }
            CandidateTransport::Other(_) => {
                self.counters.useless_candidates += 1;
                return false;
            }
        }
        let useful = candidate.component() == COMPONENT
            && match candidate.address() {
                CandidateAddress::Ip(ip) => {
                    is_usable(SocketAddr::new(ip.to_canonical(), candidate.port()), &self.config)
                }
                CandidateAddress::Name(name) => self.is_resolvable(name) && candidate.port() != 0,
            };
        self.counters.useless_candidates += u64::from(!useful);
        useful
    }

    /// Only `.local` names are resolved: asking a name server would tell it, and whoever chose the name, about us.
    fn is_resolvable(&self, name: &str) -> bool {
        let local = name.len().checked_sub(6).and_then(|at| name.get(at..));
        cfg!(feature = "mdns")
            && self.config.policy == crate::TransportPolicy::All
            && name.len() > 6
            && local.is_some_and(|end| end.eq_ignore_ascii_case(".local"))
    }

    fn add_remote_name(&mut self, candidate: Candidate, name: &str) -> Result<(), AddCandidateError> {
        let known = self.current.remotes.iter().any(|remote| {
            remote.candidate.port() == candidate.port()
                && matches!(remote.candidate.address(),
                    CandidateAddress::Name(known) if known.eq_ignore_ascii_case(name))
        });
        if !known {
            self.check_limit()?;
            self.current.add_remote(candidate, None);
        }
        Ok(())
    }

    fn add_remote_address(
        &mut self,
        now: Instant,
        candidate: Candidate,
        address: SocketAddr,
    ) -> Result<(), AddCandidateError> {
        let known = self.current.remotes.iter().find(|remote| remote.address == Some(address));
        if let Some((id, kind)) = known.map(|remote| (remote.id, remote.candidate.kind())) {
            // RFC 8445 §7.3.1.3: the signalled candidate takes the place of the learnt one.
            if kind == CandidateKind::PeerReflexive {
                self.upgrade_remote(id, candidate);
            }
            return Ok(());
        }
        self.check_limit()?;
        let id = self.current.add_remote(candidate, Some(address));
        self.pair_remote(now, id);
        Ok(())
    }

    fn upgrade_remote(&mut self, id: RemoteId, candidate: Candidate) {
        let (foundation, priority) = (self.current.remote_foundation(&candidate), candidate.priority());
        for remote in self.current.remotes.iter_mut().filter(|remote| remote.id == id) {
            remote.candidate = candidate.clone();
            remote.foundation = foundation;
        }
        for pair in self.current.checklist.iter_mut().filter(|pair| pair.remote() == id) {
            pair.set_remote(priority, foundation);
        }
    }

    fn check_limit(&self) -> Result<(), AddCandidateError> {
        if self.current.has_room_for_signalled() {
            return Ok(());
        }
        Err(AddCandidateError::LimitReached { limit: self.config.max_remote_candidates })
    }
}

fn unresolved_name(candidate: &Candidate, address: Option<SocketAddr>) -> Option<String> {
    match candidate.address() {
        CandidateAddress::Name(name) if address.is_none() => Some(name.to_ascii_lowercase()),
        CandidateAddress::Name(_) | CandidateAddress::Ip(_) => None,
    }
}
