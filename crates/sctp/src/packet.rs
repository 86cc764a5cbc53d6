//! The common header and the checksum (RFC 9260 §3.1, §6.8), which may be zero where DTLS does its work (RFC 9653).
//!
//! ```text
//! +--------------------------------+--------------------------------+
//! |          source port           |        destination port        |
//! +--------------------------------+--------------------------------+
//! |                        verification tag                         |
//! +-----------------------------------------------------------------+
//! |                   CRC32c, low byte first                        |
//! +-----------------------------------------------------------------+
//! |                          chunks ...                             |
//! ```

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crate::tlv::{Malformed, Tlvs};
use base::{PutExt, Reader};
use crc_fast::{CrcAlgorithm, Digest};

/// Bytes of the common header.
pub(crate) const HEADER_LEN: usize = 12;

/// What stands in the checksum field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// CRC32c, always (RFC 9260 §6.8).
    Crc32c,
    /// Zero will do instead (RFC 9653).
    OrZero,
}

/// A received packet whose checksum and framing are right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PacketView<'a> {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) tag: u32,
    pub(crate) chunks: Tlvs<'a>,
}

impl<'a> PacketView<'a> {
    pub(crate) fn parse(packet: &'a [u8], accepted: Checksum) -> Result<Self, Malformed> {
        let mut reader = Reader::new(packet);
        let source_port = reader.u16()?;
        let destination_port = reader.u16()?;
        let tag = reader.u32()?;
        let checksum = u32::from_le_bytes(reader.array()?);
        let body = reader.rest();
        //= rfc9260 §6.8
        //# When an SCTP packet is received, the receiver MUST first check the CRC32c checksum as follows:
        // Zero that is not agreed upon may still be what CRC32c gives.
        let is_left_out = accepted == Checksum::OrZero && checksum == 0;
        if body.is_empty() || !(is_left_out || checksum == crc32c(packet.get(..8).unwrap_or_default(), body))
        {
            //= rfc9260 §6.8
            //# If it is not, the receiver MUST treat the packet as an invalid SCTP packet.
            return Err(Malformed);
        }
        //= rfc9260 §6.10
        //# If the receiver detects a partial chunk, it MUST drop the chunk.
        // The whole framing is checked before the first chunk is acted upon.
        let chunks = Tlvs::new(body);
        if chunks.into_iter().any(|chunk| chunk.is_err()) {
            return Err(Malformed);
        }
        Ok(Self { source_port, destination_port, tag, chunks })
    }

    /// Whether there is one chunk and no more.
    pub(crate) fn is_single(&self) -> bool {
        let mut chunks = self.chunks;
        chunks.next().is_some() && chunks.next().is_none()
    }
}

/// Appends a header whose checksum is still zero.
pub(crate) fn write_header(out: &mut Vec<u8>, source_port: u16, destination_port: u16, tag: u32) {
    //= rfc9260 §3
    //# All integer fields in an SCTP packet MUST be transmitted in network byte order, unless otherwise stated.
    out.put_u16(source_port);
    out.put_u16(destination_port);
    out.put_u32(tag);
    out.put_u32(0);
}

/// Fills in the checksum of the packet that starts at `start`.
pub(crate) fn seal(out: &mut [u8], start: usize) {
    let Some(packet) = out.get_mut(start..) else { return };
    let checksum = crc_fast::crc32_iscsi(packet);
    if let Some(field) = packet.get_mut(8..12) {
        field.copy_from_slice(&checksum.to_le_bytes());
    }
}

/// CRC32c over the first eight bytes of a packet, a zero checksum field, and the rest.
fn crc32c(head: &[u8], body: &[u8]) -> u32 {
    let mut first = [0; HEADER_LEN];
    if let Some(copied) = first.get_mut(..head.len()) {
        copied.copy_from_slice(head);
    }
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    digest.update(&first);
    digest.update(body);
    digest.finalize() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sctp_crc32c_vectors`: RFC 3720 B.4 gives the value for 32 zero bytes and for the bytes 0 to 31.
    #[test]
    fn sctp_crc32c_vectors() {
        assert_eq!(crc_fast::crc32_iscsi(&[0; 32]), 0x8a91_36aa);
        let ascending: Vec<u8> = (0..32).collect();
        assert_eq!(crc_fast::crc32_iscsi(&ascending), 0x46dd_794e);
    }

    #[test]
    fn a_sealed_packet_parses_and_any_flipped_bit_is_seen() {
        let mut packet = Vec::new();
        write_header(&mut packet, 5000, 5001, 0x0102_0304);
        packet.extend_from_slice(&[14, 0, 0, 4]);
        seal(&mut packet, 0);
        let view = PacketView::parse(&packet, Checksum::Crc32c).unwrap();
        assert_eq!((view.source_port, view.destination_port, view.tag), (5000, 5001, 0x0102_0304));
        for bit in 0..packet.len() * 8 {
            let mut broken = packet.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            for accepted in [Checksum::Crc32c, Checksum::OrZero] {
                assert!(PacketView::parse(&broken, accepted).is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn zero_counts_only_where_it_is_accepted() {
        let mut packet = Vec::new();
        write_header(&mut packet, 5000, 5001, 0x0102_0304);
        packet.extend_from_slice(&[14, 0, 0, 4]);
        assert!(PacketView::parse(&packet, Checksum::Crc32c).is_err());
        assert!(PacketView::parse(&packet, Checksum::OrZero).is_ok());
    }
}
