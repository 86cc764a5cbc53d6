//! TURN: relayed candidates, the NAT matrix, and what happens when the relay goes away.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at what it is about")]

#[path = "common/net.rs"]
mod net;

use ice::{CandidateKind, Config, ConnectionState, Event, GatheringState, Role, TransportPolicy};
use net::{
    Net, STUN, Server, TurnNode, address, ms,
    nat::{Dependence, Nat},
    relay::{TURN, install, with_login, with_turn},
    secs, with_stun,
};

fn turn(net: &mut Net) -> &mut dyn TurnNode {
    match net.servers.get_mut(&address(TURN)) {
        Some(Server::Turn(node)) => &mut **node,
        _ => panic!("no TURN server"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Open,
    FullCone,
    AddressRestricted,
    PortRestricted,
    Symmetric,
}

fn nat(kind: Kind, public: &str, inside: &str) -> Option<Nat> {
    match kind {
        Kind::Open => None,
        Kind::FullCone => Some(Nat::full_cone(public, inside)),
        Kind::AddressRestricted => Some(Nat::new(public, inside, Dependence::Endpoint, Dependence::Address)),
        Kind::PortRestricted => Some(Nat::port_restricted(public, inside)),
        Kind::Symmetric => Some(Nat::symmetric(public, inside)),
    }
}

/// Every pair of behaviours connects, over a relay exactly where nothing else can.
#[test]
fn the_nat_matrix_connects() {
    let kinds = [Kind::Open, Kind::FullCone, Kind::AddressRestricted, Kind::PortRestricted, Kind::Symmetric];
    for (seed, (one, other)) in kinds.iter().flat_map(|one| kinds.map(|other| (*one, other))).enumerate() {
        for loss in [0, 10] {
            let mut net = Net::new(seed as u64);
            install(&mut net);
            net.loss = loss;
            net.nats.extend(nat(one, "198.51.100.1", "10.1.0.0"));
            net.nats.extend(nat(other, "198.51.100.2", "10.2.0.0"));
            let socket = |kind, public: &'static str, inside: &'static str| {
                if kind == Kind::Open { public } else { inside }
            };
            let one_socket = socket(one, "203.0.113.11:1000", "10.1.0.1:1000");
            let other_socket = socket(other, "203.0.113.12:2000", "10.2.0.1:2000");
            net.add(with_turn(with_stun(Config::new())), Role::Controlling, &[one_socket]);
            net.add(with_turn(with_stun(Config::new())), Role::Controlled, &[other_socket]);
            net.start();
            let label = format!("{one:?} {other:?} loss {loss}");
            assert!(net.run_until_connected(secs(20)), "{label}");
            net.run(secs(15));
            if loss > 0 {
                assert!(net.run_until_exchange(secs(5)), "{label}");
                continue;
            }
            assert!(net.exchange(), "{label}");
            let symmetric = one == Kind::Symmetric && other == Kind::Symmetric;
            let half = (one == Kind::Symmetric && other == Kind::PortRestricted)
                || (other == Kind::Symmetric && one == Kind::PortRestricted);
            let relayed = (0..2).any(|peer| {
                let pair = net.peers[peer].agent.selected_pair().unwrap();
                [pair.local.kind(), pair.remote.kind()].contains(&CandidateKind::Relayed)
            });
            assert_eq!(relayed, symmetric || half, "{label}");
            for peer in 0..2 {
                assert_eq!(net.state(peer), ConnectionState::Completed, "{label}");
            }
        }
    }
}

/// Relay only: nothing but relayed candidates, no datagram from a host socket to the peer, no address told.
#[test]
fn t_i13_relay_only_tells_no_address() {
    let mut net = Net::new(13);
    install(&mut net);
    let config = || with_turn(with_stun(Config::new().with_policy(TransportPolicy::Relay)));
    net.add(config(), Role::Controlling, &["203.0.113.11:1000"]);
    net.add(config(), Role::Controlled, &["203.0.113.12:2000"]);
    net.start();
    assert!(net.run_until_connected(secs(5)));
    net.run(secs(10));
    assert!(net.exchange());
    for peer in &net.peers {
        let own = peer.sockets[0].ip().to_string();
        assert!(peer.candidates().iter().all(|candidate| candidate.kind() == CandidateKind::Relayed));
        assert!(peer.candidates().iter().all(|candidate| !candidate.to_string().contains(&own)));
        assert!(peer.sent.iter().all(|(_, path, _)| path.remote == address(TURN)));
        assert!(!format!("{:?}", peer.agent.stats()).contains(&own));
    }
    assert!(turn(&mut net).relayed() > 0);
    // A check that comes to the host socket is not answered, not even with valid credentials.
    let before = net.peers[0].sent.len();
    let (_, _, check) = net.peers[1].sent[0].clone();
    net.arrive(address("203.0.113.12:2000"), address("203.0.113.11:1000"), &check);
    net.drain();
    assert_eq!(net.peers[0].sent.len(), before);
}

/// A channel makes data cheap: four bytes instead of a Send indication.
#[test]
fn the_selected_pair_gets_a_channel() {
    let mut net = Net::new(14);
    install(&mut net);
    let relay = Config::new().with_policy(TransportPolicy::Relay);
    net.add(with_turn(relay), Role::Controlling, &["203.0.113.11:1000"]);
    net.add(Config::new(), Role::Controlled, &["203.0.113.12:2000"]);
    net.start();
    assert!(net.run_until_connected(secs(5)));
    let early = net.peers[0].agent.overhead();
    net.run(secs(5));
    assert!(early > 4, "{early}");
    assert_eq!(net.peers[0].agent.overhead(), 4);
    assert_eq!(net.peers[1].agent.overhead(), 0);
    assert!(net.exchange());
    let data = |bytes: &[u8]| bytes.ends_with(b"from zero");
    let (_, path, framed) = net.peers[0].sent.iter().rev().find(|(_, _, bytes)| data(bytes)).unwrap();
    assert_eq!(path.remote, address(TURN));
    assert_eq!(framed.len(), b"\x80 from zero".len() + 4);
    let stats = net.peers[0].agent.stats();
    let pair = stats.pairs.iter().find(|pair| pair.selected).unwrap();
    assert_eq!(pair.counters.bytes_sent, b"\x80 from zero".len() as u64, "without framing");
}

/// Through the relay too, only a peer that has passed a check is heard (T-I08).
#[test]
fn t_i08_relayed_data_needs_a_check_as_well() {
    let mut net = Net::new(15);
    install(&mut net);
    net.add(
        with_turn(Config::new().with_policy(TransportPolicy::Relay)),
        Role::Controlling,
        &["203.0.113.11:1000"],
    );
    net.add(Config::new(), Role::Controlled, &["203.0.113.12:2000"]);
    net.start();
    assert!(net.run_until_connected(secs(5)));
    net.run(secs(5));
    let relayed = net.peers[0].candidates()[0].socket_addr().unwrap();
    let inbox = net.peers[0].inbox.len();
    // Permitted by its address, and never checked.
    net.launch(address("203.0.113.12:2001"), relayed, b"\x80 stranger".to_vec());
    net.launch(address("203.0.113.99:9"), relayed, b"\x80 stranger".to_vec());
    net.run(ms(200));
    assert_eq!(net.peers[0].inbox.len(), inbox);
    assert!(net.peers[0].agent.stats().counters.unvalidated >= 1);
}

/// Users 9: STUN and TURN at one address give both candidates.
#[test]
fn users_09_stun_and_turn_at_one_address() {
    let mut net = Net::new(9);
    install(&mut net);
    net.nats.push(Nat::full_cone("198.51.100.1", "10.1.0.0"));
    let stun = ice::IceServer::stun(format!("stun:{TURN}").parse().unwrap(), &[address(TURN)]).unwrap();
    net.add(with_turn(Config::new().with_server(stun)), Role::Controlling, &["10.1.0.1:1000"]);
    net.gather(0);
    net.run(secs(1));
    let mut kinds: Vec<_> = net.peers[0].candidates().iter().map(ice::Candidate::kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [CandidateKind::Host, CandidateKind::ServerReflexive, CandidateKind::Relayed]);
    assert_eq!(net.peers[0].agent.gathering_state(), GatheringState::Complete);
    let urls: Vec<_> =
        net.peers[0].candidates().iter().filter_map(|of| of.url().map(str::to_owned)).collect();
    assert!(urls.contains(&format!("turn:{TURN}")) && urls.contains(&format!("stun:{TURN}")));
}

/// Wrong credentials and silent servers are told once each, and delay nothing.
#[test]
fn failures_are_reported_with_their_codes() {
    let mut net = Net::new(16);
    install(&mut net);
    net.servers.insert(address(STUN), Server::Dead);
    net.add(
        with_login(with_stun(Config::new()), "wrong"),
        Role::Controlling,
        &["203.0.113.11:1", "203.0.113.12:1"],
    );
    net.gather(0);
    net.run(secs(10));
    let mut codes: Vec<_> = net.peers[0]
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::GatherFailed(failure) => Some(failure.code),
            _ => None,
        })
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [401, 701]);
    assert_eq!(net.peers[0].agent.gathering_state(), GatheringState::Complete);
}

