//! The sending half put together: which chunk goes into the packet under construction, and what answers change.

mod pieces;
mod snapshot;
mod tracking;

pub(crate) use snapshot::SenderSnapshot;

use super::congestion::{CongestionControl, CongestionControlFactory, NewPath};
use super::outstanding::Outstanding;
use super::pacer::Pacer;
use super::queue::{Dropped, SendQueue};
use super::rack::Rack;
use super::recovery::Recovery;
use super::round_trip::Shortest;
use super::rto::Rto;
use super::tail_probe::TailProbe;
use super::{OVERHEAD, data_len, full_payload, payload_room};
use crate::chunk::data::{self, Format};
use crate::chunk::{self, ChunkWriter, forward_tsn};
use crate::config::Config;
use crate::error::SendError;
use crate::event::{Events, Progress};
use crate::packet;
use crate::stats::Stats;
use crate::tlv::padded;
use crate::types::{Message, Reliability, SendOptions, StreamId};
use base::{PutExt, Serial32};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracking::Tracked;

/// What ended the last packet, or kept it from being begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blocked {
    /// Lack of data, or of room at the peer.
    No,
    Window,
    Pacer,
}

/// Send queue, ring of outstanding chunks, congestion window and timeout of one association.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) queue: SendQueue,
    pub(super) outstanding: Outstanding,
    factory: Arc<dyn CongestionControlFactory>,
    congestion: Box<dyn CongestionControl>,
    /// What `congestion` says.
    pub(super) window: usize,
    pub(super) rack: Rack,
    pub(super) recovery: Recovery,
    pub(super) probe: TailProbe,
    pub(super) pacer: Pacer,
    pub(super) shortest: Shortest,
    pub(crate) rto: Rto,
    initial_packets: usize,
    send_buffer: usize,
    send_buffer_cap: usize,
    pub(super) max_packet_len: usize,
    /// Chunks are cut to fit a packet of this size alone.
    chunk_packet_len: usize,
    /// What the peer advertised last.
    pub(super) advertised: usize,
    /// What the peer can take beyond what is in flight.
    pub(super) peer_window: usize,
    /// Number of the last packet with DATA; the first is 1.
    pub(super) packet: u64,
    pub(super) blocked: Blocked,
    /// Loss was just found by the timer: one packet may go whatever the window says.
    pub(super) rescue: bool,
    /// When the next chunk is lost, if nothing is heard of it.
    pub(super) reorder_at: Option<Instant>,
    /// Reductions of the window after loss seen in SACKs.
    pub(super) reductions: u64,
    pub(super) last_sent: Option<Instant>,
    /// The shortest message that `send` refused since the last event.
    wants_space: Option<usize>,
    pub(super) partial: bool,
    /// Whether the peer knows PAD.
    pads: bool,
    pub(super) forward_pending: bool,
    pub(super) last_forward: Option<(Instant, Serial32)>,
    format: Format,
    tracked: Tracked,
    /// Data was in flight before the packet under construction.
    follows: bool,
    /// The earliest chunk was repeated since that was last asked.
    first_repeated: bool,
}

impl Sender {
    pub(crate) fn new(config: &Config, first: Serial32) -> Self {
        let path = NewPath::new(config.max_packet_len);
        let congestion = config.congestion_control.build(&path);
        Self {
            queue: SendQueue::new(config.scheduler, full_payload(Format::Plain, config.max_packet_len)),
            outstanding: Outstanding::new(first),
            factory: Arc::clone(&config.congestion_control),
            window: congestion.window(),
            congestion,
            rack: Rack::default(),
            recovery: Recovery::default(),
            probe: TailProbe::default(),
            pacer: Pacer::new(config.max_packet_len),
            shortest: Shortest::default(),
            rto: Rto::new(config.rto_initial, config.rto_min, config.rto_max),
            initial_packets: config.initial_window,
            send_buffer: config.send_buffer,
            send_buffer_cap: config.send_buffer_cap.max(config.send_buffer),
            max_packet_len: config.max_packet_len,
            chunk_packet_len: config.max_packet_len,
            advertised: 0,
            peer_window: 0,
            packet: 0,
            blocked: Blocked::No,
            rescue: false,
            reorder_at: None,
            reductions: 0,
            last_sent: None,
            wants_space: None,
            partial: false,
            pads: false,
            forward_pending: false,
            last_forward: None,
            format: Format::Plain,
            tracked: Tracked::default(),
            follows: false,
            first_repeated: false,
        }
    }

