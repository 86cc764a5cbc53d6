//! Channels between two ends.

#[path = "common/pair.rs"]
mod pair;

use datachannel::*;
use pair::*;

#[test]
fn a_channel_opens_on_both_sides_and_carries_messages() {
    let mut pair = Pair::new(1);
    let init = ChannelInit::new("files").with_protocol("copy").with_priority(Priority::HIGH);
    let a = pair.ends[A].open(pair.now, init.clone()).unwrap();
    assert_eq!(pair.ends[A].id(a), None);
    assert_eq!(pair.ends[A].state(a), ChannelState::Connecting);
    let refused = pair.ends[A].send(pair.now, a, Payload::text("too early"));
    assert_eq!(refused, Err(SendError::NotOpen(Payload::text("too early"))));
    pair.start();
    assert_eq!(pair.ends[A].id(a), Some(ChannelId(0)));
    pair.run_for(ms(300));
    assert_eq!(pair.take(A), [Event::Connected { max_channels: 65_535 }, Event::Opened(a)]);
    let [Event::Connected { .. }, Event::Announced(b)] = pair.take(B)[..] else { panic!() };
    assert_eq!(pair.ends[B].init(b), Some(&init));
    assert_eq!(pair.ends[B].id(b), Some(ChannelId(0)));
    for payload in
        [Payload::text("hello"), Payload::binary(vec![1, 2]), Payload::text(""), Payload::binary(vec![])]
    {
        pair.ends[A].send(pair.now, a, payload.clone()).unwrap();
        pair.ends[B].send(pair.now, b, payload).unwrap();
    }
    pair.run_for(ms(300));
    assert_eq!(pair.take(B), [Event::BufferedAmountLow(b), Event::Readable(b)]);
    let expected =
        [Payload::text("hello"), Payload::binary(vec![1, 2]), Payload::text(""), Payload::binary(vec![])];
    assert_eq!(pair.recv_all(A, a), expected);
    assert_eq!(pair.recv_all(B, b), expected);
}

/// Users 47 and 57, `dc_close_resets_outgoing_then_peer_resets`, `dc_stream_reuse_after_both_resets`.
#[test]
fn close_resets_both_directions_and_the_number_is_free_again() {
    let (mut pair, a, b) = Pair::with_channel(2, ChannelInit::new("x"));
    pair.ends[A].send(pair.now, a, Payload::text("last words")).unwrap();
    pair.ends[A].close(pair.now, a);
    assert_eq!(pair.ends[A].state(a), ChannelState::Closing);
    // The number is not free before both directions are reset.
    let other = pair.ends[A].open(pair.now, ChannelInit::new("y")).unwrap();
    assert_eq!(pair.ends[A].id(other), Some(ChannelId(2)));
    pair.run_for(ms(2_000));
    assert_eq!(
        pair.take(A),
        [Event::BufferedAmountLow(a), Event::Closed(a, ChannelEnd::Closed), Event::Opened(other)]
    );
    assert_eq!(pair.ends[A].state(a), ChannelState::Closed);
    let events = pair.take(B);
    assert!(
        events.contains(&Event::Closing(b)) && events.contains(&Event::Closed(b, ChannelEnd::ClosedByPeer))
    );
    assert_eq!(
        pair.recv_all(B, b),
        [Payload::text("last words")],
        "what arrived before the end is still there"
    );
    let again = pair.ends[A].open(pair.now, ChannelInit::new("z")).unwrap();
    assert_eq!(pair.ends[A].id(again), Some(ChannelId(0)));
    pair.run_for(ms(500));
    assert_eq!(pair.take(A), [Event::Opened(again)]);
    let stats = pair.ends[A].stats();
    assert_eq!((stats.channels_opened, stats.channels_closed), (3, 1));
}

