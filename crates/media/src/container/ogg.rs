//! Opus in Ogg (RFC 3533, RFC 7845): one logical stream.

use base::Reader;
use bytes::{Bytes, BytesMut};

use super::{ContainerError, little};
use crate::payload::opus;

/// Flags of a page (RFC 3533 §6).
const CONTINUED: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;
/// Bytes of a page header before its table, and where the checksum is.
const PAGE_HEADER: usize = 27;
const CHECKSUM: std::ops::Range<usize> = 22..26;
/// Samples per second of granule positions (RFC 7845 §4).
const RATE: u64 = 48_000;
/// A page is closed after so many samples.
const PAGE_SAMPLES: u64 = RATE;

/// The identification header (RFC 7845 §5.1), for one stream of one or two channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpusHead {
    /// 1 or 2.
    pub channels: u8,
    /// Samples at 48 kHz to leave out at the beginning.
    pub pre_skip: u16,
    /// Rate of what was encoded, for information.
    pub input_rate: u32,
    /// Gain in 1/256 dB.
    pub gain: i16,
}

impl OpusHead {
    /// A header without gain. `pre_skip` is in samples at 48 kHz.
    #[must_use]
    pub const fn new(channels: u8, pre_skip: u16) -> Self {
        Self { channels, pre_skip, input_rate: 48_000, gain: 0 }
    }

    fn parse(packet: &[u8]) -> Result<Self, ContainerError> {
        let mut reader = Reader::new(packet);
        if reader.take(8)? != b"OpusHead" {
            return Err(ContainerError::Invalid("identification header"));
        }
        if reader.u8()? >> 4 != 0 {
            return Err(ContainerError::Invalid("version"));
        }
        let head = Self {
            channels: reader.u8()?,
            pre_skip: little::u16(&mut reader)?,
            input_rate: little::u32(&mut reader)?,
            gain: little::u16(&mut reader)? as i16,
        };
        if reader.u8()? != 0 || !(1..=2).contains(&head.channels) {
            return Err(ContainerError::Invalid("channel mapping"));
        }
        Ok(head)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"OpusHead");
        out.extend_from_slice(&[1, self.channels]);
        out.extend_from_slice(&self.pre_skip.to_le_bytes());
        out.extend_from_slice(&self.input_rate.to_le_bytes());
        out.extend_from_slice(&self.gain.to_le_bytes());
        out.push(0);
    }
}

/// Iterator over the Opus packets of a file. Ends after the first error.
#[derive(Clone, Debug)]
pub struct OggReader {
    head: OpusHead,
    pages: Pages,
}

impl OggReader {
    /// Reads both headers.
    ///
    /// # Errors
    ///
    /// The file does not begin as an Opus file does.
    pub fn new(file: Bytes) -> Result<Self, ContainerError> {
        let mut pages = Pages { rest: file, serial: None, body: Bytes::new(), lens: Vec::new(), lens_at: 0 };
        let head = OpusHead::parse(&pages.packet()?.ok_or(ContainerError::Truncated)?)?;
        let tags = pages.packet()?.ok_or(ContainerError::Truncated)?;
        if !tags.starts_with(b"OpusTags") {
            return Err(ContainerError::Invalid("comment header"));
        }
        Ok(Self { head, pages })
    }

    /// The identification header.
    #[must_use]
    pub const fn head(&self) -> OpusHead {
        self.head
    }
}

impl Iterator for OggReader {
    type Item = Result<Bytes, ContainerError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pages
            .packet()
            .inspect_err(|_| {
                self.pages.rest.clear();
                self.pages.lens_at = self.pages.lens.len();
            })
            .transpose()
    }
}

#[derive(Clone, Debug)]
struct Pages {
    rest: Bytes,
    serial: Option<u32>,
    /// What is left of the body of the current page, and of its table.
    body: Bytes,
    lens: Vec<u8>,
    lens_at: usize,
}

