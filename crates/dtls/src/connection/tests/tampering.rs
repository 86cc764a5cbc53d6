//! A man in the middle who changes the clear text of the handshake (T-D20).

use super::pair::{Fate, Pair, Setup, Side};
use super::{assert_refused, rewrite};
use crate::extension::{self, ExtensionType, Extensions};
use crate::handshake::HandshakeType;
use crate::message::client_hello::{self, ClientHello};
use crate::message::server_hello::{self, ServerHello};
use crate::{CipherSuite, CloseReason, SrtpPolicy, SrtpProfile, Violation};
use base::PutExt;
use crypto::Group;

/// Writes the extensions again, those named replaced or left out.
fn copy(out: &mut Vec<u8>, from: &Extensions<'_>, changes: &[(ExtensionType, Option<Vec<u8>>)]) {
    for number in 0..=u16::MAX {
        let kind = ExtensionType(number);
        let content = match changes.iter().find(|(changed, _)| *changed == kind) {
            Some((_, change)) => change.as_deref(),
            None => from.find(kind),
        };
        if let Some(content) = content {
            extension::put(out, kind, |out| out.put_slice(content));
        }
    }
}

type Changes = Vec<(ExtensionType, Option<Vec<u8>>)>;

fn change_client_hello(setup: Setup, changes: Changes) -> Pair {
    change_hello(setup, Vec::new(), changes)
}

fn change_hello(setup: Setup, suites: Vec<CipherSuite>, changes: Changes) -> Pair {
    let mut pair = setup.build();
    let mut rewrite = rewrite(HandshakeType::CLIENT_HELLO, move |body| {
        let hello = ClientHello::parse(body).unwrap();
        let mut out = Vec::new();
        let suites = if suites.is_empty() { &hello.cipher_suites } else { &suites };
        client_hello::write(&mut out, &hello.random, hello.cookie, suites, |out| {
            copy(out, &hello.extensions, &changes);
        });
        out
    });
    pair.network = Box::new(move |side, _, datagram| match side {
        Side::Client => rewrite(datagram),
        Side::Server => Fate::Deliver,
    });
    pair
}

fn change_server_hello(setup: Setup, suite: Option<CipherSuite>, changes: Changes) -> Pair {
    let mut pair = setup.build();
    let mut rewrite = rewrite(HandshakeType::SERVER_HELLO, move |body| {
        let hello = ServerHello::parse(body).unwrap();
        let mut out = Vec::new();
        server_hello::write(&mut out, &hello.random, suite.unwrap_or(hello.cipher_suite), |out| {
            copy(out, &hello.extensions, &changes);
        });
        out
    });
    pair.network = Box::new(move |side, _, datagram| match side {
        Side::Client => Fate::Deliver,
        Side::Server => rewrite(datagram),
    });
    pair
}

fn violation(violation: Violation) -> CloseReason {
    CloseReason::Violation(violation)
}

/// The helpers change what they should: without changes the handshake goes through.
#[test]
fn rewriting_alone_changes_nothing() {
    for kind in [HandshakeType::CLIENT_HELLO, HandshakeType::SERVER_HELLO] {
        let mut pair = Pair::new();
        let mut rewrite = rewrite(kind, <[u8]>::to_vec);
        pair.network = Box::new(move |_, _, datagram| rewrite(datagram));
        pair.start();
        pair.run(std::time::Duration::from_secs(5));
        assert!(pair.client.is_connected() && pair.server.is_connected());
    }
}

#[test]
fn t_d20_stripped_extended_master_secret_is_refused() {
    let strip = || vec![(ExtensionType::EXTENDED_MASTER_SECRET, None)];
    let reason = violation(Violation::MissingExtendedMasterSecret);
    assert_refused(&mut change_client_hello(Setup::new(), strip()), Side::Server, &reason);
    assert_refused(&mut change_server_hello(Setup::new(), None, strip()), Side::Client, &reason);
}

#[test]
fn t_d20_stripped_use_srtp_is_refused() {
    let strip = || vec![(ExtensionType::USE_SRTP, None)];
    let reason = violation(Violation::MissingSrtp);
    assert_refused(&mut change_client_hello(Setup::new(), strip()), Side::Server, &reason);
    assert_refused(&mut change_server_hello(Setup::new(), None, strip()), Side::Client, &reason);
}

