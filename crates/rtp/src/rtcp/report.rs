//! Sender and receiver reports (RFC 3550 §6.4).

use base::{PutExt, Reader};

use super::{kind, write_packet};
use crate::error::ParseError;
use crate::ntp::{NtpShort, NtpTime};
use crate::numbers::{SequenceNumber, Ssrc, Timestamp};

/// Bytes of one report block.
const BLOCK: usize = 24;
/// Blocks that one packet can hold: five bits of count.
const MAX_BLOCKS: usize = 31;

/// What a receiver tells about one source (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportBlock {
    /// The source reported on.
    pub ssrc: Ssrc,
    /// Share of packets lost since the previous report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning; duplicates can make it negative. 24 bits with sign.
    pub cumulative_lost: i32,
    /// Highest sequence number received, with the count of its wraps in the upper half.
    pub highest_sequence: u32,
    /// Interarrival jitter in ticks of the media clock.
    pub jitter: u32,
    /// Middle 32 bits of the last sender report's NTP time; zero when there was none.
    pub last_sender_report: NtpShort,
    /// Time since that report arrived.
    pub delay: NtpShort,
}

impl ReportBlock {
    /// A block for a source of which nothing is known yet.
    #[must_use]
    pub const fn new(ssrc: Ssrc) -> Self {
        Self {
            ssrc,
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence: 0,
            jitter: 0,
            last_sender_report: NtpShort(0),
            delay: NtpShort(0),
        }
    }

    /// The low half of [`ReportBlock::highest_sequence`].
    #[must_use]
    pub const fn highest_sequence_number(&self) -> SequenceNumber {
        SequenceNumber(self.highest_sequence as u16)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let ssrc = Ssrc(reader.u32()?);
        let fraction_lost = reader.u8()?;
        let lost = reader.u24()?;
        Ok(Self {
            ssrc,
            fraction_lost,
            // Sign extension of 24 bits.
            cumulative_lost: ((lost << 8) as i32) >> 8,
            highest_sequence: reader.u32()?,
            jitter: reader.u32()?,
            last_sender_report: NtpShort(reader.u32()?),
            delay: NtpShort(reader.u32()?),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.put_u32(self.ssrc.0);
        out.put_u8(self.fraction_lost);
        out.put_u24(self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0x00ff_ffff);
        out.put_u32(self.highest_sequence);
        out.put_u32(self.jitter);
        out.put_u32(self.last_sender_report.0);
        out.put_u32(self.delay.0);
    }
}

/// Iterator over the blocks of a report.
#[derive(Clone, Copy, Debug)]
pub struct ReportBlocks<'a> {
    reader: Reader<'a>,
}

impl<'a> ReportBlocks<'a> {
    fn take(count: u8, reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        Ok(Self { reader: Reader::new(reader.take(BLOCK * usize::from(count))?) })
    }
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    #[inline]
    fn next(&mut self) -> Option<ReportBlock> {
        ReportBlock::read(&mut self.reader).ok()
    }
}

/// What a sender tells about itself (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SenderInfo {
    /// The sender.
    pub ssrc: Ssrc,
    /// When the report was made.
    pub ntp: NtpTime,
    /// The same instant on the media clock.
    pub timestamp: Timestamp,
    /// Packets sent since the beginning.
    pub packets: u32,
    /// Payload bytes sent since the beginning, without header and padding.
    pub octets: u32,
}

impl SenderInfo {
    /// A report on nothing sent yet.
    #[must_use]
    pub const fn new(ssrc: Ssrc, ntp: NtpTime, timestamp: Timestamp) -> Self {
        Self { ssrc, ntp, timestamp, packets: 0, octets: 0 }
    }

    /// The same with what was sent. Both counters wrap (RFC 3550 §6.4.1).
    #[must_use]
    pub const fn with_counts(mut self, packets: u32, octets: u32) -> Self {
        self.packets = packets;
        self.octets = octets;
        self
    }
}

/// A sender report.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SenderReport<'a> {
    /// About the sender.
    pub info: SenderInfo,
    /// About the sources that it receives.
    pub blocks: ReportBlocks<'a>,
    /// Profile-specific extension.
    pub extension: &'a [u8],
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let info = SenderInfo {
            ssrc: Ssrc(reader.u32()?),
            ntp: NtpTime(reader.u64()?),
            timestamp: Timestamp(reader.u32()?),
            packets: reader.u32()?,
            octets: reader.u32()?,
        };
        Ok(Self { info, blocks: ReportBlocks::take(count, &mut reader)?, extension: reader.take_rest() })
    }

    /// Appends a sender report. Blocks beyond the 31 that it can hold follow in receiver reports (RFC 3550 §6.1).
    pub fn write(out: &mut Vec<u8>, info: &SenderInfo, blocks: &[ReportBlock]) {
        let (first, more) = blocks.split_at(blocks.len().min(MAX_BLOCKS));
        write_packet(out, kind::SR, first.len() as u8, |out| {
            out.put_u32(info.ssrc.0);
            out.put_u64(info.ntp.0);
            out.put_u32(info.timestamp.0);
            out.put_u32(info.packets);
            out.put_u32(info.octets);
            for block in first {
                block.write(out);
            }
        });
        if !more.is_empty() {
            ReceiverReport::write(out, info.ssrc, more);
        }
    }
}

/// A receiver report.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ReceiverReport<'a> {
    /// Who reports.
    pub ssrc: Ssrc,
    /// About the sources that it receives.
    pub blocks: ReportBlocks<'a>,
    /// Profile-specific extension.
    pub extension: &'a [u8],
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let ssrc = Ssrc(reader.u32()?);
        Ok(Self { ssrc, blocks: ReportBlocks::take(count, &mut reader)?, extension: reader.take_rest() })
    }

    /// Appends a receiver report, and more of them for blocks beyond 31 (RFC 3550 §6.1).
    pub fn write(out: &mut Vec<u8>, ssrc: Ssrc, blocks: &[ReportBlock]) {
        let mut rest = blocks;
        loop {
            let (part, more) = rest.split_at(rest.len().min(MAX_BLOCKS));
            write_packet(out, kind::RR, part.len() as u8, |out| {
                out.put_u32(ssrc.0);
                for block in part {
                    block.write(out);
                }
            });
            rest = more;
            if rest.is_empty() {
                return;
            }
        }
    }
}
