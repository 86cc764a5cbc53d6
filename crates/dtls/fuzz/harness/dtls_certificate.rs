//! Any bytes as a certificate, and as a signature made with it; any text as a fingerprint.

use crypto::{HashId, SignatureScheme};
use dtls::Certificate;
use testkit::fuzz::{Input, null_crypto, reached};

const SCHEMES: [SignatureScheme; 7] = [
    SignatureScheme::EcdsaSecp256r1Sha256,
    SignatureScheme::RsaPkcs1Sha256,
    SignatureScheme::RsaPkcs1Sha384,
    SignatureScheme::RsaPkcs1Sha512,
    SignatureScheme::RsaPssRsaeSha256,
    SignatureScheme::RsaPssRsaeSha384,
    SignatureScheme::RsaPssRsaeSha512,
];

pub(crate) fn run(data: &[u8]) {
    // A key fits or not; either way the certificate was read.
    if let Ok(certificate) = Certificate::from_der(&null_crypto(), data, &[]) {
        reached("certificate");
        assert_eq!(certificate.der(), data);
        assert!(data.len() <= 8 * 1_024, "docs/limits.md");
        let provider = crypto::rustcrypto::provider();
        let print = certificate.fingerprint(&provider, HashId::Sha256).expect("invariant: it has SHA-256");
        assert!(!print.to_string().is_empty());
    }
    let mut input = Input::new(data);
    let scheme = input.pick(&SCHEMES);
    let signature = input.chunk();
    let spki = input.rest();
    if let Some(verifier) = crypto::rustcrypto::provider().verifier(scheme) {
        assert!(verifier.verify(spki, b"message", signature).is_err(), "a signature out of nothing");
    }
}
