//! One channel.

mod snapshot;

pub(crate) use snapshot::ChannelSnapshot;

use crate::event::ChannelEnd;
use crate::ids::ChannelId;
use crate::init::ChannelInit;
use crate::payload::{Kind, Payload, Piece};
use bytes::{Bytes, BytesMut};
use sctp::Delivery;
use std::collections::VecDeque;

/// Where a channel stands (webrtc-pc §6.2, `RTCDataChannelState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "webrtc-pc has four states")]
pub enum ChannelState {
    /// Waits for the association, or for the peer's answer.
    Connecting,
    /// Messages may be sent.
    Open,
    /// One side closes it; what was sent before still arrives.
    Closing,
    /// Gone.
    Closed,
}

/// What is to go before anything else (RFC 8832 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    Nothing,
    Open,
    Ack,
}

/// How far the reset of one direction is (RFC 8831 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reset {
    /// Not asked for.
    None,
    /// Wanted; the association could not take the request yet.
    Wanted,
    /// With the peer.
    Requested,
    Done,
}

#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) init: ChannelInit,
    pub(crate) id: Option<ChannelId>,
    pub(crate) state: ChannelState,
    /// Was open at some time, for the counters.
    pub(crate) was_open: bool,
    pub(crate) owed: Owed,
    pub(crate) outgoing: Reset,
    /// The peer reset its direction.
    pub(crate) incoming_done: bool,
    /// The program closed it: nothing more is given to it.
    pub(crate) discards: bool,
    /// Why it closes.
    pub(crate) end: ChannelEnd,
    /// A message that comes in parts (RFC 8831 §6.6, deprecated).
    pub(crate) partial: Option<Box<(Kind, BytesMut)>>,
    /// Kept when its stream was given back before the program had pulled everything.
    #[expect(clippy::box_collection, reason = "rare, and an idle channel is to be small")]
    pub(crate) leftover: Option<Box<VecDeque<Piece>>>,
    pub(crate) delivery: Delivery,
    /// Bytes of the message that is being sent in pieces, so far.
    pub(crate) open_len: Option<usize>,
    pub(crate) low_threshold: usize,
    /// Events that wait already.
    pub(crate) readable_queued: bool,
    pub(crate) low_queued: bool,
}

impl Channel {
    pub(crate) fn new(init: ChannelInit, id: Option<ChannelId>, state: ChannelState) -> Self {
        Self {
            init,
            id,
            state,
            was_open: false,
            owed: Owed::Nothing,
            outgoing: Reset::None,
            incoming_done: false,
            discards: false,
            end: ChannelEnd::Closed,
            partial: None,
            leftover: None,
            delivery: Delivery::Messages,
            open_len: None,
            low_threshold: 0,
            readable_queued: false,
            low_queued: false,
        }
    }

    /// Keeps a piece for the program.
    pub(crate) fn keep(&mut self, piece: Piece) {
        self.leftover.get_or_insert_default().push_back(piece);
    }

    /// Takes a piece that was kept.
    pub(crate) fn take_kept(&mut self) -> Option<Piece> {
        let piece = self.leftover.as_mut()?.pop_front();
        if self.leftover.as_ref().is_some_and(|kept| kept.is_empty()) {
            self.leftover = None;
        }
        piece
    }

    /// Puts parts together. `None` while more are to come, and when they would be larger than `max`.
    pub(crate) fn join(&mut self, kind: Kind, data: Bytes, last: bool, max: usize) -> Joined {
        let Some((begun, mut buffer)) = self.partial.take().map(|partial| *partial) else {
            if last {
                return Joined::Whole(Payload { kind, data });
            }
            self.partial = Some(Box::new((kind, BytesMut::from(&data[..]))));
            return Joined::More;
        };
        if begun != kind {
            return Joined::Broken(ChannelEnd::Violation);
        }
        if buffer.len() + data.len() > max {
            return Joined::Broken(ChannelEnd::MessageTooLarge);
        }
        buffer.extend_from_slice(&data);
        if last {
            return Joined::Whole(Payload { kind, data: buffer.freeze() });
        }
        self.partial = Some(Box::new((begun, buffer)));
        Joined::More
    }
}

/// What came of a part.
#[derive(Debug)]
pub(crate) enum Joined {
    Whole(Payload),
    More,
    Broken(ChannelEnd),
}
