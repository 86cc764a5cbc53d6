//! What the Rust peer does with a call: media and messages go back to where they came from.

use crate::{file, record::Recorder};
use peerlane::{
    DataChannel, Direction, Error, Event, Events, LocalTrack, PeerConnection, TrackEvent,
    media::{EncodedFrame, FrameKind, ReceivedFrame},
};
use serde_json::Value;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::{mpsc, watch};

/// Things that happen to a call and that its signalling has to know.
#[derive(Debug)]
pub(crate) enum Signal {
    Candidate(peerlane::IceCandidateInit),
    NegotiationNeeded,
    /// A recording has begun or ended; with the names of its files when it has ended.
    Recording(bool, Vec<String>),
}

/// The echo of one connection. Its task ends with the connection.
#[derive(Clone)]
pub(crate) struct Session {
    connection: PeerConnection,
    recording: watch::Sender<Option<PathBuf>>,
    signals: mpsc::UnboundedSender<Signal>,
}

impl Session {
    /// Echoes everything on a connection whose signalling does without trickle.
    pub(crate) fn start(connection: PeerConnection, events: Events) -> Self {
        Self::start_with_signals(connection, events).0
    }

    /// The same, and tells what the signalling has to know.
    pub(crate) fn start_with_signals(
        connection: PeerConnection,
        events: Events,
    ) -> (Self, mpsc::UnboundedReceiver<Signal>) {
        let (signals, received) = mpsc::unbounded_channel();
        let session = Self { connection, recording: watch::Sender::new(None), signals };
        // A weak hold: the task must not keep the connection open when everybody else has left it.
        tokio::spawn(react(session.recording.clone(), session.signals.clone(), events));
        (session, received)
    }

    pub(crate) fn connection(&self) -> &PeerConnection {
        &self.connection
    }

    pub(crate) fn echo_channel(&self, channel: DataChannel) {
        tokio::spawn(echo_channel(channel));
    }

    /// Starts or stops writing what arrives to files.
    pub(crate) fn record(&self, folder: Option<PathBuf>) {
        self.recording.send_replace(folder);
    }
}

/// Sends back in every section that the peer sends in: to be called between its offer and our answer, which then
/// says so without a second negotiation.
pub(crate) async fn accept_media(connection: &PeerConnection) -> Result<(), Error> {
    for transceiver in connection.transceivers().await? {
        if !transceiver.direction().sends() && !transceiver.stopped() {
            transceiver.set_direction(Direction::SendRecv).await?;
        }
    }
    Ok(())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the page shows states of its own end")]
async fn react(
    recording: watch::Sender<Option<PathBuf>>,
    signals: mpsc::UnboundedSender<Signal>,
    mut events: Events,
) {
    let recorder = Arc::new(Recorder::new(recording.subscribe(), signals.clone()));
    while let Some(event) = events.next().await {
        match event {
            Event::DataChannel(channel) => drop(tokio::spawn(echo_channel(channel))),
            Event::Track(track) => drop(tokio::spawn(echo_track(track, recorder.clone()))),
            // Refused only when the signalling has gone.
            Event::IceCandidate(candidate) => drop(signals.send(Signal::Candidate(candidate))),
            Event::NegotiationNeeded => drop(signals.send(Signal::NegotiationNeeded)),
            _ => {}
        }
    }
}

async fn echo_channel(channel: DataChannel) {
    if channel.label() == "file" {
        return file::echo(channel).await;
    }
    let (sender, mut receiver) = channel.split();
    while let Some(message) = receiver.recv().await {
        // Waits while the peer does not read: nothing is dropped, nothing piles up.
        if sender.send(message).await.is_err() {
            return;
        }
    }
}

async fn echo_track(event: TrackEvent, recorder: Arc<Recorder>) {
    let TrackEvent { mut track, transceiver, .. } = event;
    // Back through the same transceiver: no second m= section, no renegotiation.
    let back: LocalTrack = transceiver.sender().track();
    let mut recording = recorder.track(track.kind());
    loop {
        tokio::select! {
            frame = track.recv_frame() => {
                let Some(frame) = frame else { return };
                recording.push(&frame);
                // After a hole the other side needs a key frame as much as we do.
                if frame.gap.is_some() && frame.kind == FrameKind::Delta {
                    let _ = track.request_key_frame().await;
                }
                // Full or not negotiated yet: a late frame is of no use, it is dropped.
                let _ = back.try_write(returned(frame));
            }
            () = back.key_frame_requested() => {
                if track.request_key_frame().await.is_err() {
                    return;
                }
            }
            wanted = recording.changed() => {
                if wanted {
                    // A recording starts with a key frame.
                    let _ = track.request_key_frame().await;
                }
            }
        }
    }
}

/// A received frame as one to send. Its time goes on as it was, so that sound and picture keep their distance.
fn returned(frame: ReceivedFrame) -> EncodedFrame {
    let mut back = EncodedFrame::new(frame.payload, frame.time, frame.first_arrival);
    (back.audio_level, back.orientation) = (frame.audio_level, frame.orientation);
    back
}

/// A message of the page's signalling that concerns the echo.
pub(crate) fn wants_recording(message: &Value) -> bool {
    message.get("on").and_then(Value::as_bool).unwrap_or_default()
}
