//! Every way a connection can go: closed by many at once, dropped handle by handle in any order, dropped by the task
//! that reads its events, and left behind by a runtime that is shut down.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{Pair, connection, negotiate, next_channel, within};
use peerconnection::{
    Configuration, DataChannelInit, DataChannelState, ErrorKind, MediaKind, OfferOptions,
    PeerConnectionState, SignalingState, TransceiverInit,
    media::{EncodedFrame, MediaTime},
    tokio::{DataChannel, Event, Events, Loopback, Message, PeerConnection, RemoteTrack, SendError, UdpMux},
};
use std::{
    any::Any,
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Handle, Runtime};

#[expect(clippy::disallowed_methods, reason = "a frame was captured at some time")]
fn now() -> Instant {
    Instant::now()
}

fn picture(time: u64) -> EncodedFrame {
    let mut frame = vec![0x10, 2, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0];
    frame.resize(2_000, 0);
    EncodedFrame::new(frame.into(), MediaTime(time), now())
}

/// Waits until no task is left, that of this test not counted: it is none.
async fn no_task_is_left(what: &str) {
    let alive = || Handle::current().metrics().num_alive_tasks();
    for _ in 0..5_000 {
        if alive() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{what}: {} tasks are left", alive());
}

async fn muxed(port: UdpMux) -> (PeerConnection, Events) {
    let builder = PeerConnection::builder().udp_mux(port).loopback(Loopback::Include);
    builder.build().await.expect("a connection")
}

/// The handles of one side that can keep something alive, one of each kind.
async fn every_handle() -> (PeerConnection, DataChannel, [Box<dyn Any>; 7]) {
    let (a, a_events) = connection(Configuration::default()).await;
    let port = UdpMux::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
    let (b, mut b_events) = muxed(port.clone()).await;
    let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track");
    let sender = b.add_track(MediaKind::Audio, TransceiverInit::new()).await.expect("a track");
    negotiate(&a, &b).await;
    let (mut other, mut remote): (Option<DataChannel>, Option<RemoteTrack>) = (None, None);
    while other.is_none() || remote.is_none() {
        let event = within("the handles", b_events.next()).await.expect("open");
        if let Event::DataChannel(channel) = event {
            other = Some(channel);
        } else if let Event::Track(event) = event {
            remote = Some(event.track);
        }
    }
    drop(a_events);
    let (data_sender, data_receiver) = other.expect("a channel").split();
    let handles: [Box<dyn Any>; 7] = [
        Box::new(b),
        Box::new(b_events),
        Box::new(data_sender),
        Box::new(data_receiver),
        Box::new((sender.track(), sender)),
        Box::new(remote),
        Box::new(port),
    ];
    (a, channel, handles)
}

/// All orders of `n` things (Heap's algorithm).
fn orders(n: usize) -> Vec<Vec<usize>> {
    fn permute(k: usize, order: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
        if k <= 1 {
            return all.push(order.clone());
        }
        for index in 0..k {
            permute(k - 1, order, all);
            let other = if k.is_multiple_of(2) { index } else { 0 };
            order.swap(other, k - 1);
        }
    }
    let mut all = Vec::new();
    permute(n, &mut (0..n).collect(), &mut all);
    all
}

/// One order of 41: in them every handle goes first, last, and right before every other one.
fn some_orders() -> Vec<Vec<usize>> {
    orders(7).into_iter().step_by(41).collect()
}

#[test]
fn the_orders_hold_every_neighbourhood() {
    let all: BTreeSet<Vec<usize>> = orders(7).into_iter().collect();
    assert_eq!(all.len(), 5_040);
    let some = some_orders();
    let neighbours: BTreeSet<(usize, usize)> =
        some.iter().flat_map(|order| order.windows(2).map(|two| (two[0], two[1]))).collect();
    assert_eq!(neighbours.len(), 42);
    assert!((0..7).all(|kind| some.iter().any(|order| order[0] == kind)));
    assert!((0..7).all(|kind| some.iter().any(|order| order[6] == kind)));
}

/// Whatever goes first and last: no panic, no task, and the peer hears of the end.
#[tokio::test]
async fn handles_may_be_dropped_in_every_order() {
    for order in some_orders() {
        let (a, a_channel, handles) = every_handle().await;
        let mut handles = handles.map(Some);
        for (position, index) in order.iter().enumerate() {
            drop(handles[*index].take());
            // Sometimes the driver notices in between, sometimes not.
            if position % 2 == order[0] % 2 {
                tokio::task::yield_now().await;
            }
        }
        within("the news", async {
            while a_channel.ready_state() != DataChannelState::Closed {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        drop((a, a_channel));
        no_task_is_left(&format!("{order:?}")).await;
    }
}

/// Closed by eight tasks on two workers at a time, each with a clone, in the middle of a transfer; then twice again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_from_many_tasks_and_clones_at_once() {
    for round in 0..20_u64 {
        let pair = Pair::new(Configuration::default(), Configuration::default()).await;
        let track =
            pair.a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track").track();
        for time in 0..50 {
            let _ = pair.a_channel.try_send(vec![0; 30_000]);
            let _ = track.try_write(picture(time * 3_000));
        }
        let closers: Vec<_> = (0..8)
            .map(|number| {
                let side = if number % 4 == 3 { pair.b.clone() } else { pair.a.clone() };
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_micros(round * 50)).await;
                    side.close().await;
                    // Whoever has closed it finds it closed.
                    assert_eq!(side.connection_state(), PeerConnectionState::Closed);
                    assert_eq!(side.signaling_state(), SignalingState::Closed);
                    side.stats().await.expect("kept").connection_state
                })
            })
            .collect();
        for closer in closers {
            assert_eq!(within("close", closer).await.expect("no panic"), PeerConnectionState::Closed);
        }
        within("once more", pair.a.close()).await;
        within("and again", pair.a.close()).await;
    }
}

