//! RTCP that came in.

use std::time::{Duration, Instant};

use rtp::ntp::round_trip;
use rtp::rtcp::{Compound, ReportBlock, RtcpPacket, SdesKind, SenderReport, TransportFeedback};
use rtp::{ExtensionValue, Mid, Ssrc};

use super::Engine;
use crate::clock;
use crate::event::Event;
use crate::ids::SenderId;
use crate::stats::RemoteStats;

/// A report cannot give more than this; a peer that says so has lost its clock.
const MAX_RTT: Duration = Duration::from_secs(60);

impl Engine {
    pub(super) fn on_rtcp(&mut self, now: Instant, datagram: &[u8]) {
        self.stats.rtcp_received += 1;
        for packet in Compound::new(datagram) {
            match packet {
                Ok(packet) => self.on_rtcp_packet(now, packet),
                Err(_) => self.stats.malformed_rtcp += 1,
            }
        }
        self.announce_target();
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not used here is passed over (RFC 8834 §8)")]
    fn on_rtcp_packet(&mut self, now: Instant, packet: RtcpPacket<'_>) {
        match packet {
            RtcpPacket::SenderReport(report) => self.on_sender_report(now, report),
            RtcpPacket::ReceiverReport(report) => {
                report.blocks.for_each(|block| self.on_report_block(now, block));
            }
            RtcpPacket::Bye(bye) => bye.sources().for_each(|ssrc| self.on_bye(ssrc)),
            RtcpPacket::Nack(nack) => {
                let rtt = self.round_trip();
                let sender = self.sender_of(nack.media).and_then(|id| self.senders.get_mut(&id));
                if let Some(sender) = sender {
                    sender.on_nack(now, nack.lost(), rtt, &self.config, &mut self.budget);
                }
            }
            RtcpPacket::Pli(pli) => self.on_key_frame_request(now, pli.media, None),
            RtcpPacket::Fir(fir) => {
                fir.entries()
                    .for_each(|entry| self.on_key_frame_request(now, entry.ssrc, Some(entry.sequence)));
            }
            RtcpPacket::Remb(remb) => self.events.push(Event::RemoteEstimate { bitrate: remb.bitrate }),
            RtcpPacket::Tmmbr(tmmbr) => {
                for entry in tmmbr.entries() {
                    if let Some(sender) = self.sender_of(entry.ssrc) {
                        self.events.push(Event::BitrateLimit { sender, bitrate: entry.bitrate });
                    }
                }
            }
            RtcpPacket::SourceDescription(sdes) => {
                for chunk in sdes.chunks {
                    let mid = chunk.item(SdesKind::MID).and_then(Mid::parse);
                    if let Some(mid) = mid.filter(|_| !self.own.contains_key(&chunk.ssrc)) {
                        self.demux.on_description(chunk.ssrc, mid, self.config.max_streams);
                    }
                }
            }
            RtcpPacket::TransportFeedback(feedback) => self.on_transport_feedback(now, &feedback),
            _ => {}
        }
    }

    fn on_sender_report(&mut self, now: Instant, report: SenderReport<'_>) {
        let info = report.info;
        if let Some(route) = self.demux.route(info.ssrc)
            && let Some(source) =
                self.receivers.get_mut(&route.receiver).and_then(|stream| stream.source_mut(info.ssrc))
        {
            source.on_sender_report(now, info.ntp, info.timestamp);
            self.events.push(Event::SenderReport {
                receiver: route.receiver,
                ssrc: info.ssrc,
                ntp: info.ntp,
                timestamp: info.timestamp,
            });
        }
        report.blocks.for_each(|block| self.on_report_block(now, block));
    }

    fn on_report_block(&mut self, now: Instant, block: ReportBlock) {
        let Some(id) = self.sender_of(block.ssrc) else { return };
        let Some(sender) = self.senders.get_mut(&id) else { return };
        sender.on_reported();
        let rtt = round_trip(self.wall.ntp(now), block.last_sender_report, block.delay)
            .filter(|rtt| *rtt < MAX_RTT);
        let before = sender.stats.remote.unwrap_or_default();
        sender.stats.remote = Some(RemoteStats {
            fraction_lost: f64::from(block.fraction_lost) / 256.0,
            packets_lost: i64::from(block.cumulative_lost),
            jitter: clock::duration(u64::from(block.jitter), sender.config.clock_rate),
            rtt: rtt.or(before.rtt),
            total_rtt: before.total_rtt + rtt.unwrap_or_default(),
            rtt_measurements: before.rtt_measurements + u64::from(rtt.is_some()),
        });
        if let Some(rtt) = rtt {
            self.rtt.observe(rtt);
            self.events.push(Event::RoundTrip { sender: id, rtt });
            if let Some(congestion) = &mut self.congestion {
                congestion.on_round_trip(now, rtt);
            }
        }
    }

    fn on_bye(&mut self, ssrc: Ssrc) {
        let Some(route) = self.demux.route(ssrc) else { return };
        if let Some(stream) = self.receivers.get_mut(&route.receiver) {
            let before = stream.sources.len();
            stream.sources.retain(|source| source.ssrc != ssrc);
            if stream.sources.len() < before {
                self.events.push(Event::Bye { receiver: route.receiver, ssrc });
            }
        }
        self.demux.forget(ssrc);
    }

    fn on_key_frame_request(&mut self, now: Instant, media: Ssrc, fir: Option<u8>) {
        let Some(id) = self.sender_of(media) else { return };
        let Some(sender) = self.senders.get_mut(&id) else { return };
        sender.on_reported();
        match fir {
            Some(sequence) if sender.key_frames.is_new_fir(sequence) => sender.stats.fir_count += 1,
            Some(_) => return,
            None => sender.stats.pli_count += 1,
        }
        if sender.key_frames.request(now, self.config.key_frame_interval) {
            self.events.push_ready(Event::KeyFrameRequested(id));
        }
    }

    fn on_transport_feedback(&mut self, now: Instant, feedback: &TransportFeedback<'_>) {
        let (results, summary) = self.history.on_feedback(now, feedback);
        if let Some(congestion) = &mut self.congestion {
            congestion.on_feedback(now, results);
        }
        self.stats.feedback_received += 1;
        self.stats.packets_acknowledged += u64::from(summary.received);
        self.stats.packets_reported_lost += u64::from(summary.lost);
        self.events.push(Event::TransportFeedback(summary));
    }

    /// The sender whose stream a source is; that of its retransmissions has nothing to be told.
    fn sender_of(&self, ssrc: Ssrc) -> Option<SenderId> {
        let id = self.own.get(&ssrc).copied()?;
        self.senders.get(&id).filter(|sender| sender.config.ssrc == ssrc).map(|_| id)
    }
}
