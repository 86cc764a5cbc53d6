//! DTLS: listeners, and handshakes that stop halfway.

use crate::{
    KIB,
    heap::growth,
    stack::{certificate, dtls_ends, provider},
};
use dtls::{Config, Connection, CookiePolicy, CookieSecret, Role, State};
use std::{sync::Arc, time::Instant};
use testkit::Seed;

/// The first flight of a client.
fn hello(now: Instant) -> Vec<u8> {
    let [mut client, _] = dtls_ends(now, &[certificate("a"), certificate("b")]);
    let mut hello = Vec::new();
    assert!(client.poll_transmit(now, &mut hello).is_some());
    hello
}

/// A record of epoch 0 with a piece of a handshake message.
fn piece(record: u64, kind: u8, length: u32, seq: u16, offset: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![22, 0xfe, 0xfd, 0, 0];
    out.extend_from_slice(&record.to_be_bytes()[2..]);
    out.extend_from_slice(&(body.len() as u16 + 12).to_be_bytes());
    out.push(kind);
    out.extend_from_slice(&length.to_be_bytes()[1..]);
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(&offset.to_be_bytes()[1..]);
    out.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(body);
    out
}

/// T-D02: hellos without a cookie, each from a source of its own: nothing is kept, and no answer is longer than its
/// question.
#[test]
fn t_d02_a_dtls_listener_keeps_nothing() {
    let now = testkit::start();
    let secret = CookieSecret::new(&mut Seed::new(3).random());
    let config = Config::new(provider()).with_cookie_policy(CookiePolicy::Required(secret));
    let (config, certificate) = (Arc::new(config), certificate("b"));
    let hello = hello(now);
    let mut answer = Vec::with_capacity(2_000);
    let mut serve = |source: u32| {
        let random = Seed::new(8).boxed_random("listener");
        let (config, certificate) = (Arc::clone(&config), certificate.clone());
        let mut connection = Connection::new(config, Role::Server, certificate, now, random);
        connection.set_cookie_source(&source.to_be_bytes());
        connection.start(now);
        connection.handle_datagram(now, &mut hello.clone(), &mut |_| ());
        answer.clear();
        assert!(connection.poll_transmit(now, &mut answer).is_some_and(|len| len.get() <= hello.len()));
        assert_eq!(connection.state(), State::New);
    };
    serve(0);
    let (grown, ()) = growth(|| (1..10_000).for_each(&mut serve));
    assert_eq!(grown, 0);
}

/// What a handshake holds that stopped in the middle: after a good hello, and after the worst that can be sent behind
/// one. The connection itself, its configuration and certificate are counted, since each source would get them.
#[test]
fn half_open_dtls_is_small() {
    let now = testkit::start();
    let certificates = [certificate("a"), certificate("b")];
    let mut hello = hello(now);
    drop(dtls_ends(now, &certificates));
    let (held, mut server) = growth(|| {
        let [client, mut server] = dtls_ends(now, &certificates);
        drop(client);
        server.handle_datagram(now, &mut hello, &mut |_| ());
        let mut out = Vec::new();
        while server.poll_transmit(now, &mut out).is_some() {
            out.clear();
        }
        server
    });
    assert_eq!(server.state(), State::Connecting);
    println!("half open, with a normal peer: {held} bytes");
    assert!((KIB..=12 * KIB).contains(&held), "{held}");

    let (more, ()) = growth(|| {
        let mut record = 1;
        // Pieces of the longest messages, none of which becomes whole: every byte of the numbers that are kept.
        for round in 0..64_u32 {
            for seq in 1..=20 {
                for offset in (0..16_000).step_by(1_000) {
                    record += 1;
                    let body = vec![7; 999];
                    let mut datagram = piece(record, 11, 16_384, seq, offset + round % 2, &body);
                    server.handle_datagram(now, &mut datagram, &mut |_| ());
                }
            }
        }
        // Single bytes with gaps between them: the most bookkeeping for the fewest bytes.
        for seq in 1..=20 {
            for offset in (0..16_384).step_by(2) {
                record += 1;
                let mut datagram = piece(record, 11, 16_384, seq, offset, b"x");
                server.handle_datagram(now, &mut datagram, &mut |_| ());
            }
        }
        // Records of the next epoch.
        for sequence in 0..100_u64 {
            let mut datagram = vec![23, 0xfe, 0xfd, 0, 1];
            datagram.extend_from_slice(&sequence.to_be_bytes()[2..]);
            datagram.extend_from_slice(&2_000_u16.to_be_bytes());
            datagram.extend_from_slice(&[9; 2_000]);
            server.handle_datagram(now, &mut datagram, &mut |_| ());
        }
    });
    println!("half open, under the worst fragments: {} bytes", held + more);
    assert!(held + more <= 48 * KIB, "{}", held + more);
    assert!(more > 8 * KIB, "the attack reached the buffers: {more}");
}
