//! Two connections of one process over the loopback interface.

use peerconnection::{
    AnswerOptions, Configuration, DataChannelInit, OfferOptions,
    tokio::{DataChannel, Event, Events, Loopback, PeerConnection},
};
use std::{future::Future, net::IpAddr, pin::pin, task::Poll, time::Duration};

/// No test waits longer than this for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn connection(configuration: Configuration) -> (PeerConnection, Events) {
    PeerConnection::builder()
        .configuration(configuration)
        .bind([IpAddr::from([127, 0, 0, 1])])
        .loopback(Loopback::Include)
        .build()
        .await
        .expect("a connection")
}

/// Offer, answer, all candidates in the descriptions.
pub(crate) async fn negotiate(a: &PeerConnection, b: &PeerConnection) {
    a.set_local_description(a.create_offer(OfferOptions::new()).await.expect("an offer")).await.expect("set");
    a.gathering_complete().await.expect("gathered");
    b.set_remote_description(a.local_description().expect("an offer")).await.expect("taken");
    b.set_local_description(b.create_answer(AnswerOptions::new()).await.expect("an answer"))
        .await
        .expect("set");
    b.gathering_complete().await.expect("gathered");
    a.set_remote_description(b.local_description().expect("an answer")).await.expect("taken");
}

/// The next channel that the other side opens.
pub(crate) async fn next_channel(events: &mut Events) -> DataChannel {
    loop {
        if let Event::DataChannel(channel) = events.next().await.expect("the connection has ended") {
            return channel;
        }
    }
}

/// Waits, but not for ever.
pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

/// Polls a future so often, each time after everybody else had a turn, and drops it. `None` when it was not done.
pub(crate) async fn poll_times<F: Future>(future: F, times: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        let polled = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Two connections with an open channel.
pub(crate) struct Pair {
    pub(crate) a: PeerConnection,
    pub(crate) a_events: Events,
    pub(crate) b: PeerConnection,
    pub(crate) b_events: Events,
    pub(crate) a_channel: DataChannel,
    pub(crate) b_channel: DataChannel,
}

impl Pair {
    pub(crate) async fn new(a: Configuration, b: Configuration) -> Self {
        let (a, a_events) = connection(a).await;
        let (b, mut b_events) = connection(b).await;
        let a_channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
        negotiate(&a, &b).await;
        let b_channel = within("the channel", next_channel(&mut b_events)).await;
        within("open", a_channel.opened()).await.expect("open");
        Self { a, a_events, b, b_events, a_channel, b_channel }
    }
}
