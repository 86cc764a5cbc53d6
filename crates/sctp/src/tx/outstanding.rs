//! Chunks with a TSN that are not yet acknowledged cumulatively: a ring indexed by TSN.
//!
//! Everything a SACK, a loss or a timeout has to know is a running count, a cursor or the front of a queue; nothing
//! walks over all chunks except a timeout, which touches each anyway. TSNs are extended to 64 bits in here, so that
//! order is plain order.

mod snapshot;

pub(crate) use snapshot::OutstandingSnapshot;

use super::OVERHEAD;
use super::per_stream::PerStream;
use super::queue::{Fragment, Limit};
use super::rack::{Delivered, Rule};
use crate::chunk::data::DataHeader;
use crate::chunk::forward_tsn::Skipped;
use crate::chunk::sack::Sack;
use crate::types::StreamId;
use base::Serial32;
use bytes::Bytes;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

//= rfc9260 §6.1
//# The data sender MUST NOT use a TSN that is more than 2^31 - 1 above the beginning TSN of the current send window.
//= rfc9260 §6.1
//# For each stream, the data sender MUST NOT have more than 2^16 - 1 ordered user messages in the current send
//# window.
/// The most chunks that may wait for an acknowledgement. Receivers bound how far beyond the cumulative TSN a chunk may
/// lie, whatever its size, and drop what lies beyond; this is less than any of them is known to take. With full chunks it
/// is 9 MB.
const MAX_CHUNKS: usize = 8_192;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    InFlight,
    /// Waits in `lost` to be repeated.
    Lost,
    /// Reported in a Gap Ack Block.
    Acked,
    /// Given up (RFC 3758 §3.5, A3).
    Abandoned,
}

#[derive(Debug)]
struct Item {
    header: DataHeader,
    payload: Bytes,
    message: u64,
    limit: Limit,
    status: Status,
    /// Times it was written.
    transmissions: u16,
    /// The packet it was last written into.
    packet: u64,
    sent_at: Instant,
}

/// What counting an acknowledgement needs to know of an item.
#[derive(Clone, Copy, Debug)]
struct Seen {
    stream: StreamId,
    bytes: usize,
    once: bool,
    status: Status,
    packet: u64,
    sent_at: Instant,
}

impl Item {
    fn seen(&self) -> Seen {
        Seen {
            stream: self.header.stream,
            bytes: self.payload.len(),
            once: self.transmissions == 1,
            status: self.status,
            packet: self.packet,
            sent_at: self.sent_at,
        }
    }
}

/// What a SACK changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acked {
    /// The cumulative TSN moved.
    pub(crate) advanced: bool,
    /// Payload bytes acknowledged for the first time, either way.
    pub(crate) bytes: usize,
    /// The newest packet of which something was acknowledged.
    pub(super) newest: Option<Delivered>,
    /// What that packet held was sent once: its age is a round trip.
    pub(crate) is_first: bool,
    /// It is the first that is sent and acknowledged since the last one with this mark: one a round trip.
    pub(crate) ends_round: bool,
    /// A chunk sent once arrived behind one with a higher TSN.
    pub(crate) reordered: bool,
    /// Chunks that counted as lost and arrived before they were repeated.
    pub(crate) needless: usize,
    /// Repeated chunks that arrived before the repetition could.
    pub(crate) early: Vec<u64>,
}

/// What a search for loss found.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    /// The newest packet found lost.
    pub(crate) packet: Option<u64>,
    /// How many chunks were found lost.
    pub(crate) chunks: usize,
    /// A chunk of each message to give up instead of repeating it.
    pub(crate) abandoned: Vec<u64>,
    /// When the next chunk is lost, if nothing is heard of it.
    pub(crate) next_at: Option<Instant>,
}

/// A chunk to write.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) tsn: Serial32,
    pub(crate) header: &'a DataHeader,
    pub(crate) payload: &'a [u8],
}

