//! CertificateRequest (RFC 5246 §7.4.4).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::message::whole;
use crate::{Violation, extension};
use base::PutExt;
use crypto::SignatureScheme;
use nom::combinator::all_consuming;
use nom::multi::{length_data, length_value, many0};
use nom::number::complete::{be_u8, be_u16};

/// Certificate types: rsa_sign, and ecdsa_sign (RFC 8422 §5.5).
const CERTIFICATE_TYPES: [u8; 2] = [64, 1];

/// Reads the signature schemes that the server takes. Certificate types add nothing to them, and authorities mean
/// nothing for certificates that are known by their fingerprints.
pub(crate) fn parse(body: &[u8]) -> Result<Vec<u16>, Violation> {
    let authorities = length_value(be_u16, all_consuming(many0(length_data(be_u16))));
    let fixed = (length_data(be_u8), length_value(be_u16, all_consuming(many0(be_u16))), authorities);
    whole("CertificateRequest", body, fixed).map(|(_, schemes, _)| schemes)
}

/// Appends a request for a certificate whose key signs with one of `schemes`.
pub(crate) fn write(out: &mut Vec<u8>, schemes: &[SignatureScheme]) {
    out.put_u8(CERTIFICATE_TYPES.len() as u8);
    out.put_slice(&CERTIFICATE_TYPES);
    extension::numbers::put(out, schemes.iter().map(|scheme| scheme.number()));
    out.put_u16(0);
}
