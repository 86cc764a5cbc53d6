//! An association goes on in another place, by way of bytes.

#[path = "common/machine.rs"]
mod machine;
#[path = "common/mover.rs"]
mod mover;
#[path = "common/pair.rs"]
mod pair;
#[path = "../fuzz/harness/sctp_handover.rs"]
mod sctp_handover;

use mover::*;
use pair::*;
use proptest::prelude::*;
use sctp::*;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

fn config() -> Arc<Config> {
    Arc::new(Config::default())
}

/// The types of the chunks in a packet.
fn kinds(packet: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    let mut rest = &packet[12..];
    while rest.len() >= 4 {
        kinds.push(rest[0]);
        let len = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        rest = &rest[len.next_multiple_of(4).min(rest.len())..];
    }
    kinds
}

#[test]
fn what_cannot_move_comes_back() {
    let mut pair = Pair::new(1, Link::new(ms(10)));
    let now = pair.now;
    let [a, b] = pair.ends;
    let Err(HandoverError::NotConnected(mut a)) = a.hand_over(now) else { panic!("it has not begun") };
    a.connect(now);
    let error = a.hand_over(now).expect_err("it is in its handshake");
    assert_eq!(error.to_string(), "the association is not established");
    pair.ends = [error.into_association(), b];
    pair.connect();
    pair.ends[A].abort(pair.now, "enough");
    let now = pair.now;
    let [a, b] = pair.ends;
    let Err(HandoverError::Over(a)) = a.hand_over(now) else { panic!("its last packet is due") };
    pair.ends = [*a, b];
    pair.run_for(ms(100));
    assert_eq!(pair.events[B].last(), Some(&Event::Closed(CloseReason::PeerAbort(Some(12)))));
    let [a, _] = pair.ends;
    assert!(matches!(a.hand_over(pair.now), Err(HandoverError::Over(_))));
}

/// The peer learns at once where the end is now, and that ends what it doubts.
#[test]
fn the_first_packet_has_a_sack_and_a_heartbeat() {
    let mut pair = Pair::connected(2, Link::new(ms(10)));
    pair.run_for(ms(1_000));
    move_end(&mut pair, A, &config(), 2);
    let packets = pair.packets(A);
    assert_eq!(packets.iter().map(|packet| kinds(packet)).collect::<Vec<_>>(), [[3, 4]]);
    pair.send(A, 0, message(bytes(100))).expect("room");
    move_end(&mut pair, A, &config(), 2);
    assert_eq!(kinds(&pair.packets(A)[0])[0], 3, "with data, a SACK is enough");
}

#[test]
fn what_was_measured_stays_and_the_window_begins_anew() {
    let mut pair = Pair::connected(3, Link::new(ms(40)));
    pair.bulk(A, 10_000, Duration::from_secs(3));
    let before = pair.ends[A].stats();
    move_end(&mut pair, A, &config(), 3);
    let after = pair.ends[A].stats();
    assert_eq!((before.rtt, before.packets_sent), (after.rtt, after.packets_sent));
    assert!(before.congestion_window > 100_000, "{before:?}");
    assert_eq!(after.congestion_window, 10 * after.packet_len);
    // What was in flight is not taken for lost, and gives no round trip of its own.
    pair.now += ms(1);
    pair.run_for(Duration::from_secs(2));
    let later = pair.ends[A].stats();
    assert_eq!((later.timeouts, later.retransmissions), (before.timeouts, before.retransmissions));
    assert!(later.rtt.is_some_and(|rtt| rtt >= ms(79)), "{:?}", later.rtt);
    assert!(pair.ends[A].is_flushed());
}

#[test]
fn ports_and_the_budget_are_what_they_were() {
    let ports = |local, remote| Config::default().with_ports(local, remote);
    let none = || [Vec::new(), Vec::new()];
    let mut pair = Pair::with(4, Link::new(ms(10)), [ports(1, 2), ports(2, 1)], none());
    pair.connect();
    let now = pair.now;
    pair.ends[A].set_send_budget(now, NonZeroU64::new(50_000));
    move_end(&mut pair, A, &config(), 4);
    let rate = pair.bulk(A, 1_000, Duration::from_secs(4)) / 8.0;
    assert!((30_000.0..60_000.0).contains(&rate), "{rate}");
}

/// Both sides of a shutdown, at each millisecond of it.
#[test]
fn a_shutdown_goes_on() {
    for at in 0..120 {
        let mut pair = Pair::connected(at, Link::new(ms(10)));
        for _ in 0..20 {
            pair.send(A, 0, message(bytes(3_000))).expect("room");
        }
        let now = pair.now;
        pair.ends[A].shutdown(now);
        pair.run_for(ms(at));
        for side in [A, B] {
            if pair.ends[side].is_connected() {
                move_end(&mut pair, side, &config(), at);
            }
        }
        pair.run_for(Duration::from_secs(20));
        for side in [A, B] {
            assert_eq!(pair.events[side].last(), Some(&Event::Closed(CloseReason::Shutdown)), "{at}, {side}");
        }
        assert_eq!(pair.received[B].len(), 20, "{at}");
    }
}

