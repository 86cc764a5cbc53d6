//! Two connections of this process over the loopback interface.

use crate::Failure;
use peerlane::{
    AnswerOptions, Configuration, Description, Events, Loopback, OfferOptions, PeerConnection, UdpMux,
    bytes::Bytes,
    media::{EncodedFrame, MediaTime},
};
use std::{error::Error, future::Future, net::IpAddr, pin::pin, task::Poll, time::Duration};

/// Nothing takes longer, unless it waits for the peer's silence.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A VP8 key frame of 64 by 496 pixels begins with this (RFC 6386 §9.1).
const KEY_FRAME: [u8; 10] = [0x10, 2, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0];
pub(crate) const FRAME_BYTES: usize = 5_000;

/// A connection on 127.0.0.1 with a port of its own, or a share in one.
pub(crate) async fn connection(
    configuration: Configuration,
    shared: Option<&UdpMux>,
) -> Result<(PeerConnection, Events), Failure> {
    let builder = PeerConnection::builder().configuration(configuration).loopback(Loopback::Include);
    let builder = match shared {
        Some(port) => builder.udp_mux(port.clone()),
        None => builder.bind([IpAddr::from([127, 0, 0, 1])]),
    };
    builder.build().await.map_err(because("a connection"))
}

/// Offer, answer, all candidates in the descriptions.
pub(crate) async fn negotiate(a: &PeerConnection, b: &PeerConnection) -> Result<(), Failure> {
    offer(a, b).await?;
    let answer = answer(b).await?;
    a.set_remote_description(answer).await.map_err(because("the answer"))
}

/// Alice's offer is in place on both sides.
pub(crate) async fn offer(a: &PeerConnection, b: &PeerConnection) -> Result<(), Failure> {
    let offer = a.create_offer(OfferOptions::new()).await.map_err(because("an offer"))?;
    a.set_local_description(offer).await.map_err(because("the offer"))?;
    within("gathering", a.gathering_complete()).await?.map_err(because("gathering"))?;
    let offer = a.local_description().ok_or("there is no offer")?;
    b.set_remote_description(offer).await.map_err(because("the offer"))
}

/// Bob's answer is in place on his side.
pub(crate) async fn answer(b: &PeerConnection) -> Result<Description, Failure> {
    let answer = b.create_answer(AnswerOptions::new()).await.map_err(because("an answer"))?;
    b.set_local_description(answer).await.map_err(because("the answer"))?;
    within("gathering", b.gathering_complete()).await?.map_err(because("gathering"))?;
    b.local_description().ok_or_else(|| "there is no answer".to_owned())
}

/// A picture with this payload behind its header.
pub(crate) fn picture(time: u64, bytes: impl FnOnce(Vec<u8>) -> Bytes) -> EncodedFrame {
    let mut frame = KEY_FRAME.to_vec();
    frame.resize(FRAME_BYTES, 0);
    EncodedFrame::new(bytes(frame), MediaTime(time), crate::measure::now())
}

/// Waits, but not for ever: what does not come is a failure with a name.
pub(crate) async fn within<F: Future>(what: &str, future: F) -> Result<F::Output, Failure> {
    tokio::time::timeout(PATIENCE, future).await.map_err(|_| format!("{what}: not within {PATIENCE:?}"))
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

/// Says what failed.
pub(crate) fn because<E: Error>(what: &str) -> impl FnOnce(E) -> Failure {
    move |error| format!("{what}: {error}")
}
