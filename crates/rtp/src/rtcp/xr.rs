//! Extended reports (RFC 3611): the two blocks that give a receiver its round-trip time; others are passed by.

use base::{PutExt, Reader};

use super::{kind, write_packet};
use crate::error::ParseError;
use crate::ntp::{NtpShort, NtpTime};
use crate::numbers::Ssrc;

const RRTR: u8 = 4;
const DLRR: u8 = 5;

/// An extended report.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ExtendedReport<'a> {
    /// Who reports.
    pub ssrc: Ssrc,
    /// The blocks; the walk ends at one that does not fit.
    pub blocks: XrBlocks<'a>,
}

impl<'a> ExtendedReport<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let ssrc = Ssrc(reader.u32()?);
        Ok(Self { ssrc, blocks: XrBlocks { reader } })
    }

    /// Appends a report with a receiver reference time (RFC 3611 §4.4).
    pub fn write_reference_time(out: &mut Vec<u8>, ssrc: Ssrc, ntp: NtpTime) {
        write_packet(out, kind::XR, 0, |out| {
            out.put_u32(ssrc.0);
            out.put_u32(u32::from(RRTR) << 24 | 2);
            out.put_u64(ntp.0);
        });
    }

    /// Appends a report that answers reference times (RFC 3611 §4.5).
    pub fn write_dlrr(out: &mut Vec<u8>, ssrc: Ssrc, answers: &[Dlrr]) {
        let answers = answers.get(..0x5555).unwrap_or(answers);
        write_packet(out, kind::XR, 0, |out| {
            out.put_u32(ssrc.0);
            out.put_u32((u32::from(DLRR) << 24) | (answers.len() as u32).saturating_mul(3));
            for answer in answers {
                out.put_u32(answer.ssrc.0);
                out.put_u32(answer.last_reference.0);
                out.put_u32(answer.delay.0);
            }
        });
    }
}

/// Iterator over the blocks of an extended report.
#[derive(Clone, Copy, Debug)]
pub struct XrBlocks<'a> {
    reader: Reader<'a>,
}

impl<'a> XrBlocks<'a> {
    fn read(&mut self) -> Result<XrBlock<'a>, ParseError> {
        let kind = self.reader.u8()?;
        let specific = self.reader.u8()?;
        let words = usize::from(self.reader.u16()?);
        let data = self.reader.take(4 * words)?;
        Ok(match (kind, data.first_chunk::<8>()) {
            (RRTR, Some(ntp)) => XrBlock::ReferenceTime(NtpTime(u64::from_be_bytes(*ntp))),
            (DLRR, _) => XrBlock::Dlrr { answers: data },
            _ => XrBlock::Unknown { kind, specific, data },
        })
    }
}

impl<'a> Iterator for XrBlocks<'a> {
    type Item = XrBlock<'a>;

    fn next(&mut self) -> Option<XrBlock<'a>> {
        let block = self.read().ok();
        if block.is_none() {
            self.reader.take_rest();
        }
        block
    }
}

/// One block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum XrBlock<'a> {
    /// Answers to reference times (RFC 3611 §4.5); read with [`XrBlock::answers`].
    Dlrr {
        /// Twelve bytes per answer.
        answers: &'a [u8],
    },
    /// When the report was made, by the receiver's clock (RFC 3611 §4.4).
    ReferenceTime(NtpTime),
    /// A block that is not known here.
    Unknown {
        /// Block type.
        kind: u8,
        /// Type-specific byte.
        specific: u8,
        /// The rest of the block.
        data: &'a [u8],
    },
}

impl<'a> XrBlock<'a> {
    /// The answers of a [`XrBlock::Dlrr`]; none for other blocks.
    pub fn answers(&self) -> impl Iterator<Item = Dlrr> + use<'a> {
        let answers: &'a [u8] = match *self {
            Self::Dlrr { answers } => answers,
            Self::ReferenceTime(_) | Self::Unknown { .. } => &[],
        };
        let mut reader = Reader::new(answers);
        std::iter::from_fn(move || {
            Some(Dlrr {
                ssrc: Ssrc(reader.u32().ok()?),
                last_reference: NtpShort(reader.u32().ok()?),
                delay: NtpShort(reader.u32().ok()?),
            })
        })
    }
}

/// The answer to one receiver's reference time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dlrr {
    /// Whose reference time.
    pub ssrc: Ssrc,
    /// Middle 32 bits of it.
    pub last_reference: NtpShort,
    /// Time since it arrived.
    pub delay: NtpShort,
}

impl Dlrr {
    /// An answer.
    #[must_use]
    pub const fn new(ssrc: Ssrc, last_reference: NtpShort, delay: NtpShort) -> Self {
        Self { ssrc, last_reference, delay }
    }
}
