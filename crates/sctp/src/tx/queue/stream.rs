//! What is remembered of a stream: little while it is idle.

use super::message::Queued;
use base::Serial32;
use std::collections::VecDeque;

/// The weight of a stream that was given none: "normal" of RFC 8831 §6.4.
const DEFAULT_WEIGHT: u16 = 256;

/// Whether a stream is being reset (RFC 6525 §5.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reset {
    #[default]
    None,
    /// Asked for; messages queued before still go out.
    Draining,
    /// The request is with the peer.
    Requested,
}

/// One stream we send on.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) active: Option<Box<Active>>,
    pub(super) low_threshold: usize,
    //= rfc9260 §6.5
    //# The Stream Sequence Number in all the outgoing streams MUST start from 0 when the association is established.
    /// The number of the next message, ordered and unordered ones apart (RFC 8260 §2.1).
    pub(super) next_ordered: Serial32,
    pub(super) next_unordered: Serial32,
    pub(super) weight: u16,
    pub(super) reset: Reset,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            active: None,
            low_threshold: 0,
            next_ordered: Serial32(0),
            next_unordered: Serial32(0),
            weight: DEFAULT_WEIGHT,
            reset: Reset::None,
        }
    }
}

/// A stream with something queued.
#[derive(Debug, Default)]
pub(super) struct Active {
    pub(super) queue: VecDeque<Queued>,
    /// Payload bytes in `queue`, the fragments already taken left out.
    pub(super) buffered: usize,
    /// The first message, once its first fragment was taken.
    pub(super) begun: Option<Begun>,
    pub(super) open: OpenState,
    pub(super) turn: Turn,
    /// Virtual time at which the first message, or its next fragment, starts.
    pub(super) start: u64,
    /// Virtual time at which what was taken so far is finished.
    pub(super) finish: u64,
    /// It just had its turn: the next one follows without a pause.
    pub(super) follows: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    pub(super) mid: Serial32,
    /// The number of the next fragment.
    pub(super) fsn: u32,
    pub(super) charge: Charge,
}

/// What a begun message takes of what may be begun at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Charge {
    pub(super) large: usize,
    pub(super) small: usize,
}

/// Whether a message is sent in pieces and not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum OpenState {
    #[default]
    None,
    /// It is the last of the queue.
    Open,
    /// It was given up; its writer does not know yet.
    GivenUp,
}

/// Where a stream stands in the order of turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing to send.
    #[default]
    Idle,
    /// Among the turns, under this stamp.
    Scheduled((u64, u64)),
    /// It is its turn, for longer than a fragment.
    Pinned,
    /// Until enough of what others have begun is finished.
    Waiting,
}

impl Active {
    /// Takes `bytes` off the count; tells whether it thereby fell to the threshold.
    pub(super) fn unbuffer(&mut self, bytes: usize, low_threshold: usize) -> bool {
        let before = self.buffered;
        self.buffered = before.saturating_sub(bytes);
        before > low_threshold && self.buffered <= low_threshold
    }

    /// The first message, if a fragment of it may go.
    pub(super) fn first(&self, full: usize) -> Option<&Queued> {
        self.queue.front().filter(|first| self.begun.is_some() || first.is_ready(full))
    }
}
