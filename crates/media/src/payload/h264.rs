//! H.264 (RFC 6184): single NAL units, STAP-A and FU-A. Frames are access units with start codes (Annex B).

use base::Reader;
use bytes::Bytes;

use super::parts::{Parts, equal_parts};
use super::{Depacketizer, Frame, Packet, PacketizeError, Packetizer, PayloadError, Piece};
use crate::codec::H264Mode;
use crate::frame::FrameKind;

/// What is put before each NAL unit of a received frame.
const START_CODE: &[u8] = &[0, 0, 0, 1];

/// NAL unit types (RFC 6184 §5.2; ITU-T H.264 table 7-1).
mod nal {
    pub(super) const SLICE: u8 = 1;
    pub(super) const IDR: u8 = 5;
    pub(super) const SEI: u8 = 6;
    pub(super) const SPS: u8 = 7;
    pub(super) const AUD: u8 = 9;
    pub(super) const STAP_A: u8 = 24;
    pub(super) const STAP_B: u8 = 25;
    pub(super) const MTAP16: u8 = 26;
    pub(super) const MTAP24: u8 = 27;
    pub(super) const FU_A: u8 = 28;
    pub(super) const FU_B: u8 = 29;
}

const TYPE: u8 = 0x1f;
const NRI: u8 = 0x60;

/// The NAL units of a byte stream with start codes, as ranges of it. Zero bytes around start codes belong to no unit
/// (ITU-T H.264 §B.1); what is before the first start code is passed over.
pub fn nal_units(stream: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut start = find_start_code(stream, 0).map(|code| code.saturating_add(3));
    std::iter::from_fn(move || {
        loop {
            let begin = start?;
            let code = find_start_code(stream, begin);
            start = code.map(|code| code.saturating_add(3));
            let body = stream.get(begin..code.unwrap_or(stream.len())).unwrap_or_default();
            let zeros = body.iter().rev().take_while(|byte| **byte == 0).count();
            if body.len() > zeros {
                let len = body.len().saturating_sub(zeros);
                return Some((begin, begin.saturating_add(len)));
            }
        }
    })
}

/// Where `00 00 01` is, at or after `from`.
fn find_start_code(stream: &[u8], from: usize) -> Option<usize> {
    let tail = stream.get(from..)?;
    tail.windows(3).position(|window| window == [0, 0, 1]).map(|place| from.saturating_add(place))
}

/// Whether an access unit can be decoded by itself: it has a slice of an IDR picture.
#[must_use]
pub fn frame_kind(access_unit: &[u8]) -> FrameKind {
    let is_idr = nal_units(access_unit)
        .any(|(start, _)| access_unit.get(start).is_some_and(|header| header & TYPE == nal::IDR));
    if is_idr { FrameKind::Key } else { FrameKind::Delta }
}

/// Whether a payload begins an access unit, and of which kind, as far as one payload can tell: parameter sets,
/// delimiters and first slices do.
#[must_use]
pub fn begins(payload: &[u8]) -> Option<FrameKind> {
    let mut reader = Reader::new(payload);
    let header = reader.u8().ok()?;
    let (kind, is_first) = match header & TYPE {
        nal::STAP_A => {
            let mut kind = FrameKind::Delta;
            let first = *stap_units(payload).next()?.ok()?.first()?;
            for unit in stap_units(payload).flatten() {
                if unit.first().is_some_and(|header| is_key_unit(*header)) {
                    kind = FrameKind::Key;
                }
            }
            (kind, is_first_unit(first, None))
        }
        nal::FU_A => {
            let fu = reader.u8().ok()?;
            let kind = if is_key_unit(fu) { FrameKind::Key } else { FrameKind::Delta };
            (kind, fu & 0x80 != 0 && is_first_unit(fu, reader.u8().ok()))
        }
        _ => {
            let kind = if is_key_unit(header) { FrameKind::Key } else { FrameKind::Delta };
            (kind, is_first_unit(header, reader.u8().ok()))
        }
    };
    is_first.then_some(kind)
}

fn is_key_unit(header: u8) -> bool {
    matches!(header & TYPE, nal::IDR | nal::SPS)
}

/// `slice` is the byte behind the header: `first_mb_in_slice` zero is a leading one bit. Within a STAP-A it is not
/// looked at.
fn is_first_unit(header: u8, slice: Option<u8>) -> bool {
    match header & TYPE {
        nal::SPS | nal::AUD | nal::SEI => true,
        nal::SLICE | nal::IDR => slice.is_none_or(|byte| byte & 0x80 != 0),
        _ => false,
    }
}

/// Cuts access units.
#[derive(Clone, Debug)]
pub struct H264Packetizer {
    mode: H264Mode,
    units: Vec<(usize, usize)>,
}

impl H264Packetizer {
    /// A packetizer for the mode negotiated.
    #[must_use]
    pub const fn new(mode: H264Mode) -> Self {
        Self { mode, units: Vec::new() }
    }

