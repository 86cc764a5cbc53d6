//! What RFC 9260 demands: data, acknowledgements, timers and the end. Each test quotes the clauses it proves.

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use pair::*;
use raw::*;
use sctp::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const SACK: u8 = 3;
const HEARTBEAT: u8 = 4;
const HEARTBEAT_ACK: u8 = 5;
const ABORT: u8 = 6;
const SHUTDOWN: u8 = 7;
const SHUTDOWN_ACK: u8 = 8;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;
const SHUTDOWN_COMPLETE: u8 = 14;

const E: u8 = 1;
const B: u8 = 2;
const U: u8 = 4;

fn send(script: &mut Script, len: usize) {
    script.end.send(script.now, StreamId(1), message(bytes(len)), SendOptions::new()).expect("room");
}

fn sack(cumulative: u32, window: u32, blocks: &[(u16, u16)]) -> Vec<u8> {
    let mut value = words(&[cumulative, window, (blocks.len() as u32) << 16]);
    for (first, last) in blocks {
        value.extend(words(&[u32::from(*first) << 16 | u32::from(*last)]));
    }
    chunk(SACK, 0, &value)
}

fn tsns(answer: &[(u8, u8, Vec<u8>)]) -> Vec<u32> {
    answer.iter().filter(|(kind, _, _)| *kind == DATA).map(|(_, _, value)| word(value, 0)).collect()
}

/// What was seen of one side.
#[derive(Default)]
struct Seen {
    /// Flags, stream and SSN of each TSN.
    data: BTreeMap<u32, (u8, u16, u16)>,
    tag: Option<u32>,
    control: Vec<u8>,
}

/// Looks at one packet of a side.
fn look_at(seen: &mut Seen, packet: &[u8]) {
    assert!(packet.len() <= 1_160 && packet.len().is_multiple_of(4));
    let mut unsealed = packet.to_vec();
    unsealed[8..12].fill(0);
    assert_eq!(packet[8..12], crc_fast::crc32_iscsi(&unsealed).to_le_bytes());
    let all = chunks(packet);
    let kinds: Vec<u8> = all.iter().map(|(kind, _, _)| *kind).collect();
    let first_data = kinds.iter().position(|kind| *kind == DATA).unwrap_or(kinds.len());
    assert!(kinds[first_data..].iter().all(|kind| *kind == DATA), "control before data: {kinds:?}");
    for alone in [INIT, INIT_ACK, SHUTDOWN_COMPLETE] {
        assert!(!kinds.contains(&alone) || kinds.len() == 1, "{kinds:?}");
    }
    for first in [COOKIE_ECHO, COOKIE_ACK] {
        assert!(kinds.iter().skip(1).all(|kind| *kind != first), "{kinds:?}");
    }
    assert!(kinds.iter().filter(|kind| **kind == SACK).count() <= 1);
    // The padding behind each chunk.
    let mut rest = &packet[12..];
    while rest.len() >= 4 {
        let len = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        assert!(rest[len..len.next_multiple_of(4)].iter().all(|byte| *byte == 0));
        rest = &rest[len.next_multiple_of(4)..];
    }
    assert!(rest.is_empty(), "no partial chunk");
    match kinds[0] {
        INIT => assert_eq!(tag_of(packet), 0),
        kind => {
            let tag = *seen.tag.get_or_insert_with(|| tag_of(packet));
            assert!(tag != 0 && tag_of(packet) == tag, "the tag changed: {kind}");
        }
    }
    seen.control.extend(&kinds[..first_data]);
    let mut last = None;
    for (_, flags, value) in all.iter().filter(|(kind, _, _)| *kind == DATA) {
        let tsn = word(value, 0);
        assert!(value.len() > 12, "user data");
        assert!(last.is_none_or(|last: u32| tsn.wrapping_sub(last) as i32 > 0), "TSNs in order");
        last = Some(tsn);
        let place = (flags & 7, (word(value, 1) >> 16) as u16, word(value, 1) as u16);
        assert_eq!(*seen.data.entry(tsn).or_insert(place), place, "a repetition is the same");
        assert_eq!(word(value, 2), 53, "every fragment has the identifier");
    }
}

