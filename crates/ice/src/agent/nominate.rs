//! Which pair carries data: valid pairs at once, then the nominated one (RFC 8445 §8, §12.1).

use super::{Agent, Era, Selected};
use crate::{
    CandidateKind, Event, Role,
    checklist::{Base, Pair, PairId, PairState},
};
use std::time::{Duration, Instant};

/// How much longer than for others is waited for something better than a relay.
const RELAY_PATIENCE: u32 = 4;

/// RFC 8445 §8.3.1.
const PRUNE_AFTER: Duration = Duration::from_secs(3);

/// Valid pairs kept beside the nominated one, to take over when it stops working.
const BACKUPS: usize = 3;

/// How long a replaced generation still answers: the longest its pairs could be consented to.
const RETIRE_AFTER: Duration = Duration::from_secs(30);

/// Refused sends after which another pair is preferred.
const MAX_SEND_ERRORS: u8 = 3;

impl Agent {
    /// Whether a pair of this generation is nominated.
    pub(super) fn is_concluded(&self) -> bool {
        self.current.checklist.iter().any(|pair| pair.nominated)
    }

    /// As the controlling side, nominates the best pair when it is time (RFC 8445 §8.1.1).
    pub(super) fn nominate(&mut self, now: Instant) {
        if self.nomination_due().is_none_or(|at| at > now) {
            return;
        }
        let Some(best) = self.current.best_valid(Pair::priority).map(Pair::id) else { return };
        self.start_nomination(best);
    }

    fn start_nomination(&mut self, id: PairId) {
        debug!(pair = ?id, "nominating");
        self.current.nominating = Some(id);
        self.current.checklist.trigger(id);
    }

    /// When [`nominate`](Self::nominate) would act, as things stand.
    pub(super) fn nomination_due(&self) -> Option<Instant> {
        let generation = &self.current;
        if self.role == Role::Controlled || generation.nominating.is_some() || self.is_concluded() {
            return None;
        }
        let best = generation.best_valid(Pair::priority)?;
        let first_valid_at = generation.first_valid_at?;
        let better_may_come = generation.checklist.iter().any(|pair| {
            pair.priority() > best.priority()
                && !matches!(pair.state, PairState::Succeeded | PairState::Failed)
        });
        let is_complete = generation.remote_end && self.gatherer.is_complete();
        if !better_may_come && (is_complete || self.is_direct(best)) {
            return Some(first_valid_at);
        }
        let factor = if better_may_come && self.is_relayed(best) { RELAY_PATIENCE } else { 1 };
        first_valid_at.checked_add(self.config.nomination_wait * factor)
    }

    fn is_direct(&self, pair: &Pair) -> bool {
        let remote = self.current.remote_candidate(pair.remote()).map(|remote| remote.candidate.kind());
        matches!(pair.link().base, Base::Host(_)) && remote == Some(CandidateKind::Host)
    }

    fn is_relayed(&self, pair: &Pair) -> bool {
        let remote = self.current.remote_candidate(pair.remote()).map(|remote| remote.candidate.kind());
        matches!(pair.link().base, Base::Relay(_)) || remote == Some(CandidateKind::Relayed)
    }

    //= rfc8445 §8.1.2
    //# Once a candidate pair for a component of a data stream has been
    //# nominated, and the state of the checklist associated with the data
    //# stream is Running, the ICE agent MUST remove all candidate pairs
    //# for the same component from the checklist and from the triggered-
    //# check queue.
    /// A pair was nominated. Valid pairs stay in reserve, and those the peer checks right now go on for a moment.
    pub(super) fn conclude(&mut self, now: Instant, nominated: PairId) {
        self.current.remove_pairs(|pair| {
            let idle = matches!(pair.state, PairState::Frozen | PairState::Waiting | PairState::Failed);
            pair.id() != nominated && idle && !pair.heard && !pair.expired
        });
        self.current.cancel_checks(now, |check| check.pair != nominated);
        self.prune_at = now.checked_add(PRUNE_AFTER);
    }

