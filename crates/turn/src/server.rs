//! The server: allocations, permissions, channels and relaying, without sockets.
//!
//! ```text
//!            datagrams of clients                     datagrams of peers
//!                    │                                       │
//!            handle_datagram                        handle_relay_datagram
//!                    │                                       │
//!   Received::Relay ─┼─▶ driver sends from the relay   Some(Transmit) ─▶ driver sends to the client
//!                    │
//!              poll_transmit ─▶ answers to clients
//!                poll_event  ─▶ open and close relay sockets, allocations that came and went
//! ```

mod allocation;
mod auth;
mod bucket;
mod config;
mod event;
mod nonce;
mod policy;
mod reflection;
mod relay;
mod request;
mod stats;
mod users;

pub use bucket::ByteRate;
pub use config::{PasswordPolicy, RelayAddress, ServerConfig, ServerConfigError};
pub use event::{Event, PortWish, ReleaseReason, Traffic};
pub use policy::{IpNet, IpNetError, PeerPolicy};
pub use relay::Received;
pub use stats::ServerStats;
pub use users::{StaticUsers, Users};

use self::{allocation::Allocation, nonce::Nonces, reflection::ReplyLimiter};
use crate::log::debug;
use crypto::{Provider, Random};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::Instant,
};
use stun::{
    Builder, Class, Method, TransactionId,
    attr::XorMappedAddress,
    net::{FiveTuple, Transmit},
};

/// Answers waiting to be polled, in bytes; more are dropped, as a full socket would.
const MAX_QUEUED_BYTES: usize = 1024 * 1024;

/// Buffers of answers kept for the next ones.
const MAX_SPARE_BUFFERS: usize = 64;

/// A relay socket that the driver opens and closes for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelayId(u64);

impl RelayId {
    /// A number that is never used twice in the life of a server.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A TURN server over UDP, which answers STUN Binding requests too.
///
/// Nothing is kept for a client that has not authenticated: nonces carry their own proof. Everything else is bounded
/// by [`ServerConfig`].
pub struct Server {
    config: ServerConfig,
    provider: Provider,
    users: Box<dyn Users>,
    rng: Box<dyn Random>,
    nonces: Nonces,
    reply_limiter: ReplyLimiter,
    /// The latest time seen.
    now: Instant,
    allocations: HashMap<FiveTuple, Allocation>,
    by_relay: HashMap<RelayId, FiveTuple>,
    /// Relayed addresses of allocations that are open, as peers see them.
    relayed: HashMap<SocketAddr, RelayId>,
    /// When each allocation ends, unless refreshed.
    expiries: BTreeSet<(Instant, RelayId)>,
    /// Allocations per user.
    per_user: HashMap<Arc<str>, usize>,
    next_relay: u64,
    answers: VecDeque<Answer>,
    queued_bytes: usize,
    spare: Vec<Vec<u8>>,
    events: VecDeque<Event>,
    is_closed: bool,
    stats: ServerStats,
}

struct Answer {
    path: FiveTuple,
    datagram: Vec<u8>,
}

impl Server {
    /// A server without allocations.
    ///
    /// # Errors
    /// [`ServerConfigError`] when the configuration cannot work, or the provider lacks an algorithm it needs.
    pub fn new(
        config: ServerConfig,
        users: Box<dyn Users>,
        provider: &Provider,
        now: Instant,
        mut rng: Box<dyn Random>,
    ) -> Result<Self, ServerConfigError> {
        config.check(provider)?;
        let nonces = Nonces::new(provider, &mut *rng, now, &config)?;
        let reply_limiter = ReplyLimiter::new(config.unauthenticated_replies_per_second, now, &mut *rng);
        Ok(Self {
            config,
            provider: *provider,
            users,
            rng,
            nonces,
            reply_limiter,
            now,
            allocations: HashMap::new(),
            by_relay: HashMap::new(),
            relayed: HashMap::new(),
            expiries: BTreeSet::new(),
            per_user: HashMap::new(),
            next_relay: 0,
            answers: VecDeque::new(),
            queued_bytes: 0,
            spare: Vec::new(),
            events: VecDeque::new(),
            is_closed: false,
            stats: ServerStats::default(),
        })
    }

    /// The clock moved on. Late and needless calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// The driver opened the socket of an [`Event::OpenRelay`]; `local` is where it is bound.
    ///
    /// When the allocation is gone by now, [`Event::CloseRelay`] follows.
    pub fn relay_opened(&mut self, now: Instant, relay: RelayId, local: SocketAddr) {
        self.advance(now);
        if self.is_closed || !self.by_relay.contains_key(&relay) {
            self.push_event(Event::CloseRelay { relay });
            return;
        }
        self.open_allocation(relay, local);
    }

