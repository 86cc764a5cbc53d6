//! Messages in pieces, what becomes of messages, and how channels share.

#[path = "common/pair.rs"]
mod pair;

use bytes::Bytes;
use datachannel::*;
use pair::*;

fn piece(data: impl Into<Bytes>, end: End) -> Piece {
    Piece { kind: Kind::Binary, data: data.into(), end }
}

fn pull(pair: &mut Pair, key: ChannelKey) -> Vec<Piece> {
    let now = pair.now;
    std::iter::from_fn(|| pair.ends[B].recv_piece(now, key)).collect()
}

fn send(pair: &mut Pair, key: ChannelKey, piece: Piece) -> Result<(), SendPieceError> {
    pair.ends[A].send_piece(pair.now, key, piece, SendOptions::new())
}

fn with_interleaving(seed: u64, interleaving: Interleaving) -> (Pair, ChannelKey, ChannelKey) {
    let config = || Config::default().with_interleaving(interleaving);
    let mut pair = Pair::with(seed, [config(), config()]);
    pair.start();
    pair.run_for(ms(200));
    pair.take(A);
    pair.take(B);
    let a = pair.ends[A].open(pair.now, ChannelInit::new("x")).expect("a channel");
    pair.run_for(ms(200));
    pair.take(A);
    let b = pair.announced(B);
    (pair, a, b)
}

/// A message far larger than every buffer, when the receiver says that it takes any (RFC 8841 §6.1).
#[test]
fn a_message_larger_than_every_buffer() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        let (mut pair, a, b) = with_interleaving(1, interleaving);
        pair.ends[A].set_remote_max_message_size(Some(0));
        pair.ends[B].set_delivery(pair.now, b, Delivery::Pieces);
        let (total, part) = (8_usize << 20, 40_000);
        let (mut sent, mut taken, mut ended) = (0, 0, false);
        while !ended {
            while sent < total {
                let len = part.min(total - sent);
                let end = if sent + len == total { End::Last } else { End::More };
                match send(&mut pair, a, piece(vec![(sent / part) as u8; len], end)) {
                    Ok(()) => sent += len,
                    Err(SendPieceError::WouldBlock(_)) => break,
                    Err(error) => panic!("{error}"),
                }
            }
            assert!(pair.ends[A].buffered_amount(a) <= 2 << 20);
            let limit = pair.now + ms(5_000);
            assert!(pair.step(limit), "{interleaving:?}: stuck at {taken}");
            for piece in pull(&mut pair, b) {
                for (offset, byte) in piece.data.iter().enumerate().step_by(101) {
                    assert_eq!(*byte, ((taken + offset) / part) as u8);
                }
                taken += piece.data.len();
                ended = piece.end == End::Last;
            }
        }
        assert_eq!(taken, total);
        let stats = (pair.ends[A].stats(), pair.ends[B].stats());
        assert_eq!((stats.0.messages_sent, stats.0.bytes_sent), (1, total as u64));
        assert_eq!((stats.1.messages_received, stats.1.bytes_received), (1, total as u64));
        assert!(pair.take(B).contains(&Event::Readable(b)));
    }
}

/// The peer's limit counts for the whole message: it is given up, and the channel goes on.
#[test]
fn the_limit_of_the_peer_counts_for_the_sum() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        let (mut pair, a, b) = with_interleaving(1, interleaving);
        pair.ends[A].set_remote_max_message_size(Some(100_000));
        for _ in 0..2 {
            send(&mut pair, a, piece(vec![1; 60_000], End::More)).unwrap();
            send(&mut pair, a, piece(vec![2; 40_000], End::More)).unwrap();
            pair.run_for(ms(500));
            let over = piece("x", End::Last);
            let error = send(&mut pair, a, over.clone());
            assert_eq!(error, Err(SendPieceError::TooLarge { limit: 100_000, piece: over }));
            assert_eq!(pair.ends[A].buffered_amount(a), 0);
            send(&mut pair, a, piece(vec![3; 60_000], End::More)).unwrap();
            send(&mut pair, a, piece(vec![4; 40_000], End::Last)).unwrap();
            pair.ends[A].send(pair.now, a, Payload::text("next")).unwrap();
            pair.run_for(ms(2_000));
            let received = pair.recv_all(B, b);
            assert_eq!(received.len(), 2, "{interleaving:?}");
            assert_eq!((received[0].kind, received[0].data.len()), (Kind::Binary, 100_000));
            assert!(received[0].data[..60_000].iter().all(|byte| *byte == 3));
            assert_eq!(received[1], Payload::text("next"));
        }
        assert_eq!(pair.ends[A].state(a), ChannelState::Open);
    }
}

