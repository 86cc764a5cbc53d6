//! How associations begin, and what must not begin one.

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use pair::*;
use raw::*;
use sctp::*;
use std::cell::Cell;
use std::rc::Rc;

const DATA: u8 = 0;
const INIT_ACK: u8 = 2;
const SACK: u8 = 3;
const ABORT: u8 = 6;
const ERROR: u8 = 9;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;
const SHUTDOWN_COMPLETE: u8 = 14;

/// `sctp_simultaneous_init_collision_one_association`: both begin, with and without loss.
#[test]
fn sctp_simultaneous_init_collision_one_association() {
    for seed in 0..60 {
        let mut link = Link::new(ms(25));
        link.loss = (seed % 5) as f64 * 10.0;
        link.jitter = ms(40);
        let mut pair = Pair::connected(seed, link);
        for side in [A, B] {
            pair.send(side, 1, message(bytes(5_000))).unwrap();
        }
        assert!(
            pair.run_until(ms(120_000), |pair| pair.received.iter().all(|got| got.len() == 1)),
            "seed {seed}"
        );
        for side in [A, B] {
            let connected = pair.events[side].iter().filter(|event| matches!(event, Event::Connected { .. }));
            assert_eq!(connected.count(), 1, "seed {seed}");
            assert!(!pair.events[side].contains(&Event::Restarted), "seed {seed}");
        }
    }
}

#[test]
fn one_side_alone_can_begin() {
    let mut pair = Pair::new(1, Link::new(ms(10)));
    pair.send(B, 1, message("before")).unwrap();
    pair.ends[A].connect(pair.now);
    assert!(pair.run_until(ms(1_000), |pair| pair.received[A].len() == 1));
}

//= rfc9260 §3.3.11
//= type=test
//# This chunk MUST precede any DATA chunk sent within the association but MAY be bundled with one or more DATA chunks
//# in the same packet.
/// Data goes with COOKIE ECHO: it arrives one and a half round trips after INIT.
#[test]
fn data_rides_with_the_cookie() {
    let mut pair = Pair::new(1, Link::new(ms(50)));
    pair.ends[A].connect(pair.now);
    pair.send(A, 1, message("early")).unwrap();
    assert!(pair.run_until(ms(150), |pair| pair.received[B].len() == 1));
}

/// Users 49 and 41: the packet with COOKIE ACK is lost, data arrives before it.
#[test]
fn data_before_cookie_ack_is_kept() {
    let mut pair = Pair::new(1, Link::new(ms(50)));
    pair.tap = Some(Box::new(|side, packet| {
        side == A || chunks(packet).iter().all(|(kind, ..)| *kind != COOKIE_ACK)
    }));
    pair.ends[A].connect(pair.now);
    assert!(pair.run_until(ms(1_000), |pair| pair.ends[B].is_connected()));
    pair.run_for(ms(10));
    pair.send(B, 1, message("hello")).unwrap();
    assert!(pair.run_until(ms(100), |pair| pair.received[A].len() == 1));
    assert!(!pair.ends[A].is_connected());
    assert!(pair.ends[B].is_connected());
    pair.tap = None;
    assert!(pair.run_until(ms(5_000), |pair| pair.ends[A].is_connected()));
    assert!(matches!(pair.events[A][..], [Event::Readable(_), Event::Connected { .. }]));
    pair.run_for(ms(3_000));
    assert_eq!(pair.received[A].len(), 1);
}

