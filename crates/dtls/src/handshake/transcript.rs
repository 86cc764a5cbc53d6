//! All handshake messages so far, as one byte string (RFC 6347 §4.2.6).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::error::Fault;
use crate::event::Violation;
use crate::handshake::HandshakeType;
use crate::handshake::fragment::Fragment;

/// The messages in the form that hashes and signatures cover: each as if it had been sent in one fragment.
///
/// Kept in clear because the peer chooses the hash of its signature only at the end.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    bytes: Vec<u8>,
    /// Where the last message starts.
    last: usize,
    limit: usize,
}

impl Transcript {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), last: 0, limit }
    }

    /// Adds a message, ours or the peer's.
    pub(crate) fn push(&mut self, kind: HandshakeType, seq: u16, body: &[u8]) -> Result<(), Fault> {
        if self.bytes.len().saturating_add(body.len()) > self.limit {
            return Err(Violation::HandshakeTooLarge.into());
        }
        self.last = self.bytes.len();
        Fragment { kind, length: body.len() as u32, seq, offset: 0, body }.write(&mut self.bytes);
        Ok(())
    }

    /// All messages.
    pub(crate) fn all(&self) -> &[u8] {
        &self.bytes
    }

    /// All messages but the last.
    pub(crate) fn before_last(&self) -> &[u8] {
        self.bytes.get(..self.last).unwrap_or_default()
    }

    /// Starts anew: the first hello and its HelloVerifyRequest are not part of it.
    pub(crate) fn clear(&mut self) {
        self.bytes = Vec::new();
        self.last = 0;
    }

    /// Bytes held.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}
