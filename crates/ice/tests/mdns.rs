//! Names instead of addresses.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at what it is about")]
#![cfg(feature = "mdns")]

#[path = "common/net.rs"]
mod net;

use ice::{
    Candidate, CandidateAddress, CandidateKind, Config, ConnectionState, Event, HostAddresses, Role,
    mdns::{GROUP_V4, GROUP_V6, ResolveError, Resolver, Responder},
};
use net::{Net, STUN, address, epoch, fake::Lone, ms, nat::Nat, secs, with_stun};
use std::{net::IpAddr, time::Duration};

fn hidden() -> Config {
    Config::new().with_host_addresses(HostAddresses::MdnsNames)
}

/// Runs a network whose peers resolve and answer by multicast on one link, which has noise on it.
fn run_with_mdns(net: &mut Net, time: Duration) {
    let mut machines: Vec<_> = net.peers.iter().map(|_| (Resolver::new(), Responder::new(), 0)).collect();
    let end = net.now + time;
    while net.now < end {
        net.run(ms(5));
        let now = net.now;
        let mut bus = vec![(usize::MAX, b"garbage that is not DNS".to_vec())];
        for (index, (resolver, responder, seen)) in machines.iter_mut().enumerate() {
            let peer = &mut net.peers[index];
            for (_, event) in &peer.events[*seen..] {
                match event {
                    Event::Resolve { name } => resolver.resolve(now, name).expect("invariant: few names"),
                    Event::PublishName { name, address } => {
                        responder.publish(now, name, *address).expect("invariant: few names");
                    }
                    Event::WithdrawName { name } => responder.withdraw(now, name),
                    _ => {}
                }
            }
            *seen = peer.events.len();
            resolver.handle_timeout(now);
            while let Some(resolution) = resolver.poll_event() {
                peer.agent.resolved(now, &resolution.name, resolution.address);
            }
            let mut out = Vec::new();
            while let Some(transmit) = resolver.poll_transmit(now, &mut out) {
                assert_eq!(transmit.len, out.len());
                bus.push((index, std::mem::take(&mut out)));
            }
            while responder.poll_transmit(now, &mut out).is_some() {
                bus.push((index, std::mem::take(&mut out)));
            }
        }
        for (from, bytes) in bus {
            for (index, (resolver, responder, _)) in machines.iter_mut().enumerate() {
                if index != from {
                    resolver.handle_datagram(now, address("10.0.0.9:5353"), &bytes);
                    responder.handle_datagram(now, address("10.0.0.9:5353"), &bytes);
                }
            }
        }
    }
}

/// Users 7: both sides offer names only.
#[test]
fn users_07_names_alone_connect() {
    let mut net = Net::new(7);
    net.add(hidden(), Role::Controlling, &["10.0.0.1:1000"]);
    net.add(hidden(), Role::Controlled, &["10.0.0.2:2000"]);
    net.start();
    run_with_mdns(&mut net, secs(1));
    assert!(net.exchange());
    for peer in &net.peers {
        let candidates = peer.candidates();
        assert_eq!(candidates.len(), 1);
        let CandidateAddress::Name(name) = candidates[0].address() else { panic!("an address") };
        assert_eq!((name.len(), name.ends_with(".local")), (36 + 6, true));
        assert_eq!(&name[14..15], "4", "a random UUID");
    }
}

/// T-I13: before the peers are connected, no address of ours is in anything that leaves.
#[test]
fn t_i13_hidden_addresses_are_nowhere() {
    let mut net = Net::new(13);
    net.nats.push(Nat::port_restricted("198.51.100.1", "10.1.0.0"));
    net.nats.push(Nat::port_restricted("198.51.100.2", "10.2.0.0"));
    net.add(with_stun(hidden()), Role::Controlling, &["10.1.77.201:1000"]);
    net.add(with_stun(hidden()), Role::Controlled, &["10.2.77.202:2000"]);
    net.start();
    net.run(secs(5));
    assert!(net.peers.iter().all(|peer| peer.agent.is_writable()), "by reflexive candidates");
    for peer in &net.peers {
        let own = peer.sockets[0].ip();
        let IpAddr::V4(v4) = own else { panic!("IPv4") };
        let texts = [own.to_string(), format!("{:08x}", u32::from(v4)), u32::from(v4).to_string()];
        let events = peer.events.iter().filter(|(_, event)| !matches!(event, Event::PublishName { .. }));
        // The path of the selected pair is for the driver, which owns the socket.
        let events = events.filter(|(_, event)| !matches!(event, Event::SelectedPairChanged(_)));
        let mut shown: Vec<_> = events.map(|(_, event)| format!("{event:?}")).collect();
        shown.extend(peer.candidates().iter().map(ToString::to_string));
        shown.push(format!("{:?}", peer.agent.stats()));
        for text in &texts {
            assert!(shown.iter().all(|shown| !shown.contains(text)), "{text} in {shown:#?}");
        }
        for (_, path, bytes) in &peer.sent {
            assert!(!bytes.windows(4).any(|four| four == v4.octets()), "in a datagram to {}", path.remote);
        }
        let reflexive =
            peer.candidates().into_iter().find(|of| of.kind() == CandidateKind::ServerReflexive).unwrap();
        assert_eq!(reflexive.related(), Some(("0.0.0.0".parse().unwrap(), 9)));
        // One foundation per type, base and server, and no trace of an address in it.
        let foundations: Vec<_> = peer.candidates().iter().map(|of| of.foundation().to_string()).collect();
        assert_eq!(foundations, ["1", "2"]);
    }
    assert_ne!(STUN, "");
}

