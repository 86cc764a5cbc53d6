//! The allocation itself and what responses mean for it (RFC 8656 §7.3, §7.4, §8.3).

#![deny(clippy::indexing_slicing)]

use super::{
    AllocateError, Client, CloseReason, Event, RequestError, State,
    request::{Kind, MAX_ATTEMPTS, Request},
};
use crate::{
    Family,
    attr::{Lifetime, XorRelayedAddress},
    log::debug,
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use stun::{
    Message,
    attr::{AlternateServer, Code, XorMappedAddress},
};

/// Longest lifetime believed; a longer one is refreshed earlier than need be, which does no harm.
const MAX_LIFETIME: Duration = Duration::from_secs(3_600);

/// How long before the end the first refresh is sent: time for several transactions of 39.5 s.
const REFRESH_MARGIN: Duration = Duration::from_secs(120);

/// How soon a refresh that failed is tried again, and a request after a 500.
const RETRY_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) relayed: SocketAddr,
    pub(super) mapped: SocketAddr,
    /// When the server forgets it.
    pub(super) expires: Instant,
    /// When to refresh it; `None` while a refresh is in flight.
    pub(super) refresh_at: Option<Instant>,
}

impl Client {
    /// A response to `request` that is proven, or to a request that was not signed.
    pub(super) fn request_succeeded(&mut self, request: &Request, response: &Message<'_>) {
        match request.kind {
            Kind::Allocate => match self.read_allocation(response) {
                Ok((allocation, lifetime)) => self.allocated(allocation, lifetime),
                Err(error) => self.allocate_failed(error),
            },
            Kind::Channel(peer, _) => {
                self.channels.granted(peer, self.now, &mut self.events);
                // ChannelBind refreshes the permission too (RFC 8656 §12.1).
                self.permissions.granted(peer.ip(), self.now, &mut self.events);
            }
            Kind::Delete => self.finish_closing(),
            Kind::Permission(ip) => self.permissions.granted(ip, self.now, &mut self.events),
            Kind::Refresh => match response.require::<Lifetime>() {
                Ok(lifetime) => self.refreshed(lifetime),
                Err(error) => self.refresh_failed(RequestError::Malformed(error)),
            },
        }
    }

    /// An error response that is proven, or to a request that was not signed.
    pub(super) fn request_refused(&mut self, request: Request, code: Code, response: &Message<'_>) {
        debug!("turn: {:?} request refused: {code}", request.kind);
        match (request.kind, code) {
            //= rfc8489 §14.8
            //# This error response MUST be protected with the
            //# MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 attribute, and
            //# receivers MUST validate the MESSAGE-INTEGRITY or MESSAGE-
            //# INTEGRITY-SHA256 of this response before redirecting themselves
            //# to an alternate server.
            (Kind::Allocate, Code::TRY_ALTERNATE) if request.is_signed => {
                match self.alternate_server(response) {
                    Some(server) if matches!(self.state, State::Allocating) => {
                        self.end(Event::AlternateServer(server));
                    }
                    _ => self.request_failed(request, RequestError::Refused(code)),
                }
            }
            //= rfc8489 §6.3.4
            //# If the error code is 500 through 599, the client MAY resend the
            //# request; clients that do so MUST limit the number of times they do
            //# this.
            (kind, Code::SERVER_ERROR) if request.attempts < MAX_ATTEMPTS && kind != Kind::Delete => {
                self.start_request(self.now + RETRY_AFTER, kind, request.attempts + 1);
            }
            (Kind::Delete, _) => self.finish_closing(),
            //= rfc8656 §5
            //# A client
            //# receiving a 437 error response to a request other than Allocate MUST
            //# assume the allocation no longer exists.
            (Kind::Channel(..) | Kind::Permission(_) | Kind::Refresh, Code::ALLOCATION_MISMATCH) => {
                self.end(Event::Closed(CloseReason::AllocationLost));
            }
            _ => self.request_failed(request, RequestError::Refused(code)),
        }
    }