/// Fragments and sequence numbers of everything a side sent.
fn check_fragments(seen: &Seen) {
    let mut next: BTreeMap<u16, u16> = BTreeMap::new();
    let mut open: Option<(u8, u16, u16)> = None;
    let begin = *seen.data.keys().next().expect("data");
    for ((&tsn, &(flags, stream, ssn)), expected) in seen.data.iter().zip(begin..) {
        assert_eq!(tsn, expected, "consecutive");
        match open {
            Some(first) => assert_eq!((0, first), (flags & B, (flags & U, stream, ssn))),
            None => assert_eq!(flags & B, B),
        }
        if flags & B != 0 && flags & U == 0 {
            let next = next.entry(stream).or_default();
            assert_eq!(ssn, *next);
            *next = next.wrapping_add(1);
        }
        open = (flags & E == 0).then_some((flags & U, stream, ssn));
    }
    assert_eq!(open, None);
}

//= rfc9260 §3
//= type=test
//# INIT, INIT ACK, and SHUTDOWN COMPLETE chunks MUST NOT be bundled with any other chunk into an SCTP packet.
//= rfc9260 §3.1
//= type=test
//# A packet containing an INIT chunk MUST have a zero Verification Tag.
//= rfc9260 §3.1
//= type=test
//# On transmit, the value of the Verification Tag MUST be set to the value of the Initiate Tag received from the peer
//# endpoint during the association initialization, with the following exceptions:
//= rfc9260 §3.2
//= type=test
//# MUST be a multiple of 4 bytes.
//= rfc9260 §3.2
//= type=test
//# If the length of the chunk is not a multiple of 4 bytes, the sender MUST pad the chunk with all zero bytes, and
//# this padding is not included in the Chunk Length field.
//= rfc9260 §3.2
//= type=test
//# The sender MUST NOT pad with more than 3 bytes.
//= rfc9260 §3.2.2
//= type=test
//# Any time a COOKIE ECHO chunk is sent in a packet, it MUST be the first chunk.
//= rfc9260 §3.3.1
//= type=test
//# This field MUST be sent even in fragmented DATA chunks
//= rfc9260 §3.3.1
//= type=test
//# where L MUST be greater than 0.
//= rfc9260 §3.3.1
//= type=test
//# The implementation MUST pad the end of the data to a 4-byte boundary with all zero bytes.
//= rfc9260 §3.3.1
//= type=test
//# An unfragmented user message MUST have both the B and E bits set to 1.
//= rfc9260 §3.3.1
//= type=test
//# This means that the TSNs for each fragment of a fragmented user message MUST be strictly sequential.
//= rfc9260 §3.3.1
//= type=test
//# If an unordered user message is fragmented, each fragment of the message MUST have its U bit set to 1.
//= rfc9260 §3.3.1
//= type=test
//# When a user message is fragmented by SCTP for transport, the same Stream Sequence Number MUST be carried in each
//# of the fragments of the message.
//= rfc9260 §5.1
//= type=test
//# They MUST be the only chunks present in the SCTP packets that carry them.
//= rfc9260 §5.1
//= type=test
//# the COOKIE ACK chunk MUST be the first chunk in the packet.
//= rfc9260 §5.1.5
//= type=test
//# however, the COOKIE ACK chunk MUST be the first chunk in the SCTP packet.
//= rfc9260 §5.3.1
//= type=test
//# Moreover, the Verification Tag value used by either endpoint in a given association MUST NOT change during the
//# life time of an association.
//= rfc9260 §6
//= type=test
//# When converting user messages into DATA chunks, an endpoint MUST fragment large user messages into multiple DATA
//# chunks.
//= rfc9260 §6
//= type=test
//# Control chunks MUST come before DATA chunks in the packet.
//= rfc9260 §6.5
//= type=test
//# Every DATA chunk MUST carry a valid stream identifier.
//= rfc9260 §6.5
//= type=test
//# The Stream Sequence Number in all the outgoing streams MUST start from 0 when the association is established.
//= rfc9260 §6.5
//= type=test
//# The Stream Sequence Number of an outgoing stream MUST be incremented by 1 for each ordered user message sent on
//# that outgoing stream.
//= rfc9260 §6.5
//= type=test
//# For unordered user messages, the Stream Sequence Number MUST NOT be changed.
//= rfc9260 §6.8
//= type=test
//# the endpoint MUST strengthen the data integrity of the transmission by including the CRC32c checksum value
//# calculated on the packet
//= rfc9260 §6.9
//= type=test
//# The data sender MUST break the user message into a series of DATA chunks.
//= rfc9260 §6.9
//= type=test
//# The transmitter MUST then assign, in sequence, a separate TSN to each of the DATA chunks in the series.
//= rfc9260 §6.9
//= type=test
//# The transmitter MUST also set the B/E bits of the first DATA chunk in the series to 10, the B/E bits of the last
//# DATA chunk in the series to 01, and the B/E bits of all other DATA chunks in the series to 00.
//= rfc9260 §6.9
//= type=test
//# If the user indicates that the user message is to be delivered using unordered delivery, then the U flag of each
//# DATA chunk of the user message MUST be set to 1.
//= rfc9260 §6.9
//= type=test
//# If an endpoint supports fragmentation, it MUST fragment a user message if the size of the user message to be sent
//# causes the outbound SCTP packet size to exceed the current PMTU.
//= rfc9260 §6.10
//= type=test
//# The total size of the resultant SCTP packet MUST be less that or equal to the current PMTU.
//= rfc9260 §6.10
//= type=test
//# When bundling control chunks with DATA chunks, an endpoint MUST place control chunks first in the outbound SCTP
//# packet.
//= rfc9260 §6.10
//= type=test
//# The transmitter MUST transmit DATA chunks within an SCTP packet in increasing order of TSN.
//= rfc9260 §6.10
//= type=test
//# Partial chunks MUST NOT be placed in an SCTP packet.
//= rfc9260 §6.10
//= type=test
//# An endpoint MUST NOT bundle INIT, INIT ACK, or SHUTDOWN COMPLETE chunks with any other chunks.
//= rfc9260 §8.5
//= type=test
//# the endpoint MUST fill in the Verification Tag field of the outbound packet with the tag value in the Initiate Tag
//# parameter of the INIT or INIT ACK chunk received from its peer.
//= rfc9260 §6.8
//= type=test
//# one or more control or DATA chunks), the transmitter MUST:
//= rfc9260 §8.5.1
//= type=test
//# The sender MUST set the Verification Tag of the packet to 0.
//= rfc9260 §12.3
//= type=test
//# (1) an INIT chunk MUST NOT be bundled with any other chunk in a packet and (2) a packet containing an INIT chunk
//# MUST have a zero Verification Tag.
#[test]
fn rfc9260_6_10_every_packet_on_the_wire_is_well_formed() {
    let config = || {
        Config::default()
            .with_interleaving(Interleaving::Off)
            .with_error_detection(ErrorDetection::Crc32c)
            .with_streams(20, 20)
    };
    let mut link = Link::new(ms(20));
    (link.loss, link.jitter, link.duplicate) = (8.0, ms(10), 3.0);
    // The first TSN leaves room, so that order is that of numbers here.
    let first = [vec![7, 1_000], vec![9, 5_000]];
    let mut pair = Pair::with(3, link, [config(), config()], first);
    let seen: Rc<RefCell<[Seen; 2]>> = Rc::default();
    let tapped = Rc::clone(&seen);
    pair.tap = Some(Box::new(move |side, packet| {
        look_at(&mut tapped.borrow_mut()[side], packet);
        true
    }));
    pair.connect();
    for round in 0..40_usize {
        for side in [0, 1] {
            let len = [1, 30, 1_101, 5_000, 20_000][round % 5];
            let order = if round % 3 == 0 { Order::Unordered } else { Order::Ordered };
            let options = SendOptions::new().with_order(order);
            let stream = StreamId((round % 7) as u16);
            pair.ends[side].send(pair.now, stream, message(bytes(len)), options).unwrap();
        }
        pair.run_for(ms(30));
    }
    pair.run_for(ms(20_000));
    pair.ends[0].shutdown(pair.now);
    pair.run_for(ms(60_000));
    assert_eq!(pair.received.each_ref().map(Vec::len), [40, 40]);
    for seen in seen.borrow().iter() {
        check_fragments(seen);
        assert!(seen.control.contains(&SACK));
    }
}