//= rfc9260 §4
//= type=test
//# If the T1-init timer expires, the endpoint MUST retransmit the INIT chunk and restart the T1-init timer.
//= rfc9260 §4
//= type=test
//# If the T1-cookie timer expires, the endpoint MUST retransmit COOKIE ECHO chunk and restart the T1-cookie timer.
//= rfc9260 §5.1.4
//= type=test
//# If the timer expires, the endpoint MUST retransmit the COOKIE ECHO chunk and restart the T1-cookie timer.
//= rfc9260 §3.3.3
//= type=test
//# This value MUST be placed into the Verification Tag field of every SCTP packet that the receiver of the INIT ACK
//# chunk transmits within this association.
//= rfc9260 §5.1.4
//= type=test
//# The endpoint MUST also start the T1-cookie timer after sending the COOKIE ECHO chunk.
//= rfc9260 §5.1.6
//= type=test
//# When retransmitting the INIT chunk, the endpoint MUST follow the rules defined in Section 6.3 to determine the
//# proper timer value.
//= rfc9260 §8.5.1
//= type=test
//# When sending a COOKIE ECHO chunk, the endpoint MUST use the value of the Initiate Tag received in the INIT ACK
//# chunk.
/// Users 46: COOKIE ECHO is repeated byte for byte; INIT as well.
#[test]
fn handshake_packets_are_repeated_unchanged() {
    let mut script = Script::new(Config::default());
    script.end.connect(script.now);
    let first = script.written();
    script.pass(ms(500));
    assert_eq!(script.written(), first);
    script.pass(ms(1_000));
    assert_eq!(script.written(), first);
    let tag = word(&chunks(&first[0])[0].2, 0);
    let mut ack = words(&[TAG, 1 << 20, (100 << 16) | 100, TSN]);
    ack.extend(parameter(7, b"a cookie of the peer's own making"));
    script.give(&packet(tag, &[chunk(INIT_ACK, 0, &ack)]));
    let echo = script.written();
    assert_eq!(chunks(&echo[0]), [(COOKIE_ECHO, 0, b"a cookie of the peer's own making".to_vec())]);
    assert_eq!(tag_of(&echo[0]), TAG);
    script.pass(ms(10_000));
    assert_eq!(script.written(), echo);
}

/// RFC 9260 §6.3.1: with a round trip known from below, lost packets of the handshake cost a multiple of it, not RTO.Initial;
/// and what an INIT had to wait is not waited again by the COOKIE ECHO.
#[test]
fn rfc9260_6_3_1_a_handshake_with_losses_follows_the_round_trip() {
    let took = |known: Option<u64>| {
        let mut pair = Pair::new(1, Link::new(ms(25)));
        if let Some(round_trip) = known {
            pair.ends[A].set_round_trip(ms(round_trip));
        }
        let begin = pair.now;
        pair.links[A].up = false;
        pair.ends[A].connect(pair.now);
        let connected = |pair: &Pair| matches!(pair.events[A].first(), Some(Event::Connected { .. }));
        // Two INITs are lost, then a COOKIE ECHO.
        assert!(pair.run_until(ms(10_000), |pair| pair.links[A].carried == 2));
        pair.links[A].up = true;
        assert!(pair.run_until(ms(10_000), |pair| pair.links[A].carried == 3));
        pair.run_for(ms(30));
        pair.links[A].up = false;
        assert!(pair.run_until(ms(10_000), |pair| pair.links[A].carried == 4));
        pair.links[A].up = true;
        assert!(pair.run_until(ms(10_000), connected));
        pair.now - begin
    };
    // 150 and 300 ms for the INITs, 150 ms for the cookie, two round trips.
    assert!(took(Some(50)) <= ms(150 + 300 + 150 + 100 + 5), "{:?}", took(Some(50)));
    assert!(took(None) >= ms(500 + 1_000 + 500), "{:?}", took(None));
}

//= rfc9260 §4
//= type=test
//# This MUST be repeated up to 'Max.Init.Retransmits' times.
//= rfc9260 §4
//= type=test
//# After that, the endpoint MUST abort the initialization process and report the error to the SCTP user.
#[test]
fn nobody_answers() {
    let mut pair = Pair::new(1, Link::new(ms(10)));
    pair.links[A].up = false;
    pair.ends[A].connect(pair.now);
    let closed = |pair: &Pair| pair.events[A] == [Event::Closed(CloseReason::Timeout)];
    assert!(pair.run_until(ms(600_000), closed));
    assert_eq!(pair.ends[A].poll_timeout(), None);
    assert_eq!(pair.links[A].carried, 15, "Max.Init.Retransmits is 14");
}

