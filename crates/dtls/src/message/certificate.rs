//! Certificate (RFC 5246 §7.4.2).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::Violation;
use crate::message::whole;
use base::{LengthPrefix, PutExt};
use nom::combinator::all_consuming;
use nom::multi::{length_data, length_value, many0};
use nom::number::complete::be_u24;

/// Reads the first certificate of the chain, in DER; `None` when the chain is empty. The others are read over:
/// the fingerprint is that of the first, and no chain is built.
pub(crate) fn parse(body: &[u8]) -> Result<Option<&[u8]>, Violation> {
    let chain = length_value(be_u24, all_consuming(many0(length_data(be_u24))));
    whole("Certificate", body, chain).map(|chain| chain.first().copied())
}

/// Appends a chain of one.
pub(crate) fn write(out: &mut Vec<u8>, der: &[u8]) {
    let chain = LengthPrefix::<3>::start(out);
    let certificate = LengthPrefix::<3>::start(out);
    out.put_slice(der);
    certificate.finish(out);
    chain.finish(out);
}
