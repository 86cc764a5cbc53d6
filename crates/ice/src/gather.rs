//! Gathering: sockets, and what servers tell about them (RFC 8445 §5.1.1).
//!
//! Every socket and every server stands alone: one that does not answer delays no other.

mod reflexive;
mod relay;
mod socket;

pub(crate) use relay::{Relay, RelayEvent, RelayReceived};
pub use socket::LocalAddress;
pub(crate) use socket::{Socket, is_usable};

use crate::{
    Config, GatherFailure, IceServer, TransportPolicy, checklist::RelayId, gather::reflexive::Outcome,
    generation::can_pair,
};
use crypto::{Provider, Random};
use reflexive::ReflexiveRequest;
use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use stun::{
    Message, TransactionId,
    net::{FiveTuple, Transmit},
};

/// Most servers that are asked.
const MAX_SERVERS: usize = 16;

/// The code for a server that did not answer (W3C WebRTC §4.8.3).
const NO_ANSWER: u16 = 701;

/// The shortest retransmission timeout (RFC 8445 §14.3).
const MIN_RTO: Duration = Duration::from_millis(500);

/// What gathering found out.
#[derive(Debug)]
pub(crate) enum Found {
    Host { socket: SocketAddr },
    Reflexive { socket: SocketAddr, server: usize, mapped: SocketAddr },
    Relayed { id: RelayId },
    RelayLost { id: RelayId },
    PermissionRefused { id: RelayId, ip: IpAddr },
    Failed(GatherFailure),
}

/// The sockets of an agent, the questions they ask and the allocations they have.
#[derive(Debug)]
pub(crate) struct Gatherer {
    config: Arc<Config>,
    provider: Provider,
    servers: Vec<IceServer>,
    /// How many of them are asked. Those behind were replaced and only explain allocations that live on.
    asked: usize,
    /// What replaces them in the next generation.
    next_servers: Option<Vec<IceServer>>,
    sockets: Vec<Socket>,
    requests: Vec<ReflexiveRequest>,
    relays: Vec<Relay>,
    next_relay: u32,
    started: bool,
    addresses_complete: bool,
    /// When servers that have not answered are given up, for each socket; moves with each new socket.
    give_up_at: Option<Instant>,
    found: VecDeque<Found>,
    /// Sockets and servers whose allocation is gone and is to be had again.
    lost: Vec<(SocketAddr, usize)>,
    /// Servers whose failure has been reported in this generation.
    reported: Vec<usize>,
}

impl Gatherer {
    pub(crate) fn new(config: Arc<Config>, provider: Provider) -> Self {
        let servers: Vec<_> = config.servers.iter().take(MAX_SERVERS).cloned().collect();
        Self {
            asked: servers.len(),
            servers,
            next_servers: None,
            config,
            provider,
            sockets: Vec::new(),
            requests: Vec::new(),
            relays: Vec::new(),
            next_relay: 0,
            started: false,
            addresses_complete: false,
            give_up_at: None,
            found: VecDeque::new(),
            lost: Vec::new(),
            reported: Vec::new(),
        }
    }

    /// A new socket. Ignored when it cannot be a candidate, is known, or is one too many.
    pub(crate) fn add_socket(&mut self, now: Instant, local: LocalAddress, rng: &mut dyn Random) {
        let address = local.address();
        let full = self.sockets.len() >= self.config.max_local_addresses;
        if full || !is_usable(address, &self.config) || self.socket(address).is_some() {
            return;
        }
        let socket = Socket::new(local, &self.sockets);
        self.sockets.push(socket);
        if self.started {
            self.announce(now, address, rng);
        }
    }

    /// A socket is gone, and with it the allocations made through it.
    pub(crate) fn remove_socket(&mut self, address: SocketAddr) -> Vec<RelayId> {
        self.sockets.retain(|socket| socket.address() != address);
        self.requests.retain(|request| request.socket != address);
        let lost = self.relays.iter().filter(|relay| relay.socket() == address).map(Relay::id).collect();
        self.relays.retain(|relay| relay.socket() != address);
        lost
    }

    /// One more server, asked from all sockets.
    pub(crate) fn add_server(&mut self, now: Instant, server: IceServer, rng: &mut dyn Random) {
        if self.asked >= MAX_SERVERS {
            return;
        }
        let index = self.asked;
        self.servers.insert(index, server);
        self.asked += 1;
        for relay in &mut self.relays {
            if relay.server() >= index {
                relay.set_server(relay.server() + 1);
            }
        }
        if self.started {
            let sockets: Vec<_> = self.sockets.iter().map(Socket::address).collect();
            for socket in sockets {
                self.ask(now, socket, index, rng);
            }
        }
    }

    /// Other servers, from the next generation on; at once when this one has not started.
    pub(crate) fn set_servers(&mut self, servers: impl IntoIterator<Item = IceServer>) {
        self.next_servers = Some(servers.into_iter().take(MAX_SERVERS).collect());
        if !self.started {
            self.replace_servers();
        }
    }

