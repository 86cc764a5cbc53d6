//! A small network in virtual time: agents, NATs, a STUN server, loss, latency, and the signalling between two agents.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod fake;
pub(crate) mod nat;
pub(crate) mod relay;

use crypto::Random;
use ice::{
    Agent, Candidate, Config, ConnectionState, Event, GatheringState, LocalAddress, Loopback, Received, Role,
    net::{FiveTuple, Transmit},
};
use nat::Nat;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use stun::{Builder, Class, Message, attr::XorMappedAddress};

pub(crate) const STUN: &str = "203.0.113.1:3478";

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect(text)
}

#[expect(clippy::disallowed_methods, reason = "virtual time needs one real instant to start from")]
pub(crate) fn epoch() -> Instant {
    Instant::now()
}

/// splitmix64.
#[derive(Clone)]
pub(crate) struct Seeded(pub u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True in `percent` of cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes()[..chunk.len()]);
        }
    }
}

pub(crate) fn provider() -> crypto::Provider {
    crypto::rustcrypto::provider()
}

/// An agent and what came of it.
pub(crate) struct Peer {
    pub(crate) agent: Agent,
    pub(crate) events: Vec<(Instant, Event)>,
    /// Data handed on.
    pub(crate) inbox: Vec<Vec<u8>>,
    /// Datagrams sent, of any kind.
    pub(crate) sent: Vec<(Instant, FiveTuple, Vec<u8>)>,
    pub(crate) sockets: Vec<SocketAddr>,
    /// Candidates that have been signalled, for a peer that comes late.
    candidates_told: usize,
}

