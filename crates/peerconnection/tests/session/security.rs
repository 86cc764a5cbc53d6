//! Attackers on the network, and peers that are not who they say.

use crate::call::{ALICE, BOB, BOB_ELSEWHERE, Call, Kind, Who, address, kind_of, ms, picture, secs};
use peerconnection::{
    Configuration, Datagram, Description, Direction, DtlsSetup, DtlsTransportState, MediaKind,
    PeerConnectionState,
    bytes::BytesMut,
    crypto::{self, HashId},
    dtls::{self, Certificate, CertificateOptions},
    stun::net::FiveTuple,
};
use std::{cell::RefCell, net::SocketAddr, rc::Rc, sync::Arc, time::Duration};
use testkit::{Link, Point, Seed, Verdict};

/// The attacker: somewhere else, and on the peer's own address with another port.
const MALLORY: [&str; 2] = ["198.51.100.66:6666", "192.0.2.2:6666"];

/// A DTLS 1.2 record of epoch 0.
fn record(content_type: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![content_type, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99];
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}

/// A handshake message, or a piece of it (RFC 6347 §4.2.2).
fn handshake(message_type: u8, body: &[u8], offset: usize, len: usize) -> Vec<u8> {
    let number = |value: usize| (value as u32).to_be_bytes()[1..].to_vec();
    let piece = &body[offset..offset + len];
    record(
        22,
        &[&[message_type][..], &number(body.len()), &[0, 0], &number(offset), &number(len), piece].concat(),
    )
}

/// What the attacker says: every datagram alone would end a handshake that listens to it.
fn attacks() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    // TLS_NULL_WITH_NULL_NULL alone (CVE-2023-49786).
    let null_hello = [&[0xfe, 0xfd][..], &[7; 32], &[0, 0, 0, 2, 0, 0, 1, 0]].concat();
    let pieces = (0..null_hello.len()).map(|offset| handshake(1, &null_hello, offset, 1)).collect();
    let hello_request = handshake(0, &[], 0, 0);
    let noise = Seed::new(1).random().bytes(200);
    vec![
        ("a hello without ciphers", vec![handshake(1, &null_hello, 0, null_hello.len())]),
        ("a hello in pieces", pieces),
        ("a perfect hello", vec![perfect_hello()]),
        ("a fatal alert", vec![record(21, &[2, 40])]),
        ("a close_notify", vec![record(21, &[1, 0])]),
        ("a hello request", vec![hello_request]),
        ("garbage", vec![record(22, &noise), record(23, &noise), record(20, &[1]), vec![63; 30], vec![22]]),
    ]
}

/// The first flight of a good client with a certificate of its own.
fn perfect_hello() -> Vec<u8> {
    let seed = Seed::new(2);
    let provider = crypto::rustcrypto::provider();
    let now = testkit::start();
    let mut random = seed.random();
    let certificate =
        Certificate::generate(&provider, &mut random, Duration::from_secs(1), &CertificateOptions::new())
            .expect("made");
    let config = Arc::new(dtls::Config::new(provider));
    let mut client =
        dtls::Connection::new(config, dtls::Role::Client, certificate, now, seed.boxed_random("client"));
    client.start(now);
    let mut out = Vec::new();
    client.poll_transmit(now, &mut out).expect("a hello");
    out
}

fn with_setup(seed: u64, bob: DtlsSetup) -> Call {
    let link = Link::new().latency(ms(20));
    Call::with(seed, link, [Configuration::default(), Configuration::default().with_dtls_setup(bob)])
}

fn all_drops(call: &Call, who: Who) -> u64 {
    call.session(who).stats().drops.ignored
}