/// The ring.
#[derive(Debug)]
pub(crate) struct Outstanding {
    /// The TSN of `items[0]`, one past the cumulative acknowledgement.
    base: u64,
    items: VecDeque<Item>,
    /// Payload bytes of items in flight.
    in_flight: usize,
    /// Payload bytes of items in flight or lost, by stream.
    unacked: PerStream,
    /// Bytes of memory, roughly.
    held: usize,
    /// TSNs to repeat, lowest first. Entries whose item is no longer `Lost` are stale.
    lost: BinaryHeap<Reverse<u64>>,
    /// Every transmission in the order of packets. Entries whose item moved on are stale.
    sent: VecDeque<(u64, u64)>,
    /// Gap Ack Blocks of the last SACK, as TSNs: only what is new in the next one is walked.
    acked_ranges: Vec<(u64, u64)>,
    scratch: Vec<(u64, u64)>,
    /// The highest TSN acknowledged (`RACK.fack`).
    highest: u64,
    /// Only chunks from this TSN on give a round-trip time: one a round trip.
    rtt_from: u64,
    /// Up to here the peer may be told to move on (RFC 3758 §3.5, `Advanced.Peer.Ack.Point`).
    advanced: u64,
    /// The highest chunk given up.
    last_abandoned: u64,
    /// The peer knows FORWARD TSN; without it nothing is given up.
    partial: bool,
    /// Packets before this one were written by another process: how long they took is not known.
    measured_from: u64,
}

impl Outstanding {
    pub(crate) fn new(first: Serial32) -> Self {
        //= rfc9260 §5.1
        //# When the TCB is created, each endpoint MUST set its internal Cumulative TSN Ack Point to the value of its
        //# transmitted Initial TSN minus one.
        // One era above zero, so that numbers before the first still have a place.
        let base = (1_u64 << 32) + u64::from(first.0);
        Self {
            base,
            items: VecDeque::new(),
            in_flight: 0,
            unacked: PerStream::default(),
            held: 0,
            lost: BinaryHeap::new(),
            sent: VecDeque::new(),
            acked_ranges: Vec::new(),
            scratch: Vec::new(),
            highest: 0,
            rtt_from: base,
            advanced: base - 1,
            last_abandoned: 0,
            partial: false,
            measured_from: 0,
        }
    }

    /// Gives memory back that a burst needed, when nothing is outstanding.
    pub(crate) fn shrink(&mut self) {
        if self.items.is_empty() {
            self.items = VecDeque::new();
            self.sent = VecDeque::new();
            self.lost = BinaryHeap::new();
            self.acked_ranges = Vec::new();
            self.scratch = Vec::new();
        }
    }

    pub(crate) fn set_partial(&mut self, partial: bool) {
        self.partial = partial;
    }

