//! Situations that users of other stacks reported, one test each.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at what it is about")]

#[path = "common/net.rs"]
mod net;

use ice::{
    CandidateKind, CandidatePairState, Config, ConnectionState, Event, GatheringState, IceServer,
    LocalAddress, Role,
};
use net::{Net, STUN, Server, address, fake::Lone, ms, nat::Nat, secs, with_stun};

/// Users 5: the only pair that works is peer-reflexive.
#[test]
fn users_05_a_peer_reflexive_pair_alone_is_enough() {
    let mut net = Net::new(5);
    net.nats.push(Nat::symmetric("198.51.100.1", "10.1.0.0"));
    // Behind a symmetric NAT the address that the STUN server sees is of no use to the peer.
    net.add(with_stun(Config::new()), Role::Controlled, &["10.1.0.1:1000"]);
    net.add(Config::new(), Role::Controlling, &["203.0.113.9:2000"]);
    net.start();
    assert!(net.run_until_connected(secs(5)));
    net.run(secs(60));
    let pair = net.peers[1].agent.selected_pair().unwrap();
    assert_eq!(pair.remote.kind(), CandidateKind::PeerReflexive);
    assert_eq!(net.peers[0].agent.selected_pair().unwrap().local.kind(), CandidateKind::PeerReflexive);
    assert_eq!([0, 1].map(|peer| net.state(peer)), [ConnectionState::Completed; 2]);
    assert!(net.exchange());
}

/// Users 6: the first pair that works carries data at once; a better one takes over without loss.
#[test]
fn users_06_first_pair_at_once_then_the_better_one() {
    let mut net = Net::new(6);
    let fast = ["10.0.0.1:1000", "10.0.0.2:2000"].map(address);
    let slow = ["10.9.0.1:1001", "10.9.0.2:2001"];
    let start = net.now;
    // The better pair works only after 300 ms.
    net.filter = Some(Box::new(move |now, from, _, _| fast.contains(&from) && now < start + ms(300)));
    net.add(Config::new(), Role::Controlling, &["10.0.0.1:1000", slow[0]]);
    net.add(Config::new(), Role::Controlled, &["10.0.0.2:2000", slow[1]]);
    net.filter = Some(Box::new(move |now, from, to, _| {
        let is_fast = fast.contains(&from) && fast.contains(&to);
        !is_fast && (fast.contains(&from) || fast.contains(&to)) || (is_fast && now < start + ms(300))
    }));
    net.start();
    assert!(net.run_until_connected(ms(250)), "usable before any nomination");
    assert_eq!(net.peers[0].selected_remote(), Some(address(slow[1])));
    assert!(net.peers[0].agent.stats().pairs.iter().all(|pair| !pair.nominated));
    let mut sent = 0;
    while net.now < start + secs(4) {
        assert!(net.send_data(0, b"\x80 data"), "never without a path");
        sent += 1;
        net.run(ms(20));
    }
    net.run(ms(100));
    assert_eq!(net.peers[1].inbox.len(), sent, "nothing lost in the switch");
    assert_eq!([0, 1].map(|peer| net.peers[peer].selected_remote()), [Some(fast[1]), Some(fast[0])]);
    let nominated = net.peers[0].agent.stats().pairs.into_iter().find(|pair| pair.nominated).unwrap();
    assert!(nominated.selected);
}

/// Users 8: five interfaces, three of which reach no server.
#[test]
fn users_08_dead_interfaces_delay_nothing() {
    let mut net = Net::new(8);
    let sockets = ["10.1.0.1:1", "10.2.0.1:2", "10.3.0.1:3", "10.4.0.1:4", "10.5.0.1:5"];
    for (nat, socket) in sockets.iter().enumerate() {
        net.nats.push(Nat::full_cone(&format!("198.51.100.{}", nat + 1), &socket[..socket.len() - 2]));
    }
    let dead = [0, 2, 4].map(|index| address(sockets[index]));
    net.filter = Some(Box::new(move |_, from, _, _| dead.contains(&from)));
    net.add(with_stun(Config::new()), Role::Controlling, &sockets);
    let start = net.now;
    net.gather(0);
    net.run(ms(50));
    assert_eq!(net.peers[0].candidates().len(), 5, "all host candidates at once");
    net.run(ms(300));
    let reflexive = |net: &Net| {
        net.peers[0].candidates().iter().filter(|of| of.kind() == CandidateKind::ServerReflexive).count()
    };
    assert_eq!(reflexive(&net), 2);
    assert_eq!(net.peers[0].agent.gathering_state(), GatheringState::Gathering);
    assert!(net.run_until(secs(60), |net| net.peers[0].agent.gathering_state() == GatheringState::Complete));
    assert!(net.now - start <= ms(5_100), "bounded: {:?}", net.now - start);
    let failures = net.peers[0].events.iter().filter(|(_, event)| match event {
        Event::GatherFailed(failure) => {
            failure.code == 701 && failure.url.to_string() == format!("stun:{STUN}")
        }
        _ => false,
    });
    assert_eq!(failures.count(), 1, "once per server");
}

