//! Peers that mean harm, or mean nothing.

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use pair::*;
use proptest::prelude::*;
use raw::*;
use sctp::*;

const SACK: u8 = 3;
const HEARTBEAT: u8 = 4;
const HEARTBEAT_ACK: u8 = 5;
const ABORT: u8 = 6;
const ERROR: u8 = 9;

fn sack(cumulative: u32, window: u32, blocks: &[(u16, u16)]) -> Vec<u8> {
    let mut value = words(&[cumulative, window, (blocks.len() as u32) << 16]);
    for (first, last) in blocks {
        value.extend(words(&[u32::from(*first) << 16 | u32::from(*last)]));
    }
    chunk(SACK, 0, &value)
}

//= rfc9260 §6.10
//= type=test
//# If the receiver detects a partial chunk, it MUST drop the chunk.
/// T-C01, users 39: broken framing drops the whole packet, also the sound chunks before it.
#[test]
fn t_c01_broken_framing_drops_the_packet() {
    let mut script = Script::established();
    let sound = data(3, TSN, 0, 0, b"abcd");
    for broken in [vec![0, 0, 0, 3], vec![0, 0, 0, 0], vec![0, 0, 0, 40, 1, 2, 3, 4], vec![3, 0, 0]] {
        let mut bytes = packet(script.tag, std::slice::from_ref(&sound));
        bytes.extend(&broken);
        bytes[8..12].fill(0);
        let crc = crc_fast::crc32_iscsi(&bytes);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        script.give(&bytes);
        assert!(script.written().is_empty(), "{broken:?}");
    }
    assert_eq!(script.end.stats().malformed_packets, 4);
    script.say(&[sound]);
    assert!(script.end.recv().is_some());
}

//= rfc9260 §5.1
//= type=test
//# When the TCB is created, each endpoint MUST set its internal Cumulative TSN Ack Point to the value of its
//# transmitted Initial TSN minus one.
/// T-C04: SACKs with every corner, while data is outstanding.
#[test]
fn t_c04_sack_corners() {
    for blocks in [
        &[(0, 0)][..],
        &[(0, 5)],
        &[(1, 1)],
        &[(5, 2)],
        &[(2, 2), (2, 2)],
        &[(3, 4), (2, 2)],
        &[(2, 3), (3, 4)],
        &[(60_000, 65_535)],
        &[(2, 65_535)],
        &[(65_535, 65_535)],
        &[(2, 4), (60_000, 60_001), (6, 7)],
    ] {
        for offset in [0_u32, 1, 5, 20, 1 << 31, (1 << 31) + 1, u32::MAX, u32::MAX - 5] {
            let mut script = Script::established();
            for _ in 0..8 {
                script.end.send(script.now, StreamId(1), message(bytes(1_000)), SendOptions::new()).unwrap();
            }
            script.written();
            let cumulative = script.tsn.wrapping_sub(1).wrapping_add(offset);
            script.say(&[sack(cumulative, 1 << 20, blocks)]);
            let is_late = offset > 1 << 31;
            if !is_late && (offset > 8 || blocks.iter().any(|(_, last)| offset + u32::from(*last) > 8)) {
                // RFC 9260 §12.4: it speaks of what was never sent.
                assert_eq!(script.answer()[0].0, ABORT, "{blocks:?} {offset}");
                continue;
            }
            script.pass(ms(300));
            script.written();
            // Then the truth: everything ends well.
            script.say(&[sack(script.tsn + 7, 1 << 20, &[])]);
            assert!(script.end.is_flushed(), "{blocks:?} {offset}");
            assert!(script.end.is_connected());
        }
    }
}

