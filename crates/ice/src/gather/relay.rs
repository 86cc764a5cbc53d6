//! One TURN allocation (RFC 8445 §5.1.1.2, RFC 8656).

use crate::{IceServer, checklist::RelayId, random::DerivedRandom};
use crypto::{Provider, Random};
use std::{
    net::SocketAddr,
    ops::Range,
    time::{Duration, Instant},
};
use stun::{
    Builder, Method, TransactionId,
    net::{FiveTuple, Transmit},
};
use turn::{
    Client, ClientConfig, Family,
    client::{AllocateError, CloseReason, Event, RequestError},
};

/// How often the NAT in front of us is reminded of an allocation; refreshes come too seldom (RFC 8445 §11).
const KEEPALIVE: Duration = Duration::from_secs(15);

/// How often a server may send us to another one.
const MAX_REDIRECTS: u8 = 3;

/// An allocation on one server through one socket, and the client that keeps it.
#[derive(Debug)]
pub(crate) struct Relay {
    id: RelayId,
    server: usize,
    path: FiveTuple,
    login: Login,
    family: Family,
    provider: Provider,
    /// Taken by the client that is started next; absent when the provider has no HMAC.
    rng: Option<DerivedRandom>,
    /// For the clients after the first.
    spare: Option<DerivedRandom>,
    state: State,
    redirects: u8,
    keepalive_at: Option<Instant>,
}

struct Login {
    username: String,
    credential: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum State {
    /// Waits for its turn.
    Queued,
    Running(Box<Client>),
    Over,
}

/// What a datagram from the server was.
#[derive(Debug)]
pub(crate) enum RelayReceived {
    Control,
    Ignored,
    Peer { from: SocketAddr, payload: Range<usize> },
}

/// What happened to an allocation.
#[derive(Debug)]
pub(crate) enum RelayEvent {
    Allocated,
    /// It was there and is gone.
    Lost,
    /// It never came to be.
    Failed {
        code: u16,
        reason: String,
    },
    /// The server will not relay to this address.
    Refused {
        ip: std::net::IpAddr,
    },
}

impl Relay {
    /// `None` when the server has no login.
    pub(crate) fn new(
        id: RelayId,
        path: FiveTuple,
        server: usize,
        details: &IceServer,
        provider: Provider,
        rng: &mut dyn Random,
    ) -> Option<Self> {
        let (username, credential) = details.login()?;
        Some(Self {
            id,
            server,
            path,
            login: Login { username: username.to_owned(), credential: credential.to_owned() },
            family: if path.local.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 },
            rng: DerivedRandom::new(&provider, rng),
            spare: DerivedRandom::new(&provider, rng),
            provider,
            state: State::Queued,
            redirects: 0,
            keepalive_at: None,
        })
    }

    pub(crate) fn id(&self) -> RelayId {
        self.id
    }

    pub(crate) fn server(&self) -> usize {
        self.server
    }

    /// The list of servers has another order now.
    pub(crate) fn set_server(&mut self, server: usize) {
        self.server = server;
    }

    pub(crate) fn socket(&self) -> SocketAddr {
        self.path.local
    }

    pub(crate) fn server_address(&self) -> SocketAddr {
        self.path.remote
    }

    pub(crate) fn relayed(&self) -> Option<SocketAddr> {
        self.client()?.relayed_address()
    }

    pub(crate) fn mapped(&self) -> Option<SocketAddr> {
        self.client()?.mapped_address()
    }

    pub(crate) fn is_queued(&self) -> bool {
        matches!(self.state, State::Queued)
    }