//= rfc9260 §5.1.3
//= type=test
//# If the State Cookie is not encrypted, it MUST NOT contain information that is not being envisioned to be shared.
/// T-C02: nothing but what the peer told us and random numbers is in the cookie.
#[test]
fn t_c02_the_cookie_is_the_same_for_the_same_words() {
    let mut script = Script::new(Config::default());
    script.ask();
    let first = script.cookie.clone();
    script.ask();
    assert_eq!(
        script.cookie, first,
        "no address, no counter: only the time could differ, and it did not pass"
    );
    // After 32 bytes of MAC: time, our tag and TSN, the peer's INIT, a byte of flags, two tie tags.
    assert_eq!(first.len(), 32 + 8 + 8 + 16 + 1 + 8);
    assert_eq!(first[32..40], [0; 8]);
    assert_eq!(first[40..48], words(&[script.tag, script.tsn]));
    assert_eq!(first[48..64], words(&[TAG, 1 << 20, (100 << 16) | 100, TSN]));
    assert_eq!(first[64..], [3, 0, 0, 0, 0, 0, 0, 0, 0]);
}

//= rfc9260 §4
//= type=test
//# If the State Cookie in the received COOKIE ECHO chunk is invalid (i.e., failed to pass the integrity check), the
//# receiver MUST silently discard the packet.
//= rfc9260 §5.1.3
//= type=test
//# Inside this State Cookie, the sender MUST include a MAC (see [RFC2104] for an example) to provide integrity
//# protection on the State Cookie.
//= rfc9260 §5.1.5
//= type=test
//# If this comparison fails, the SCTP packet, including the COOKIE ECHO chunk and any DATA chunks, MUST be silently
//# discarded.
//= rfc9260 §8.4
//= type=test
//# If the packet contains a COOKIE ECHO chunk as the first chunk, it MUST be processed as described in Section 5.1.
//= rfc9260 §3.3.3.1.1
//= type=test
//# MUST contain all the necessary state and parameter information required for the sender of this INIT ACK chunk to
//# create the association, along with a Message Authentication Code (MAC).
//= rfc9260 §3.3.12
//= type=test
//# This chunk MUST precede any DATA or SACK chunk sent within the association
//= rfc9260 §5.1.5
//= type=test
//# As mentioned in step 6, if the SACK chunk is bundled with the COOKIE ACK chunk, the COOKIE ACK chunk MUST appear
//# first in the SCTP packet.
/// T-C03: every flipped bit, every truncation; then the right one.
#[test]
fn t_c03_altered_cookies_do_nothing() {
    let mut script = Script::new(Config::default());
    script.ask();
    let cookie = script.cookie.clone();
    for bit in 0..cookie.len() * 8 {
        let mut altered = cookie.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        script.say(&[chunk(COOKIE_ECHO, 0, &altered), data(3, TSN, 0, 0, b"x")]);
        assert_eq!(script.written(), Vec::<Vec<u8>>::new());
    }
    for len in 0..cookie.len() {
        script.say(&[chunk(COOKIE_ECHO, 0, &cookie[..len])]);
    }
    assert!(script.written().is_empty() && script.events().is_empty());
    assert_eq!(script.end.stats().bad_cookies as usize, cookie.len() * 9);
    script.say(&[chunk(COOKIE_ECHO, 0, &cookie), data(3, TSN, 0, 0, b"x")]);
    let kinds: Vec<_> = script.answer().iter().map(|chunk| chunk.0).collect();
    assert_eq!(kinds, [COOKIE_ACK, SACK]);
    assert!(script.end.recv().is_some());
}

//= rfc9260 §4
//= type=test
//# the receiver MUST send back an ERROR chunk.
//= rfc9260 §5.1.5
//= type=test
//# If these values do not match, the packet MUST be silently discarded.
//= rfc9260 §5.1.5
//= type=test
//# the endpoint MUST transmit an ERROR chunk with a "Stale Cookie" error cause to the peer endpoint.
/// `sctp_cookie_mac_and_lifespan`, and a packet under another tag.
#[test]
fn a_cookie_ages_and_belongs_to_its_tag() {
    let mut script = Script::new(Config::default());
    script.ask();
    let echo = chunk(COOKIE_ECHO, 0, &script.cookie.clone());
    script.give(&packet(script.tag ^ 1, std::slice::from_ref(&echo)));
    assert!(script.written().is_empty());
    script.pass(ms(61_000));
    script.say(std::slice::from_ref(&echo));
    let answer = script.written();
    assert_eq!(tag_of(&answer[0]), TAG);
    let (kind, _, value) = chunks(&answer[0]).remove(0);
    assert_eq!((kind, &value[..4]), (ERROR, &[0, 3, 0, 8][..]));
    assert_eq!(word(&value, 1), 1_000_000, "microseconds");
    assert!(!script.end.is_connected());
}

