//! What clients with and without credentials must not get out of a server.

use std::{net::SocketAddr, time::Duration};
use stun::{
    AttributeType, Builder, Message, Method,
    attr::{Code, ErrorCode, UnknownAttributes, XorMappedAddress},
};
use turn::{
    Family, FiveTuple,
    attr::{
        AdditionalAddressFamily, AddressErrorCode, DontFragment, EvenPort, Lifetime, RequestedAddressFamily,
        RequestedTransport, ReservationToken, XorPeerAddress, XorRelayedAddress,
    },
    server::{self, PeerPolicy, Received},
};

#[path = "harness/net.rs"]
mod net;
#[path = "harness/raw.rs"]
mod raw;
use net::{Net, SERVER, SERVER6, addr, server_config};
use raw::Raw;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const PEER: &str = "192.0.2.77:5000";

fn net() -> Net {
    Net::new(server_config(), 1)
}

/// A client with an allocation.
fn allocated(net: &mut Net, index: u16) -> Raw {
    let mut raw = Raw::new(net, Raw::path(index));
    assert_eq!(raw.allocate(net), None);
    raw
}

/// Refused addresses, each with a usual port.
fn refused() -> impl Iterator<Item = SocketAddr> {
    include_str!("vectors/refused_peers.txt")
        .lines()
        .map(|ip| SocketAddr::new(ip.parse().expect("invariant: an address"), 80))
}

fn allocated_ipv6(net: &mut Net) -> Raw {
    let path = FiveTuple::udp(addr(SERVER6), addr("[2001:db8::77]:4000"));
    let mut raw = Raw::new(net, path);
    let code = raw.ask(net, Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport::UDP).attribute(&RequestedAddressFamily::new(Family::Ipv6));
    });
    assert_eq!(code, None);
    raw
}

/// T-T01: every encoding of an inner address, by every way to name a peer, from allocations of both families.
#[test]
fn t_t01_inner_addresses_are_forbidden_in_every_encoding() {
    let mut net = net();
    let mut clients = [allocated(&mut net, 1), allocated_ipv6(&mut net)];
    for raw in &mut clients {
        for (index, peer) in refused().enumerate() {
            assert_eq!(raw.permit(&mut net, peer), Some(Code::FORBIDDEN), "{peer}");
            let number = 0x4000 + index as u16;
            assert_eq!(raw.bind(&mut net, number, peer), Some(Code::FORBIDDEN), "{peer}");
            assert_eq!(raw.send(&mut net, peer, b"x"), Received::Ignored, "{peer}");
            assert_eq!(raw.channel_data(&mut net, number, b"x"), Received::Ignored, "{peer}");
            // One forbidden address among good ones spoils the request.
            let good = if raw.path.local.is_ipv4() { addr(PEER) } else { addr("[2001:db8:1::1]:9") };
            let code = raw.ask(&mut net, Method::CREATE_PERMISSION, |builder| {
                builder.attribute(&XorPeerAddress::new(good)).attribute(&XorPeerAddress::new(peer));
            });
            assert_eq!(code, Some(Code::FORBIDDEN));
            assert_eq!(raw.send(&mut net, good, b"x"), Received::Ignored, "nothing was installed");
        }
    }
    assert_eq!((net.at_peers.len(), net.server.stats().relayed_to_peers), (0, 0));
}

/// T-T01: the server does not talk to itself (RFC 8656 §21.1.7), nor to other services on its hosts.
#[test]
fn t_t01_own_addresses_are_closed_but_for_relayed_ports() {
    let mut net = net();
    let mut first = allocated(&mut net, 1);
    let second = allocated(&mut net, 2);
    let own = addr(SERVER).ip();
    let relayed: Vec<SocketAddr> = net.relays.values().copied().collect();
    assert_eq!(first.permit(&mut net, addr(SERVER)), None, "relayed addresses have this address too");
    for port in [1, 22, 80, 3_478, 3_479, 65_535] {
        let peer = SocketAddr::new(own, port);
        assert_eq!(first.bind(&mut net, 0x4000, peer), Some(Code::FORBIDDEN), "{peer}");
        assert_eq!(first.send(&mut net, peer, b"x"), Received::Ignored, "{peer}");
    }
    for peer in &relayed {
        assert!(matches!(first.send(&mut net, *peer, b"x"), Received::Relay { .. }), "{peer}");
    }
    // Gone with the allocation.
    drop(second);
    net.run(secs(590));
    assert_eq!(first.refresh(&mut net, Lifetime::new(secs(600))), None);
    net.run(secs(20));
    assert_eq!(net.relays.len(), 1);
    first.challenge(&mut net);
    assert_eq!(first.permit(&mut net, addr(SERVER)), None);
    let gone = relayed.iter().filter(|peer| !net.relays.values().any(|open| open == *peer)).copied();
    for peer in gone.collect::<Vec<_>>() {
        assert_eq!(first.send(&mut net, peer, b"x"), Received::Ignored, "{peer}");
    }
}

