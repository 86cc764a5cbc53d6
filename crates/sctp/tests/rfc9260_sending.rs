//! What RFC 9260 demands of a sender: what may go when, round trips, and congestion; and of windows. Each test quotes the
//! clauses it proves.

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use pair::*;
use raw::*;
use sctp::*;
use std::time::Duration;

const DATA: u8 = 0;
const SACK: u8 = 3;
const SHUTDOWN: u8 = 7;
const SHUTDOWN_ACK: u8 = 8;

const PACKET: usize = 1_160;

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

/// One chunk was sent and timed out: the congestion window is one packet.
fn collapsed() -> Script {
    let mut script = Script::established();
    send(&mut script, 1_000);
    script.written();
    script.pass(ms(3_000));
    assert_eq!(tsns(&script.answer()), [script.tsn]);
    assert!(script.end.stats().congestion_window <= PACKET);
    script
}

//= rfc9260 §6.1
//= type=test
//# the sender MUST NOT transmit new data to a given transport address if it has cwnd + (PMDCS - 1) or more bytes of
//# data outstanding to that transport address.
//= rfc9260 §6.1
//= type=test
//# The breach of cwnd MUST constitute one packet only.
//= rfc9260 §6.1
//= type=test
//# The following general rules MUST be applied by the data sender for transmission and/or retransmission of outbound
//# DATA chunks:
#[test]
fn rfc9260_6_1_b_the_window_is_exceeded_by_less_than_a_packet() {
    for packets in 2..12 {
        let mut script = Script::established_with(Config::default().with_initial_window(packets));
        for _ in 0..40 {
            send(&mut script, 300 * packets);
        }
        script.written();
        let stats = script.end.stats();
        assert!(stats.in_flight >= packets * 1_100 - 300 * packets, "{stats:?}");
        assert!(stats.in_flight < packets * PACKET + PACKET, "{stats:?}");
        assert!(script.written().is_empty());
    }
}

//= rfc9260 §6.1
//= type=test
//# before sending new DATA chunks, the sender MUST first transmit any DATA chunks that are marked for retransmission
//# (limited by the current cwnd).
#[test]
fn rfc9260_6_1_c_what_was_lost_goes_before_what_is_new() {
    let mut script = Script::established();
    for _ in 0..10 {
        send(&mut script, 1_100);
    }
    assert_eq!(tsns(&script.answer()).len(), 10);
    script.pass(ms(50));
    for _ in 0..10 {
        send(&mut script, 1_100);
    }
    script.say(&[sack(script.tsn + 1, 1 << 20, &[(3, 4), (6, 8)])]);
    let mut sent = Vec::new();
    for _ in 0..6 {
        sent.extend(tsns(&script.answer()));
        script.pass(ms(20));
    }
    let lost = [script.tsn + 2, script.tsn + 3, script.tsn + 6];
    assert_eq!(sent.get(..3), Some(&lost[..]), "{sent:?}");
    assert!(sent.len() > 3 && sent[3] >= script.tsn + 10);
}

//= rfc9260 §6.3.1
//= type=test
//# When data is in flight and when allowed by rule C5 below, a new RTT measurement MUST be made each round trip.
//= rfc9260 §6.3.1
//= type=test
//# RTT measurements MUST NOT be made using chunks that were retransmitted
#[test]
fn rfc9260_6_3_1_c_every_round_trip_is_measured_and_no_repetition() {
    let mut script = collapsed();
    script.pass(ms(400));
    script.say(&[sack(script.tsn, 1 << 20, &[])]);
    assert_eq!(script.end.stats().rtt, None, "it may be the answer to either");
    let mut tsn = script.tsn;
    let mut last = None;
    for round in 1..=10 {
        tsn += 1;
        send(&mut script, 1_000);
        script.written();
        script.pass(ms(10 * round));
        script.say(&[sack(tsn, 1 << 20, &[])]);
        let rtt = script.end.stats().rtt;
        assert!(rtt.is_some() && rtt > last, "{round}: {rtt:?}");
        last = rtt;
    }
}