    /// Gives a fragment the next TSN and counts it as sent in `packet`.
    pub(crate) fn push(&mut self, now: Instant, packet: u64, fragment: Fragment) -> Option<Outgoing<'_>> {
        //= rfc9260 §3.3.1
        //# This means that the TSNs for each fragment of a fragmented user message MUST be strictly sequential.
        //= rfc9260 §6.9
        //# The transmitter MUST then assign, in sequence, a separate TSN to each of the DATA chunks in the series.
        let tsn = self.next();
        let Fragment { header, payload, message, limit, .. } = fragment;
        self.in_flight += payload.len();
        self.unacked.add(header.stream, payload.len());
        self.held += payload.len() + OVERHEAD;
        self.sent.push_back((packet, tsn));
        let status = Status::InFlight;
        self.items.push_back(Item {
            header,
            payload,
            message,
            limit,
            status,
            transmissions: 1,
            packet,
            sent_at: now,
        });
        let item = self.items.back()?;
        Some(Outgoing { tsn: Serial32(tsn as u32), header: &item.header, payload: &item.payload })
    }

    /// The payload length of the chunk to repeat next.
    pub(crate) fn next_lost(&mut self) -> Option<usize> {
        while let Some(Reverse(tsn)) = self.lost.peek() {
            match self.item(*tsn) {
                Some(item) if item.status == Status::Lost => return Some(item.payload.len()),
                _ => self.lost.pop(),
            };
        }
        None
    }

    /// Whether a chunk waits to be repeated. May say yes for one that was acknowledged meanwhile.
    pub(crate) fn may_have_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    /// Repeats the chunk `next_lost` spoke of.
    pub(crate) fn repeat(&mut self, now: Instant, packet: u64) -> Option<Outgoing<'_>> {
        //= rfc9260 §6.10
        //# The transmitter MUST transmit DATA chunks within an SCTP packet in increasing order of TSN.
        let Reverse(tsn) = self.lost.pop()?;
        self.sent.push_back((packet, tsn));
        let index = self.index(tsn)?;
        let item = self.items.get_mut(index)?;
        item.status = Status::InFlight;
        item.transmissions = item.transmissions.saturating_add(1);
        item.packet = packet;
        item.sent_at = now;
        self.in_flight += item.payload.len();
        Some(Outgoing { tsn: Serial32(tsn as u32), header: &item.header, payload: &item.payload })
    }

    /// The chunk to repeat although nothing says it is lost, and its length: the last one, whose acknowledgement tells
    /// what became of all before it. When the peer has that, or it is not to be repeated, the one that waits longest.
    pub(crate) fn to_probe(&self, now: Instant) -> Option<(u64, usize)> {
        let fits = |tsn: u64| {
            let item =
                self.item(tsn).filter(|item| item.status == Status::InFlight && !is_spent(item, now))?;
            Some((tsn, item.payload.len())).filter(|(_, len)| *len > 0)
        };
        fits(self.last_tsn()).or_else(|| fits(self.sent.front()?.1))
    }

    /// Repeats a chunk in flight.
    pub(crate) fn repeat_in_flight(&mut self, now: Instant, packet: u64, tsn: u64) -> Option<Outgoing<'_>> {
        let index = self.index(tsn)?;
        let item = self.items.get_mut(index)?;
        self.sent.push_back((packet, tsn));
        item.transmissions = item.transmissions.saturating_add(1);
        item.packet = packet;
        item.sent_at = now;
        Some(Outgoing { tsn: Serial32(tsn as u32), header: &item.header, payload: &item.payload })
    }

    /// The extended TSN of the last chunk written.
    pub(crate) fn last_tsn(&self) -> u64 {
        self.next() - 1
    }

    /// One past the cumulative acknowledgement.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// No new chunk may be written.
    pub(crate) fn is_full(&self) -> bool {
        self.items.len() >= MAX_CHUNKS
    }

    /// Whether so many new chunks may be written.
    pub(crate) fn has_room_for(&self, chunks: usize) -> bool {
        self.items.len() + chunks <= MAX_CHUNKS
    }

    /// Payload bytes of a stream that were written and not acknowledged.
    pub(crate) fn unacked_on(&self, stream: StreamId) -> usize {
        self.unacked.of(stream)
    }

    /// Whether a SACK speaks of chunks that were never sent.
    pub(crate) fn is_unsent(&self, sack: &Sack<'_>) -> bool {
        let (cumulative, next) = (self.extend(sack.cumulative), self.next());
        let is_late = cumulative + 1 < self.base;
        cumulative >= next || !is_late && sack.blocks().any(|(_, last)| cumulative + u64::from(last) >= next)
    }

    /// Takes in the cumulative TSN and the Gap Ack Blocks of a SACK; `None` when it is older than one before.
    pub(crate) fn on_sack(&mut self, now: Instant, shortest: Duration, sack: &Sack<'_>) -> Option<Acked> {
        let cumulative = self.extend(sack.cumulative);
        // RFC 9260 §6.2.1: a cumulative TSN below the last one marks a SACK that arrived late.
        if cumulative + 1 < self.base || cumulative >= self.next() {
            return None;
        }
        let mut acked = self.on_cumulative(now, shortest, cumulative);
        let mut ranges = std::mem::take(&mut self.scratch);
        ranges.clear();
        for (first, last) in sack.blocks() {
            let (first, last) = (cumulative + u64::from(first), cumulative + u64::from(last));
            let after = ranges.last().map_or(cumulative, |(_, end)| *end);
            // Blocks that are empty, out of order or beyond what was sent are not believed.
            if first <= after || last < first || last >= self.next() {
                continue;
            }
            ranges.push((first, last));
        }
        let mut old = std::mem::take(&mut self.acked_ranges);
        let mut at = 0;
        for &(first, last) in &ranges {
            let mut tsn = first;
            while tsn <= last {
                while old.get(at).is_some_and(|(_, end)| *end < tsn) {
                    at += 1;
                }
                match old.get(at) {
                    Some(&(start, end)) if start <= tsn => tsn = end + 1,
                    _ => {
                        self.ack_in_gap(now, shortest, tsn, &mut acked);
                        tsn += 1;
                    }
                }
            }
        }
        old.clear();
        self.scratch = old;
        self.acked_ranges = ranges;
        Some(acked)
    }

    /// Takes in a cumulative TSN alone: the first half of a SACK, or a SHUTDOWN.
    pub(crate) fn on_cumulative(&mut self, now: Instant, shortest: Duration, cumulative: u64) -> Acked {
        let mut acked = Acked { advanced: cumulative >= self.base, ..Acked::default() };
        if cumulative >= self.next() {
            return Acked::default();
        }
        while self.base <= cumulative {
            //= rfc9260 §6.7
            //# Upon the reception of a SACK chunk, the endpoint MUST remove all DATA chunks that have been
            //# acknowledged by the SACK chunk's Cumulative TSN Ack from its transmit queue.
            let Some(item) = self.items.pop_front() else { break };
            self.held -= item.payload.len() + OVERHEAD;
            match item.status {
                Status::InFlight | Status::Lost => {
                    self.count(now, shortest, self.base, item.seen(), &mut acked);
                }
                Status::Acked | Status::Abandoned => {}
            }
            self.base += 1;
        }
        self.advanced = self.advanced.max(self.base - 1);
        acked
    }

    /// Finds chunks that are lost by this rule.
    pub(super) fn detect_lost(&mut self, now: Instant, rule: Rule) -> Lost {
        let mut lost = Lost::default();
        while let Some(&(packet, tsn)) = self.sent.front() {
            let Some(item) = self.item(tsn).filter(|item| is_current(item, packet)) else {
                self.sent.pop_front();
                continue;
            };
            if packet >= rule.newest {
                break;
            }
            let due = item.sent_at.checked_add(rule.age).filter(|due| *due > now && packet > rule.counted);
            if due.is_some() {
                lost.next_at = due;
                break;
            }
            self.sent.pop_front();
            lost.packet = lost.packet.max(Some(packet));
            self.mark_lost(now, tsn, &mut lost);
        }
        lost
    }

    /// T3-rtx expired: the first chunk in flight is lost, and all that were sent at least `age` ago (RFC 9260 §6.3.3,
    /// RFC 8985 §6.3).
    pub(crate) fn on_timeout(&mut self, now: Instant, age: Duration) -> Lost {
        // A first chunk that a Gap Ack Block once covered, and that never became cumulative, was dropped by its
        // receiver again (RFC 9260 §6.2): nothing reported in gaps can be relied on.
        let reneged = self.items.front().is_some_and(|item| item.status == Status::Acked);
        let mut lost = Lost::default();
        for tsn in self.base..self.next() {
            let Some(index) = self.index(tsn) else { break };
            let Some(item) = self.items.get_mut(index) else { break };
            if reneged && item.status == Status::Acked {
                item.status = Status::InFlight;
                self.in_flight += item.payload.len();
                self.unacked.add(item.header.stream, item.payload.len());
            }
            let old = now.saturating_duration_since(item.sent_at) >= age || lost.chunks == 0 || reneged;
            if item.status == Status::InFlight && old {
                self.mark_lost(now, tsn, &mut lost);
            }
        }
        if reneged {
            self.acked_ranges.clear();
        }
        self.rtt_from = self.next();
        lost
    }

    /// The message a chunk belongs to and its stream, unless it was given up already.
    pub(crate) fn message_of(&self, tsn: u64) -> Option<(u64, StreamId)> {
        let item = self.item(tsn).filter(|item| item.status != Status::Abandoned)?;
        Some((item.message, item.header.stream))
    }

    /// Gives up the message that has chunk `tsn`: every chunk of it, and with `rest` a stand-in for those never sent,
    /// so that the peer can be told to skip to its very end (RFC 3758 §3.5, A3).
    pub(crate) fn abandon(&mut self, now: Instant, tsn: u64, rest: Option<DataHeader>) {
        let Some((message, _)) = self.message_of(tsn) else { return };
        if let Some(header) = rest {
            self.push_stand_in(now, message, header);
        }
        // Its chunks are consecutive, or with interleaving at least in order.
        let mut first = tsn;
        while first > self.base
            && !self.item(first).is_some_and(|item| item.message == message && item.header.begin)
        {
            first -= 1;
        }
        for tsn in first.. {
            let Some(index) = self.index(tsn) else { break };
            let Some(item) = self.items.get_mut(index) else { break };
            if item.message != message {
                continue;
            }
            match item.status {
                Status::InFlight => {
                    self.in_flight -= item.payload.len();
                    self.unacked.remove(item.header.stream, item.payload.len());
                }
                Status::Lost => self.unacked.remove(item.header.stream, item.payload.len()),
                Status::Acked | Status::Abandoned => {}
            }
            self.held -= item.payload.len();
            item.status = Status::Abandoned;
            item.payload = Bytes::new();
            self.last_abandoned = self.last_abandoned.max(tsn);
            if item.header.end {
                break;
            }
        }
    }

    /// Gives up a message all of whose chunks may be acknowledged already, but for those never sent.
    pub(crate) fn abandon_rest(&mut self, now: Instant, message: u64, rest: DataHeader) {
        let tsn = self.next();
        self.push_stand_in(now, message, rest);
        self.abandon(now, tsn, None);
    }

    fn push_stand_in(&mut self, now: Instant, message: u64, header: DataHeader) {
        self.held += OVERHEAD;
        let (payload, limit, status) = (Bytes::new(), Limit::Never, Status::InFlight);
        let item =
            Item { header, payload, message, limit, status, transmissions: 0, packet: 0, sent_at: now };
        self.items.push_back(item);
    }

    /// Moves `Advanced.Peer.Ack.Point` over what was given up (RFC 3758 §3.5, C1 and C2) and tells whether there is
    /// something to tell. Chunks the peer has already do not stop it as long as given-up ones follow.
    pub(crate) fn advance(&mut self) -> bool {
        let mut tsn = self.advanced.max(self.base - 1) + 1;
        while tsn <= self.last_abandoned {
            let Some(item) = self.item(tsn) else { break };
            match item.status {
                Status::Abandoned => self.advanced = tsn,
                Status::Acked => {}
                Status::InFlight | Status::Lost => break,
            }
            tsn += 1;
        }
        self.advanced >= self.base
    }

    /// What a FORWARD TSN or I-FORWARD-TSN says: the new cumulative TSN, and the last message skipped in each stream, at
    /// most `max` of them. Only with interleaving unordered messages count as well.
    pub(crate) fn forward(&self, interleaved: bool, max: usize) -> (Serial32, Vec<Skipped>) {
        let mut skipped = BTreeMap::new();
        let mut upto = self.base - 1;
        for tsn in self.base..=self.advanced {
            let Some(item) = self.item(tsn) else { break };
            let DataHeader { stream, unordered, mid, .. } = item.header;
            if item.status == Status::Abandoned && (interleaved || !unordered) {
                let full = skipped.len() >= max && !skipped.contains_key(&(stream, unordered));
                if full {
                    break;
                }
                skipped.insert((stream, unordered), mid);
            }
            upto = tsn;
        }
        let skipped = skipped.into_iter();
        let skipped = skipped.map(|((stream, unordered), mid)| Skipped { stream, unordered, mid });
        (Serial32(upto as u32), skipped.collect())
    }

    /// `Advanced.Peer.Ack.Point`.
    pub(crate) fn point(&self) -> Serial32 {
        Serial32(self.advanced as u32)
    }

    /// The TSN the next new chunk gets.
    pub(crate) fn next_tsn(&self) -> Serial32 {
        Serial32(self.next() as u32)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Bytes of memory, roughly.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    //= rfc9260 §1.6
    //# Since the space is finite, all arithmetic dealing with Transmission Sequence Numbers MUST be performed modulo
    //# 2^32.
    //= rfc9260 §1.6
    //# That is, the next TSN a DATA chunk MUST use after transmitting TSN = 2^32 - 1 is TSN = 0.
    pub(crate) fn extend(&self, tsn: Serial32) -> u64 {
        let offset = tsn.0.wrapping_sub(self.base as u32) as i32;
        self.base.saturating_add_signed(i64::from(offset))
    }

    fn next(&self) -> u64 {
        self.base + self.items.len() as u64
    }

    fn index(&self, tsn: u64) -> Option<usize> {
        usize::try_from(tsn.checked_sub(self.base)?).ok()
    }

    fn item(&self, tsn: u64) -> Option<&Item> {
        self.items.get(self.index(tsn)?)
    }

    fn ack_in_gap(&mut self, now: Instant, shortest: Duration, tsn: u64, acked: &mut Acked) {
        let Some(index) = self.index(tsn) else { return };
        let Some(item) = self.items.get_mut(index) else { return };
        if matches!(item.status, Status::Acked | Status::Abandoned) {
            return;
        }
        // The payload stays: until the cumulative TSN covers it, the receiver may drop it again (RFC 9260 §6.2).
        let seen = item.seen();
        item.status = Status::Acked;
        self.count(now, shortest, tsn, seen, acked);
    }

    /// Counts a chunk, in flight or lost until now, as acknowledged.
    fn count(&mut self, now: Instant, shortest: Duration, tsn: u64, item: Seen, acked: &mut Acked) {
        let Seen { bytes, once, .. } = item;
        acked.bytes += bytes;
        self.unacked.remove(item.stream, bytes);
        if item.status == Status::InFlight {
            self.in_flight -= bytes;
        } else if once {
            acked.needless += 1;
        }
        if tsn > self.highest {
            self.highest = tsn;
        } else if once {
            acked.reordered = true;
        }
        //= rfc9260 §6.3.1
        //# RTT measurements MUST NOT be made using chunks that were retransmitted
        // An acknowledgement that comes too soon after a repetition is one of the original.
        let measured = item.packet >= self.measured_from;
        let early = measured && !once && now.saturating_duration_since(item.sent_at) < shortest;
        if early && item.status == Status::InFlight {
            acked.early.push(tsn);
        }
        if !early && acked.newest.is_none_or(|newest| newest.packet < item.packet) {
            acked.newest = Some(Delivered { packet: item.packet, sent_at: item.sent_at });
            acked.is_first = once && measured;
        }
        //= rfc9260 §6.3.1
        //# When data is in flight and when allowed by rule C5 below, a new RTT measurement MUST be made each round
        //# trip.
        if once && tsn >= self.rtt_from {
            acked.ends_round = true;
            self.rtt_from = self.base + self.items.len() as u64;
        }
    }

    fn mark_lost(&mut self, now: Instant, tsn: u64, lost: &mut Lost) {
        let partial = self.partial;
        let Some(index) = self.index(tsn) else { return };
        let Some(item) = self.items.get_mut(index) else { return };
        self.in_flight -= item.payload.len();
        item.status = Status::Lost;
        lost.chunks += 1;
        if partial && is_spent(item, now) {
            lost.abandoned.push(tsn);
        } else {
            self.lost.push(Reverse(tsn));
        }
    }
}

/// Whether it is not worth another repetition (RFC 3758).
fn is_spent(item: &Item, now: Instant) -> bool {
    match item.limit {
        Limit::Never | Limit::Priority(_) => false,
        Limit::Retransmits(max) => item.transmissions > max,
        Limit::Until(deadline) => deadline <= now,
    }
}

fn is_current(item: &Item, packet: u64) -> bool {
    item.status == Status::InFlight && item.packet == packet
}