/// Even where SRTP is optional the change is found: both sides sign what they have seen.
#[test]
fn t_d20_stripped_optional_use_srtp_is_found() {
    let setup = || {
        let mut setup = Setup::new();
        setup.client_config = setup.client_config.with_srtp_policy(SrtpPolicy::Optional);
        setup.server_config = setup.server_config.with_srtp_policy(SrtpPolicy::Optional);
        setup
    };
    let strip = || vec![(ExtensionType::USE_SRTP, None)];
    let reason = violation(Violation::Signature);
    assert_refused(&mut change_client_hello(setup(), strip()), Side::Server, &reason);
    assert_refused(&mut change_server_hello(setup(), None, strip()), Side::Server, &reason);
}

#[test]
fn t_d20_a_weakened_offer_is_found() {
    let mut weak = Vec::new();
    extension::use_srtp::put(&mut weak, &[SrtpProfile::AES128_CM_SHA1_80]);
    let mut one_group = Vec::new();
    extension::numbers::put(&mut one_group, [Group::Secp256r1.number()]);
    let reason = violation(Violation::Signature);
    for change in [(ExtensionType::USE_SRTP, weak), (ExtensionType::SUPPORTED_GROUPS, one_group)] {
        let changes = vec![(change.0, Some(change.1))];
        assert_refused(&mut change_client_hello(Setup::new(), changes), Side::Server, &reason);
    }
}

/// Users 22: each thing that is missing in common has a reason of its own.
#[test]
fn nothing_in_common_is_refused_with_a_reason() {
    let numbers = |numbers: &[u16]| {
        let mut content = Vec::new();
        extension::numbers::put(&mut content, numbers.iter().copied());
        Some(content)
    };
    let mut unknown_profile = Vec::new();
    extension::use_srtp::put(&mut unknown_profile, &[SrtpProfile(0x1234)]);
    let cases = [
        (ExtensionType::SUPPORTED_GROUPS, numbers(&[0x11ec, 0x0018]), Violation::NoCommonGroup),
        (ExtensionType::SIGNATURE_ALGORITHMS, numbers(&[0x0201, 0x0807]), Violation::NoCommonSignatureScheme),
        (ExtensionType::SIGNATURE_ALGORITHMS, None, Violation::NoCommonSignatureScheme),
        (ExtensionType::USE_SRTP, Some(unknown_profile), Violation::NoCommonSrtpProfile),
        (ExtensionType::SUPPORTED_VERSIONS, Some(vec![2, 0xfe, 0xfc]), Violation::ProtocolVersion),
        (ExtensionType::SUPPORTED_VERSIONS, Some(vec![]), Violation::Decode("supported_versions")),
        (ExtensionType::EC_POINT_FORMATS, Some(vec![1, 1]), Violation::IllegalParameter("ec_point_formats")),
        (ExtensionType::RENEGOTIATION_INFO, Some(vec![1, 7]), Violation::Renegotiation),
    ];
    for (kind, content, expected) in cases {
        let mut pair = change_client_hello(Setup::new(), vec![(kind, content)]);
        assert_refused(&mut pair, Side::Server, &violation(expected));
    }
}

/// Users 23: a server with an ECDSA key does not choose an RSA suite.
#[test]
fn users_23_a_suite_of_another_key_is_not_chosen() {
    let mut pair = change_hello(Setup::new(), vec![CipherSuite::ECDHE_RSA_AES_128_GCM_SHA256], vec![]);
    assert_refused(&mut pair, Side::Server, &violation(Violation::NoCommonCipherSuite));
}

/// RFC 8827 §6.5: a hello that wants compression and nothing else.
#[test]
fn dtls_no_compression() {
    let mut pair = Pair::new();
    let mut rewrite = rewrite(HandshakeType::CLIENT_HELLO, |body| {
        let mut body = body.to_vec();
        let at = 2 + 32 + 1 + 1 + 2 + 4;
        assert_eq!(body[at..at + 2], [1, 0]);
        body[at + 1] = 1;
        body
    });
    pair.network = Box::new(move |_, _, datagram| rewrite(datagram));
    let reason = violation(Violation::IllegalParameter("compression methods"));
    assert_refused(&mut pair, Side::Server, &reason);
}

