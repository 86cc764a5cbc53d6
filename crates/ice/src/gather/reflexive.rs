//! Asking a STUN server for our address (RFC 8445 §5.1.1.2, RFC 8489 §12).

#![deny(clippy::indexing_slicing)]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use stun::{
    Builder, Class, Message, Method, Step, Transaction, TransactionConfig, TransactionId,
    attr::{ErrorCode, XorMappedAddress},
};

/// How often the mapping is refreshed while the address may still be needed (RFC 8445 §11).
const KEEPALIVE: Duration = Duration::from_secs(15);

/// One question from one socket to one server.
#[derive(Debug)]
pub(crate) struct ReflexiveRequest {
    pub(crate) socket: SocketAddr,
    pub(crate) server: usize,
    pub(crate) server_address: SocketAddr,
    id: TransactionId,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Waits for its turn.
    Queued,
    Asking(Transaction),
    /// Answered; the mapping is kept alive.
    Done {
        keepalive_at: Instant,
    },
    Failed,
}

/// The end of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Mapped(SocketAddr),
    Refused { code: u16, reason: String },
}

impl ReflexiveRequest {
    pub(crate) fn new(
        id: TransactionId,
        socket: SocketAddr,
        server: usize,
        server_address: SocketAddr,
    ) -> Self {
        Self { socket, server, server_address, id, state: State::Queued }
    }

    pub(crate) fn is_queued(&self) -> bool {
        matches!(self.state, State::Queued)
    }

    pub(crate) fn is_pending(&self) -> bool {
        matches!(self.state, State::Queued | State::Asking(_))
    }

    pub(crate) fn start(&mut self, now: Instant, rto: Duration) {
        self.state = State::Asking(Transaction::new(now, &TransactionConfig::new().with_rto(rto)));
    }

    pub(crate) fn give_up(&mut self) {
        self.state = State::Failed;
    }

    /// Appends the request if it is due.
    pub(crate) fn poll(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let State::Asking(transaction) = &mut self.state else { return false };
        if transaction.poll(now) != Step::Send {
            return false;
        }
        let mut builder = Builder::request(out, Method::BINDING, self.id);
        builder.fingerprint();
        builder.finish().is_ok()
    }

    /// Appends a Binding indication if the mapping has to be refreshed.
    pub(crate) fn poll_keepalive(&mut self, now: Instant, out: &mut Vec<u8>, id: TransactionId) -> bool {
        let State::Done { keepalive_at } = &mut self.state else { return false };
        if *keepalive_at > now {
            return false;
        }
        *keepalive_at = now + KEEPALIVE;
        let mut builder = Builder::indication(out, Method::BINDING, id);
        builder.fingerprint();
        builder.finish().is_ok()
    }

    pub(crate) fn keepalive_at(&self) -> Option<Instant> {
        match self.state {
            State::Done { keepalive_at } => Some(keepalive_at),
            State::Queued | State::Asking(_) | State::Failed => None,
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Asking(transaction) => transaction.poll_timeout(),
            State::Queued | State::Done { .. } | State::Failed => None,
        }
    }

    /// Whether a response belongs here: transaction and both addresses.
    pub(crate) fn is_answered_by(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        message: &Message<'_>,
    ) -> bool {
        message.transaction_id() == self.id
            && self.socket == local
            && self.server_address == remote
            && matches!(self.state, State::Asking(_))
    }

    /// Takes the response. `None` when it is not one that ends the request.
    pub(crate) fn on_response(&mut self, now: Instant, message: &Message<'_>) -> Option<Outcome> {
        match message.class() {
            Class::Success => {
                let mapped = message.get::<XorMappedAddress>().ok()??.address();
                self.state = State::Done { keepalive_at: now + KEEPALIVE };
                Some(Outcome::Mapped(mapped))
            }
            Class::Error => {
                let error = message.get::<ErrorCode<'_>>().ok()??;
                self.state = State::Failed;
                let reason = error.reason().chars().filter(|char| !char.is_control()).take(128).collect();
                Some(Outcome::Refused { code: error.code().number(), reason })
            }
            Class::Request | Class::Indication => None,
        }
    }
}