/// Connects while `attack` comes from `mallory` behind the DTLS datagram number `flight`. Returns how long it took.
fn connect_under_attack(
    setup: DtlsSetup,
    mallory: SocketAddr,
    flight: usize,
    attack: &[Vec<u8>],
) -> Option<Duration> {
    let mut call = with_setup(1, setup);
    call.open(Who::Alice, "chat");
    let internet = call.world.internet();
    let count = Rc::new(RefCell::new(0));
    let (counter, datagrams) = (Rc::clone(&count), attack.to_vec());
    call.world.on_wire(move |sighting, wire| {
        if matches!(sighting.point, Point::Sent(_)) && kind_of(sighting.datagram) == Kind::Dtls {
            let number = counter.replace_with(|number| *number + 1);
            if number == flight {
                for datagram in &datagrams {
                    // Before, together with, and after the real one.
                    for (delay, victim) in
                        [(0, ALICE), (20, ALICE), (25, ALICE), (0, BOB), (20, BOB), (25, BOB)]
                    {
                        wire.inject(internet, ms(delay), mallory, address(victim), datagram);
                    }
                }
            }
        }
        Verdict::Pass
    });
    call.negotiate(Who::Alice);
    // The very first datagrams of all, before any check.
    if flight == 0 {
        for datagram in attack {
            call.world.inject(internet, mallory, address(ALICE), datagram);
            call.world.inject(internet, mallory, address(BOB), datagram);
        }
    }
    let took = call.connect();
    if *count.borrow() <= flight {
        return None;
    }
    call.world.run_for(secs(2));
    let to_mallory = call.sent.borrow().iter().filter(|sent| sent.destination == mallory).count();
    assert_eq!(to_mallory, 0, "nothing is answered");
    let expected = attack.len() as u64 * 3;
    for who in Who::BOTH {
        assert!(
            all_drops(&call, who) >= expected,
            "{who:?} counts what it drops: {:?}",
            call.session(who).stats().drops
        );
        let dtls = call.session(who).stats().transport.dtls.expect("DTLS");
        assert_eq!(
            (dtls.dropped_malformed, dtls.dropped_unexpected, dtls.flights_resent),
            (0, 0, 0),
            "{who:?}"
        );
    }
    Some(took)
}

/// T-D01: the hello race. Whatever an attacker says in whichever flight, the call connects as fast as without.
#[test]
fn t_d01_a_stranger_cannot_disturb_the_handshake() {
    for setup in [DtlsSetup::Active, DtlsSetup::Passive] {
        let mut undisturbed = with_setup(1, setup);
        undisturbed.open(Who::Alice, "chat");
        undisturbed.negotiate(Who::Alice);
        let expected = undisturbed.connect();
        for (name, attack) in attacks() {
            for mallory in MALLORY {
                let mut flights = 0;
                while let Some(took) = connect_under_attack(setup, address(mallory), flights, &attack) {
                    assert_eq!(took, expected, "{name} from {mallory} in flight {flights}, {setup:?}");
                    flights += 1;
                }
                assert!(flights >= 4, "a handshake has four flights at least, not {flights}");
            }
        }
    }
}

/// T-D01, the other side of it: what comes over another path that has passed a check is taken (RFC 8445 §12.2).
#[test]
fn t_d01_a_second_validated_path_is_heard() {
    let mut call = Call::new(2);
    call.act(Who::Bob, |session, now| session.add_local_address(now, address(BOB_ELSEWHERE), None));
    let channels = call.with_channel();
    call.world.run_for(secs(3));
    let stats = call.session(Who::Alice).stats().ice;
    let heard = |text: &str| {
        stats.pairs.iter().any(|pair| {
            pair.remote.to_string().contains(text.trim_end_matches(":5000"))
                && pair.counters.responses_received > 0
        })
    };
    assert!(heard(BOB) && heard(BOB_ELSEWHERE), "both of Bob's addresses were checked: {:#?}", stats.pairs);
    let internet = call.world.internet();
    call.world.on_wire(move |sighting, wire| {
        let other = match sighting.source {
            source if source == address(BOB) => address(BOB_ELSEWHERE),
            source if source == address(BOB_ELSEWHERE) => address(BOB),
            _ => return Verdict::Pass,
        };
        if !matches!(sighting.point, Point::Sent(_)) || kind_of(sighting.datagram) != Kind::Dtls {
            return Verdict::Pass;
        }
        wire.inject(internet, ms(20), other, address(ALICE), sighting.datagram);
        Verdict::Drop
    });
    let before = all_drops(&call, Who::Alice);
    call.exchange(Who::Bob, channels, b"from my other address");
    assert_eq!(all_drops(&call, Who::Alice), before);
}

