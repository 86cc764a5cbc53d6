//! Two connections of one process over real sockets.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{connection, negotiate, next_channel};
use peerconnection::{Configuration, DataChannelInit, tokio::Message};
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