/// T-T01: what the operator allows by name is allowed, the listener excepted.
#[test]
fn t_t01_allowed_networks_and_the_listener() {
    let policy = PeerPolicy::new().allow("10.0.0.0/8".parse().expect("invariant: a network"));
    let policy = policy.allow("198.51.100.1".parse().expect("invariant: an address"));
    let policy = policy.deny("10.1.0.0/16".parse().expect("invariant: a network"));
    let mut net = Net::new(server_config().with_peer_policy(policy), 1);
    let mut raw = allocated(&mut net, 1);
    assert_eq!(raw.bind(&mut net, 0x4001, addr("10.0.0.1:80")), None);
    assert!(matches!(raw.channel_data(&mut net, 0x4001, b"x"), Received::Relay { .. }));
    assert_eq!(raw.permit(&mut net, addr("10.1.0.1:80")), Some(Code::FORBIDDEN));
    assert_eq!(raw.bind(&mut net, 0x4002, addr("198.51.100.1:8080")), None);
    assert_eq!(raw.bind(&mut net, 0x4003, addr(SERVER)), Some(Code::FORBIDDEN));
}

/// T-T04: a flood of requests from made-up addresses leaves nothing behind.
#[test]
fn t_t04_nothing_is_kept_before_authentication() {
    let mut net = net();
    let mut request = Vec::new();
    let mut builder = Builder::request(&mut request, Method::ALLOCATE, stun::TransactionId::new([1; 12]));
    builder.attribute(&RequestedTransport::UDP);
    builder.finish().expect("invariant: fits");
    for source in 0..100_000_u32 {
        let remote = SocketAddr::new(std::net::Ipv4Addr::from(0x0b00_0000 + source).into(), 9);
        assert_eq!(net.inject(FiveTuple::udp(addr(SERVER), remote), &request), Received::Control);
    }
    assert_eq!(net.server.allocations(), 0);
    assert_eq!((net.server.poll_timeout(), net.server.poll_event()), (None, None));
    let stats = *net.server.stats();
    assert!(stats.answers_dropped > 50_000, "the queue of answers is bounded");
    let bytes: usize = net.answers().iter().map(|(_, answer)| answer.len()).sum();
    assert!((900_000..=1_048_576).contains(&bytes), "{bytes}");
}

/// T-T04: a nonce is good for one address and 600 s.
#[test]
fn t_t04_nonces_are_bound_to_address_and_time() {
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    let mut thief = Raw::new(&mut net, Raw::path(2));
    assert_ne!(thief.nonce, raw.nonce, "RFC 8489 §9.2.4");
    thief.nonce.clone_from(&raw.nonce);
    assert_eq!(thief.allocate(&mut net), Some(Code::STALE_NONCE));
    net.run(secs(599));
    assert_eq!(raw.allocate(&mut net), None);
    net.run(secs(2));
    assert_eq!(raw.refresh(&mut net, Lifetime::new(secs(600))), Some(Code::STALE_NONCE));
    raw.challenge(&mut net);
    assert_eq!(raw.refresh(&mut net, Lifetime::new(secs(600))), None);
    // Every change of any character makes it stale.
    let nonce = raw.nonce.clone();
    for at in 0..nonce.len() - 1 {
        let mut bytes = nonce.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        raw.nonce = String::from_utf8(bytes).expect("invariant: ASCII");
        assert_eq!(raw.refresh(&mut net, Lifetime::new(secs(600))), Some(Code::STALE_NONCE), "{at}");
        net.run(secs(1));
        for text in ["", "x", "obMatJos2AAAA", &nonce[..nonce.len() - 1]] {
            raw.nonce = text.to_owned();
            assert_eq!(raw.refresh(&mut net, Lifetime::new(secs(600))), Some(Code::STALE_NONCE), "{text}");
        }
        net.run(secs(1));
        raw.nonce.clone_from(&nonce);
        if at % 7 == 0 {
            raw.challenge(&mut net);
            assert_eq!(raw.refresh(&mut net, Lifetime::new(secs(600))), None);
        }
    }
}