/// T-C05: bytes held stay below twice the window, whatever comes.
#[test]
fn t_c05_reassembly_is_bounded() {
    let limit = 2 * (1 << 20);
    let fill = |make: &dyn Fn(u32) -> Vec<u8>| {
        let mut script = Script::established();
        for number in 0..60_000 {
            script.say(&[make(number)]);
            if number % 64 == 0 {
                script.written();
                assert!(script.end.stats().receive_held <= limit);
            }
        }
        assert!(script.end.is_connected());
        script.end.stats()
    };
    // A message that never ends, one byte a fragment, its first fragment missing.
    let stats = fill(&|number| data(0, TSN + 1 + number, 1, 0, b"x"));
    assert!(stats.receive_held < 100_000, "one run: {stats:?}");
    // Every second fragment: runs that never join.
    let stats = fill(&|number| data(0, TSN + 1 + 2 * number, 1, 0, b"x"));
    assert!(stats.data_dropped > 50_000, "{stats:?}");
    // A beginning on every stream.
    fill(&|number| data(2, TSN + 2 * number, (number % 100) as u16, (number / 100) as u16, b"x"));
    // Whole messages that wait for one that never comes.
    let stats = fill(&|number| data(3, TSN + number, 1, (number % 30_000) as u16 + 1, b"x"));
    assert!(stats.receive_held <= limit);
    // Large ones.
    let stats = fill(&|number| data(0, TSN + 1 + 2 * number, 1, 0, &[0; 1_000]));
    assert!(stats.receive_held > 1 << 20 && stats.receive_held <= limit, "{stats:?}");
    // Beyond the distance.
    let stats = fill(&|number| data(3, TSN + 20_000 + number * 7, 1, 0, b"x"));
    assert_eq!(stats.receive_held, 0);
}

/// T-C05: the sequence numbers of streams take memory, and not the room of messages: a small window stays open.
#[test]
fn t_c05_a_stream_of_a_high_number_leaves_a_small_window_open() {
    for buffer in [4_096, 65_536] {
        let config = Config::default().with_receive_buffer(buffer);
        let mut script = Script::established_on(u16::MAX, config);
        script.say(&[data(3, TSN, 65_534, 0, b"x")]);
        assert!(script.end.recv().is_some());
        script.written();
        for number in 0..100 {
            script.say(&[data(3, TSN + 1 + u32::from(number), 1, number, &[0; 1_000])]);
            assert!(script.end.recv().is_some(), "message {number} into {buffer} bytes");
            script.pass(ms(300));
            let chunks = script.answer();
            let (.., value) = chunks.iter().find(|(kind, ..)| *kind == SACK).expect("a SACK");
            // It does not grow by less than a packet, or an eighth.
            let least = buffer / 2 - 1_200.min(buffer / 8);
            assert!(word(value, 1) as usize >= least, "a window of {}", word(value, 1));
        }
        assert!(script.end.stats().receive_held <= buffer + 4 * 65_535);
    }
}

/// T-C06, users 47: 100,000 requests, requests for streams never used, and old ones again.
#[test]
fn t_c06_reset_flood() {
    let mut script = Script::established();
    for number in 0..100_000_u32 {
        script.say(&[outgoing_reset(TSN + number, TSN - 1, &[(number % 300) as u16])]);
        if number % 1_000 == 0 {
            // What is owed is bounded, and so is what waits to be polled.
            assert!(script.written().len() <= 2);
        }
    }
    let events = script.events();
    assert_eq!(events.len(), 100, "one for each stream there is");
    script.written();
    script.say(&[outgoing_reset(TSN + 99_999, TSN - 1, &[1])]);
    script.say(&[outgoing_reset(TSN + 99_998, TSN - 1, &[1])]);
    script.say(&[outgoing_reset(TSN + 200_000, TSN - 1, &[1])]);
    assert!(script.events().is_empty(), "requests seen before, or ahead of their turn, do nothing");
    let results: Vec<_> =
        script.answer().iter().map(|(_, _, value)| (word(value, 1), word(value, 2))).collect();
    assert_eq!(results, [(TSN + 99_999, 1), (TSN + 99_998, 5), (TSN + 200_000, 5)]);
    for (request, result) in [(15, 2), (17, 1), (18, 1)] {
        // SSN/TSN reset: refused politely. More streams: within what was offered.
        let mut script = Script::established();
        script.say(&[chunk(130, 0, &parameter(request, &words(&[TSN, 1 << 16])))]);
        let (kind, _, value) = script.answer().remove(0);
        assert_eq!((kind, word(&value, 1), word(&value, 2)), (130, TSN, result));
    }
}

