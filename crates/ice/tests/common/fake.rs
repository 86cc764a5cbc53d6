//! One agent alone with a peer that says whatever a test wants it to say.

use super::{Seeded, epoch, provider};
use ice::{
    Agent, Candidate, CandidateKind, Config, Credentials, Event, Foundation, LocalAddress, Loopback,
    Priority, Received, Role, net::FiveTuple,
};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use stun::{
    AttributeType, Builder, Class, IntegrityKey, Message, Method, TransactionId,
    attr::{self, Code, ErrorCode, IceControlled, IceControlling, UseCandidate, XorMappedAddress},
};

pub(crate) const LOCAL: &str = "10.0.0.1:1000";
pub(crate) const REMOTE: &str = "10.0.0.2:2000";

pub(crate) struct Lone {
    pub(crate) agent: Agent,
    pub(crate) now: Instant,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) credentials: Credentials,
    pub(crate) events: Vec<Event>,
    serial: u64,
}

/// A request the agent sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) path: FiveTuple,
    pub(crate) bytes: Vec<u8>,
}

impl Sent {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).expect("invariant: agents send STUN")
    }

    pub(crate) fn is_request(&self) -> bool {
        self.message().class() == Class::Request
    }

    pub(crate) fn nominates(&self) -> bool {
        self.message().contains(AttributeType::USE_CANDIDATE)
    }
}

impl Lone {
    /// Gathered, and knowing the peer's credentials; without candidates.
    pub(crate) fn new(role: Role, config: Config) -> Self {
        Self::at(role, config, LOCAL, REMOTE)
    }

    pub(crate) fn at(role: Role, config: Config, local: &str, remote: &str) -> Self {
        let now = epoch();
        let config = Arc::new(config.with_loopback(Loopback::Allow));
        let mut agent = Agent::new(config, role, &provider(), now, Box::new(Seeded(7)));
        let local: SocketAddr = local.parse().expect(local);
        agent.add_local_address(now, LocalAddress::new(local));
        agent.start_gathering(now);
        agent.local_addresses_complete(now);
        let credentials =
            Credentials::new("fake", "0123456789abcdefghijklmnop").expect("invariant: good credentials");
        let mut lone = Self {
            agent,
            now,
            local,
            remote: remote.parse().expect(remote),
            credentials,
            events: Vec::new(),
            serial: 0,
        };
        lone.agent.set_remote_credentials(now, lone.credentials.clone());
        lone
    }

    /// With a candidate of the peer, and its first check answered.
    pub(crate) fn connected(role: Role, config: Config) -> Self {
        let mut lone = Self::new(role, config);
        lone.add_candidate(lone.remote);
        lone.agent.end_of_remote_candidates(lone.now);
        let sent = lone.drain();
        lone.answer_all(&sent);
        assert!(lone.agent.is_writable());
        lone
    }

    pub(crate) fn add_candidate(&mut self, address: SocketAddr) {
        let candidate = Candidate::new(
            Foundation::new(&address.port().to_string()).expect("invariant: a good foundation"),
            Priority(2_130_706_431),
            CandidateKind::Host,
            address,
        );
        self.agent.add_remote_candidate(self.now, candidate).expect("invariant: a good candidate");
    }

    /// Takes everything the agent wants to send now.
    pub(crate) fn drain(&mut self) -> Vec<Sent> {
        let mut all = Vec::new();
        let mut out = Vec::new();
        while let Some(transmit) = self.agent.poll_transmit(self.now, &mut out) {
            assert_eq!(transmit.len, out.len());
            all.push(Sent { at: self.now, path: transmit.path, bytes: std::mem::take(&mut out) });
        }
        while let Some(event) = self.agent.poll_event() {
            self.events.push(event);
        }
        assert!(self.agent.poll_timeout().is_none_or(|at| at > self.now), "{:?}", self.agent.next_timer());
        all
    }

