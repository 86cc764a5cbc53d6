//! ServerHello (RFC 5246 §7.4.1.3).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::extension::Extensions;
use crate::message::{array, version, whole};
use crate::{CipherSuite, ProtocolVersion, Violation};
use base::{LengthPrefix, PutExt};
use nom::Parser;
use nom::combinator::{complete, opt, verify};
use nom::multi::length_data;
use nom::number::complete::{be_u8, be_u16};

/// A ServerHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerHello<'a> {
    pub(crate) version: ProtocolVersion,
    pub(crate) random: [u8; 32],
    pub(crate) cipher_suite: CipherSuite,
    pub(crate) compression_method: u8,
    pub(crate) extensions: Extensions<'a>,
}

impl<'a> ServerHello<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Violation> {
        let fixed = (
            version,
            array::<32>,
            verify(length_data(be_u8), |session_id: &[u8]| session_id.len() <= 32),
            be_u16.map(CipherSuite),
            be_u8,
            opt(complete(length_data(be_u16))),
        );
        let (version, random, _, cipher_suite, compression_method, block) =
            whole("ServerHello", body, fixed)?;
        let extensions = Extensions::parse(block.unwrap_or_default())?;
        Ok(Self { version, random, cipher_suite, compression_method, extensions })
    }
}

/// Appends a hello for DTLS 1.2; `extensions` appends the extensions.
pub(crate) fn write(
    out: &mut Vec<u8>,
    random: &[u8; 32],
    cipher_suite: CipherSuite,
    extensions: impl FnOnce(&mut Vec<u8>),
) {
    out.put_u16(ProtocolVersion::DTLS_1_2.0);
    out.put_slice(random);
    // No session id: sessions are not kept, so they cannot be resumed.
    out.put_u8(0);
    out.put_u16(cipher_suite.0);
    out.put_u8(0);
    let length = LengthPrefix::<2>::start(out);
    extensions(out);
    length.finish(out);
}
