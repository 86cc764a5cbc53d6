//! One generation: what belongs to one pair of credentials, from one restart to the next (RFC 8445 §9).

use crate::{
    Candidate, CandidateKind, Config, Credentials, Priority, Role,
    candidate::LocalPreference,
    check::Check,
    checklist::{Base, Checklist, Link, Pair, PairEnds, PairId},
};
use crypto::Provider;
use std::{net::SocketAddr, time::Instant};
use stun::IntegrityKey;

/// Checks remembered that came before the peer's credentials.
const MAX_EARLY: usize = 16;

/// Addresses learnt from checks, beside the signalled candidates.
const MAX_LEARNT: usize = 32;

/// Local candidates of all kinds.
const MAX_LOCAL: usize = 256;

/// A local candidate within its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalId(pub(crate) u32);

/// A remote candidate within its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RemoteId(pub(crate) u32);

#[derive(Clone, Debug)]
pub(crate) struct LocalCandidate {
    pub(crate) id: LocalId,
    /// As signalled: the address may be hidden.
    pub(crate) candidate: Candidate,
    pub(crate) address: SocketAddr,
    pub(crate) base: Base,
    pub(crate) foundation: u32,
    pub(crate) preference: LocalPreference,
}

#[derive(Debug)]
pub(crate) struct RemoteCandidate {
    pub(crate) id: RemoteId,
    pub(crate) candidate: Candidate,
    /// Absent while the name is not resolved.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) foundation: u32,
    /// Until when the answer to a name is waited for; absent while not asked.
    pub(crate) asked_until: Option<Instant>,
}

/// What the peer signalled.
#[derive(Debug)]
pub(crate) struct RemoteSide {
    pub(crate) credentials: Credentials,
    pub(crate) key: Option<IntegrityKey>,
    /// USERNAME of our requests.
    pub(crate) username: String,
}

/// A valid request that came before the peer's credentials (RFC 8445 §7.3).
#[derive(Debug)]
pub(crate) struct EarlyCheck {
    pub(crate) link: Link,
    pub(crate) ufrag: String,
    pub(crate) priority: Priority,
    pub(crate) nominates: bool,
}

#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) credentials: Credentials,
    /// Absent only when the provider has no HMAC: then nothing can be authenticated.
    pub(crate) key: Option<IntegrityKey>,
    pub(crate) remote: Option<RemoteSide>,
    pub(crate) locals: Vec<LocalCandidate>,
    pub(crate) remotes: Vec<RemoteCandidate>,
    pub(crate) remote_end: bool,
    pub(crate) checklist: Checklist,
    pub(crate) checks: Vec<Check>,
    pub(crate) early: Vec<EarlyCheck>,
    /// When checks could start: credentials and a candidate of the peer were known (RFC 8863 §4).
    pub(crate) started_at: Option<Instant>,
    /// When something last came from signalling.
    pub(crate) signalled_at: Option<Instant>,
    pub(crate) first_valid_at: Option<Instant>,
    /// The pair that we are nominating.
    pub(crate) nominating: Option<PairId>,
    /// The pair whose nomination is said twice, so that the peer leaves the one nominated before.
    pub(crate) confirm: Option<PairId>,
    /// When a pair was first nominated.
    pub(crate) concluded_at: Option<Instant>,
    /// Given up: nothing is sent, answered or accepted any more (RFC 7675 §5.1).
    pub(crate) failed: bool,
    /// When a generation that was replaced is forgotten.
    pub(crate) retire_at: Option<Instant>,
    remote_foundations: Vec<String>,
    next_local: u32,
    next_remote: u32,
    max_signalled: usize,
}

impl Generation {
    pub(crate) fn new(config: &Config, provider: &Provider, credentials: Credentials) -> Self {
        Self {
            key: IntegrityKey::new(provider, credentials.pwd().as_bytes()).ok(),
            credentials,
            remote: None,
            locals: Vec::new(),
            remotes: Vec::new(),
            remote_end: false,
            checklist: Checklist::new(config.max_pairs),
            checks: Vec::new(),
            early: Vec::new(),
            started_at: None,
            signalled_at: None,
            first_valid_at: None,
            nominating: None,
            confirm: None,
            concluded_at: None,
            failed: false,
            retire_at: None,
            remote_foundations: Vec::new(),
            next_local: 0,
            next_remote: 0,
            max_signalled: config.max_remote_candidates,
        }
    }

    pub(crate) fn set_remote(&mut self, provider: &Provider, credentials: Credentials) {
        let username = format!("{}:{}", credentials.ufrag(), self.credentials.ufrag());
        let key = IntegrityKey::new(provider, credentials.pwd().as_bytes()).ok();
        self.remote = Some(RemoteSide { credentials, key, username });
    }

