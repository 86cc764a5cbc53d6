//! VP8 (RFC 7741).

use base::Reader;
use bytes::Bytes;

use super::parts::{Parts, equal_parts};
use super::{Depacketizer, Frame, Packet, PacketizeError, Packetizer, PayloadError, Piece};
use crate::frame::FrameKind;

/// Bytes of the descriptor that is written here: the required byte, the extension byte, two of picture identifier.
const DESCRIPTOR: usize = 4;

/// The payload descriptor (RFC 7741 §4.2), without what nobody here needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Descriptor {
    /// `N`: no other frame depends on this one.
    pub non_reference: bool,
    /// `S`: a partition begins here.
    pub partition_start: bool,
    /// `PID`: which partition.
    pub partition: u8,
    /// 7 or 15 bits.
    pub picture_id: Option<u16>,
    /// `TL0PICIDX`: index of the frame of the lowest temporal layer that this one depends on.
    pub tl0_index: Option<u8>,
    /// `TID`: temporal layer.
    pub temporal_layer: Option<u8>,
    /// `Y`: the frame depends on the lowest temporal layer only.
    pub layer_sync: bool,
    /// `KEYIDX`: index of key frames.
    pub key_index: Option<u8>,
    /// Bytes of the descriptor.
    pub len: usize,
}

impl Descriptor {
    /// Reads the descriptor at the front of a payload.
    ///
    /// # Errors
    ///
    /// The payload ends within the descriptor, or right behind it.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        let mut reader = Reader::new(payload);
        let first = reader.u8().map_err(|_| PayloadError::Empty)?;
        let mut descriptor = Self {
            non_reference: first & 0x20 != 0,
            partition_start: first & 0x10 != 0,
            partition: first & 0x07,
            picture_id: None,
            tl0_index: None,
            temporal_layer: None,
            layer_sync: false,
            key_index: None,
            len: 0,
        };
        let extension = if first & 0x80 == 0 { 0 } else { reader.u8()? };
        if extension & 0x80 != 0 {
            let high = reader.u8()?;
            let id = u16::from(high & 0x7f);
            descriptor.picture_id =
                Some(if high & 0x80 == 0 { id } else { id << 8 | u16::from(reader.u8()?) });
        }
        if extension & 0x40 != 0 {
            descriptor.tl0_index = Some(reader.u8()?);
        }
        if extension & 0x30 != 0 {
            let byte = reader.u8()?;
            if extension & 0x20 != 0 {
                descriptor.temporal_layer = Some(byte >> 6);
                descriptor.layer_sync = byte & 0x20 != 0;
            }
            if extension & 0x10 != 0 {
                descriptor.key_index = Some(byte & 0x1f);
            }
        }
        if reader.is_empty() {
            return Err(PayloadError::Truncated);
        }
        descriptor.len = reader.offset();
        Ok(descriptor)
    }

    /// Whether the first packet of a frame has this descriptor.
    #[must_use]
    pub const fn begins_frame(&self) -> bool {
        self.partition_start && self.partition == 0
    }
}

/// Whether a coded frame can be decoded by itself (RFC 6386 §9.1); `None` when it is empty.
#[must_use]
pub fn frame_kind(frame: &[u8]) -> Option<FrameKind> {
    frame.first().map(|byte| if byte & 1 == 0 { FrameKind::Key } else { FrameKind::Delta })
}

/// Whether a payload begins a frame, and of which kind.
#[must_use]
pub fn begins(payload: &[u8]) -> Option<FrameKind> {
    let descriptor = Descriptor::parse(payload).ok()?;
    if descriptor.begins_frame() { frame_kind(payload.get(descriptor.len..)?) } else { None }
}

/// Cuts frames, numbering them with 15 bits of picture identifier.
#[derive(Clone, Copy, Debug)]
pub struct Vp8Packetizer {
    picture_id: u16,
}

impl Vp8Packetizer {
    /// The first frame gets the low 15 bits of `picture_id`.
    #[must_use]
    pub const fn new(picture_id: u16) -> Self {
        Self { picture_id }
    }
}

impl Packetizer for Vp8Packetizer {
    fn packetize(
        &mut self,
        frame: &[u8],
        max_payload: usize,
        pieces: &mut Vec<Piece>,
    ) -> Result<FrameKind, PacketizeError> {
        let kind = frame_kind(frame).ok_or(PacketizeError::Empty)?;
        let room =
            max_payload.checked_sub(DESCRIPTOR).filter(|room| *room > 0).ok_or(PacketizeError::TooLarge)?;
        let [high, low] = (self.picture_id | 0x8000).to_be_bytes();
        for (start, end) in equal_parts(frame.len(), room) {
            //= rfc7741 §4.2
            //# The S bit MUST be set to 1 for the first packet of each encoded frame.
            let first = 0x80 | if start == 0 { 0x10 } else { 0 };
            pieces.push(Piece::new(&[first, 0x80, high, low], start, end));
        }
        self.picture_id = self.picture_id.wrapping_add(1) & 0x7fff;
        Ok(kind)
    }
}

/// Joins frames.
#[derive(Debug)]
pub struct Vp8Depacketizer {
    parts: Parts,
    kind: FrameKind,
    max_frame: usize,
    /// Payloads are passed over until a frame begins.
    is_lost: bool,
}

impl Vp8Depacketizer {
    /// Refuses frames of more than `max_frame` bytes.
    #[must_use]
    pub fn new(max_frame: usize) -> Self {
        Self { parts: Parts::default(), kind: FrameKind::Delta, max_frame, is_lost: false }
    }

    fn take(&mut self, payload: &Bytes) -> Result<bool, PayloadError> {
        let descriptor = Descriptor::parse(payload)?;
        let data = payload.slice(descriptor.len..);
        // RFC 7741 §4.2 allows PID 0 for all packets, but S for the first one of a partition only.
        if descriptor.begins_frame() {
            if !self.parts.is_empty() {
                return Err(PayloadError::Invalid("second start of a frame"));
            }
            self.is_lost = false;
            self.kind = frame_kind(&data).ok_or(PayloadError::Empty)?;
        } else if self.parts.is_empty() {
            return if self.is_lost { Ok(false) } else { Err(PayloadError::Unexpected) };
        }
        self.parts.push(&[], None, data, self.max_frame)?;
        Ok(true)
    }
}

impl Depacketizer for Vp8Depacketizer {
    fn push(&mut self, packet: Packet) -> Result<Option<Frame>, PayloadError> {
        match self.take(&packet.payload) {
            Ok(true) if packet.marker => Ok(self.finish()),
            Ok(_) => Ok(None),
            Err(error) => {
                self.lost();
                Err(error)
            }
        }
    }

    fn finish(&mut self) -> Option<Frame> {
        (!self.parts.is_empty()).then(|| Frame::new(self.parts.join(), self.kind))
    }

    fn lost(&mut self) -> bool {
        self.is_lost = true;
        self.parts.clear()
    }
}

#[cfg(test)]
mod tests;
