//! Certificates: ours with its key, and what is read of the peer's.

pub(crate) mod fingerprint;
pub(crate) mod generate;
pub(crate) mod parse;

use crate::certificate::fingerprint::Fingerprint;
use crypto::{CryptoError, HashId, Provider, SignatureScheme, SigningKey};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A certificate with its private key. Cheap to clone: both are shared.
///
/// Make one per user or per call, by [`Certificate::generate`], or load one that is kept elsewhere. A certificate
/// that is used again lets everybody who sees its fingerprint link the calls.
#[derive(Clone)]
pub struct Certificate {
    inner: Arc<Inner>,
}

struct Inner {
    der: Vec<u8>,
    key: Box<dyn SigningKey>,
    expires: Duration,
}

impl Certificate {
    pub(crate) fn new(der: Vec<u8>, key: Box<dyn SigningKey>, expires: Duration) -> Self {
        Self { inner: Arc::new(Inner { der, key, expires }) }
    }

    /// Loads a certificate and its private key, both in DER, the key as PKCS#8.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] when the certificate cannot be parsed, [`CertificateError::Key`] when the
    /// key is of no kind that `provider` loads, [`CertificateError::KeyMismatch`] when the two do not belong
    /// together.
    pub fn from_der(provider: &Provider, certificate: &[u8], pkcs8: &[u8]) -> Result<Self, CertificateError> {
        let parsed = parse::parse(certificate).ok_or(CertificateError::Malformed)?;
        let key = crate::registry::SCHEMES
            .into_iter()
            .filter_map(|scheme| provider.key_generator(scheme))
            .find_map(|generator| generator.from_pkcs8_der(pkcs8).ok())
            .ok_or(CertificateError::Key(CryptoError::Unsupported))?;
        Self::from_signing_key(certificate, key, &parsed)
    }

    /// Puts a certificate in DER together with a key that lives elsewhere, for example in a hardware module.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] or [`CertificateError::KeyMismatch`], as for [`Certificate::from_der`].
    pub fn with_key(certificate: &[u8], key: Box<dyn SigningKey>) -> Result<Self, CertificateError> {
        let parsed = parse::parse(certificate).ok_or(CertificateError::Malformed)?;
        Self::from_signing_key(certificate, key, &parsed)
    }

    fn from_signing_key(
        certificate: &[u8],
        key: Box<dyn SigningKey>,
        parsed: &parse::Parsed,
    ) -> Result<Self, CertificateError> {
        if key.spki_der() != parsed.spki {
            return Err(CertificateError::KeyMismatch);
        }
        Ok(Self::new(certificate.to_vec(), key, parsed.not_after))
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.inner.der
    }

    /// When it expires, as time since 1970-01-01 00:00 UTC.
    #[must_use]
    pub fn expires(&self) -> Duration {
        self.inner.expires
    }

    /// The fingerprint to announce in SDP; SHA-256 is what every peer understands (RFC 8122 §5).
    ///
    /// `None` for hashes that must not be used (MD5, SHA-1) or that `provider` lacks.
    #[must_use]
    pub fn fingerprint(&self, provider: &Provider, hash: HashId) -> Option<Fingerprint> {
        Fingerprint::of(provider, hash, self.der())
    }

    /// The scheme of its signatures.
    #[must_use]
    pub fn scheme(&self) -> SignatureScheme {
        self.inner.key.scheme()
    }

    pub(crate) fn key(&self) -> &dyn SigningKey {
        &*self.inner.key
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("scheme", &self.scheme())
            .field("der_len", &self.der().len())
            .field("expires", &self.expires())
            .finish()
    }
}

/// A certificate cannot be made or loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// The key cannot be made, loaded or used.
    Key(CryptoError),
    /// The key is not the one in the certificate.
    KeyMismatch,
    /// The certificate is not DER of X.509, or larger than any that is accepted.
    Malformed,
    /// The time of expiry lies outside what X.509 can say, or before the start.
    Validity,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => write!(f, "the private key is not usable: {error}"),
            Self::KeyMismatch => f.write_str("the private key does not belong to the certificate"),
            Self::Malformed => f.write_str("the certificate cannot be parsed"),
            Self::Validity => f.write_str("the validity is out of range"),
        }
    }
}

impl std::error::Error for CertificateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(error) => Some(error),
            Self::KeyMismatch | Self::Malformed | Self::Validity => None,
        }
    }
}
