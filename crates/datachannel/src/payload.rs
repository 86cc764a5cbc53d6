//! Messages and the identifiers that say what they are (RFC 8831 §6.6, §8).

use bytes::Bytes;
use sctp::{End, Message, MessageId, Ppid};

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8831 has two kinds")]
pub enum Kind {
    /// Bytes.
    Binary,
    /// UTF-8. It is not checked: what the peer calls text may be anything.
    Text,
}

/// A part of a message that is too large, or not yet known well enough, to be held whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a part and where it stands, written as a literal")]
pub struct Piece {
    /// What the message is. That of the first piece counts.
    pub kind: Kind,
    /// The bytes, or none. How a message is cut is not carried: the peer sees one message, and pieces received are of
    /// any length. A text may be cut anywhere, within a character too.
    pub data: Bytes,
    /// Whether more follow.
    pub end: End,
}

/// What is wanted of one message, beyond what its channel is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    pub(crate) immediate_ack: bool,
    pub(crate) tracking: Option<MessageId>,
}

impl SendOptions {
    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { immediate_ack: false, tracking: None }
    }

    /// Asks the peer to acknowledge the message as soon as it has it (RFC 7053): for one whose
    /// [delivery](Self::with_tracking) somebody waits for.
    #[must_use]
    pub const fn with_immediate_ack(self) -> Self {
        Self { immediate_ack: true, ..self }
    }

    /// Asks what becomes of the message: [`Event::Delivered`](crate::Event::Delivered) or
    /// [`Event::Abandoned`](crate::Event::Abandoned) tells, once, under this name, unless the association ends before.
    /// Events not yet polled count against the send buffer.
    #[must_use]
    pub const fn with_tracking(self, id: MessageId) -> Self {
        Self { tracking: Some(id), ..self }
    }

    pub(crate) fn apply(self, options: sctp::SendOptions) -> sctp::SendOptions {
        let options = if self.immediate_ack { options.with_immediate_ack() } else { options };
        match self.tracking {
            Some(id) => options.with_tracking(id),
            None => options,
        }
    }
}

/// One message of a channel. It may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "bytes and what they are, written as a literal")]
pub struct Payload {
    /// What it is.
    pub kind: Kind,
    /// The bytes.
    pub data: Bytes,
}

impl Payload {
    /// A message of bytes.
    #[must_use]
    pub fn binary(data: impl Into<Bytes>) -> Self {
        Self { kind: Kind::Binary, data: data.into() }
    }

    /// A message of text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: Kind::Text, data: Bytes::from(text.into()) }
    }

    //= rfc8831 §6.6
    //# SCTP does not support the sending of empty user messages.  Therefore, if an empty message has to be sent, the
    //# appropriate PPID (WebRTC String Empty or WebRTC Binary Empty) is used, and the SCTP user message of one zero
    //# byte is sent.
    pub(crate) fn into_message(self) -> Message {
        if !self.data.is_empty() {
            return Message { ppid: self.kind.ppid(), payload: self.data };
        }
        let ppid = match self.kind {
            Kind::Binary => ppid::BINARY_EMPTY,
            Kind::Text => ppid::STRING_EMPTY,
        };
        Message { ppid, payload: Bytes::from_static(&[0]) }
    }
}

impl Kind {
    /// Of a message with at least one byte.
    pub(crate) fn ppid(self) -> Ppid {
        match self {
            Self::Binary => ppid::BINARY,
            Self::Text => ppid::STRING,
        }
    }
}

/// RFC 8831 §8.
pub(crate) mod ppid {
    use sctp::Ppid;

    pub(crate) const DCEP: Ppid = Ppid(50);
    pub(crate) const STRING: Ppid = Ppid(51);
    pub(crate) const BINARY_PARTIAL: Ppid = Ppid(52);
    pub(crate) const BINARY: Ppid = Ppid(53);
    pub(crate) const STRING_PARTIAL: Ppid = Ppid(54);
    pub(crate) const STRING_EMPTY: Ppid = Ppid(56);
    pub(crate) const BINARY_EMPTY: Ppid = Ppid(57);
}

/// What a received message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Dcep,
    /// A whole message, or the end of one sent in parts.
    Whole(Kind),
    /// A part, from before RFC 8831: old senders cut messages themselves.
    Part(Kind),
    /// The byte it has says nothing (RFC 8831 §6.6).
    Empty(Kind),
    Unknown,
}

pub(crate) fn classify(ppid: Ppid) -> Class {
    match ppid {
        ppid::DCEP => Class::Dcep,
        ppid::STRING => Class::Whole(Kind::Text),
        ppid::BINARY => Class::Whole(Kind::Binary),
        ppid::STRING_PARTIAL => Class::Part(Kind::Text),
        ppid::BINARY_PARTIAL => Class::Part(Kind::Binary),
        ppid::STRING_EMPTY => Class::Empty(Kind::Text),
        ppid::BINARY_EMPTY => Class::Empty(Kind::Binary),
        Ppid(_) => Class::Unknown,
    }
}
