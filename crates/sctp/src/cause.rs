//! Error causes (RFC 9260 §3.3.10).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crate::tlv::{self, Tlvs};
use base::PutExt;

pub(crate) const INVALID_STREAM: u16 = 1;
pub(crate) const STALE_COOKIE: u16 = 3;
pub(crate) const OUT_OF_RESOURCE: u16 = 4;
pub(crate) const UNRESOLVABLE_ADDRESS: u16 = 5;
pub(crate) const UNRECOGNIZED_CHUNK: u16 = 6;
pub(crate) const INVALID_MANDATORY_PARAMETER: u16 = 7;
pub(crate) const NO_USER_DATA: u16 = 9;
pub(crate) const COOKIE_WHILE_SHUTTING_DOWN: u16 = 10;
pub(crate) const USER_INITIATED_ABORT: u16 = 12;
pub(crate) const PROTOCOL_VIOLATION: u16 = 13;

/// Appends one cause.
pub(crate) fn write(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let start = out.len();
    out.put_u16(code);
    out.put_u16(u16::try_from(value.len().saturating_add(4)).unwrap_or(u16::MAX));
    out.put_slice(value);
    tlv::pad(out, start);
}

/// The first cause code in the value of an ABORT or ERROR chunk.
pub(crate) fn first_code(value: &[u8]) -> Option<u16> {
    Tlvs::new(value).next()?.ok().map(|cause| cause.code())
}
