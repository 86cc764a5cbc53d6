//! ClientHello (RFC 6347 §4.2.1).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::extension::Extensions;
use crate::message::{array, version, whole};
use crate::{CipherSuite, ProtocolVersion, Violation};
use base::{LengthPrefix, PutExt};
use nom::Parser;
use nom::combinator::{all_consuming, complete, opt, verify};
use nom::multi::{length_data, length_value, many1};
use nom::number::complete::{be_u8, be_u16};

/// A ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientHello<'a> {
    pub(crate) version: ProtocolVersion,
    pub(crate) random: [u8; 32],
    pub(crate) session_id: &'a [u8],
    pub(crate) cookie: &'a [u8],
    pub(crate) cipher_suites: Vec<CipherSuite>,
    pub(crate) compression_methods: &'a [u8],
    pub(crate) extensions: Extensions<'a>,
}

impl<'a> ClientHello<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Violation> {
        let fixed = (
            version,
            array::<32>,
            verify(length_data(be_u8), |session_id: &[u8]| session_id.len() <= 32),
            length_data(be_u8),
            length_value(be_u16, all_consuming(many1(be_u16.map(CipherSuite)))),
            length_data(be_u8),
            opt(complete(length_data(be_u16))),
        );
        let (version, random, session_id, cookie, cipher_suites, compression_methods, block) =
            whole("ClientHello", body, fixed)?;
        let extensions = Extensions::parse(block.unwrap_or_default())?;
        Ok(Self { version, random, session_id, cookie, cipher_suites, compression_methods, extensions })
    }
}

/// Appends a hello for DTLS 1.2; `extensions` appends the extensions.
pub(crate) fn write(
    out: &mut Vec<u8>,
    random: &[u8; 32],
    cookie: &[u8],
    cipher_suites: &[CipherSuite],
    extensions: impl FnOnce(&mut Vec<u8>),
) {
    out.put_u16(ProtocolVersion::DTLS_1_2.0);
    out.put_slice(random);
    // No session to resume.
    out.put_u8(0);
    let length = LengthPrefix::<1>::start(out);
    out.put_slice(cookie);
    length.finish(out);
    let length = LengthPrefix::<2>::start(out);
    for suite in cipher_suites {
        out.put_u16(suite.0);
    }
    length.finish(out);
    // RFC 8827 §6.5, RFC 9325 §3.3: no compression.
    out.put_slice(&[1, 0]);
    let length = LengthPrefix::<2>::start(out);
    extensions(out);
    length.finish(out);
}
