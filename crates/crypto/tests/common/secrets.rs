//! What the types of a back end show of their secrets.

use crypto::{AeadId, CipherId, Group, HashId, MacId, Provider, Random, SignatureScheme};

/// Random bytes that are all the same.
#[derive(Debug)]
pub(crate) struct Constant(pub(crate) u8);

impl Random for Constant {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(self.0);
    }
}

/// Every key is made of the byte `A` (0x41, 65): neither text, hexadecimal nor decimal may show it.
pub(crate) fn debug_shows_no_key(provider: &Provider, mut others: Box<dyn Random>) {
    let key = [0x41; 32];
    let mut rng = Constant(0x41);
    let generator = provider.key_generator(SignatureScheme::EcdsaSecp256r1Sha256).unwrap();
    let mut hash = provider.hash(HashId::Sha256).unwrap().start();
    hash.update(&key);
    let pair = provider.group(Group::X25519).unwrap().start(&mut rng).unwrap();
    let peer = provider.group(Group::X25519).unwrap().start(&mut *others).unwrap();
    let mut shown = vec![
        format!("{:?}", provider.aead(AeadId::Aes256Gcm).unwrap().key(&key).unwrap()),
        format!("{:#?}", provider.aead(AeadId::Aes128Gcm).unwrap().key(&key[..16]).unwrap()),
        format!("{:?}", provider.stream_cipher(CipherId::Aes128).unwrap().key(&key[..16]).unwrap()),
        format!("{:?}", provider.block_cipher(CipherId::Aes256).unwrap().key(&key).unwrap()),
        format!("{:?}", provider.mac(MacId::HmacSha1).unwrap().key(&key)),
        format!("{:#?}", provider.group(Group::X25519).unwrap().start(&mut rng).unwrap()),
        format!("{:#?}", provider.group(Group::Secp256r1).unwrap().start(&mut rng).unwrap()),
        format!("{:#?}", generator.generate(&mut rng).unwrap()),
        format!("{hash:?}"),
        format!("{:?}", pair.complete(peer.public_key()).unwrap()),
    ];
    // Not every back end has it.
    let chacha = provider.aead(AeadId::ChaCha20Poly1305);
    shown.extend(chacha.map(|aead| format!("{:#?}", aead.key(&key).unwrap())));
    for text in shown {
        assert!(text.len() < 48, "{text}");
        assert!(!text.contains("AAAA") && !text.contains("4141") && !text.contains("65"), "{text}");
    }
}