impl Pages {
    /// The next packet, put together from several pages if need be.
    fn packet(&mut self) -> Result<Option<Bytes>, ContainerError> {
        let mut partial: Option<BytesMut> = None;
        loop {
            if self.lens_at >= self.lens.len() {
                if self.rest.is_empty() {
                    return if partial.is_some() { Err(ContainerError::Truncated) } else { Ok(None) };
                }
                let flags = self.page()?;
                if partial.is_some() && flags & CONTINUED == 0 {
                    return Err(ContainerError::Invalid("continued packet"));
                }
                continue;
            }
            // RFC 3533 §5: segments of 255 bytes, until one that is shorter.
            let lens = self.lens.get(self.lens_at..).unwrap_or_default();
            let full = lens.iter().take_while(|len| **len == 255).count();
            let is_whole = full < lens.len();
            let used = full + usize::from(is_whole);
            let len: usize = lens.iter().take(used).map(|len| usize::from(*len)).sum();
            self.lens_at += used;
            let part = self.body.split_to(len.min(self.body.len()));
            match (&mut partial, is_whole) {
                (None, true) => return Ok(Some(part)),
                (None, false) => partial = Some(BytesMut::from(&part[..])),
                (Some(partial), _) => partial.extend_from_slice(&part),
            }
            if is_whole {
                return Ok(partial.map(BytesMut::freeze));
            }
        }
    }

    /// Goes to the next page of the stream; pages of others are passed over.
    fn page(&mut self) -> Result<u8, ContainerError> {
        let mut reader = Reader::new(&self.rest);
        if reader.take(4)? != b"OggS" {
            return Err(ContainerError::Invalid("capture pattern"));
        }
        if reader.u8()? != 0 {
            return Err(ContainerError::Invalid("page version"));
        }
        let flags = reader.u8()?;
        let _granule = little::u64(&mut reader)?;
        let serial = little::u32(&mut reader)?;
        let _sequence = little::u32(&mut reader)?;
        let checksum = little::u32(&mut reader)?;
        let segments = usize::from(reader.u8()?);
        let lens = reader.take(segments)?;
        let body: usize = lens.iter().map(|len| usize::from(*len)).sum();
        reader.take(body)?;
        let total = PAGE_HEADER + segments + body;
        let page = self.rest.get(..total).unwrap_or_default();
        if checksum_of(page) != checksum {
            return Err(ContainerError::Invalid("page checksum"));
        }
        self.lens.clear();
        self.lens_at = 0;
        if *self.serial.get_or_insert(serial) == serial {
            self.lens.extend_from_slice(lens);
        }
        let mut page = self.rest.split_to(total);
        self.body = page.split_off(PAGE_HEADER + segments);
        Ok(flags)
    }
}

/// RFC 3533 §6: polynomial 0x04c11db7, not reflected, the field itself taken as zero.
fn checksum_of(page: &[u8]) -> u32 {
    let mut crc = 0_u32;
    for (place, byte) in page.iter().enumerate() {
        let byte = if CHECKSUM.contains(&place) { 0 } else { *byte };
        crc ^= u32::from(byte) << 24;
        for _ in 0..8 {
            crc = if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 };
        }
    }
    crc
}

/// Appends a file to a buffer, page by page: about a second of sound each.
#[derive(Clone, Debug)]
pub struct OggWriter {
    serial: u32,
    sequence: u32,
    granule: u64,
    page_start: u64,
    lens: Vec<u8>,
    body: Vec<u8>,
}

impl OggWriter {
    /// Appends both headers. `serial` tells streams of a file apart; any number will do.
    #[must_use]
    pub fn new(serial: u32, head: &OpusHead, out: &mut Vec<u8>) -> Self {
        let mut writer =
            Self { serial, sequence: 0, granule: 0, page_start: 0, lens: Vec::new(), body: Vec::new() };
        let mut packet = Vec::new();
        head.write(&mut packet);
        writer.append(&packet);
        writer.flush(FIRST, out);
        packet.clear();
        packet.extend_from_slice(b"OpusTags");
        packet.extend_from_slice(&8_u32.to_le_bytes());
        packet.extend_from_slice(b"peerlane");
        packet.extend_from_slice(&0_u32.to_le_bytes());
        writer.append(&packet);
        writer.flush(0, out);
        writer
    }

