//! RTCP that goes out: reports from time to time, feedback as it falls due.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use rtp::Ssrc;
use rtp::rtcp::{
    Bye, Fir, FirEntry, Nack, Pli, ReceiverReport, ReportBlock, SenderReport, SourceDescription,
};

use super::Engine;
use crate::ids::{ReceiverId, SenderId};

/// Bytes of a sender report without blocks, a block, a goodbye with two sources.
const SENDER_REPORT: usize = 28;
const BLOCK: usize = 24;
const GOODBYE: usize = 12;
/// Bytes of a NACK without entries, and of a PLI.
const FEEDBACK: usize = 12;
/// A FIR with one entry.
const FIR: usize = 20;
/// The least room for which a NACK or a transport-wide feedback is begun.
const LEAST_FEEDBACK: usize = 64;
/// Goodbyes that wait at most.
const MAX_GOODBYES: usize = 256;

/// What is to be reported.
#[derive(Debug, Default)]
pub(super) struct Reports {
    next: Option<Instant>,
    /// Not yet written of the reports that are due.
    senders: VecDeque<SenderId>,
    sources: VecDeque<(ReceiverId, Ssrc)>,
    /// A report is due, be it empty.
    is_due: bool,
    goodbyes: VecDeque<Ssrc>,
    blocks: Vec<ReportBlock>,
}

impl Reports {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn say_goodbye(&mut self, ssrcs: impl Iterator<Item = Ssrc>) {
        for ssrc in ssrcs {
            if self.goodbyes.len() < MAX_GOODBYES {
                self.goodbyes.push_back(ssrc);
            }
        }
    }
}

impl Engine {
    /// The first packet in either direction starts the reports (RFC 3550 §6.2).
    pub(super) fn start_reports(&mut self, now: Instant) {
        if self.reports.next.is_none() {
            let interval = self.report_interval() / 2;
            self.reports.next = now.checked_add(interval);
        }
    }

