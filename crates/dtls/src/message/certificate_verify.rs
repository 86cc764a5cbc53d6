//! CertificateVerify (RFC 5246 §7.4.8), and the signature that it shares with ServerKeyExchange.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::Violation;
use crate::message::whole;
use base::{LengthPrefix, PutExt};
use nom::IResult;
use nom::Parser;
use nom::multi::length_data;
use nom::number::complete::be_u16;

/// A signature with the number of its scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signed<'a> {
    pub(crate) scheme: u16,
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads the body of a CertificateVerify message.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Violation> {
        whole("CertificateVerify", body, signed)
    }

    /// Appends it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_u16(self.scheme);
        let length = LengthPrefix::<2>::start(out);
        out.put_slice(self.signature);
        length.finish(out);
    }
}

pub(crate) fn signed(input: &[u8]) -> IResult<&[u8], Signed<'_>> {
    (be_u16, length_data(be_u16)).map(|(scheme, signature)| Signed { scheme, signature }).parse(input)
}