/// T-I08 and users 13: before a check has succeeded nothing reaches DTLS or SRTP, and no handshake begins.
#[test]
fn t_i08_nothing_is_heard_before_a_path_is_validated() {
    let mut call = Call::new(3);
    let id = call.transceiver(Who::Alice, MediaKind::Video, Direction::SendRecv);
    // No check gets through.
    call.world.on_wire(|sighting, _| match kind_of(sighting.datagram) {
        Kind::Stun => Verdict::Drop,
        Kind::Dtls | Kind::Other | Kind::Rtcp | Kind::Rtp => Verdict::Pass,
    });
    call.negotiate(Who::Alice);
    let internet = call.world.internet();
    let hello = perfect_hello();
    let rtp = [&[0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9][..], &[0; 40]].concat();
    let rtcp = [&[0x80, 200, 0, 6, 0, 0, 0, 9][..], &[0; 40]].concat();
    let channel_data = [&[0x40, 0, 0, hello.len() as u8][..], &hello].concat();
    for source in [MALLORY[0], MALLORY[1], BOB] {
        for datagram in [&hello, &rtp, &rtcp, &channel_data] {
            call.world.inject(internet, address(source), address(ALICE), datagram);
            call.world.run_for(ms(200));
        }
    }
    assert!(!call.frame(Who::Alice, id, picture(true, 500, 0), 0), "media has no path");
    let stats = call.session(Who::Alice).stats();
    let dtls = stats.transport.dtls.expect("the role is known");
    assert_eq!((dtls.records_received, dtls.records_sent, dtls.dropped_malformed), (0, 0, 0));
    assert_eq!((stats.media.rtp_received, stats.media.rtcp_received), (0, 0));
    assert_eq!((stats.drops.early, stats.drops.unauthenticated, stats.drops.ignored), (0, 0, 12));
    assert_eq!(stats.transport.dtls_state, DtlsTransportState::New);
    assert_eq!(call.sent_by(Who::Alice, &[Kind::Dtls, Kind::Rtp, Kind::Rtcp, Kind::Other]), 0);
    let to_mallory = |call: &Call| {
        call.sent.borrow().iter().filter(|sent| sent.destination == address(MALLORY[0])).count()
    };
    assert_eq!(to_mallory(&call), 0);
}

/// T-I08 after nomination: the very datagrams that the peer would have sent are dropped when they come from elsewhere,
/// and re-point nothing (users 13).
#[test]
fn t_i08_nothing_is_heard_from_elsewhere_in_a_running_call() {
    for mallory in MALLORY {
        let mut call = Call::new(4);
        let ours = call.transceiver(Who::Alice, MediaKind::Video, Direction::SendRecv);
        let channel = call.open(Who::Alice, "chat");
        let offer = call.offer(Who::Alice);
        call.take(Who::Bob, offer);
        let theirs = call.track(Who::Bob, MediaKind::Video);
        let answer = call.answer(Who::Bob);
        call.take(Who::Alice, answer);
        call.connect();
        assert!(call.until(secs(5), |call| !call.announced(Who::Bob).is_empty()).is_some());
        call.world.run_for(secs(1));
        let internet = call.world.internet();
        let stolen = Rc::new(RefCell::new([0_u64; 3]));
        let (counter, mallory) = (Rc::clone(&stolen), address(mallory));
        let is_on = Rc::new(RefCell::new(true));
        let switch = Rc::clone(&is_on);
        call.world.on_wire(move |sighting, wire| {
            let kind = match kind_of(sighting.datagram) {
                Kind::Dtls => 0,
                Kind::Rtp => 1,
                Kind::Rtcp => 2,
                Kind::Other | Kind::Stun => return Verdict::Pass,
            };
            if !*switch.borrow()
                || sighting.source != address(BOB)
                || !matches!(sighting.point, Point::Sent(_))
            {
                return Verdict::Pass;
            }
            counter.borrow_mut()[kind] += 1;
            wire.inject(internet, ms(40), mallory, address(ALICE), sighting.datagram);
            Verdict::Drop
        });
        let before = call.session(Who::Alice).stats();
        let channels = (channel, call.announced(Who::Bob)[0].channel);
        for time in 0..50 {
            call.frame(Who::Bob, theirs, picture(true, 500, 1), time * 3_000);
            call.send(Who::Bob, channels.1, "stolen");
            call.world.run_for(ms(40));
        }
        is_on.replace(false);
        call.world.run_for(ms(100));
        let after = call.session(Who::Alice).stats();
        let [dtls, rtp, rtcp] = *stolen.borrow();
        assert!(dtls > 0 && rtp >= 50 && rtcp > 0, "{dtls} {rtp} {rtcp}");
        assert_eq!(after.drops.ignored - before.drops.ignored, dtls + rtp + rtcp);
        assert_eq!(after.drops.unauthenticated, before.drops.unauthenticated);
        assert_eq!(after.media.rtp_received, before.media.rtp_received);
        assert_eq!(after.media.rtcp_received, before.media.rtcp_received);
        assert_eq!(after.transport.dtls, before.transport.dtls);
        assert!(call.frames(Who::Alice, ours).is_empty());
        assert_eq!(call.recv(Who::Alice, channels.0), None);
        // The call goes on as if nothing had been.
        for _ in 0..50 {
            call.send(Who::Alice, channels.0, "still to Bob");
            call.world.run_for(ms(20));
        }
        call.world.run_for(secs(5));
        assert_eq!(std::iter::from_fn(|| call.recv(Who::Bob, channels.1)).count(), 50);
        assert_eq!(std::iter::from_fn(|| call.recv(Who::Alice, channels.0)).count(), 50);
        assert_eq!(call.sent.borrow().iter().filter(|sent| sent.destination == mallory).count(), 0);
    }
}

