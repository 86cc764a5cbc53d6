//! Datagrams that come in.

#![deny(clippy::indexing_slicing)]

use super::{Agent, Era, Received};
use crate::{
    ConnectionState, SendErrorKind, TransportPolicy,
    checklist::{Base, Link, Pair, PairId, PairState},
    gather::RelayReceived,
};
use std::{net::SocketAddr, ops::Range, time::Instant};
use stun::{
    Class, Message, Method,
    net::{FiveTuple, Transport},
};

/// Longest STUN message taken from a peer: no check is longer. Data may be as long as a path carries.
const MAX_STUN: usize = 2_048;

/// Refused sends after which a pair that has not worked yet is given up.
const MAX_SEND_ERRORS: u8 = 2;

impl Agent {
    pub(super) fn receive(&mut self, now: Instant, path: FiveTuple, datagram: &[u8]) -> Received {
        if path.transport != Transport::Udp || self.gatherer.socket(path.local).is_none() {
            self.counters.unvalidated += 1;
            return Received::Ignored;
        }
        if let Some(relay) = self.gatherer.relay_on(path) {
            let id = relay.id();
            match relay.handle_datagram(now, path, datagram) {
                RelayReceived::Control => return Received::Control,
                RelayReceived::Peer { from, payload } => {
                    let Some(inner) = datagram.get(payload.clone()) else { return Received::Ignored };
                    return self.receive_inner(
                        now,
                        Link { base: Base::Relay(id), remote: from },
                        inner,
                        payload,
                    );
                }
                RelayReceived::Ignored => {}
            }
        }
        let link = Link { base: Base::Host(path.local), remote: without_scope(path.remote) };
        self.receive_inner(now, link, datagram, 0..datagram.len())
    }

    /// A datagram without TURN framing. `place` is where it lies in the datagram that came in.
    fn receive_inner(&mut self, now: Instant, link: Link, bytes: &[u8], place: Range<usize>) -> Received {
        match bytes.first() {
            None => {
                self.counters.bad_length += 1;
                Received::Ignored
            }
            Some(0..=3) if bytes.len() > MAX_STUN => {
                self.counters.bad_length += 1;
                Received::Ignored
            }
            // RFC 7983 §7.
            Some(0..=3) => self.receive_stun(now, link, bytes),
            Some(_) => self.receive_data(now, link, place),
        }
    }

    //= rfc8445 §12.2
    //# Even though ICE agents are only allowed to send data using valid
    //# candidate pairs (and, once selected pairs have been produced, only on
    //# the selected pairs), ICE implementations SHOULD by default be
    //# prepared to receive data on any of the candidates provided in the
    //# most recent candidate exchange with the peer.
    /// Data is handed on only when its path has passed an authenticated check (T-D01, T-I08).
    fn receive_data(&mut self, now: Instant, link: Link, place: Range<usize>) -> Received {
        let bytes = place.len() as u64;
        let Some(pair) = self.receiving_pair(link) else {
            if self.current.is_early(link) {
                return Received::Early;
            }
            self.counters.unvalidated += 1;
            trace!(?link, "dropped data from a path without a check");
            return Received::Ignored;
        };
        pair.counters.packets_received += 1;
        pair.counters.bytes_received += bytes;
        pair.counters.last_packet_received = Some(now);
        let id = pair.id();
        self.last_heard = Some(now);
        if self.state == ConnectionState::Disconnected {
            self.update_state(now);
        }
        if self.selected.is_some_and(|selected| selected.pair != id) {
            self.select(now);
        }
        Received::Peer { payload: place }
    }

    fn receiving_pair(&mut self, link: Link) -> Option<&mut Pair> {
        let in_current = self.current.checklist.find(link).is_some_and(Pair::may_receive);
        let generation = if in_current { Some(&mut self.current) } else { self.previous.as_mut() };
        generation?.checklist.find_mut(link).filter(|pair| pair.may_receive())
    }

    fn receive_stun(&mut self, now: Instant, link: Link, bytes: &[u8]) -> Received {
        //= rfc7675 §5.1
        //# STUN consent responses received after consent expiry do not
        //# re-establish consent and may be discarded or cause an ICMP error.
        self.expire(now);
        let Ok(message) = Message::parse(bytes) else {
            self.counters.malformed += 1;
            return Received::Ignored;
        };
        // A wrong fingerprint means that this is no STUN at all, or damaged.
        let intact = message.check_fingerprint().is_ok();
        if message.method() != Method::BINDING || (message.has_fingerprint() && !intact) {
            self.counters.malformed += 1;
            return Received::Ignored;
        }
        if let Base::Host(local) = link.base
            && message.class().is_response()
            && self.gatherer.handle_response(now, FiveTuple::udp(local, link.remote), &message)
        {
            return Received::Control;
        }
        // RFC 8445 §7.1: between peers FINGERPRINT is always there; servers may leave it out.
        if !intact {
            self.counters.malformed += 1;
            return Received::Ignored;
        }
        match message.class() {
            Class::Request => self.receive_request(now, link, &message),
            Class::Success | Class::Error => self.receive_response(now, link, &message),
            // A keepalive (RFC 8445 §11): proves nothing, changes nothing.
            Class::Indication => Received::Control,
        }
    }

    fn receive_request(&mut self, now: Instant, link: Link, message: &Message<'_>) -> Received {
        let relay_only = self.config.policy == TransportPolicy::Relay;
        if relay_only && matches!(link.base, Base::Host(_)) {
            // Answering would tell the peer an address that it must not learn.
            self.counters.unvalidated += 1;
            return Received::Ignored;
        }
        if self.respond(now, link, message) {
            return Received::Control;
        }
        // RFC 8489 §9.1.3 would have this answered with 400 or 401. No deployed peer needs the answer, and a source
        // that proved nothing gets none: there is nothing to amplify and nothing to learn.
        self.counters.unauthenticated += 1;
        Received::Ignored
    }

    pub(super) fn note_send_error(&mut self, path: FiveTuple, kind: SendErrorKind) {
        self.counters.send_errors += 1;
        match kind {
            SendErrorKind::Denied | SendErrorKind::Unreachable => {}
            // RFC 8445 §7.2.5.2.2 lets a check fail by ICMP; but anyone can send one, so the timeout decides.
            SendErrorKind::Refused | SendErrorKind::Temporary | SendErrorKind::TooLarge => return,
        }
        let link = Link { base: Base::Host(path.local), remote: without_scope(path.remote) };
        for era in [Era::Current, Era::Previous] {
            let Some(generation) = self.generation_mut(era) else { continue };
            let Some(pair) = generation.checklist.find_mut(link) else { continue };
            pair.send_errors = pair.send_errors.saturating_add(1);
            let hopeless = pair.send_errors >= MAX_SEND_ERRORS && pair.state == PairState::InProgress;
            let id: PairId = pair.id();
            if hopeless && !pair.is_valid() {
                generation.checks.retain(|check| check.pair != id);
                generation.checklist.fail(id);
            }
        }
    }
}

/// The address as it is signalled: the scope of a link-local address means something on its own host only.
fn without_scope(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port())
}
