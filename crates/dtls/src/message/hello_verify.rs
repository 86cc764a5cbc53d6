//! HelloVerifyRequest (RFC 6347 §4.2.1).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::message::{version, whole};
use crate::{ProtocolVersion, Violation};
use base::{LengthPrefix, PutExt};
use nom::multi::length_data;
use nom::number::complete::be_u8;

/// Reads the cookie. The version says nothing about what will be negotiated.
pub(crate) fn parse(body: &[u8]) -> Result<&[u8], Violation> {
    whole("HelloVerifyRequest", body, (version, length_data(be_u8))).map(|(_, cookie)| cookie)
}

/// Appends the message.
///
//= rfc6347 §4.2.1
//# DTLS 1.2 server implementations SHOULD use DTLS version 1.0 regardless of the version of
//# TLS that is expected to be negotiated.
pub(crate) fn write(out: &mut Vec<u8>, cookie: &[u8]) {
    out.put_u16(ProtocolVersion::DTLS_1_0.0);
    let length = LengthPrefix::<1>::start(out);
    out.put_slice(cookie);
    length.finish(out);
}
