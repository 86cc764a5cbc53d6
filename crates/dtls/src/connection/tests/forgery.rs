//! Records of somebody who is not the peer.

use super::pair::{Fate, Pair, Seeded, Setup, Side, certificates, origin, provider};
use super::{forged, message, record};
use crate::handshake::HandshakeType;
use crate::handshake::fragment::Fragment;
use crate::record::ContentType;
use crate::{Alert, AlertDescription, CloseReason, Config, Connection, Event, Role, State};
use std::sync::Arc;
use std::time::Duration;

/// T-D08: after the handshake nothing in clear text is heard.
#[test]
fn t_d08_clear_text_after_the_handshake_is_dropped() {
    let mut pair = Pair::connected();
    let now = pair.now;
    for content in 0..=u8::MAX {
        for (sequence, body) in [(0, &[2, 40][..]), (50, &[1, 0]), (1 << 40, &[1]), ((1 << 48) - 1, b"data")]
        {
            for side in [Side::Client, Side::Server] {
                pair.peer(side).deliver(now, record(content, sequence, body));
                assert!(pair.peer(side).received.is_empty());
                assert!(pair.peer(side).transmit(now).is_empty());
            }
        }
    }
    pair.run(Duration::from_secs(100));
    pair.assert_talking();
    assert!(pair.server.connection.stats().dropped_epoch >= 40);
}

/// T-D08: application data in clear text during the handshake, too.
#[test]
fn t_d08_clear_text_data_during_the_handshake_is_dropped() {
    let mut pair = Pair::new();
    pair.start();
    for _ in 0..20 {
        let now = pair.now;
        for side in [Side::Client, Side::Server] {
            pair.peer(side).deliver(now, record(23, 7, b"data"));
        }
        pair.step(now + Duration::from_secs(1));
    }
    assert!(pair.client.received.is_empty() && pair.server.received.is_empty());
    pair.assert_talking();
}

/// T-D09: forged records with high numbers do not move the replay window.
#[test]
fn t_d09_forged_records_do_not_move_the_window() {
    let mut pair = Pair::connected();
    let now = pair.now;
    for epoch in [1, 2] {
        for content in [21, 22, 23] {
            pair.server.deliver(now, forged(content, epoch, (1 << 48) - 1, 64));
        }
    }
    for number in 0..1_000_u32 {
        let sealed = pair.client.seal(&number.to_be_bytes()).unwrap();
        pair.server.deliver(now, sealed.clone());
        pair.server.deliver(now, sealed);
        assert_eq!(pair.server.received.pop().as_deref(), Some(&number.to_be_bytes()[..]));
        assert!(pair.server.received.is_empty(), "each record once");
    }
    let stats = pair.server.connection.stats();
    assert_eq!((stats.dropped_unauthentic, stats.dropped_epoch, stats.dropped_replayed), (3, 3, 1_000));
}

/// T-D10: records of the next epoch are kept within bounds, and the handshake goes on.
#[test]
fn t_d10_records_of_the_next_epoch_are_bounded() {
    let mut pair = Pair::new();
    pair.start();
    let now = pair.now;
    for sequence in 0..1_000 {
        pair.server.deliver(now, forged(23, 1, sequence, 1_000));
        assert_eq!(pair.server.connection.future.bytes(), 0, "nothing before a hello");
    }
    pair.step(now + Duration::from_secs(1));
    for sequence in 0..100_000 {
        pair.server.deliver(now, forged(23, 1, sequence, 1_000));
    }
    assert!(pair.server.connection.future.bytes() <= 8 * 1024);
    assert_eq!(pair.server.connection.stats().dropped_early, 100_000 - 4);
    pair.run(Duration::from_secs(30));
    pair.assert_talking();
}

/// T-D05, T-D06: fragments without content, and claims of long messages, at every step of the handshake.
#[test]
fn t_d05_t_d06_hostile_fragments_cost_little_and_change_nothing() {
    let mut pair = Pair::new();
    pair.start();
    let mut most = 0;
    for _ in 0..20 {
        let now = pair.now;
        for side in [Side::Client, Side::Server] {
            for number in 0..200_u32 {
                let mut body = Vec::new();
                let claims = [(16_000, number, &b""[..]), ((1 << 24) - 1, 0, b"x"), (9_000, 5, b"x")];
                let empty = [(0_u32, 0_u32, &b""[..]), (16_000, number, b"")];
                // Numbers beyond the last message of a handshake: nothing true is displaced.
                let seq = 6 + (number % 8) as u16;
                let parts: &[_] = if number % 2 == 0 { &claims } else { &empty };
                for &(length, offset, content) in parts {
                    Fragment { kind: HandshakeType::CERTIFICATE, length, seq, offset, body: content }
                        .write(&mut body);
                }
                pair.peer(side).deliver(now, record(22, u64::from(number), &body));
                let connection = &pair.peer(side).connection;
                most = most.max(connection.reassembly.bytes() + connection.shared.transcript.len());
            }
        }
        pair.step(now + Duration::from_secs(1));
    }
    assert!((9_000..=48 * 1024).contains(&most), "{most}");
    pair.run(Duration::from_secs(30));
    pair.assert_talking();
}