/// T-T05: small answers, and few of them.
#[test]
fn t_t05_answers_to_strangers_are_small_and_few() {
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    net.run(secs(2));
    let request = raw.unsigned(Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport::UDP);
    });
    assert_eq!(request.len(), 28);
    let answer = raw.exchange(&mut net, &request).expect("invariant: the first is answered");
    assert!(answer.len() <= 3 * request.len(), "{} bytes", answer.len());
    let binding = raw.unsigned(Method::BINDING, |_| {});
    let answer = raw.exchange(&mut net, &binding).expect("invariant: a binding is answered");
    assert!(answer.len() * 10 <= 16 * binding.len(), "{} bytes", answer.len());

    let mut stale = Raw::new(&mut net, Raw::path(3));
    stale.nonce.clear();
    net.run(secs(2));
    let mut answered = 0;
    for turn in 0..100 {
        // All kinds of what is not authenticated, from all ports of one address.
        stale.path.remote.set_port(turn + 1);
        let request = match turn % 5 {
            0 => stale.unsigned(Method::ALLOCATE, |_| {}),
            3 => stale.unsigned(Method::ALLOCATE, |builder| {
                builder.attribute(&RequestedTransport::UDP);
            }),
            1 => stale.signed(Method::REFRESH, |_| {}),
            2 => stale.unsigned(Method::CHANNEL_BIND, |builder| {
                builder.raw(AttributeType::MESSAGE_INTEGRITY, &[0; 20]);
            }),
            _ => stale.unsigned(Method::BINDING, |builder| {
                builder.raw(AttributeType::new(0x7777), &[]);
            }),
        };
        if let Some(answer) = stale.exchange(&mut net, &request) {
            assert!(answer.len() <= 3 * request.len(), "{} for {}", answer.len(), request.len());
            answered += 1;
        }
    }
    assert_eq!(answered, 10);
    assert_eq!(net.server.stats().replies_withheld, 90);
    // Others are not made to suffer, and neither is this one after a second.
    Raw::new(&mut net, FiveTuple::udp(addr(SERVER), addr("203.0.113.51:1")));
    net.run(secs(1));
    stale.challenge(&mut net);
}

/// T-T05: one IPv6 user is one /64, not 2^64 addresses.
#[test]
fn t_t05_ipv6_addresses_of_one_network_count_together() {
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    let answered = (0..50_u16).filter(|host| {
        let remote = SocketAddr::new([0x2001, 0xdb8, 5, 6, *host, 7, 8, *host].into(), 9);
        raw.path = FiveTuple::udp(addr(SERVER6), remote);
        let request = raw.unsigned(Method::ALLOCATE, |_| {});
        raw.exchange(&mut net, &request).is_some()
    });
    assert_eq!(answered.count(), 10);
}

/// T-T06: every socket that is opened is closed again, whatever was asked for.
#[test]
fn t_t06_no_socket_leaks_over_many_cycles() {
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    for turn in 0..2_000_u64 {
        if turn % 50 == 0 {
            net.run(secs(1));
            raw.challenge(&mut net);
        }
        let code = raw.ask(&mut net, Method::ALLOCATE, |builder| {
            builder.attribute(&RequestedTransport::UDP);
            match turn % 5 {
                0 => builder.attribute(&EvenPort::Even),
                1 => builder.attribute(&EvenPort::EvenAndReserveNext),
                2 => builder.attribute(&ReservationToken::new([1; 8])),
                3 => builder.attribute(&AdditionalAddressFamily::new(Family::Ipv6)),
                _ => builder,
            };
        });
        let expected = if [1, 2].contains(&(turn % 5)) { Some(Code::INSUFFICIENT_CAPACITY) } else { None };
        assert_eq!(code, expected);
        if code.is_none() {
            assert_eq!(net.relays.len(), 1);
            assert_eq!(raw.refresh(&mut net, Lifetime::ZERO), None);
        }
        assert_eq!(net.relays.len(), 0);
        net.server_events.clear();
    }
    assert_eq!(net.server.allocations(), 0);
    assert_eq!(net.opened, 1_200);
}

/// T-T06: the wish for an even port reaches the driver.
#[test]
fn t_t06_even_ports_are_asked_for() {
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    raw.ask(&mut net, Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport::UDP).attribute(&EvenPort::Even);
    });
    let is_even = |event: &server::Event| {
        matches!(event, server::Event::OpenRelay { port: server::PortWish::Even, .. })
    };
    assert!(net.server_events.iter().any(is_even));
}

