//! What broke in other implementations, and must not here.

#[path = "common/pair.rs"]
mod pair;

use pair::{Dice, Pair, protector, rtcp, rtp, unprotector};
use srtp::{Config, Position, PositionError, Profile, ProtectError, Ssrc, UnprotectError};

/// T-S01: every length, CSRC count and extension length of RTP- and RTCP-shaped bytes is dropped.
#[test]
fn t_s01_no_length_panics_before_authentication() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        for len in 0..200 {
            for first in (0x80..=0xbf).chain([0, 0x7f, 0xc0, 0xff_u8]) {
                let mut packet = vec![0x5a; len];
                if let Some(byte) = packet.first_mut() {
                    *byte = first;
                }
                assert!(pair.rx.unprotect_rtp(&mut packet.clone()).is_err());
                assert!(pair.rx.unprotect_rtcp(&mut packet).is_err());
            }
        }
        for words in (0..64).chain((64..=u16::MAX).step_by(61)).chain([u16::MAX]) {
            let mut packet = vec![0; 60];
            packet[0] = 0x90 | (words as u8 & 0x0f);
            let at = 12 + 4 * usize::from(packet[0] & 0x0f);
            if let Some(field) = packet.get_mut(at + 2..at + 4) {
                field.copy_from_slice(&words.to_be_bytes());
            }
            assert!(pair.rx.unprotect_rtp(&mut packet).is_err());
        }
        let stats = pair.rx.stats();
        assert_eq!((stats.rtp_packets, stats.rtcp_packets, stats.streams), (0, 0, 0));
        assert!(stats.malformed > 0 && stats.unauthentic > 0);
    }
}

/// T-S02: a million forged packets with random SSRCs leave nothing behind.
#[test]
fn t_s02_forged_ssrcs_make_no_state() {
    const FORGED: u64 = 125_000;
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let mut dice = Dice(1);
        for _ in 0..FORGED {
            let mut packet = pair.profile.rtp_overhead().checked_add(36).map(|len| vec![0x80; len]).unwrap();
            packet[2..4].copy_from_slice(&(dice.roll() as u16).to_be_bytes());
            packet[8..12].copy_from_slice(&(dice.roll() as u32).to_be_bytes());
            assert_eq!(pair.rx.unprotect_rtp(&mut packet), Err(UnprotectError::Unauthentic));
            packet[4..8].copy_from_slice(&(dice.roll() as u32).to_be_bytes());
            assert_eq!(pair.rx.unprotect_rtcp(&mut packet), Err(UnprotectError::Unauthentic));
        }
        assert_eq!(pair.rx.stats().streams, 0);
        assert_eq!(pair.rx.stats().unauthentic, 2 * FORGED);
        let genuine = pair.rtp(1, 1);
        pair.receive_rtp(&genuine).unwrap();
    }
}

/// T-S03: a long stream over three roll-overs, every packet replayed at once and at every edge of the window.
#[test]
fn t_s03_no_packet_is_taken_twice() {
    const PACKETS: u64 = 200_000;
    let edges = [1, 63, 64, 65, 1_023, 1_024, 1_025, 5_000];
    let mut pair = Pair::new(Profile::AeadAes128Gcm);
    let mut sent: Vec<Vec<u8>> = Vec::new();
    for number in 0..PACKETS {
        let packet = pair.rtp(1, (number + 60_000) as u16);
        pair.receive_rtp(&packet).unwrap();
        assert_eq!(pair.rx.unprotect_rtp(&mut packet.clone()), Err(UnprotectError::Replayed));
        sent.push(packet);
        let near_wrap = (number + 60_000) % 65_536 < 3;
        if number % 97 == 0 || near_wrap {
            for back in edges.into_iter().filter(|back| *back <= number) {
                let mut old = sent[(number - back) as usize].clone();
                let error = pair.rx.unprotect_rtp(&mut old).unwrap_err();
                let expected = if back < 1_024 { UnprotectError::Replayed } else { UnprotectError::TooOld };
                assert_eq!(error, expected, "{back} behind {number}");
            }
        }
    }
    assert_eq!(pair.rx.rollover(Ssrc(1)), Some(3));
    assert_eq!(pair.rx.stats().rtp_packets, PACKETS);
}

