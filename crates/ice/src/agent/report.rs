//! What the agent tells about itself.

use super::{Agent, Era};
use crate::{
    Candidate, CandidatePairState, ConnectionState, GatheringState, PairStats, Stats,
    checklist::{Base, Link, Pair, PairState},
    generation::Generation,
};
use std::time::Duration;
use stun::net::FiveTuple;

/// The pair that carries data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelectedPair {
    /// Our candidate, as the peer sees it and as it is signalled.
    pub local: Candidate,
    /// The peer's candidate; for one learnt from a check, with the address seen.
    pub remote: Candidate,
    /// The socket and the address that datagrams go to; that of the relay when relayed.
    pub path: FiveTuple,
}

impl Agent {
    /// The pair that carries data, if any.
    #[must_use]
    pub fn selected_pair(&self) -> Option<SelectedPair> {
        let selected = self.selected?;
        let generation = self.generation(selected.era)?;
        let pair = generation.checklist.get(selected.pair)?;
        let (local, remote) = candidates_of(generation, pair)?;
        Some(SelectedPair { local, remote, path: self.path_of(selected.link)? })
    }

    /// The path of the selected pair: the socket and the address that datagrams go to; that of the relay when relayed.
    #[must_use]
    pub fn selected_path(&self) -> Option<FiveTuple> {
        self.path_of(self.selected?.link)
    }

    /// The smoothed round-trip time of the selected pair.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        let selected = self.selected?;
        self.pair(selected.era, selected.pair)?.rtt.smoothed()
    }

    /// The state of the connection.
    #[must_use]
    pub fn connection_state(&self) -> ConnectionState {
        self.state
    }

    /// The state of gathering.
    #[must_use]
    pub fn gathering_state(&self) -> GatheringState {
        self.gathering
    }

    /// A snapshot of everything that is counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let describe = |pair: &Pair| self.describe(pair);
        Stats {
            role: self.role,
            connection_state: self.state,
            gathering_state: self.gathering,
            local_candidates: self.current.locals.iter().map(|local| local.candidate.clone()).collect(),
            remote_candidates: self.current.remotes.iter().map(|remote| remote.candidate.clone()).collect(),
            pairs: self.current.checklist.iter().filter_map(describe).collect(),
            selected_pair_changes: self.selected_changes,
            counters: self.counters,
        }
    }

    fn describe(&self, pair: &Pair) -> Option<PairStats> {
        let (local, remote) = candidates_of(&self.current, pair)?;
        Some(PairStats {
            local,
            remote,
            state: match pair.state {
                PairState::Frozen => CandidatePairState::Frozen,
                PairState::Waiting => CandidatePairState::Waiting,
                PairState::InProgress => CandidatePairState::InProgress,
                PairState::Failed => CandidatePairState::Failed,
                PairState::Succeeded => CandidatePairState::Succeeded,
            },
            priority: pair.priority(),
            nominated: pair.nominated,
            selected: self.is_selected(Era::Current, pair.id()),
            counters: pair.counters,
            current_round_trip_time: pair.last_round_trip,
        })
    }

    fn path_of(&self, link: Link) -> Option<FiveTuple> {
        match link.base {
            Base::Host(local) => Some(link.path_from(local)),
            Base::Relay(id) => {
                let relay = self.gatherer.relay(id)?;
                Some(FiveTuple::udp(relay.socket(), relay.server_address()))
            }
        }
    }
}

fn candidates_of(generation: &Generation, pair: &Pair) -> Option<(Candidate, Candidate)> {
    let local = generation.local(pair.seen_as).or_else(|| generation.local(pair.local()))?;
    let remote = generation.remote_candidate(pair.remote())?;
    Some((local.candidate.clone(), remote.candidate.clone()))
}
