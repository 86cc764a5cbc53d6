//! What applications hand in and get out: frames, or packets.

use std::time::Instant;

use bytes::Bytes;
use rtp::ntp::NtpTime;
use rtp::{AudioLevel, ExtensionBlock, ExtensionMap, PayloadType, Rid, Ssrc, Timestamp, VideoOrientation};

use crate::codec::Codec;

/// A point in time on the clock of a medium, in ticks of its clock rate. Any start; it does not wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct MediaTime(pub u64);

/// Whether a frame can be decoded by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it can or it cannot")]
pub enum FrameKind {
    /// Needs frames before it.
    Delta,
    /// Needs none. Every audio frame counts as one.
    Key,
}

/// A frame from an encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodedFrame {
    /// The coded data: one video frame, or the audio of one packet. Shared, not copied, until it is sent.
    pub payload: Bytes,
    /// When it was sampled, on the clock of the medium. Frames must come in order of sending, not of this.
    pub time: MediaTime,
    /// When it was captured, for the sender reports that synchronise sound and picture.
    pub captured: Instant,
    /// Loudness (RFC 6464), sent if negotiated.
    pub audio_level: Option<AudioLevel>,
    /// How the picture is to be turned, sent if negotiated.
    pub orientation: Option<VideoOrientation>,
}

impl EncodedFrame {
    /// A frame without metadata.
    #[must_use]
    pub const fn new(payload: Bytes, time: MediaTime, captured: Instant) -> Self {
        Self { payload, time, captured, audio_level: None, orientation: None }
    }

    /// The same with its loudness.
    #[must_use]
    pub const fn with_audio_level(mut self, level: AudioLevel) -> Self {
        self.audio_level = Some(level);
        self
    }

    /// The same with its orientation.
    #[must_use]
    pub const fn with_orientation(mut self, orientation: VideoOrientation) -> Self {
        self.orientation = Some(orientation);
        self
    }
}

/// A frame put together from packets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedFrame {
    /// The coded data. A frame of one packet is a slice of the buffer it arrived in.
    pub payload: Bytes,
    /// The format.
    pub codec: Codec,
    /// The payload type it came with.
    pub payload_type: PayloadType,
    /// Whether it can be decoded by itself.
    pub kind: FrameKind,
    /// The time stamp in its packets.
    pub timestamp: Timestamp,
    /// The same without wraps; differences between frames of one stream are what it is good for.
    pub time: MediaTime,
    /// The stream.
    pub ssrc: Ssrc,
    /// The encoding, for simulcast.
    pub rid: Option<Rid>,
    /// When its first packet arrived.
    pub first_arrival: Instant,
    /// When the last packet that it needed arrived.
    pub last_arrival: Instant,
    /// What is missing between the frame before and this one.
    pub gap: Option<Gap>,
    /// When it was captured, by the sender's clock; once a sender report has arrived.
    pub captured: Option<NtpTime>,
    /// Loudness of its first packet, if sent.
    pub audio_level: Option<AudioLevel>,
    /// How the picture is to be turned, if sent.
    pub orientation: Option<VideoOrientation>,
}

/// A hole in a stream of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// Packets that never came. Zero when packets came but could not be read.
    pub packets: u32,
}

/// A packet as it arrived, in packet mode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedPacket {
    /// The packet. A retransmission has been turned back into what it repeats.
    pub packet: rtp::Packet,
    /// When it arrived.
    pub arrived: Instant,
    /// The encoding, for simulcast.
    pub rid: Option<Rid>,
    /// Whether its payload begins a key frame, for formats that the engine can read.
    pub kind: Option<FrameKind>,
}

/// A packet to be sent as it is: an echo, or what a middlebox forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketToSend {
    /// The payload, payload header included.
    pub payload: Bytes,
    /// The marker bit.
    pub marker: bool,
    /// The time stamp, as it will be in the packet.
    pub timestamp: Timestamp,
    /// The payload type; `None` for the stream's own.
    pub payload_type: Option<PayloadType>,
    /// Header extension to take over, and what its identifiers mean. Elements about one hop only are left out.
    pub extensions: Option<(ExtensionBlock, ExtensionMap)>,
}

impl PacketToSend {
    /// A packet without marker, with the stream's payload type.
    #[must_use]
    pub const fn new(payload: Bytes, timestamp: Timestamp) -> Self {
        Self { payload, marker: false, timestamp, payload_type: None, extensions: None }
    }

    /// A received packet to be sent on. `map` is the one that the receiver was configured with.
    #[must_use]
    pub fn forward(packet: &rtp::Packet, map: &ExtensionMap) -> Self {
        let block = packet.extension_block();
        Self {
            payload: packet.payload.clone(),
            marker: packet.header.marker,
            timestamp: packet.header.timestamp,
            payload_type: None,
            extensions: (!block.is_empty()).then(|| (block.clone(), *map)),
        }
    }

    /// The same with the marker bit.
    #[must_use]
    pub const fn with_marker(mut self) -> Self {
        self.marker = true;
        self
    }

    /// The same with another payload type than the stream's.
    #[must_use]
    pub const fn with_payload_type(mut self, payload_type: PayloadType) -> Self {
        self.payload_type = Some(payload_type);
        self
    }
}