/// Users 52: SCTP begins when DTLS is done. Before that nothing is sent, and neither bare packets nor such in clear text
/// records reach it, not even over the checked path of the peer.
#[test]
fn users_52_no_sctp_before_dtls() {
    let mut call = Call::new(5);
    let channel = call.open(Who::Alice, "chat");
    let is_cut = Rc::new(RefCell::new(true));
    let cut = Rc::clone(&is_cut);
    // ICE succeeds, DTLS does not.
    call.world.on_wire(move |sighting, _| match kind_of(sighting.datagram) {
        Kind::Dtls if *cut.borrow() && sighting.source != address(MALLORY[0]) => Verdict::Drop,
        Kind::Dtls | Kind::Other | Kind::Rtcp | Kind::Rtp | Kind::Stun => Verdict::Pass,
    });
    call.negotiate(Who::Alice);
    let both = |call: &Call| {
        Who::BOTH.iter().all(|who| call.session(*who).stats().ice.pairs.iter().any(|pair| pair.selected))
    };
    assert!(call.until(secs(5), both).is_some());
    // INIT: ports 5000, tag 0, no checksum worth the name; the same with one.
    let mut init = [&[0x13, 0x88, 0x13, 0x88][..], &[0; 8], &[1, 0, 0, 20, 0, 0, 0, 7]].concat();
    init.extend([0, 16, 0, 0, 0, 9, 0, 9, 0, 0, 0, 1]);
    let crc = !init.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    });
    let mut sealed = init.clone();
    sealed[8..12].copy_from_slice(&crc.to_le_bytes());
    for packet in [&init, &sealed] {
        for datagram in [packet.clone(), record(23, packet), record(22, packet)] {
            for (source, victim) in [(BOB, Who::Alice), (ALICE, Who::Bob)] {
                call.act(victim, |session, now| {
                    let own = if victim == Who::Alice { ALICE } else { BOB };
                    let path = FiveTuple::udp(address(own), address(source));
                    let payload = BytesMut::from(&datagram[..]);
                    session.handle_datagram(now, Datagram { path, ecn: None, arrival: now, payload });
                });
            }
            call.world.run_for(ms(100));
        }
    }
    for who in Who::BOTH {
        let stats = call.session(who).stats();
        assert_eq!((stats.data.packets_received, stats.data.packets_sent), (0, 0), "{who:?}");
        assert_ne!(stats.transport.dtls_state, DtlsTransportState::Connected);
        assert!(stats.drops.ignored >= 2, "{who:?}: bare SCTP is nothing that belongs here");
    }
    is_cut.replace(false);
    call.connect();
    let open = |call: &Call| !call.announced(Who::Bob).is_empty();
    assert!(call.until(secs(10), open).is_some(), "the attack ended nothing");
    call.exchange(Who::Alice, (channel, call.announced(Who::Bob)[0].channel), b"now");
}

/// A description with its fingerprint lines replaced.
fn with_fingerprints(text: &str, replacement: &[String]) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("a=fingerprint:") {
            Some(_) => lines.extend(replacement.iter().map(|value| format!("a=fingerprint:{value}"))),
            None => lines.push(line.to_owned()),
        }
    }
    lines.join("\r\n") + "\r\n"
}

/// What becomes of a call whose peer shows a certificate that its description does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Connects,
    Fails,
    Refused,
}

