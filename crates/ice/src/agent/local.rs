//! Our side: candidates out of what gathering found, restarts.

use super::{Agent, Era, Selected};
use crate::{
    Candidate, CandidateKind, Credentials, Event, Foundation, GatheringState, HostAddresses, TransportPolicy,
    candidate::{FoundationKey, LocalPreference, candidate_priority},
    checklist::{Base, Pair, RelayId},
    gather::Found,
    generation::{Generation, LocalCandidate, LocalId},
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Instant,
};

/// The port that stands for "not told" (RFC 8839 §5.1).
const HIDDEN_PORT: u16 = 9;

impl Agent {
    /// Makes candidates of what gathering found.
    pub(super) fn take_found(&mut self, now: Instant) {
        while let Some(found) = self.gatherer.poll_found(now, &mut *self.rng) {
            match found {
                Found::Host { socket } => self.add_host(now, socket),
                Found::Reflexive { socket, server, mapped } => self.add_reflexive(socket, server, mapped),
                Found::Relayed { id } => self.add_relayed(now, id),
                Found::RelayLost { id } => self.remove_base(Base::Relay(id)),
                Found::PermissionRefused { id, ip } => self.fail_links_to(id, ip),
                Found::Failed(failure) => {
                    debug!(url = %failure.url, code = failure.code, "gathering from a server failed");
                    self.push_event(Event::GatherFailed(failure));
                }
            }
        }
    }

    pub(super) fn remove_socket(&mut self, address: SocketAddr) {
        let lost = self.gatherer.remove_socket(address);
        self.remove_base(Base::Host(address));
        for relay in lost {
            self.remove_base(Base::Relay(relay));
        }
        self.replies.retain(|reply| reply.link.base != Base::Host(address));
    }

    /// Puts a new generation in the place of the current one, which stays only while it carries data.
    pub(super) fn begin_generation(&mut self, now: Instant, credentials: Credentials) {
        let new = Generation::new(&self.config, &self.provider, credentials);
        let mut old = std::mem::replace(&mut self.current, new);
        match self.selected {
            Some(selected) if selected.era == Era::Current => {
                old.cancel_checks(now, |_| true);
                old.checks.clear();
                old.early.clear();
                old.remove_pairs(|pair| !pair.may_receive());
                self.previous = Some(old);
                self.selected = Some(Selected { era: Era::Previous, ..selected });
            }
            Some(_) => {}
            None => self.previous = None,
        }
        self.prune_at = None;
        self.fail_at = None;
        self.restarted = true;
    }

    pub(super) fn update_gathering(&mut self) {
        if self.gathering == GatheringState::Gathering && self.gatherer.is_complete() {
            let ufrag = self.current.credentials.ufrag().to_owned();
            self.push_event(Event::GatheringComplete { ufrag });
            self.set_gathering(GatheringState::Complete);
        }
    }

    pub(super) fn set_gathering(&mut self, state: GatheringState) {
        if self.gathering != state {
            self.gathering = state;
            self.push_event(Event::GatheringStateChanged(state));
        }
    }

    /// The local candidate that the peer sees when it sees `mapped`; a peer-reflexive one if none is known
    /// (RFC 8445 §7.2.5.3.1).
    pub(super) fn local_seen_as(
        &mut self,
        era: Era,
        base: Base,
        mapped: SocketAddr,
        priority: crate::Priority,
    ) -> Option<LocalId> {
        let generation = self.generation(era)?;
        let is_it = |address: SocketAddr| address.ip() == mapped.ip() && address.port() == mapped.port();
        let known = generation.locals.iter().find(|local| local.base == base && is_it(local.address));
        if let Some(known) = known {
            return Some(known.id);
        }
        let base_candidate = generation.local_of_base(base)?;
        let (preference, base_address) = (base_candidate.preference, base_candidate.address);
        let kind = CandidateKind::PeerReflexive;
        let foundation =
            self.foundations.number(FoundationKey { kind, base: base_address.ip(), server: None });
        let candidate = Candidate::new(Foundation::from_number(foundation), priority, kind, mapped);
        let candidate = self.with_related(candidate, base_address);
        let candidate = candidate.with_ufrag(self.generation(era)?.credentials.ufrag());
        self.generation_mut(era)?.add_local(|id| LocalCandidate {
            id,
            candidate,
            address: mapped,
            base,
            foundation,
            preference,
        })
    }

    fn add_host(&mut self, now: Instant, address: SocketAddr) {
        let Some(socket) = self.gatherer.socket(address) else { return };
        let preference = socket.preference;
        let draft = Draft { kind: CandidateKind::Host, address, base: Base::Host(address), preference };
        let key = FoundationKey { kind: draft.kind, base: address.ip(), server: None };
        let name = self.name_for(address.ip());
        let id = self.add_candidate(&draft, key, |candidate| match name {
            Some(name) => candidate.with_name(name),
            None => candidate,
        });
        if let Some(id) = id {
            self.pair_local(now, id);
        }
    }