//= rfc9260 §3.3.2
//= type=test
//# If the value of the Initiate Tag in a received INIT chunk is found to be 0, the receiver MUST silently discard the
//# packet.
//= rfc9260 §3.3.2
//= type=test
//# A receiver of an INIT chunk with the a_rwnd value set to a value smaller than 1500 MUST discard the packet
//= rfc9260 §3.3.2
//= type=test
//# A receiver of an INIT chunk with the OS value set to 0 MUST discard the packet
//= rfc9260 §3.3.2
//= type=test
//# A receiver of an INIT chunk with the MIS value set to 0 MUST discard the packet
//= rfc9260 §8.4
//= type=test
//# the Verification Tag of the packet containing the ABORT chunk MUST be the Initiate Tag of the received INIT chunk
/// T-C09: what an INIT must not say.
#[test]
fn t_c09_init_edge_cases() {
    let tag = 5;
    for (bad, refused) in [
        (init(0, 1 << 20, 1, 1, 9), false),
        (init(tag, 1 << 20, 0, 1, 9), true),
        (init(tag, 1 << 20, 1, 0, 9), true),
        (init(tag, 0, 1, 1, 9), true),
        (init(tag, 1_499, 1, 1, 9), true),
        (chunk(1, 0, &words(&[tag, 1 << 20, 1])), false),
    ] {
        let mut script = Script::new(Config::default());
        script.give(&packet(0, &[bad]));
        let answer = script.written();
        assert_eq!(!answer.is_empty(), refused);
        for packet in answer {
            assert_eq!(tag_of(&packet), tag);
            assert_eq!(chunks(&packet)[0], (ABORT, 0, vec![0, 7, 0, 4]));
        }
        assert_eq!(script.end.poll_timeout(), None);
    }
    let mut script = Script::new(Config::default());
    script.give(&packet(0, &[init(tag, 1_500, 1, 1, 9)]));
    assert_eq!(chunks(&script.written()[0])[0].0, INIT_ACK);
}

//= rfc9260 §8.5
//= type=test
//# When receiving an SCTP packet, the endpoint MUST ensure that the value in the Verification Tag field of the
//# received SCTP packet matches its own tag.
//= rfc9260 §8.5
//= type=test
//# the receiver MUST silently discard the packet and MUST NOT process it any further
//= rfc9260 §8.5.1
//= type=test
//# The receiver of an ABORT chunk MUST accept the packet if the Verification Tag field of the packet matches its own
//# tag and the T bit is not set OR if it is set to its Peer's Tag and the T bit is set in the Chunk Flags.
//= rfc9260 §8.5.1
//= type=test
//# An endpoint MUST ignore the SHUTDOWN COMPLETE chunk if it is not in the SHUTDOWN-ACK-SENT state.
//= rfc9260 §9.1
//= type=test
//# An endpoint receiving an ABORT chunk MUST apply the special Verification Tag check rules described in Section
//# 8.5.1.
/// T-C08, `sctp_init_alone_in_packet_vtag_zero`: tags and the T bit.
#[test]
fn t_c08_verification_tags() {
    let abort = |flags| chunk(ABORT, flags, &[]);
    let ends = |script: &mut Script| script.events().iter().any(|event| matches!(event, Event::Closed(_)));
    let tag = Script::established().tag;
    for (packet_tag, flags, ended) in
        [(tag, 0, true), (TAG, 1, true), (TAG, 0, false), (tag, 1, false), (0, 0, false), (0, 1, false)]
    {
        let mut script = Script::established();
        script.give(&packet(packet_tag, &[abort(flags)]));
        assert_eq!(ends(&mut script), ended, "{packet_tag:x} {flags}");
        // SHUTDOWN COMPLETE counts only when a SHUTDOWN ACK is out.
        let mut script = Script::established();
        script.give(&packet(packet_tag, &[chunk(SHUTDOWN_COMPLETE, flags, &[])]));
        assert!(!ends(&mut script));
        script.say(&[chunk(7, 0, &words(&[script.tsn.wrapping_sub(1)]))]);
        script.answer();
        script.give(&packet(packet_tag, &[chunk(SHUTDOWN_COMPLETE, flags, &[])]));
        assert_eq!(ends(&mut script), ended, "{packet_tag:x} {flags}");
    }
    let mut script = Script::established();
    script.give(&packet(TAG, &[data(3, TSN, 0, 0, b"x")]));
    script.give(&packet(7, &[init(TAG, 1 << 20, 1, 1, 9)]));
    script.give(&packet(0, &[init(TAG, 1 << 20, 1, 1, 9), data(3, TSN, 0, 0, b"x")]));
    assert!(script.written().is_empty());
    assert!(script.end.recv().is_none());
    assert_eq!(script.end.stats().wrong_tag, 3);
}