/// Closed at points that no command stands at: while gathering, between checks and handshake, while the offer is
/// withdrawn, during an ICE restart, when the peer has gone, when ICE has been refused.
#[tokio::test]
async fn close_between_the_steps_of_a_life() {
    for (name, micros) in (0..24_u64).map(|step| (step % 6, step / 6 * 700)) {
        let (a, a_events) = connection(Configuration::default()).await;
        let (b, b_events) = connection(Configuration::default()).await;
        let _channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
        match name {
            0 => a.set_local_description(None).await.expect("an offer"),
            1 => negotiate(&a, &b).await,
            2 => {
                a.set_local_description(None).await.expect("an offer");
                a.set_local_description(peerconnection::Description::rollback()).await.expect("withdrawn");
            }
            3 => {
                negotiate(&a, &b).await;
                within("connected", a.connected()).await.expect("connected");
                a.restart_ice().await.expect("open");
                a.set_local_description(None).await.expect("an offer");
            }
            4 => {
                negotiate(&a, &b).await;
                within("connected", a.connected()).await.expect("connected");
                drop((b_events, b.clone()));
                within("close", b.close()).await;
            }
            _ => {
                a.set_local_description(a.create_offer(OfferOptions::new()).await.expect("one"))
                    .await
                    .expect("set");
                a.gathering_complete().await.expect("gathered");
                let wrong =
                    a.local_description().expect("an offer").sdp().replace("ice-pwd:", "ice-pwd:wrong");
                b.set_remote_description(peerconnection::Description::offer(&wrong).expect("SDP"))
                    .await
                    .expect("taken");
                b.set_local_description(None).await.expect("an answer");
            }
        }
        tokio::time::sleep(Duration::from_micros(micros)).await;
        tokio::join!(within("close", a.close()), within("close", a.close()), within("close", b.close()));
        drop((a, a_events, b));
        no_task_is_left(&format!("point {name} after {micros} us")).await;
    }
}