    fn replace_servers(&mut self) {
        let Some(mut servers) = self.next_servers.take() else { return };
        self.asked = servers.len();
        self.lost.clear();
        for relay in &mut self.relays {
            let Some(old) = self.servers.get(relay.server()) else { continue };
            let known = servers.iter().position(|server| server == old);
            relay.set_server(known.unwrap_or(servers.len()));
            if known.is_none() {
                servers.push(old.clone());
            }
        }
        self.servers = servers;
    }

    pub(crate) fn start(&mut self, now: Instant, rng: &mut dyn Random) {
        if self.started {
            return;
        }
        self.started = true;
        let sockets: Vec<_> = self.sockets.iter().map(Socket::address).collect();
        for socket in sockets {
            self.announce(now, socket, rng);
        }
    }

    pub(crate) fn addresses_complete(&mut self) {
        self.addresses_complete = true;
    }

    /// For a new generation: asks again when it is started again. Allocations live on.
    pub(crate) fn restart(&mut self) {
        self.started = false;
        self.addresses_complete = false;
        self.give_up_at = None;
        self.requests.clear();
        self.relays.retain(|relay| !relay.is_over());
        self.found.clear();
        self.reported.clear();
        self.replace_servers();
    }

    pub(crate) fn has_relays(&self) -> bool {
        !self.relays.is_empty()
    }

    pub(crate) fn is_started(&self) -> bool {
        self.started
    }

    /// Whether no more candidates can come.
    pub(crate) fn is_complete(&self) -> bool {
        self.started && self.addresses_complete && self.found.is_empty() && !self.is_pending()
    }

    pub(crate) fn socket(&self, address: SocketAddr) -> Option<&Socket> {
        self.sockets.iter().find(|socket| socket.address() == address)
    }

    pub(crate) fn server(&self, index: usize) -> Option<&IceServer> {
        self.servers.get(index)
    }

    pub(crate) fn relay(&self, id: RelayId) -> Option<&Relay> {
        self.relays.iter().find(|relay| relay.id() == id)
    }

    pub(crate) fn relay_mut(&mut self, id: RelayId) -> Option<&mut Relay> {
        self.relays.iter_mut().find(|relay| relay.id() == id)
    }

    /// The allocation whose server is at the other end of a path.
    pub(crate) fn relay_on(&mut self, path: FiveTuple) -> Option<&mut Relay> {
        self.relays
            .iter_mut()
            .find(|relay| relay.socket() == path.local && relay.server_address() == path.remote)
    }

    /// The next finding. An allocation that the server lost is asked for again, once.
    pub(crate) fn poll_found(&mut self, now: Instant, rng: &mut dyn Random) -> Option<Found> {
        self.collect_relay_events();
        for (socket, server) in std::mem::take(&mut self.lost) {
            if self.started && self.socket(socket).is_some() {
                self.ask(now, socket, server, rng);
            }
        }
        self.found.pop_front()
    }

    /// Takes the response of a STUN server; `false` when it is not one.
    pub(crate) fn handle_response(&mut self, now: Instant, path: FiveTuple, message: &Message<'_>) -> bool {
        let mut requests = self.requests.iter_mut();
        let Some(request) = requests.find(|request| request.is_answered_by(path.local, path.remote, message))
        else {
            return false;
        };
        let (socket, server) = (request.socket, request.server);
        match request.on_response(now, message) {
            Some(Outcome::Mapped(mapped)) => {
                self.found.push_back(Found::Reflexive { socket, server, mapped });
            }
            Some(Outcome::Refused { code, reason }) => self.report(server, socket, code, reason),
            None => {}
        }
        true
    }

    /// Whether a transaction waits for its turn (RFC 8445 §14.2).
    pub(crate) fn has_queued(&self) -> bool {
        self.requests.iter().any(ReflexiveRequest::is_queued) || self.relays.iter().any(Relay::is_queued)
    }

    /// Starts the next transaction whose turn it is; its first request is due at once.
    pub(crate) fn start_next(&mut self, now: Instant) {
        let candidates =
            self.requests.iter().filter(|request| request.is_pending()).count() + self.relays.len();
        let rto = MIN_RTO.max(self.config.pacing * u32::try_from(candidates).unwrap_or(u32::MAX));
        if let Some(request) = self.requests.iter_mut().find(|request| request.is_queued()) {
            request.start(now, rto);
        } else if let Some(relay) = self.relays.iter_mut().find(|relay| relay.is_queued()) {
            relay.start(now);
        }
    }

