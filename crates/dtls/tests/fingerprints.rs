//! T-D16: who is let in, in either role.

#[path = "common/pair.rs"]
mod pair;

use crypto::HashId;
use dtls::{Alert, AlertDescription, AlertLevel, CloseReason, Fingerprint, State, Violation};
use pair::{Pair, Setup, Side, certificates, fingerprint, provider};
use std::time::Duration;

/// Connects with `expected` of the peer that is on the other side of `side`.
fn run(side: Side, expected: Vec<Fingerprint>) -> Pair {
    let mut setup = Setup::new();
    match side {
        Side::Client => setup.client_expects = Some(expected),
        Side::Server => setup.server_expects = Some(expected),
    }
    let mut pair = setup.build();
    pair.start();
    pair.run(Duration::from_secs(30));
    pair
}

fn refused(side: Side, mut pair: Pair, what: &str) {
    let victim = pair.peer(side);
    assert_eq!(victim.connection.state(), State::Failed, "{what}");
    let reason = CloseReason::Violation(Violation::FingerprintMismatch);
    assert_eq!(victim.close_reason(), Some(&reason), "{what}");
    assert!(victim.keys().is_none() && victim.connection.srtp_profile().is_none(), "{what}");
    assert!(victim.seal(b"data").is_none() && victim.received.is_empty(), "{what}");
    let other = if side == Side::Client { Side::Server } else { Side::Client };
    let other = pair.peer(other);
    assert!(other.keys().is_none() || side == Side::Client, "{what}");
    // The alert is bad_certificate. It may come in clear text, so it is believed when nothing follows.
    match other.close_reason() {
        Some(CloseReason::Peer(Alert { level, description, .. })) => {
            assert_eq!(
                (*level, *description),
                (AlertLevel::Fatal, AlertDescription::BAD_CERTIFICATE),
                "{what}"
            );
        }
        reason => panic!("{what}: {reason:?}"),
    }
}

/// T-D16, users 27: each way to write it, and each way to be wrong, in both roles.
#[test]
fn t_d16_only_the_right_certificate_is_let_in() {
    let (client, server) = certificates();
    let provider = provider();
    for side in [Side::Client, Side::Server] {
        let (theirs, ours) = if side == Side::Client { (&server, &client) } else { (&client, &server) };
        let right = fingerprint(theirs);
        let wrong = fingerprint(ours);
        let of = |hash| theirs.fingerprint(&provider, hash).unwrap();

        let mut accepted = vec![
            ("right", vec![right.clone()]),
            ("sha-384", vec![of(HashId::Sha384)]),
            ("sha-512", vec![of(HashId::Sha512)]),
            ("two with one right", vec![wrong.clone(), right.clone()]),
            ("duplicate", vec![right.clone(), right.clone()]),
            ("lower case", vec![right.to_string().to_lowercase().parse().unwrap()]),
            ("upper case", vec![right.to_string().to_uppercase().parse().unwrap()]),
            ("all hashes", vec![right.clone(), of(HashId::Sha384), of(HashId::Sha512)]),
        ];
        for hash in [HashId::Md5, HashId::Sha1] {
            let weak = Fingerprint::new(hash, &vec![0; hash.output_len()]).unwrap();
            accepted.push(("weak one ignored", vec![weak, right.clone()]));
        }
        for (what, expected) in accepted {
            let mut pair = run(side, expected);
            assert!(pair.peer(side).is_connected(), "{side:?} {what}");
            pair.assert_talking();
        }

        let sha1 = {
            let mut value = [0; 20];
            provider.hash(HashId::Sha1).unwrap().hash(&[theirs.der()], &mut value);
            Fingerprint::new(HashId::Sha1, &value).unwrap()
        };
        let md5 = {
            let mut value = [0; 16];
            provider.hash(HashId::Md5).unwrap().hash(&[theirs.der()], &mut value);
            Fingerprint::new(HashId::Md5, &value).unwrap()
        };
        let mut changed = right.value().to_vec();
        changed[31] ^= 1;
        let refusals = [
            ("wrong", vec![wrong.clone()]),
            ("one bit wrong", vec![Fingerprint::new(HashId::Sha256, &changed).unwrap()]),
            ("sha-1 only", vec![sha1.clone()]),
            ("md5 only", vec![md5.clone()]),
            ("sha-1 and md5", vec![sha1, md5]),
            ("none", vec![]),
            // RFC 8122 §5.1: of several hashes the most preferred counts.
            ("strongest wrong", vec![right, ours.fingerprint(&provider, HashId::Sha512).unwrap()]),
        ];
        for (what, expected) in refusals {
            refused(side, run(side, expected), what);
        }
    }
}

/// The fingerprint that comes late is checked like one that is there from the start.
#[test]
fn t_d16_a_late_fingerprint_is_checked_too() {
    for side in [Side::Client, Side::Server] {
        let mut setup = Setup::new();
        let ours = fingerprint(if side == Side::Client {
            &setup.client_certificate
        } else {
            &setup.server_certificate
        });
        match side {
            Side::Client => setup.client_expects = None,
            Side::Server => setup.server_expects = None,
        }
        let mut pair = setup.build();
        pair.start();
        pair.run(Duration::from_secs(5));
        assert_eq!(pair.peer(side).connection.state(), State::Connecting);
        let now = pair.now;
        pair.peer(side).connection.expect_fingerprints(now, vec![ours]);
        assert_eq!(pair.peer(side).connection.state(), State::Failed);
        pair.run(Duration::from_secs(5));
        assert!(pair.peer(side).keys().is_none());
        let reason = CloseReason::Violation(Violation::FingerprintMismatch);
        assert_eq!(pair.peer(side).events, [dtls::Event::Closed(reason)]);
    }
}

/// RFC 8842 §5.5: another certificate than the one that is connected means another association.
#[test]
fn a_changed_fingerprint_ends_the_connection() {
    let mut pair = Pair::connected();
    let now = pair.now;
    let (client, server) = certificates();
    pair.client.connection.expect_fingerprints(now, vec![fingerprint(&server)]);
    pair.assert_talking();
    pair.client.connection.expect_fingerprints(now, vec![fingerprint(&client)]);
    assert!(pair.client.keys().is_none());
    pair.run(Duration::from_secs(5));
    assert_eq!(pair.client.connection.state(), State::Failed);
    assert_eq!(pair.server.connection.state(), State::Failed);
}