/// T-C10, users 41: every chunk type in every state. No panic, no association that was not asked for, and what RFC 9260 §8.4
/// says about packets out of the blue.
#[test]
fn t_c10_every_chunk_in_every_state() {
    let enter: [fn(&mut Script); 7] = [
        |_| {},
        |script| script.end.connect(script.now),
        |script| {
            script.end.connect(script.now);
            script.written();
            let mut ack = words(&[TAG, 1 << 20, (9 << 16) | 9, TSN]);
            ack.extend(parameter(7, b"cookie"));
            script.give(&packet(script.tag, &[chunk(INIT_ACK, 0, &ack)]));
        },
        establish,
        |script| {
            establish(script);
            script.end.send(script.now, StreamId(0), message("x"), SendOptions::new()).unwrap();
            script.written();
            script.end.shutdown(script.now);
        },
        |script| {
            establish(script);
            script.end.shutdown(script.now);
        },
        |script| {
            establish(script);
            script.say(&[chunk(7, 0, &words(&[script.tsn.wrapping_sub(1)]))]);
        },
    ];
    for (state, enter) in enter.iter().enumerate() {
        for kind in 0..=255_u8 {
            for value in [&[][..], &[0; 4], &[0; 12], &[0xff; 20], &[0; 40]] {
                for flags in [0, 1, 0xff] {
                    let mut script = Script::new(Config::default());
                    script.ask();
                    enter(&mut script);
                    script.written();
                    script.events();
                    for tag in [script.tag, TAG, 0, 77] {
                        script.give(&packet(tag, &[chunk(kind, flags, value)]));
                        for packet in script.written() {
                            assert!(packet.len() <= 1_160);
                        }
                    }
                    let connected = script.end.is_connected();
                    assert!(!connected || state >= 3 || kind == COOKIE_ACK, "{state} {kind}");
                    for event in script.events() {
                        let sound =
                            matches!(event, Event::Closed(_) | Event::ShuttingDown | Event::Connected { .. })
                                || (kind == DATA || kind == 130 || kind == 192);
                        assert!(sound, "{state} {kind} {event:?}");
                    }
                }
            }
        }
    }
}

fn establish(script: &mut Script) {
    let echo = chunk(COOKIE_ECHO, 0, &script.cookie.clone());
    script.say(&[echo]);
    script.written();
    script.events();
    assert!(script.end.is_connected());
}

//= rfc9260 §3.3.7
//= type=test
//# If the Verification Tag is reflected, the T bit MUST be set to 1.
//= rfc9260 §8.5.1
//= type=test
//# If the ABORT chunk is sent in response to an OOTB packet, the endpoint MUST follow the procedure described in
//# Section 8.4.
/// `sctp_ootb_handling`: packets for an association that does not exist.
#[test]
fn sctp_ootb_handling() {
    for (kind, answer) in [
        (DATA, Some((ABORT, 1))),
        (SACK, Some((ABORT, 1))),
        (ABORT, None),
        (8, Some((SHUTDOWN_COMPLETE, 1))),
        (SHUTDOWN_COMPLETE, None),
        (COOKIE_ACK, None),
        (ERROR, None),
    ] {
        let mut script = Script::new(Config::default());
        script.give(&packet(0x77, &[chunk(kind, 0, &[0; 16])]));
        let written = script.written();
        assert_eq!(written.first().map(|packet| tag_of(packet)), answer.map(|_| 0x77), "{kind}");
        let got = written.first().map(|packet| (chunks(packet)[0].0, chunks(packet)[0].1));
        assert_eq!(got, answer, "{kind}");
    }
}

