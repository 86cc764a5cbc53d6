//! For any packet: what goes in comes out, and nothing else does.

#[path = "common/pair.rs"]
mod pair;

use pair::{Pair, protector, unprotector};
use proptest::prelude::*;
use srtp::{Config, Profile};

/// A whole RTP packet with any header.
fn any_rtp() -> impl Strategy<Value = Vec<u8>> {
    let extension = prop::option::of(prop::collection::vec(any::<u32>(), 0..40));
    let parts = (any::<[u8; 11]>(), prop::collection::vec(any::<u32>(), 0..16), extension);
    (parts, prop::collection::vec(any::<u8>(), 0..1_300), any::<bool>()).prop_map(
        |((fixed, sources, extension), payload, padding)| {
            let flags = u8::from(padding) << 5 | u8::from(extension.is_some()) << 4 | sources.len() as u8;
            let mut packet = vec![0x80 | flags];
            packet.extend(fixed);
            packet.extend(sources.iter().flat_map(|source| source.to_be_bytes()));
            if let Some(words) = extension {
                packet.extend([0xbe, 0xde]);
                packet.extend((words.len() as u16).to_be_bytes());
                packet.extend(words.iter().flat_map(|word| word.to_be_bytes()));
            }
            packet.extend(payload);
            packet
        },
    )
}

fn any_rtcp() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 8..600).prop_map(|mut packet| {
        packet[0] = 0x80 | packet[0] & 0x3f;
        packet
    })
}

fn any_profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(&Profile::ALL[..])
}

proptest! {
    #[test]
    fn rtp_round_trip(profile in any_profile(), front in prop::collection::vec(any::<u8>(), 0..50), packet in any_rtp()) {
        let mut pair = Pair::new(profile);
        let mut out = [&front[..], &packet].concat();
        pair.tx.protect_rtp(&mut out, front.len()).unwrap();
        prop_assert_eq!(&out[..front.len()], &front[..]);
        prop_assert_eq!(out.len(), front.len() + packet.len() + profile.rtp_overhead());
        let len = pair.rx.unprotect_rtp(&mut out[front.len()..]).unwrap();
        prop_assert_eq!(&out[front.len()..][..len], &packet[..]);
    }

    #[test]
    fn rtcp_round_trip(profile in any_profile(), front in prop::collection::vec(any::<u8>(), 0..50), packet in any_rtcp()) {
        let mut pair = Pair::new(profile);
        let mut out = [&front[..], &packet].concat();
        pair.tx.protect_rtcp(&mut out, front.len()).unwrap();
        prop_assert_eq!(out.len(), front.len() + packet.len() + profile.rtcp_overhead());
        let len = pair.rx.unprotect_rtcp(&mut out[front.len()..]).unwrap();
        prop_assert_eq!(&out[front.len()..][..len], &packet[..]);
    }

    #[test]
    fn any_flipped_bit_is_noticed(profile in any_profile(), packet in any_rtp(), report in any_rtcp(), bit in any::<prop::sample::Index>()) {
        let mut pair = Pair::new(profile);
        for (mut packet, is_rtp) in [(packet, true), (report, false)] {
            if is_rtp {
                pair.tx.protect_rtp(&mut packet, 0).unwrap();
            } else {
                pair.tx.protect_rtcp(&mut packet, 0).unwrap();
            }
            let bit = bit.index(packet.len() * 8);
            packet[bit / 8] ^= 1 << (bit % 8);
            let received = if is_rtp { pair.rx.unprotect_rtp(&mut packet) } else { pair.rx.unprotect_rtcp(&mut packet) };
            prop_assert!(received.is_err(), "bit {bit}");
            prop_assert_eq!(pair.rx.stats().streams, 0);
        }
    }

    #[test]
    fn any_cut_is_noticed(profile in any_profile(), mut packet in any_rtp(), cut in any::<prop::sample::Index>()) {
        let mut pair = Pair::new(profile);
        pair.tx.protect_rtp(&mut packet, 0).unwrap();
        packet.truncate(cut.index(packet.len()));
        prop_assert!(pair.rx.unprotect_rtp(&mut packet).is_err());
    }

    /// T-S01, with random bytes.
    #[test]
    fn t_s01_random_bytes_are_dropped(profile in any_profile(), packet in prop::collection::vec(any::<u8>(), 0..1_500)) {
        let mut rx = unprotector(profile, Config::new());
        prop_assert!(rx.unprotect_rtp(&mut packet.clone()).is_err());
        prop_assert!(rx.unprotect_rtcp(&mut packet.clone()).is_err());
        // The sender takes anything that looks like a packet, and must not panic on what does not.
        let mut tx = protector(profile, Config::new());
        let before = packet.clone();
        for start in [0, 1, packet.len(), packet.len() + 1] {
            let mut out = packet.clone();
            if tx.protect_rtp(&mut out, start).is_err() {
                prop_assert_eq!(&out, &before);
            }
            let mut out = packet.clone();
            if tx.protect_rtcp(&mut out, start).is_err() {
                prop_assert_eq!(&out, &before);
            }
        }
    }

    /// The two sides agree under loss, repetition and reorder, and every packet is taken exactly once.
    #[test]
    fn each_packet_is_taken_once(profile in any_profile(), start in any::<u16>(), order in prop::collection::vec(0_usize..300, 1..400)) {
        // A stream that starts late in its first era and is heard from before its beginning is another test's matter.
        let mut pair = Pair::new(profile);
        let packets: Vec<_> = (0..300_u16).map(|number| pair.rtp(1, start.wrapping_add(number))).collect();
        let mut taken = std::collections::BTreeSet::new();
        let mut highest = None;
        for number in order {
            let received = pair.receive_rtp(&packets[number]).is_ok();
            prop_assert_eq!(received, taken.insert(number), "{} after {:?}", number, highest);
            highest = highest.max(Some(number));
        }
    }
}
