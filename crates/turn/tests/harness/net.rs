//! A client or several, one server, and peers, in virtual time on a network that loses, repeats and delays.

#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

use crypto::{Provider, Random};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};
use stun::{AttributeType, Message};
use turn::{
    ChannelData, Client, ClientConfig, FiveTuple, Server, ServerConfig,
    client::{self, Received},
    server::{self, RelayAddress, RelayId, StaticUsers},
};

pub const REALM: &str = "example.org";
pub const USER: &str = "user";
pub const PASSWORD: &str = "secret";

pub const fn provider() -> Provider {
    crypto::rustcrypto::provider()
}

pub fn addr(text: &str) -> SocketAddr {
    text.parse().expect("invariant: an address")
}

#[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
pub fn start() -> Instant {
    Instant::now()
}

/// A generator that repeats for a seed.
#[derive(Clone, Debug)]
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True with a chance of `percent`.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            *byte = self.next() as u8;
        }
    }
}

pub fn rng(seed: u64) -> Box<dyn Random> {
    Box::new(Seeded(seed))
}

/// The server's addresses.
pub const SERVER: &str = "198.51.100.1:3478";
pub const SERVER6: &str = "[2001:db8::53]:3478";
pub const RELAY: &str = "198.51.100.1";
pub const RELAY6: &str = "2001:db8::53";

pub fn server_config() -> ServerConfig {
    let relay = |ip: &str| RelayAddress::new(ip.parse().expect("invariant: an address"));
    ServerConfig::new(REALM, [relay(RELAY), relay(RELAY6)])
        .with_listener(addr(SERVER))
        .with_listener(addr(SERVER6))
}

pub fn new_server(config: ServerConfig, now: Instant, seed: u64) -> Server {
    let users = StaticUsers::new().with(USER, PASSWORD).with("other", "other secret");
    Server::new(config, Box::new(users), &provider(), now, rng(seed))
        .expect("invariant: a fine configuration")
}

pub fn client_path(index: usize) -> FiveTuple {
    FiveTuple::udp(SocketAddr::new(addr("203.0.113.9:0").ip(), 40_000 + index as u16), addr(SERVER))
}

pub fn new_client(config: ClientConfig, now: Instant, seed: u64) -> Client {
    Client::new(config, &provider(), now, rng(seed)).expect("invariant: a fine configuration")
}

#[derive(Clone, Debug)]
enum To {
    Client(usize),
    Relay(RelayId, SocketAddr),
    Server(FiveTuple),
}

/// A datagram that reached a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtPeer {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub payload: Vec<u8>,
}

pub struct Net {
    pub now: Instant,
    pub server: Server,
    pub clients: Vec<Client>,
    pub client_events: Vec<Vec<client::Event>>,
    pub server_events: Vec<server::Event>,
    /// What clients received from peers.
    pub at_clients: Vec<(usize, SocketAddr, Vec<u8>)>,
    pub at_peers: Vec<AtPeer>,
    /// Open relay sockets.
    pub relays: BTreeMap<RelayId, SocketAddr>,
    /// Sockets ever opened.
    pub opened: u16,
    pub latency: Duration,
    pub loss_percent: u64,
    pub duplicate_percent: u64,
    /// Whether the driver opens sockets when asked.
    pub opens_relays: bool,
    /// Answers to clients that are not ours, when some are.
    pub stray_answers: Vec<(FiveTuple, Vec<u8>)>,
    queue: BTreeMap<(Instant, u64), (To, Vec<u8>)>,
    sequence: u64,
    rng: Seeded,
}

impl Net {
    pub fn new(config: ServerConfig, seed: u64) -> Self {
        let now = start();
        Self {
            now,
            server: new_server(config, now, seed),
            clients: Vec::new(),
            client_events: Vec::new(),
            server_events: Vec::new(),
            at_clients: Vec::new(),
            at_peers: Vec::new(),
            relays: BTreeMap::new(),
            opened: 0,
            latency: Duration::from_millis(20),
            loss_percent: 0,
            duplicate_percent: 0,
            opens_relays: true,
            stray_answers: Vec::new(),
            queue: BTreeMap::new(),
            sequence: 0,
            rng: Seeded(seed ^ 0x5eed),
        }
    }