//= rfc9260 §6.1
//= type=test
//# the data sender MUST NOT transmit new data to any destination transport address if its peer's rwnd indicates that
//# the peer has no buffer space
//= rfc9260 §6.1
//= type=test
//# MUST transmit no more DATA chunks until some or all of the outstanding DATA chunks are acknowledged and
//# transmission is allowed by rule A and rule B again.
#[test]
fn rfc9260_6_1_a_after_a_timeout_new_data_waits_for_the_peers_window() {
    let mut script = Script::established();
    send(&mut script, 50);
    script.written();
    script.say(&[sack(script.tsn.wrapping_sub(1), 0, &[])]);
    send(&mut script, 50);
    assert!(script.written().is_empty(), "the window is closed");
    script.pass(ms(3_000));
    assert_eq!(tsns(&script.answer()), [script.tsn], "the probe again, and nothing new");
    // The window opens.
    script.say(&[sack(script.tsn, 1_000, &[])]);
    assert_eq!(tsns(&script.answer()), [script.tsn + 1]);
}

//= rfc9260 §6.1
//= type=test
//# Senders MUST support zero window probing.
#[test]
fn rfc9260_6_1_a_closed_window_is_probed_with_one_chunk() {
    let mut script = Script::established();
    send(&mut script, 100);
    script.written();
    script.say(&[sack(script.tsn, 10, &[])]);
    send(&mut script, 3_000);
    assert_eq!(tsns(&script.answer()), [script.tsn + 1], "one chunk, in spite of the window");
    script.pass(ms(3_000));
    assert_eq!(tsns(&script.answer()), [script.tsn + 1], "the same again");
    script.say(&[sack(script.tsn + 1, 1 << 20, &[])]);
    assert_eq!(tsns(&script.answer()).len(), 2);
}

