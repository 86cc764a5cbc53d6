//! Packets in order, missing ones waited for, joined into frames.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtp::{AudioLevel, PayloadType, Timestamp, VideoOrientation};

use crate::codec::Codec;
use crate::frame::FrameKind;
use crate::payload::{Depacketizer, Packet, depacketizer};

/// Places kept for packets behind a missing one.
const MAX_PLACES: usize = 2_048;
/// How far before the first packet one may be that overtook it.
const MAX_BEFORE_FIRST: u64 = 64;

/// A packet that waits its turn.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) payload: Bytes,
    pub(crate) payload_type: PayloadType,
    pub(crate) codec: Codec,
    pub(crate) marker: bool,
    pub(crate) timestamp: Timestamp,
    pub(crate) arrival: Instant,
    pub(crate) audio_level: Option<AudioLevel>,
    pub(crate) orientation: Option<VideoOrientation>,
}

#[derive(Clone, Debug)]
enum Slot {
    /// Known to be missing since then.
    Missing(Instant),
    Present(Stored),
}

/// What comes out.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A frame.
    Frame(Joined),
    /// Packets before the next frame are given up, or could not be read. Told once until the next frame.
    Gap { packets: u32 },
}

#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) payload: Bytes,
    pub(crate) kind: FrameKind,
    pub(crate) codec: Codec,
    pub(crate) payload_type: PayloadType,
    pub(crate) timestamp: Timestamp,
    pub(crate) first_arrival: Instant,
    pub(crate) last_arrival: Instant,
    pub(crate) audio_level: Option<AudioLevel>,
    pub(crate) orientation: Option<VideoOrientation>,
    /// Packets given up since the frame before, if there was a gap.
    pub(crate) gap: Option<u32>,
}

/// Facts of the frame that is being joined.
#[derive(Clone, Copy, Debug)]
struct Current {
    timestamp: Timestamp,
    codec: Codec,
    payload_type: PayloadType,
    first_arrival: Instant,
    last_arrival: Instant,
    audio_level: Option<AudioLevel>,
    orientation: Option<VideoOrientation>,
}

#[derive(Debug)]
pub(crate) struct Assembly {
    slots: VecDeque<Slot>,
    /// Number of the first slot: the next packet in turn.
    next: u64,
    /// Nothing is given out before, so that packets that were overtaken by the first one find their place.
    hold: Option<Instant>,
    bytes: usize,
    depacketizer: Option<(Codec, Box<dyn Depacketizer>)>,
    current: Option<Current>,
    /// Packets given up since the last frame.
    gap: Option<u32>,
    errors: u64,
    max_bytes: usize,
    max_frame: usize,
}

impl Assembly {
    pub(crate) fn new(max_bytes: usize, max_frame: usize) -> Self {
        Self {
            slots: VecDeque::new(),
            next: 0,
            hold: None,
            bytes: 0,
            depacketizer: None,
            current: None,
            gap: None,
            errors: 0,
            max_bytes,
            max_frame,
        }
    }

    /// Number of the next packet in turn; nobody waits for those before it.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Payloads that could not be read since the last call.
    pub(crate) fn take_errors(&mut self) -> u64 {
        std::mem::take(&mut self.errors)
    }

    /// Throws everything away: the source started over. What comes next has a gap before it.
    pub(crate) fn restart(&mut self, outcomes: &mut VecDeque<Outcome>) {
        self.slots.clear();
        self.bytes = 0;
        self.next = 0;
        self.hold = None;
        self.break_off(0, outcomes);
    }

    /// Puts a packet in its place. Returns whether it came too late.
    pub(crate) fn insert(
        &mut self,
        now: Instant,
        number: u64,
        stored: Stored,
        tolerance: Duration,
        outcomes: &mut VecDeque<Outcome>,
    ) -> bool {
        if self.next == 0 {
            self.next = number;
            self.hold = now.checked_add(tolerance);
        }
        if number < self.next {
            if self.hold.is_none() || self.next - number > MAX_BEFORE_FIRST {
                return true;
            }
            while self.next > number {
                self.slots.push_front(Slot::Missing(now));
                self.next -= 1;
            }
        }
        // Far ahead, or too much waiting: what is in front is given up.
        while number >= self.next
            && (number - self.next >= MAX_PLACES as u64
                || self.bytes + stored.payload.len() > self.max_bytes && !self.slots.is_empty())
        {
            if self.slots.is_empty() {
                let jumped = number - self.next;
                self.next = number;
                self.break_off(u32::try_from(jumped).unwrap_or(u32::MAX), outcomes);
                break;
            }
            self.hold = None;
            self.give_up_front(outcomes);
            self.advance(outcomes);
        }
        if number < self.next {
            return true;
        }
        let place = usize::try_from(number - self.next).unwrap_or(0);
        if place >= self.slots.len() {
            self.slots.resize(place + 1, Slot::Missing(now));
        }
        if let Some(slot) = self.slots.get_mut(place) {
            self.bytes += stored.payload.len();
            *slot = Slot::Present(stored);
        }
        false
    }