    /// Begins towards a peer with this window. Nothing was sent before, or what was is to be forgotten.
    pub(crate) fn start(
        &mut self,
        now: Instant,
        first: Serial32,
        peer_window: u32,
        partial: bool,
        format: Format,
    ) {
        // What went out with a COOKIE ECHO that came too late goes again with the next (RFC 9260 §5.2.6).
        let goes_on = !self.outstanding.is_empty() && format == self.format;
        self.format = format;
        if !goes_on {
            self.queue.start(format, self.full(), peer_window as usize);
            self.outstanding = Outstanding::new(first);
            self.packet = 0;
        }
        self.outstanding.set_partial(partial);
        self.peer_window = peer_window as usize;
        self.advertised = self.peer_window;
        self.forget_path(now);
        self.blocked = Blocked::No;
        self.rescue = false;
        self.reorder_at = None;
        self.partial = partial;
        self.forward_pending = false;
        self.last_forward = None;
        self.last_sent = None;
    }

    /// Whether packets may be filled up with PAD.
    pub(crate) fn set_padding(&mut self, pads: bool) {
        self.pads = pads;
    }

    pub(crate) fn set_max_packet_len(&mut self, bytes: usize) {
        self.max_packet_len = bytes;
        self.queue.set_full(self.full());
        self.pacer.set_packet_len(bytes);
        self.control(|congestion| congestion.set_packet_len(bytes));
    }

    /// No more than this goes in a second, whatever the path allows.
    pub(crate) fn set_budget(&mut self, now: Instant, budget: Option<NonZeroU64>) {
        self.pacer.set_budget(now, budget);
    }

    /// Chunks are cut so that each fits a packet of this size alone. At most the largest packet.
    pub(crate) fn set_max_chunk(&mut self, packet_len: usize) {
        self.chunk_packet_len = packet_len;
        self.queue.set_full(self.full());
    }

    /// The payload of the largest chunk that is cut.
    fn full(&self) -> usize {
        full_payload(self.format, self.chunk_packet_len.min(self.max_packet_len))
    }

    /// The path is another one, or what it was thought to carry was wrong: what was learnt of it is forgotten.
    pub(crate) fn on_new_path(&mut self, now: Instant) {
        self.forget_path(now);
        self.rto.recovered();
    }

    //= rfc9260 §7.2.5
    //# When detected by an SCTP implementation, the congestion control MUST be reinitialized.
    //= rfc9260 §7.2.5.2
    //# the congestion control parameters for the affected destination addresses MUST be reset to their initial
    //# values.
    fn forget_path(&mut self, now: Instant) {
        let mut path = NewPath::new(self.max_packet_len).with_peer_window(self.advertised);
        path.initial_window = self.initial_packets * self.max_packet_len;
        self.congestion = self.factory.build(&path);
        self.window = self.congestion.window();
        self.rack = Rack::default();
        self.recovery = Recovery::default();
        self.probe = TailProbe::default();
        self.pacer.restart(now);
        self.shortest = Shortest::default();
    }

    /// Tells of tracked messages that arrived.
    pub(super) fn deliver_tracked(&mut self, events: &mut Events) {
        self.tracked.deliver(self.outstanding.base(), events);
    }

    pub(crate) fn send(
        &mut self,
        now: Instant,
        stream: StreamId,
        message: Message,
        options: SendOptions,
        events: &mut Events,
        stats: &mut Stats,
    ) -> Result<(), SendError> {
        let len = message.payload.len();
        if len > self.send_buffer {
            return Err(SendError::TooLarge { limit: self.send_buffer });
        }
        if !self.has_room(len, options.reliability, events, stats) {
            return Err(SendError::WouldBlock(message));
        }
        self.tracked.expect(options.tracking);
        self.queue.push(now, stream, message, options);
        Ok(())
    }

    /// Whether a DATA chunk could be written into a packet now.
    pub(crate) fn is_ready(&mut self, now: Instant, events: &mut Events, stats: &mut Stats) -> bool {
        self.drop_expired(now, events, stats);
        self.is_waiting() && self.pacer_allows(now)
    }