/// T-S03: a forged packet far ahead does not move the window.
#[test]
fn t_s03_a_forged_packet_does_not_move_the_window() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let first = pair.rtp(1, 1_000);
        let late = pair.rtp(1, 1_001);
        let next = pair.rtp(1, 1_002);
        pair.receive_rtp(&first).unwrap();
        for sequence in [2_026, 10_000, 33_000, 60_000_u16] {
            let mut forged = next.clone();
            forged[2..4].copy_from_slice(&sequence.to_be_bytes());
            assert!(pair.rx.unprotect_rtp(&mut forged).is_err());
        }
        pair.receive_rtp(&next).unwrap();
        pair.receive_rtp(&late).unwrap();
    }
}

/// T-S04, users 33: two SSRCs roll over at different times and do not disturb each other.
#[test]
fn t_s04_each_ssrc_has_its_own_roll_over() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        // Runs of packets, with gaps of 20,000 lost ones between them.
        for run in 0..6_u32 {
            for step in run * 20_000..run * 20_000 + 40 {
                for (ssrc, start) in [(1, 65_530), (2, 30_000)] {
                    let packet = pair.rtp(ssrc, (start + step) as u16);
                    pair.receive_rtp(&packet).unwrap();
                }
            }
        }
        assert_eq!(pair.rx.rollover(Ssrc(1)), Some(2));
        assert_eq!(pair.rx.rollover(Ssrc(2)), Some(1));
    }
}

/// T-S04, users 34: the stream starts at 65,530 and its first packets are lost.
#[test]
fn t_s04_a_stream_that_wraps_before_its_first_packet_arrives() {
    for profile in Profile::ALL {
        for first_heard in [65_530_u32, 65_535, 65_536, 65_540, 65_536 + 32_767] {
            let mut pair = Pair::new(profile);
            for number in 65_530..first_heard {
                let _lost = pair.rtp(1, number as u16);
            }
            for number in first_heard..first_heard + 3 {
                let packet = pair.rtp(1, number as u16);
                pair.receive_rtp(&packet).unwrap();
            }
            let later = (first_heard + 2) >> 16;
            assert_eq!(pair.rx.rollover(Ssrc(1)), Some(later), "{profile:?}, {first_heard}");
        }
    }
}

/// T-S04: packets around the wrap arrive in any order; the ones from before it still decrypt (libsrtp 567).
#[test]
fn t_s04_reorder_around_the_wrap() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let packets: Vec<_> = (65_000..65_536 + 500_u32).map(|number| pair.rtp(1, number as u16)).collect();
        pair.receive_rtp(&packets[535]).unwrap();
        pair.receive_rtp(&packets[536]).unwrap();
        pair.receive_rtp(&packets[534]).unwrap();
        pair.receive_rtp(&packets[1_035]).unwrap();
        pair.receive_rtp(&packets[12]).unwrap();
        assert_eq!(pair.receive_rtp(&packets[11]), Err(UnprotectError::TooOld));
        assert_eq!(pair.rx.rollover(Ssrc(1)), Some(1));
    }
}

/// T-S04: a receiver that joins late and is told the roll-over counter.
#[test]
fn t_s04_late_joiner() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let start = 5 * 65_536 + 65_534_u64;
        pair.tx.resume(Ssrc(1), Position::new(start, 0)).unwrap();
        let before = pair.rtp(1, 65_534);
        let after = pair.rtp(1, 1);

        // Not told, it cannot know.
        assert_eq!(pair.receive_rtp(&before), Err(UnprotectError::Unauthentic));
        pair.rx.expect_rollover(Ssrc(1), 5).unwrap();
        // What was said before the wrap also helps after it.
        pair.receive_rtp(&after).unwrap();
        pair.receive_rtp(&before).unwrap();
        assert_eq!(pair.rx.rollover(Ssrc(1)), Some(6));
        assert_eq!(pair.rx.expect_rollover(Ssrc(1), 9), Err(PositionError::Backwards));

        let mut rx = unprotector(profile, Config::new().with_rollover_search(6));
        assert!(rx.unprotect_rtp(&mut before.clone()).is_ok(), "or it may search");
    }
}

/// T-S04: three wraps with 20 % loss and 300 ms of reorder at 1,000 packets per second.
#[test]
fn t_s04_three_wraps_with_loss_and_reorder() {
    let mut pair = Pair::new(Profile::Aes128CmHmacSha1_80);
    let mut dice = Dice(7);
    let mut arrivals: Vec<(u64, u64, Vec<u8>)> = Vec::new();
    for number in 0..210_000_u64 {
        let packet = pair.rtp(1, (number + 40_000) as u16);
        if !dice.percent(20) {
            let delay = if dice.percent(30) { dice.roll() % 300 } else { 0 };
            arrivals.push((number + delay, number, packet));
        }
    }
    arrivals.sort();
    let sent = arrivals.len() as u64;
    for (_, number, packet) in arrivals {
        pair.receive_rtp(&packet).unwrap_or_else(|error| panic!("{number}: {error}"));
    }
    assert_eq!(pair.rx.stats().rtp_packets, sent);
    assert_eq!(pair.rx.rollover(Ssrc(1)), Some(3));
}