    /// How many of the units fit one STAP-A (RFC 6184 §5.7.1).
    fn aggregate(units: &[(usize, usize)], room: usize) -> usize {
        let mut len = 1_usize;
        units
            .iter()
            .take_while(|(start, end)| {
                let unit = end.saturating_sub(*start);
                len = len.saturating_add(unit).saturating_add(2);
                len <= room && unit <= usize::from(u16::MAX)
            })
            .count()
    }

    fn stap_a(frame: &[u8], units: &[(usize, usize)], pieces: &mut Vec<Piece>) {
        let headers = || units.iter().filter_map(|(start, _)| frame.get(*start));
        // RFC 6184 §5.7.1: F is set if any F is set, NRI is the largest NRI.
        let forbidden = headers().fold(0, |bits, header| bits | header & 0x80);
        let importance = headers().map(|header| header & NRI).max().unwrap_or(0);
        for (index, (start, end)) in units.iter().enumerate() {
            let [high, low] = (end.saturating_sub(*start) as u16).to_be_bytes();
            let piece = if index == 0 {
                Piece::new(&[forbidden | importance | nal::STAP_A, high, low], *start, *end)
            } else {
                Piece::new(&[high, low], *start, *end)
            };
            pieces.push(if index.saturating_add(1) == units.len() { piece } else { piece.followed() });
        }
    }

    fn fu_a(header: u8, start: usize, end: usize, room: usize, pieces: &mut Vec<Piece>) {
        let indicator = header & !TYPE | nal::FU_A;
        let body = start.saturating_add(1);
        let len = end.saturating_sub(body);
        for (from, to) in equal_parts(len, room) {
            let mut fu = header & TYPE;
            if from == 0 {
                fu |= 0x80;
            }
            if to == len {
                fu |= 0x40;
            }
            pieces.push(Piece::new(&[indicator, fu], body.saturating_add(from), body.saturating_add(to)));
        }
    }

    fn cut(&self, frame: &[u8], max_payload: usize, pieces: &mut Vec<Piece>) -> Result<(), PacketizeError> {
        let mut rest = self.units.as_slice();
        while let Some(((start, end), after)) = rest.split_first() {
            let joined = match self.mode {
                H264Mode::SingleNal => 1,
                H264Mode::NonInterleaved => Self::aggregate(rest, max_payload),
            };
            if joined > 1 {
                let (units, after) = rest.split_at(joined);
                Self::stap_a(frame, units, pieces);
                rest = after;
                continue;
            }
            rest = after;
            if end.saturating_sub(*start) <= max_payload {
                pieces.push(Piece::new(&[], *start, *end));
                continue;
            }
            let header = frame.get(*start).copied().ok_or(PacketizeError::Malformed)?;
            match (self.mode, max_payload.checked_sub(2)) {
                // Never start and end at once (RFC 6184 §5.8): what does not fit a packet does not fit a fragment.
                (H264Mode::NonInterleaved, Some(room @ 1..)) => {
                    Self::fu_a(header, *start, *end, room, pieces);
                }
                _ => return Err(PacketizeError::TooLarge),
            }
        }
        Ok(())
    }
}

impl Packetizer for H264Packetizer {
    fn packetize(
        &mut self,
        frame: &[u8],
        max_payload: usize,
        pieces: &mut Vec<Piece>,
    ) -> Result<FrameKind, PacketizeError> {
        if frame.is_empty() {
            return Err(PacketizeError::Empty);
        }
        self.units.clear();
        self.units.extend(nal_units(frame));
        if self.units.is_empty() {
            return Err(PacketizeError::Malformed);
        }
        // Types 24 to 31 are this payload format's own, 0 is nobody's (RFC 6184 §5.2).
        let is_codec_unit = |header: &u8| (1..24).contains(&(header & TYPE));
        if !self.units.iter().all(|(start, _)| frame.get(*start).is_some_and(is_codec_unit)) {
            return Err(PacketizeError::Malformed);
        }
        let before = pieces.len();
        if let Err(error) = self.cut(frame, max_payload, pieces) {
            pieces.truncate(before);
            return Err(error);
        }
        Ok(frame_kind(frame))
    }
}

/// Joins access units.
#[derive(Debug)]
pub struct H264Depacketizer {
    parts: Parts,
    kind: FrameKind,
    max_frame: usize,
    /// A fragmented unit has begun: its header.
    fragment: Option<u8>,
    /// Payloads are passed over until a frame begins.
    is_lost: bool,
}

impl H264Depacketizer {
    /// Refuses frames of more than `max_frame` bytes.
    #[must_use]
    pub fn new(max_frame: usize) -> Self {
        Self { parts: Parts::default(), kind: FrameKind::Delta, max_frame, fragment: None, is_lost: false }
    }

    fn unit(&mut self, unit: Bytes) -> Result<(), PayloadError> {
        let header = unit.first().copied().ok_or(PayloadError::Empty)?;
        if !(1..24).contains(&(header & TYPE)) {
            return Err(PayloadError::Invalid("NAL unit type within a packet"));
        }
        if header & TYPE == nal::IDR {
            self.kind = FrameKind::Key;
        }
        self.parts.push(START_CODE, None, unit, self.max_frame)
    }

