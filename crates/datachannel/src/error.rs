//! What a caller can get wrong.

use crate::payload::{Payload, Piece};
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
    /// A message sent in pieces on this channel is not ended. The message comes back.
    MessageOpen(Payload),
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
            Self::MessageOpen(_) => f.write_str("a message sent in pieces is not ended"),
            Self::NotOpen(_) => f.write_str("the channel is not open"),
            Self::TooLarge { limit, .. } => write!(f, "the message is larger than {limit} bytes"),
            Self::WouldBlock(_) => f.write_str("the send buffer is full"),
        }
    }
}

impl std::error::Error for SendError {}

/// A piece of a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendPieceError {
    /// The message was given up, by its lifetime or its retransmissions. It is over: the next piece begins another.
    GivenUp,
    /// The channel is not open: not yet, or no longer. The piece comes back.
    NotOpen(Piece),
    /// The piece alone is larger than the whole send buffer. It comes back; cut it.
    PieceTooLarge {
        /// The size of the send buffer, in bytes.
        limit: usize,
        /// What was to be sent.
        piece: Piece,
    },
    /// With this piece the message would be larger than the peer takes (RFC 8841 §6.1). The piece comes back, and the
    /// message is given up: the next piece begins another. (Should a part of it be on its way to a peer that cannot
    /// skip it, against RFC 8831 §6.1, it stays open and has to be ended.)
    TooLarge {
        /// The largest message, in bytes.
        limit: usize,
        /// What was to be sent.
        piece: Piece,
    },
    /// The send buffer is full. The piece comes back; [`Event::SendSpace`](crate::Event::SendSpace) says when to try
    /// again.
    WouldBlock(Piece),
}

impl fmt::Display for SendPieceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GivenUp => f.write_str("the message was given up"),
            Self::NotOpen(_) => f.write_str("the channel is not open"),
            Self::PieceTooLarge { limit, .. } => {
                write!(f, "the piece is larger than the send buffer of {limit} bytes")
            }
            Self::TooLarge { limit, .. } => write!(f, "the message is larger than {limit} bytes"),
            Self::WouldBlock(_) => f.write_str("the send buffer is full"),
        }
    }
}

impl std::error::Error for SendPieceError {}
