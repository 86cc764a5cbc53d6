//! SACK (RFC 9260 §3.3.4).

use super::{ChunkWriter, HEADER_LEN, SACK};
use crate::tlv::Malformed;
use base::{PutExt, Reader, Serial32};

/// Bytes of a SACK without blocks and duplicates.
pub(crate) const MIN_LEN: usize = HEADER_LEN + 12;

/// A received SACK. Blocks are read on the fly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sack<'a> {
    pub(crate) cumulative: Serial32,
    pub(crate) window: u32,
    blocks: &'a [u8],
    duplicates: &'a [u8],
}

impl<'a> Sack<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(value);
        let cumulative = Serial32(reader.u32()?);
        let window = reader.u32()?;
        let blocks = usize::from(reader.u16()?) * 4;
        let duplicates = usize::from(reader.u16()?) * 4;
        let blocks = reader.take(blocks)?;
        let duplicates = reader.take(duplicates)?;
        Ok(Self { cumulative, window, blocks, duplicates })
    }

    /// TSNs that came more than once since the last SACK.
    pub(crate) fn duplicates(&self) -> impl Iterator<Item = Serial32> + 'a {
        words(self.duplicates).map(Serial32)
    }

    /// Gap Ack Blocks: first and last TSN as offsets from the cumulative one.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (u16, u16)> + 'a {
        words(self.blocks).map(|word| ((word >> 16) as u16, word as u16))
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| u32::from_be_bytes(*word))
}

/// Appends a SACK.
pub(crate) fn write(
    out: &mut Vec<u8>,
    cumulative: Serial32,
    window: u32,
    blocks: impl ExactSizeIterator<Item = (u16, u16)>,
    duplicates: &[Serial32],
) {
    //= rfc9260 §3.3.4
    //# The SACK chunk MUST contain the Cumulative TSN Ack, Advertised Receiver Window Credit (a_rwnd), Number of Gap
    //# Ack Blocks, and Number of Duplicate TSNs fields.
    let chunk = ChunkWriter::start(out, SACK, 0);
    out.put_u32(cumulative.0);
    out.put_u32(window);
    out.put_u16(u16::try_from(blocks.len()).unwrap_or(u16::MAX));
    out.put_u16(u16::try_from(duplicates.len()).unwrap_or(u16::MAX));
    for (first, last) in blocks {
        out.put_u16(first);
        out.put_u16(last);
    }
    for tsn in duplicates {
        out.put_u32(tsn.0);
    }
    chunk.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::Tlvs;

    #[test]
    fn layout_and_round_trip() {
        let mut out = Vec::new();
        write(&mut out, Serial32(7), 1_000, [(2, 3), (5, 5)].into_iter(), &[Serial32(6)]);
        assert_eq!(
            out,
            [3, 0, 0, 28, 0, 0, 0, 7, 0, 0, 3, 232, 0, 2, 0, 1, 0, 2, 0, 3, 0, 5, 0, 5, 0, 0, 0, 6]
        );
        let sack = Sack::parse(Tlvs::new(&out).next().unwrap().unwrap().value).unwrap();
        assert_eq!(sack.blocks().collect::<Vec<_>>(), [(2, 3), (5, 5)]);
        assert_eq!(sack.duplicates().collect::<Vec<_>>(), [Serial32(6)]);
    }

    //= rfc9260 §3.3.4
    //= type=test
    //# Then, the parameter part of the SACK chunk MUST be constructed as follows (assuming the new a_rwnd is set to 4660
    //# by the sender):
    #[test]
    fn rfc9260_3_3_4_the_example_is_written() {
        let mut out = Vec::new();
        write(&mut out, Serial32(12), 4_660, [(2, 3), (5, 5)].into_iter(), &[]);
        assert_eq!(out, [3, 0, 0, 24, 0, 0, 0, 12, 0, 0, 18, 52, 0, 2, 0, 0, 0, 2, 0, 3, 0, 5, 0, 5]);
    }

    /// T-C04: counts that promise more than is there.
    #[test]
    fn t_c04_counts_beyond_the_chunk_are_malformed() {
        let value = [0, 0, 0, 7, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 1, 0, 2];
        assert!(Sack::parse(&value).is_err());
    }
}
