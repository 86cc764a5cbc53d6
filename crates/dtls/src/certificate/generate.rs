//! Making a self-signed certificate (RFC 8827 §6.5).

use crate::certificate::{Certificate, CertificateError, parse};
use crypto::{CryptoError, HashId, Provider, Random, SignatureScheme, SigningKey};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyIdMethod, PublicKeyData, SerialNumber};
use std::cell::RefCell;
use std::time::Duration;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The last second of the year 9999, the end of what X.509 can say.
const END_OF_TIME: Duration = Duration::from_secs(253_402_300_799);

/// How a certificate is to be made. The key is ECDSA on P-256, always.
#[derive(Clone, Debug)]
pub struct CertificateOptions {
    lifetime: Duration,
}

impl Default for CertificateOptions {
    fn default() -> Self {
        Self { lifetime: 30 * DAY }
    }
}

impl CertificateOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long it is valid from now on. Default: 30 days.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }
}

impl Certificate {
    /// Makes a key and a certificate for it, signed with itself. It names nobody. `wall` is the time since
    /// 1970-01-01 00:00 UTC; the validity starts a day before it, for peers whose clocks are late.
    ///
    /// # Errors
    /// [`CertificateError::Key`] when `provider` makes no P-256 keys, [`CertificateError::Validity`] when the
    /// lifetime ends after the year 9999.
    pub fn generate(
        provider: &Provider,
        rng: &mut dyn Random,
        wall: Duration,
        options: &CertificateOptions,
    ) -> Result<Self, CertificateError> {
        let key = provider
            .key_generator(SignatureScheme::EcdsaSecp256r1Sha256)
            .ok_or(CertificateError::Key(CryptoError::Unsupported))?
            .generate(rng)
            .map_err(CertificateError::Key)?;
        let end = wall.checked_add(options.lifetime).filter(|end| *end <= END_OF_TIME);
        let expires = Duration::from_secs(end.ok_or(CertificateError::Validity)?.as_secs());

        let mut params = CertificateParams::default();
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_before = epoch + Duration::from_secs(wall.saturating_sub(DAY).as_secs());
        params.not_after = epoch + expires;
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, "WebRTC");
        params.distinguished_name = name;
        params.serial_number = Some(serial(rng));
        params.key_identifier_method = KeyIdMethod::PreSpecified(key_id(provider, &*key));

        let (_, spki) = SubjectPublicKeyInfo::from_der(key.spki_der())
            .map_err(|_| CertificateError::Key(CryptoError::Unsupported))?;
        let signer =
            Signer { key: &*key, public: spki.subject_public_key.data.to_vec(), rng: RefCell::new(rng) };
        let certificate =
            params.self_signed(&signer).map_err(|_| CertificateError::Key(CryptoError::Random))?;
        let der = certificate.der().to_vec();
        // What is announced by fingerprint must be readable by the rules that are applied to the peer's.
        parse::parse(&der).ok_or(CertificateError::Malformed)?;
        Ok(Self::new(der, key, expires))
    }
}

/// 16 random bytes, positive and not zero (RFC 5280 §4.1.2.2).
fn serial(rng: &mut dyn Random) -> SerialNumber {
    let mut bytes: [u8; 16] = rng.bytes();
    let [first, ..] = &mut bytes;
    *first = *first & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}

/// The first 20 bytes of the SHA-256 of the public key (RFC 7093 §2).
fn key_id(provider: &Provider, key: &dyn SigningKey) -> Vec<u8> {
    let mut hash = vec![0; HashId::Sha256.output_len()];
    if let Some(sha256) = provider.hash(HashId::Sha256) {
        sha256.hash(&[key.spki_der()], &mut hash);
    }
    hash.truncate(20);
    hash
}

/// The provider's key in the form that the certificate builder wants.
struct Signer<'a> {
    key: &'a dyn SigningKey,
    public: Vec<u8>,
    rng: RefCell<&'a mut dyn Random>,
}

impl PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let mut signature = Vec::new();
        self.key
            .sign(&mut **self.rng.borrow_mut(), message, &mut signature)
            .map_err(|_| rcgen::Error::RemoteKeyError)?;
        Ok(signature)
    }
}
