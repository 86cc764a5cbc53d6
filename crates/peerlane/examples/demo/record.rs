//! Recordings on the Rust side: IVF and Ogg files that any player opens.

use crate::echo::Signal;
use peerlane::{
    MediaKind,
    media::{ReceivedFrame, container},
};
use std::{
    fs, io,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::sync::{mpsc, watch};

/// A recording ends by itself when it has this many bytes.
const LIMIT: usize = 64 << 20;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Knows whether a recording is wanted, for all tracks of one connection.
pub(crate) struct Recorder {
    wanted: watch::Receiver<Option<PathBuf>>,
    signals: mpsc::UnboundedSender<Signal>,
}

impl Recorder {
    pub(crate) fn new(
        wanted: watch::Receiver<Option<PathBuf>>,
        signals: mpsc::UnboundedSender<Signal>,
    ) -> Self {
        Self { wanted, signals }
    }

    pub(crate) fn track(&self, kind: MediaKind) -> TrackRecording {
        TrackRecording { kind, wanted: self.wanted.clone(), signals: self.signals.clone(), file: None }
    }
}

/// The recording of one track. The file is written when the recording stops or the track ends.
pub(crate) struct TrackRecording {
    kind: MediaKind,
    wanted: watch::Receiver<Option<PathBuf>>,
    signals: mpsc::UnboundedSender<Signal>,
    file: Option<(PathBuf, container::recorder::Recorder)>,
}

impl TrackRecording {
    /// Waits until a recording starts or stops; returns whether one is wanted now.
    pub(crate) async fn changed(&mut self) -> bool {
        if self.wanted.changed().await.is_err() {
            // Nobody can ask for a recording any more.
            return std::future::pending().await;
        }
        let folder = self.wanted.borrow_and_update().clone();
        let finished = self.finish();
        let on = folder.is_some();
        self.file = folder.map(|folder| (folder, container::recorder::Recorder::new(LIMIT)));
        // Refused only when the page has gone.
        let _ = self.signals.send(Signal::Recording(on, finished.into_iter().collect()));
        on
    }

    pub(crate) fn push(&mut self, frame: &ReceivedFrame) {
        if let Some((_, recorder)) = &mut self.file {
            // Full, or a codec without file format: what is there stays.
            let _ = recorder.push(frame);
        }
    }

    /// Writes the file and returns its name.
    fn finish(&mut self) -> Option<String> {
        let (folder, recorder) = self.file.take()?;
        let extension = recorder.extension()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}.{extension}", self.kind);
        let written: io::Result<()> =
            fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(&name), recorder.finish()));
        written.is_ok().then_some(name)
    }
}

impl Drop for TrackRecording {
    fn drop(&mut self) {
        self.finish();
    }
}
