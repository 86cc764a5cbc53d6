//! The client: one allocation on one server, its permissions and channels.

mod allocation;
mod channel;
mod config;
mod error;
mod event;
mod frame;
mod permission;
mod receive;
mod request;
mod stats;

pub use config::ClientConfig;
pub use error::{AllocateError, ClientError, CommandError, RequestError};
pub use event::{CloseReason, Event};
pub use receive::Received;
pub use stats::ClientStats;

use self::{
    allocation::Allocation,
    channel::Channels,
    permission::Permissions,
    request::{Kind, Request},
};
use crate::{Family, log::debug};
use crypto::{Provider, Random};
use std::{
    collections::VecDeque,
    fmt,
    net::SocketAddr,
    time::{Duration, Instant},
};
use stun::{
    Failure, Step,
    auth::LongTerm,
    net::{FiveTuple, Transmit, Transport},
};

/// Requests in flight at most (RFC 8489 §6.2: "a client SHOULD limit itself to ten outstanding transactions").
const MAX_REQUESTS: usize = 10;

/// How long [`Client::close`] waits for the server to confirm the deletion.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// One allocation on a TURN server over UDP.
///
/// It starts with the first [`poll_transmit`](Self::poll_transmit), authenticates, keeps the allocation, the wanted
/// permissions and channels alive, and ends with exactly one of [`Event::Failed`], [`Event::AlternateServer`] and
/// [`Event::Closed`].
pub struct Client {
    config: ClientConfig,
    credentials: LongTerm,
    rng: Box<dyn Random>,
    /// The latest time seen.
    now: Instant,
    state: State,
    requests: Vec<Request>,
    permissions: Permissions,
    channels: Channels,
    events: VecDeque<Event>,
    stats: ClientStats,
}

#[derive(Debug)]
enum State {
    Allocating,
    Allocated(Allocation),
    /// A deletion is on its way; `last` is what the application is told at the end.
    Closing {
        until: Instant,
        last: Event,
    },
    Ended,
}

impl Client {
    /// A client that will ask for an allocation when first polled.
    ///
    /// # Errors
    /// [`ClientError`] when the configuration cannot work: a transport other than UDP, credentials that cannot be
    /// used.
    pub fn new(
        config: ClientConfig,
        provider: &Provider,
        now: Instant,
        rng: Box<dyn Random>,
    ) -> Result<Self, ClientError> {
        let transport = config.path().transport;
        if transport != Transport::Udp {
            return Err(ClientError::UnsupportedTransport(transport));
        }
        let credentials = config.credentials(provider)?;
        let mut client = Self {
            permissions: Permissions::new(config.max_permissions),
            channels: Channels::new(config.max_channels),
            config,
            credentials,
            rng,
            now,
            state: State::Allocating,
            requests: Vec::new(),
            events: VecDeque::new(),
            stats: ClientStats::default(),
        };
        client.start_request(now, Kind::Allocate, 0);
        Ok(client)
    }

    /// The clock moved on. Late and needless calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// Wants a permission for the address of `peer` (its port does not matter) and keeps it fresh from now on.
    ///
    /// May be called before the allocation is there. [`Event::PermissionReady`] or [`Event::PermissionFailed`]
    /// follows; asking again for a permission that is wanted already changes nothing.
    ///
    /// # Errors
    /// [`CommandError`] when the client has ended, the limit is reached, or the family is not that of the relayed
    /// address.
    pub fn create_permission(&mut self, now: Instant, peer: SocketAddr) -> Result<(), CommandError> {
        self.note_time(now);
        self.check_peer(peer)?;
        self.permissions.want(peer.ip(), self.now)
    }

    /// Wants a channel to `peer`, and the permission it needs, and keeps both fresh from now on.
    ///
    /// Until [`Event::ChannelBound`], data goes in Send indications, which cost 32 bytes more per datagram.
    ///
    /// # Errors
    /// [`CommandError`] as for [`create_permission`](Self::create_permission).
    pub fn bind_channel(&mut self, now: Instant, peer: SocketAddr) -> Result<(), CommandError> {
        self.note_time(now);
        self.check_peer(peer)?;
        self.permissions.want(peer.ip(), self.now)?;
        self.channels.want(peer, self.now)
    }

    /// Lets the permission for the address of `peer`, and all channels to that address, run out.
    pub fn forget_peer(&mut self, now: Instant, peer: SocketAddr) {
        self.note_time(now);
        self.permissions.forget(peer.ip());
        self.channels.forget(peer.ip());
    }

    /// Deletes the allocation. [`Event::Closed`] follows when the server confirmed it, or after five seconds.
    pub fn close(&mut self, now: Instant) {
        self.note_time(now);
        self.close_with(Event::Closed(CloseReason::Local));
    }