/// T-T08: permissions and channels are bounded, and come free when they run out.
#[test]
fn t_t08_permissions_and_channels_are_bounded() {
    let mut net = net();
    let mut raw = allocated(&mut net, 1);
    let peer = |number: u32| SocketAddr::new(std::net::Ipv4Addr::from(0x0b00_0000 + number).into(), 9);
    for group in 0..100_000 / 64 {
        let code = raw.ask(&mut net, Method::CREATE_PERMISSION, |builder| {
            for number in group * 64..(group + 1) * 64 {
                builder.attribute(&XorPeerAddress::new(peer(number)));
            }
        });
        assert_eq!(code, (group >= 4).then_some(Code::INSUFFICIENT_CAPACITY), "{group}");
    }
    assert_eq!(raw.permit(&mut net, peer(0)), None, "a refresh needs no room");
    net.run(secs(301));
    raw.challenge(&mut net);
    for number in 0..256 {
        assert_eq!(raw.bind(&mut net, 0x4000 + number as u16, peer(1_000 + number)), None, "{number}");
    }
    assert_eq!(raw.bind(&mut net, 0x4fff, peer(5_000)), Some(Code::INSUFFICIENT_CAPACITY));
    let code = raw.ask(&mut net, Method::CREATE_PERMISSION, |builder| {
        for number in 0..5_000 {
            builder.attribute(&XorPeerAddress::new(peer(number)));
        }
    });
    assert_eq!(code, Some(Code::INSUFFICIENT_CAPACITY), "many in one request");
    let code = raw.ask(&mut net, Method::CREATE_PERMISSION, |builder| {
        for _ in 0..200 {
            builder.attribute(&XorPeerAddress::new(peer(1_000)));
        }
    });
    assert_eq!(code, None, "the same many times is one");
}

/// T-T09: an allocation is its owner's.
#[test]
fn t_t09_other_users_cannot_take_over() {
    let mut net = net();
    let _owner = allocated(&mut net, 1);
    let mut thief = Raw::with_user(&mut net, Raw::path(1), "other", "other secret");
    assert_eq!(thief.refresh(&mut net, Lifetime::ZERO), Some(Code::WRONG_CREDENTIALS));
    assert_eq!(thief.permit(&mut net, addr(PEER)), Some(Code::WRONG_CREDENTIALS));
    assert_eq!(thief.bind(&mut net, 0x4000, addr(PEER)), Some(Code::WRONG_CREDENTIALS));
    assert_eq!(thief.allocate(&mut net), Some(Code::ALLOCATION_MISMATCH));
    assert_eq!(net.server.allocations(), 1);
    // The owner's request with another key, and an unknown user.
    let mut wrong = Raw::with_user(&mut net, Raw::path(1), net::USER, "wrong");
    assert_eq!(wrong.refresh(&mut net, Lifetime::ZERO), Some(Code::UNAUTHENTICATED));
    let mut nobody = Raw::with_user(&mut net, Raw::path(1), "nobody", "x");
    assert_eq!(nobody.refresh(&mut net, Lifetime::ZERO), Some(Code::UNAUTHENTICATED));
    let mut elsewhere = Raw::new(&mut net, Raw::path(7));
    assert_eq!(elsewhere.refresh(&mut net, Lifetime::ZERO), Some(Code::ALLOCATION_MISMATCH));
    assert_eq!(net.server.allocations(), 1);
}

/// T-T09: a channel and a peer belong to each other.
#[test]
fn t_t09_channels_cannot_be_rebound() {
    let mut net = net();
    let mut raw = allocated(&mut net, 1);
    let (one, two) = (addr(PEER), addr("192.0.2.78:5000"));
    assert_eq!(raw.bind(&mut net, 0x4000, one), None);
    assert_eq!(raw.bind(&mut net, 0x4000, one), None, "a refresh");
    assert_eq!(raw.bind(&mut net, 0x4000, two), Some(Code::BAD_REQUEST));
    assert_eq!(raw.bind(&mut net, 0x4001, one), Some(Code::BAD_REQUEST));
    assert_eq!(raw.bind(&mut net, 0x4fff, two), None);
    for number in [0, 0x3fff, 0x5000, 0x7fff, 0xffff] {
        assert_eq!(raw.bind(&mut net, number, addr("192.0.2.79:1")), Some(Code::BAD_REQUEST), "{number:#x}");
    }
    for number in [0x4001, 0x4002, 0x4ffe] {
        assert_eq!(raw.channel_data(&mut net, number, b"x"), Received::Ignored);
    }
    let Received::Relay { peer, .. } = raw.channel_data(&mut net, 0x4000, b"x") else { panic!("bound") };
    assert_eq!(peer, one);
    assert_eq!(
        raw.bind(&mut net, 0x4003, SocketAddr::new(one.ip(), 0)),
        Some(Code::FORBIDDEN),
        "no port zero"
    );
    // Channel data refreshes nothing (RFC 8656 §12.6): the binding runs out.
    for _ in 0..12 {
        net.run(secs(51));
        let _ = raw.channel_data(&mut net, 0x4000, b"x");
        if net.server.poll_timeout().is_some_and(|at| at < net.now + secs(100)) {
            raw.challenge(&mut net);
            assert_eq!(raw.refresh(&mut net, Lifetime::new(secs(600))), None);
        }
    }
    assert_eq!(raw.channel_data(&mut net, 0x4000, b"x"), Received::Ignored);
    raw.challenge(&mut net);
    assert_eq!(raw.bind(&mut net, 0x4000, two), None, "free again, and so is its old peer");
    assert_eq!(raw.bind(&mut net, 0x4001, one), None);
}