#[test]
fn pieces_and_messages_in_turn() {
    let (mut pair, a, b) = with_interleaving(1, Interleaving::Offered);
    send(&mut pair, a, piece("", End::More)).unwrap();
    send(&mut pair, a, piece("a", End::More)).unwrap();
    let refused = pair.ends[A].send(pair.now, a, Payload::text("m"));
    assert_eq!(refused, Err(SendError::MessageOpen(Payload::text("m"))));
    send(&mut pair, a, piece("", End::More)).unwrap();
    send(&mut pair, a, piece("", End::Last)).unwrap();
    // An empty message is one with its own identifier (RFC 8831 §6.6).
    send(&mut pair, a, piece("", End::Last)).unwrap();
    pair.ends[A].send(pair.now, a, Payload::text("m")).unwrap();
    let text = Piece { kind: Kind::Text, data: Bytes::from("te"), end: End::More };
    send(&mut pair, a, text).unwrap();
    // The first piece says what the message is.
    send(&mut pair, a, piece("xt", End::Last)).unwrap();
    let large = piece(vec![0; (1 << 20) + 1], End::Last);
    pair.ends[A].set_remote_max_message_size(Some(0));
    let refused = send(&mut pair, a, large.clone());
    assert_eq!(refused, Err(SendPieceError::PieceTooLarge { limit: 1 << 20, piece: large }));
    pair.run_for(ms(500));
    let expected = [Payload::binary("a"), Payload::binary(""), Payload::text("m"), Payload::text("text")];
    assert_eq!(pair.recv_all(B, b), expected);
    // In pieces, the same.
    pair.ends[B].set_delivery(pair.now, b, Delivery::Pieces);
    send(&mut pair, a, piece("b", End::Last)).unwrap();
    send(&mut pair, a, piece("", End::Last)).unwrap();
    pair.run_for(ms(500));
    assert_eq!(pair.recv_all(B, b), []);
    assert_eq!(pull(&mut pair, b), [piece("b", End::Last), piece("", End::Last)]);
    // Messages given up.
    assert_eq!(pair.ends[A].abandon_message(pair.now, a), Err(AbandonError::NothingOpen));
    send(&mut pair, a, piece(vec![5; 5_000], End::More)).unwrap();
    pair.run_for(ms(500));
    assert_eq!(pull(&mut pair, b).last().map(|piece| piece.end), Some(End::More));
    pair.ends[A].abandon_message(pair.now, a).unwrap();
    send(&mut pair, a, piece("c", End::Last)).unwrap();
    pair.run_for(ms(500));
    let pieces = pull(&mut pair, b);
    let ended: Vec<_> = pieces.iter().map(|piece| piece.end).filter(|end| *end != End::More).collect();
    assert_eq!(ended, [End::GivenUp, End::Last]);
    assert_eq!(pieces.last(), Some(&piece("c", End::Last)));
}

/// A channel that closes takes its open message with it, on either side; a number used again starts clean.
#[test]
fn closing_gives_up_the_open_message() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        for closer in [A, B] {
            let (mut pair, a, b) = with_interleaving(1, interleaving);
            pair.ends[B].set_delivery(pair.now, b, Delivery::Pieces);
            send(&mut pair, a, piece(vec![5; 50_000], End::More)).unwrap();
            pair.run_for(ms(300));
            let before: usize = pull(&mut pair, b).iter().map(|piece| piece.data.len()).sum();
            assert!(before > 48_000);
            let key = if closer == A { a } else { b };
            pair.ends[closer].close(pair.now, key);
            let refused = piece("late", End::Last);
            if closer == A {
                let error = send(&mut pair, a, refused.clone());
                assert_eq!(error, Err(SendPieceError::NotOpen(refused)));
            }
            pair.run_for(ms(3_000));
            let told = [ChannelEnd::Closed, ChannelEnd::ClosedByPeer];
            let (of_a, of_b) = if closer == A { (told[0], told[1]) } else { (told[1], told[0]) };
            assert!(pair.take(A).contains(&Event::Closed(a, of_a)), "{interleaving:?} {closer}");
            assert!(pair.take(B).contains(&Event::Closed(b, of_b)), "{interleaving:?} {closer}");
            if closer == A {
                assert_eq!(pull(&mut pair, b).last().map(|piece| piece.end), Some(End::GivenUp));
            }
            let again = pair.ends[A].open(pair.now, ChannelInit::new("again")).unwrap();
            assert_eq!(pair.ends[A].id(again), Some(ChannelId(0)));
            pair.run_for(ms(300));
            let b = pair.announced(B);
            pair.ends[A].send(pair.now, again, Payload::text("whole")).unwrap();
            pair.run_for(ms(300));
            assert_eq!(pair.recv_all(B, b), [Payload::text("whole")]);
        }
    }
}

