//! Payload formats: frames into packets, and packets into frames.
//!
//! A packetizer does not make packets. It names the [`Piece`]s of the frame that each packet carries, and the bytes
//! that go before each piece; the frame is copied once, later, straight into the datagram, and again for a
//! retransmission. A depacketizer takes payloads in order and gives frames.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

#[cfg(feature = "g711")]
pub mod g711;
#[cfg(feature = "h264")]
pub mod h264;
#[cfg(feature = "opus")]
pub mod opus;
#[cfg(any(feature = "h264", feature = "vp8"))]
mod parts;
#[cfg(feature = "vp8")]
pub mod vp8;

use std::fmt;

use bytes::Bytes;
use rtp::Timestamp;

use crate::codec::{Codec, MediaKind};
use crate::frame::FrameKind;

/// Room for the payload header of one piece.
const PREFIX: usize = 12;

/// A part of a frame within a packet: some bytes of payload header, then a range of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    prefix: [u8; PREFIX],
    prefix_len: u8,
    is_last: bool,
    start: u32,
    end: u32,
}

impl Piece {
    /// The bytes `start..end` of the frame behind `prefix`, the last piece of its packet. At most 12 bytes of prefix
    /// are kept.
    #[must_use]
    pub fn new(prefix: &[u8], start: usize, end: usize) -> Self {
        let mut kept = [0; PREFIX];
        for (place, byte) in kept.iter_mut().zip(prefix) {
            *place = *byte;
        }
        debug_assert!(prefix.len() <= PREFIX, "a payload header of {} bytes", prefix.len());
        Self {
            prefix: kept,
            prefix_len: prefix.len().min(PREFIX) as u8,
            is_last: true,
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
        }
    }

    /// The same, followed by another piece in the same packet.
    #[must_use]
    pub const fn followed(mut self) -> Self {
        self.is_last = false;
        self
    }

    /// Whether the packet ends here.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.is_last
    }

    /// Bytes it takes in a packet.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        (self.prefix_len as usize).saturating_add(self.end.saturating_sub(self.start) as usize)
    }

    /// Appends it. A range outside of the frame appends nothing of it.
    pub fn write(&self, frame: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix.get(..usize::from(self.prefix_len)).unwrap_or_default());
        out.extend_from_slice(frame.get(self.start as usize..self.end as usize).unwrap_or_default());
    }
}

/// Cuts frames of one stream.
pub trait Packetizer: fmt::Debug + Send {
    /// Appends the pieces of `frame` to `pieces`, so that no packet's payload is longer than `max_payload`, and says
    /// what kind of frame it is. After an error `pieces` is as it was.
    ///
    /// # Errors
    ///
    /// The frame is not of this format, or cannot be cut small enough.
    fn packetize(
        &mut self,
        frame: &[u8],
        max_payload: usize,
        pieces: &mut Vec<Piece>,
    ) -> Result<FrameKind, PacketizeError>;
}

/// Joins the packets of one stream.
pub trait Depacketizer: fmt::Debug + Send {
    /// Takes the next payload in order. Returns the frame that it completes.
    ///
    /// After `lost`, payloads are passed over until one begins a frame; that is no error.
    ///
    /// # Errors
    ///
    /// The payload is not of this format. What there was of the frame is thrown away, as after `lost`.
    fn push(&mut self, packet: Packet) -> Result<Option<Frame>, PayloadError>;

    /// The time stamp has changed without a marker: the frame so far is complete, if there is one.
    fn finish(&mut self) -> Option<Frame>;

    /// Packets are missing before the next one: throws away the frame so far. Returns whether there was one.
    fn lost(&mut self) -> bool;
}

/// A payload for a [`Depacketizer`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Packet {
    /// The payload, payload header included.
    pub payload: Bytes,
    /// The marker of its packet.
    pub marker: bool,
    /// The time stamp of its packet.
    pub timestamp: Timestamp,
}

impl Packet {
    /// A payload.
    #[must_use]
    pub const fn new(payload: Bytes, timestamp: Timestamp) -> Self {
        Self { payload, marker: false, timestamp }
    }

    /// The same with the marker.
    #[must_use]
    pub const fn with_marker(mut self) -> Self {
        self.marker = true;
        self
    }
}

/// A frame from a [`Depacketizer`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The coded data.
    pub payload: Bytes,
    /// Whether it can be decoded by itself.
    pub kind: FrameKind,
}

