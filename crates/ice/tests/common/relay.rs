//! A TURN server in the network.

use super::{Net, Seeded, Server as Node, TurnNode, address, provider};
use ice::{Config, IceServer, net::FiveTuple};
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Instant,
};
use turn::server::{
    Event, IpNet, PeerPolicy, Received, RelayAddress, RelayId, Server, ServerConfig, StaticUsers,
};

pub(crate) const TURN: &str = "203.0.113.2:3478";

pub(crate) struct TurnServer {
    server: Server,
    listener: SocketAddr,
    relays: BTreeMap<SocketAddr, RelayId>,
    out: VecDeque<(SocketAddr, SocketAddr, Vec<u8>)>,
    next_port: u16,
    /// Datagrams relayed to peers.
    relayed: u64,
}

impl TurnServer {
    pub(crate) fn new(now: Instant, listener: &str) -> Self {
        let listener = address(listener);
        let nets = ["203.0.113.0", "198.51.100.0"].map(|net| IpNet::new(net.parse().expect(net), 24));
        let policy = nets.into_iter().fold(PeerPolicy::new(), PeerPolicy::allow);
        let config =
            ServerConfig::new("example.org", [RelayAddress::new(listener.ip())]).with_peer_policy(policy);
        let users = Box::new(StaticUsers::new().with("user", "secret"));
        let server =
            Server::new(config, users, &provider(), now, Box::new(Seeded(99))).expect("invariant: good");
        Self {
            server,
            listener,
            relays: BTreeMap::new(),
            out: VecDeque::new(),
            next_port: 50_000,
            relayed: 0,
        }
    }

    fn pump(&mut self, now: Instant) {
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::OpenRelay { relay, ip, .. } => {
                    self.next_port += 1;
                    let local = SocketAddr::new(ip, self.next_port);
                    self.relays.insert(local, relay);
                    self.server.relay_opened(now, relay, local);
                }
                Event::CloseRelay { relay } => self.relays.retain(|_, known| *known != relay),
                _ => {}
            }
        }
        let mut out = Vec::new();
        while let Some(transmit) = self.server.poll_transmit(now, &mut out) {
            self.out.push_back((transmit.path.local, transmit.path.remote, std::mem::take(&mut out)));
        }
    }
}

impl TurnNode for TurnServer {
    fn handle(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if to == self.listener {
            let received = self.server.handle_datagram(now, FiveTuple::udp(to, from), bytes);
            if let Received::Relay { relay, peer, payload } = received
                && let Some((local, _)) = self.relays.iter().find(|(_, known)| **known == relay)
            {
                self.relayed += 1;
                self.out.push_back((*local, peer, bytes[payload].to_vec()));
            }
        } else if let Some(relay) = self.relays.get(&to) {
            let mut out = Vec::new();
            if let Some(transmit) = self.server.handle_relay_datagram(now, *relay, from, bytes, &mut out) {
                self.out.push_back((transmit.path.local, transmit.path.remote, out));
            }
        }
        self.pump(now);
    }

    fn poll(&mut self, now: Instant) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
        if self.server.poll_timeout().is_some_and(|at| at <= now) {
            self.server.handle_timeout(now);
        }
        self.pump(now);
        self.out.pop_front()
    }

    fn timeout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }

    fn owns(&self, address: SocketAddr) -> bool {
        self.relays.contains_key(&address)
    }

    fn relayed(&self) -> u64 {
        self.relayed
    }

    fn allocations(&self) -> usize {
        self.server.allocations()
    }

    fn forget(&mut self, now: Instant) {
        *self = Self { next_port: self.next_port + 1_000, ..Self::new(now, &self.listener.to_string()) };
    }
}

/// A configuration with the TURN server.
pub(crate) fn with_turn(config: Config) -> Config {
    with_login(config, "secret")
}

pub(crate) fn with_login(config: Config, password: &str) -> Config {
    let url = format!("turn:{TURN}").parse().expect("invariant: a good URL");
    config.with_server(
        IceServer::turn(url, &[address(TURN)], "user", password).expect("invariant: a good server"),
    )
}

/// Puts the TURN server into the network.
pub(crate) fn install(net: &mut Net) {
    let node = TurnServer::new(net.now, TURN);
    net.servers.insert(address(TURN), Node::Turn(Box::new(node)));
}