    /// Drops what a concluded checklist no longer needs.
    pub(super) fn prune(&mut self) {
        let mut backups: Vec<_> = self
            .current
            .checklist
            .iter()
            .filter(|pair| pair.is_valid() && !self.is_selected(Era::Current, pair.id()))
            .map(|pair| (!pair.nominated, std::cmp::Reverse(pair.priority()), pair.id()))
            .collect();
        backups.sort_unstable();
        let kept: Vec<_> = backups.into_iter().take(BACKUPS).map(|(_, _, id)| id).collect();
        let selected = self.selected;
        self.current.remove_pairs(|pair| {
            let in_use = selected.is_some_and(|of| of.era == Era::Current && of.pair == pair.id());
            let pending = pair.state == PairState::InProgress || pair.state == PairState::Waiting;
            !in_use && !pair.expired && !pending && !kept.contains(&pair.id())
        });
    }

    /// Puts data on the best pair that works.
    pub(super) fn select(&mut self, now: Instant) {
        let choice = self.best_pair(now);
        let best = choice.map(|(era, pair)| Selected { era, pair: pair.id(), link: pair.link() });
        if best == self.selected {
            return;
        }
        let fail_over = best.filter(|_| self.role == Role::Controlling && self.is_concluded());
        if let Some(chosen) = fail_over.filter(|chosen| chosen.era == Era::Current)
            && self.pair(Era::Current, chosen.pair).is_some_and(|pair| !pair.nominated)
        {
            // The nominated pair stopped working. RFC 8445 §8.1.1 would have a restart now; this is faster, and a
            // peer that does not follow still gets the data.
            self.start_nomination(chosen.pair);
        }
        self.set_selected(best);
        if best.is_some_and(|best| best.era == Era::Current)
            && let Some(previous) = &mut self.previous
        {
            previous.retire_at = now.checked_add(RETIRE_AFTER);
        }
    }

    pub(super) fn set_selected(&mut self, selected: Option<Selected>) {
        if self.selected == selected {
            return;
        }
        let lost = self.selected.filter(|_| selected.is_none());
        self.fail_at = lost.and(self.last_answered).map(|at| at + self.config.consent_expiry);
        self.selected = selected;
        self.selected_changes += 1;
        if let Some(Selected { link, .. }) = selected
            && let Base::Relay(id) = link.base
            && let Some(relay) = self.gatherer.relay_mut(id)
        {
            relay.bind(self.now, link.remote);
        }
        debug!(?selected, "selected pair changed");
        let report = self.selected_pair().map(Box::new);
        self.push_event(Event::SelectedPairChanged(report));
    }

    pub(super) fn is_selected(&self, era: Era, id: PairId) -> bool {
        self.selected.is_some_and(|selected| selected.era == era && selected.pair == id)
    }

    /// The best valid pair of this generation, or the one in use before the restart.
    fn best_pair(&self, now: Instant) -> Option<(Era, &Pair)> {
        let rank = |pair: &Pair| (self.is_healthy(now, pair), pair.nominated, pair.priority());
        if let Some(pair) = self.current.best_valid(rank) {
            return Some((Era::Current, pair));
        }
        let rank =
            |pair: &Pair| (self.is_selected(Era::Previous, pair.id()), pair.nominated, pair.priority());
        let old = self.previous.as_ref().filter(|of| of.retire_at.is_none())?.best_valid(rank)?;
        Some((Era::Previous, old))
    }

    /// Whether a pair answers. One lost consent check may be chance, unless a pair found later tells that the
    /// addresses have changed; two are not.
    fn is_healthy(&self, now: Instant, pair: &Pair) -> bool {
        let Some(consent) = &pair.consent else { return false };
        let misses = consent.misses(now, pair.rtt.smoothed());
        let newer = || {
            self.current
                .checklist
                .iter()
                .filter_map(|other| other.consent.as_ref())
                .any(|other| other.since() > consent.last_response())
        };
        pair.send_errors < MAX_SEND_ERRORS && misses < 2 && (misses == 0 || !newer())
    }

    /// When a pair may stop being healthy; only of interest when there is another.
    pub(super) fn next_miss(&self) -> Option<Instant> {
        let valid = || self.current.checklist.iter().filter(|pair| pair.is_valid());
        valid().nth(1)?;
        let of = |pair: &Pair| pair.consent.as_ref()?.next_miss(self.now, pair.rtt.smoothed());
        valid().filter_map(of).min()
    }
}
