//! G.711 and other formats in which the payload is the frame (RFC 3551 §4.5.14).

use super::{Depacketizer, Frame, Packet, PacketizeError, Packetizer, PayloadError, Piece};
use crate::frame::FrameKind;

/// One packet per frame. A frame that does not fit is refused: sample formats can be cut by whoever made the frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct G711Packetizer {
    _private: (),
}

impl Packetizer for G711Packetizer {
    fn packetize(
        &mut self,
        frame: &[u8],
        max_payload: usize,
        pieces: &mut Vec<Piece>,
    ) -> Result<FrameKind, PacketizeError> {
        match frame.len() {
            0 => Err(PacketizeError::Empty),
            len if len > max_payload => Err(PacketizeError::TooLarge),
            len => {
                pieces.push(Piece::new(&[], 0, len));
                Ok(FrameKind::Key)
            }
        }
    }
}

/// One frame per packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct G711Depacketizer {
    _private: (),
}

impl Depacketizer for G711Depacketizer {
    fn push(&mut self, packet: Packet) -> Result<Option<Frame>, PayloadError> {
        if packet.payload.is_empty() {
            return Err(PayloadError::Empty);
        }
        Ok(Some(Frame::new(packet.payload, FrameKind::Key)))
    }

    fn finish(&mut self) -> Option<Frame> {
        None
    }

    fn lost(&mut self) -> bool {
        false
    }
}