//= rfc9260 §6.1
//= type=test
//# if the T3-rtx timer of that address is not currently running, the sender MUST start that timer.
//= rfc9260 §6.1
//= type=test
//# If the timer for that address is already running, the sender MUST restart the timer if the earliest (i.e., lowest
//# TSN) outstanding DATA chunk sent to that address is being retransmitted.
//= rfc9260 §6.1
//= type=test
//# Otherwise, the data sender MUST NOT restart the timer.
#[test]
fn rfc9260_6_1_t3_rtx_begins_anew_when_the_earliest_chunk_is_repeated() {
    let mut script = Script::established();
    for _ in 0..8 {
        send(&mut script, 1_000);
    }
    script.written();
    let begun = script.now;
    let rto = script.end.stats().rto;
    script.pass(ms(100));
    // A peer whose window is closed is not probed, so that T3-rtx is the only timer.
    script.say(&[sack(script.tsn.wrapping_sub(1), 0, &[(3, 3)])]);
    assert!(script.written().is_empty());
    let begun = (begun + rto, Timer::Retransmit);
    assert!(
        script.end.next_timer().is_some_and(|next| next.1 == Timer::Reorder || next == begun),
        "it runs on"
    );
    script.say(&[sack(script.tsn.wrapping_sub(1), 0, &[(2, 8)])]);
    script.pass(ms(50));
    assert_eq!(tsns(&script.answer()), [script.tsn]);
    let rto = script.end.stats().rto;
    assert_eq!(script.end.next_timer(), Some((script.now + rto, Timer::Retransmit)));
}

//= rfc9260 §7.2.1
//= type=test
//# The initial cwnd after a retransmission timeout MUST be no more than PMDCS, and only one packet is allowed to be
//# in flight until successful acknowledgement.
#[test]
fn rfc9260_7_2_1_a_timeout_reduces_the_window_also_when_the_peers_was_full() {
    for algorithm in [
        Arc::new(Cubic) as Arc<dyn CongestionControlFactory>,
        Arc::new(NewReno),
        Arc::new(Scavenger::default()),
    ] {
        let config = Config::default().with_congestion_control(algorithm);
        let mut script = Script::established_with(config);
        send(&mut script, 1_000);
        script.written();
        // All that the peer takes is in flight.
        script.say(&[sack(script.tsn, 4_000, &[])]);
        send(&mut script, 4_000);
        assert_eq!(tsns(&script.answer()).len(), 4);
        send(&mut script, 4_000);
        assert!(script.written().is_empty());
        for _ in 0..4 {
            script.pass(ms(3_000));
            let repeated = script.written();
            assert!(repeated.len() <= 1, "one packet until something is acknowledged");
        }
        assert!(script.end.stats().timeouts > 0);
        assert!(script.end.stats().congestion_window <= 1_160, "{:?}", script.end.stats());
    }
}

