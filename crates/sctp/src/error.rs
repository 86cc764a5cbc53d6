//! What a caller can get wrong.

use crate::types::{Message, Piece};
use std::fmt;

/// A configuration that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The provider has no HMAC-SHA256, which authenticates the state cookie (RFC 9260 §5.1.3).
    NoMac,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMac => f.write_str("the crypto provider has no HMAC-SHA256 for the state cookie"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// A message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The association is over.
    Closed,
    /// RFC 9260 §3.3.1 has no DATA chunk without user data; the layer above chooses a stand-in.
    Empty,
    /// A message that was begun in pieces on this stream is not ended. The message comes back.
    Open(Message),
    /// A reset of the stream waits for its answer (RFC 6525 §5.1.2): no message may follow until then.
    Resetting,
    /// The shutdown has begun, here or at the peer (RFC 9260 §9.2).
    ShuttingDown,
    /// Larger than the whole send buffer.
    TooLarge {
        /// The size of the send buffer, in bytes.
        limit: usize,
    },
    /// The peer takes fewer streams (RFC 9260 §5.1.1).
    UnknownStream,
    /// The send buffer is full. The message comes back; [`Event::SendSpace`](crate::Event::SendSpace) says when
    /// to try again.
    WouldBlock(Message),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the association is closed"),
            Self::Empty => f.write_str("a message needs at least one byte"),
            Self::Open(_) => f.write_str("a message sent in pieces is not ended"),
            Self::Resetting => f.write_str("the stream is being reset"),
            Self::ShuttingDown => f.write_str("the association is shutting down"),
            Self::TooLarge { limit } => {
                write!(f, "the message is larger than the send buffer of {limit} bytes")
            }
            Self::UnknownStream => f.write_str("the peer has no such stream"),
            Self::WouldBlock(_) => f.write_str("the send buffer is full"),
        }
    }
}

impl std::error::Error for SendError {}

/// A piece of a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendPieceError {
    /// The association is over.
    Closed,
    /// A piece without bytes that does not end a message, or one that would be a whole message without bytes
    /// (RFC 9260 §3.3.1).
    Empty,
    /// The message was given up, by its lifetime or its retransmissions (RFC 3758). It is over: the next piece begins
    /// another.
    GivenUp,
    /// A reset of the stream waits for its answer (RFC 6525 §5.1.2), and no message is open that could go on.
    Resetting,
    /// The shutdown has begun, here or at the peer (RFC 9260 §9.2), and no message is open that could go on.
    ShuttingDown,
    /// Larger than the whole send buffer.
    TooLarge {
        /// The size of the send buffer, in bytes.
        limit: usize,
    },
    /// The peer takes fewer streams (RFC 9260 §5.1.1).
    UnknownStream,
    /// The send buffer is full. The piece comes back; [`Event::SendSpace`](crate::Event::SendSpace) says when to try
    /// again.
    WouldBlock(Piece),
}

impl fmt::Display for SendPieceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the association is closed"),
            Self::Empty => f.write_str("a message needs at least one byte"),
            Self::GivenUp => f.write_str("the message was given up"),
            Self::Resetting => f.write_str("the stream is being reset"),
            Self::ShuttingDown => f.write_str("the association is shutting down"),
            Self::TooLarge { limit } => {
                write!(f, "the piece is larger than the send buffer of {limit} bytes")
            }
            Self::UnknownStream => f.write_str("the peer has no such stream"),
            Self::WouldBlock(_) => f.write_str("the send buffer is full"),
        }
    }
}

impl std::error::Error for SendPieceError {}

/// A message begun in pieces cannot be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbandonError {
    /// A part of it is on its way, and the peer does not know how to skip the rest (RFC 3758; a peer with data channels
    /// must, RFC 8831 §6.1). It has to be ended.
    NotSupported,
    /// No message is open on the stream.
    NothingOpen,
}

impl fmt::Display for AbandonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSupported => "the peer cannot skip a message that was begun",
            Self::NothingOpen => "no message is open on the stream",
        })
    }
}

impl std::error::Error for AbandonError {}

/// A stream cannot be reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResetError {
    /// A reset of this stream is under way already.
    AlreadyResetting,
    /// There is no established association.
    NotConnected,
    /// The peer does not know RFC 6525.
    NotSupported,
    /// The peer takes fewer streams.
    UnknownStream,
}

impl fmt::Display for ResetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyResetting => "the stream is being reset already",
            Self::NotConnected => "the association is not established",
            Self::NotSupported => "the peer does not support stream reset",
            Self::UnknownStream => "the peer has no such stream",
        })
    }
}

impl std::error::Error for ResetError {}

/// Streams cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddStreamsError {
    /// Streams are being added in this direction already.
    AlreadyAdding,
    /// There is no established association.
    NotConnected,
    /// The peer does not know RFC 6525.
    NotSupported,
    /// There would be more than 65,535.
    TooMany {
        /// How many may be added.
        available: u16,
    },
}

impl fmt::Display for AddStreamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyAdding => f.write_str("streams are being added already"),
            Self::NotConnected => f.write_str("the association is not established"),
            Self::NotSupported => f.write_str("the peer does not support adding streams"),
            Self::TooMany { available } => write!(f, "only {available} streams can be added"),
        }
    }
}

impl std::error::Error for AddStreamsError {}

/// Not an INIT that an association can be made from.
#[cfg(feature = "snap")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitError {
    /// Not one whole INIT chunk.
    Malformed,
    /// A value that RFC 9260 §3.3.2 forbids.
    Unacceptable,
}

#[cfg(feature = "snap")]
impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not an INIT chunk",
            Self::Unacceptable => "an INIT chunk with a value that is forbidden",
        })
    }
}

#[cfg(feature = "snap")]
impl std::error::Error for InitError {}

/// The association cannot be made from an INIT.
#[cfg(feature = "snap")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapError {
    /// It has begun already.
    Started,
}

#[cfg(feature = "snap")]
impl fmt::Display for SnapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Started => "the association has begun already",
        })
    }
}

#[cfg(feature = "snap")]
impl std::error::Error for SnapError {}