    /// Whether something waits and the window lets it go.
    fn is_waiting(&mut self) -> bool {
        let full = self.full();
        match self.outstanding.next_lost() {
            Some(len) => self.window_allows(len),
            None if self.outstanding.is_full() => false,
            None => match self.queue.next_fragment(full) {
                Some(len) => self.window_allows_new(len),
                None => false,
            },
        }
    }

    /// Fills the packet that starts at `start` with DATA: repetitions first (RFC 9260 §6.1, C), then new data. Tells
    /// whether it wrote any.
    pub(crate) fn write_data(
        &mut self,
        now: Instant,
        out: &mut Vec<u8>,
        start: usize,
        events: &mut Events,
        stats: &mut Stats,
    ) -> bool {
        self.validate_window(now);
        self.blocked = Blocked::No;
        if !self.pacer_allows(now) {
            if self.is_waiting() {
                self.blocked = Blocked::Pacer;
            }
            return false;
        }
        let (number, data) = (self.packet + 1, out.len());
        self.follows = self.outstanding.in_flight() > 0;
        let mut wrote = self.probe.is_due() && self.write_probe(now, out, start, number, stats);
        while self.write_chunk(now, out, start, number, stats, events) {
            wrote = true;
        }
        if self.probe.is_due() && wrote {
            stats.tail_probes += 1;
            self.probe.on_sent(self.outstanding.last_tsn(), false);
        }
        self.probe.cancel();
        if wrote {
            self.fill_up(out, start, data);
            self.rescue = false;
            self.packet = number;
            self.pacer.on_sent(now, out.len() - start);
            self.last_sent = Some(now);
            self.offer_space(events);
        }
        self.queue.end_packet();
        wrote
    }

    /// When the pacer lets the next packet go, if that is what it waits for.
    pub(crate) fn held_until(&self, now: Instant) -> Option<Instant> {
        if self.blocked == Blocked::Pacer { self.pacer.held_until(now) } else { None }
    }

    /// The length of the next packet when it holds nothing but new DATA and that is cheap to say.
    pub(crate) fn next_packet_len(&self, now: Instant) -> Option<usize> {
        // While chunks are smaller than packets, several go into each.
        let special = self.rescue || self.probe.is_due() || self.recovery.is_repairing();
        if special
            || self.chunk_packet_len < self.max_packet_len
            || self.outstanding.may_have_lost()
            || self.outstanding.in_flight() >= self.window
            || !self.outstanding.has_room_for(self.max_packet_len / data_len(self.format, 1))
            || !self.pacer.allows(now)
        {
            return None;
        }
        let space = (self.max_packet_len & !3) - packet::HEADER_LEN;
        // The congestion window is asked before each chunk and may be exceeded by the last one only.
        let chunks = self.queue.next_packet(now, space, self.peer_window, self.pads)?;
        let fits_window = self.outstanding.in_flight() + chunks <= self.window;
        Some(packet::HEADER_LEN + chunks).filter(|_| fits_window)
    }

    /// Appends a FORWARD TSN if one is due.
    pub(crate) fn write_forward(&mut self, now: Instant, out: &mut Vec<u8>, space: usize) -> bool {
        let Some(entries) =
            space.checked_sub(forward_tsn::MIN_LEN).map(|rest| rest / forward_tsn::entry_len(self.format))
        else {
            return false;
        };
        if !std::mem::take(&mut self.forward_pending) || !self.outstanding.advance() {
            return false;
        }
        let (cumulative, skipped) = self.outstanding.forward(self.format.is_interleaved(), entries);
        forward_tsn::write(out, self.format, cumulative, skipped);
        self.last_forward = Some((now, cumulative));
        true
    }

    /// Tells once that the earliest chunk was repeated.
    pub(crate) fn take_first_repeated(&mut self) -> bool {
        std::mem::take(&mut self.first_repeated)
    }

    pub(crate) fn is_forward_pending(&self) -> bool {
        self.forward_pending
    }

