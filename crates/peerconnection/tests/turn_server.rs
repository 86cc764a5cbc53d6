//! The embedded TURN server, with connections that use nothing else.
#![cfg(feature = "turn-server")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{connection, negotiate, next_channel, within};
use peerconnection::{
    Configuration, DataChannelInit, IceServer, IceTransportPolicy, OfferOptions,
    tokio::{Event, Events, Message, PeerConnection, TurnServer},
};
use std::time::Duration;

const USER: (&str, &str) = ("ann", "a secret");

async fn server() -> TurnServer {
    let loopback = "127.0.0.0/8".parse().expect("a network");
    TurnServer::builder().user(USER.0, USER.1).allow_peers(loopback).start().await.expect("a server")
}

async fn relay_only(server: &TurnServer, password: &str) -> (PeerConnection, Events) {
    let url = format!("turn:{}?transport=udp", server.local_addr());
    let servers = [IceServer::with_credentials([url], USER.0, password).expect("a server")];
    let configuration = Configuration::default()
        .with_ice_servers(servers)
        .with_ice_transport_policy(IceTransportPolicy::Relay);
    connection(configuration).await
}

#[tokio::test]
async fn two_peers_meet_at_the_relay() {
    let server = server().await;
    let (a, _a_events) = relay_only(&server, USER.1).await;
    let (b, mut b_events) = relay_only(&server, USER.1).await;
    let mut channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    negotiate(&a, &b).await;
    let mut other = within("the channel", next_channel(&mut b_events)).await;
    channel.send("over the relay").await.expect("open");
    assert_eq!(within("it", other.recv()).await, Some(Message::from("over the relay")));
    for side in [&a, &b] {
        let sdp = side.local_description().expect("one").sdp();
        let candidates: Vec<&str> = sdp.lines().filter(|line| line.starts_with("a=candidate:")).collect();
        assert!(!candidates.is_empty() && candidates.iter().all(|line| line.contains(" typ relay")), "{sdp}");
        assert!(!sdp.contains(&server.local_addr().port().to_string()), "no other address of ours: {sdp}");
    }
    // More than a batch, there and back.
    for size in [1, 1_200, 60_000, 250_000] {
        other.send(vec![7; size]).await.expect("open");
        assert_eq!(within("back", channel.recv()).await.map(|message| message.len()), Some(size));
    }
    within("close", a.close()).await;
    within("close", b.close()).await;
}

#[tokio::test]
async fn a_wrong_password_is_reported_and_relays_nothing() {
    let server = server().await;
    let (a, mut events) = relay_only(&server, "a guess").await;
    let _channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    a.set_local_description(a.create_offer(OfferOptions::new()).await.expect("an offer")).await.expect("set");
    let error = within("the reason", async {
        loop {
            if let Event::IceCandidateError(error) = events.next().await.expect("open") {
                return error;
            }
        }
    })
    .await;
    assert_eq!(error.error_code, 401, "{error:?}");
    assert!(error.url.starts_with("turn:127.0.0.1:"), "{error:?}");
    within("gathered", a.gathering_complete()).await.expect("open");
    assert!(!a.local_description().expect("one").sdp().contains("a=candidate:"));
}

/// A relay is a way around the firewall: what is not allowed cannot be reached (RFC 8656 §5.3).
#[tokio::test]
async fn loopback_peers_are_refused_by_default() {
    let server = TurnServer::builder().user(USER.0, USER.1).start().await.expect("a server");
    let (a, _a_events) = relay_only(&server, USER.1).await;
    let (b, _b_events) = connection(Configuration::default()).await;
    let _channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    negotiate(&a, &b).await;
    let outcome = tokio::time::timeout(Duration::from_secs(2), a.connected()).await;
    assert!(!matches!(outcome, Ok(Ok(()))), "connected through a relay that must refuse");
}

/// Dropping the server frees its port, and its clients hear of it by silence only.
#[tokio::test]
async fn a_dropped_server_gives_its_port_back() {
    let server = server().await;
    let address = server.local_addr();
    let (a, _a_events) = relay_only(&server, USER.1).await;
    let _channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    a.set_local_description(a.create_offer(OfferOptions::new()).await.expect("an offer")).await.expect("set");
    within("gathered", a.gathering_complete()).await.expect("open");
    drop(server);
    within("free", async {
        while std::net::UdpSocket::bind(address).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    within("close", a.close()).await;
}
