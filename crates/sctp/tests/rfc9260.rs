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
#[test]
fn rfc9260_5_2_6_data_behind_a_stale_cookie_goes_with_the_next() {
    let (mut script, _) = waiting();
    send(&mut script, 3_000);
    send(&mut script, 10);
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