//= rfc9260 §6.2
//= type=test
//# When the receiver's advertised window is 0, the receiver MUST drop any new incoming DATA chunk with a TSN larger
//# than the largest TSN received so far.
//= rfc9260 §6.2
//= type=test
//# the receiver MUST immediately send back a SACK chunk with the current receive window showing only DATA chunks
//# received and accepted so far.
//= rfc9260 §6.2
//= type=test
//# The dropped DATA chunk(s) MUST NOT be included in the SACK chunk, as they were not accepted.
//= rfc9260 §6.2
//= type=test
//# it MUST NOT include them in Gap Ack Blocks in subsequent SACK chunks until they are received again via
//# retransmission.
#[test]
fn rfc9260_6_2_a_closed_window_takes_nothing_new() {
    let mut script = Script::established_with(Config::default().with_receive_buffer(4_096));
    let last = |answer: Vec<(u8, u8, Vec<u8>)>| {
        let (kind, _, value) = answer.last().expect("a SACK").clone();
        assert_eq!(kind, SACK);
        (word(&value, 0), word(&value, 1), word(&value, 2) >> 16)
    };
    // A message that is not whole: nothing can be pulled.
    for number in 0..4 {
        script.say(&[data(if number == 0 { B } else { 0 }, TSN + number, 1, 0, &[7; 1_024])]);
    }
    assert_eq!(last(script.answer()), (TSN + 3, 0, 0));
    // Beyond the largest one received, and not the next.
    script.say(&[data(0, TSN + 5, 1, 0, &[7; 100])]);
    assert_eq!(last(script.answer()), (TSN + 3, 0, 0), "dropped, and told at once");
    assert_eq!(script.end.stats().data_dropped, 1);
    // What the message needs to become whole.
    script.say(&[data(E, TSN + 4, 1, 0, &[7; 10])]);
    assert_eq!(last(script.answer()), (TSN + 4, 0, 0));
    // Now there is something to pull, and nothing at all is taken.
    script.say(&[data(B | E, TSN + 5, 1, 1, &[7; 10])]);
    assert_eq!(last(script.answer()), (TSN + 4, 0, 0));
    assert_eq!(script.end.recv().map(|(_, message)| message.payload.len()), Some(4_106));
    assert_eq!(last(script.answer()), (TSN + 4, 4_092, 0), "the window opens, but for what the stream takes");
    script.say(&[data(B | E, TSN + 5, 1, 1, &[7; 10])]);
    assert_eq!(last(script.answer()).0, TSN + 5);
}

//= rfc9260 §6.2
//= type=test
//# The SCTP endpoint MUST report as many Gap Ack Blocks as can fit in a single SACK chunk such that the size of the
//# SCTP packet does not exceed the current PMTU.
//= rfc9260 §6.7
//= type=test
//# When a single SACK chunk cannot cover all the Gap Ack Blocks needed to be reported due to the PMTU limitation, the
//# endpoint MUST send only one SACK chunk.
//= rfc9260 §6.7
//= type=test
//# This single SACK chunk MUST report the Gap Ack Blocks from the lowest to highest TSNs, within the size limit set
//# by the PMTU, and leave the remaining highest TSN numbers unacknowledged.
#[test]
fn rfc9260_6_2_as_many_gap_blocks_as_fit_the_lowest_first() {
    let mut script = Script::established_with(Config::default().with_max_packet_len(256));
    let mut numbers: Vec<u32> = (1..=70).map(|number| 2 * number).collect();
    // Some of them twice.
    numbers.extend((1..10).map(|number| 2 * number));
    let all: Vec<_> = numbers.iter().map(|number| data(B | E, TSN + number, 1, 0, b"x")).collect();
    script.say(&all);
    let written = script.written();
    assert_eq!(written.len(), 1, "one SACK");
    assert_eq!(written[0].len(), 256);
    let value = chunks(&written[0]).remove(0).2;
    assert_eq!((word(&value, 0), word(&value, 2)), (TSN - 1, 57 << 16), "no duplicates in place of blocks");
    for block in 0..57 {
        let offset = 2 * block as u32 + 3;
        assert_eq!(word(&value, 3 + block), offset << 16 | offset);
    }
}

