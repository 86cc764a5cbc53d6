//! What RFC 9260 demands: packets, chunks and the handshake. Each test quotes the clauses it proves.

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use pair::*;
use raw::*;
use sctp::*;

const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const SACK: u8 = 3;
const HEARTBEAT: u8 = 4;
const HEARTBEAT_ACK: u8 = 5;
const ABORT: u8 = 6;
const SHUTDOWN_ACK: u8 = 8;
const ERROR: u8 = 9;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;
const SHUTDOWN_COMPLETE: u8 = 14;

/// The value of an INIT ACK of ours, with these numbers and a cookie.
fn init_ack(tag: u32, window: u32, outbound: u16, inbound: u16) -> Vec<u8> {
    let mut value = words(&[tag, window, u32::from(outbound) << 16 | u32::from(inbound), TSN]);
    value.extend(parameter(7, b"a cookie"));
    value
}

/// An association that has sent its INIT; gives that as well.
fn waiting() -> (Script, Vec<u8>) {
    let mut script = Script::new(Config::default());
    script.end.connect(script.now);
    let packet = script.written().remove(0);
    let value = chunks(&packet).remove(0).2;
    (script.tag, script.tsn) = (word(&value, 0), word(&value, 3));
    (script, packet)
}

/// An association that has sent its COOKIE ECHO.
fn echoed() -> Script {
    let (mut script, _) = waiting();
    script.say(&[chunk(INIT_ACK, 0, &init_ack(TAG, 1 << 20, 9, 9))]);
    assert_eq!(script.answer()[0].0, COOKIE_ECHO);
    script
}

fn send(script: &mut Script, len: usize) {
    script.end.send(script.now, StreamId(1), message(bytes(len)), SendOptions::new()).expect("room");
}

fn is_closed(script: &mut Script) -> bool {
    script.events().iter().any(|event| matches!(event, Event::Closed(_)))
}

//= rfc9260 §3.1
//= type=test
//# The Source Port Number 0 MUST NOT be used.
//= rfc9260 §3.1
//= type=test
//# The Destination Port Number 0 MUST NOT be used.
#[test]
fn rfc9260_3_1_port_zero_is_not_used() {
    let mut script = Script::new(Config::default().with_ports(0, 0));
    script.end.connect(script.now);
    assert_eq!(script.written()[0][..4], [0x13, 0x88, 0x13, 0x88]);
    let mut bytes = packet(0, &[init(TAG, 1 << 20, 9, 9, TSN)]);
    bytes[..12].fill(0);
    let crc = crc_fast::crc32_iscsi(&bytes);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    script.give(&bytes);
    assert!(script.written().is_empty());
}

//= rfc9260 §12.3
//= type=test
//# The receiver of an INIT chunk MUST silently discard the INIT chunk and all further chunks if the INIT chunk is bundled
//# with other chunks or the packet has a non-zero Verification Tag.
//= rfc9260 §8.5.1
//= type=test
//# Otherwise, the receiver MUST silently discard the packet.
//= rfc9260 §5.1
//= type=test
//# An INIT or INIT ACK chunk MUST NOT be bundled with any other chunk.
#[test]
fn rfc9260_12_3_a_bundled_init_does_nothing_nor_what_follows() {
    let init = || init(TAG + 1, 1 << 20, 9, 9, TSN);
    let heartbeat = || chunk(HEARTBEAT, 0, &parameter(1, b"x"));
    let mut script = Script::established();
    script.say(&[heartbeat(), init(), data(3, TSN, 0, 0, b"x")]);
    assert_eq!(script.answer(), [(HEARTBEAT_ACK, 0, parameter(1, b"x"))]);
    assert!(script.end.recv().is_none());
    script.give(&packet(0, &[init(), heartbeat()]));
    script.say(&[init()]);
    script.give(&packet(0, &[heartbeat()]));
    assert!(script.written().is_empty());
    // INIT ACK alone as well.
    let (mut script, _) = waiting();
    script.say(&[heartbeat(), chunk(INIT_ACK, 0, &init_ack(TAG, 1 << 20, 9, 9))]);
    assert!(script.written().is_empty());
}

