//! Translators behave as RFC 4787 describes, all nine kinds of them.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use stun::net::Transport::{Tcp, Udp};
use testkit::{Behaviour, DropReason, Hairpin, Nat, NatConfig, PortAssignment, Seed, start};

fn endpoint(text: &str) -> SocketAddr {
    text.parse().expect("an endpoint")
}

fn nat(config: NatConfig) -> Nat {
    Nat::new(config, vec![IpAddr::from([203, 0, 113, 1])], Seed::from_env_or(1))
}

/// RFC 4787 §4.1: whether one inside endpoint keeps its outside endpoint toward another port, and another address.
#[test]
fn mapping_behaviours() {
    let now = start();
    let inside = endpoint("192.168.1.2:5000");
    for config in NatConfig::all() {
        let behaviour = config.mapping_behaviour();
        let mut nat = nat(config);
        let mut toward = |remote| nat.outbound(now, Udp, inside, endpoint(remote)).expect("a mapping");
        let first = toward("198.51.100.1:3478");
        assert_eq!(toward("198.51.100.1:3478"), first, "{behaviour:?}: the same remote twice");
        let other_port = toward("198.51.100.1:3479") == first;
        let other_address = toward("198.51.100.2:3478") == first;
        let expected = match behaviour {
            Behaviour::EndpointIndependent => (true, true),
            Behaviour::AddressDependent => (true, false),
            Behaviour::AddressAndPortDependent => (false, false),
        };
        assert_eq!((other_port, other_address), expected, "{behaviour:?}");
    }
}

/// RFC 4787 §5: who may answer once 198.51.100.1:3478 was sent to.
#[test]
fn filtering_behaviours() {
    let now = start();
    let inside = endpoint("192.168.1.2:5000");
    for config in NatConfig::all() {
        let behaviour = config.filtering_behaviour();
        let mut nat = nat(config);
        let known = endpoint("198.51.100.1:3478");
        let outside = nat.outbound(now, Udp, inside, known).expect("a mapping");
        assert_eq!(nat.inbound(now, Udp, known, outside), Ok(inside));
        let other_port = nat.inbound(now, Udp, endpoint("198.51.100.1:9"), outside);
        let other_address = nat.inbound(now, Udp, endpoint("198.51.100.9:3478"), outside);
        let (port, address) = match behaviour {
            Behaviour::EndpointIndependent => (Ok(inside), Ok(inside)),
            Behaviour::AddressDependent => (Ok(inside), Err(DropReason::NatFilter)),
            Behaviour::AddressAndPortDependent => (Err(DropReason::NatFilter), Err(DropReason::NatFilter)),
        };
        assert_eq!((other_port, other_address), (port, address), "{behaviour:?}");
        let unmapped = SocketAddr::new(outside.ip(), outside.port() ^ 1);
        assert_eq!(nat.inbound(now, Udp, known, unmapped), Err(DropReason::NatMapping));
    }
}

/// A TCP connection has one remote end, also behind a full cone.
#[test]
fn tcp_is_filtered_by_its_connection() {
    let now = start();
    let mut nat = nat(NatConfig::full_cone());
    let (inside, server) = (endpoint("192.168.1.2:5000"), endpoint("198.51.100.1:443"));
    let outside = nat.outbound(now, Tcp, inside, server).expect("a mapping");
    assert_eq!(nat.inbound(now, Tcp, server, outside), Ok(inside));
    assert_eq!(nat.inbound(now, Tcp, endpoint("198.51.100.2:443"), outside), Err(DropReason::NatFilter));
    assert_eq!(nat.inbound(now, Udp, server, outside), Err(DropReason::NatMapping));
}

/// RFC 4787 REQ-5 and §4.3: an idle mapping dies; outbound traffic keeps it alive, inbound only where configured.
#[test]
fn timeouts_and_what_refreshes() {
    let begin = start();
    let second = |count| begin + Duration::from_secs(count);
    let (inside, server) = (endpoint("192.168.1.2:5000"), endpoint("198.51.100.1:3478"));
    let plain = NatConfig::port_restricted().timeout(Duration::from_secs(30));

    let mut strict = nat(plain.clone());
    let outside = strict.outbound(begin, Udp, inside, server).expect("a mapping");
    assert_eq!(strict.outbound(second(20), Udp, inside, server), Ok(outside));
    assert_eq!(strict.inbound(second(45), Udp, server, outside), Ok(inside));
    assert_eq!(strict.inbound(second(51), Udp, server, outside), Err(DropReason::NatMapping));
    assert_ne!(strict.outbound(second(52), Udp, inside, server), Ok(outside), "a new mapping, a new port");

    let mut generous = nat(plain.inbound_refreshes());
    let outside = generous.outbound(begin, Udp, inside, server).expect("a mapping");
    for count in 1..10 {
        assert_eq!(generous.inbound(second(20 * count), Udp, server, outside), Ok(inside));
    }
}