    /// A request came to nothing.
    pub(super) fn request_failed(&mut self, request: Request, error: RequestError) {
        match request.kind {
            Kind::Allocate => self.allocate_failed(error.into()),
            Kind::Channel(peer, _) => self.channels.failed(peer, self.now, error, &mut self.events),
            Kind::Delete => self.finish_closing(),
            Kind::Permission(ip) => self.permissions.failed(ip, self.now, error, &mut self.events),
            Kind::Refresh => self.refresh_failed(error),
        }
    }

    fn read_allocation(&self, response: &Message<'_>) -> Result<(Allocation, Duration), AllocateError> {
        let malformed = |error| AllocateError::Request(RequestError::Malformed(error));
        let relayed = response.require::<XorRelayedAddress>().map_err(malformed)?.address();
        let mapped = response.require::<XorMappedAddress>().map_err(malformed)?.address();
        let lifetime = response.require::<Lifetime>().map_err(malformed)?.duration().min(MAX_LIFETIME);
        let allocation = Allocation {
            relayed,
            mapped,
            expires: self.now + lifetime,
            refresh_at: Some(self.now + refresh_after(lifetime)),
        };
        Ok((allocation, lifetime))
    }

    fn allocated(&mut self, allocation: Allocation, lifetime: Duration) {
        if let State::Closing { .. } = self.state {
            // It came while we were waiting to delete it.
            self.start_request(self.now, Kind::Delete, 0);
            return;
        }
        if lifetime.is_zero() {
            self.end(Event::Closed(CloseReason::AllocationLost));
            return;
        }
        let (relayed, mapped) = (allocation.relayed, allocation.mapped);
        self.state = State::Allocated(allocation);
        //= rfc8656 §7.3
        //# If these addresses are not
        //# part of an address family or families that the client is prepared to
        //# handle, then the client MUST delete the allocation (Section 8)
        if Family::of(relayed.ip()) != self.config.family {
            self.close_with(Event::Failed(AllocateError::FamilyMismatch));
            return;
        }
        debug!("turn: allocated {relayed} for {lifetime:?}");
        self.events.push_back(Event::Allocated { relayed, mapped, lifetime });
    }

    fn allocate_failed(&mut self, error: AllocateError) {
        match self.state {
            State::Closing { .. } => self.finish_closing(),
            State::Allocating | State::Allocated(_) => self.end(Event::Failed(error)),
            State::Ended => {}
        }
    }

    fn refreshed(&mut self, lifetime: Lifetime) {
        let State::Allocated(allocation) = &mut self.state else { return };
        let lifetime = lifetime.duration().min(MAX_LIFETIME);
        if lifetime.is_zero() {
            self.end(Event::Closed(CloseReason::AllocationLost));
            return;
        }
        allocation.expires = self.now + lifetime;
        allocation.refresh_at = Some(self.now + refresh_after(lifetime));
    }

    /// Tries again until the end, which a host that slept may see only afterwards: then this was the last try.
    fn refresh_failed(&mut self, error: RequestError) {
        let State::Allocated(allocation) = &mut self.state else { return };
        debug!("turn: refresh failed: {error}");
        if allocation.expires <= self.now {
            self.end(Event::Closed(CloseReason::Expired));
            return;
        }
        allocation.refresh_at = Some(self.now + RETRY_AFTER);
    }

    /// The first alternate server that our socket can reach (RFC 8489 §10).
    fn alternate_server(&self, response: &Message<'_>) -> Option<SocketAddr> {
        let path = self.config.path();
        let servers = response.all::<AlternateServer>().flatten().map(AlternateServer::address);
        let mut reachable = servers.filter(|server| {
            server.is_ipv4() == path.local.is_ipv4() && *server != path.remote && server.port() != 0
        });
        reachable.next()
    }
}

/// When to refresh something that lives for `lifetime`.
fn refresh_after(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(REFRESH_MARGIN.min(lifetime / 2))
}