    pub(super) fn write_rtcp(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<NonZeroUsize> {
        if self.is_closed {
            self.reports.is_due = false;
            self.reports.next = None;
            if self.reports.goodbyes.is_empty() {
                return None;
            }
        }
        self.collect_reports(now);
        let has_report = self.reports.is_due || !self.reports.goodbyes.is_empty();
        if !has_report && !self.is_feedback_due(now) {
            return None;
        }
        let start = out.len();
        // SRTCP adds an index of four bytes to what SRTP adds.
        let end = start + self.config.max_packet - 4;
        if has_report || self.config.rtcp_form == crate::config::RtcpForm::Compound {
            self.write_reports(now, start, end, out);
        }
        let before_feedback = out.len();
        self.write_nacks(now, end, out);
        self.write_key_frame_requests(now, end, out);
        if self.recorder.is_due(now) && end.saturating_sub(out.len()) >= LEAST_FEEDBACK {
            let sender = self.rtcp_ssrc();
            let before = out.len();
            self.recorder.write(now, sender, end - before, self.config.feedback_interval, out);
            self.stats.feedback_sent += u64::from(out.len() > before);
        }
        self.write_goodbyes(end, out);
        if out.len() == before_feedback && !has_report {
            out.truncate(start);
            return None;
        }
        self.stats.rtcp_sent += 1;
        NonZeroUsize::new(out.len() - start)
    }

    /// Where our RTCP comes from: a stream of ours, if there is one.
    fn rtcp_ssrc(&self) -> Ssrc {
        self.senders.values().next().map_or(self.own_ssrc, |sender| sender.config.ssrc)
    }

    /// RFC 3550 §6.3.1: between half and one and a half times the interval, so that peers do not fall into step.
    fn report_interval(&mut self) -> Duration {
        let interval = self.config.report_interval;
        interval / 2 + interval.mul_f64(f64::from(self.rng.u32()) / f64::from(u32::MAX))
    }

    fn collect_reports(&mut self, now: Instant) {
        if self.is_closed || self.reports.next.is_none_or(|at| at > now) {
            return;
        }
        let interval = self.report_interval();
        let reports = &mut self.reports;
        reports.next = now.checked_add(interval);
        reports.is_due = true;
        reports.senders.clear();
        reports.senders.extend(self.senders.iter().filter(|(_, s)| s.stats.packets > 0).map(|(id, _)| *id));
        reports.sources.clear();
        for (id, stream) in &self.receivers {
            let fresh = stream.sources.iter().filter(|source| source.has_news);
            reports.sources.extend(fresh.map(|source| (*id, source.ssrc)));
        }
    }

    fn is_feedback_due(&self, now: Instant) -> bool {
        self.recorder.is_due(now)
            || self.receivers.values().any(|stream| {
                let sources = || stream.sources.iter();
                sources().any(|source| source.nack.is_due(now) || source.key_frames.is_due(now))
            })
    }

    //= rfc3550 §6.1
    //# The first RTCP packet in the compound packet MUST
    //# always be a report packet to facilitate header validation as
    //# described in Appendix A.2.
    /// Appends sender reports, or a receiver report, and the descriptions that belong to them. What does not fit
    /// stays for the next datagram.
    fn write_reports(&mut self, now: Instant, start: usize, end: usize, out: &mut Vec<u8>) {
        let mut infos = Vec::new();
        let name = |sender: Option<&crate::send::SendStream>| {
            SourceDescription::encoded_len(
                1,
                sender.and_then(|s| s.config.cname.as_ref()).map_or(16, String::len),
            )
        };
        // Half of the room is for sender reports, so that blocks and feedback are not starved.
        let mut room = (end - start) / 2;
        while let Some(id) = self.reports.senders.front().copied() {
            let sender = self.senders.get(&id);
            let cost = SENDER_REPORT + name(sender);
            if cost > room && !infos.is_empty() {
                break;
            }
            self.reports.senders.pop_front();
            room = room.saturating_sub(cost);
            let info = sender.and_then(|sender| sender.sender_info(now, &self.wall));
            infos.extend(info.map(|info| (id, info)));
        }
        let used: usize = infos.iter().map(|(id, _)| SENDER_REPORT + name(self.senders.get(id))).sum();
        let reserved = if infos.is_empty() { 8 + name(None).max(40) } else { used };
        let room = (end - start).saturating_sub(reserved + GOODBYE) / BLOCK;
        self.collect_blocks(now, room.min(31));
        let cname = self.cname.as_str();
        match infos.split_first() {
            Some(((_, first), more)) => {
                SenderReport::write(out, first, &self.reports.blocks);
                for (_, info) in more {
                    SenderReport::write(out, info, &[]);
                }
                for (id, info) in &infos {
                    let own = self.senders.get(id).and_then(|sender| sender.config.cname.as_deref());
                    SourceDescription::write(out, &[info.ssrc], own.unwrap_or(cname));
                }
            }
            None => {
                let ssrc = self.rtcp_ssrc();
                let own = self.senders.values().next().and_then(|sender| sender.config.cname.as_deref());
                ReceiverReport::write(out, ssrc, &self.reports.blocks);
                SourceDescription::write(out, &[ssrc], own.unwrap_or(cname));
            }
        }
        self.reports.is_due = !self.reports.senders.is_empty() || !self.reports.sources.is_empty();
    }

    fn collect_blocks(&mut self, now: Instant, room: usize) {
        self.reports.blocks.clear();
        while self.reports.blocks.len() < room {
            let Some((receiver, ssrc)) = self.reports.sources.pop_front() else { break };
            let source = self.receivers.get_mut(&receiver).and_then(|stream| stream.source_mut(ssrc));
            if let Some(source) = source {
                self.reports.blocks.push(source.report_block(now));
            }
        }
    }

    fn write_nacks(&mut self, now: Instant, end: usize, out: &mut Vec<u8>) {
        let sender = self.rtcp_ssrc();
        // One and a half round trips: what was asked for just before has then had its chance.
        let interval = (self.round_trip() * 3 / 2).max(Duration::from_millis(20));
        for stream in self.receivers.values_mut() {
            for source in &mut stream.sources {
                let room = end.saturating_sub(out.len());
                if !source.nack.is_due(now) || room < LEAST_FEEDBACK {
                    continue;
                }
                let entries = (room - FEEDBACK) / 4;
                let asked = Nack::write(out, sender, source.ssrc, source.nack.due(now), entries);
                source.nack.asked(now, asked, interval, self.config.max_nacks);
                stream.stats.nack_count += 1;
                stream.stats.nacked_packets += asked as u64;
            }
        }
    }

    fn write_key_frame_requests(&mut self, now: Instant, end: usize, out: &mut Vec<u8>) {
        let sender = self.rtcp_ssrc();
        for stream in self.receivers.values_mut() {
            let feedback = stream.config.feedback;
            for source in &mut stream.sources {
                if !source.key_frames.is_due(now) || end.saturating_sub(out.len()) < FIR {
                    continue;
                }
                if feedback.pli {
                    Pli::write(out, sender, source.ssrc);
                    stream.stats.pli_count += 1;
                } else if feedback.fir {
                    Fir::write(out, sender, &[FirEntry::new(source.ssrc, source.key_frames.fir_sequence)]);
                    stream.stats.fir_count += 1;
                } else {
                    // Nothing was negotiated to ask with.
                    source.key_frames.satisfied();
                    continue;
                }
                source.key_frames.written(now, self.config.key_frame_interval);
            }
        }
    }

    fn write_goodbyes(&mut self, end: usize, out: &mut Vec<u8>) {
        while end.saturating_sub(out.len()) >= GOODBYE && !self.reports.goodbyes.is_empty() {
            let mut sources = [Ssrc(0); 2];
            let mut count = 0;
            for (place, ssrc) in
                sources.iter_mut().zip(self.reports.goodbyes.drain(..self.reports.goodbyes.len().min(2)))
            {
                *place = ssrc;
                count += 1;
            }
            Bye::write(out, sources.get(..count).unwrap_or_default());
        }
    }
}
