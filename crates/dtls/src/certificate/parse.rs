//! Reading a certificate: its public key and its end, nothing more. No chain is built; the fingerprint is the trust
//! (RFC 8122 §5, RFC 8827 §5.6.4).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use std::time::Duration;
use x509_parser::certificate::X509CertificateParser;
use x509_parser::der_parser::asn1_rs::Tag;
use x509_parser::nom::Parser;
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION};
use x509_parser::x509::SubjectPublicKeyInfo;

/// No certificate of a WebRTC endpoint is larger; the cost of parsing is bounded with it.
const MAX_LEN: usize = 8 * 1024;

/// Bytes of the longest public key: RSA with 8,192 bits and its frame.
const MAX_SPKI: usize = 1_100;

/// Bytes of the DER of an object identifier that names P-256, the only parameters an EC key may have here.
const MAX_EC_PARAMETERS: usize = 10;

/// The kind of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    EcP256,
    Rsa,
}

/// What is read of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// The DER of the `SubjectPublicKeyInfo`.
    pub(crate) spki: Vec<u8>,
    pub(crate) kind: KeyKind,
    /// When it expires, as time since 1970.
    pub(crate) not_after: Duration,
}

/// Reads a certificate; `None` when it is malformed, too large, or its key is of no kind that is used here.
///
/// Nothing is computed with the key: parameters of unnamed curves, with which other parsers have looped, are refused
/// by their form.
pub(crate) fn parse(der: &[u8]) -> Option<Parsed> {
    if der.len() > MAX_LEN {
        return None;
    }
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
    let (rest, certificate) = parser.parse(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let spki = certificate.public_key();
    Some(Parsed {
        kind: kind(spki)?,
        spki: spki.raw.to_vec(),
        not_after: Duration::from_secs(certificate.validity().not_after.timestamp().try_into().ok()?),
    })
}

fn kind(spki: &SubjectPublicKeyInfo<'_>) -> Option<KeyKind> {
    if spki.raw.len() > MAX_SPKI {
        return None;
    }
    let algorithm = &spki.algorithm;
    if algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let parameters = algorithm.parameters.as_ref()?;
        // The tag is looked at here, because `as_oid` does not.
        let named = parameters.tag() == Tag::Oid && parameters.data.len() <= MAX_EC_PARAMETERS;
        (named && parameters.as_oid().ok()? == OID_EC_P256).then_some(KeyKind::EcP256)
    } else if algorithm.algorithm == OID_PKCS1_RSAENCRYPTION {
        Some(KeyKind::Rsa)
    } else {
        None
    }
}
