//! A client against servers that are wrong, hostile, or not there.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use stun::{
    AttributeType, Builder, Class, IntegrityKey, Message, Method,
    attr::{AlternateServer, Code, ErrorCode, Nonce, PasswordAlgorithmId, Realm, XorMappedAddress},
    auth::{ChallengeError, long_term_key},
};
use turn::{
    Client, ClientConfig, FiveTuple, Transport,
    attr::{ChannelNumberAttribute, Data, Icmp, Lifetime, XorPeerAddress, XorRelayedAddress},
    client::{AllocateError, ClientError, CloseReason, Event, Received, RequestError},
};

#[path = "harness/net.rs"]
mod net;
use net::{PASSWORD, REALM, USER, addr, client_path, new_client, provider, start};

const RELAYED: &str = "198.51.100.1:50000";
const PEER: &str = "192.0.2.77:5000";

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The client and the hand of a server.
struct Script {
    client: Client,
    now: Instant,
    key: IntegrityKey,
    events: Vec<Event>,
}

impl Script {
    fn new() -> Self {
        let now = start();
        let client = new_client(ClientConfig::new(client_path(0), USER, PASSWORD), now, 1);
        let key = long_term_key(&provider(), PasswordAlgorithmId::MD5, USER, REALM.as_bytes(), PASSWORD);
        Self { client, now, key: key.expect("invariant: fine credentials"), events: Vec::new() }
    }

    /// With an allocation.
    fn allocated() -> Self {
        let mut script = Self::new();
        script.challenge_next("nonce");
        let request = script.next();
        script.answer_allocate(&request, addr(RELAYED), 600);
        assert!(matches!(script.events[..], [Event::Allocated { .. }]));
        script.events.clear();
        script
    }

    /// With an allocation and a permission for [`PEER`].
    fn permitted() -> Self {
        let mut script = Self::allocated();
        script.client.create_permission(script.now, addr(PEER)).expect("invariant: allocated");
        let request = script.next();
        script.succeed(&request, |_| {});
        assert_eq!(script.events, [Event::PermissionReady(addr(PEER).ip())]);
        script.events.clear();
        script
    }

    /// The next datagram, if one is due now.
    fn poll(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let transmit = self.client.poll_transmit(self.now, &mut out);
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
        transmit.map(|transmit| {
            assert_eq!((transmit.path, transmit.len), (self.client.path(), out.len()));
            out
        })
    }

    /// The next datagram, which must be due now.
    fn next(&mut self) -> Vec<u8> {
        self.poll().expect("invariant: a datagram is due")
    }

