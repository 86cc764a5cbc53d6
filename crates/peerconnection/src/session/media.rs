//! Frames and packets between application and engine.

use super::Session;
use crate::{SessionEvent, TransceiverId};
use ::media::{EncodedFrame, Event, PacketToSend, ReceivedFrame, SendFrameError, SendPacketError, SenderId};
use std::{fmt, time::Instant};

/// Why media was dropped instead of sent. Late pictures are of no use, so nothing waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendMediaError {
    /// The send queue is full: the source is faster than the network.
    Full,
    /// The frame is empty, or not of the negotiated codec.
    Malformed,
    /// The session has no keys for media yet, or has ended.
    NotConnected,
    /// Nothing is negotiated for sending through this transceiver.
    NotNegotiated,
    /// It does not fit a datagram and cannot be cut.
    TooLarge,
    /// The negotiated codec has no packetizer here: send packets instead of frames.
    Unsupported,
}

impl fmt::Display for SendMediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the send queue is full",
            Self::Malformed => "the frame is empty or not of the negotiated codec",
            Self::NotConnected => "media cannot be sent before the connection is up or after it has ended",
            Self::NotNegotiated => "the transceiver is not negotiated for sending",
            Self::TooLarge => "the media does not fit a datagram and cannot be cut",
            Self::Unsupported => "the negotiated codec has no packetizer, send packets instead of frames",
        })
    }
}

impl std::error::Error for SendMediaError {}

impl From<SendFrameError> for SendMediaError {
    fn from(error: SendFrameError) -> Self {
        match error {
            SendFrameError::Full(_) => Self::Full,
            SendFrameError::TooLarge(_) => Self::TooLarge,
            SendFrameError::UnknownSender(_) => Self::NotNegotiated,
            SendFrameError::Unsupported(_) => Self::Unsupported,
            SendFrameError::Malformed(_) | _ => Self::Malformed,
        }
    }
}

impl From<SendPacketError> for SendMediaError {
    fn from(error: SendPacketError) -> Self {
        match error {
            SendPacketError::Full(_) => Self::Full,
            SendPacketError::UnknownSender(_) => Self::NotNegotiated,
            SendPacketError::TooLarge(_) | _ => Self::TooLarge,
        }
    }
}

impl Session {
    /// Sends a frame through a transceiver.
    ///
    /// # Errors
    /// [`SendMediaError`]; the frame is dropped.
    pub fn send_frame(
        &mut self,
        now: Instant,
        id: TransceiverId,
        frame: EncodedFrame,
    ) -> Result<(), SendMediaError> {
        let now = self.advance(now);
        let sender = self.media_sender(id)?;
        self.media.send_frame(now, sender, frame).map_err(SendMediaError::from)
    }

    /// Sends one RTP payload through a transceiver.
    ///
    /// # Errors
    /// [`SendMediaError`]; the payload is dropped.
    pub fn send_packet(
        &mut self,
        now: Instant,
        id: TransceiverId,
        packet: PacketToSend,
    ) -> Result<(), SendMediaError> {
        let now = self.advance(now);
        let sender = self.media_sender(id)?;
        self.media.send_packet(now, sender, packet).map_err(SendMediaError::from)
    }

    /// Before the keys are there nothing is queued: it would only be late.
    fn media_sender(&mut self, id: TransceiverId) -> Result<SenderId, SendMediaError> {
        if self.transport.srtp.is_none() || self.is_closing() {
            return Err(SendMediaError::NotConnected);
        }
        let sender = self.transceiver_mut(id).and_then(|transceiver| transceiver.sender);
        sender.ok_or(SendMediaError::NotNegotiated)
    }

    /// The next frame received, when frames are delivered.
    pub fn recv_frame(&mut self, id: TransceiverId) -> Option<ReceivedFrame> {
        let receiver = self.transceiver_mut(id)?.receiver?;
        self.media.recv_frame(receiver)
    }

    /// The next packet received, when packets are delivered.
    pub fn recv_packet(&mut self, id: TransceiverId) -> Option<::media::ReceivedPacket> {
        let receiver = self.transceiver_mut(id)?.receiver?;
        self.media.recv_packet(receiver)
    }

    /// Asks the peer for a key frame. Requests are merged; the engine limits their rate.
    pub fn request_key_frame(&mut self, now: Instant, id: TransceiverId) {
        let now = self.advance(now);
        if let Some(receiver) = self.transceiver_mut(id).and_then(|transceiver| transceiver.receiver) {
            self.media.request_key_frame(now, receiver);
        }
    }

    /// Draws the conclusions from what the engine reports.
    pub(super) fn settle_media(&mut self) {
        while let Some(event) = self.media.poll_event() {
            if let Event::KeyFrameRequested(sender) = event
                && let Some(id) = self.senders.get(&sender).copied()
            {
                self.push(SessionEvent::KeyFrameRequested(id));
            }
        }
    }
}
