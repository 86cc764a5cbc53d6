//! The agent: what the owner calls, and the state behind it.

mod inbound;
mod local;
mod nominate;
mod outbound;
mod remote;
mod report;
mod respond;
mod state;
mod success;
mod timer;

pub use report::SelectedPair;
pub use timer::Timer;

use crate::{
    AddCandidateError, Candidate, Config, ConnectionState, Counters, Credentials, Event, GatheringState,
    IceServer, Implementation, LocalAddress, Role,
    candidate::Foundations,
    checklist::{Link, Pair, PairId},
    gather::Gatherer,
    generation::Generation,
};
use crypto::{Provider, Random};
use outbound::Reply;
use std::{
    collections::VecDeque,
    fmt,
    net::{IpAddr, SocketAddr},
    ops::Range,
    sync::Arc,
    time::Instant,
};
use stun::net::FiveTuple;

/// Events kept for an owner that does not poll; state changes beyond this replace older ones of their kind.
const MAX_EVENTS: usize = 512;

/// A full ICE agent for one component.
///
/// Sans-IO: see the crate documentation for the order of calls. Any order is harmless.
pub struct Agent {
    config: Arc<Config>,
    provider: Provider,
    rng: Box<dyn Random>,
    /// The latest time seen.
    now: Instant,
    role: Role,
    tie_breaker: u64,
    peer: Implementation,
    gatherer: Gatherer,
    foundations: Foundations,
    /// Names that hide our addresses.
    names: Vec<(IpAddr, String)>,
    current: Generation,
    /// The generation before a restart, while its pairs carry data or still answer checks.
    previous: Option<Generation>,
    selected: Option<Selected>,
    /// When the next transaction may start (RFC 8445 §14.2).
    pace_at: Instant,
    replies: VecDeque<Reply>,
    events: VecDeque<Event>,
    state: ConnectionState,
    gathering: GatheringState,
    life: Life,
    /// When something that is known to be from the peer last came.
    last_heard: Option<Instant>,
    /// When a check or a consent check was last answered.
    last_answered: Option<Instant>,
    /// When the loss of the last valid pair becomes final.
    fail_at: Option<Instant>,
    /// When pairs that lost the nomination are dropped (RFC 8445 §8.3.1).
    prune_at: Option<Instant>,
    restarted: bool,
    selected_changes: u64,
    counters: Counters,
}

/// What a datagram was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a datagram of the peer is to be handed on"]
#[expect(clippy::exhaustive_enums, reason = "the owner must handle each")]
pub enum Received {
    /// STUN or TURN, taken in.
    Control,
    /// Data from where an authenticated check came before the peer's credentials were known: the peer has our offer
    /// and its answer is on the way. Nothing proves yet that the peer of the answer sent it, so it may be held, a little
    /// of it, and brought again once the credentials are set.
    Early,
    /// Dropped and counted.
    Ignored,
    /// Data of the peer, on a path that has passed an authenticated check.
    Peer {
        /// Where in the datagram the data is; what is before and after it is framing of TURN.
        payload: Range<usize>,
    },
}

/// Why the operating system refused to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// `EACCES`, `EPERM`, `EADDRNOTAVAIL`: not from this socket.
    Denied,
    /// `ECONNREFUSED`: somebody, who is not authenticated, says that nobody listens.
    Refused,
    /// `ENOBUFS`, `EAGAIN`: will pass.
    Temporary,
    /// `EMSGSIZE`: larger than the path allows.
    TooLarge,
    /// `ENETUNREACH`, `EHOSTUNREACH`: no route.
    Unreachable,
}

/// The pair that carries data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Selected {
    era: Era,
    pair: PairId,
    link: Link,
}

/// Which generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Era {
    Current,
    Previous,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// Giving back allocations.
    Closing,
    Closed,
}

