//! Encoded media in and out.

use super::command::Link;
use crate::transceiver::{MediaKind, TransceiverId};
use media::{EncodedFrame, PacketToSend, ReceivedFrame, ReceivedPacket};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::{Notify, mpsc};

/// Frames that wait for a reader; a reader that falls behind loses the oldest ones.
pub(super) const REMOTE_QUEUE: usize = 32;

/// What a track sends.
#[derive(Clone, Debug)]
pub(super) enum Outgoing {
    Frame(EncodedFrame),
    Packet(PacketToSend),
}

/// Media on its way to the driver.
#[derive(Clone, Debug)]
pub(super) struct OutgoingMedia {
    pub(super) transceiver: TransceiverId,
    pub(super) media: Outgoing,
}

/// Why media was not taken. It comes back with the error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError<T> {
    /// The connection is closed.
    Closed(T),
    /// The queue to the connection is full: the sender is faster than the network.
    Full(T),
}

impl<T> WriteError<T> {
    /// The media that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Closed(media) | Self::Full(media) => media,
        }
    }
}

impl<T> fmt::Display for WriteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "the connection is closed",
            Self::Full(_) => "the queue to the connection is full; drop the frame or send slower",
        })
    }
}

impl<T: fmt::Debug> std::error::Error for WriteError<T> {}

/// Where an application puts encoded media. It keeps nothing open: after the connection has closed, writes fail.
#[derive(Clone, Debug)]
pub struct LocalTrack {
    transceiver: TransceiverId,
    kind: MediaKind,
    link: Link,
    feedback: Arc<Feedback>,
}

/// What the receiver of a local track asks for.
#[derive(Debug, Default)]
pub(super) struct Feedback {
    pub(super) key_frame_wanted: AtomicBool,
    pub(super) changed: Notify,
    /// The transceiver is gone: nothing will be asked for any more.
    pub(super) ended: AtomicBool,
    /// Frames the engine refused because nothing was negotiated or its queue was full.
    pub(super) dropped: AtomicU64,
}

impl LocalTrack {
    pub(super) fn new(
        transceiver: TransceiverId,
        kind: MediaKind,
        link: Link,
        feedback: Arc<Feedback>,
    ) -> Self {
        Self { transceiver, kind, link, feedback }
    }

    /// Audio or video.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.kind
    }

    /// Sends a frame, or gives it back when the queue is full. Frames written before the other side has accepted the
    /// track are dropped and counted.
    ///
    /// # Errors
    /// [`WriteError`] with the frame.
    pub fn try_write(&self, frame: EncodedFrame) -> Result<(), WriteError<EncodedFrame>> {
        self.link.media.try_send(self.outgoing(Outgoing::Frame(frame))).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(refused) => WriteError::Closed(frame_of(refused)),
            mpsc::error::TrySendError::Full(refused) => WriteError::Full(frame_of(refused)),
        })
    }

    /// Sends a frame, waiting for room in the queue.
    ///
    /// Cancellation: a call that did not return sent nothing.
    ///
    /// # Errors
    /// [`WriteError::Closed`] with the frame.
    pub async fn write(&self, frame: EncodedFrame) -> Result<(), WriteError<EncodedFrame>> {
        let sent = self.link.media.send(self.outgoing(Outgoing::Frame(frame))).await;
        sent.map_err(|refused| WriteError::Closed(frame_of(refused.0)))
    }

    /// Sends one RTP payload as it is, for forwarding; sequence numbers and header extensions are this side's own.
    ///
    /// # Errors
    /// [`WriteError`] with the packet.
    pub fn try_write_packet(&self, packet: PacketToSend) -> Result<(), WriteError<PacketToSend>> {
        self.link.media.try_send(self.outgoing(Outgoing::Packet(packet))).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(refused) => WriteError::Closed(packet_of(refused)),
            mpsc::error::TrySendError::Full(refused) => WriteError::Full(packet_of(refused)),
        })
    }

    /// Waits until the other side needs a key frame (PLI or FIR, RFC 4585 §6.3.1, RFC 5104 §4.3.1), or until the track
    /// or the connection has ended.
    pub async fn key_frame_requested(&self) {
        loop {
            let changed = self.feedback.changed.notified();
            if self.take_key_frame_request() || self.feedback.ended.load(Ordering::Acquire) {
                return;
            }
            changed.await;
        }
    }

    /// Whether a key frame was asked for since the last call.
    #[must_use]
    pub fn take_key_frame_request(&self) -> bool {
        self.feedback.key_frame_wanted.swap(false, Ordering::AcqRel)
    }

    /// Frames that were written and not sent, because the track was not negotiated for sending or the network is
    /// slower than the source.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.feedback.dropped.load(Ordering::Relaxed)
    }

    fn outgoing(&self, media: Outgoing) -> OutgoingMedia {
        OutgoingMedia { transceiver: self.transceiver, media }
    }
}

