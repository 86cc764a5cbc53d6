//! DATA (RFC 9260 §3.3.1).
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

use super::{ChunkWriter, DATA};
use crate::tlv::{Malformed, Tlv};
use crate::types::{Ppid, StreamId};
use base::{PutExt, Reader, Serial16, Serial32};

/// Bytes before the user data.
pub(crate) const HEADER_LEN: usize = 16;

const FLAG_E: u8 = 1;
const FLAG_B: u8 = 2;
const FLAG_U: u8 = 4;
const FLAG_I: u8 = 8;

/// What stands in the header beside the TSN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataHeader {
    pub(crate) stream: StreamId,
    pub(crate) ssn: Serial16,
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
        let flags = chunk.flags();
        let tsn = Serial32(reader.u32()?);
        let header = DataHeader {
            stream: StreamId(reader.u16()?),
            ssn: Serial16(reader.u16()?),
            ppid: Ppid(reader.u32()?),
            unordered: flags & FLAG_U != 0,
            begin: flags & FLAG_B != 0,
            end: flags & FLAG_E != 0,
        };
        Ok(Self { tsn, header, immediate: flags & FLAG_I != 0, payload: reader.take_rest() })
    }
}

/// Appends a DATA chunk.
pub(crate) fn write(out: &mut Vec<u8>, tsn: Serial32, header: &DataHeader, immediate: bool, payload: &[u8]) {
    let mut flags = 0;
    for (set, flag) in
        [(header.end, FLAG_E), (header.begin, FLAG_B), (header.unordered, FLAG_U), (immediate, FLAG_I)]
    {
        if set {
            flags |= flag;
        }
    }
    let chunk = ChunkWriter::start(out, DATA, flags);
    out.put_u32(tsn.0);
    out.put_u16(header.stream.0);
    out.put_u16(header.ssn.0);
    out.put_u32(header.ppid.0);
    out.put_slice(payload);
    chunk.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::Tlvs;

    #[test]
    fn layout_and_round_trip() {
        let header = DataHeader {
            stream: StreamId(0x0506),
            ssn: Serial16(0x0708),
            ppid: Ppid(0x090a_0b0c),
            unordered: true,
            begin: true,
            end: false,
        };
        let mut out = Vec::new();
        write(&mut out, Serial32(0x0102_0304), &header, true, b"abcde");
        assert_eq!(
            out,
            [0, 0x0e, 0, 21, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, b'a', b'b', b'c', b'd', b'e', 0, 0, 0]
        );
        let chunk = Tlvs::new(&out).next().unwrap().unwrap();
        let data = Data::parse(&chunk).unwrap();
        assert_eq!(data, Data { tsn: Serial32(0x0102_0304), header, immediate: true, payload: b"abcde" });
    }
}
