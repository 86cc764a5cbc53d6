//! What became of messages whose sender wants to know.

use super::super::queue::Dropped;
use crate::event::{Event, Events, Progress};
use crate::types::MessageId;
use std::collections::VecDeque;

/// Bytes charged for each name until its event is polled.
const NAME_OVERHEAD: usize = 96;

/// Names of messages on their way. One costs nothing until it is given.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    /// Messages written to their end: the TSN of their last chunk, in order, and which message it is.
    sent: VecDeque<(u64, u64, MessageId)>,
    /// Names given whose event was not polled.
    names: usize,
}

impl Tracked {
    pub(super) fn expect(&mut self, name: Option<MessageId>) {
        self.names += usize::from(name.is_some());
    }

    /// The last chunk of a message was written.
    pub(super) fn sent(&mut self, tsn: u64, message: u64, id: MessageId) {
        self.sent.push_back((tsn, message, id));
    }

    /// Everything below `first` is acknowledged.
    pub(super) fn deliver(&mut self, first: u64, events: &mut Events) {
        while let Some(&(.., id)) = self.sent.front().filter(|(tsn, ..)| *tsn < first) {
            self.sent.pop_front();
            events.push(Event::Delivered(id));
        }
    }

    /// A message that was written to its end was given up.
    pub(super) fn give_up(&mut self, message: u64, events: &mut Events) {
        if let Some(at) = self.sent.iter().position(|(_, sent, _)| *sent == message)
            && let Some((.., id)) = self.sent.remove(at)
        {
            events.push(Event::Abandoned { id, progress: Progress::Begun });
        }
    }

    /// A message, or the rest of one, left the queue.
    pub(super) fn report(&mut self, dropped: Dropped, progress: Progress, events: &mut Events) {
        if dropped.low {
            events.buffered_low(dropped.stream);
        }
        if let Some(id) = dropped.tracking {
            events.push(Event::Abandoned { id, progress });
        }
    }

    /// An event was polled.
    pub(super) fn polled(&mut self) {
        self.names = self.names.saturating_sub(1);
    }

    /// Messages written to their end and not acknowledged: see `sent`. The names are counted by who restores.
    pub(super) fn snapshot(&self) -> Vec<(u64, (u64, MessageId))> {
        let Self { sent, names: _ } = self;
        sent.iter().map(|&(tsn, message, id)| (tsn, (message, id))).collect()
    }

    /// Goes on with these, and with as many names given in all.
    pub(super) fn restore(snapshot: Vec<(u64, (u64, MessageId))>, names: usize) -> Self {
        Self { sent: snapshot.into_iter().map(|(tsn, (message, id))| (tsn, message, id)).collect(), names }
    }

    /// Bytes of memory, roughly.
    pub(super) fn held(&self) -> usize {
        self.names * NAME_OVERHEAD
    }
}
