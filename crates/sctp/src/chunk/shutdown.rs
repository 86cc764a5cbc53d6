//! SHUTDOWN, SHUTDOWN ACK and SHUTDOWN COMPLETE (RFC 9260 §3.3.8, §3.3.9, §3.3.13).

use super::{ChunkWriter, SHUTDOWN};
use crate::tlv::Malformed;
use base::{PutExt, Reader, Serial32};

/// The cumulative TSN a SHUTDOWN acknowledges.
pub(crate) fn parse(value: &[u8]) -> Result<Serial32, Malformed> {
    Ok(Serial32(Reader::new(value).u32()?))
}

/// Appends a SHUTDOWN.
pub(crate) fn write(out: &mut Vec<u8>, cumulative: Serial32) {
    let chunk = ChunkWriter::start(out, SHUTDOWN, 0);
    out.put_u32(cumulative.0);
    chunk.finish(out);
}