impl Agent {
    /// An agent with fresh credentials. Nothing is sent before [`start_gathering`](Self::start_gathering) and
    /// [`set_remote_credentials`](Self::set_remote_credentials).
    ///
    /// The provider must offer HMAC-SHA1, without which nothing can be authenticated and no pair ever works.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        role: Role,
        provider: &Provider,
        now: Instant,
        mut rng: Box<dyn Random>,
    ) -> Self {
        let credentials = Credentials::generate(&mut *rng);
        Self {
            gatherer: Gatherer::new(Arc::clone(&config), *provider),
            current: Generation::new(&config, provider, credentials),
            config,
            provider: *provider,
            now,
            role,
            tie_breaker: rng.u64(),
            rng,
            peer: Implementation::Full,
            foundations: Foundations::default(),
            names: Vec::new(),
            previous: None,
            selected: None,
            pace_at: now,
            replies: VecDeque::new(),
            events: VecDeque::new(),
            state: ConnectionState::New,
            gathering: GatheringState::New,
            life: Life::Open,
            last_heard: None,
            last_answered: None,
            fail_at: None,
            prune_at: None,
            restarted: false,
            selected_changes: 0,
            counters: Counters::default(),
        }
    }

    /// Our credentials of the current generation.
    #[must_use]
    pub fn local_credentials(&self) -> &Credentials {
        &self.current.credentials
    }

    /// Tells of a bound UDP socket. It becomes a host candidate, and is used to ask servers, once gathering has
    /// started. Ignored when the address cannot be a candidate (RFC 8445 §5.1.1.1), is known, or there are too many.
    pub fn add_local_address(&mut self, now: Instant, local: LocalAddress) {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.gatherer.add_socket(now, local, &mut *self.rng);
            self.settle(now);
        }
    }

    /// Tells that a socket died or its interface is gone. Its candidates and pairs go at once; another valid pair
    /// takes over when there is one.
    pub fn remove_local_address(&mut self, now: Instant, address: SocketAddr) {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.remove_socket(address);
            self.settle(now);
        }
    }

    /// Adds a server whose name was resolved only now; it is asked from all sockets.
    pub fn add_server(&mut self, now: Instant, server: IceServer) {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.gatherer.add_server(now, server, &mut *self.rng);
            self.settle(now);
        }
    }

    /// Replaces the servers for the generations to come; for this one as well while it has not started gathering.
    /// Allocations at servers that are gone live until nothing needs them.
    pub fn set_servers(&mut self, now: Instant, servers: Vec<IceServer>) {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.gatherer.set_servers(servers);
            self.settle(now);
        }
    }

    /// Starts gathering for this generation.
    pub fn start_gathering(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.life == Life::Open && !self.gatherer.is_started() {
            self.set_gathering(GatheringState::Gathering);
            self.gatherer.start(now, &mut *self.rng);
            self.settle(now);
        }
    }

    /// Tells that no more sockets and servers will be added in this generation. When all servers have answered or
    /// have been given up, [`Event::GatheringComplete`] follows. Sockets added later still work.
    pub fn local_addresses_complete(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.gatherer.addresses_complete();
            self.settle(now);
        }
    }

    /// Our signalled candidates of this generation.
    pub fn local_candidates(&self) -> impl Iterator<Item = &Candidate> {
        let candidates = self.current.locals.iter().map(|local| &local.candidate);
        candidates.filter(|candidate| candidate.kind() != crate::CandidateKind::PeerReflexive)
    }

    /// Sets what the peer signalled. Other credentials than before mean that the peer restarted.
    pub fn set_remote_credentials(&mut self, now: Instant, credentials: Credentials) {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.accept_remote_credentials(now, credentials);
            self.settle(now);
        }
    }

    /// Adds a candidate of the peer. Those that can never work (other component, TCP, multicast, ...) are counted
    /// and otherwise ignored. May come before the credentials.
    ///
    /// # Errors
    /// [`AddCandidateError`] when the candidate comes too late, is one too many or is of another generation.
    pub fn add_remote_candidate(
        &mut self,
        now: Instant,
        candidate: Candidate,
    ) -> Result<(), AddCandidateError> {
        let now = self.advance(now);
        if self.life != Life::Open {
            return Err(AddCandidateError::Closed);
        }
        let result = self.accept_remote_candidate(now, candidate);
        self.settle(now);
        result
    }

    /// Tells that the peer has no more candidates (RFC 8838 §14).
    pub fn end_of_remote_candidates(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.current.remote_end = true;
            self.settle(now);
        }
    }

    /// Answers [`Event::Resolve`]: the address of a name, or `None` when there is none.
    pub fn resolved(&mut self, now: Instant, name: &str, address: Option<IpAddr>) {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.accept_resolution(now, name, address);
            self.settle(now);
        }
    }

    /// Sets the role. Changing it in mid-generation is harmless; the peer repairs or confirms it.
    pub fn set_role(&mut self, role: Role) {
        if self.life == Life::Open {
            let role = if self.peer == Implementation::Lite { Role::Controlling } else { role };
            self.change_role(role);
            self.settle(self.now);
        }
    }

    /// Our role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Tells what the peer signalled to be; towards a lite peer we are controlling (RFC 8445 §6.1.1).
    pub fn set_remote_implementation(&mut self, peer: Implementation) {
        self.peer = peer;
        if peer == Implementation::Lite {
            self.set_role(Role::Controlling);
        }
    }

    /// Starts a new generation and returns its credentials (RFC 8445 §9). Gathering and the exchange of candidates
    /// start anew; the role stays, and data stays on the old pair until a new one works.
    pub fn restart(&mut self, now: Instant) -> Credentials {
        let credentials = Credentials::generate(&mut *self.rng);
        self.restart_with(now, credentials)
    }

    /// The same with credentials of the caller's choice, for those who have described them already. They must be
    /// fresh and random (RFC 8445 §5.3).
    pub fn restart_with(&mut self, now: Instant, credentials: Credentials) -> Credentials {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.begin_generation(now, credentials);
            self.gatherer.restart();
            self.set_gathering(GatheringState::New);
            self.settle(now);
        }
        self.current.credentials.clone()
    }

    /// Takes a datagram that came in on a socket.
    pub fn handle_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &[u8]) -> Received {
        let now = self.advance(now);
        if self.life != Life::Open {
            return Received::Ignored;
        }
        let received = self.receive(now, path, datagram);
        if received == Received::Control {
            self.settle(now);
        }
        received
    }

    /// Tells that sending on a path failed. A hint, and never the end of the agent.
    pub fn handle_send_error(&mut self, now: Instant, path: FiveTuple, kind: SendErrorKind) {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.note_send_error(path, kind);
            self.settle(now);
        }
    }

    /// Lets time pass. Early and repeated calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.life == Life::Open {
            self.gatherer.handle_timeout(now);
            self.expire(now);
            self.settle(now);
        }
    }

    /// The next fact, the oldest first.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) and [`poll_transmit`](Self::poll_transmit) next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_timer().map(|(at, _)| at)
    }

    /// Ends everything: no consent is kept, allocations are given back. [`Event::Closed`] is the last event; it comes
    /// once [`poll_transmit`](Self::poll_transmit) has nothing left.
    pub fn close(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.life != Life::Open {
            return;
        }
        self.life = Life::Closing;
        self.replies.clear();
        self.previous = None;
        self.current.abandon();
        self.withdraw_names();
        self.set_selected(None);
        self.set_state(ConnectionState::Closed);
        self.gatherer.close(now);
        if !self.gatherer.has_relays() {
            self.finish_closing();
        }
    }

    /// Law L3: time never goes back.
    fn advance(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    fn finish_closing(&mut self) {
        self.life = Life::Closed;
        self.push_event(Event::Closed);
    }

    /// Brings everything that follows from a change up to date.
    fn settle(&mut self, now: Instant) {
        self.take_found(now);
        self.ask_names(now);
        self.nominate(now);
        self.select(now);
        self.update_gathering();
        self.update_state(now);
    }

    fn generation(&self, era: Era) -> Option<&Generation> {
        match era {
            Era::Current => Some(&self.current),
            Era::Previous => self.previous.as_ref(),
        }
    }

    fn generation_mut(&mut self, era: Era) -> Option<&mut Generation> {
        match era {
            Era::Current => Some(&mut self.current),
            Era::Previous => self.previous.as_mut(),
        }
    }

    fn pair(&self, era: Era, id: PairId) -> Option<&Pair> {
        self.generation(era)?.checklist.get(id)
    }

    fn pair_mut(&mut self, era: Era, id: PairId) -> Option<&mut Pair> {
        self.generation_mut(era)?.checklist.get_mut(id)
    }

    /// Queues an event. Candidates are bounded elsewhere; repeated changes of state are not, so the oldest of them
    /// makes room.
    fn push_event(&mut self, event: Event) {
        if self.events.len() >= MAX_EVENTS {
            let same = std::mem::discriminant(&event);
            if let Some(place) = self.events.iter().position(|old| std::mem::discriminant(old) == same) {
                self.events.remove(place);
            }
        }
        self.events.push_back(event);
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("ufrag", &self.current.credentials.ufrag())
            .field("role", &self.role)
            .field("state", &self.state)
            .field("gathering", &self.gathering)
            .field("pairs", &self.current.checklist.len())
            .finish_non_exhaustive()
    }
}
