//! Received frames to a file that any player opens: IVF, Ogg or Annex B, by their codec.

use super::ContainerError;
#[cfg(feature = "vp8")]
use super::ivf::{IvfHeader, IvfWriter};
#[cfg(feature = "opus")]
use super::ogg::{OggWriter, OpusHead};
use crate::{Codec, FrameKind, ReceivedFrame};

/// Ticks of a video clock in a second (RFC 3551 §5).
#[cfg(feature = "vp8")]
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
    #[cfg(feature = "h264")]
    Annexb,
    #[cfg(feature = "vp8")]
    Ivf(IvfWriter, crate::MediaTime),
    #[cfg(feature = "opus")]
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
    /// The codec has no file format here (or its feature is off), or it is another one than before, or the frame is
    /// not what it says, or the file is full.
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
        match (&mut self.state, frame.codec) {
            #[cfg(feature = "h264")]
            (State::Annexb, Codec::H264(_)) => self.bytes.extend_from_slice(&frame.payload),
            #[cfg(feature = "vp8")]
            (State::Ivf(writer, start), Codec::Vp8) => {
                writer.frame(frame.time.0.saturating_sub(start.0), &frame.payload, &mut self.bytes);
            }
            #[cfg(feature = "opus")]
            (State::Ogg(writer), Codec::Opus) => writer.packet(&frame.payload, &mut self.bytes)?,
            _ => return Err(ContainerError::Invalid("codec: it is another one than before")),
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
            #[cfg(feature = "h264")]
            State::Annexb => Some("h264"),
            #[cfg(feature = "vp8")]
            State::Ivf(..) => Some("ivf"),
            #[cfg(feature = "opus")]
            State::Ogg(_) => Some("ogg"),
        }
    }

    /// The complete file; empty when nothing was written.
    #[must_use]
    #[cfg_attr(
        not(any(feature = "opus", feature = "vp8")),
        expect(unused_mut, reason = "only IVF and Ogg files have an end to write")
    )]
    pub fn finish(mut self) -> Vec<u8> {
        match self.state {
            State::Waiting => {}
            #[cfg(feature = "h264")]
            State::Annexb => {}
            #[cfg(feature = "vp8")]
            State::Ivf(writer, _) => writer.finish(&mut self.bytes),
            #[cfg(feature = "opus")]
            State::Ogg(writer) => writer.finish(&mut self.bytes),
        }
        self.bytes
    }

    fn begin(&mut self, frame: &ReceivedFrame) -> Result<(), ContainerError> {
        self.state = match frame.codec {
            #[cfg(feature = "h264")]
            Codec::H264(_) => State::Annexb,
            #[cfg(feature = "opus")]
            Codec::Opus => {
                let head = OpusHead::new(2, 312);
                State::Ogg(Box::new(OggWriter::new(frame.ssrc.0, &head, &mut self.bytes)))
            }
            #[cfg(feature = "vp8")]
            Codec::Vp8 => {
                let (width, height) =
                    vp8_size(&frame.payload).ok_or(ContainerError::Invalid("VP8 key frame"))?;
                let header = IvfHeader::vp8(width, height, VIDEO_CLOCK);
                State::Ivf(IvfWriter::new(&header, &mut self.bytes), frame.time)
            }
            // G.711, packets alone, and codecs whose feature is off.
            _ => {
                return Err(ContainerError::Invalid("codec: it has no file format here"));
            }
        };
        Ok(())
    }
}

