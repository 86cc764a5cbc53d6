//! Congestion control feedback (RFC 8888).

use std::time::Duration;

use base::{PutExt, Reader};

use super::{kind, write_packet};
use crate::error::ParseError;
use crate::ntp::NtpShort;
use crate::numbers::{SequenceNumber, Ssrc};

pub(super) const FORMAT: u8 = 11;

/// RFC 8888 §3.1: not more than a quarter of the sequence number space in one block.
const MAX_METRICS: usize = 16_384;
/// The offset is larger than the field can say.
const OVER_RANGE: u16 = 0x1ffe;
/// The offset is not known.
const UNAVAILABLE: u16 = 0x1fff;

/// Which packets of which streams arrived when.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CongestionFeedback<'a> {
    /// Who reports.
    pub sender: Ssrc,
    /// When the report was made, by the reporter's clock.
    pub reported: NtpShort,
    streams: &'a [u8],
}

impl<'a> CongestionFeedback<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let sender = Ssrc(reader.u32()?);
        let len = reader
            .remaining()
            .checked_sub(4)
            .ok_or_else(|| ParseError::Truncated { offset: reader.offset() })?;
        let streams = reader.take(len)?;
        let reported = NtpShort(reader.u32()?);
        let mut probe = Reader::new(streams);
        while !probe.is_empty() {
            read_stream(&mut probe)?;
        }
        Ok(Self { sender, reported, streams })
    }

    /// The streams reported on.
    pub fn streams(&self) -> impl Iterator<Item = StreamMetrics<'a>> + use<'a> {
        let mut reader = Reader::new(self.streams);
        std::iter::from_fn(move || read_stream(&mut reader).ok())
    }

    /// Appends a report. Of each stream at most 16,384 packets are reported.
    pub fn write(
        out: &mut Vec<u8>,
        sender: Ssrc,
        reported: NtpShort,
        streams: &[(Ssrc, SequenceNumber, &[Option<PacketMetric>])],
    ) {
        write_packet(out, kind::RTPFB, FORMAT, |out| {
            out.put_u32(sender.0);
            for (ssrc, begin, metrics) in streams {
                let metrics = metrics.get(..MAX_METRICS).unwrap_or(metrics);
                out.put_u32(ssrc.0);
                out.put_u16(begin.0);
                out.put_u16(metrics.len() as u16);
                for metric in metrics {
                    out.put_u16(metric.map_or(0, PacketMetric::field));
                }
                out.put_zeros(base::padding(metrics.len().saturating_mul(2)));
            }
            out.put_u32(reported.0);
        });
    }
}

fn read_stream<'a>(reader: &mut Reader<'a>) -> Result<StreamMetrics<'a>, ParseError> {
    let ssrc = Ssrc(reader.u32()?);
    let begin = SequenceNumber(reader.u16()?);
    let offset = reader.offset();
    let count = usize::from(reader.u16()?);
    if count > MAX_METRICS {
        return Err(ParseError::invalid("num_reports", offset));
    }
    let metrics = reader.take(2 * count)?;
    reader.take(base::padding(count.saturating_mul(2)))?;
    Ok(StreamMetrics { ssrc, begin, metrics })
}

/// The packets of one stream, from a first number on without holes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StreamMetrics<'a> {
    /// The stream.
    pub ssrc: Ssrc,
    /// The first number reported on.
    pub begin: SequenceNumber,
    metrics: &'a [u8],
}

impl<'a> StreamMetrics<'a> {
    /// Each packet with what is known of it; `None` when it did not arrive.
    pub fn packets(&self) -> impl Iterator<Item = (SequenceNumber, Option<PacketMetric>)> + use<'a> {
        let begin = self.begin;
        self.metrics.as_chunks::<2>().0.iter().zip(0_u16..).map(move |(field, index)| {
            (begin.plus(index), PacketMetric::from_field(u16::from_be_bytes(*field)))
        })
    }
}

/// How a packet arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketMetric {
    /// The mark it carried.
    pub ecn: Ecn,
    /// How long before the report it arrived, in 1/1,024 s; `None` when not known or beyond eight seconds.
    pub offset: Option<u16>,
}

impl PacketMetric {
    /// A packet that arrived `before` the report.
    #[must_use]
    pub fn new(ecn: Ecn, before: Duration) -> Self {
        let offset = before.as_micros().saturating_mul(1_024) / 1_000_000;
        Self { ecn, offset: u16::try_from(offset).ok().filter(|offset| *offset < OVER_RANGE) }
    }

    fn field(self) -> u16 {
        0x8000 | (self.ecn as u16) << 13 | self.offset.map_or(OVER_RANGE, |offset| offset.min(OVER_RANGE))
    }

    fn from_field(field: u16) -> Option<Self> {
        let ecn = match field >> 13 & 3 {
            0 => Ecn::NotCapable,
            1 => Ecn::Ect1,
            2 => Ecn::Ect0,
            _ => Ecn::Ce,
        };
        let offset = field & UNAVAILABLE;
        (field & 0x8000 != 0).then(|| Self { ecn, offset: (offset < OVER_RANGE).then_some(offset) })
    }
}

/// The mark in the IP header (RFC 3168 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "two bits")]
pub enum Ecn {
    /// The transport does not take part.
    NotCapable = 0b00,
    /// ECT(1).
    Ect1 = 0b01,
    /// ECT(0).
    Ect0 = 0b10,
    /// Congestion experienced.
    Ce = 0b11,
}