#[test]
fn ports_are_preserved_where_they_are_free() {
    let now = start();
    let mut nat = nat(NatConfig::full_cone().ports(PortAssignment::Preserving));
    let server = endpoint("198.51.100.1:3478");
    let first = nat.outbound(now, Udp, endpoint("192.168.1.2:5000"), server).expect("a mapping");
    assert_eq!(first, endpoint("203.0.113.1:5000"));
    let second = nat.outbound(now, Udp, endpoint("192.168.1.3:5000"), server).expect("a mapping");
    assert_ne!(second, first);
    assert_eq!(second.ip(), first.ip());
}

#[test]
fn rebinding_changes_the_port_and_forgets_the_old_one() {
    let now = start();
    let mut nat = nat(NatConfig::full_cone().ports(PortAssignment::Preserving));
    let (inside, server) = (endpoint("192.168.1.2:5000"), endpoint("198.51.100.1:3478"));
    let before = nat.outbound(now, Udp, inside, server).expect("a mapping");
    nat.rebind();
    assert_eq!(nat.mappings(), 0);
    assert_eq!(nat.inbound(now, Udp, server, before), Err(DropReason::NatMapping));
    assert_ne!(nat.outbound(now, Udp, inside, server), Ok(before));
}

/// RFC 4787 §6.
#[test]
fn hairpinning() {
    let now = start();
    let (one, two) = (endpoint("192.168.1.2:5000"), endpoint("192.168.1.3:5000"));
    let server = endpoint("198.51.100.1:3478");
    for (hairpin, is_external) in [(Hairpin::ExternalSource, true), (Hairpin::InternalSource, false)] {
        let mut nat = nat(NatConfig::full_cone().hairpin(hairpin));
        let outside_one = nat.outbound(now, Udp, one, server).expect("a mapping");
        let outside_two = nat.outbound(now, Udp, two, server).expect("a mapping");
        let (seen, target) = nat.hairpin(now, Udp, one, outside_two).expect("hairpin");
        assert_eq!(target, two);
        assert_eq!(seen, if is_external { outside_one } else { one });
    }
    let mut off = nat(NatConfig::full_cone());
    let outside_two = off.outbound(now, Udp, two, server).expect("a mapping");
    assert_eq!(off.hairpin(now, Udp, one, outside_two), Err(DropReason::NatFilter));
}

#[test]
fn a_full_table_refuses_until_something_dies() {
    let begin = start();
    let mut nat = nat(NatConfig::symmetric().capacity(2).timeout(Duration::from_secs(10)));
    let inside = endpoint("192.168.1.2:5000");
    assert!(nat.outbound(begin, Udp, inside, endpoint("198.51.100.1:1")).is_ok());
    assert!(nat.outbound(begin, Udp, inside, endpoint("198.51.100.1:2")).is_ok());
    assert_eq!(nat.outbound(begin, Udp, inside, endpoint("198.51.100.1:3")), Err(DropReason::NatMapping));
    let later = begin + Duration::from_secs(11);
    assert!(nat.outbound(later, Udp, inside, endpoint("198.51.100.1:3")).is_ok());
    assert_eq!(nat.mappings(), 1);
}

/// RFC 4787 REQ-2: paired pooling.
#[test]
fn one_inside_address_keeps_one_outside_address() {
    let now = start();
    let pool: Vec<IpAddr> = (1..=4).map(|last| IpAddr::from([203, 0, 113, last])).collect();
    let mut nat = Nat::new(NatConfig::symmetric(), pool, Seed::new(1));
    let mut seen = std::collections::BTreeSet::new();
    for host in 2..20 {
        let inside = |port| SocketAddr::new(IpAddr::from([192, 168, 1, host]), port);
        let first = nat.outbound(now, Udp, inside(5_000), endpoint("198.51.100.1:1")).expect("a mapping");
        let second = nat.outbound(now, Udp, inside(5_001), endpoint("198.51.100.2:1")).expect("a mapping");
        assert_eq!(first.ip(), second.ip());
        seen.insert(first.ip());
    }
    assert_eq!(seen.len(), 4, "all of the pool is used");
}
