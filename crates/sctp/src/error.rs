//! What a caller can get wrong.

use crate::types::Message;
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
