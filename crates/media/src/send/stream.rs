//! One outgoing stream: what waits, what was sent, and how either becomes a packet.
//!
//! Both are one queue of *recipes*: a recipe shares the frame, names the pieces of it that are its payload, and can
//! be written any number of times. Sequence numbers follow each other, so a number is a place in the queue.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use base::PutExt;
use bytes::Bytes;
use rtp::ntp::{NtpTime, WallClock};
use rtp::rtcp::SenderInfo;
use rtp::{Header, PacketBuilder, PayloadType, SequenceNumber, Ssrc, Timestamp, rtx};

use super::extensions::{self, Carried, Measure, Stamp};
use super::rate::Budget;
use crate::clock;
use crate::config::{Config, SendStreamConfig};
use crate::error::{SendFrameError, SendPacketError};
use crate::frame::{EncodedFrame, FrameKind, MediaTime, PacketToSend};
use crate::keyframe::Incoming;
use crate::payload::{PacketizeError, Packetizer, Piece, begins, packetizer};
use crate::stats::SenderStats;

const FIXED_HEADER: usize = 12;

#[derive(Debug)]
struct Recipe {
    timestamp: Timestamp,
    marker: bool,
    payload_type: PayloadType,
    payload: Bytes,
    /// Place of its first piece in the order of all pieces of the stream, and how many there are.
    first_piece: u64,
    pieces: u16,
    /// Bytes of payload in the packet.
    len: usize,
    carried: Carried,
    repeats: u8,
    /// When it was sent last.
    sent: Option<Instant>,
    /// It is in the queue of retransmissions.
    is_wanted: bool,
}

/// Which packet of a stream goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Fresh,
    /// The packet at this place in the order of all packets of the stream.
    Repeat(u64),
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Departure {
    pub(crate) len: usize,
    pub(crate) ends_frame: bool,
    pub(crate) is_transport_numbered: bool,
}

#[derive(Debug)]
pub(crate) struct SendStream {
    pub(crate) config: SendStreamConfig,
    pub(crate) key_frames: Incoming,
    pub(crate) stats: SenderStats,
    packetizer: Option<Box<dyn Packetizer>>,
    recipes: VecDeque<Recipe>,
    pieces: VecDeque<Piece>,
    /// Place of the first of `pieces`.
    first_piece: u64,
    scratch: Vec<Piece>,
    /// Place of the first recipe in the order of all packets; its low half is not the sequence number.
    first: u64,
    /// How many of the recipes were sent.
    sent: usize,
    /// Payload bytes of recipes that were sent.
    sent_bytes: usize,
    wanted: VecDeque<u64>,
    /// Sequence number of place zero.
    sequence_base: u16,
    rtx_sequence: SequenceNumber,
    timestamp_base: u32,
    /// Reports of the peer show that it knows which stream this is.
    is_bound: bool,
    /// The latest time stamp and when it was captured.
    anchor: Option<(Timestamp, Instant)>,
    octets: u32,
}

impl SendStream {
    /// `seed` starts sequence numbers and time stamps anywhere (RFC 3550 §5.1).
    pub(crate) fn new(config: SendStreamConfig, seed: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = seed.to_be_bytes();
        // Not near the wrap, where a packet lost at the very start would cost the receiver its roll-over counter
        // (RFC 3711 §3.3.1).
        let sequence = |high, low| u16::from_be_bytes([high, low]) & 0x7fff;
        Self {
            packetizer: packetizer(config.codec, u16::from_be_bytes([e, f]) ^ u16::from_be_bytes([a, b])),
            config,
            key_frames: Incoming::default(),
            stats: SenderStats::default(),
            recipes: VecDeque::new(),
            pieces: VecDeque::new(),
            first_piece: 0,
            scratch: Vec::new(),
            first: 0,
            sent: 0,
            sent_bytes: 0,
            wanted: VecDeque::new(),
            sequence_base: sequence(a, b),
            rtx_sequence: SequenceNumber(sequence(c, d)),
            timestamp_base: u32::from_be_bytes([e, f, g, h]),
            is_bound: false,
            anchor: None,
            octets: 0,
        }
    }