    /// Adds a local candidate unless it is redundant (RFC 8445 §5.1.3): same base and same address.
    pub(crate) fn add_local(&mut self, make: impl FnOnce(LocalId) -> LocalCandidate) -> Option<LocalId> {
        let id = LocalId(self.next_local);
        let new = make(id);
        let redundant = self.locals.iter().any(|old| old.base == new.base && old.address == new.address);
        if redundant || self.locals.len() >= MAX_LOCAL {
            return None;
        }
        self.next_local = self.next_local.wrapping_add(1);
        self.locals.push(new);
        Some(id)
    }

    pub(crate) fn local(&self, id: LocalId) -> Option<&LocalCandidate> {
        self.locals.iter().find(|local| local.id == id)
    }

    /// The candidate that pairs are made of: the host or relayed one of a base.
    pub(crate) fn local_of_base(&self, base: Base) -> Option<&LocalCandidate> {
        self.locals.iter().find(|local| local.base == base && is_base_kind(local.candidate.kind()))
    }

    pub(crate) fn remote_candidate(&self, id: RemoteId) -> Option<&RemoteCandidate> {
        self.remotes.iter().find(|remote| remote.id == id)
    }

    /// Signalled candidates, for the limit.
    pub(crate) fn signalled(&self) -> usize {
        self.remotes.iter().filter(|remote| remote.candidate.kind() != CandidateKind::PeerReflexive).count()
    }

    pub(crate) fn has_room_for_signalled(&self) -> bool {
        self.signalled() < self.max_signalled
    }

    /// Adds a remote candidate; the caller has checked limits and duplicates.
    pub(crate) fn add_remote(&mut self, candidate: Candidate, address: Option<SocketAddr>) -> RemoteId {
        let id = RemoteId(self.next_remote);
        self.next_remote = self.next_remote.wrapping_add(1);
        let foundation = self.remote_foundation(&candidate);
        self.remotes.push(RemoteCandidate { id, candidate, address, foundation, asked_until: None });
        id
    }

    /// A number for the foundation of a remote candidate; learnt ones share it with none (RFC 8445 §7.3.1.3).
    pub(crate) fn remote_foundation(&mut self, candidate: &Candidate) -> u32 {
        let text = candidate.foundation().as_str();
        let known = self.remote_foundations.iter().position(|known| known == text);
        let place = known.filter(|_| candidate.kind() != CandidateKind::PeerReflexive).unwrap_or_else(|| {
            // A learnt candidate gets a text that no signalled one can have.
            let learnt = candidate.kind() == CandidateKind::PeerReflexive;
            self.remote_foundations.push(if learnt { String::new() } else { text.to_owned() });
            self.remote_foundations.len() - 1
        });
        place as u32
    }

    /// Makes room for an address learnt from a check: forgets the oldest one that leads nowhere.
    pub(crate) fn make_room_for_learnt(&mut self) -> bool {
        let learnt = |remote: &&RemoteCandidate| remote.candidate.kind() == CandidateKind::PeerReflexive;
        if self.remotes.iter().filter(learnt).count() < MAX_LEARNT {
            return true;
        }
        let checklist = &self.checklist;
        let in_use = |id| checklist.iter().any(|pair| pair.remote() == id && pair.is_valid());
        let Some(oldest) = self.remotes.iter().filter(learnt).map(|remote| remote.id).find(|id| !in_use(*id))
        else {
            return false;
        };
        self.remotes.retain(|remote| remote.id != oldest);
        self.remove_pairs(|pair| pair.remote() == oldest);
        true
    }

    /// Pairs one base with one remote candidate, if they can work together.
    pub(crate) fn pair(&mut self, role: Role, local: LocalId, remote: RemoteId) -> Option<PairId> {
        let local = self.locals.iter().find(|candidate| candidate.id == local)?;
        let remote = self.remotes.iter().find(|candidate| candidate.id == remote)?;
        let address = remote.address?;
        if !is_base_kind(local.candidate.kind()) || !can_pair(local.address, address) {
            return None;
        }
        let ends = PairEnds {
            link: Link { base: local.base, remote: address },
            local: local.id,
            local_foundation: local.foundation,
            local_priority: local.candidate.priority(),
            remote: remote.id,
            remote_foundation: remote.foundation,
            remote_priority: remote.candidate.priority(),
        };
        let id = self.checklist.insert(role, ends)?;
        // A full list may have dropped another pair for this one.
        self.drop_orphans();
        Some(id)
    }

