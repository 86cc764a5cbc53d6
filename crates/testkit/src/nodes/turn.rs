//! A TURN server: ours, with the sockets of a world.

use crate::{BindError, Node, Seed, SeededRandom, SocketCommand};
use crypto::Provider;
use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Instant,
};
use stun::net::{FiveTuple, Transmit, Transport};
use turn::{
    Server, ServerConfig,
    server::{
        Event, IpNet, PeerPolicy, PortWish, Received, RelayAddress, RelayId, ServerConfigError, StaticUsers,
    },
};

/// The ports of RFC 6056 that relay sockets are taken from.
const LOWEST_PORT: u16 = 49_152;
/// Ports tried before a relay socket is given up.
const TRIES: u32 = 16;

/// Relays between its clients and everybody else, and answers Binding requests.
#[derive(Debug)]
pub struct TurnServer {
    server: Server,
    random: SeededRandom,
    wishes: VecDeque<SocketCommand>,
    opening: BTreeMap<SocketAddr, Opening>,
    by_address: BTreeMap<SocketAddr, RelayId>,
    by_relay: BTreeMap<RelayId, SocketAddr>,
    waiting: VecDeque<(FiveTuple, Vec<u8>)>,
    events: Vec<Event>,
}

#[derive(Clone, Copy, Debug)]
struct Opening {
    relay: RelayId,
    port: PortWish,
    tries: u32,
}

impl TurnServer {
    /// A server made elsewhere, with relay addresses of the host it will be put on.
    #[must_use]
    pub fn new(server: Server, seed: Seed) -> Self {
        Self {
            server,
            random: seed.fork("relay ports").random(),
            wishes: VecDeque::new(),
            opening: BTreeMap::new(),
            by_address: BTreeMap::new(),
            by_relay: BTreeMap::new(),
            waiting: VecDeque::new(),
            events: Vec::new(),
        }
    }

    /// A server with one user and one relay address, which relays to any address: those that tests use are not
    /// public.
    ///
    /// # Errors
    ///
    /// When the provider lacks what a server needs.
    pub fn with_user(
        now: Instant,
        seed: Seed,
        provider: &Provider,
        relay: IpAddr,
        (username, password): (&str, &str),
    ) -> Result<Self, ServerConfigError> {
        let everywhere = PeerPolicy::new()
            .allow(IpNet::new(Ipv4Addr::UNSPECIFIED.into(), 0))
            .allow(IpNet::new(Ipv6Addr::UNSPECIFIED.into(), 0));
        let config =
            ServerConfig::new("example.org", [RelayAddress::new(relay)]).with_peer_policy(everywhere);
        let users = StaticUsers::new().with(username, password);
        let server = Server::new(config, Box::new(users), provider, now, seed.boxed_random("turn server"))?;
        Ok(Self::new(server, seed))
    }

    /// The server itself.
    pub const fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// Its events so far, those about sockets left out; take what you have seen.
    pub const fn events(&mut self) -> &mut Vec<Event> {
        &mut self.events
    }

    /// How many relay sockets are open.
    #[must_use]
    pub fn relays(&self) -> usize {
        self.by_relay.len()
    }

    fn obey(&mut self, event: Event) {
        match event {
            Event::OpenRelay { relay, ip, port } => self.ask_for(ip, Opening { relay, port, tries: 0 }),
            Event::CloseRelay { relay } => {
                if let Some(address) = self.by_relay.remove(&relay) {
                    self.by_address.remove(&address);
                    self.wishes.push_back(SocketCommand::Close(Transport::Udp, address));
                }
            }
            Event::Allocated { .. } | Event::Closed | Event::Released { .. } => self.events.push(event),
            _ => {}
        }
    }

    fn ask_for(&mut self, ip: IpAddr, opening: Opening) {
        let span = u64::from(u16::MAX - LOWEST_PORT) + 1;
        let offset = u16::try_from(self.random.below(span)).unwrap_or(0);
        let port = LOWEST_PORT + offset;
        let port = if opening.port == PortWish::Even { port & !1 } else { port };
        let address = SocketAddr::new(ip, port);
        self.opening.insert(address, opening);
        self.wishes.push_back(SocketCommand::Bind(Transport::Udp, address));
    }
}

impl Node for TurnServer {
    fn on_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &mut [u8]) {
        if let Some(relay) = self.by_address.get(&path.local).copied() {
            let mut framed = Vec::new();
            if let Some(transmit) =
                self.server.handle_relay_datagram(now, relay, path.remote, datagram, &mut framed)
            {
                self.waiting.push_back((transmit.path, framed));
            }
            return;
        }
        if let Received::Relay { relay, peer, payload } = self.server.handle_datagram(now, path, datagram)
            && let (Some(local), Some(payload)) = (self.by_relay.get(&relay), datagram.get(payload))
        {
            self.waiting.push_back((FiveTuple::udp(*local, peer), payload.to_vec()));
        }
    }

    fn on_timeout(&mut self, now: Instant) {
        self.server.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        let Some((path, datagram)) = self.waiting.pop_front() else {
            return self.server.poll_transmit(now, out);
        };
        out.extend_from_slice(&datagram);
        Some(Transmit::new(path, datagram.len()))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }

    fn poll_socket(&mut self) -> Option<SocketCommand> {
        while let Some(event) = self.server.poll_event() {
            self.obey(event);
        }
        self.wishes.pop_front()
    }

    fn on_bound(&mut self, now: Instant, asked: SocketAddr, bound: Result<SocketAddr, BindError>) {
        let Some(mut opening) = self.opening.remove(&asked) else { return };
        match bound {
            Ok(address) => {
                self.by_address.insert(address, opening.relay);
                self.by_relay.insert(opening.relay, address);
                self.server.relay_opened(now, opening.relay, address);
            }
            Err(BindError::InUse) if opening.tries < TRIES => {
                opening.tries += 1;
                self.ask_for(asked.ip(), opening);
            }
            Err(_) => self.server.relay_failed(now, opening.relay),
        }
    }
}