/// Users 8: a dead server does not delay the one that works.
#[test]
fn a_dead_server_delays_nothing() {
    let mut net = Net::new(88);
    net.nats.push(Nat::full_cone("198.51.100.1", "10.1.0.0"));
    net.servers.insert(address("203.0.113.66:3478"), Server::Dead);
    let dead =
        IceServer::stun("stun:203.0.113.66".parse().unwrap(), &[address("203.0.113.66:3478")]).unwrap();
    net.add(with_stun(Config::new().with_server(dead)), Role::Controlling, &["10.1.0.1:1"]);
    net.gather(0);
    net.run(ms(200));
    assert_eq!(net.peers[0].candidates().len(), 2);
}

/// W3C webrtc-pc §4.4.1.6: other servers are for the next gathering; those before are not asked again.
#[test]
fn replaced_servers_are_asked_after_a_restart() {
    let mut net = Net::new(89);
    net.nats.push(Nat::full_cone("198.51.100.1", "10.1.0.0"));
    net.servers.insert(address("203.0.113.66:3478"), Server::Dead);
    let dead =
        IceServer::stun("stun:203.0.113.66".parse().unwrap(), &[address("203.0.113.66:3478")]).unwrap();
    net.add(with_stun(Config::new()), Role::Controlling, &["10.1.0.1:1"]);
    let failures = |net: &Net| {
        net.peers[0].events.iter().filter(|(_, event)| matches!(event, Event::GatherFailed(_))).count()
    };
    let reflexive = |net: &Net| {
        net.peers[0].agent.local_candidates().filter(|of| of.kind() == CandidateKind::ServerReflexive).count()
    };
    net.gather(0);
    net.run(secs(1));
    assert_eq!(reflexive(&net), 1);
    let now = net.now;
    net.peers[0].agent.set_servers(now, vec![dead]);
    net.run(secs(10));
    assert_eq!((reflexive(&net), failures(&net)), (1, 0), "not in this generation");
    let now = net.now;
    net.peers[0].agent.restart(now);
    net.gather(0);
    net.run(secs(10));
    assert_eq!((reflexive(&net), failures(&net)), (0, 1), "only the new one was asked");
    let now = net.now;
    net.peers[0].agent.set_servers(now, Vec::new());
    net.peers[0].agent.restart(now);
    net.gather(0);
    net.run(secs(10));
    assert_eq!((reflexive(&net), failures(&net)), (0, 1));
    assert_eq!(net.peers[0].agent.gathering_state(), GatheringState::Complete);
}

/// Users 10: the interface goes, another comes, with and without a second pair, and with a restart.
#[test]
fn users_10_a_vanished_interface_is_survived() {
    let mut net = Net::new(10);
    net.add(Config::new(), Role::Controlling, &["10.0.0.1:1000", "10.9.0.1:1001"]);
    net.add(Config::new(), Role::Controlled, &["10.0.0.2:2000"]);
    net.start();
    assert!(net.run_until_connected(secs(1)));
    net.run(secs(5));
    let used = net.peers[0].agent.selected_pair().unwrap().path.local;
    let now = net.now;
    net.peers[0].agent.remove_local_address(now, used);
    net.peers[0].sockets.retain(|socket| *socket != used);
    assert!(net.run_until_exchange(ms(500)), "the second pair takes over");
    // The last one goes too.
    let now = net.now;
    let last = net.peers[0].sockets.remove(0);
    net.peers[0].agent.remove_local_address(now, last);
    net.drain();
    assert_eq!(net.state(0), ConnectionState::Disconnected);
    assert!(!net.peers[0].agent.is_writable());
    net.run(secs(2));
    // A new network, and a restart on it.
    let now = net.now;
    net.peers[0].sockets = vec![address("10.7.0.7:7000")];
    net.peers[0].agent.add_local_address(now, LocalAddress::new(address("10.7.0.7:7000")));
    for peer in 0..2 {
        net.peers[peer].agent.restart(now);
    }
    net.start();
    assert!(net.run_until_connected(ms(500)));
    assert!(net.exchange());
    assert!(!net.peers[0].states().contains(&ConnectionState::Failed));
}