/// Users 53 and 54: order of events, and an application that opens before and after.
#[test]
fn the_association_is_announced_before_its_channels() {
    let mut pair = Pair::new(3);
    let early = pair.ends[B].open(pair.now, ChannelInit::new("early")).unwrap();
    let negotiated = ChannelInit::new("agreed").with_negotiated(ChannelId(100));
    let [a, b] = [A, B].map(|side| pair.ends[side].open(pair.now, negotiated.clone()).unwrap());
    pair.start();
    assert_eq!(pair.ends[B].id(early), Some(ChannelId(1)));
    pair.run_for(ms(300));
    assert_eq!(
        pair.take(B),
        [Event::Connected { max_channels: 65_535 }, Event::Opened(b), Event::Opened(early)]
    );
    let [Event::Connected { .. }, Event::Opened(opened), Event::Announced(announced)] = pair.take(A)[..]
    else {
        panic!()
    };
    assert_eq!(opened, a);
    assert_eq!(pair.ends[A].init(announced).map(ChannelInit::label), Some("early"));
    // A channel agreed upon carries messages without a word of DCEP.
    pair.ends[A].send(pair.now, a, Payload::text("x")).unwrap();
    pair.run_for(ms(300));
    assert_eq!(pair.recv_all(B, b), [Payload::text("x")]);
}

/// `dcep_user_data_before_ack_sent_ordered`: the answering side sends at once, its data may overtake its ACK's loss.
#[test]
fn data_follows_the_answer_at_once() {
    let mut pair = Pair::connected(4);
    let init = ChannelInit::new("x").with_order(Order::Unordered);
    let a = pair.ends[A].open(pair.now, init).unwrap();
    pair.run_for(ms(11));
    let b = pair.announced(B);
    pair.ends[B].send(pair.now, b, Payload::text("hello")).unwrap();
    pair.run_for(ms(20));
    assert_eq!(pair.take(A), [Event::Opened(a), Event::Readable(a)]);
    assert_eq!(pair.recv_all(A, a), [Payload::text("hello")]);
}

#[test]
fn open_says_what_is_wrong() {
    let mut pair = Pair::new(5);
    let now = pair.now;
    let long = "x".repeat(65_536);
    let end = &mut pair.ends[A];
    assert_eq!(end.open(now, ChannelInit::new(long.clone())), Err(OpenError::LabelTooLong));
    assert_eq!(end.open(now, ChannelInit::new("").with_protocol(long)), Err(OpenError::ProtocolTooLong));
    let agreed = |id| ChannelInit::new("").with_negotiated(ChannelId(id));
    assert_eq!(end.open(now, agreed(65_535)), Err(OpenError::IdOutOfRange));
    end.open(now, agreed(7)).unwrap();
    assert_eq!(end.open(now, agreed(7)), Err(OpenError::IdInUse));
    let config = || Config::default().with_max_channels(2);
    let mut pair = Pair::with(5, [config(), config()]);
    let end = &mut pair.ends[A];
    end.open(now, agreed(7)).unwrap();
    end.open(now, agreed(8)).unwrap();
    assert_eq!(end.open(now, agreed(9)), Err(OpenError::TooManyChannels));
    end.abort(now, "");
    assert_eq!(end.open(now, agreed(9)), Err(OpenError::Closed));
}

