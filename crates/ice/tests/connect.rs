//! Two agents find each other.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at what it is about")]

#[path = "common/net.rs"]
mod net;

use ice::{CandidateKind, Config, ConnectionState, Event, GatheringState, Role};
use net::{Net, address, ms, nat::Nat, secs, with_stun};

#[test]
fn two_agents_on_one_network_connect_and_complete() {
    let mut net = Net::pair(1);
    assert!(net.run_until_connected(ms(500)));
    assert!(net.exchange());
    net.run(secs(5));
    for peer in &net.peers {
        assert_eq!(
            peer.states(),
            [ConnectionState::Checking, ConnectionState::Connected, ConnectionState::Completed]
        );
        let stats = peer.agent.stats();
        assert_eq!(stats.pairs.iter().filter(|pair| pair.nominated && pair.selected).count(), 1);
        assert_eq!(peer.agent.round_trip(), Some(ms(20)));
        assert_eq!(peer.agent.overhead(), 0);
        let complete =
            peer.events.iter().filter(|(_, event)| matches!(event, Event::GatheringComplete { .. }));
        assert_eq!(complete.count(), 1);
        assert_eq!(peer.agent.gathering_state(), GatheringState::Complete);
    }
}

#[test]
fn agents_behind_nats_connect_by_reflexive_addresses() {
    let mut net = Net::new(2);
    net.nats.push(Nat::port_restricted("198.51.100.1", "10.1.0.0"));
    net.nats.push(Nat::port_restricted("198.51.100.2", "10.2.0.0"));
    net.add(with_stun(Config::new()), Role::Controlling, &["10.1.0.1:1000"]);
    net.add(with_stun(Config::new()), Role::Controlled, &["10.2.0.1:2000"]);
    net.start();
    assert!(net.run_until_connected(secs(5)));
    assert!(net.exchange());
    net.run(secs(5));
    for peer in &net.peers {
        let pair = peer.agent.selected_pair().unwrap();
        assert_eq!(pair.local.kind(), CandidateKind::ServerReflexive);
        assert_eq!(pair.remote.kind(), CandidateKind::ServerReflexive);
        let kinds: Vec<_> = peer.candidates().iter().map(ice::Candidate::kind).collect();
        assert_eq!(kinds, [CandidateKind::Host, CandidateKind::ServerReflexive]);
    }
    assert_eq!(net.peers[0].candidates()[1].related(), Some((address("10.1.0.1:1").ip(), 1_000)));
}

/// Law T-loss: users 15.
#[test]
fn twenty_percent_loss_does_not_stop_a_connection() {
    let mut slowest = ms(0);
    for seed in 0..100 {
        let mut net = Net::new(seed);
        net.loss = 20;
        net.latency = ms(25);
        net.add(with_stun(Config::new()), Role::Controlling, &["10.0.0.1:1000"]);
        net.add(with_stun(Config::new()), Role::Controlled, &["10.0.0.2:2000"]);
        let start = net.now;
        net.start();
        println!("seed {seed}");
        assert!(net.run_until_connected(secs(30)), "seed {seed}");
        slowest = slowest.max(net.now - start);
        net.run(secs(20));
        for (index, peer) in net.peers.iter().enumerate() {
            assert!(peer.agent.is_writable(), "seed {seed}, peer {index}: {:?}", peer.states());
        }
    }
    assert!(slowest < secs(8), "{slowest:?}");
}