/// T-D01: an alert in clear text ends nothing while the peer goes on.
#[test]
fn t_d01_forged_alerts_do_not_end_the_handshake() {
    let mut pair = Pair::new();
    pair.start();
    for _ in 0..20 {
        let now = pair.now;
        for side in [Side::Client, Side::Server] {
            pair.peer(side).deliver(now, record(21, 3, &[2, 40]));
            pair.peer(side).deliver(now, record(21, 4, &[1, 0]));
        }
        pair.step(now + Duration::from_secs(1));
    }
    pair.assert_talking();
}

/// T-D01: forged messages in clear text, once everything that remains is protected, disturb nothing.
#[test]
fn t_d01_clear_text_cannot_displace_protected_messages() {
    for seq in 0..8 {
        let mut pair = Pair::new();
        pair.start();
        let start = pair.now;
        for _ in 0..20 {
            for side in [Side::Client, Side::Server] {
                let awaits_protected = pair.peer(side).connection.machine.awaits_protected();
                if awaits_protected {
                    let now = pair.now;
                    pair.peer(side).deliver(now, message(HandshakeType::FINISHED, seq, &[0; 12]));
                    pair.peer(side).deliver(now, message(HandshakeType::CERTIFICATE, seq, &[0; 12]));
                }
            }
            pair.step(start + Duration::from_secs(5));
        }
        pair.run(Duration::from_secs(5));
        pair.assert_talking();
    }
}

/// When the peer falls silent after it, the alert was true, and the end comes soon.
#[test]
fn an_alert_in_clear_text_is_believed_when_nothing_follows() {
    let mut pair = Pair::new();
    pair.network = Box::new(|side, _, _| match side {
        Side::Client => Fate::Drop,
        Side::Server => Fate::Deliver,
    });
    pair.client.connection.set_round_trip(Duration::from_millis(20));
    pair.start();
    pair.transmit();
    let now = pair.now;
    pair.client.deliver(now, record(21, 0, &[2, 40]));
    pair.run(Duration::from_secs(60));
    let alert = Alert::fatal(AlertDescription::HANDSHAKE_FAILURE);
    assert_eq!(pair.client.events, [Event::Closed(CloseReason::Peer(alert))]);
    assert!(pair.now - now < Duration::from_secs(1));
}

/// T-D20: renegotiation is refused with a warning, in both roles, and the connection goes on.
#[test]
fn t_d20_renegotiation_is_refused() {
    let mut pair = Pair::connected();
    let now = pair.now;
    for (from, kind) in
        [(Side::Client, HandshakeType::CLIENT_HELLO), (Side::Server, HandshakeType::HELLO_REQUEST)]
    {
        let to = if from == Side::Client { Side::Server } else { Side::Client };
        for seq in 9..12 {
            let mut out = Vec::new();
            let epoch = pair.peer(from).connection.shared.write.protected.as_mut().unwrap();
            epoch
                .seal_with(ContentType::Handshake, &mut out, |out| {
                    Fragment { kind, length: 4, seq, offset: 0, body: b"here" }.write(out);
                    Some(())
                })
                .unwrap();
            pair.peer(to).deliver(now, out);
        }
        assert_eq!(pair.peer(to).connection.stats().refused_renegotiations, 3);
        let answer = pair.peer(to).transmit(now);
        assert_eq!(answer.len(), 1);
        pair.peer(from).deliver(now, answer.into_iter().next().unwrap());
        assert_eq!(pair.peer(from).connection.state(), State::Connected);
    }
    pair.assert_talking();
}

/// Nothing is taken before `start`, and nothing is answered to anything but a hello.
#[test]
fn t_d03_a_server_that_waits_answers_nothing_but_hellos() {
    let mut pair = Pair::new();
    let now = pair.now;
    pair.server.deliver(now, message(HandshakeType::CLIENT_HELLO, 0, b"x"));
    assert!(pair.server.events.is_empty() && pair.server.connection.stats().dropped_unexpected == 1);
    pair.server.connection.start(now);
    for content in 0..=u8::MAX {
        for epoch in 0..3 {
            if content != 22 || epoch != 0 {
                pair.server.deliver(now, forged(content, epoch, 0, 40));
            }
        }
    }
    assert!(pair.server.transmit(now).is_empty());
    assert_eq!(pair.server.connection.reassembly.bytes() + pair.server.connection.future.bytes(), 0);
    assert_eq!(pair.server.connection.state(), State::New);
    assert_eq!(pair.server.connection.poll_timeout(), None);
}

