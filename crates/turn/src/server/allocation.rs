//! One allocation: its life, its permissions, its channels.

#![deny(clippy::indexing_slicing)]

use super::{
    Event, RelayId, ReleaseReason, Server, Traffic, auth::Authenticated, bucket::Bucket, canonical,
    config::RelayAddress, event::PortWish,
};
use crate::{
    ChannelNumber, Family,
    attr::{AddressErrorCode, Lifetime, XorRelayedAddress},
    log::debug,
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use stun::{
    AttributeType, Class, Integrity, IntegrityKey, Method, TransactionId,
    attr::{Code, ErrorCode, XorMappedAddress},
    net::FiveTuple,
};

//= rfc8656 §9
//# The Permission Lifetime MUST be 300 seconds (= 5 minutes).
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

//= rfc8656 §12
//# A channel binding lasts for 10 minutes unless refreshed.
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

pub(super) struct Allocation {
    pub(super) relay: RelayId,
    pub(super) username: Arc<str>,
    pub(super) family: Family,
    /// The transaction that made it, to know its retransmissions.
    pub(super) id: TransactionId,
    key: IntegrityKey,
    integrity: Integrity,
    address: RelayAddress,
    /// The address that peers see; `None` until the driver opened the socket.
    pub(super) relayed: Option<SocketAddr>,
    /// When it ends; while the socket is being opened, when that has failed.
    pub(super) expires: Instant,
    /// The lifetime to grant when the socket is open.
    lifetime: Duration,
    /// The client asked for a second family, which there is not.
    wants_both: bool,
    pub(super) permissions: Permissions,
    pub(super) channels: Channels,
    pub(super) bucket: Option<Bucket>,
    pub(super) traffic: Traffic,
}

/// What an Allocate request asks for, checked.
pub(super) struct Wish {
    pub(super) id: TransactionId,
    pub(super) family: Family,
    pub(super) port: PortWish,
    pub(super) lifetime: Duration,
    pub(super) wants_both: bool,
    pub(super) address: RelayAddress,
}

impl Server {
    /// Takes an allocation into the tables and asks the driver for its socket.
    pub(super) fn start_allocation(&mut self, path: FiveTuple, user: Authenticated, wish: Wish) {
        let relay = RelayId(self.next_relay);
        self.next_relay += 1;
        let username: Arc<str> = match self.per_user.get_key_value(user.username.as_str()) {
            Some((username, _)) => Arc::clone(username),
            None => user.username.into(),
        };
        *self.per_user.entry(Arc::clone(&username)).or_default() += 1;
        let expires = self.now + self.config.open_timeout;
        let allocation = Allocation {
            relay,
            username,
            family: wish.family,
            id: wish.id,
            key: user.key,
            integrity: user.integrity,
            address: wish.address,
            relayed: None,
            expires,
            lifetime: wish.lifetime,
            wants_both: wish.wants_both,
            permissions: Permissions::default(),
            channels: Channels::default(),
            bucket: self.config.max_bandwidth.map(|rate| Bucket::new(rate, self.now)),
            traffic: Traffic::default(),
        };
        self.allocations.insert(path, allocation);
        self.by_relay.insert(relay, path);
        self.expiries.insert((expires, relay));
        self.push_event(Event::OpenRelay { relay, ip: wish.address.bind, port: wish.port });
    }

    /// The socket is open: the client gets its answer.
    pub(super) fn open_allocation(&mut self, relay: RelayId, local: SocketAddr) {
        let Some(path) = self.by_relay.get(&relay).copied() else { return };
        let Some(allocation) = self.allocations.get_mut(&path) else { return };
        if allocation.relayed.is_some() {
            return;
        }
        let relayed = SocketAddr::new(allocation.address.advertised, local.port());
        if local.port() == 0 || self.relayed.contains_key(&relayed) {
            self.push_event(Event::CloseRelay { relay });
            self.fail_allocation(relay);
            return;
        }
        allocation.relayed = Some(relayed);
        let (username, lifetime) = (Arc::clone(&allocation.username), allocation.lifetime);
        self.relayed.insert(relayed, relay);
        self.stats.allocations_made += 1;
        self.set_lifetime(path, lifetime);
        debug!("turn server: allocated {relayed} for {path}");
        self.push_event(Event::Allocated { relay, client: path, relayed, username });
        self.answer_allocated(path);
    }

    /// The driver has no socket for it, or lost it.
    pub(super) fn fail_allocation(&mut self, relay: RelayId) {
        self.refuse_unopened(relay);
        self.release(relay, ReleaseReason::RelayFailed);
    }

    /// Tells a client that still waits for its allocation that there is no socket for it.
    pub(super) fn refuse_unopened(&mut self, relay: RelayId) {
        let Some(path) = self.by_relay.get(&relay).copied() else { return };
        let Some(allocation) = self.allocations.get(&path) else { return };
        if allocation.relayed.is_none() {
            let (id, key, integrity) = (allocation.id, allocation.key.clone(), allocation.integrity);
            self.stats.errors += 1;
            self.answer(path, Class::Error, Method::ALLOCATE, id, |builder| {
                builder.attribute(&ErrorCode::new(Code::INSUFFICIENT_CAPACITY)).integrity(&key, integrity);
            });
        }
    }

    /// The success response of Allocate, also to a retransmission (RFC 8656 §7.2).
    pub(super) fn answer_allocated(&mut self, path: FiveTuple) {
        let now = self.now;
        let Some(allocation) = self.allocations.get(&path) else { return };
        let Some(relayed) = allocation.relayed else { return };
        let lifetime = Lifetime::new(allocation.expires.saturating_duration_since(now));
        let (key, integrity, id) = (allocation.key.clone(), allocation.integrity, allocation.id);
        let missing = match allocation.family {
            Family::Ipv4 => Family::Ipv6,
            Family::Ipv6 => Family::Ipv4,
        };
        let partial =
            allocation.wants_both.then(|| AddressErrorCode::new(missing, Code::ADDRESS_FAMILY_NOT_SUPPORTED));
        let software = self.config.software.clone();
        self.answer(path, Class::Success, Method::ALLOCATE, id, |builder| {
            builder.attribute(&XorRelayedAddress::new(relayed)).attribute(&lifetime);
            builder.attribute(&XorMappedAddress::new(canonical(path.remote))).attribute_opt(partial.as_ref());
            if let Some(software) = &software {
                builder.raw(AttributeType::SOFTWARE, software.as_bytes());
            }
            builder.integrity(&key, integrity);
        });
    }

    /// Lets an allocation end in `lifetime` from now.
    pub(super) fn set_lifetime(&mut self, path: FiveTuple, lifetime: Duration) {
        let expires = self.now + lifetime;
        let Some(allocation) = self.allocations.get_mut(&path) else { return };
        self.expiries.remove(&(allocation.expires, allocation.relay));
        allocation.expires = expires;
        self.expiries.insert((expires, allocation.relay));
    }
}

/// Permissions: an address and when it runs out. Looked at when used; the dead ones go when room is needed.
#[derive(Debug, Default)]
pub(super) struct Permissions(BTreeMap<IpAddr, Instant>);

impl Permissions {
    /// Whether datagrams from and to this address pass.
    pub(super) fn permits(&self, ip: IpAddr, now: Instant) -> bool {
        self.0.get(&ip).is_some_and(|until| now < *until)
    }

    /// Whether all of `ips` have or get a place among `max`.
    pub(super) fn has_room(&mut self, ips: &[IpAddr], max: usize, now: Instant) -> bool {
        let missing = ips.iter().filter(|ip| !self.0.contains_key(ip)).count();
        if self.0.len() + missing > max {
            self.0.retain(|_, until| now < *until);
        }
        let mut missing: Vec<_> = ips.iter().filter(|ip| !self.0.contains_key(ip)).collect();
        missing.sort_unstable();
        missing.dedup();
        self.0.len() + missing.len() <= max
    }

    pub(super) fn install(&mut self, ip: IpAddr, now: Instant) {
        self.0.insert(ip, now + PERMISSION_LIFETIME);
    }
}

/// Channels, found from both sides. Looked at when used; the dead ones go when room is needed.
#[derive(Debug, Default)]
pub(super) struct Channels {
    by_number: BTreeMap<ChannelNumber, (SocketAddr, Instant)>,
    by_peer: BTreeMap<SocketAddr, ChannelNumber>,
}

impl Channels {
    pub(super) fn peer(&self, number: ChannelNumber, now: Instant) -> Option<SocketAddr> {
        let (peer, until) = self.by_number.get(&number)?;
        (now < *until).then_some(*peer)
    }

    pub(super) fn number(&self, peer: SocketAddr, now: Instant) -> Option<ChannelNumber> {
        let number = self.by_peer.get(&peer)?;
        self.peer(*number, now).map(|_| *number)
    }

    /// Whether the pair can be bound, or is bound already (RFC 8656 §12.2).
    pub(super) fn is_free(&self, number: ChannelNumber, peer: SocketAddr, now: Instant) -> bool {
        self.peer(number, now).is_none_or(|bound| bound == peer)
            && self.number(peer, now).is_none_or(|bound| bound == number)
    }

    /// Whether the pair has or gets a place among `max`.
    pub(super) fn has_room(&mut self, number: ChannelNumber, max: usize, now: Instant) -> bool {
        if self.by_number.contains_key(&number) || self.by_number.len() < max {
            return true;
        }
        let by_peer = &mut self.by_peer;
        self.by_number.retain(|_, (peer, until)| {
            let is_alive = now < *until;
            if !is_alive {
                by_peer.remove(peer);
            }
            is_alive
        });
        self.by_number.len() < max
    }

    /// Binds a pair that [`is_free`](Self::is_free).
    pub(super) fn bind(&mut self, number: ChannelNumber, peer: SocketAddr, now: Instant) {
        // Both may be left over from bindings that ran out.
        if let Some((old, _)) = self.by_number.insert(number, (peer, now + CHANNEL_LIFETIME))
            && old != peer
        {
            self.by_peer.remove(&old);
        }
        if let Some(old) = self.by_peer.insert(peer, number)
            && old != number
        {
            self.by_number.remove(&old);
        }
    }
}