//= rfc9260 §8.5.1
//= type=test
//# Otherwise, the receiver MUST silently discard the packet and take no further action.
#[test]
fn rfc9260_8_5_1_b_the_t_bit_fits_the_tag_behind_other_chunks_too() {
    let mut script = Script::established();
    script.say(&[chunk(HEARTBEAT, 0, &parameter(1, b"x")), chunk(ABORT, 1, &[])]);
    assert!(script.end.is_connected());
    script.say(&[chunk(HEARTBEAT, 0, &parameter(1, b"x")), chunk(ABORT, 0, &[])]);
    assert!(is_closed(&mut script));
}

//= rfc9260 §3.3.7
//= type=test
//# If an endpoint receives an ABORT chunk with a format error or no TCB is found, it MUST silently discard it.
//= rfc9260 §3.3.7
//= type=test
//# Moreover, under any circumstances, an endpoint that receives an ABORT chunk MUST NOT respond to that ABORT chunk by
//# sending an ABORT chunk of its own.
//= rfc9260 §9.1
//= type=test
//# An endpoint MUST NOT respond to any received packet that contains an ABORT chunk (also see Section 8.4).
#[test]
fn rfc9260_3_3_7_an_abort_that_is_malformed_does_nothing() {
    for causes in [&[0, 12, 0, 3][..], &[0, 12, 0, 40, 1], &[0, 12, 0, 4, 0]] {
        let mut script = Script::established();
        script.say(&[chunk(ABORT, 0, causes)]);
        assert!(script.end.is_connected() && script.written().is_empty(), "{causes:?}");
    }
    let mut script = Script::new(Config::default());
    script.give(&packet(TAG, &[chunk(ABORT, 0, &[])]));
    assert!(script.written().is_empty());
    let mut script = Script::established();
    script.say(&[chunk(ABORT, 0, &[0, 12, 0, 4])]);
    assert!(is_closed(&mut script) && script.written().is_empty());
}

//= rfc9260 §3.3.3
//= type=test
//# A receiver of an INIT ACK chunk with the a_rwnd value set to a value smaller than 1500 MUST discard the packet, SHOULD
//# send a packet in response containing an ABORT chunk and using the Initiate Tag as the Verification Tag, and MUST NOT
//# change the state of any existing association.
#[test]
fn rfc9260_3_3_3_an_init_ack_with_a_small_window_is_refused_and_another_one_taken() {
    let (mut script, _) = waiting();
    script.say(&[chunk(INIT_ACK, 0, &init_ack(0x55, 1_499, 9, 9))]);
    let answer = script.written();
    assert_eq!((answer.len(), tag_of(&answer[0]), chunks(&answer[0])[0].0), (1, 0x55, ABORT));
    assert!(script.events().is_empty());
    script.say(&[chunk(INIT_ACK, 0, &init_ack(TAG, 1_500, 9, 9))]);
    assert_eq!(script.answer()[0].0, COOKIE_ECHO);
}

//= rfc9260 §3.3.3
//= type=test
//# If an endpoint in the COOKIE-WAIT state receives an INIT ACK chunk with the Initiate Tag set to 0, it MUST destroy the
//# TCB and SHOULD send an ABORT chunk with the T bit set.
//= rfc9260 §3.3.3
//= type=test
//# If an endpoint in the COOKIE-WAIT state receives an INIT ACK chunk with the OS value set to 0, it MUST destroy the TCB
//# and SHOULD send an ABORT chunk.
//= rfc9260 §3.3.3
//= type=test
//# If an endpoint in the COOKIE-WAIT state receives an INIT ACK chunk with the MIS value set to 0, it MUST destroy the TCB
//# and SHOULD send an ABORT chunk.
#[test]
fn rfc9260_3_3_3_an_init_ack_with_zeros_ends_the_association() {
    for (tag, outbound, inbound) in [(0, 9, 9), (TAG, 0, 9), (TAG, 9, 0)] {
        let (mut script, _) = waiting();
        script.say(&[chunk(INIT_ACK, 0, &init_ack(tag, 1 << 20, outbound, inbound))]);
        let answer = script.written();
        assert_eq!(answer.is_empty(), tag == 0);
        for packet in answer {
            assert_eq!((tag_of(&packet), chunks(&packet)[0].0, chunks(&packet)[0].1), (TAG, ABORT, 0));
        }
        assert_eq!(script.events(), [Event::Closed(CloseReason::Violation(Violation::InitAck))]);
    }
}

