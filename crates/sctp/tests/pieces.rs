//! Messages in pieces, with DATA and with I-DATA.

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use bytes::Bytes;
use pair::*;
use proptest::prelude::*;
use raw::*;
use sctp::*;

const ONE: StreamId = StreamId(1);

fn config(interleaving: Interleaving) -> Config {
    Config::default().with_interleaving(interleaving)
}

fn connected(seed: u64, link: Link, interleaving: Interleaving) -> Pair {
    let configs = [config(interleaving), config(interleaving)];
    let mut pair = Pair::with(seed, link, configs, [Vec::new(), Vec::new()]);
    pair.connect();
    pair
}

fn piece(payload: impl Into<Bytes>, end: End) -> Piece {
    Piece { ppid: Ppid(53), payload: payload.into(), end }
}

fn send(pair: &mut Pair, stream: StreamId, piece: Piece) -> Result<(), SendPieceError> {
    pair.ends[A].send_piece(pair.now, stream, piece, SendOptions::new())
}

/// Takes everything that is there.
fn pull(pair: &mut Pair, stream: StreamId, into: &mut Vec<Piece>) {
    while let Some(piece) = pair.ends[B].recv_piece(stream) {
        into.push(piece);
    }
}

/// The messages that pieces are of, with how each ended.
fn joined(pieces: &[Piece]) -> Vec<(Vec<u8>, End)> {
    let mut messages = Vec::new();
    let mut current = Vec::new();
    for piece in pieces {
        assert_eq!(piece.ppid, Ppid(53));
        assert!(!piece.payload.is_empty() || piece.end == End::GivenUp);
        current.extend_from_slice(&piece.payload);
        if piece.end != End::More {
            messages.push((std::mem::take(&mut current), piece.end));
        }
    }
    messages
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any cut of the same bytes gives the same message, whole or in pieces, whatever is lost.
    #[test]
    fn any_cut_gives_the_same_bytes(
        cuts in proptest::collection::vec(proptest::collection::vec(1_usize..6_000, 1..8), 1..6),
        seed in 0_u64..1_000,
        loss in prop_oneof![Just(0.0), Just(5.0), Just(20.0)],
        interleaved in any::<bool>(),
        in_pieces in any::<bool>(),
        empty_end in any::<bool>(),
    ) {
        let interleaving = if interleaved { Interleaving::Offered } else { Interleaving::Off };
        let mut link = Link::new(ms(10));
        link.loss = loss;
        link.jitter = ms(10);
        let mut pair = connected(seed, link, interleaving);
        prop_assert_eq!(pair.ends[A].is_interleaving(), interleaved);
        if in_pieces {
            pair.ends[B].set_delivery(ONE, Delivery::Pieces);
        }
        let mut expected = Vec::new();
        let mut got = Vec::new();
        for (index, lens) in cuts.iter().enumerate() {
            let whole = bytes(lens.iter().sum::<usize>() + index);
            expected.push(whole.to_vec());
            let mut rest = whole;
            for len in lens {
                send(&mut pair, ONE, piece(rest.split_to(*len), End::More)).unwrap();
                let moment = pair.now + ms(*len as u64 % 7);
                pair.step(moment);
                pull(&mut pair, ONE, &mut got);
            }
            if empty_end && !rest.is_empty() {
                send(&mut pair, ONE, piece(rest.split_off(0), End::More)).unwrap();
            }
            send(&mut pair, ONE, piece(rest, End::Last)).unwrap();
        }
        let mut steps = 0;
        while !pair.ends[A].is_flushed() && steps < 100_000 {
            let limit = pair.now + ms(10_000);
            pair.step(limit);
            pull(&mut pair, ONE, &mut got);
            steps += 1;
        }
        let messages: Vec<_> = if in_pieces {
            joined(&got)
        } else {
            pair.received[B].iter().map(|(_, message)| (message.payload.to_vec(), End::Last)).collect()
        };
        prop_assert_eq!(messages.len(), expected.len());
        for ((message, end), expected) in messages.into_iter().zip(expected) {
            prop_assert_eq!(end, End::Last);
            prop_assert!(message == expected);
        }
        prop_assert_eq!(pair.ends[A].stats().send_held, 0);
        prop_assert_eq!(pair.ends[B].stats().receive_held, 2 * 4);
    }
}

