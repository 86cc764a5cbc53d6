//! The vocabulary of the public interface.

use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// The number of a stream (RFC 9260 §1.3). The same number names one stream in each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a wire number and nothing else")]
pub struct StreamId(pub u16);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The payload protocol identifier: 32 bits that SCTP carries for the layer above and never looks at
/// (RFC 9260 §3.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a wire number and nothing else")]
pub struct Ppid(pub u32);

/// One message: what `send` takes and `recv` gives back whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a payload and its label, written as a literal")]
pub struct Message {
    /// What the payload is, for the layer above.
    pub ppid: Ppid,
    /// The bytes. Never empty on the wire: RFC 9260 §3.3.1 forbids a DATA chunk without user data.
    pub payload: Bytes,
}

/// Whether the receiver keeps a message in order with the others of its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the U bit has two values")]
pub enum Order {
    /// In the order of sending within the stream.
    #[default]
    Ordered,
    /// As soon as it is complete (RFC 9260 §6.6).
    Unordered,
}

/// How long a message is worth repeating (RFC 3758, RFC 7496).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reliability {
    /// Until it is acknowledged.
    #[default]
    Reliable,
    /// Each of its chunks is sent once and repeated at most this many times.
    MaxRetransmits(u16),
    /// It is neither sent nor repeated once it is this old, counted from the call of `send`.
    MaxLifetime(Duration),
    /// It is repeated until it is acknowledged, but dropped from a full send buffer to make room for a message with a
    /// lower number, or for one sent with another policy, as long as nothing of it was written (RFC 7496 §3.2). Zero
    /// is the highest priority.
    Priority(u32),
}

/// A name the program gives to a message whose fate it wants to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a number that means nothing here")]
pub struct MessageId(pub u64);

/// A part of a message that is too large, or not yet known well enough, to be held whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a part and where it stands, written as a literal")]
pub struct Piece {
    /// What the message is, for the layer above. That of the first piece counts.
    pub ppid: Ppid,
    /// The bytes. How a message is cut is not carried: the peer sees one message, and pieces received are of any
    /// length. Empty only in a piece that ends a message.
    pub payload: Bytes,
    /// Whether more follow.
    pub end: End,
}

/// What follows a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a message goes on, ends, or never ends")]
pub enum End {
    /// More pieces of the same message.
    More,
    /// The message is complete.
    Last,
    /// The message will never be complete: its sender gave it up, or lost its state. Only received.
    GivenUp,
}

/// How the messages of a stream are received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "whole or not")]
pub enum Delivery {
    /// Whole, with [`recv`](crate::Association::recv).
    #[default]
    Messages,
    /// In pieces, with [`recv_piece`](crate::Association::recv_piece).
    Pieces,
}

/// How one message is sent. The default is ordered and reliable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    pub(crate) order: Order,
    pub(crate) reliability: Reliability,
    pub(crate) uncounted: bool,
    pub(crate) immediate_ack: bool,
    pub(crate) tracking: Option<MessageId>,
}

impl SendOptions {
    /// Ordered and reliable.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            order: Order::Ordered,
            reliability: Reliability::Reliable,
            uncounted: false,
            immediate_ack: false,
            tracking: None,
        }
    }

    /// Sets whether order is kept. Default: [`Order::Ordered`].
    #[must_use]
    pub const fn with_order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// Sets how long it is repeated. Default: [`Reliability::Reliable`]. A peer that does not know RFC 3758 gets
    /// every message reliably.
    #[must_use]
    pub const fn with_reliability(self, reliability: Reliability) -> Self {
        Self { reliability, ..self }
    }

    /// Leaves the message out of [`buffered`](crate::Association::buffered) and of the low threshold: for messages a
    /// layer above sends on its own account. It counts against the send buffer all the same.
    #[must_use]
    pub const fn with_uncounted(self) -> Self {
        Self { uncounted: true, ..self }
    }

    /// Asks the peer to acknowledge the message as soon as it has it, instead of waiting for a second packet
    /// (RFC 7053). It costs a packet of its own on the way back when the peer has nothing else to say.
    #[must_use]
    pub const fn with_immediate_ack(self) -> Self {
        Self { immediate_ack: true, ..self }
    }

    /// Asks what becomes of the message: [`Event::Delivered`](crate::Event::Delivered) or
    /// [`Event::Abandoned`](crate::Event::Abandoned) tells, once, under this name. Of a message sent in pieces the
    /// options of the first piece count. Events not yet polled count against the send buffer.
    #[must_use]
    pub const fn with_tracking(self, id: MessageId) -> Self {
        Self { tracking: Some(id), ..self }
    }
}
