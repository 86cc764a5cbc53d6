//! What the peer says before its answer has come through signalling: the first flight of its DTLS handshake.

use super::{Datagram, Session};
use crate::demux::Packet;
use std::time::Instant;

/// A post-quantum ClientHello takes two datagrams, its retransmission two more.
const MAX_DATAGRAMS: usize = 4;
/// Their bytes.
const MAX_BYTES: usize = 6_000;

/// DTLS from where an authenticated check came, kept until the credentials of the peer say whose it is. Without it the
/// handshake would wait for a retransmission, a whole second with some peers.
#[derive(Debug, Default)]
pub(super) struct Early {
    datagrams: Vec<Datagram>,
}

impl Session {
    /// Keeps a datagram if it begins a handshake and there is room; the first ones are those that count.
    pub(super) fn hold_early(&mut self, datagram: Datagram) {
        let held = &mut self.early.datagrams;
        let bytes: usize = held.iter().map(|held| held.payload.len()).sum();
        let is_dtls = matches!(Packet::classify(&datagram.payload), Packet::Dtls);
        if is_dtls && held.len() < MAX_DATAGRAMS && bytes + datagram.payload.len() <= MAX_BYTES {
            held.push(datagram);
        } else {
            self.counters.early += 1;
        }
    }

    /// Brings them again, now that ICE can tell whose they are: those of the peer reach DTLS, the others are dropped.
    pub(super) fn release_early(&mut self, now: Instant) {
        for datagram in std::mem::take(&mut self.early.datagrams) {
            self.handle_datagram(now, datagram);
        }
    }
}