/// 32 MiB in one message: neither side holds more than its buffer, and a size limit is none of its business.
#[test]
fn a_message_of_any_size_takes_bounded_memory() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        let mut pair = connected(1, Link::new(ms(5)), interleaving);
        pair.ends[B].set_delivery(ONE, Delivery::Pieces);
        let total = 32 << 20;
        let part = bytes(48_000);
        let (mut sent, mut taken, mut ended) = (0, 0, false);
        let (mut most, mut limit) = ((0, 0), 0);
        while !ended {
            while sent < total {
                let len = part.len().min(total - sent);
                let end = if sent + len == total { End::Last } else { End::More };
                match send(&mut pair, ONE, piece(part.slice(..len), end)) {
                    Ok(()) => sent += len,
                    Err(SendPieceError::WouldBlock(piece)) => {
                        assert_eq!(piece.payload.len(), len);
                        break;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            let until = pair.now + ms(1_000);
            assert!(pair.step(until), "{interleaving:?}: stuck at {taken}");
            let stats = pair.ends[A].stats();
            most.0 = most.0.max(stats.send_held);
            limit = limit.max(stats.send_limit);
            most.1 = most.1.max(pair.ends[B].stats().receive_held);
            while let Some(piece) = pair.ends[B].recv_piece(ONE) {
                for (offset, byte) in piece.payload.iter().enumerate().step_by(997) {
                    assert_eq!(*byte, ((taken + offset) % 48_000 % 251) as u8);
                }
                taken += piece.payload.len();
                ended = piece.end == End::Last;
            }
        }
        assert_eq!(taken, total);
        // Each chunk in flight has its bookkeeping.
        assert!(most.0 <= limit / 4 * 5 && most.1 <= 2 << 20, "{interleaving:?}: {most:?}");
        assert!(limit < total / 4);
    }
}

/// What does not fill a packet waits, and the last byte waits for the end.
#[test]
fn an_open_message_fills_packets() {
    for (interleaving, header) in [(Interleaving::Offered, 20), (Interleaving::Off, 16)] {
        let mut pair = connected(1, Link::new(ms(5)), interleaving);
        pair.run_for(ms(1_000));
        let full = 1_160 - 12 - header;
        send(&mut pair, ONE, piece(bytes(500), End::More)).unwrap();
        assert!(pair.packets(A).is_empty());
        assert_eq!(pair.ends[A].buffered(ONE), 500);
        send(&mut pair, ONE, piece(bytes(full - 500), End::More)).unwrap();
        assert!(pair.packets(A).is_empty(), "a byte is kept for the end");
        send(&mut pair, ONE, piece(bytes(300), End::More)).unwrap();
        let packets = pair.packets(A);
        assert_eq!(packets.iter().map(Vec::len).collect::<Vec<_>>(), [1_160]);
        assert_eq!(pair.ends[A].buffered(ONE), 300);
        pair.ends[A].flush_pieces(pair.now, ONE);
        assert_eq!(pair.ends[A].next_len(pair.now), Some(12 + header + 300));
        assert_eq!(pair.packets(A).len(), 1);
        assert_eq!(pair.ends[A].buffered(ONE), 1);
        pair.ends[A].flush_pieces(pair.now, ONE);
        assert!(pair.packets(A).is_empty());
        send(&mut pair, ONE, piece(Bytes::new(), End::Last)).unwrap();
        assert_eq!(pair.packets(A).len(), 1);
        assert_eq!(pair.ends[A].buffered(ONE), 0);
    }
}

#[test]
fn an_open_message_owns_its_stream() {
    let mut pair = connected(1, Link::new(ms(5)), Interleaving::Offered);
    assert_eq!(send(&mut pair, ONE, piece("", End::More)), Err(SendPieceError::Empty));
    assert_eq!(send(&mut pair, ONE, piece("", End::Last)), Err(SendPieceError::Empty));
    send(&mut pair, ONE, piece("a", End::More)).unwrap();
    assert!(pair.ends[A].is_open(ONE));
    assert_eq!(send(&mut pair, ONE, piece("", End::More)), Err(SendPieceError::Empty));
    assert_eq!(pair.send(A, 1, message("b")), Err(SendError::Open(message("b"))));
    pair.send(A, 2, message("c")).unwrap();
    let large = piece(bytes((1 << 20) + 1), End::More);
    assert_eq!(send(&mut pair, ONE, large), Err(SendPieceError::TooLarge { limit: 1 << 20 }));
    send(&mut pair, ONE, piece("", End::Last)).unwrap();
    pair.send(A, 1, message("d")).unwrap();
    assert!(pair.run_until(ms(1_000), |pair| pair.received[B].len() == 3));
    // What is begun may be ended while the association or the stream comes to its end.
    send(&mut pair, ONE, piece("e", End::More)).unwrap();
    pair.ends[A].reset_stream(pair.now, ONE).unwrap();
    pair.run_for(ms(1_000));
    send(&mut pair, ONE, piece("f", End::Last)).unwrap();
    assert_eq!(send(&mut pair, ONE, piece("g", End::Last)), Err(SendPieceError::Resetting));
    send(&mut pair, StreamId(2), piece("h", End::More)).unwrap();
    pair.ends[A].shutdown(pair.now);
    pair.run_for(ms(1_000));
    assert_eq!(send(&mut pair, StreamId(3), piece("i", End::More)), Err(SendPieceError::ShuttingDown));
    send(&mut pair, StreamId(2), piece("j", End::Last)).unwrap();
    pair.run_for(ms(1_000));
    assert_eq!(pair.events[A].last(), Some(&Event::Closed(CloseReason::Shutdown)));
    let last: Vec<_> =
        pair.received[B].iter().rev().take(2).map(|(_, message)| &message.payload[..]).collect();
    assert_eq!(last, [b"hj", b"ef"]);
    assert_eq!(send(&mut pair, StreamId(3), piece("k", End::More)), Err(SendPieceError::Closed));
}

/// A message given up leaves no trace if nothing of it was sent, and a `GivenUp` otherwise; what follows is whole.
#[test]
fn open_messages_are_given_up() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        for loss in [0.0, 20.0] {
            let mut link = Link::new(ms(5));
            link.loss = loss;
            let mut pair = connected(3, link, interleaving);
            pair.ends[B].set_delivery(ONE, Delivery::Pieces);
            let options = SendOptions::new().with_tracking(MessageId(7));
            assert_eq!(pair.ends[A].abandon_message(pair.now, ONE), Err(AbandonError::NothingOpen));
            pair.ends[A].send_piece(pair.now, ONE, piece("x", End::More), options).unwrap();
            pair.run_for(ms(100));
            pair.ends[A].abandon_message(pair.now, ONE).unwrap();
            assert!(pair.ends[A].is_flushed());
            let options = options.with_tracking(MessageId(8));
            pair.ends[A].send_piece(pair.now, ONE, piece(bytes(30_000), End::More), options).unwrap();
            let mut got = Vec::new();
            for _ in 0..200 {
                let limit = pair.now + ms(50);
                pair.step(limit);
                pull(&mut pair, ONE, &mut got);
            }
            assert!(got.iter().map(|piece| piece.payload.len()).sum::<usize>() > 28_000);
            pair.ends[A].abandon_message(pair.now, ONE).unwrap();
            let options = SendOptions::new().with_tracking(MessageId(9));
            pair.ends[A].send(pair.now, ONE, message(bytes(5_000)), options).unwrap();
            for _ in 0..300 {
                let limit = pair.now + ms(50);
                pair.step(limit);
                pull(&mut pair, ONE, &mut got);
            }
            let messages = joined(&got);
            assert_eq!(messages.len(), 2, "{interleaving:?} {loss}");
            assert_eq!(messages[0].1, End::GivenUp);
            assert_eq!(messages[1], (bytes(5_000).to_vec(), End::Last));
            assert!(pair.ends[A].is_flushed());
            assert_eq!(pair.ends[B].stats().receive_held, 2 * 4);
            let told: Vec<_> = pair.events[A]
                .iter()
                .filter(|event| matches!(event, Event::Delivered(_) | Event::Abandoned { .. }))
                .collect();
            assert_eq!(
                told,
                [
                    &Event::Abandoned { id: MessageId(7), progress: Progress::Unsent },
                    &Event::Abandoned { id: MessageId(8), progress: Progress::Begun },
                    &Event::Delivered(MessageId(9)),
                ]
            );
        }
    }
}

