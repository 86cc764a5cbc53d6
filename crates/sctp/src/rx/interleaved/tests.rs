use super::*;
use proptest::prelude::*;

fn header(mid: u32, fsn: u32, begin: bool, end: bool) -> DataHeader {
    let (stream, mid) = (StreamId(1), Serial32(mid));
    DataHeader { stream, mid, fsn, ppid: Ppid(53), unordered: false, begin, end }
}

fn insert(
    reassembly: &mut Interleaved,
    tsn: u64,
    header: DataHeader,
    payload: &[u8],
) -> Result<Option<Whole>, Violation> {
    reassembly.insert(tsn, header, payload, false)
}

proptest! {
    /// Whatever the order of fragments, and whatever they are taken out in between, each message comes out once and
    /// unchanged, and nothing is left.
    #[test]
    fn any_order_of_fragments_gives_the_messages(
        sizes in proptest::collection::vec(1_u32..8, 1..8),
        shuffle in any::<u64>(),
        first in prop_oneof![Just(0_u32), Just(u32::MAX - 3)],
        take_every in 1_usize..6,
    ) {
        let mut fragments = Vec::new();
        for (index, count) in sizes.iter().enumerate() {
            let mid = first.wrapping_add(index as u32);
            for fsn in 0..*count {
                let payload = vec![index as u8, fsn as u8, 7];
                fragments.push((index, header(mid, fsn, fsn == 0, fsn + 1 == *count), payload));
            }
        }
        let mut expected = vec![Vec::new(); sizes.len()];
        for (index, _, payload) in &fragments {
            expected[*index].extend_from_slice(payload);
        }
        let mut state = shuffle | 1;
        for index in (1..fragments.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            fragments.swap(index, (state >> 33) as usize % (index + 1));
        }
        let mut reassembly = Interleaved::new(1_000);
        let mut got = vec![Vec::new(); sizes.len()];
        let mut whole = vec![false; sizes.len()];
        for (step, (index, header, payload)) in fragments.into_iter().enumerate() {
            if let Some(message) = insert(&mut reassembly, step as u64, header, &payload).unwrap() {
                prop_assert!(!whole[index]);
                whole[index] = true;
                got[index].extend_from_slice(&message.payload.unwrap());
                prop_assert_eq!(message.header.ppid, Ppid(53));
            } else if step % take_every == 0 && reassembly.front(StreamId(1), false, header.mid).is_some() {
                got[index].extend_from_slice(&reassembly.take(StreamId(1), false, header.mid));
            }
        }
        prop_assert!(whole.into_iter().all(|whole| whole));
        prop_assert_eq!(got, expected);
        prop_assert_eq!((reassembly.payload(), reassembly.held()), (0, 0));
    }
}

#[test]
fn contradictions_are_violations() {
    let cases: [(&str, &[DataHeader]); 9] = [
        ("two beginnings", &[header(0, 0, true, false), header(0, 0, true, false)]),
        ("two ends", &[header(0, 3, false, true), header(0, 4, false, true)]),
        ("a fragment twice", &[header(0, 2, false, false), header(0, 2, false, false)]),
        ("the first twice", &[header(0, 0, true, false), header(0, 0, false, false)]),
        (
            "one inside a run",
            &[header(0, 2, false, false), header(0, 3, false, false), header(0, 3, false, false)],
        ),
        ("behind the end", &[header(0, 3, false, true), header(0, 4, false, false)]),
        ("an end before the last", &[header(0, 4, false, false), header(0, 3, false, true)]),
        ("whole and begun", &[header(0, 1, false, false), header(0, 0, true, true)]),
        ("a first without B", &[header(0, 0, false, false)]),
    ];
    for (name, headers) in cases {
        let mut reassembly = Interleaved::new(100);
        let (last, before) = headers.split_last().unwrap();
        for (tsn, header) in before.iter().enumerate() {
            assert!(insert(&mut reassembly, tsn as u64, *header, b"x").is_ok(), "{name}");
        }
        assert_eq!(insert(&mut reassembly, 9, *last, b"x").unwrap_err(), Violation::Fragments, "{name}");
    }
}

/// T-C15, and fragments of it that come later are no harm.
#[test]
fn t_c15_a_message_beyond_the_limit_is_not_kept() {
    let mut reassembly = Interleaved::new(10);
    assert!(insert(&mut reassembly, 1, header(0, 0, true, false), &[0; 6]).unwrap().is_none());
    assert!(insert(&mut reassembly, 2, header(0, 2, false, false), &[0; 6]).unwrap().is_none());
    assert_eq!(reassembly.payload(), 0);
    assert!(insert(&mut reassembly, 3, header(0, 1, false, false), &[0; 6]).unwrap().is_none());
    let whole = insert(&mut reassembly, 4, header(0, 3, false, true), &[0; 6]).unwrap().unwrap();
    assert!(whole.payload.is_none());
    assert_eq!(reassembly.held(), 0);
}

/// A message given out in pieces may have more fragments than 32 bits can number.
#[test]
fn fragment_numbers_wrap() {
    let mut reassembly = Interleaved::new(100);
    insert(&mut reassembly, 1, header(0, 0, true, false), b"x").unwrap();
    let key = (StreamId(1), false, 0);
    reassembly.take(StreamId(1), false, Serial32(0));
    let partial = reassembly.messages.get_mut(&key).unwrap();
    partial.front.next = (1 << 32) - 2;
    for (tsn, fsn) in [(2, u32::MAX), (3, u32::MAX - 1), (4, 1), (5, 0)] {
        assert!(insert(&mut reassembly, tsn, header(0, fsn, false, false), &[tsn as u8]).unwrap().is_none());
    }
    assert_eq!(reassembly.take(StreamId(1), false, Serial32(0))[..], [3, 2, 5, 4]);
    let whole = insert(&mut reassembly, 6, header(0, 2, false, true), b"z").unwrap().unwrap();
    assert_eq!(whole.payload.unwrap()[..], *b"z");
}

#[test]
fn skipped_messages_leave_nothing() {
    let mut reassembly = Interleaved::new(100);
    for mid in [u32::MAX - 1, u32::MAX, 0, 1, 2] {
        insert(&mut reassembly, u64::from(mid), header(mid, 1, false, false), b"x").unwrap();
    }
    reassembly.skip(StreamId(1), true, Serial32(1));
    reassembly.skip(StreamId(0), false, Serial32(1));
    assert_eq!(reassembly.payload(), 5);
    reassembly.skip(StreamId(1), false, Serial32(1));
    assert_eq!(reassembly.payload(), 1);
    reassembly.skip(StreamId(1), false, Serial32(2));
    assert_eq!(reassembly.held(), 0);
}
