//! A STUN server.

use crate::Node;
use std::{collections::VecDeque, time::Instant};
use stun::{
    Builder, Class, Message, Method,
    attr::XorMappedAddress,
    net::{FiveTuple, Transmit},
};

/// Answers Binding requests with the address they came from (RFC 8489 §6.3.1), and nothing else.
#[derive(Debug, Default)]
pub struct StunServer {
    answers: VecDeque<(FiveTuple, Vec<u8>)>,
    requests: u64,
}

impl StunServer {
    /// A server that has heard nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests answered so far.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }
}

impl Node for StunServer {
    fn on_datagram(&mut self, _now: Instant, path: FiveTuple, datagram: &mut [u8]) {
        let Ok(request) = Message::parse(datagram) else { return };
        if request.class() != Class::Request || request.method() != Method::BINDING {
            return;
        }
        let mut answer = Vec::new();
        let mut builder = Builder::success(&mut answer, &request);
        builder.attribute(&XorMappedAddress::new(path.remote));
        if request.has_fingerprint() {
            builder.fingerprint();
        }
        if builder.finish().is_ok() {
            self.requests += 1;
            self.answers.push_back((path, answer));
        }
    }

    fn on_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, _now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        let (path, answer) = self.answers.pop_front()?;
        out.extend_from_slice(&answer);
        Some(Transmit::new(path, answer.len()))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
