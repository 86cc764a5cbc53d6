//! The two cryptographic back ends in one call.

#![cfg(all(feature = "aws-lc-rs", feature = "rustcrypto", feature = "tokio"))]

use peerlane::{
    Configuration, DataChannelInit, Description, Event, Loopback, Message, PeerConnection,
    crypto::{self, Provider},
};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

/// Each with itself and each with the other, as the client of the handshake and as its server.
#[tokio::test]
async fn they_call_each_other() {
    let back_ends = [crypto::aws_lc_rs::provider(), crypto::rustcrypto::provider()];
    for ours in back_ends {
        for theirs in back_ends {
            let call = tokio::time::timeout(Duration::from_secs(20), call(ours, theirs));
            call.await.unwrap_or_else(|_| panic!("{} does not reach {}", ours.name(), theirs.name()));
        }
    }
}

async fn call(ours: Provider, theirs: Provider) {
    let build = |provider| {
        let builder = PeerConnection::builder().configuration(Configuration::new(provider));
        builder.bind([IpAddr::V4(Ipv4Addr::LOCALHOST)]).loopback(Loopback::Include).build()
    };
    let (a, _a_events) = build(ours).await.expect("a connection");
    let (b, mut b_events) = build(theirs).await.expect("a connection");
    let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    let offer = described(&a).await;
    b.set_remote_description(Description::offer(&offer).expect("readable")).await.expect("taken");
    let answer = described(&b).await;
    a.set_remote_description(Description::answer(&answer).expect("readable")).await.expect("taken");
    channel.opened().await.expect("open");
    channel.send("hello").await.expect("sent");
    let mut other = loop {
        if let Event::DataChannel(channel) = b_events.next().await.expect("an event") {
            break channel;
        }
    };
    assert_eq!(other.recv().await, Some(Message::Text("hello".to_owned())));
    a.close().await;
    b.close().await;
}

async fn described(connection: &PeerConnection) -> String {
    connection.set_local_description(None).await.expect("a description");
    connection.gathering_complete().await.expect("gathered");
    connection.local_description().expect("a description").sdp()
}