impl Frame {
    /// A frame.
    #[must_use]
    pub const fn new(payload: Bytes, kind: FrameKind) -> Self {
        Self { payload, kind }
    }
}

/// Why a frame cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketizeError {
    /// There is nothing in it.
    Empty,
    /// It is not of this format.
    Malformed,
    /// A part of it must not be cut and is too large for a packet.
    TooLarge,
}

impl fmt::Display for PacketizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the frame is empty",
            Self::Malformed => "the frame is not of this format",
            Self::TooLarge => "a part of the frame is too large for a packet",
        })
    }
}

impl std::error::Error for PacketizeError {}

/// Why a payload cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadError {
    /// There is nothing in it.
    Empty,
    /// A field has a value that the format rules out.
    Invalid(&'static str),
    /// The frame has become larger than allowed.
    TooLarge,
    /// It ends within a field.
    Truncated,
    /// It continues something that did not begin.
    Unexpected,
    /// A part of the format that WebRTC does not use.
    Unsupported(&'static str),
}

impl From<base::Truncated> for PayloadError {
    fn from(_: base::Truncated) -> Self {
        Self::Truncated
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the payload is empty"),
            Self::Invalid(what) => write!(f, "invalid {what}"),
            Self::TooLarge => f.write_str("the frame is too large"),
            Self::Truncated => f.write_str("the payload ends within a field"),
            Self::Unexpected => f.write_str("the payload continues what did not begin"),
            Self::Unsupported(what) => write!(f, "{what} is not supported"),
        }
    }
}

impl std::error::Error for PayloadError {}

/// A packetizer for a format, if this build has one. `seed` starts what should start anywhere.
#[must_use]
pub fn packetizer(codec: Codec, seed: u16) -> Option<Box<dyn Packetizer>> {
    let _ = seed;
    match codec {
        #[cfg(feature = "g711")]
        Codec::G711 => Some(Box::new(g711::G711Packetizer::default())),
        #[cfg(feature = "h264")]
        Codec::H264(mode) => Some(Box::new(h264::H264Packetizer::new(mode))),
        #[cfg(feature = "opus")]
        Codec::Opus => Some(Box::new(opus::OpusPacketizer::default())),
        #[cfg(feature = "vp8")]
        Codec::Vp8 => Some(Box::new(vp8::Vp8Packetizer::new(seed))),
        #[allow(unreachable_patterns, reason = "reached when a format is not built in")]
        Codec::G711 | Codec::H264(_) | Codec::Opus | Codec::Vp8 | Codec::Other(_) => None,
    }
}

/// A depacketizer for a format, if this build has one. Frames larger than `max_frame` bytes are refused.
#[must_use]
pub fn depacketizer(codec: Codec, max_frame: usize) -> Option<Box<dyn Depacketizer>> {
    let _ = max_frame;
    match codec {
        #[cfg(feature = "g711")]
        Codec::G711 => Some(Box::new(g711::G711Depacketizer::default())),
        #[cfg(feature = "h264")]
        Codec::H264(_) => Some(Box::new(h264::H264Depacketizer::new(max_frame))),
        #[cfg(feature = "opus")]
        Codec::Opus => Some(Box::new(opus::OpusDepacketizer::default())),
        #[cfg(feature = "vp8")]
        Codec::Vp8 => Some(Box::new(vp8::Vp8Depacketizer::new(max_frame))),
        #[allow(unreachable_patterns, reason = "reached when a format is not built in")]
        Codec::G711 | Codec::H264(_) | Codec::Opus | Codec::Vp8 | Codec::Other(_) => None,
    }
}

/// Whether a single payload begins a frame, and of which kind; `None` when it does not, or nothing is known about the
/// format.
#[must_use]
pub fn begins(codec: Codec, payload: &[u8]) -> Option<FrameKind> {
    match codec {
        #[cfg(feature = "h264")]
        Codec::H264(_) => h264::begins(payload),
        #[cfg(feature = "vp8")]
        Codec::Vp8 => vp8::begins(payload),
        _ if codec.kind() == MediaKind::Audio => Some(FrameKind::Key),
        #[allow(unreachable_patterns, reason = "reached when a format is not built in")]
        Codec::G711 | Codec::H264(_) | Codec::Opus | Codec::Vp8 | Codec::Other(_) => {
            let _ = payload;
            None
        }
    }
}
