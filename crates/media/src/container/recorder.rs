//! Received frames to a file that any player opens: IVF, Ogg or Annex B, by their codec.

use super::{
    ContainerError,
    ivf::{IvfHeader, IvfWriter},
    ogg::{OggWriter, OpusHead},
};
use crate::{Codec, FrameKind, MediaTime, ReceivedFrame};

/// Ticks of a video clock in a second (RFC 3551 §5).
const VIDEO_CLOCK: u32 = 90_000;

/// Writes the frames of one track. Begins with the first frame that can be decoded by itself.
#[derive(Debug)]
pub struct Recorder {
    state: State,
    bytes: Vec<u8>,
    frames: u64,
    limit: usize,
}

#[derive(Debug)]
enum State {
    Waiting,
    Annexb,
    Ivf(IvfWriter, MediaTime),
    Ogg(Box<OggWriter>),
}

impl Recorder {
    /// A recorder that takes frames until the file has `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { state: State::Waiting, bytes: Vec::new(), frames: 0, limit }
    }

    /// Adds a frame. Frames before the first key frame are left out.
    ///
    /// # Errors
    /// The codec has no file format here, or the frame is not what it says, or the file is full.
    pub fn push(&mut self, frame: &ReceivedFrame) -> Result<(), ContainerError> {
        if self.bytes.len() + frame.payload.len() > self.limit {
            return Err(ContainerError::Invalid("size of the file: it is full"));
        }
        if matches!(self.state, State::Waiting) {
            if frame.kind != FrameKind::Key {
                return Ok(());
            }
            self.begin(frame)?;
        }
        match &mut self.state {
            State::Waiting => return Ok(()),
            State::Annexb => self.bytes.extend_from_slice(&frame.payload),
            State::Ivf(writer, start) => {
                writer.frame(frame.time.0.saturating_sub(start.0), &frame.payload, &mut self.bytes);
            }
            State::Ogg(writer) => writer.packet(&frame.payload, &mut self.bytes)?,
        }
        self.frames += 1;
        Ok(())
    }

    /// Frames written.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The usual ending of the file's name, known after the first frame.
    #[must_use]
    pub fn extension(&self) -> Option<&'static str> {
        match self.state {
            State::Waiting => None,
            State::Annexb => Some("h264"),
            State::Ivf(..) => Some("ivf"),
            State::Ogg(_) => Some("ogg"),
        }
    }

    /// The complete file; empty when nothing was written.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        match self.state {
            State::Waiting | State::Annexb => {}
            State::Ivf(writer, _) => writer.finish(&mut self.bytes),
            State::Ogg(writer) => writer.finish(&mut self.bytes),
        }
        self.bytes
    }

    fn begin(&mut self, frame: &ReceivedFrame) -> Result<(), ContainerError> {
        self.state = match frame.codec {
            Codec::H264(_) => State::Annexb,
            Codec::Opus => {
                let head = OpusHead::new(2, 312);
                State::Ogg(Box::new(OggWriter::new(frame.ssrc.0, &head, &mut self.bytes)))
            }
            Codec::Vp8 => {
                let (width, height) =
                    vp8_size(&frame.payload).ok_or(ContainerError::Invalid("VP8 key frame"))?;
                let header = IvfHeader::vp8(width, height, VIDEO_CLOCK);
                State::Ivf(IvfWriter::new(&header, &mut self.bytes), frame.time)
            }
            Codec::G711 | Codec::Other(_) => {
                return Err(ContainerError::Invalid("codec: it has no file format here"));
            }
        };
        Ok(())
    }
}

/// Width and height in a VP8 key frame (RFC 6386 §9.1).
fn vp8_size(frame: &[u8]) -> Option<(u16, u16)> {
    let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = frame else { return None };
    // The two high bits are a scale for the player.
    let size = |low: u8, high: u8| u16::from_le_bytes([low, high]) & 0x3fff;
    Some((size(*w0, *w1), size(*h0, *h1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_of_a_key_frame() {
        assert_eq!(vp8_size(&[0, 0, 0, 0x9d, 1, 0x2a, 0x80, 0x42, 0x68, 1, 9]), Some((640, 360)));
        assert_eq!(vp8_size(&[0, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0x68]), None);
        assert_eq!(vp8_size(&[1; 20]), None);
    }
}
