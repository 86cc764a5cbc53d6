//! Our side of a scenario: a connection, what arrived on it, and the echo of its media.

use bytes::Bytes;
use peerlane::{
    AnswerOptions, Configuration, DataChannel, Description, Event, Events, LocalTrack, Loopback, MediaKind,
    OfferOptions, PeerConnection, RemoteTrack, SignalingState, TrackEvent, TransceiverInit, WriteError,
    media::{
        EncodedFrame, MediaTime, ReceivedFrame,
        container::{ivf::IvfReader, ogg::OggReader, recorder::Recorder},
    },
};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

const PATIENCE: Duration = Duration::from_secs(20);
/// Frames kept of a recording: some twenty seconds of sound.
const MAX_RECORDED: usize = 1_000;

/// The clip that is sent to peers: made for this repository.
const VIDEO: &[u8] = include_bytes!("../../crates/peerlane/examples/demo/assets/play.ivf");
const AUDIO: &[u8] = include_bytes!("../../crates/peerlane/examples/demo/assets/play.ogg");

pub(crate) struct Ours {
    pub(crate) connection: PeerConnection,
    channels: mpsc::Receiver<DataChannel>,
    tracks: mpsc::Receiver<TrackEvent>,
    tasks: JoinSet<()>,
}

impl Ours {
    pub(crate) async fn new(configuration: Configuration) -> Result<Self, String> {
        let built =
            PeerConnection::builder().configuration(configuration).loopback(Loopback::Include).build().await;
        let (connection, events) = built.map_err(|error| error.to_string())?;
        let (channel_found, channels) = mpsc::channel(64);
        let (track_found, tracks) = mpsc::channel(64);
        let mut tasks = JoinSet::new();
        tasks.spawn(sort(events, channel_found, track_found));
        Ok(Self { connection, channels, tracks, tasks })
    }

    pub(crate) async fn offer(&self, options: OfferOptions) -> Result<String, String> {
        let offer = self.connection.create_offer(options).await.map_err(text)?;
        self.connection.set_local_description(offer).await.map_err(text)?;
        self.described().await
    }

    pub(crate) async fn answer(&self, offer: &str) -> Result<String, String> {
        let offer = Description::offer(offer).map_err(text)?;
        self.connection.set_remote_description(offer).await.map_err(text)?;
        let answer = self.connection.create_answer(AnswerOptions::new()).await.map_err(text)?;
        self.connection.set_local_description(answer).await.map_err(text)?;
        self.described().await
    }

    pub(crate) async fn accept(&self, answer: &str) -> Result<(), String> {
        let answer = Description::answer(answer).map_err(text)?;
        self.connection.set_remote_description(answer).await.map_err(text)?;
        match self.connection.signaling_state() {
            SignalingState::Stable => Ok(()),
            other @ (SignalingState::HaveLocalOffer
            | SignalingState::HaveRemoteOffer
            | SignalingState::HaveLocalPranswer
            | SignalingState::HaveRemotePranswer
            | SignalingState::Closed) => Err(format!("after the answer the signaling state is {other}")),
        }
    }

    async fn described(&self) -> Result<String, String> {
        timeout(PATIENCE, self.connection.gathering_complete())
            .await
            .map_err(|_| "our gathering did not end")?
            .map_err(text)?;
        Ok(self.connection.local_description().ok_or("there is no local description")?.sdp())
    }

    pub(crate) async fn connected(&self) -> Result<(), String> {
        let connected = timeout(PATIENCE, self.connection.connected()).await;
        connected.map_err(|_| "we did not connect within 20 s")?.map_err(text)
    }

    /// The next channel that the peer opened.
    pub(crate) async fn incoming_channel(&mut self) -> Result<DataChannel, String> {
        let channel = timeout(PATIENCE, self.channels.recv()).await;
        channel.ok().flatten().ok_or_else(|| "the peer's channel did not arrive".to_owned())
    }

    /// The next track that the peer sends.
    pub(crate) async fn incoming_track(&mut self) -> Result<TrackEvent, String> {
        let track = timeout(PATIENCE, self.tracks.recv()).await;
        track.ok().flatten().ok_or_else(|| "the peer's track did not arrive".to_owned())
    }

    /// Sends back what arrives on a channel.
    pub(crate) fn echo(&mut self, channel: DataChannel) {
        let (sender, mut receiver) = channel.split();
        self.tasks.spawn(async move {
            while let Some(message) = receiver.recv().await {
                if sender.send(message).await.is_err() {
                    return;
                }
            }
        });
    }