//= rfc9260 §6.7
//= type=test
//# Upon the reception of a SACK chunk, the endpoint MUST remove all DATA chunks that have been acknowledged by the
//# SACK chunk's Cumulative TSN Ack from its transmit queue.
#[test]
fn rfc9260_6_7_what_is_acknowledged_is_removed() {
    let mut script = Script::established();
    for _ in 0..4 {
        send(&mut script, 1_000);
    }
    script.written();
    let held = script.end.stats().send_held;
    script.say(&[sack(script.tsn + 1, 1 << 20, &[])]);
    assert_eq!(script.end.stats().send_held * 2, held);
    script.say(&[sack(script.tsn + 3, 1 << 20, &[])]);
    assert_eq!(script.end.stats().send_held, 0);
    script.pass(ms(60_000));
    assert_eq!(tsns(&script.answer()), [0; 0]);
}

//= rfc9260 §6.2
//= type=test
//# The receiver MUST avoid sending a large number of window updates -- in particular, large bursts of them.
#[test]
fn rfc9260_6_2_the_window_is_not_updated_byte_by_byte() {
    let mut script = Script::established_with(Config::default().with_receive_buffer(64 << 10));
    for number in 0..1_000 {
        script.say(&[data(3, TSN + number, 1, number as u16, &[7; 60])]);
        script.written();
    }
    let mut updates = 0;
    let mut read = 0;
    while script.end.recv().is_some() {
        read += 1;
        updates += script.written().len();
    }
    assert!(read > 300 && updates <= 3, "{updates} for {read} messages");
}

//= rfc9260 §6.2
//= type=test
//# An implementation MUST NOT allow the maximum delay (protocol parameter 'SACK.Delay') to be configured to be more
//# than 500 ms.
//= rfc9260 §6.2
//= type=test
//# MUST NOT raise it above 500 ms.
#[test]
fn rfc9260_6_2_no_delay_is_longer_than_half_a_second() {
    let config = Config::default().with_delayed_ack(Duration::from_secs(10));
    let mut script = Script::established_with(config);
    let mut tsn = TSN;
    // Those at the beginning are not delayed.
    while script.end.next_timer().is_none_or(|(_, timer)| timer != Timer::Ack) {
        script.say(&[data(3, tsn, 1, (tsn - TSN) as u16, b"x")]);
        script.written();
        tsn += 1;
        assert!(tsn < TSN + 100);
    }
    assert_eq!(script.end.poll_timeout(), Some(script.now + ms(500)));
    script.pass(ms(500));
    assert_eq!(script.answer()[0].0, SACK);
}

//= rfc9260 §6
//= type=test
//# A SACK chunk MUST be processed in ESTABLISHED, SHUTDOWN-PENDING, and SHUTDOWN-RECEIVED states.
//= rfc9260 §6
//= type=test
//# Data transmission MUST only happen in the ESTABLISHED, SHUTDOWN-PENDING, and SHUTDOWN-RECEIVED states.
#[test]
fn rfc9260_6_sacks_count_and_data_goes_until_everything_is_acknowledged() {
    for peer_began in [false, true] {
        let mut script = Script::established_with(Config::default().with_initial_window(2));
        send(&mut script, 4_000);
        if peer_began {
            script.say(&[chunk(SHUTDOWN, 0, &words(&[script.tsn.wrapping_sub(1)]))]);
        } else {
            script.end.shutdown(script.now);
        }
        let mut sent = 0;
        for _ in 0..10 {
            let answer = script.answer();
            assert!(sent == 4 || !tsns(&answer).is_empty());
            sent += tsns(&answer).len() as u32;
            if answer.iter().any(|(kind, _, _)| [SHUTDOWN, SHUTDOWN_ACK].contains(kind)) {
                break;
            }
            script.say(&[sack(script.tsn + sent - 1, 1 << 20, &[])]);
            script.pass(ms(20));
        }
        assert_eq!(sent, 4);
        // No data after that.
        script.say(&[sack(script.tsn + 3, 1 << 20, &[])]);
        assert_eq!(tsns(&script.answer()), [0; 0]);
    }
}

//= rfc9260 §7.2.5
//= type=test
//# When detected by an SCTP implementation, the congestion control MUST be reinitialized.
//= rfc9260 §7.2.5.2
//= type=test
//# the congestion control parameters for the affected destination addresses MUST be reset to their initial values.
#[test]
fn rfc9260_7_2_5_a_new_path_begins_with_the_first_window() {
    let mut script = collapsed();
    script.end.set_path(script.now, PathInfo::new(PACKET));
    assert_eq!(script.end.stats().congestion_window, 10 * PACKET);
}

