//! The RustCrypto back end against the conformance suite, and what its types show of themselves.

#![cfg(all(feature = "rustcrypto", feature = "conformance"))]

#[cfg(test)]
#[path = "common/secrets.rs"]
mod secrets;

use crypto::rustcrypto::{os_random, provider};
use crypto::{Group, HashId, Provider, Random, Secret, SignatureScheme, conformance};

#[test]
fn conforms_and_reproduces_every_vector() {
    let report = conformance::run(&provider()).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(report.absent, ["ChaCha20Poly1305"]);
    assert_eq!(report.not_reproducible, Vec::<String>::new());
    assert!(report.passed > 8_000, "{} cases", report.passed);
}

#[test]
fn an_empty_provider_is_reported_as_empty() {
    let report = conformance::run(&Provider::new("empty")).unwrap();
    assert_eq!(report.passed, 0);
    assert_eq!(report.absent.len(), 3 + 3 + 2 + 5 + 2 + 4 + 7);
}

#[test]
fn prefers_x25519_and_ecdsa() {
    let provider = provider();
    let groups: Vec<Group> = provider.groups().iter().map(|group| group.group()).collect();
    assert_eq!(groups, [Group::X25519, Group::Secp256r1]);
    assert_eq!(provider.verifiers()[0].scheme(), SignatureScheme::EcdsaSecp256r1Sha256);
    assert_eq!(provider.verifiers().len(), 7);
    assert_eq!(provider.name(), "rustcrypto");
}

#[test]
fn debug_shows_no_key() {
    secrets::debug_shows_no_key(&provider(), Box::new(os_random()));
    let secret = format!("{:?}", Secret::from(&[0x41; 32][..]));
    assert!(!secret.contains("AA") && !secret.contains("41") && !secret.contains("65"), "{secret}");
}

#[test]
fn the_operating_system_gives_different_bytes_each_time() {
    let (mut one, mut other) = ([0; 32], [0; 32]);
    os_random().fill(&mut one);
    os_random().fill(&mut other);
    assert_ne!(one, other);
    assert_ne!(one, [0; 32]);
}

#[test]
#[should_panic(expected = "shorter than the hash")]
fn a_hash_does_not_fit_a_short_buffer() {
    provider().hash(HashId::Sha256).unwrap().hash(&[b"x"], &mut [0; 31]);
}
