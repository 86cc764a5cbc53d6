//! An association from what signalling carried (draft-hancke-tsvwg-snap): no INIT, no INIT ACK, no cookie.
//!
//! Nothing here is less safe than the handshake it replaces: both ends are behind one DTLS association, and the
//! description that carries the INIT carries the fingerprint as well.

use crate::association::Association;
use crate::chunk::{
    self,
    init::{self, Extensions, Init, InitFields},
};
use crate::error::{InitError, SnapError};
use crate::state::State;
use crate::tlv::Tlvs;
use std::time::Instant;

/// The INIT of the peer, as its description has it in `a=sctp-init`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteInit {
    fields: InitFields,
    extensions: Extensions,
}

impl RemoteInit {
    /// Reads a complete INIT chunk, its header included. The padding of its last parameter may be missing.
    ///
    /// # Errors
    /// [`InitError`] when it is no INIT, or one that RFC 9260 §3.3.2 forbids.
    pub fn parse(chunk: &[u8]) -> Result<Self, InitError> {
        let mut chunks = Tlvs::new(chunk);
        let Some(Ok(first)) = chunks.next() else { return Err(InitError::Malformed) };
        if first.chunk_type() != chunk::INIT || chunks.next().is_some() {
            return Err(InitError::Malformed);
        }
        let init = Init::parse(first.value).map_err(|_| InitError::Malformed)?;
        if init.fields.tag == 0 || super::connect::unacceptable(&init).is_some() {
            return Err(InitError::Unacceptable);
        }
        Ok(Self { fields: init.fields, extensions: init.extensions })
    }
}

impl Association {
    /// What our description says in `a=sctp-init`: a complete INIT chunk. It is the same each time, and asking for it
    /// begins nothing.
    #[must_use]
    pub fn local_init(&self) -> Vec<u8> {
        let mut out = Vec::new();
        init::write(&mut out, chunk::INIT, &self.init_fields(self.local), self.offered(), None, &[]);
        out
    }

    /// Establishes the association at once, when the descriptions of both ends carried an INIT and DTLS is up.
    ///
    /// # Errors
    /// [`SnapError::Started`] when it has begun already; then nothing changes.
    pub fn start_from_init(&mut self, now: Instant, remote: &RemoteInit) -> Result<(), SnapError> {
        let now = self.tick(now);
        if !matches!(self.state, State::Closed) {
            return Err(SnapError::Started);
        }
        self.announce();
        self.adopt_peer(&remote.fields, remote.extensions);
        self.begin_transfer(remote.fields.window, remote.fields.tsn);
        self.establish(now);
        Ok(())
    }
}