//= rfc9260 §3.3.2
//= type=test
//# The receiver of an INIT chunk containing a Host Name Address parameter MUST send an ABORT chunk and MAY include an
//# "Unresolvable Address" error cause.
//= rfc9260 §3.3.3
//= type=test
//# The receiver of INIT ACK chunks containing a Host Name Address parameter MUST send an ABORT chunk and MAY include an
//# "Unresolvable Address" error cause.
//= rfc9260 §5.1
//= type=test
//# The Verification Tag field in the common header of the outbound SCTP packet containing the ABORT chunk MUST be set to
//# the Initiate Tag value of the received INIT or INIT ACK chunk this ABORT chunk is responding to.
//= rfc9260 §3.3.2.1.4
//= type=test
//# The receiver of an INIT chunk or an INIT ACK containing a Host Name Address parameter MUST send an ABORT chunk and
//# MAY include an "Unresolvable Address" error cause.
//= rfc9260 §5.1.2
//= type=test
//# the endpoint MUST immediately send an ABORT chunk
//= rfc9260 §12.2.4.1
//= type=test
//# MUST send an ABORT chunk in response
#[test]
fn rfc9260_5_1_2_host_names_are_refused() {
    let mut value = words(&[0x55, 1 << 20, (9 << 16) | 9, TSN]);
    value.extend(parameter(11, b"host\0"));
    let mut script = Script::new(Config::default());
    script.give(&packet(0, &[chunk(INIT, 0, &value)]));
    let answer = script.written();
    assert_eq!((tag_of(&answer[0]), chunks(&answer[0])[0].0, chunks(&answer[0])[0].1), (0x55, ABORT, 0));
    let (mut script, _) = waiting();
    value.extend(parameter(7, b"a cookie"));
    script.say(&[chunk(INIT_ACK, 0, &value)]);
    let answer = script.written();
    assert_eq!((tag_of(&answer[0]), chunks(&answer[0])[0].0), (0x55, ABORT));
    assert!(is_closed(&mut script));
}

//= rfc9260 §8.3
//= type=test
//# A receiver of a HEARTBEAT chunk MUST respond to a HEARTBEAT chunk with a HEARTBEAT ACK chunk after entering the
//# COOKIE-ECHOED state (sender of the INIT chunk) or the ESTABLISHED state (receiver of the INIT chunk)
//= rfc9260 §5.1
//= type=test
//# until the COOKIE ACK chunk is returned, the sender MUST NOT send any other packets to the peer.
#[test]
fn rfc9260_8_3_a_heartbeat_before_cookie_ack_is_answered_after_it() {
    let mut script = echoed();
    script.say(&[chunk(HEARTBEAT, 0, &parameter(1, b"early"))]);
    script.say(&[data(3, TSN, 0, 0, b"x")]);
    assert!(script.written().is_empty());
    script.say(&[chunk(COOKIE_ACK, 0, &[])]);
    let answer = script.answer();
    assert!(answer.contains(&(HEARTBEAT_ACK, 0, parameter(1, b"early"))), "{answer:?}");
}

