use proptest::prelude::*;

use super::*;
use crate::rtcp::{Compound, RtcpPacket};

fn build(base: u16, arrivals: &[(u16, i64)], max_len: usize) -> (Vec<u8>, usize) {
    let mut builder = TransportFeedbackBuilder::new();
    builder.start(SequenceNumber(base), arrivals[0].1, max_len);
    let taken = arrivals
        .iter()
        .take_while(|(sequence, ticks)| builder.push(SequenceNumber(*sequence), *ticks).is_ok());
    let taken = taken.count();
    let mut out = Vec::new();
    builder.write(&mut out, Ssrc(1), Ssrc(2), 3);
    (out, taken)
}

fn parse(packet: &[u8]) -> TransportFeedback<'_> {
    match Compound::new(packet).next() {
        Some(Ok(RtcpPacket::TransportFeedback(feedback))) => feedback,
        other => panic!("{other:?}"),
    }
}

fn raw(count: u16, chunks: &[u16], deltas: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_packet(&mut out, kind::RTPFB, FORMAT, |out| {
        out.put_u64(0);
        out.put_u16(7);
        out.put_u16(count);
        out.put_u32(0);
        chunks.iter().for_each(|chunk| out.put_u16(*chunk));
        out.put_slice(deltas);
    });
    out
}

#[test]
fn arrivals_go_there_and_back() {
    let arrivals = [(65_534, 1_000), (65_535, 1_004), (1, 1_400), (2, 1_399), (9, 20_000)];
    let (out, taken) = build(65_534, &arrivals, 1_200);
    assert_eq!(taken, arrivals.len());
    let feedback = parse(&out);
    assert_eq!(
        (feedback.base, feedback.status_count, feedback.feedback_count),
        (SequenceNumber(65_534), 12, 3)
    );
    let read: Vec<_> = feedback.arrivals().filter_map(|a| Some((a.sequence.0, a.ticks?))).collect();
    assert_eq!(read, arrivals);
}

/// T-S11: any status count with any number of chunks; run lengths beyond the count; all of it bounded.
#[test]
fn t_s11_counts_and_chunks_that_disagree() {
    for count in [0, 1, 7, 8, 14, 15, 8_191, 8_192, 32_767, 32_768, 65_535_u16] {
        for chunks in 0..12 {
            for chunk in
                [0x0000, 0x1fff, 0x2001, 0x3fff, 0x4001, 0x5fff, 0x8000, 0xbfff, 0xc000, 0xd555, 0xeaaa]
            {
                let packet = raw(count, &vec![chunk; chunks], &[0; 64]);
                if let Some(Ok(RtcpPacket::TransportFeedback(feedback))) = Compound::new(&packet).next() {
                    assert_eq!(feedback.statuses().count(), usize::from(count));
                }
            }
        }
    }
}

/// T-S11: every count a field can hold, over chunks that are all empty runs: the walk ends with the input.
#[test]
fn t_s11_empty_runs_make_progress() {
    let chunks = [0_u16; 600];
    for count in 1..=65_535_u16 {
        let packet = raw(count, &chunks[..usize::from(count % 8)], &[]);
        assert!(Compound::new(&packet).next().is_some_and(|packet| packet.is_err()));
    }
    assert!(Compound::new(&raw(65_535, &chunks, &[])).next().is_some_and(|packet| packet.is_err()));
}

/// T-S11: the reserved symbol `0b11` is an error where it counts, and ignored behind the count.
#[test]
fn t_s11_all_four_symbols() {
    // not received, small, large, then reserved in the fourth place
    let vector = 0xc000 | 0b00_01_10_11_00_00_00;
    let packet = raw(3, &[vector], &[4, 0xff, 0xff]);
    let deltas: Vec<_> = parse(&packet).statuses().map(|status| status.delta).collect();
    assert_eq!(deltas, [None, Some(4), Some(-1)]);
    let packet = raw(4, &[vector], &[4, 0xff, 0xff]);
    let expected = ParseError::invalid("packet status", 20);
    assert_eq!(Compound::new(&packet).next().and_then(Result::err), Some(expected));
    assert!(Compound::new(&raw(1, &[0x6001], &[0; 8])).next().is_some_and(|packet| packet.is_err()));
}

/// T-S11: deltas at the limits of 16 bits, one beyond them, and a clock that goes backwards.
#[test]
fn t_s11_deltas_at_the_limits() {
    for delta in [-32_768, -32_767, -32_766, -1, 0, 255, 256, 32_767_i64] {
        let (out, taken) = build(0, &[(0, 256_000), (1, 256_000 + delta)], 1_200);
        assert_eq!(taken, 2, "{delta}");
        let ticks: Vec<_> = parse(&out).arrivals().map(|arrival| arrival.ticks).collect();
        assert_eq!(ticks, [Some(256_000), Some(256_000 + delta)]);
    }
    for delta in [-32_769, 32_768_i64] {
        assert_eq!(build(0, &[(0, 256_000), (1, 256_000 + delta)], 1_200).1, 1, "{delta}");
    }
    let (out, _) = build(0, &[(0, -1)], 1_200);
    assert_eq!(parse(&out).arrivals().next().and_then(|arrival| arrival.ticks), Some(-1), "before the epoch");
}