//= rfc9260 §5.2.4
//= type=test
//# All the congestion control parameters (e.g., cwnd, ssthresh) related to this peer MUST be reset to their initial
//# values (see Section 6.2.1).
#[test]
fn rfc9260_5_2_4_a_a_restart_begins_with_the_first_window() {
    let mut script = collapsed();
    script.give(&packet(0, &[init(0x99, 1 << 20, 100, 100, 5)]));
    let value = chunks(&script.written()[0]).remove(0).2;
    let cookie = parameters(&value).into_iter().find(|(code, _)| *code == 7).unwrap().1;
    script.give(&packet(word(&value, 0), &[chunk(10, 0, &cookie)]));
    assert!(script.events().contains(&Event::Restarted));
    assert_eq!(script.end.stats().congestion_window, 10 * PACKET);
}

//= rfc9260 §8.1
//= type=test
//# The counter used for endpoint failure detection MUST be reset each time a DATA chunk sent to that peer endpoint is
//# acknowledged (by the reception of a SACK chunk).
#[test]
fn rfc9260_8_1_acknowledged_data_clears_the_count_of_errors() {
    let mut script = Script::established_with(Config::default().with_max_retransmits(8, 3));
    for tsn in script.tsn..script.tsn + 5 {
        send(&mut script, 100);
        script.written();
        // Timeouts, and the tail loss probes before them.
        let before = script.end.stats().timeouts;
        while script.end.stats().timeouts < before + 3 {
            let at = script.end.poll_timeout().unwrap();
            script.pass(at - script.now);
            script.written();
        }
        script.say(&[sack(tsn, 1 << 20, &[])]);
        assert!(script.end.is_connected());
    }
    send(&mut script, 100);
    script.written();
    for _ in 0..20 {
        let Some(at) = script.end.poll_timeout() else { break };
        script.pass(at - script.now);
        script.written();
    }
    assert_eq!(script.events().last(), Some(&Event::Closed(CloseReason::Timeout)));
}

//= rfc9260 §6.1
//= type=test
//# The data sender MUST NOT use a TSN that is more than 2^31 - 1 above the beginning TSN of the current send window.
//= rfc9260 §6.1
//= type=test
//# For each stream, the data sender MUST NOT have more than 2^16 - 1 ordered user messages in the current send
//# window.
#[test]
fn rfc9260_6_1_e_few_chunks_wait_for_an_acknowledgement() {
    let mut script = Script::established_with(Config::default().with_send_buffer(8 << 20));
    for _ in 0..11_000 {
        send(&mut script, 1);
    }
    let sent = tsns(&script.answer()).len();
    assert!(sent > 5_000 && sent <= 8_192, "{sent}");
}

//= rfc9260 §6
//= type=test
//# DATA chunks MUST only be received according to the rules below in ESTABLISHED, SHUTDOWN-PENDING, and SHUTDOWN-SENT
//# states.
#[test]
fn rfc9260_6_data_is_taken_until_the_peer_said_it_was_all() {
    let mut script = Script::established();
    send(&mut script, 10);
    script.written();
    let taken = |script: &mut Script, number: u32| {
        script.say(&[data(3, TSN + number, 1, number as u16, b"x")]);
        script.written();
        script.end.recv().is_some()
    };
    assert!(taken(&mut script, 0));
    script.end.shutdown(script.now);
    assert!(taken(&mut script, 1), "SHUTDOWN-PENDING");
    script.say(&[sack(script.tsn, 1 << 20, &[])]);
    assert_eq!(script.answer().last().map(|chunk| chunk.0), Some(SHUTDOWN));
    assert!(taken(&mut script, 2), "SHUTDOWN-SENT");
    let mut script = Script::established();
    send(&mut script, 10);
    script.written();
    script.say(&[chunk(SHUTDOWN, 0, &words(&[script.tsn.wrapping_sub(1)]))]);
    assert!(!taken(&mut script, 0), "SHUTDOWN-RECEIVED");
    script.say(&[chunk(SHUTDOWN, 0, &words(&[script.tsn]))]);
    assert!(!taken(&mut script, 0), "SHUTDOWN-ACK-SENT");
    let mut script = Script::new(Config::default());
    script.ask();
    assert!(!taken(&mut script, 0), "CLOSED");
}