    /// With a usual server and one usual client.
    pub fn with_client(seed: u64) -> Self {
        let mut net = Self::new(server_config(), seed);
        net.add_client(ClientConfig::new(client_path(0), USER, PASSWORD));
        net
    }

    pub fn add_client(&mut self, config: ClientConfig) -> usize {
        let index = self.clients.len();
        self.clients.push(new_client(config, self.now, 1_000 + index as u64));
        self.client_events.push(Vec::new());
        index
    }

    /// Sends from a client to a peer.
    pub fn send(&mut self, client: usize, peer: SocketAddr, payload: &[u8]) -> bool {
        let mut out = Vec::new();
        let framed = self.clients[client].frame_with(peer, &mut out, |out| {
            out.extend_from_slice(payload);
            Some(())
        });
        let Some(((), transmit)) = framed else { return false };
        assert_eq!(transmit.len, out.len());
        assert!(out.len() - payload.len() <= self.clients[client].overhead(peer));
        self.carry_to_server(transmit.path, out);
        true
    }

    /// Sends from a peer to a relayed address.
    pub fn send_from_peer(&mut self, peer: SocketAddr, relayed: SocketAddr, payload: &[u8]) {
        let relay = self.relays.iter().find(|(_, address)| **address == relayed).map(|(relay, _)| *relay);
        if let Some(relay) = relay {
            self.carry(To::Relay(relay, peer), payload.to_vec());
        }
    }

    /// Gives the server a datagram now, from wherever.
    pub fn inject(&mut self, path: FiveTuple, datagram: &[u8]) -> server::Received {
        self.server.handle_datagram(self.now, path, datagram)
    }

    /// All answers that the server has now.
    pub fn answers(&mut self) -> Vec<(FiveTuple, Vec<u8>)> {
        let mut answers = Vec::new();
        let mut out = Vec::new();
        while let Some(transmit) = self.server.poll_transmit(self.now, &mut out) {
            let datagram = out.split_off(out.len() - transmit.len);
            check_padding(&datagram);
            answers.push((transmit.path, datagram));
        }
        answers
    }