/// T-S04: an outage longer than 2^15 packets, which RFC 3711 §3.3.1 gives up on.
#[test]
fn t_s04_an_outage_longer_than_half_the_sequence_space() {
    for profile in [Profile::Aes128CmHmacSha1_80, Profile::AeadAes128Gcm] {
        for lost in [32_000_u32, 33_000, 40_000, 64_600, 66_000, 90_000] {
            let mut pair = Pair::new(profile);
            let packet = pair.rtp(1, 100);
            pair.receive_rtp(&packet).unwrap();
            for number in 101..101 + lost {
                let _lost = pair.rtp(1, number as u16);
            }
            let heard = (101 + lost..101 + lost + 40)
                .filter(|number| {
                    let packet = pair.rtp(1, *number as u16);
                    pair.receive_rtp(&packet).is_ok()
                })
                .count();
            assert!(heard >= 25, "{profile:?}, {lost} lost: {heard} of 40 heard");
        }
    }
}

/// T-S04: SSRC A, then B, then A again (the index of A continues).
#[test]
fn t_s04_back_to_an_earlier_ssrc() {
    let mut pair = Pair::new(Profile::AeadAes128Gcm);
    for (ssrc, numbers) in [(1, 65_000..65_700_u32), (2, 100..200), (1, 65_700..65_800)] {
        for number in numbers {
            let packet = pair.rtp(ssrc, number as u16);
            pair.receive_rtp(&packet).unwrap();
        }
    }
    assert_eq!(pair.rx.rollover(Ssrc(1)), Some(1));
    assert_eq!(pair.rx.rollover(Ssrc(2)), Some(0));
    assert_eq!(pair.tx.position(Ssrc(1)), Some(Position::new(65_800, 0)));
}

/// T-S05: no (key, SSRC, index) is used twice, whatever the sequence numbers do.
#[test]
fn t_s05_an_index_is_never_used_twice() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let mut dice = Dice(5);
        let mut used = std::collections::BTreeSet::new();
        let mut sequence = 65_000_u16;
        for _ in 0..6_000 {
            // A sender that jumps, repeats, and starts anew at random.
            sequence = match dice.roll() % 20 {
                0 => sequence,
                1 => sequence.wrapping_sub((dice.roll() % 2_000) as u16),
                2 => dice.roll() as u16,
                _ => sequence.wrapping_add(1),
            };
            let before = pair.tx.position(Ssrc(1)).map_or(0, |position| position.rtp);
            match pair.try_rtp(1, sequence) {
                Ok(packet) => {
                    // The key stream is the packet XOR its plaintext; it must never come back.
                    let plain = rtp(1, sequence);
                    let stream: Vec<u8> =
                        packet[12..36].iter().zip(&plain[12..]).map(|(a, b)| a ^ b).collect();
                    assert!(used.insert(stream), "{profile:?}: key stream reused at {sequence}");
                }
                Err(error) => {
                    assert!(matches!(error, ProtectError::IndexReused | ProtectError::TooOld));
                    assert_eq!(pair.tx.position(Ssrc(1)).unwrap().rtp, before);
                }
            }
        }
        assert!(used.len() > 1_500);
    }
}

/// T-S05: a stream that is re-created with the same SSRC continues its index.
#[test]
fn t_s05_a_restarted_stream_goes_on() {
    let mut pair = Pair::new(Profile::Aes128CmHmacSha1_80);
    for sequence in 0..2_000 {
        let packet = pair.rtp(1, sequence);
        pair.receive_rtp(&packet).unwrap();
    }
    // The application starts over with low numbers: refused rather than encrypted with an old key stream.
    assert_eq!(pair.try_rtp(1, 1_999), Err(ProtectError::IndexReused));
    assert_eq!(pair.try_rtp(1, 5), Err(ProtectError::TooOld));
    assert_eq!(pair.tx.stats().refused, 2);
    // A new holder of the same key takes the position over.
    let position = pair.tx.position(Ssrc(1)).unwrap();
    pair.tx = protector(Profile::Aes128CmHmacSha1_80, Config::new());
    pair.tx.resume(Ssrc(1), position).unwrap();
    assert_eq!(pair.try_rtp(1, 1_999), Err(ProtectError::IndexReused));
    let packet = pair.rtp(1, 2_000);
    pair.receive_rtp(&packet).unwrap();
    assert_eq!(pair.tx.resume(Ssrc(1), Position::new(1_000, 0)), Err(PositionError::Backwards));
}

