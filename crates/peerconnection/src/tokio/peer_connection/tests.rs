//! What the application sees of sockets that take nothing.

use super::PeerConnection;
use crate::{
    AnswerOptions, Configuration, DataChannelInit, OfferOptions, PeerConnectionState,
    tokio::{DataChannel, Events, Loopback, SendError, UdpMux},
};
use std::{future::Future, net::SocketAddr, time::Duration};
use tokio::runtime::Builder;

/// No test waits longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(20);

async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn connection(port: Option<UdpMux>) -> (PeerConnection, Events) {
    let configuration = Configuration::default().with_send_buffer(1 << 14);
    let builder = PeerConnection::builder().configuration(configuration).loopback(Loopback::Include);
    let builder = match port {
        Some(port) => builder.udp_mux(port),
        None => builder.bind([anywhere().ip()]),
    };
    builder.build().await.expect("a connection")
}

async fn negotiate(a: &PeerConnection, b: &PeerConnection) {
    a.set_local_description(a.create_offer(OfferOptions::new()).await.expect("an offer")).await.expect("set");
    a.gathering_complete().await.expect("gathered");
    b.set_remote_description(a.local_description().expect("an offer")).await.expect("taken");
    b.set_local_description(b.create_answer(AnswerOptions::new()).await.expect("one")).await.expect("set");
    b.gathering_complete().await.expect("gathered");
    a.set_remote_description(b.local_description().expect("an answer")).await.expect("taken");
}

async fn stick(connection: &PeerConnection) {
    connection.link.call(|driver, _| driver.stick()).await.expect("open");
}

/// A driver that is ready all the time has a turn whenever the others have one.
async fn does_not_spin(connection: &PeerConnection) {
    let turns = async || connection.link.call(|driver, _| driver.turns).await.expect("open");
    let before = turns().await;
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    let taken = turns().await - before;
    assert!(taken < 1_000, "{taken} turns with nothing to do");
}

/// Fills a connected side: its socket is stuck, its send buffer full.
async fn fill(a: &PeerConnection, channel: &DataChannel) {
    within("connected", a.connected()).await.expect("connected");
    within("open", channel.opened()).await.expect("open");
    stick(a).await;
    let refused = loop {
        match channel.try_send(vec![0; 4_000]) {
            Ok(()) => tokio::task::yield_now().await,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, SendError::Full(_)), "{refused}");
}

/// The farewell that cannot be sent is given up after a while, and `close` returns.
#[tokio::test]
async fn close_returns_when_the_socket_takes_nothing() {
    let (a, mut a_events) = connection(None).await;
    let (b, _b_events) = connection(None).await;
    let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    negotiate(&a, &b).await;
    fill(&a, &channel).await;
    // Commands are answered meanwhile, and what is due and cannot be sent does not keep the driver busy.
    within("stats", a.stats()).await.expect("open");
    assert_eq!(a.connection_state(), PeerConnectionState::Connected);
    does_not_spin(&a).await;
    tokio::join!(within("close", a.close()), within("close", a.close()));
    within("the end of the events", async { while a_events.next().await.is_some() {} }).await;
    assert!(matches!(channel.try_send("late"), Err(SendError::Closed(_))));
    within("close", b.close()).await;
}

/// The same before anything has been agreed on, and without a close: the handle is dropped.
#[tokio::test]
async fn a_dropped_connection_ends_when_the_socket_takes_nothing() {
    for is_negotiated in [false, true] {
        let (a, mut a_events) = connection(None).await;
        let (b, _b_events) = connection(None).await;
        let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
        stick(&a).await;
        if is_negotiated {
            negotiate(&a, &b).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            does_not_spin(&a).await;
        }
        drop(a);
        within("the end of the events", async { while a_events.next().await.is_some() {} }).await;
        assert!(matches!(within("a send", channel.send("late")).await, Err(SendError::Closed(_))));
        within("close", b.close()).await;
    }
}

/// A shared port that is full when its runtime goes never takes data again: its connections neither spin nor hang.
#[tokio::test]
async fn a_full_port_whose_runtime_is_gone_does_not_make_the_driver_spin() {
    let other = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let port = other.spawn(UdpMux::bind(anywhere())).await.expect("no panic").expect("a port");
    let (a, _a_events) = connection(Some(port)).await;
    let (b, _b_events) = connection(None).await;
    let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    negotiate(&a, &b).await;
    fill(&a, &channel).await;
    other.shutdown_background();
    tokio::time::sleep(Duration::from_millis(100)).await;
    does_not_spin(&a).await;
    within("close", a.close()).await;
    within("close", b.close()).await;
}