    /// Runs for a time.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_to(end, |_| false);
    }

    /// Runs until something holds, at most for a time; says whether it does.
    pub fn run_until(&mut self, time: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + time;
        self.run_to(end, done)
    }

    /// Until the first client has its allocation; its relayed address.
    pub fn allocate(&mut self) -> SocketAddr {
        assert!(self.run_until(Duration::from_secs(60), |net| net.clients[0].relayed_address().is_some()));
        self.clients[0].relayed_address().expect("invariant: just checked")
    }

    /// Allocates and gets a permission.
    pub fn permit(&mut self, peer: SocketAddr) -> SocketAddr {
        let relayed = self.allocate();
        self.clients[0].create_permission(self.now, peer).expect("invariant: allocated");
        assert!(self.run_until(Duration::from_secs(60), |net| net.clients[0].has_permission(peer)));
        relayed
    }

    fn run_to(&mut self, end: Instant, done: impl Fn(&Self) -> bool) -> bool {
        let mut turns = 0;
        loop {
            self.drain();
            if done(self) {
                return true;
            }
            let next = self.next_time();
            if next.is_none_or(|next| next > end) {
                self.now = end;
                return done(self);
            }
            let next = next.expect("invariant: just checked");
            turns = if next > self.now { 0 } else { turns + 1 };
            assert!(turns < 1_000, "time stands still");
            self.now = next.max(self.now);
            self.deliver();
            self.server.handle_timeout(self.now);
            for client in &mut self.clients {
                client.handle_timeout(self.now);
            }
        }
    }

    fn next_time(&self) -> Option<Instant> {
        let queue = self.queue.first_key_value().map(|((at, _), _)| *at);
        let clients = self.clients.iter().filter_map(Client::poll_timeout).min();
        [queue, clients, self.server.poll_timeout()].into_iter().flatten().min()
    }

    fn drain(&mut self) {
        self.drain_events();
        for (path, datagram) in self.answers() {
            self.carry_to_client(path, datagram);
        }
        for index in 0..self.clients.len() {
            let mut out = Vec::new();
            while let Some(transmit) = self.clients[index].poll_transmit(self.now, &mut out) {
                let datagram = out.split_off(out.len() - transmit.len);
                self.carry_to_server(transmit.path, datagram);
            }
            while let Some(event) = self.clients[index].poll_event() {
                self.client_events[index].push(event);
            }
            if let Some(at) = self.clients[index].poll_timeout() {
                assert!(at > self.now, "L2: a timeout in the past after a drain");
            }
        }
        self.drain_events();
    }

    fn drain_events(&mut self) {
        while let Some(event) = self.server.poll_event() {
            match &event {
                server::Event::OpenRelay { relay, ip, .. } if self.opens_relays => {
                    self.opened += 1;
                    let local = SocketAddr::new(*ip, 49_152 + self.opened % 16_000);
                    self.relays.insert(*relay, local);
                    self.server.relay_opened(self.now, *relay, local);
                }
                server::Event::CloseRelay { relay } => {
                    assert!(self.relays.remove(relay).is_some(), "closed once");
                }
                server::Event::OpenRelay { .. }
                | server::Event::Allocated { .. }
                | server::Event::Released { .. }
                | server::Event::Closed
                | _ => {}
            }
            self.server_events.push(event);
        }
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let (to, datagram) = entry.remove();
            match to {
                To::Client(index) => self.deliver_to_client(index, &datagram),
                To::Server(path) => self.deliver_to_server(path, &datagram),
                To::Relay(relay, from) => {
                    let mut out = Vec::new();
                    let answer =
                        self.server.handle_relay_datagram(self.now, relay, from, &datagram, &mut out);
                    if let Some(transmit) = answer {
                        assert_eq!(transmit.len, out.len());
                        check_padding(&out);
                        self.carry_to_client(transmit.path, out);
                    }
                }
            }
        }
    }

    fn deliver_to_client(&mut self, index: usize, datagram: &[u8]) {
        let path = self.clients[index].path();
        if let Received::Peer { from, payload } =
            self.clients[index].handle_datagram(self.now, path, datagram)
        {
            self.at_clients.push((index, from, datagram[payload].to_vec()));
        }
    }

    fn deliver_to_server(&mut self, path: FiveTuple, datagram: &[u8]) {
        if let server::Received::Relay { relay, peer, payload } =
            self.server.handle_datagram(self.now, path, datagram)
        {
            let payload = datagram[payload].to_vec();
            let from = *self.relays.get(&relay).expect("invariant: only open sockets send");
            // A peer may be another relay socket.
            let other = self.relays.iter().find(|(_, address)| **address == peer).map(|(relay, _)| *relay);
            match other {
                Some(other) => self.carry(To::Relay(other, from), payload),
                None => self.at_peers.push(AtPeer { from, to: peer, payload }),
            }
        }
    }

    fn carry_to_server(&mut self, path: FiveTuple, datagram: Vec<u8>) {
        check_padding(&datagram);
        self.carry(To::Server(path.reversed()), datagram);
    }

    fn carry_to_client(&mut self, path: FiveTuple, datagram: Vec<u8>) {
        let seen = path.reversed();
        match self.clients.iter().position(|client| client.path() == seen) {
            Some(index) => self.carry(To::Client(index), datagram),
            None => self.stray_answers.push((path, datagram)),
        }
    }

    fn carry(&mut self, to: To, datagram: Vec<u8>) {
        if self.rng.chance(self.loss_percent) {
            return;
        }
        let copies = if self.rng.chance(self.duplicate_percent) { 2 } else { 1 };
        for _ in 0..copies {
            let jitter = Duration::from_micros(self.rng.next() % 5_000);
            self.sequence += 1;
            self.queue
                .insert((self.now + self.latency + jitter, self.sequence), (to.clone(), datagram.clone()));
        }
    }
}

/// T-T11: the padding of everything that is sent is zero.
pub fn check_padding(datagram: &[u8]) {
    if ChannelData::matches(datagram) {
        let data = ChannelData::parse(datagram).expect("invariant: we send no nonsense");
        assert_eq!(data.payload_range().end, datagram.len());
        return;
    }
    let message = Message::parse(datagram).expect("invariant: we send no nonsense");
    for attribute in message.attributes() {
        let end = 20 + attribute.offset + 4 + attribute.value.len();
        assert!(
            datagram[end..end.next_multiple_of(4)].iter().all(|byte| *byte == 0),
            "padding of {attribute:?}"
        );
        assert_ne!(attribute.kind, AttributeType::FINGERPRINT);
    }
}
