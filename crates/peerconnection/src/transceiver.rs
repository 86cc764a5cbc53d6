//! The vocabulary of transceivers: what they are called, carry and may do.

pub use ::media::MediaKind;
use std::fmt;

/// A transceiver of one session. Never reused within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransceiverId(pub(crate) u32);

impl fmt::Display for TransceiverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transceiver {}", self.0)
    }
}

/// Which ways media may flow, seen from the side that says it (RFC 3264 §5.1, W3C `RTCRtpTransceiverDirection`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the set is closed by the W3C specification")]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// To the other side only.
    SendOnly,
    /// From the other side only.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// From its two halves.
    #[must_use]
    pub const fn from_halves(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether we send.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether we receive.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::from_halves(self.receives(), self.sends())
    }

    /// What both allow.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self::from_halves(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a new transceiver starts with (W3C `RTCRtpTransceiverInit`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransceiverInit {
    pub(crate) direction: Direction,
    pub(crate) streams: Vec<String>,
}

impl TransceiverInit {
    /// Both ways, in no stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the direction. Default: both ways.
    #[must_use]
    pub fn direction(self, direction: Direction) -> Self {
        Self { direction, ..self }
    }

    /// Adds the track to a media stream: tracks of one stream are played in step.
    #[must_use]
    pub fn stream(mut self, id: impl Into<String>) -> Self {
        self.streams.push(id.into());
        self
    }
}

/// A transceiver as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransceiverSnapshot {
    /// Its name within the session.
    pub id: TransceiverId,
    /// Audio or video.
    pub kind: MediaKind,
    /// The `mid` of its m= section, once it has one.
    pub mid: Option<String>,
    /// The direction wanted.
    pub direction: Direction,
    /// The direction negotiated last.
    pub current_direction: Option<Direction>,
    /// Whether it was stopped, by either side.
    pub stopped: bool,
    /// The codec negotiated for sending.
    pub send_codec: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Direction; 4] =
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];

    #[test]
    fn directions_reverse_and_intersect() {
        for direction in ALL {
            assert_eq!(direction.reversed().reversed(), direction);
            assert_eq!(direction.intersection(Direction::SendRecv), direction);
            assert_eq!(direction.intersection(Direction::Inactive), Direction::Inactive);
        }
        assert_eq!(Direction::SendOnly.reversed(), Direction::RecvOnly);
        assert_eq!(Direction::SendOnly.intersection(Direction::RecvOnly), Direction::Inactive);
    }
}
