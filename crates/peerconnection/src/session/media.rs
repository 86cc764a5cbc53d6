//! Frames and packets between application and engine.

use super::Session;
use crate::{SessionEvent, TransceiverId};
use ::media::{EncodedFrame, Event, PacketToSend, ReceivedFrame};
use std::time::Instant;

impl Session {
    /// Sends a frame through a transceiver. `false` when nothing is negotiated for it, or the queue is full: the frame
    /// is dropped then, as late pictures are of no use.
    pub fn send_frame(&mut self, now: Instant, id: TransceiverId, frame: EncodedFrame) -> bool {
        let now = self.advance(now);
        let Some(sender) = self.transceiver_mut(id).and_then(|transceiver| transceiver.sender) else {
            return false;
        };
        self.media_flows() && self.media.send_frame(now, sender, frame).is_ok()
    }

    /// Sends one RTP payload through a transceiver. `false` as in [`Session::send_frame`].
    pub fn send_packet(&mut self, now: Instant, id: TransceiverId, packet: PacketToSend) -> bool {
        let now = self.advance(now);
        let Some(sender) = self.transceiver_mut(id).and_then(|transceiver| transceiver.sender) else {
            return false;
        };
        self.media_flows() && self.media.send_packet(now, sender, packet).is_ok()
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
                && let Some(id) = self.senders.get(&sender)
            {
                self.events.push_back(SessionEvent::KeyFrameRequested(*id));
            }
        }
    }

    /// Before the keys are there nothing is queued: it would only be late.
    fn media_flows(&self) -> bool {
        self.transport.srtp.is_some() && !self.is_closing()
    }
}
