//! What the operating system refuses.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{connection, next_channel, within};
use peerconnection::{
    Configuration, DataChannelInit, Description,
    tokio::{Message, PeerConnection},
};

/// Candidates that a socket of the loopback interface cannot reach: the system refuses to send there, or nobody listens.
const UNREACHABLE: &str = "a=candidate:91 1 udp 2130706431 203.0.113.1 9 typ host\r\n\
    a=candidate:92 1 udp 2130706430 198.51.100.255 9 typ host\r\n\
    a=candidate:93 1 udp 2130706429 127.0.0.1 9 typ host\r\n\
    a=candidate:94 1 udp 2130706428 10.255.255.255 9 typ host\r\n\
    a=candidate:95 1 udp 2130706427 2001:db8::1 9 typ host\r\n\
    a=candidate:96 1 udp 2130706426 240.0.0.1 9 typ host\r\n";

/// The local description with candidates put before its own, which so are the last to be tried.
fn with_unreachable(connection: &PeerConnection) -> String {
    let text = connection.local_description().expect("one").sdp();
    let at = text.find("a=candidate:").expect("candidates");
    let (before, after) = text.split_at(at);
    format!("{before}{UNREACHABLE}{after}")
}

/// Users 77: sends that fail, at both ends, before and after the connection is up, end nothing.
#[tokio::test]
async fn users_77_socket_errors_never_end_the_driver() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let (b, mut b_events) = connection(Configuration::default()).await;
    let mut channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    for round in 0..3 {
        a.set_local_description(None).await.expect("an offer");
        a.gathering_complete().await.expect("gathered");
        let offer = Description::offer(&with_unreachable(&a)).expect("readable");
        b.set_remote_description(offer).await.expect("taken");
        b.set_local_description(None).await.expect("an answer");
        b.gathering_complete().await.expect("gathered");
        let answer = Description::answer(&with_unreachable(&b)).expect("readable");
        a.set_remote_description(answer).await.expect("taken");
        within("connected", a.connected()).await.expect("connected");
        if round == 0 {
            let mut other = within("the channel", next_channel(&mut b_events)).await;
            tokio::spawn(async move {
                while let Some(message) = other.recv().await {
                    if other.send(message).await.is_err() {
                        break;
                    }
                }
            });
        }
        for size in [1, 60_000] {
            channel.send(vec![round; size]).await.expect("open");
            assert_eq!(within("echo", channel.recv()).await, Some(Message::from(vec![round; size])));
        }
        // And again, with new checks to all of them.
        a.restart_ice().await.expect("open");
    }
    let stats = a.stats().await.expect("open");
    assert!(stats.ice.pairs.len() >= 2, "the others were tried: {:#?}", stats.ice.pairs);
}
