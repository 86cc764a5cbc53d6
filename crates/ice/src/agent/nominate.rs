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

/// Nominations of a worse pair after which it is followed.
const BIDS: u8 = 2;

/// Data on another pair for this long, and none on this one, means that the peer has left it. It bounds the pause of
/// media when the address under the pair in use vanishes at the peer's; paths whose delays differ by more are rare.
const LEFT_AFTER: Duration = Duration::from_millis(300);

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
        self.current.confirm = self.current.concluded_at.map(|_| id);
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

    //= rfc8445 §8.1.1
    //# If more than one candidate pair is nominated by the
    //# controlling agent, and if the controlled agent accepts multiple
    //# nominations requests, the agents MUST produce the selected pairs and
    //# use the pairs with the highest priority.
    /// As the controlled side, takes a nomination of a valid pair.
    ///
    /// At first the highest priority decides, as above. Later a peer may leave a pair that no longer works for it: one
    /// that nominates a worse pair twice, and not the old one in between, is followed.
    pub(super) fn accept_nomination(&mut self, now: Instant, id: PairId) {
        let settled = self.is_settled(now);
        let Some(priority) = self.current.checklist.get(id).map(Pair::priority) else { return };
        let best = self.current.checklist.iter().filter(|pair| pair.nominated).map(Pair::priority).max();
        let Some(pair) = self.current.checklist.get_mut(id) else { return };
        if pair.nominated {
            for other in self.current.checklist.iter_mut() {
                other.bids = 0;
            }
            return;
        }
        pair.bids = pair.bids.saturating_add(1);
        if settled && best.is_some_and(|best| best > priority) {
            if pair.bids < BIDS {
                return;
            }
            for other in self.current.checklist.iter_mut() {
                other.nominated = false;
            }
        }
        if let Some(pair) = self.current.checklist.get_mut(id) {
            pair.nominated = true;
            pair.bids = 0;
        }
        self.conclude(now, id);
    }

    /// Whether a nomination is so old that another one means a change of mind (RFC 8445 §8.3.1).
    fn is_settled(&self, now: Instant) -> bool {
        self.current.concluded_at.is_some_and(|at| at + PRUNE_AFTER < now)
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
        self.current.concluded_at.get_or_insert(now);
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

    /// Whether a pair answers, and the peer still uses it.
    ///
    /// One lost consent check may be chance, unless a pair found after the nomination tells that addresses have
    /// changed; two are not. And a peer that has sent its data on another valid pair for a while has left this one.
    fn is_healthy(&self, now: Instant, pair: &Pair) -> bool {
        let Some(consent) = &pair.consent else { return false };
        let misses = consent.misses(now, pair.rtt.smoothed());
        if pair.send_errors >= MAX_SEND_ERRORS || misses >= 2 {
            return false;
        }
        let Some(settled_at) = self.current.concluded_at.map(|at| at + PRUNE_AFTER) else { return true };
        let heard_at = pair.counters.last_packet_received.unwrap_or(settled_at).max(settled_at);
        let others = || self.current.checklist.iter().filter(|other| other.id() != pair.id());
        let newer = others()
            .filter_map(|other| other.consent.as_ref())
            .any(|other| other.since() > settled_at && other.since() > consent.last_response());
        let left = others()
            .filter(|other| other.is_valid())
            .any(|other| other.counters.last_packet_received.is_some_and(|at| at >= heard_at + LEFT_AFTER));
        !left && (misses == 0 || !newer)
    }

    /// When a pair may stop being healthy, or has to be checked.
    pub(super) fn next_miss(&self) -> Option<Instant> {
        let valid = self.current.checklist.iter().filter(|pair| pair.is_valid());
        let of = |pair: &Pair| pair.consent.as_ref()?.next_miss(self.now, pair.rtt.smoothed());
        valid.filter_map(of).min()
    }
}