/// T-C06, users 47, `sctp_outgoing_reset_waits_for_last_tsn_in_progress_result_6`: the reset waits for data on its way, and data
/// sent after it waits for the reset.
#[test]
fn t_c06_a_reset_waits_for_its_tsn() {
    let mut script = Script::established();
    script.say(&[data(3, TSN + 1, 1, 1, b"second")]);
    script.say(&[outgoing_reset(TSN, TSN + 1, &[1])]);
    script.say(&[data(3, TSN + 2, 1, 0, b"new life")]);
    let answer = script.answer();
    let (_, _, value) = answer.iter().find(|(kind, ..)| *kind == 130).unwrap();
    assert_eq!(word(value, 2), 6);
    assert!(script.end.recv().is_none() && script.events().is_empty());
    script.say(&[data(3, TSN, 1, 0, b"first")]);
    let received: Vec<_> =
        std::iter::from_fn(|| script.end.recv()).map(|(_, message)| message.payload).collect();
    assert_eq!(received, ["first", "second", "new life"]);
    let reset = Event::StreamReset {
        stream: StreamId(1),
        direction: Direction::Incoming,
        outcome: ResetOutcome::Performed,
    };
    assert!(script.events().contains(&reset));
    script.written();
    // The peer asks again, as it must, and learns that it is done; nothing happens twice.
    script.say(&[outgoing_reset(TSN, TSN + 1, &[1])]);
    let (_, _, value) = script.answer().remove(0);
    assert_eq!(word(&value, 2), 1);
    assert!(script.events().is_empty());
}

/// T-C06: FORWARD TSN far ahead, with 14,000 streams, with unknown streams, and before its reset.
#[test]
fn t_c06_forward_tsn_corners() {
    let forward = |tsn: u32, streams: &[(u16, u16)]| {
        let mut value = words(&[tsn]);
        value.extend(streams.iter().flat_map(|(id, ssn)| words(&[u32::from(*id) << 16 | u32::from(*ssn)])));
        chunk(192, 0, &value)
    };
    let mut script = Script::established();
    let many: Vec<_> = (0..14_000).map(|id| (id, 65_535)).collect();
    script.say(&[forward(TSN, &many)]);
    assert_eq!(script.answer()[0].0, SACK);
    assert!(script.end.stats().receive_held <= 200);
    script.say(&[forward(TSN.wrapping_add((1 << 31) - 1), &[])]);
    let (_, _, value) = script.answer().remove(0);
    assert_eq!(word(&value, 0), TSN.wrapping_add((1 << 31) - 1));
    script.say(&[forward(TSN, &[(0, 9)])]);
    let (_, _, value) = script.answer().remove(0);
    assert_eq!(
        word(&value, 0),
        TSN.wrapping_add((1 << 31) - 1),
        "an old one is answered and changes nothing"
    );

    // Messages behind the gap come out in order, those with numbers that wrap included.
    let mut script = Script::established();
    for (tsn, ssn) in [(7, 30_000), (8, 60_000), (9, 65_533)] {
        script.say(&[forward(TSN + tsn, &[(1, ssn)])]);
    }
    for (tsn, ssn) in [(13, 1), (12, 0), (11, 65_535)] {
        script.say(&[data(3, TSN + tsn, 1, ssn, &ssn.to_be_bytes())]);
    }
    assert!(script.end.recv().is_none());
    script.say(&[forward(TSN + 10, &[(1, 65_534)])]);
    let received: Vec<_> =
        std::iter::from_fn(|| script.end.recv()).map(|(_, message)| message.payload).collect();
    assert_eq!(received, [&[0xff, 0xff][..], &[0, 0], &[0, 1]]);

    // A reset that waits for a TSN is released by a FORWARD TSN as well.
    let mut script = Script::established();
    script.say(&[outgoing_reset(TSN, TSN + 4, &[1])]);
    script.say(&[data(3, TSN + 5, 1, 0, b"after")]);
    assert!(script.end.recv().is_none());
    script.say(&[forward(TSN + 4, &[(1, 7)])]);
    assert_eq!(script.end.recv().unwrap().1.payload, "after");
}