//= rfc9260 §6.2
//= type=test
//# An SCTP receiver MUST NOT generate more than one SACK chunk for every incoming packet
//= rfc9260 §6.2
//= type=test
//# The SCTP endpoint MUST always acknowledge the reception of each valid DATA chunk when the DATA chunk received is
//# inside its receive window.
//= rfc9260 §6.2
//= type=test
//# When a packet arrives with duplicate DATA chunk(s) and with no new DATA chunk(s), the endpoint MUST immediately
//# send a SACK chunk with no delay.
//= rfc9260 §5.1
//= type=test
//# After the reception of the first DATA chunk in an association, the endpoint MUST immediately respond with a SACK
//# chunk to acknowledge the DATA chunk.
#[test]
fn rfc9260_6_2_one_sack_for_a_packet_whatever_it_holds() {
    let mut script = Script::established();
    let all: Vec<_> = (0..20).map(|number| data(B | E, TSN + number, 1, number as u16, b"x")).collect();
    script.say(&all);
    let answer = script.answer();
    assert_eq!(answer.len(), 1, "the first data is acknowledged at once, and once");
    assert_eq!((answer[0].0, word(&answer[0].2, 0)), (SACK, TSN + 19));
    script.say(&all);
    let answer = script.answer();
    assert_eq!((answer.len(), answer[0].0), (1, SACK), "duplicates as well");
}

//= rfc9260 §3.3.1
//= type=test
//# Therefore, the receiver MUST ignore the Stream Sequence Number field.
//= rfc9260 §3.3.1
//= type=test
//# unordered DATA chunks MUST be dispatched to the upper layer by the receiver without any attempt to reorder.
//= rfc9260 §6.6
//= type=test
//# the receiver MUST ignore the field.
//= rfc9260 §6.6
//= type=test
//# Within a stream, an endpoint MUST deliver DATA chunks received with the U flag set to 0 to the upper layer
//# according to the order of their Stream Sequence Number.
//= rfc9260 §6.6
//= type=test
//# the endpoint MUST hold the received DATA chunks from delivery to the ULP until they are reordered.
//= rfc9260 §6.9
//= type=test
//# An endpoint MUST recognize fragmented DATA chunks by examining the B/ E bits in each of the received DATA chunks
//# and queue the fragmented DATA chunks for reassembly.
//= rfc9260 §6
//= type=test
//# they MUST be implemented by the data receiver, i.e., an endpoint MUST properly receive and process bundled or
//# fragmented data.
//= rfc9260 §6.9
//= type=test
//# it MUST support reassembly when receiving DATA chunks.
#[test]
fn rfc9260_6_6_the_sequence_number_of_unordered_data_is_ignored() {
    let mut script = Script::established();
    script.say(&[
        data(U | B, TSN, 1, 9, b"un"),
        data(U | E, TSN + 1, 1, 3, b"ordered"),
        data(B | E, TSN + 2, 1, 1, b"second"),
        data(U | B | E, TSN + 3, 1, 700, b"at once"),
        data(B | E, TSN + 4, 1, 0, b"first"),
    ]);
    let received: Vec<_> = std::iter::from_fn(|| script.end.recv()).map(|(_, it)| it.payload).collect();
    assert_eq!(received, ["unordered", "at once", "first", "second"]);
}

