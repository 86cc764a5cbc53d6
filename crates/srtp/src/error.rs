//! What can go wrong, one type per operation.

use std::fmt;

/// Keys could not be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupError {
    /// The master key has the wrong length for the profile.
    KeyLength {
        /// Bytes the profile wants.
        expected: usize,
        /// Bytes it got.
        actual: usize,
    },
    /// The master salt has the wrong length for the profile.
    SaltLength {
        /// Bytes the profile wants.
        expected: usize,
        /// Bytes it got.
        actual: usize,
    },
    /// The exported keying material has the wrong length for the profile.
    MaterialLength {
        /// Bytes the profile wants.
        expected: usize,
        /// Bytes it got.
        actual: usize,
    },
    /// The crypto provider lacks an algorithm of the profile.
    Unsupported,
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, expected, actual) = match self {
            Self::KeyLength { expected, actual } => ("master key", expected, actual),
            Self::SaltLength { expected, actual } => ("master salt", expected, actual),
            Self::MaterialLength { expected, actual } => ("keying material", expected, actual),
            Self::Unsupported => return f.write_str("the crypto provider lacks an algorithm of the profile"),
        };
        write!(f, "the {what} has {actual} bytes, the profile wants {expected}")
    }
}

impl std::error::Error for SetupError {}

/// A packet was not protected; the buffer is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtectError {
    /// A packet with this index has already been protected: a second one would use the same key stream
    /// (RFC 3711 §9.1, RFC 7714 §8.4).
    IndexReused,
    /// The key has served as many packets of this SSRC as it may (RFC 3711 §9.2). New keys are needed.
    KeyExhausted,
    /// The bytes are not an RTP or RTCP packet.
    Malformed {
        /// The field that is wrong or does not fit.
        field: &'static str,
        /// Its offset in the packet.
        offset: usize,
    },
    /// The sequence number lies further back than the window remembers, so it cannot be told whether it was used.
    TooOld,
    /// The packet is longer than 65,535 bytes with its tag.
    TooLong,
    /// The table of SSRCs is full.
    TooManyStreams,
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IndexReused => f.write_str("a packet with this sequence number was already protected"),
            Self::KeyExhausted => f.write_str("the key has served as many packets as it may"),
            Self::Malformed { field, offset } => write!(f, "malformed {field} at offset {offset}"),
            Self::TooOld => f.write_str("the sequence number lies behind the window"),
            Self::TooLong => f.write_str("the packet is too long"),
            Self::TooManyStreams => f.write_str("the table of SSRCs is full"),
        }
    }
}

impl std::error::Error for ProtectError {}

/// A packet was dropped; what is left in its buffer must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnprotectError {
    /// The index would lie beyond the last one that a key may serve.
    KeyExhausted,
    /// The bytes are not an SRTP or SRTCP packet.
    Malformed {
        /// The field that is wrong or does not fit.
        field: &'static str,
        /// Its offset in the packet.
        offset: usize,
    },
    /// A packet with this index has already been received.
    Replayed,
    /// The index lies further back than the window remembers.
    TooOld,
    /// The table of SSRCs is full, and this SSRC is not in it.
    TooManyStreams,
    /// The tag is wrong: forged, damaged, or protected with another key.
    Unauthentic,
    /// SRTCP in the clear, which [`Config::with_unencrypted_rtcp`](crate::Config::with_unencrypted_rtcp) refuses.
    Unencrypted,
}

impl fmt::Display for UnprotectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyExhausted => f.write_str("the index lies beyond the last one of the key"),
            Self::Malformed { field, offset } => write!(f, "malformed {field} at offset {offset}"),
            Self::Replayed => f.write_str("the packet was already received"),
            Self::TooOld => f.write_str("the packet lies behind the replay window"),
            Self::TooManyStreams => f.write_str("the table of SSRCs is full"),
            Self::Unauthentic => f.write_str("authentication failed"),
            Self::Unencrypted => f.write_str("the packet is not encrypted"),
        }
    }
}

impl std::error::Error for UnprotectError {}

/// A stream could not be placed in its index space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PositionError {
    /// The position lies behind the one the stream has, or behind packets already received.
    Backwards,
    /// The position lies beyond the last index of a key.
    BeyondLimit,
    /// The table of SSRCs is full.
    TooManyStreams,
}

impl fmt::Display for PositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backwards => "a stream only moves forward",
            Self::BeyondLimit => "the position lies beyond the last index of a key",
            Self::TooManyStreams => "the table of SSRCs is full",
        })
    }
}

impl std::error::Error for PositionError {}
