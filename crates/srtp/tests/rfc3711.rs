//! RFC 3711, RFC 5764 and RFC 7714, requirement by requirement.

#[path = "common/pair.rs"]
mod pair;

use pair::{Pair, keys, provider, rtcp, rtp};
use srtp::{
    Config, KeyingMaterial, MasterKey, Profile, ProtectError, Protector, SetupError, Ssrc, UnencryptedRtcp,
    UnprotectError, Unprotector,
};

/// RFC 3711 §3.1: the header stays readable, the payload does not, and the tag covers both and the roll-over counter.
#[test]
fn srtp_protect_encrypt_then_auth_80bit_tag() {
    let mut pair = Pair::new(Profile::Aes128CmHmacSha1_80);
    let plain = rtp(7, 100);
    let packet = pair.rtp(7, 100);
    assert_eq!(packet.len(), plain.len() + 10);
    assert_eq!(packet[..12], plain[..12]);
    assert!(packet[12..plain.len()].iter().zip(&plain[12..]).filter(|(a, b)| a == b).count() < 6);
    pair.receive_rtp(&packet).unwrap();
}

/// RFC 3711 §3.4: the index starts at zero, goes up by one for each packet of an SSRC, and carries the E flag.
#[test]
fn srtcp_index_31bit_e_flag_and_increment() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        for index in 0..5_u32 {
            for ssrc in [1, 2] {
                let packet = pair.rtcp(ssrc);
                // HMAC stands behind the index, the tag of GCM before it.
                let end = if profile.rtcp_overhead() == 20 { packet.len() } else { packet.len() - 10 };
                assert_eq!(packet[end - 4..end], (index | 1 << 31).to_be_bytes(), "{profile:?}");
                pair.receive_rtcp(&packet).unwrap();
            }
        }
        assert_eq!(pair.rx.stats().rtcp_unencrypted, 0);
    }
}

/// RFC 3711 §3.4 and RFC 8827 §6.5: what we send is encrypted behind the eighth byte.
#[test]
fn srtcp_encrypted_and_authenticated_always() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let (plain, packet) = (rtcp(9), pair.rtcp(9));
        assert_eq!(packet.len(), plain.len() + profile.rtcp_overhead());
        assert_eq!(packet[..8], plain[..8]);
        assert!(packet[8..plain.len()].iter().zip(&plain[8..]).filter(|(a, b)| a == b).count() < 6);
    }
}

/// RFC 3711 §3.3: neither window nor roll-over moves before the tag is right.
#[test]
fn srtp_auth_checked_before_state_update() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let first = pair.rtp(1, 10);
        pair.receive_rtp(&first).unwrap();
        let (second, rtcp) = (pair.rtp(1, 11), pair.rtcp(1));

        for sequence in [11, 12, 5_000, 40_000, 65_535] {
            let mut forged = second.clone();
            forged[2..4].copy_from_slice(&u16::to_be_bytes(sequence));
            *forged.last_mut().unwrap() ^= 1;
            assert!(pair.receive_rtp(&forged).is_err());
        }
        assert_eq!(pair.rx.rollover(Ssrc(1)), Some(0));
        pair.receive_rtp(&second).unwrap();
        assert_eq!(pair.receive_rtp(&second), Err(UnprotectError::Replayed));

        let mut forged = rtcp.clone();
        let at = if profile.rtp_overhead() == 16 { forged.len() - 4 } else { forged.len() - 14 };
        forged[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(pair.receive_rtcp(&forged), Err(UnprotectError::Unauthentic));
        pair.receive_rtcp(&rtcp).unwrap();
    }
}