/// What became of messages: delivered, or given up with or without something on its way.
#[test]
fn tracked_messages_tell_their_fate() {
    let init = ChannelInit::new("x").with_reliability(Reliability::MaxRetransmits(0));
    let (mut pair, a, _) = Pair::with_channel(5, init);
    pair.loss = 40;
    for number in 0..200 {
        let options = SendOptions::new().with_tracking(MessageId(number));
        pair.ends[A].send_with(pair.now, a, Payload::text("m"), options).unwrap();
        pair.run_for(ms(20));
    }
    pair.run_for(ms(20_000));
    let mut seen = [0; 200];
    let mut delivered = 0;
    for event in pair.take(A) {
        if let Event::Delivered(MessageId(number)) = event {
            seen[number as usize] += 1;
            delivered += 1;
        } else if let Event::Abandoned { id: MessageId(number), progress } = event {
            assert_eq!(progress, Progress::Begun);
            seen[number as usize] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count == 1), "{seen:?}");
    assert!((20..180).contains(&delivered), "{delivered}");
}

/// `dc_priority_wfq_128_256_512_1024`, RFC 8831 §6.4: bytes in proportion to the priorities of the channels.
#[test]
fn dc_priority_wfq_128_256_512_1024() {
    let config = || Config::default().with_send_buffer(16 << 20);
    let mut pair = Pair::with(1, [config(), config()]);
    pair.start();
    pair.run_for(ms(200));
    let priorities = [Priority::VERY_LOW, Priority::LOW, Priority::MEDIUM, Priority::HIGH];
    let keys = priorities
        .map(|priority| pair.ends[A].open(pair.now, ChannelInit::new("x").with_priority(priority)).unwrap());
    pair.run_for(ms(200));
    for _ in 0..40 {
        for key in keys {
            pair.ends[A].send(pair.now, key, Payload::binary(vec![7; 60_000])).unwrap();
        }
    }
    let start = keys.map(|key| pair.ends[A].buffered_amount(key));
    let half = pair.run_until(ms(20_000), |pair| {
        // Their peer reads, so that the window never closes.
        for event in std::mem::take(&mut pair.events[B]) {
            if let Event::Announced(key) | Event::Readable(key) = event {
                let _ = pair.recv_all(B, key);
            }
        }
        pair.ends[A].buffered_amount(keys[3]) < start[3] / 2
    });
    assert!(half);
    let sent: Vec<_> = (0..4).map(|index| start[index] - pair.ends[A].buffered_amount(keys[index])).collect();
    for index in 0..3 {
        let ratio = sent[index + 1] as f64 / sent[index] as f64;
        assert!((ratio - 2.0).abs() < 0.2, "{sent:?}");
    }
}

/// Users 59: what comes for channels that were never announced is not kept, whole or begun.
#[test]
fn users_59_unknown_channels_are_bounded_by_count_and_time() {
    let mut pair = Pair::connected(1);
    let unknown = ChannelInit::new("only here").with_negotiated(ChannelId(20));
    let a = pair.ends[A].open(pair.now, unknown).unwrap();
    pair.run_for(ms(200));
    for _ in 0..500 {
        while pair.ends[A].send(pair.now, a, Payload::binary(vec![1; 60_000])).is_ok() {}
        let limit = pair.now + ms(100);
        pair.step(limit);
    }
    let stats = pair.ends[B].stats();
    assert!(stats.messages_dropped > 100, "{stats:?}");
    assert_eq!(pair.take(B), []);
    assert!(pair.ends[A].stats().peer_window > 0, "it takes no part of the window");
}