    /// Forgets all messages, sent or not.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.outstanding = Outstanding::new(self.outstanding.next_tsn());
        self.tracked = Tracked::default();
        self.wants_space = None;
        self.forward_pending = false;
        self.reorder_at = None;
        self.probe.reset();
    }

    /// The association is idle: gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.outstanding.shrink();
        self.queue.shrink();
    }

    /// Nothing waits for an acknowledgement.
    pub(crate) fn is_all_acked(&self) -> bool {
        self.outstanding.is_empty()
    }

    /// Nothing waits at all.
    pub(crate) fn is_drained(&self) -> bool {
        self.queue.is_empty() && self.outstanding.is_empty()
    }

    pub(crate) fn next_tsn(&self) -> Serial32 {
        self.outstanding.next_tsn()
    }

    /// Payload bytes of a stream that were written and not acknowledged.
    pub(crate) fn unacked_on(&self, stream: StreamId) -> usize {
        self.outstanding.unacked_on(stream)
    }

    pub(crate) fn peer_window(&self) -> usize {
        self.peer_window
    }

    /// What may be held: enough to keep a path full whose round trip carries a window, and as much again to wait, with
    /// the bookkeeping of both.
    fn send_limit(&self) -> usize {
        let usable = self.window.min(self.peer_window + self.outstanding.in_flight());
        (usable * 9 / 4).clamp(self.send_buffer, self.send_buffer_cap)
    }

    /// Bytes of memory, roughly: what the send buffer bounds.
    pub(crate) fn held(&self) -> usize {
        self.queue.held() + self.outstanding.held() + self.tracked.held()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.outstanding.in_flight()
    }

    pub(crate) fn fill_stats(&self, stats: &mut Stats) {
        stats.congestion_window = self.window;
        stats.slow_start_threshold = self.congestion.threshold();
        stats.congestion_events = self.reductions;
        stats.send_limit = self.send_limit();
        stats.peer_window = self.peer_window;
        stats.in_flight = self.outstanding.in_flight();
        stats.send_held = self.held();
        stats.rtt = self.rto.smoothed();
        stats.rto = self.rto.timeout();
    }

    fn write_chunk(
        &mut self,
        now: Instant,
        out: &mut Vec<u8>,
        start: usize,
        number: u64,
        stats: &mut Stats,
        events: &mut Events,
    ) -> bool {
        let used = out.len() - start;
        let space = (self.max_packet_len & !3).saturating_sub(used);
        //= rfc9260 §6.1
        //# before sending new DATA chunks, the sender MUST first transmit any DATA chunks that are marked for
        //# retransmission (limited by the current cwnd).
        if let Some(len) = self.outstanding.next_lost() {
            // A chunk cut for a larger packet cannot be cut again under the same TSN; it goes alone.
            let alone = used == packet::HEADER_LEN;
            if (data_len(self.format, padded(len)) > space && !alone) || !self.window_allows(len) {
                return false;
            }
            let Some(chunk) = self.outstanding.repeat(now, number) else { return false };
            data::write(out, self.format, chunk.tsn, chunk.header, true, chunk.payload);
            let tsn = chunk.tsn;
            let tsn = self.outstanding.extend(tsn);
            self.first_repeated |= tsn == self.outstanding.base();
            self.recovery.on_repeated(tsn);
            self.count_out(len);
            stats.retransmissions += 1;
            stats.data_chunks_sent += 1;
            return true;
        }
        self.drop_expired(now, events, stats);
        if self.outstanding.is_full() {
            return false;
        }
        let room = payload_room(self.format, space).min(self.full());
        let Some(len) = self.queue.next_fragment(room) else { return false };
        if !self.window_allows_new(len) {
            return false;
        }
        let probe = len > self.peer_window || self.probe.is_due();
        let Some(fragment) = self.queue.take(len) else { return false };
        if fragment.low {
            events.buffered_low(fragment.header.stream);
        }
        // RFC 7053 §4: the last of a burst is not to wait for a packet that does not follow.
        let is_last = fragment.header.end && self.follows && self.queue.is_empty();
        let immediate = probe || fragment.immediate || is_last;
        let tracking = fragment.tracking.map(|id| (fragment.message, id));
        let Some(chunk) = self.outstanding.push(now, number, fragment) else { return false };
        data::write(out, self.format, chunk.tsn, chunk.header, immediate, chunk.payload);
        if let Some((message, id)) = tracking {
            let tsn = self.outstanding.extend(self.outstanding.next_tsn()) - 1;
            self.tracked.sent(tsn, message, id);
        }
        self.count_out(len);
        stats.data_chunks_sent += 1;
        true
    }

    /// Repeats a chunk to ask for an acknowledgement, unless something new or lost can go (RFC 8985 §7.3).
    fn write_probe(
        &mut self,
        now: Instant,
        out: &mut Vec<u8>,
        start: usize,
        number: u64,
        stats: &mut Stats,
    ) -> bool {
        let used = out.len() - start;
        let space = (self.max_packet_len & !3).saturating_sub(used);
        if self.is_waiting() {
            return false;
        }
        let Some((tsn, len)) = self.outstanding.to_probe(now) else { return false };
        if data_len(self.format, padded(len)) > space && used > packet::HEADER_LEN {
            return false;
        }
        let Some(chunk) = self.outstanding.repeat_in_flight(now, number, tsn) else { return false };
        data::write(out, self.format, chunk.tsn, chunk.header, true, chunk.payload);
        self.probe.on_sent(tsn, true);
        stats.tail_probes += 1;
        stats.retransmissions += 1;
        stats.data_chunks_sent += 1;
        true
    }

    fn count_out(&mut self, len: usize) {
        self.peer_window = self.peer_window.saturating_sub(len);
        if let Some(prr) = self.recovery.prr() {
            prr.on_sent(len);
        }
    }

    /// Lets the algorithm act, and asks it anew what it says.
    pub(super) fn control(&mut self, act: impl FnOnce(&mut dyn CongestionControl)) {
        act(&mut *self.congestion);
        self.window = self.congestion.window();
    }

    /// Paces as the window and the round trip say now.
    pub(super) fn pace(&mut self, now: Instant) {
        if let Some(smoothed) = self.rto.smoothed() {
            let congestion = &self.congestion;
            self.pacer.set_path(now, smoothed, || congestion.pacing_rate(smoothed));
        }
    }

    /// Fills a remainder too small for a fragment of the large message that comes next: packets of a burst then have
    /// equal sizes, which lets them leave in one system call. Only towards a peer that has announced PAD (RFC 4820):
    /// some drop a packet with a chunk that they do not know, however often it is repeated. It goes before the DATA, which
    /// begins at `data`: control chunks come first (RFC 9260 §6.10).
    fn fill_up(&self, out: &mut Vec<u8>, start: usize, data: usize) {
        const MAX_FILL: usize = 32;
        if !self.pads {
            return;
        }
        let space = (self.max_packet_len & !3).saturating_sub(out.len() - start);
        let room = payload_room(self.format, space).min(self.full());
        let fits_none = self.queue.next_fragment(room).is_none();
        if (chunk::HEADER_LEN..=MAX_FILL).contains(&space) && fits_none && self.queue.next_is_large() {
            let pad = ChunkWriter::start(out, chunk::PAD, 0);
            out.put_zeros(space - chunk::HEADER_LEN);
            pad.finish(out);
            if let Some(chunks) = out.get_mut(data..) {
                chunks.rotate_right(space);
            }
        }
    }

    /// Whether a chunk of this length may be repeated: one packet after a timeout always.
    fn window_allows(&mut self, len: usize) -> bool {
        self.rescue || self.window_allows_new(len)
    }

    /// RFC 9260 §6.1, A and B. With nothing in flight one chunk may always go: it probes a closed window.
    fn window_allows_new(&mut self, len: usize) -> bool {
        //= rfc9260 §6.1
        //# The following general rules MUST be applied by the data sender for transmission and/or retransmission of
        //# outbound DATA chunks:
        //= rfc9260 §6.1
        //# the data sender MUST NOT transmit new data to any destination transport address if its peer's rwnd
        //# indicates that the peer has no buffer space
        //= rfc9260 §6.1
        //# A zero window probe MUST only be sent when the cwnd allows (see rule B below).
        //= rfc9260 §6.1
        //# Senders MUST support zero window probing.
        //= rfc9260 §6.1
        //# the sender MUST NOT transmit new data to a given transport address if it has cwnd + (PMDCS - 1) or more
        //# bytes of data outstanding to that transport address.
        //= rfc9260 §6.1
        //# The breach of cwnd MUST constitute one packet only.
        //= rfc9260 §6.1
        //# MUST transmit no more DATA chunks until some or all of the outstanding DATA chunks are acknowledged and
        //# transmission is allowed by rule A and rule B again.
        let in_flight = self.outstanding.in_flight();
        if in_flight == 0 {
            return true;
        }
        let open = match self.recovery.prr() {
            _ if self.probe.is_due() => true,
            Some(prr) => prr.is_open(),
            None => in_flight < self.window,
        };
        if !open {
            self.blocked = Blocked::Window;
        }
        open && len <= self.peer_window
    }

    /// What asks for acknowledgements is not held: it is one packet.
    fn pacer_allows(&self, now: Instant) -> bool {
        self.pacer.allows(now) || self.rescue || self.probe.is_due()
    }

    /// RFC 9260 §7.2.1: a window not used for a while says little about the path.
    fn validate_window(&mut self, now: Instant) {
        if !self.outstanding.is_empty() {
            return;
        }
        let Some(last) = self.last_sent else { return };
        let idle = now.saturating_duration_since(last).as_micros();
        let timeouts = idle / self.rto.timeout().as_micros().max(1);
        if timeouts > 0 {
            let timeouts = u32::try_from(timeouts).unwrap_or(u32::MAX);
            self.control(|congestion| congestion.on_idle(timeouts));
            self.pace(now);
            self.last_sent = Some(now);
        }
    }

    /// Whether the send buffer takes `len` bytes more, if need be in place of something less important.
    fn has_room(
        &mut self,
        len: usize,
        reliability: Reliability,
        events: &mut Events,
        stats: &mut Stats,
    ) -> bool {
        let held = self.held();
        // One message always fits, whatever its bookkeeping adds, and so does a second one behind it.
        let limit = self.send_limit().max((2 * (len + OVERHEAD)).min(self.send_buffer_cap));
        let excess = (held + len + OVERHEAD).saturating_sub(limit);
        if held == 0 || excess == 0 {
            return true;
        }
        let priority = match reliability {
            Reliability::Priority(priority) => Some(priority),
            Reliability::Reliable | Reliability::MaxRetransmits(_) | Reliability::MaxLifetime(_) => None,
        };
        let evicted = self.queue.evict(priority, excess);
        for dropped in &evicted {
            self.report_dropped(*dropped, Progress::Unsent, events, stats);
        }
        if evicted.is_empty() {
            self.wants_space = Some(self.wants_space.map_or(len, |wanted| wanted.min(len)));
            // What waits there for more must not be what it waits for.
            self.queue.flush_all_open();
        }
        !evicted.is_empty()
    }

    fn drop_expired(&mut self, now: Instant, events: &mut Events, stats: &mut Stats) {
        let tracked = &mut self.tracked;
        stats.messages_abandoned += self.queue.drop_expired(now, |dropped| {
            tracked.report(dropped, Progress::Unsent, events);
        });
    }

    /// A message was dropped from the queue.
    pub(crate) fn report_dropped(
        &mut self,
        dropped: Dropped,
        progress: Progress,
        events: &mut Events,
        stats: &mut Stats,
    ) {
        stats.messages_abandoned += 1;
        self.tracked.report(dropped, progress, events);
    }

    pub(super) fn give_up(&mut self, now: Instant, chunks: &[u64], events: &mut Events, stats: &mut Stats) {
        for &tsn in chunks {
            let Some((message, stream)) = self.outstanding.message_of(tsn) else { continue };
            let rest = self.queue.abandon(stream, message);
            self.outstanding.abandon(now, tsn, rest.map(|cut| cut.header));
            match rest {
                Some(cut) => self.report_dropped(cut.dropped, Progress::Begun, events, stats),
                None => {
                    stats.messages_abandoned += 1;
                    self.tracked.give_up(message, events);
                }
            }
        }
    }

    /// RFC 3758 §3.5, C3: the peer is told as soon as the point moves, and again once a round trip while it does not
    /// follow.
    pub(super) fn plan_forward(&mut self, now: Instant) {
        if !self.partial || !self.outstanding.advance() {
            return;
        }
        let point = self.outstanding.point();
        let again = self.rto.smoothed().unwrap_or(Duration::ZERO);
        self.forward_pending |= match self.last_forward {
            Some((at, told)) => told != point || now.saturating_duration_since(at) >= again,
            None => true,
        };
    }

    /// An event once a quarter of the limit is free: the rest keeps the path full until the application has answered.
    pub(super) fn offer_space(&mut self, events: &mut Events) {
        let Some(wanted) = self.wants_space else { return };
        let held = self.held();
        let limit = self.send_limit().max((2 * (wanted + OVERHEAD)).min(self.send_buffer_cap));
        if held == 0 || (held <= limit / 4 * 3 && held + wanted + OVERHEAD <= limit) {
            self.wants_space = None;
            events.send_space();
        }
    }
}
