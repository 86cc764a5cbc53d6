//! Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      base sequence number     |      packet status count      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                 reference time                | fb pkt. count |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          packet chunks ...    |      receive deltas ...       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use base::{PutExt, Reader};

use super::{feedback_ssrcs, kind, write_packet};
use crate::error::ParseError;
use crate::numbers::{SequenceNumber, Ssrc};

pub(super) const FORMAT: u8 = 15;

/// Ticks of 250 µs in one unit of the reference time, 64 ms.
const REFERENCE_TICKS: i64 = 256;
/// Header, both SSRCs and the fixed fields.
const FIXED: usize = 20;

/// Which packets of a transport arrived, and when.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TransportFeedback<'a> {
    /// Who reports.
    pub sender: Ssrc,
    /// One of the streams reported on.
    pub media: Ssrc,
    /// The first transport-wide number reported on.
    pub base: SequenceNumber,
    /// How many numbers are reported on.
    pub status_count: u16,
    /// 24 bits with sign, in units of 64 ms.
    pub reference_time: i32,
    /// Counts feedback packets, to notice lost ones.
    pub feedback_count: u8,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

impl<'a> TransportFeedback<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let (sender, media) = feedback_ssrcs(&mut reader)?;
        let base = SequenceNumber(reader.u16()?);
        let status_count = reader.u16()?;
        let reference = reader.u24()?;
        let feedback_count = reader.u8()?;
        let chunks_and_deltas = reader.rest();
        // Every step takes two bytes of input, so the walk ends whatever the counts say.
        let mut left = status_count;
        let mut delta_bytes = 0_usize;
        while left > 0 {
            let offset = reader.offset();
            let mut chunk = StatusChunk::new(reader.u16()?);
            while left > 0 {
                let Some((symbol, run)) = chunk.next_run(left) else { break };
                let size = match symbol {
                    0..=2 => usize::from(symbol),
                    _ => return Err(ParseError::invalid("packet status", offset)),
                };
                delta_bytes = delta_bytes.saturating_add(size.saturating_mul(usize::from(run)));
                left = left.saturating_sub(run);
            }
        }
        let chunks = chunks_and_deltas
            .get(..chunks_and_deltas.len().saturating_sub(reader.remaining()))
            .unwrap_or_default();
        let deltas = reader.take(delta_bytes)?;
        Ok(Self {
            sender,
            media,
            base,
            status_count,
            reference_time: ((reference << 8) as i32) >> 8,
            feedback_count,
            chunks,
            deltas,
        })
    }

    /// One entry for each number from the first, in order, at most 65,535.
    #[must_use]
    pub fn statuses(&self) -> Statuses<'a> {
        Statuses {
            sequence: self.base,
            left: self.status_count,
            chunks: Reader::new(self.chunks),
            deltas: Reader::new(self.deltas),
            symbol: 0,
            run: 0,
            chunk: StatusChunk::EMPTY,
        }
    }

    /// The same with arrival times in ticks of 250 µs, on the reporter's clock; they wrap with the reference time
    /// every 12 days.
    pub fn arrivals(&self) -> impl Iterator<Item = Arrival> + use<'a> {
        let mut clock = i64::from(self.reference_time).saturating_mul(REFERENCE_TICKS);
        self.statuses().map(move |status| Arrival {
            sequence: status.sequence,
            ticks: status.delta.map(|delta| {
                clock = clock.saturating_add(i64::from(delta));
                clock
            }),
        })
    }
}

/// Whether one packet arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketStatus {
    /// Its transport-wide number.
    pub sequence: SequenceNumber,
    /// Ticks of 250 µs after the packet that arrived before it in this report, or after the reference time; `None`
    /// when it did not arrive.
    pub delta: Option<i16>,
}

/// When one packet arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// Its transport-wide number.
    pub sequence: SequenceNumber,
    /// In ticks of 250 µs on the reporter's clock; `None` when it did not arrive.
    pub ticks: Option<i64>,
}

/// Iterator over the packets of a feedback.
#[derive(Clone, Copy, Debug)]
pub struct Statuses<'a> {
    sequence: SequenceNumber,
    left: u16,
    chunks: Reader<'a>,
    deltas: Reader<'a>,
    chunk: StatusChunk,
    symbol: u8,
    run: u16,
}

