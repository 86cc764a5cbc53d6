//! Requests in flight.

#![deny(clippy::indexing_slicing)]

use super::{Client, RequestError};
use crate::{
    ChannelNumber, Family,
    attr::{ChannelNumberAttribute, Lifetime, RequestedAddressFamily, RequestedTransport, XorPeerAddress},
};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Instant,
};
use stun::{AttributeType, Builder, Method, Transaction, TransactionId};

/// How often one request is repeated with new credentials, nonces or after a 500.
pub(super) const MAX_ATTEMPTS: u8 = 4;

pub(super) struct Request {
    pub(super) kind: Kind,
    pub(super) id: TransactionId,
    /// Every transmission is this, bit for bit.
    pub(super) datagram: Vec<u8>,
    pub(super) transaction: Transaction,
    /// Under which challenge it was signed; see [`stun::auth::LongTerm::generation`].
    pub(super) generation: u32,
    pub(super) is_signed: bool,
    /// Attempts of the same thing before this one.
    pub(super) attempts: u8,
}

impl Request {
    /// Whether the server may have seen it.
    pub(super) const fn is_on_its_way(&self) -> bool {
        self.transaction.requests_sent() > 0
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} x{}", self.kind, self.id, self.transaction.requests_sent())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Allocate,
    Channel(SocketAddr, ChannelNumber),
    Delete,
    Permission(IpAddr),
    Refresh,
}

impl Kind {
    pub(super) const fn method(self) -> Method {
        match self {
            Self::Allocate => Method::ALLOCATE,
            Self::Channel(..) => Method::CHANNEL_BIND,
            Self::Delete | Self::Refresh => Method::REFRESH,
            Self::Permission(_) => Method::CREATE_PERMISSION,
        }
    }
}

impl Client {
    /// Writes a request, to be sent at `at`. One that cannot be written fails at once.
    pub(super) fn start_request(&mut self, at: Instant, kind: Kind, attempts: u8) {
        let id = TransactionId::random(&mut *self.rng);
        let mut datagram = Vec::new();
        let mut builder = Builder::request(&mut datagram, kind.method(), id);
        match kind {
            Kind::Allocate => {
                builder.attribute(&RequestedTransport::UDP);
                // Without the attribute it is IPv4, which servers older than RFC 6156 understand too.
                if self.config.family == Family::Ipv6 {
                    builder.attribute(&RequestedAddressFamily::new(Family::Ipv6));
                }
                builder.attribute_opt(self.config.lifetime.map(Lifetime::new).as_ref());
            }
            Kind::Channel(peer, number) => {
                builder.attribute(&ChannelNumberAttribute::new(number));
                builder.attribute(&XorPeerAddress::new(peer));
            }
            Kind::Delete => {
                builder.attribute(&Lifetime::ZERO);
            }
            Kind::Permission(ip) => {
                builder.attribute(&XorPeerAddress::new(SocketAddr::new(ip, 0)));
            }
            Kind::Refresh => {
                builder.attribute_opt(self.config.lifetime.map(Lifetime::new).as_ref());
            }
        }
        if let (Kind::Allocate | Kind::Refresh, Some(software)) = (kind, &self.config.software) {
            builder.raw(AttributeType::SOFTWARE, software.as_bytes());
        }
        self.credentials.sign(&mut builder);
        let written = builder.finish();
        let request = Request {
            kind,
            id,
            datagram,
            transaction: Transaction::new(at, &self.config.transaction),
            generation: self.credentials.generation(),
            is_signed: self.credentials.is_challenged(),
            attempts,
        };
        match written {
            Ok(_) => self.requests.push(request),
            Err(_) => self.request_failed(request, RequestError::Unsigned),
        }
    }
}
