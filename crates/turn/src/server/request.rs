//! Requests of clients (RFC 8656 §7.2, §8.2, §10.2, §12.2).

#![deny(clippy::indexing_slicing)]

use super::{ReleaseReason, Server, allocation::Wish, auth::Authenticated, event::PortWish};
use crate::{
    Family,
    attr::{
        AdditionalAddressFamily, ChannelNumberAttribute, EvenPort, Lifetime, RequestedAddressFamily,
        RequestedTransport, XorPeerAddress,
    },
};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use stun::{
    AttributeError, AttributeType, Class, Message, Method,
    attr::{Code, ErrorCode, UnknownAttributes},
    net::FiveTuple,
};

/// The comprehension-required attributes that the server knows. DONT-FRAGMENT is not among them: a sans-IO server
/// cannot set the DF bit, and RFC 8656 §7.2 wants it to be treated as unknown then.
pub(super) const KNOWN: &[AttributeType] = &[
    AttributeType::USERNAME,
    AttributeType::CHANNEL_NUMBER,
    AttributeType::LIFETIME,
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::DATA,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::REQUESTED_ADDRESS_FAMILY,
    AttributeType::EVEN_PORT,
    AttributeType::REQUESTED_TRANSPORT,
    AttributeType::PASSWORD_ALGORITHM,
    AttributeType::RESERVATION_TOKEN,
];

/// What comprehension-required attributes a Binding request may have: those of ICE, from clients that mix them up,
/// and none of which changes the answer.
const KNOWN_BINDING: &[AttributeType] = &[
    AttributeType::USERNAME,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::PRIORITY,
    AttributeType::USE_CANDIDATE,
];

/// Events waiting at most; a driver that does not poll them gets no new allocations.
const MAX_EVENTS: usize = 65_536;

impl Server {
    pub(super) fn handle_request(&mut self, path: FiveTuple, request: &Message<'_>) {
        match request.method() {
            Method::BINDING => self.handle_binding(path, request),
            Method::ALLOCATE | Method::REFRESH | Method::CREATE_PERMISSION | Method::CHANNEL_BIND => {
                match self.authenticate(path, request) {
                    Ok(user) => self.handle_authenticated(path, request, user),
                    Err(rejection) => self.reject(path, request, rejection),
                }
            }
            _ => self.stats.malformed += 1,
        }
    }

    fn handle_binding(&mut self, path: FiveTuple, request: &Message<'_>) {
        let unknown = UnknownAttributes::new(request.unknown_required(KNOWN_BINDING));
        if unknown.is_empty() {
            self.answer_binding(path, request);
            return;
        }
        if !self.reply_limiter.admit(self.now, path.remote.ip()) {
            self.stats.replies_withheld += 1;
            return;
        }
        self.stats.errors += 1;
        let (method, id) = (request.method(), request.transaction_id());
        self.answer(path, Class::Error, method, id, |builder| {
            builder.attribute(&ErrorCode::bare(Code::UNKNOWN_ATTRIBUTE)).attribute(&unknown);
        });
    }

    fn handle_authenticated(&mut self, path: FiveTuple, request: &Message<'_>, user: Authenticated) {
        let unknown = UnknownAttributes::new(request.unknown_required(KNOWN));
        if !unknown.is_empty() {
            self.refuse_with(path, request, &user, Code::UNKNOWN_ATTRIBUTE, Some(&unknown));
            return;
        }
        let refusal = match request.method() {
            Method::ALLOCATE => return self.handle_allocate(path, request, user),
            _ => match self.check_owner(path, &user) {
                Err(code) => Err(code),
                Ok(()) => match request.method() {
                    Method::REFRESH => self.handle_refresh(path, request, &user),
                    Method::CREATE_PERMISSION => self.handle_create_permission(path, request, &user),
                    _ => self.handle_channel_bind(path, request, &user),
                },
            },
        };
        if let Err(code) = refusal {
            self.refuse_with(path, request, &user, code, None);
        }
    }

    fn handle_allocate(&mut self, path: FiveTuple, request: &Message<'_>, user: Authenticated) {
        if let Some(allocation) = self.allocations.get(&path) {
            let is_repeated =
                allocation.id == request.transaction_id() && *allocation.username == *user.username;
            match (is_repeated, allocation.relayed) {
                // The answer follows when the socket is open.
                (true, None) => {}
                (true, Some(_)) => self.answer_allocated(path),
                (false, _) => self.refuse_with(path, request, &user, Code::ALLOCATION_MISMATCH, None),
            }
            return;
        }
        match self.read_wish(request, &user) {
            Ok(wish) => self.start_allocation(path, user, wish),
            Err(code) => self.refuse_with(path, request, &user, code, None),
        }
    }

