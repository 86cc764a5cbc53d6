//! Two connections over a network of virtual time.

#![allow(dead_code, unreachable_pub, reason = "shared by several test programs, each of which uses a part")]
#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

use crypto::{HashId, Provider, Random};
use dtls::{
    Certificate, CertificateOptions, CloseReason, Config, Connection, Event, Fingerprint, Role, State,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const WALL: Duration = Duration::from_secs(1_800_000_000);

pub fn provider() -> Provider {
    crypto::rustcrypto::provider()
}

/// A repeatable generator, for tests alone.
#[derive(Clone, Debug)]
pub struct Seeded(pub u64);

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z ^ (z >> 31)) as u8;
        }
    }
}

pub fn certificate(seed: u64) -> Certificate {
    Certificate::generate(&provider(), &mut Seeded(seed), WALL, &CertificateOptions::new()).unwrap()
}

pub fn fingerprint(certificate: &Certificate) -> Fingerprint {
    certificate.fingerprint(&provider(), HashId::Sha256).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "virtual time has to start somewhere")]
pub fn origin() -> Instant {
    Instant::now()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// What the network does with a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Deliver,
    Drop,
    Duplicate,
    Delay(Duration),
    Replace(Vec<Vec<u8>>),
}

/// One endpoint with everything it has said to its owner.
pub struct Peer {
    pub connection: Connection,
    pub received: Vec<Vec<u8>>,
    pub events: Vec<Event>,
    pub sent: usize,
}

impl Peer {
    fn new(connection: Connection) -> Self {
        Self { connection, received: Vec::new(), events: Vec::new(), sent: 0 }
    }

    pub fn deliver(&mut self, now: Instant, mut datagram: Vec<u8>) {
        let received = &mut self.received;
        self.connection.handle_datagram(now, &mut datagram, &mut |data| received.push(data.to_vec()));
        self.poll_events();
    }

    pub fn poll_events(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            self.events.push(event);
        }
    }

    pub fn transmit(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        let mut out = b"before".to_vec();
        loop {
            let start = out.len();
            let Some(len) = self.connection.poll_transmit(now, &mut out) else { break };
            assert!(out.starts_with(b"before"), "what was in the buffer stays");
            assert_eq!(out.len() - start, len.get());
            datagrams.push(out[start..].to_vec());
            assert!(datagrams.len() < 200, "an endpoint that sends without end");
        }
        self.sent += datagrams.len();
        self.poll_events();
        datagrams
    }

    pub fn seal(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.connection.seal_with(&mut out, |out| {
            out.extend_from_slice(data);
            Some(())
        })?;
        Some(out)
    }

    pub fn close_reason(&self) -> Option<&CloseReason> {
        match self.events.last() {
            Some(Event::Closed(reason)) => Some(reason),
            _ => None,
        }
    }

    pub fn is_connected(&self) -> bool {
        self.connection.is_connected()
    }

    pub fn keys(&self) -> Option<[u8; 60]> {
        let mut out = [0; 60];
        self.connection.export_keying_material("EXTRACTOR-dtls_srtp", None, &mut out).ok()?;
        Some(out)
    }
}

type Network = Box<dyn FnMut(Side, usize, &[u8]) -> Fate>;

pub struct Pair {
    pub now: Instant,
    pub client: Peer,
    pub server: Peer,
    pub latency: Duration,
    /// Datagrams on their way to a side, with their time of arrival.
    pub wire: Vec<(Instant, Side, Vec<u8>)>,
    /// Decides on each datagram of a side, by its number.
    pub network: Network,
    /// Every datagram that was sent.
    pub log: Vec<(Side, Vec<u8>)>,
}

pub struct Setup {
    pub client_config: Config,
    pub server_config: Config,
    pub client_certificate: Certificate,
    pub server_certificate: Certificate,
    /// What the client expects of the server.
    pub client_expects: Option<Vec<Fingerprint>>,
    pub server_expects: Option<Vec<Fingerprint>>,
    pub seed: u64,
}

impl Setup {
    pub fn new() -> Self {
        let (client_certificate, server_certificate) = certificates();
        Self {
            client_config: Config::new(provider()),
            server_config: Config::new(provider()),
            client_expects: Some(vec![fingerprint(&server_certificate)]),
            server_expects: Some(vec![fingerprint(&client_certificate)]),
            client_certificate,
            server_certificate,
            seed: 1,
        }
    }

