//! What the channels tell their owner.

mod snapshot;

pub(crate) use snapshot::EventSnapshot;

use crate::slab::ChannelKey;
use sctp::{MessageId, Progress};

/// A fact. Payload is never in an event: it is pulled with `recv`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message sent with [tracking](crate::SendOptions::with_tracking) was given up.
    Abandoned {
        /// Its name.
        id: MessageId,
        /// Whether anything of it was written. If nothing was, the peer did not get it; otherwise it may have.
        progress: Progress,
    },
    /// The peer opened this channel. It is open: messages may be sent at once.
    Announced(ChannelKey),
    /// The end of the association: no channel is left, and nothing follows.
    AssociationClosed(AssociationEnd),
    /// What a channel has queued fell to its low threshold or below it.
    BufferedAmountLow(ChannelKey),
    /// The channel is gone. What arrived before may still be pulled with `recv`.
    Closed(ChannelKey, ChannelEnd),
    /// The peer is closing this channel. It will be closed by itself; nothing more can be sent.
    Closing(ChannelKey),
    /// The association is established; at most this many channels can exist.
    Connected {
        /// The smaller of the numbers of streams in both directions.
        max_channels: u16,
    },
    /// A message sent with [tracking](crate::SendOptions::with_tracking) was acknowledged, to its last byte.
    Delivered(MessageId),
    /// A channel of ours is open.
    Opened(ChannelKey),
    /// The channel has a message to pull. Coalesced: one event may stand for many messages.
    Readable(ChannelKey),
    /// The send buffer has room again after [`SendError::WouldBlock`](crate::SendError::WouldBlock), on any channel.
    SendSpace,
}

/// Why a channel is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelEnd {
    /// The association ended, or the peer lost its state.
    Association,
    /// Closed by the program.
    Closed,
    /// Closed by the peer.
    ClosedByPeer,
    /// The peer has no stream of this number, or no number is left.
    NoStream,
    /// The peer sent a message larger than we take.
    MessageTooLarge,
    /// The peer broke the protocol of data channels on it.
    Violation,
}

/// Why the association ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssociationEnd {
    /// Our own `abort`.
    LocalAbort,
    /// The peer aborted it. The first SCTP cause code it gave: `sctpCauseCode` of webrtc-pc §11.
    PeerAbort(Option<u16>),
    /// Shut down gracefully, by either side.
    Shutdown,
    /// The peer does not answer.
    Timeout,
    /// The peer broke SCTP.
    Violation,
}
