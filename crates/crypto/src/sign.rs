//! Signatures: made with our certificate's key, checked against the peer's certificate.

use crate::{AuthError, CryptoError, Random};
use std::fmt::Debug;

/// A signature scheme, as in the TLS registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SignatureScheme {
    /// ECDSA on P-256 with SHA-256 (0x0403); ASN.1 DER signatures.
    EcdsaSecp256r1Sha256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (0x0401).
    RsaPkcs1Sha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384 (0x0501).
    RsaPkcs1Sha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512 (0x0601).
    RsaPkcs1Sha512,
    /// RSASSA-PSS with SHA-256 and an rsaEncryption key (0x0804).
    RsaPssRsaeSha256,
    /// RSASSA-PSS with SHA-384 and an rsaEncryption key (0x0805).
    RsaPssRsaeSha384,
    /// RSASSA-PSS with SHA-512 and an rsaEncryption key (0x0806).
    RsaPssRsaeSha512,
}

impl SignatureScheme {
    /// Its number in the TLS SignatureScheme registry.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::EcdsaSecp256r1Sha256 => 0x0403,
            Self::RsaPkcs1Sha256 => 0x0401,
            Self::RsaPkcs1Sha384 => 0x0501,
            Self::RsaPkcs1Sha512 => 0x0601,
            Self::RsaPssRsaeSha256 => 0x0804,
            Self::RsaPssRsaeSha384 => 0x0805,
            Self::RsaPssRsaeSha512 => 0x0806,
        }
    }
}

/// A private key that signs. Kept behind a reference count by its owner; never copied.
pub trait SigningKey: Debug + Send + Sync {
    /// The scheme of its signatures.
    fn scheme(&self) -> SignatureScheme;

    /// The public key as DER `SubjectPublicKeyInfo`.
    fn spki_der(&self) -> &[u8];

    /// Appends the signature of `message` to `out`.
    ///
    /// # Errors
    /// [`CryptoError::Random`] when a randomised scheme got no randomness.
    fn sign(&self, rng: &mut dyn Random, message: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError>;
}

/// Makes and loads private keys of one scheme.
pub trait KeyGenerator: Debug + Send + Sync {
    /// The scheme of the keys.
    fn scheme(&self) -> SignatureScheme;

    /// Makes a fresh key.
    ///
    /// # Errors
    /// [`CryptoError::Random`] when the source never gave a valid key.
    fn generate(&self, rng: &mut dyn Random) -> Result<Box<dyn SigningKey>, CryptoError>;

    /// Loads a key from PKCS#8 DER.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] when it is not a PKCS#8 key of this scheme.
    #[expect(clippy::wrong_self_convention, reason = "`self` is the algorithm, the key is made from `der`")]
    fn from_pkcs8_der(&self, der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError>;
}

/// Checks signatures of one scheme.
pub trait Verifier: Debug + Send + Sync {
    /// The scheme.
    fn scheme(&self) -> SignatureScheme;

    /// Checks `signature` over `message` with the public key in `spki_der` (DER `SubjectPublicKeyInfo`).
    ///
    /// # Errors
    /// [`AuthError`] for a wrong signature and for a key that is not of this scheme alike.
    fn verify(&self, spki_der: &[u8], message: &[u8], signature: &[u8]) -> Result<(), AuthError>;
}
