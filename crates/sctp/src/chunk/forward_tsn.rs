//! FORWARD TSN (RFC 3758 §3.2).

use super::{ChunkWriter, FORWARD_TSN, HEADER_LEN};
use crate::tlv::Malformed;
use crate::types::StreamId;
use base::{PutExt, Reader, Serial16, Serial32};

/// Bytes of the chunk without stream entries.
pub(crate) const MIN_LEN: usize = HEADER_LEN + 4;

/// A received FORWARD TSN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForwardTsn<'a> {
    pub(crate) cumulative: Serial32,
    skipped: &'a [u8],
}

impl<'a> ForwardTsn<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(value);
        Ok(Self { cumulative: Serial32(reader.u32()?), skipped: reader.take_rest() })
    }

    /// Ordered streams and the last sequence number skipped in each.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = (StreamId, Serial16)> + 'a {
        let (entries, _) = self.skipped.as_chunks::<4>();
        entries
            .iter()
            .map(|&[a, b, c, d]| (StreamId(u16::from_be_bytes([a, b])), Serial16(u16::from_be_bytes([c, d]))))
    }
}

/// Appends a FORWARD TSN.
pub(crate) fn write(
    out: &mut Vec<u8>,
    cumulative: Serial32,
    skipped: impl IntoIterator<Item = (StreamId, Serial16)>,
) {
    let chunk = ChunkWriter::start(out, FORWARD_TSN, 0);
    out.put_u32(cumulative.0);
    for (stream, ssn) in skipped {
        out.put_u16(stream.0);
        out.put_u16(ssn.0);
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
        write(&mut out, Serial32(9), [(StreamId(1), Serial16(2))]);
        assert_eq!(out, [192, 0, 0, 12, 0, 0, 0, 9, 0, 1, 0, 2]);
        let chunk = ForwardTsn::parse(Tlvs::new(&out).next().unwrap().unwrap().value).unwrap();
        assert_eq!(chunk.skipped().collect::<Vec<_>>(), [(StreamId(1), Serial16(2))]);
    }
}
