use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn place(sequence: &mut Sequence, number: u16) -> Place {
    sequence.place(SequenceNumber(number))
}

/// RFC 3550 A.1, and users 64: wrap, duplicates, disorder.
#[test]
fn users_64_wrap_duplicates_and_disorder() {
    let mut sequence = Sequence::default();
    assert_eq!(place(&mut sequence, 65_534), Place::New { number: 0x1_fffe, skipped: 0 });
    assert_eq!(place(&mut sequence, 1), Place::New { number: 0x2_0001, skipped: 2 });
    assert_eq!(place(&mut sequence, 65_535), Place::New { number: 0x1_ffff, skipped: 0 });
    assert_eq!(place(&mut sequence, 65_535), Place::Duplicate);
    assert_eq!(place(&mut sequence, 1), Place::Duplicate);
    assert_eq!(sequence.lost(), 1 - 2, "duplicates count as received (RFC 3550 A.3)");
    assert_eq!(place(&mut sequence, 65_530), Place::New { number: 0x1_fffa, skipped: 0 }, "before the first");
    assert_eq!(sequence.lost(), 8 - 6);
}

/// Users 64: a source that starts over is believed at its second packet.
#[test]
fn users_64_restart_of_the_source() {
    let mut sequence = Sequence::default();
    place(&mut sequence, 100);
    assert_eq!(place(&mut sequence, 40_000), Place::Implausible);
    assert_eq!(place(&mut sequence, 101), Place::New { number: 0x1_0065, skipped: 0 });
    assert_eq!(
        place(&mut sequence, 40_001),
        Place::Implausible,
        "one stray packet is not the start of a row"
    );
    assert_eq!(place(&mut sequence, 40_002), Place::Restart { number: 0x2_9c42 });
    assert_eq!(place(&mut sequence, 40_003), Place::New { number: 0x2_9c43, skipped: 0 });
    assert_eq!(sequence.lost(), 0);
}

/// T-S14: an original sequence number far away.
#[test]
fn t_s14_repeats_far_away_are_implausible() {
    let mut sequence = Sequence::default();
    assert_eq!(sequence.place_repeated(SequenceNumber(5)), Place::Implausible, "nothing to repeat yet");
    for number in (0..=u16::MAX).map(SequenceNumber) {
        let mut sequence = Sequence::default();
        place(&mut sequence, 5_000);
        let behind = SequenceNumber(5_000).distance_from(number);
        let expected = match behind {
            0 => Place::Duplicate,
            1..1_024 => Place::New { number: 0x1_0000 + 5_000 - u64::from(behind), skipped: 0 },
            65_408.. => {
                let ahead = u64::from(behind.wrapping_neg());
                Place::New { number: 0x1_0000 + 5_000 + ahead, skipped: ahead - 1 }
            }
            _ => Place::Implausible,
        };
        assert_eq!(sequence.place_repeated(number), expected, "{behind}");
    }
}

/// RFC 3550 A.3.
#[test]
fn rtp_loss_a3() {
    let mut sequence = Sequence::default();
    for number in (0..100).filter(|number| number % 4 != 1) {
        place(&mut sequence, number);
    }
    let loss = sequence.report();
    assert_eq!((loss.fraction, loss.cumulative, loss.highest), (64, 25, 99));
    let loss = sequence.report();
    assert_eq!((loss.fraction, loss.cumulative), (0, 25), "nothing new in this interval");
    place(&mut sequence, 1);
    assert_eq!(sequence.report().cumulative, 24);
    for number in 100..=65_535 {
        place(&mut sequence, number);
    }
    place(&mut sequence, 0);
    assert_eq!(sequence.report().highest, 0x1_0000, "wraps count in the upper half");
}

/// RFC 3550 A.8: a steady stream has none, and constant deviation is approached.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
fn rtp_jitter_a8() {
    let start = Instant::now();
    let mut steady = Sequence::default();
    let mut unsteady = Sequence::default();
    for packet in 0..500_u32 {
        let at = start + Duration::from_millis(20) * packet;
        steady.on_arrival(at, Timestamp(packet.wrapping_mul(160).wrapping_sub(9)), 8_000);
        let late = Duration::from_millis(if packet % 2 == 0 { 10 } else { 0 });
        unsteady.on_arrival(at + late, Timestamp(packet * 160), 8_000);
    }
    assert_eq!(steady.jitter(), 0);
    assert!((78..=80).contains(&unsteady.jitter()), "{}", unsteady.jitter());
    unsteady.on_arrival(start + Duration::from_secs(1_000_000), Timestamp(0), 8_000);
    assert!(unsteady.jitter() < 2_000, "a clock that jumps is limited");
}

proptest! {
    /// Against a naive model: no number is new twice, and order by 64-bit numbers is the order of sending.
    #[test]
    fn numbers_extend_as_they_were_sent(start in any::<u16>(), order in prop::collection::vec(0_u64..600, 1..400)) {
        let mut sequence = Sequence::default();
        let origin = 0x1_0000 + u64::from(start);
        let mut seen = std::collections::BTreeSet::new();
        let mut base = None;
        for offset in order {
            let number = SequenceNumber(start.wrapping_add(offset as u16));
            let sent = origin + offset;
            // The first packet's own era is the reference.
            let shift = *base.get_or_insert_with(|| (0x1_0000 + u64::from(number.0)).wrapping_sub(sent));
            match sequence.place(number) {
                Place::New { number, .. } => {
                    prop_assert!(seen.insert(sent));
                    prop_assert_eq!(number, sent.wrapping_add(shift));
                }
                Place::Duplicate => prop_assert!(seen.contains(&sent)),
                other @ (Place::Implausible | Place::Restart { .. }) => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