    /// Adds a packet; pages are appended to `out` as they fill up.
    ///
    /// # Errors
    ///
    /// The packet is not an Opus packet, or longer than a page can hold.
    pub fn packet(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), ContainerError> {
        let duration = opus::duration(packet).map_err(|_| ContainerError::Invalid("Opus packet"))?;
        let segments = packet.len() / 255 + 1;
        if segments > 255 {
            return Err(ContainerError::Invalid("packet length"));
        }
        if self.lens.len() + segments > 255 || self.granule - self.page_start >= PAGE_SAMPLES {
            self.flush(0, out);
        }
        self.append(packet);
        self.granule += crate::clock::ticks(duration, RATE as u32);
        Ok(())
    }

    /// Appends the last page.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.flush(LAST, out);
    }

    fn append(&mut self, packet: &[u8]) {
        self.lens.extend(std::iter::repeat_n(255, packet.len() / 255));
        self.lens.push((packet.len() % 255) as u8);
        self.body.extend_from_slice(packet);
    }

    fn flush(&mut self, flags: u8, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(b"OggS");
        out.extend_from_slice(&[0, flags]);
        out.extend_from_slice(&self.granule.to_le_bytes());
        out.extend_from_slice(&self.serial.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.push(self.lens.len() as u8);
        out.extend_from_slice(&self.lens);
        out.extend_from_slice(&self.body);
        let checksum = checksum_of(out.get(start..).unwrap_or_default());
        if let Some(field) = out.get_mut(start + CHECKSUM.start..start + CHECKSUM.end) {
            field.copy_from_slice(&checksum.to_le_bytes());
        }
        self.sequence += 1;
        self.page_start = self.granule;
        self.lens.clear();
        self.body.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(packets: &[Vec<u8>]) -> Bytes {
        let mut out = Vec::new();
        let mut writer = OggWriter::new(7, &OpusHead::new(2, 312), &mut out);
        for packet in packets {
            writer.packet(packet, &mut out).expect("an Opus packet");
        }
        writer.finish(&mut out);
        Bytes::from(out)
    }

    #[test]
    fn packets_go_there_and_back() {
        let packets: Vec<Vec<u8>> = (1..=600_usize).map(|len| vec![0x08; len]).collect();
        let reader = OggReader::new(file(&packets)).expect("well-formed");
        assert_eq!(reader.head(), OpusHead::new(2, 312));
        let read: Vec<_> = reader.map(|packet| packet.map(|packet| packet.to_vec())).collect();
        assert_eq!(read, packets.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn truncations_and_flipped_bits_are_errors_or_fewer_packets() {
        let file = file(&vec![vec![0x08; 300]; 60]);
        let count = |file: Bytes| OggReader::new(file).map(|reader| reader.flatten().count());
        for len in (0..file.len()).step_by(31) {
            assert!(
                count(file.slice(..len)).is_err() || count(file.slice(..len)).is_ok_and(|count| count < 60)
            );
        }
        for place in (0..file.len()).step_by(397) {
            let mut broken = file.to_vec();
            broken[place] ^= 0x10;
            assert!(count(Bytes::from(broken)).is_ok_and(|count| count < 60) || place < 100, "{place}");
        }
    }

    /// RFC 3533 §5: a packet that goes over a page.
    #[test]
    fn continued_packets_are_put_together() {
        let mut out = Vec::new();
        let mut writer = OggWriter::new(7, &OpusHead::new(1, 0), &mut out);
        writer.lens.extend([255, 255]);
        writer.body.extend([1; 510]);
        writer.flush(0, &mut out);
        writer.lens.push(3);
        writer.body.extend([2; 3]);
        writer.flush(CONTINUED | LAST, &mut out);
        let mut reader = OggReader::new(Bytes::from(out)).expect("well-formed");
        let packet = reader.next().expect("one packet").expect("well-formed");
        assert_eq!((packet.len(), packet.last()), (513, Some(&2)));
        assert!(reader.next().is_none());
    }

    #[test]
    fn what_is_no_opus_packet_is_not_written() {
        let mut out = Vec::new();
        let mut writer = OggWriter::new(7, &OpusHead::new(1, 0), &mut out);
        assert!(writer.packet(&[], &mut out).is_err());
        assert!(writer.packet(&[3, 0], &mut out).is_err());
        assert!(writer.packet(&vec![8; 255 * 255], &mut out).is_err());
    }
}
