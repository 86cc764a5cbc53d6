//! The sending half put together: which chunk goes into the packet under construction, and what answers change.

use super::congestion::Congestion;
use super::outstanding::Outstanding;
use super::queue::SendQueue;
use super::rto::Rto;
use super::{OVERHEAD, data_len, full_payload, payload_room};
use crate::chunk::sack::Sack;
use crate::chunk::{self, ChunkWriter, data, forward_tsn};
use crate::config::Config;
use crate::error::SendError;
use crate::event::Events;
use crate::packet;
use crate::stats::Stats;
use crate::tlv::padded;
use crate::types::{Message, SendOptions, StreamId};
use base::{PutExt, Serial32};
use std::time::{Duration, Instant};

/// What an acknowledgement meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SackOutcome {
    /// The cumulative TSN moved: T3-rtx starts anew (RFC 9260 §6.3.2, R3).
    pub(crate) advanced: bool,
    /// Something was acknowledged: the peer is alive.
    pub(crate) progress: bool,
}

/// Send queue, ring of outstanding chunks, congestion window and timeout of one association.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) queue: SendQueue,
    outstanding: Outstanding,
    congestion: Congestion,
    pub(crate) rto: Rto,
    initial_packets: usize,
    send_buffer: usize,
    max_packet_len: usize,
    /// The payload of the largest chunk to cut.
    max_chunk: usize,
    /// What the peer can take beyond what is in flight.
    peer_window: usize,
    /// Number of the last packet with DATA; the first is 1.
    packet: u64,
    /// The congestion window, not lack of data, ended the last packet.
    limited: bool,
    /// Loss was just found: one packet may go whatever the window says (RFC 9260 §7.2.4, step 3).
    rescue: bool,
    last_sent: Option<Instant>,
    /// `send` refused a message.
    wants_space: bool,
    partial: bool,
    /// Whether the peer knows PAD.
    pads: bool,
    forward_pending: bool,
    last_forward: Option<(Instant, Serial32)>,
}

impl Sender {
    pub(crate) fn new(config: &Config, first: Serial32) -> Self {
        Self {
            queue: SendQueue::default(),
            outstanding: Outstanding::new(first),
            congestion: Congestion::new(config.max_packet_len, config.initial_window),
            rto: Rto::new(config.rto_initial, config.rto_min, config.rto_max),
            initial_packets: config.initial_window,
            send_buffer: config.send_buffer,
            max_packet_len: config.max_packet_len,
            max_chunk: full_payload(config.max_packet_len),
            peer_window: 0,
            packet: 0,
            limited: false,
            rescue: false,
            last_sent: None,
            wants_space: false,
            partial: false,
            pads: false,
            forward_pending: false,
            last_forward: None,
        }
    }

    /// Begins towards a peer with this window. Nothing was sent before, or what was is to be forgotten.
    pub(crate) fn start(&mut self, first: Serial32, peer_window: u32, partial: bool) {
        self.outstanding = Outstanding::new(first);
        self.outstanding.set_partial(partial);
        self.congestion = Congestion::new(self.max_packet_len, self.initial_packets);
        self.peer_window = peer_window as usize;
        self.congestion.seed_threshold(self.peer_window);
        self.packet = 0;
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
        self.congestion.set_packet_len(bytes);
    }

    /// Chunks are cut so that each fits a packet of this size alone. At most the largest packet.
    pub(crate) fn set_max_chunk(&mut self, packet_len: usize) {
        self.max_chunk = full_payload(packet_len.min(self.max_packet_len));
    }

    /// The path is another one, or what it was thought to carry was wrong: what was learnt of it is forgotten.
    pub(crate) fn on_new_path(&mut self) {
        self.congestion = Congestion::new(self.max_packet_len, self.initial_packets);
        self.rto.recovered();
    }

    pub(crate) fn send(
        &mut self,
        now: Instant,
        stream: StreamId,
        message: Message,
        options: SendOptions,
    ) -> Result<(), SendError> {
        let len = message.payload.len();
        if len > self.send_buffer {
            return Err(SendError::TooLarge { limit: self.send_buffer });
        }
        let held = self.held();
        // One message always fits, whatever its bookkeeping adds.
        if held > 0 && held + len + OVERHEAD > self.send_buffer {
            self.wants_space = true;
            return Err(SendError::WouldBlock(message));
        }
        self.queue.push(now, stream, message, options);
        Ok(())
    }

