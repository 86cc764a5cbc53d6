//! Fragment headers (RFC 6347 §4.2.2).
//!
//! ```text
//! +------+---------------+-----------+-----------------+-----------------+---------
//! | type | length (24)   | seq (16)  | offset (24)     | fragment (24)   | body
//! +------+---------------+-----------+-----------------+-----------------+---------
//! ```

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::handshake::HandshakeType;
use base::{PutExt, Reader};

/// Bytes of a fragment header.
pub(crate) const HEADER_LEN: usize = 12;

/// A part of a handshake message, or the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment<'a> {
    pub(crate) kind: HandshakeType,
    /// Bytes of the whole message.
    pub(crate) length: u32,
    pub(crate) seq: u16,
    pub(crate) offset: u32,
    pub(crate) body: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Takes the next fragment from a record; `None` when what is left is none, or reaches beyond its message.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let kind = HandshakeType(reader.u8().ok()?);
        let length = reader.u24().ok()?;
        let seq = reader.u16().ok()?;
        let offset = reader.u24().ok()?;
        let fragment_length = reader.u24().ok()?;
        let body = reader.take(usize::try_from(fragment_length).ok()?).ok()?;
        let end = offset.checked_add(fragment_length)?;
        (end <= length).then_some(Self { kind, length, seq, offset, body })
    }

    /// Whether it holds the last byte of its message.
    pub(crate) fn is_last(&self) -> bool {
        (self.offset as usize).checked_add(self.body.len()) == Some(self.length as usize)
    }

    /// Appends it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_u8(self.kind.0);
        out.put_u24(self.length);
        out.put_u16(self.seq);
        out.put_u24(self.offset);
        out.put_u24(self.body.len() as u32);
        out.put_slice(self.body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(body: &[u8]) -> Fragment<'_> {
        Fragment { kind: HandshakeType::CLIENT_HELLO, length: 10, seq: 3, offset: 4, body }
    }

    #[test]
    fn reads_what_it_writes() {
        let mut record = Vec::new();
        fragment(b"abc").write(&mut record);
        fragment(b"defghi").write(&mut record);
        let mut reader = Reader::new(&record);
        assert_eq!(Fragment::read(&mut reader), Some(fragment(b"abc")));
        let last = Fragment::read(&mut reader).unwrap();
        assert!(last.is_last() && !fragment(b"abc").is_last());
        assert!(reader.is_empty());
    }

    /// T-D17: cuts, and fragments that reach beyond their message.
    #[test]
    fn t_d17_damaged_fragments_are_refused() {
        let mut record = Vec::new();
        fragment(b"abc").write(&mut record);
        for len in 0..record.len() {
            assert_eq!(Fragment::read(&mut Reader::new(&record[..len])), None, "{len}");
        }
        let mut record = Vec::new();
        fragment(b"abcdefg").write(&mut record);
        assert_eq!(Fragment::read(&mut Reader::new(&record)), None);
    }
}
