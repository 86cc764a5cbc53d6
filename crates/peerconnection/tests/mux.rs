//! Many connections on one UDP port.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{connection, negotiate, next_channel, within};
use peerconnection::{
    Configuration, DataChannelInit, OfferOptions,
    tokio::{DataChannel, Events, Loopback, Message, PeerConnection, UdpMux},
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

async fn port() -> UdpMux {
    UdpMux::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port")
}

async fn muxed(mux: &UdpMux) -> (PeerConnection, Events) {
    PeerConnection::builder()
        .configuration(Configuration::default())
        .udp_mux(mux.clone())
        .loopback(Loopback::Include)
        .build()
        .await
        .expect("a connection")
}

/// One connection on the shared port and one of its own, or two on shared ports.
struct Call {
    a: PeerConnection,
    b: PeerConnection,
    channel: DataChannel,
    other: DataChannel,
    _events: [Events; 2],
}

impl Call {
    async fn new(a: (PeerConnection, Events), b: (PeerConnection, Events)) -> Self {
        let ((a, a_events), (b, mut b_events)) = (a, b);
        let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
        negotiate(&a, &b).await;
        let other = within("the channel", next_channel(&mut b_events)).await;
        Self { a, b, channel, other, _events: [a_events, b_events] }
    }

    async fn exchange(&mut self, text: &str) {
        self.channel.send(text).await.expect("open");
        assert_eq!(within("there", self.other.recv()).await, Some(Message::from(text)));
        self.other.send(vec![7; 100_000]).await.expect("open");
        assert_eq!(within("back", self.channel.recv()).await.map(|message| message.len()), Some(100_000));
    }
}

#[tokio::test]
async fn many_connections_share_a_port() {
    let mux = port().await;
    let mut calls = Vec::new();
    for _ in 0..8 {
        calls.push(Call::new(connection(Configuration::default()).await, muxed(&mux).await).await);
    }
    for (number, call) in calls.iter_mut().enumerate() {
        call.exchange(&format!("call {number}")).await;
        let description = call.b.local_description().expect("one");
        assert!(
            description.sdp().contains(&format!(" {} typ host", mux.local_addr().port())),
            "{description:?}"
        );
    }
    // The end of one call is nothing to the others.
    for call in calls.drain(..4) {
        within("close", call.b.close()).await;
        within("close", call.a.close()).await;
    }
    for call in &mut calls {
        call.exchange("still here").await;
    }
    assert_eq!(mux.dropped().0, 0, "nothing overflowed");
}

/// Between two shared ports there is one path; protected data on it can belong to one connection only, but checks of
/// others do not disturb it.
#[tokio::test]
async fn two_shared_ports_reach_each_other() {
    let (one, two) = (port().await, port().await);
    let mut call = Call::new(muxed(&one).await, muxed(&two).await).await;
    call.exchange("first").await;
    let (third, _events) = muxed(&one).await;
    let (fourth, _events) = muxed(&two).await;
    let _channel = third.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    negotiate(&third, &fourth).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    call.exchange("not disturbed").await;
}

#[tokio::test]
async fn an_ice_restart_keeps_the_port() {
    let mux = port().await;
    let mut call = Call::new(muxed(&mux).await, connection(Configuration::default()).await).await;
    for round in 0..6 {
        call.exchange("before").await;
        let ufrag = |call: &Call| {
            let sdp = call.a.local_description().expect("one").sdp();
            sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("one").to_owned()
        };
        let before = ufrag(&call);
        call.a.restart_ice().await.expect("open");
        negotiate(&call.a, &call.b).await;
        assert_ne!(before, ufrag(&call), "round {round}");
        call.exchange("after").await;
    }
}

/// The port closes with its last handle and its last connection, and not before.
#[tokio::test]
async fn the_port_closes_when_nobody_needs_it() {
    let mux = port().await;
    let address = mux.local_addr();
    let mut call = Call::new(muxed(&mux).await, connection(Configuration::default()).await).await;
    drop(mux);
    call.exchange("without a handle").await;
    assert!(std::net::UdpSocket::bind(address).is_err(), "in use");
    within("close", call.a.close()).await;
    drop(call);
    within("free", async {
        while std::net::UdpSocket::bind(address).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// What belongs to no connection is counted, and disturbs none.
#[tokio::test]
async fn strangers_are_counted() {
    let mux = port().await;
    let mut call = Call::new(muxed(&mux).await, connection(Configuration::default()).await).await;
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for datagram in [&[22, 254, 253][..], &[128, 0], &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42], &[]] {
        for _ in 0..25 {
            stranger.send_to(datagram, mux.local_addr()).expect("sent");
        }
    }
    within("counted", async {
        while mux.dropped().1 < 75 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    call.exchange("not disturbed").await;
    let offer = call.a.create_offer(OfferOptions::new()).await;
    assert!(offer.is_ok(), "{offer:?}");
}

/// Ends the flood, however the test ends.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Users 79: a flood at one connection of a shared port, by checks with its name and by anything else, some ten thousand
/// a second. The others go on, and so does it.
#[tokio::test]
async fn users_79_a_flood_at_one_connection_leaves_the_others_alone() {
    let mux = port().await;
    let mut victim = Call::new(connection(Configuration::default()).await, muxed(&mux).await).await;
    let mut other = Call::new(connection(Configuration::default()).await, muxed(&mux).await).await;
    let sdp = victim.b.local_description().expect("one").sdp();
    let ufrag = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("one");
    let name = format!("{ufrag}:abcd");
    // A binding request with that name (RFC 8489 §14.3) and no integrity.
    let mut check = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    check.extend([0, 6, 0, name.len() as u8]);
    check.extend(name.bytes());
    check.resize(check.len().next_multiple_of(4), 0);
    check[3] = (check.len() - 20) as u8;
    let target = mux.local_addr();
    let is_over = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&is_over);
    // A test that fails must not leave the flood running.
    let _guard = Over(Arc::clone(&is_over));
    let flood = tokio::task::spawn_blocking(move || {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let mut sent = 0_u64;
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..20 {
                for datagram in [&check[..], &[22, 254, 253, 0], &[0x80, 96, 0, 0]] {
                    // A full buffer is the end of that datagram only.
                    sent += u64::from(socket.send_to(datagram, target).is_ok());
                }
            }
            // A full link is full for everybody: that is another matter.
            std::thread::sleep(Duration::from_millis(1));
        }
        sent
    });
    while mux.dropped().1 < 1_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for round in 0..10 {
        other.exchange(&format!("round {round}")).await;
    }
    is_over.store(true, Ordering::Relaxed);
    assert!(within("the flood", flood).await.expect("no panic") >= 1_000, "as many as were dropped");
    victim.exchange("still there").await;
    other.exchange("and here").await;
}
