//! RTCP (RFC 3550 §6): reading compound packets without copying, writing by appending.
//!
//! [`Compound`] walks the packets of one datagram. A packet whose body is malformed yields an error and the walk goes
//! on behind it, as long as its length field is credible; reduced-size packets (RFC 5506) need no special care. Each
//! packet type has a `write` that appends one complete packet to a `Vec<u8>`.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod app;
mod bye;
mod ccfb;
mod feedback;
mod nack;
mod remb;
mod report;
mod sdes;
mod twcc;
mod xr;

use base::{PutExt, Reader};

use crate::error::ParseError;
use crate::numbers::Ssrc;

pub use app::App;
pub use bye::Bye;
pub use ccfb::{CongestionFeedback, Ecn, PacketMetric, StreamMetrics};
pub use feedback::{BitrateEntry, Fir, FirEntry, Pli, Tmmbn, Tmmbr};
pub use nack::Nack;
pub use remb::Remb;
pub use report::{ReceiverReport, ReportBlock, ReportBlocks, SenderInfo, SenderReport};
pub use sdes::{Chunk, Chunks, Items, SdesKind, SourceDescription};
pub use twcc::{Arrival, FeedbackFull, PacketStatus, Statuses, TransportFeedback, TransportFeedbackBuilder};
pub use xr::{Dlrr, ExtendedReport, XrBlock, XrBlocks};

/// Packet types (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2).
pub(crate) mod kind {
    pub(crate) const SR: u8 = 200;
    pub(crate) const RR: u8 = 201;
    pub(crate) const SDES: u8 = 202;
    pub(crate) const BYE: u8 = 203;
    pub(crate) const APP: u8 = 204;
    pub(crate) const RTPFB: u8 = 205;
    pub(crate) const PSFB: u8 = 206;
    pub(crate) const XR: u8 = 207;
}