//= rfc9260 §5.2.2
//= type=test
//# the endpoint MUST generate an INIT ACK chunk with a State Cookie.
//= rfc9260 §5.2.2
//= type=test
//# MUST carry a Verification Tag value equal to the Initiate Tag found in the unexpected INIT chunk.
//= rfc9260 §5.2.2
//= type=test
//# And the INIT ACK chunk MUST contain a new Initiate Tag (randomly generated; see Section 5.3.1).
//= rfc9260 §5.2.2
//= type=test
//# After sending the INIT ACK or ABORT chunk, the endpoint MUST take no further actions, i.e., the existing
//# association, including its current state, and the corresponding TCB MUST NOT be changed.
//= rfc9260 §5.3.1
//= type=test
//# A new Verification Tag value MUST be used each time the endpoint tears down and then reestablishes an association
//# to the same peer.
//= rfc9260 §3.3.2
//= type=test
//# This value MUST be placed into the Verification Tag field of every SCTP packet that the receiver of the INIT chunk
//# transmits within this association.
//= rfc9260 §5.2.2
//= type=test
//# the endpoint MUST copy its current Tie-Tags to a reserved place within the State Cookie and the association's TCB.
/// Users 48, `sctp_unexpected_init_tie_tags_peer_restart`.
#[test]
fn sctp_unexpected_init_tie_tags_peer_restart() {
    let mut script = Script::established();
    let (old_tag, old_cookie) = (script.tag, script.cookie.clone());
    script.say(&[data(3, TSN, 4, 0, b"before")]);
    script.end.send(script.now, StreamId(4), message("lost"), SendOptions::new()).unwrap();
    script.written();
    // A duplicate of the old INIT and of the old COOKIE ECHO change nothing.
    script.give(&packet(0, &[init(TAG, 1 << 20, 100, 100, TSN)]));
    script.written();
    script.give(&packet(old_tag, &[chunk(COOKIE_ECHO, 0, &old_cookie)]));
    assert_eq!(script.answer()[0].0, COOKIE_ACK);
    assert!(!script.events().contains(&Event::Restarted));
    // The peer begins anew, with another tag.
    script.give(&packet(0, &[init(0x99, 1 << 20, 100, 100, 5)]));
    let answer = script.written();
    assert_eq!(tag_of(&answer[0]), 0x99);
    let value = chunks(&answer[0]).remove(0).2;
    let new_tag = word(&value, 0);
    assert_ne!(new_tag, old_tag);
    assert!(!script.events().contains(&Event::Restarted), "an INIT alone changes nothing");
    let cookie = parameters(&value).into_iter().find(|(code, _)| *code == 7).unwrap().1;
    script.give(&packet(new_tag, &[chunk(COOKIE_ECHO, 0, &cookie), data(3, 5, 4, 0, b"after")]));
    let answer = script.written();
    assert_eq!(tag_of(&answer[0]), 0x99);
    assert_eq!(chunks(&answer[0])[0].0, COOKIE_ACK);
    assert!(script.events().contains(&Event::Restarted));
    let received: Vec<_> =
        std::iter::from_fn(|| script.end.recv()).map(|(_, message)| message.payload).collect();
    assert_eq!(received, ["before", "after"]);
    assert_eq!(script.end.stats().send_held, 0);
    // And the association works.
    script.tag = new_tag;
    script.end.send(script.now, StreamId(4), message("new"), SendOptions::new()).unwrap();
    let (kind, _, value) = script.answer().remove(0);
    assert_eq!((kind, &value[12..]), (DATA, &b"new"[..]));
}