    pub fn build(self) -> Pair {
        let now = origin();
        let Self { client_config, server_config, seed, .. } = self;
        let client = Connection::new(
            Arc::new(client_config),
            Role::Client,
            self.client_certificate,
            now,
            Box::new(Seeded(seed)),
        );
        let server = Connection::new(
            Arc::new(server_config),
            Role::Server,
            self.server_certificate,
            now,
            Box::new(Seeded(seed ^ 0x5555_5555)),
        );
        let mut pair = Pair {
            now,
            client: Peer::new(client),
            server: Peer::new(server),
            latency: Duration::from_millis(10),
            wire: Vec::new(),
            network: Box::new(|_, _, _| Fate::Deliver),
            log: Vec::new(),
        };
        if let Some(expected) = self.client_expects {
            pair.client.connection.expect_fingerprints(now, expected);
        }
        if let Some(expected) = self.server_expects {
            pair.server.connection.expect_fingerprints(now, expected);
        }
        pair
    }
}

/// One pair of certificates for all tests: making them is slow.
pub fn certificates() -> (Certificate, Certificate) {
    static PAIR: std::sync::OnceLock<(Certificate, Certificate)> = std::sync::OnceLock::new();
    PAIR.get_or_init(|| (certificate(11), certificate(22))).clone()
}

impl Pair {
    pub fn new() -> Self {
        Setup::new().build()
    }

    /// A pair that is connected.
    pub fn connected() -> Self {
        let mut pair = Self::new();
        pair.start();
        pair.run(Duration::from_secs(5));
        assert!(pair.client.is_connected() && pair.server.is_connected());
        pair
    }

    pub fn start(&mut self) {
        self.server.connection.start(self.now);
        self.client.connection.start(self.now);
    }

    pub fn peer(&mut self, side: Side) -> &mut Peer {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Takes what both sides want to send and puts it on the wire.
    pub fn transmit(&mut self) {
        for side in [Side::Client, Side::Server] {
            let now = self.now;
            let first = self.peer(side).sent;
            for (index, datagram) in self.peer(side).transmit(now).into_iter().enumerate() {
                self.log.push((side, datagram.clone()));
                let arrival = now + self.latency;
                let to = if side == Side::Client { Side::Server } else { Side::Client };
                match (self.network)(side, first + index, &datagram) {
                    Fate::Deliver => self.wire.push((arrival, to, datagram)),
                    Fate::Drop => {}
                    Fate::Duplicate => {
                        self.wire.push((arrival, to, datagram.clone()));
                        self.wire.push((arrival, to, datagram));
                    }
                    Fate::Delay(more) => self.wire.push((arrival + more, to, datagram)),
                    Fate::Replace(others) => {
                        self.wire.extend(others.into_iter().map(|other| (arrival, to, other)));
                    }
                }
            }
        }
    }

    /// Moves to the next thing that happens: an arrival, or a deadline. `false` when nothing will.
    pub fn step(&mut self, end: Instant) -> bool {
        self.transmit();
        let arrival = self.wire.iter().map(|(at, ..)| *at).min();
        let deadlines = [self.client.connection.poll_timeout(), self.server.connection.poll_timeout()];
        let next = arrival.into_iter().chain(deadlines.into_iter().flatten()).min();
        let Some(next) = next.filter(|next| *next <= end) else { return false };
        self.now = self.now.max(next);
        while let Some(index) = self.wire.iter().position(|(at, ..)| *at <= self.now) {
            let (_, to, datagram) = self.wire.remove(index);
            let now = self.now;
            self.peer(to).deliver(now, datagram);
        }
        for side in [Side::Client, Side::Server] {
            let now = self.now;
            let peer = self.peer(side);
            if peer.connection.poll_timeout().is_some_and(|at| at <= now) {
                peer.connection.handle_timeout(now);
                peer.poll_events();
            }
        }
        true
    }

    /// Runs for a time, or until nothing more will happen.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut steps = 0;
        while self.step(end) {
            steps += 1;
            assert!(steps < 10_000, "a run without end");
        }
        self.transmit();
    }

    /// Asserts that both sides are connected to each other and can talk.
    pub fn assert_talking(&mut self) {
        for side in [Side::Client, Side::Server] {
            assert_eq!(
                self.peer(side).connection.state(),
                State::Connected,
                "{side:?} {:?}",
                self.peer(side).events
            );
            assert_eq!(self.peer(side).events, [Event::Connected], "{side:?}");
        }
        assert_eq!(self.client.keys(), self.server.keys());
        assert!(self.client.keys().is_some());
        let now = self.now;
        let ping = self.client.seal(b"ping").unwrap();
        self.server.deliver(now, ping);
        assert_eq!(self.server.received.pop().as_deref(), Some(&b"ping"[..]));
        let pong = self.server.seal(b"pong").unwrap();
        self.client.deliver(now, pong);
        assert_eq!(self.client.received.pop().as_deref(), Some(&b"pong"[..]));
    }
}