/// RFC 9260 §5.2.6: what went out with a COOKIE ECHO that came too late is not lost.
//= rfc9260 §3.3.11
//= type=test
//# This field MUST contain the exact cookie received in the State Cookie parameter from the previous INIT ACK chunk.
//= rfc9260 §5
//= type=test
//# the two endpoints MUST complete an initialization process in order to set up an SCTP association between them.
#[test]
fn rfc9260_5_2_6_data_behind_a_stale_cookie_goes_with_the_next() {
    let (mut script, _) = waiting();
    send(&mut script, 3_000);
    send(&mut script, 10);
    assert!(script.written().is_empty(), "nothing goes before there is a cookie");
    script.say(&[chunk(INIT_ACK, 0, &init_ack(TAG, 1 << 20, 9, 9))]);
    let first = script.answer();
    assert_eq!((first[0].0, &first[0].2[..], first[1].0), (COOKIE_ECHO, &b"a cookie"[..], DATA));
    script.say(&[chunk(ERROR, 0, &[0, 3, 0, 8, 0, 0, 0, 9])]);
    assert_eq!(script.answer()[0].0, INIT);
    let mut value = words(&[TAG, 1 << 20, (9 << 16) | 9, TSN]);
    value.extend(parameter(7, b"another"));
    script.say(&[chunk(INIT_ACK, 0, &value)]);
    let second = script.answer();
    assert_eq!((second[0].0, &second[0].2[..]), (COOKIE_ECHO, &b"another"[..]));
    assert_eq!((second[1].0, word(&second[1].2, 0)), (DATA, script.tsn));
    script.say(&[chunk(COOKIE_ACK, 0, &[])]);
    let rest: usize = script.answer().iter().chain(&second[1..]).map(|(_, _, value)| value.len() - 12).sum();
    assert_eq!(rest, 3_010);
}

//= rfc9260 §12.4
//= type=test
//# An SCTP implementation MUST abort the association if it receives a SACK chunk acknowledging a TSN that has not been
//# sent.
#[test]
fn rfc9260_12_4_a_sack_of_what_was_not_sent_ends_the_association() {
    for (ahead, blocks) in [(1, vec![]), (1_000, vec![]), (0_u32, vec![(2, 2)])] {
        let mut script = Script::established();
        send(&mut script, 100);
        script.written();
        let cumulative = script.tsn.wrapping_add(ahead);
        let mut value = words(&[cumulative, 1 << 20, (blocks.len() as u32) << 16]);
        value.extend(
            blocks
                .iter()
                .flat_map(|(first, last): &(u16, u16)| words(&[u32::from(*first) << 16 | u32::from(*last)])),
        );
        script.say(&[chunk(SACK, 0, &value)]);
        assert_eq!(script.answer()[0].0, ABORT);
        let reason = CloseReason::Violation(Violation::UnsentAcknowledged);
        assert_eq!(script.events().last(), Some(&Event::Closed(reason)));
    }
}

//= rfc9260 §8.4
//= type=test
//# When sending the SHUTDOWN COMPLETE chunk, the receiver of the OOTB packet MUST fill in the Verification Tag field of the
//# outbound packet with the Verification Tag received in the SHUTDOWN ACK chunk and set the T bit in the Chunk Flags to
//# indicate that the Verification Tag is reflected.
//= rfc9260 §8.4
//= type=test
//# When sending the ABORT chunk, the receiver of the OOTB packet MUST fill in the Verification Tag field of the outbound
//# packet with the value found in the Verification Tag field of the OOTB packet and set the T bit in the Chunk Flags to
//# indicate that the Verification Tag is reflected.
//= rfc9260 §8.4
//= type=test
//# After sending this ABORT chunk, the receiver of the OOTB packet MUST discard the OOTB packet and MUST NOT take any
//# further action.
//= rfc9260 §8.4
//= type=test
//# If the OOTB packet contains an ABORT chunk, the receiver MUST silently discard the OOTB packet and take no further
//# action.
//= rfc9260 §3.1
//= type=test
//# A packet containing a SHUTDOWN COMPLETE chunk with the T bit set MUST have the Verification Tag copied from the
//# packet with the SHUTDOWN ACK chunk.
//= rfc9260 §3.3.13
//= type=test
//# If the Verification Tag is reflected, the T bit MUST be set to 1.
//= rfc9260 §8.5.1
//= type=test
//# Only where no TCB exists SHOULD the sender use the Verification Tag from the SHUTDOWN ACK chunk and MUST set the T
//# bit.
#[test]
fn rfc9260_8_4_packets_out_of_the_blue() {
    let mut script = Script::new(Config::default());
    let data = || data(3, TSN, 0, 0, b"x");
    for (sent, answer) in [
        (vec![chunk(SHUTDOWN_ACK, 0, &[])], Some((SHUTDOWN_COMPLETE, 1))),
        (vec![data()], Some((ABORT, 1))),
        (vec![data(), chunk(ABORT, 0, &[])], None),
    ] {
        script.give(&packet(0x77, &sent));
        let written = script.written();
        let got = written.first().map(|packet| {
            assert_eq!(tag_of(packet), 0x77);
            (chunks(packet)[0].0, chunks(packet)[0].1)
        });
        assert_eq!((got, written.len()), (answer, usize::from(answer.is_some())));
    }
    assert!(script.end.recv().is_none() && script.events().is_empty());
    assert_eq!(script.end.poll_timeout(), None);
}

