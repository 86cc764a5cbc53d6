//! What goes through a data channel, and what comes back when it cannot.

use bytes::Bytes;
use datachannel::{Kind, Payload};
use std::fmt;

/// A message of a data channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8831 §6.6 knows text and binary")]
pub enum Message {
    /// Bytes.
    Binary(Bytes),
    /// UTF-8 text.
    Text(String),
}

impl Message {
    /// Payload length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Binary(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
        }
    }

    /// Whether it carries no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn into_payload(self) -> Payload {
        match self {
            Self::Binary(bytes) => Payload::binary(bytes),
            Self::Text(text) => Payload::text(text),
        }
    }

    pub(in crate::tokio) fn from_payload(payload: Payload) -> Self {
        match payload.kind {
            // A peer that sends broken UTF-8 as text gets replacement characters, as in browsers.
            Kind::Text => Self::Text(match String::from_utf8(payload.data.into()) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }),
            _ => Self::Binary(payload.data),
        }
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Why a message was not sent. It comes back with the error.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The channel is closing or closed, or the connection is.
    Closed(Message),
    /// Only from `try_send`: the send buffer is full. `send` waits instead.
    Full(Message),
    /// The peer does not take messages of this size (RFC 8841 §6.1).
    TooLarge {
        /// The largest message the peer takes, in bytes.
        limit: usize,
        /// The message.
        message: Message,
    },
}

impl SendError {
    /// The message that was not sent.
    #[must_use]
    pub fn into_message(self) -> Message {
        match self {
            Self::Closed(message) | Self::Full(message) | Self::TooLarge { message, .. } => message,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("the data channel is closed"),
            Self::Full(_) => f.write_str("the send buffer is full; wait with `send`, or try later"),
            Self::TooLarge { limit, message } => {
                write!(f, "the message has {} bytes, the peer takes at most {limit}", message.len())
            }
        }
    }
}

impl std::error::Error for SendError {}
