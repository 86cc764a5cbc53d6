//! The state of the connection, and what time does to it.

use super::{Agent, Era};
use crate::{
    ConnectionState, Event, GatheringState,
    checklist::{PairId, PairState},
};
use std::time::Instant;
use stun::Step;

impl Agent {
    /// Ends what has run out at `now`.
    pub(super) fn expire(&mut self, now: Instant) {
        self.expire_checks(now);
        self.expire_names(now);
        self.expire_consent(now);
        if self.previous.as_ref().and_then(|of| of.retire_at).is_some_and(|at| at <= now) {
            self.previous = None;
        }
        if self.prune_at.is_some_and(|at| at <= now) {
            self.prune_at = None;
            self.prune();
        }
    }

    fn expire_checks(&mut self, now: Instant) {
        let mut failed = Vec::new();
        let mut cancelled = Vec::new();
        self.current.checks.retain_mut(|check| {
            if let Some(until) = check.cancelled_until {
                if until <= now {
                    cancelled.push(check.pair);
                }
                return until > now;
            }
            // Only when all requests are out can polling do nothing but end it.
            let over = check.is_exhausted() && matches!(check.transaction.poll(now), Step::Failed(_));
            if over {
                failed.push(check.pair);
            }
            !over
        });
        for pair in failed {
            self.on_check_failed(now, Era::Current, pair);
        }
        for pair in cancelled {
            self.drop_if_forgotten(pair);
        }
    }

    /// A pair whose only check was cancelled leaves the list (RFC 8445 §8.1.2).
    fn drop_if_forgotten(&mut self, id: PairId) {
        let checked = self.current.checks.iter().any(|check| check.pair == id);
        self.current.remove_pairs(|pair| pair.id() == id && pair.state == PairState::InProgress && !checked);
    }

    //= rfc7675 §5.1
    //# Consent expires after 30 seconds.  That is, if a valid STUN binding
    //# response has not been received from the remote peer's transport
    //# address in 30 seconds, the endpoint MUST cease transmission on that
    //# 5-tuple.
    fn expire_consent(&mut self, now: Instant) {
        let config = &self.config;
        let mut expired = 0;
        for generation in std::iter::once(&mut self.current).chain(&mut self.previous) {
            let mut dead = Vec::new();
            for pair in generation.checklist.iter_mut() {
                if pair.consent.as_ref().is_some_and(|consent| consent.expires_at(config) <= now) {
                    pair.expire();
                    dead.push(pair.id());
                }
            }
            expired += dead.len() as u64;
            generation.checks.retain(|check| !dead.contains(&check.pair));
            for id in dead {
                generation.checklist.untrigger(id);
                if generation.nominating == Some(id) {
                    generation.nominating = None;
                }
            }
        }
        self.counters.consent_expiries += expired;
    }

    pub(super) fn update_state(&mut self, now: Instant) {
        if self.current.failed {
            return;
        }
        if [self.fail_at, self.failure_due()].into_iter().flatten().any(|at| at <= now) {
            self.fail();
            return;
        }
        let state = self.derive_state(now);
        self.set_state(state);
    }

    pub(super) fn set_state(&mut self, state: ConnectionState) {
        if self.state != state {
            debug!(%state, "connection state changed");
            self.state = state;
            self.push_event(Event::ConnectionStateChanged(state));
        }
    }

    fn derive_state(&self, now: Instant) -> ConnectionState {
        let Some(selected) = self.selected else {
            return self.state_without_pair();
        };
        let silent = self.silent_at().is_some_and(|at| at <= now);
        match (silent, selected.era) {
            (true, Era::Previous) => ConnectionState::Checking,
            (true, Era::Current) => ConnectionState::Disconnected,
            (false, Era::Current) if self.is_completed() => ConnectionState::Completed,
            (false, _) => ConnectionState::Connected,
        }
    }

    fn state_without_pair(&self) -> ConnectionState {
        let has_peer = self.current.remote.is_some()
            && (!self.current.remotes.is_empty() || self.current.checklist.len() > 0);
        if self.fail_at.is_some() {
            ConnectionState::Disconnected
        } else if has_peer || self.restarted {
            ConnectionState::Checking
        } else {
            ConnectionState::New
        }
    }

    /// When the silence of the peer counts as a disconnection.
    pub(super) fn silent_at(&self) -> Option<Instant> {
        self.selected?;
        self.last_heard?.checked_add(self.config.disconnect_after)
    }

    /// Nominated, and nothing more to come or to try (W3C WebRTC §5.6.4).
    fn is_completed(&self) -> bool {
        self.is_concluded()
            && self.current.remote_end
            && self.gathering == GatheringState::Complete
            && self.current.checklist.is_idle()
            && self.current.checks.iter().all(|check| check.doubts || check.cancelled_until.is_some())
    }

    /// When there is no hope left, as things stand (RFC 8863 §4, RFC 8838 §8).
    ///
    /// After the peer's end-of-candidates: one patience after the start. Without it, candidates may still come: one
    /// patience after the last that came. Checks that are still on their way get one patience more.
    pub(super) fn failure_due(&self) -> Option<Instant> {
        let generation = &self.current;
        if generation.failed || self.selected.is_some() || self.fail_at.is_some() {
            return None;
        }
        let started = generation.started_at?;
        if self.gathering != GatheringState::Complete {
            return None;
        }
        let from = if generation.remote_end { started } else { generation.signalled_at?.max(started) };
        let waiting = generation.remotes.iter().any(|remote| remote.address.is_none());
        let patience = self.config.patience;
        let at = from.checked_add(patience)?;
        if generation.checklist.is_finished() && !waiting { Some(at) } else { at.checked_add(patience) }
    }

    /// Gives up this generation: nothing is sent or accepted until a restart.
    fn fail(&mut self) {
        self.current.abandon();
        self.previous = None;
        self.replies.clear();
        self.set_selected(None);
        self.fail_at = None;
        self.prune_at = None;
        self.set_state(ConnectionState::Failed);
    }
}