    /// Lets time pass up to the next datagram.
    fn wait(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(datagram) = self.poll() {
                return Some(datagram);
            }
            self.now = self.client.poll_timeout()?;
            self.client.handle_timeout(self.now);
        }
    }

    fn give(&mut self, datagram: &[u8]) -> Received {
        let received = self.client.handle_datagram(self.now, self.client.path(), datagram);
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
        received
    }

    fn refuse(&mut self, request: &[u8], code: Code, write: impl FnOnce(&mut Builder<'_>)) {
        let answer = response(Class::Error, request, |builder| {
            builder.attribute(&ErrorCode::new(code));
            write(builder);
        });
        assert_eq!(self.give(&answer), Received::Control);
    }

    fn refuse_signed(&mut self, request: &[u8], code: Code, write: impl FnOnce(&mut Builder<'_>)) {
        let key = self.key.clone();
        self.refuse(request, code, |builder| {
            write(builder);
            builder.message_integrity(&key);
        });
    }

    fn succeed(&mut self, request: &[u8], write: impl FnOnce(&mut Builder<'_>)) {
        let key = self.key.clone();
        let answer = response(Class::Success, request, |builder| {
            write(builder);
            builder.message_integrity(&key);
        });
        assert_eq!(self.give(&answer), Received::Control);
    }

    fn challenge(&mut self, request: &[u8], code: Code, realm: &str, nonce: &str) {
        self.refuse(request, code, |builder| {
            builder.attribute(&Realm::new(realm).expect("invariant: short"));
            builder.attribute(&Nonce::new(nonce).expect("invariant: short"));
        });
    }

    fn challenge_next(&mut self, nonce: &str) {
        let request = self.next();
        self.challenge(&request, Code::UNAUTHENTICATED, REALM, nonce);
    }

    fn answer_allocate(&mut self, request: &[u8], relayed: SocketAddr, lifetime: u64) {
        let mapped = self.client.path().local;
        self.succeed(request, |builder| {
            builder.attribute(&XorRelayedAddress::new(relayed)).attribute(&XorMappedAddress::new(mapped));
            builder.attribute(&Lifetime::new(secs(lifetime)));
        });
    }
}

fn response(class: Class, request: &[u8], write: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let request = Message::parse(request).expect("invariant: the client sends no nonsense");
    let mut out = Vec::new();
    let mut builder = Builder::new(&mut out, class, request.method(), request.transaction_id());
    write(&mut builder);
    builder.finish().expect("invariant: fits");
    out
}

fn indication(peer: SocketAddr, write: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut builder = Builder::indication(&mut out, Method::DATA, stun::TransactionId::new([5; 12]));
    builder.attribute(&XorPeerAddress::new(peer));
    write(&mut builder);
    builder.finish().expect("invariant: fits");
    out
}

/// Users 18: endless 401 and 438.
#[test]
fn users_18_challenge_loops_are_bounded() {
    for code in [Code::UNAUTHENTICATED, Code::STALE_NONCE] {
        let mut script = Script::new();
        script.challenge_next("nonce 0");
        let mut requests = 1;
        while let Some(request) = script.wait() {
            requests += 1;
            assert!(requests < 20, "{code}");
            let realm =
                if code == Code::STALE_NONCE { REALM.to_owned() } else { format!("realm {requests}") };
            script.challenge(&request, code, &realm, &format!("nonce {requests}"));
        }
        assert!(matches!(script.events[..], [Event::Failed(_)]), "{code}: {:?}", script.events);
        assert!(requests <= 6, "{code}: {requests}");
    }
}

#[test]
fn a_stale_nonce_given_again_ends_it() {
    let mut script = Script::new();
    script.challenge_next("same");
    let request = script.next();
    script.challenge(&request, Code::STALE_NONCE, REALM, "same");
    let error = RequestError::Challenge(ChallengeError::SameNonce);
    assert_eq!(script.events, [Event::Failed(AllocateError::Request(error))]);
}

/// RFC 8489 §9.2.5: responses that prove nothing never happened; at the end it is said why.
#[test]
fn stun_response_failing_mi_discarded_as_never_received() {
    let mut script = Script::new();
    script.challenge_next("nonce");
    let request = script.next();
    let wrong = IntegrityKey::new(&provider(), b"wrong").expect("invariant: HMAC is there");
    for key in [None, Some(&wrong)] {
        for class in [Class::Success, Class::Error] {
            let forged = response(class, &request, |builder| {
                builder.attribute(&XorRelayedAddress::new(addr("203.0.113.66:6")));
                builder.attribute(&XorMappedAddress::new(addr("203.0.113.66:6")));
                builder.attribute(&Lifetime::new(secs(600))).attribute(&ErrorCode::new(Code::BAD_REQUEST));
                if let Some(key) = key {
                    builder.message_integrity(key);
                }
            });
            assert_eq!(script.give(&forged), Received::Control);
        }
    }
    assert_eq!((script.events.len(), script.client.stats().responses_unverified), (0, 4));
    let mut retransmissions = 0;
    while let Some(again) = script.wait() {
        assert_eq!(again, request, "bit for bit");
        retransmissions += 1;
    }
    assert_eq!(retransmissions, 6);
    let error = AllocateError::Request(RequestError::IntegrityViolated);
    assert_eq!(script.events, [Event::Failed(error)]);
}

/// RFC 8489 §10, §14.8.
#[test]
fn stun_error_300_alternate_server_followed_once_per_server() {
    let other = addr("198.51.100.9:3478");
    let list = |builder: &mut Builder<'_>| {
        builder.attribute(&AlternateServer::new(addr("[2001:db8::9]:3478")));
        builder.attribute(&AlternateServer::new(addr(net::SERVER)));
        builder.attribute(&AlternateServer::new(other));
    };
    let mut script = Script::new();
    script.challenge_next("nonce");
    let request = script.next();
    script.refuse(&request, Code::TRY_ALTERNATE, list);
    assert_eq!(script.events, [], "not without integrity");
    script.refuse_signed(&request, Code::TRY_ALTERNATE, list);
    assert_eq!(
        script.events,
        [Event::AlternateServer(other)],
        "one that our socket reaches, and another one"
    );
    assert_eq!((script.client.poll_timeout(), script.poll()), (None, None));

    // To a request without credentials nothing can be proven.
    let mut script = Script::new();
    let request = script.next();
    script.refuse(&request, Code::TRY_ALTERNATE, list);
    let refused = RequestError::Refused(Code::TRY_ALTERNATE);
    assert_eq!(script.events, [Event::Failed(AllocateError::Request(refused))]);
}

/// A server that wants no credentials.
#[test]
fn a_server_without_authentication_works() {
    let mut script = Script::new();
    let request = script.next();
    let answer = response(Class::Success, &request, |builder| {
        builder.attribute(&XorRelayedAddress::new(addr(RELAYED)));
        builder.attribute(&XorMappedAddress::new(addr("203.0.113.9:1"))).attribute(&Lifetime::new(secs(600)));
    });
    let _ = script.give(&answer);
    assert_eq!(script.client.relayed_address(), Some(addr(RELAYED)));
    assert_eq!(script.client.mapped_address(), Some(addr("203.0.113.9:1")));
}

/// RFC 8656 §7.3.
#[test]
fn turn_allocate_checks_relayed_family_else_delete() {
    let mut script = Script::new();
    script.challenge_next("nonce");
    let request = script.next();
    script.answer_allocate(&request, addr("[2001:db8::1]:50000"), 600);
    let delete = script.next();
    let message = Message::parse(&delete).expect("invariant: well formed");
    assert_eq!((message.method(), message.require::<Lifetime>()), (Method::REFRESH, Ok(Lifetime::ZERO)));
    assert_eq!(script.events, []);
    script.succeed(&delete, |builder| _ = builder.attribute(&Lifetime::ZERO));
    assert_eq!(script.events, [Event::Failed(AllocateError::FamilyMismatch)]);
}

/// Users 19: a lifetime of zero says that the allocation is gone.
#[test]
fn users_19_a_relay_answering_lifetime_zero() {
    let mut script = Script::new();
    script.challenge_next("nonce");
    let request = script.next();
    script.answer_allocate(&request, addr(RELAYED), 0);
    assert_eq!(script.events, [Event::Closed(CloseReason::AllocationLost)]);

    let mut script = Script::allocated();
    let refresh = script.wait().expect("invariant: it refreshes");
    script.succeed(&refresh, |builder| _ = builder.attribute(&Lifetime::ZERO));
    assert_eq!(script.events, [Event::Closed(CloseReason::AllocationLost)]);
}

/// Users 19: short and absurd lifetimes: neither a storm of refreshes nor an overflow.
#[test]
fn lifetimes_of_all_sizes_are_refreshed_in_time() {
    for lifetime in [1, 2, 30, 119, 121, 600, 3_600, 86_400, u64::from(u32::MAX)] {
        let mut script = Script::new();
        script.challenge_next("nonce");
        let request = script.next();
        script.answer_allocate(&request, addr(RELAYED), lifetime);
        let from = script.now;
        for _ in 0..3 {
            let before = script.now;
            let refresh = script.wait().expect("invariant: it refreshes");
            let waited = script.now - before;
            assert!(
                waited >= Duration::from_millis(500) && waited < secs(lifetime),
                "{waited:?} of {lifetime}"
            );
            script.succeed(&refresh, |builder| _ = builder.attribute(&Lifetime::new(secs(lifetime))));
        }
        assert!(script.now - from <= secs(3 * 3_600));
    }
}

/// RFC 8489 §6.3.4.
#[test]
fn stun_5xx_retry_bounded() {
    let mut script = Script::new();
    script.challenge_next("nonce");
    let mut requests = 0;
    while let Some(request) = script.wait() {
        requests += 1;
        script.refuse_signed(&request, Code::SERVER_ERROR, |_| {});
    }
    assert_eq!(requests, 4);
    let error = AllocateError::Request(RequestError::Refused(Code::SERVER_ERROR));
    assert_eq!(script.events, [Event::Failed(error)]);
}

/// RFC 8489 §6.3.3.
#[test]
fn unknown_required_attributes_fail_the_transaction() {
    let mut script = Script::new();
    script.challenge_next("nonce");
    let request = script.next();
    script.succeed(&request, |builder| _ = builder.raw(AttributeType::new(0x7777), &[]));
    let error = AllocateError::Request(RequestError::UnknownAttribute);
    assert_eq!(script.events, [Event::Failed(error)]);
}

/// Nobody but the server on its path, and no answer to what was never asked.
#[test]
fn only_answers_to_our_requests_count() {
    let mut script = Script::new();
    let request = script.next();
    let challenge = response(Class::Error, &request, |builder| {
        builder.attribute(&ErrorCode::new(Code::UNAUTHENTICATED));
        builder.attribute(&Realm::new(REALM).expect("invariant: short"));
        builder.attribute(&Nonce::new("n").expect("invariant: short"));
    });
    let path = script.client.path();
    let elsewhere = [
        FiveTuple { remote: addr("198.51.100.2:3478"), ..path },
        FiveTuple { remote: addr("198.51.100.1:3479"), ..path },
        FiveTuple { local: addr("203.0.113.9:1"), ..path },
        FiveTuple { transport: Transport::Tcp, ..path },
    ];
    for path in elsewhere {
        assert_eq!(script.client.handle_datagram(script.now, path, &challenge), Received::Ignored);
    }
    let mut other_method = challenge.clone();
    other_method[..2].copy_from_slice(&[0x01, 0x14]);
    assert_eq!(script.give(&other_method), Received::Ignored);
    let mut other_id = challenge.clone();
    other_id[19] ^= 1;
    assert_eq!(script.give(&other_id), Received::Ignored);
    assert_eq!(script.give(&request), Received::Ignored, "our own request, reflected");
    assert_eq!(script.give(&challenge), Received::Control);
    assert_eq!(script.give(&challenge), Received::Ignored, "answered already");
}

/// RFC 8656 §11.4, §12.6.
#[test]
fn data_counts_only_from_wanted_peers() {
    let mut script = Script::permitted();
    let data = |peer: &str| indication(addr(peer), |builder| _ = builder.attribute(&Data::new(b"payload")));
    let good = data(PEER);
    let Received::Peer { from, payload } = script.give(&good) else { panic!("permitted") };
    assert_eq!((from, &good[payload]), (addr(PEER), &b"payload"[..]));
    assert_eq!(script.give(&data("192.0.2.78:5000")), Received::Ignored);
    assert_eq!(script.give(&data("[2001:db8::1]:5000")), Received::Ignored);
    let no_data = indication(addr(PEER), |_| {});
    assert_eq!(script.give(&no_data), Received::Ignored);
    let unknown = indication(addr(PEER), |builder| {
        builder.attribute(&Data::new(b"payload")).raw(AttributeType::new(0x7777), &[]);
    });
    assert_eq!(script.give(&unknown), Received::Ignored);
    for number in [0x40, 0x41, 0x4f] {
        assert_eq!(script.give(&[number, 0, 0, 1, 7]), Received::Ignored, "no channel");
    }
    // The first channel data may overtake the answer to ChannelBind.
    script.client.bind_channel(script.now, addr(PEER)).expect("invariant: allocated");
    let bind = script.next();
    let number = Message::parse(&bind).expect("invariant: well formed").require::<ChannelNumberAttribute>();
    let number = number.ok().and_then(ChannelNumberAttribute::channel).expect("invariant: a channel").get();
    let [high, low] = number.to_be_bytes();
    let early = script.give(&[high, low, 0, 1, 7]);
    assert_eq!(early, Received::Peer { from: addr(PEER), payload: 4..5 });
    assert!(!script.client.has_channel(addr(PEER)));
    for len in 0..5 {
        assert_eq!(script.give(&[high, low, 0, 1, 7][..len]), Received::Ignored);
    }
}

/// RFC 8656 §11.6.
#[test]
fn turn_icmp_attribute_in_data_indication() {
    let mut script = Script::permitted();
    let icmp = Icmp::new(3, 4, 1_280);
    let report = |peer: &str| indication(addr(peer), |builder| _ = builder.attribute(&icmp));
    assert_eq!(script.give(&report(PEER)), Received::Control);
    assert_eq!(script.give(&report("192.0.2.99:1")), Received::Control);
    assert_eq!(script.events, [Event::Icmp { peer: addr(PEER), icmp }], "nothing about strangers");
    for _ in 0..10_000 {
        let path = script.client.path();
        let _ = script.client.handle_datagram(script.now, path, &report(PEER));
    }
    let waiting = std::iter::from_fn(|| script.client.poll_event()).count();
    assert!(waiting <= 32, "{waiting} events waiting");
}

/// RFC 8656 §12: neither number nor peer is used otherwise before the server has surely forgotten.
#[test]
fn turn_channel_lifetime_600s_rebind_wait_300s() {
    let mut script = Script::permitted();
    script.client.bind_channel(script.now, addr(PEER)).expect("invariant: allocated");
    let bind = script.next();
    script.refuse_signed(&bind, Code::BAD_REQUEST, |_| {});
    let error = RequestError::Refused(Code::BAD_REQUEST);
    assert_eq!(script.events, [Event::ChannelFailed { peer: addr(PEER), error }]);
    let number = |bind: &[u8]| {
        let number =
            Message::parse(bind).expect("invariant: well formed").require::<ChannelNumberAttribute>();
        number.ok().and_then(ChannelNumberAttribute::channel).expect("invariant: a channel")
    };
    let first = number(&bind);
    script.client.bind_channel(script.now, addr("192.0.2.78:1")).expect("invariant: allocated");
    let mut others = Vec::new();
    while let Some(request) = script.poll() {
        let message = Message::parse(&request).expect("invariant: well formed");
        if message.method() == Method::CHANNEL_BIND {
            others.push(number(&request));
        }
        script.succeed(&request, |_| {});
    }
    assert_eq!(others.len(), 1);
    assert_ne!(others[0], first, "another peer gets another number");
    script.client.bind_channel(script.now, addr(PEER)).expect("invariant: allocated");
    let again = script.next();
    assert_eq!(number(&again), first, "the same peer gets the same number");
}

/// A permission refused is told; one that cannot be refreshed is told when it runs out.
#[test]
fn permissions_that_fail_are_told() {
    let mut script = Script::allocated();
    script.client.create_permission(script.now, addr(PEER)).expect("invariant: allocated");
    let request = script.next();
    script.refuse_signed(&request, Code::FORBIDDEN, |_| {});
    let ip = addr(PEER).ip();
    let forbidden = RequestError::Refused(Code::FORBIDDEN);
    assert_eq!(script.events, [Event::PermissionFailed { ip, error: forbidden }]);
    assert_eq!(script.poll(), None, "not tried again by itself");

    let mut script = Script::permitted();
    let granted = script.now;
    // The server refreshes the allocation and ignores permissions.
    while script.events.is_empty() {
        let request = script.wait().expect("invariant: it goes on");
        if Message::parse(&request).expect("invariant: well formed").method() == Method::REFRESH {
            script.succeed(&request, |builder| _ = builder.attribute(&Lifetime::new(secs(600))));
        }
    }
    assert_eq!(script.events, [Event::PermissionFailed { ip, error: RequestError::Expired }]);
    assert_eq!(script.now - granted, secs(300));
    assert!(!script.client.has_permission(addr(PEER)));
}

/// RFC 8656 §5: a nonce changes in mid-session, with several requests in flight.
#[test]
fn turn_nonce_change_mid_session_recovers() {
    let mut script = Script::allocated();
    for host in 1..=5 {
        let peer = ([192, 0, 2, host], 1).into();
        script.client.create_permission(script.now, peer).expect("invariant: allocated");
    }
    let requests: Vec<_> = std::iter::from_fn(|| script.poll()).collect();
    assert_eq!(requests.len(), 5);
    for (index, request) in requests.iter().enumerate() {
        script.challenge(request, Code::STALE_NONCE, REALM, &format!("fresh {index}"));
    }
    let again: Vec<_> = std::iter::from_fn(|| script.poll()).collect();
    assert_eq!(again.len(), 5);
    for request in &again {
        let message = Message::parse(request).expect("invariant: well formed");
        assert_eq!(message.require::<Nonce<'_>>().map(|nonce| nonce.as_str()), Ok(Some("fresh 0")));
        script.succeed(request, |_| {});
    }
    assert_eq!(script.events.len(), 5);
    assert!(script.events.iter().all(|event| matches!(event, Event::PermissionReady(_))));
}

/// T-I01: every truncation of every answer leaves the client as it was.
#[test]
fn t_i01_truncated_answers_are_ignored() {
    let mut script = Script::new();
    let request = script.next();
    let challenge = response(Class::Error, &request, |builder| {
        builder.attribute(&ErrorCode::new(Code::UNAUTHENTICATED));
        builder.attribute(&Realm::new(REALM).expect("invariant: short"));
        builder.attribute(&Nonce::new("nonce").expect("invariant: short"));
    });
    for len in 0..challenge.len() {
        assert_eq!(script.give(&challenge[..len]), Received::Ignored);
    }
    script.challenge(&request, Code::UNAUTHENTICATED, REALM, "nonce");
    let request = script.next();
    let key = script.key.clone();
    let success = response(Class::Success, &request, |builder| {
        builder.attribute(&XorRelayedAddress::new(addr(RELAYED)));
        builder.attribute(&XorMappedAddress::new(addr(PEER))).attribute(&Lifetime::new(secs(600)));
        builder.message_integrity(&key);
    });
    for len in 0..success.len() {
        assert_eq!(script.give(&success[..len]), Received::Ignored);
        // Cut at an attribute, with a header that says so: integrity is gone.
        if len >= 20 && len % 4 == 0 {
            let mut cut = success[..len].to_vec();
            cut[2..4].copy_from_slice(&(len as u16 - 20).to_be_bytes());
            let _ = script.give(&cut);
        }
        for bit in 0..8 {
            let mut flipped = success.clone();
            flipped[len] ^= 1 << bit;
            let _ = script.give(&flipped);
        }
    }
    assert_eq!(script.events, []);
    assert_eq!(script.client.relayed_address(), None);
    let _ = script.give(&success);
    assert_eq!(script.client.relayed_address(), Some(addr(RELAYED)));
}

#[test]
fn other_transports_are_a_typed_error() {
    let path = FiveTuple::tcp(addr("203.0.113.9:1"), addr(net::SERVER));
    let client = Client::new(ClientConfig::new(path, USER, PASSWORD), &provider(), start(), net::rng(1));
    assert_eq!(client.err(), Some(ClientError::UnsupportedTransport(Transport::Tcp)));
    let config = ClientConfig::new(client_path(0), "us\0er", PASSWORD);
    let client = Client::new(config, &provider(), start(), net::rng(1));
    assert!(matches!(client.err(), Some(ClientError::Credentials(_))));
    let config = ClientConfig::new(client_path(0), USER, PASSWORD).with_software("x".repeat(128));
    let client = Client::new(config, &provider(), start(), net::rng(1));
    assert_eq!(client.err(), Some(ClientError::SoftwareTooLong));
}
