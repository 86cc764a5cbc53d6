//! RFC 8831 and 8832 as the other side of the wire sees them, and what webrtc-pc says of numbers and sizes.

#[path = "common/pair.rs"]
mod pair;

use bytes::Bytes;
use datachannel::*;
use pair::*;
use sctp::{Association, Message, Ppid, StreamId};
use std::sync::Arc;
use std::time::Instant;

/// Our channels as DTLS client, and what a bare association receives from them.
fn seen(init: ChannelInit, work: impl FnOnce(&mut Channels, ChannelKey)) -> Vec<(StreamId, Message)> {
    let mut now = Pair::new(1).now;
    let mut ours = Channels::new(Arc::new(Config::default()), now, Box::new(Seeded::new(1)));
    let mut peer = Association::new(Arc::new(sctp::Config::default()), now, Box::new(Seeded::new(2)));
    ours.set_remote_max_message_size(Some(0));
    ours.start(now, Role::Client);
    let key = ours.open(now, init).expect("a channel");
    let exchange = |now: &mut Instant, ours: &mut Channels, peer: &mut Association| {
        for _ in 0..30 {
            let mut packet = Vec::new();
            while ours.poll_transmit(*now, &mut packet).is_some() {
                peer.handle_packet(*now, &packet);
                packet.clear();
            }
            while peer.poll_transmit(*now, &mut packet).is_some() {
                ours.handle_packet(*now, &packet);
                packet.clear();
            }
            *now += ms(100);
            ours.handle_timeout(*now);
            peer.handle_timeout(*now);
        }
    };
    exchange(&mut now, &mut ours, &mut peer);
    let ack = Message { ppid: Ppid(50), payload: Bytes::from_static(&[2]) };
    peer.send(now, StreamId(0), ack, sctp::SendOptions::new()).expect("room");
    exchange(&mut now, &mut ours, &mut peer);
    assert_eq!(ours.state(key), ChannelState::Open);
    work(&mut ours, key);
    exchange(&mut now, &mut ours, &mut peer);
    std::iter::from_fn(|| peer.recv()).collect()
}

/// `dcep_ppid_50_only_for_dcep`, `dcep_messages_ordered_reliable_same_stream`, `dc_one_message_per_sctp_message`.
#[test]
fn dcep_ppid_50_only_for_dcep() {
    let init =
        ChannelInit::new("x").with_order(Order::Unordered).with_reliability(Reliability::MaxRetransmits(0));
    let now = Pair::new(1).now;
    let received = seen(init, |ours, key| {
        ours.send(now, key, Payload::text("a")).unwrap();
        ours.send(now, key, Payload::binary(vec![7; 200_000])).unwrap();
        ours.send(now, key, Payload::text("")).unwrap();
        ours.send(now, key, Payload::binary("")).unwrap();
        let piece = |end| Piece { kind: Kind::Text, data: Bytes::from(vec![b'x'; 5_000]), end };
        ours.send_piece(now, key, piece(End::More), SendOptions::new()).unwrap();
        ours.send_piece(now, key, piece(End::Last), SendOptions::new()).unwrap();
    });
    let kinds: Vec<_> =
        received.iter().map(|(stream, message)| (stream.0, message.ppid.0, message.payload.len())).collect();
    assert_eq!(kinds[0], (0, 50, 13));
    let mut rest = kinds[1..].to_vec();
    rest.sort_unstable();
    assert_eq!(rest, [(0, 51, 1), (0, 51, 10_000), (0, 53, 200_000), (0, 56, 1), (0, 57, 1)]);
}

