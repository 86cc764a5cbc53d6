//! ECDSA on P-256 over `p256`, verification of RSA over `rsa`.

use crate::{AuthError, CryptoError, KeyGenerator, Random, SignatureScheme, SigningKey, Verifier};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey};
use rsa::pkcs1;
use rsa::pkcs8::der::Decode;
use rsa::pkcs8::spki::SubjectPublicKeyInfoRef;
use rsa::{BoxedUint, RsaPublicKey, pkcs1v15, pss};
use sha2::{Sha256, Sha384, Sha512};
use std::fmt;
use std::ops::RangeInclusive;
use zeroize::Zeroizing;

/// Every key generator of this back end.
pub(super) const KEY_GENERATORS: &[&dyn KeyGenerator] = &[&EcdsaP256];

/// Every verifier of this back end, the most preferred first.
pub(super) const VERIFIERS: &[&dyn Verifier] = &[
    &EcdsaP256,
    &Rsa { scheme: SignatureScheme::RsaPssRsaeSha256, check: pss::<Sha256> },
    &Rsa { scheme: SignatureScheme::RsaPssRsaeSha384, check: pss::<Sha384> },
    &Rsa { scheme: SignatureScheme::RsaPssRsaeSha512, check: pss::<Sha512> },
    &Rsa { scheme: SignatureScheme::RsaPkcs1Sha256, check: pkcs1v15::<Sha256> },
    &Rsa { scheme: SignatureScheme::RsaPkcs1Sha384, check: pkcs1v15::<Sha384> },
    &Rsa { scheme: SignatureScheme::RsaPkcs1Sha512, check: pkcs1v15::<Sha512> },
];

/// Draws a private key of P-256.
///
/// One draw in 2^32 is not below the group order; a source that fails this often is broken.
pub(super) fn generate_p256(rng: &mut dyn Random) -> Result<p256::SecretKey, CryptoError> {
    const ATTEMPTS: usize = 16;
    let mut scalar = Zeroizing::new([0; 32]);
    for _ in 0..ATTEMPTS {
        rng.fill(&mut *scalar);
        if let Ok(key) = p256::SecretKey::from_slice(&*scalar) {
            return Ok(key);
        }
    }
    Err(CryptoError::Random)
}

#[derive(Debug)]
struct EcdsaP256;

impl KeyGenerator for EcdsaP256 {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::EcdsaSecp256r1Sha256
    }

    fn generate(&self, rng: &mut dyn Random) -> Result<Box<dyn SigningKey>, CryptoError> {
        Ok(Box::new(P256Key::new(&generate_p256(rng)?)?))
    }

    fn from_pkcs8_der(&self, der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError> {
        let secret = p256::SecretKey::from_pkcs8_der(der).map_err(|_| CryptoError::Unsupported)?;
        Ok(Box::new(P256Key::new(&secret)?))
    }
}

impl Verifier for EcdsaP256 {
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::EcdsaSecp256r1Sha256
    }

    fn verify(&self, spki_der: &[u8], message: &[u8], signature: &[u8]) -> Result<(), AuthError> {
        let key = p256::ecdsa::VerifyingKey::from_public_key_der(spki_der).map_err(|_| AuthError)?;
        let signature = p256::ecdsa::DerSignature::from_bytes(signature).map_err(|_| AuthError)?;
        key.verify(message, &signature).map_err(|_| AuthError)
    }
}

struct P256Key {
    key: p256::ecdsa::SigningKey,
    spki_der: Vec<u8>,
}

impl P256Key {
    fn new(secret: &p256::SecretKey) -> Result<Self, CryptoError> {
        let spki = secret.public_key().to_public_key_der().map_err(|_| CryptoError::Unsupported)?;
        Ok(Self { key: secret.into(), spki_der: spki.into_vec() })
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
        // RFC 6979: the nonce comes from the key and the message, so a poor source cannot leak the key.
        let signature: p256::ecdsa::DerSignature =
            self.key.try_sign(message).map_err(|_| CryptoError::Unsupported)?;
        out.extend_from_slice(signature.as_bytes());
        Ok(())
    }
}

impl fmt::Debug for P256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.scheme())
    }
}

/// Moduli we are willing to calculate with, in bits.
///
/// Below, the key is worthless; above, a peer could buy a lot of our time with one packet.
const MODULUS_BITS: RangeInclusive<usize> = 1024..=8192;

/// More than the longest `SubjectPublicKeyInfo` with such a modulus.
const MAX_SPKI_LEN: usize = 1024 + 128;

/// RSA with one padding and one hash; verification only.
struct Rsa {
    scheme: SignatureScheme,
    check: fn(RsaPublicKey, Signed<'_>) -> Result<(), AuthError>,
}

/// A message and what claims to sign it.
struct Signed<'a> {
    message: &'a [u8],
    signature: &'a [u8],
}

impl Verifier for Rsa {
    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    fn verify(&self, spki_der: &[u8], message: &[u8], signature: &[u8]) -> Result<(), AuthError> {
        (self.check)(rsa_key(spki_der).ok_or(AuthError)?, Signed { message, signature })
    }
}

impl fmt::Debug for Rsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({:?})", self.scheme)
    }
}

/// Reads an rsaEncryption key (RFC 3279 §2.3.1) within our limits.
///
/// Keys bound to PSS by their own identifier are not for these schemes (RFC 8446 §4.2.3), so they are refused.
fn rsa_key(spki_der: &[u8]) -> Option<RsaPublicKey> {
    if spki_der.len() > MAX_SPKI_LEN {
        return None;
    }
    let spki = SubjectPublicKeyInfoRef::from_der(spki_der).ok()?;
    if spki.algorithm.oid != pkcs1::ALGORITHM_OID || !spki.algorithm.parameters?.is_null() {
        return None;
    }
    let key = pkcs1::RsaPublicKeyRef::try_from(spki.subject_public_key.as_bytes()?).ok()?;
    let n = BoxedUint::from_be_slice_vartime(key.modulus.as_bytes());
    let e = BoxedUint::from_be_slice_vartime(key.public_exponent.as_bytes());
    // The constructor refuses even numbers, exponents below 3 and exponents above 2^33 - 1.
    RsaPublicKey::new_with_size_limits(n, e, MODULUS_BITS).ok()
}

fn pkcs1v15<D>(key: RsaPublicKey, signed: Signed<'_>) -> Result<(), AuthError>
where
    D: sha2::Digest,
    pkcs1v15::VerifyingKey<D>: From<RsaPublicKey> + rsa::signature::Verifier<pkcs1v15::Signature>,
{
    let signature = pkcs1v15::Signature::try_from(signed.signature).map_err(|_| AuthError)?;
    pkcs1v15::VerifyingKey::<D>::from(key).verify(signed.message, &signature).map_err(|_| AuthError)
}

/// The salt is as long as the hash (RFC 8446 §4.2.3), which is what `From` sets.
fn pss<D>(key: RsaPublicKey, signed: Signed<'_>) -> Result<(), AuthError>
where
    D: sha2::Digest,
    pss::VerifyingKey<D>: From<RsaPublicKey> + rsa::signature::Verifier<pss::Signature>,
{
    let signature = pss::Signature::try_from(signed.signature).map_err(|_| AuthError)?;
    pss::VerifyingKey::<D>::from(key).verify(signed.message, &signature).map_err(|_| AuthError)
}