/// Fault "TURN server restart": a new allocation within seconds, and the call goes on.
#[test]
fn a_restarted_server_is_asked_again() {
    let mut net = Net::new(17);
    install(&mut net);
    net.nats.push(Nat::symmetric("198.51.100.1", "10.1.0.0"));
    net.add(with_turn(Config::new()), Role::Controlling, &["10.1.0.1:1000"]);
    net.nats.push(Nat::symmetric("198.51.100.2", "10.2.0.0"));
    net.add(with_turn(Config::new()), Role::Controlled, &["10.2.0.1:2000"]);
    net.start();
    assert!(net.run_until_connected(secs(10)));
    net.run(secs(5));
    let now = net.now;
    turn(&mut net).forget(now);
    net.run(secs(700));
    assert!((0..2).all(|peer| net.peers[peer].agent.connection_state() == ConnectionState::Failed));
    // The allocations were refreshed, found gone, and had again: a restart of ICE works at once.
    let now = net.now;
    for peer in 0..2 {
        net.peers[peer].agent.restart(now);
    }
    net.start();
    assert!(net.run_until_connected(secs(5)));
    assert!(net.exchange());
}

/// A restart keeps the allocation and signals it again.
#[test]
fn a_restart_keeps_allocations() {
    let mut net = Net::new(18);
    install(&mut net);
    net.add(with_turn(Config::new()), Role::Controlling, &["203.0.113.11:1000"]);
    net.add(with_turn(Config::new()), Role::Controlled, &["203.0.113.12:2000"]);
    net.start();
    net.run(secs(5));
    assert_eq!(turn(&mut net).allocations(), 2);
    let relayed = |net: &Net| {
        let all = net.peers[0].agent.local_candidates();
        all.filter(|of| of.kind() == CandidateKind::Relayed)
            .filter_map(ice::Candidate::socket_addr)
            .collect::<Vec<_>>()
    };
    let before = relayed(&net);
    let now = net.now;
    for peer in 0..2 {
        net.peers[peer].agent.restart(now);
    }
    assert!(relayed(&net).is_empty());
    net.start();
    net.run(secs(5));
    assert_eq!(relayed(&net), before);
    assert_eq!(turn(&mut net).allocations(), 2);
}

/// Closing gives the allocation back, and says so last.
#[test]
fn closing_deletes_allocations() {
    let mut net = Net::new(19);
    install(&mut net);
    net.add(with_turn(Config::new()), Role::Controlling, &["203.0.113.11:1000"]);
    net.gather(0);
    net.run(secs(1));
    assert_eq!(turn(&mut net).allocations(), 1);
    let now = net.now;
    net.peers[0].agent.close(now);
    net.run(secs(1));
    assert_eq!(turn(&mut net).allocations(), 0);
    let events = &net.peers[0].events;
    assert!(matches!(events.last(), Some((_, Event::Closed))));
    assert_eq!(net.peers[0].agent.poll_timeout(), None);
}
