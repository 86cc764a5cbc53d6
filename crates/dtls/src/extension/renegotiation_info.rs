//! Secure renegotiation (RFC 5746), of which only the refusal is needed: the first handshake says "none before".

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::Violation;
use base::PutExt;

/// Appends the content for a first handshake: an empty string behind an 8-bit length.
pub(crate) fn put(out: &mut Vec<u8>) {
    out.put_u8(0);
}

/// Checks the content.
///
//= rfc5746 §3.6
//# The server MUST then verify
//# that the length of the "renegotiated_connection" field is zero,
//# and if it is not, MUST abort the handshake.
pub(crate) fn check(content: Option<&[u8]>) -> Result<(), Violation> {
    match content {
        None | Some([0]) => Ok(()),
        Some(_) => Err(Violation::Renegotiation),
    }
}