//= rfc9260 §3.2
//= type=test
//# The receiver MUST ignore the padding bytes.
#[test]
fn rfc9260_3_2_padding_is_ignored_whatever_it_holds() {
    let mut script = Script::established();
    let mut padded = data(3, TSN, 0, 0, b"x");
    padded.extend([0xff; 3]);
    script.say(&[padded, data(3, TSN + 1, 0, 1, b"y")]);
    let received: Vec<_> = std::iter::from_fn(|| script.end.recv()).map(|(_, it)| it.payload).collect();
    assert_eq!(received, ["x", "y"]);
}

//= rfc9260 §3.2.2
//= type=test
//# it MUST put the "Unrecognized Parameter" parameter(s) in the INIT ACK chunk sent in response to the INIT chunk.
//= rfc9260 §3.3.2.1.5
//= type=test
//# MUST be ignored when receiving this parameter.
#[test]
fn rfc9260_3_2_2_unknown_parameters_come_back_in_init_ack() {
    let mut value = words(&[TAG, 1 << 20, (9 << 16) | 9, TSN]);
    value.extend(parameter(0xfff0, b"odd"));
    // The receiver of addresses does nothing with them, nor with the types that are understood.
    value.extend(parameter(5, &[192, 0, 2, 1]));
    value.extend(parameter(12, &[0, 11]));
    let mut script = Script::new(Config::default());
    script.give(&packet(0, &[chunk(INIT, 0, &value)]));
    let (kind, _, value) = chunks(&script.written()[0]).remove(0);
    assert_eq!(kind, INIT_ACK);
    let reported: Vec<_> = parameters(&value).into_iter().filter(|(code, _)| *code == 8).collect();
    assert_eq!(reported, [(8, [&[0xff, 0xf0, 0, 7][..], b"odd"].concat())]);
}

