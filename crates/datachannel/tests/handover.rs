//! Channels that go on in another process.

#[path = "common/pair.rs"]
mod pair;

use datachannel::*;
use pair::*;
use std::sync::Arc;

/// By way of bytes; what is handed over twice in a row is the same.
fn move_end(pair: &mut Pair, side: usize, seed: u64) {
    let mut last = None;
    for _ in 0..2 {
        let nobody = Channels::new(Arc::new(Config::default()), pair.now, Box::new(Seeded::new(seed)));
        let end = std::mem::replace(&mut pair.ends[side], nobody);
        let mut bytes = Vec::new();
        end.hand_over(pair.now).expect("it is connected").to_bytes(&mut bytes);
        let handover = Handover::from_bytes(&bytes).expect("what was written can be read");
        let (config, rng) = (Arc::new(Config::default()), Box::new(Seeded::new(seed + 1)));
        pair.ends[side] = Channels::resume(config, pair.now, rng, handover).expect("there is room");
        assert!(last.is_none_or(|last| last == bytes), "seed {seed}");
        last = Some(bytes);
    }
}

fn payload(number: u32) -> Payload {
    let mut data = number.to_be_bytes().to_vec();
    data.resize(4 + number as usize * 97 % 6_000, number as u8);
    Payload::binary(data)
}

/// Messages both ways on three channels, opened by either side, while both ends move; then one is closed in the midst of a
/// move, and its number is used again.
#[test]
fn channels_go_on_after_a_move_in_both_roles() {
    for seed in 0..12 {
        let mut pair = Pair::connected(seed);
        pair.loss = [0, 5, 20][(seed % 3) as usize];
        let now = pair.now;
        let inits = [
            ChannelInit::new("one").with_protocol("a protocol").with_priority(Priority::HIGH),
            ChannelInit::new("two").with_order(Order::Unordered),
            ChannelInit::new("three").with_negotiated(ChannelId(100)),
        ];
        let one = pair.ends[A].open(now, inits[0].clone()).expect("a channel");
        let two = pair.ends[B].open(now, inits[1].clone()).expect("a channel");
        let three = [A, B].map(|side| pair.ends[side].open(now, inits[2].clone()).expect("a channel"));
        // The OPENs are on their way.
        move_end(&mut pair, A, seed);
        move_end(&mut pair, B, seed);
        assert_eq!(pair.ends[A].state(one), ChannelState::Connecting);
        let announced = |pair: &Pair, side: usize| {
            let key = |event: &Event| if let Event::Announced(key) = event { Some(*key) } else { None };
            pair.events[side].iter().find_map(key)
        };
        assert!(pair.run_until(ms(60_000), |pair| announced(pair, A).zip(announced(pair, B)).is_some()));
        let other_one = announced(&pair, B).expect("announced");
        let other_two = announced(&pair, A).expect("announced");
        assert_eq!(pair.ends[B].init(other_one), Some(&inits[0]));
        assert_eq!(pair.ends[A].init(other_two), Some(&inits[1]));
        assert!(pair.run_until(ms(60_000), |pair| {
            pair.ends[A].state(one) == ChannelState::Open && pair.ends[B].state(two) == ChannelState::Open
        }));
        let keys = [[one, other_one], [other_two, two], three];
        carry(&mut pair, &keys, seed);
        close_and_open_again(&mut pair, keys[0], seed);
    }
}

/// Forty messages each way on each channel.
fn carry(pair: &mut Pair, keys: &[[ChannelKey; 2]; 3], seed: u64) {
    let mut got = [[Vec::new(), Vec::new(), Vec::new()], [Vec::new(), Vec::new(), Vec::new()]];
    for number in 0..40 {
        for side in [A, B] {
            for key in keys {
                let now = pair.now;
                pair.ends[side].send(now, key[side], payload(number)).expect("there is room");
            }
        }
        pair.run_for(ms(u64::from(number % 5) * 7));
        if number % 3 == 0 {
            move_end(pair, (number as usize / 3) % 2, seed + u64::from(number));
        }
        if number % 7 == 0 {
            take(pair, keys, &mut got);
        }
    }
    assert!(pair.run_until(ms(120_000), |pair| pair.ends.iter().all(Channels::is_flushed)), "seed {seed}");
    take(pair, keys, &mut got);
    let expected: Vec<_> = (0..40).map(payload).collect();
    for (side, got) in got.iter_mut().enumerate() {
        for (channel, got) in got.iter_mut().enumerate() {
            if channel == 1 {
                got.sort_by_key(|payload: &Payload| payload.data.first_chunk::<4>().copied());
            }
            assert!(*got == expected, "seed {seed}: {} messages, channel {channel} of {side}", got.len());
        }
    }
    let stats = pair.ends[A].stats();
    assert_eq!((stats.messages_sent, stats.messages_received), (120, 120), "the counters went on");
}

fn take(pair: &mut Pair, keys: &[[ChannelKey; 2]; 3], got: &mut [[Vec<Payload>; 3]; 2]) {
    for side in [A, B] {
        for (channel, key) in keys.iter().enumerate() {
            let payloads = pair.recv_all(side, key[side]);
            got[side][channel].extend(payloads);
        }
    }
}

