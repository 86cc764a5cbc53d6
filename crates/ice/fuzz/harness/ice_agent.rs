//! One agent with several sockets, and a peer that says what it likes: candidates, checks, answers, restarts.

use super::machine;
use ice::{
    Agent, CandidateKind, Config, Credentials, IceServer, LocalAddress, Role, SendErrorKind, net::FiveTuple,
};
use machine::Adapter;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use stun::{
    AttributeType, Builder, Class, IntegrityKey, Message, Method, TransactionId,
    attr::{Code, ErrorCode, XorMappedAddress},
};
use testkit::{
    Seed,
    fuzz::{Bounds, Input, Lone, mend_stun, null_crypto, reached},
};

/// docs/limits.md.
const MOST_REMOTE: usize = 64;
const MOST_PAIRS: usize = 100;

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let head = input.u8();
    let mut lone = Lone::new(|now| Adapter(agent(now, head)), Bounds::new(256, 64 * 1_024));
    let mut asked: Vec<(FiveTuple, Vec<u8>)> = Vec::new();
    for _ in 0..200 {
        if input.is_empty() {
            break;
        }
        let mut sent = step(&mut lone, &mut input, &asked);
        sent.retain(|(_, datagram)| Message::parse(datagram).is_ok_and(|m| m.class() == Class::Request));
        asked.extend(sent);
        asked.drain(..asked.len().saturating_sub(32));
    }
    if lone.machine.0.local_candidates().any(|candidate| candidate.kind() == CandidateKind::Relayed) {
        reached("relayed candidate");
    }
    let stats = lone.machine.0.stats();
    assert!(stats.remote_candidates.len() <= MOST_REMOTE, "{} candidates", stats.remote_candidates.len());
    assert!(stats.pairs.len() <= MOST_PAIRS, "{} pairs", stats.pairs.len());
    lone.advance(Duration::from_secs(60));
    lone.machine.0.close(lone.now);
    lone.drain();
    assert_eq!(lone.machine.0.poll_timeout(), None, "closed is final");
}

fn agent(now: Instant, head: u8) -> Agent {
    let role = if head & 1 == 0 { Role::Controlling } else { Role::Controlled };
    let mut config = Config::new();
    if head & 2 != 0 {
        let url = "turn:198.51.100.9:3478?transport=udp".parse().expect("invariant: a URL");
        let relay = "198.51.100.9:3478".parse().expect("invariant: an address");
        if let Ok(server) = IceServer::turn(url, &[relay], "user", "secret") {
            config = config.with_server(server);
        }
    }
    let mut agent = Agent::new(Arc::new(config), role, &null_crypto(), now, Seed::new(1).boxed_random("ice"));
    agent.add_local_address(now, LocalAddress::new(socket(0)));
    agent.add_local_address(now, LocalAddress::new(socket(1)));
    agent.start_gathering(now);
    if head & 4 == 0 {
        agent.local_addresses_complete(now);
    }
    if head & 8 == 0 {
        agent.set_remote_credentials(now, credentials(0));
    }
    agent
}

fn socket(choice: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::from([10, 0, 0, 1 + (choice & 1)]), 1_000)
}

fn credentials(choice: u8) -> Credentials {
    let text = format!("peer{}", choice & 1);
    Credentials::new(text, "0123456789abcdefghijklmnop").expect("invariant: good credentials")
}

fn path(input: &mut Input<'_>) -> FiveTuple {
    let choice = input.u8();
    let remote =
        SocketAddr::new(IpAddr::from([10, 0, 0, 9 + (choice >> 1 & 3)]), 2_000 + u16::from(choice >> 3 & 1));
    FiveTuple::udp(socket(choice), remote)
}

fn step(
    lone: &mut Lone<Adapter>,
    input: &mut Input<'_>,
    asked: &[(FiveTuple, Vec<u8>)],
) -> Vec<(FiveTuple, Vec<u8>)> {
    let now = lone.now;
    let agent = &mut lone.machine.0;
    match input.u8() % 14 {
        0 | 1 => return lone.advance(Duration::from_millis(input.u8().into())),
        2 => return lone.advance(Duration::from_millis(10) * input.u16().into()),
        3 | 4 => {
            let path = path(input);
            let check = check(input, agent.local_credentials().ufrag());
            return lone.deliver(path, &check);
        }
        5 | 6 => {
            let which = input.u8();
            if let Some((path, request)) = asked.get(usize::from(which) % asked.len().max(1)) {
                let (path, answer) = answer(input, *path, request);
                return lone.deliver(path, &answer);
            }
        }
        7 => {
            let path = path(input);
            let mut datagram = input.chunk().to_vec();
            mend_stun(&mut datagram);
            return lone.deliver(path, &datagram);
        }
        8 => {
            let text = String::from_utf8_lossy(input.chunk()).into_owned();
            if let Ok(candidate) = text.parse() {
                let _ = agent.add_remote_candidate(now, candidate);
            }
        }
        9 => {
            let (remote, priority) = (path(input).remote, input.u32());
            let kind = input.pick(&["host", "srflx raddr 0.0.0.0 rport 0", "prflx", "relay"]);
            let text = format!(
                "candidate:{} 1 udp {priority} {} {} typ {kind}",
                input.u8(),
                remote.ip(),
                remote.port()
            );
            if let Ok(candidate) = text.parse() {
                let _ = agent.add_remote_candidate(now, candidate);
            }
        }
        10 => command(agent, now, input),
        11 => agent.set_remote_credentials(now, credentials(input.u8())),
        12 => {
            let kind = input.pick(&[SendErrorKind::Unreachable, SendErrorKind::TooLarge]);
            agent.handle_send_error(now, path(input), kind);
        }
        _ => {
            let mut out = Vec::new();
            let payload = input.chunk();
            let framed = agent.frame_with(&mut out, |out| {
                out.extend_from_slice(payload);
                Some(())
            });
            assert!(framed.is_some() || out.is_empty());
            assert!(framed.is_none() || agent.is_writable(), "data on a path that is not writable");
        }
    }
    lone.drain()
}