/// Users 55, `dc_message_larger_than_peer_max_not_sent`: both directions, around the limits.
#[test]
fn message_sizes_are_enforced_in_both_directions() {
    let (mut pair, a, b) = Pair::with_channel(6, ChannelInit::new("x"));
    let send = |pair: &mut Pair, size: usize| {
        let now = pair.now;
        pair.ends[A].send(now, a, Payload::binary(vec![7; size]))
    };
    assert_eq!(pair.ends[A].max_message_size(), 65_536, "a peer that says nothing takes 64 KiB");
    for size in [0, 1, 65_535, 65_536] {
        send(&mut pair, size).unwrap();
        pair.run_for(ms(500));
        assert_eq!(pair.recv_all(B, b), [Payload::binary(vec![7; size])]);
    }
    assert!(matches!(send(&mut pair, 65_537), Err(SendError::TooLarge { limit: 65_536, .. })));
    pair.ends[A].set_remote_max_message_size(Some(100));
    assert!(matches!(send(&mut pair, 101), Err(SendError::TooLarge { limit: 100, .. })));
    pair.ends[A].set_remote_max_message_size(Some(0));
    assert_eq!(pair.ends[A].max_message_size(), 1 << 20);
    send(&mut pair, 262_144).unwrap();
    pair.run_for(ms(2_000));
    assert_eq!(pair.recv_all(B, b).len(), 1);
    // B takes 256 KiB and not a byte more: the channel is closed, the association goes on (T-C15).
    pair.take(B);
    send(&mut pair, 262_145).unwrap();
    pair.run_for(ms(3_000));
    let events = pair.take(B);
    assert!(events.contains(&Event::Closed(b, ChannelEnd::MessageTooLarge)), "{events:?}");
    assert!(pair.recv_all(B, b).is_empty());
    assert_eq!(pair.ends[A].state(a), ChannelState::Closed);
    let again = pair.ends[A].open(pair.now, ChannelInit::new("y")).unwrap();
    pair.run_for(ms(300));
    assert_eq!(pair.ends[A].state(again), ChannelState::Open);
}

/// Users 55: 16 MiB, when both sides allow it.
#[test]
fn sixteen_mebibytes_in_one_message() {
    let size = 16 << 20;
    let config =
        || Config::default().with_max_message_size(size).with_receive_buffer(size).with_send_buffer(size);
    let mut pair = Pair::with(7, [config(), config()]);
    for end in &mut pair.ends {
        end.set_remote_max_message_size(Some(size as u64));
    }
    pair.start();
    let a = pair.ends[A].open(pair.now, ChannelInit::new("big")).unwrap();
    pair.run_for(ms(300));
    let Some(&Event::Announced(b)) = pair.events[B].last() else { panic!() };
    pair.ends[A].send(pair.now, a, Payload::binary(vec![5; size])).unwrap();
    pair.run_for(ms(10_000));
    assert_eq!(pair.recv_all(B, b), [Payload::binary(vec![5; size])]);
}

/// Users 56: payload bytes, those of an empty message and of the ACK left out; the low threshold is a crossing.
#[test]
fn buffered_amount_counts_payload_only() {
    let (mut pair, a, b) = Pair::with_channel(8, ChannelInit::new("x"));
    let now = pair.now;
    pair.ends[A].set_buffered_amount_low_threshold(a, 1_000);
    pair.ends[A].send(now, a, Payload::text("")).unwrap();
    assert_eq!(pair.ends[A].buffered_amount(a), 0);
    pair.ends[A].send(now, a, Payload::text("12345")).unwrap();
    assert_eq!(pair.ends[A].buffered_amount(a), 5);
    pair.run_for(ms(100));
    assert_eq!(pair.ends[A].buffered_amount(a), 0);
    assert!(pair.take(A).is_empty(), "it was never above the threshold");
    for _ in 0..3 {
        pair.ends[A].send(pair.now, a, Payload::binary(vec![1; 50_000])).unwrap();
    }
    assert_eq!(pair.ends[A].buffered_amount(a), 150_000);
    pair.run_for(ms(3_000));
    assert_eq!(pair.take(A), [Event::BufferedAmountLow(a)]);
    assert_eq!(pair.recv_all(B, b).len(), 5);
}

