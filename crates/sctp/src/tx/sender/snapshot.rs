//! The sending half, as it moves to another process.
//!
//! The congestion window does not move, nor anything else that was learnt of the path but its round trip: how long the
//! move took and whether the path is the same is not known. The window begins as on a new path (RFC 9260 §7.2.1).

use super::super::outstanding::{Outstanding, OutstandingSnapshot};
use super::super::queue::{QueueSnapshot, SendQueue};
use super::super::rto::{Rto, RtoSnapshot};
use super::tracking::Tracked;
use super::{Blocked, NewPath, Pacer, Rack, Recovery, Sender, Shortest, TailProbe};
use crate::association::Peer;
use crate::config::Config;
use crate::handover::wire::{Contradiction, MAX_COUNT, ensure, is_ascending, wire_struct};
use crate::tx::full_payload;
use crate::types::{MessageId, StreamId};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

#[derive(Clone, Debug)]
pub(crate) struct SenderSnapshot {
    queue: QueueSnapshot,
    outstanding: OutstandingSnapshot,
    /// TSN of the last chunk, number of the message, and its name.
    tracked: Vec<(u64, (u64, MessageId))>,
    rto: RtoSnapshot,
    advertised: usize,
    packet: u64,
    reductions: u64,
    wants_space: Option<usize>,
    /// Bytes a second; zero for none.
    budget: u64,
}

wire_struct!(SenderSnapshot {
    queue,
    outstanding,
    tracked,
    rto,
    advertised,
    packet,
    reductions,
    wants_space,
    budget
});

impl SenderSnapshot {
    pub(crate) fn check(&self, peer: &Peer) -> Result<(), Contradiction> {
        let Self { queue, outstanding, tracked, rto, advertised, packet, reductions, wants_space, budget: _ } =
            self;
        let most = u32::MAX as usize;
        queue.check(peer.format(), peer.outbound)?;
        outstanding.check(peer.format(), *packet)?;
        rto.check()?;
        ensure(*advertised <= most, "the window of the peer")?;
        ensure(*packet < MAX_COUNT && *reductions < MAX_COUNT, "the number of packets")?;
        ensure(wants_space.is_none_or(|bytes| bytes <= most), "the room that is waited for")?;
        ensure(is_ascending(tracked.iter().map(|(tsn, _)| tsn)), "the order of names")?;
        let sent = outstanding.base()..outstanding.next();
        ensure(tracked.iter().all(|(tsn, _)| sent.contains(tsn)), "the name of a message that is gone")?;
        let last = outstanding.last_of_messages();
        for (number, mid, fsn) in queue.begun() {
            let sound = last.get(&number).is_none_or(|header| {
                let numbered = peer.format().is_interleaved() || !header.unordered;
                !header.end && header.fsn.wrapping_add(1) == fsn && (!numbered || header.mid == mid)
            });
            ensure(sound, "the rest of a message on its way")?;
        }
        Ok(())
    }

    /// Streams whose reset is with the peer.
    pub(crate) fn requested(&self) -> impl Iterator<Item = StreamId> {
        self.queue.requested()
    }
}

impl Sender {
    pub(crate) fn snapshot(&self, now: Instant) -> SenderSnapshot {
        let Self {
            queue,
            outstanding,
            factory: _,
            congestion: _,
            window: _,
            rack: _,
            recovery: _,
            probe: _,
            pacer,
            shortest: _,
            rto,
            initial_packets: _,
            send_buffer: _,
            send_buffer_cap: _,
            max_packet_len: _,
            chunk_packet_len: _,
            advertised,
            peer_window: _,
            packet,
            blocked: _,
            rescue: _,
            reorder_at: _,
            reductions,
            last_sent: _,
            wants_space,
            partial: _,
            pads: _,
            forward_pending: _,
            last_forward: _,
            format: _,
            tracked,
            follows: _,
            first_repeated: _,
        } = self;
        SenderSnapshot {
            queue: queue.snapshot(now),
            outstanding: outstanding.snapshot(now),
            tracked: tracked.snapshot(),
            rto: rto.snapshot(),
            advertised: *advertised,
            packet: *packet,
            reductions: *reductions,
            wants_space: wants_space.map(|bytes| bytes.min(u32::MAX as usize)),
            budget: pacer.budget().map_or(0, NonZeroU64::get),
        }
    }

    /// Packets have at most `packet_len` bytes; `named` is how many events about messages with a name were not polled.
    pub(crate) fn restore(
        snapshot: SenderSnapshot,
        now: Instant,
        config: &Config,
        peer: &Peer,
        packet_len: usize,
        named: usize,
    ) -> Self {
        let SenderSnapshot {
            queue,
            outstanding,
            tracked,
            rto: measured,
            advertised,
            packet,
            reductions,
            wants_space,
            budget,
        } = snapshot;
        let (format, partial) = (peer.format(), peer.extensions.forward_tsn);
        let names = queue.names() + tracked.len() + named;
        let full = full_payload(format, packet_len);
        let queue = SendQueue::restore(queue, now, config.scheduler, format, full);
        let outstanding = Outstanding::restore(outstanding, now, packet, partial);
        let mut rto = Rto::new(config.rto_initial, config.rto_min, config.rto_max);
        rto.adopt(measured);
        let congestion = config.congestion_control.build(&NewPath::new(packet_len));
        let mut sender = Self {
            queue,
            factory: Arc::clone(&config.congestion_control),
            window: congestion.window(),
            congestion,
            rack: Rack::default(),
            recovery: Recovery::default(),
            probe: TailProbe::default(),
            pacer: Pacer::new(packet_len),
            shortest: Shortest::default(),
            rto,
            initial_packets: config.initial_window,
            send_buffer: config.send_buffer,
            send_buffer_cap: config.send_buffer_cap.max(config.send_buffer),
            max_packet_len: packet_len,
            chunk_packet_len: packet_len,
            advertised,
            peer_window: advertised.saturating_sub(outstanding.in_flight()),
            packet,
            blocked: Blocked::No,
            rescue: false,
            reorder_at: None,
            reductions,
            last_sent: (!outstanding.is_empty()).then_some(now),
            wants_space,
            partial,
            pads: peer.extensions.pad,
            forward_pending: false,
            last_forward: None,
            format,
            tracked: Tracked::restore(tracked, names),
            follows: false,
            first_repeated: false,
            outstanding,
        };
        sender.forget_path(now);
        sender.set_budget(now, NonZeroU64::new(budget));
        sender.pace(now);
        sender.plan_forward(now);
        sender
    }
}