/// T-S06: forged packets are counted, and that is all.
#[test]
fn t_s06_forged_packets_end_nothing() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        for round in 0..50_u16 {
            let (packet, report) = (pair.rtp(1, round), pair.rtcp(1));
            for at in 0..40 {
                let mut forged = packet.clone();
                let at = 12 + at % (packet.len() - 12);
                forged[at] ^= 0x40;
                assert_eq!(pair.rx.unprotect_rtp(&mut forged), Err(UnprotectError::Unauthentic));
                let mut forged = report.clone();
                forged[9] ^= 0x40;
                assert_eq!(pair.rx.unprotect_rtcp(&mut forged), Err(UnprotectError::Unauthentic));
            }
            pair.receive_rtp(&packet).unwrap();
            pair.receive_rtcp(&report).unwrap();
        }
        let stats = pair.rx.stats();
        assert_eq!((stats.rtp_packets, stats.rtcp_packets, stats.unauthentic), (50, 50, 4_000));
    }
}

/// T-S07: plain RTP and RTCP are not let through.
#[test]
fn t_s07_plain_packets_are_refused() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let known = pair.rtp(1, 1);
        pair.receive_rtp(&known).unwrap();
        for ssrc in [1, 2] {
            assert_eq!(pair.rx.unprotect_rtp(&mut rtp(ssrc, 2)), Err(UnprotectError::Unauthentic));
            assert_eq!(pair.rx.unprotect_rtcp(&mut rtcp(ssrc)), Err(UnprotectError::Unauthentic));
        }
    }
}

/// T-S16: near the limits new keys are asked for; at the limits nothing is sent, and nothing wraps.
#[test]
fn t_s16_the_last_index_is_the_last() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let last = (1 << 48) - 2;
        assert!(!pair.tx.rekey_due());
        pair.tx.resume(Ssrc(1), Position::new(last - (1 << 33), 0)).unwrap();
        assert!(!pair.tx.rekey_due());
        pair.tx.resume(Ssrc(1), Position::new(last, 0)).unwrap();
        assert!(pair.tx.rekey_due());
        pair.rx.expect_rollover(Ssrc(1), u32::MAX).unwrap();
        for sequence in [65_534, 65_535] {
            let packet = pair.rtp(1, sequence);
            pair.receive_rtp(&packet).unwrap();
        }
        for sequence in [0, 1, 20_000] {
            assert_eq!(pair.try_rtp(1, sequence), Err(ProtectError::KeyExhausted));
        }
        assert_eq!(pair.try_rtp(1, 65_535), Err(ProtectError::IndexReused));
        let mut wrapped = pair.rtp(2, 0);
        wrapped[8..12].copy_from_slice(&1_u32.to_be_bytes());
        assert_eq!(pair.rx.unprotect_rtp(&mut wrapped), Err(UnprotectError::KeyExhausted));
        let stopped = pair.tx.resume(Ssrc(1), Position::new((1 << 48) + 1, 0));
        assert_eq!(stopped, Err(PositionError::BeyondLimit));
        // Other streams of the key go on.
        let other = pair.rtp(2, 1);
        pair.receive_rtp(&other).unwrap();
    }
}

/// T-S16, for SRTCP.
#[test]
fn t_s16_the_last_srtcp_index_is_the_last() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        pair.tx.resume(Ssrc(1), Position::new(0, (1 << 31) - 2)).unwrap();
        assert!(pair.tx.rekey_due());
        for _ in 0..2 {
            let packet = pair.rtcp(1);
            pair.receive_rtcp(&packet).unwrap();
        }
        for _ in 0..3 {
            let mut packet = rtcp(1);
            assert_eq!(pair.tx.protect_rtcp(&mut packet, 0), Err(ProtectError::KeyExhausted));
            assert_eq!(packet, rtcp(1));
        }
        let other = pair.rtcp(2);
        pair.receive_rtcp(&other).unwrap();
    }
}

