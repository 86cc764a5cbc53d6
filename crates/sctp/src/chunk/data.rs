//! DATA (RFC 9260 §3.3.1) and I-DATA (RFC 8260 §2.1), which differ in how they say where a fragment belongs.
//!
//! ```text
//! +--------+---------------+-------------------------+
//! |   0    | 0 0 0 0 I U B E |        length         |
//! +--------+---------------+-------------------------+
//! |                       TSN                        |
//! +--------------------------+-----------------------+
//! |        stream            |          SSN          |
//! +--------------------------+-----------------------+
//! |          payload protocol identifier             |
//! +--------------------------------------------------+
//! |                   user data ...                  |
//! ```

use super::{ChunkWriter, DATA, I_DATA};
use crate::tlv::{Malformed, Tlv};
use crate::types::{Ppid, StreamId};
use base::{PutExt, Reader, Serial32};

/// Which of the two an association uses, for all its messages.
//
//= rfc8260 §2.2.1
//# If user message interleaving support has been negotiated for an association, I-DATA chunks MUST be used for all
//# user messages and DATA chunks MUST NOT be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// DATA: the fragments of a message have consecutive TSNs.
    #[default]
    Plain,
    /// I-DATA: fragments are numbered by themselves, and those of other streams may stand between them.
    Interleaved,
}

impl Format {
    /// Bytes before the user data.
    pub(crate) const fn header_len(self) -> usize {
        match self {
            Self::Plain => 16,
            Self::Interleaved => 20,
        }
    }

    pub(crate) fn is_interleaved(self) -> bool {
        self == Self::Interleaved
    }
}

const FLAG_E: u8 = 1;
const FLAG_B: u8 = 2;
const FLAG_U: u8 = 4;
const FLAG_I: u8 = 8;

/// What stands in the header beside the TSN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DataHeader {
    pub(crate) stream: StreamId,
    /// The message identifier. In DATA its low 16 bits are the stream sequence number.
    pub(crate) mid: Serial32,
    /// The number of the fragment, from zero. DATA has none.
    pub(crate) fsn: u32,
    /// In I-DATA only the first fragment has one; in later ones it is zero.
    pub(crate) ppid: Ppid,
    pub(crate) unordered: bool,
    /// First fragment of its message.
    pub(crate) begin: bool,
    /// Last fragment of its message.
    pub(crate) end: bool,
}

/// A received chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Data<'a> {
    pub(crate) tsn: Serial32,
    pub(crate) header: DataHeader,
    /// The I bit: the sender would like its SACK at once (RFC 7053, now RFC 9260 §3.3.1).
    pub(crate) immediate: bool,
    pub(crate) payload: &'a [u8],
}

impl<'a> Data<'a> {
    pub(crate) fn parse(chunk: &Tlv<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(chunk.value);
        let tsn = Serial32(reader.u32()?);
        let stream = StreamId(reader.u16()?);
        let mid = Serial32(u32::from(reader.u16()?));
        let ppid = Ppid(reader.u32()?);
        Ok(Self::with_flags(chunk, tsn, DataHeader { stream, mid, ppid, ..DataHeader::default() }, reader))
    }

    pub(crate) fn parse_interleaved(chunk: &Tlv<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(chunk.value);
        let tsn = Serial32(reader.u32()?);
        let stream = StreamId(reader.u16()?);
        let _reserved = reader.u16()?;
        let mid = Serial32(reader.u32()?);
        let shared = reader.u32()?;
        let first = chunk.flags() & FLAG_B != 0;
        let (ppid, fsn) = if first { (Ppid(shared), 0) } else { (Ppid(0), shared) };
        Ok(Self::with_flags(
            chunk,
            tsn,
            DataHeader { stream, mid, fsn, ppid, ..DataHeader::default() },
            reader,
        ))
    }

    fn with_flags(chunk: &Tlv<'a>, tsn: Serial32, header: DataHeader, reader: Reader<'a>) -> Self {
        let flags = chunk.flags();
        let header = DataHeader {
            unordered: flags & FLAG_U != 0,
            begin: flags & FLAG_B != 0,
            end: flags & FLAG_E != 0,
            ..header
        };
        Self { tsn, header, immediate: flags & FLAG_I != 0, payload: reader.rest() }
    }
}

