//! The first flights of browsers, post-quantum ones included: all are answered with DTLS 1.2.

#![allow(clippy::unwrap_used, reason = "a failure in a helper is a failure of the test")]

#[path = "common/pair.rs"]
mod pair;

use dtls::{Config, Connection, Role, SrtpProfile, State};
use pair::{Seeded, certificates, origin, provider};
use std::sync::Arc;
use std::time::Duration;

const VECTORS: [(&str, &str, u16); 5] = [
    ("chromium pq", include_str!("vectors/chromium-dtls13-pq-clienthello.hex"), 8),
    ("chromium", include_str!("vectors/chromium-dtls13-nopq-clienthello.hex"), 8),
    ("firefox pq", include_str!("vectors/firefox-dtls13-pq-clienthello.hex"), 8),
    ("firefox", include_str!("vectors/firefox-dtls13-nopq-clienthello.hex"), 8),
    ("firefox 1.2", include_str!("vectors/firefox-dtls12-clienthello.hex"), 8),
];

fn datagrams(hex: &str) -> Vec<Vec<u8>> {
    hex.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            line.as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect()
        })
        .collect()
}

fn server(profiles: &[SrtpProfile]) -> Connection {
    let (_, certificate) = certificates();
    let config = Config::new(provider()).with_srtp_profiles(profiles.iter().copied());
    let mut server =
        Connection::new(Arc::new(config), Role::Server, certificate, origin(), Box::new(Seeded(5)));
    server.start(origin());
    server
}

fn answer(server: &mut Connection, flight: &[Vec<u8>]) -> Vec<u8> {
    let now = origin();
    for datagram in flight {
        server.handle_datagram(now, &mut datagram.clone(), &mut |_| panic!("no data"));
    }
    let mut out = Vec::new();
    while server.poll_transmit(now, &mut out).is_some() {}
    assert_eq!(server.poll_event(), None);
    out
}

/// The parts of the ServerHello at the front of a flight: version, random, suite, extensions.
fn server_hello(flight: &[u8]) -> (u16, [u8; 32], u16, &[u8]) {
    assert_eq!(&flight[..3], [22, 0xfe, 0xfd]);
    assert_eq!(flight[13], 2, "ServerHello");
    let length = usize::from(flight[15]) << 8 | usize::from(flight[16]);
    let body = &flight[25..25 + length];
    let number = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
    assert_eq!(body[34], 0, "no session id");
    assert_eq!(body[37], 0, "no compression");
    (number(0), body[2..34].try_into().unwrap(), number(35), &body[40..])
}

fn check(name: &str, flight: &[u8], profile: u16) {
    let (version, random, suite, extensions) = server_hello(flight);
    assert_eq!(version, 0xfefd, "{name}");
    assert_eq!(suite, 0xc02b, "{name}");
    assert!(!random[24..].starts_with(b"DOWNGRD"), "a server without DTLS 1.3 must not claim a downgrade");
    let [high, low] = profile.to_be_bytes();
    let expected = [0, 14, 0, 5, 0, 2, high, low, 0];
    assert!(extensions.windows(9).any(|window| window == expected), "{name}: use_srtp");
    assert!(extensions.windows(4).any(|window| window == [0, 23, 0, 0]), "{name}: extended master secret");
    assert!(!extensions.windows(2).any(|window| window == [0, 43]), "{name}: no supported_versions");
}

/// Users 21: hellos of one and of two datagrams, in either order, are answered with a ServerHello of DTLS 1.2.
#[test]
fn every_browser_gets_a_server_hello_of_dtls_1_2() {
    for (name, hex, profile) in VECTORS {
        let flight = datagrams(hex);
        assert_eq!(flight.len(), if name.ends_with("pq") { 2 } else { 1 }, "{name}");
        let mut reversed = flight.clone();
        reversed.reverse();
        for order in [flight, reversed] {
            let profiles = [SrtpProfile(8), SrtpProfile(7), SrtpProfile(1)];
            let mut server = server(&profiles);
            check(name, &answer(&mut server, &order), profile);
            assert_eq!(server.state(), State::Connecting);
            assert_eq!(server.group().map(crypto::Group::number), Some(0x1d), "{name}");
        }
    }
}

#[test]
fn a_server_takes_its_own_order_of_srtp_profiles() {
    for (name, hex, _) in VECTORS {
        check(name, &answer(&mut server(&[SrtpProfile(1), SrtpProfile(8)]), &datagrams(hex)), 1);
    }
}

/// Users 21: the hello comes in any number of pieces, in any order, repeated and overlapping.
#[test]
fn hellos_in_any_pieces_are_put_together() {
    for (name, hex, profile) in VECTORS {
        let mut body = Vec::new();
        for datagram in datagrams(hex) {
            body.extend_from_slice(&datagram[25..]);
        }
        for pieces in [2, 3, 5, 11, 20] {
            for step in [1, 2, 7] {
                let size = body.len().div_ceil(pieces);
                let mut flight: Vec<Vec<u8>> = (0..body.len())
                    .step_by(size)
                    .map(|at| fragment(&body, at, (at + size + step).min(body.len())))
                    .collect();
                let rotation = step % flight.len();
                flight.rotate_left(rotation);
                flight.reverse();
                let repeated: Vec<Vec<u8>> = flight.iter().chain(&flight[..2]).cloned().collect();
                check(name, &answer(&mut server(&[SrtpProfile(8)]), &repeated), profile);
            }
        }
    }
}

fn fragment(body: &[u8], from: usize, to: usize) -> Vec<u8> {
    let piece = &body[from..to];
    let mut datagram = vec![22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
    datagram.extend_from_slice(&((piece.len() + 12) as u16).to_be_bytes());
    datagram.push(1);
    datagram.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
    datagram.extend_from_slice(&[0, 0]);
    datagram.extend_from_slice(&(from as u32).to_be_bytes()[1..]);
    datagram.extend_from_slice(&(piece.len() as u32).to_be_bytes()[1..]);
    datagram.extend_from_slice(piece);
    datagram
}

/// A browser that never answers costs a bounded number of datagrams.
#[test]
fn an_abandoned_handshake_ends() {
    let mut server = server(&[SrtpProfile(8)]);
    let mut now = origin();
    server.handle_datagram(now, &mut datagrams(VECTORS[1].1)[0].clone(), &mut |_| ());
    let mut sent = 0;
    loop {
        let mut out = Vec::new();
        while server.poll_transmit(now, &mut out).is_some() {
            sent += 1;
        }
        let Some(next) = server.poll_timeout() else { break };
        assert!(next > now && next <= now + Duration::from_secs(61));
        now = next;
        server.handle_timeout(now);
    }
    assert!(sent < 30, "{sent}");
    assert_eq!(server.poll_event(), Some(dtls::Event::Closed(dtls::CloseReason::Timeout)));
    assert_eq!(server.state(), State::Failed);
}