/// T-T10: hostile text goes nowhere.
#[test]
fn t_t10_hostile_user_names_are_just_unknown() {
    let mut net = net();
    for name in ["' OR 1=1 --", "%s%n%x", "a\r\nSet-Cookie: b", "\u{0}", "\u{1b}[2J", &"x".repeat(700)] {
        let mut raw = Raw::new(&mut net, Raw::path(1));
        raw.username = name.to_owned();
        assert_eq!(raw.allocate(&mut net), Some(Code::UNAUTHENTICATED), "{name:?}");
        net.run(secs(1));
    }
    assert_eq!(net.server_events, []);
}

/// T-T12: datagrams as large as can be, and lengths that add up to more.
#[test]
fn t_t12_large_datagrams_and_lengths() {
    let mut net = net();
    let mut raw = allocated(&mut net, 1);
    assert_eq!(raw.bind(&mut net, 0x4000, addr(PEER)), None);
    for len in [65_000, 65_480, 65_500] {
        let Received::Relay { payload, .. } = raw.send(&mut net, addr(PEER), &vec![7; len]) else {
            panic!("{len}")
        };
        assert_eq!(payload.len(), len);
        let Received::Relay { payload, .. } = raw.channel_data(&mut net, 0x4000, &vec![7; len]) else {
            panic!("{len}")
        };
        assert_eq!(payload, 4..4 + len);
    }
    let relay = *net.relays.keys().next().expect("invariant: allocated");
    let mut out = b"kept".to_vec();
    let (now, large) = (net.now, vec![9; 65_536]);
    assert_eq!(net.server.handle_relay_datagram(now, relay, addr(PEER), &large, &mut out), None);
    assert_eq!(
        net.server.handle_relay_datagram(now, relay, addr("192.0.2.77:1"), &large[..65_520], &mut out),
        None
    );
    assert_eq!(out, b"kept");
    let fits = net.server.handle_relay_datagram(now, relay, addr(PEER), &large[..65_535], &mut out);
    assert_eq!(fits.map(|transmit| transmit.len), Some(65_539));
}

/// T-T13: what an unauthenticated request says has no effect on the authenticated one after it.
#[test]
fn t_t13_nothing_is_pinned_before_integrity() {
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    let origin = AttributeType::new(0x802f);
    let request = raw.unsigned(Method::ALLOCATE, |builder| {
        builder.raw(origin, b"https://evil.example").attribute(&Lifetime::new(secs(9_999)));
        builder.attribute(&RequestedAddressFamily::new(Family::Ipv6));
    });
    assert!(raw.exchange(&mut net, &request).is_some());
    let code = raw.ask(&mut net, Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport::UDP).raw(origin, b"https://good.example");
    });
    assert_eq!(code, None);
    assert!(net.relays.values().all(SocketAddr::is_ipv4));
    assert!(net.server.poll_timeout().is_some_and(|at| at <= net.now + secs(600)));
}

/// T-I02: attributes behind MESSAGE-INTEGRITY do not exist for the server either.
#[test]
fn t_i02_attributes_after_integrity_have_no_effect() {
    let mut net = net();
    let mut raw = allocated(&mut net, 1);
    let mut append = |raw: &mut Raw, method, hidden: &dyn Fn(&mut Builder<'_>)| {
        let mut request = raw.signed(method, |_| {});
        let other = raw.unsigned(method, hidden);
        // XOR addresses depend on the transaction id.
        request.extend_from_slice(&other[20..]);
        let len = request.len() as u16 - 20;
        request[2..4].copy_from_slice(&len.to_be_bytes());
        let answer = raw.exchange(&mut net, &request).expect("invariant: answered");
        raw.read(&request, &answer)
    };
    assert_eq!(append(&mut raw, Method::REFRESH, &|builder| _ = builder.attribute(&Lifetime::ZERO)), None);
    let peer = |builder: &mut Builder<'_>| _ = builder.attribute(&XorPeerAddress::new(addr(PEER)));
    assert_eq!(append(&mut raw, Method::CREATE_PERMISSION, &peer), Some(Code::BAD_REQUEST));
    assert_eq!(net.server.allocations(), 1, "not deleted");
}