/// T-D13: randoms never repeat, within a connection's life and between connections.
#[test]
fn t_d13_randoms_are_different() {
    let (certificate, _) = certificates();
    let config = Arc::new(Config::new(provider()));
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..10_000 {
        let now = origin();
        let mut client = Connection::new(
            Arc::clone(&config),
            Role::Client,
            certificate.clone(),
            now,
            Box::new(Seeded(seed)),
        );
        client.start(now);
        let mut out = Vec::new();
        assert!(client.poll_transmit(now, &mut out).is_some());
        let random: [u8; 32] = out[27..59].try_into().unwrap();
        assert_ne!(random, [0; 32]);
        assert!(seen.insert(random));
    }
}

/// Users 29: a hello from elsewhere, before or during a session, is not the peer's and changes nothing. Which
/// datagrams are the peer's is for ICE to say; here the worst of them has arrived.
#[test]
fn users_29_hellos_during_a_session_change_nothing() {
    let mut stranger = Setup::new();
    stranger.seed = 4;
    let mut stranger = stranger.build();
    stranger.client.connection.start(stranger.now);
    let hello = stranger.client.transmit(stranger.now).remove(0);
    let mut pair = Pair::connected();
    let now = pair.now;
    for _ in 0..1_000 {
        pair.server.deliver(now, hello.clone());
        pair.client.deliver(now, hello.clone());
    }
    assert!(pair.server.transmit(now).is_empty() && pair.client.transmit(now).is_empty());
    pair.assert_talking();
}

/// RFC 6347 §4.2.4: data before the Finished message shows a loss, which is repaired without waiting for the timer.
#[test]
fn data_before_finished_repairs_a_lost_flight() {
    let mut pair = Pair::new();
    pair.network = Box::new(
        |side, number, _| {
            if side == Side::Server && number == 1 { Fate::Drop } else { Fate::Deliver }
        },
    );
    pair.start();
    while !pair.server.is_connected() {
        pair.step(pair.now + Duration::from_secs(1));
    }
    pair.transmit();
    pair.now += Duration::from_millis(600);
    let (now, start) = (pair.now, pair.now);
    let data = pair.server.seal(b"early").unwrap();
    pair.client.deliver(now, data);
    assert!(pair.client.received.is_empty());
    while !pair.client.is_connected() {
        assert!(pair.step(start + Duration::from_millis(100)));
    }
    assert_eq!(pair.client.received, [b"early"]);
    pair.client.received.clear();
    pair.assert_talking();
}

/// A peer that says farewell in clear text, in the middle of the handshake, is missed soon.
#[test]
fn a_farewell_in_clear_text_is_believed_when_nothing_follows() {
    let mut pair = Pair::new();
    pair.server.connection.set_round_trip(Duration::from_millis(20));
    pair.start();
    pair.step(pair.now + Duration::from_secs(1));
    pair.client.connection.close(pair.now);
    let start = pair.now;
    pair.run(Duration::from_secs(100));
    let alert = Alert::warning(AlertDescription::CLOSE_NOTIFY);
    assert_eq!(pair.server.events, [Event::Closed(CloseReason::Peer(alert))]);
    assert_eq!(pair.server.connection.state(), State::Closed);
    assert!(pair.now - start < Duration::from_secs(1));
}

/// T-D12: hellos of many would-be newcomers, in a burst on the very path of a session and between its records, in both
/// roles. The session goes on, and keeps nothing of them.
#[test]
fn t_d12_a_storm_of_hellos_leaves_the_session_alone() {
    let (certificate, _) = certificates();
    let config = Arc::new(Config::new(provider()));
    let hellos: Vec<Vec<u8>> = (0..100)
        .map(|seed| {
            let (config, certificate) = (Arc::clone(&config), certificate.clone());
            let now = origin();
            let mut client =
                Connection::new(config, Role::Client, certificate, now, Box::new(Seeded(1_000 + seed)));
            client.start(now);
            let mut hello = Vec::new();
            assert!(client.poll_transmit(now, &mut hello).is_some());
            hello
        })
        .collect();
    let mut pair = Pair::connected();
    let keys = pair.client.keys();
    for number in 0..10_000_usize {
        let now = pair.now;
        for side in [Side::Client, Side::Server] {
            // Repeated hellos get new record numbers, as the originals would.
            let mut hello = hellos[number % hellos.len()].clone();
            hello[5..11].copy_from_slice(&(number as u64).to_be_bytes()[2..]);
            pair.peer(side).deliver(now, hello);
            let connection = &pair.peer(side).connection;
            assert_eq!(connection.reassembly.bytes() + connection.future.bytes(), 0);
        }
        if number % 500 == 0 {
            pair.assert_talking();
        }
    }
    assert_eq!(pair.client.keys(), keys);
    let now = pair.now;
    assert!(pair.server.transmit(now).is_empty() && pair.client.transmit(now).is_empty());
    pair.run(Duration::from_secs(60));
    pair.assert_talking();
}
