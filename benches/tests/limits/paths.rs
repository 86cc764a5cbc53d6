//! ICE and SRTP.

use crate::{
    KIB, MIB,
    heap::growth,
    stack::{provider, session},
};
use peerconnection::{DataChannelInit, Description, IceCandidateInit};
use srtp::{Config, Profile, Protector, Unprotector};
use std::num::NonZeroUsize;

/// Ten thousand candidates in a row, most of them for addresses nobody has: pairs, candidates, and what all of it holds.
#[test]
fn candidates_and_pairs_are_bounded() {
    let now = testkit::start();
    let mut a = session(now, "a", "192.0.2.1:5000");
    let mut b = session(now, "b", "192.0.2.2:5000");
    for port in 0..8 {
        a.add_local_address(now, ([192, 0, 2, 10 + port], 5_000).into(), None);
    }
    a.create_data_channel(now, "x", &DataChannelInit::new()).expect("a channel");
    a.set_local_description(now, None).expect("an offer");
    let offer = a.descriptions().pending_local.expect("an offer").sdp();
    b.set_remote_description(now, Description::offer(&offer).expect("readable")).expect("taken");
    b.set_local_description(now, None).expect("an answer");
    let answer = b.descriptions().current_local.expect("an answer").sdp();
    // More of them may come.
    let answer = answer.replace("a=end-of-candidates\r\n", "");
    a.set_remote_description(now, Description::answer(&answer).expect("readable")).expect("taken");
    let mut out = Vec::new();
    let (held, ()) = growth(|| {
        for number in 0..10_000_u32 {
            let address = std::net::Ipv4Addr::from(0x0b00_0000 + number);
            let line = format!("candidate:{number} 1 udp {} {address} 9 typ host", 2_000_000_000 - number);
            // Refused or taken, as it likes.
            let _ = a.add_ice_candidate(now, &IceCandidateInit::new(line).sdp_m_line_index(0));
            while a.poll_event().is_some() {}
            out.clear();
            while a.poll_transmit(now, NonZeroUsize::MIN, &mut out).is_some() {}
        }
    });
    let stats = a.stats().ice;
    println!("{} pairs, {} candidates: {held} bytes", stats.pairs.len(), stats.remote_candidates.len());
    assert!(stats.pairs.len() <= 100 && stats.remote_candidates.len() <= 64);
    assert!(stats.pairs.len() >= 50, "the attack reached the list: {}", stats.pairs.len());
    assert!(held <= 256 * KIB, "{held}");
}

fn rtp(ssrc: u32, number: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend_from_slice(&number.to_be_bytes());
    packet.extend_from_slice(&[0; 4]);
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.resize(100, 7);
    packet.reserve(40);
    packet
}

/// T-S02: forged packets of thirty thousand sources make no state, in any profile.
#[test]
fn t_s02_forged_sources_cost_nothing() {
    for profile in Profile::ALL {
        let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
        let mut unprotector =
            Unprotector::new(&provider(), profile, &key, &salt, Config::new()).expect("the keys fit");
        let mut packet = rtp(0, 1);
        let mut forge = |ssrc: u32| {
            packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
            assert!(unprotector.unprotect_rtp(&mut packet).is_err());
            packet[0] = 0x80;
            packet[1] = 200;
            packet[4..8].copy_from_slice(&ssrc.to_be_bytes());
            assert!(unprotector.unprotect_rtcp(&mut packet).is_err());
            packet[1] = 96;
        };
        forge(0);
        let (grown, ()) = growth(|| (1..30_000).for_each(&mut forge));
        assert_eq!(grown, 0, "{}", profile.name());
    }
}

/// A peer with more sources than we take: the table has an end, and so has what it holds.
#[test]
fn srtp_sources_are_bounded() {
    let profile = Profile::ALL[0];
    let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
    let config = Config::new().with_max_ssrcs(4_000);
    let mut protector = Protector::new(&provider(), profile, &key, &salt, config).expect("the keys fit");
    let mut unprotector =
        Unprotector::new(&provider(), profile, &key, &salt, Config::new()).expect("the keys fit");
    let (held, taken) = growth(|| {
        (0..3_000_u32)
            .filter(|ssrc| {
                let mut packet = rtp(*ssrc, 1);
                protector.protect_rtp(&mut packet, 0).expect("fresh");
                unprotector.unprotect_rtp(&mut packet).is_ok()
            })
            .count()
    });
    println!("{taken} sources of ours and theirs: {held} bytes");
    assert_eq!(taken, 1_024);
    assert!(held <= MIB, "{held}");
}
