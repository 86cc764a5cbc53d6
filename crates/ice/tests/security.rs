//! Hostile input: nothing is handed on, kept or sent for those who have proved nothing.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at what it is about")]

#[path = "common/net.rs"]
mod net;

use ice::{
    Candidate, CandidateKind, Config, ConnectionState, Credentials, Foundation, Priority, Received, Role,
};
use net::{
    Net, Seeded,
    fake::{Lone, REMOTE},
    ms, secs,
};
use std::{collections::BTreeMap, net::SocketAddr, time::Instant};
use stun::{AttributeType, Builder, Message, Method, TransactionId, attr::Code};

const DTLS: &[u8] = &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
const RTP: &[u8] = &[0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
const CHANNEL_DATA: &[u8] = &[0x40, 0, 0, 4, 22, 254, 253, 0];

fn attacker() -> SocketAddr {
    net::address("192.0.2.66:6666")
}

/// T-I08, T-D01, users 13: data from an address without a check goes nowhere, before and after nomination.
#[test]
fn t_i08_only_validated_paths_carry_data() {
    let same_ip: SocketAddr = "10.0.0.2:2001".parse().unwrap();
    let mut lone = Lone::new(Role::Controlled, Config::new());
    lone.add_candidate(lone.remote);
    let remote = lone.remote;
    let mut dropped = 0;
    for data in [DTLS, RTP, CHANNEL_DATA] {
        // Signalled is not validated.
        for from in [attacker(), same_ip, remote] {
            assert_eq!(lone.feed(from, data), Received::Ignored);
            dropped += 1;
        }
    }
    assert_eq!(lone.agent.stats().counters.unvalidated, dropped);
    let sent = lone.drain();
    assert!(sent.iter().all(|sent| sent.path.remote == remote), "nothing goes to the attacker");
    lone.answer_all(&sent);
    let nomination = lone.request(Role::Controlling, true);
    let _ = lone.feed(remote, &nomination);
    let _ = lone.drain();
    for data in [DTLS, RTP, CHANNEL_DATA] {
        assert_eq!(lone.feed(remote, data), Received::Peer { payload: 0..data.len() });
        assert_eq!(lone.feed(attacker(), data), Received::Ignored);
        assert_eq!(lone.feed(same_ip, data), Received::Ignored);
    }
    // A second address that passes a check is as good, and stays so after the nomination of the first.
    let check = lone.request(Role::Controlling, false);
    assert_eq!(lone.feed(same_ip, &check), Received::Control);
    assert_eq!(lone.feed(same_ip, RTP), Received::Peer { payload: 0..RTP.len() });
    let sent = lone.drain();
    lone.answer_all(&sent);
    assert_eq!(lone.feed(same_ip, RTP), Received::Peer { payload: 0..RTP.len() });
    assert_eq!(lone.feed(attacker(), RTP), Received::Ignored);
    assert!(sent.iter().all(|sent| sent.path.remote != attacker()));
}

/// Data that outruns the answer is told apart: only from where an authenticated check came, and only until the peer's
/// credentials say whether that was the peer.
#[test]
fn data_before_the_answer_is_early_where_a_check_came_from() {
    for answers in [true, false] {
        let mut lone = Lone::new(Role::Controlled, Config::new());
        let _ = lone.agent.restart(lone.now);
        lone.agent.start_gathering(lone.now);
        lone.agent.local_addresses_complete(lone.now);
        let remote = lone.remote;
        assert_eq!(lone.feed(remote, DTLS), Received::Ignored, "no check yet");
        let check = lone.request(Role::Controlling, false);
        assert_eq!(lone.feed(remote, &check), Received::Control);
        assert_eq!(lone.feed(remote, DTLS), Received::Early);
        assert_eq!(lone.feed(attacker(), DTLS), Received::Ignored);
        let other = Credentials::new("other", "0123456789abcdefghijklmnop").unwrap();
        let peer = if answers { lone.credentials.clone() } else { other };
        lone.agent.set_remote_credentials(lone.now, peer);
        let _ = lone.drain();
        let expected = if answers { Received::Peer { payload: 0..DTLS.len() } } else { Received::Ignored };
        assert_eq!(lone.feed(remote, DTLS), expected, "the peer answered: {answers}");
    }
}

/// Users 3, 13: a source without credentials gets no answer, leaves no trace and cannot redirect anything.
#[test]
fn unauthenticated_requests_get_nothing_and_change_nothing() {
    let mut lone = Lone::connected(Role::Controlled, Config::new());
    let _ = lone.drain();
    let before = lone.agent.stats();
    let ufrag = lone.agent.local_credentials().ufrag().to_owned();
    let right = lone.agent.local_credentials().pwd().to_owned();
    let good = format!("{ufrag}:fake");
    for (username, pwd) in [
        (good.as_str(), "wrong-wrong-wrong-wrong-wrong"),
        ("unknown:fake", right.as_str()),
        ("", right.as_str()),
        (ufrag.as_str(), right.as_str()),
        ("fake:fake", right.as_str()),
    ] {
        for _ in 0..1_000 {
            let request = lone.request_with(username, pwd, Role::Controlling, u64::MAX, true);
            assert_eq!(lone.feed(attacker(), &request), Received::Ignored, "{username}");
        }
    }
    assert!(lone.drain().is_empty(), "not one byte of answer");
    let after = lone.agent.stats();
    assert_eq!(after.remote_candidates, before.remote_candidates);
    assert_eq!(after.pairs.len(), before.pairs.len());
    assert_eq!(after.role, Role::Controlled);
    assert_eq!(after.counters.unauthenticated, 5_000);
}

/// Answers to those who are authenticated are no longer than what they asked with.
#[test]
fn answers_are_shorter_than_requests() {
    let mut lone = Lone::new(Role::Controlled, Config::new());
    let request = lone.request(Role::Controlling, true);
    let _ = lone.feed(lone.remote, &request);
    let sent = lone.drain();
    let answer = sent.iter().find(|sent| !sent.is_request()).unwrap();
    assert!(answer.bytes.len() * 10 <= request.len() * 16, "{} for {}", answer.bytes.len(), request.len());
}

/// T-I09: a flood of signalled candidates does not make a weapon.
#[test]
fn t_i09_ten_thousand_candidates_at_one_victim() {
    for role in [Role::Controlling, Role::Controlled] {
        let mut lone = Lone::new(role, Config::new());
        let mut refused = 0;
        for port in 1..=10_000 {
            let text = format!("candidate:{port} 1 udp 2130706431 192.0.2.9 {port} typ host");
            let candidate: Candidate = text.parse().unwrap();
            refused += usize::from(lone.agent.add_remote_candidate(lone.now, candidate).is_err());
        }
        assert_eq!(refused, 10_000 - 64);
        assert!(lone.agent.stats().pairs.len() <= 100);
        assert!(lone.agent.stats().remote_candidates.len() <= 64);
        let mut first_sent: BTreeMap<[u8; 12], Instant> = BTreeMap::new();
        let mut total = 0;
        lone.run(secs(900), |_, sent| {
            total += 1;
            first_sent.entry(*sent.message().transaction_id().as_bytes()).or_insert(sent.at);
        });
        let mut starts: Vec<_> = first_sent.into_values().collect();
        starts.sort_unstable();
        assert!(starts.windows(2).all(|two| two[1] - two[0] >= ms(50)), "never faster than Ta");
        assert!(starts.len() <= 100, "{} checks", starts.len());
        assert!(total <= 700, "{total} datagrams");
        assert_eq!(lone.agent.connection_state(), ConnectionState::Failed);
    }
}

/// The same flood by a peer with valid credentials from ever new addresses.
#[test]
fn learnt_addresses_are_bounded() {
    let mut lone = Lone::connected(Role::Controlled, Config::new());
    for port in 1..=5_000 {
        let request = lone.request(Role::Controlling, false);
        let _ = lone.feed(SocketAddr::from(([192, 0, 2, 9], port)), &request);
        if port % 50 == 0 {
            let _ = lone.drain();
        }
    }
    let stats = lone.agent.stats();
    assert!(stats.pairs.len() <= 100, "{}", stats.pairs.len());
    assert!(stats.remote_candidates.len() <= 64 + 32, "{}", stats.remote_candidates.len());
    assert!(lone.agent.is_writable(), "the pair in use is not driven out");
}

/// T-I10, RFC 8445 §7.2.5.2.1.
#[test]
fn t_i10_an_asymmetric_response_fails_the_pair() {
    let mut lone = Lone::new(Role::Controlling, Config::new());
    lone.add_candidate(lone.remote);
    let sent = lone.drain();
    let response = lone.success(&sent[0]);
    assert_eq!(lone.feed("10.0.0.2:2001".parse().unwrap(), &response), Received::Control);
    assert_eq!(lone.agent.stats().counters.asymmetric_responses, 1);
    assert_eq!(lone.agent.stats().pairs[0].state, ice::CandidatePairState::Failed);
    // The same response from the right address comes too late.
    assert_eq!(lone.feed(lone.remote, &response), Received::Ignored);
    assert!(!lone.agent.is_writable());
}

/// A response is believed only with the peer's key, and an error only so too.
#[test]
fn forged_responses_do_not_move_a_pair() {
    let mut lone = Lone::new(Role::Controlling, Config::new());
    lone.add_candidate(lone.remote);
    let sent = lone.drain();
    let (own, remote) = (lone.agent.local_credentials().pwd().to_owned(), lone.remote);
    for pwd in ["wrong-wrong-wrong-wrong-wrong", own.as_str()] {
        let forged = lone.success_with(&sent[0], pwd, sent[0].path.local);
        assert_eq!(lone.feed(remote, &forged), Received::Ignored);
    }
    let mut bare = Vec::new();
    let mut builder = Builder::error(&mut bare, &sent[0].message());
    builder.attribute(&stun::attr::ErrorCode::new(Code::ROLE_CONFLICT)).fingerprint();
    builder.finish().unwrap();
    assert_eq!(lone.feed(remote, &bare), Received::Ignored);
    assert_eq!(lone.agent.role(), Role::Controlling);
    lone.answer_all(&sent);
    assert!(lone.agent.is_writable());
}

/// T-I01: every prefix of real messages, and every byte of them changed.
#[test]
fn t_i01_damaged_messages_are_harmless() {
    let mut lone = Lone::connected(Role::Controlled, Config::new());
    let request = lone.request(Role::Controlling, true);
    let remote = lone.remote;
    for end in 0..request.len() {
        let _ = lone.feed(remote, &request[..end]);
    }
    for at in 0..request.len() {
        for bit in 0..8 {
            let mut damaged = request.clone();
            damaged[at] ^= 1 << bit;
            assert_ne!(lone.feed(attacker(), &damaged), Received::Peer { payload: 0..damaged.len() });
        }
    }
    assert!(lone.drain().iter().all(|sent| sent.path.remote != attacker()));
    assert!(lone.agent.is_writable());
    assert_eq!(lone.feed(remote, &[]), Received::Ignored);
    for len in [2_049, 65_507] {
        assert_eq!(lone.feed(remote, &vec![0; len]), Received::Ignored, "no check is so long");
    }
    // Data is as long as the path carries.
    for len in [1, 2_049, 65_507] {
        assert_eq!(lone.feed(remote, &vec![0x80; len]), Received::Peer { payload: 0..len });
    }
}

/// RFC 8445 §7.3: checks that come before the peer's credentials are answered, remembered, and bounded.
#[test]
fn ice_early_check_before_remote_params_answered() {
    let mut net = Net::new(3);
    net.add(Config::new(), Role::Controlling, &["10.0.0.1:1000"]);
    net.add(Config::new(), Role::Controlled, &["10.0.0.2:2000"]);
    net.trickle = false;
    for peer in 0..2 {
        net.gather(peer);
    }
    net.drain();
    // The answerer knows everything, the offerer nothing yet.
    let offer = net.peers[0].agent.local_credentials().clone();
    let now = net.now;
    net.peers[1].agent.set_remote_credentials(now, offer);
    net.tell_all(0);
    net.run(ms(600));
    assert!(net.peers[1].agent.is_writable(), "its checks were answered");
    assert!(!net.peers[0].agent.is_writable());
    let answer = net.peers[1].agent.local_credentials().clone();
    let now = net.now;
    net.peers[0].agent.set_remote_credentials(now, answer);
    assert!(net.run_until_connected(ms(100)), "acts at once upon what it remembered");
    let learnt = &net.peers[0].agent.stats().remote_candidates;
    assert_eq!(learnt.iter().map(Candidate::kind).collect::<Vec<_>>(), [CandidateKind::PeerReflexive]);
    // The signalled candidate takes the place of the learnt one.
    net.tell_all(1);
    let known = &net.peers[0].agent.stats().remote_candidates;
    assert_eq!(known.iter().map(Candidate::kind).collect::<Vec<_>>(), [CandidateKind::Host]);
}

/// T-I02 and users 2, end to end: a nomination put behind MESSAGE-INTEGRITY has no effect.
#[test]
fn t_i02_a_nomination_behind_the_integrity_has_no_effect() {
    let mut lone = Lone::connected(Role::Controlled, Config::new());
    let mut request = lone.request(Role::Controlling, false);
    // Cuts the fingerprint, appends, and repairs length and fingerprint.
    request.truncate(request.len() - 8);
    request.extend_from_slice(&[0x00, 0x25, 0, 0]);
    let len = u16::try_from(request.len() + 8 - 20).unwrap();
    request[2..4].copy_from_slice(&len.to_be_bytes());
    let fingerprint = crc32(&request) ^ 0x5354_554e;
    request.extend_from_slice(&[0x80, 0x28, 0, 4]);
    request.extend_from_slice(&fingerprint.to_be_bytes());
    Message::parse(&request).unwrap().check_fingerprint().unwrap();
    assert_eq!(lone.feed(lone.remote, &request), Received::Control);
    assert!(lone.agent.stats().pairs.iter().all(|pair| !pair.nominated));
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// STUN that is none of ours: other methods, indications.
#[test]
fn other_stun_is_ignored() {
    let mut lone = Lone::connected(Role::Controlled, Config::new());
    let _ = lone.drain();
    for method in [Method::ALLOCATE, Method::SEND, Method::DATA] {
        let mut out = Vec::new();
        let mut builder = Builder::request(&mut out, method, TransactionId::new([1; 12]));
        builder.raw(AttributeType::USERNAME, b"x:y").fingerprint();
        builder.finish().unwrap();
        assert_eq!(lone.feed(lone.remote, &out), Received::Ignored);
    }
    let mut out = Vec::new();
    let mut builder = Builder::indication(&mut out, Method::BINDING, TransactionId::new([1; 12]));
    builder.fingerprint();
    builder.finish().unwrap();
    assert_eq!(lone.feed(lone.remote, &out), Received::Control);
    assert!(lone.drain().is_empty());
}

/// T-I11: random calls and packets in random order; nobody panics, and in the end both agree.
#[test]
fn t_i11_random_operations_converge() {
    for seed in 0..150 {
        let mut net = Net::new(seed);
        let mut rng = Seeded(seed ^ 0xabcd);
        let roles =
            if rng.chance(50) { [Role::Controlling; 2] } else { [Role::Controlling, Role::Controlled] };
        net.add(Config::new(), roles[0], &["10.0.0.1:1000"]);
        net.add(Config::new(), roles[1], &["10.0.0.2:2000"]);
        net.loss = rng.below(30);
        net.start();
        for _ in 0..40 {
            disturb(&mut net, &mut rng);
            net.run(ms(rng.below(400)));
        }
        net.loss = 0;
        // An orderly restart, as an application would do it.
        let now = net.now;
        for peer in 0..2 {
            let socket = net.peers[peer].sockets[0];
            net.peers[peer].agent.add_local_address(now, ice::LocalAddress::new(socket));
            net.peers[peer].agent.restart(now);
        }
        net.start();
        assert!(
            net.run_until(secs(20), |net| net
                .peers
                .iter()
                .all(|peer| peer.agent.connection_state() == ConnectionState::Completed)),
            "seed {seed}: {:?} {:?}",
            net.peers[0].states(),
            net.peers[1].states()
        );
        assert!(net.exchange(), "seed {seed}");
        let roles = [0, 1].map(|peer| net.peers[peer].agent.role());
        assert_ne!(roles[0], roles[1], "seed {seed}");
    }
}

fn disturb(net: &mut Net, rng: &mut Seeded) {
    let now = net.now;
    let index = rng.below(2) as usize;
    let random_role = if rng.chance(50) { Role::Controlling } else { Role::Controlled };
    let peer = &mut net.peers[index];
    let agent = &mut peer.agent;
    match rng.below(12) {
        0 => agent.set_role(random_role),
        1 => agent.remove_local_address(now, peer.sockets[0]),
        2 => agent.add_local_address(now, ice::LocalAddress::new(peer.sockets[0])),
        3 => drop(agent.restart(now)),
        4 => net.gather(index),
        5 => net.exchange_credentials(),
        6 => agent.end_of_remote_candidates(now),
        7 => {
            let address = SocketAddr::from(([10, 0, 0, rng.below(5) as u8], 2_000));
            let candidate = Candidate::new(
                Foundation::new("9").expect("invariant: an ice-char"),
                Priority(rng.next() as u32),
                CandidateKind::ServerReflexive,
                address,
            );
            let _ = agent.add_remote_candidate(now, candidate);
        }
        8 => agent.handle_timeout(now - secs(5)),
        9 => {
            let pwd = "p".repeat(22);
            agent.set_remote_credentials(now, Credentials::new("rand", pwd).expect("invariant: long enough"));
        }
        10 => {
            // An old datagram again, perhaps damaged, perhaps from elsewhere.
            let other = &net.peers[1 - index].sent;
            if other.is_empty() {
                return;
            }
            let (_, path, mut bytes) = other[rng.below(other.len() as u64) as usize].clone();
            if rng.chance(30) {
                let at = rng.below(bytes.len() as u64) as usize;
                bytes[at] ^= rng.next() as u8;
            }
            let from = if rng.chance(20) { net::address(REMOTE) } else { path.local };
            net.arrive(from, path.remote, &bytes);
        }
        _ => {
            let path = ice::net::FiveTuple::udp(peer.sockets[0], net::address("10.0.0.2:2000"));
            agent.handle_send_error(now, path, ice::SendErrorKind::Unreachable);
        }
    }
}
