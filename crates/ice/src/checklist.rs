//! The checklist: pairs, their states, and which is checked next (RFC 8445 §6.1.2, §6.1.4; RFC 8838 §12).

mod pair;
#[cfg(test)]
mod tests;

pub(crate) use pair::{Base, Link, Pair, PairEnds, PairId, PairState, RelayId};

use crate::Role;
use std::collections::VecDeque;

/// All pairs of one generation.
#[derive(Debug)]
pub(crate) struct Checklist {
    /// In order of creation; there are few, so a search is cheaper than an index.
    pairs: Vec<Pair>,
    /// Pairs to be checked before all others (RFC 8445 §6.1.4.1); no pair twice.
    triggered: VecDeque<PairId>,
    max_pairs: usize,
    next_id: u32,
}

impl Checklist {
    pub(crate) fn new(max_pairs: usize) -> Self {
        Self { pairs: Vec::new(), triggered: VecDeque::new(), max_pairs, next_id: 0 }
    }

    /// Adds a pair, or returns `None` when it is redundant or worse than all of a full list.
    pub(crate) fn insert(&mut self, role: Role, ends: PairEnds) -> Option<PairId> {
        // Reflexive local candidates are never paired here, as their base would replace them (RFC 8445 §6.1.2.4):
        // two pairs are redundant exactly when their links are equal.
        if self.find(ends.link).is_some() {
            return None;
        }
        let mut pair = Pair::new(PairId(self.next_id), role, ends);
        if self.pairs.len() >= self.max_pairs && !self.make_room(pair.priority()) {
            return None;
        }
        self.next_id = self.next_id.wrapping_add(1);
        pair.state = self.initial_state(&pair);
        let id = pair.id();
        self.pairs.push(pair);
        Some(id)
    }

    /// Queues a check that comes before all ordinary ones; a second time it does nothing.
    pub(crate) fn trigger(&mut self, id: PairId) {
        let Some(pair) = self.get_mut(id) else { return };
        if pair.state != PairState::Succeeded {
            pair.state = PairState::Waiting;
        }
        if !self.triggered.contains(&id) {
            self.triggered.push_back(id);
        }
    }

    /// Takes back a triggered check that has become needless.
    pub(crate) fn untrigger(&mut self, id: PairId) {
        self.triggered.retain(|queued| *queued != id);
    }

    /// Whether a triggered check can be sent.
    pub(crate) fn has_triggered(&self, ready: impl Fn(&Pair) -> bool) -> bool {
        self.triggered.iter().any(|id| self.get(*id).is_some_and(&ready))
    }

    /// Takes the pair to be checked now (RFC 8445 §6.1.4.2). `ready` tells whether a pair can be sent on.
    pub(crate) fn take_next(&mut self, ready: impl Fn(&Pair) -> bool) -> Option<PairId> {
        if let Some(place) = self.triggered.iter().position(|id| self.get(*id).is_some_and(&ready)) {
            return self.triggered.remove(place);
        }
        let best = |state| {
            let candidates = self.pairs.iter().filter(|pair| pair.state == state && ready(pair));
            let free =
                candidates.filter(|pair| state == PairState::Waiting || !self.is_foundation_busy(pair));
            free.max_by_key(|pair| (pair.priority(), std::cmp::Reverse(pair.id()))).map(Pair::id)
        };
        best(PairState::Waiting).or_else(|| best(PairState::Frozen))
    }

    /// Whether [`take_next`](Self::take_next) would find one.
    pub(crate) fn has_next(&self, ready: impl Fn(&Pair) -> bool) -> bool {
        self.has_triggered(&ready)
            || self.pairs.iter().any(|pair| match pair.state {
                PairState::Waiting => ready(pair),
                PairState::Frozen => ready(pair) && !self.is_foundation_busy(pair),
                PairState::InProgress | PairState::Succeeded | PairState::Failed => false,
            })
    }

