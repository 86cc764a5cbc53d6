//! The aws-lc-rs back end against the conformance suite, and beside the other back end.

#![cfg(all(feature = "aws-lc-rs", feature = "conformance"))]

#[cfg(test)]
#[path = "common/secrets.rs"]
mod secrets;

use crypto::aws_lc_rs::{os_random, provider};
use crypto::{AeadId, Group, Random, SignatureScheme, conformance};

#[test]
fn conforms_and_reproduces_every_vector_but_its_own_signatures() {
    let report = conformance::run(&provider()).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(report.absent, Vec::<String>::new());
    // ECDSA takes its nonces from the library's generator.
    assert_eq!(report.not_reproducible, ["RFC 6979 A.2.5: sign \"sample\"", "RFC 6979 A.2.5: sign \"test\""]);
    assert!(report.passed > 8_000, "{} cases", report.passed);
}

#[test]
fn prefers_x25519_and_ecdsa() {
    let provider = provider();
    let groups: Vec<Group> = provider.groups().iter().map(|group| group.group()).collect();
    assert_eq!(groups, [Group::X25519, Group::Secp256r1]);
    assert_eq!(provider.verifiers()[0].scheme(), SignatureScheme::EcdsaSecp256r1Sha256);
    assert_eq!(provider.name(), "aws-lc-rs");
}

#[test]
fn debug_shows_no_key() {
    secrets::debug_shows_no_key(&provider(), Box::new(os_random()));
}

fn signing_key(rng: &mut dyn Random) -> Box<dyn crypto::SigningKey> {
    let generator = provider().key_generator(SignatureScheme::EcdsaSecp256r1Sha256);
    generator.expect("it makes them").generate(rng).expect("a key")
}

/// A bare RSA key and a bare point are keys for the library, and no `SubjectPublicKeyInfo`.
#[test]
fn keys_come_as_subject_public_key_info_only() {
    let key = signing_key(&mut os_random());
    let mut signature = Vec::new();
    key.sign(&mut os_random(), b"message", &mut signature).unwrap();
    let verifier = provider().verifier(SignatureScheme::EcdsaSecp256r1Sha256).unwrap();
    let spki = key.spki_der();
    assert!(verifier.verify(spki, b"message", &signature).is_ok());
    let point = &spki[spki.len() - 65..];
    assert_eq!(point[0], 4);
    assert!(verifier.verify(point, b"message", &signature).is_err());
    assert!(verifier.verify(&[spki, &[0]].concat(), b"message", &signature).is_err());
    for length in 0..spki.len() {
        assert!(verifier.verify(&spki[..length], b"message", &signature).is_err(), "{length}");
    }
}

#[cfg(feature = "rustcrypto")]
mod beside_rustcrypto {
    use super::*;
    use crypto::{Provider, rustcrypto};

    const BACK_ENDS: [fn() -> Provider; 2] = [provider, rustcrypto::provider];

    /// What one seals the other opens, and what one signs the other believes.
    #[test]
    fn they_understand_each_other() {
        for [ours, theirs] in [[BACK_ENDS[0], BACK_ENDS[1]], [BACK_ENDS[1], BACK_ENDS[0]]] {
            let (ours, theirs) = (ours(), theirs());
            for (id, len) in [(AeadId::Aes128Gcm, 0), (AeadId::Aes256Gcm, 1), (AeadId::Aes128Gcm, 1_200)] {
                let key = [9; 32];
                let message: Vec<u8> = (0..len).map(|byte| byte as u8).collect();
                let (mut text, mut tag) = (message.clone(), [0; 16]);
                ours.aead(id)
                    .unwrap()
                    .key(&key[..id.key_len()])
                    .unwrap()
                    .seal(&[1; 12], b"aad", &mut text, &mut tag);
                let opener = theirs.aead(id).unwrap().key(&key[..id.key_len()]).unwrap();
                opener.open(&[1; 12], b"aad", &mut text, &tag).unwrap();
                assert_eq!(text, message);
            }
            let scheme = SignatureScheme::EcdsaSecp256r1Sha256;
            let key = ours.key_generator(scheme).unwrap().generate(&mut os_random()).unwrap();
            let mut signature = Vec::new();
            key.sign(&mut os_random(), b"message", &mut signature).unwrap();
            let verifier = theirs.verifier(scheme).unwrap();
            assert!(verifier.verify(key.spki_der(), b"message", &signature).is_ok());
            for group in [Group::X25519, Group::Secp256r1] {
                let one = ours.group(group).unwrap().start(&mut os_random()).unwrap();
                let other = theirs.group(group).unwrap().start(&mut os_random()).unwrap();
                let (one_key, other_key) = (one.public_key().to_vec(), other.public_key().to_vec());
                let secret = one.complete(&other_key).unwrap();
                assert_eq!(secret.as_bytes(), other.complete(&one_key).unwrap().as_bytes());
            }
        }
    }

    /// The same random bytes make the same keys, so a seeded run has the same certificate with both.
    #[test]
    fn they_draw_the_same_keys() {
        let scheme = SignatureScheme::EcdsaSecp256r1Sha256;
        let keys = BACK_ENDS.map(|back_end| {
            let generator = back_end().key_generator(scheme).unwrap();
            generator.generate(&mut secrets::Constant(0x17)).unwrap().spki_der().to_vec()
        });
        assert_eq!(keys[0], keys[1]);
    }
}