/// RFC 9260 §5.1.5: the COOKIE ACK was lost, and the cookie is one that another process gave out.
#[test]
fn rfc9260_5_1_5_a_cookie_is_good_after_a_move() {
    let mut pair = Pair::new(6, Link::new(ms(10)));
    pair.tap = Some(Box::new(|side, packet| side == A || kinds(packet)[0] != 11));
    let now = pair.now;
    pair.ends[A].connect(now);
    let established = |pair: &Pair| pair.ends[B].is_connected();
    assert!(pair.run_until(ms(5_000), established));
    pair.run_for(ms(30));
    assert!(!pair.ends[A].is_connected());
    pair.tap = None;
    move_end(&mut pair, B, &config(), 6);
    assert!(pair.run_until(ms(5_000), |pair| pair.ends[A].is_connected()));
    assert_eq!(pair.ends[B].stats().bad_cookies, 0);
}

/// RFC 3758 §3.4: a lifetime goes on where it was.
#[test]
fn a_lifetime_is_what_is_left_of_it() {
    let mut pair = Pair::connected(7, Link::new(ms(10)));
    pair.run_for(ms(500));
    pair.links[A].up = false;
    let options =
        SendOptions::new().with_reliability(Reliability::MaxLifetime(ms(100))).with_tracking(MessageId(1));
    let now = pair.now;
    pair.ends[A].send(now, StreamId(0), message(bytes(10)), options).expect("room");
    pair.run_for(ms(60));
    let bytes = take_out(&mut pair, A);
    // Half an hour in between.
    pair.now += Duration::from_secs(1_800);
    put_in(&mut pair, A, &bytes, &config(), 7);
    pair.events[A].clear();
    pair.links[A].up = true;
    pair.links[A].loss = 100.0;
    pair.run_for(ms(20));
    assert_eq!(pair.events[A], [], "40 ms are left");
    pair.run_for(ms(2_000));
    let abandoned = Event::Abandoned { id: MessageId(1), progress: Progress::Begun };
    assert_eq!(pair.events[A], [abandoned]);
}

#[test]
fn there_has_to_be_room_for_what_is_held() {
    let mut pair = Pair::connected(8, Link::new(ms(10)));
    pair.reads[B] = false;
    for _ in 0..8 {
        pair.send(A, 0, message(bytes(100_000))).expect("room");
    }
    pair.run_for(Duration::from_secs(5));
    let bytes = take_out(&mut pair, B);
    let small = Config::default().with_receive_buffer(200_000).with_receive_buffer_cap(0);
    let resume = |config| {
        let handover = Handover::from_bytes(&bytes).expect("as it was written");
        Association::resume(Arc::new(config), pair.now, Box::new(Seeded::new(8)), handover)
    };
    let error = resume(small).expect_err("there is no room");
    assert_eq!(error, ResumeError::ReceiveBuffer { held: 800_000, limit: 100_000 });
    assert!(resume(Config::default()).is_ok(), "the bytes are good still");
}

/// Data in flight, lost, queued, unread and half read; an open message, a reset, names: with or without interleaving.
fn scene(interleaving: Interleaving) -> Pair {
    let config = || Config::default().with_interleaving(interleaving);
    let none = [Vec::new(), Vec::new()];
    let mut pair = Pair::with(42, Link::new(ms(20)), [config(), config()], none);
    pair.connect();
    pair.run_for(ms(300));
    pair.reads[B] = false;
    pair.ends[B].set_delivery(StreamId(3), Delivery::Pieces);
    let now = pair.now;
    pair.ends[A].reset_stream(now, StreamId(5)).expect("a stream");
    let piece = Piece { ppid: Ppid(9), payload: bytes(2_000), end: End::More };
    pair.ends[A].send_piece(now, StreamId(3), piece, SendOptions::new()).expect("room");
    pair.ends[A].end_message(now, StreamId(3));
    for number in 0..6_u8 {
        let options = SendOptions::new().with_tracking(MessageId(number.into()));
        let payload = message(vec![number; 700]);
        pair.ends[A].send(now, StreamId(0), payload, options).expect("room");
    }
    let options = SendOptions::new().with_order(Order::Unordered);
    let options = options.with_reliability(Reliability::MaxRetransmits(3));
    pair.ends[A].send(now, StreamId(1), message(vec![77; 30]), options).expect("room");
    let mut sent = 0;
    pair.tap = Some(Box::new(move |side, _| {
        sent += u32::from(side == A);
        side == B || sent % 3 != 1
    }));
    pair.run_for(ms(30));
    pair.tap = None;
    pair
}