    fn add_reflexive(&mut self, base: SocketAddr, server: usize, mapped: SocketAddr) {
        let (Some(socket), Some(details)) = (self.gatherer.socket(base), self.gatherer.server(server)) else {
            return;
        };
        if mapped.ip().is_unspecified() || mapped.port() == 0 || mapped.is_ipv4() != base.is_ipv4() {
            return;
        }
        let draft = Draft {
            kind: CandidateKind::ServerReflexive,
            address: mapped,
            base: Base::Host(base),
            preference: socket.preference.with_server(server as u16),
        };
        let key = FoundationKey { kind: draft.kind, base: base.ip(), server: details.address_for(base) };
        let url = details.url().to_string();
        let related = self.related(base);
        // Not paired: its base is, and would take its place (RFC 8445 §6.1.2.4).
        self.add_candidate(&draft, key, |candidate| {
            candidate.with_related(related.ip(), related.port()).with_url(Some(url))
        });
    }

    fn add_relayed(&mut self, now: Instant, id: RelayId) {
        let Some(relay) = self.gatherer.relay(id) else { return };
        let (Some(relayed), mapped, server) = (relay.relayed(), relay.mapped(), relay.server()) else {
            return;
        };
        let (base, server_address) = (relay.socket(), relay.server_address());
        let (Some(socket), Some(details)) = (self.gatherer.socket(base), self.gatherer.server(server)) else {
            return;
        };
        let draft = Draft {
            kind: CandidateKind::Relayed,
            address: relayed,
            base: Base::Relay(id),
            preference: socket.preference.with_server(server as u16),
        };
        let key = FoundationKey { kind: draft.kind, base: base.ip(), server: Some(server_address) };
        let url = details.url().to_string();
        let related = self.related(mapped.unwrap_or(relayed));
        let added = self.add_candidate(&draft, key, |candidate| {
            candidate.with_related(related.ip(), related.port()).with_url(Some(url))
        });
        if let Some(added) = added {
            self.pair_local(now, added);
        }
        if let Some(mapped) = mapped.filter(|_| self.config.policy == TransportPolicy::All) {
            self.add_reflexive(base, server, mapped);
        }
    }

    fn add_candidate(
        &mut self,
        draft: &Draft,
        key: FoundationKey,
        finish: impl FnOnce(Candidate) -> Candidate,
    ) -> Option<LocalId> {
        let foundation = self.foundations.number(key);
        let priority = candidate_priority(draft.kind, draft.preference);
        let candidate =
            Candidate::new(Foundation::from_number(foundation), priority, draft.kind, draft.address);
        let candidate = finish(candidate.with_ufrag(self.current.credentials.ufrag()));
        let signalled = candidate.clone();
        let id = self.current.add_local(|id| LocalCandidate {
            id,
            candidate,
            address: draft.address,
            base: draft.base,
            foundation,
            preference: draft.preference,
        })?;
        self.push_event(Event::LocalCandidate(signalled));
        Some(id)
    }

    fn with_related(&self, candidate: Candidate, address: SocketAddr) -> Candidate {
        let related = self.related(address);
        candidate.with_related(related.ip(), related.port())
    }

    /// The related address to signal: blank when addresses are hidden (RFC 8839 §5.1, RFC 8828 §5).
    fn related(&self, address: SocketAddr) -> SocketAddr {
        if self.config.host_addresses == HostAddresses::Plain && self.config.policy == TransportPolicy::All {
            return address;
        }
        let blank: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        SocketAddr::new(blank, HIDDEN_PORT)
    }

    /// The name that hides an address, if addresses are to be hidden.
    fn name_for(&mut self, address: IpAddr) -> Option<String> {
        if self.config.host_addresses == HostAddresses::Plain {
            return None;
        }
        if let Some((_, name)) = self.names.iter().find(|(known, _)| *known == address) {
            return Some(name.clone());
        }
        let name = random_name(&mut *self.rng);
        self.names.push((address, name.clone()));
        self.push_event(Event::PublishName { name: name.clone(), address });
        Some(name)
    }

    pub(super) fn withdraw_names(&mut self) {
        for (_, name) in std::mem::take(&mut self.names) {
            self.push_event(Event::WithdrawName { name });
        }
    }

    fn remove_base(&mut self, base: Base) {
        self.current.remove_base(base);
        if let Some(previous) = &mut self.previous {
            previous.remove_base(base);
        }
    }

    /// The relay may not send to a peer.
    fn fail_links_to(&mut self, id: RelayId, ip: IpAddr) {
        for generation in std::iter::once(&mut self.current).chain(&mut self.previous) {
            let hit = |pair: &&Pair| pair.link().base == Base::Relay(id) && pair.link().remote.ip() == ip;
            let pairs: Vec<_> = generation.checklist.iter().filter(hit).map(Pair::id).collect();
            generation.checks.retain(|check| !pairs.contains(&check.pair));
            for pair in pairs {
                generation.checklist.fail(pair);
            }
        }
    }
}

/// A candidate before it has a number.
struct Draft {
    kind: CandidateKind,
    address: SocketAddr,
    base: Base,
    preference: LocalPreference,
}

/// A random UUID (RFC 9562 §5.4) under `.local` (draft-ietf-mmusic-mdns-ice-candidates §3.1.1).
fn random_name(rng: &mut dyn crypto::Random) -> String {
    let bits = u128::from_be_bytes(rng.bytes());
    let uuid = bits & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}.local",
        uuid >> 96,
        (uuid >> 80) & 0xffff,
        (uuid >> 64) & 0xffff,
        (uuid >> 48) & 0xffff,
        uuid & 0xffff_ffff_ffff
    )
}