//= rfc9260 §3.3.3
//= type=test
//# The value of 0 MUST NOT be used, and the value MUST NOT be greater than the MIS value sent in the INIT chunk.
//= rfc9260 §3.3.2
//= type=test
//# Unless otherwise noted, each parameter MUST only be included once in the INIT chunk.
//= rfc9260 §3.3.2
//= type=test
//# Note 3: An INIT chunk MUST NOT contain the Host Name Address parameter.
//= rfc9260 §3.3.3
//= type=test
//# Note 3: An INIT ACK chunk MUST NOT contain the Host Name Address parameter.
//= rfc9260 §3.3.2.1.4
//= type=test
//# The sender of an INIT chunk or INIT ACK chunk MUST NOT include this parameter.
//= rfc9260 §3.3.3.1
//= type=test
//# MUST NOT be included in an INIT ACK chunk.
//= rfc9260 §5.1.1
//= type=test
//# In the INIT and INIT ACK chunks, the sender of the chunk MUST indicate the number of outbound streams (OS) it
//# wishes to have in the association, as well as the maximum inbound streams (MIS) it will accept from the other
//# endpoint.
//= rfc9260 §3.3.2
//= type=test
//# The Advertised Receiver Window Credit MUST NOT be smaller than 1500.
//= rfc9260 §3.3.3
//= type=test
//# The Advertised Receiver Window Credit MUST NOT be smaller than 1500.
//= rfc9260 §3.3.3
//= type=test
//# The Initiate Tag MUST NOT take the value 0.
//= rfc9260 §5.1
//= type=test
//# In the INIT chunk, "A" MUST provide its Verification Tag (Tag_A) in the Initiate Tag field.
//= rfc9260 §3.3.2.1
//= type=test
//# Any Type-Length-Value fields MUST be placed after the fixed-length fields.
//= rfc9260 §3.3.3.1
//= type=test
//# Any Type-Length-Value fields MUST be placed after the fixed-length fields.
#[test]
fn rfc9260_3_3_3_no_more_streams_are_asked_for_than_the_peer_takes() {
    let mut script = Script::new(Config::default());
    script.give(&packet(0, &[init(TAG, 1 << 20, 9, 7, TSN)]));
    let value = chunks(&script.written()[0]).remove(0).2;
    assert_eq!(word(&value, 2), 7 << 16 | u32::from(u16::MAX));
    // None of what is fixed is missing, and none of what must not be there is there.
    assert!(word(&value, 0) != 0 && word(&value, 1) >= 1_500);
    let codes: Vec<_> = parameters(&value).into_iter().map(|(code, _)| code).collect();
    assert!(codes.iter().all(|code| ![5, 6, 11, 12].contains(code)), "{codes:?}");
    let unique: std::collections::BTreeSet<_> = codes.iter().collect();
    assert_eq!(unique.len(), codes.len());
    let (_, packet) = waiting();
    let value = chunks(&packet).remove(0).2;
    assert!(word(&value, 0) != 0 && word(&value, 1) >= 1_500 && word(&value, 2) & 0xffff != 0);
    let codes: Vec<_> = parameters(&value).into_iter().map(|(code, _)| code).collect();
    assert!(codes.iter().all(|code| ![5, 6, 7, 11, 12].contains(code)), "{codes:?}");
    let unique: std::collections::BTreeSet<_> = codes.iter().collect();
    assert_eq!(unique.len(), codes.len());
}

//= rfc9260 §3.3.2
//= type=test
//# The value of 0 MUST NOT be used.
//= rfc9260 §3.3.2
//= type=test
//# The value 0 MUST NOT be used.
//= rfc9260 §3.3.3
//= type=test
//# The value 0 MUST NOT be used.
#[test]
fn rfc9260_3_3_3_streams_of_none_count_as_one() {
    let mut script = Script::new(Config::default().with_streams(0, 0));
    script.end.connect(script.now);
    assert_eq!(word(&chunks(&script.written()[0]).remove(0).2, 2), 1 << 16 | 1);
}

//= rfc9260 §3.3.3
//= type=test
//# An implementation MUST be prepared to receive an INIT ACK chunk that is quite large
//= rfc9260 §5.1.4
//= type=test
//# When an endpoint (in the COOKIE-WAIT state) receives an INIT ACK chunk with a State Cookie parameter, it MUST
//# immediately send a COOKIE ECHO chunk to its peer with the received State Cookie.
#[test]
fn rfc9260_3_3_3_a_long_cookie_comes_back_whole() {
    let (mut script, _) = waiting();
    let mut value = words(&[TAG, 1 << 20, (9 << 16) | 9, TSN]);
    value.extend(parameter(7, &[7; 20_000]));
    script.say(&[chunk(INIT_ACK, 0, &value)]);
    assert_eq!(script.answer()[0], (COOKIE_ECHO, 0, vec![7; 20_000]));
}

//= rfc9260 §5.1
//= type=test
//# After sending an INIT ACK chunk with the State Cookie parameter, "Z" MUST NOT allocate any resources or keep any
//# states for the new association.
//= rfc9260 §5.1
//= type=test
//# "Z" MUST set the Verification Tag field to Tag_A and also provide its own Verification Tag
//= rfc9260 §5.1
//= type=test
//# Moreover, "Z" MUST generate and send along with the INIT ACK chunk a State Cookie.
//= rfc9260 §5.2.2
//= type=test
//# For a normal association INIT chunk (i.e., the endpoint is in the CLOSED state), the Tie-Tags MUST be set to 0
//# (indicating that no previous TCB existed).
#[test]
fn rfc9260_5_1_an_init_is_answered_and_forgotten() {
    let mut script = Script::new(Config::default());
    let before = script.end.poll_timeout();
    for number in 0..1_000_u32 {
        script.give(&packet(0, &[init(number + 1, 1 << 20, 9, 9, number)]));
        let answer = script.written();
        assert_eq!((answer.len(), tag_of(&answer[0])), (1, number + 1));
        let value = chunks(&answer[0]).remove(0).2;
        assert_ne!(word(&value, 0), 0);
        let cookie = parameters(&value).into_iter().find(|(code, _)| *code == 7).unwrap().1;
        assert_eq!(cookie[cookie.len() - 8..], [0; 8], "no tie tags");
    }
    assert_eq!(script.end.poll_timeout(), before);
    assert!(script.events().is_empty() && !script.end.is_connected());
    script.ask();
    let echo = chunk(COOKIE_ECHO, 0, &script.cookie.clone());
    script.say(&[echo]);
    assert_eq!(script.answer()[0].0, COOKIE_ACK);
}

