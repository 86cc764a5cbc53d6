//! The little of RTP and RTCP that protection has to know.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crate::{ProtectError, UnprotectError};
use base::Reader;

/// A synchronization source (RFC 3550 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct Ssrc(pub u32);

/// The longest packet, protected or not: what fits into a datagram.
pub(crate) const MAX_PACKET: usize = 65_535;

/// A field that is wrong or does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) field: &'static str,
    pub(crate) offset: usize,
}

impl From<Malformed> for ProtectError {
    fn from(Malformed { field, offset }: Malformed) -> Self {
        Self::Malformed { field, offset }
    }
}

impl From<Malformed> for UnprotectError {
    fn from(Malformed { field, offset }: Malformed) -> Self {
        Self::Malformed { field, offset }
    }
}

/// Names the field that a truncated read was after.
fn missing(field: &'static str) -> impl Fn(base::Truncated) -> Malformed {
    move |truncated| Malformed { field, offset: truncated.offset }
}

/// What an RTP packet says before its payload (RFC 3550 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RtpHeader {
    /// Bytes before the payload: fixed header, CSRCs and extension.
    pub(crate) len: usize,
    pub(crate) sequence: u16,
    pub(crate) ssrc: Ssrc,
}

impl RtpHeader {
    pub(crate) fn parse(packet: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(packet);
        let first = reader.u8().map_err(missing("version"))?;
        version(first)?;
        reader.u8().map_err(missing("payload type"))?;
        let sequence = reader.u16().map_err(missing("sequence number"))?;
        reader.u32().map_err(missing("timestamp"))?;
        let ssrc = Ssrc(reader.u32().map_err(missing("SSRC"))?);
        reader.take(4 * usize::from(first & 0x0f)).map_err(missing("CSRCs"))?;
        if first & 0x10 != 0 {
            reader.u16().map_err(missing("extension profile"))?;
            let words = reader.u16().map_err(missing("extension length"))?;
            reader.take(4 * usize::from(words)).map_err(missing("extension"))?;
        }
        Ok(Self { len: reader.offset(), sequence, ssrc })
    }
}

/// The part of an RTCP packet that stays in the clear (RFC 3711 §3.4).
pub(crate) const RTCP_HEADER_LEN: usize = 8;

/// The sender of an RTCP packet (RFC 3550 §6.4).
pub(crate) fn rtcp_sender(packet: &[u8]) -> Result<Ssrc, Malformed> {
    let mut reader = Reader::new(packet);
    version(reader.u8().map_err(missing("version"))?)?;
    reader.u8().map_err(missing("packet type"))?;
    reader.u16().map_err(missing("length"))?;
    Ok(Ssrc(reader.u32().map_err(missing("SSRC"))?))
}

fn version(first: u8) -> Result<(), Malformed> {
    if first >> 6 != 2 {
        return Err(Malformed { field: "version", offset: 0 });
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn header_length_counts_sources_and_extension() {
        let mut packet = vec![0x92, 0x60, 0x12, 0x34, 0, 0, 0, 0, 0xca, 0xfe, 0xba, 0xbe];
        packet.extend([0; 8]);
        packet.extend([0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
        packet.extend(b"payload");
        let header = RtpHeader { len: 28, sequence: 0x1234, ssrc: Ssrc(0xcafe_babe) };
        assert_eq!(RtpHeader::parse(&packet), Ok(header));
        assert_eq!(RtpHeader::parse(&packet[..28]), Ok(header));
        for len in 0..28 {
            assert!(RtpHeader::parse(&packet[..len]).is_err(), "{len} bytes");
        }
        packet[22] = 0xff;
        let expected = Malformed { field: "extension", offset: 24 };
        assert_eq!(RtpHeader::parse(&packet), Err(expected));
    }

    #[test]
    fn other_versions_are_not_ours() {
        for first in (0..=0x7f).chain(0xc0..=0xff) {
            assert_eq!(RtpHeader::parse(&[first; 40]), Err(Malformed { field: "version", offset: 0 }));
            assert_eq!(rtcp_sender(&[first; 40]), Err(Malformed { field: "version", offset: 0 }));
        }
    }
}