    /// RFC 8445 §7.2.5.3.3: a success unfreezes all of the same foundation.
    pub(crate) fn unfreeze_like(&mut self, id: PairId) {
        let Some(foundation) = self.get(id).map(Pair::foundation) else { return };
        for pair in &mut self.pairs {
            if pair.state == PairState::Frozen && pair.foundation() == foundation {
                pair.state = PairState::Waiting;
            }
        }
    }

    /// Marks a pair as failed for good; a triggered check may still revive it.
    pub(crate) fn fail(&mut self, id: PairId) {
        if let Some(pair) = self.get_mut(id) {
            pair.fail();
        }
        self.untrigger(id);
    }

    /// RFC 8445 §7.3.1.1: priorities depend on the role.
    pub(crate) fn set_role(&mut self, role: Role) {
        for pair in &mut self.pairs {
            pair.set_role(role);
        }
    }

    /// Removes all pairs that `gone` selects.
    pub(crate) fn remove_if(&mut self, gone: impl Fn(&Pair) -> bool) {
        self.pairs.retain(|pair| !gone(pair));
        let pairs = &self.pairs;
        self.triggered.retain(|id| pairs.iter().any(|pair| pair.id() == *id));
    }

    pub(crate) fn find(&self, link: Link) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.link() == link)
    }

    pub(crate) fn find_mut(&mut self, link: Link) -> Option<&mut Pair> {
        self.pairs.iter_mut().find(|pair| pair.link() == link)
    }

    pub(crate) fn get(&self, id: PairId) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.id() == id)
    }

    pub(crate) fn get_mut(&mut self, id: PairId) -> Option<&mut Pair> {
        self.pairs.iter_mut().find(|pair| pair.id() == id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pair> {
        self.pairs.iter_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Checks not yet answered, for the retransmission timeout (RFC 8445 §14.3).
    pub(crate) fn pending(&self) -> usize {
        self.pairs
            .iter()
            .filter(|pair| matches!(pair.state, PairState::Waiting | PairState::InProgress))
            .count()
    }

    /// Whether no check is still to be started.
    pub(crate) fn is_idle(&self) -> bool {
        let is_open = |pair: &Pair| matches!(pair.state, PairState::Frozen | PairState::Waiting);
        self.triggered.is_empty() && !self.pairs.iter().any(is_open)
    }

    /// Whether every pair has succeeded or failed.
    pub(crate) fn is_finished(&self) -> bool {
        self.triggered.is_empty()
            && self.pairs.iter().all(|pair| matches!(pair.state, PairState::Succeeded | PairState::Failed))
    }

    /// RFC 8838 §12: one pair of a foundation is Waiting, the others Frozen until one of them is done.
    fn initial_state(&self, new: &Pair) -> PairState {
        let mut alike = self.pairs.iter().filter(|pair| pair.foundation() == new.foundation()).peekable();
        let first = alike.peek().is_none();
        if first || alike.any(|pair| pair.state == PairState::Succeeded) {
            PairState::Waiting
        } else {
            PairState::Frozen
        }
    }

    fn is_foundation_busy(&self, frozen: &Pair) -> bool {
        self.pairs.iter().any(|pair| {
            pair.foundation() == frozen.foundation()
                && matches!(pair.state, PairState::Waiting | PairState::InProgress)
        })
    }

    /// Drops the worst pair that has not worked yet, if it is worse than `priority`.
    fn make_room(&mut self, priority: u64) -> bool {
        let droppable = self.pairs.iter().filter(|pair| pair.state != PairState::Succeeded);
        let worst = droppable.min_by_key(|pair| (pair.state != PairState::Failed, pair.priority()));
        match worst.map(|pair| (pair.id(), pair.state, pair.priority())) {
            Some((id, state, worst)) if state == PairState::Failed || worst < priority => {
                self.remove_if(|pair| pair.id() == id);
                true
            }
            _ => false,
        }
    }
}