//= rfc9260 §3.3.8
//= type=test
//# the receiver of the SHUTDOWN chunk MUST NOT interpret the lack of a Gap Ack Block as a renege.
//= rfc9260 §3.3.9
//= type=test
//# This chunk MUST be used to acknowledge the receipt of the SHUTDOWN chunk at the completion of the shutdown
//# process; see Section 9.2 for details.
//= rfc9260 §3.3.13
//= type=test
//# This chunk MUST be used to acknowledge the receipt of the SHUTDOWN ACK chunk at the completion of the shutdown
//# process; see Section 9.2 for details.
//= rfc9260 §4
//= type=test
//# In the SHUTDOWN-RECEIVED state, the endpoint MUST NOT accept any new send requests from its SCTP user.
//= rfc9260 §4
//= type=test
//# In the SHUTDOWN-RECEIVED state, the endpoint MUST transmit or retransmit data and leave this state when all data
//# in queue is transmitted.
//= rfc9260 §4
//= type=test
//# In the SHUTDOWN-ACK-SENT state, the endpoint MUST NOT accept any new send requests from its SCTP user.
//= rfc9260 §8.5.1
//= type=test
//# if the receiver of the SHUTDOWN ACK chunk has a TCB, then the destination endpoint's tag MUST be used and the T
//# bit MUST NOT be set.
//= rfc9260 §9.2
//= type=test
//# Once an endpoint has reached the SHUTDOWN-RECEIVED state, it MUST ignore ULP shutdown requests but MUST continue
//# responding to SHUTDOWN chunks from its peer.
//= rfc9260 §9.2
//= type=test
//# If there are still outstanding DATA chunks left, the SHUTDOWN chunk receiver MUST continue to follow normal data
//# transmission procedures defined in Section 6, until all outstanding DATA chunks are acknowledged; however, the
//# SHUTDOWN chunk receiver MUST NOT accept new data from its SCTP user.
//= rfc9260 §9.2
//= type=test
//# MUST send a SHUTDOWN ACK chunk and start a T2-shutdown timer of its own, entering the SHUTDOWN-ACK-SENT state
//= rfc9260 §9.2
//= type=test
//# If the timer expires, the endpoint MUST resend the SHUTDOWN ACK chunk.
//= rfc9260 §9.2
//= type=test
//# If an endpoint is in the SHUTDOWN-ACK-SENT state and receives a SHUTDOWN ACK, it MUST stop the T2-shutdown timer,
//# send a SHUTDOWN COMPLETE chunk to its peer, and remove all record of the association.
#[test]
fn rfc9260_9_2_who_receives_shutdown_finishes_and_takes_nothing_new() {
    let mut script = Script::established();
    send(&mut script, 3_000);
    let sent = tsns(&script.answer());
    assert_eq!(sent.len(), 3);
    let shutdown = chunk(SHUTDOWN, 0, &words(&[script.tsn]));
    script.say(std::slice::from_ref(&shutdown));
    assert_eq!(script.events().last(), Some(&Event::ShuttingDown));
    let refused = script.end.send(script.now, StreamId(1), message("x"), SendOptions::new());
    assert_eq!(refused, Err(SendError::ShuttingDown));
    script.end.shutdown(script.now);
    assert!(script.written().is_empty(), "a request to shut down changes nothing");
    // What was acknowledged in a gap is not taken for dropped because a SHUTDOWN does not repeat it.
    script.say(&[sack(script.tsn, 1 << 20, &[(2, 2)])]);
    script.say(&[shutdown]);
    script.pass(ms(3_000));
    assert_eq!(tsns(&script.answer()), [script.tsn + 1], "transmission goes on");
    script.say(&[chunk(HEARTBEAT, 0, &parameter(1, b"x"))]);
    assert_eq!(script.answer()[0].0, HEARTBEAT_ACK);
    script.say(&[chunk(SHUTDOWN, 0, &words(&[script.tsn + 2]))]);
    assert_eq!(script.answer(), [(SHUTDOWN_ACK, 0, vec![])]);
    assert_eq!(script.end.next_timer().map(|(_, timer)| timer), Some(Timer::Shutdown));
    let at = script.end.poll_timeout().unwrap();
    script.pass(at - script.now);
    assert_eq!(script.answer(), [(SHUTDOWN_ACK, 0, vec![])], "again");
    let refused = script.end.send(script.now, StreamId(1), message("x"), SendOptions::new());
    assert_eq!(refused, Err(SendError::ShuttingDown));
    // Both waited for the last word.
    script.say(&[chunk(SHUTDOWN_ACK, 0, &[])]);
    let written = script.written();
    assert_eq!(tag_of(&written[0]), TAG);
    assert_eq!(chunks(&written[0]), [(SHUTDOWN_COMPLETE, 0, vec![])]);
    assert_eq!(script.end.poll_timeout(), None);
    assert_eq!(script.events(), [Event::Closed(CloseReason::Shutdown)]);
}