/// A peer without RFC 3758 cannot be told to skip anything.
#[test]
fn a_begun_message_has_to_be_ended_for_an_old_peer() {
    let mut script = Script::new(Config::default());
    script.give(&packet(0, &[chunk(1, 0, &words(&[TAG, 1 << 20, (4 << 16) | 4, TSN]))]));
    let value = chunks(&script.written()[0]).remove(0).2;
    script.tag = word(&value, 0);
    script.cookie = parameters(&value).into_iter().find(|(code, _)| *code == 7).unwrap().1;
    let echo = chunk(10, 0, &script.cookie.clone());
    script.say(&[echo]);
    script.written();
    let (now, options) = (script.now, SendOptions::new());
    script.end.send_piece(now, ONE, piece(bytes(2_000), End::More), options).unwrap();
    assert_eq!(script.answer().len(), 1);
    assert_eq!(script.end.abandon_message(now, ONE), Err(AbandonError::NotSupported));
    script.end.end_message(now, ONE);
    assert_eq!(script.answer().len(), 1);
    assert!(!script.end.is_open(ONE));
}

/// Un-pulled pieces close the window; pulling opens it.
#[test]
fn pieces_that_are_not_pulled_close_the_window() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        let mut pair = connected(1, Link::new(ms(5)), interleaving);
        pair.ends[B].set_delivery(ONE, Delivery::Pieces);
        let mut sent = 0;
        for _ in 0..500 {
            while send(&mut pair, ONE, piece(bytes(10_000), End::More)).is_ok() {
                sent += 10_000;
            }
            let limit = pair.now + ms(100);
            pair.step(limit);
        }
        assert!(sent < 3 << 20);
        assert_eq!(pair.ends[A].stats().peer_window, 0);
        assert!(pair.ends[B].stats().receive_held <= 2 << 20);
        assert!(pair.events[B].contains(&Event::Readable(ONE)));
        let mut got = Vec::new();
        send(&mut pair, ONE, piece(Bytes::new(), End::Last)).unwrap();
        pull(&mut pair, ONE, &mut got);
        let begin = pair.now;
        while got.last().is_none_or(|piece| piece.end == End::More) {
            let limit = pair.now + ms(100);
            assert!(pair.step(limit));
            pull(&mut pair, ONE, &mut got);
        }
        assert!(pair.now - begin < ms(1_000), "no timer was waited for: {:?}", pair.now - begin);
        assert_eq!(joined(&got)[0].0.len(), sent);
    }
}