    /// Whether a DATA chunk could be written into a packet now.
    pub(crate) fn is_ready(&mut self, now: Instant, events: &mut Events, stats: &mut Stats) -> bool {
        self.drop_expired(now, events, stats);
        let full = self.max_chunk;
        match self.outstanding.next_lost().or_else(|| self.queue.next_fragment(full, full)) {
            Some(len) => self.window_allows(len),
            None => false,
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
        let number = self.packet + 1;
        let mut wrote = false;
        self.limited = false;
        while self.write_chunk(now, out, start, number, stats, events) {
            wrote = true;
        }
        if wrote {
            self.fill_up(out, start);
            self.packet = number;
            self.last_sent = Some(now);
            self.offer_space(events);
        }
        wrote
    }

    /// The length of the next packet when it holds nothing but new DATA and that is cheap to say.
    pub(crate) fn next_packet_len(&self, now: Instant) -> Option<usize> {
        // While chunks are smaller than packets, several go into each.
        if self.max_chunk < full_payload(self.max_packet_len) {
            return None;
        }
        if self.outstanding.may_have_lost() || self.outstanding.in_flight() >= self.congestion.window() {
            return None;
        }
        let space = (self.max_packet_len & !3) - packet::HEADER_LEN;
        // The congestion window is asked before each chunk and may be exceeded by the last one only.
        let chunks = self.queue.next_packet(now, space, self.peer_window, self.pads)?;
        let fits_window = self.outstanding.in_flight() + chunks <= self.congestion.window();
        Some(packet::HEADER_LEN + chunks).filter(|_| fits_window)
    }

    /// Takes in a SACK; `None` when it is out of date or nonsense.
    pub(crate) fn on_sack(
        &mut self,
        now: Instant,
        sack: &Sack<'_>,
        events: &mut Events,
        stats: &mut Stats,
    ) -> Option<SackOutcome> {
        let lowest = self.rto.lowest().unwrap_or(Duration::ZERO);
        let acked = self.outstanding.on_sack(now, lowest, sack)?;
        if let Some(rtt) = acked.rtt {
            self.rto.observe(rtt);
        }
        if acked.bytes > 0 {
            self.rto.recovered();
            self.congestion.on_ack(acked.bytes, acked.newest_packet, self.limited);
        }
        let lost = self.outstanding.detect_lost(now);
        if let Some(packet) = lost.packet
            && self.congestion.on_loss(packet, self.packet + 1)
        {
            self.rescue = true;
        }
        self.give_up(now, &lost.abandoned, events, stats);
        // RFC 9260 §6.2.1, D ii.
        self.peer_window = (sack.window as usize).saturating_sub(self.outstanding.in_flight());
        self.plan_forward(now);
        self.offer_space(events);
        Some(SackOutcome { advanced: acked.advanced, progress: acked.bytes > 0 || acked.advanced })
    }

    /// Takes in the cumulative TSN of a SHUTDOWN.
    pub(crate) fn on_cumulative(&mut self, now: Instant, cumulative: Serial32) -> bool {
        let tsn = self.outstanding.extend(cumulative);
        self.outstanding.on_cumulative(now, Duration::ZERO, tsn).advanced
    }

    /// T3-rtx expired.
    pub(crate) fn on_timeout(&mut self, now: Instant, events: &mut Events, stats: &mut Stats) {
        stats.timeouts += 1;
        // A closed window is no sign of congestion: what is in flight then is a probe (RFC 9260 §6.1, A).
        if self.outstanding.in_flight() > 0 && self.peer_window > 0 {
            self.congestion.on_timeout(self.packet + 1);
        }
        self.rto.back_off();
        let abandoned = self.outstanding.on_timeout(now);
        self.give_up(now, &abandoned, events, stats);
        self.forward_pending = self.outstanding.advance();
    }

    /// What went out with COOKIE ECHO goes again with its repetition.
    pub(crate) fn repeat_all(&mut self, now: Instant, events: &mut Events, stats: &mut Stats) {
        let abandoned = self.outstanding.on_timeout(now);
        self.give_up(now, &abandoned, events, stats);
    }

    /// Appends a FORWARD TSN if one is due.
    pub(crate) fn write_forward(&mut self, now: Instant, out: &mut Vec<u8>, space: usize) -> bool {
        let Some(entries) = space.checked_sub(forward_tsn::MIN_LEN).map(|rest| rest / 4) else {
            return false;
        };
        if !std::mem::take(&mut self.forward_pending) || !self.outstanding.advance() {
            return false;
        }
        let (cumulative, skipped) = self.outstanding.forward(entries);
        forward_tsn::write(out, cumulative, skipped);
        self.last_forward = Some((now, cumulative));
        true
    }

    pub(crate) fn is_forward_pending(&self) -> bool {
        self.forward_pending
    }

    /// Forgets all messages, sent or not.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.outstanding = Outstanding::new(self.outstanding.next_tsn());
        self.wants_space = false;
        self.forward_pending = false;
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

    pub(crate) fn peer_window(&self) -> usize {
        self.peer_window
    }

    /// Bytes of memory, roughly: what `send_buffer` bounds.
    pub(crate) fn held(&self) -> usize {
        self.queue.held() + self.outstanding.held()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.outstanding.in_flight()
    }

    pub(crate) fn fill_stats(&self, stats: &mut Stats) {
        stats.congestion_window = self.congestion.window();
        stats.slow_start_threshold = self.congestion.threshold();
        stats.congestion_events = self.congestion.events();
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
        if let Some(len) = self.outstanding.next_lost() {
            // A chunk cut for a larger packet cannot be cut again under the same TSN; it goes alone.
            let alone = used == packet::HEADER_LEN;
            if (data_len(padded(len)) > space && !alone) || !self.window_allows(len) {
                return false;
            }
            let Some(chunk) = self.outstanding.repeat(now, number) else { return false };
            data::write(out, chunk.tsn, chunk.header, true, chunk.payload);
            self.rescue = false;
            self.peer_window = self.peer_window.saturating_sub(len);
            stats.retransmissions += 1;
            stats.data_chunks_sent += 1;
            return true;
        }
        self.drop_expired(now, events, stats);
        let full = self.max_chunk;
        let room = payload_room(space).min(full);
        let Some(len) = self.queue.next_fragment(room, full) else { return false };
        if !self.window_allows(len) {
            return false;
        }
        let probe = len > self.peer_window;
        let Some(fragment) = self.queue.take(len) else { return false };
        if fragment.low {
            events.buffered_low(fragment.header.stream);
        }
        let Some(chunk) = self.outstanding.push(now, number, fragment) else { return false };
        data::write(out, chunk.tsn, chunk.header, probe, chunk.payload);
        self.peer_window = self.peer_window.saturating_sub(len);
        stats.data_chunks_sent += 1;
        true
    }

    /// Fills a remainder too small for a fragment of the large message that comes next: packets of a burst then have
    /// equal sizes, which lets them leave in one system call. Only towards a peer that has announced PAD (RFC 4820):
    /// some drop a packet with a chunk that they do not know, however often it is repeated.
    fn fill_up(&self, out: &mut Vec<u8>, start: usize) {
        const MAX_FILL: usize = 32;
        if !self.pads {
            return;
        }
        let space = (self.max_packet_len & !3).saturating_sub(out.len() - start);
        let full = self.max_chunk;
        let fits_none = self.queue.next_fragment(payload_room(space), full).is_none();
        if (chunk::HEADER_LEN..=MAX_FILL).contains(&space) && fits_none && self.queue.next_is_large(full) {
            let pad = ChunkWriter::start(out, chunk::PAD, 0);
            out.put_zeros(space - chunk::HEADER_LEN);
            pad.finish(out);
        }
    }

    /// RFC 9260 §6.1, A and B. With nothing in flight one chunk may always go: it probes a closed window.
    fn window_allows(&mut self, len: usize) -> bool {
        let in_flight = self.outstanding.in_flight();
        if in_flight == 0 || self.rescue {
            return true;
        }
        if in_flight >= self.congestion.window() {
            self.limited = true;
            return false;
        }
        len <= self.peer_window
    }

    /// RFC 9260 §7.2.1: a window not used for a while says little about the path.
    fn validate_window(&mut self, now: Instant) {
        if !self.outstanding.is_empty() {
            return;
        }
        let Some(last) = self.last_sent else { return };
        let idle = now.saturating_duration_since(last).as_micros();
        let timeouts = idle / self.rto.timeout().as_micros().max(1);
        self.congestion.on_idle(u32::try_from(timeouts).unwrap_or(u32::MAX));
        if timeouts > 0 {
            self.last_sent = Some(now);
        }
    }

    fn drop_expired(&mut self, now: Instant, events: &mut Events, stats: &mut Stats) {
        stats.messages_abandoned += self.queue.drop_expired(now, |stream| events.buffered_low(stream));
    }

    fn give_up(&mut self, now: Instant, chunks: &[u64], events: &mut Events, stats: &mut Stats) {
        for &tsn in chunks {
            let Some(message) = self.outstanding.message_of(tsn) else { continue };
            let rest = self.queue.abandon(message);
            if let Some((header, true)) = rest {
                events.buffered_low(header.stream);
            }
            self.outstanding.abandon(now, tsn, rest.map(|(header, _)| header));
            stats.messages_abandoned += 1;
        }
    }

    /// RFC 3758 §3.5, C3: the peer is told as soon as the point moves, and again once a round trip while it does not
    /// follow.
    fn plan_forward(&mut self, now: Instant) {
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

    fn offer_space(&mut self, events: &mut Events) {
        if self.wants_space && self.held() <= self.send_buffer / 2 {
            self.wants_space = false;
            events.send_space();
        }
    }
}