    /// Continues the numbers of a stream that had the same SSRC: a number must not be used twice under one key
    /// (RFC 3711 §9.1).
    pub(crate) fn continue_from(&mut self, media: Option<SequenceNumber>, rtx: Option<SequenceNumber>) {
        self.sequence_base = media.map_or(self.sequence_base, |next| next.0);
        self.rtx_sequence = rtx.unwrap_or(self.rtx_sequence);
    }

    /// The numbers to continue with.
    pub(crate) fn next_numbers(&self) -> (SequenceNumber, SequenceNumber) {
        (self.sequence(self.first + self.sent as u64), self.rtx_sequence)
    }

    /// Takes a new configuration for the same SSRC. What waits is sent as it is.
    pub(crate) fn reconfigure(&mut self, config: SendStreamConfig) {
        if config.codec != self.config.codec {
            self.packetizer = packetizer(config.codec, self.timestamp_base as u16);
        }
        if config.rtx.map(|rtx| rtx.ssrc) != self.config.rtx.map(|rtx| rtx.ssrc) {
            self.rtx_sequence = SequenceNumber(self.rtx_sequence.0 ^ (self.timestamp_base as u16 & 0x7fff));
        }
        if config.mid != self.config.mid || config.rid != self.config.rid {
            self.is_bound = false;
        }
        self.config = config;
        if self.config.rtx.is_none() {
            self.trim(0, 0);
        }
    }

    pub(crate) fn send_frame(
        &mut self,
        frame: EncodedFrame,
        wall: &WallClock,
        limits: &Config,
    ) -> Result<(), SendFrameError> {
        let Some(packetizer) = &mut self.packetizer else {
            return Err(SendFrameError::Unsupported(frame));
        };
        let queued = self.stats.queued_bytes;
        if queued > 0 && queued + frame.payload.len() > limits.send_queue_bytes {
            return Err(SendFrameError::Full(frame));
        }
        self.scratch.clear();
        let room = room(&self.config, limits.max_packet);
        let kind = match packetizer.packetize(&frame.payload, room, &mut self.scratch) {
            Ok(kind) => kind,
            Err(PacketizeError::TooLarge) => return Err(SendFrameError::TooLarge(frame)),
            Err(PacketizeError::Empty | PacketizeError::Malformed) => {
                return Err(SendFrameError::Malformed(frame));
            }
        };
        let timestamp = self.timestamp(frame.time);
        let is_video = self.config.codec.kind() == crate::codec::MediaKind::Video;
        let captured = self.config.extensions.id(rtp::ExtensionKind::AbsCaptureTime);
        let carried = |is_first: bool, is_last: bool| Carried::Frame {
            audio_level: frame.audio_level,
            // 3GPP TS 26.114 §7.4.5: in the last packet of a frame is enough.
            orientation: frame.orientation.filter(|_| is_last),
            captured: captured.filter(|_| is_first).map(|_| wall.ntp(frame.captured)),
        };
        let packets = self.scratch.iter().filter(|piece| piece.is_last()).count();
        let mut place = self.first_piece + self.pieces.len() as u64;
        let (mut done, mut count, mut len) = (0, 0, 0);
        for piece in &self.scratch {
            count += 1;
            len += piece.encoded_len();
            if !piece.is_last() {
                continue;
            }
            done += 1;
            let recipe = Recipe {
                timestamp,
                marker: is_video && done == packets,
                payload_type: self.config.payload_type,
                payload: frame.payload.clone(),
                first_piece: place,
                pieces: count,
                len,
                carried: carried(done == 1, done == packets),
                repeats: 0,
                sent: None,
                is_wanted: false,
            };
            self.stats.queued_bytes += len;
            self.recipes.push_back(recipe);
            place += u64::from(count);
            (count, len) = (0, 0);
        }
        self.pieces.extend(self.scratch.drain(..));
        self.stats.queued_packets += packets;
        self.anchor = Some((timestamp, frame.captured));
        self.count_frame(kind);
        Ok(())
    }

