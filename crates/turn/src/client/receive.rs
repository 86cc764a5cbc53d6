//! Datagrams from the server.

#![deny(clippy::indexing_slicing)]

use super::{
    Client, Event, RequestError, State,
    request::{MAX_ATTEMPTS, Request},
};
use crate::{
    ChannelData,
    attr::{Icmp, XorPeerAddress},
};
use std::{net::SocketAddr, ops::Range, time::Instant};
use stun::{
    AttributeType, Class, HEADER_LEN, Message, Method,
    attr::{Code, ErrorCode},
    net::FiveTuple,
};

/// ICMP events waiting at most: nothing authenticates them.
const MAX_ICMP_EVENTS: usize = 32;

/// The comprehension-required attributes of responses and indications.
const KNOWN: &[AttributeType] = &[
    AttributeType::MAPPED_ADDRESS,
    AttributeType::USERNAME,
    AttributeType::ERROR_CODE,
    AttributeType::UNKNOWN_ATTRIBUTES,
    AttributeType::CHANNEL_NUMBER,
    AttributeType::LIFETIME,
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::DATA,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::XOR_RELAYED_ADDRESS,
    AttributeType::REQUESTED_ADDRESS_FAMILY,
    AttributeType::EVEN_PORT,
    AttributeType::REQUESTED_TRANSPORT,
    AttributeType::DONT_FRAGMENT,
    AttributeType::PASSWORD_ALGORITHM,
    AttributeType::USERHASH,
    AttributeType::XOR_MAPPED_ADDRESS,
    AttributeType::RESERVATION_TOKEN,
];

/// What a datagram was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "data of a peer is not kept"]
#[expect(clippy::exhaustive_enums, reason = "a datagram is ours, a peer's, or neither")]
pub enum Received {
    /// It was for the client itself.
    Control,
    /// It is not for this client: another path, another protocol, an answer to somebody else's request, or data
    /// that nobody is permitted to send.
    Ignored,
    /// It carries data of a peer.
    Peer {
        /// Who sent it to the relayed address.
        from: SocketAddr,
        /// Where the data is in the datagram.
        payload: Range<usize>,
    },
}

