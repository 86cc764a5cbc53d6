//! Peers that mean harm, with I-DATA.

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use proptest::prelude::*;
use raw::*;
use sctp::*;

const LIMIT: usize = 2 << 20;

/// What is held, whatever comes; with `Some` streams are received in pieces, and nobody pulls.
fn fill(name: &str, pieces: Option<u16>, make: &dyn Fn(u32) -> Vec<u8>) {
    let mut script = Script::interleaved();
    for stream in 0..pieces.unwrap_or(0) {
        script.end.set_delivery(StreamId(stream), Delivery::Pieces);
    }
    for number in 0..40_000 {
        script.say(&[make(number)]);
        if number % 64 == 0 {
            script.written();
            while script.end.poll_event().is_some() {}
            assert!(script.end.stats().receive_held <= LIMIT, "{name}");
        }
    }
}

/// T-C05: bytes held stay below twice the window, in every shape that I-DATA can have.
#[test]
fn t_c05_reassembly_is_bounded_with_interleaving() {
    for pieces in [None, Some(100)] {
        // A message that never ends, its first fragment missing, or there.
        fill("no beginning", pieces, &|number| i_data(0, TSN + number, 1, 0, number + 1, b"x"));
        fill("no end", pieces, &|number| {
            if number == 0 {
                i_data(2, TSN, 1, 0, 53, &[0; 1_000])
            } else {
                i_data(0, TSN + number, 1, 0, number, &[0; 1_000])
            }
        });
        // Gaps between fragments, with no gap between TSNs.
        fill("gaps", pieces, &|number| i_data(0, TSN + number, 1, 0, number * 2 + 1, b"x"));
        fill("backwards", pieces, &|number| i_data(0, TSN + number, 1, 0, 80_000 - number, b"x"));
        fill("large gaps", pieces, &|number| i_data(0, TSN + number, 1, 0, number * 2 + 1, &[0; 1_000]));
        // A beginning of every message on every stream, ordered and not.
        fill("beginnings", pieces, &|number| {
            i_data(2 | (number as u8 & 1) << 2, TSN + number, (number % 100) as u16, number / 100, 53, b"x")
        });
        fill("ends", pieces, &|number| i_data(1, TSN + number, (number % 100) as u16, number / 100, 7, b"x"));
        // Whole messages that wait for one that never comes.
        fill("early", pieces, &|number| i_data(3, TSN + number, 1, number + 1, 53, b"x"));
        fill("on every stream", pieces, &|number| {
            i_data(3, TSN + number, (number % 100) as u16, number / 100, 53, b"x")
        });
        // Every second chunk lost.
        fill("lost", pieces, &|number| i_data(0, TSN + 1 + 2 * number, 1, 0, number + 1, b"x"));
    }
}

/// T-C15 beside the window: a message beyond the limit is not kept, and says so; in pieces there is no limit.
#[test]
fn t_c15_too_large_with_interleaving() {
    for pieces in [false, true] {
        let mut script =
            Script::established_as(Config::default().with_max_message_size(5_000), &[130, 192, 194, 64]);
        if pieces {
            script.end.set_delivery(StreamId(1), Delivery::Pieces);
        }
        let mut taken = 0;
        for number in 0..10 {
            let (flags, shared) = match number {
                0 => (2, 53),
                9 => (1, 9),
                _ => (0, number),
            };
            script.say(&[i_data(flags, TSN + number, 1, 0, shared, &[7; 1_000])]);
            while let Some(piece) = script.end.recv_piece(StreamId(1)) {
                taken += piece.payload.len();
            }
        }
        script.say(&[i_data(3, TSN + 10, 1, 1, 53, b"next")]);
        let too_large = script.events().contains(&Event::MessageTooLarge(StreamId(1)));
        assert_eq!((too_large, taken), if pieces { (false, 10_000) } else { (true, 0) });
        let next = script.end.recv().map(|(_, message)| message.payload);
        let next = next.or_else(|| script.end.recv_piece(StreamId(1)).map(|piece| piece.payload));
        assert_eq!(next, Some("next".into()));
    }
}

/// A chunk that says to skip thousands of messages, again and again, costs what its length costs.
#[test]
fn skipping_is_cheap() {
    let mut script = Script::interleaved();
    for number in 0..3_000 {
        script.say(&[i_data(3, TSN + 1 + number, 1, number * 2 + 1, 53, b"x")]);
        script.written();
    }
    let entries: Vec<_> = (0..8_000).map(|number| (1, number as u16 & 1, number)).collect();
    for cumulative in 0..50 {
        script.say(&[i_forward_tsn(TSN + cumulative, &entries)]);
    }
    assert!(script.end.is_connected());
    assert_eq!(std::iter::from_fn(|| script.end.recv()).count(), 3_000);
    assert_eq!(script.end.stats().receive_held, 2 * 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nonsense of the right form: no panic, the bound holds, and what ends the association says so.
    #[test]
    fn random_chunks_are_harmless(
        chunks in proptest::collection::vec(
            (0_u8..16, 0_u32..40, 0_u16..4, prop_oneof![0_u32..4, Just(u32::MAX)], 0_u32..6, 0_usize..40, 0_u8..8),
            0..120,
        ),
    ) {
        let mut script = Script::interleaved();
        script.end.set_delivery(StreamId(1), Delivery::Pieces);
        for (flags, tsn, stream, mid, shared, len, action) in chunks {
            let chunk = match action {
                0 => i_forward_tsn(TSN + tsn, &[(stream, u16::from(flags & 1), mid)]),
                1 => outgoing_reset(TSN + shared, TSN + tsn, &[stream]),
                _ => i_data(flags, TSN + tsn, stream, mid, shared, &vec![7; len]),
            };
            script.say(&[chunk]);
            script.written();
            if action == 2 {
                let _ = script.end.recv_piece(StreamId(1));
            } else if action == 3 {
                let _ = script.end.recv();
            } else if action == 4 {
                let delivery = if flags & 1 == 0 { Delivery::Pieces } else { Delivery::Messages };
                script.end.set_delivery(StreamId(stream), delivery);
            }
            prop_assert!(script.end.stats().receive_held <= LIMIT);
        }
        if script.end.is_connected() {
            for stream in 0..4 {
                while script.end.recv_piece(StreamId(stream)).is_some() {}
            }
            while script.end.recv().is_some() {}
        }
    }
}
