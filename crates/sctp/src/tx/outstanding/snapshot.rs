//! Chunks on their way, as they move to another process.
//!
//! What moves of a chunk is what it is, what became of it, how often it was written, and how long ago: the distance
//! between two chunks is what tells that one of them is lost (RFC 8985 §6.2). The time of the move itself is not known,
//! so nothing is measured by these.

use super::{Item, Outstanding, PerStream, Status};
use crate::chunk::data::{DataHeader, Format};
use crate::handover::wire::{Contradiction, MAX_COUNT, ensure, wire_enum, wire_struct};
use crate::tx::queue::{Limit, LimitSnapshot};
use crate::tx::{OVERHEAD, clamp_packet_len, full_payload};
use bytes::Bytes;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

/// More than there can be: chunks with data are bounded, and a message begun on each stream may leave a stand-in.
const MOST_CHUNKS: usize = 1 << 17;

#[derive(Clone, Debug)]
pub(crate) struct OutstandingSnapshot {
    /// The extended TSN of the first chunk.
    base: u64,
    chunks: Vec<ItemSnapshot>,
}

#[derive(Clone, Debug)]
struct ItemSnapshot {
    header: DataHeader,
    payload: Bytes,
    message: u64,
    limit: LimitSnapshot,
    status: Status,
    transmissions: u16,
    packet: u64,
    age: Duration,
}

wire_struct!(OutstandingSnapshot { base, chunks });
wire_struct!(ItemSnapshot { header, payload, message, limit, status, transmissions, packet, age });
wire_enum!(Status { 0 => InFlight, 1 => Lost, 2 => Acked, 3 => Abandoned });

impl OutstandingSnapshot {
    /// `newest` is the number of the last packet written.
    pub(crate) fn check(&self, format: Format, newest: u64) -> Result<(), Contradiction> {
        let Self { base, chunks } = self;
        ensure((1 << 32..MAX_COUNT).contains(base), "the first TSN that is not acknowledged")?;
        ensure(chunks.len() <= MOST_CHUNKS, "the number of chunks on their way")?;
        let mut last = BTreeMap::new();
        for chunk in chunks {
            chunk.check(format, newest)?;
            let header = chunk.header;
            if let Some(before) = last.insert(chunk.message, header) {
                ensure(follows(&before, &header), "fragments of a message on its way")?;
            }
        }
        Ok(())
    }

    /// One past the last TSN.
    pub(crate) fn next(&self) -> u64 {
        self.base.saturating_add(self.chunks.len() as u64)
    }

    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// The last chunk of each message some of which is on its way.
    pub(crate) fn last_of_messages(&self) -> BTreeMap<u64, DataHeader> {
        self.chunks.iter().map(|chunk| (chunk.message, chunk.header)).collect()
    }
}

impl ItemSnapshot {
    fn check(&self, format: Format, newest: u64) -> Result<(), Contradiction> {
        let given_up = self.status == Status::Abandoned;
        ensure(given_up == self.payload.is_empty(), "a chunk without bytes")?;
        let most = full_payload(format, clamp_packet_len(usize::MAX));
        ensure(self.payload.len() <= most, "a chunk longer than a packet")?;
        ensure(given_up || self.transmissions > 0, "a chunk on its way that was never sent")?;
        ensure(!self.header.begin || self.header.fsn == 0, "the number of a first fragment")?;
        ensure(self.packet <= newest && self.message < MAX_COUNT, "the number of a chunk")
    }
}

/// Whether one fragment follows another in their message.
fn follows(before: &DataHeader, header: &DataHeader) -> bool {
    before.stream == header.stream
        && before.mid == header.mid
        && before.unordered == header.unordered
        && !before.end
        && !header.begin
        && header.fsn == before.fsn.wrapping_add(1)
}

impl Outstanding {
    pub(crate) fn snapshot(&self, now: Instant) -> OutstandingSnapshot {
        let Self {
            base,
            items,
            in_flight: _,
            unacked: _,
            held: _,
            lost: _,
            sent: _,
            acked_ranges: _,
            scratch: _,
            highest: _,
            rtt_from: _,
            advanced: _,
            last_abandoned: _,
            partial: _,
            measured_from: _,
        } = self;
        let chunks = items.iter().map(|item| item.snapshot(now)).collect();
        OutstandingSnapshot { base: *base, chunks }
    }

    /// Counts, cursors and queues follow from the chunks. `newest` is the number of the last packet written.
    pub(crate) fn restore(snapshot: OutstandingSnapshot, now: Instant, newest: u64, partial: bool) -> Self {
        let next = snapshot.next();
        let OutstandingSnapshot { base, chunks } = snapshot;
        let mut outstanding = Self {
            base,
            items: chunks.into_iter().map(|chunk| Item::restore(chunk, now)).collect(),
            in_flight: 0,
            unacked: PerStream::default(),
            held: 0,
            lost: BinaryHeap::new(),
            sent: VecDeque::new(),
            acked_ranges: Vec::new(),
            scratch: Vec::new(),
            highest: base - 1,
            rtt_from: next,
            advanced: base - 1,
            last_abandoned: 0,
            partial,
            measured_from: newest.saturating_add(1),
        };
        let mut sent = Vec::new();
        let mut lost = BinaryHeap::new();
        for (item, tsn) in outstanding.items.iter().zip(base..) {
            let bytes = item.payload.len();
            outstanding.held += bytes + OVERHEAD;
            match item.status {
                Status::InFlight => {
                    outstanding.in_flight += bytes;
                    outstanding.unacked.add(item.header.stream, bytes);
                    sent.push((item.packet, tsn));
                }
                Status::Lost => {
                    outstanding.unacked.add(item.header.stream, bytes);
                    lost.push(Reverse(tsn));
                }
                Status::Acked => outstanding.highest = tsn,
                Status::Abandoned => outstanding.last_abandoned = tsn,
            }
        }
        sent.sort_unstable();
        outstanding.sent = sent.into();
        outstanding.lost = lost;
        outstanding
    }
}

impl Item {
    fn snapshot(&self, now: Instant) -> ItemSnapshot {
        let Self { header, payload, message, limit, status, transmissions, packet, sent_at } = self;
        ItemSnapshot {
            header: *header,
            payload: payload.clone(),
            message: *message,
            limit: limit.snapshot(now),
            status: *status,
            transmissions: *transmissions,
            packet: *packet,
            age: now.saturating_duration_since(*sent_at),
        }
    }

    fn restore(snapshot: ItemSnapshot, now: Instant) -> Self {
        let ItemSnapshot { header, payload, message, limit, status, transmissions, packet, age } = snapshot;
        let limit = Limit::restore(limit, now);
        let sent_at = now.checked_sub(age).unwrap_or(now);
        Self { header, payload, message, limit, status, transmissions, packet, sent_at }
    }
}
