//! RTP packets as they arrive: a checked view of a slice, and a packet that owns its share of a buffer.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use base::Reader;
use bytes::Bytes;

use crate::error::ParseError;
use crate::extension::{ExtensionBlock, Extensions};
use crate::numbers::{PayloadType, SequenceNumber, Ssrc, Timestamp};

/// Bytes of the fixed header (RFC 3550 §5.1).
pub(crate) const FIXED_HEADER: usize = 12;

/// Whether a datagram that is known to be RTP or RTCP is RTCP: packet types 192 to 223 (RFC 5761 §4, RFC 7983 §7).
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|byte| (192..=223).contains(byte))
}

/// The fixed fields of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// Meaning is the payload format's: last packet of a video frame, first after silence for audio.
    pub marker: bool,
    /// How the payload is to be read.
    pub payload_type: PayloadType,
    /// One more than the packet before it.
    pub sequence_number: SequenceNumber,
    /// When the first byte of the payload was sampled.
    pub timestamp: Timestamp,
    /// The stream.
    pub ssrc: Ssrc,
}

impl Header {
    /// A header without marker.
    #[must_use]
    pub const fn new(
        payload_type: PayloadType,
        sequence_number: SequenceNumber,
        timestamp: Timestamp,
        ssrc: Ssrc,
    ) -> Self {
        Self { marker: false, payload_type, sequence_number, timestamp, ssrc }
    }

    /// The same with the marker set.
    #[must_use]
    pub const fn with_marker(mut self) -> Self {
        self.marker = true;
        self
    }
}

/// A packet in a borrowed slice, checked once: version, CSRC count, extension length and padding all fit.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |V=2|P|X|  CC   |M|     PT      |       sequence number         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                           timestamp                           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                             SSRC                              |
/// +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
/// |                       CSRC, 0 to 15 times                     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      defined by profile       |       length in words         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HeaderView<'a> {
    header: Header,
    csrcs: &'a [u8],
    extensions: Extensions<'a>,
    payload: &'a [u8],
    header_len: usize,
    padding: u8,
}

impl<'a> HeaderView<'a> {
    /// Checks a whole packet.
    ///
    /// # Errors
    ///
    /// A field that does not fit, a version other than 2, or padding that is empty or longer than what follows the
    /// header (RFC 3550 §5.1, A.1).
    pub fn parse(packet: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(packet);
        let first = reader.u8()?;
        if first >> 6 != 2 {
            return Err(ParseError::invalid("version", 0));
        }
        let second = reader.u8()?;
        let header = Header {
            marker: second & 0x80 != 0,
            payload_type: PayloadType::from_header(second),
            sequence_number: SequenceNumber(reader.u16()?),
            timestamp: Timestamp(reader.u32()?),
            ssrc: Ssrc(reader.u32()?),
        };
        let csrcs = reader.take(4 * usize::from(first & 0x0f))?;
        let extensions = if first & 0x10 == 0 {
            Extensions::EMPTY
        } else {
            let profile = reader.u16()?;
            let words = usize::from(reader.u16()?);
            Extensions::new(profile, reader.take(4 * words)?)
        };
        let header_len = reader.offset();
        let body = reader.take_rest();
        let padding = if first & 0x20 == 0 {
            0
        } else {
            let last = *body.last().ok_or(ParseError::Truncated { offset: header_len })?;
            if last == 0 || usize::from(last) > body.len() {
                return Err(ParseError::invalid("padding", packet.len().saturating_sub(1)));
            }
            last
        };
        let payload = body.get(..body.len().saturating_sub(usize::from(padding))).unwrap_or_default();
        Ok(Self { header, csrcs, extensions, payload, header_len, padding })
    }

    /// The fixed fields.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header
    }

    /// The contributing sources, at most 15.
    pub fn csrcs(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        words(self.csrcs)
    }

    /// The header extension elements.
    #[must_use]
    pub fn extensions(&self) -> Extensions<'a> {
        self.extensions
    }

    /// What is between header and padding; may be empty.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Bytes before the payload.
    #[must_use]
    pub fn header_len(&self) -> usize {
        self.header_len
    }

    /// Bytes of padding after the payload, its count included.
    #[must_use]
    pub fn padding_len(&self) -> usize {
        usize::from(self.padding)
    }
}

/// A packet that owns a share of the buffer it arrived in. Cloning shares, too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packet {
    /// The fixed fields.
    pub header: Header,
    /// The payload without padding; may be empty.
    pub payload: Bytes,
    csrcs: Bytes,
    extensions: ExtensionBlock,
    header_len: usize,
    padding: u8,
}

impl Packet {
    /// A packet made here, without contributing sources and extensions.
    #[must_use]
    pub fn new(header: Header, payload: Bytes) -> Self {
        Self {
            header,
            payload,
            csrcs: Bytes::new(),
            extensions: ExtensionBlock::default(),
            header_len: FIXED_HEADER,
            padding: 0,
        }
    }

    /// Checks a packet and takes its parts as slices of `packet`: nothing is copied.
    ///
    /// # Errors
    ///
    /// As [`HeaderView::parse`].
    pub fn parse(packet: &Bytes) -> Result<Self, ParseError> {
        let view = HeaderView::parse(packet)?;
        let share = |part: &[u8]| if part.is_empty() { Bytes::new() } else { packet.slice_ref(part) };
        let extensions = ExtensionBlock::new(view.extensions.profile(), share(view.extensions.data()));
        Ok(Self {
            header: view.header,
            payload: share(view.payload),
            csrcs: share(view.csrcs),
            extensions,
            header_len: view.header_len,
            padding: view.padding,
        })
    }

    /// The contributing sources, at most 15.
    pub fn csrcs(&self) -> impl Iterator<Item = Ssrc> + '_ {
        words(&self.csrcs)
    }

    /// The header extension elements.
    #[must_use]
    pub fn extensions(&self) -> Extensions<'_> {
        self.extensions.elements()
    }

    /// The header extension as a shared block, to forward with another packet.
    #[must_use]
    pub fn extension_block(&self) -> &ExtensionBlock {
        &self.extensions
    }

    /// Replaces the header extension.
    pub fn set_extension_block(&mut self, block: ExtensionBlock) {
        self.extensions = block;
    }

    /// Bytes before the payload as the packet arrived; 12 for a packet made here.
    #[must_use]
    pub fn header_len(&self) -> usize {
        self.header_len
    }

    /// Bytes of padding that followed the payload.
    #[must_use]
    pub fn padding_len(&self) -> usize {
        usize::from(self.padding)
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = Ssrc> + use<'_> {
    bytes.as_chunks::<4>().0.iter().map(|word| Ssrc(u32::from_be_bytes(*word)))
}

#[cfg(test)]
mod tests;
