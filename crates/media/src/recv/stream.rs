//! One incoming media section: its sources, and what waits to be fetched.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtp::{AudioLevel, Rid, SequenceNumber, Ssrc, VideoOrientation};

use super::assembly::{Joined, Outcome, Stored};
use super::sequence::Place;
use super::source::{Incoming, Source};
use crate::clock;
use crate::codec::{Codec, MediaKind};
use crate::config::{Config, PayloadRole, ReceiveStreamConfig};
use crate::event::{Event, EventQueue};
use crate::frame::{FrameKind, Gap, ReceivedFrame, ReceivedPacket};
use crate::ids::ReceiverId;
use crate::payload::begins;
use crate::stats::ReceiverStats;

/// A source that was silent for so long may make room for another.
const IDLE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct ReceiveStream {
    pub(crate) id: ReceiverId,
    pub(crate) config: ReceiveStreamConfig,
    pub(crate) sources: Vec<Source>,
    pub(crate) stats: ReceiverStats,
    frames: VecDeque<ReceivedFrame>,
    packets: VecDeque<ReceivedPacket>,
    queued_bytes: usize,
    /// The application was told that there is something.
    is_announced: bool,
    outcomes: VecDeque<Outcome>,
}

impl ReceiveStream {
    pub(crate) fn new(id: ReceiverId, config: ReceiveStreamConfig) -> Self {
        Self {
            id,
            config,
            sources: Vec::new(),
            stats: ReceiverStats::default(),
            frames: VecDeque::new(),
            packets: VecDeque::new(),
            queued_bytes: 0,
            is_announced: false,
            outcomes: VecDeque::new(),
        }
    }

    pub(crate) fn source_mut(&mut self, ssrc: Ssrc) -> Option<&mut Source> {
        self.sources.iter_mut().find(|source| source.ssrc == ssrc)
    }

    /// Adds a source; with the table full, in place of the one that was silent longest. Returns what was replaced,
    /// or nothing when there is no room.
    pub(crate) fn add_source(
        &mut self,
        now: Instant,
        ssrc: Ssrc,
        rid: Option<Rid>,
        limits: &Config,
    ) -> Result<Option<Source>, ()> {
        let mut replaced = None;
        if self.sources.len() >= limits.max_streams_per_receiver {
            let oldest = self.sources.iter().enumerate().min_by_key(|(_, source)| source.last_packet);
            let idle = oldest.filter(|(_, source)| now.saturating_duration_since(source.last_packet) > IDLE);
            let (place, _) = idle.ok_or(())?;
            replaced = Some(self.sources.remove(place));
        }
        let rtx = self.config.ssrcs.iter().find(|(media, _)| *media == ssrc).and_then(|(_, rtx)| *rtx);
        self.sources.push(Source::new(now, ssrc, rid, rtx, &self.config, limits));
        self.stats.ssrcs.push(ssrc);
        Ok(replaced)
    }

    /// Takes a packet of a source, as it came or turned back from a retransmission.
    pub(crate) fn on_packet(
        &mut self,
        now: Instant,
        arrival: Instant,
        packet: rtp::Packet,
        how: Incoming,
        limits: &Config,
        events: &mut EventQueue,
    ) {
        let header = packet.header;
        let Some(PayloadRole::Media { codec, clock_rate }) = self.config.payload(header.payload_type) else {
            self.stats.packets_discarded += 1;
            return;
        };
        let Some(source) = self.sources.iter_mut().find(|source| source.ssrc == header.ssrc) else { return };
        source.last_packet = now;
        source.clock_rate = clock_rate;
        let place = match how {
            Incoming::Original => source.sequence.place(header.sequence_number),
            Incoming::Repeated => source.sequence.place_repeated(header.sequence_number),
        };
        let (number, skipped) = match place {
            Place::Duplicate => {
                self.stats.duplicates += 1;
                return;
            }
            Place::Implausible => {
                self.stats.packets_discarded += 1;
                return;
            }
            Place::New { number, skipped } => (number, skipped),
            Place::Restart { number } => {
                source.nack.clear();
                if let Some(assembly) = &mut source.assembly {
                    assembly.restart(&mut self.outcomes);
                }
                (number, 0)
            }
        };
        count_packet(&mut self.stats, &packet, how);
        source.has_news = true;
        if how == Incoming::Original && !packet.payload.is_empty() {
            source.sequence.on_arrival(arrival, header.timestamp, clock_rate);
        }
        let mut is_hopeless = false;
        if self.config.feedback.nack {
            if let Some(found) = source.nack.received(now, number)
                && how == Incoming::Original
                // Without a stream of its own a retransmission looks like an original that came late.
                && (source.rtx.is_some() || !found.was_asked)
            {
                source.reordering.observe(now, found.late);
            }
            if skipped > 0 {
                let patience = source.reordering.tolerance(now, limits.reorder_tolerance);
                let first = number - skipped;
                is_hopeless = source.nack.skipped(now, first, skipped, patience, limits.nack_list);
            }
        }
        if is_hopeless && self.config.kind == MediaKind::Video {
            source.key_frames.want(now, limits.key_frame_interval);
        }
        match &mut source.assembly {
            Some(assembly) => {
                let stored = stored(&packet, codec, arrival, &self.config);
                let is_late =
                    assembly.insert(now, number, stored, limits.reorder_tolerance, &mut self.outcomes);
                self.stats.packets_discarded += u64::from(is_late);
                self.release(now, header.ssrc, limits, events);
            }
            None => {
                let rid = source.rid;
                let kind = begins(codec, &packet.payload);
                if kind == Some(FrameKind::Key) {
                    source.key_frames.satisfied();
                }
                // Padding has served its purpose by coming here.
                if !packet.payload.is_empty() {
                    self.push_packet(ReceivedPacket { packet, arrived: arrival, rid, kind }, limits, events);
                }
            }
        }
    }