/// Users 43: a channel nobody reads does not hold up another, until the window is used up.
#[test]
fn channels_are_pulled_one_by_one() {
    let (mut pair, slow, slow_b) = Pair::with_channel(9, ChannelInit::new("slow"));
    let fast = pair.ends[A].open(pair.now, ChannelInit::new("fast")).unwrap();
    pair.run_for(ms(200));
    let fast_b = pair.announced(B);
    for _ in 0..10 {
        pair.ends[A].send(pair.now, slow, Payload::binary(vec![0; 50_000])).unwrap();
        pair.ends[A].send(pair.now, fast, Payload::binary(vec![1; 1_000])).unwrap();
    }
    pair.run_for(ms(2_000));
    assert_eq!(pair.recv_all(B, fast_b).len(), 10);
    assert_eq!(pair.recv_all(B, slow_b).len(), 10);
    // A full send buffer gives the message back, and says when to go on.
    let mut refused = 0;
    for _ in 0..100 {
        if let Err(SendError::WouldBlock(payload)) =
            pair.ends[A].send(pair.now, slow, Payload::binary(vec![0; 50_000]))
        {
            assert_eq!(payload.data.len(), 50_000);
            refused += 1;
        }
    }
    assert!(refused > 70);
    pair.take(A);
    pair.run_until(ms(5_000), |pair| {
        pair.recv_all(B, slow_b);
        pair.events[A].contains(&Event::SendSpace)
    });
    assert!(pair.events[A].contains(&Event::SendSpace));
}

/// Users 57: both close at once, with messages on the way, under loss; and over and over.
#[test]
fn close_and_open_again_many_times() {
    let mut pair = Pair::connected(10);
    pair.delay = ms(1);
    for round in 0..2_000 {
        let a = pair.ends[A].open(pair.now, ChannelInit::new("x")).unwrap();
        assert!(pair.ends[A].id(a).unwrap().0 <= 2, "round {round}: numbers are used again");
        assert!(
            pair.run_until(ms(10_000), |pair| pair.ends[A].state(a) == ChannelState::Open),
            "round {round}"
        );
        let Some(Event::Announced(b)) =
            pair.take(B).into_iter().find(|event| matches!(event, Event::Announced(_)))
        else {
            panic!("round {round}")
        };
        pair.ends[A].send(pair.now, a, Payload::text("from a")).unwrap();
        pair.ends[B].send(pair.now, b, Payload::text("from b")).unwrap();
        pair.ends[A].close(pair.now, a);
        if round % 2 == 0 {
            pair.ends[B].close(pair.now, b);
        }
        let closed = |pair: &mut Pair| {
            let both = [pair.ends[A].state(a), pair.ends[B].state(b)];
            both == [ChannelState::Closed; 2]
        };
        assert!(pair.run_until(ms(10_000), closed), "round {round}: {:?}", pair.ends);
        if round % 2 == 1 {
            assert_eq!(pair.recv_all(B, b), [Payload::text("from a")], "round {round}");
        }
        assert!(pair.recv_all(B, b).is_empty() && pair.recv_all(A, a).is_empty());
        pair.take(A);
        pair.take(B);
    }
    let stats = pair.ends[A].stats();
    assert_eq!((stats.channels_opened, stats.channels_closed), (2_000, 2_000));
}

/// The same under loss and with an opener on either side: numbers used again never mix two lives of a stream.
#[test]
fn numbers_used_again_under_loss_do_not_mix_lives() {
    for seed in 0..30 {
        let mut pair = Pair::connected(seed + 20);
        pair.loss = 15;
        for round in 0..20 {
            let label = format!("{round}");
            let a = pair.ends[A].open(pair.now, ChannelInit::new(label.clone())).unwrap();
            let open = |pair: &mut Pair| pair.ends[A].state(a) == ChannelState::Open;
            assert!(pair.run_until(ms(60_000), open), "seed {seed} round {round}");
            pair.ends[A].send(pair.now, a, Payload::text(label.clone())).unwrap();
            let arrived =
                |pair: &mut Pair| pair.events[B].iter().any(|event| matches!(event, Event::Readable(_)));
            assert!(pair.run_until(ms(60_000), arrived), "seed {seed} round {round}");
            let keys: Vec<_> = pair
                .take(B)
                .into_iter()
                .filter_map(|event| if let Event::Announced(key) = event { Some(key) } else { None })
                .collect();
            assert_eq!(keys.len(), 1, "seed {seed} round {round}");
            assert_eq!(pair.ends[B].init(keys[0]).map(ChannelInit::label), Some(label.as_str()));
            assert_eq!(pair.recv_all(B, keys[0]), [Payload::text(label)]);
            pair.ends[A].close(pair.now, a);
            let closed = |pair: &mut Pair| pair.ends[A].state(a) == ChannelState::Closed;
            assert!(pair.run_until(ms(60_000), closed), "seed {seed} round {round}");
            pair.take(A);
        }
    }
}