fn frame_of(refused: OutgoingMedia) -> EncodedFrame {
    match refused.media {
        Outgoing::Frame(frame) => frame,
        Outgoing::Packet(_) => unreachable!("invariant: the queue gives back what was put in"),
    }
}

fn packet_of(refused: OutgoingMedia) -> PacketToSend {
    match refused.media {
        Outgoing::Packet(packet) => packet,
        Outgoing::Frame(_) => unreachable!("invariant: the queue gives back what was put in"),
    }
}

/// What a remote track delivers.
#[derive(Debug)]
pub(super) enum Incoming {
    Frame(Box<ReceivedFrame>),
    Packet(Box<ReceivedPacket>),
}

/// Media from the other side. Frames or packets, as [`crate::MediaDelivery`] says.
#[derive(Debug)]
pub struct RemoteTrack {
    transceiver: TransceiverId,
    kind: MediaKind,
    id: String,
    link: Link,
    incoming: mpsc::Receiver<Incoming>,
    reader: Arc<Reader>,
}

/// Lets a reader that made room wake the driver.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) starved: AtomicBool,
    pub(super) wake_driver: Arc<Notify>,
}

impl RemoteTrack {
    pub(super) fn new(
        transceiver: TransceiverId,
        kind: MediaKind,
        id: String,
        link: Link,
        incoming: mpsc::Receiver<Incoming>,
        reader: Arc<Reader>,
    ) -> Self {
        Self { transceiver, kind, id, link, incoming, reader }
    }

    /// Audio or video.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.kind
    }

    /// The track's name in the other side's description (`a=msid`, RFC 8830); may be empty.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The next frame; `None` when the track or the connection has ended. Packets are skipped.
    ///
    /// Cancellation: no frame is lost.
    pub async fn recv_frame(&mut self) -> Option<ReceivedFrame> {
        loop {
            if let Incoming::Frame(frame) = self.recv().await? {
                return Some(*frame);
            }
        }
    }

    /// The next packet; `None` when the track or the connection has ended. Frames are skipped.
    ///
    /// Cancellation: no packet is lost.
    pub async fn recv_packet(&mut self) -> Option<ReceivedPacket> {
        loop {
            if let Incoming::Packet(packet) = self.recv().await? {
                return Some(*packet);
            }
        }
    }

    /// Asks the other side for a key frame. Requests are merged; at most a few a second leave.
    pub async fn request_key_frame(&self) -> Result<(), crate::Error> {
        let transceiver = self.transceiver;
        self.link.call(move |driver, now| driver.session.request_key_frame(now, transceiver)).await
    }

    async fn recv(&mut self) -> Option<Incoming> {
        let incoming = self.incoming.recv().await?;
        if self.reader.starved.swap(false, Ordering::AcqRel) {
            self.reader.wake_driver.notify_one();
        }
        Some(incoming)
    }
}