/// Appends a DATA or I-DATA chunk.
pub(crate) fn write(
    out: &mut Vec<u8>,
    format: Format,
    tsn: Serial32,
    header: &DataHeader,
    immediate: bool,
    payload: &[u8],
) {
    let mut flags = 0;
    for (set, flag) in
        [(header.end, FLAG_E), (header.begin, FLAG_B), (header.unordered, FLAG_U), (immediate, FLAG_I)]
    {
        if set {
            flags |= flag;
        }
    }
    let kind = if format.is_interleaved() { I_DATA } else { DATA };
    //= rfc9260 §3.3.1
    //# The following format MUST be used for the DATA chunk:
    //= rfc9260 §3.3.1
    //# If an unordered user message is fragmented, each fragment of the message MUST have its U bit set to 1.
    //= rfc9260 §6.9
    //# If the user indicates that the user message is to be delivered using unordered delivery, then the U flag of
    //# each DATA chunk of the user message MUST be set to 1.
    let chunk = ChunkWriter::start(out, kind, flags);
    out.put_u32(tsn.0);
    out.put_u16(header.stream.0);
    match format {
        Format::Plain => {
            //= rfc9260 §6.5
            //# In particular, when the Stream Sequence Number reaches the value 65535, the next Stream Sequence
            //# Number MUST be set to 0.
            out.put_u16(header.mid.0 as u16);
            //= rfc9260 §3.3.1
            //# This field MUST be sent even in fragmented DATA chunks
            out.put_u32(header.ppid.0);
        }
        Format::Interleaved => {
            out.put_u16(0);
            out.put_u32(header.mid.0);
            out.put_u32(if header.begin { header.ppid.0 } else { header.fsn });
        }
    }
    out.put_slice(payload);
    //= rfc9260 §3.3.1
    //# The implementation MUST pad the end of the data to a 4-byte boundary with all zero bytes.
    chunk.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::Tlvs;

    //= rfc9260 §3.3.1
    //= type=test
    //# The following format MUST be used for the DATA chunk:
    //= rfc9260 §3
    //= type=test
    //# All integer fields in an SCTP packet MUST be transmitted in network byte order, unless otherwise stated.
    //= rfc9260 §3.3.1
    //= type=test
    //# Any padding MUST NOT be included in the Length field.
    #[test]
    fn layout_and_round_trip() {
        let header = DataHeader {
            stream: StreamId(0x0506),
            mid: Serial32(0x0708),
            fsn: 0,
            ppid: Ppid(0x090a_0b0c),
            unordered: true,
            begin: true,
            end: false,
        };
        let mut out = Vec::new();
        write(&mut out, Format::Plain, Serial32(0x0102_0304), &header, true, b"abcde");
        assert_eq!(
            out,
            [0, 0x0e, 0, 21, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, b'a', b'b', b'c', b'd', b'e', 0, 0, 0]
        );
        let chunk = Tlvs::new(&out).next().unwrap().unwrap();
        let data = Data::parse(&chunk).unwrap();
        assert_eq!(data, Data { tsn: Serial32(0x0102_0304), header, immediate: true, payload: b"abcde" });
    }

    /// RFC 8260 §2.1: the first fragment has the PPID where the others have their number.
    #[test]
    fn i_data_layout_and_round_trip() {
        let first = DataHeader {
            stream: StreamId(0x0506),
            mid: Serial32(0x0708_090a),
            fsn: 0,
            ppid: Ppid(0x0b0c_0d0e),
            unordered: false,
            begin: true,
            end: false,
        };
        let last = DataHeader { fsn: 0x0102_0304, ppid: Ppid(0), begin: false, end: true, ..first };
        for (header, flags, shared) in [(first, 2, [0xb, 0xc, 0xd, 0xe]), (last, 1, [1, 2, 3, 4])] {
            let mut out = Vec::new();
            write(&mut out, Format::Interleaved, Serial32(0x0102_0304), &header, false, b"a");
            assert_eq!(out[..16], [64, flags, 0, 21, 1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10]);
            assert_eq!((&out[16..20], &out[20..]), (&shared[..], &[b'a', 0, 0, 0][..]));
            let chunk = Tlvs::new(&out).next().unwrap().unwrap();
            let data = Data::parse_interleaved(&chunk).unwrap();
            assert_eq!(data, Data { tsn: Serial32(0x0102_0304), header, immediate: false, payload: b"a" });
        }
    }
}
