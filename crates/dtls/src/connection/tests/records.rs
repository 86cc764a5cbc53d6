//! Sequence numbers, sizes, closing, timers and cookies.

use super::pair::{Fate, Pair, Seeded, Setup, Side};
use super::{message, record};
use crate::handshake::HandshakeType;
use crate::message::hello_verify;
use crate::record::v12;
use crate::{AlertDescription, CloseReason, CookiePolicy, CookieSecret, Event, ExportError, State};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;

/// The explicit nonces of all protected records in a datagram, checked against their headers.
fn nonces(datagram: &[u8]) -> Vec<u64> {
    let mut datagram = datagram.to_vec();
    let mut rest = &mut datagram[..];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (header, body, next) = v12::split(rest).unwrap();
        if header.epoch > 0 {
            let explicit = u64::from_be_bytes(body[..8].try_into().unwrap());
            assert_eq!(explicit, header.number(), "the nonce is epoch and sequence number");
            found.push(explicit);
        }
        rest = next;
    }
    found
}

/// T-D04, users 28: no nonce comes twice in many records.
#[test]
fn t_d04_nonces_count_up() {
    let mut pair = Pair::connected();
    for side in [Side::Client, Side::Server] {
        let mut last = 0;
        for _ in 0..1 << 14 {
            let sealed = pair.peer(side).seal(b"x").unwrap();
            let nonce = nonces(&sealed)[0];
            assert!(nonce > last);
            last = nonce;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// T-D04: no nonce comes twice under any order of losses, repetitions, data, warnings and closing.
    #[test]
    fn t_d04_no_nonce_comes_twice(choices in prop::collection::vec(0_u8..6, 10..80)) {
        let mut pair = Pair::new();
        pair.start();
        let mut seen = [BTreeSet::new(), BTreeSet::new()];
        let drops = choices.clone();
        pair.network = Box::new(move |_, number, _| {
            if drops.get(number).is_some_and(|choice| *choice < 2) { Fate::Drop } else { Fate::Deliver }
        });
        for (step, choice) in choices.iter().enumerate() {
            match choice {
                0 | 1 => {
                    for side in [Side::Client, Side::Server] {
                        if let Some(sealed) = pair.peer(side).seal(b"data") {
                            for nonce in nonces(&sealed) {
                                prop_assert!(seen[side as usize].insert(nonce));
                            }
                        }
                    }
                }
                5 if step > 50 => { let now = pair.now; pair.client.connection.close(now); }
                _ => { let end = pair.now + Duration::from_secs(100); pair.step(end); }
            }
            for (side, datagram) in std::mem::take(&mut pair.log) {
                for nonce in nonces(&datagram) {
                    prop_assert!(seen[side as usize].insert(nonce), "{side:?} {nonce:x}");
                }
            }
        }
    }
}

/// T-D04: the last sequence number is used once, then the connection ends.
#[test]
fn t_d04_sequence_numbers_do_not_wrap() {
    let mut pair = Pair::connected();
    pair.client.connection.shared.write.protected.as_mut().unwrap().set_next((1 << 48) - 3);
    for _ in 0..2 {
        let sealed = pair.client.seal(b"last").unwrap();
        pair.server.deliver(pair.now, sealed);
    }
    assert_eq!(pair.server.received.len(), 2);
    assert!(pair.client.seal(b"too many").is_none());
    pair.client.poll_events();
    assert_eq!(pair.client.close_reason(), Some(&CloseReason::SequenceExhausted));
    assert!(pair.client.seal(b"too many").is_none());
}

/// Users 31: writes that are too long are refused, and the buffer stays as it was.
#[test]
fn users_31_oversized_and_empty_writes_are_refused() {
    let mut pair = Pair::connected();
    let connection = &mut pair.client.connection;
    let mut out = b"kept".to_vec();
    for len in [0, (1 << 14) + 1, 100_000] {
        let written = connection.seal_with(&mut out, |out| {
            out.resize(out.len() + len, 7);
            Some(())
        });
        assert_eq!((written, out.as_slice()), (None, &b"kept"[..]));
    }
    assert_eq!(connection.seal_with(&mut out, |_| None::<()>), None);
    assert_eq!(connection.stats().oversized_writes, 3);
    let written = connection.seal_with(&mut out, |out| {
        out.resize(out.len() + (1 << 14), 7);
        Some(5)
    });
    assert_eq!(written, Some(5));
    assert_eq!(out.len(), 4 + (1 << 14) + connection.overhead());
    pair.server.deliver(pair.now, out.split_off(4));
    assert_eq!(pair.server.received, [vec![7; 1 << 14]]);
}

#[test]
fn several_records_in_a_datagram_are_all_delivered() {
    let mut pair = Pair::connected();
    let mut datagram = Vec::new();
    for number in 0..5_u8 {
        datagram.extend(pair.client.seal(&[number]).unwrap());
    }
    datagram.extend_from_slice(b"trailing bytes that are no record");
    pair.server.deliver(pair.now, datagram);
    assert_eq!(pair.server.received, [[0], [1], [2], [3], [4]]);
    assert_eq!(pair.server.connection.stats().dropped_malformed, 1);
}

/// Users 32: a `close_notify` is sent, answered, and told within one poll.
#[test]
fn users_32_close_notify_closes_both_sides() {
    for side in [Side::Client, Side::Server] {
        let mut pair = Pair::connected();
        let now = pair.now;
        let other = if side == Side::Client { Side::Server } else { Side::Client };
        pair.peer(side).connection.close(now);
        assert_eq!(pair.peer(side).connection.poll_event(), None, "not before the alert is out");
        let sent = pair.peer(side).transmit(now);
        assert_eq!(sent.len(), 1);
        assert_eq!(pair.peer(side).close_reason(), Some(&CloseReason::Local));
        pair.peer(other).deliver(now, sent[0].clone());
        let answer = pair.peer(other).transmit(now);
        assert_eq!(answer.len(), 1, "a close_notify in return");
        let Some(CloseReason::Peer(alert)) = pair.peer(other).close_reason() else { panic!() };
        assert_eq!(alert.description, AlertDescription::CLOSE_NOTIFY);
        pair.peer(side).deliver(now, answer[0].clone());
        for side in [Side::Client, Side::Server] {
            let peer = pair.peer(side);
            assert_eq!(peer.connection.state(), State::Closed);
            assert_eq!(peer.events.len(), 2);
            assert!(peer.seal(b"x").is_none() && peer.keys().is_none());
            assert!(peer.transmit(now).is_empty());
            assert_eq!(peer.connection.poll_timeout(), None);
        }
    }
}

/// T-D18: closing in the middle of the handshake, at every step, ends both sides.
#[test]
fn t_d18_closing_during_the_handshake_ends_it() {
    for steps in 0..8 {
        for side in [Side::Client, Side::Server] {
            let mut pair = Pair::new();
            pair.start();
            for _ in 0..steps {
                let end = pair.now + Duration::from_secs(5);
                pair.step(end);
            }
            let now = pair.now;
            pair.peer(side).connection.close(now);
            pair.run(Duration::from_secs(300));
            assert_eq!(pair.peer(side).close_reason(), Some(&CloseReason::Local), "{steps} {side:?}");
            let other = pair.peer(if side == Side::Client { Side::Server } else { Side::Client });
            // A server that never saw a hello waits on; everybody else has heard or has given up.
            assert!(
                other.close_reason().is_some() || other.connection.state() == State::New,
                "{steps} {side:?}"
            );
        }
    }
}

/// Users 25: without a peer the hello is repeated with growing pauses, and then no more.
#[test]
fn users_25_retransmissions_back_off_and_stop() {
    let mut pair = Pair::new();
    let start = pair.now;
    pair.client.connection.start(start);
    let mut times = Vec::new();
    loop {
        for _ in pair.client.transmit(pair.now) {
            times.push(pair.now - start);
        }
        let Some(next) = pair.client.connection.poll_timeout() else { break };
        pair.now = next;
        pair.client.connection.handle_timeout(next);
        pair.client.poll_events();
    }
    let seconds: Vec<u64> = times.iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [0, 1, 3, 7, 15, 31], "RFC 6347 §4.2.4.1: 1 s, doubled each time");
    assert_eq!(pair.now - start, Duration::from_secs(60));
    assert_eq!(pair.client.events, [Event::Closed(CloseReason::Timeout)]);
}

/// RFC 6347 §4.2.4.1, with the round trip that ICE has measured.
#[test]
fn the_first_timeout_follows_the_round_trip() {
    for (round_trip, expected) in [(1, 50), (20, 60), (400, 1_200), (100_000, 60_000)] {
        let mut pair = Pair::new();
        pair.client.connection.set_round_trip(Duration::from_millis(round_trip));
        pair.client.connection.start(pair.now);
        pair.client.transmit(pair.now);
        let timeout = pair.client.connection.poll_timeout().unwrap() - pair.now;
        assert_eq!(timeout, Duration::from_millis(expected).min(Duration::from_secs(60)));
    }
}

/// Users 24: a repeated Finished makes the server repeat its last flight, once in a while and without a loop.
#[test]
fn users_24_a_repeated_finished_is_answered_once() {
    let mut pair = Pair::connected();
    let mut flight = Vec::new();
    for (side, datagram) in &pair.log {
        if *side == Side::Client && nonces(datagram).len() == 1 {
            flight = datagram.clone();
        }
    }
    let mut now = pair.now + Duration::from_secs(2);
    pair.server.deliver(now, flight);
    assert!(pair.server.transmit(now).is_empty(), "a copy of the same record is a replay");

    // A true repetition has a new sequence number.
    let mut pair = Pair::new();
    pair.network = Box::new(
        |side, number, _| {
            if side == Side::Server && number == 1 { Fate::Drop } else { Fate::Deliver }
        },
    );
    pair.start();
    pair.run(Duration::from_secs(30));
    pair.assert_talking();
    assert_eq!(pair.server.connection.stats().flights_resent, 1);
    now = pair.now + Duration::from_secs(100);
    assert!(pair.server.transmit(now).is_empty() && pair.client.transmit(now).is_empty());
}

/// T-D14: cookies of other sources, other hellos and other secrets are not taken; the last secret's are.
#[test]
fn t_d14_cookies_are_bound_to_source_and_hello() {
    let first = CookieSecret::new(&mut Seeded(1));
    let second = first.rotate(&mut Seeded(2));
    let third = second.rotate(&mut Seeded(3));
    let server = |secret: &CookieSecret, source: &[u8]| {
        let mut setup = Setup::new();
        setup.server_config = setup.server_config.with_cookie_policy(CookiePolicy::Required(secret.clone()));
        let mut pair = setup.build();
        pair.server.connection.set_cookie_source(source);
        pair.server.connection.start(pair.now);
        pair
    };
    // The hello with the cookie of the first secret, for source A.
    let mut pair = server(&first, b"A");
    let now = pair.now;
    pair.client.connection.start(now);
    let hello = pair.client.transmit(now).remove(0);
    pair.server.deliver(now, hello.clone());
    let request = pair.server.transmit(now).remove(0);
    assert!(request.len() <= hello.len(), "no amplification");
    assert_eq!((request[13], request[25], request[26]), (3, 0xfe, 0xff));
    assert_eq!(pair.server.connection.poll_timeout(), None, "no timer before the cookie");
    pair.client.deliver(now, request);
    let answer = pair.client.transmit(now).remove(0);

    let is_accepted = |secret: &CookieSecret, source: &[u8], hello: &[u8]| {
        let mut pair = server(secret, source);
        pair.server.deliver(pair.now, hello.to_vec());
        let flight = pair.server.transmit(pair.now);
        assert!(!flight.is_empty());
        assert_eq!(flight[0][13] == 2, pair.server.connection.cipher_suite().is_some());
        flight[0][13] == 2
    };
    assert!(is_accepted(&first, b"A", &answer), "a server without state takes the second hello");
    assert!(!is_accepted(&first, b"B", &answer), "another source");
    assert!(is_accepted(&second, b"A", &answer), "the secret before");
    assert!(!is_accepted(&third, b"A", &answer), "an old secret");
    let mut other = answer.clone();
    other[30] ^= 1;
    assert!(!is_accepted(&first, b"A", &other), "another hello");
    let mut other = answer;
    other[13 + 12 + 2 + 32 + 1 + 1 + 31] ^= 1;
    assert!(!is_accepted(&first, b"A", &other), "another cookie");
}

/// T-D14: the client gives back cookies of any length, and not for ever.
#[test]
fn t_d14_a_client_answers_cookies_of_any_length() {
    for len in [0, 1, 20, 255] {
        let mut pair = Pair::new();
        let now = pair.now;
        pair.client.connection.start(now);
        pair.client.transmit(now);
        for round in 0..3 {
            let mut body = Vec::new();
            hello_verify::write(&mut body, &vec![round; len]);
            pair.client.deliver(now, message(HandshakeType::HELLO_VERIFY_REQUEST, u16::from(round), &body));
            let hello = pair.client.transmit(now).remove(0);
            assert_eq!(usize::from(hello[13 + 12 + 2 + 32 + 1]), len);
            assert!(hello[13 + 12 + 2 + 32 + 2..].starts_with(&vec![round; len]));
        }
        let mut body = Vec::new();
        hello_verify::write(&mut body, b"once more");
        pair.client.deliver(now, message(HandshakeType::HELLO_VERIFY_REQUEST, 3, &body));
        pair.client.transmit(now);
        assert_eq!(pair.client.connection.state(), State::Failed);
    }
}

/// L3: an earlier time is taken for the latest.
#[test]
fn time_does_not_run_backwards() {
    let mut pair = Pair::new();
    let start = pair.now;
    pair.client.connection.start(start + Duration::from_secs(100));
    pair.client.transmit(start);
    assert_eq!(pair.client.connection.poll_timeout(), Some(start + Duration::from_secs(101)));
}

/// The handshake of a peer that sends nothing but its hello holds little.
#[test]
fn half_open_handshakes_hold_little() {
    let mut pair = Pair::new();
    pair.start();
    pair.step(pair.now + Duration::from_secs(1));
    let connection = &pair.server.connection;
    assert!(connection.shared.transcript.len() + connection.reassembly.bytes() <= 12 * 1024);
    pair.server.deliver(pair.now, record(22, 0, &[]));
    assert_eq!(pair.server.connection.stats().dropped_malformed, 0);
}

#[test]
fn a_connection_may_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<crate::Connection>();
}

