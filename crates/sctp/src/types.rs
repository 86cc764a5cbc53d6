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
}

/// How one message is sent. The default is ordered and reliable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    pub(crate) order: Order,
    pub(crate) reliability: Reliability,
    pub(crate) uncounted: bool,
}

impl SendOptions {
    /// Ordered and reliable.
    #[must_use]
    pub const fn new() -> Self {
        Self { order: Order::Ordered, reliability: Reliability::Reliable, uncounted: false }
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
}