/// T-I14: ten thousand names are no way to make us ask ten thousand times.
#[test]
fn t_i14_names_are_asked_for_a_few_at_a_time() {
    let mut lone = Lone::new(Role::Controlling, Config::new());
    let mut refused = 0;
    for number in 0..10_000 {
        let text = format!("candidate:{number} 1 udp 2130706431 name-{number}.local 5000 typ host");
        refused += usize::from(lone.agent.add_remote_candidate(lone.now, text.parse().unwrap()).is_err());
    }
    assert_eq!(refused, 10_000 - 64);
    let mut asked = Vec::new();
    let mut resolver = Resolver::new();
    let start = lone.now;
    while lone.now < start + secs(120) {
        let sent = lone.drain();
        assert!(sent.is_empty());
        let mut open = 0;
        for event in lone.events.drain(..) {
            if let Event::Resolve { name } = event {
                open += 1;
                assert!(!asked.contains(&name), "each once");
                resolver.resolve(lone.now, &name).unwrap();
                asked.push(name);
            }
        }
        assert!(open <= 8);
        lone.now += ms(500);
        lone.agent.handle_timeout(lone.now);
        resolver.handle_timeout(lone.now);
        while let Some(resolution) = resolver.poll_event() {
            lone.agent.resolved(lone.now, &resolution.name, resolution.address);
        }
    }
    assert_eq!(asked.len(), 64);
    let stats = lone.agent.stats();
    assert_eq!((stats.remote_candidates.len(), stats.counters.unresolved_candidates), (0, 64));
    // The resolver by itself holds the line too.
    let mut resolver = Resolver::new();
    let results: Vec<_> = (0..10).map(|n| resolver.resolve(start, &format!("n{n}.local"))).collect();
    assert_eq!(results.iter().filter(|result| **result == Err(ResolveError::Busy)).count(), 2);
    assert_eq!(resolver.resolve(start, "n0.LOCAL"), Ok(()), "one query per name");
    assert_eq!(resolver.resolve(start, "example.com"), Err(ResolveError::Name));
    assert_eq!(resolver.resolve(start, "a..local"), Err(ResolveError::Name));
}

/// A name that nobody answers for, and one that never gets an answer, delay nothing else.
#[test]
fn unresolvable_names_delay_nothing() {
    let mut lone = Lone::new(Role::Controlling, Config::new());
    let candidate: Candidate = "candidate:5 1 udp 2130706431 nobody.local 5000 typ host".parse().unwrap();
    lone.agent.add_remote_candidate(lone.now, candidate).unwrap();
    lone.add_candidate(lone.remote);
    let sent = lone.drain();
    lone.answer_all(&sent);
    assert!(lone.agent.is_writable());
    assert!(
        lone.events.iter().any(|event| matches!(event, Event::Resolve { name } if name == "nobody.local"))
    );
    lone.agent.end_of_remote_candidates(lone.now);
    lone.run(secs(7), |lone, sent| lone.answer(sent));
    assert_eq!(lone.agent.stats().counters.unresolved_candidates, 1);
    assert_eq!(lone.agent.connection_state(), ConnectionState::Completed);
}

/// A name may lead to an address that a check has shown already, or to one that is of no use.
#[test]
fn resolved_names_become_candidates() {
    let mut lone = Lone::new(Role::Controlled, Config::new());
    let request = lone.request(Role::Controlling, false);
    let _ = lone.feed(lone.remote, &request);
    for (name, port) in [("peer.local", 2_000), ("evil.local", 2_000)] {
        let text = format!("candidate:5 1 udp 2130706431 {name} {port} typ host");
        lone.agent.add_remote_candidate(lone.now, text.parse().unwrap()).unwrap();
    }
    lone.agent.resolved(lone.now, "PEER.local", Some(lone.remote.ip()));
    lone.agent.resolved(lone.now, "evil.local", Some("224.0.0.251".parse().unwrap()));
    lone.agent.resolved(lone.now, "unasked.local", Some("10.0.0.77".parse().unwrap()));
    let stats = lone.agent.stats();
    assert_eq!(stats.remote_candidates.len(), 1);
    assert_eq!(stats.remote_candidates[0].kind(), CandidateKind::Host);
    assert_eq!(stats.remote_candidates[0].address(), &CandidateAddress::Name("peer.local".to_owned()));
    assert_eq!(stats.pairs.len(), 1);
    assert_eq!(stats.counters.unresolved_candidates, 1);
}