/// One RTCP packet, borrowed from the datagram.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RtcpPacket<'a> {
    /// RFC 3550 §6.7.
    App(App<'a>),
    /// RFC 3550 §6.6.
    Bye(Bye<'a>),
    /// RFC 8888 §3.1.
    CongestionFeedback(CongestionFeedback<'a>),
    /// RFC 3611.
    ExtendedReport(ExtendedReport<'a>),
    /// RFC 5104 §4.3.1.
    Fir(Fir<'a>),
    /// RFC 4585 §6.2.1.
    Nack(Nack<'a>),
    /// RFC 4585 §6.3.1.
    Pli(Pli),
    /// RFC 3550 §6.4.2.
    ReceiverReport(ReceiverReport<'a>),
    /// draft-alvestrand-rmcat-remb-03.
    Remb(Remb<'a>),
    /// RFC 3550 §6.4.1.
    SenderReport(SenderReport<'a>),
    /// RFC 3550 §6.5.
    SourceDescription(SourceDescription<'a>),
    /// RFC 5104 §4.2.2.
    Tmmbn(Tmmbn<'a>),
    /// RFC 5104 §4.2.1.
    Tmmbr(Tmmbr<'a>),
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.
    TransportFeedback(TransportFeedback<'a>),
    /// A type or feedback format that is not known here.
    Unknown(Unknown<'a>),
}

/// A packet that is well-formed as far as its header goes, and not known beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unknown<'a> {
    /// Packet type, the second byte.
    pub packet_type: u8,
    /// The low five bits of the first byte: a count, subtype or feedback format.
    pub count: u8,
    /// All behind the four-byte header, without padding.
    pub body: &'a [u8],
}

/// The packets of one RTCP datagram.
///
/// ```
/// use rtp::rtcp::{Compound, Pli, RtcpPacket};
/// use rtp::Ssrc;
///
/// let mut datagram = Vec::new();
/// Pli::write(&mut datagram, Ssrc(1), Ssrc(2));
/// let mut packets = Compound::new(&datagram);
/// assert!(matches!(packets.next(), Some(Ok(RtcpPacket::Pli(pli))) if pli.media == Ssrc(2)));
/// assert!(packets.next().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Compound<'a> {
    reader: Reader<'a>,
}

impl<'a> Compound<'a> {
    /// Starts at the first packet; nothing is checked yet.
    #[must_use]
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { reader: Reader::new(datagram) }
    }

    /// Cuts one packet off. An error here leaves no way to find the next one.
    fn cut(&mut self) -> Result<Unknown<'a>, ParseError> {
        let offset = self.reader.offset();
        let first = self.reader.u8()?;
        if first >> 6 != 2 {
            return Err(ParseError::invalid("version", offset));
        }
        let packet_type = self.reader.u8()?;
        let words = usize::from(self.reader.u16()?);
        let body = self.reader.take(4 * words)?;
        Ok(Unknown {
            packet_type,
            count: first & 0x1f,
            body: if first & 0x20 == 0 { body } else { unpad(body) },
        })
    }
}

/// RFC 3550 §6.4.1: the last byte counts the padding, itself included. A count that cannot be leaves an empty body,
/// which no packet type but an empty BYE accepts.
fn unpad(body: &[u8]) -> &[u8] {
    let count = usize::from(body.last().copied().unwrap_or(0));
    if count == 0 {
        return &[];
    }
    body.len().checked_sub(count).and_then(|len| body.get(..len)).unwrap_or_default()
}

impl<'a> Iterator for Compound<'a> {
    type Item = Result<RtcpPacket<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let offset = self.reader.offset();
        let packet = self.cut().inspect_err(|_| {
            self.reader.take_rest();
        });
        Some(packet.and_then(|packet| parse(&packet).map_err(|error| shift(error, offset.saturating_add(4)))))
    }
}

/// Errors of bodies count from the body; the caller knows the datagram.
fn shift(error: ParseError, by: usize) -> ParseError {
    match error {
        ParseError::Invalid { field, offset } => ParseError::invalid(field, offset.saturating_add(by)),
        ParseError::Truncated { offset } => ParseError::Truncated { offset: offset.saturating_add(by) },
    }
}

fn parse<'a>(packet: &Unknown<'a>) -> Result<RtcpPacket<'a>, ParseError> {
    let Unknown { packet_type, count, body } = *packet;
    Ok(match (packet_type, count) {
        (kind::SR, _) => RtcpPacket::SenderReport(SenderReport::parse(count, body)?),
        (kind::RR, _) => RtcpPacket::ReceiverReport(ReceiverReport::parse(count, body)?),
        (kind::SDES, _) => RtcpPacket::SourceDescription(SourceDescription::parse(count, body)?),
        (kind::BYE, _) => RtcpPacket::Bye(Bye::parse(count, body)?),
        (kind::APP, _) => RtcpPacket::App(App::parse(count, body)?),
        (kind::XR, _) => RtcpPacket::ExtendedReport(ExtendedReport::parse(body)?),
        (kind::RTPFB, nack::FORMAT) => RtcpPacket::Nack(Nack::parse(body)?),
        (kind::RTPFB, feedback::TMMBR) => RtcpPacket::Tmmbr(Tmmbr::parse(body)?),
        (kind::RTPFB, feedback::TMMBN) => RtcpPacket::Tmmbn(Tmmbn::parse(body)?),
        (kind::RTPFB, ccfb::FORMAT) => RtcpPacket::CongestionFeedback(CongestionFeedback::parse(body)?),
        (kind::RTPFB, twcc::FORMAT) => RtcpPacket::TransportFeedback(TransportFeedback::parse(body)?),
        (kind::PSFB, feedback::PLI) => RtcpPacket::Pli(Pli::parse(body)?),
        (kind::PSFB, feedback::FIR) => RtcpPacket::Fir(Fir::parse(body)?),
        (kind::PSFB, remb::FORMAT) if remb::is_remb(body) => RtcpPacket::Remb(Remb::parse(body)?),
        _ => RtcpPacket::Unknown(*packet),
    })
}

/// The two SSRCs at the front of every feedback message (RFC 4585 §6.1).
fn feedback_ssrcs(reader: &mut Reader<'_>) -> Result<(Ssrc, Ssrc), ParseError> {
    Ok((Ssrc(reader.u32()?), Ssrc(reader.u32()?)))
}

/// Writes a packet: header, whatever `body` appends, zeros up to a word, and then the length in words.
fn write_packet(out: &mut Vec<u8>, packet_type: u8, count: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.put_u8(0x80 | count & 0x1f);
    out.put_u8(packet_type);
    out.put_u16(0);
    body(out);
    out.put_zeros(base::padding(out.len().saturating_sub(start)));
    let words = (out.len().saturating_sub(start) / 4).saturating_sub(1);
    debug_assert!(words <= 0xffff, "an RTCP packet of {words} words");
    let words = u16::try_from(words).unwrap_or(u16::MAX);
    if let Some(field) = out.get_mut(start.saturating_add(2)..).and_then(<[u8]>::first_chunk_mut) {
        *field = words.to_be_bytes();
    }
}

#[cfg(test)]
mod tests;
