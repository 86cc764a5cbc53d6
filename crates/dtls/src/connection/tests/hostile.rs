//! Peers that complete a handshake without the right to do so.

use super::pair::{Pair, Setup, Side, certificate, certificates, fingerprint};
use super::{Mischief, assert_refused};
use crate::certificate::parse;
use crate::{Certificate, CloseReason, Violation};
use std::time::Duration;

fn hostile(side: Side, mischief: Mischief) -> Pair {
    let mut pair = Setup::new().build();
    pair.peer(side).connection.shared.mischief = Some(mischief);
    pair
}

fn violation(violation: Violation) -> CloseReason {
    CloseReason::Violation(violation)
}

/// T-D07: a client that sends no certificate.
#[test]
fn t_d07_empty_certificate_is_refused() {
    let mut pair = hostile(Side::Client, Mischief::EmptyCertificate);
    assert_refused(&mut pair, Side::Server, &violation(Violation::MissingCertificate));
}

/// T-D07: a client that presents a certificate without proving that it has its key.
#[test]
fn t_d07_missing_certificate_verify_is_refused() {
    let mut pair = hostile(Side::Client, Mischief::NoCertificateVerify);
    assert_refused(&mut pair, Side::Server, &violation(Violation::UnexpectedMessage("CertificateVerify")));
}

/// T-D07: a signature over another transcript.
#[test]
fn t_d07_stale_certificate_verify_is_refused() {
    let mut pair = hostile(Side::Client, Mischief::StaleTranscript);
    assert_refused(&mut pair, Side::Server, &violation(Violation::Signature));
}

/// RFC 5246 §7.4.9: a Finished message that is wrong by one bit, in either role.
#[test]
fn a_wrong_finished_is_refused() {
    for (from, victim) in [(Side::Client, Side::Server), (Side::Server, Side::Client)] {
        let mut pair = hostile(from, Mischief::WrongFinished);
        assert_refused(&mut pair, victim, &violation(Violation::Finished));
    }
}

/// T-D08: Finished in clear text is not heard, as if it had not been sent.
#[test]
fn t_d08_a_finished_in_clear_text_is_not_heard() {
    for (from, victim) in [(Side::Client, Side::Server), (Side::Server, Side::Client)] {
        let mut pair = hostile(from, Mischief::PlainFinished);
        assert_refused(&mut pair, victim, &CloseReason::Timeout);
        assert!(pair.peer(victim).connection.stats().dropped_epoch > 0);
    }
}

/// A message in an epoch where it has no place ends the handshake.
#[test]
fn a_protected_certificate_verify_is_refused() {
    let mut pair = hostile(Side::Client, Mischief::ProtectedCertificateVerify);
    let reason = violation(Violation::UnexpectedMessage("one in the right epoch"));
    assert_refused(&mut pair, Side::Server, &reason);
}

/// T-D07: somebody else's certificate, signed for with another key, in either role.
#[test]
fn t_d07_another_key_is_refused() {
    let (client, server) = certificates();
    for side in [Side::Client, Side::Server] {
        let mut setup = Setup::new();
        let stolen = |from: &Certificate| {
            let key = crypto::rustcrypto::provider()
                .key_generator(from.scheme())
                .unwrap()
                .generate(&mut super::pair::Seeded(99))
                .unwrap();
            Certificate::new(from.der().to_vec(), key, from.expires())
        };
        let victim = match side {
            Side::Client => {
                setup.client_certificate = stolen(&client);
                Side::Server
            }
            Side::Server => {
                setup.server_certificate = stolen(&server);
                Side::Client
            }
        };
        assert_refused(&mut setup.build(), victim, &violation(Violation::Signature));
    }
}

/// RFC 8122 §6.2: a server that does not ask for our certificate does not check it either.
#[test]
fn a_server_that_asks_for_no_certificate_is_refused() {
    let mut pair = hostile(Side::Server, Mischief::NoCertificateRequest);
    assert_refused(&mut pair, Side::Client, &violation(Violation::MissingCertificate));
}