    pub(crate) fn remember_early(&mut self, check: EarlyCheck) {
        if let Some(known) = self.early.iter_mut().find(|known| known.link == check.link) {
            known.nominates |= check.nominates;
        } else if self.early.len() < MAX_EARLY {
            self.early.push(check);
        }
    }

    /// Whether an authenticated check came over it before we knew the peer.
    pub(crate) fn is_early(&self, link: Link) -> bool {
        self.early.iter().any(|check| check.link == link)
    }

    /// Removes pairs and what hangs on them.
    pub(crate) fn remove_pairs(&mut self, gone: impl Fn(&Pair) -> bool) {
        self.checklist.remove_if(gone);
        self.drop_orphans();
    }

    /// A base is gone: its candidates and pairs go with it.
    pub(crate) fn remove_base(&mut self, base: Base) {
        self.locals.retain(|local| local.base != base);
        self.early.retain(|early| early.link.base != base);
        self.remove_pairs(|pair| pair.link().base == base);
    }

    /// RFC 8445 §8.1.2: no retransmission, no failure, but a late response still counts.
    pub(crate) fn cancel_checks(&mut self, now: Instant, of: impl Fn(&Check) -> bool) {
        for check in self.checks.iter_mut().filter(|check| of(check)) {
            check.cancel(now);
        }
    }

    /// Our nomination of a pair was accepted: it is the only one.
    pub(crate) fn take_nomination(&mut self, id: PairId) {
        self.nominating = None;
        self.checklist.untrigger(id);
        self.checks.retain(|check| check.pair != id);
        for pair in self.checklist.iter_mut() {
            pair.nominated = pair.id() == id;
        }
        if self.confirm.take() == Some(id) {
            self.nominating = Some(id);
            self.checklist.trigger(id);
        }
    }

    /// Ends the generation: no pair carries or accepts anything any more.
    pub(crate) fn abandon(&mut self) {
        self.failed = true;
        self.checks.clear();
        self.early.clear();
        self.nominating = None;
        let ids: Vec<_> = self.checklist.iter().map(Pair::id).collect();
        for id in ids {
            self.checklist.fail(id);
        }
    }

    /// The best valid pair by `rank`, the first of equals.
    pub(crate) fn best_valid<K: Ord>(&self, rank: impl Fn(&Pair) -> K) -> Option<&Pair> {
        let valid = self.checklist.iter().filter(|pair| pair.is_valid());
        valid.max_by_key(|pair| (rank(pair), std::cmp::Reverse(pair.id())))
    }

    fn drop_orphans(&mut self) {
        let checklist = &self.checklist;
        self.checks.retain(|check| checklist.get(check.pair).is_some());
        if self.nominating.is_some_and(|id| checklist.get(id).is_none()) {
            self.nominating = None;
        }
    }
}

fn is_base_kind(kind: CandidateKind) -> bool {
    matches!(kind, CandidateKind::Host | CandidateKind::Relayed)
}

/// RFC 8445 §6.1.2.2: the same family, and link-local only with link-local. A peer's loopback address is tried from
/// loopback only; the other way round, a peer on this machine may well send from another of its addresses.
pub(crate) fn can_pair(local: SocketAddr, remote: SocketAddr) -> bool {
    let (local, remote) = (local.ip(), remote.ip());
    local.is_ipv4() == remote.is_ipv4()
        && is_link_local(local) == is_link_local(remote)
        && (local.is_loopback() || !remote.is_loopback())
}

/// IPv6 link-local; the IPv4 range of that name may be on the same wire as other addresses.
fn is_link_local(ip: std::net::IpAddr) -> bool {
    matches!(ip, std::net::IpAddr::V6(ip) if ip.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8445 §6.1.2.2.
    #[test]
    fn ice_linklocal_v6_never_paired_with_other_scope() {
        let address = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let cases = [
            ("10.0.0.1:1", "10.0.0.2:2", true),
            ("10.0.0.1:1", "[2001:db8::1]:2", false),
            ("[fe80::1]:1", "[fe80::2]:2", true),
            ("[fe80::1]:1", "[2001:db8::1]:2", false),
            ("[2001:db8::1]:1", "[fe80::2]:2", false),
            ("127.0.0.1:1", "127.0.0.1:2", true),
            ("127.0.0.1:1", "10.0.0.2:2", true),
            ("10.0.0.1:1", "127.0.0.1:2", false),
        ];
        for (local, remote, expected) in cases {
            assert_eq!(can_pair(address(local), address(remote)), expected, "{local} {remote}");
        }
    }
}