//= rfc9260 §5.1.1
//= type=test
//# the endpoint MUST use MIS outbound streams
//= rfc9260 §5.1.1
//= type=test
//# After the association is initialized, the valid outbound stream identifier range for either endpoint MUST be 0 to
//# min(local OS, remote MIS) - 1.
/// `sctp_supported_extensions_lists_130_192_194_64`. A peer that knows neither RFC 3758 nor RFC 6525 nor RFC 8260.
#[test]
fn extensions_are_used_only_when_both_know_them() {
    let mut script = Script::new(Config::default());
    script.give(&packet(0, &[chunk(1, 0, &words(&[TAG, 1 << 20, (4 << 16) | 4, TSN]))]));
    let value = chunks(&script.written()[0]).remove(0).2;
    script.tag = word(&value, 0);
    let offered = parameters(&value);
    assert!(offered.contains(&(0xc000, vec![])) && offered.contains(&(0x8008, vec![130, 192, 194, 64, 132])));
    script.cookie = offered.into_iter().find(|(code, _)| *code == 7).unwrap().1;
    let echo = chunk(COOKIE_ECHO, 0, &script.cookie.clone());
    script.say(&[echo]);
    assert_eq!(script.events(), [Event::Connected { outbound: 4, inbound: 4 }]);
    assert_eq!(script.end.reset_stream(script.now, StreamId(0)), Err(ResetError::NotSupported));
    let options = SendOptions::new().with_reliability(Reliability::MaxRetransmits(0));
    assert_eq!(
        script.end.send(script.now, StreamId(4), message("x"), options),
        Err(SendError::UnknownStream)
    );
    script.end.send(script.now, StreamId(3), message("x"), options).unwrap();
    script.written();
    script.pass(ms(1_000));
    assert_eq!(script.answer()[0].0, DATA, "repeated, since it cannot be given up");
}

fn spoilt(packet: &[u8], crc: [u8; 4]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet[8..12].copy_from_slice(&crc);
    packet
}

fn has_checksum(packet: &[u8]) -> bool {
    packet[8..12] == crc_fast::crc32_iscsi(&spoilt(packet, [0; 4])).to_le_bytes()
}

/// The Zero Checksum Acceptable parameter (RFC 9653 §4).
const ZERO_CHECKSUM_ACCEPTABLE: u16 = 0x8001;

/// INIT with or without Zero Checksum Acceptable.
fn init_with(methods: &[u32]) -> Vec<u8> {
    let mut value = chunks(&packet(0, &[init(TAG, 1 << 20, 100, 100, TSN)])).remove(0).2;
    for method in methods {
        value.extend(parameter(ZERO_CHECKSUM_ACCEPTABLE, &method.to_be_bytes()));
    }
    packet(0, &[chunk(1, 0, &value)])
}

//= rfc9260 §6.8
//= type=test
//# When an SCTP packet is received, the receiver MUST first check the CRC32c checksum as follows:
//= rfc9260 §6.8
//= type=test
//# If it is not, the receiver MUST treat the packet as an invalid SCTP packet.
/// T-C12: who does not offer the zero checksum (RFC 9653) neither uses it nor takes it, whatever the peer offers:
/// CRC32c is in every packet, and packets with zero or anything else instead of it never happened.
#[test]
fn t_c12_checksums_are_never_left_out_unless_offered() {
    let offer = init_with(&[1]);
    let mut script = Script::new(Config::default().with_error_detection(ErrorDetection::Crc32c));
    for crc in [[0; 4], [1, 2, 3, 4], [0xff; 4]] {
        script.give(&spoilt(&offer, crc));
        assert!(script.written().is_empty(), "{crc:?}");
    }
    script.give(&offer);
    let answer = script.written();
    assert!(answer.iter().all(|packet| has_checksum(packet)));
    let value = chunks(&answer[0]).remove(0).2;
    let offered = parameters(&value);
    assert!(offered.iter().all(|(code, _)| *code != ZERO_CHECKSUM_ACCEPTABLE));
    (script.tag, script.tsn) = (word(&value, 0), word(&value, 3));
    let cookie = offered.into_iter().find(|(code, _)| *code == 7).unwrap().1;
    let echo = packet(script.tag, &[chunk(COOKIE_ECHO, 0, &cookie)]);
    script.give(&spoilt(&echo, [0; 4]));
    assert!(script.written().is_empty() && !script.end.is_connected());
    script.give(&echo);
    assert!(script.written().iter().all(|packet| has_checksum(packet)));
    // Afterwards the same: data, and the abort that would end it.
    let sound = packet(script.tag, &[data(3, TSN, 0, 0, b"x")]);
    let abort = packet(script.tag, &[chunk(ABORT, 0, &[])]);
    for bytes in [&sound, &abort] {
        script.give(&spoilt(bytes, [0; 4]));
        give_with_flipped_checksums(&mut script, bytes);
    }
    assert!(script.written().is_empty() && script.end.recv().is_none());
    assert!(script.end.is_connected());
    assert_eq!(script.end.stats().malformed_packets, 3 + 1 + 2 * 33);
    script.give(&sound);
    assert!(script.end.recv().is_some());
    script.end.send(script.now, StreamId(0), message("x"), SendOptions::new()).unwrap();
    assert!(script.written().iter().all(|packet| has_checksum(packet)));
}