    /// Gives out what has waited long enough.
    pub(crate) fn on_timeout(&mut self, now: Instant, limits: &Config, events: &mut EventQueue) {
        let wait = self.config.wait();
        for place in 0..self.sources.len() {
            let is_due = |source: &&Source| {
                source.assembly.as_ref().and_then(|a| a.deadline(wait)).is_some_and(|at| at <= now)
            };
            if let Some(ssrc) = self.sources.get(place).filter(is_due).map(|source| source.ssrc) {
                self.release(now, ssrc, limits, events);
            }
        }
    }

    /// When something is to be given out, or asked for.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let wait = self.config.wait();
        let of = |source: &Source| {
            let assembly = source.assembly.as_ref().and_then(|assembly| assembly.deadline(wait));
            [assembly, source.nack.deadline(), source.key_frames.deadline()].into_iter().flatten().min()
        };
        self.sources.iter().filter_map(of).min()
    }

    pub(crate) fn pop_frame(&mut self) -> Option<ReceivedFrame> {
        let frame = self.frames.pop_front();
        match &frame {
            Some(frame) => self.queued_bytes = self.queued_bytes.saturating_sub(frame.payload.len()),
            None => self.is_announced &= !self.packets.is_empty(),
        }
        frame
    }

    pub(crate) fn pop_packet(&mut self) -> Option<ReceivedPacket> {
        let packet = self.packets.pop_front();
        match &packet {
            Some(packet) => self.queued_bytes = self.queued_bytes.saturating_sub(packet.packet.payload.len()),
            None => self.is_announced &= !self.frames.is_empty(),
        }
        packet
    }

    /// The application wants a key frame from every source, or from the only one there will be.
    pub(crate) fn want_key_frame(&mut self, now: Instant, limits: &Config) {
        for source in &mut self.sources {
            source.key_frames.want(now, limits.key_frame_interval);
        }
    }

    /// The source whose packet `osn` a retransmission from an unknown source repeats (RFC 4588 §5.3): the one that
    /// asked for it, or the only one without a retransmission stream.
    pub(crate) fn repaired_by(&self, rid: Option<Rid>, osn: SequenceNumber) -> Option<Ssrc> {
        if let Some(rid) = rid {
            return self.sources.iter().find(|source| source.rid == Some(rid)).map(|source| source.ssrc);
        }
        let free = || self.sources.iter().filter(|source| source.rtx.is_none());
        let mut asking = free().filter(|source| source.nack.was_asked(osn));
        if let (Some(source), None) = (asking.next(), asking.next()) {
            return Some(source.ssrc);
        }
        let mut free = free();
        match (free.next(), free.next()) {
            (Some(source), None) => Some(source.ssrc),
            _ => None,
        }
    }

    pub(crate) fn current_stats(&self) -> ReceiverStats {
        let mut stats = self.stats.clone();
        stats.packets_lost = self.sources.iter().map(|source| source.sequence.lost()).sum();
        let jitter =
            |source: &Source| clock::duration(u64::from(source.sequence.jitter()), source.clock_rate);
        stats.jitter = self.sources.iter().map(jitter).max().unwrap_or_default();
        stats
    }

    fn release(&mut self, now: Instant, ssrc: Ssrc, limits: &Config, events: &mut EventQueue) {
        let wait = self.config.wait();
        let Some(place) = self.sources.iter().position(|source| source.ssrc == ssrc) else { return };
        if let Some(source) = self.sources.get_mut(place)
            && let Some(assembly) = &mut source.assembly
        {
            assembly.release(now, wait, &mut self.outcomes);
            self.stats.payload_errors += assembly.take_errors();
            source.nack.forget_before(assembly.next());
        }
        while let Some(outcome) = self.outcomes.pop_front() {
            match outcome {
                Outcome::Frame(joined) => self.push_frame(place, joined, limits, events),
                Outcome::Gap { packets } => {
                    self.stats.gaps += 1;
                    events.push(Event::Gap { receiver: self.id, ssrc, packets });
                    if self.config.kind == MediaKind::Video
                        && self.config.is_key_frame_on_gap
                        && let Some(source) = self.sources.get_mut(place)
                    {
                        source.key_frames.want(now, limits.key_frame_interval);
                    }
                }
            }
        }
    }

    fn push_frame(&mut self, place: usize, joined: Joined, limits: &Config, events: &mut EventQueue) {
        let Some(source) = self.sources.get_mut(place) else { return };
        self.stats.frames += 1;
        if joined.kind == FrameKind::Key {
            self.stats.key_frames += 1;
            source.key_frames.satisfied();
        }
        let frame = ReceivedFrame {
            codec: joined.codec,
            payload_type: joined.payload_type,
            kind: joined.kind,
            timestamp: joined.timestamp,
            time: source.media_time(joined.timestamp),
            ssrc: source.ssrc,
            rid: source.rid,
            first_arrival: joined.first_arrival,
            last_arrival: joined.last_arrival,
            gap: joined.gap.map(|packets| Gap { packets }),
            captured: source.captured(joined.timestamp),
            audio_level: joined.audio_level,
            orientation: joined.orientation,
            payload: joined.payload,
        };
        let len = frame.payload.len();
        while self.frames.len() >= limits.receive_frames
            || self.queued_bytes + len > limits.receive_bytes && !self.frames.is_empty()
        {
            self.pop_frame();
            self.stats.frames_dropped += 1;
            if let Some(next) = self.frames.front_mut() {
                next.gap.get_or_insert(Gap { packets: 0 });
            }
        }
        self.queued_bytes += len;
        self.frames.push_back(frame);
        self.announce(Event::FrameReady(self.id), events);
    }

    fn push_packet(&mut self, packet: ReceivedPacket, limits: &Config, events: &mut EventQueue) {
        let len = packet.packet.payload.len();
        while self.packets.len() >= limits.receive_packets
            || self.queued_bytes + len > limits.receive_bytes && !self.packets.is_empty()
        {
            self.pop_packet();
            self.stats.packets_dropped += 1;
        }
        self.queued_bytes += len;
        self.packets.push_back(packet);
        self.announce(Event::PacketReady(self.id), events);
    }

    fn announce(&mut self, event: Event, events: &mut EventQueue) {
        if !self.is_announced {
            self.is_announced = true;
            events.push_ready(event);
        }
    }

    /// Takes a new configuration. Sources and what they gave stay, unless what they deliver changes.
    pub(crate) fn reconfigure(&mut self, config: ReceiveStreamConfig) {
        if config.delivery != self.config.delivery {
            self.sources.clear();
            self.frames.clear();
            self.packets.clear();
            self.queued_bytes = 0;
            self.is_announced = false;
        }
        if !config.feedback.nack {
            self.sources.iter_mut().for_each(|source| source.nack.clear());
        }
        self.config = config;
    }
}

fn count_packet(stats: &mut ReceiverStats, packet: &rtp::Packet, how: Incoming) {
    let len = packet.payload.len() as u64;
    stats.packets += 1;
    stats.bytes += len;
    stats.header_bytes += (packet.header_len() + packet.padding_len()) as u64;
    if how == Incoming::Repeated {
        stats.retransmitted_packets += 1;
        stats.retransmitted_bytes += len;
    }
}

fn stored(packet: &rtp::Packet, codec: Codec, arrival: Instant, config: &ReceiveStreamConfig) -> Stored {
    let extensions = packet.extensions();
    Stored {
        payload: packet.payload.clone(),
        payload_type: packet.header.payload_type,
        codec,
        marker: packet.header.marker,
        timestamp: packet.header.timestamp,
        arrival,
        audio_level: extensions.value::<AudioLevel>(&config.extensions),
        orientation: extensions.value::<VideoOrientation>(&config.extensions),
    }
}
