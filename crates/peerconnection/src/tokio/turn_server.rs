//! A TURN and STUN server inside an application: [`turn::server::Server`] with sockets.

use super::{
    interfaces::{self, Loopback},
    udp::{Batch, Clock, ReadBuffer, UdpSocket},
};
use crypto::Provider;
use std::{
    collections::BTreeMap,
    future::poll_fn,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use stun::net::{FiveTuple, Transmit};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::sleep_until,
};
use turn::server::{
    Event, IpNet, PeerPolicy, PortWish, Received, RelayAddress, RelayId, Server, ServerConfig, StaticUsers,
};

/// Batches from peers that wait for the server's task; beyond it they are dropped, as a kernel would.
const RELAY_QUEUE: usize = 256;
/// Ports tried for one relay socket before the client is told that there is none.
const PORT_TRIES: u32 = 32;
/// RFC 8656 §7.2: relay ports come from the dynamic range.
const RELAY_PORTS: std::ops::RangeInclusive<u16> = 49_152..=65_535;

/// A running server. Dropping it ends all its allocations.
#[derive(Debug)]
pub struct TurnServer {
    local: SocketAddr,
    _alive: oneshot::Sender<()>,
}

/// What a [`TurnServer`] is made with.
#[derive(Debug)]
pub struct TurnServerBuilder {
    provider: Provider,
    realm: String,
    users: StaticUsers,
    policy: PeerPolicy,
    bind: SocketAddr,
}

impl TurnServer {
    /// Starts making a server.
    #[cfg(feature = "rustcrypto")]
    #[must_use]
    pub fn builder() -> TurnServerBuilder {
        Self::builder_with(crypto::rustcrypto::provider())
    }