/// RFC 6762 §5.2, §6, §6.7: when queries go out, and who is believed.
#[test]
fn the_resolver_asks_again_and_believes_port_5353_only() {
    let start = epoch();
    let mut resolver = Resolver::new();
    resolver.resolve(start, "host.local").unwrap();
    let (mut times, mut out, mut now) = (Vec::new(), Vec::new(), start);
    while now < start + secs(6) {
        while let Some(transmit) = resolver.poll_transmit(now, &mut out) {
            times.push((now - start, transmit.to));
        }
        resolver.handle_timeout(now);
        let Some(next) = resolver.poll_timeout() else { break };
        assert!(next > now);
        now = next;
    }
    let expected = [0, 1, 3].map(secs);
    let expected: Vec<_> = expected.iter().flat_map(|at| [(*at, GROUP_V4), (*at, GROUP_V6)]).collect();
    assert_eq!(times, expected);
    assert_eq!(now - start, secs(5));
    assert_eq!(resolver.poll_event().map(|resolution| resolution.address), Some(None));

    let mut responder = Responder::new();
    responder.publish(now, "host.local", "10.0.0.7".parse().unwrap()).unwrap();
    resolver.resolve(now, "Host.local").unwrap();
    let mut response = Vec::new();
    assert!(responder.poll_transmit(now, &mut response).is_some());
    resolver.handle_datagram(now, address("10.0.0.7:5354"), &response);
    assert_eq!(resolver.poll_event(), None);
    resolver.handle_datagram(now, address("10.0.0.7:5353"), &response);
    let resolution = resolver.poll_event().unwrap();
    assert_eq!(
        (resolution.name.as_str(), resolution.address),
        ("Host.local", Some("10.0.0.7".parse().unwrap()))
    );
    resolver.handle_datagram(now, address("10.0.0.7:5353"), &response);
    assert_eq!(resolver.poll_event(), None, "not asked for");
}

/// RFC 6762 §6, §6.7, §8.3, §10.1.
#[test]
fn the_responder_announces_answers_and_says_goodbye() {
    let mut now = epoch();
    let (mut responder, mut resolver) = (Responder::new(), Resolver::new());
    responder.publish(now, "host.local", "10.0.0.7".parse().unwrap()).unwrap();
    let mut out = Vec::new();
    let mut count = |responder: &mut Responder, now| {
        let all = std::iter::from_fn(|| responder.poll_transmit(now, &mut out));
        all.map(|transmit| transmit.to).collect::<Vec<_>>()
    };
    assert_eq!(count(&mut responder, now), [GROUP_V4, GROUP_V6]);
    now += secs(1);
    assert_eq!(count(&mut responder, now), [GROUP_V4, GROUP_V6]);
    assert_eq!(responder.poll_timeout(), None);
    now += secs(2);
    resolver.resolve(now, "host.local").unwrap();
    let mut query = Vec::new();
    assert!(resolver.poll_transmit(now, &mut query).is_some());
    let (multicast, legacy) = (address("10.0.0.3:5353"), address("10.0.0.3:40000"));
    responder.handle_datagram(now, multicast, &query);
    assert_eq!(count(&mut responder, now), [multicast], "the first query asks for unicast");
    responder.handle_datagram(now, legacy, &query);
    assert_eq!(count(&mut responder, now), [legacy]);
    // A flood of queries is answered up to a rate.
    for _ in 0..1_000 {
        responder.handle_datagram(now, legacy, &query);
    }
    assert!(count(&mut responder, now).len() <= 50);
    assert!(responder.stats().limited > 900);
    for garbage in [&b""[..], b"x", &[0xff; 600]] {
        responder.handle_datagram(now, multicast, garbage);
    }
    assert_eq!((responder.stats().malformed, responder.stats().foreign), (2, 1));
    assert!(count(&mut responder, now).is_empty());
    responder.withdraw(now, "HOST.local");
    assert_eq!(count(&mut responder, now), [GROUP_V4, GROUP_V6], "goodbye");
    responder.handle_datagram(now + secs(5), multicast, &query);
    assert!(count(&mut responder, now + secs(5)).is_empty());
}
