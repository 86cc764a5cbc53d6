//! Two sides agree on a key with X25519, sign their halves with ECDSA, and send one sealed message.
//!
//! `cargo run -p peerlane-crypto --example seal`

#![expect(clippy::print_stdout, reason = "an example that talks to the terminal")]

use crypto::rustcrypto::{os_random, provider};
use crypto::{AeadId, Group, HashId, Secret, SignatureScheme};
use std::error::Error;

const SCHEME: SignatureScheme = SignatureScheme::EcdsaSecp256r1Sha256;

fn main() -> Result<(), Box<dyn Error>> {
    let provider = provider();
    let mut rng = os_random();
    let group = provider.group(Group::X25519).ok_or("no X25519")?;
    let generator = provider.key_generator(SCHEME).ok_or("no ECDSA")?;
    let verifier = provider.verifier(SCHEME).ok_or("no ECDSA")?;

    // Each side draws an ephemeral pair; Alice also signs hers.
    let alice = group.start(&mut rng)?;
    let bob = group.start(&mut rng)?;
    let identity = generator.generate(&mut rng)?;
    let mut signature = Vec::new();
    identity.sign(&mut rng, alice.public_key(), &mut signature)?;
    println!("{} bytes of public key, {} bytes of signature", alice.public_key().len(), signature.len());

    // Bob checks the signature before he uses the key.
    let alice_key = alice.public_key().to_vec();
    verifier.verify(identity.spki_der(), &alice_key, &signature)?;
    let bob_key = bob.public_key().to_vec();
    let (sending, receiving) = (alice.complete(&bob_key)?, bob.complete(&alice_key)?);

    let aead = provider.aead(AeadId::Aes256Gcm).ok_or("no AES-256-GCM")?;
    let hash = provider.hash(HashId::Sha256).ok_or("no SHA-256")?;
    // A toy derivation; a protocol would use HKDF with a transcript.
    let key = |shared: &Secret| {
        let mut key = Secret::zeroed(HashId::Sha256.output_len());
        hash.hash(&[b"seal example", shared.as_bytes()], key.as_mut_bytes());
        aead.key(key.as_bytes())
    };

    let mut message = b"Meet me at the old mill.".to_vec();
    let mut tag = [0; 16];
    key(&sending)?.seal(&[0; 12], b"message 0", &mut message, &mut tag);
    println!("on the wire: {} bytes and a tag of {}", message.len(), tag.len());
    key(&receiving)?.open(&[0; 12], b"message 0", &mut message, &tag)?;
    println!("received: {}", String::from_utf8(message)?);
    Ok(())
}
