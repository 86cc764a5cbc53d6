//! What the agent waits for.

use super::{Agent, Life};
use crate::{ConnectionState, checklist::Pair};
use std::time::Instant;

/// Why the agent wants to be woken; for logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timer {
    /// A consent check is due, or consent ends.
    Consent,
    /// The peer is silent.
    Disconnect,
    /// There is no hope left.
    Fail,
    /// A server is asked again or given up, an allocation refreshed.
    Gather,
    /// A mapping at a STUN server is refreshed.
    Keepalive,
    /// The best pair is to be nominated.
    Nominate,
    /// The next check may start.
    Pace,
    /// A name was not resolved.
    Resolve,
    /// Pairs or a generation are to be forgotten.
    Retire,
    /// A check is sent again or given up.
    Retransmit,
}

impl Agent {
    /// The next deadline and what it is for.
    #[must_use]
    pub fn next_timer(&self) -> Option<(Instant, Timer)> {
        if self.life != Life::Open {
            return None;
        }
        let pace = self.has_paced_work().then_some(self.pace_at);
        let names = self.current.remotes.iter().filter(|remote| remote.address.is_none());
        let retire = self.previous.as_ref().and_then(|previous| previous.retire_at);
        let keepalive = self.gatherer.keepalive_at().filter(|_| self.needs_keepalive());
        let silence = self
            .silent_at()
            .filter(|_| matches!(self.state, ConnectionState::Connected | ConnectionState::Completed));
        [
            (pace, Timer::Pace),
            (self.current.checks.iter().filter_map(|check| check.poll_timeout()).min(), Timer::Retransmit),
            (self.consent_timeout(), Timer::Consent),
            (self.next_miss(), Timer::Consent),
            (self.gatherer.poll_timeout(), Timer::Gather),
            (keepalive, Timer::Keepalive),
            (self.nomination_due(), Timer::Nominate),
            (silence, Timer::Disconnect),
            (self.failure_due(), Timer::Fail),
            (self.fail_at, Timer::Fail),
            (names.filter_map(|remote| remote.asked_until).min(), Timer::Resolve),
            (retire, Timer::Retire),
            (self.prune_at, Timer::Retire),
        ]
        .into_iter()
        .filter_map(|(at, timer)| Some((at?, timer)))
        .min_by_key(|(at, _)| *at)
    }

    fn consent_timeout(&self) -> Option<Instant> {
        let of = |pair: &Pair| {
            let consent = pair.consent.as_ref()?;
            Some(consent.next_check().min(consent.expires_at(&self.config)))
        };
        let kept = self.consenting_pairs().filter_map(|(_, pair)| of(pair)).min();
        // Pairs of the old generation that are only in reserve send nothing, but their consent ends too.
        let ends = |pair: &Pair| Some(pair.consent.as_ref()?.expires_at(&self.config));
        let old = self.previous.iter().flat_map(|previous| previous.checklist.iter()).filter_map(ends).min();
        kept.into_iter().chain(old).min()
    }
}