/// A new socket alone, without a restart, revives a connection that lost its last one.
#[test]
fn a_new_interface_revives_a_connection_without_restart() {
    let mut net = Net::pair(101);
    assert!(net.run_until_connected(secs(1)));
    net.run(secs(5));
    let now = net.now;
    net.peers[0].agent.remove_local_address(now, address("10.0.0.1:1000"));
    net.peers[0].sockets = vec![address("10.7.0.7:7000")];
    net.run(secs(1));
    assert_eq!(net.state(0), ConnectionState::Disconnected);
    let now = net.now;
    net.peers[0].agent.add_local_address(now, LocalAddress::new(address("10.7.0.7:7000")));
    assert!(net.run_until(secs(2), |net| net.peers[0].agent.is_writable()));
    assert!(net.run_until_exchange(secs(15)), "the peer follows");
}

/// Fault "NAT rebinding": the mapped port changes, the peer learns the new one by an authenticated check.
#[test]
fn nat_rebinding_is_followed_within_two_check_intervals() {
    for role in [Role::Controlling, Role::Controlled] {
        let mut net = Net::new(11);
        net.nats.push(Nat::port_restricted("198.51.100.1", "10.1.0.0"));
        net.add(with_stun(Config::new()), role, &["10.1.0.1:1000"]);
        net.add(Config::new(), role.opposite(), &["203.0.113.9:2000"]);
        net.start();
        assert!(net.run_until_connected(secs(2)));
        net.run(secs(10));
        assert!(net.exchange());
        let before = net.peers[1].selected_remote();
        net.nats[0].rebind();
        // What comes from the new port before a check has passed is not accepted.
        assert!(net.send_data(0, b"\x80 early"));
        let accepted = net.peers[1].inbox.len();
        net.run(ms(15));
        assert_eq!(net.peers[1].inbox.len(), accepted);
        let start = net.now;
        assert!(net.run_until_exchange(secs(13)), "{role}: {:?}", net.peers[1].agent.stats().pairs);
        assert!(net.now - start <= secs(12), "{role}: {:?}", net.now - start);
        assert_ne!(net.peers[1].selected_remote(), before, "{role}");
        net.run(secs(60));
        assert!(net.exchange(), "{role}");
        assert_eq!(
            [0, 1].map(|peer| net.peers[peer].states().contains(&ConnectionState::Failed)),
            [false; 2]
        );
    }
}

/// Users 11, laws L2 and L3: a timeout in the past is no reason to run in circles.
#[test]
fn users_11_time_that_goes_back_or_stands_still_is_harmless() {
    let mut lone = Lone::connected(Role::Controlling, Config::new());
    for _ in 0..100 {
        lone.agent.handle_timeout(lone.now - secs(3));
        lone.agent.handle_timeout(lone.now);
        let sent = lone.drain();
        lone.answer_all(&sent);
    }
    let next = lone.agent.poll_timeout().unwrap();
    assert!(next > lone.now);
}

/// Users 12: failed, restarted, connected again.
#[test]
fn users_12_a_failed_connection_comes_back_by_a_restart() {
    let mut net = Net::pair(12);
    assert!(net.run_until_connected(secs(1)));
    net.filter = Some(Box::new(|_, _, _, _| true));
    net.run(secs(40));
    assert_eq!([0, 1].map(|peer| net.state(peer)), [ConnectionState::Failed; 2]);
    net.filter = None;
    net.run(secs(10));
    assert_eq!([0, 1].map(|peer| net.state(peer)), [ConnectionState::Failed; 2], "not by itself");
    let now = net.now;
    for peer in 0..2 {
        net.peers[peer].agent.restart(now);
    }
    net.start();
    assert!(net.run_until_connected(secs(1)));
    assert!(net.exchange());
    let states = net.peers[0].states();
    let failed = states.iter().position(|state| *state == ConnectionState::Failed).unwrap();
    assert_eq!(states[failed + 1..failed + 3], [ConnectionState::Checking, ConnectionState::Connected]);
}