//= rfc9260 §3.3.5
//= type=test
//# it MUST include a random nonce of length 64 bits or longer
//= rfc9260 §3.3.6
//= type=test
//# An endpoint MUST send this chunk to its peer endpoint as a response to a HEARTBEAT chunk (see Section 8.3).
//= rfc9260 §3.3.6
//= type=test
//# This field MUST contain the Heartbeat Info parameter (as defined in Section 3.3.5) of the Heartbeat Request to
//# which this Heartbeat Acknowledgement is responding.
/// T-C07: only the answer to the probe in flight counts.
#[test]
fn t_c07_heartbeats() {
    let mut script = Script::established_with(Config::default().with_max_retransmits(8, 10));
    script.say(&[chunk(HEARTBEAT, 0, &parameter(1, b"anything"))]);
    assert_eq!(script.answer(), [(HEARTBEAT_ACK, 0, parameter(1, b"anything"))]);
    script.say(&[chunk(HEARTBEAT, 0, &vec![7; 60_000])]);
    assert!(script.written().is_empty(), "an answer larger than a packet is not given");
    script.say(&vec![chunk(HEARTBEAT, 0, &[7; 100]); 300]);
    assert!(script.written().iter().map(Vec::len).sum::<usize>() < 1_000);

    let beat = |script: &mut Script| {
        let at = script.end.poll_timeout().unwrap();
        script.now = at;
        script.end.handle_timeout(at);
        let answer = script.answer();
        assert_eq!(answer.len(), 1);
        assert_eq!(answer[0].0, HEARTBEAT);
        answer[0].2.clone()
    };
    // Wrong, late, empty answers and answers given twice: after ten probes the peer is dead.
    let first = beat(&mut script);
    script.say(&[chunk(HEARTBEAT_ACK, 0, &first)]);
    let rtt = script.end.stats().rtt;
    assert!(rtt.is_some());
    for _ in 0..10 {
        let value = beat(&mut script);
        script.say(&[chunk(HEARTBEAT_ACK, 0, &first)]);
        let mut wrong = value.clone();
        *wrong.last_mut().unwrap() ^= 1;
        script.say(&[chunk(HEARTBEAT_ACK, 0, &wrong), chunk(HEARTBEAT_ACK, 0, &[])]);
        assert!(script.end.is_connected());
    }
    let at = script.end.poll_timeout().unwrap();
    script.end.handle_timeout(at);
    let last = script.end.poll_timeout();
    if let Some(at) = last {
        script.written();
        script.end.handle_timeout(at);
    }
    assert_eq!(script.events(), [Event::Closed(CloseReason::Timeout)]);
    assert_eq!(script.end.stats().rtt, rtt);
}

/// T-C11: an unknown chunk is reported in at most one packet of at most the usual size.
#[test]
fn t_c11_unknown_chunks_are_reported_briefly() {
    let mut script = Script::established();
    script.say(&[chunk(0xfe, 0, &vec![7; 60_000])]);
    let written = script.written();
    assert_eq!(written.len(), 1);
    assert!(written[0].len() <= 1_160);
    let (kind, _, value) = chunks(&written[0]).remove(0);
    assert_eq!((kind, &value[..2], &value[4..8]), (ERROR, &[0, 6][..], &[0xfe, 0, 0xea, 0x64][..]));
    let many: Vec<_> = (0..100).map(|_| chunk(0xfd, 0, &[1; 4])).collect();
    script.say(&many);
    assert_eq!(script.answer().len(), 1);
    // 01: the rest of the packet is left alone. 10: nothing is said.
    script.say(&[chunk(0x7e, 0, &[]), data(3, TSN, 0, 0, b"x")]);
    assert_eq!(script.answer()[0].0, ERROR);
    assert!(script.end.recv().is_none());
    script.say(&[chunk(0xbe, 0, &[]), data(3, TSN, 0, 0, b"x")]);
    assert!(script.end.recv().is_some());
}

/// T-C15: a message one byte too large is not delivered and not kept; the stream goes on.
#[test]
fn t_c15_messages_too_large() {
    let limit = 5_000;
    let configs = [Config::default(), Config::default().with_max_message_size(limit)];
    let mut pair = Pair::with(1, Link::new(ms(5)), configs, [vec![], vec![]]);
    pair.connect();
    for size in [limit, limit + 1, limit * 10, 10] {
        pair.send(A, 1, message(bytes(size))).unwrap();
    }
    pair.run_for(ms(2_000));
    let sizes: Vec<_> = pair.received[B].iter().map(|(_, message)| message.payload.len()).collect();
    assert_eq!(sizes, [limit, 10]);
    assert!(pair.events[B].contains(&Event::MessageTooLarge(StreamId(1))));
    assert!(pair.ends[B].stats().receive_held < 100);
}

/// RFC 9260 §6.2 and §6.5: data without data ends it, data on a stream that does not exist does not.
#[test]
fn empty_data_and_unknown_streams() {
    let mut script = Script::established();
    script.say(&[data(3, TSN, 100, 0, b"x")]);
    let answer = script.answer();
    assert_eq!(answer[0].0, SACK);
    assert_eq!(word(&answer[0].2, 0), TSN, "acknowledged, and not delivered");
    assert_eq!((answer[1].0, &answer[1].2[..]), (ERROR, &[0, 1, 0, 8, 0, 100, 0, 0][..]));
    assert!(script.end.recv().is_none());
    script.say(&[data(3, TSN + 1, 1, 0, b"")]);
    assert_eq!(script.answer()[0].0, ABORT);
    assert_eq!(script.events(), [Event::Closed(CloseReason::Violation(Violation::EmptyData))]);
}