    /// Whether it is not known yet if there will be an allocation.
    pub(crate) fn is_pending(&self) -> bool {
        match &self.state {
            State::Queued => true,
            State::Running(client) => client.relayed_address().is_none(),
            State::Over => false,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Starts asking; the first request is due at once.
    pub(crate) fn start(&mut self, now: Instant) {
        let config = ClientConfig::new(self.path, self.login.username.as_str(), &self.login.credential);
        self.state = State::Over;
        let Some(mut rng) = self.rng.take() else { return };
        self.rng = self.spare.take();
        // A server may redirect us and refuse a family; each client gets a generator of its own.
        self.spare = DerivedRandom::new(&self.provider, &mut rng);
        match Client::new(config.with_family(self.family), &self.provider, now, Box::new(rng)) {
            Ok(client) => self.state = State::Running(Box::new(client)),
            Err(error) => {
                let _ = error;
                debug!(%error, "no TURN client");
            }
        }
    }

    pub(crate) fn give_up(&mut self) {
        self.state = State::Over;
    }

    pub(crate) fn permit(&mut self, now: Instant, peer: SocketAddr) {
        if let Some(client) = self.client_mut() {
            // Refused commands show as checks that are never ready.
            let _ = client.create_permission(now, peer);
        }
    }

    pub(crate) fn is_permitted(&self, peer: SocketAddr) -> bool {
        self.client().is_some_and(|client| client.has_permission(peer))
    }

    /// Makes data to a peer cheap.
    pub(crate) fn bind(&mut self, now: Instant, peer: SocketAddr) {
        if let Some(client) = self.client_mut() {
            // Without a channel data goes in Send indications.
            let _ = client.bind_channel(now, peer);
        }
    }

    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        path: FiveTuple,
        datagram: &[u8],
    ) -> RelayReceived {
        let Some(client) = self.client_mut() else { return RelayReceived::Ignored };
        match client.handle_datagram(now, path, datagram) {
            turn::client::Received::Control => RelayReceived::Control,
            turn::client::Received::Ignored => RelayReceived::Ignored,
            turn::client::Received::Peer { from, payload } => RelayReceived::Peer { from, payload },
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(client) = self.client_mut() {
            client.handle_timeout(now);
        }
    }

    pub(crate) fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(transmit) = self.client_mut()?.poll_transmit(now, out) {
            self.keepalive_at = now.checked_add(KEEPALIVE);
            return Some(transmit);
        }
        if self.keepalive_due()? > now {
            return None;
        }
        self.keepalive_at = now.checked_add(KEEPALIVE);
        let start = out.len();
        let id = TransactionId::random(self.spare.as_mut()?);
        let mut builder = Builder::indication(out, Method::BINDING, id);
        builder.fingerprint();
        builder.finish().ok()?;
        Some(Transmit::new(self.path, out.len() - start))
    }

    pub(crate) fn poll_event(&mut self) -> Option<RelayEvent> {
        loop {
            match self.client_mut()?.poll_event()? {
                Event::Allocated { .. } => return Some(RelayEvent::Allocated),
                Event::PermissionFailed { ip, .. } => return Some(RelayEvent::Refused { ip }),
                Event::Closed(reason) => {
                    self.state = State::Over;
                    return (reason != CloseReason::Local).then_some(RelayEvent::Lost);
                }
                Event::AlternateServer(server) if self.redirects < MAX_REDIRECTS => {
                    self.redirects += 1;
                    self.path.remote = server;
                    self.state = State::Queued;
                }
                Event::Failed(AllocateError::FamilyNotSupported) if self.family == Family::Ipv6 => {
                    // The server may still relay IPv4 for us.
                    self.family = Family::Ipv4;
                    self.state = State::Queued;
                }
                Event::AlternateServer(_) => return Some(self.fail(300, "too many redirections".to_owned())),
                Event::Failed(error) => return Some(self.fail(code_of(&error), error.to_string())),
                Event::ChannelBound(_)
                | Event::ChannelFailed { .. }
                | Event::Icmp { .. }
                | Event::PermissionReady(_)
                | _ => {}
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.client()?.poll_timeout().into_iter().chain(self.keepalive_due()).min()
    }

    pub(crate) fn frame_with<R>(
        &mut self,
        peer: SocketAddr,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<R>,
    ) -> Option<(R, Transmit)> {
        self.client_mut()?.frame_with(peer, out, write)
    }

    pub(crate) fn overhead(&self, peer: SocketAddr) -> usize {
        self.client().map_or(0, |client| client.overhead(peer))
    }

    pub(crate) fn close(&mut self, now: Instant) {
        match &mut self.state {
            State::Running(client) => client.close(now),
            State::Queued | State::Over => self.state = State::Over,
        }
    }

    fn keepalive_due(&self) -> Option<Instant> {
        self.relayed().and(self.keepalive_at)
    }

    fn fail(&mut self, code: u16, reason: String) -> RelayEvent {
        self.state = State::Over;
        RelayEvent::Failed { code, reason }
    }

    fn client(&self) -> Option<&Client> {
        match &self.state {
            State::Running(client) => Some(client),
            State::Queued | State::Over => None,
        }
    }

    fn client_mut(&mut self) -> Option<&mut Client> {
        match &mut self.state {
            State::Running(client) => Some(client),
            State::Queued | State::Over => None,
        }
    }
}

/// The STUN error code behind a failure; 701 when the server did not answer.
fn code_of(error: &AllocateError) -> u16 {
    match error {
        AllocateError::AllocationMismatch => 437,
        AllocateError::CapacityReached => 508,
        AllocateError::CredentialsRefused => 401,
        AllocateError::FamilyMismatch => 443,
        AllocateError::FamilyNotSupported => 440,
        AllocateError::QuotaReached => 486,
        AllocateError::Request(RequestError::Refused(code)) => code.number(),
        AllocateError::Request(_) | _ => super::NO_ANSWER,
    }
}
