//! Events that wait to be polled, coalesced so that an owner who never polls costs a bounded amount.

mod snapshot;

pub(crate) use snapshot::EventSnapshot;

use super::{Direction, Event, ResetOutcome};
use crate::types::StreamId;
use std::collections::{BTreeSet, VecDeque};

/// The queue. Events about streams stand in it at most once each.
#[derive(Debug, Default)]
pub(crate) struct Events {
    queue: VecDeque<Event>,
    readable: BTreeSet<StreamId>,
    low: BTreeSet<StreamId>,
    too_large: BTreeSet<StreamId>,
    resets: BTreeSet<(StreamId, Direction, ResetOutcome)>,
    send_space: bool,
    streams_changed: bool,
}

impl Events {
    /// Queues an event that happens a bounded number of times.
    pub(crate) fn push(&mut self, event: Event) {
        self.queue.push_back(event);
    }

    /// Queues an event ahead of those that wait: data may arrive before the handshake is known to be complete.
    pub(crate) fn push_first(&mut self, event: Event) {
        self.queue.push_front(event);
    }

    pub(crate) fn readable(&mut self, stream: StreamId) {
        if self.readable.insert(stream) {
            self.queue.push_back(Event::Readable(stream));
        }
    }

    pub(crate) fn buffered_low(&mut self, stream: StreamId) {
        if self.low.insert(stream) {
            self.queue.push_back(Event::BufferedAmountLow(stream));
        }
    }

    pub(crate) fn too_large(&mut self, stream: StreamId) {
        if self.too_large.insert(stream) {
            self.queue.push_back(Event::MessageTooLarge(stream));
        }
    }

    pub(crate) fn send_space(&mut self) {
        if !self.send_space {
            self.send_space = true;
            self.queue.push_back(Event::SendSpace);
        }
    }

    pub(crate) fn reset(&mut self, stream: StreamId, direction: Direction, outcome: ResetOutcome) {
        if self.resets.insert((stream, direction, outcome)) {
            self.queue.push_back(Event::StreamReset { stream, direction, outcome });
        }
    }

    /// Only the latest numbers are told.
    pub(crate) fn streams_changed(&mut self, outbound: u16, inbound: u16) {
        if self.streams_changed {
            self.queue.retain(|event| !matches!(event, Event::StreamsChanged { .. }));
        }
        self.streams_changed = true;
        self.queue.push_back(Event::StreamsChanged { outbound, inbound });
    }

    pub(crate) fn restarted(&mut self) {
        if self.queue.back() != Some(&Event::Restarted) {
            self.queue.push_back(Event::Restarted);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        match &event {
            Event::Readable(stream) => {
                self.readable.remove(stream);
            }
            Event::BufferedAmountLow(stream) => {
                self.low.remove(stream);
            }
            Event::MessageTooLarge(stream) => {
                self.too_large.remove(stream);
            }
            Event::StreamReset { stream, direction, outcome } => {
                self.resets.remove(&(*stream, *direction, *outcome));
            }
            Event::SendSpace => self.send_space = false,
            Event::StreamsChanged { .. } => self.streams_changed = false,
            Event::Abandoned { .. }
            | Event::Closed(_)
            | Event::Connected { .. }
            | Event::Delivered(_)
            | Event::Restarted
            | Event::ShuttingDown
            | Event::StreamsDenied(_) => {}
        }
        Some(event)
    }
}