impl Iterator for Statuses<'_> {
    type Item = PacketStatus;

    fn next(&mut self) -> Option<PacketStatus> {
        if self.left == 0 {
            return None;
        }
        while self.run == 0 {
            match self.chunk.next_run(self.left) {
                Some((symbol, run)) => (self.symbol, self.run) = (symbol, run),
                None => self.chunk = StatusChunk::new(self.chunks.u16().ok()?),
            }
        }
        self.run = self.run.saturating_sub(1);
        self.left = self.left.saturating_sub(1);
        let delta = match self.symbol {
            1 => Some(i16::from(self.deltas.u8().ok()?)),
            2 => Some(self.deltas.u16().ok()? as i16),
            _ => None,
        };
        let sequence = self.sequence;
        self.sequence = sequence.next();
        Some(PacketStatus { sequence, delta })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(usize::from(self.left)))
    }
}

/// A chunk of statuses, consumed from its front.
#[derive(Clone, Copy, Debug)]
enum StatusChunk {
    /// Draft §3.1.3.
    Run { symbol: u8, len: u16 },
    /// Draft §3.1.4: `left` symbols of `width` bits, the next one in the highest bits.
    Vector { bits: u16, width: u8, left: u8 },
}

impl StatusChunk {
    const EMPTY: Self = Self::Vector { bits: 0, width: 1, left: 0 };

    fn new(field: u16) -> Self {
        if field & 0x8000 == 0 {
            Self::Run { symbol: (field >> 13 & 3) as u8, len: field & 0x1fff }
        } else if field & 0x4000 == 0 {
            Self::Vector { bits: field << 2, width: 1, left: 14 }
        } else {
            Self::Vector { bits: field << 2, width: 2, left: 7 }
        }
    }

    /// Takes a run of at most `max` equal symbols; `None` when the chunk is used up.
    fn next_run(&mut self, max: u16) -> Option<(u8, u16)> {
        match self {
            Self::Run { len: 0, .. } | Self::Vector { left: 0, .. } => None,
            Self::Run { symbol, len } => {
                let run = (*len).min(max);
                *len = 0;
                Some((*symbol, run))
            }
            Self::Vector { bits, width, left } => {
                let symbol = bits.checked_shr(16_u32.saturating_sub(u32::from(*width))).unwrap_or(0) as u8;
                *bits <<= *width;
                *left = left.saturating_sub(1);
                Some((symbol, 1))
            }
        }
    }
}

/// Collects arrivals and writes them as feedback. It keeps its buffers, so that one builder used over and over
/// allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct TransportFeedbackBuilder {
    base: SequenceNumber,
    /// Statuses decided so far, the missing ones included.
    count: u16,
    reference_time: i64,
    last_ticks: i64,
    max_len: usize,
    chunks: Vec<u16>,
    deltas: Vec<u8>,
    pending: Pending,
}

impl TransportFeedbackBuilder {
    /// A builder with empty buffers; [`TransportFeedbackBuilder::start`] comes first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a feedback at `base` with the arrival of the first packet to be reported, in ticks of 250 µs since any
    /// epoch. The packet written will have at most `max_len` bytes.
    pub fn start(&mut self, base: SequenceNumber, first_ticks: i64, max_len: usize) {
        self.base = base;
        self.count = 0;
        self.reference_time = first_ticks.div_euclid(REFERENCE_TICKS);
        self.last_ticks = self.reference_time.saturating_mul(REFERENCE_TICKS);
        self.max_len = max_len;
        self.chunks.clear();
        self.deltas.clear();
        self.pending = Pending::default();
    }

    /// Adds the packet `sequence`, after those added before; the numbers between are reported missing.
    ///
    /// # Errors
    ///
    /// This packet does not fit any more: by length, because it is more than 32,767 numbers ahead, or because its
    /// arrival is more than 8 seconds from the one before. Nothing was added; write this feedback and start another.
    pub fn push(&mut self, sequence: SequenceNumber, ticks: i64) -> Result<(), FeedbackFull> {
        let next = self.base.plus(self.count);
        let missing = sequence.distance_from(next);
        if missing > 0x7fff || self.count.checked_add(missing).is_none_or(|count| count == u16::MAX) {
            return Err(FeedbackFull);
        }
        let delta = i16::try_from(ticks.saturating_sub(self.last_ticks)).map_err(|_| FeedbackFull)?;
        let symbol = if (0..=255).contains(&delta) { 1 } else { 2 };
        // Pending statuses end in at most two chunks, a run of missing ones in one per 8,191, and this one in one.
        let chunks = self.chunks.len().saturating_add(usize::from(missing) / 8_191).saturating_add(4);
        let deltas = self.deltas.len().saturating_add(usize::from(symbol));
        if chunks.saturating_mul(2).saturating_add(deltas).saturating_add(FIXED + 3) > self.max_len {
            return Err(FeedbackFull);
        }
        for _ in 0..missing {
            self.pending.push(0, &mut self.chunks);
        }
        self.pending.push(symbol, &mut self.chunks);
        match symbol {
            1 => self.deltas.put_u8(delta as u8),
            _ => self.deltas.put_u16(delta as u16),
        }
        self.count = self.count.saturating_add(missing).saturating_add(1);
        self.last_ticks = ticks;
        Ok(())
    }

