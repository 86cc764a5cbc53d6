//! What W3C says of RTCDataChannel, in the words of this API.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{Pair, connection, negotiate, next_channel, within};
use peerconnection::{
    Configuration, DataChannelEnd, DataChannelInit, DataChannelState, ErrorKind,
    tokio::{Event, Message, PeerConnection, SendError},
};
use std::time::Duration;

async fn refused(connection: &PeerConnection, label: &str, init: DataChannelInit) -> ErrorKind {
    connection.create_data_channel(label, init).await.expect_err("it is refused").kind()
}

/// B100, W3C §6.1 `createDataChannel`: what is refused, with which error; what is too large is held to its limit.
#[tokio::test]
async fn b100_channels_that_cannot_be() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let init = DataChannelInit::new;
    let long = "ü".repeat(32_768);
    assert_eq!(refused(&a, &long, init()).await, ErrorKind::TypeError);
    assert_eq!(refused(&a, "", init().protocol(long.clone())).await, ErrorKind::TypeError);
    assert_eq!(refused(&a, "", init().negotiated(65_535)).await, ErrorKind::TypeError);
    let agreed = a.create_data_channel(&long[2..], init().negotiated(7)).await.expect("the longest label");
    assert_eq!(agreed.label().len(), 65_534);
    assert_eq!(refused(&a, "", init().negotiated(7)).await, ErrorKind::OperationError);

    let lasting = init().max_packet_life_time(Duration::from_secs(1_000));
    let lasting = a.create_data_channel("", lasting).await.expect("a channel");
    assert_eq!(lasting.max_packet_life_time(), Some(Duration::from_millis(65_535)));

    within("close", a.close()).await;
    assert_eq!(refused(&a, "", init()).await, ErrorKind::InvalidStateError);
}

/// B103, W3C §6.2 `send`: refused by state and by size, and the amount buffered grows before `send` returns.
#[tokio::test]
async fn b103_what_send_refuses() {
    let (a, _a_events) = connection(Configuration::default().with_send_buffer(1_000_000)).await;
    let (b, mut b_events) = connection(Configuration::default().with_max_message_size(100_000)).await;
    let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    negotiate(&a, &b).await;
    let mut other = within("the channel", next_channel(&mut b_events)).await;
    within("open", channel.opened()).await.expect("open");
    assert_eq!(channel.max_message_size(), 100_000);
    let refused = channel.try_send(vec![1; 100_001]);
    assert!(matches!(refused, Err(SendError::TooLarge { limit: 100_000, .. })), "{refused:?}");

    channel.set_buffered_amount_low_threshold(150_000);
    for sent in 1..=9 {
        channel.try_send(vec![sent as u8; 100_000]).expect("room");
        assert_eq!(channel.buffered_amount(), sent * 100_000, "nobody had a turn to send");
    }
    let refused = channel.try_send(vec![10; 100_000]);
    assert!(matches!(refused, Err(SendError::Full(_))), "{refused:?}");
    assert_eq!(channel.buffered_amount(), 900_000);
    let read = async {
        for _ in 0..9 {
            other.recv().await.expect("a message");
        }
    };
    within("it is low", async { tokio::join!(channel.buffered_amount_low(), read) }).await;
    assert!(channel.buffered_amount() <= 150_000);

    let (sender, _receiver) = channel.split();
    within("close", sender.close()).await;
    let refused = sender.try_send("late");
    assert!(matches!(&refused, Err(SendError::Closed(Message::Text(text))) if text == "late"), "{refused:?}");
}

/// B104, W3C §6.1.1.4 "connected": channels have their numbers when they open, whatever numbers others have.
#[tokio::test]
async fn b104_numbers_when_connected() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let (b, _b_events) = connection(Configuration::default()).await;
    let last = a.create_data_channel("", DataChannelInit::new().negotiated(65_534)).await.expect("a channel");
    let first = a.create_data_channel("", DataChannelInit::new()).await.expect("a channel");
    assert_eq!((first.id(), last.id()), (None, Some(65_534)));
    negotiate(&a, &b).await;
    for channel in [&first, &last] {
        within("open", channel.opened()).await.expect("open");
    }
    assert!(first.id().is_some_and(|id| id < 2), "the lowest number of its role");
    let next = a.create_data_channel("", DataChannelInit::new()).await.expect("a channel");
    assert_eq!(next.id(), first.id().map(|id| id + 2));
}

/// B105, W3C §6.1.2: a channel of the peer is open when it is announced, and may be used from there.
#[tokio::test]
async fn b105_an_announced_channel_is_open() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let (b, mut b_events) = connection(Configuration::default()).await;
    let mut channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    negotiate(&a, &b).await;
    let handler = async {
        loop {
            if let Some(Event::DataChannel(announced)) = b_events.next().await {
                assert_eq!(announced.ready_state(), DataChannelState::Open);
                announced.try_send("at once").expect("open");
                announced.opened().await.expect("open");
                return announced;
            }
        }
    };
    let _announced = within("the channel", handler).await;
    assert_eq!(within("a message", channel.recv()).await, Some(Message::from("at once")));
}

/// B108, W3C §6.1.1.2: where no association comes to be, channels end, and say why.
#[tokio::test]
async fn b108_no_channel_without_an_association() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let (b, mut b_events) = connection(Configuration::default()).await;
    let mut channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    channel.send("queued").await.expect("room");
    negotiate(&a, &b).await;
    // Before its end of DTLS has answered, the peer is gone.
    within("close", b.close()).await;
    while within("the end", b_events.next()).await.is_some() {}
    within("close", a.close()).await;
    within("never open", channel.opened()).await.expect_err("it never opens");
    assert_eq!(channel.ready_state(), DataChannelState::Closed);
    assert_eq!(channel.end(), Some(DataChannelEnd::ConnectionClosed));
    assert_eq!(within("no message", channel.recv()).await, None);
}

/// B109, W3C §4.4.1.1 "close": every channel ends at once on this side, and by the ABORT on the other.
#[tokio::test]
async fn b109_close_ends_all_channels() {
    let mut pair = Pair::new(Configuration::default(), Configuration::default()).await;
    let mut channels = vec![(pair.a_channel, pair.b_channel)];
    for _ in 0..3 {
        let ours = pair.a.create_data_channel("more", DataChannelInit::new()).await.expect("a channel");
        let theirs = within("the channel", next_channel(&mut pair.b_events)).await;
        within("open", ours.opened()).await.expect("open");
        channels.push((ours, theirs));
    }
    within("close", pair.a.close()).await;
    for (ours, theirs) in channels {
        assert_eq!(ours.ready_state(), DataChannelState::Closed);
        assert_eq!(ours.end(), Some(DataChannelEnd::ConnectionClosed));
        assert_eq!(within("the end", theirs.closed()).await, DataChannelEnd::Association);
        assert_eq!(theirs.ready_state(), DataChannelState::Closed);
    }
}
