//! What a caller can get wrong.

use crate::payload::Payload;
use std::fmt;

/// A channel was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The association is over.
    Closed,
    /// The number agreed upon is in use.
    IdInUse,
    /// The number agreed upon is 65,535, or beyond the streams of the association.
    IdOutOfRange,
    /// The label is longer than 65,535 bytes.
    LabelTooLong,
    /// No number is left.
    NoIdLeft,
    /// The protocol is longer than 65,535 bytes.
    ProtocolTooLong,
    /// There are as many channels as the configuration allows.
    TooManyChannels,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the association is closed",
            Self::IdInUse => "the channel number is in use",
            Self::IdOutOfRange => "the channel number is out of range",
            Self::LabelTooLong => "the label is longer than 65535 bytes",
            Self::NoIdLeft => "no channel number is left",
            Self::ProtocolTooLong => "the protocol is longer than 65535 bytes",
            Self::TooManyChannels => "there are too many channels",
        })
    }
}

impl std::error::Error for OpenError {}

/// A message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The channel is not open: not yet, or no longer. The message comes back.
    NotOpen(Payload),
    /// Larger than the peer takes (RFC 8841 §6.1), or than the whole send buffer. The message comes back.
    TooLarge {
        /// The largest message, in bytes.
        limit: usize,
        /// What was to be sent.
        payload: Payload,
    },
    /// The send buffer is full. The message comes back; [`Event::SendSpace`](crate::Event::SendSpace) says when to try
    /// again.
    WouldBlock(Payload),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen(_) => f.write_str("the channel is not open"),
            Self::TooLarge { limit, .. } => write!(f, "the message is larger than {limit} bytes"),
            Self::WouldBlock(_) => f.write_str("the send buffer is full"),
        }
    }
}

impl std::error::Error for SendError {}