    pub(crate) fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        for relay in &mut self.relays {
            if let Some(transmit) = relay.poll_transmit(now, out) {
                return Some(transmit);
            }
        }
        let start = out.len();
        for request in &mut self.requests {
            if request.poll(now, out) {
                let path = FiveTuple::udp(request.socket, request.server_address);
                return Some(Transmit::new(path, out.len() - start));
            }
        }
        None
    }

    /// Refreshes mappings that may still be needed.
    pub(crate) fn poll_keepalive(
        &mut self,
        now: Instant,
        out: &mut Vec<u8>,
        rng: &mut dyn Random,
    ) -> Option<Transmit> {
        let start = out.len();
        let due = |request: &&mut ReflexiveRequest| request.keepalive_at().is_some_and(|at| at <= now);
        let request = self.requests.iter_mut().find(due)?;
        let path = FiveTuple::udp(request.socket, request.server_address);
        let sent = request.poll_keepalive(now, out, TransactionId::random(rng));
        sent.then(|| Transmit::new(path, out.len() - start))
    }

    pub(crate) fn keepalive_at(&self) -> Option<Instant> {
        self.requests.iter().filter_map(ReflexiveRequest::keepalive_at).min()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let requests = self.requests.iter().filter_map(ReflexiveRequest::poll_timeout);
        let relays = self.relays.iter().filter_map(Relay::poll_timeout);
        let give_up = self.give_up_at.filter(|_| self.is_pending());
        requests.chain(relays).chain(give_up).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for relay in &mut self.relays {
            relay.handle_timeout(now);
        }
        self.collect_relay_events();
        if self.give_up_at.is_none_or(|at| at > now) {
            return;
        }
        self.give_up_at = None;
        let mut silent = Vec::new();
        for request in self.requests.iter_mut().filter(|request| request.is_pending()) {
            request.give_up();
            silent.push((request.server, request.socket));
        }
        for relay in self.relays.iter_mut().filter(|relay| relay.is_pending()) {
            relay.give_up();
            silent.push((relay.server(), relay.socket()));
        }
        self.relays.retain(|relay| !relay.is_over());
        for (server, socket) in silent {
            self.report(server, socket, NO_ANSWER, "the server did not answer".to_owned());
        }
    }

    /// Gives the allocations back. What is left to send comes from `poll_transmit`.
    pub(crate) fn close(&mut self, now: Instant) {
        self.requests.clear();
        self.found.clear();
        self.give_up_at = None;
        for relay in &mut self.relays {
            relay.close(now);
        }
    }

    fn is_pending(&self) -> bool {
        self.requests.iter().any(ReflexiveRequest::is_pending) || self.relays.iter().any(Relay::is_pending)
    }

    fn announce(&mut self, now: Instant, socket: SocketAddr, rng: &mut dyn Random) {
        if self.config.policy == TransportPolicy::All {
            self.found.push_back(Found::Host { socket });
        }
        for server in 0..self.asked {
            self.ask(now, socket, server, rng);
        }
    }

    /// Queues a question from one socket to one server.
    fn ask(&mut self, now: Instant, socket: SocketAddr, server: usize, rng: &mut dyn Random) {
        let Some(details) = self.servers.get(server) else { return };
        let Some(address) = details.address_for(socket).filter(|address| can_pair(socket, *address)) else {
            return;
        };
        if details.login().is_some() {
            self.allocate(socket, server, address, rng);
        } else if self.config.policy == TransportPolicy::All {
            let id = TransactionId::random(rng);
            self.requests.push(ReflexiveRequest::new(id, socket, server, address));
        }
        if self.is_pending() {
            self.give_up_at = now.checked_add(self.config.gather_timeout);
        }
    }

    fn allocate(&mut self, socket: SocketAddr, server: usize, address: SocketAddr, rng: &mut dyn Random) {
        let path = FiveTuple::udp(socket, address);
        if let Some(relay) = self.relay_on(path) {
            // There is one allocation on a five-tuple. It is from an earlier generation, or another URL of the server.
            if relay.relayed().is_some() {
                let id = relay.id();
                self.found.push_back(Found::Relayed { id });
            }
            return;
        }
        let id = RelayId(self.next_relay);
        let Some(details) = self.servers.get(server) else { return };
        if let Some(relay) = Relay::new(id, path, server, details, self.provider, rng) {
            self.next_relay = self.next_relay.wrapping_add(1);
            self.relays.push(relay);
        }
    }

    fn collect_relay_events(&mut self) {
        let (mut failures, mut lost) = (Vec::new(), Vec::new());
        for relay in &mut self.relays {
            while let Some(event) = relay.poll_event() {
                let id = relay.id();
                match event {
                    RelayEvent::Allocated => self.found.push_back(Found::Relayed { id }),
                    RelayEvent::Refused { ip } => self.found.push_back(Found::PermissionRefused { id, ip }),
                    RelayEvent::Lost => {
                        self.found.push_back(Found::RelayLost { id });
                        lost.push((relay.socket(), relay.server()));
                    }
                    RelayEvent::Failed { code, reason } => {
                        self.found.push_back(Found::RelayLost { id });
                        failures.push((relay.server(), relay.socket(), code, reason));
                    }
                }
            }
        }
        self.relays.retain(|relay| !relay.is_over());
        self.lost.extend(lost);
        for (server, socket, code, reason) in failures {
            self.report(server, socket, code, reason);
        }
    }

    fn report(&mut self, server: usize, local: SocketAddr, code: u16, reason: String) {
        let Some(details) = self.servers.get(server).filter(|_| !self.reported.contains(&server)) else {
            return;
        };
        self.reported.push(server);
        let url = details.url().clone();
        self.found.push_back(Found::Failed(GatherFailure { url, local, code, reason }));
    }
}