fn command(agent: &mut Agent, now: Instant, input: &mut Input<'_>) {
    match input.u8() % 9 {
        0 => drop(agent.restart(now)),
        1 => agent.set_role(Role::Controlling),
        2 => agent.set_role(Role::Controlled),
        3 => agent.end_of_remote_candidates(now),
        4 => agent.start_gathering(now),
        5 => agent.local_addresses_complete(now),
        6 => agent.remove_local_address(now, socket(input.u8())),
        7 => agent.add_local_address(now, LocalAddress::new(socket(input.u8()))),
        _ => agent.resolved(now, "peer.local", Some(path(input).remote.ip())),
    }
}

/// A check of the peer, in order but for what is in it.
fn check(input: &mut Input<'_>, ufrag: &str) -> Vec<u8> {
    let form = input.u8();
    let mut out = Vec::new();
    let mut builder = Builder::request(&mut out, Method::BINDING, TransactionId::new([input.u8(); 12]));
    if form & 1 == 0 {
        builder.raw(AttributeType::USERNAME, format!("{ufrag}:peer{}", form >> 7).as_bytes());
    }
    if form & 2 == 0 {
        builder.raw(AttributeType::PRIORITY, &input.u32().to_be_bytes());
    }
    let role = if form & 4 == 0 { AttributeType::ICE_CONTROLLED } else { AttributeType::ICE_CONTROLLING };
    builder.raw(role, &input.u64().to_be_bytes());
    if form & 8 != 0 {
        builder.raw(AttributeType::USE_CANDIDATE, &[]);
    }
    if form & 16 != 0 {
        builder.raw(AttributeType::new(input.u16()), input.chunk());
    }
    finish(builder, form & 32 == 0, form & 64 == 0);
    out
}

/// An answer to one of the agent's requests, whether to a check, to the STUN or to the TURN server.
fn answer(input: &mut Input<'_>, path: FiveTuple, request: &[u8]) -> (FiveTuple, Vec<u8>) {
    let form = input.u8();
    let mut out = Vec::new();
    let Ok(message) = Message::parse(request) else { return (path, out) };
    let mut builder = if form & 1 == 0 {
        Builder::success(&mut out, &message)
    } else {
        let mut builder = Builder::error(&mut out, &message);
        let code =
            input.pick(&[Code::ROLE_CONFLICT, Code::UNAUTHENTICATED, Code::STALE_NONCE, Code::BAD_REQUEST]);
        builder.attribute(&ErrorCode::bare(code));
        builder.raw(AttributeType::REALM, b"example.org").raw(AttributeType::NONCE, b"nonce");
        builder
    };
    if form & 2 == 0 {
        let mapped = if form & 4 == 0 { path.local } else { self::path(input).remote };
        builder.attribute(&XorMappedAddress::new(mapped));
    }
    // An answer to a check must not have what the peer would have to understand, and does not.
    if message.method() != Method::BINDING && form & 8 == 0 {
        let relayed = "198.51.100.9:49152".parse().expect("invariant: an address");
        let id = message.transaction_id();
        builder.attribute_with(AttributeType::XOR_RELAYED_ADDRESS, |value| {
            stun::attr::encode_xor_address(relayed, id, value);
        });
        builder.raw(AttributeType::LIFETIME, &u32::from(input.u16()).to_be_bytes());
    }
    if form & 16 != 0 {
        builder.raw(AttributeType::new(input.u16()), input.chunk());
    }
    finish(builder, form & 32 == 0, form & 64 == 0);
    let path = if form & 128 == 0 { path } else { self::path(input) };
    (path, out)
}

fn finish(mut builder: Builder<'_>, is_signed: bool, has_fingerprint: bool) {
    let key = IntegrityKey::new(&null_crypto(), b"any").expect("invariant: the provider has HMAC");
    if is_signed {
        builder.message_integrity(&key);
    }
    if has_fingerprint {
        builder.fingerprint();
    }
    let _ = builder.finish();
}