    pub(crate) fn send_packet(
        &mut self,
        now: Instant,
        packet: PacketToSend,
        limits: &Config,
    ) -> Result<(), SendPacketError> {
        let len = packet.payload.len();
        let queued = self.stats.queued_bytes;
        if queued > 0 && queued + len > limits.send_queue_bytes {
            return Err(SendPacketError::Full(packet));
        }
        let block = packet.extensions.as_ref().map_or(0, |(block, _)| block.elements().data().len());
        if FIXED_HEADER + self.reserve() + block + rtx::OVERHEAD + len > limits.max_forwarded_packet {
            return Err(SendPacketError::TooLarge(packet));
        }
        if let Some(kind) = begins(self.config.codec, &packet.payload) {
            self.count_frame(kind);
        }
        self.anchor = Some((packet.timestamp, now));
        let first_piece = self.first_piece + self.pieces.len() as u64;
        self.pieces.push_back(Piece::new(&[], 0, len));
        self.recipes.push_back(Recipe {
            timestamp: packet.timestamp,
            marker: packet.marker,
            payload_type: packet.payload_type.unwrap_or(self.config.payload_type),
            payload: packet.payload,
            first_piece,
            pieces: 1,
            len,
            carried: match packet.extensions {
                Some((block, map)) => Carried::Forwarded { block, map },
                None => Carried::NOTHING,
            },
            repeats: 0,
            sent: None,
            is_wanted: false,
        });
        self.stats.queued_bytes += len;
        self.stats.queued_packets += 1;
        Ok(())
    }

    /// The packet that would go next, retransmissions first.
    pub(crate) fn turn(&self) -> Option<Turn> {
        self.repeat_turn().or_else(|| (self.sent < self.recipes.len()).then_some(Turn::Fresh))
    }

    pub(crate) fn repeat_turn(&self) -> Option<Turn> {
        self.wanted.iter().copied().find(|place| self.recipe(*place).is_some()).map(Turn::Repeat)
    }

    /// Bytes that [`SendStream::write`] would append.
    pub(crate) fn next_len(&self, turn: Turn) -> Option<usize> {
        let (recipe, extra) = match turn {
            Turn::Fresh => (self.recipes.get(self.sent)?, 0),
            Turn::Repeat(place) => (self.recipe(place)?, rtx::OVERHEAD),
        };
        let mut measure = Measure::new(self.config.form);
        let stamp = self.stamp(NtpTime(0), 0, turn);
        extensions::put(&mut measure, &self.config.extensions, &stamp, &recipe.carried);
        Some(FIXED_HEADER + measure.len() + extra + recipe.len)
    }