/// RFC 3711 §3.3.2: a window of at least 64, whatever the caller asks for.
#[test]
fn srtp_replay_window_min_64_rejects_duplicates() {
    let mut pair = Pair::with(Profile::AeadAes128Gcm, Config::new().with_rtp_window(1).with_rtcp_window(1));
    let packets: Vec<_> = (0..=64).map(|sequence| pair.rtp(1, sequence)).collect();
    let reports: Vec<_> = (0..=64).map(|_| pair.rtcp(1)).collect();
    pair.receive_rtp(&packets[64]).unwrap();
    pair.receive_rtp(&packets[1]).unwrap();
    assert_eq!(pair.receive_rtp(&packets[0]), Err(UnprotectError::TooOld));
    assert_eq!(pair.receive_rtp(&packets[1]), Err(UnprotectError::Replayed));
    pair.receive_rtcp(&reports[64]).unwrap();
    pair.receive_rtcp(&reports[1]).unwrap();
    assert_eq!(pair.receive_rtcp(&reports[0]), Err(UnprotectError::TooOld));
    assert_eq!(pair.receive_rtcp(&reports[1]), Err(UnprotectError::Replayed));
    let stats = pair.rx.stats();
    assert_eq!((stats.replayed, stats.too_old), (2, 2));
}

/// RFC 3711 §3.4: the E flag is authenticated, so nobody can take the encryption off on the way.
#[test]
fn srtcp_e_flag_cannot_be_cleared() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let mut packet = pair.rtcp(3);
        let at = if profile.rtp_overhead() == 16 { packet.len() - 4 } else { packet.len() - 14 };
        packet[at] &= 0x7f;
        assert_eq!(pair.receive_rtcp(&packet), Err(UnprotectError::Unauthentic));
    }
}

/// RFC 3711 §3.4, RFC 7714 §9.3: SRTCP that a peer only authenticated. Made by an independent implementation with the
/// keys of [`keys`], index 5.
const CLEAR: [(Profile, &str); 2] = [
    (
        Profile::Aes128CmHmacSha1_80,
        "81c9000700000002020202020202020202020202020202020202020202020202000000057beec4cb2e6fc4252e11",
    ),
    (
        Profile::AeadAes128Gcm,
        "81c90007000000020202020202020202020202020202020202020202020202027a395d27d6ef3f28859fb8638248abfd00000005",
    ),
];

#[test]
fn srtcp_in_the_clear_is_authenticated_and_left_as_it_is() {
    for (profile, packet) in CLEAR {
        let packet = pair::hex(packet);
        let mut pair = Pair::new(profile);
        pair.receive_rtcp(&packet).unwrap();
        assert_eq!(pair.rx.stats().rtcp_unencrypted, 1);
        assert_eq!(pair.receive_rtcp(&packet), Err(UnprotectError::Replayed));
        for bit in 0..packet.len() * 8 {
            let mut forged = packet.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(Pair::new(profile).receive_rtcp(&forged).is_err(), "{profile:?}, bit {bit}");
        }

        let mut strict = Pair::with(profile, Config::new().with_unencrypted_rtcp(UnencryptedRtcp::Refuse));
        assert_eq!(strict.receive_rtcp(&packet), Err(UnprotectError::Unencrypted));
        assert_eq!(strict.rx.stats().refused, 1);
        let encrypted = strict.rtcp(2);
        strict.receive_rtcp(&encrypted).unwrap();
    }
}

/// RFC 5764 §4.2: the keys of the two directions differ, so a packet is never accepted by its own sender.
#[test]
fn a_reflected_packet_is_refused() {
    for profile in Profile::ALL {
        let exported: Vec<u8> = (0..profile.exported_len() as u8).collect();
        let material = KeyingMaterial::split(profile, &exported).unwrap();
        let (provider, config) = (provider(), Config::new());
        let tx = |key: &MasterKey| Protector::new(&provider, profile, key.key(), key.salt(), config).unwrap();
        let rx =
            |key: &MasterKey| Unprotector::new(&provider, profile, key.key(), key.salt(), config).unwrap();
        let mut client_tx = tx(material.client());
        let (mut client_rx, mut server_rx) = (rx(material.server()), rx(material.client()));
        let mut packet = rtp(1, 1);
        client_tx.protect_rtp(&mut packet, 0).unwrap();
        assert_eq!(client_rx.unprotect_rtp(&mut packet.clone()), Err(UnprotectError::Unauthentic));
        assert_eq!(server_rx.unprotect_rtp(&mut packet), Ok(36));
    }
}

