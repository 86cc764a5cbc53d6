//! ECDSA on P-256, and verification of RSA.

use super::kx;
use crate::{AuthError, CryptoError, KeyGenerator, Random, SignatureScheme, SigningKey, Verifier};
use ::aws_lc_rs::{
    agreement,
    encoding::AsDer,
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, KeyPair, UnparsedPublicKey, VerificationAlgorithm},
};
use std::fmt;

/// Every key generator of this back end.
pub(super) const KEY_GENERATORS: &[&dyn KeyGenerator] = &[&EcdsaP256];

/// Every verifier of this back end, the most preferred first.
pub(super) const VERIFIERS: &[&dyn Verifier] = &[
    &Checked {
        scheme: SignatureScheme::EcdsaSecp256r1Sha256,
        algorithm: &signature::ECDSA_P256_SHA256_ASN1,
        key_kind: P256,
    },
    &rsa(SignatureScheme::RsaPssRsaeSha256, &signature::RSA_PSS_2048_8192_SHA256),
    &rsa(SignatureScheme::RsaPssRsaeSha384, &signature::RSA_PSS_2048_8192_SHA384),
    &rsa(SignatureScheme::RsaPssRsaeSha512, &signature::RSA_PSS_2048_8192_SHA512),
    &rsa(SignatureScheme::RsaPkcs1Sha256, &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
    &rsa(SignatureScheme::RsaPkcs1Sha384, &signature::RSA_PKCS1_2048_8192_SHA384),
    &rsa(SignatureScheme::RsaPkcs1Sha512, &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
];

/// `AlgorithmIdentifier` of a key on P-256 (RFC 5480 §2.1.1).
const P256: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07,
];

/// `AlgorithmIdentifier` of an rsaEncryption key (RFC 3279 §2.3.1). Keys bound to PSS by their own identifier are not for
/// these schemes (RFC 8446 §4.2.3).
const RSA: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

#[derive(Debug)]
struct EcdsaP256;

impl KeyGenerator for EcdsaP256 {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::EcdsaSecp256r1Sha256
    }

    fn generate(&self, rng: &mut dyn Random) -> Result<Box<dyn SigningKey>, CryptoError> {
        let (scalar, _, public) = kx::draw(&agreement::ECDH_P256, rng)?;
        let algorithm = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &*scalar, public.as_ref());
        P256Key::boxed(pair.map_err(|_| CryptoError::Unsupported)?)
    }

    fn from_pkcs8_der(&self, der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError> {
        let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, der);
        P256Key::boxed(pair.map_err(|_| CryptoError::Unsupported)?)
    }
}

struct P256Key {
    pair: EcdsaKeyPair,
    spki_der: Vec<u8>,
}

impl P256Key {
    fn boxed(pair: EcdsaKeyPair) -> Result<Box<dyn SigningKey>, CryptoError> {
        let spki = pair.public_key().as_der().map_err(|_| CryptoError::Unsupported)?;
        let spki_der = spki.as_ref().to_vec();
        Ok(Box::new(Self { pair, spki_der }))
    }
}

impl SigningKey for P256Key {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::EcdsaSecp256r1Sha256
    }

    fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    fn sign(&self, _rng: &mut dyn Random, message: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
        // The library takes the nonce from its own generator, whatever it is given.
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| CryptoError::Random)?;
        out.extend_from_slice(signature.as_ref());
        Ok(())
    }
}

impl fmt::Debug for P256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.scheme())
    }
}

/// Checks one scheme with keys of one kind.
struct Checked {
    scheme: SignatureScheme,
    algorithm: &'static dyn VerificationAlgorithm,
    key_kind: &'static [u8],
}

const fn rsa(scheme: SignatureScheme, algorithm: &'static dyn VerificationAlgorithm) -> Checked {
    Checked { scheme, algorithm, key_kind: RSA }
}

impl Verifier for Checked {
    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    fn verify(&self, spki_der: &[u8], message: &[u8], signature: &[u8]) -> Result<(), AuthError> {
        // The library also takes bare keys and other identifiers.
        if !is_spki(spki_der, self.key_kind) {
            return Err(AuthError);
        }
        UnparsedPublicKey::new(self.algorithm, spki_der).verify(message, signature).map_err(|_| AuthError)
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({:?})", self.scheme)
    }
}

/// Whether `der` is one `SEQUENCE` that begins with this `AlgorithmIdentifier`.
fn is_spki(der: &[u8], identifier: &[u8]) -> bool {
    let (length, content) = match der {
        [0x30, length @ 0..=0x7f, content @ ..] => (usize::from(*length), content),
        [0x30, 0x81, length, content @ ..] => (usize::from(*length), content),
        [0x30, 0x82, high, low, content @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), content),
        _ => return false,
    };
    content.len() == length && content.starts_with(identifier)
}