impl Peer {
    pub(crate) fn states(&self) -> Vec<ConnectionState> {
        let of = |(_, event): &(Instant, Event)| match event {
            Event::ConnectionStateChanged(state) => Some(*state),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        let of = |(_, event): &(Instant, Event)| match event {
            Event::LocalCandidate(candidate) => Some(candidate.clone()),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    pub(crate) fn time_of_state(&self, wanted: ConnectionState) -> Option<Instant> {
        let is_it = |event: &Event| matches!(event, Event::ConnectionStateChanged(state) if *state == wanted);
        self.events.iter().rev().find(|(_, event)| is_it(event)).map(|(at, _)| *at)
    }

    pub(crate) fn selected_remote(&self) -> Option<SocketAddr> {
        self.agent.selected_pair().and_then(|pair| pair.remote.socket_addr())
    }
}

/// A datagram on its way.
struct Flight {
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// What signalling carries.
#[derive(Clone)]
pub(crate) enum Signal {
    Candidate(Candidate),
    End,
}

pub(crate) struct Net {
    pub(crate) now: Instant,
    pub(crate) peers: Vec<Peer>,
    pub(crate) nats: Vec<Nat>,
    pub(crate) rng: Seeded,
    /// One way.
    pub(crate) latency: Duration,
    /// Percent of datagrams lost.
    pub(crate) loss: u64,
    /// Whether candidates go from each peer to the other.
    pub(crate) trickle: bool,
    pub(crate) signalling_delay: Duration,
    /// Drops datagrams it returns true for.
    pub(crate) filter: Option<Box<Filter>>,
    /// Servers by address: given a datagram, what they send back.
    pub(crate) servers: BTreeMap<SocketAddr, Server>,
    flights: BTreeMap<(Instant, u64), Flight>,
    signals: BTreeMap<(Instant, u64), (usize, Signal)>,
    serial: u64,
}

/// Time, source, destination and bytes of a datagram; true drops it.
type Filter = dyn FnMut(Instant, SocketAddr, SocketAddr, &[u8]) -> bool;

pub(crate) enum Server {
    Stun,
    /// Takes everything and says nothing.
    Dead,
    Turn(Box<dyn TurnNode>),
}

/// A relay server in the network: takes a datagram, gives datagrams.
pub(crate) trait TurnNode {
    fn handle(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, bytes: &[u8]);
    fn poll(&mut self, now: Instant) -> Option<(SocketAddr, SocketAddr, Vec<u8>)>;
    fn timeout(&self) -> Option<Instant>;
    fn owns(&self, address: SocketAddr) -> bool;
    /// Datagrams relayed to peers so far.
    fn relayed(&self) -> u64;
    fn allocations(&self) -> usize;
    /// Restarts it: everything it knew is gone.
    fn forget(&mut self, now: Instant);
}

impl Net {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: epoch(),
            peers: Vec::new(),
            nats: Vec::new(),
            rng: Seeded(seed),
            latency: ms(10),
            loss: 0,
            trickle: true,
            signalling_delay: ms(20),
            filter: None,
            servers: BTreeMap::from([(address(STUN), Server::Stun)]),
            flights: BTreeMap::new(),
            signals: BTreeMap::new(),
            serial: 0,
        }
    }

    /// Adds an agent with sockets at these addresses.
    pub(crate) fn add(&mut self, config: Config, role: Role, sockets: &[&str]) -> usize {
        let seed = self.rng.next();
        let config = Arc::new(config.with_loopback(Loopback::Allow));
        let agent = Agent::new(config, role, &provider(), self.now, Box::new(Seeded(seed)));
        let sockets: Vec<_> = sockets.iter().map(|text| address(text)).collect();
        self.peers.push(Peer {
            agent,
            events: Vec::new(),
            inbox: Vec::new(),
            sent: Vec::new(),
            sockets: sockets.clone(),
            candidates_told: 0,
        });
        let peer = self.peers.len() - 1;
        for socket in sockets {
            self.peers[peer].agent.add_local_address(self.now, LocalAddress::new(socket));
        }
        peer
    }

    /// Two agents on one network, gathering and knowing each other's credentials.
    pub(crate) fn pair(seed: u64) -> Self {
        let mut net = Self::new(seed);
        net.add(Config::new(), Role::Controlling, &["10.0.0.1:1000"]);
        net.add(Config::new(), Role::Controlled, &["10.0.0.2:2000"]);
        net.start();
        net
    }

    /// Starts gathering at all, and exchanges credentials.
    pub(crate) fn start(&mut self) {
        for peer in 0..self.peers.len() {
            self.gather(peer);
        }
        self.exchange_credentials();
    }

    pub(crate) fn gather(&mut self, peer: usize) {
        let now = self.now;
        let agent = &mut self.peers[peer].agent;
        agent.start_gathering(now);
        agent.local_addresses_complete(now);
    }

    pub(crate) fn exchange_credentials(&mut self) {
        let [one, other] = [0, 1].map(|peer| self.peers[peer].agent.local_credentials().clone());
        self.peers[0].agent.set_remote_credentials(self.now, other);
        self.peers[1].agent.set_remote_credentials(self.now, one);
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_while(end, |_| true);
        self.now = end;
    }

    /// Lets time pass until the condition holds; false when it does not within `time`.
    pub(crate) fn run_until(&mut self, time: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + time;
        self.run_while(end, |net| !done(net));
        done(self)
    }

    pub(crate) fn run_until_connected(&mut self, time: Duration) -> bool {
        self.run_until(time, |net| net.peers.iter().all(|peer| peer.agent.is_writable()))
    }

    fn run_while(&mut self, end: Instant, mut go_on: impl FnMut(&Self) -> bool) {
        loop {
            self.drain();
            if !go_on(self) {
                return;
            }
            let Some(next) = self.next_time().filter(|next| *next <= end) else {
                return;
            };
            self.now = self.now.max(next);
            self.deliver();
            let now = self.now;
            for peer in &mut self.peers {
                if peer.agent.poll_timeout().is_some_and(|at| at <= now) {
                    peer.agent.handle_timeout(now);
                }
            }
        }
    }

    fn next_time(&self) -> Option<Instant> {
        let flights = self.flights.keys().next().map(|(at, _)| *at);
        let signals = self.signals.keys().next().map(|(at, _)| *at);
        let agents = self.peers.iter().filter_map(|peer| peer.agent.poll_timeout()).min();
        let servers = self.servers.values().filter_map(|server| match server {
            Server::Turn(node) => node.timeout(),
            Server::Stun | Server::Dead => None,
        });
        [flights, signals, agents, servers.min()].into_iter().flatten().min()
    }

    /// Takes everything out of all agents and servers.
    pub(crate) fn drain(&mut self) {
        for index in 0..self.peers.len() {
            let mut out = Vec::new();
            let now = self.now;
            loop {
                out.clear();
                let Some(transmit) = self.peers[index].agent.poll_transmit(now, &mut out) else { break };
                assert_eq!(transmit.len, out.len(), "law: the length is what was appended");
                self.send(index, &transmit, out.clone());
            }
            self.take_events(index);
            let peer = &self.peers[index];
            let timeout = peer.agent.poll_timeout();
            assert!(
                timeout.is_none_or(|at| at > now),
                "law L2: {:?} is not after now, {:?}",
                peer.agent.next_timer(),
                peer.agent
            );
        }
        self.drain_servers();
    }

    fn take_events(&mut self, index: usize) {
        while let Some(event) = self.peers[index].agent.poll_event() {
            if self.trickle && self.peers.len() == 2 {
                let signal = match &event {
                    Event::LocalCandidate(candidate) => Some(Signal::Candidate(candidate.clone())),
                    Event::GatheringComplete { .. } => Some(Signal::End),
                    _ => None,
                };
                if let Some(signal) = signal {
                    self.serial += 1;
                    let at = self.now + self.signalling_delay;
                    self.signals.insert((at, self.serial), (1 - index, signal));
                }
            }
            let now = self.now;
            self.peers[index].events.push((now, event));
        }
    }

    pub(crate) fn send(&mut self, index: usize, transmit: &Transmit, bytes: Vec<u8>) {
        let path = transmit.path;
        self.peers[index].sent.push((self.now, path, bytes.clone()));
        if self.peers[index].sockets.contains(&path.local) {
            self.launch(path.local, path.remote, bytes);
        }
    }

    /// Puts a datagram on the network, through the NATs between the two.
    pub(crate) fn launch(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if self.filter.as_mut().is_some_and(|filter| filter(self.now, from, to, &bytes))
            || self.rng.chance(self.loss)
        {
            return;
        }
        let now = self.now;
        let (mut from, mut to) = (from, to);
        let behind = |nats: &[Nat], address: SocketAddr| nats.iter().position(|nat| nat.has_inside(address));
        let sender = behind(&self.nats, from);
        if sender.is_some() && sender == behind(&self.nats, to) {
            self.fly(from, to, bytes);
            return;
        }
        if let Some(nat) = sender {
            from = self.nats[nat].translate_out(now, from, to);
        }
        if let Some(nat) = self.nats.iter_mut().find(|nat| nat.public == to.ip()) {
            let Some(inside) = nat.translate_in(now, from, to) else { return };
            to = inside;
        } else if behind(&self.nats, to).is_some() {
            // A private address of somebody else's network.
            return;
        }
        self.fly(from, to, bytes);
    }

    fn fly(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        self.serial += 1;
        self.flights.insert((self.now + self.latency, self.serial), Flight { from, to, bytes });
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.signals.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (to, signal) = entry.remove();
            self.signal(to, signal);
        }
        while let Some(entry) = self.flights.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let Flight { from, to, bytes } = entry.remove();
            self.arrive(from, to, &bytes);
        }
    }

