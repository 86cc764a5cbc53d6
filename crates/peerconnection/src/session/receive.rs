//! Datagrams in: ICE first, which lets through only what comes from a validated path, then by first byte.

use super::{Datagram, Session};
use crate::demux::Packet;
use bytes::{Buf, BytesMut};
use ice::Received;
use std::time::Instant;

impl Session {
    /// Takes a datagram from the network. Never fails: what does not belong here is dropped and counted.
    pub fn handle_datagram(&mut self, now: Instant, datagram: Datagram) {
        let now = self.advance(now);
        match self.transport.ice.handle_datagram(now, datagram.path, &datagram.payload) {
            Received::Peer { payload: range } => {
                let Datagram { arrival, mut payload, .. } = datagram;
                payload.truncate(range.end);
                payload.advance(range.start.min(payload.len()));
                self.handle_peer(now, arrival, payload);
            }
            Received::Control => self.settle_ice(now),
            Received::Early => self.hold_early(datagram),
            Received::Ignored => self.counters.ignored += 1,
        }
    }

    /// Bytes from the peer's validated address; not yet authenticated themselves.
    fn handle_peer(&mut self, now: Instant, arrival: Instant, mut payload: BytesMut) {
        match Packet::classify(&payload) {
            Packet::Dtls => {
                let Self { transport, channels, counters, .. } = self;
                let Some(dtls) = transport.dtls.connection_mut() else {
                    // Our role is not known yet; the peer repeats its flight.
                    counters.early += 1;
                    return;
                };
                dtls.handle_datagram(now, &mut payload, &mut |packet| channels.handle_packet(now, packet));
                self.settle_dtls(now);
            }
            Packet::Rtcp => {
                let Some(srtp) = &mut self.transport.srtp else {
                    self.counters.early += 1;
                    return;
                };
                match srtp.unprotector.unprotect_rtcp(&mut payload) {
                    Ok(len) => self.media.handle_rtcp(now, payload.get(..len).unwrap_or_default()),
                    Err(_) => self.counters.unauthenticated += 1,
                }
            }
            Packet::Rtp => {
                let Some(srtp) = &mut self.transport.srtp else {
                    self.counters.early += 1;
                    return;
                };
                match srtp.unprotector.unprotect_rtp(&mut payload) {
                    Ok(len) => {
                        payload.truncate(len);
                        self.media.handle_rtp(now, arrival, payload);
                    }
                    Err(_) => self.counters.unauthenticated += 1,
                }
            }
            Packet::Unknown => self.counters.ignored += 1,
        }
    }
}