    /// How many numbers it reports on so far.
    #[must_use]
    pub fn status_count(&self) -> u16 {
        self.count
    }

    /// Appends the feedback; with nothing added, appends nothing.
    pub fn write(&mut self, out: &mut Vec<u8>, sender: Ssrc, media: Ssrc, feedback_count: u8) {
        if self.count == 0 {
            return;
        }
        self.pending.flush(&mut self.chunks);
        write_packet(out, kind::RTPFB, FORMAT, |out| {
            out.put_u32(sender.0);
            out.put_u32(media.0);
            out.put_u16(self.base.0);
            out.put_u16(self.count);
            out.put_u24(self.reference_time as u32 & 0x00ff_ffff);
            out.put_u8(feedback_count);
            for chunk in &self.chunks {
                out.put_u16(*chunk);
            }
            out.put_slice(&self.deltas);
        });
        self.count = 0;
    }
}

/// A feedback packet has no room for one more arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedbackFull;

impl std::fmt::Display for FeedbackFull {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the feedback packet has no room for one more arrival")
    }
}

impl std::error::Error for FeedbackFull {}

/// Statuses not yet in a chunk: a run of equal ones, or up to 14 different ones.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    symbols: [u8; 14],
    len: u16,
    /// All symbols equal the first.
    is_run: bool,
    /// At least one needs two bits.
    has_large: bool,
}

impl Pending {
    fn push(&mut self, symbol: u8, chunks: &mut Vec<u16>) {
        if !self.fits(symbol) {
            self.emit(chunks);
        }
        self.is_run = self.len == 0 || self.is_run && self.first() == symbol;
        self.has_large |= symbol == 2;
        if let Some(place) = self.symbols.get_mut(usize::from(self.len)) {
            *place = symbol;
        }
        self.len = self.len.saturating_add(1);
    }

    fn first(&self) -> u8 {
        let [first, ..] = self.symbols;
        first
    }

    fn fits(&self, symbol: u8) -> bool {
        match self.len {
            0..7 => true,
            7..14 if !self.has_large && symbol != 2 => true,
            len => len < 0x1fff && self.is_run && self.first() == symbol,
        }
    }

    /// Writes one chunk and keeps what it did not cover.
    fn emit(&mut self, chunks: &mut Vec<u16>) {
        if self.is_run {
            chunks.push(u16::from(self.first()) << 13 | self.len);
            *self = Self::default();
        } else if self.len == 14 && !self.has_large {
            chunks.push(self.vector(1, 14));
            *self = Self::default();
        } else {
            chunks.push(self.vector(2, 7));
            let kept = *self;
            *self = Self::default();
            for symbol in kept.symbols.iter().take(usize::from(kept.len)).skip(7) {
                // Fewer than seven are left, which always fit.
                self.push(*symbol, chunks);
            }
        }
    }

    fn flush(&mut self, chunks: &mut Vec<u16>) {
        while self.len > 0 {
            if !self.is_run && self.len > 7 && !self.has_large {
                chunks.push(self.vector(1, 14));
                *self = Self::default();
            } else {
                self.emit(chunks);
            }
        }
    }

    /// A vector chunk of the first `max` symbols; places not used stay zero and lie behind the status count.
    fn vector(&self, width: u16, max: u16) -> u16 {
        let mut field = 0x8000 | width.saturating_sub(1) << 14;
        let mut shift = 14_u16;
        for symbol in self.symbols.iter().take(usize::from(self.len.min(max))) {
            shift = shift.saturating_sub(width);
            field |= u16::from(*symbol) << shift;
        }
        field
    }
}

#[cfg(test)]
mod tests;
