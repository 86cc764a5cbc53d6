//! Two connections of one process over real sockets.
#![cfg(feature = "tokio")]

use peerconnection::{
    AnswerOptions, Configuration, DataChannelInit, OfferOptions,
    tokio::{Event, Events, Loopback, Message, PeerConnection},
};
use std::{net::IpAddr, time::Duration};
use tokio::time::timeout;

async fn connection() -> (PeerConnection, Events) {
    PeerConnection::builder()
        .configuration(Configuration::default())
        .bind([IpAddr::from([127, 0, 0, 1])])
        .loopback(Loopback::Include)
        .build()
        .await
        .unwrap()
}

/// Offer, answer, all candidates in the descriptions.
async fn negotiate(a: &PeerConnection, b: &PeerConnection) {
    a.set_local_description(a.create_offer(OfferOptions::new()).await.unwrap()).await.unwrap();
    a.gathering_complete().await.unwrap();
    b.set_remote_description(a.local_description().unwrap()).await.unwrap();
    b.set_local_description(b.create_answer(AnswerOptions::new()).await.unwrap()).await.unwrap();
    b.gathering_complete().await.unwrap();
    a.set_remote_description(b.local_description().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_message_goes_there_and_back() {
    let (a, _a_events) = connection().await;
    let (b, mut b_events) = connection().await;
    let mut channel = a.create_data_channel("chat", DataChannelInit::new()).await.unwrap();
    negotiate(&a, &b).await;
    let outcome = timeout(Duration::from_secs(10), async {
        a.connected().await.unwrap();
        b.connected().await.unwrap();
        channel.send("hello").await.unwrap();
        let mut other = loop {
            if let Some(Event::DataChannel(channel)) = b_events.next().await {
                break channel;
            }
        };
        assert_eq!(other.label(), "chat");
        assert_eq!(other.recv().await, Some(Message::Text("hello".into())));
        other.send(vec![7; 200_000]).await.unwrap();
        assert_eq!(channel.recv().await.map(|message| message.len()), Some(200_000));
    })
    .await;
    if outcome.is_err() {
        panic!("not done in time: {:#?}\n{:#?}", a.stats().await, b.stats().await);
    }
    a.close().await;
    timeout(Duration::from_secs(2), b.close()).await.unwrap();
}