    fn fragment(&mut self, payload: &Bytes) -> Result<(), PayloadError> {
        let mut reader = Reader::new(payload);
        let indicator = reader.u8()?;
        let fu = reader.u8()?;
        let (is_start, is_end) = (fu & 0x80 != 0, fu & 0x40 != 0);
        if reader.is_empty() {
            return Err(PayloadError::Truncated);
        }
        let header = indicator & !TYPE | fu & TYPE;
        let data = payload.slice(2..);
        //= rfc6184 §5.8
        //# A fragmented NAL unit MUST NOT be transmitted in one FU; that is, the
        //# Start bit and End bit MUST NOT both be set to one in the same FU
        //# header.
        if is_start && is_end {
            return Err(PayloadError::Invalid("fragment that is start and end"));
        }
        if !(1..24).contains(&(fu & TYPE)) {
            return Err(PayloadError::Invalid("NAL unit type of a fragment"));
        }
        match (is_start, self.fragment) {
            (true, None) => {
                if header & TYPE == nal::IDR {
                    self.kind = FrameKind::Key;
                }
                self.fragment = Some(header);
                self.parts.push(START_CODE, Some(header), data, self.max_frame)?;
            }
            (true, Some(_)) => return Err(PayloadError::Invalid("second start of a fragmented unit")),
            (false, None) => return Err(PayloadError::Unexpected),
            (false, Some(begun)) if begun & TYPE != fu & TYPE => {
                return Err(PayloadError::Invalid("type changed within a fragmented unit"));
            }
            (false, Some(_)) => self.parts.push(&[], None, data, self.max_frame)?,
        }
        if is_end {
            self.fragment = None;
        }
        Ok(())
    }

    fn take(&mut self, payload: &Bytes) -> Result<(), PayloadError> {
        let header = payload.first().copied().ok_or(PayloadError::Empty)?;
        if self.is_lost && self.parts.is_empty() {
            if begins(payload).is_none() {
                return check(payload);
            }
            self.is_lost = false;
        }
        let kind = header & TYPE;
        if self.fragment.is_some() && kind != nal::FU_A {
            return Err(PayloadError::Invalid("another packet within a fragmented unit"));
        }
        match kind {
            1..24 => self.unit(payload.clone()),
            nal::STAP_A => {
                let mut is_empty = true;
                for unit in stap_units(payload) {
                    self.unit(payload.slice_ref(unit?))?;
                    is_empty = false;
                }
                if is_empty { Err(PayloadError::Truncated) } else { Ok(()) }
            }
            nal::FU_A => self.fragment(payload),
            _ => check(payload),
        }
    }
}

impl Depacketizer for H264Depacketizer {
    fn push(&mut self, packet: Packet) -> Result<Option<Frame>, PayloadError> {
        match self.take(&packet.payload) {
            Ok(()) if packet.marker && self.fragment.is_some() => {
                self.lost();
                Err(PayloadError::Truncated)
            }
            Ok(()) if packet.marker => Ok(self.finish()),
            Ok(()) => Ok(None),
            Err(error) => {
                self.lost();
                Err(error)
            }
        }
    }

    fn finish(&mut self) -> Option<Frame> {
        if self.fragment.is_some() || self.parts.is_empty() {
            self.lost();
            return None;
        }
        let kind = std::mem::replace(&mut self.kind, FrameKind::Delta);
        Some(Frame::new(self.parts.join(), kind))
    }

    fn lost(&mut self) -> bool {
        self.is_lost = true;
        self.fragment = None;
        self.kind = FrameKind::Delta;
        self.parts.clear()
    }
}

/// What can be said about a payload that is passed over.
fn check(payload: &[u8]) -> Result<(), PayloadError> {
    match payload.first().map(|header| header & TYPE) {
        None => Err(PayloadError::Empty),
        Some(1..24) => Ok(()),
        Some(nal::FU_A) if payload.len() < 3 => Err(PayloadError::Truncated),
        Some(nal::FU_A) => Ok(()),
        Some(nal::STAP_A) => stap_units(payload).try_for_each(|unit| unit.map(drop)),
        Some(nal::STAP_B | nal::MTAP16 | nal::MTAP24 | nal::FU_B) => {
            Err(PayloadError::Unsupported("interleaved mode"))
        }
        Some(_) => Err(PayloadError::Invalid("NAL unit type")),
    }
}

/// The units of a STAP-A; an error ends them.
fn stap_units(payload: &[u8]) -> impl Iterator<Item = Result<&[u8], PayloadError>> {
    let mut reader = Reader::new(payload.get(1..).unwrap_or_default());
    std::iter::from_fn(move || {
        if reader.is_empty() {
            return None;
        }
        let unit = reader.u16().and_then(|len| reader.take(usize::from(len)));
        if unit.is_err() {
            reader.take_rest();
        }
        Some(match unit {
            Ok([]) => Err(PayloadError::Invalid("empty unit in an aggregation")),
            Ok(unit) => Ok(unit),
            Err(_) => Err(PayloadError::Truncated),
        })
    })
}

#[cfg(test)]
mod tests;