//= rfc9260 §3.3.8
//= type=test
//# An endpoint in an association MUST use this chunk to initiate a graceful close of the association with its peer.
//= rfc9260 §4
//= type=test
//# In the SHUTDOWN-SENT state, the endpoint MUST acknowledge any received DATA chunks without delay.
//= rfc9260 §6.2
//= type=test
//# Acknowledgements MUST be sent in SACK chunks unless shutdown was requested by the ULP, in which case an endpoint
//# MAY send an acknowledgement in the SHUTDOWN chunk.
//= rfc9260 §9.2
//= type=test
//# If the timer expires, the endpoint MUST resend the SHUTDOWN chunk with the updated last sequential TSN received
//# from its peer.
//= rfc9260 §9.2
//= type=test
//# The rules in Section 6.3 MUST be followed to determine the proper timer value for T2-shutdown.
//= rfc9260 §9.2
//= type=test
//# the SHUTDOWN chunk sender MUST immediately respond to each received packet containing one or more DATA chunks with
//# a SHUTDOWN chunk and restart the T2-shutdown timer.
//= rfc9260 §9.2
//= type=test
//# then a SACK chunk MUST also be sent.
//= rfc9260 §9.2
//= type=test
//# Upon the receipt of the SHUTDOWN ACK chunk, the sender of the SHUTDOWN chunk MUST stop the T2-shutdown timer, send
//# a SHUTDOWN COMPLETE chunk to its peer, and remove all record of the association.
#[test]
fn rfc9260_9_2_who_sent_shutdown_answers_data_with_it_at_once() {
    let mut script = Script::established();
    script.say(&[data(B | E, TSN, 1, 0, b"x")]);
    script.written();
    script.end.shutdown(script.now);
    assert_eq!(script.answer(), [(SHUTDOWN, 0, words(&[TSN]))]);
    let at = script.end.poll_timeout().unwrap();
    script.now += ms(10);
    script.say(&[data(B | E, TSN + 1, 1, 1, b"x")]);
    let kinds: Vec<_> = script.answer().into_iter().map(|(kind, _, _)| kind).collect();
    assert_eq!(kinds, [SACK, SHUTDOWN]);
    assert!(script.end.poll_timeout().unwrap() > at, "T2-shutdown begins anew");
    // A gap that a SHUTDOWN cannot tell of, and then a duplicate.
    for number in [3, 3] {
        script.say(&[data(B | E, TSN + number, 1, 3, b"x")]);
        let answer = script.answer();
        assert_eq!((answer[0].0, word(&answer[0].2, 2) >> 16), (SACK, 1));
        assert_eq!((answer[1].0, word(&answer[1].2, 0)), (SHUTDOWN, TSN + 1));
    }
    // With what came meanwhile.
    script.say(&[data(B | E, TSN + 2, 1, 2, b"x")]);
    script.written();
    let at = script.end.poll_timeout().unwrap();
    script.pass(at - script.now);
    assert_eq!(script.answer().last(), Some(&(SHUTDOWN, 0, words(&[TSN + 3]))));
    script.say(&[chunk(SHUTDOWN_ACK, 0, &[])]);
    let written = script.written();
    assert_eq!((tag_of(&written[0]), chunks(&written[0])), (TAG, vec![(SHUTDOWN_COMPLETE, 0, vec![])]));
    assert_eq!(script.end.poll_timeout(), None);
    script.say(&[data(B | E, TSN + 4, 1, 4, b"x")]);
    assert!(script.written().is_empty());
}

//= rfc9260 §3.3.7
//= type=test
//# DATA chunks MUST NOT be bundled with ABORT chunks.
//= rfc9260 §3.3.7
//= type=test
//# but they MUST be placed before the ABORT chunk in the SCTP packet
//= rfc9260 §8.5.1
//= type=test
//# The endpoint MUST always fill in the Verification Tag field of the outbound packet with the destination endpoint's
//# tag value if it is known.
//= rfc9260 §9.1
//= type=test
//# When an endpoint decides to abort an existing association, it MUST send an ABORT chunk to its peer endpoint.
//= rfc9260 §9.1
//= type=test
//# The sender MUST fill in the peer's Verification Tag in the outbound packet and MUST NOT bundle any DATA chunk with
//# the ABORT chunk.
#[test]
fn rfc9260_9_1_an_abort_goes_alone_under_the_peers_tag() {
    let mut script = Script::established();
    send(&mut script, 5_000);
    script.say(&[data(B | E, TSN, 1, 0, b"x")]);
    script.end.abort(script.now, "enough");
    let written = script.written();
    assert_eq!((written.len(), tag_of(&written[0])), (1, TAG));
    let all = chunks(&written[0]);
    assert_eq!((all.len(), all[0].0, all[0].1), (1, ABORT, 0));
    assert_eq!(script.end.poll_timeout(), None);
}
