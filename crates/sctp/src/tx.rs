//! The sending half: what waits, what is in flight, and how much may be.

mod acknowledge;
pub(crate) mod congestion;
mod outstanding;
mod pacer;
mod per_stream;
mod prr;
mod queue;
mod rack;
mod recovery;
mod round_trip;
mod rto;
mod sender;
mod tail_probe;

pub(crate) use sender::{Sender, SenderSnapshot};

use crate::chunk::data::Format;
use crate::packet;

/// Bytes charged for each message or chunk held, on top of its payload.
pub(crate) const OVERHEAD: usize = 128;

/// The smallest and largest packets that can be asked for.
pub(crate) fn clamp_packet_len(bytes: usize) -> usize {
    bytes.clamp(256, 65_000) & !3
}

//= rfc9260 §6
//# When converting user messages into DATA chunks, an endpoint MUST fragment large user messages into multiple DATA
//# chunks.
//= rfc9260 §6.9
//# If an endpoint supports fragmentation, it MUST fragment a user message if the size of the user message to be sent
//# causes the outbound SCTP packet size to exceed the current PMTU.
//= rfc9260 §6.9
//# the SCTP implementation MUST take into account the SCTP packet header as well as the DATA chunk header(s).
/// The payload of a chunk that fills a packet alone.
pub(crate) fn full_payload(format: Format, max_packet_len: usize) -> usize {
    (max_packet_len & !3) - packet::HEADER_LEN - format.header_len()
}

/// Bytes of a chunk with user data, padding left out.
pub(crate) const fn data_len(format: Format, payload: usize) -> usize {
    format.header_len() + payload
}

/// Payload bytes that fit a chunk in `space` bytes of packet.
pub(crate) const fn payload_room(format: Format, space: usize) -> usize {
    space.saturating_sub(format.header_len())
}
