//! The RustCrypto back end against the conformance suite, and what its types show of themselves.

#![cfg(all(feature = "rustcrypto", feature = "conformance"))]

use crypto::rustcrypto::{os_random, provider};
use crypto::{
    AeadId, CipherId, Group, HashId, MacId, Provider, Random, Secret, SignatureScheme, conformance,
};

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

/// Every key is made of the byte `A` (0x41, 65): neither text, hexadecimal nor decimal may show it.
#[test]
fn debug_shows_no_key() {
    let provider = provider();
    let key = [0x41; 32];
    let mut rng = Constant(0x41);
    let generator = provider.key_generator(SignatureScheme::EcdsaSecp256r1Sha256).unwrap();
    let mut shown = vec![
        format!("{:?}", Secret::from(&key[..])),
        format!("{:?}", provider.aead(AeadId::Aes256Gcm).unwrap().key(&key).unwrap()),
        format!("{:#?}", provider.aead(AeadId::Aes128Gcm).unwrap().key(&key[..16]).unwrap()),
        format!("{:?}", provider.stream_cipher(CipherId::Aes128).unwrap().key(&key[..16]).unwrap()),
        format!("{:?}", provider.block_cipher(CipherId::Aes256).unwrap().key(&key).unwrap()),
        format!("{:?}", provider.mac(MacId::HmacSha1).unwrap().key(&key)),
        format!("{:#?}", provider.group(Group::X25519).unwrap().start(&mut rng).unwrap()),
        format!("{:#?}", provider.group(Group::Secp256r1).unwrap().start(&mut rng).unwrap()),
        format!("{:#?}", generator.generate(&mut rng).unwrap()),
    ];
    let mut hash = provider.hash(HashId::Sha256).unwrap().start();
    hash.update(&key);
    shown.push(format!("{hash:?}"));
    let pair = provider.group(Group::X25519).unwrap().start(&mut rng).unwrap();
    let peer = provider.group(Group::X25519).unwrap().start(&mut os_random()).unwrap();
    shown.push(format!("{:?}", pair.complete(peer.public_key()).unwrap()));
    for text in shown {
        assert!(text.len() < 48, "{text}");
        assert!(!text.contains("AAAA") && !text.contains("4141") && !text.contains("65"), "{text}");
    }
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

#[derive(Debug)]
struct Constant(u8);

impl Random for Constant {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(self.0);
    }
}
