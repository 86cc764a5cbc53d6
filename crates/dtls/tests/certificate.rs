//! Certificates: made, loaded, refused.

#[path = "common/pair.rs"]
mod pair;

use crypto::HashId;
use dtls::{Certificate, CertificateError, CertificateOptions, Fingerprint};
use pair::{Seeded, WALL, certificate, certificates, fingerprint, provider};
use std::time::Duration;
use x509_parser::prelude::{FromDer, X509Certificate};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// W3C webrtc-pc §4.9, RFC 8827 §6.5: self-signed, 30 days, nothing about the user.
#[test]
fn dtls_certificate_self_signed_no_user_info_30d() {
    let certificate = certificate(5);
    assert_eq!(certificate.expires(), WALL + 30 * DAY);
    let (rest, parsed) = X509Certificate::from_der(certificate.der()).unwrap();
    assert!(rest.is_empty());
    assert_eq!(parsed.subject().to_string(), "CN=WebRTC");
    assert_eq!(parsed.issuer(), parsed.subject());
    assert!(parsed.extensions().is_empty());
    assert_eq!(parsed.version().0, 2);
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap();
    assert_eq!(parsed.validity().not_before.timestamp(), seconds(WALL - DAY));
    assert_eq!(parsed.validity().not_after.timestamp(), seconds(certificate.expires()));
    assert!(parsed.raw_serial().len() == 16 && parsed.raw_serial()[0] & 0x80 == 0);
    // Its signature is its own.
    let verifier = provider().verifier(certificate.scheme()).unwrap();
    let (spki, signed) = (parsed.public_key().raw, parsed.tbs_certificate.as_ref());
    assert_eq!(verifier.verify(spki, signed, &parsed.signature_value.data), Ok(()));
    assert!(verifier.verify(spki, &signed[1..], &parsed.signature_value.data).is_err());
}

#[test]
fn certificates_repeat_with_the_generator_and_only_with_it() {
    assert_eq!(certificate(5).der(), certificate(5).der());
    assert_ne!(certificate(5).der(), certificate(6).der());
    assert_ne!(fingerprint(&certificate(5)), fingerprint(&certificate(6)));
}

#[test]
fn lifetimes_beyond_x509_are_refused() {
    let make = |wall, lifetime| {
        let options = CertificateOptions::new().with_lifetime(lifetime);
        Certificate::generate(&provider(), &mut Seeded(1), wall, &options)
    };
    assert!(make(Duration::ZERO, DAY).is_ok());
    assert!(
        make(WALL, 100 * 365 * DAY).is_ok_and(|certificate| certificate.expires() == WALL + 36_500 * DAY)
    );
    for (wall, lifetime) in [(WALL, 10_000 * 365 * DAY), (Duration::MAX, DAY), (WALL, Duration::MAX)] {
        assert_eq!(make(wall, lifetime).unwrap_err(), CertificateError::Validity);
    }
}

#[test]
fn foreign_keys_and_damaged_certificates_are_refused() {
    let (certificate, other) = certificates();
    let key =
        |seed| provider().key_generator(certificate.scheme()).unwrap().generate(&mut Seeded(seed)).unwrap();
    let refused = Certificate::with_key(certificate.der(), key(1)).unwrap_err();
    assert_eq!(refused, CertificateError::KeyMismatch);
    let refused = Certificate::with_key(&other.der()[1..], key(1)).unwrap_err();
    assert_eq!(refused, CertificateError::Malformed);
    let refused = Certificate::from_der(&provider(), certificate.der(), b"no key").unwrap_err();
    assert_eq!(refused, CertificateError::Key(crypto::CryptoError::Unsupported));
    assert!(!format!("{certificate:?}").contains("30, 8"), "no bytes in logs");
}

#[test]
fn fingerprints_match_their_certificate_only() {
    let (one, other) = certificates();
    for hash in [HashId::Sha256, HashId::Sha384, HashId::Sha512] {
        let print = one.fingerprint(&provider(), hash).unwrap();
        assert!(print.matches(&provider(), one.der()) && !print.matches(&provider(), other.der()));
        assert_eq!(print.hash(), hash);
        assert_eq!(print.value().len(), hash.output_len());
    }
    for hash in [HashId::Md5, HashId::Sha1] {
        assert_eq!(one.fingerprint(&provider(), hash), None);
        let mut value = vec![0; hash.output_len()];
        provider().hash(hash).unwrap().hash(&[one.der()], &mut value);
        assert!(!Fingerprint::new(hash, &value).unwrap().matches(&provider(), one.der()));
    }
}
