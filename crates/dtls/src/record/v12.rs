//! Record headers of DTLS 1.2 (RFC 6347 §4.1).
//!
//! ```text
//!  0        1        3        5                       11       13
//! +--------+--------+--------+-----------------------+--------+----------
//! | type   | version| epoch  | sequence number       | length | fragment
//! +--------+--------+--------+-----------------------+--------+----------
//! ```

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::ProtocolVersion;
use crate::record::{ContentType, MAX_PLAINTEXT};
use base::Reader;

/// Bytes of a record header.
pub(crate) const HEADER_LEN: usize = 13;

/// The largest fragment of a record with its protection (RFC 5246 §6.2.3).
const MAX_FRAGMENT: usize = MAX_PLAINTEXT + 2_048;

/// A record header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The number of the content type; it may be one that is unknown here.
    pub(crate) content: u8,
    pub(crate) version: ProtocolVersion,
    pub(crate) epoch: u16,
    /// 48 bits.
    pub(crate) sequence: u64,
    pub(crate) length: u16,
}

impl Header {
    pub(crate) const fn new(
        content: ContentType,
        version: ProtocolVersion,
        epoch: u16,
        sequence: u64,
        length: u16,
    ) -> Self {
        Self { content: content.number(), version, epoch, sequence, length }
    }

    /// Epoch and sequence number as one 64-bit number, which is the AEAD's sequence number and the explicit
    /// nonce.
    pub(crate) const fn number(&self) -> u64 {
        (self.epoch as u64) << 48 | self.sequence
    }

    pub(crate) fn encode(&self) -> [u8; HEADER_LEN] {
        let [v0, v1] = self.version.bytes();
        let [e0, e1, s0, s1, s2, s3, s4, s5] = self.number().to_be_bytes();
        let [l0, l1] = self.length.to_be_bytes();
        [self.content, v0, v1, e0, e1, s0, s1, s2, s3, s4, s5, l0, l1]
    }

    fn parse(reader: &mut Reader<'_>) -> Option<Self> {
        let content = reader.u8().ok()?;
        // RFC 9147 §4: a first byte of 0b001xxxxx starts a record of DTLS 1.3, which has no such header; with or
        // without a connection id it cannot belong to a connection of this version. 20..=63 is the range that
        // RFC 7983 gives to DTLS as a whole.
        if !(20..32).contains(&content) {
            return None;
        }
        let version = ProtocolVersion(reader.u16().ok()?);
        if version.bytes() != ProtocolVersion::DTLS_1_2.bytes()
            && version.bytes() != ProtocolVersion::DTLS_1_0.bytes()
        {
            return None;
        }
        let epoch = reader.u16().ok()?;
        let sequence = reader.u48().ok()?;
        let length = reader.u16().ok()?;
        Some(Self { content, version, epoch, sequence, length })
    }
}

/// Takes the first record from `datagram`: its header, its fragment and what follows.
///
/// `None` when there is no whole record; then the rest of the datagram cannot be read either.
pub(crate) fn split(datagram: &mut [u8]) -> Option<(Header, &mut [u8], &mut [u8])> {
    let (head, rest) = datagram.split_at_mut_checked(HEADER_LEN)?;
    let header = Header::parse(&mut Reader::new(head))?;
    let length = usize::from(header.length);
    if length > MAX_FRAGMENT {
        return None;
    }
    let (fragment, rest) = rest.split_at_mut_checked(length)?;
    Some((header, fragment, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> Header {
        Header::new(ContentType::Handshake, ProtocolVersion::DTLS_1_2, 1, 0x0102_0304_0506, 3)
    }

    #[test]
    fn splits_a_datagram_into_its_records() {
        let mut datagram = header().encode().to_vec();
        datagram.extend_from_slice(b"abc");
        datagram.extend_from_slice(&header().encode());
        datagram.extend_from_slice(b"defg");
        let (first, body, rest) = split(&mut datagram).unwrap();
        assert_eq!((first, &*body), (header(), &b"abc"[..]));
        let (_, body, rest) = split(rest).unwrap();
        assert_eq!(body, b"def");
        assert!(split(rest).is_none(), "one byte is no record");
    }

    /// T-D17: every cut of a record is refused, not read beyond its end.
    #[test]
    fn t_d17_truncated_records_are_refused() {
        let mut record = header().encode().to_vec();
        record.extend_from_slice(b"abc");
        for len in 0..record.len() {
            assert!(split(&mut record.clone()[..len]).is_none(), "{len}");
        }
    }

    /// T-D15: the bit of a connection id, the content type of RFC 9146 and everything of DTLS 1.3 is unknown here.
    #[test]
    fn t_d15_unified_headers_are_refused() {
        for first in 32..=255 {
            let mut record = header().encode();
            record[0] = first;
            assert!(split(&mut record.clone()).is_none(), "{first}");
        }
    }

    #[test]
    fn foreign_versions_and_oversized_lengths_are_refused() {
        for version in [0x0303, 0xfefc, 0x0100, 0xfeff ^ 0x0100] {
            let mut record = Header { version: ProtocolVersion(version), length: 0, ..header() }.encode();
            assert!(split(&mut record).is_none(), "{version:04x}");
        }
        let mut record = Header { length: MAX_FRAGMENT as u16 + 1, ..header() }.encode().to_vec();
        record.resize(40_000, 0);
        assert!(split(&mut record).is_none());
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(epoch: u16, sequence in 0_u64..1 << 48, body in prop::collection::vec(any::<u8>(), 0..64)) {
            let header = Header::new(
                ContentType::ApplicationData, ProtocolVersion::DTLS_1_2, epoch, sequence, body.len() as u16,
            );
            let mut record = header.encode().to_vec();
            record.extend_from_slice(&body);
            let (read, fragment, rest) = split(&mut record).unwrap();
            prop_assert_eq!(read, header);
            prop_assert_eq!(&*fragment, &body[..]);
            prop_assert!(rest.is_empty());
        }
    }
}