/// RFC 8656 §7.2, check by check.
#[test]
fn turn_allocate_requires_requested_transport_17() {
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    let udp = RequestedTransport::UDP;
    let mut ask = |write: &dyn Fn(&mut Builder<'_>)| raw.ask(&mut net, Method::ALLOCATE, write);
    assert_eq!(ask(&|_| {}), Some(Code::BAD_REQUEST));
    let malformed = |builder: &mut Builder<'_>| _ = builder.raw(AttributeType::REQUESTED_TRANSPORT, &[17]);
    assert_eq!(ask(&malformed), Some(Code::BAD_REQUEST));
    for number in [0, 1, RequestedTransport::TCP.number(), 255] {
        let other = |builder: &mut Builder<'_>| _ = builder.attribute(&RequestedTransport::new(number));
        assert_eq!(ask(&other), Some(Code::UNSUPPORTED_TRANSPORT_PROTOCOL));
    }
    let family = |family| {
        move |builder: &mut Builder<'_>| {
            builder.attribute(&udp).raw(AttributeType::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
        }
    };
    assert_eq!(ask(&family(3)), Some(Code::ADDRESS_FAMILY_NOT_SUPPORTED));
    let both = |builder: &mut Builder<'_>| {
        builder.attribute(&udp).attribute(&RequestedAddressFamily::new(Family::Ipv6));
        builder.attribute(&AdditionalAddressFamily::new(Family::Ipv6));
    };
    assert_eq!(ask(&both), Some(Code::BAD_REQUEST), "turn_no_both_requested_and_additional_family");
    let token = |builder: &mut Builder<'_>| {
        builder.attribute(&udp).attribute(&RequestedAddressFamily::new(Family::Ipv6));
        builder.attribute(&ReservationToken::new([1; 8]));
    };
    assert_eq!(ask(&token), Some(Code::BAD_REQUEST), "turn_no_family_with_reservation_token");
    let additional4 = |builder: &mut Builder<'_>| {
        builder.attribute(&udp).attribute(&AdditionalAddressFamily::new(Family::Ipv4));
    };
    assert_eq!(ask(&additional4), Some(Code::BAD_REQUEST));
    assert_eq!(ask(&|builder| _ = builder.attribute(&udp).attribute(&Lifetime::ZERO)), None);
    assert_eq!(net.server.poll_timeout(), Some(net.now + secs(600)), "less than the default is the default");
}

/// RFC 8656 §7.2, item 4: DF cannot be set, so the attribute is unknown.
#[test]
fn turn_dont_fragment_is_unknown() {
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    let request = raw.signed(Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport::UDP).attribute(&DontFragment::new());
    });
    let answer = raw.exchange(&mut net, &request).expect("invariant: answered");
    assert_eq!(raw.read(&request, &answer), Some(Code::UNKNOWN_ATTRIBUTE));
    let answer = Message::parse(&answer).expect("invariant: well formed");
    let unknown = answer.require::<UnknownAttributes>().expect("invariant: 420 has a list");
    assert_eq!(unknown.iter().collect::<Vec<_>>(), [AttributeType::DONT_FRAGMENT]);
}

/// RFC 8656 §7.2: a retransmission gets the same answer and makes nothing new; another request gets 437.
#[test]
fn stun_server_retransmission_is_idempotent() {
    let mut net = net();
    net.opens_relays = false;
    let mut raw = Raw::new(&mut net, Raw::path(1));
    let request = raw.signed(Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport::UDP).attribute(&AdditionalAddressFamily::new(Family::Ipv6));
    });
    assert_eq!(raw.exchange(&mut net, &request), None, "waits for the socket");
    assert_eq!(raw.exchange(&mut net, &request), None);
    let Some(server::Event::OpenRelay { relay, .. }) = net.server_events.pop() else { panic!("no request") };
    assert_eq!(net.server_events, [], "one socket only");
    net.server.relay_opened(net.now, relay, addr("198.51.100.1:50000"));
    net.relays.insert(relay, addr("198.51.100.1:50000"));
    let (_, first) = net.answers().pop().expect("invariant: answered now");
    assert_eq!(raw.exchange(&mut net, &request).as_ref(), Some(&first));
    let answer = Message::parse(&first).expect("invariant: well formed");
    assert_eq!(
        answer.require::<XorRelayedAddress>().map(XorRelayedAddress::address),
        Ok(addr("198.51.100.1:50000"))
    );
    assert_eq!(answer.require::<XorMappedAddress>().map(XorMappedAddress::address), Ok(raw.path.remote));
    assert_eq!(answer.require::<Lifetime>().map(Lifetime::duration), Ok(secs(600)));
    let error = answer.require::<AddressErrorCode>().map(|error| (error.family(), error.code()));
    assert_eq!(error, Ok((Family::Ipv6, Code::ADDRESS_FAMILY_NOT_SUPPORTED)), "one family of two");
    assert_eq!(raw.allocate(&mut net), Some(Code::ALLOCATION_MISMATCH));
}