/// Users 14: consent lost on one of several sockets; a send error is only a hint.
#[test]
fn send_errors_are_hints_and_never_fatal() {
    use ice::{SendErrorKind, net::FiveTuple};
    let mut net = Net::new(14);
    net.add(Config::new(), Role::Controlling, &["10.0.0.1:1000", "10.9.0.1:1001"]);
    net.add(Config::new(), Role::Controlled, &["10.0.0.2:2000"]);
    net.start();
    assert!(net.run_until_connected(secs(1)));
    net.run(secs(5));
    let path = net.peers[0].agent.selected_pair().unwrap().path;
    let now = net.now;
    // One ICMP, forged by whoever.
    for kind in [SendErrorKind::Refused, SendErrorKind::Temporary, SendErrorKind::TooLarge] {
        for _ in 0..10 {
            net.peers[0].agent.handle_send_error(now, path, kind);
        }
    }
    assert_eq!(net.peers[0].agent.selected_pair().unwrap().path, path);
    for _ in 0..3 {
        net.peers[0].agent.handle_send_error(now, path, SendErrorKind::Unreachable);
    }
    assert_ne!(net.peers[0].agent.selected_pair().unwrap().path, path, "the other pair is better now");
    net.peers[0].agent.handle_send_error(now, FiveTuple::udp(path.remote, path.local), SendErrorKind::Denied);
    assert!(net.exchange());
    net.run(secs(60));
    assert!(net.exchange());
}

/// Before anything answers, sends that the system refuses twice end a check.
#[test]
fn a_check_that_cannot_be_sent_fails_early() {
    let mut lone = Lone::new(Role::Controlling, Config::new());
    lone.add_candidate(lone.remote);
    let sent = lone.drain();
    lone.agent.handle_send_error(lone.now, sent[0].path, ice::SendErrorKind::Unreachable);
    assert_eq!(lone.agent.stats().pairs[0].state, CandidatePairState::InProgress);
    lone.agent.handle_send_error(lone.now, sent[0].path, ice::SendErrorKind::Unreachable);
    assert_eq!(lone.agent.stats().pairs[0].state, CandidatePairState::Failed);
}

/// Candidates that browsers send and that are of no use here.
#[test]
fn useless_candidates_are_counted_and_ignored() {
    let mut lone = Lone::new(Role::Controlling, Config::new());
    let before = lone.agent.stats().remote_candidates.len();
    for text in [
        "candidate:1 1 tcp 1518280447 10.0.0.2 9 typ host tcptype active",
        "candidate:1 1 tcp 1518280447 10.0.0.2 50000 typ host tcptype passive",
        "candidate:1 2 udp 2130706430 10.0.0.2 50001 typ host",
        "candidate:1 1 udp 2130706431 0.0.0.0 50000 typ host",
        "candidate:1 1 udp 2130706431 :: 50000 typ host",
        "candidate:1 1 udp 2130706431 224.0.0.1 50000 typ host",
        "candidate:1 1 udp 2130706431 255.255.255.255 50000 typ host",
        "candidate:1 1 udp 2130706431 ff02::1 50000 typ host",
        "candidate:1 1 udp 2130706431 10.0.0.2 0 typ host",
        "candidate:1 1 sctp 2130706431 10.0.0.2 5 typ host",
        "candidate:1 1 udp 2130706431 host.example.com 50000 typ host",
    ] {
        lone.agent.add_remote_candidate(lone.now, text.parse().unwrap()).unwrap();
    }
    let stats = lone.agent.stats();
    assert_eq!(stats.remote_candidates.len(), before);
    assert_eq!((stats.counters.tcp_candidates, stats.counters.useless_candidates), (2, 9));
    // The same address written another way is the same address.
    let mapped = "candidate:1 1 udp 2130706431 ::ffff:10.0.0.2 2000 typ host";
    lone.agent.add_remote_candidate(lone.now, mapped.parse().unwrap()).unwrap();
    lone.add_candidate(lone.remote);
    assert_eq!(lone.agent.stats().pairs.len(), 1);
}
