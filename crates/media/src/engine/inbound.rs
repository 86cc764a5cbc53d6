//! RTP that came in: where it belongs, and giving it there.

use std::time::Instant;

use bytes::BytesMut;
use rtp::{RepairedRid, Rid, SequenceNumber, Ssrc, TransportSequence, rtx};

use super::Engine;
use crate::config::PayloadRole;
use crate::event::Event;
use crate::ids::ReceiverId;
use crate::recv::Incoming;

impl Engine {
    pub(super) fn on_rtp(&mut self, now: Instant, arrival: Instant, packet: BytesMut) {
        self.stats.rtp_received += 1;
        let Ok(packet) = rtp::Packet::parse(&packet.freeze()) else {
            self.stats.malformed_rtp += 1;
            return;
        };
        let ssrc = packet.header.ssrc;
        if let Some(id) = self.own.get(&ssrc) {
            self.stats.collisions += 1;
            self.events.push(Event::SsrcCollision(*id));
            return;
        }
        // Packets that cannot be routed yet crossed the path, too: they belong into the feedback.
        if let Some(TransportSequence(number)) = packet.extensions().value(&self.demux.extensions) {
            self.recorder.on_packet(now, arrival, number, ssrc, self.config.feedback_interval);
        }
        let Some(receiver) = self.demux.receiver(&packet) else {
            self.stats.unroutable += 1;
            return;
        };
        let role = self
            .receivers
            .get(&receiver)
            .and_then(|stream| stream.config.payload(packet.header.payload_type));
        match role {
            Some(PayloadRole::Media { .. }) => self.on_media(now, arrival, receiver, packet),
            Some(PayloadRole::Rtx { repairs }) => {
                let Some(media) = self.repaired_source(receiver, &packet) else {
                    self.stats.orphan_retransmissions += 1;
                    return;
                };
                // Too short: padding on a retransmission stream, as bandwidth probes use it.
                let Ok(packet) = rtx::unwrap(packet, media, repairs) else { return };
                if let Some(stream) = self.receivers.get_mut(&receiver) {
                    stream.on_packet(
                        now,
                        arrival,
                        packet,
                        Incoming::Repeated,
                        &self.config,
                        &mut self.events,
                    );
                }
            }
            None => self.stats.unroutable += 1,
        }
        self.start_reports(now);
    }

    fn on_media(&mut self, now: Instant, arrival: Instant, receiver: ReceiverId, packet: rtp::Packet) {
        let ssrc = packet.header.ssrc;
        let rid = packet.extensions().value::<Rid>(&self.demux.extensions);
        let Some(stream) = self.receivers.get_mut(&receiver) else { return };
        if let Some(source) = stream.source_mut(ssrc) {
            source.rid = source.rid.or(rid);
        } else if !self.add_source(now, receiver, packet.header, rid) {
            self.stats.streams_refused += 1;
            return;
        }
        if let Some(stream) = self.receivers.get_mut(&receiver) {
            stream.on_packet(now, arrival, packet, Incoming::Original, &self.config, &mut self.events);
        }
    }

    /// Returns whether there was room.
    fn add_source(
        &mut self,
        now: Instant,
        receiver: ReceiverId,
        header: rtp::Header,
        rid: Option<Rid>,
    ) -> bool {
        let ssrc = header.ssrc;
        let Some(stream) = self.receivers.get(&receiver) else { return false };
        if rid.is_some_and(|rid| !stream.config.rids.is_empty() && !stream.config.rids.contains(&rid)) {
            return false;
        }
        // A source that moved to another section leaves the one it was in (RFC 9143 §9.2).
        let before = self.demux.route(ssrc).map(|route| route.receiver).filter(|before| *before != receiver);
        if !self.demux.bind(ssrc, receiver, None, Some(header.sequence_number), self.config.max_streams) {
            return false;
        }
        if let Some(before) = before.and_then(|before| self.receivers.get_mut(&before)) {
            before.sources.retain(|source| source.ssrc != ssrc);
        }
        let Some(stream) = self.receivers.get_mut(&receiver) else { return false };
        match stream.add_source(now, ssrc, rid, &self.config) {
            Ok(Some(replaced)) => self.demux.forget(replaced.ssrc),
            Ok(None) => {}
            Err(()) => {
                self.demux.forget(ssrc);
                return false;
            }
        }
        self.events.push(Event::StreamStarted { receiver, ssrc, rid });
        true
    }

    /// The source that a retransmission belongs to, learned if need be.
    fn repaired_source(&mut self, receiver: ReceiverId, packet: &rtp::Packet) -> Option<Ssrc> {
        let ssrc = packet.header.ssrc;
        let route = self.demux.route(ssrc).filter(|route| route.receiver == receiver);
        if let Some(media) = route.and_then(|route| route.repairs) {
            return Some(media);
        }
        let rid =
            packet.extensions().value::<RepairedRid>(&self.demux.extensions).map(|RepairedRid(rid)| rid);
        let osn = SequenceNumber(u16::from_be_bytes(*packet.payload.first_chunk()?));
        let stream = self.receivers.get_mut(&receiver)?;
        let media = stream.repaired_by(rid, osn)?;
        if !self.demux.bind(ssrc, receiver, Some(media), None, self.config.max_streams) {
            self.stats.streams_refused += 1;
            return None;
        }
        if let Some(source) = stream.source_mut(media) {
            source.rtx = Some(ssrc);
        }
        Some(media)
    }
}
