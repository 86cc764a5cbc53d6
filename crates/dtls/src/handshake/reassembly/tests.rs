use super::*;
use proptest::prelude::*;

const LIMITS: Limits = Limits { message: 16 * 1024, total: 32 * 1024 };

fn part(seq: u16, length: u32, offset: u32, body: &[u8]) -> Fragment<'_> {
    Fragment { kind: HandshakeType::CERTIFICATE, length, seq, offset, body }
}

#[test]
fn delivers_in_order_whatever_the_order_of_arrival() {
    let mut reassembly = Reassembly::new(LIMITS);
    assert_eq!(reassembly.push(0, &part(1, 2, 0, b"hi")), Pushed::Taken);
    assert_eq!(reassembly.push(0, &part(0, 6, 3, b"def")), Pushed::Taken);
    assert!(reassembly.pop().is_none());
    assert_eq!(reassembly.push(0, &part(0, 6, 0, b"abc")), Pushed::Taken);
    assert_eq!(reassembly.pop().map(|message| (message.seq, message.body)), Some((0, b"abcdef".to_vec())));
    assert_eq!(reassembly.pop().map(|message| (message.seq, message.body)), Some((1, b"hi".to_vec())));
    assert!(reassembly.pop().is_none());
    assert_eq!(reassembly.push(0, &part(0, 6, 0, b"abc")), Pushed::Duplicate);
    assert_eq!(reassembly.bytes(), 0);
}

/// T-D05, users 26: empty fragments cost nothing and change nothing.
#[test]
fn t_d05_empty_fragments_cost_nothing() {
    let mut reassembly = Reassembly::new(LIMITS);
    for number in 0..10_000_u32 {
        reassembly.push(0, &part((number % 8) as u16, 16_000, number % 16_000, b""));
    }
    assert_eq!(reassembly.bytes(), 0);
    reassembly.push(0, &part(0, 3, 0, b"ab"));
    for _ in 0..10_000 {
        assert_eq!(reassembly.push(0, &part(0, 3, 1, b"")), Pushed::Taken);
    }
    assert!(reassembly.pop().is_none());
    reassembly.push(0, &part(0, 3, 2, b"c"));
    assert_eq!(reassembly.pop().unwrap().body, b"abc");
    assert_eq!(reassembly.push(0, &part(1, 0, 0, b"")), Pushed::Taken);
    assert_eq!(reassembly.pop().unwrap().body, b"", "a message of no bytes is a message");
}

/// T-D06: first fragments that claim the longest message, for every message number.
#[test]
fn t_d06_claims_are_bounded() {
    let mut reassembly = Reassembly::new(LIMITS);
    for seq in 0..=u16::MAX {
        assert_eq!(reassembly.push(0, &part(seq, (1 << 24) - 1, 0, b"x")), Pushed::Refused);
    }
    assert_eq!(reassembly.push(0, &part(0, 16 * 1024 + 1, 0, b"x")), Pushed::Refused, "a byte too many");
    for seq in (0..=u16::MAX).rev() {
        reassembly.push(0, &part(seq, 16 * 1024, 0, b"x"));
        assert!(reassembly.bytes() <= LIMITS.total);
    }
    // The awaited message finds room at the cost of later ones.
    assert_eq!(reassembly.push(0, &part(0, 16 * 1024, 1, &[7; 16 * 1024 - 1])), Pushed::Taken);
    assert_eq!(reassembly.pop().unwrap().body.len(), 16 * 1024);
}

/// T-D11: fragments that differ in one of type, length and number are never merged.
#[test]
fn t_d11_contradicting_fragments_are_not_merged() {
    let mut reassembly = Reassembly::new(LIMITS);
    reassembly.push(0, &part(0, 4, 0, b"ab"));
    let other_type = Fragment { kind: HandshakeType::FINISHED, ..part(0, 4, 2, b"XX") };
    assert_eq!(reassembly.push(0, &other_type), Pushed::Refused);
    assert_eq!(reassembly.push(0, &part(0, 5, 2, b"XX")), Pushed::Refused);
    assert_eq!(reassembly.push(1, &part(0, 4, 0, b"AB")), Pushed::Taken, "the authenticated epoch wins");
    assert_eq!(reassembly.push(0, &part(0, 4, 2, b"XX")), Pushed::Refused);
    assert_eq!(reassembly.push(0, &part(0, 4, 0, b"XXXX")), Pushed::Refused);
    reassembly.push(1, &part(0, 4, 1, b"yCD"));
    assert_eq!(reassembly.pop().unwrap().body, b"ABCD", "the first content of a byte wins");
}

#[test]
fn a_whole_message_displaces_contradicting_parts() {
    let mut reassembly = Reassembly::new(LIMITS);
    reassembly.push(0, &part(0, 9_000, 0, b"forged"));
    assert_eq!(reassembly.push(0, &part(0, 4, 0, b"true")), Pushed::Taken);
    assert_eq!(reassembly.pop().unwrap().body, b"true");
}

#[test]
fn the_second_hello_may_come_first() {
    let mut reassembly = Reassembly::new(LIMITS);
    reassembly.push(0, &part(1, 2, 0, b"h"));
    reassembly.skip_to_second();
    assert_eq!(reassembly.next(), 0, "not before it is whole");
    reassembly.push(0, &part(1, 2, 1, b"i"));
    reassembly.skip_to_second();
    assert_eq!(reassembly.pop().map(|message| message.seq), Some(1));
}

proptest! {
    /// Any cuts in any order, with repetitions and overlaps, give the message back.
    #[test]
    fn reassembles_any_order(
        body in prop::collection::vec(any::<u8>(), 1..400),
        cuts in prop::collection::vec((0_usize..400, 1_usize..90), 0..60),
    ) {
        let mut reassembly = Reassembly::new(LIMITS);
        let length = body.len() as u32;
        let mut pieces: Vec<(usize, usize)> = cuts
            .into_iter()
            .filter(|(at, _)| *at < body.len())
            .map(|(at, len)| (at, (at + len).min(body.len())))
            .collect();
        pieces.extend((0..body.len()).step_by(37).map(|at| (at, (at + 37).min(body.len()))));
        for (from, to) in pieces {
            prop_assert_ne!(reassembly.push(0, &part(0, length, from as u32, &body[from..to])), Pushed::Refused);
        }
        prop_assert_eq!(reassembly.pop().map(|message| message.body), Some(body));
    }
}
