//! Transceivers, senders and receivers as handles.

use super::{
    command::Link,
    track::{Feedback, LocalTrack},
};
use crate::{
    Error,
    transceiver::{Direction, MediaKind, TransceiverId, TransceiverSnapshot},
};
use std::sync::Arc;
use tokio::sync::watch;

/// A sender and a receiver that share one m= section (W3C `RTCRtpTransceiver`).
#[derive(Clone, Debug)]
pub struct RtpTransceiver {
    pub(super) id: TransceiverId,
    pub(super) kind: MediaKind,
    pub(super) link: Link,
    pub(super) snapshot: watch::Receiver<TransceiverSnapshot>,
    pub(super) feedback: Arc<Feedback>,
}

impl RtpTransceiver {
    /// The name of the transceiver in [`crate::StatsReport`]; unique within the connection.
    #[must_use]
    pub fn id(&self) -> TransceiverId {
        self.id
    }

    /// Audio or video.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.kind
    }

    /// The `mid` of its m= section, once it has one.
    #[must_use]
    pub fn mid(&self) -> Option<String> {
        self.snapshot.borrow().mid.clone()
    }

    /// The direction wanted.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.snapshot.borrow().direction
    }

    /// The direction negotiated last; `None` before the first answer.
    #[must_use]
    pub fn current_direction(&self) -> Option<Direction> {
        self.snapshot.borrow().current_direction
    }

    /// Whether it was stopped, by either side.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.snapshot.has_changed().is_err() || self.snapshot.borrow().stopped
    }

    /// The sending half.
    #[must_use]
    pub fn sender(&self) -> RtpSender {
        RtpSender { transceiver: self.clone() }
    }

    /// The receiving half.
    #[must_use]
    pub fn receiver(&self) -> RtpReceiver {
        RtpReceiver { transceiver: self.clone() }
    }

    /// Sets the direction wanted; takes effect with the next negotiation.
    ///
    /// Cancellation: once the call has been polled to the queue it takes effect.
    ///
    /// # Errors
    /// `InvalidStateError` when it is stopped or the connection is closed.
    pub async fn set_direction(&self, direction: Direction) -> Result<(), Error> {
        let id = self.id;
        self.link.call(move |driver, now| driver.session.set_direction(now, id, direction)).await?
    }

    /// Ends both halves for good; the m= section is rejected in the next negotiation.
    ///
    /// # Errors
    /// `InvalidStateError` when the connection is closed.
    pub async fn stop(&self) -> Result<(), Error> {
        let id = self.id;
        self.link.call(move |driver, now| driver.session.stop_transceiver(now, id)).await?
    }

    /// Sets the codecs to negotiate, by name (`"VP8"`, `"opus"`), the most preferred first. An empty list resets to
    /// all supported ones.
    ///
    /// # Errors
    /// `InvalidModificationError` for a codec that is not supported.
    pub async fn set_codec_preferences<C: Into<String>>(
        &self,
        codecs: impl IntoIterator<Item = C>,
    ) -> Result<(), Error> {
        let id = self.id;
        let codecs: Vec<String> = codecs.into_iter().map(Into::into).collect();
        self.link.call(move |driver, now| driver.session.set_codec_preferences(now, id, codecs)).await?
    }
}

/// The sending half of a transceiver (W3C `RTCRtpSender`).
#[derive(Clone, Debug)]
pub struct RtpSender {
    pub(super) transceiver: RtpTransceiver,
}

impl RtpSender {
    /// Where encoded media is written to.
    #[must_use]
    pub fn track(&self) -> LocalTrack {
        let RtpTransceiver { id, kind, link, feedback, .. } = &self.transceiver;
        LocalTrack::new(*id, *kind, link.clone(), feedback.clone())
    }

    /// The transceiver it belongs to.
    #[must_use]
    pub fn transceiver(&self) -> &RtpTransceiver {
        &self.transceiver
    }

    /// The codec negotiated for sending (`"VP8"`, `"opus"`), once there is one.
    #[must_use]
    pub fn codec(&self) -> Option<String> {
        self.transceiver.snapshot.borrow().send_codec.clone()
    }
}

/// The receiving half of a transceiver (W3C `RTCRtpReceiver`). Its media comes as [`super::RemoteTrack`] with the
/// track event.
#[derive(Clone, Debug)]
pub struct RtpReceiver {
    pub(super) transceiver: RtpTransceiver,
}

impl RtpReceiver {
    /// The transceiver it belongs to.
    #[must_use]
    pub fn transceiver(&self) -> &RtpTransceiver {
        &self.transceiver
    }
}