/// Users 35: a packet 500 behind, as a retransmission brings it, is taken once.
#[test]
fn users_35_a_retransmission_500_behind_is_taken_once() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let packets: Vec<_> = (0..600).map(|sequence| pair.rtp(1, sequence)).collect();
        for (sequence, packet) in packets.iter().enumerate() {
            if sequence != 99 {
                pair.receive_rtp(packet).unwrap();
            }
        }
        pair.receive_rtp(&packets[99]).unwrap();
        assert_eq!(pair.receive_rtp(&packets[99]), Err(UnprotectError::Replayed));
        assert_eq!(pair.receive_rtp(&packets[99]), Err(UnprotectError::Replayed));
    }
}

/// Users 36: genuine packets cut to every length.
#[test]
fn users_36_truncated_packets_of_every_length() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let (packet, report) = (pair.rtp(1, 1), pair.rtcp(1));
        for len in 0..packet.len() {
            assert!(pair.rx.unprotect_rtp(&mut packet[..len].to_vec()).is_err(), "{profile:?}, {len}");
        }
        for len in 0..report.len() {
            assert!(pair.rx.unprotect_rtcp(&mut report[..len].to_vec()).is_err(), "{profile:?}, {len}");
        }
        assert_eq!(pair.rx.stats().streams, 0);
        pair.receive_rtp(&packet).unwrap();
        pair.receive_rtcp(&report).unwrap();
    }
}

/// Users 37: an unauthentic packet is dropped and counted, RTCP included, and says nothing else.
#[test]
fn users_37_authentication_failures_are_dropped_and_counted() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        let (mut packet, mut report) = (pair.rtp(1, 1), pair.rtcp(1));
        packet[20] ^= 1;
        report[20] ^= 1;
        assert_eq!(pair.rx.unprotect_rtp(&mut packet), Err(UnprotectError::Unauthentic));
        assert_eq!(pair.rx.unprotect_rtcp(&mut report), Err(UnprotectError::Unauthentic));
        let stats = pair.rx.stats();
        assert_eq!((stats.unauthentic, stats.rtp_packets, stats.rtcp_packets), (2, 0, 0));
    }
}

/// Users 38: nothing but new keys starts a new count. An ICE restart or a renegotiation keeps both objects, and the
/// SSRC that pauses meanwhile goes on where it was.
#[test]
fn users_38_a_pause_keeps_the_roll_over() {
    let mut pair = Pair::new(Profile::AeadAes256Gcm);
    for number in 65_000..66_000_u32 {
        let packet = pair.rtp(1, number as u16);
        pair.receive_rtp(&packet).unwrap();
    }
    // Another stream in between, as after a new offer.
    for number in 0..1_000 {
        let packet = pair.rtp(2, number);
        pair.receive_rtp(&packet).unwrap();
    }
    for number in 66_000..66_100_u32 {
        let packet = pair.rtp(1, number as u16);
        pair.receive_rtp(&packet).unwrap();
    }
    assert_eq!(pair.rx.rollover(Ssrc(1)), Some(1));
}

/// The table of SSRCs is bounded on both sides, and those inside it go on when it is full.
#[test]
fn the_table_of_ssrcs_is_bounded() {
    for profile in Profile::ALL {
        let mut pair = Pair::with(profile, Config::new().with_max_ssrcs(8));
        for ssrc in 0..8 {
            let (packet, report) = (pair.rtp(ssrc, 1), pair.rtcp(ssrc));
            pair.receive_rtp(&packet).unwrap();
            pair.receive_rtcp(&report).unwrap();
        }
        assert_eq!(pair.try_rtp(8, 1), Err(ProtectError::TooManyStreams));
        assert_eq!(pair.tx.protect_rtcp(&mut rtcp(8), 0), Err(ProtectError::TooManyStreams));
        assert_eq!(pair.tx.resume(Ssrc(8), Position::new(1, 1)), Err(PositionError::TooManyStreams));
        assert_eq!(pair.rx.expect_rollover(Ssrc(8), 1), Err(PositionError::TooManyStreams));

        pair.tx = protector(profile, Config::new());
        let (packet, report) = (pair.rtp(8, 1), pair.rtcp(8));
        assert_eq!(pair.receive_rtp(&packet), Err(UnprotectError::TooManyStreams));
        assert_eq!(pair.receive_rtcp(&report), Err(UnprotectError::TooManyStreams));
        // With a full table no tag is calculated for an unknown SSRC.
        let mut forged = report.clone();
        forged[20] ^= 1;
        assert_eq!(pair.rx.unprotect_rtcp(&mut forged), Err(UnprotectError::TooManyStreams));
        let packet = pair.rtp(3, 2);
        pair.receive_rtp(&packet).unwrap();
        assert_eq!((pair.rx.stats().streams, pair.rx.stats().too_many_streams), (8, 3));
    }
}
