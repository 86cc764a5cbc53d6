//! What an association tells its owner.

mod queue;

pub(crate) use queue::{EventSnapshot, Events};

use crate::types::{MessageId, StreamId};

/// A fact about the association. Payload is never in an event: it is pulled with `recv`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message sent with [tracking](crate::SendOptions::with_tracking) was given up: its lifetime or its
    /// retransmissions are used up, something more important needed its room, or it was begun in pieces and abandoned.
    Abandoned {
        /// Its name.
        id: MessageId,
        /// Whether anything of it was written. If nothing was, the peer did not get it; otherwise it may have.
        progress: Progress,
    },
    /// What a stream has queued for first transmission fell to its low threshold or below it.
    BufferedAmountLow(StreamId),
    /// The end. Nothing follows.
    Closed(CloseReason),
    /// The association is established (RFC 9260 §4).
    Connected {
        /// Streams we may send on: numbers below this.
        outbound: u16,
        /// Streams the peer may send on.
        inbound: u16,
    },
    /// A message sent with [tracking](crate::SendOptions::with_tracking) was acknowledged, to its last byte.
    Delivered(MessageId),
    /// A message was larger than [`Config::with_max_message_size`](crate::Config::with_max_message_size) allows. It
    /// was not kept; the stream goes on behind it.
    MessageTooLarge(StreamId),
    /// The stream has a message to pull. Coalesced: one event may stand for many messages.
    Readable(StreamId),
    /// The peer lost its state and began anew (RFC 9260 §5.2.4, action A). Everything not delivered is lost, in both
    /// directions; streams start from zero.
    Restarted,
    /// The send buffer has room again after [`SendError::WouldBlock`](crate::SendError::WouldBlock).
    SendSpace,
    /// The peer began to shut down (RFC 9260 §9.2): nothing more can be sent, what is queued still goes out.
    ShuttingDown,
    /// Streams were added, by us or by the peer (RFC 6525 §5.1.5). The numbers are those there are now.
    StreamsChanged {
        /// Streams we may send on: numbers below this.
        outbound: u16,
        /// Streams the peer may send on.
        inbound: u16,
    },
    /// The peer refused to [add streams](crate::Association::add_streams); there are as many as before.
    StreamsDenied(Direction),
    /// Sequence numbers of a stream began anew in one direction (RFC 6525).
    StreamReset {
        /// Which stream.
        stream: StreamId,
        /// Whose messages.
        direction: Direction,
        /// Whether the peer agreed.
        outcome: ResetOutcome,
    },
}

/// How far a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "written or not")]
pub enum Progress {
    /// Nothing of it was written.
    Unsent,
    /// At least a part of it was written.
    Begun,
}

/// A direction of a stream, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "there are two directions")]
pub enum Direction {
    /// What the peer sends.
    Incoming,
    /// What we send.
    Outgoing,
}

/// How a stream reset ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ResetOutcome {
    /// The peer refused; the stream goes on as before.
    Denied,
    /// Nothing was sent on the stream since it last began, or its reset is under way already.
    NothingToDo,
    /// Done.
    Performed,
}

/// Why an association ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// Graceful shutdown, asked for on either side (RFC 9260 §9.2).
    Shutdown,
    /// Our own `abort`.
    LocalAbort,
    /// The peer sent ABORT (RFC 9260 §9.1). The first cause code it gave, if any (RFC 9260 §3.3.10).
    PeerAbort(Option<u16>),
    /// The peer stopped answering (RFC 9260 §8.1), or never did (§5.1).
    Timeout,
    /// The peer broke the protocol; it was sent an ABORT.
    Violation(Violation),
}

/// What the peer did that ended the association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// A DATA chunk without user data (RFC 9260 §6.2).
    EmptyData,
    /// Fragments of a message that contradict each other (RFC 9260 §6.9).
    Fragments,
    /// DATA or FORWARD TSN where interleaving was negotiated, or I-DATA or I-FORWARD-TSN where it was not
    /// (RFC 8260 §2.2.3, §2.3.1).
    WrongFormat,
    /// More begun messages, none of them complete, than the receive buffer holds. Only with interleaving.
    TooManyBegun,
    /// A SACK of data that was never sent (RFC 9260 §12.4).
    UnsentAcknowledged,
    /// An INIT ACK without what RFC 9260 §3.3.3 demands, or with values it forbids.
    InitAck,
}