    /// The driver could not open a socket, or it broke later. The client is told, or finds its allocation gone.
    pub fn relay_failed(&mut self, now: Instant, relay: RelayId) {
        self.advance(now);
        self.fail_allocation(relay);
    }

    /// Ends all allocations. [`Event::Closed`] comes last.
    pub fn close(&mut self, now: Instant) {
        self.advance(now);
        if self.is_closed {
            return;
        }
        while let Some((_, relay)) = self.expiries.first().copied() {
            self.release(relay, ReleaseReason::ServerClosed);
        }
        self.answers.clear();
        self.queued_bytes = 0;
        self.is_closed = true;
        self.events.push_back(Event::Closed);
    }

    /// Appends the next answer to `out`; its path is the one the request came on.
    #[must_use = "the answer counts as sent"]
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        self.advance(now);
        let Answer { path, mut datagram } = self.answers.pop_front()?;
        let transmit = Transmit::new(path, datagram.len());
        out.extend_from_slice(&datagram);
        self.queued_bytes -= datagram.len();
        if self.spare.len() < MAX_SPARE_BUFFERS {
            datagram.clear();
            self.spare.push(datagram);
        }
        Some(transmit)
    }

    /// The next thing to do or to know.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Allocations there are, those counted whose socket is being opened.
    #[must_use]
    pub fn allocations(&self) -> usize {
        self.allocations.len()
    }

    /// Counters since the start.
    #[must_use]
    pub const fn stats(&self) -> &ServerStats {
        &self.stats
    }

    /// The users, to add or remove some.
    pub fn users_mut(&mut self) -> &mut dyn Users {
        &mut *self.users
    }

    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
        while let Some((at, relay)) = self.expiries.first().copied() {
            if at > self.now {
                break;
            }
            self.refuse_unopened(relay);
            self.release(relay, ReleaseReason::Expired);
        }
    }

    /// Ends an allocation.
    fn release(&mut self, relay: RelayId, reason: ReleaseReason) {
        let Some(path) = self.by_relay.remove(&relay) else { return };
        let Some(allocation) = self.allocations.remove(&path) else { return };
        self.expiries.remove(&(allocation.expires, relay));
        if let Some(count) = self.per_user.get_mut(&allocation.username) {
            *count -= 1;
            if *count == 0 {
                self.per_user.remove(&allocation.username);
            }
        }
        debug!("turn server: allocation of {path} ended: {reason:?}");
        if reason != ReleaseReason::RelayFailed {
            self.push_event(Event::CloseRelay { relay });
        }
        if let Some(relayed) = allocation.relayed {
            self.relayed.remove(&relayed);
            self.stats.allocations_ended += 1;
            self.push_event(Event::Released { relay, client: path, reason, traffic: allocation.traffic });
        }
    }

    fn push_event(&mut self, event: Event) {
        if !self.is_closed {
            self.events.push_back(event);
        }
    }

    /// Queues an answer that `write` builds.
    fn answer(
        &mut self,
        path: FiveTuple,
        class: Class,
        method: Method,
        id: TransactionId,
        write: impl FnOnce(&mut Builder<'_>),
    ) {
        let mut datagram = self.spare.pop().unwrap_or_default();
        let mut builder = Builder::new(&mut datagram, class, method, id);
        write(&mut builder);
        if builder.finish().is_err() || self.queued_bytes + datagram.len() > MAX_QUEUED_BYTES {
            self.stats.answers_dropped += 1;
            return;
        }
        self.queued_bytes += datagram.len();
        self.answers.push_back(Answer { path, datagram });
        self.stats.answers += 1;
    }

    /// Answers a Binding request (RFC 8489 §6.3.1.1).
    fn answer_binding(&mut self, path: FiveTuple, request: &stun::Message<'_>) {
        self.stats.bindings += 1;
        let has_fingerprint = request.has_fingerprint();
        let (method, id) = (request.method(), request.transaction_id());
        self.answer(path, Class::Success, method, id, |builder| {
            builder.attribute(&XorMappedAddress::new(canonical(path.remote)));
            if has_fingerprint {
                builder.fingerprint();
            }
        });
    }
}

/// An address without the IPv6 clothes that sockets for both families give to IPv4 clients.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("allocations", &self.allocations.len())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
