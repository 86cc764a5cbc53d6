//! Cryptography that protects nothing, so that a fuzzer gets behind it.

use crypto::{
    ActiveKeyExchange, Aead, AeadId, AeadKey, AuthError, CipherId, CryptoError, Group, Hash, HashContext,
    HashId, KeyExchange, KeyGenerator, Mac, MacId, MacKey, Provider, Random, Secret, SignatureScheme,
    SigningKey, StreamCipher, StreamKey, Verifier,
};

/// A provider whose ciphers change nothing, whose tags, hashes and secrets are zeros, and which believes every tag
/// and signature that does not start with `0xff`.
///
/// A fuzzer cannot guess tags. With this provider its bytes reach what stands behind them: handshakes, records,
/// integrity of STUN, SRTP. The machines under test are those of every other build, to the instruction; only the
/// table of algorithms handed to them is another. It exists in this crate alone, which no published crate may depend
/// on outside of its tests.
#[must_use]
pub const fn null_crypto() -> Provider {
    Provider::new("null, for fuzzing alone")
        .with_aeads(&[&Null(AeadId::Aes128Gcm), &Null(AeadId::Aes256Gcm), &Null(AeadId::ChaCha20Poly1305)])
        .with_stream_ciphers(&[&Null(CipherId::Aes128), &Null(CipherId::Aes192), &Null(CipherId::Aes256)])
        .with_hashes(&[
            &Null(HashId::Md5),
            &Null(HashId::Sha1),
            &Null(HashId::Sha256),
            &Null(HashId::Sha384),
            &Null(HashId::Sha512),
        ])
        .with_macs(&[
            &Null(MacId::HmacSha1),
            &Null(MacId::HmacSha256),
            &Null(MacId::HmacSha384),
            &Null(MacId::HmacSha512),
        ])
        .with_groups(&[&Null(Group::X25519), &Null(Group::Secp256r1)])
        .with_key_generators(&[&Null(SignatureScheme::EcdsaSecp256r1Sha256)])
        .with_verifiers(&[
            &Null(SignatureScheme::EcdsaSecp256r1Sha256),
            &Null(SignatureScheme::RsaPssRsaeSha256),
            &Null(SignatureScheme::RsaPkcs1Sha256),
        ])
}

/// An algorithm, or a key of it.
#[derive(Clone, Copy, Debug)]
struct Null<T>(T);

/// What is refused, so that the ways of refusal are reached, too.
const BAD: u8 = 0xff;

fn believe(tag: &[u8]) -> Result<(), AuthError> {
    match tag.first() {
        None | Some(&BAD) => Err(AuthError),
        Some(_) => Ok(()),
    }
}

fn check_len(expected: usize, key: &[u8]) -> Result<(), CryptoError> {
    let actual = key.len();
    if actual == expected { Ok(()) } else { Err(CryptoError::KeyLength { expected, actual }) }
}

impl Aead for Null<AeadId> {
    fn id(&self) -> AeadId {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        check_len(self.0.key_len(), key)?;
        Ok(Box::new(*self))
    }
}

impl AeadKey for Null<AeadId> {
    fn seal(&self, _nonce: &[u8; 12], _aad: &[u8], _in_out: &mut [u8], tag: &mut [u8; 16]) {
        *tag = [0; 16];
    }

    fn open(&self, _: &[u8; 12], _: &[u8], _: &mut [u8], tag: &[u8; 16]) -> Result<(), AuthError> {
        believe(tag)
    }
}

impl StreamCipher for Null<CipherId> {
    fn id(&self) -> CipherId {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn StreamKey>, CryptoError> {
        check_len(self.0.key_len(), key)?;
        Ok(Box::new(*self))
    }
}

impl StreamKey for Null<CipherId> {
    fn apply(&self, _iv: &[u8; 16], _in_out: &mut [u8]) {}
}

impl Hash for Null<HashId> {
    fn id(&self) -> HashId {
        self.0
    }

    fn hash(&self, _parts: &[&[u8]], out: &mut [u8]) -> usize {
        self.current(out)
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(*self)
    }
}

impl HashContext for Null<HashId> {
    fn update(&mut self, _data: &[u8]) {}