impl Client {
    /// Takes a datagram that arrived on `path`.
    pub fn handle_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &[u8]) -> Received {
        self.note_time(now);
        if path != self.config.path() || matches!(self.state, State::Ended) {
            self.stats.datagrams_ignored += 1;
            return Received::Ignored;
        }
        let received = if ChannelData::matches(datagram) {
            self.handle_channel_data(datagram)
        } else {
            match Message::parse(datagram) {
                Ok(message) if message.has_fingerprint() && message.check_fingerprint().is_err() => None,
                Ok(message) => self.handle_message(&message),
                Err(_) => None,
            }
        };
        received.unwrap_or_else(|| {
            self.stats.datagrams_ignored += 1;
            Received::Ignored
        })
    }

    fn handle_channel_data(&mut self, datagram: &[u8]) -> Option<Received> {
        let data = ChannelData::parse(datagram)?;
        let from = self.channels.peer(data.channel())?;
        self.admit_peer(from, data.payload_range())
    }

    fn handle_message(&mut self, message: &Message<'_>) -> Option<Received> {
        match message.class() {
            Class::Request => None,
            Class::Indication if message.method() == Method::DATA => self.handle_data(message),
            Class::Indication => None,
            Class::Success | Class::Error => self.handle_response(message),
        }
    }

    /// A Data indication (RFC 8656 §11.4, §11.6).
    fn handle_data(&mut self, message: &Message<'_>) -> Option<Received> {
        if message.unknown_required(KNOWN).next().is_some() {
            return None;
        }
        let from = message.require::<XorPeerAddress>().ok()?.address();
        if let Some(icmp) = message.get::<Icmp>().ok()? {
            if self.permissions.is_wanted(from.ip()) && self.events.len() < MAX_ICMP_EVENTS {
                self.events.push_back(Event::Icmp { peer: from, icmp });
            }
            return Some(Received::Control);
        }
        let data = message.attributes().find(|attribute| attribute.kind == AttributeType::DATA)?;
        let start = HEADER_LEN + data.offset + 4;
        self.admit_peer(from, start..start + data.value.len())
    }

    fn admit_peer(&mut self, from: SocketAddr, payload: Range<usize>) -> Option<Received> {
        //= rfc8656 §12.6
        //# On the client, it is RECOMMENDED that the client discard the
        //# ChannelData message if the client believes there is no active
        //# permission towards the peer.
        let is_open = matches!(self.state, State::Allocated(_));
        if !is_open || !self.permissions.is_wanted(from.ip()) {
            self.stats.unpermitted_dropped += 1;
            return Some(Received::Ignored);
        }
        self.stats.datagrams_received += 1;
        self.stats.bytes_received += payload.len() as u64;
        Some(Received::Peer { from, payload })
    }

    fn handle_response(&mut self, response: &Message<'_>) -> Option<Received> {
        let id = response.transaction_id();
        let is_answer = |request: &Request| request.id == id && request.kind.method() == response.method();
        let index = self.requests.iter().position(is_answer)?;
        let request = self.requests.get_mut(index)?;
        // A request that was never sent cannot be answered.
        if !request.is_on_its_way() {
            return None;
        }
        self.stats.responses_received += 1;
        let code = error_code(response);
        let is_challenge = matches!(code, Some(Code::UNAUTHENTICATED | Code::STALE_NONCE));
        //= rfc8489 §9.2.5
        //# If the request was sent over an unreliable transport, the response
        //# MUST be discarded, as if it had never been received.
        if request.is_signed && !is_challenge && self.credentials.verify(response).is_err() {
            request.transaction.note_violation();
            self.stats.responses_unverified += 1;
            return Some(Received::Control);
        }
        let request = self.requests.swap_remove(index);
        let has_unknown = response.unknown_required(KNOWN).next().is_some();
        match (response.class(), code) {
            _ if has_unknown => self.request_failed(request, RequestError::UnknownAttribute),
            (Class::Success, _) => self.request_succeeded(&request, response),
            (_, Some(Code::UNAUTHENTICATED | Code::STALE_NONCE)) => self.challenged(request, response),
            (_, Some(code)) => self.request_refused(request, code, response),
            (_, None) => {
                let error = stun::AttributeError::Missing(AttributeType::ERROR_CODE);
                self.request_failed(request, RequestError::Malformed(error));
            }
        }
        Some(Received::Control)
    }

    /// A 401 or 438 answer: the same thing is tried again, with what the answer gave.
    fn challenged(&mut self, request: Request, response: &Message<'_>) {
        if error_code(response) == Some(Code::STALE_NONCE) {
            self.stats.stale_nonces += 1;
        }
        let is_closing = matches!(self.state, State::Closing { .. });
        if is_closing && !request.is_signed {
            // Nothing was allocated, and nothing is wanted any more.
            self.finish_closing();
            return;
        }
        // A newer nonce than that of the request is known already: the request was merely overtaken.
        if request.generation == self.credentials.generation()
            && let Err(error) = self.credentials.handle_challenge(response)
        {
            self.request_failed(request, RequestError::Challenge(error));
            return;
        }
        if request.attempts >= MAX_ATTEMPTS {
            let code = error_code(response).unwrap_or(Code::UNAUTHENTICATED);
            self.request_failed(request, RequestError::Refused(code));
            return;
        }
        self.start_request(self.now, request.kind, request.attempts + 1);
    }
}

fn error_code(response: &Message<'_>) -> Option<Code> {
    if response.class() != Class::Error {
        return None;
    }
    response.get::<ErrorCode<'_>>().ok().flatten().map(|error| error.code())
}
