//! No call waits for the application: the task that reads the events may make every call, with every queue full and
//! nothing read.
#![cfg(feature = "tokio")]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{Pair, connection, negotiate, within};
use peerconnection::{
    AnswerOptions, Configuration, DataChannelInit, Description, Direction, IceCandidateInit, MediaKind,
    OfferOptions, PeerConnectionState, TransceiverInit,
    media::{EncodedFrame, MediaTime},
    tokio::{Event, LocalTrack, PeerConnection, RtpTransceiver, SendError, WriteError},
};
use std::time::{Duration, Instant};

/// More events than wait for a reader.
const MANY_EVENTS: usize = 1_100;
/// More messages than buffers of 64 KiB on both sides take.
const MANY_MESSAGES: usize = 60;

#[expect(clippy::disallowed_methods, reason = "a frame was captured at some time")]
fn now() -> Instant {
    Instant::now()
}

fn picture(time: u64) -> EncodedFrame {
    let mut frame = vec![0x10, 2, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0];
    frame.resize(2_000, 0);
    EncodedFrame::new(frame.into(), MediaTime(time), now())
}

fn small() -> Configuration {
    Configuration::default().with_send_buffer(1 << 16).with_receive_buffer(1 << 16)
}

/// Every call that is an answer to something, not a wait for it. What they return does not matter here; that they do
/// is the test.
async fn every_call(connection: &PeerConnection, track: &LocalTrack, transceiver: &RtpTransceiver) {
    within("stats", connection.stats()).await.expect("counted");
    let _ = within("create_offer", connection.create_offer(OfferOptions::new())).await;
    let _ = within("create_answer", connection.create_answer(AnswerOptions::new())).await;
    let _ = within("set_local_description", connection.set_local_description(None)).await;
    let rollback = Description::rollback();
    let _ = within("rollback", connection.set_local_description(rollback.clone())).await;
    let _ = within("set_remote_description", connection.set_remote_description(rollback)).await;
    let candidate = IceCandidateInit::new("candidate:1 1 udp 1 127.0.0.2 9 typ host");
    let _ = within("add_ice_candidate", connection.add_ice_candidate(candidate)).await;
    let init = DataChannelInit::new();
    let channel = within("create_data_channel", connection.create_data_channel("more", init)).await;
    if let Ok(channel) = channel {
        let sent = channel.try_send("now or later");
        assert!(matches!(sent, Ok(()) | Err(SendError::Full(_) | SendError::Closed(_))), "{sent:?}");
        channel.set_buffered_amount_low_threshold(1 << 20);
        within("buffered_amount_low", channel.buffered_amount_low()).await;
    }
    let init = TransceiverInit::new().direction(Direction::RecvOnly);
    let added = within("add_transceiver", connection.add_transceiver(MediaKind::Audio, init)).await;
    if let Ok(added) = added {
        let _ = within("set_direction", added.set_direction(Direction::Inactive)).await;
        let _ = within("set_codec_preferences", added.set_codec_preferences(["opus"])).await;
        let _ = within("stop", added.stop()).await;
    }
    let sender = within("add_track", connection.add_track(MediaKind::Audio, TransceiverInit::new())).await;
    if let Ok(sender) = sender {
        let _ = within("remove_track", connection.remove_track(&sender)).await;
    }
    let _ = within("set_direction", transceiver.set_direction(Direction::SendRecv)).await;
    let _ = within("transceivers", connection.transceivers()).await;
    let _ = within("restart_ice", connection.restart_ice()).await;
    let _ = within("set_ice_servers", connection.set_ice_servers(Vec::new())).await;
    let _ = within("configuration", connection.configuration()).await;
    let written = track.try_write(picture(0));
    assert!(matches!(written, Ok(()) | Err(WriteError::Full(_) | WriteError::Closed(_))), "{written:?}");
    let _ = (connection.connection_state(), connection.ice_connection_state(), connection.signaling_state());
    let _ = (connection.local_description(), connection.remote_description());
}