    fn current(&self, out: &mut [u8]) -> usize {
        let len = self.0.output_len();
        out[..len].fill(0);
        len
    }

    fn fork(&self) -> Box<dyn HashContext> {
        Box::new(*self)
    }
}

impl Mac for Null<MacId> {
    fn id(&self) -> MacId {
        self.0
    }

    fn key(&self, _key: &[u8]) -> Box<dyn MacKey> {
        Box::new(*self)
    }
}

impl MacKey for Null<MacId> {
    fn sign(&self, _parts: &[&[u8]], out: &mut [u8]) -> usize {
        let len = out.len().min(self.0.output_len());
        out[..len].fill(0);
        len
    }

    fn verify(&self, _parts: &[&[u8]], tag: &[u8]) -> Result<(), AuthError> {
        if tag.len() > self.0.output_len() { Err(AuthError) } else { believe(tag) }
    }
}

impl KeyExchange for Null<Group> {
    fn group(&self) -> Group {
        self.0
    }

    fn start(&self, _rng: &mut dyn Random) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        Ok(Box::new(*self))
    }
}

impl ActiveKeyExchange for Null<Group> {
    fn group(&self) -> Group {
        self.0
    }

    fn public_key(&self) -> &[u8] {
        if self.0 == Group::Secp256r1 { &POINT } else { &[1; 32] }
    }

    fn complete(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        believe(peer).map_err(|_| CryptoError::InvalidPublicKey)?;
        Ok(Secret::zeroed(32))
    }
}

/// Looks like an uncompressed point.
const POINT: [u8; 65] = {
    let mut point = [1; 65];
    point[0] = 4;
    point
};

/// A `SubjectPublicKeyInfo` of P-256 around [`POINT`].
const SPKI: [u8; 91] = {
    const HEAD: [u8; 26] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    let mut spki = [1; 91];
    let mut at = 0;
    while at < HEAD.len() {
        spki[at] = HEAD[at];
        at += 1;
    }
    spki[at] = POINT[0];
    spki
};

impl KeyGenerator for Null<SignatureScheme> {
    fn scheme(&self) -> SignatureScheme {
        self.0
    }

    fn generate(&self, _rng: &mut dyn Random) -> Result<Box<dyn SigningKey>, CryptoError> {
        Ok(Box::new(*self))
    }

    fn from_pkcs8_der(&self, _der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError> {
        Ok(Box::new(*self))
    }
}

impl SigningKey for Null<SignatureScheme> {
    fn scheme(&self) -> SignatureScheme {
        self.0
    }

    fn spki_der(&self) -> &[u8] {
        &SPKI
    }

    fn sign(&self, _rng: &mut dyn Random, _message: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
        out.extend_from_slice(&[0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01]);
        Ok(())
    }
}

impl Verifier for Null<SignatureScheme> {
    fn scheme(&self) -> SignatureScheme {
        self.0
    }

    fn verify(&self, _spki_der: &[u8], _message: &[u8], signature: &[u8]) -> Result<(), AuthError> {
        believe(signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_believed_but_what_starts_with_ff() {
        let provider = null_crypto();
        let mac = provider.mac(MacId::HmacSha1).unwrap().key(b"any");
        let mut tag = [7; 10];
        assert_eq!(mac.sign(&[b"text"], &mut tag), 10);
        assert!(mac.verify(&[b"other"], &tag).is_ok());
        assert!(mac.verify(&[b"other"], &[BAD]).is_err() && mac.verify(&[], &[]).is_err());
        assert!(mac.verify(&[], &[0; 21]).is_err());
        let aead = provider.aead(AeadId::Aes128Gcm).unwrap();
        assert!(aead.key(&[0; 15]).is_err());
        let mut text = *b"text";
        aead.key(&[0; 16]).unwrap().open(&[0; 12], &[], &mut text, &[0; 16]).unwrap();
        assert_eq!(&text, b"text");
    }

    #[test]
    fn the_key_has_the_shape_of_one() {
        assert_eq!(SPKI.len(), usize::from(SPKI[1]) + 2);
        assert_eq!(SPKI[26..], POINT);
    }
}
