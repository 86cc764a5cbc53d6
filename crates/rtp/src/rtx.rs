//! Retransmission payload (RFC 4588): the original packet behind two bytes, on a stream of its own.
//!
//! ```text
//! +-------------------------------+-------------------------------+
//! |             OSN               |  original RTP packet payload  |
//! +-------------------------------+-------------------------------+
//! ```

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use std::fmt;

use base::PutExt;

use crate::build::PacketBuilder;
use crate::numbers::{PayloadType, SequenceNumber, Ssrc};
use crate::packet::{Header, Packet};

/// Bytes that retransmission adds to a payload: the original sequence number.
pub const OVERHEAD: usize = 2;

/// Appends the retransmission of `original` to `out` and returns the bytes appended.
///
/// The marker, timestamp, contributing sources and header extension are those of the original (RFC 4588 §4); its
/// padding is left behind. A block of extensions that is neither one- nor two-byte form is left behind, too.
pub fn wrap(
    original: &Packet,
    ssrc: Ssrc,
    payload_type: PayloadType,
    sequence_number: SequenceNumber,
    out: &mut Vec<u8>,
) -> usize {
    let start = out.len();
    let mut csrcs = [Ssrc(0); 15];
    let mut count = 0_usize;
    for (place, csrc) in csrcs.iter_mut().zip(original.csrcs()) {
        *place = csrc;
        count = count.saturating_add(1);
    }
    let header = Header { payload_type, sequence_number, ssrc, ..original.header };
    let form = original.extensions().form().unwrap_or_default();
    let mut builder = PacketBuilder::new(out, header, csrcs.get(..count).unwrap_or_default(), form);
    //= rfc4588 §4
    //# If the original RTP header carried an RTP header extension, the
    //# retransmission packet SHOULD carry the same header extension.
    for (id, data) in original.extensions() {
        // An element read in a form fits that form, but for empty ones of a one-byte block, which cannot exist.
        let _ = builder.extension_bytes(id, data);
    }
    let _ = builder.finish();
    put_osn(original.header.sequence_number, out);
    //= rfc4588 §4
    //# If the original RTP packet contained RTP padding, that padding MUST
    //# be removed before constructing the retransmission packet.
    out.put_slice(&original.payload);
    out.len().saturating_sub(start)
}

/// Appends the payload header alone, for a sender that writes the packet itself.
pub fn put_osn(original: SequenceNumber, out: &mut Vec<u8>) {
    out.put_u16(original.0);
}

/// Turns a retransmission back into the packet it repeats. The payload stays a slice of the same buffer.
///
/// # Errors
///
/// The payload is shorter than the original sequence number. Padding-only packets on a retransmission stream, which
/// bandwidth probes use, are reported so, too.
pub fn unwrap(mut packet: Packet, ssrc: Ssrc, payload_type: PayloadType) -> Result<Packet, UnwrapError> {
    let Some((osn, _)) = packet.payload.split_first_chunk::<OVERHEAD>() else {
        return Err(UnwrapError { len: packet.payload.len() });
    };
    packet.header.sequence_number = SequenceNumber(u16::from_be_bytes(*osn));
    packet.header.ssrc = ssrc;
    packet.header.payload_type = payload_type;
    packet.payload = packet.payload.slice(OVERHEAD..);
    Ok(packet)
}

/// A retransmission without an original sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnwrapError {
    /// Bytes of payload there were: 0 or 1.
    pub len: usize,
}

impl fmt::Display for UnwrapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "retransmission payload of {} bytes has no original sequence number", self.len)
    }
}

impl std::error::Error for UnwrapError {}

#[cfg(test)]
mod tests;