    /// Appends the next datagram for the server to `out`.
    #[must_use = "the datagram counts as sent"]
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        self.advance(now);
        let mut index = 0;
        while let Some(request) = self.requests.get_mut(index) {
            match request.transaction.poll(self.now) {
                Step::Send => {
                    out.extend_from_slice(&request.datagram);
                    self.stats.requests_sent += 1;
                    return Some(Transmit::new(self.config.path(), request.datagram.len()));
                }
                Step::Failed(failure) => {
                    let request = self.requests.swap_remove(index);
                    let violated = failure == Failure::IntegrityViolated;
                    let error =
                        if violated { RequestError::IntegrityViolated } else { RequestError::Timeout };
                    debug!("turn: {:?} request failed: {error}", request.kind);
                    self.request_failed(request, error);
                    self.advance(now);
                    index = 0;
                }
                Step::Wait => index += 1,
            }
        }
        None
    }

    /// The next thing that happened.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let requests = self.requests.iter().filter_map(|request| request.transaction.poll_timeout()).min();
        match &self.state {
            State::Allocating => requests,
            State::Allocated(allocation) => {
                let refresh = allocation.refresh_at;
                let can_start = self.requests.len() < MAX_REQUESTS;
                let permissions = self.permissions.next_timeout(can_start);
                let channels = self.channels.next_timeout(can_start);
                [requests, refresh, permissions, channels].into_iter().flatten().min()
            }
            State::Closing { until, .. } => Some(requests.map_or(*until, |requests| requests.min(*until))),
            State::Ended => None,
        }
    }

    /// The path to the server.
    #[must_use]
    pub const fn path(&self) -> FiveTuple {
        self.config.path()
    }

    /// The address that the server relays for us, once allocated.
    #[must_use]
    pub const fn relayed_address(&self) -> Option<SocketAddr> {
        match &self.state {
            State::Allocated(allocation) => Some(allocation.relayed),
            State::Allocating | State::Closing { .. } | State::Ended => None,
        }
    }

    /// Our address as the server sees it, once allocated.
    #[must_use]
    pub const fn mapped_address(&self) -> Option<SocketAddr> {
        match &self.state {
            State::Allocated(allocation) => Some(allocation.mapped),
            State::Allocating | State::Closing { .. } | State::Ended => None,
        }
    }

    /// Whether data can be sent to `peer` now.
    #[must_use]
    pub fn has_permission(&self, peer: SocketAddr) -> bool {
        self.permissions.is_active(peer.ip())
    }

    /// Whether data to `peer` goes over a channel now.
    #[must_use]
    pub fn has_channel(&self, peer: SocketAddr) -> bool {
        self.channels.bound(peer).is_some()
    }

    /// Counters since the start.
    #[must_use]
    pub const fn stats(&self) -> &ClientStats {
        &self.stats
    }

    /// Does what is due, without sending.
    fn advance(&mut self, now: Instant) {
        self.note_time(now);
        let now = self.now;
        match &mut self.state {
            State::Allocated(allocation) => {
                if allocation.refresh_at.is_some_and(|at| at <= now) {
                    allocation.refresh_at = None;
                    self.start_request(now, Kind::Refresh, 0);
                }
                self.permissions.expire(now, &mut self.events);
                self.channels.expire(now, &mut self.events);
                self.start_due(now);
            }
            State::Closing { until, .. } if *until <= now => self.finish_closing(),
            State::Allocating | State::Closing { .. } | State::Ended => {}
        }
    }

    /// Starts permission and channel requests that are due, as many as may be in flight.
    fn start_due(&mut self, now: Instant) {
        while self.requests.len() < MAX_REQUESTS {
            let kind = match self.permissions.take_due(now) {
                Some(ip) => Kind::Permission(ip),
                None => match self.channels.take_due(now) {
                    Some((peer, number)) => Kind::Channel(peer, number),
                    None => break,
                },
            };
            self.start_request(now, kind, 0);
        }
    }

    fn check_peer(&self, peer: SocketAddr) -> Result<(), CommandError> {
        let family = match &self.state {
            State::Allocated(allocation) => Family::of(allocation.relayed.ip()),
            State::Allocating => self.config.family,
            State::Closing { .. } | State::Ended => return Err(CommandError::Ended),
        };
        if Family::of(peer.ip()) == family { Ok(()) } else { Err(CommandError::FamilyMismatch) }
    }

    fn note_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// Begins the end: deletes what the server may hold, then tells `last`.
    fn close_with(&mut self, last: Event) {
        let until = self.now + CLOSE_TIMEOUT;
        match self.state {
            State::Allocated(_) => {
                self.state = State::Closing { until, last };
                self.requests.clear();
                self.start_request(self.now, Kind::Delete, 0);
            }
            // The server may be about to allocate: wait for its answer and delete then.
            State::Allocating if self.requests.iter().any(|request| request.is_on_its_way()) => {
                self.state = State::Closing { until, last };
            }
            State::Allocating => self.end(last),
            State::Closing { .. } | State::Ended => {}
        }
    }

    fn finish_closing(&mut self) {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Closing { last, .. } => self.end(last),
            State::Allocating | State::Allocated(_) | State::Ended => {}
        }
    }

    /// The end: `last` is the last event ever.
    fn end(&mut self, last: Event) {
        debug!("turn: ended: {last:?}");
        self.state = State::Ended;
        self.requests.clear();
        self.permissions.clear();
        self.channels.clear();
        self.events.push_back(last);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("path", &self.config.path())
            .field("state", &self.state)
            .field("requests", &self.requests)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