/// The task that reads the events makes every call for every event, on a runtime with nobody else to help.
#[tokio::test(flavor = "current_thread")]
async fn every_call_returns_inside_event_handling() {
    let (a, mut a_events) = connection(Configuration::default()).await;
    let (b, mut b_events) = connection(Configuration::default()).await;
    let _channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    let sender = a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track");
    negotiate(&a, &b).await;
    let mut connected = false;
    let mut handled = 0;
    while handled < 12 || !connected {
        let event = within("an event", a_events.next()).await.expect("open");
        connected |= matches!(event, Event::ConnectionStateChange(PeerConnectionState::Connected));
        every_call(&a, &sender.track(), sender.transceiver()).await;
        handled += 1;
    }
    // The end comes from inside as well, on both sides, with events left behind it.
    within("close", a.close()).await;
    every_call(&a, &sender.track(), sender.transceiver()).await;
    while let Some(event) = within("an event", b_events.next()).await {
        if matches!(event, Event::DataChannel(_) | Event::Track(_)) {
            within("close", b.close()).await;
        }
    }
    while within("the rest of the events", a_events.next()).await.is_some() {}
}

/// Nobody reads any event, and more of them come than the queue holds.
#[tokio::test]
async fn every_call_returns_with_the_event_queue_full() {
    let mut pair = Pair::new(small(), small()).await;
    let sender = pair.a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track");
    // An offer and its withdrawal are two changes of the signaling state.
    for _ in 0..MANY_EVENTS / 2 {
        pair.a.set_local_description(None).await.expect("an offer");
        pair.a.set_local_description(Description::rollback()).await.expect("withdrawn");
    }
    every_call(&pair.a, &sender.track(), sender.transceiver()).await;
    // The connection works: only the news of it was dropped.
    pair.a_channel.send("through").await.expect("open");
    assert!(within("a message", pair.b_channel.recv()).await.is_some());
    within("close", pair.a.close()).await;
    assert_eq!(pair.a.connection_state(), PeerConnectionState::Closed);
    let mut left = 0;
    while within("the rest of the events", pair.a_events.next()).await.is_some() {
        left += 1;
    }
    assert_eq!(left, 1_024, "the queue was full to its limit");
    within("close", pair.b.close()).await;
}

/// Messages are not read on either side, send buffers are full, frames fill their queue.
#[tokio::test]
async fn every_call_returns_with_data_and_media_queues_full() {
    let pair = Pair::new(small(), small()).await;
    let sender = pair.a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track");
    let track = sender.track();
    for _ in 0..MANY_MESSAGES {
        for channel in [&pair.a_channel, &pair.b_channel] {
            let _ = channel.try_send(vec![0; 16 * 1_024]);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for channel in [&pair.a_channel, &pair.b_channel] {
        let full = channel.try_send(vec![0; 16 * 1_024]).expect_err("full");
        assert!(matches!(full, SendError::Full(_)), "{full}");
    }
    // Without a turn for the driver: the queue of frames stays full until the first call below.
    let mut time = 0;
    while track.try_write(picture(time)).is_ok() {
        time += 3_000;
    }
    assert!(time >= 256 * 3_000, "{time}");
    every_call(&pair.a, &track, sender.transceiver()).await;
    within("close", pair.a.close()).await;
    within("close", pair.b.close()).await;
}

/// A channel is closed while the peer has more to say than anybody here reads: the close does not wait for a reader.
#[tokio::test]
async fn a_channel_closes_while_its_own_reader_does_not_read() {
    for split in [false, true] {
        let pair = Pair::new(small(), small()).await;
        // Bob fills Alice's receive buffer, his window and his send buffer.
        for _ in 0..MANY_MESSAGES {
            let _ = pair.b_channel.try_send(vec![0; 16 * 1_024]);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(pair.b_channel.buffered_amount() > 0, "Alice's window is closed");
        if split {
            let (sender, receiver) = pair.a_channel.split();
            within("close of the sending half", sender.close()).await;
            drop(receiver);
        } else {
            within("close of the channel", pair.a_channel.close()).await;
        }
        within("stats", pair.a.stats()).await.expect("the connection lives");
        assert_eq!(pair.a.connection_state(), PeerConnectionState::Connected);
    }
}

/// Calls from many tasks at once, more than the queue to the driver holds, while it is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_lost_when_the_connection_ends() {
    for round in 0..200_u64 {
        let (a, _events) = connection(Configuration::default()).await;
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let a = a.clone();
                tokio::spawn(async move {
                    loop {
                        if a.configuration().await.is_err() {
                            return;
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_micros(round * 10)).await;
        within("close", a.close()).await;
        for call in calls {
            within("a call", call).await.expect("no panic");
        }
    }
}