    /// Lets time pass; what was sent goes to `each`, which may act on the agent.
    pub(crate) fn run(&mut self, time: Duration, mut each: impl FnMut(&mut Self, &Sent)) {
        let end = self.now + time;
        loop {
            for sent in self.drain() {
                each(self, &sent);
            }
            if self.agent.poll_timeout().is_some_and(|at| at <= self.now) {
                continue;
            }
            let Some(next) = self.agent.poll_timeout().filter(|next| *next <= end) else { break };
            self.now = next;
            self.agent.handle_timeout(next);
        }
        self.now = end;
        self.agent.handle_timeout(end);
    }

    pub(crate) fn feed(&mut self, from: SocketAddr, bytes: &[u8]) -> Received {
        self.agent.handle_datagram(self.now, FiveTuple::udp(self.local, from), bytes)
    }

    /// Answers requests as an honest peer would.
    pub(crate) fn answer_all(&mut self, sent: &[Sent]) {
        for sent in sent.iter().filter(|sent| sent.is_request()) {
            let response = self.success(sent);
            let _ = self.feed(sent.path.remote, &response);
        }
    }

    pub(crate) fn answer(&mut self, sent: &Sent) {
        self.answer_all(std::slice::from_ref(sent));
    }

    pub(crate) fn success(&self, sent: &Sent) -> Vec<u8> {
        self.success_with(sent, self.credentials.pwd(), sent.path.local)
    }

    pub(crate) fn success_with(&self, sent: &Sent, pwd: &str, mapped: SocketAddr) -> Vec<u8> {
        let mut out = Vec::new();
        let mut builder = Builder::success(&mut out, &sent.message());
        builder.attribute(&XorMappedAddress::new(mapped)).message_integrity(&key(pwd)).fingerprint();
        builder.finish().expect("invariant: short");
        out
    }

    pub(crate) fn error(&self, sent: &Sent, code: Code) -> Vec<u8> {
        let mut out = Vec::new();
        let mut builder = Builder::error(&mut out, &sent.message());
        builder
            .attribute(&ErrorCode::new(code))
            .message_integrity(&key(self.credentials.pwd()))
            .fingerprint();
        builder.finish().expect("invariant: short");
        out
    }

    /// A check of the peer.
    pub(crate) fn request(&mut self, role: Role, nominates: bool) -> Vec<u8> {
        let username = format!("{}:{}", self.agent.local_credentials().ufrag(), self.credentials.ufrag());
        let pwd = self.agent.local_credentials().pwd().to_owned();
        self.request_with(&username, &pwd, role, 5, nominates)
    }

    pub(crate) fn request_with(
        &mut self,
        username: &str,
        pwd: &str,
        role: Role,
        tie_breaker: u64,
        nominates: bool,
    ) -> Vec<u8> {
        self.serial += 1;
        let mut id = [9; 12];
        id[4..].copy_from_slice(&self.serial.to_be_bytes());
        let mut out = Vec::new();
        let mut builder = Builder::request(&mut out, Method::BINDING, TransactionId::new(id));
        builder.raw(AttributeType::USERNAME, username.as_bytes());
        builder.attribute(&attr::Priority::new(1_862_270_975));
        match role {
            Role::Controlling => builder.attribute(&IceControlling::new(tie_breaker)),
            Role::Controlled => builder.attribute(&IceControlled::new(tie_breaker)),
        };
        if nominates {
            builder.attribute(&UseCandidate::new());
        }
        builder.message_integrity(&key(pwd)).fingerprint();
        builder.finish().expect("invariant: short");
        out
    }

    /// Whether data can be sent now.
    pub(crate) fn can_send(&mut self) -> bool {
        let mut out = Vec::new();
        let write = |out: &mut Vec<u8>| {
            out.push(0x80);
            Some(())
        };
        self.agent.frame_with(&mut out, write).is_some()
    }
}

pub(crate) fn key(pwd: &str) -> IntegrityKey {
    IntegrityKey::new(&provider(), pwd.as_bytes()).expect("invariant: the provider has HMAC")
}
