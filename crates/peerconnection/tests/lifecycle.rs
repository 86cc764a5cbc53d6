//! Ends and interruptions of the asynchronous API: closing, dropping, cancelling, at every point.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{Pair, connection, negotiate, next_channel, poll_times, within};
use peerconnection::{
    AnswerOptions, Configuration, DataChannelInit, DataChannelState, Description, Direction, ErrorKind,
    IceCandidateInit, MediaKind, OfferOptions, PeerConnectionState, SignalingState, TransceiverInit,
    media::{EncodedFrame, MediaTime},
    tokio::{Event, Message, PeerConnection, RemoteTrack, SendError, WriteError},
};
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "a frame was captured at some time")]
fn now() -> Instant {
    Instant::now()
}

fn picture(time: u64) -> EncodedFrame {
    let mut frame = vec![0x10, 2, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0];
    frame.resize(2_000, 0);
    EncodedFrame::new(frame.into(), MediaTime(time), now())
}

async fn next_track(events: &mut peerconnection::tokio::Events) -> RemoteTrack {
    loop {
        if let Event::Track(event) = events.next().await.expect("the connection has ended") {
            return event.track;
        }
    }
}

/// The last handle is dropped, without a close, while a channel and a track are held: the connection ends all the same,
/// and the readers hear of it. Nothing keeps it open but its handles.
#[tokio::test]
async fn the_last_handle_ends_the_connection() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let (b, mut b_events) = connection(Configuration::default()).await;
    let a_channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    let a_track = a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track");
    negotiate(&a, &b).await;
    let mut b_track = within("the track", next_track(&mut b_events)).await;
    let mut b_channel = within("the channel", next_channel(&mut b_events)).await;
    within("connected", a.connected()).await.expect("connected");
    let (second, transceivers) = (b.clone(), b.transceivers().await.expect("open"));
    drop(b);
    a_channel.send("still there?").await.expect("open");
    let received = within("a message", b_channel.recv()).await;
    assert_eq!(received, Some(Message::from("still there?")), "one handle is left");
    drop(second);
    assert_eq!(within("the end of the channel", b_channel.recv()).await, None);
    assert_eq!(within("the end of the track", b_track.recv_frame()).await, None);
    within("the end of the events", async { while b_events.next().await.is_some() {} }).await;
    assert_eq!(b_channel.ready_state(), DataChannelState::Closed);
    assert!(transceivers.iter().all(|transceiver| transceiver.stopped()));
    let late = b_channel.try_send("late").expect_err("closed");
    assert!(matches!(late, SendError::Closed(_)), "{late}");
    // The other side was told.
    let told = async {
        while a_channel.ready_state() != DataChannelState::Closed {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the news", told).await;
    drop(a_track);
}

/// Users 73: everything that waits when the connection closes returns, and says that it is closed.
#[tokio::test]
async fn users_73_close_ends_everything_that_waits() {
    let (a, mut events) = connection(Configuration::default()).await;
    let mut channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    let track = a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track").track();
    a.set_local_description(None).await.expect("an offer");
    let handle = a.clone();
    let waiting = [
        tokio::spawn(async move { handle.connected().await.is_err() }),
        tokio::spawn({
            let a = a.clone();
            async move {
                a.wait_for(|_| false).await;
                true
            }
        }),
        tokio::spawn({
            let a = a.clone();
            async move {
                a.closed().await;
                true
            }
        }),
        tokio::spawn(async move {
            while events.next().await.is_some() {}
            true
        }),
        tokio::spawn(async move {
            let opened = channel.opened().await.is_err();
            opened && channel.recv().await.is_none()
        }),
        tokio::spawn({
            let a = a.clone();
            async move {
                a.close().await;
                a.connection_state() == PeerConnectionState::Closed
            }
        }),
    ];
    tokio::join!(within("close", a.close()), within("a second", a.close()), within("a third", a.close()));
    for (index, waiting) in waiting.into_iter().enumerate() {
        assert!(within("a future that waits", waiting).await.expect("no panic"), "number {index}");
    }
    within("once more", a.close()).await;
    assert!(matches!(track.write(picture(0)).await, Err(WriteError::Closed(_))));
    all_is_refused(&a).await;
}

/// Users 73: a writer that waits for the request of a key frame is let go as well.
#[tokio::test]
async fn users_73_close_ends_the_wait_for_a_key_frame_request() {
    let (a, _events) = connection(Configuration::default()).await;
    let track = a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track").track();
    let waiting = tokio::spawn(async move { track.key_frame_requested().await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    within("close", a.close()).await;
    within("the writer", waiting).await.expect("no panic");
}

async fn all_is_refused(a: &PeerConnection) {
    let refused = [
        a.create_offer(OfferOptions::new()).await.map(drop),
        a.create_answer(AnswerOptions::new()).await.map(drop),
        a.set_local_description(None).await,
        a.set_remote_description(Description::rollback()).await,
        a.add_ice_candidate(None).await,
        a.create_data_channel("", DataChannelInit::new()).await.map(drop),
        a.add_transceiver(MediaKind::Audio, TransceiverInit::new()).await.map(drop),
        a.add_track(MediaKind::Audio, TransceiverInit::new()).await.map(drop),
        a.transceivers().await.map(drop),
        a.restart_ice().await,
        a.set_ice_servers(Vec::new()).await,
        a.configuration().await.map(drop),
        a.connected().await,
    ];
    for (index, outcome) in refused.into_iter().enumerate() {
        assert_eq!(outcome.expect_err("closed").kind(), ErrorKind::InvalidStateError, "command {index}");
    }
    // Reading is not changing: the counters outlive the connection.
    assert_eq!(a.stats().await.expect("kept").connection_state, PeerConnectionState::Closed);
    assert_eq!(a.connection_state(), PeerConnectionState::Closed);
    assert_eq!(a.signaling_state(), SignalingState::Closed);
}

/// Users 73 and 74: closed at one point after the other of its life, with the stats before each.
#[tokio::test]
async fn users_73_and_74_close_and_stats_at_every_point() {
    for steps in 0..9 {
        let (a, mut a_events) = connection(Configuration::default()).await;
        let (b, mut b_events) = connection(Configuration::default()).await;
        let mut left = steps;
        let life = async {
            let mut step = async |what: &str| {
                for side in [&a, &b] {
                    let stats = side.stats().await.expect("open");
                    assert_eq!(stats.connection_state, side.connection_state(), "{what}");
                }
                left -= 1;
                (left >= 0).then_some(())
            };
            step("new").await?;
            let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
            let track = a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track").track();
            step("a channel and a track").await?;
            a.set_local_description(None).await.expect("an offer");
            step("offered").await?;
            a.gathering_complete().await.expect("gathered");
            b.set_remote_description(a.local_description().expect("an offer")).await.expect("taken");
            step("offer taken").await?;
            b.set_local_description(None).await.expect("an answer");
            step("answered").await?;
            b.gathering_complete().await.expect("gathered");
            a.set_remote_description(b.local_description().expect("an answer")).await.expect("taken");
            step("agreed").await?;
            within("connected", a.connected()).await.expect("connected");
            step("connected").await?;
            let _other = within("the channel", next_channel(&mut b_events)).await;
            for time in 0..50 {
                let _ = channel.try_send(vec![0; 30_000]);
                let _ = track.try_write(picture(time * 3_000));
            }
            step("in the middle of a transfer").await?;
            Some(())
        };
        let _: Option<()> = life.await;
        tokio::join!(within("close", a.close()), within("close", b.close()));
        all_is_refused(&a).await;
        all_is_refused(&b).await;
        within("the end of the events", async { while a_events.next().await.is_some() {} }).await;
    }
}

/// Users 53: what is sent before the channel is open is queued and delivered, in order.
#[tokio::test]
async fn users_53_messages_sent_before_open_arrive() {
    let (a, _a_events) = connection(Configuration::default()).await;
    let (b, mut b_events) = connection(Configuration::default()).await;
    let channel = a.create_data_channel("early", DataChannelInit::new()).await.expect("a channel");
    for number in 0..100_u8 {
        channel.send(vec![number; 1_000]).await.expect("queued");
    }
    assert_eq!(channel.buffered_amount(), 100_000);
    negotiate(&a, &b).await;
    let mut other = within("the channel", next_channel(&mut b_events)).await;
    for number in 0..100_u8 {
        assert_eq!(within("a message", other.recv()).await, Some(Message::from(vec![number; 1_000])));
    }
}

/// Users 57: both sides send while one of them closes the channel: what `send` took before arrives, later sends fail.
#[tokio::test]
async fn users_57_close_while_both_send() {
    for _ in 0..10 {
        let pair = Pair::new(Configuration::default(), Configuration::default()).await;
        let (a_sender, mut a_receiver) = pair.a_channel.split();
        let (b_sender, mut b_receiver) = pair.b_channel.split();
        let flood = |sender: peerconnection::tokio::DataChannelSender| {
            tokio::spawn(async move {
                let mut sent = 0_u32;
                loop {
                    match sender.send(sent.to_be_bytes().to_vec()).await {
                        Ok(()) => sent += 1,
                        Err(error) => {
                            assert!(matches!(error, SendError::Closed(_)), "{error}");
                            return sent;
                        }
                    }
                    tokio::task::yield_now().await;
                }
            })
        };
        let (a_flood, b_flood) = (flood(a_sender.clone()), flood(b_sender));
        let drain = tokio::spawn(async move { while a_receiver.recv().await.is_some() {} });
        let read = tokio::spawn(async move {
            let mut count = 0_u32;
            while let Some(message) = b_receiver.recv().await {
                assert_eq!(message, Message::from(count.to_be_bytes().to_vec()));
                count += 1;
            }
            count
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        within("close", a_sender.close()).await;
        let sent = within("Alice", a_flood).await.expect("no panic");
        within("Bob", b_flood).await.expect("no panic");
        let received = within("the reader", read).await.expect("no panic");
        within("the other reader", drain).await.expect("no panic");
        assert_eq!(received, sent, "what was taken before the close arrives");
        assert_eq!(pair.a.connection_state(), PeerConnectionState::Connected);
    }
}

/// Users 58: the other side goes away in the middle of a transfer: `send` says so, nothing panics.
#[tokio::test]
async fn users_58_the_peer_leaves_in_the_middle_of_a_transfer() {
    let pair = Pair::new(Configuration::default(), Configuration::default()).await;
    let sender = pair.a_channel;
    let sending = tokio::spawn(async move {
        loop {
            if let Err(error) = sender.send(vec![0; 50_000]).await {
                return error;
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop((pair.b, pair.b_events, pair.b_channel));
    let error = within("the sender", sending).await.expect("no panic");
    assert!(matches!(error, SendError::Closed(_)), "{error}");
    within("close", pair.a.close()).await;
}

/// Starts a call of `name`, drops it after `polls` polls, and returns whether it was done by then.
async fn interrupted(name: &str, a: &PeerConnection, polls: u32) -> bool {
    let candidate = IceCandidateInit::new("");
    match name {
        "add_ice_candidate" => poll_times(a.add_ice_candidate(candidate), polls).await.is_some(),
        "add_track" => {
            poll_times(a.add_track(MediaKind::Audio, TransceiverInit::new()), polls).await.is_some()
        }
        "add_transceiver" => {
            let init = TransceiverInit::new().direction(Direction::RecvOnly);
            poll_times(a.add_transceiver(MediaKind::Video, init), polls).await.is_some()
        }
        "configuration" => poll_times(a.configuration(), polls).await.is_some(),
        "connected" => poll_times(a.connected(), polls).await.is_some(),
        "create_answer" => poll_times(a.create_answer(AnswerOptions::new()), polls).await.is_some(),
        "create_data_channel" => {
            poll_times(a.create_data_channel("dropped", DataChannelInit::new()), polls).await.is_some()
        }
        "create_offer" => poll_times(a.create_offer(OfferOptions::new()), polls).await.is_some(),
        "gathering_complete" => poll_times(a.gathering_complete(), polls).await.is_some(),
        "restart_ice" => poll_times(a.restart_ice(), polls).await.is_some(),
        "set_ice_servers" => poll_times(a.set_ice_servers(Vec::new()), polls).await.is_some(),
        "set_local_description" => poll_times(a.set_local_description(None), polls).await.is_some(),
        "stats" => poll_times(a.stats(), polls).await.is_some(),
        "transceivers" => poll_times(a.transceivers(), polls).await.is_some(),
        "wait_for" => poll_times(a.wait_for(|_| false), polls).await.is_some(),
        other => panic!("{other} is not known"),
    }
}

const CALLS: [&str; 15] = [
    "add_ice_candidate",
    "add_track",
    "add_transceiver",
    "configuration",
    "connected",
    "create_answer",
    "create_data_channel",
    "create_offer",
    "gathering_complete",
    "restart_ice",
    "set_ice_servers",
    "set_local_description",
    "stats",
    "transceivers",
    "wait_for",
];

/// Users 75: any future, dropped after any number of polls, leaves a connection that works.
#[tokio::test]
async fn users_75_dropped_futures_leave_a_consistent_state() {
    for name in CALLS {
        for polls in 0..4 {
            let (a, _a_events) = connection(Configuration::default()).await;
            let (b, mut b_events) = connection(Configuration::default()).await;
            let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
            interrupted(name, &a, polls).await;
            // Whatever it was doing, it did as a whole or not at all.
            a.stats().await.expect("open");
            match a.signaling_state() {
                SignalingState::Stable => a.set_local_description(None).await.expect("an offer"),
                SignalingState::HaveLocalOffer => assert_eq!(name, "set_local_description"),
                SignalingState::Closed
                | SignalingState::HaveLocalPranswer
                | SignalingState::HaveRemoteOffer
                | SignalingState::HaveRemotePranswer => {
                    panic!("{name} after {polls} polls: {}", a.signaling_state())
                }
            }
            a.gathering_complete().await.expect("gathered");
            b.set_remote_description(a.local_description().expect("an offer")).await.expect("taken");
            interrupted(name, &b, polls).await;
            b.stats().await.expect("open");
            if b.signaling_state() == SignalingState::HaveRemoteOffer {
                b.set_local_description(None).await.expect("an answer");
            }
            b.gathering_complete().await.expect("gathered");
            a.set_remote_description(b.local_description().expect("an answer")).await.expect("taken");
            interrupted(name, &a, polls).await;
            let mut other = within(name, async {
                loop {
                    let channel = next_channel(&mut b_events).await;
                    if channel.label() == "chat" {
                        break channel;
                    }
                }
            })
            .await;
            for polls in 0..4 {
                // A send that was dropped sent nothing or all of it; a receive that was dropped lost nothing.
                let sent = poll_times(channel.send(vec![polls as u8]), polls).await.is_some();
                let received = poll_times(other.recv(), polls).await;
                assert_eq!(sent, polls > 0, "there is room, the first poll sends");
                if sent && received.is_none() {
                    assert_eq!(within("it", other.recv()).await, Some(Message::from(vec![polls as u8])));
                }
            }
            let (closed, open) = if polls.is_multiple_of(2) { (&a, &b) } else { (&b, &a) };
            poll_times(closed.close(), polls).await;
            if polls > 0 {
                within("a dropped close closes all the same", closed.closed()).await;
            }
            within("close", open.close()).await;
            within("close", closed.close()).await;
        }
    }
}

/// Users 75, the remaining one: the remote description, which is the one that does most.
#[tokio::test]
async fn users_75_a_dropped_remote_description_is_taken_whole_or_not() {
    for polls in 0..4 {
        let (a, _a_events) = connection(Configuration::default()).await;
        let (b, _b_events) = connection(Configuration::default()).await;
        let _channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
        a.set_local_description(None).await.expect("an offer");
        a.gathering_complete().await.expect("gathered");
        let offer = a.local_description().expect("an offer");
        poll_times(b.set_remote_description(offer.clone()), polls).await;
        b.stats().await.expect("open");
        match b.signaling_state() {
            SignalingState::Stable => {
                assert_eq!((polls, b.remote_description()), (0, None));
                b.set_remote_description(offer).await.expect("taken");
            }
            SignalingState::HaveRemoteOffer => assert_eq!(b.remote_description(), Some(offer)),
            SignalingState::Closed
            | SignalingState::HaveLocalOffer
            | SignalingState::HaveLocalPranswer
            | SignalingState::HaveRemotePranswer => panic!("after {polls} polls: {}", b.signaling_state()),
        }
        b.set_local_description(None).await.expect("an answer");
        b.gathering_complete().await.expect("gathered");
        let answer = b.local_description().expect("an answer");
        poll_times(a.set_remote_description(answer.clone()), polls).await;
        a.stats().await.expect("open");
        if a.signaling_state() == SignalingState::HaveLocalOffer {
            a.set_remote_description(answer).await.expect("taken");
        }
        within("connected", a.connected()).await.expect("connected");
    }
}

/// Users 30: connections are made, certificates and all, while the events of another one are being handled, on a
/// runtime of one thread; and many at once on two workers.
#[test]
fn users_30_connections_are_made_inside_event_handling() {
    let one = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    one.block_on(async {
        let Pair { a, b, mut b_events, a_channel, b_channel: _kept, .. } =
            Pair::new(Configuration::default(), Configuration::default()).await;
        let _more = a.create_data_channel("more", DataChannelInit::new()).await.expect("a channel");
        let made = async {
            while let Some(event) = b_events.next().await {
                if let Event::DataChannel(_) = event {
                    let inner = Pair::new(Configuration::default(), Configuration::default()).await;
                    inner.a_channel.send("inside").await.expect("open");
                    within("close", inner.a.close()).await;
                    return b.connection_state();
                }
            }
            PeerConnectionState::Closed
        };
        assert_eq!(within("made inside", made).await, PeerConnectionState::Connected);
        a_channel.send("outside").await.expect("open");
    });
    let two = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    two.block_on(async {
        let many: Vec<_> = (0..8)
            .map(|_| tokio::spawn(Pair::new(Configuration::default(), Configuration::default())))
            .collect();
        for pair in many {
            let pair = within("one of many", pair).await.expect("no panic");
            pair.a_channel.send("here").await.expect("open");
        }
    });
}