/// Ordered and unordered messages of one stream are given out one after another, never mixed.
#[test]
fn messages_of_a_stream_are_not_mixed() {
    for seed in 0..20 {
        let mut link = Link::new(ms(10));
        link.loss = 10.0;
        link.jitter = ms(10);
        let mut pair = connected(seed, link, Interleaving::Offered);
        pair.ends[B].set_delivery(ONE, Delivery::Pieces);
        let mut got = Vec::new();
        for number in 0..40_u8 {
            let order = if number % 3 == 0 { Order::Unordered } else { Order::Ordered };
            let options = SendOptions::new().with_order(order);
            let payload = vec![number; 100 + usize::from(number) * 97];
            pair.ends[A].send(pair.now, ONE, message(payload), options).unwrap();
        }
        for _ in 0..2_000 {
            let limit = pair.now + ms(20);
            pair.step(limit);
            pull(&mut pair, ONE, &mut got);
        }
        let messages = joined(&got);
        assert_eq!(messages.len(), 40, "seed {seed}");
        let mut ordered = Vec::new();
        for (payload, end) in messages {
            let number = payload[0];
            assert_eq!((end, payload.len()), (End::Last, 100 + usize::from(number) * 97));
            assert!(payload.iter().all(|byte| *byte == number), "seed {seed}");
            ordered.extend((number % 3 != 0).then_some(number));
        }
        assert!(ordered.is_sorted());
    }
}

/// Without interleaving an open message holds up the others from its first fragment on; with it, it does not. Before
/// the first fragment it never does.
#[test]
fn an_open_message_and_other_streams() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        let mut pair = connected(1, Link::new(ms(5)), interleaving);
        send(&mut pair, ONE, piece(bytes(1_000), End::More)).unwrap();
        pair.send(A, 2, message("before")).unwrap();
        pair.run_for(ms(100));
        assert_eq!(pair.received[B].len(), 1);
        send(&mut pair, ONE, piece(bytes(1_000), End::More)).unwrap();
        pair.run_for(ms(100));
        pair.send(A, 2, message("between")).unwrap();
        pair.run_for(ms(100));
        let held_up = interleaving == Interleaving::Off;
        assert_eq!(pair.received[B].len(), if held_up { 1 } else { 2 });
        send(&mut pair, ONE, piece(Bytes::new(), End::Last)).unwrap();
        pair.run_for(ms(100));
        assert_eq!(pair.received[B].len(), 3);
    }
}

/// Many open messages whose tails fill the send buffer do not lock it.
#[test]
fn tails_do_not_fill_the_send_buffer_for_ever() {
    let config = || Config::default().with_send_buffer(16_384);
    let mut pair = Pair::with(1, Link::new(ms(5)), [config(), config()], [Vec::new(), Vec::new()]);
    pair.connect();
    for stream in 0..60 {
        let mut blocked = 0;
        while send(&mut pair, StreamId(stream), piece(bytes(900), End::More)).is_err() {
            pair.run_for(ms(20));
            blocked += 1;
            assert!(blocked < 10, "stream {stream}");
        }
    }
    for stream in 0..60 {
        send(&mut pair, StreamId(stream), piece(Bytes::new(), End::Last)).unwrap();
    }
    assert!(pair.run_until(ms(1_000), |pair| pair.received[B].len() == 60));
}

