//! What the engine knows about payload formats.

use std::fmt;

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the two kinds of tracks that exist")]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

impl MediaKind {
    /// The word for it in an m= line (RFC 8866 §8.2.1).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How H.264 access units are cut into packets (RFC 6184 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the interleaved mode is not used in WebRTC")]
pub enum H264Mode {
    /// `packetization-mode=0`: one NAL unit per packet, none larger than a packet.
    SingleNal,
    /// `packetization-mode=1`: STAP-A and FU-A as well.
    NonInterleaved,
}

/// A payload format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// PCMU or PCMA (RFC 3551 §4.5.14), and other formats in which a packet is a frame.
    G711,
    /// H.264 (RFC 6184). Frames are access units with start codes (Annex B).
    H264(H264Mode),
    /// Opus (RFC 7587).
    Opus,
    /// A format that the engine cannot cut or join: packets only.
    Other(MediaKind),
    /// VP8 (RFC 7741).
    Vp8,
}

impl Codec {
    /// Sound or picture.
    #[must_use]
    pub const fn kind(self) -> MediaKind {
        match self {
            Self::G711 | Self::Opus => MediaKind::Audio,
            Self::H264(_) | Self::Vp8 => MediaKind::Video,
            Self::Other(kind) => kind,
        }
    }
}
