//! ServerKeyExchange and ClientKeyExchange of ECDHE (RFC 8422 §5.4, §5.7).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::Violation;
use crate::message::certificate_verify::{Signed, signed};
use crate::message::whole;
use base::{LengthPrefix, PutExt};
use nom::bytes::complete::tag;
use nom::multi::length_data;
use nom::number::complete::{be_u8, be_u16};

/// The curve type "named_curve", the only one left.
const NAMED_CURVE: u8 = 3;

/// A ServerKeyExchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerKeyExchange<'a> {
    pub(crate) group: u16,
    pub(crate) public: &'a [u8],
    /// The bytes of the parameters, which are signed after both randoms.
    pub(crate) params: &'a [u8],
    pub(crate) signed: Signed<'a>,
}

impl<'a> ServerKeyExchange<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Violation> {
        let fixed = (tag(&[NAMED_CURVE][..]), be_u16, length_data(be_u8), signed);
        let (_, group, public, signed) = whole("ServerKeyExchange", body, fixed)?;
        let params = body.get(..public.len().saturating_add(4)).unwrap_or_default();
        Ok(Self { group, public, params, signed })
    }
}

/// Appends the parameters of a ServerKeyExchange: what is signed, and what the signature follows.
pub(crate) fn write_params(out: &mut Vec<u8>, group: u16, public: &[u8]) {
    out.put_u8(NAMED_CURVE);
    out.put_u16(group);
    write_client(out, public);
}

/// Reads the public key of a ClientKeyExchange.
pub(crate) fn parse_client(body: &[u8]) -> Result<&[u8], Violation> {
    whole("ClientKeyExchange", body, length_data(be_u8))
}

/// Appends a ClientKeyExchange.
pub(crate) fn write_client(out: &mut Vec<u8>, public: &[u8]) {
    let length = LengthPrefix::<1>::start(out);
    out.put_slice(public);
    length.finish(out);
}

/// The content that a ServerKeyExchange signs.
pub(crate) fn signed_content(client_random: &[u8; 32], server_random: &[u8; 32], params: &[u8]) -> Vec<u8> {
    [client_random, server_random, params].concat()
}