//= rfc9260 §6.9
//= type=test
//# The implementation MUST also take into account the space required for a SACK chunk if bundling a SACK chunk with
//# the DATA chunk.
#[test]
fn rfc9260_6_9_a_sack_takes_its_room_from_the_data_behind_it() {
    let mut script = Script::established();
    // Gaps, so that the SACK is long.
    let gaps: Vec<_> = (1..60).map(|number| data(3, TSN + 2 * number, 1, 0, b"x")).collect();
    send(&mut script, 20_000);
    script.say(&gaps);
    let written = script.written();
    let first = chunks(&written[0]);
    assert_eq!((first[0].0, first[1].0), (SACK, DATA));
    assert!(first[0].2.len() > 200 && first[1].2.len() > 800);
    assert!(written.iter().all(|packet| packet.len() <= PACKET));
}

//= rfc9260 §6.1
//= type=test
//# A zero window probe MUST only be sent when the cwnd allows (see rule B below).
#[test]
fn rfc9260_6_1_a_probe_of_a_closed_window_waits_for_the_congestion_window() {
    let mut script = collapsed();
    send(&mut script, 1_000);
    // What was repeated is still in flight, and a packet is all that may be.
    script.say(&[sack(script.tsn.wrapping_sub(1), 0, &[])]);
    assert!(script.written().is_empty());
    script.say(&[sack(script.tsn, 0, &[])]);
    assert_eq!(tsns(&script.answer()), [script.tsn + 1]);
}

//= rfc9260 §7.2.4
//= type=test
//# the cwnd adjustment rules defined in Sections 7.2.1 and 7.2.2 MUST be applied first.
#[test]
fn rfc9260_7_2_4_the_window_grows_before_it_is_halved() {
    let config = Config::default().with_congestion_control(std::sync::Arc::new(NewReno));
    let mut script = Script::established_with(config);
    for _ in 0..20 {
        send(&mut script, 1_100);
    }
    assert_eq!(tsns(&script.answer()).len(), 11);
    script.pass(ms(50));
    let before = script.end.stats().congestion_window;
    // Two in order and seven behind a gap, all new.
    script.say(&[sack(script.tsn + 1, 1 << 20, &[(2, 8)])]);
    script.pass(ms(50));
    let stats = script.end.stats();
    assert_eq!(stats.congestion_events, 1);
    assert_eq!(stats.congestion_window, (before + 9 * 1_100) / 2);
}

//= rfc9260 §6.2
//= type=test
//# The receiver MUST also have an algorithm for advertising its receive window to avoid receiver silly window
//# syndrome (SWS), as described in [RFC1122].
#[test]
fn rfc9260_6_2_a_window_grows_by_packets_and_what_was_promised_is_taken() {
    let mut script = Script::established_with(Config::default().with_receive_buffer(8_192));
    let give = |script: &mut Script, number: u32| {
        script.say(&[data(3, TSN + number, 1, number as u16, &[7; 600])]);
        let answer = script.answer();
        (word(&answer[0].2, 0), word(&answer[0].2, 1))
    };
    let mut window = 8_192;
    let mut number = 0;
    while window >= 600 {
        let (cumulative, left) = give(&mut script, number);
        assert_eq!(cumulative, TSN + number, "it was within the window");
        assert!(left <= window - 600, "{left}");
        (window, number) = (left, number + 1);
    }
    // Until nothing is left.
    while window > 0 {
        window = give(&mut script, number).1;
        number += 1;
    }
    // A message is taken out, which is less than a packet.
    assert!(script.end.recv().is_some());
    assert_eq!(give(&mut script, number), (TSN + number - 1, 0));
    for _ in 0..3 {
        assert!(script.end.recv().is_some());
    }
    let update = script.answer();
    assert!(update.len() == 1 && word(&update[0].2, 1) >= 2_000, "{update:?}");
    assert_eq!(give(&mut script, number).0, TSN + number);
}