/// B101: numbers by role, the lowest that is free, given when the role is known; a negotiated one is in the way.
#[test]
fn b101_numbers_by_role_lowest_free_and_late() {
    for (side, first) in [(A, 0), (B, 1)] {
        let mut pair = Pair::new(1);
        let agreed = ChannelInit::new("").with_negotiated(ChannelId(first + 2));
        pair.ends[side].open(pair.now, agreed).unwrap();
        let keys: Vec<_> =
            (0..3).map(|_| pair.ends[side].open(pair.now, ChannelInit::new("")).unwrap()).collect();
        assert!(keys.iter().all(|key| pair.ends[side].id(*key).is_none()));
        pair.start();
        let numbers: Vec<_> = keys.iter().map(|key| pair.ends[side].id(*key).unwrap().0).collect();
        assert_eq!(numbers, [first, first + 4, first + 6]);
        pair.run_for(ms(500));
        // What is closed is free once both directions are reset, not before.
        pair.ends[side].close(pair.now, keys[1]);
        let next = pair.ends[side].open(pair.now, ChannelInit::new("")).unwrap();
        assert_eq!(pair.ends[side].id(next), Some(ChannelId(first + 8)));
        pair.run_for(ms(2_000));
        let next = pair.ends[side].open(pair.now, ChannelInit::new("")).unwrap();
        assert_eq!(pair.ends[side].id(next), Some(ChannelId(first + 4)));
    }
}

/// B102: what the peer says and what we can hold; nothing said is 64 KiB, zero is anything.
#[test]
fn b102_the_largest_message() {
    let mut end = Pair::with(1, [Config::default().with_send_buffer(300_000), Config::default()]);
    let end = &mut end.ends[A];
    for (attribute, expected) in [
        (None, 65_536),
        (Some(0), 300_000),
        (Some(1), 1),
        (Some(100_000), 100_000),
        (Some(u64::MAX), 300_000),
    ] {
        end.set_remote_max_message_size(attribute);
        assert_eq!(end.max_message_size(), expected, "{attribute:?}");
    }
}

/// B106: the side that closes hears nothing of its own closing; the other hears of it, and both of the end.
#[test]
fn b106_closing_is_told_to_the_other_side_only() {
    let (mut pair, a, b) = Pair::with_channel(1, ChannelInit::new("x"));
    pair.ends[A].close(pair.now, a);
    pair.run_for(ms(2_000));
    assert_eq!(pair.take(A), [Event::Closed(a, ChannelEnd::Closed)]);
    assert_eq!(pair.take(B), [Event::Closing(b), Event::Closed(b, ChannelEnd::ClosedByPeer)]);
}

/// B107: what arrives on a channel that we are closing is dropped.
#[test]
fn b107_messages_to_a_closing_channel_are_dropped() {
    let (mut pair, a, b) = Pair::with_channel(1, ChannelInit::new("x"));
    pair.ends[B].send(pair.now, b, Payload::text("late")).unwrap();
    pair.ends[A].close(pair.now, a);
    pair.run_for(ms(2_000));
    assert_eq!(pair.recv_all(A, a), []);
    assert_eq!(pair.ends[A].stats().messages_dropped, 1);
}

/// B110: negotiated channels exchange nothing but messages.
#[test]
fn b110_negotiated_channels_exchange_no_dcep() {
    let mut pair = Pair::connected(1);
    let init = ChannelInit::new("x").with_negotiated(ChannelId(3));
    let [a, b] = [A, B].map(|side| pair.ends[side].open(pair.now, init.clone()).unwrap());
    assert_eq!(pair.ends[A].state(a), ChannelState::Open);
    pair.ends[A].send(pair.now, a, Payload::text("hi")).unwrap();
    pair.run_for(ms(500));
    assert_eq!(pair.recv_all(B, b), [Payload::text("hi")]);
    assert_eq!(pair.take(B), [Event::Opened(b), Event::Readable(b)]);
    assert_eq!(pair.ends[B].stats().bytes_received, 2);
}

/// B111: only channels that were open count.
#[test]
fn b111_channels_are_counted_when_they_were_open() {
    let (mut pair, a, _) = Pair::with_channel(1, ChannelInit::new("x"));
    let never = pair.ends[A].open(pair.now, ChannelInit::new("never")).unwrap();
    pair.ends[A].close(pair.now, never);
    pair.ends[A].close(pair.now, a);
    pair.run_for(ms(3_000));
    let stats = pair.ends[A].stats();
    assert_eq!(stats.channels_opened, stats.channels_closed);
    assert!(stats.channels_opened <= 2);
}