/// RFC 5705 §4: label and context count, an empty context is not none, and TLS keeps its own labels.
#[test]
fn exporters_depend_on_label_and_context() {
    let pair = Pair::connected();
    let export = |label: &str, context: Option<&[u8]>| {
        let mut both = [[0; 40]; 2];
        for (connection, out) in [&pair.client.connection, &pair.server.connection].into_iter().zip(&mut both)
        {
            connection.export_keying_material(label, context, out)?;
        }
        assert_eq!(both[0], both[1]);
        Ok(both[0])
    };
    let mut seen = BTreeSet::new();
    for label in ["EXPORTER-a", "EXPORTER-b", "EXTRACTOR-dtls_srtp"] {
        for context in [None, Some(&b""[..]), Some(b"x")] {
            assert!(seen.insert(export(label, context).unwrap()), "{label} {context:?}");
        }
    }
    let mut short = [0; 16];
    pair.client.connection.export_keying_material("EXPORTER-a", None, &mut short).unwrap();
    assert_eq!(short, export("EXPORTER-a", None).unwrap()[..16]);
    assert_eq!(export("key expansion", None), Err(ExportError::ReservedLabel));
    assert_eq!(export("EXPORTER-a", Some(&[0; 65_536])), Err(ExportError::ContextTooLong));
}

/// Data never overtakes the last flight of the handshake.
#[test]
fn data_waits_for_the_last_flight() {
    let mut pair = Pair::new();
    pair.start();
    while !pair.server.is_connected() {
        pair.step(pair.now + Duration::from_secs(1));
    }
    assert_eq!(pair.server.events, [Event::Connected]);
    assert!(pair.server.seal(b"x").is_none());
    pair.transmit();
    assert!(pair.server.seal(b"x").is_some());
}

/// RFC 6347 §4.2.4.1: after a loss the next flight starts with the longer timer.
#[test]
fn the_timer_is_kept_after_a_loss() {
    for (lost, expected) in [(usize::MAX, 1), (0, 2)] {
        let mut pair = Pair::new();
        pair.network =
            Box::new(
                move |side, number, _| {
                    if side == Side::Client && number == lost { Fate::Drop } else { Fate::Deliver }
                },
            );
        pair.start();
        let flights = if lost == 0 { 3 } else { 2 };
        while pair.client.sent < flights {
            pair.step(pair.now + Duration::from_secs(5));
            pair.transmit();
        }
        let timeout = pair.client.connection.poll_timeout().unwrap() - pair.now;
        assert_eq!(timeout, Duration::from_secs(expected));
    }
}