fn close_and_open_again(pair: &mut Pair, keys: [ChannelKey; 2], seed: u64) {
    let now = pair.now;
    let id = pair.ends[A].id(keys[A]);
    pair.ends[B].send(now, keys[B], payload(7)).expect("there is room");
    pair.ends[A].send(now, keys[A], payload(8)).expect("there is room");
    pair.ends[B].close(now, keys[B]);
    for step in 0..8 {
        move_end(pair, step % 2, seed + 1_000);
        pair.run_for(ms(9));
    }
    let closed = |events: &[Event], key| {
        events.iter().any(|event| matches!(event, Event::Closed(of, _) if *of == key))
    };
    assert!(
        pair.run_until(ms(60_000), |pair| [A, B].iter().all(|side| closed(&pair.events[*side], keys[*side])))
    );
    move_end(pair, A, seed);
    assert_eq!(pair.recv_all(A, keys[A]), [payload(7)], "seed {seed}: kept for a closed channel");
    let again = pair.ends[A].open(pair.now, ChannelInit::new("again")).expect("a channel");
    assert_eq!(pair.ends[A].id(again), id, "seed {seed}");
    assert_ne!(again, keys[A], "a handle is never given out twice");
    assert!(pair.run_until(ms(60_000), |pair| pair.ends[A].state(again) == ChannelState::Open));
}

#[test]
fn handles_can_be_listed_after_a_move() {
    let (mut pair, a, b) = Pair::with_channel(5, ChannelInit::new("x"));
    move_end(&mut pair, A, 5);
    move_end(&mut pair, B, 5);
    assert_eq!((pair.ends[A].keys(), pair.ends[B].keys()), (vec![a], vec![b]));
    assert_eq!(pair.ends[B].init(b).map(ChannelInit::label), Some("x"));
}

/// A message in pieces is half written, half received, half read.
#[test]
fn a_message_in_pieces_goes_on_after_a_move() {
    let (mut pair, a, b) = Pair::with_channel(6, ChannelInit::new("file"));
    let now = pair.now;
    pair.ends[A].set_remote_max_message_size(Some(0));
    pair.ends[B].set_delivery(now, b, Delivery::Pieces);
    let piece = |byte: u8, end| Piece { kind: Kind::Binary, data: vec![byte; 5_000].into(), end };
    let (mut read, mut last) = (Vec::new(), End::More);
    let mut take = |pair: &mut Pair| {
        let now = pair.now;
        let Some(piece) = pair.ends[B].recv_piece(now, b) else { return false };
        read.extend_from_slice(&piece.data);
        last = piece.end;
        true
    };
    for byte in 0..40 {
        let end = if byte == 39 { End::Last } else { End::More };
        pair.ends[A].send_piece(pair.now, a, piece(byte, end), SendOptions::new()).expect("there is room");
        pair.run_for(ms(13));
        move_end(&mut pair, usize::from(byte % 2), u64::from(byte));
        if byte % 3 == 0 {
            take(&mut pair);
        }
    }
    pair.run_for(ms(2_000));
    while take(&mut pair) {}
    let expected: Vec<u8> = (0..40).flat_map(|byte| [byte; 5_000]).collect();
    assert!(read == expected && last == End::Last, "{} bytes, {last:?}", read.len());
}

#[test]
fn what_cannot_move_comes_back() {
    let mut pair = Pair::new(9);
    let now = pair.now;
    let [a, b] = pair.ends;
    let Err(HandoverError::NotConnected(a)) = a.hand_over(now) else { panic!("it has not begun") };
    pair.ends = [*a, b];
    pair.start();
    pair.run_for(ms(300));
    let channel = pair.ends[A].open(pair.now, ChannelInit::new("x")).expect("a channel");
    pair.run_for(ms(300));
    assert_eq!(pair.ends[A].state(channel), ChannelState::Open);
    let now = pair.now;
    pair.ends[A].abort(now, "enough");
    let [a, b] = pair.ends;
    let error = a.hand_over(now).expect_err("it ends");
    assert_eq!(error.to_string(), "the association is over");
    pair.ends = [error.into_channels(), b];
    pair.run_for(ms(300));
    let Err(HandoverError::Over(_)) = pair.ends.into_iter().next().expect("one").hand_over(pair.now) else {
        panic!("it has ended")
    };
}

#[test]
fn damaged_bytes_are_refused() {
    let (mut pair, a, _) = Pair::with_channel(3, ChannelInit::new("label").with_protocol("p"));
    pair.ends[A].send(pair.now, a, payload(3)).expect("there is room");
    let [end, _] = pair.ends;
    let mut bytes = Vec::new();
    end.hand_over(pair.now).expect("it is connected").to_bytes(&mut bytes);
    assert!(Handover::from_bytes(&bytes).is_ok());
    assert!(matches!(Handover::from_bytes(b"PLSA"), Err(HandoverParseError::NoHandover)));
    for len in 0..bytes.len() {
        assert!(Handover::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(Handover::from_bytes(&longer), Err(HandoverParseError::Malformed)));
    let mut other = bytes.clone();
    other[5] = 2;
    let version = Handover::from_bytes(&other).expect_err("a later format");
    assert_eq!(version, HandoverParseError::UnknownVersion { version: 2 });
}
