//! ABORT (RFC 9260 §3.3.7).

use super::{ABORT, ChunkWriter, FLAG_T};
use crate::cause;

/// Appends an ABORT with one cause.
pub(crate) fn write(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let chunk = ChunkWriter::start(out, ABORT, 0);
    cause::write(out, code, value);
    chunk.finish(out);
}

/// Appends an ABORT that carries the receiver's own tag (RFC 9260 §8.4).
pub(crate) fn write_reflected(out: &mut Vec<u8>) {
    //= rfc9260 §3.3.7
    //# If the Verification Tag is reflected, the T bit MUST be set to 1.
    ChunkWriter::start(out, ABORT, FLAG_T).finish(out);
}