/// RFC 3711 §4.3: SRTP and SRTCP have keys of their own.
#[test]
fn srtp_and_srtcp_do_not_mix() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let (packet, report) = (pair.rtp(1, 1), pair.rtcp(1));
        assert!(pair.rx.unprotect_rtcp(&mut packet.clone()).is_err());
        assert!(pair.rx.unprotect_rtp(&mut report.clone()).is_err());
        pair.receive_rtp(&packet).unwrap();
        pair.receive_rtcp(&report).unwrap();
    }
}

#[test]
fn setup_refuses_wrong_lengths_and_poor_providers() {
    for profile in Profile::ALL {
        let (key, salt) = keys(profile);
        let config = Config::new();
        let short = Protector::new(&provider(), profile, &key[1..], &salt, config).err();
        assert_eq!(short, Some(SetupError::KeyLength { expected: key.len(), actual: key.len() - 1 }));
        let short = Unprotector::new(&provider(), profile, &key, &salt[1..], config).err();
        assert_eq!(short, Some(SetupError::SaltLength { expected: salt.len(), actual: salt.len() - 1 }));
        let empty = crypto::Provider::new("empty");
        assert_eq!(Protector::new(&empty, profile, &key, &salt, config).err(), Some(SetupError::Unsupported));
    }
}

/// A refused packet leaves the buffer alone, so that nothing unprotected can slip out changed or tagged.
#[test]
fn refusing_to_protect_changes_nothing() {
    let mut pair = Pair::new(Profile::AeadAes128Gcm);
    for bad in [&[][..], &[0x80; 11], &[0x40; 40], &[0x8f; 40], &[0x90; 15]] {
        let mut out = b"front".to_vec();
        out.extend(bad);
        let before = out.clone();
        let error = pair.tx.protect_rtp(&mut out, 5);
        assert!(matches!(error, Err(ProtectError::Malformed { .. })), "{bad:?}: {error:?}");
        assert_eq!(out, before);
    }
    let mut out = vec![0x80; 8];
    assert!(pair.tx.protect_rtcp(&mut out, 1).is_err());
    assert!(pair.tx.protect_rtcp(&mut out, 9).is_err());
    assert_eq!(out, [0x80; 8]);
    let mut long = vec![0; 65_535 - 15];
    long[0] = 0x80;
    assert_eq!(pair.tx.protect_rtp(&mut long, 0), Err(ProtectError::TooLong));
    assert_eq!(
        pair.tx.protect_rtp(&mut long, 1),
        Err(ProtectError::Malformed { field: "version", offset: 0 })
    );
    assert_eq!(pair.tx.stats().refused, 9);
    assert_eq!(pair.tx.stats().streams, 0);
}

#[test]
fn both_sides_can_move_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Protector>();
    check::<Unprotector>();
    check::<KeyingMaterial>();
}

#[test]
fn debug_shows_no_key() {
    for profile in Profile::ALL {
        let (key, salt) = (vec![0x41; profile.key_len()], vec![0x41; profile.salt_len()]);
        let tx = Protector::new(&provider(), profile, &key, &salt, Config::new()).unwrap();
        let rx = Unprotector::new(&provider(), profile, &key, &salt, Config::new()).unwrap();
        let key = MasterKey::new(profile, &key, &salt).unwrap();
        let text = format!("{tx:?} {rx:?} {key:?}");
        assert!(!text.contains("65, 65") && !text.contains("AAAA") && !text.contains("4141"), "{text}");
    }
}