    /// Sends the clip over and over, sound or picture.
    pub(crate) fn play(&mut self, track: LocalTrack) {
        match track.kind() {
            MediaKind::Audio => self.tasks.spawn(play_audio(track)),
            MediaKind::Video => self.tasks.spawn(play_video(track)),
        };
    }

    /// Adds something to send and plays the clip into it.
    pub(crate) async fn add_clip(&mut self, kind: MediaKind) -> Result<(), String> {
        let sender =
            self.connection.add_track(kind, TransceiverInit::new().stream("clip")).await.map_err(text)?;
        self.play(sender.track());
        Ok(())
    }

    /// Writes what arrives on a track to a file.
    pub(crate) fn record(&mut self, track: RemoteTrack, folder: &Path) -> Recording {
        let frames = Arc::new(AtomicU64::new(0));
        let name = match track.kind() {
            MediaKind::Audio => "received.ogg",
            MediaKind::Video => "received.ivf",
        };
        let path = folder.join(name);
        self.tasks.spawn(write(track, path.clone(), frames.clone()));
        Recording { path, frames }
    }

    pub(crate) async fn close(mut self) -> Result<(), String> {
        timeout(Duration::from_secs(5), self.connection.close()).await.map_err(|_| "close took over 5 s")?;
        self.tasks.abort_all();
        Ok(())
    }
}

/// A file that is being written.
pub(crate) struct Recording {
    pub(crate) path: PathBuf,
    frames: Arc<AtomicU64>,
}

impl Recording {
    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "scenarios ask for states when they need them")]
async fn sort(mut events: Events, channels: mpsc::Sender<DataChannel>, tracks: mpsc::Sender<TrackEvent>) {
    while let Some(event) = events.next().await {
        match event {
            Event::DataChannel(channel) => drop(channels.send(channel).await),
            Event::Track(track) => drop(tracks.send(track).await),
            _ => {}
        }
    }
}

/// Writes what arrives; the file is rewritten whole twice a second, so that it is complete whenever somebody looks.
async fn write(mut track: RemoteTrack, path: PathBuf, frames: Arc<AtomicU64>) {
    let mut recorded: Vec<ReceivedFrame> = Vec::new();
    let mut rhythm = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            frame = track.recv_frame() => {
                let Some(frame) = frame else { break };
                frames.fetch_add(1, Ordering::Relaxed);
                if recorded.len() < MAX_RECORDED {
                    recorded.push(frame);
                }
            }
            _ = rhythm.tick() => save(&recorded, &path),
        }
    }
    save(&recorded, &path);
}

fn save(frames: &[ReceivedFrame], path: &Path) {
    let mut recorder = Recorder::new(64 << 20);
    for frame in frames {
        // A frame that cannot be written shows as one that is missing.
        let _ = recorder.push(frame);
    }
    let _ = std::fs::write(path, recorder.finish());
}

async fn play_video(track: LocalTrack) {
    let Ok(reader) = IvfReader::new(Bytes::from_static(VIDEO)) else { return };
    let frames: Vec<Bytes> = reader.filter_map(Result::ok).map(|frame| frame.payload).collect();
    play(track, &frames, Duration::from_millis(40), 3_600).await;
}

async fn play_audio(track: LocalTrack) {
    let Ok(reader) = OggReader::new(Bytes::from_static(AUDIO)) else { return };
    let frames: Vec<Bytes> = reader.filter_map(Result::ok).collect();
    play(track, &frames, Duration::from_millis(20), 960).await;
}

/// Sends frames in their rhythm; starts again with the key frame when the peer asks for one.
async fn play(track: LocalTrack, frames: &[Bytes], period: Duration, ticks: u64) {
    let mut rhythm = tokio::time::interval(period);
    rhythm.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut next, mut time) = (0, 0);
    loop {
        rhythm.tick().await;
        if track.take_key_frame_request() {
            next = 0;
        }
        let Some(frame) = frames.get(next) else { return };
        next = (next + 1) % frames.len();
        time += ticks;
        let now = tokio::time::Instant::now().into_std();
        if let Err(WriteError::Closed(_)) =
            track.try_write(EncodedFrame::new(frame.clone(), MediaTime(time), now))
        {
            return;
        }
    }
}