    /// Appends the packet of a turn. `transport` is the number it gets in the sequence of the whole transport.
    pub(crate) fn write(
        &mut self,
        now: Instant,
        turn: Turn,
        sent: NtpTime,
        transport: u64,
        limits: &Config,
        out: &mut Vec<u8>,
    ) -> Option<Departure> {
        let start = out.len();
        let stamp = self.stamp(sent, transport, turn);
        let (place, index) = match turn {
            Turn::Fresh => (self.first + self.sent as u64, self.sent),
            Turn::Repeat(place) => {
                // Those before it are not in the history any more.
                while self.wanted.pop_front().is_some_and(|wanted| wanted != place) {}
                (place, usize::try_from(place.checked_sub(self.first)?).ok()?)
            }
        };
        let original = self.sequence(place);
        let recipe = self.recipes.get_mut(index)?;
        let mut header = Header::new(recipe.payload_type, original, recipe.timestamp, self.config.ssrc);
        header.marker = recipe.marker;
        if let (Turn::Repeat(_), Some(rtx)) = (turn, self.config.rtx) {
            header.payload_type = rtx.payload_type;
            header.ssrc = rtx.ssrc;
            header.sequence_number = self.rtx_sequence;
            self.rtx_sequence = self.rtx_sequence.next();
        }
        let mut builder = PacketBuilder::new(out, header, &[], self.config.form);
        extensions::put(&mut builder, &self.config.extensions, &stamp, &recipe.carried);
        let header_len = builder.finish();
        if let Turn::Repeat(_) = turn {
            out.put_u16(original.0);
        }
        let pieces_before = usize::try_from(recipe.first_piece.checked_sub(self.first_piece)?).ok()?;
        for piece in self.pieces.iter().skip(pieces_before).take(usize::from(recipe.pieces)) {
            piece.write(&recipe.payload, out);
        }
        recipe.sent = Some(now);
        let (len, ends_frame) = (recipe.len, recipe.marker);
        match turn {
            Turn::Fresh => {
                self.count_fresh(header_len, len);
                let (packets, bytes) = match self.config.rtx {
                    Some(_) => (limits.history_packets, limits.history_bytes),
                    None => (0, 0),
                };
                self.trim(packets, bytes);
            }
            Turn::Repeat(_) => {
                recipe.repeats = recipe.repeats.saturating_add(1);
                recipe.is_wanted = false;
                self.stats.retransmitted_packets += 1;
                self.stats.retransmitted_bytes += len as u64;
            }
        }
        let is_transport_numbered =
            self.config.extensions.id(rtp::ExtensionKind::TransportSequence).is_some();
        Some(Departure { len: out.len() - start, ends_frame, is_transport_numbered })
    }

    /// The peer misses packets. Those that may be sent again are queued.
    pub(crate) fn on_nack(
        &mut self,
        now: Instant,
        lost: impl Iterator<Item = SequenceNumber>,
        rtt: Duration,
        limits: &Config,
        budget: &mut Budget,
    ) {
        self.is_bound = true;
        self.stats.nack_count += 1;
        let front = self.sequence(self.first);
        let overhead = FIXED_HEADER + self.reserve() + rtx::OVERHEAD;
        for number in lost {
            self.stats.nacked_packets += 1;
            let index = usize::from(number.distance_from(front));
            let is_known = self.config.rtx.is_some() && index < self.sent;
            // The retransmission stream stands for one payload type (RFC 4588 §8.1).
            let payload_type = self.config.payload_type;
            let repairable = |recipe: &&mut Recipe| is_known && recipe.payload_type == payload_type;
            let Some(recipe) = self.recipes.get_mut(index).filter(repairable) else {
                self.stats.retransmissions_refused += 1;
                continue;
            };
            // On its way already: asked for twice, or sent less than a round trip ago.
            let is_recent = recipe.repeats > 0
                && recipe.sent.is_some_and(|sent| now.saturating_duration_since(sent) < rtt);
            if recipe.is_wanted || is_recent {
                continue;
            }
            if recipe.repeats >= limits.max_retransmissions || !budget.reserve(now, overhead + recipe.len) {
                self.stats.retransmissions_refused += 1;
                continue;
            }
            recipe.is_wanted = true;
            self.wanted.push_back(self.first + index as u64);
        }
    }

    /// The peer reported on this stream, so it knows which one it is.
    pub(crate) fn on_reported(&mut self) {
        self.is_bound = true;
    }

