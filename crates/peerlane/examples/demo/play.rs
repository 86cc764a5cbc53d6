//! The Rust peer sends a small video and audio file.

use bytes::Bytes;
use peerlane::{
    Direction, Error, LocalTrack, MediaKind, PeerConnection, TransceiverInit,
    media::{
        EncodedFrame, MediaTime,
        container::{ivf::IvfReader, ogg::OggReader},
    },
};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

const VIDEO: &[u8] = include_bytes!("assets/play.ivf");
const AUDIO: &[u8] = include_bytes!("assets/play.ogg");

/// Adds both tracks; the negotiation that becomes necessary is the signalling's business.
pub(crate) async fn start(connection: &PeerConnection) -> Result<(), Error> {
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let init = TransceiverInit::new().direction(Direction::SendOnly).stream("play");
        let transceiver = connection.add_transceiver(kind, init).await?;
        if kind == MediaKind::Video {
            transceiver.set_codec_preferences(["VP8"]).await?;
        }
        let (track, connection) = (transceiver.sender().track(), connection.clone());
        tokio::spawn(async move {
            // Frames before that would be dropped, and the first one is the key frame.
            if connection.connected().await.is_err() {
                return;
            }
            // Held only until here: the player must not keep the connection open.
            drop(connection);
            match kind {
                MediaKind::Audio => send(track, &audio(), Duration::from_millis(20), 960).await,
                MediaKind::Video => send(track, &video(), Duration::from_millis(40), 3_600).await,
            }
        });
    }
    Ok(())
}

/// Sends the frames in their rhythm, over and over, until the connection ends.
async fn send(track: LocalTrack, frames: &[Bytes], period: Duration, ticks: u64) {
    let mut rhythm = interval(period);
    rhythm.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut time = 0;
    for frame in frames.iter().cycle() {
        rhythm.tick().await;
        time += ticks;
        let frame = EncodedFrame::new(frame.clone(), MediaTime(time), Instant::now().into_std());
        if let Err(peerlane::WriteError::Closed(_)) = track.try_write(frame) {
            return;
        }
    }
}

fn video() -> Vec<Bytes> {
    let Ok(reader) = IvfReader::new(Bytes::from_static(VIDEO)) else { return Vec::new() };
    reader.filter_map(Result::ok).map(|frame| frame.payload).collect()
}

fn audio() -> Vec<Bytes> {
    let Ok(reader) = OggReader::new(Bytes::from_static(AUDIO)) else { return Vec::new() };
    reader.filter_map(Result::ok).collect()
}