/// What is unknown is passed over, whatever it is.
#[test]
fn unknown_offers_are_ignored() {
    let mut groups = Vec::new();
    extension::numbers::put(&mut groups, [0x0a0a, 0x11ec, Group::Secp256r1.number(), Group::X25519.number()]);
    let changes = vec![
        (ExtensionType::SUPPORTED_GROUPS, Some(groups)),
        (ExtensionType(0x0a0a), Some(vec![])),
        (ExtensionType(0x5555), Some(vec![1, 2, 3])),
        (ExtensionType::SUPPORTED_VERSIONS, Some(vec![6, 0x0a, 0x0a, 0xfe, 0xfc, 0xfe, 0xfd])),
    ];
    let mut pair = change_client_hello(Setup::new(), changes);
    pair.start();
    pair.step(pair.now + std::time::Duration::from_secs(1));
    assert_eq!(pair.server.connection.group(), Some(Group::X25519), "our order counts");
    assert!(pair.server.events.is_empty());
}

#[test]
fn a_server_that_answers_what_was_not_asked_is_refused() {
    let mut two = Vec::new();
    extension::use_srtp::put(&mut two, &[SrtpProfile(7), SrtpProfile(8)]);
    let mut foreign = Vec::new();
    extension::use_srtp::put(&mut foreign, &[SrtpProfile(2)]);
    let cases = [
        (ExtensionType(0x5555), Some(vec![]), Violation::UnsupportedExtension),
        (ExtensionType::USE_SRTP, Some(two), Violation::IllegalParameter("use_srtp")),
        (ExtensionType::USE_SRTP, Some(foreign), Violation::IllegalParameter("use_srtp")),
        (ExtensionType::USE_SRTP, Some(vec![0, 2, 0, 8, 1, 9]), Violation::IllegalParameter("use_srtp")),
        (ExtensionType::RENEGOTIATION_INFO, Some(vec![1, 0]), Violation::Renegotiation),
        (ExtensionType::EXTENDED_MASTER_SECRET, Some(vec![0]), Violation::Decode("extended_master_secret")),
    ];
    for (kind, content, expected) in cases {
        let mut pair = change_server_hello(Setup::new(), None, vec![(kind, content)]);
        assert_refused(&mut pair, Side::Client, &violation(expected));
    }
    for suite in [0xc013, 0x0000, 0x1301] {
        let mut pair = change_server_hello(Setup::new(), Some(CipherSuite(suite)), vec![]);
        assert_refused(&mut pair, Side::Client, &violation(Violation::IllegalParameter("cipher suite")));
    }
    // An RSA suite with an ECDSA certificate.
    let mut pair = change_server_hello(Setup::new(), Some(CipherSuite::ECDHE_RSA_AES_128_GCM_SHA256), vec![]);
    assert_refused(&mut pair, Side::Client, &violation(Violation::BadCertificate));
}

/// Every byte of every message in clear text may be changed: nobody connects to the wrong peer, nobody panics, and
/// where both connect they have the same keys.
#[test]
fn t_d17_every_changed_byte_is_found_or_harmless() {
    let mut clean = Pair::connected();
    let log = std::mem::take(&mut clean.log);
    for (number, (_, datagram)) in log.iter().enumerate() {
        // Stepping over most bytes keeps the test short; the seed moves the steps.
        for at in (number..datagram.len()).step_by(7) {
            let mut pair = Pair::new();
            let mut count = 0;
            pair.network = Box::new(move |_, _, datagram| {
                count += 1;
                if count - 1 != number {
                    return Fate::Deliver;
                }
                let mut changed = datagram.to_vec();
                if let Some(byte) = changed.get_mut(at) {
                    *byte ^= 0x41;
                }
                Fate::Replace(vec![changed])
            });
            pair.start();
            pair.run(std::time::Duration::from_secs(120));
            if pair.client.is_connected() && pair.server.is_connected() {
                pair.assert_talking();
            } else {
                assert!(pair.client.keys().is_none() || pair.server.keys().is_none());
            }
        }
    }
}
