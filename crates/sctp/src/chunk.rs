//! Chunks, one file each (RFC 9260 §3.3, RFC 3758 §3.2, RFC 6525 §3.1, RFC 8260 §2).
//!
//! ```text
//! +----------------+----------------+--------------------------------+
//! |      type      |     flags      |    length, these 4 included    |
//! +----------------+----------------+--------------------------------+
//! |                            value ...                             |
//! ```

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crate::tlv;
use base::PutExt;

pub(crate) mod abort;
pub(crate) mod data;
pub(crate) mod forward_tsn;
pub(crate) mod init;
pub(crate) mod reconfig;
pub(crate) mod sack;
pub(crate) mod shutdown;
pub(crate) mod unknown;

pub(crate) const DATA: u8 = 0;
pub(crate) const INIT: u8 = 1;
pub(crate) const INIT_ACK: u8 = 2;
pub(crate) const SACK: u8 = 3;
pub(crate) const HEARTBEAT: u8 = 4;
pub(crate) const HEARTBEAT_ACK: u8 = 5;
pub(crate) const ABORT: u8 = 6;
pub(crate) const SHUTDOWN: u8 = 7;
pub(crate) const SHUTDOWN_ACK: u8 = 8;
pub(crate) const ERROR: u8 = 9;
pub(crate) const COOKIE_ECHO: u8 = 10;
pub(crate) const COOKIE_ACK: u8 = 11;
pub(crate) const ECNE: u8 = 12;
pub(crate) const CWR: u8 = 13;
pub(crate) const SHUTDOWN_COMPLETE: u8 = 14;
pub(crate) const I_DATA: u8 = 64;
pub(crate) const RE_CONFIG: u8 = 130;
pub(crate) const PAD: u8 = 132;
pub(crate) const FORWARD_TSN: u8 = 192;
pub(crate) const I_FORWARD_TSN: u8 = 194;

/// The T bit of ABORT and SHUTDOWN COMPLETE: the verification tag is the receiver's own, sent back.
pub(crate) const FLAG_T: u8 = 1;

/// Bytes of type, flags and length.
pub(crate) const HEADER_LEN: usize = 4;

/// A chunk under construction.
#[derive(Debug)]
#[must_use = "the length stays zero until `finish`"]
pub(crate) struct ChunkWriter {
    start: usize,
}

impl ChunkWriter {
    pub(crate) fn start(out: &mut Vec<u8>, kind: u8, flags: u8) -> Self {
        let start = out.len();
        out.put_u8(kind);
        out.put_u8(flags);
        out.put_u16(0);
        Self { start }
    }

    /// Fills in the length and pads.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        //= rfc9260 §3.3.1
        //# Any padding MUST NOT be included in the Length field.
        let len = u16::try_from(out.len().saturating_sub(self.start)).unwrap_or(u16::MAX);
        if let Some(field) = out.get_mut(self.start.saturating_add(2)..).and_then(<[u8]>::first_chunk_mut) {
            *field = len.to_be_bytes();
        }
        tlv::pad(out, self.start);
    }
}

/// Appends a chunk whose value is given.
pub(crate) fn write(out: &mut Vec<u8>, kind: u8, flags: u8, value: &[u8]) {
    let chunk = ChunkWriter::start(out, kind, flags);
    out.put_slice(value);
    chunk.finish(out);
}
