//! Data between clients and peers (RFC 8656 §11, §12).

#![deny(clippy::indexing_slicing)]

use super::{RelayId, Server, canonical, request::KNOWN};
use crate::{
    ChannelData,
    attr::{Data, Icmp, XorPeerAddress},
};
use std::{net::SocketAddr, ops::Range, time::Instant};
use stun::{
    AttributeType, Builder, Class, HEADER_LEN, Message, Method, TransactionId,
    net::{FiveTuple, Transmit, Transport},
};

/// What a datagram of a client was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "data to relay is not kept"]
#[expect(clippy::exhaustive_enums, reason = "a datagram is for us, for a peer, or for nobody")]
pub enum Received {
    /// It was for the server itself. Answers come from [`Server::poll_transmit`].
    Control,
    /// It was dropped; [`Server::stats`] says why.
    Ignored,
    /// It carries data for a peer, to be sent from a relay socket at once.
    Relay {
        /// From which socket.
        relay: RelayId,
        /// To whom.
        peer: SocketAddr,
        /// Where the data is in the datagram. It may be empty: that makes an empty datagram.
        payload: Range<usize>,
    },
}

impl Server {
    /// Takes a datagram of a client; `path.local` is the address it was sent to.
    ///
    /// Data for peers is not copied or queued: the caller sends `datagram[payload]` from the relay socket.
    pub fn handle_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &[u8]) -> Received {
        self.advance(now);
        if self.is_closed || path.transport != Transport::Udp {
            self.stats.malformed += 1;
            return Received::Ignored;
        }
        if ChannelData::matches(datagram) {
            return match ChannelData::parse(datagram) {
                Some(data) => self.relay_channel_data(path, &data),
                None => self.ignore_malformed(),
            };
        }
        let Ok(message) = Message::parse(datagram) else { return self.ignore_malformed() };
        if message.has_fingerprint() && message.check_fingerprint().is_err() {
            return self.ignore_malformed();
        }
        match message.class() {
            Class::Request => {
                self.handle_request(path, &message);
                Received::Control
            }
            Class::Indication if message.method() == Method::SEND => self.relay_send(path, &message),
            // Keeps NAT bindings open, and is never answered (RFC 8489 §6.3.2).
            Class::Indication if message.method() == Method::BINDING => Received::Control,
            Class::Indication | Class::Success | Class::Error => self.ignore_malformed(),
        }
    }

    /// Takes a datagram that a peer sent to a relay socket. When it is for the client, appends it, framed, to `out`.
    #[must_use = "the datagram counts as sent"]
    pub fn handle_relay_datagram(
        &mut self,
        now: Instant,
        relay: RelayId,
        from: SocketAddr,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<Transmit> {
        self.advance(now);
        let now = self.now;
        let path = self.by_relay.get(&relay).copied()?;
        let allocation = self.allocations.get_mut(&path)?;
        // A socket for both families shows IPv4 peers in IPv6 clothes.
        let from = canonical(from);
        if allocation.relayed.is_none() || !allocation.permissions.permits(from.ip(), now) {
            self.stats.unpermitted += 1;
            return None;
        }
        if allocation.bucket.as_mut().is_some_and(|bucket| !bucket.take(now, payload.len())) {
            allocation.traffic.datagrams_over_limit += 1;
            self.stats.over_limit += 1;
            return None;
        }
        let start = out.len();
        match allocation.channels.number(from, now) {
            Some(number) => ChannelData::append_with(number, out, |out| {
                out.extend_from_slice(payload);
                Some(())
            })?,
            None => {
                let id = TransactionId::random(&mut *self.rng);
                let mut builder = Builder::indication(out, Method::DATA, id);
                builder.attribute(&XorPeerAddress::new(from)).attribute(&Data::new(payload));
                builder.finish().ok()?;
            }
        }
        allocation.traffic.datagrams_to_client += 1;
        allocation.traffic.bytes_to_client += payload.len() as u64;
        self.stats.relayed_to_clients += 1;
        Some(Transmit::new(path, out.len() - start))
    }

    /// Takes an ICMP error about a datagram that a relay socket sent to `peer` (RFC 8656 §11.5). When it is for the
    /// client, appends it to `out`.
    #[must_use = "the datagram counts as sent"]
    pub fn handle_relay_icmp(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        icmp: Icmp,
        out: &mut Vec<u8>,
    ) -> Option<Transmit> {
        self.advance(now);
        let path = self.by_relay.get(&relay).copied()?;
        let allocation = self.allocations.get(&path)?;
        let is_relevant =
            if peer.is_ipv4() { [3, 11].contains(&icmp.kind) } else { (1..=3).contains(&icmp.kind) };
        if !is_relevant || !allocation.permissions.permits(peer.ip(), self.now) {
            return None;
        }
        let start = out.len();
        let mut builder = Builder::indication(out, Method::DATA, TransactionId::random(&mut *self.rng));
        builder.attribute(&XorPeerAddress::new(peer)).attribute(&icmp);
        builder.finish().ok()?;
        Some(Transmit::new(path, out.len() - start))
    }

    /// ChannelData of a client (RFC 8656 §12.6). Refreshes nothing.
    fn relay_channel_data(&mut self, path: FiveTuple, data: &ChannelData<'_>) -> Received {
        let now = self.now;
        let Some(peer) =
            self.allocations.get(&path).and_then(|allocation| allocation.channels.peer(data.channel(), now))
        else {
            self.stats.unsolicited += 1;
            return Received::Ignored;
        };
        self.relay_to(path, peer, data.payload_range())
    }

    /// A Send indication (RFC 8656 §11.2). Refreshes nothing.
    fn relay_send(&mut self, path: FiveTuple, message: &Message<'_>) -> Received {
        let now = self.now;
        if message.unknown_required(KNOWN).next().is_some() {
            return self.ignore_malformed();
        }
        let data = message.attributes().find(|attribute| attribute.kind == AttributeType::DATA);
        let (Some(data), Ok(peer)) = (data, message.require::<XorPeerAddress>()) else {
            return self.ignore_malformed();
        };
        let peer = peer.address();
        let allocation = self.allocations.get(&path);
        if !allocation.is_some_and(|allocation| allocation.permissions.permits(peer.ip(), now)) {
            self.stats.unsolicited += 1;
            return Received::Ignored;
        }
        let start = HEADER_LEN + data.offset + 4;
        self.relay_to(path, peer, start..start + data.value.len())
    }

    fn relay_to(&mut self, path: FiveTuple, peer: SocketAddr, payload: Range<usize>) -> Received {
        if !self.may_send_to(path, peer) {
            self.stats.peers_forbidden += 1;
            return Received::Ignored;
        }
        let now = self.now;
        let Some(allocation) = self.allocations.get_mut(&path) else { return Received::Ignored };
        if allocation.bucket.as_mut().is_some_and(|bucket| !bucket.take(now, payload.len())) {
            allocation.traffic.datagrams_over_limit += 1;
            self.stats.over_limit += 1;
            return Received::Ignored;
        }
        allocation.traffic.datagrams_to_peers += 1;
        allocation.traffic.bytes_to_peers += payload.len() as u64;
        self.stats.relayed_to_peers += 1;
        Received::Relay { relay: allocation.relay, peer, payload }
    }

    const fn ignore_malformed(&mut self) -> Received {
        self.stats.malformed += 1;
        Received::Ignored
    }
}