    /// Gives out all that is in turn, and what has waited longer than `wait`.
    pub(crate) fn release(&mut self, now: Instant, wait: Duration, outcomes: &mut VecDeque<Outcome>) {
        if self.hold.is_some_and(|until| now < until) {
            return;
        }
        self.hold = None;
        self.advance(outcomes);
        while let Some(Slot::Missing(since)) = self.slots.front() {
            if since.checked_add(wait).is_none_or(|until| now < until) {
                return;
            }
            self.give_up_front(outcomes);
            self.advance(outcomes);
        }
    }

    /// When `release` has something to do.
    pub(crate) fn deadline(&self, wait: Duration) -> Option<Instant> {
        if self.hold.is_some() {
            return self.hold;
        }
        match self.slots.front() {
            Some(Slot::Missing(since)) => since.checked_add(wait),
            Some(Slot::Present(_)) | None => None,
        }
    }

    /// Gives out packets from the front until one is missing.
    fn advance(&mut self, outcomes: &mut VecDeque<Outcome>) {
        while let Some(Slot::Present(_)) = self.slots.front() {
            if let Some(Slot::Present(stored)) = self.slots.pop_front() {
                self.next += 1;
                self.bytes = self.bytes.saturating_sub(stored.payload.len());
                self.push(stored, outcomes);
            }
        }
    }

    /// Gives up the missing packets at the front.
    fn give_up_front(&mut self, outcomes: &mut VecDeque<Outcome>) {
        let mut count = 0;
        while let Some(Slot::Missing(_)) = self.slots.front() {
            self.slots.pop_front();
            self.next += 1;
            count += 1;
        }
        if count > 0 {
            self.break_off(count, outcomes);
        }
    }

    /// Packets are missing, or could not be read.
    fn break_off(&mut self, packets: u32, outcomes: &mut VecDeque<Outcome>) {
        if let Some((_, depacketizer)) = &mut self.depacketizer {
            depacketizer.lost();
        }
        self.current = None;
        match &mut self.gap {
            Some(gap) => *gap = gap.saturating_add(packets),
            None => {
                self.gap = Some(packets);
                outcomes.push_back(Outcome::Gap { packets });
            }
        }
    }

    fn push(&mut self, stored: Stored, outcomes: &mut VecDeque<Outcome>) {
        // Padding fills sequence numbers, not frames.
        if stored.payload.is_empty() {
            return;
        }
        if self.current.is_some_and(|current| {
            current.timestamp != stored.timestamp || current.payload_type != stored.payload_type
        }) {
            self.finish(outcomes);
        }
        if self.depacketizer.as_ref().is_none_or(|(codec, _)| *codec != stored.codec) {
            self.depacketizer =
                depacketizer(stored.codec, self.max_frame).map(|depacketizer| (stored.codec, depacketizer));
            if let (Some((_, depacketizer)), Some(_)) = (&mut self.depacketizer, self.gap) {
                depacketizer.lost();
            }
        }
        let Some((_, depacketizer)) = &mut self.depacketizer else {
            self.errors += 1;
            return;
        };
        let mut packet = Packet::new(stored.payload.clone(), stored.timestamp);
        packet.marker = stored.marker;
        match depacketizer.push(packet) {
            Ok(frame) => {
                let current = self.current.get_or_insert_with(|| Current::new(&stored));
                current.last_arrival = current.last_arrival.max(stored.arrival);
                current.first_arrival = current.first_arrival.min(stored.arrival);
                current.orientation = stored.orientation.or(current.orientation);
                if let Some(frame) = frame {
                    self.deliver(frame, outcomes);
                }
            }
            Err(error) => {
                crate::log::debug!(%error, sequence = self.next.wrapping_sub(1) as u16, "payload dropped");
                let _ = error;
                self.errors += 1;
                self.break_off(0, outcomes);
            }
        }
    }

    /// The time stamp changed without a marker.
    fn finish(&mut self, outcomes: &mut VecDeque<Outcome>) {
        match self.depacketizer.as_mut().and_then(|(_, depacketizer)| depacketizer.finish()) {
            Some(frame) => self.deliver(frame, outcomes),
            // It broke off in the middle, and no sequence number is missing to explain it.
            None if self.gap.is_none() => self.break_off(0, outcomes),
            None => self.current = None,
        }
    }

    fn deliver(&mut self, frame: crate::payload::Frame, outcomes: &mut VecDeque<Outcome>) {
        let Some(current) = self.current.take() else { return };
        outcomes.push_back(Outcome::Frame(Joined {
            payload: frame.payload,
            kind: frame.kind,
            codec: current.codec,
            payload_type: current.payload_type,
            timestamp: current.timestamp,
            first_arrival: current.first_arrival,
            last_arrival: current.last_arrival,
            audio_level: current.audio_level,
            orientation: current.orientation,
            gap: self.gap.take(),
        }));
    }
}

impl Current {
    fn new(stored: &Stored) -> Self {
        Self {
            timestamp: stored.timestamp,
            codec: stored.codec,
            payload_type: stored.payload_type,
            first_arrival: stored.arrival,
            last_arrival: stored.arrival,
            audio_level: stored.audio_level,
            orientation: stored.orientation,
        }
    }
}

#[cfg(test)]
mod tests;