fn give_with_flipped_checksums(script: &mut Script, packet: &[u8]) {
    for bit in 0..32 {
        let mut crc: [u8; 4] = packet[8..12].try_into().expect("four bytes");
        crc[bit / 8] ^= 1 << (bit % 8);
        script.give(&spoilt(packet, crc));
    }
}

/// T-C12: zero is sent to a peer that announced it, and by whoever was told; a wrong checksum that is not zero stays wrong.
#[test]
fn t_c12_zero_is_used_towards_a_peer_that_announced_it() {
    for (methods, is_agreed) in
        [(&[1][..], true), (&[], false), (&[0], false), (&[2], false), (&[2, 1], true)]
    {
        let mut script = Script::new(Config::default());
        // Before we announced it, zero is wrong.
        script.give(&spoilt(&init_with(methods), [0; 4]));
        assert!(script.written().is_empty());
        script.give(&init_with(methods));
        let answer = script.written();
        assert!(has_checksum(&answer[0]), "INIT ACK");
        let value = chunks(&answer[0]).remove(0).2;
        let offered = parameters(&value);
        assert!(offered.contains(&(ZERO_CHECKSUM_ACCEPTABLE, vec![0, 0, 0, 1])));
        (script.tag, script.tsn) = (word(&value, 0), word(&value, 3));
        script.cookie = offered.into_iter().find(|(code, _)| *code == 7).unwrap().1;
        establish(&mut script);
        // What we announced holds, whatever the peer announced.
        script.give(&spoilt(&packet(script.tag, &[data(3, TSN, 0, 0, b"x")]), [0; 4]));
        assert!(script.end.recv().is_some());
        for packet in script.written() {
            assert_eq!(has_checksum(&packet), !is_agreed, "{methods:?}");
            assert_eq!(packet[8..12] == [0; 4], is_agreed, "{methods:?}");
        }
        let abort = packet(script.tag, &[chunk(ABORT, 0, &[])]);
        give_with_flipped_checksums(&mut script, &abort);
        assert!(script.end.is_connected());
        assert_eq!(script.end.stats().malformed_packets, 1 + 32);
        // An answer to an INIT out of nowhere is checked.
        script.give(&packet(0, &[chunk(1, 0, &words(&[TAG + 1, 0, (1 << 16) | 1, TSN]))]));
        assert!(script.written().iter().all(|packet| has_checksum(packet)), "a reply");
    }
}

/// T-C12: between two of us, every packet with INIT, INIT ACK or COOKIE ECHO is checked, and no other.
#[test]
fn t_c12_only_packets_of_the_handshake_are_checked() {
    for seed in 0..20 {
        let mut link = Link::new(ms(20));
        link.loss = 20.0;
        let mut pair = Pair::new(seed, link);
        let seen = Rc::new(Cell::new(0));
        let count = Rc::clone(&seen);
        pair.tap = Some(Box::new(move |_, packet| {
            let sets_up = chunks(packet).iter().any(|(kind, ..)| [1, INIT_ACK, COOKIE_ECHO].contains(kind));
            assert_eq!(has_checksum(packet), sets_up);
            assert_eq!(packet[8..12] == [0; 4], !sets_up);
            count.set(count.get() + 1);
            true
        }));
        pair.connect();
        pair.send(A, 1, message(bytes(100_000))).unwrap();
        pair.ends[A].shutdown(pair.now);
        let over =
            |pair: &Pair| pair.events.iter().all(|events| matches!(events.last(), Some(Event::Closed(_))));
        assert!(pair.run_until(ms(120_000), over));
        assert_eq!(pair.received[B].len(), 1);
        assert!(seen.get() > 80);
    }
}
