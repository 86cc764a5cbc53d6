//! FORWARD TSN (RFC 3758 §3.2) and I-FORWARD-TSN (RFC 8260 §2.3.1).

use super::data::Format;
use super::{ChunkWriter, FORWARD_TSN, HEADER_LEN, I_FORWARD_TSN};
use crate::tlv::Malformed;
use crate::types::StreamId;
use base::{PutExt, Reader, Serial32};

/// Bytes of the chunk without stream entries.
pub(crate) const MIN_LEN: usize = HEADER_LEN + 4;

/// Bytes of one stream entry.
pub(crate) const fn entry_len(format: Format) -> usize {
    match format {
        Format::Plain => 4,
        Format::Interleaved => 8,
    }
}

/// The last message skipped in a stream, of the ordered or of the unordered ones. FORWARD TSN knows ordered ones only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) stream: StreamId,
    pub(crate) unordered: bool,
    /// In FORWARD TSN the stream sequence number.
    pub(crate) mid: Serial32,
}

/// A received chunk of either kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForwardTsn<'a> {
    pub(crate) cumulative: Serial32,
    format: Format,
    skipped: &'a [u8],
}

impl<'a> ForwardTsn<'a> {
    pub(crate) fn parse(format: Format, value: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(value);
        Ok(Self { cumulative: Serial32(reader.u32()?), format, skipped: reader.take_rest() })
    }

    pub(crate) fn skipped(&self) -> impl Iterator<Item = Skipped> + 'a {
        let format = self.format;
        self.skipped.chunks_exact(entry_len(format)).filter_map(move |entry| {
            let mut reader = Reader::new(entry);
            let stream = StreamId(reader.u16().ok()?);
            let second = reader.u16().ok()?;
            Some(match format {
                Format::Plain => Skipped { stream, unordered: false, mid: Serial32(u32::from(second)) },
                Format::Interleaved => {
                    Skipped { stream, unordered: second & 1 != 0, mid: Serial32(reader.u32().ok()?) }
                }
            })
        })
    }
}

/// Appends a FORWARD TSN or I-FORWARD-TSN.
//
//= rfc8260 §2.3.1
//# The FORWARD-TSN chunk MUST be used in combination with the DATA chunk and MUST NOT be used in combination with the
//# I-DATA chunk.
pub(crate) fn write(
    out: &mut Vec<u8>,
    format: Format,
    cumulative: Serial32,
    skipped: impl IntoIterator<Item = Skipped>,
) {
    let kind = if format.is_interleaved() { I_FORWARD_TSN } else { FORWARD_TSN };
    let chunk = ChunkWriter::start(out, kind, 0);
    out.put_u32(cumulative.0);
    for Skipped { stream, unordered, mid } in skipped {
        out.put_u16(stream.0);
        match format {
            Format::Plain => out.put_u16(mid.0 as u16),
            Format::Interleaved => {
                out.put_u16(u16::from(unordered));
                out.put_u32(mid.0);
            }
        }
    }
    chunk.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::Tlvs;

    #[test]
    fn layout_and_round_trip() {
        let ordered = Skipped { stream: StreamId(1), unordered: false, mid: Serial32(2) };
        let unordered = Skipped { stream: StreamId(1), unordered: true, mid: Serial32(0x0304_0506) };
        let plain = [192, 0, 0, 12, 0, 0, 0, 9, 0, 1, 0, 2];
        let interleaved = [194, 0, 0, 24, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 2, 0, 1, 0, 1, 3, 4, 5, 6];
        for (format, skipped, expected) in [
            (Format::Plain, &[ordered][..], &plain[..]),
            (Format::Interleaved, &[ordered, unordered], &interleaved),
        ] {
            let mut out = Vec::new();
            write(&mut out, format, Serial32(9), skipped.iter().copied());
            assert_eq!(out, expected);
            let chunk = Tlvs::new(&out).next().unwrap().unwrap();
            let chunk = ForwardTsn::parse(format, chunk.value).unwrap();
            assert_eq!(chunk.cumulative, Serial32(9));
            assert_eq!(chunk.skipped().collect::<Vec<_>>(), skipped);
        }
    }
}
