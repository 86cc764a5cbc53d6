//! AES-GCM protection of records (RFC 5288 §3, RFC 5246 §6.2.3.3).
//!
//! ```text
//! nonce  = fixed IV (4 bytes) | explicit nonce (8)
//! record = header (13) | explicit nonce (8) | ciphertext | tag (16)
//! ```

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::record::v12::Header;
use crypto::{AeadKey, AuthError};

/// Bytes of the nonce that travel with the record.
pub(crate) const EXPLICIT_NONCE_LEN: usize = 8;
/// Bytes of the tag.
pub(crate) const TAG_LEN: usize = 16;
/// Bytes that protection adds to a fragment.
pub(crate) const OVERHEAD: usize = EXPLICIT_NONCE_LEN + TAG_LEN;

/// The key and the fixed part of the nonce of one direction.
#[derive(Debug)]
pub(crate) struct RecordKey {
    key: Box<dyn AeadKey>,
    fixed_iv: [u8; 4],
}

impl RecordKey {
    pub(crate) fn new(key: Box<dyn AeadKey>, fixed_iv: [u8; 4]) -> Self {
        Self { key, fixed_iv }
    }

    /// Encrypts in place. `header` is that of the record; its length field is not looked at.
    ///
    /// The explicit nonce is epoch and sequence number, never anything else:
    ///
    //= rfc5288 §3
    //# The nonce_explicit MAY be the 64-bit sequence number.
    pub(crate) fn seal(
        &self,
        header: &Header,
        plaintext: &mut [u8],
    ) -> ([u8; EXPLICIT_NONCE_LEN], [u8; TAG_LEN]) {
        let explicit = header.number().to_be_bytes();
        let mut tag = [0; TAG_LEN];
        self.key.seal(&self.nonce(explicit), &aad(header, plaintext.len()), plaintext, &mut tag);
        (explicit, tag)
    }

    /// Decrypts the fragment of a record in place and returns the plaintext within.
    pub(crate) fn open<'a>(
        &self,
        header: &Header,
        fragment: &'a mut [u8],
    ) -> Result<&'a mut [u8], AuthError> {
        let (explicit, rest) = fragment.split_first_chunk_mut::<EXPLICIT_NONCE_LEN>().ok_or(AuthError)?;
        let (ciphertext, tag) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or(AuthError)?;
        self.key.open(&self.nonce(*explicit), &aad(header, ciphertext.len()), ciphertext, tag)?;
        Ok(ciphertext)
    }

    fn nonce(&self, explicit: [u8; EXPLICIT_NONCE_LEN]) -> [u8; 12] {
        let mut nonce = [0; 12];
        let (fixed, rest) = nonce.split_at_mut(4);
        fixed.copy_from_slice(&self.fixed_iv);
        rest.copy_from_slice(&explicit);
        nonce
    }
}

/// The additional data: sequence number, type, version and plaintext length.
fn aad(header: &Header, plaintext_len: usize) -> [u8; 13] {
    let [n0, n1, n2, n3, n4, n5, n6, n7] = header.number().to_be_bytes();
    let [v0, v1] = header.version.bytes();
    let [l0, l1] = (plaintext_len as u16).to_be_bytes();
    [n0, n1, n2, n3, n4, n5, n6, n7, header.content, v0, v1, l0, l1]
}