/// Width and height in a VP8 key frame (RFC 6386 §9.1).
#[cfg(feature = "vp8")]
fn vp8_size(frame: &[u8]) -> Option<(u16, u16)> {
    let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = frame else { return None };
    // The two high bits are a scale for the player.
    let size = |low: u8, high: u8| u16::from_le_bytes([low, high]) & 0x3fff;
    Some((size(*w0, *w1), size(*h0, *h1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MediaTime;
    use bytes::Bytes;
    use rtp::{PayloadType, Ssrc, Timestamp};
    use std::time::Instant;

    #[cfg(feature = "vp8")]
    const KEY: [u8; 12] = [0x10, 0, 0, 0x9d, 1, 0x2a, 0x80, 0x42, 0x68, 1, 9, 9];

    #[expect(clippy::disallowed_methods, reason = "frames carry times, and these do not matter")]
    fn frame(codec: Codec, kind: FrameKind, time: u64, payload: &[u8]) -> ReceivedFrame {
        let now = Instant::now();
        ReceivedFrame {
            payload: Bytes::copy_from_slice(payload),
            codec,
            payload_type: PayloadType::new(96).expect("seven bits"),
            kind,
            timestamp: Timestamp(time as u32),
            time: MediaTime(time),
            ssrc: Ssrc(7),
            rid: None,
            first_arrival: now,
            last_arrival: now,
            gap: None,
            captured: None,
            audio_level: None,
            orientation: None,
        }
    }

    #[cfg(feature = "vp8")]
    #[test]
    fn vp8_comes_back_from_its_file() {
        use crate::container::ivf::IvfReader;

        let mut recorder = Recorder::new(1_000);
        // Nothing can be decoded before the first key frame.
        assert_eq!(recorder.push(&frame(Codec::Vp8, FrameKind::Delta, 1_000, &[1; 5])), Ok(()));
        assert_eq!((recorder.frames(), recorder.extension()), (0, None));
        assert_eq!(recorder.push(&frame(Codec::Vp8, FrameKind::Key, 4_000, &KEY)), Ok(()));
        assert_eq!(recorder.push(&frame(Codec::Vp8, FrameKind::Delta, 7_000, &[1; 5])), Ok(()));
        let other = frame(Codec::G711, FrameKind::Key, 8_000, &[1; 5]);
        assert!(recorder.push(&other).is_err(), "a file has one codec");
        assert_eq!((recorder.frames(), recorder.extension()), (2, Some("ivf")));

        let reader = IvfReader::new(recorder.finish().into()).expect("an IVF file");
        let header = reader.header();
        assert_eq!((header.width, header.height, header.rate, header.frames), (640, 360, 90_000, 2));
        let frames: Vec<_> =
            reader.map(|frame| frame.map(|frame| (frame.time, frame.payload.to_vec()))).collect();
        assert_eq!(frames, [Ok((0, KEY.to_vec())), Ok((3_000, vec![1; 5]))]);
    }

    #[cfg(feature = "opus")]
    #[test]
    fn opus_comes_back_from_its_file() {
        use crate::container::ogg::OggReader;

        let mut recorder = Recorder::new(10_000);
        // 20 ms of CELT each (RFC 6716 §3.1).
        let packets: Vec<Vec<u8>> = (0..100).map(|number| vec![0xfc, number, 1, 2]).collect();
        for (number, packet) in packets.iter().enumerate() {
            let frame = frame(Codec::Opus, FrameKind::Key, number as u64 * 960, packet);
            assert_eq!(recorder.push(&frame), Ok(()));
        }
        assert_eq!((recorder.frames(), recorder.extension()), (100, Some("ogg")));
        let reader = OggReader::new(recorder.finish().into()).expect("an Ogg file");
        assert_eq!((reader.head().channels, reader.head().pre_skip), (2, 312));
        let read: Vec<_> = reader.map(|packet| packet.map(|packet| packet.to_vec())).collect();
        assert_eq!(read, packets.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[cfg(feature = "h264")]
    #[test]
    fn access_units_follow_each_other_until_the_file_is_full() {
        let mut recorder = Recorder::new(12);
        let codec = Codec::H264(crate::H264Mode::NonInterleaved);
        assert_eq!(recorder.push(&frame(codec, FrameKind::Key, 0, &[0, 0, 0, 1, 0x65, 1])), Ok(()));
        assert_eq!(recorder.push(&frame(codec, FrameKind::Delta, 3_000, &[0, 0, 0, 1, 0x41, 2])), Ok(()));
        assert!(recorder.push(&frame(codec, FrameKind::Delta, 6_000, &[0; 6])).is_err(), "full");
        assert_eq!((recorder.frames(), recorder.extension()), (2, Some("h264")));
        assert_eq!(recorder.finish(), [0, 0, 0, 1, 0x65, 1, 0, 0, 0, 1, 0x41, 2]);
    }

    #[test]
    fn what_has_no_file_format_is_refused() {
        let mut recorder = Recorder::new(1_000);
        assert!(recorder.push(&frame(Codec::G711, FrameKind::Key, 0, &[0; 160])).is_err());
        assert_eq!((recorder.frames(), recorder.extension()), (0, None));
        assert!(recorder.finish().is_empty());
    }

    #[cfg(feature = "vp8")]
    #[test]
    fn size_of_a_key_frame() {
        assert_eq!(vp8_size(&KEY), Some((640, 360)));
        assert_eq!(vp8_size(&[0, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0x68]), None);
        assert_eq!(vp8_size(&[1; 20]), None);
    }
}