//= rfc9260 §5.2.1
//= type=test
//# Upon receipt of an INIT chunk in the COOKIE-WAIT state, an endpoint MUST respond with an INIT ACK chunk using the
//# same parameters it sent in its original INIT chunk (including its Initiate Tag, unchanged).
//= rfc9260 §5.2.1
//= type=test
//# an endpoint MUST respond with an INIT ACK chunk using the same parameters it sent in its original INIT chunk
//= rfc9260 §5.2.1
//= type=test
//# After that, the endpoint MUST NOT change its state, the T1-init timer MUST be left running, and the corresponding
//# TCB MUST NOT be destroyed.
//= rfc9260 §5.2.1
//= type=test
//# it MUST populate its Tie-Tags within both the association TCB and inside the State Cookie
//= rfc9260 §5.2.1
//= type=test
//# The endpoint MUST also generate a State Cookie with the INIT ACK chunk.
#[test]
fn rfc9260_5_2_1_an_init_before_the_association_stands_changes_nothing() {
    let other = || packet(0, &[init(0x55, 1 << 20, 100, 100, 9)]);
    let (mut script, first) = waiting();
    let ours = chunks(&first).remove(0).2;
    let timer = script.end.next_timer();
    assert_eq!(timer.map(|(_, timer)| timer), Some(Timer::Init));
    script.give(&other());
    let value = chunks(&script.written()[0]).remove(0).2;
    assert_eq!(
        (word(&value, 0), word(&value, 1), word(&value, 3)),
        (word(&ours, 0), word(&ours, 1), word(&ours, 3))
    );
    assert_eq!(script.end.next_timer(), timer);
    script.say(&[chunk(INIT_ACK, 0, &init_ack(TAG, 1 << 20, 9, 9))]);
    assert_eq!(script.answer()[0].0, COOKIE_ECHO);
    // In COOKIE-ECHOED, with the tags of both in the cookie.
    let timer = script.end.next_timer();
    script.give(&other());
    let value = chunks(&script.written()[0]).remove(0).2;
    assert_eq!((word(&value, 0), word(&value, 3)), (script.tag, script.tsn));
    let cookie = parameters(&value).into_iter().find(|(code, _)| *code == 7).unwrap().1;
    assert_eq!(cookie[cookie.len() - 8..], words(&[script.tag, TAG]));
    assert_eq!(script.end.next_timer(), timer);
    script.say(&[chunk(COOKIE_ACK, 0, &[])]);
    assert!(script.end.is_connected());
}

//= rfc9260 §5.2.4
//= type=test
//# it MUST update its peer's Verification Tag from the State Cookie, stop any T1-init or T1-cookie timers that might
//# be running, and send a COOKIE ACK chunk.
#[test]
fn rfc9260_5_2_4_b_a_peer_that_drew_a_new_tag_is_answered_under_it() {
    let mut script = echoed();
    script.give(&packet(0, &[init(0x55, 1 << 20, 100, 100, 9)]));
    let value = chunks(&script.written()[0]).remove(0).2;
    let cookie = parameters(&value).into_iter().find(|(code, _)| *code == 7).unwrap().1;
    script.say(&[chunk(COOKIE_ECHO, 0, &cookie)]);
    let answer = script.written();
    assert_eq!((tag_of(&answer[0]), chunks(&answer[0])[0].0), (0x55, COOKIE_ACK));
    assert!(script.end.is_connected());
    assert!(!matches!(script.end.next_timer(), Some((_, Timer::Init | Timer::Cookie))));
}