    /// The checks of RFC 8656 §7.2 from the third on.
    fn read_wish(&self, request: &Message<'_>, user: &Authenticated) -> Result<Wish, Code> {
        let transport = request.require::<RequestedTransport>().map_err(bad_request)?;
        if transport != RequestedTransport::UDP {
            return Err(Code::UNSUPPORTED_TRANSPORT_PROTOCOL);
        }
        let even = request.get::<EvenPort>().map_err(bad_request)?;
        let requested = request.get::<RequestedAddressFamily>().map_err(bad_request)?;
        let additional = request.get::<AdditionalAddressFamily>().map_err(bad_request)?;
        if request.contains(AttributeType::RESERVATION_TOKEN) {
            let is_mixed = even.is_some() || requested.is_some() || additional.is_some();
            // This server reserves nothing, so no token is valid.
            return Err(if is_mixed { Code::BAD_REQUEST } else { Code::INSUFFICIENT_CAPACITY });
        }
        if let Some(additional) = additional {
            let reserves = even == Some(EvenPort::EvenAndReserveNext);
            if requested.is_some() || reserves || additional.family() == Some(Family::Ipv4) {
                return Err(Code::BAD_REQUEST);
            }
        }
        let family = match requested {
            Some(requested) => requested.family().ok_or(Code::ADDRESS_FAMILY_NOT_SUPPORTED)?,
            None => Family::Ipv4,
        };
        let address =
            self.config.relay_for(family, self.next_relay).ok_or(Code::ADDRESS_FAMILY_NOT_SUPPORTED)?;
        let port = match even {
            None => PortWish::Any,
            Some(EvenPort::Even) => PortWish::Even,
            Some(EvenPort::EvenAndReserveNext) => return Err(Code::INSUFFICIENT_CAPACITY),
        };
        let lifetime = request.get::<Lifetime>().map_err(bad_request)?;
        let held = self.per_user.get(user.username.as_str()).copied().unwrap_or(0);
        if held >= self.config.max_allocations_per_user {
            return Err(Code::ALLOCATION_QUOTA_REACHED);
        }
        if self.allocations.len() >= self.config.max_allocations || self.events.len() >= MAX_EVENTS {
            return Err(Code::INSUFFICIENT_CAPACITY);
        }
        Ok(Wish {
            id: request.transaction_id(),
            family,
            port,
            lifetime: self.granted_lifetime(lifetime),
            wants_both: additional.is_some(),
            address,
        })
    }

    /// RFC 8656 §5: the allocation must be there, and be the user's.
    fn check_owner(&self, path: FiveTuple, user: &Authenticated) -> Result<(), Code> {
        let allocation = self.allocations.get(&path).filter(|allocation| allocation.relayed.is_some());
        let allocation = allocation.ok_or(Code::ALLOCATION_MISMATCH)?;
        if *allocation.username == *user.username { Ok(()) } else { Err(Code::WRONG_CREDENTIALS) }
    }

    fn handle_refresh(
        &mut self,
        path: FiveTuple,
        request: &Message<'_>,
        user: &Authenticated,
    ) -> Result<(), Code> {
        let allocation = self.allocations.get(&path).ok_or(Code::ALLOCATION_MISMATCH)?;
        let relay = allocation.relay;
        if let Some(requested) = request.get::<RequestedAddressFamily>().map_err(bad_request)?
            && requested.family() != Some(allocation.family)
        {
            return Err(Code::PEER_ADDRESS_FAMILY_MISMATCH);
        }
        let wanted = request.get::<Lifetime>().map_err(bad_request)?;
        let granted = if wanted == Some(Lifetime::ZERO) {
            self.release(relay, ReleaseReason::Deleted);
            Duration::ZERO
        } else {
            let lifetime = self.granted_lifetime(wanted);
            self.set_lifetime(path, lifetime);
            lifetime
        };
        self.succeed(path, request, user, Some(Lifetime::new(granted)));
        Ok(())
    }

    fn handle_create_permission(
        &mut self,
        path: FiveTuple,
        request: &Message<'_>,
        user: &Authenticated,
    ) -> Result<(), Code> {
        let now = self.now;
        let mut ips = Vec::new();
        for peer in request.all::<XorPeerAddress>() {
            let ip = peer.map_err(bad_request)?.address().ip();
            if ips.len() > self.config.max_permissions {
                return Err(Code::INSUFFICIENT_CAPACITY);
            }
            ips.push(ip);
        }
        if ips.is_empty() {
            return Err(Code::BAD_REQUEST);
        }
        for ip in &ips {
            self.check_peer_ip(path, *ip)?;
        }
        let max = self.config.max_permissions;
        let allocation = self.allocations.get_mut(&path).ok_or(Code::ALLOCATION_MISMATCH)?;
        if !allocation.permissions.has_room(&ips, max, now) {
            return Err(Code::INSUFFICIENT_CAPACITY);
        }
        for ip in ips {
            allocation.permissions.install(ip, now);
        }
        self.succeed(path, request, user, None);
        Ok(())
    }