/// The task that reads the events owns the connection and drops it at one event after the other, with all that came
/// before: it then sees the end.
#[tokio::test]
async fn dropped_inside_the_task_that_reads_its_events() {
    for stop in 1..10 {
        let (a, _a_events) = connection(Configuration::default()).await;
        let (b, mut b_events) = connection(Configuration::default()).await;
        let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
        a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track");
        negotiate(&a, &b).await;
        let reader = tokio::spawn(async move {
            let mut owned = Some((b, Vec::new()));
            let mut handled = 0;
            while let Some(event) = b_events.next().await {
                handled += 1;
                if let Some((_, handles)) = &mut owned {
                    handles.push(event);
                }
                if handled == stop {
                    drop(owned.take());
                }
            }
            handled
        });
        let handled = within("the end of the events", reader).await.expect("no panic");
        assert!(handled >= stop, "{handled} events, dropped at {stop}");
        within("close", a.close()).await;
        drop((a, channel));
        no_task_is_left(&format!("dropped at event {stop}")).await;
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// A runtime is shut down under two live connections: whatever waits for them elsewhere returns, nothing panics.
#[tokio::test]
async fn a_runtime_that_is_shut_down_keeps_nobody_waiting() {
    let other = runtime();
    let small = || Configuration::default().with_send_buffer(1 << 14).with_receive_buffer(1 << 16);
    let mut pair = other.spawn(async move { Pair::new(small(), small()).await }).await.expect("no panic");
    let track = pair.a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track").track();
    // The send buffer is full: the next message waits for room that will never come.
    while tokio::time::timeout(Duration::from_millis(300), pair.a_channel.send(vec![0; 8_000])).await.is_ok()
    {
    }
    let (sender, mut receiver) = pair.a_channel.split();
    let (full, low) = (sender.clone(), sender.clone());
    low.set_buffered_amount_low_threshold(0);
    let handles = [pair.a.clone(), pair.a.clone(), pair.a.clone()];
    let [closed, never, stats] = handles;
    let key_frame = track.clone();
    let waiting = [
        tokio::spawn(
            async move { assert!(matches!(full.send(vec![1; 8_000]).await, Err(SendError::Closed(_)))) },
        ),
        tokio::spawn(async move { low.buffered_amount_low().await }),
        tokio::spawn(async move { assert_eq!(receiver.recv().await, None) }),
        tokio::spawn(async move { closed.closed().await }),
        tokio::spawn(async move { never.wait_for(|_| false).await }),
        tokio::spawn(async move { key_frame.key_frame_requested().await }),
        tokio::spawn(async move { while pair.a_events.next().await.is_some() {} }),
        tokio::spawn(async move { while stats.stats().await.is_ok() {} }),
    ];
    tokio::time::sleep(Duration::from_millis(50)).await;
    other.shutdown_background();
    for (index, waiting) in waiting.into_iter().enumerate() {
        within(&format!("number {index}"), waiting).await.expect("no panic");
    }
    // Everything that is asked afterwards is answered at once.
    assert_eq!(pair.a.connection_state(), PeerConnectionState::Closed);
    assert_eq!(sender.ready_state(), DataChannelState::Closed);
    assert!(matches!(sender.try_send("late"), Err(SendError::Closed(_))));
    assert!(track.write(picture(0)).await.is_err() && track.try_write(picture(0)).is_err());
    let error = within("an offer", pair.a.create_offer(OfferOptions::new())).await.expect_err("gone");
    assert_eq!(error.kind(), ErrorKind::InvalidStateError);
    within("close of the channel", sender.close()).await;
    within("close", pair.a.close()).await;
    within("close", pair.b.close()).await;
    assert!(pair.b.stats().await.is_err(), "nobody counted");
    drop((pair.a, pair.b, pair.b_channel, pair.b_events, track, sender));
}

/// The same while the connections come up, at different moments, with both kinds of runtime and both ways to go.
#[test]
fn a_runtime_may_be_dropped_at_any_moment() {
    for micros in [0, 200, 1_000, 5_000, 20_000, 60_000] {
        for threads in [0, 1, 2] {
            let runtime = match threads {
                0 => Builder::new_current_thread().enable_all().build(),
                count => Builder::new_multi_thread().worker_threads(count).enable_all().build(),
            };
            let runtime = runtime.expect("a runtime");
            let handles = runtime.block_on(async {
                let (a, a_events) = connection(Configuration::default()).await;
                let (b, mut b_events) = connection(Configuration::default()).await;
                let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
                negotiate(&a, &b).await;
                tokio::spawn(async move {
                    let mut other = next_channel(&mut b_events).await;
                    while let Some(message) = other.recv().await {
                        let _ = other.send(message).await;
                    }
                });
                let _ = channel.send(Message::from(vec![7; 50_000])).await;
                tokio::time::sleep(Duration::from_micros(micros)).await;
                (a, b, channel, a_events)
            });
            drop(runtime);
            let (a, b, channel, a_events) = handles;
            assert_eq!(a.connection_state(), PeerConnectionState::Closed);
            assert!(channel.try_send("late").is_err());
            drop((channel, a_events, b, a));
        }
    }
}

/// The port that connections share belongs to a runtime that goes first.
#[tokio::test]
async fn the_runtime_of_a_shared_port_may_go_before_its_connections() {
    let other = runtime();
    let port = other
        .spawn(async { UdpMux::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port") })
        .await
        .expect("no panic");
    let (a, mut a_events) = muxed(port.clone()).await;
    let (b, _b_events) = connection(Configuration::default()).await;
    let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    negotiate(&a, &b).await;
    within("connected", a.connected()).await.expect("connected");
    other.shutdown_background();
    let _ = channel.try_send(vec![0; 10_000]);
    within("stats", a.stats()).await.expect("it lives, though it hears nothing");
    within("close", a.close()).await;
    within("the end of the events", async { while a_events.next().await.is_some() {} }).await;
    drop(port);
    within("close", b.close()).await;
}