//= rfc9260 §5.2.4
//= type=test
//# If the endpoint is in the SHUTDOWN-ACK-SENT state and recognizes that the peer has restarted (Action A), it MUST
//# NOT set up a new association but instead resend the SHUTDOWN ACK chunk and send an ERROR chunk with a "Cookie
//# Received While Shutting Down" error cause to its peer.
#[test]
fn rfc9260_5_2_4_a_a_restart_while_shutting_down_is_no_new_association() {
    let mut script = Script::established();
    script.say(&[data(3, TSN, 0, 0, b"x")]);
    script.give(&packet(0, &[init(0x99, 1 << 20, 100, 100, 5)]));
    let value = chunks(&script.written()[0]).remove(0).2;
    let cookie = parameters(&value).into_iter().find(|(code, _)| *code == 7).unwrap().1;
    script.say(&[chunk(7, 0, &words(&[script.tsn.wrapping_sub(1)]))]);
    assert_eq!(script.answer().last().map(|chunk| chunk.0), Some(SHUTDOWN_ACK));
    script.events();
    script.give(&packet(word(&value, 0), &[chunk(COOKIE_ECHO, 0, &cookie)]));
    let answer = script.answer();
    let kinds: Vec<_> = answer.iter().map(|chunk| chunk.0).collect();
    assert_eq!((kinds, &answer[0].2[..]), (vec![ERROR, SHUTDOWN_ACK], &[0, 10, 0, 4][..]));
    assert!(script.events().is_empty());
}

//= rfc9260 §5.2.4
//= type=test
//# The endpoint also MUST transmit an ERROR chunk with a "Stale Cookie" error cause
//= rfc9260 §5.1.5
//= type=test
//# the endpoint MUST transmit an ERROR chunk with a "Stale Cookie" error cause to the peer endpoint.
#[test]
fn rfc9260_5_2_4_a_stale_cookie_of_another_association_is_reported() {
    let mut script = Script::established();
    script.give(&packet(0, &[init(0x99, 1 << 20, 100, 100, 5)]));
    let value = chunks(&script.written()[0]).remove(0).2;
    let cookie = parameters(&value).into_iter().find(|(code, _)| *code == 7).unwrap().1;
    script.now += std::time::Duration::from_secs(61);
    script.give(&packet(word(&value, 0), &[chunk(COOKIE_ECHO, 0, &cookie), data(3, 5, 0, 0, b"x")]));
    let answer = script.written();
    assert_eq!((tag_of(&answer[0]), chunks(&answer[0])[0].0), (0x99, ERROR));
    assert!(!script.events().contains(&Event::Restarted));
    assert!(script.end.recv().is_none());
}

//= rfc9260 §6.10
//= type=test
//# An endpoint MUST process received chunks in their order in the packet.
#[test]
fn rfc9260_6_10_chunks_are_handled_in_their_order() {
    let mut script = Script::established();
    script.say(&[data(3, TSN, 0, 0, b"x"), chunk(ABORT, 0, &[]), data(3, TSN + 1, 0, 1, b"y")]);
    assert!(is_closed(&mut script));
    let received: Vec<_> = std::iter::from_fn(|| script.end.recv()).map(|(_, it)| it.payload).collect();
    assert_eq!(received, ["x"]);
}

//= rfc9260 §12.4
//= type=test
//# the sender of the response chunk(s) MUST NOT send more than one packet containing chunks other than DATA chunks.
#[test]
fn rfc9260_12_4_a_flood_in_one_packet_is_answered_with_one() {
    let mut script = Script::established();
    for kind in [HEARTBEAT, 0xfe] {
        let mut all: Vec<_> = (0..8).map(|_| chunk(kind, 0, &[7; 400])).collect();
        all.push(data(3, TSN, 0, 0, b"x"));
        script.say(&all);
        assert_eq!(script.written().len(), 1, "{kind}");
    }
}
