//! Channel bindings (RFC 8656 §12).

use super::{CommandError, Event, RequestError};
use crate::ChannelNumber;
use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

//= rfc8656 §12
//# A channel binding lasts for 10 minutes unless refreshed.
const LIFETIME: Duration = Duration::from_secs(600);

/// Leaves several transactions of 39.5 s before the end.
const REFRESH_AFTER: Duration = Duration::from_secs(480);

/// How soon a refresh that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

//= rfc8656 §12
//# To prevent race conditions, the client MUST wait 5
//# minutes after the channel binding expires before attempting to bind
//# the channel number to a different transport address or the transport
//# address to a different channel number.
const REUSE_AFTER: Duration = Duration::from_secs(300);

/// The channels of an allocation: wanted ones, and ones whose numbers must not be used again yet.
#[derive(Debug)]
pub(super) struct Channels {
    by_peer: BTreeMap<SocketAddr, Channel>,
    by_number: BTreeMap<ChannelNumber, SocketAddr>,
    next: ChannelNumber,
    max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    number: ChannelNumber,
    is_wanted: bool,
    /// When to ask next; `None` while a request is in flight or when it is not wanted.
    due: Option<Instant>,
    /// Until when the server has it, as far as we know.
    bound_until: Option<Instant>,
    /// When number and peer are free again; `None` while the server cannot have heard of it.
    release_at: Option<Instant>,
}

impl Channels {
    pub(super) const fn new(max: usize) -> Self {
        Self { by_peer: BTreeMap::new(), by_number: BTreeMap::new(), next: ChannelNumber::MIN, max }
    }

    pub(super) fn want(&mut self, peer: SocketAddr, now: Instant) -> Result<(), CommandError> {
        if let Some(channel) = self.by_peer.get_mut(&peer) {
            // The old number may be bound again to the same peer at any time.
            if !channel.is_wanted {
                channel.is_wanted = true;
                channel.due = Some(now);
            }
            return Ok(());
        }
        if self.by_peer.len() >= self.max {
            return Err(CommandError::LimitReached);
        }
        let number = self.free_number().ok_or(CommandError::LimitReached)?;
        let channel =
            Channel { number, is_wanted: true, due: Some(now), bound_until: None, release_at: None };
        self.by_peer.insert(peer, channel);
        self.by_number.insert(number, peer);
        Ok(())
    }

    /// Lets all channels to an address run out.
    pub(super) fn forget(&mut self, ip: IpAddr) {
        for (_, channel) in self.by_peer.iter_mut().filter(|(peer, _)| peer.ip() == ip) {
            channel.is_wanted = false;
            channel.due = None;
        }
    }

    pub(super) fn clear(&mut self) {
        self.by_peer.clear();
        self.by_number.clear();
    }

    /// Takes one for which a request is due; the caller starts it.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(SocketAddr, ChannelNumber)> {
        let due = |channel: &Channel| channel.due.is_some_and(|at| at <= now);
        let (peer, channel) = self.by_peer.iter_mut().find(|(_, channel)| due(channel))?;
        channel.due = None;
        channel.release_at = Some(now + LIFETIME + REUSE_AFTER);
        Some((*peer, channel.number))
    }

    pub(super) fn granted(&mut self, peer: SocketAddr, now: Instant, events: &mut VecDeque<Event>) {
        let Some(channel) = self.by_peer.get_mut(&peer) else { return };
        let is_new = channel.bound_until.is_none();
        channel.bound_until = Some(now + LIFETIME);
        channel.release_at = Some(now + LIFETIME + REUSE_AFTER);
        if channel.is_wanted {
            channel.due = Some(now + REFRESH_AFTER);
            if is_new {
                events.push_back(Event::ChannelBound(peer));
            }
        }
    }

    pub(super) fn failed(
        &mut self,
        peer: SocketAddr,
        now: Instant,
        error: RequestError,
        events: &mut VecDeque<Event>,
    ) {
        let Some(channel) = self.by_peer.get_mut(&peer).filter(|channel| channel.is_wanted) else { return };
        let is_final = matches!(error, RequestError::Refused(_) | RequestError::Challenge(_));
        if channel.bound_until.is_some() && !is_final {
            channel.due = Some(now + RETRY_AFTER);
            return;
        }
        // The server may have bound it all the same, and sends on it then: only the number stays reserved.
        channel.is_wanted = false;
        channel.bound_until = None;
        events.push_back(Event::ChannelFailed { peer, error });
    }

    /// Drops bindings that ran out, and numbers that are free again.
    pub(super) fn expire(&mut self, now: Instant, events: &mut VecDeque<Event>) {
        let by_number = &mut self.by_number;
        self.by_peer.retain(|peer, channel| {
            if channel.bound_until.is_some_and(|until| until <= now) {
                channel.bound_until = None;
                if channel.is_wanted {
                    channel.is_wanted = false;
                    channel.due = None;
                    events.push_back(Event::ChannelFailed { peer: *peer, error: RequestError::Expired });
                }
            }
            let is_free = !channel.is_wanted && channel.release_at.is_none_or(|at| at <= now);
            if is_free {
                by_number.remove(&channel.number);
            }
            !is_free
        });
    }

    /// The number to send on, once the server confirmed it.
    pub(super) fn bound(&self, peer: SocketAddr) -> Option<ChannelNumber> {
        let channel = self.by_peer.get(&peer)?;
        channel.bound_until.map(|_| channel.number)
    }

    /// Whom data on a channel comes from. Known from the request on: data may overtake the response.
    pub(super) fn peer(&self, number: ChannelNumber) -> Option<SocketAddr> {
        self.by_number.get(&number).copied()
    }

    /// `can_start` says whether a due request would be started.
    pub(super) fn next_timeout(&self, can_start: bool) -> Option<Instant> {
        let next = |channel: &Channel| {
            let due = channel.due.filter(|_| can_start);
            let release = channel.release_at.filter(|_| !channel.is_wanted);
            [due, channel.bound_until, release].into_iter().flatten().min()
        };
        self.by_peer.values().filter_map(next).min()
    }

    fn free_number(&mut self) -> Option<ChannelNumber> {
        let first = self.next;
        let mut number = first;
        while self.by_number.contains_key(&number) {
            number = number.following();
            if number == first {
                return None;
            }
        }
        self.next = number.following();
        Some(number)
    }
}
