//! IVF: a header, then frames with their length and time. All numbers are little-endian.

use base::Reader;
use bytes::Bytes;

use super::{ContainerError, little};

/// Bytes of the file header, and of the header of a frame.
const FILE_HEADER: usize = 32;
const FRAME_HEADER: usize = 12;

/// What the file header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IvfHeader {
    /// The codec, `VP80` for VP8.
    pub fourcc: [u8; 4],
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
    /// Ticks of frame times in `scale` seconds.
    pub rate: u32,
    /// See `rate`.
    pub scale: u32,
    /// Frames in the file; writers that were interrupted leave zero.
    pub frames: u32,
}

impl IvfHeader {
    /// A header of a VP8 file whose frame times count `rate` ticks in a second.
    #[must_use]
    pub const fn vp8(width: u16, height: u16, rate: u32) -> Self {
        Self { fourcc: *b"VP80", width, height, rate, scale: 1, frames: 0 }
    }
}

/// A frame of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IvfFrame {
    /// When it is shown, in ticks.
    pub time: u64,
    /// The coded frame, a slice of the file.
    pub payload: Bytes,
}

/// Iterator over the frames of a file. Ends after the first error.
#[derive(Clone, Debug)]
pub struct IvfReader {
    header: IvfHeader,
    rest: Bytes,
}

impl IvfReader {
    /// Reads the file header.
    ///
    /// # Errors
    ///
    /// The file does not begin as an IVF file does.
    pub fn new(file: Bytes) -> Result<Self, ContainerError> {
        let mut reader = Reader::new(&file);
        if reader.take(4)? != b"DKIF" {
            return Err(ContainerError::Invalid("signature"));
        }
        if little::u16(&mut reader)? != 0 {
            return Err(ContainerError::Invalid("version"));
        }
        let len = usize::from(little::u16(&mut reader)?);
        let header = IvfHeader {
            fourcc: reader.array()?,
            width: little::u16(&mut reader)?,
            height: little::u16(&mut reader)?,
            rate: little::u32(&mut reader)?,
            scale: little::u32(&mut reader)?,
            frames: little::u32(&mut reader)?,
        };
        if len < FILE_HEADER || len > file.len() {
            return Err(ContainerError::Invalid("header length"));
        }
        Ok(Self { header, rest: file.slice(len..) })
    }

    /// What the file header says.
    #[must_use]
    pub const fn header(&self) -> IvfHeader {
        self.header
    }

    fn read(&mut self) -> Result<IvfFrame, ContainerError> {
        let mut reader = Reader::new(&self.rest);
        let len = little::u32(&mut reader)? as usize;
        let time = little::u64(&mut reader)?;
        reader.take(len)?;
        let mut frame = self.rest.split_to(FRAME_HEADER + len);
        Ok(IvfFrame { time, payload: frame.split_off(FRAME_HEADER) })
    }
}

impl Iterator for IvfReader {
    type Item = Result<IvfFrame, ContainerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.read().inspect_err(|_| self.rest.clear()))
    }
}

/// Appends a file to a buffer, piece by piece.
#[derive(Clone, Copy, Debug)]
pub struct IvfWriter {
    start: usize,
    frames: u32,
}

impl IvfWriter {
    /// Appends the file header.
    #[must_use]
    pub fn new(header: &IvfHeader, out: &mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend_from_slice(b"DKIF");
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(&(FILE_HEADER as u16).to_le_bytes());
        out.extend_from_slice(&header.fourcc);
        out.extend_from_slice(&header.width.to_le_bytes());
        out.extend_from_slice(&header.height.to_le_bytes());
        out.extend_from_slice(&header.rate.to_le_bytes());
        out.extend_from_slice(&header.scale.to_le_bytes());
        out.extend_from_slice(&header.frames.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        Self { start, frames: 0 }
    }

    /// Appends a frame.
    pub fn frame(&mut self, time: u64, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        out.extend_from_slice(&time.to_le_bytes());
        out.extend_from_slice(payload);
        self.frames += 1;
    }

    /// Puts the number of frames into the header, if that is still in the buffer. A writer that streams elsewhere can
    /// leave it out.
    pub fn finish(self, out: &mut [u8]) {
        if let Some(field) = out.get_mut(self.start + 24..self.start + 28) {
            field.copy_from_slice(&self.frames.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_go_there_and_back_and_truncations_are_errors() {
        let mut file = Vec::new();
        let mut writer = IvfWriter::new(&IvfHeader::vp8(640, 360, 30), &mut file);
        writer.frame(0, b"key", &mut file);
        writer.frame(7, b"", &mut file);
        writer.finish(&mut file);
        let file = Bytes::from(file);
        let reader = IvfReader::new(file.clone()).expect("well-formed");
        assert_eq!(reader.header(), IvfHeader { frames: 2, ..IvfHeader::vp8(640, 360, 30) });
        let frames: Vec<_> =
            reader.map(|frame| frame.map(|frame| (frame.time, frame.payload.to_vec()))).collect();
        assert_eq!(frames, [Ok((0, b"key".to_vec())), Ok((7, Vec::new()))]);
        for len in 0..file.len() {
            let frames = IvfReader::new(file.slice(..len)).map(|reader| reader.flatten().count());
            assert!(frames.is_err() || frames.is_ok_and(|count| count < 2), "{len}");
        }
        assert_eq!(
            IvfReader::new(Bytes::from_static(&[0; 40])).err(),
            Some(ContainerError::Invalid("signature"))
        );
    }
}