fn fingerprint_cases(right: &str) -> Vec<(&'static str, Vec<String>, &'static [Outcome])> {
    let hex = right.split_once(' ').expect("hash and value").1.to_owned();
    let zeros = format!("sha-256 {}", vec!["00"; 32].join(":"));
    let mut flipped = right.to_owned();
    let last = flipped.pop().expect("a digit");
    flipped.push(if last == '0' { '1' } else { '0' });
    let other = {
        let provider = crypto::rustcrypto::provider();
        let mut random = Seed::new(99).random();
        let certificate =
            Certificate::generate(&provider, &mut random, Duration::from_secs(1), &CertificateOptions::new())
                .expect("made");
        certificate.fingerprint(&provider, HashId::Sha256).expect("computed").to_string()
    };
    let weak = |name: &str, len| format!("{name} {}", vec!["00"; len].join(":"));
    use Outcome::{Connects, Fails, Refused};
    vec![
        ("right", vec![right.to_owned()], &[Connects]),
        ("lower case", vec![format!("sha-256 {}", hex.to_lowercase())], &[Connects]),
        ("upper case hash", vec![format!("SHA-256 {hex}")], &[Connects]),
        ("twice", vec![right.to_owned(), right.to_owned()], &[Connects]),
        ("right after wrong", vec![zeros.clone(), right.to_owned()], &[Connects]),
        ("right beside unknown", vec!["sha-999 00".to_owned(), right.to_owned()], &[Connects]),
        ("zeros", vec![zeros], &[Fails]),
        ("last bit", vec![flipped], &[Fails]),
        ("another certificate", vec![other], &[Fails]),
        ("too short", vec![format!("sha-256 {}", &hex[..hex.len() - 3])], &[Fails, Refused]),
        ("too long", vec![format!("sha-256 {hex}:00")], &[Fails, Refused]),
        ("unknown hash only", vec![format!("sha-999 {hex}")], &[Fails, Refused]),
        ("md5 and sha-1 only", vec![weak("md5", 16), weak("sha-1", 20)], &[Fails, Refused]),
        ("empty", vec![String::new()], &[Refused]),
        ("none", vec![], &[Refused]),
    ]
}

/// Bob's answer carries these fingerprints. What becomes of it at Alice's.
fn outcome_of(setup: DtlsSetup, fingerprints: impl Fn(&str) -> Vec<String>) -> Outcome {
    let mut call = with_setup(5, setup);
    let video = call.transceiver(Who::Alice, MediaKind::Video, Direction::SendRecv);
    let channel = call.open(Who::Alice, "chat");
    let offer = call.offer(Who::Alice);
    call.take(Who::Bob, offer);
    let theirs = call.track(Who::Bob, MediaKind::Video);
    call.answer(Who::Bob);
    let text = call.local(Who::Bob);
    let right =
        text.lines().find_map(|line| line.strip_prefix("a=fingerprint:")).expect("a fingerprint").to_owned();
    let text = with_fingerprints(&text, &fingerprints(&right));
    let taken = Description::answer(&text)
        .and_then(|answer| call.act(Who::Alice, |session, now| session.set_remote_description(now, answer)));
    if taken.is_err() {
        assert_eq!(call.session(Who::Alice).dtls_state(), DtlsTransportState::New);
        return Outcome::Refused;
    }
    let mut sent = 0;
    for time in 0..200 {
        sent += u32::from(call.frame(Who::Alice, video, picture(true, 500, 1), time * 3_000));
        call.frame(Who::Bob, theirs, picture(true, 500, 1), time * 3_000);
        call.send(Who::Alice, channel, "secret");
        call.world.run_for(ms(20));
    }
    let stats = call.session(Who::Alice).stats();
    if call.state(Who::Alice) == PeerConnectionState::Connected {
        assert!(sent > 0 && stats.transport.srtp_cipher.is_some());
        return Outcome::Connects;
    }
    assert_eq!(call.state(Who::Alice), PeerConnectionState::Failed);
    assert_eq!(stats.transport.dtls_state, DtlsTransportState::Failed);
    assert_eq!((sent, stats.transport.srtp_cipher, stats.data.messages_sent), (0, None, 0));
    assert_eq!(call.sent_by(Who::Alice, &[Kind::Rtp, Kind::Rtcp, Kind::Other]), 0);
    assert!(stats.inbound.iter().all(|inbound| inbound.counters.packets == 0));
    Outcome::Fails
}

/// T-D16: keys exist only for a peer with the fingerprint of its description, in both DTLS roles; anything else fails
/// cleanly, without media or data.
#[test]
fn t_d16_a_wrong_fingerprint_fails_and_sends_nothing() {
    for setup in [DtlsSetup::Active, DtlsSetup::Passive] {
        let names = fingerprint_cases("sha-256 00:00");
        for (index, (name, _, expected)) in names.into_iter().enumerate() {
            let outcome = outcome_of(setup, |right| fingerprint_cases(right).swap_remove(index).1);
            assert!(expected.contains(&outcome), "{name}, {setup:?}: {outcome:?} instead of {expected:?}");
        }
    }
}