/// Back and forth between pieces and messages.
#[test]
fn delivery_changes_between_messages() {
    let mut pair = connected(1, Link::new(ms(5)), Interleaving::Offered);
    pair.reads[B] = false;
    pair.send(A, 1, message("whole")).unwrap();
    send(&mut pair, ONE, piece(bytes(5_000), End::More)).unwrap();
    pair.run_for(ms(100));
    pair.ends[B].set_delivery(ONE, Delivery::Pieces);
    assert_eq!(pair.ends[B].recv(), None);
    assert_eq!(pair.ends[B].recv_from(ONE), None);
    assert_eq!(pair.ends[B].peek_piece(ONE), Some(Ppid(53)));
    assert_eq!(pair.ends[B].recv_piece(ONE), Some(piece("whole", End::Last)));
    let first = pair.ends[B].recv_piece(ONE).unwrap();
    assert_eq!(first.end, End::More);
    pair.ends[B].set_delivery(ONE, Delivery::Messages);
    send(&mut pair, ONE, piece(Bytes::new(), End::Last)).unwrap();
    pair.send(A, 1, message("next")).unwrap();
    pair.run_for(ms(100));
    let rest = pair.ends[B].recv_piece(ONE).unwrap();
    assert_eq!((rest.end, first.payload.len() + rest.payload.len()), (End::Last, 5_000));
    pair.ends[B].set_delivery(ONE, Delivery::Messages);
    assert_eq!(pair.ends[B].recv_piece(ONE), None);
    assert_eq!(pair.ends[B].recv(), Some((ONE, message("next"))));
}

/// A reset, and a peer that begins anew, in the middle of a message.
#[test]
fn a_message_cut_by_its_stream_is_given_up() {
    let mut script = Script::established();
    script.end.set_delivery(ONE, Delivery::Pieces);
    script.say(&[data(2, TSN, 1, 0, &[1; 100])]);
    assert_eq!(script.end.recv_piece(ONE).map(|piece| piece.end), Some(End::More));
    script.say(&[outgoing_reset(TSN, TSN, &[1])]);
    let given_up = Piece { ppid: Ppid(51), payload: Bytes::new(), end: End::GivenUp };
    assert_eq!(script.end.recv_piece(ONE).map(|piece| piece.end), Some(given_up.end));
    script.say(&[data(3, TSN + 1, 1, 0, b"new")]);
    assert_eq!(script.end.recv_piece(ONE).map(|piece| piece.payload), Some(Bytes::from("new")));
}

/// `next_len` counts what other streams have behind what is flushed of an open message.
#[test]
fn a_packet_with_a_flushed_piece_and_another_message_is_foretold() {
    let mut pair = Pair::connected(31, Link::new(ms(10)));
    pair.run_for(ms(500));
    let now = pair.now;
    let piece = Piece { ppid: Ppid(1), payload: bytes(100), end: End::More };
    pair.ends[A].send_piece(now, StreamId(1), piece, SendOptions::new()).expect("room");
    pair.ends[A].flush_pieces(now, StreamId(1));
    pair.send(A, 2, message(bytes(500))).expect("room");
    // It compares each packet with what was foretold.
    pair.flush();
    pair.run_for(ms(100));
    assert_eq!((pair.received[B].len(), pair.ends[A].buffered(StreamId(1))), (1, 1));
}

/// Law L7: a way of delivery may be set after the end, and nothing is told of it.
#[test]
fn a_way_of_delivery_set_after_the_end_tells_nothing() {
    let mut pair = Pair::connected(32, Link::new(ms(10)));
    let piece = Piece { ppid: Ppid(1), payload: bytes(100), end: End::More };
    let now = pair.now;
    pair.ends[A].send_piece(now, StreamId(1), piece, SendOptions::new()).expect("room");
    pair.ends[A].flush_pieces(now, StreamId(1));
    pair.run_for(ms(100));
    let now = pair.now;
    pair.ends[A].abort(now, "enough");
    pair.run_for(ms(100));
    assert!(matches!(pair.events[B].last(), Some(Event::Closed(_))));
    pair.ends[B].set_delivery(StreamId(1), Delivery::Pieces);
    assert_eq!(pair.ends[B].poll_event(), None);
}