    fn signal(&mut self, to: usize, signal: Signal) {
        let now = self.now;
        let agent = &mut self.peers[to].agent;
        match signal {
            // One of an earlier generation may be too late: that is what the error is for.
            Signal::Candidate(candidate) => {
                let text = candidate.to_string();
                let _ =
                    agent.add_remote_candidate(now, text.parse().expect("invariant: we read what we write"));
            }
            Signal::End => agent.end_of_remote_candidates(now),
        }
    }

    pub(crate) fn arrive(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let now = self.now;
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.sockets.contains(&to)) {
            let received = peer.agent.handle_datagram(now, FiveTuple::udp(to, from), bytes);
            if let Received::Peer { payload } = received {
                peer.inbox.push(bytes[payload].to_vec());
            }
            return;
        }
        match self.servers.get_mut(&to) {
            Some(Server::Stun) => {
                if let Some(response) = stun_response(from, bytes) {
                    self.launch(to, from, response);
                }
            }
            Some(Server::Dead) => {}
            Some(Server::Turn(node)) => node.handle(now, from, to, bytes),
            None => {
                for server in self.servers.values_mut() {
                    if let Server::Turn(node) = server
                        && node.owns(to)
                    {
                        node.handle(now, from, to, bytes);
                    }
                }
            }
        }
    }

    fn drain_servers(&mut self) {
        let now = self.now;
        let mut out = Vec::new();
        for server in self.servers.values_mut() {
            if let Server::Turn(node) = server {
                out.extend(std::iter::from_fn(|| node.poll(now)));
            }
        }
        for (from, to, bytes) in out {
            self.launch(from, to, bytes);
        }
    }

    /// Sends data from one peer to the other; false when it has no path.
    pub(crate) fn send_data(&mut self, index: usize, data: &[u8]) -> bool {
        let mut out = Vec::new();
        let framed = self.peers[index].agent.frame_with(&mut out, |out| {
            out.extend_from_slice(data);
            Some(())
        });
        let Some(((), transmit)) = framed else { return false };
        self.send(index, &transmit, out);
        true
    }

    /// Whether data gets from each to the other.
    pub(crate) fn exchange(&mut self) -> bool {
        let loss = std::mem::take(&mut self.loss);
        let before = [0, 1].map(|peer| self.peers[peer].inbox.len());
        let sent = self.send_data(0, b"\x80 from zero") & self.send_data(1, b"\x80 from one");
        self.run(self.latency * 8 + ms(1));
        self.loss = loss;
        sent && (0..2).all(|peer| self.peers[peer].inbox.len() > before[peer])
    }

    /// Lets time pass until data gets through both ways; false when it does not within `time`.
    pub(crate) fn run_until_exchange(&mut self, time: Duration) -> bool {
        let end = self.now + time;
        while self.now < end {
            if self.exchange() {
                return true;
            }
        }
        false
    }

    /// Signals all candidates known so far, and the end when gathering is complete.
    pub(crate) fn tell_all(&mut self, from: usize) {
        let candidates: Vec<_> = self.peers[from].agent.local_candidates().cloned().collect();
        let complete = self.peers[from].agent.gathering_state() == GatheringState::Complete;
        for candidate in candidates {
            self.signal(1 - from, Signal::Candidate(candidate));
        }
        if complete {
            self.signal(1 - from, Signal::End);
        }
    }

    pub(crate) fn state(&self, peer: usize) -> ConnectionState {
        self.peers[peer].agent.connection_state()
    }
}

/// What a STUN server answers.
pub(crate) fn stun_response(from: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let message = Message::parse(request).ok().filter(|message| message.class() == Class::Request)?;
    let mut out = Vec::new();
    let mut builder = Builder::success(&mut out, &message);
    builder.attribute(&XorMappedAddress::new(from)).fingerprint();
    builder.finish().ok()?;
    Some(out)
}

/// A configuration with the STUN server.
pub(crate) fn with_stun(config: Config) -> Config {
    let url = format!("stun:{STUN}").parse().expect("invariant: a good URL");
    config.with_server(ice::IceServer::stun(url, &[address(STUN)]).expect("invariant: a good server"))
}