    /// Starts making a server over a crypto provider.
    #[must_use]
    pub fn builder_with(provider: Provider) -> TurnServerBuilder {
        TurnServerBuilder {
            provider,
            realm: "peerlane".to_owned(),
            users: StaticUsers::default(),
            policy: PeerPolicy::new(),
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

impl TurnServerBuilder {
    /// Adds a user with long-term credentials (RFC 8489 §9.2). Default: nobody may allocate.
    #[must_use]
    pub fn user(self, name: impl Into<String>, password: impl Into<String>) -> Self {
        Self { users: self.users.with(name, password), ..self }
    }

    /// Sets the realm. Default: "peerlane".
    #[must_use]
    pub fn realm(self, realm: impl Into<String>) -> Self {
        Self { realm: realm.into(), ..self }
    }

    /// Where to listen. Default: a free port of 127.0.0.1.
    #[must_use]
    pub fn bind(self, address: SocketAddr) -> Self {
        Self { bind: address, ..self }
    }

    /// Lets clients reach peers in a network that is refused by default: loopback, link-local and private ones are,
    /// and the server's own addresses, because a relay there is a way around the firewall.
    #[must_use]
    pub fn allow_peers(self, network: IpNet) -> Self {
        Self { policy: self.policy.allow(network), ..self }
    }

    /// Binds the socket and starts the server's task on the current tokio runtime.
    ///
    /// # Errors
    /// The operating system's when the address cannot be bound, `InvalidInput` for a configuration that cannot work.
    pub async fn start(self) -> io::Result<TurnServer> {
        let invalid =
            |error: turn::server::ServerConfigError| io::Error::new(io::ErrorKind::InvalidInput, error);
        let socket = UdpSocket::bind(self.bind)?;
        let local = socket.local();
        let addresses: Vec<IpAddr> = interfaces::addresses_of(local, Loopback::Fallback)?
            .into_iter()
            .map(|(_, address)| address.ip())
            .collect();
        let mut config = ServerConfig::new(self.realm, addresses.iter().copied().map(RelayAddress::new))
            .with_peer_policy(self.policy);
        for address in addresses {
            config = config.with_listener(SocketAddr::new(address, local.port()));
        }
        let clock = Clock::read();
        let server =
            Server::new(config, Box::new(self.users), &self.provider, clock.now, crypto::os_random());
        let server = server.map_err(invalid)?;
        let (alive, gone) = oneshot::channel();
        let (received, from_relays) = mpsc::channel(RELAY_QUEUE);
        let driver =
            Driver { server, socket, relays: BTreeMap::new(), received, from_relays, out: Vec::new() };
        tokio::spawn(driver.run(gone));
        Ok(TurnServer { local, _alive: alive })
    }
}

/// A relay socket and the task that reads it.
struct Relay {
    socket: Arc<UdpSocket>,
    reader: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

struct Driver {
    server: Server,
    socket: UdpSocket,
    relays: BTreeMap<RelayId, Relay>,
    received: mpsc::Sender<(RelayId, Batch)>,
    from_relays: mpsc::Receiver<(RelayId, Batch)>,
    out: Vec<u8>,
}

impl Driver {
    async fn run(mut self, mut gone: oneshot::Receiver<()>) {
        let mut buffer = ReadBuffer::default();
        loop {
            let clock = Clock::read();
            self.server.handle_timeout(clock.now);
            self.obey(clock);
            self.answer(clock);
            let deadline = self.server.poll_timeout();
            let Self { socket, from_relays, .. } = &mut self;
            tokio::select! {
                _ = &mut gone => return,
                batch = poll_fn(|cx| socket.poll_read(cx, &mut buffer, clock)) => {
                    // An error is an ICMP message about an earlier answer.
                    if let Ok(batch) = batch {
                        self.handle_client(Clock::read(), batch);
                    }
                }
                Some((relay, batch)) = from_relays.recv() => self.handle_peer(Clock::read(), relay, batch),
                () = sleep_until(deadline.unwrap_or(clock.now).into()), if deadline.is_some() => {}
            }
        }
    }

    fn handle_client(&mut self, clock: Clock, batch: Batch) {
        for datagram in batch.into_datagrams() {
            let received = self.server.handle_datagram(clock.now, datagram.path, &datagram.payload);
            let Received::Relay { relay, peer, payload } = received else { continue };
            let (Some(relay), Some(payload)) = (self.relays.get(&relay), datagram.payload.get(payload))
            else {
                continue;
            };
            let path = FiveTuple::udp(relay.socket.local(), peer);
            // UDP: what cannot be sent now is lost, as on any full queue of a network.
            let _ = relay.socket.try_send(&Transmit::new(path, payload.len()), payload);
        }
    }

    fn handle_peer(&mut self, clock: Clock, relay: RelayId, batch: Batch) {
        for datagram in batch.into_datagrams() {
            self.out.clear();
            let from = datagram.path.remote;
            let framed =
                self.server.handle_relay_datagram(clock.now, relay, from, &datagram.payload, &mut self.out);
            if let Some(transmit) = framed {
                let _ = self.socket.try_send(&transmit, &self.out);
            }
        }
    }

    fn answer(&mut self, clock: Clock) {
        loop {
            self.out.clear();
            let Some(transmit) = self.server.poll_transmit(clock.now, &mut self.out) else { return };
            // The client repeats a request whose answer is lost.
            let _ = self.socket.try_send(&transmit, &self.out);
        }
    }

    /// Opens and closes relay sockets as the server says.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are news, and ask for nothing")]
    fn obey(&mut self, clock: Clock) {
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::OpenRelay { relay, ip, port } => match open(ip, port) {
                    Ok(socket) => {
                        let socket = Arc::new(socket);
                        let local = socket.local();
                        let reader = tokio::spawn(read(relay, socket.clone(), self.received.clone()));
                        self.relays.insert(relay, Relay { socket, reader });
                        self.server.relay_opened(clock.now, relay, local);
                    }
                    Err(_) => self.server.relay_failed(clock.now, relay),
                },
                Event::CloseRelay { relay } => drop(self.relays.remove(&relay)),
                _ => {}
            }
        }
    }
}

/// A socket on a random port of the dynamic range (RFC 6056: not to be guessed).
fn open(ip: IpAddr, wish: PortWish) -> io::Result<UdpSocket> {
    let mut rng = crypto::os_random();
    let span = u32::from(RELAY_PORTS.end() - RELAY_PORTS.start()) + 1;
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PORT_TRIES {
        let offset = u16::try_from(rng.u32() % span).unwrap_or_default();
        let port = match wish {
            PortWish::Even => (RELAY_PORTS.start() + offset) & !1,
            PortWish::Any | _ => RELAY_PORTS.start() + offset,
        };
        match UdpSocket::bind(SocketAddr::new(ip, port)) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn read(relay: RelayId, socket: Arc<UdpSocket>, received: mpsc::Sender<(RelayId, Batch)>) {
    let mut buffer = ReadBuffer::default();
    loop {
        let clock = Clock::read();
        // An error is an ICMP message about an earlier datagram; reading goes on.
        let Ok(batch) = poll_fn(|cx| socket.poll_read(cx, &mut buffer, clock)).await else { continue };
        if let Err(mpsc::error::TrySendError::Closed(_)) = received.try_send((relay, batch)) {
            return;
        }
    }
}