/// RFC 8656 §8.2, §10.2, §12.2: families.
#[test]
fn turn_443_for_the_other_family() {
    let mut net = net();
    let mut raw = allocated(&mut net, 1);
    let six = addr("[2001:db8:1::1]:9");
    assert_eq!(raw.permit(&mut net, six), Some(Code::PEER_ADDRESS_FAMILY_MISMATCH));
    assert_eq!(raw.bind(&mut net, 0x4000, six), Some(Code::PEER_ADDRESS_FAMILY_MISMATCH));
    let code = raw.ask(&mut net, Method::REFRESH, |builder| {
        builder.attribute(&RequestedAddressFamily::new(Family::Ipv6));
    });
    assert_eq!(code, Some(Code::PEER_ADDRESS_FAMILY_MISMATCH));
    for write in [
        |builder: &mut Builder<'_>| _ = builder.raw(AttributeType::XOR_PEER_ADDRESS, &[0, 1, 2]),
        |builder: &mut Builder<'_>| _ = builder.raw(AttributeType::CHANNEL_NUMBER, &[0x40]),
    ] {
        assert_eq!(raw.ask(&mut net, Method::CREATE_PERMISSION, write), Some(Code::BAD_REQUEST));
        assert_eq!(raw.ask(&mut net, Method::CHANNEL_BIND, write), Some(Code::BAD_REQUEST));
    }
}

/// RFC 8489 §9.2.4: integrity without the rest of the credentials.
#[test]
fn incomplete_credentials_are_400() {
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    let (nonce, key) = (raw.nonce.clone(), raw.key.clone());
    for missing in 0..3 {
        let request = raw.unsigned(Method::ALLOCATE, |builder| {
            let credentials = [
                (AttributeType::USERNAME, net::USER),
                (AttributeType::REALM, net::REALM),
                (AttributeType::NONCE, nonce.as_str()),
            ];
            for (_, (kind, value)) in credentials.iter().enumerate().filter(|(index, _)| *index != missing) {
                builder.raw(*kind, value.as_bytes());
            }
            builder.message_integrity(&key);
        });
        let answer = raw.exchange(&mut net, &request).expect("invariant: answered");
        assert_eq!(raw.read(&request, &answer), Some(Code::BAD_REQUEST));
        let answer = Message::parse(&answer).expect("invariant: well formed");
        assert!(!answer.contains(AttributeType::NONCE) && answer.require::<ErrorCode<'_>>().is_ok());
    }
}

/// Users 20: other protocols at the door: HTTP, telnet, TLS, garbage, and every truncation of good requests.
#[test]
fn users_20_no_crash_on_http_or_telnet_bytes() {
    let mut net = net();
    let mut raw = allocated(&mut net, 1);
    let path = raw.path;
    let tls = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff, 0xfd, 0x18],
        &tls,
        b"",
        &[0],
        &[0; 19],
        &[0x40, 0],
        &[0x4f; 3],
    ] {
        assert_eq!(net.inject(path, bytes), Received::Ignored);
    }
    let bind = raw.signed(Method::CHANNEL_BIND, |builder| {
        builder
            .raw(AttributeType::CHANNEL_NUMBER, &[0x40, 0, 0, 0])
            .attribute(&XorPeerAddress::new(addr(PEER)));
    });
    for len in 0..bind.len() {
        assert_eq!(net.inject(path, &bind[..len]), Received::Ignored, "{len}");
        let mut lying = bind[..len.max(20)].to_vec();
        let claimed = (len.max(20) - 20) as u16 / 4 * 4;
        lying[2..4].copy_from_slice(&claimed.to_be_bytes());
        lying.truncate(20 + usize::from(claimed));
        assert!(matches!(net.inject(path, &lying), Received::Control | Received::Ignored));
        drop(net.answers());
    }
    assert_eq!(net.answers().len(), 0);
    assert!(net.server.stats().malformed > 100);
}