    fn handle_channel_bind(
        &mut self,
        path: FiveTuple,
        request: &Message<'_>,
        user: &Authenticated,
    ) -> Result<(), Code> {
        let now = self.now;
        let number = request.require::<ChannelNumberAttribute>().map_err(bad_request)?;
        let peer = request.require::<XorPeerAddress>().map_err(bad_request)?.address();
        let number = number.channel().ok_or(Code::BAD_REQUEST)?;
        self.check_peer_ip(path, peer.ip())?;
        if !self.may_send_to(path, peer) {
            self.stats.peers_forbidden += 1;
            return Err(Code::FORBIDDEN);
        }
        let (max_channels, max_permissions) = (self.config.max_channels, self.config.max_permissions);
        let allocation = self.allocations.get_mut(&path).ok_or(Code::ALLOCATION_MISMATCH)?;
        if !allocation.channels.is_free(number, peer, now) {
            return Err(Code::BAD_REQUEST);
        }
        let has_room = allocation.channels.has_room(number, max_channels, now)
            && allocation.permissions.has_room(&[peer.ip()], max_permissions, now);
        if !has_room {
            return Err(Code::INSUFFICIENT_CAPACITY);
        }
        allocation.channels.bind(number, peer, now);
        allocation.permissions.install(peer.ip(), now);
        self.succeed(path, request, user, None);
        Ok(())
    }

    /// Whether a permission for an address can be had. The policy comes first: an address in disguise is forbidden,
    /// not merely of another family.
    fn check_peer_ip(&mut self, path: FiveTuple, ip: IpAddr) -> Result<(), Code> {
        let policy = &self.config.policy;
        let is_own = self.config.is_own(ip) || path.local.ip().to_canonical() == ip;
        let is_fine = if is_own {
            // Permissions know no ports: which ones of our own are open is checked per datagram.
            let is_relay = self.config.is_relay(ip) && !policy.denies_explicitly(ip);
            is_relay || policy.allows_explicitly(ip)
        } else {
            policy.permits(ip)
        };
        if !is_fine {
            self.stats.peers_forbidden += 1;
            return Err(Code::FORBIDDEN);
        }
        let allocation = self.allocations.get(&path).ok_or(Code::ALLOCATION_MISMATCH)?;
        if Family::of(ip) == allocation.family { Ok(()) } else { Err(Code::PEER_ADDRESS_FAMILY_MISMATCH) }
    }

    /// Whether data may go to this address and port; the address has a permission already.
    ///
    /// On our own addresses only relayed ports are open, and what the policy allows by name, but never a listener:
    /// a server that talks to itself is a loop (RFC 8656 §21.1.7).
    pub(super) fn may_send_to(&self, path: FiveTuple, peer: SocketAddr) -> bool {
        if peer.port() == 0 {
            return false;
        }
        let ip = peer.ip();
        let is_own = self.config.is_own(ip) || path.local.ip().to_canonical() == ip;
        if !is_own {
            return true;
        }
        let is_listener = path.local.port() == peer.port()
            || self.config.listeners.iter().any(|listener| listener.port() == peer.port());
        let is_relayed = self.relayed.contains_key(&peer);
        is_relayed || (!is_listener && self.config.policy.allows_explicitly(ip))
    }

    //= rfc8656 §7.2
    //# If the request contains a LIFETIME attribute, then the
    //# server computes the minimum of the client's proposed lifetime and the
    //# server's maximum allowed lifetime.
    fn granted_lifetime(&self, wanted: Option<Lifetime>) -> Duration {
        let wanted = wanted.map_or(Duration::ZERO, Lifetime::duration);
        wanted.min(self.config.max_lifetime).max(self.config.default_lifetime)
    }

    fn succeed(
        &mut self,
        path: FiveTuple,
        request: &Message<'_>,
        user: &Authenticated,
        lifetime: Option<Lifetime>,
    ) {
        let (method, id) = (request.method(), request.transaction_id());
        let software = if method == Method::REFRESH { self.config.software.clone() } else { None };
        self.answer(path, Class::Success, method, id, |builder| {
            builder.attribute_opt(lifetime.as_ref());
            if let Some(software) = &software {
                builder.raw(AttributeType::SOFTWARE, software.as_bytes());
            }
            builder.integrity(&user.key, user.integrity);
        });
    }

    fn refuse_with(
        &mut self,
        path: FiveTuple,
        request: &Message<'_>,
        user: &Authenticated,
        code: Code,
        unknown: Option<&UnknownAttributes>,
    ) {
        self.stats.errors += 1;
        let (method, id) = (request.method(), request.transaction_id());
        self.answer(path, Class::Error, method, id, |builder| {
            builder.attribute(&ErrorCode::new(code)).attribute_opt(unknown);
            builder.integrity(&user.key, user.integrity);
        });
    }
}

/// Missing or malformed: the request is bad (RFC 8656 §7.2, §10.2, §12.2).
const fn bad_request(_: AttributeError) -> Code {
    Code::BAD_REQUEST
}