/// Users 58, `dc_association_loss_reports_error`, L7.
#[test]
fn the_end_of_the_association_ends_every_channel() {
    let (mut pair, a, b) = Pair::with_channel(11, ChannelInit::new("x"));
    pair.ends[A].send(pair.now, a, Payload::text("last")).unwrap();
    pair.run_for(ms(100));
    pair.take(B);
    pair.ends[A].abort(pair.now, "tab closed");
    pair.run_for(ms(100));
    assert_eq!(
        pair.take(B),
        [
            Event::Closed(b, ChannelEnd::Association),
            Event::AssociationClosed(AssociationEnd::PeerAbort(Some(12)))
        ]
    );
    assert_eq!(
        pair.ends[B].send(pair.now, b, Payload::text("x")),
        Err(SendError::NotOpen(Payload::text("x")))
    );
    assert_eq!(pair.recv_all(B, b), [Payload::text("last")], "what arrived may still be pulled");
    pair.ends[B].close(pair.now, b);
    pair.ends[B].start(pair.now, Role::Client);
    assert_eq!(pair.ends[B].poll_timeout(), None);
    assert_eq!(pair.ends[B].poll_event(), None);
}

/// Reliability and order are those of the channel.
#[test]
fn unreliable_channels_lose_messages_and_stay_open() {
    let init =
        ChannelInit::new("x").with_order(Order::Unordered).with_reliability(Reliability::MaxRetransmits(0));
    let (mut pair, a, b) = Pair::with_channel(12, init.clone());
    assert_eq!(pair.ends[B].init(b), Some(&init));
    pair.loss = 30;
    let mut got = 0;
    for number in 0..600 {
        pair.ends[A].send(pair.now, a, Payload::text(format!("{number}"))).unwrap();
        pair.run_for(ms(20));
        got += pair.recv_all(B, b).len();
    }
    assert!((300..550).contains(&got), "{got}");
    assert_eq!(pair.ends[A].state(a), ChannelState::Open);
    assert_eq!(pair.ends[B].state(b), ChannelState::Open);
}

/// RFC 8841 §10.3: a new DTLS association takes a new SCTP association with it, in other roles if need be.
#[test]
fn renewed_ends_begin_anew() {
    let (mut pair, a, b) = Pair::with_channel(31, ChannelInit::new("old"));
    pair.ends[B].send(pair.now, b, Payload::text("unread")).unwrap();
    pair.run_for(ms(300));
    let _ = [pair.take(A), pair.take(B)];
    for side in [A, B] {
        let rng = Box::new(Seeded::new(77 + side as u64));
        pair.ends[side].renew(pair.now, rng);
    }
    pair.flush();
    assert_eq!(pair.take(A), [Event::Closed(a, ChannelEnd::Association)]);
    assert_eq!(pair.take(B), [Event::Closed(b, ChannelEnd::Association)]);
    assert_eq!(pair.recv_all(A, a), [Payload::text("unread")], "what had arrived can still be read");
    let new = pair.ends[B].open(pair.now, ChannelInit::new("new")).unwrap();
    assert_eq!(pair.ends[B].state(new), ChannelState::Connecting);
    pair.ends[A].start(pair.now, Role::Server);
    pair.ends[B].start(pair.now, Role::Client);
    assert_eq!(pair.ends[B].id(new), Some(ChannelId(0)), "by the new role");
    pair.run_for(ms(300));
    let [Event::Connected { .. }, Event::Announced(other)] = pair.take(A)[..] else { panic!() };
    pair.ends[B].send(pair.now, new, Payload::text("again")).unwrap();
    pair.run_for(ms(300));
    assert_eq!(pair.recv_all(A, other), [Payload::text("again")]);
    // Before there was an association there is nothing to renew.
    let mut fresh = Pair::new(32);
    let waiting = fresh.ends[A].open(fresh.now, ChannelInit::new("waits")).unwrap();
    fresh.ends[A].renew(fresh.now, Box::new(Seeded::new(1)));
    assert_eq!(fresh.ends[A].state(waiting), ChannelState::Connecting);
}