/// A socket for both families shows IPv4 clients as IPv6 ones; they must not be told so.
#[test]
fn ipv4_clients_of_dual_sockets_learn_their_ipv4_address() {
    let mut net = net();
    let local = addr("[::ffff:198.51.100.1]:3478");
    let mut raw = Raw::new(&mut net, FiveTuple::udp(local, addr("[::ffff:203.0.113.50]:1234")));
    let binding = raw.unsigned(Method::BINDING, |_| {});
    let allocate = raw.signed(Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport::UDP);
    });
    for request in [binding, allocate] {
        let answer = raw.exchange(&mut net, &request).expect("invariant: answered");
        let answer = Message::parse(&answer).expect("invariant: well formed");
        let mapped = answer.require::<XorMappedAddress>().map(XorMappedAddress::address);
        assert_eq!(mapped, Ok(addr("203.0.113.50:1234")));
    }
    assert_eq!(raw.bind(&mut net, 0x4000, addr(SERVER)), Some(Code::FORBIDDEN));
}

/// Users 20: thousands of bad ChannelBinds: nothing grows.
#[test]
fn users_20_bad_channel_binds_leave_memory_flat() {
    let mut net = net();
    let mut raw = allocated(&mut net, 1);
    let mut bad = raw.signed(Method::CHANNEL_BIND, |builder| {
        builder
            .raw(AttributeType::CHANNEL_NUMBER, &[0x3f, 0xff, 0, 0])
            .attribute(&XorPeerAddress::new(addr(PEER)));
    });
    let path = raw.path;
    for turn in 0..5_000_u32 {
        if turn % 2 == 0 {
            let at = bad.len() - 1;
            bad[at] = bad[at].wrapping_add(1);
        }
        assert_eq!(net.inject(path, &bad), Received::Control);
        assert!(net.answers().len() <= 1);
    }
    assert_eq!((net.server.allocations(), net.relays.len()), (1, 1));
}

/// T-T07: there is no mobility (RFC 8016). Nobody gets a ticket, and an allocation stays where it was made.
#[test]
fn t_t07_an_allocation_does_not_move() {
    const MOBILITY_TICKET: AttributeType = AttributeType::new(0x8030);
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    let request = raw.signed(Method::ALLOCATE, |builder| {
        builder.attribute(&RequestedTransport::UDP).raw(MOBILITY_TICKET, b"");
    });
    let answer = raw.exchange(&mut net, &request).expect("invariant: answered");
    assert_eq!(raw.read(&request, &answer), None, "an optional attribute is passed over");
    let answer = Message::parse(&answer).expect("invariant: well formed");
    assert!(answer.attributes().all(|attribute| attribute.kind != MOBILITY_TICKET), "no ticket");
    let mut elsewhere = Raw::new(&mut net, Raw::path(2));
    for ticket in [&b""[..], &[7; 32], &request] {
        for method in [Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND] {
            let code = elsewhere.ask(&mut net, method, |builder| {
                builder
                    .raw(MOBILITY_TICKET, ticket)
                    .attribute(&Lifetime::ZERO)
                    .raw(AttributeType::CHANNEL_NUMBER, &[0x40, 0, 0, 0])
                    .attribute(&XorPeerAddress::new(addr(PEER)));
            });
            assert_eq!(code, Some(Code::ALLOCATION_MISMATCH), "{method:?}");
        }
    }
    assert_eq!(net.server.allocations(), 1);
    assert_eq!(raw.permit(&mut net, addr(PEER)), None, "it works where it is");
}

/// RFC 8656 §7.2: however long a client would like to keep its allocation, an hour is the most.
#[test]
fn lifetimes_are_cut_to_the_longest() {
    let mut net = net();
    let mut raw = Raw::new(&mut net, Raw::path(1));
    for method in [Method::ALLOCATE, Method::REFRESH] {
        for wanted in [3_600, 3_601, 1 << 20, u64::from(u32::MAX)] {
            let request = raw.signed(method, |builder| {
                builder.attribute(&RequestedTransport::UDP).attribute(&Lifetime::new(secs(wanted)));
            });
            let answer = raw.exchange(&mut net, &request).expect("invariant: answered");
            let code = raw.read(&request, &answer);
            assert!(code.is_none() || (method, code) == (Method::ALLOCATE, Some(Code::ALLOCATION_MISMATCH)));
            let answer = Message::parse(&answer).expect("invariant: well formed");
            if code.is_none() {
                assert_eq!(answer.require::<Lifetime>(), Ok(Lifetime::new(secs(3_600))), "{wanted}");
            }
        }
    }
    net.run(secs(3_601));
    assert_eq!(net.server.allocations(), 0);
}
