//! The two directions of an epoch: sequence numbers out, replay window in.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::ProtocolVersion;
use crate::record::aead::{EXPLICIT_NONCE_LEN, OVERHEAD, RecordKey, TAG_LEN};
use crate::record::v12::{HEADER_LEN, Header};
use crate::record::{ContentType, MAX_PLAINTEXT};
use base::{PutExt, ReplayWindow};

/// The last sequence number that may be used: at 2^48 - 1 the epoch is over.
const LAST_SEQUENCE: u64 = (1 << 48) - 2;

/// The writing side of an epoch.
#[derive(Debug)]
pub(crate) struct WriteEpoch {
    epoch: u16,
    next: u64,
    /// `None` for epoch 0, which is in clear text.
    key: Option<RecordKey>,
}

impl WriteEpoch {
    pub(crate) const fn plain() -> Self {
        Self { epoch: 0, next: 0, key: None }
    }

    pub(crate) const fn protected(epoch: u16, key: RecordKey) -> Self {
        Self { epoch, next: 0, key: Some(key) }
    }

    pub(crate) const fn epoch(&self) -> u16 {
        self.epoch
    }

    /// Bytes that a record has beyond its plaintext.
    pub(crate) const fn overhead(&self) -> usize {
        if self.key.is_some() { HEADER_LEN + OVERHEAD } else { HEADER_LEN }
    }

    /// Whether no sequence number is left.
    pub(crate) const fn is_exhausted(&self) -> bool {
        self.next > LAST_SEQUENCE
    }

    /// Moves the next sequence number forward, never back.
    pub(crate) fn raise(&mut self, sequence: u64) {
        // A number near the end would let a forged hello use up the epoch.
        if sequence < LAST_SEQUENCE / 2 {
            self.next = self.next.max(sequence);
        }
    }

    #[cfg(test)]
    pub(crate) fn set_next(&mut self, next: u64) {
        self.next = next;
    }

    /// Appends one record whose plaintext `write` appends. On an error nothing is appended.
    pub(crate) fn seal_with<R>(
        &mut self,
        content: ContentType,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<R>,
    ) -> Result<R, SealError> {
        if self.is_exhausted() {
            return Err(SealError::Exhausted);
        }
        let start = out.len();
        let prefix = if self.key.is_some() { HEADER_LEN + EXPLICIT_NONCE_LEN } else { HEADER_LEN };
        out.put_zeros(prefix);
        let Some(result) = write(out) else {
            out.truncate(start);
            return Err(SealError::Declined);
        };
        let len = out.len().saturating_sub(start.saturating_add(prefix));
        if len == 0 || len > MAX_PLAINTEXT {
            out.truncate(start);
            return Err(SealError::Length);
        }
        self.finish(content, out, start, len);
        Ok(result)
    }

    /// Appends one record with this plaintext.
    pub(crate) fn seal(
        &mut self,
        content: ContentType,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        self.seal_with(content, out, |out| {
            out.extend_from_slice(plaintext);
            Some(())
        })
    }

    /// Fills in what was reserved before the plaintext, encrypts, and appends the tag.
    fn finish(&mut self, content: ContentType, out: &mut Vec<u8>, start: usize, len: usize) {
        let overhead = if self.key.is_some() { OVERHEAD } else { 0 };
        let length = len.saturating_add(overhead) as u16;
        let header = Header::new(content, ProtocolVersion::DTLS_1_2, self.epoch, self.next, length);
        // The last number is refused before it is reached.
        self.next = self.next.saturating_add(1);
        let Some((head, rest)) = out.get_mut(start..).and_then(<[u8]>::split_first_chunk_mut::<HEADER_LEN>)
        else {
            return;
        };
        *head = header.encode();
        let Some(key) = &self.key else { return };
        let Some((nonce, plaintext)) = rest.split_first_chunk_mut::<EXPLICIT_NONCE_LEN>() else { return };
        let (explicit, tag): (_, [u8; TAG_LEN]) = key.seal(&header, plaintext);
        *nonce = explicit;
        out.put_slice(&tag);
    }
}

/// Why no record was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SealError {
    Declined,
    Exhausted,
    Length,
}

/// The reading side of a protected epoch.
#[derive(Debug)]
pub(crate) struct ReadEpoch {
    epoch: u16,
    key: RecordKey,
    window: ReplayWindow<4>,
}

/// Why a record was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    Replayed,
    Unauthentic,
}

impl ReadEpoch {
    pub(crate) fn new(epoch: u16, key: RecordKey) -> Self {
        Self { epoch, key, window: ReplayWindow::new() }
    }

    pub(crate) const fn epoch(&self) -> u16 {
        self.epoch
    }

    /// Decrypts in place and remembers the sequence number, in this order:
    ///
    //= rfc6347 §4.1.2.6
    //# The receive window is updated only if the MAC verification succeeds.
    pub(crate) fn open<'a>(
        &mut self,
        header: &Header,
        fragment: &'a mut [u8],
    ) -> Result<&'a mut [u8], OpenError> {
        if !self.window.is_new(header.sequence) {
            return Err(OpenError::Replayed);
        }
        let plaintext = self.key.open(header, fragment).map_err(|_| OpenError::Unauthentic)?;
        self.window.record(header.sequence);
        Ok(plaintext)
    }
}
