//! One incoming stream: one source, its order, what it misses, and its clocks.

use std::time::Instant;

use rtp::ntp::{NtpShort, NtpTime};
use rtp::rtcp::ReportBlock;
use rtp::{Rid, Ssrc, Timestamp};

use super::assembly::Assembly;
use super::nack::NackList;
use super::reorder::Reordering;
use super::sequence::Sequence;
use crate::clock;
use crate::config::{Config, Delivery, ReceiveStreamConfig};
use crate::frame::MediaTime;
use crate::keyframe::Outgoing;

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// On the stream itself.
    Original,
    /// By retransmission.
    Repeated,
}

/// The last sender report of a source.
#[derive(Clone, Copy, Debug)]
struct Report {
    ntp: NtpTime,
    timestamp: Timestamp,
    at: Instant,
}

#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) ssrc: Ssrc,
    pub(crate) rid: Option<Rid>,
    /// Where its retransmissions come from, once known.
    pub(crate) rtx: Option<Ssrc>,
    pub(crate) sequence: Sequence,
    pub(crate) nack: NackList,
    pub(crate) reordering: Reordering,
    /// In frame mode.
    pub(crate) assembly: Option<Assembly>,
    pub(crate) key_frames: Outgoing,
    pub(crate) last_packet: Instant,
    pub(crate) clock_rate: u32,
    /// Packets came since the last report.
    pub(crate) has_news: bool,
    report: Option<Report>,
    /// The last time stamp, with and without its wraps.
    time: Option<(Timestamp, u64)>,
}

impl Source {
    pub(crate) fn new(
        now: Instant,
        ssrc: Ssrc,
        rid: Option<Rid>,
        rtx: Option<Ssrc>,
        config: &ReceiveStreamConfig,
        limits: &Config,
    ) -> Self {
        let is_framed = config.delivery == Delivery::Frames;
        Self {
            ssrc,
            rid,
            rtx,
            sequence: Sequence::default(),
            nack: NackList::default(),
            reordering: Reordering::new(now),
            assembly: is_framed.then(|| Assembly::new(limits.receive_bytes, limits.max_frame)),
            key_frames: Outgoing::default(),
            last_packet: now,
            clock_rate: 90_000,
            has_news: false,
            report: None,
            time: None,
        }
    }

    pub(crate) fn on_sender_report(&mut self, now: Instant, ntp: NtpTime, timestamp: Timestamp) {
        self.report = Some(Report { ntp, timestamp, at: now });
    }

    /// RFC 3550 §6.4.1.
    pub(crate) fn report_block(&mut self, now: Instant) -> ReportBlock {
        self.has_news = false;
        let loss = self.sequence.report();
        let mut block = ReportBlock::new(self.ssrc);
        block.fraction_lost = loss.fraction;
        block.cumulative_lost = loss.cumulative.clamp(-0x80_0000, 0x7f_ffff) as i32;
        block.highest_sequence = loss.highest;
        block.jitter = self.sequence.jitter();
        if let Some(report) = self.report {
            block.last_sender_report = report.ntp.short();
            block.delay = NtpShort::from_duration(now.saturating_duration_since(report.at));
        }
        block
    }

    /// The time stamp without wraps.
    pub(crate) fn media_time(&mut self, timestamp: Timestamp) -> MediaTime {
        let time = match self.time {
            None => (1 << 32) + u64::from(timestamp.0),
            Some((last, time)) => time.saturating_add_signed(i64::from(timestamp.since(last))),
        };
        self.time = Some((timestamp, time));
        MediaTime(time)
    }

    /// When a time stamp was sampled, by the sender's wall clock.
    pub(crate) fn captured(&self, timestamp: Timestamp) -> Option<NtpTime> {
        let report = self.report?;
        let ticks = timestamp.since(report.timestamp);
        let distance = clock::duration(u64::from(ticks.unsigned_abs()), self.clock_rate);
        let fraction = ((distance.as_nanos() << 32) / 1_000_000_000) as u64;
        let ntp =
            if ticks < 0 { report.ntp.0.wrapping_sub(fraction) } else { report.ntp.0.wrapping_add(fraction) };
        Some(NtpTime(ntp))
    }
}