/// T-S11: a gap of 2^15 starts another feedback, a smaller one fits; the packet stays below the length asked for.
#[test]
fn t_s11_gaps_and_length() {
    let (out, taken) = build(10, &[(10, 0), (10 + 32_768, 1)], 200);
    assert_eq!(taken, 2, "32,767 between");
    assert!(out.len() <= 200);
    assert_eq!(parse(&out).statuses().count(), 32_769);
    assert_eq!(build(10, &[(10, 0), (10 + 32_769, 1)], 200).1, 1);
    assert_eq!(build(10, &[(10, 0), (10, 1)], 200).1, 1, "a gap of 2^16");
    for max_len in 32..400 {
        let arrivals: Vec<_> = (0..400_u16).map(|n| (3 * n, i64::from(n) * 300)).collect();
        let (out, taken) = build(0, &arrivals, max_len);
        assert!(out.len() <= max_len, "{max_len}");
        assert!(taken > 0 || max_len < 40);
    }
}

#[test]
fn t_s11_truncations_are_errors() {
    let arrivals: Vec<_> = (0..60_u16).map(|n| (n, i64::from(n) * i64::from(n) * 10)).collect();
    let (out, _) = build(0, &arrivals, 1_200);
    for words in 1..out.len() / 4 {
        let mut cut = out[..4 * words].to_vec();
        cut[2..4].copy_from_slice(&(words as u16 - 1).to_be_bytes());
        let longest = out.len() / 4 - 1;
        assert!(
            Compound::new(&cut).next().is_some_and(|packet| packet.is_err()) || words == longest,
            "{words}"
        );
    }
}

proptest! {
    #[test]
    fn any_arrivals_go_there_and_back(
        base in any::<u16>(),
        start in -1_000_000_i64..1_000_000,
        steps in prop::collection::vec((1_u16..40, -300_i64..900), 1..200),
        max_len in 60_usize..1_200,
    ) {
        let mut arrivals = Vec::new();
        let (mut sequence, mut ticks) = (base, start);
        for (gap, delta) in steps {
            arrivals.push((sequence, ticks));
            sequence = sequence.wrapping_add(gap);
            ticks += delta;
        }
        let (out, taken) = build(base, &arrivals, max_len);
        prop_assert!(taken > 0);
        prop_assert!(out.len() <= max_len);
        let read: Vec<_> = parse(&out).arrivals().filter_map(|a| Some((a.sequence.0, a.ticks?))).collect();
        prop_assert_eq!(&read[..], &arrivals[..taken]);
    }
}

/// How many symbols a chunk has, and one of them, as the draft draws them (§3.1.3, §3.1.4).
fn drawn(field: u16) -> (u16, impl Fn(u16) -> u16) {
    let (len, width) = match field >> 14 {
        0 | 1 => (field & 0x1fff, 0),
        2 => (14, 1),
        _ => (7, 2),
    };
    let symbol = move |place: u16| match width {
        0 => field >> 13,
        _ => field >> (14 - (place + 1) * width) & ((1 << width) - 1),
    };
    (len, symbol)
}

/// What a chunk says about itself as a whole, and what it gives one by one, is what is drawn.
#[test]
fn chunks_are_measured_and_walked_as_they_are_drawn() {
    for field in 0..=u16::MAX {
        let (len, symbol) = drawn(field);
        let mut chunk = StatusChunk::new(field);
        assert_eq!(chunk.left, len, "{field:#x}");
        assert!((0..len.min(16)).all(|place| chunk.take() == u32::from(symbol(place))), "{field:#x}");
        for max in [1, 6, 7, 8, 13, 14, 16] {
            let counted = || (0..len.min(max)).map(&symbol);
            let bytes = usize::from(counted().sum::<u16>());
            let expected = (!counted().any(|symbol| symbol == 3)).then_some((len.min(max), bytes));
            assert_eq!(StatusChunk::new(field).measure(max), expected, "{field:#x}, {max}");
        }
    }
    assert_eq!(StatusChunk::new(0x5fff).measure(9_000), Some((8_191, 2 * 8_191)));
}

/// The packer with a list of symbols instead of bits.
fn packed_simply(symbols: &[u8]) -> Vec<u16> {
    let is_run = |list: &[u8]| list.iter().all(|symbol| *symbol == list[0]);
    let vector = |list: &[u8], width: usize| {
        let places = list.iter().take(14 / width).zip(1..);
        places.fold(0x8000 | (width as u16 - 1) << 14, |field, (symbol, place)| {
            field | u16::from(*symbol) << (14 - place * width)
        })
    };
    let emit = |list: &mut Vec<u8>, small: usize| {
        let (chunk, covered) = if is_run(list) {
            (u16::from(list[0]) << 13 | list.len() as u16, list.len())
        } else if list.len() >= small && !list.contains(&2) {
            (vector(list, 1), 14)
        } else {
            (vector(list, 2), 7)
        };
        list.drain(..covered.min(list.len()));
        chunk
    };
    let (mut chunks, mut list) = (Vec::new(), Vec::new());
    for symbol in symbols {
        let fits = match list.len() {
            0..7 => true,
            7..14 if !list.contains(&2) && *symbol != 2 => true,
            _ => is_run(&list) && list[0] == *symbol,
        };
        if !fits {
            chunks.push(emit(&mut list, 14));
        }
        list.push(*symbol);
    }
    while !list.is_empty() {
        chunks.push(emit(&mut list, 8));
    }
    chunks
}

proptest! {
    #[test]
    fn packing_bits_is_packing_a_list(runs in prop::collection::vec((0_u8..3, 1_usize..20), 0..20)) {
        let symbols: Vec<u8> = runs.into_iter().flat_map(|(symbol, len)| vec![symbol; len]).collect();
        let (mut pending, mut chunks) = (Pending::default(), Vec::new());
        symbols.iter().for_each(|symbol| pending.push(*symbol, &mut chunks));
        pending.flush(&mut chunks);
        prop_assert_eq!(chunks, packed_simply(&symbols));
    }
}
