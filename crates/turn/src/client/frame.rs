//! Data for peers.

#![deny(clippy::indexing_slicing)]

use super::{Client, State};
use crate::{ChannelData, attr::XorPeerAddress};
use std::net::SocketAddr;
use stun::{AttributeType, Builder, HEADER_LEN, Method, TransactionId, net::Transmit};

/// The largest payload of an attribute or channel message.
const MAX_PAYLOAD: usize = 65_535;

impl Client {
    /// Appends a datagram that carries what `write` appends to `peer`, and says where it goes.
    ///
    /// It is ChannelData when a channel is bound (4 bytes more), a Send indication otherwise (36 bytes more, 48 for
    /// IPv6, and up to 3 of padding). `None`, and nothing appended, when there is no permission yet, or when `write`
    /// returns `None`.
    pub fn frame_with<R>(
        &mut self,
        peer: SocketAddr,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<R>,
    ) -> Option<(R, Transmit)> {
        if !matches!(self.state, State::Allocated(_)) || !self.permissions.is_active(peer.ip()) {
            return None;
        }
        let start = out.len();
        let (result, payload) = match self.channels.bound(peer) {
            Some(number) => {
                let result = ChannelData::append_with(number, out, write)?;
                (result, out.len() - start - ChannelData::HEADER_LEN)
            }
            None => {
                let id = TransactionId::random(&mut *self.rng);
                append_send(id, peer, out, write)?
            }
        };
        self.stats.datagrams_sent += 1;
        self.stats.bytes_sent += payload as u64;
        Some((result, Transmit::new(self.config.path(), out.len() - start)))
    }

    /// Bytes that [`frame_with`](Self::frame_with) adds to a payload for `peer`, at most.
    #[must_use]
    pub fn overhead(&self, peer: SocketAddr) -> usize {
        if self.channels.bound(peer).is_some() {
            return ChannelData::HEADER_LEN;
        }
        let address = if peer.is_ipv4() { 8 } else { 20 };
        HEADER_LEN + (4 + address) + 4 + 3
    }
}

/// A Send indication (RFC 8656 §11.1); returns the payload length too.
fn append_send<R>(
    id: TransactionId,
    peer: SocketAddr,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Option<R>,
) -> Option<(R, usize)> {
    let start = out.len();
    let mut written = None;
    let mut builder = Builder::indication(out, Method::SEND, id);
    builder.attribute(&XorPeerAddress::new(peer));
    builder.attribute_with(AttributeType::DATA, |out| {
        let body = out.len();
        written = write(out).map(|result| (result, out.len() - body));
    });
    let is_built = builder.finish().is_ok();
    let written = written.filter(|(_, len)| is_built && *len <= MAX_PAYLOAD);
    if written.is_none() {
        out.truncate(start);
    }
    written
}
