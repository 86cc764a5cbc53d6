//! Handshakes of two endpoints of ours.

#[path = "common/pair.rs"]
mod pair;

use dtls::{
    CipherSuite, Config, Connection, CookiePolicy, CookieSecret, ProtocolVersion, Role, SrtpPolicy,
    SrtpProfile, State,
};
use pair::{Fate, Pair, Seeded, Setup, Side};
use std::time::Duration;

#[test]
fn connects_in_two_round_trips() {
    let mut pair = Pair::new();
    assert_eq!(pair.client.connection.state(), State::New);
    let start = pair.now;
    pair.start();
    assert_eq!(pair.client.connection.state(), State::Connecting);
    assert_eq!(pair.server.connection.state(), State::New);
    pair.run(Duration::from_secs(5));
    pair.assert_talking();
    assert_eq!(pair.now - start, Duration::from_millis(40));
    assert_eq!(pair.client.connection.poll_timeout(), None);
    assert_eq!(pair.server.connection.poll_timeout(), None);
    let suite = Some(CipherSuite::ECDHE_ECDSA_AES_128_GCM_SHA256);
    for side in [Side::Client, Side::Server] {
        let connection = &pair.peer(side).connection;
        assert_eq!(connection.cipher_suite(), suite);
        assert_eq!(connection.version(), Some(ProtocolVersion::DTLS_1_2));
        assert_eq!(connection.srtp_profile(), Some(SrtpProfile::AEAD_AES_256_GCM.0));
        assert_eq!(connection.group().map(crypto::Group::number), Some(0x1d));
        assert_eq!(connection.stats().flights_resent, 0);
    }
    let (client, server) = pair::certificates();
    assert_eq!(pair.client.connection.peer_certificate_der(), Some(server.der()));
    assert_eq!(pair.server.connection.peer_certificate_der(), Some(client.der()));
}

/// T-D14, RFC 6347 §4.2.1: a server with cookies, a client that answers them.
#[test]
fn t_d14_connects_with_a_cookie() {
    let mut setup = Setup::new();
    let secret = CookieSecret::new(&mut Seeded(3));
    setup.server_config = setup.server_config.with_cookie_policy(CookiePolicy::Required(secret));
    let mut pair = setup.build();
    pair.server.connection.set_cookie_source(b"192.0.2.1:4000");
    let start = pair.now;
    pair.start();
    pair.run(Duration::from_secs(5));
    pair.assert_talking();
    assert_eq!(pair.now - start, Duration::from_millis(60));
}

/// T-D02: a listener without ICE keeps nothing for sources that have proved nothing, and true clients get through.
#[test]
fn t_d02_a_listener_keeps_nothing_before_the_cookie() {
    let (client_certificate, server_certificate) = pair::certificates();
    let secret = CookieSecret::new(&mut Seeded(3));
    let config = Config::new(pair::provider()).with_cookie_policy(CookiePolicy::Required(secret));
    let config = std::sync::Arc::new(config);
    let mut pair = Pair::new();
    let now = pair.now;
    let listen = |source: &[u8]| {
        let rng = Box::new(Seeded(8));
        let (config, certificate) = (std::sync::Arc::clone(&config), server_certificate.clone());
        let mut connection = Connection::new(config, Role::Server, certificate, now, rng);
        connection.set_cookie_source(source);
        connection.expect_fingerprints(now, vec![pair::fingerprint(&client_certificate)]);
        connection.start(now);
        connection
    };
    pair.client.connection.start(now);
    let hello = pair.client.transmit(now).remove(0);
    let mut request = Vec::new();
    for source in 0..1_000_u32 {
        let mut connection = listen(&source.to_be_bytes());
        connection.handle_datagram(now, &mut hello.clone(), &mut |_| ());
        request.clear();
        assert!(connection.poll_transmit(now, &mut request).is_some_and(|len| len.get() <= hello.len()));
        assert_eq!((connection.state(), connection.poll_timeout()), (State::New, None), "may be dropped");
    }
    pair.client.deliver(now, request);
    let answer = pair.client.transmit(now).remove(0);
    pair.server.connection = listen(&999_u32.to_be_bytes());
    pair.server.deliver(now, answer);
    assert_eq!(pair.server.connection.state(), State::Connecting);
    pair.run(Duration::from_secs(5));
    pair.assert_talking();
}

