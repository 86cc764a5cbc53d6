//! Client and server as the test kit sees them.

use crypto::Provider;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    num::NonZeroUsize,
    time::{Duration, Instant},
};
use testkit::{Machine, Seed, fuzz::reached};
use turn::{
    Client, ClientConfig, FiveTuple, Server, ServerConfig,
    client::{self, Received},
    server::{self, RelayAddress, StaticUsers},
};

pub(crate) struct ClientMachine {
    pub(crate) client: Client,
    pending: VecDeque<Vec<u8>>,
}

impl Machine for ClientMachine {
    type Path = FiveTuple;
    type Event = client::Event;

    fn handle_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &mut [u8]) {
        if let Received::Peer { payload, .. } = self.client.handle_datagram(now, path, datagram) {
            reached("data of a peer");
            assert!(datagram.get(payload).is_some(), "the range is within the datagram");
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.client.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<(FiveTuple, NonZeroUsize)> {
        if let Some(transmit) = self.client.poll_transmit(now, out) {
            return Some((transmit.path, NonZeroUsize::new(transmit.len).expect("invariant: not empty")));
        }
        let datagram = self.pending.pop_front()?;
        out.extend_from_slice(&datagram);
        Some((self.client.path(), NonZeroUsize::new(datagram.len()).expect("invariant: not empty")))
    }

    fn poll_event(&mut self) -> Option<client::Event> {
        let event = self.client.poll_event();
        if event.as_ref().is_some_and(Self::is_final) {
            self.pending.clear();
        }
        event
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.client.poll_timeout()
    }

    fn command(&mut self, now: Instant, choice: u64) {
        let peer = SocketAddr::from(([192, 0, 2, (choice >> 8) as u8 % 5], 9));
        // Whatever comes of it: errors are for the caller, and it is none.
        match choice % 4 {
            0 => _ = self.client.create_permission(now, peer),
            1 => _ = self.client.bind_channel(now, peer),
            2 => self.client.forget_peer(now, peer),
            _ => {
                let mut out = Vec::new();
                let write = |out: &mut Vec<u8>| {
                    out.extend_from_slice(b"data");
                    Some(())
                };
                if self.client.frame_with(peer, &mut out, write).is_some() && self.pending.len() < 16 {
                    self.pending.push_back(out);
                }
            }
        }
    }

    fn close(&mut self, now: Instant) {
        self.client.close(now);
    }

    fn is_ready(&self) -> bool {
        self.client.relayed_address().is_some()
    }

    fn is_final(event: &client::Event) -> bool {
        matches!(
            event,
            client::Event::Closed(_) | client::Event::Failed(_) | client::Event::AlternateServer(_)
        )
    }
}

/// The server, with peers that send back everything at once.
pub(crate) struct ServerMachine {
    pub(crate) server: Server,
    pending: VecDeque<(FiveTuple, Vec<u8>)>,
    events: VecDeque<server::Event>,
}

impl ServerMachine {
    fn open_sockets(&mut self, now: Instant) {
        while let Some(event) = self.server.poll_event() {
            if let server::Event::OpenRelay { relay, ip, .. } = &event {
                let port = 50_000 + (relay.get() % 10_000) as u16;
                self.server.relay_opened(now, *relay, SocketAddr::new(*ip, port));
            }
            self.events.push_back(event);
        }
    }
}

impl Machine for ServerMachine {
    type Path = FiveTuple;
    type Event = server::Event;

    fn handle_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &mut [u8]) {
        let received = self.server.handle_datagram(now, path, datagram);
        self.open_sockets(now);
        if let server::Received::Relay { relay, peer, payload } = received {
            reached("data for a peer");
            let payload = datagram.get(payload).expect("invariant: the range is within the datagram");
            let mut out = Vec::new();
            let answer = self.server.handle_relay_datagram(now, relay, peer, payload, &mut out);
            if let Some(transmit) = answer.filter(|_| self.pending.len() < 16) {
                self.pending.push_back((transmit.path, out));
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.server.handle_timeout(now);
        self.open_sockets(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<(FiveTuple, NonZeroUsize)> {
        if let Some(transmit) = self.server.poll_transmit(now, out) {
            return Some((transmit.path, NonZeroUsize::new(transmit.len).expect("invariant: not empty")));
        }
        self.open_sockets(now);
        let (path, datagram) = self.pending.pop_front()?;
        out.extend_from_slice(&datagram);
        Some((path, NonZeroUsize::new(datagram.len()).expect("invariant: not empty")))
    }

    fn poll_event(&mut self) -> Option<server::Event> {
        self.events.pop_front().or_else(|| self.server.poll_event())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }

    fn close(&mut self, now: Instant) {
        self.server.close(now);
        self.pending.clear();
        self.open_sockets(now);
    }

    fn is_final(event: &server::Event) -> bool {
        matches!(event, server::Event::Closed)
    }
}

/// A client and the server it wants an allocation of.
pub(crate) fn pair(provider: Provider, now: Instant, seed: Seed) -> (ClientMachine, ServerMachine) {
    let address = |text: &str| text.parse::<SocketAddr>().expect("invariant: an address");
    let (ours, servers) = (address("203.0.113.9:40000"), address("198.51.100.1:3478"));
    let config = ClientConfig::new(FiveTuple::udp(ours, servers), "user", "secret")
        .with_lifetime(Duration::from_secs(700));
    let client = Client::new(config, &provider, now, seed.boxed_random("client"))
        .expect("invariant: a fine configuration");
    let config = ServerConfig::new("example.org", [RelayAddress::new(servers.ip())]).with_listener(servers);
    let users = StaticUsers::new().with("user", "secret").with("other", "other secret");
    let server = Server::new(config, Box::new(users), &provider, now, seed.boxed_random("server"))
        .expect("invariant: a fine configuration");
    (
        ClientMachine { client, pending: VecDeque::new() },
        ServerMachine { server, pending: VecDeque::new(), events: VecDeque::new() },
    )
}
