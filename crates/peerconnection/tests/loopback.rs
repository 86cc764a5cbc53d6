//! Two connections of one process over real sockets.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{connection, negotiate, next_channel, within};
use peerconnection::{
    Configuration, DataChannelInit, Direction, ErrorKind, MediaKind, PeerConnectionState, TransceiverInit,
    tokio::Message,
};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn a_message_goes_there_and_back() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let (b, mut b_events) = connection(Configuration::default()).await;
    let mut channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    negotiate(&a, &b).await;
    let outcome = timeout(Duration::from_secs(10), async {
        a.connected().await.expect("connected");
        b.connected().await.expect("connected");
        channel.send("hello").await.expect("open");
        let mut other = next_channel(&mut b_events).await;
        assert_eq!(other.label(), "chat");
        assert_eq!(other.recv().await, Some(Message::Text("hello".into())));
        other.send(vec![7; 200_000]).await.expect("open");
        assert_eq!(channel.recv().await.map(|message| message.len()), Some(200_000));
    })
    .await;
    if outcome.is_err() {
        panic!("not done in time: {:#?}\n{:#?}", a.stats().await, b.stats().await);
    }
    a.close().await;
    timeout(Duration::from_secs(2), b.close()).await.expect("closed");
}

/// The peer was replaced, as when a server fails over or a tab was loaded anew: an ICE restart that another connection
/// answers. DTLS, SRTP and SCTP begin anew; channels of the old peer end, channels to the new one open.
#[tokio::test]
async fn a_restart_may_be_answered_by_another_peer() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let (first, mut first_events) = connection(Configuration::default()).await;
    let mut old = a.create_data_channel("old", DataChannelInit::new()).await.expect("a channel");
    negotiate(&a, &first).await;
    let mut other = within("the channel", next_channel(&mut first_events)).await;
    old.send("hello").await.expect("open");
    assert_eq!(within("it", other.recv()).await, Some(Message::from("hello")));
    // The first peer goes; its channel ends, the connection waits for what the application does.
    drop((first, first_events, other));

    let (second, mut second_events) = connection(Configuration::default()).await;
    a.restart_ice().await.expect("open");
    negotiate(&a, &second).await;
    assert_eq!(within("the end", old.recv()).await, None);
    let new = a.create_data_channel("new", DataChannelInit::new()).await.expect("a channel");
    new.send("to the second").await.expect("queued");
    let mut other = within("the channel", next_channel(&mut second_events)).await;
    assert_eq!(other.label(), "new");
    assert_eq!(within("it", other.recv()).await, Some(Message::from("to the second")));
    within("close", a.close()).await;
    within("close", second.close()).await;
}

/// After the end the counters are still there.
#[tokio::test]
async fn stats_outlive_the_connection() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let (b, mut b_events) = connection(Configuration::default()).await;
    let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    negotiate(&a, &b).await;
    channel.send("hello").await.expect("queued");
    let mut other = within("the channel", next_channel(&mut b_events)).await;
    within("it", other.recv()).await.expect("a message");
    within("close", a.close()).await;
    let stats = within("stats", a.stats()).await.expect("kept");
    assert_eq!(stats.connection_state, PeerConnectionState::Closed);
    assert_eq!(stats.data.messages_sent, 1);
    assert_eq!(stats.transport.tls_version.as_deref(), Some("FEFD"));
}

/// A sender is one connection's own.
#[tokio::test]
async fn a_sender_of_another_connection_is_refused() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let (b, _b_events) = connection(Configuration::default()).await;
    let [of_a, of_b] = [
        a.add_track(MediaKind::Audio, TransceiverInit::new()).await.expect("a sender"),
        b.add_track(MediaKind::Audio, TransceiverInit::new()).await.expect("a sender"),
    ];
    let refused = a.remove_track(&of_b).await.expect_err("not its own");
    assert_eq!(refused.kind(), ErrorKind::InvalidAccessError);
    assert_eq!(of_a.transceiver().direction(), Direction::SendRecv);
    a.remove_track(&of_a).await.expect("its own");
}