fn finish_scene(mut pair: Pair) {
    pair.reads[B] = true;
    let mut read = Vec::new();
    assert!(pair.run_until(Duration::from_secs(20), |pair| pair.ends[A].is_flushed()));
    pair.run_for(Duration::from_secs(1));
    while let Some(piece) = pair.ends[B].recv_piece(StreamId(3)) {
        read.extend_from_slice(&piece.payload);
    }
    assert_eq!(read, bytes(2_000));
    let on = |stream: u16| pair.received[B].iter().filter(move |(of, _)| of.0 == stream);
    let ordered: Vec<u8> = on(0).map(|(_, message)| message.payload[0]).collect();
    assert_eq!((ordered, on(1).count()), (vec![0, 1, 2, 3, 4, 5], 1));
    let delivered = pair.events[A].iter().filter(|event| matches!(event, Event::Delivered(_))).count();
    assert_eq!(delivered, 6);
    let reset = |event: &&Event| matches!(event, Event::StreamReset { stream: StreamId(5), .. });
    assert_eq!(pair.events[A].iter().filter(reset).count(), 1);
}

/// The first format stays readable: these were written when it was made.
#[test]
fn the_first_format_can_be_read() {
    let vectors: [(Interleaving, [&[u8]; 2]); 2] = [
        (
            Interleaving::Off,
            [include_bytes!("vectors/handover-1-plain-a"), include_bytes!("vectors/handover-1-plain-b")],
        ),
        (
            Interleaving::Offered,
            [include_bytes!("vectors/handover-1-mixed-a"), include_bytes!("vectors/handover-1-mixed-b")],
        ),
    ];
    for (interleaving, ends) in vectors {
        let mut pair = Pair::new(42, Link::new(ms(20)));
        for (side, bytes) in ends.into_iter().enumerate() {
            put_in(&mut pair, side, bytes, &config(), 42);
            assert_eq!(pair.ends[side].is_interleaving(), interleaving == Interleaving::Offered);
            assert_eq!(take_out(&mut pair, side), bytes, "and is written in the same way");
            put_in(&mut pair, side, bytes, &config(), 42);
        }
        finish_scene(pair);
    }
}

#[test]
fn a_scene_goes_on() {
    for interleaving in [Interleaving::Off, Interleaving::Offered] {
        let mut pair = scene(interleaving);
        move_end(&mut pair, A, &config(), 42);
        move_end(&mut pair, B, &config(), 43);
        finish_scene(pair);
    }
}

#[test]
fn damaged_bytes_are_refused() {
    let mut pair = scene(Interleaving::Offered);
    let bytes = take_out(&mut pair, A);
    let parse = |bytes: &[u8]| Handover::from_bytes(bytes).map(|_| ());
    assert_eq!(parse(&bytes), Ok(()));
    assert_eq!(parse(b"PLSC"), Err(HandoverParseError::NoHandover));
    for len in 4..bytes.len() {
        assert_eq!(parse(&bytes[..len]), Err(HandoverParseError::Malformed), "{len} bytes");
    }
    assert_eq!(parse(&[&bytes[..], &[0]].concat()), Err(HandoverParseError::Malformed));
    let mut later = bytes.clone();
    later[5] = 2;
    assert_eq!(parse(&later), Err(HandoverParseError::UnknownVersion { version: 2 }));
    // Tags of zero.
    let mut tagless = bytes;
    tagless[20..24].fill(0);
    let what = "a verification tag of zero";
    assert_eq!(parse(&tagless), Err(HandoverParseError::Contradiction { what }));
}

/// Each byte of both ends of a scene, changed in four ways: no panic, and what is taken is written as it was read.
#[test]
fn any_byte_may_be_wrong() {
    for interleaving in [Interleaving::Off, Interleaving::Offered] {
        let mut pair = scene(interleaving);
        for side in [A, B] {
            let bytes = take_out(&mut pair, side);
            let mut taken = 0;
            for at in 0..bytes.len() {
                for change in [1, 0x10, 0x80, 0xff] {
                    let mut changed = bytes.clone();
                    changed[at] ^= change;
                    let Ok(handover) = Handover::from_bytes(&changed) else { continue };
                    assert_eq!(bytes_of(&handover), changed, "byte {at}");
                    taken += 1;
                    let rng = Box::new(Seeded::new(9));
                    if let Ok(mut end) = Association::resume(config(), pair.now, rng, handover) {
                        let mut out = Vec::new();
                        while end.poll_transmit(pair.now, &mut out).is_some() {}
                        end.handle_timeout(pair.now + Duration::from_secs(1));
                        while end.recv().is_some() {}
                        while end.poll_event().is_some() {}
                        while end.poll_transmit(pair.now, &mut out).is_some() {}
                        assert!(out.len() < 1 << 20, "byte {at}");
                    }
                }
            }
            assert!(taken > 100, "most bytes are user data");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// What is made of changed bytes, and taken, gets along with the peer it had, whatever happens then.
    #[test]
    fn what_is_taken_gets_along_with_a_peer(
        scene: u32,
        changes in proptest::collection::vec((any::<u8>(), any::<u16>(), any::<u8>()), 0..6),
        schedule in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut data = vec![1];
        data.extend_from_slice(&scene.to_be_bytes());
        data.push(changes.len() as u8);
        for (kind, at, value) in changes {
            data.push(kind);
            data.extend_from_slice(&at.to_be_bytes());
            data.push(value);
        }
        data.extend(schedule);
        sctp_handover::run(&data);
    }
}