//= rfc9260 §6.2
//= type=test
//# the SCTP endpoint MUST fill in the Cumulative TSN Ack field to indicate the latest sequential TSN
//= rfc9260 §3.3.4
//= type=test
//# The SACK chunk MUST contain the Cumulative TSN Ack, Advertised Receiver Window Credit (a_rwnd), Number of Gap Ack
//# Blocks, and Number of Duplicate TSNs fields.
/// `sctp_duplicate_only_packet_sacked_immediately`, `sctp_gap_blocks_and_dup_tsns`.
#[test]
fn sctp_gap_blocks_and_dup_tsns() {
    let mut script = Script::established();
    script.say(&[data(3, TSN, 1, 0, b"x")]);
    assert_eq!(script.answer().len(), 1, "the first data is acknowledged at once");
    script.say(&[data(3, TSN + 2, 1, 2, b"x")]);
    script.say(&[data(3, TSN + 3, 1, 3, b"x")]);
    script.say(&[data(3, TSN + 6, 1, 6, b"x")]);
    script.say(&[data(3, TSN + 2, 1, 2, b"x")]);
    let (_, _, value) = script.answer().remove(0);
    assert_eq!((word(&value, 0), word(&value, 2)), (TSN, 2 << 16 | 1));
    assert_eq!((word(&value, 3), word(&value, 4), word(&value, 5)), (2 << 16 | 3, 6 << 16 | 6, TSN + 2));
    assert!(script.answer().is_empty());
}

/// A receiver that drops what it reported in gaps is served all the same (RFC 9260 §6.2).
#[test]
fn a_receiver_may_drop_what_it_reported_in_gaps() {
    let mut script = Script::established();
    for _ in 0..4 {
        script.end.send(script.now, StreamId(1), message(bytes(1_000)), SendOptions::new()).unwrap();
    }
    script.written();
    script.say(&[sack(script.tsn.wrapping_sub(1), 1 << 20, &[(2, 4)])]);
    script.pass(ms(1_000));
    assert_eq!(script.answer().len(), 1);
    script.say(&[sack(script.tsn, 1 << 20, &[])]);
    script.pass(ms(3_000));
    let repeated: Vec<_> = script.answer().iter().map(|(_, _, value)| word(value, 0)).collect();
    assert_eq!(repeated[0], script.tsn + 1);
    script.say(&[sack(script.tsn + 3, 1 << 20, &[])]);
    assert!(script.end.is_flushed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// L5: any chunks, in any order, at any time, under the right tag.
    #[test]
    fn any_chunks_are_survived(
        steps in proptest::collection::vec(
            (0_usize..24, any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40), 0_u64..2_000),
            1..40,
        ),
    ) {
        const KINDS: [u8; 24] =
            [0, 0, 0, 0, 1, 2, 3, 3, 3, 4, 5, 7, 8, 9, 10, 11, 130, 130, 130, 192, 192, 192, 64, 255];
        let mut script = Script::established();
        for (kind, flags, mut value, wait) in steps {
            let kind = KINDS[kind];
            // Numbers near the ones in use reach further than random ones.
            if value.len() >= 4 && matches!(kind, 0 | 192) {
                let tsn = TSN.wrapping_add(u32::from(value[3] % 32));
                value[..4].copy_from_slice(&tsn.to_be_bytes());
            }
            if value.len() >= 4 && kind == SACK {
                let tsn = script.tsn.wrapping_add(u32::from(value[3] % 16)).wrapping_sub(1);
                value[..4].copy_from_slice(&tsn.to_be_bytes());
            }
            let _ = script.end.send(script.now, StreamId(1), message(bytes(2_000)), SendOptions::new());
            script.written();
            let chunk = if kind == 130 {
                chunk(kind, 0, &parameter(13 + u16::from(flags % 6), &value))
            } else {
                chunk(kind, flags, &value)
            };
            script.say(&[chunk]);
            script.pass(ms(wait));
            for packet in script.written() {
                prop_assert!(packet.len() <= 1_160);
            }
            prop_assert!(script.end.poll_timeout().is_none_or(|at| at > script.now));
            prop_assert!(script.end.stats().receive_held <= 2 << 20);
            script.events();
            while script.end.recv().is_some() {}
        }
    }

    /// L5: any bytes.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut script = Script::established();
        script.give(&bytes);
        script.written();
    }
}
