//! Whose turn it is (RFC 8260 §3).

use super::stream::{Active, Charge};
use crate::chunk::data::Format;
use crate::config::Scheduler;
use crate::tx::OVERHEAD;
use crate::types::StreamId;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// The order of streams: a heap of stamps. A stamp whose stream has another by now is stale, and skipped.
#[derive(Debug)]
pub(super) struct Turns {
    scheduler: Scheduler,
    format: Format,
    /// One entry for each stream with something to send, except the pinned one.
    heap: BinaryHeap<Reverse<(u64, u64, StreamId)>>,
    /// The stream whose turn lasts: without interleaving, until its message ends; per packet, until the packet ends.
    pub(super) pinned: Option<StreamId>,
    /// Streams whose next message is too large to be begun beside those that are.
    pub(super) waiting: VecDeque<StreamId>,
    virtual_time: u64,
    rotation: u64,
    /// What all begun messages take of `window`.
    begun: Charge,
    /// The window of the peer when it was all free.
    window: usize,
}

impl Turns {
    pub(super) fn new(scheduler: Scheduler) -> Self {
        Self {
            scheduler,
            format: Format::Plain,
            heap: BinaryHeap::new(),
            pinned: None,
            waiting: VecDeque::new(),
            virtual_time: 0,
            rotation: 0,
            begun: Charge::default(),
            window: usize::MAX,
        }
    }

    /// Turns are for messages or, with interleaving, for fragments; the peer has this window.
    pub(super) fn start(&mut self, format: Format, window: usize) {
        self.format = format;
        self.window = window;
    }

    /// The window of the peer when it was all free.
    pub(super) fn window(&self) -> usize {
        self.window
    }

    pub(super) fn is_per_packet(&self) -> bool {
        self.scheduler == Scheduler::RoundRobinPerPacket
    }

    /// Forgets who had a turn.
    pub(super) fn clear(&mut self) {
        self.heap.clear();
        self.waiting.clear();
        self.pinned = None;
    }

    /// Forgets what was begun as well.
    pub(super) fn clear_all(&mut self) {
        self.clear();
        self.begun = Charge::default();
    }

    /// Gives a stream a turn for `bytes` of its first message; tells the stamp.
    pub(super) fn push(
        &mut self,
        stream: StreamId,
        weight: u16,
        active: &mut Active,
        number: u64,
        bytes: usize,
    ) -> (u64, u64) {
        self.rotation += 1;
        let follows = std::mem::take(&mut active.follows);
        let stamp = match self.scheduler {
            Scheduler::FirstComeFirstServed => (0, number),
            Scheduler::RoundRobin | Scheduler::RoundRobinPerPacket => (self.rotation, number),
            Scheduler::Priority => (u64::from(u16::MAX - weight), self.rotation),
            Scheduler::FairCapacity | Scheduler::WeightedFair => {
                // Who paused has no claim on what others had meanwhile; who did not is owed what it did not get.
                active.start = if follows { active.finish } else { active.finish.max(self.virtual_time) };
                (active.start + self.cost(weight, bytes), number)
            }
        };
        self.heap.push(Reverse((stamp.0, stamp.1, stream)));
        stamp
    }

    pub(super) fn peek(&self) -> Option<((u64, u64), StreamId)> {
        self.heap.peek().map(|&Reverse((time, number, stream))| ((time, number), stream))
    }

    pub(super) fn pop(&mut self) {
        self.heap.pop();
    }

    /// The first stream gets its turn.
    pub(super) fn grant(&mut self, active: &mut Active, stamp: (u64, u64)) {
        self.heap.pop();
        if matches!(self.scheduler, Scheduler::FairCapacity | Scheduler::WeightedFair) {
            // A fragment may turn out shorter than its stamp says, so time stands where it started.
            let reached = if self.format.is_interleaved() { active.start } else { stamp.0 };
            self.virtual_time = self.virtual_time.max(reached);
            active.finish = stamp.0;
        }
    }

    /// A stream took only `bytes` of what its stamp was for.
    pub(super) fn correct(&self, weight: u16, active: &mut Active, bytes: usize) {
        if matches!(self.scheduler, Scheduler::FairCapacity | Scheduler::WeightedFair) {
            active.finish = active.finish.min(active.start + self.cost(weight, bytes));
        }
    }

    /// Whether no more than one stream has a turn.
    pub(super) fn is_single(&self) -> bool {
        self.heap.len() + usize::from(self.pinned.is_some()) <= 1 && self.waiting.is_empty()
    }

    /// Whether a message of `bytes` may be begun beside those that are, and what it takes.
    ///
    /// A receiver has to hold what is begun until one is complete. Were there more than it has room for, it would wait
    /// for ever. So half of its window is for messages as they come, one may always be, and a quarter is for
    /// messages of at most a sixteenth, so that these do not wait for a very large one.
    pub(super) fn charge(&self, bytes: usize) -> Option<Charge> {
        if self.begun.large == 0 || self.begun.large.saturating_add(bytes) <= self.window / 2 {
            Some(Charge { large: bytes, small: 0 })
        } else if bytes <= self.window / 16 && self.begun.small + bytes <= self.window / 4 {
            Some(Charge { large: 0, small: bytes })
        } else {
            None
        }
    }

    pub(super) fn begin(&mut self, charge: Charge) {
        self.begun.large = self.begun.large.saturating_add(charge.large);
        self.begun.small += charge.small;
    }

    pub(super) fn finish(&mut self, charge: Charge) {
        self.begun.large = self.begun.large.saturating_sub(charge.large);
        self.begun.small = self.begun.small.saturating_sub(charge.small);
    }

    fn cost(&self, weight: u16, bytes: usize) -> u64 {
        let weight = if self.scheduler == Scheduler::FairCapacity { 1 } else { u64::from(weight) };
        let overhead = if self.format.is_interleaved() { self.format.header_len() } else { OVERHEAD };
        (bytes + overhead) as u64 * 1_024 / weight
    }
}
