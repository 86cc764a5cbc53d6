//! Permissions (RFC 8656 §9, §10).

use super::{CommandError, Event, RequestError};
use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    time::{Duration, Instant},
};

//= rfc8656 §9
//# The Permission Lifetime MUST be 300 seconds (= 5 minutes).
const LIFETIME: Duration = Duration::from_secs(300);

/// Leaves a whole transaction of 39.5 s before the end.
const REFRESH_AFTER: Duration = Duration::from_secs(240);

/// How soon a refresh that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The wanted permissions.
#[derive(Debug)]
pub(super) struct Permissions {
    entries: BTreeMap<IpAddr, Permission>,
    max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Permission {
    /// When to ask next; `None` while a request is in flight.
    due: Option<Instant>,
    /// Until when the server has it, as far as we know.
    active_until: Option<Instant>,
}

impl Permissions {
    pub(super) const fn new(max: usize) -> Self {
        Self { entries: BTreeMap::new(), max }
    }

    pub(super) fn want(&mut self, ip: IpAddr, now: Instant) -> Result<(), CommandError> {
        if self.entries.contains_key(&ip) {
            return Ok(());
        }
        if self.entries.len() >= self.max {
            return Err(CommandError::LimitReached);
        }
        self.entries.insert(ip, Permission { due: Some(now), active_until: None });
        Ok(())
    }

    pub(super) fn forget(&mut self, ip: IpAddr) {
        self.entries.remove(&ip);
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Takes one for which a request is due; the caller starts it.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<IpAddr> {
        let due = |entry: &Permission| entry.due.is_some_and(|at| at <= now);
        let (ip, entry) = self.entries.iter_mut().find(|(_, entry)| due(entry))?;
        entry.due = None;
        Some(*ip)
    }

    pub(super) fn granted(&mut self, ip: IpAddr, now: Instant, events: &mut VecDeque<Event>) {
        let Some(entry) = self.entries.get_mut(&ip) else { return };
        let is_new = entry.active_until.is_none();
        *entry = Permission { due: Some(now + REFRESH_AFTER), active_until: Some(now + LIFETIME) };
        if is_new {
            events.push_back(Event::PermissionReady(ip));
        }
    }

    pub(super) fn failed(
        &mut self,
        ip: IpAddr,
        now: Instant,
        error: RequestError,
        events: &mut VecDeque<Event>,
    ) {
        let Some(entry) = self.entries.get_mut(&ip) else { return };
        let is_final = matches!(error, RequestError::Refused(_) | RequestError::Challenge(_));
        if entry.active_until.is_some() && !is_final {
            entry.due = Some(now + RETRY_AFTER);
            return;
        }
        self.entries.remove(&ip);
        events.push_back(Event::PermissionFailed { ip, error });
    }

    /// Drops those that ran out.
    pub(super) fn expire(&mut self, now: Instant, events: &mut VecDeque<Event>) {
        self.entries.retain(|ip, entry| {
            let is_over = entry.active_until.is_some_and(|until| until <= now);
            if is_over {
                events.push_back(Event::PermissionFailed { ip: *ip, error: RequestError::Expired });
            }
            !is_over
        });
    }

    pub(super) fn is_wanted(&self, ip: IpAddr) -> bool {
        self.entries.contains_key(&ip)
    }

    pub(super) fn is_active(&self, ip: IpAddr) -> bool {
        self.entries.get(&ip).is_some_and(|entry| entry.active_until.is_some())
    }

    /// `can_start` says whether a due request would be started.
    pub(super) fn next_timeout(&self, can_start: bool) -> Option<Instant> {
        let next = |entry: &Permission| {
            let due = entry.due.filter(|_| can_start);
            [due, entry.active_until].into_iter().flatten().min()
        };
        self.entries.values().filter_map(next).min()
    }
}