/// Users 50: what nobody has read stands in the window only while its channel lives; then it is the program's or gone.
/// What was queued behind it comes out of its own channel or not at all.
#[test]
fn users_50_nothing_of_a_closed_channel_reaches_the_next() {
    let (mut pair, old, _) = Pair::with_channel(50, ChannelInit::new("old"));
    let mut refused = 0;
    for _ in 0..40 {
        // More than the window: a part waits here, and nobody reads there.
        let sent = pair.ends[A].send(pair.now, old, Payload::binary(vec![1; 40_000]));
        refused += usize::from(sent.is_err());
        pair.run_for(ms(50));
    }
    assert!(refused < 40);
    pair.ends[A].close(pair.now, old);
    pair.run_for(ms(5_000));
    let b = pair.ends[B].stats();
    // The reader gives up without reading.
    let key = match pair.take(B)[..] {
        [Event::Readable(key), ..] => key,
        ref events => panic!("{events:?}"),
    };
    pair.ends[B].close(pair.now, key);
    let gone = |pair: &mut Pair| pair.ends[A].state(old) == ChannelState::Closed;
    assert!(pair.run_until(ms(20_000), gone), "{:?}", pair.ends);
    assert_eq!(pair.ends[B].state(key), ChannelState::Closed);
    pair.take(A);
    pair.take(B);
    // The same number again: an empty queue, a whole window, and only its own messages.
    let new = pair.ends[A].open(pair.now, ChannelInit::new("new")).unwrap();
    assert_eq!(pair.ends[A].id(new), Some(ChannelId(0)));
    assert_eq!(pair.ends[A].buffered_amount(new), 0);
    pair.run_for(ms(500));
    let new_b = pair.announced(B);
    pair.ends[A].send(pair.now, new, Payload::text("mine")).unwrap();
    pair.run_for(ms(500));
    assert_eq!(pair.recv_all(B, new_b), [Payload::text("mine")]);
    assert!(pair.recv_all(B, key).is_empty(), "closed by the reader: nothing is kept for it");
    let after = pair.ends[B].stats();
    assert!(after.messages_dropped > b.messages_dropped, "{after:?}");
    assert!(pair.ends[A].stats().peer_window >= 1 << 19, "{:?}", pair.ends[A].stats());
    assert!(pair.ends[A].is_flushed());
}

/// Users 41: however unreliable the channel, its opening is repeated until it arrives.
#[test]
fn users_41_the_opening_is_never_given_up() {
    for reliability in [Reliability::MaxRetransmits(0), Reliability::MaxLifetime(ms(1))] {
        let mut pair = Pair::connected(41);
        pair.loss = 100;
        let init = ChannelInit::new("x").with_reliability(reliability).with_order(Order::Unordered);
        let a = pair.ends[A].open(pair.now, init.clone()).unwrap();
        pair.run_for(ms(2_000));
        assert_eq!(pair.ends[A].state(a), ChannelState::Connecting);
        pair.loss = 0;
        pair.run_for(ms(5_000));
        assert_eq!(pair.take(A), [Event::Opened(a)]);
        let b = pair.announced(B);
        assert_eq!(pair.ends[B].init(b), Some(&init));
    }
}