/// T-D01: a whole handshake with the attacker's own certificate.
#[test]
fn t_d01_a_perfect_stranger_is_refused() {
    let (client, server) = certificates();
    let stranger = certificate(77);
    let mut setup = Setup::new();
    setup.client_certificate = stranger.clone();
    setup.server_expects = Some(vec![fingerprint(&client)]);
    assert_refused(&mut setup.build(), Side::Server, &violation(Violation::FingerprintMismatch));
    let mut setup = Setup::new();
    setup.server_certificate = stranger;
    setup.client_expects = Some(vec![fingerprint(&server)]);
    assert_refused(&mut setup.build(), Side::Client, &violation(Violation::FingerprintMismatch));
}

/// T-D01, users 22: a hello that offers nothing usable ends a server that has seen no other, with a reason.
#[test]
fn t_d01_null_cipher_hello_is_answered_with_a_reason() {
    let mut hello = Vec::new();
    crate::message::client_hello::write(&mut hello, &[1; 32], &[], &[crate::CipherSuite(0)], |out| {
        crate::extension::put(out, crate::extension::ExtensionType::EXTENDED_MASTER_SECRET, |_| ());
    });
    let datagram = super::message(crate::handshake::HandshakeType::CLIENT_HELLO, 0, &hello);
    let mut pair = Pair::new();
    pair.server.connection.start(pair.now);
    pair.server.deliver(pair.now, datagram.clone());
    let alert = pair.server.transmit(pair.now);
    assert_eq!(alert, [super::record(21, 0, &[2, 40])]);
    assert_eq!(pair.server.close_reason(), Some(&violation(Violation::NoCommonCipherSuite)));

    // After the true hello it is a repetition of the same message number: nothing happens.
    let mut pair = Pair::new();
    pair.start();
    pair.step(pair.now + Duration::from_secs(1));
    for _ in 0..100 {
        pair.server.deliver(pair.now, datagram.clone());
    }
    pair.run(Duration::from_secs(5));
    pair.assert_talking();
    assert!(pair.server.connection.stats().flights_resent <= 1);
}

/// T-D19: certificates that make parsers work are refused by size and form.
#[test]
fn t_d19_hostile_certificates_are_refused() {
    let (good, _) = certificates();
    let good = good.der();
    assert!(parse::parse(good).is_some());
    for len in 0..good.len() {
        assert!(parse::parse(&good[..len]).is_none(), "{len}");
    }
    let mut longer = good.to_vec();
    longer.push(0);
    assert!(parse::parse(&longer).is_none(), "bytes after the certificate");
    assert!(parse::parse(&vec![0x30; 64 * 1024]).is_none(), "64 KiB");
    assert!(parse::parse(&[0x30; 8 * 1024]).is_none(), "nested without end");
    // Nested as deep as fits, in definite lengths.
    let mut nested = Vec::new();
    for _ in 0..2_000 {
        let mut outer = vec![0x30, 0x82];
        outer.extend_from_slice(&(nested.len() as u16).to_be_bytes());
        outer.extend_from_slice(&nested);
        nested = outer;
    }
    assert!(parse::parse(&nested).is_none());
    // The name of the curve replaced by another one, and by explicit parameters of any kind.
    let p256 = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let at = good.windows(p256.len()).position(|window| window == p256).unwrap();
    let mut other_curve = good.to_vec();
    other_curve[at + 9] = 1;
    assert!(parse::parse(&other_curve).is_none());
    let mut explicit = good.to_vec();
    explicit[at] = 0x30;
    assert!(parse::parse(&explicit).is_none());
}

/// T-D19: a certificate message of the largest size that the handshake takes.
#[test]
fn t_d19_a_huge_certificate_is_refused() {
    let (_, server) = certificates();
    let mut setup = Setup::new();
    let mut der = server.der().to_vec();
    der.resize(14_000, 0);
    let key = crypto::rustcrypto::provider()
        .key_generator(server.scheme())
        .unwrap()
        .generate(&mut super::pair::Seeded(99))
        .unwrap();
    setup.server_certificate = Certificate::new(der, key, server.expires());
    assert_refused(&mut setup.build(), Side::Client, &violation(Violation::BadCertificate));
}