    /// What a sender report says; nothing before anything was sent (RFC 3550 §6.4.1).
    pub(crate) fn sender_info(&self, now: Instant, wall: &WallClock) -> Option<SenderInfo> {
        let (timestamp, captured) = self.anchor.filter(|_| self.stats.packets > 0)?;
        let rate = self.config.clock_rate;
        let timestamp = match now.checked_duration_since(captured) {
            Some(since) => timestamp.plus(clock::ticks(since, rate) as u32),
            None => {
                let ahead = clock::ticks(captured.saturating_duration_since(now), rate);
                timestamp.plus((ahead as u32).wrapping_neg())
            }
        };
        let info = SenderInfo::new(self.config.ssrc, wall.ntp(now), timestamp);
        Some(info.with_counts(self.stats.packets as u32, self.octets))
    }

    /// Both sources, to say goodbye to.
    pub(crate) fn ssrcs(&self) -> impl Iterator<Item = Ssrc> + use<> {
        std::iter::once(self.config.ssrc).chain(self.config.rtx.map(|rtx| rtx.ssrc))
    }

    fn count_frame(&mut self, kind: FrameKind) {
        self.stats.frames += 1;
        if kind == FrameKind::Key {
            self.stats.key_frames += 1;
            self.key_frames.satisfied();
        }
    }

    fn count_fresh(&mut self, header_len: usize, len: usize) {
        self.sent += 1;
        self.sent_bytes += len;
        self.octets = self.octets.wrapping_add(len as u32);
        self.stats.packets += 1;
        self.stats.bytes += len as u64;
        self.stats.header_bytes += header_len as u64;
        self.stats.queued_packets = self.stats.queued_packets.saturating_sub(1);
        self.stats.queued_bytes = self.stats.queued_bytes.saturating_sub(len);
    }

    /// Forgets the oldest packets sent, down to these limits.
    fn trim(&mut self, packets: usize, bytes: usize) {
        while self.sent > packets || self.sent_bytes > bytes && self.sent > 0 {
            let Some(recipe) = self.recipes.pop_front() else { break };
            self.pieces.drain(..usize::from(recipe.pieces).min(self.pieces.len()));
            self.first_piece += u64::from(recipe.pieces);
            self.sent -= 1;
            self.sent_bytes = self.sent_bytes.saturating_sub(recipe.len);
            self.first += 1;
        }
    }

    /// A packet that was sent and is wanted again.
    fn recipe(&self, place: u64) -> Option<&Recipe> {
        let index = usize::try_from(place.checked_sub(self.first)?).ok()?;
        self.recipes.get(index).filter(|recipe| recipe.is_wanted && self.config.rtx.is_some())
    }

    fn sequence(&self, place: u64) -> SequenceNumber {
        SequenceNumber(self.sequence_base.wrapping_add(place as u16))
    }

    fn timestamp(&self, time: MediaTime) -> Timestamp {
        Timestamp(self.timestamp_base.wrapping_add(time.0 as u32))
    }

    fn stamp(&self, sent: NtpTime, transport: u64, turn: Turn) -> Stamp {
        let names = !self.is_bound;
        let is_repeat = matches!(turn, Turn::Repeat(_));
        Stamp {
            sent,
            transport: SequenceNumber(transport as u16),
            mid: self.config.mid.filter(|_| names || is_repeat),
            rid: self.config.rid.filter(|_| names && !is_repeat),
            // RFC 8852 §3.2. A retransmission may be the first packet of its source at any time.
            repaired: self.config.rid.filter(|_| is_repeat),
        }
    }

    fn reserve(&self) -> usize {
        let config = &self.config;
        extensions::reserve(&config.extensions, config.form, config.mid.as_ref(), config.rid.as_ref())
    }
}

/// Bytes of payload that fit a packet of this stream, retransmission included.
fn room(config: &SendStreamConfig, max_packet: usize) -> usize {
    let reserve =
        extensions::reserve(&config.extensions, config.form, config.mid.as_ref(), config.rid.as_ref());
    let rtx = if config.rtx.is_some() { rtx::OVERHEAD } else { 0 };
    max_packet.saturating_sub(FIXED_HEADER + reserve + rtx)
}

#[cfg(test)]
mod tests;