#[test]
fn srtp_profile_is_the_servers_choice_of_what_is_offered() {
    let mut setup = Setup::new();
    setup.client_config =
        setup.client_config.with_srtp_profiles([SrtpProfile(1), SrtpProfile(8), SrtpProfile(7)]);
    setup.server_config = setup.server_config.with_srtp_profiles([SrtpProfile(7), SrtpProfile(1)]);
    let mut pair = setup.build();
    pair.start();
    pair.run(Duration::from_secs(5));
    pair.assert_talking();
    assert_eq!(pair.client.connection.srtp_profile(), Some(7));
    assert_eq!(pair.server.connection.srtp_profile(), Some(7));
}

#[test]
fn srtp_may_be_left_out_where_it_is_optional() {
    for (client, server) in [(0, 1), (1, 0), (0, 0)] {
        let mut setup = Setup::new();
        setup.client_config = setup.client_config.with_srtp_policy(SrtpPolicy::Optional);
        setup.server_config = setup.server_config.with_srtp_policy(SrtpPolicy::Optional);
        if client == 0 {
            setup.client_config = setup.client_config.with_srtp_profiles([]);
        }
        if server == 0 {
            setup.server_config = setup.server_config.with_srtp_profiles([]);
        }
        let mut pair = setup.build();
        pair.start();
        pair.run(Duration::from_secs(5));
        pair.assert_talking();
        assert_eq!(pair.client.connection.srtp_profile(), None);
    }
}

/// RFC 8122 §6.2: data before the answer is held until the fingerprint is known.
#[test]
fn dtls_data_before_answer_held_until_fingerprint_known() {
    let mut setup = Setup::new();
    let expected = setup.server_expects.take().unwrap();
    let mut pair = setup.build();
    pair.start();
    pair.run(Duration::from_secs(5));
    assert!(pair.client.is_connected());
    assert_eq!(pair.server.connection.state(), State::Connecting);
    assert!(pair.server.events.is_empty() && pair.server.keys().is_none());
    assert!(pair.server.seal(b"too early").is_none());
    let now = pair.now;
    for number in 0..6_u8 {
        let record = pair.client.seal(&[number]).unwrap();
        pair.server.deliver(now, record);
    }
    assert!(pair.server.received.is_empty());
    pair.server.connection.expect_fingerprints(now, expected);
    pair.server.deliver(now, Vec::new());
    assert_eq!(pair.server.received, [[2], [3], [4], [5]], "the newest four");
    pair.server.received.clear();
    pair.assert_talking();
}

/// Users 24: every datagram of the handshake lost, doubled or delayed, alone and in pairs.
#[test]
fn every_single_and_every_pair_of_datagrams_may_be_disturbed() {
    let fates = [Fate::Drop, Fate::Duplicate, Fate::Delay(Duration::from_millis(300))];
    let mut clean = small_datagrams();
    clean.start();
    clean.run(Duration::from_secs(5));
    let total = clean.log.len();
    assert!(total >= 7, "{total} datagrams");
    for first in 0..total {
        for second in first..total {
            for fate in &fates {
                let mut pair = small_datagrams();
                let (mut number, fate) = (0, fate.clone());
                pair.network = Box::new(move |_, _, _| {
                    number += 1;
                    if number - 1 == first || number - 1 == second { fate.clone() } else { Fate::Deliver }
                });
                pair.start();
                pair.run(Duration::from_secs(30));
                pair.assert_talking();
            }
        }
    }
}

/// T-D21: whichever of the first datagrams are lost, both sides end with the same keys; only when a flight is lost
/// as often as it is sent within the time of a handshake, neither has any.
#[test]
fn t_d21_every_subset_of_the_first_datagrams_may_be_lost() {
    for lost in 0..1_u32 << 10 {
        let mut pair = small_datagrams();
        let mut number = 0;
        pair.network = Box::new(move |_, _, _| {
            number += 1;
            if number <= 10 && lost >> (number - 1) & 1 == 1 { Fate::Drop } else { Fate::Deliver }
        });
        pair.start();
        pair.run(Duration::from_secs(100));
        if lost == (1 << 10) - 1 {
            assert!(pair.client.keys().is_none() && pair.server.keys().is_none());
        } else {
            pair.assert_talking();
        }
    }
}

/// A pair whose flights take several datagrams.
fn small_datagrams() -> Pair {
    let mut setup = Setup::new();
    setup.client_config = setup.client_config.with_mtu(300);
    setup.server_config = setup.server_config.with_mtu(300);
    let mut pair = setup.build();
    for side in [Side::Client, Side::Server] {
        pair.peer(side).connection.set_round_trip(Duration::from_millis(20));
    }
    pair
}
