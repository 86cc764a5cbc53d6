//! Fingerprints: the hash of a certificate, as SDP announces it (RFC 8122 §5).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crypto::{HashId, Provider};
use std::fmt;
use std::str::FromStr;

/// The hashes that are good enough to trust a certificate by, the most preferred first.
const PREFERENCE: [HashId; 3] = [HashId::Sha512, HashId::Sha384, HashId::Sha256];

/// The hash of a certificate.
///
/// Parses and prints the value of the SDP attribute, `sha-256 4A:AD:…`. What is parsed may be in upper or lower case,
/// since not all peers keep to the upper case that RFC 8122 §5 wants.
///
/// ```
/// let text = "sha-256 12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD";
/// let fingerprint: dtls::Fingerprint = text.parse()?;
/// assert_eq!(fingerprint.to_string(), text);
/// # Ok::<(), dtls::FingerprintError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    hash: HashId,
    value: Vec<u8>,
}

impl Fingerprint {
    /// A fingerprint with this value.
    ///
    /// # Errors
    /// [`FingerprintError::Length`] when `value` is not as long as the output of `hash`.
    pub fn new(hash: HashId, value: &[u8]) -> Result<Self, FingerprintError> {
        if value.len() != hash.output_len() {
            return Err(FingerprintError::Length);
        }
        Ok(Self { hash, value: value.to_vec() })
    }

    /// The fingerprint of a certificate in DER; `None` for MD5 and SHA-1, and for hashes that `provider` lacks.
    #[must_use]
    pub fn of(provider: &Provider, hash: HashId, certificate: &[u8]) -> Option<Self> {
        if !PREFERENCE.contains(&hash) {
            return None;
        }
        let mut value = vec![0; hash.output_len()];
        provider.hash(hash)?.hash(&[certificate], &mut value);
        Some(Self { hash, value })
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> HashId {
        self.hash
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// Whether it is the fingerprint of this certificate. Always `false` for MD5 and SHA-1:
    ///
    //= rfc8122 §5
    //# Implementations compliant with this specification MUST NOT use the
    //# MD2 and MD5 hash functions to calculate fingerprints or to verify
    //# received fingerprints that have been calculated using them.
    #[must_use]
    pub fn matches(&self, provider: &Provider, certificate: &[u8]) -> bool {
        Self::of(provider, self.hash, certificate).is_some_and(|actual| actual == *self)
    }

    /// Whether a certificate is one of those announced.
    ///
    //= rfc8122 §5.1
    //# An endpoint MUST select the set of fingerprints that use its most
    //# preferred hash function (out of those offered by the peer) and verify
    //# that each certificate used matches one fingerprint out of that set.
    pub(crate) fn any_matches(expected: &[Self], provider: &Provider, certificate: &[u8]) -> bool {
        PREFERENCE
            .into_iter()
            .find(|hash| provider.hash(*hash).is_some() && expected.iter().any(|one| one.hash == *hash))
            .is_some_and(|hash| {
                expected.iter().any(|one| one.hash == hash && one.matches(provider, certificate))
            })
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let (name, digits) = text.trim().split_once(' ').ok_or(FingerprintError::Malformed)?;
        let hash = NAMES
            .into_iter()
            .find(|(_, candidate)| candidate.eq_ignore_ascii_case(name))
            .map(|(hash, _)| hash)
            .ok_or(FingerprintError::UnknownHash)?;
        // Nothing longer than the longest hash is looked at.
        if digits.len() > 3 * HashId::MAX_LEN {
            return Err(FingerprintError::Length);
        }
        let mut value = Vec::with_capacity(hash.output_len());
        for pair in digits.trim_start().split(':') {
            if pair.len() != 2 || !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(FingerprintError::Malformed);
            }
            value.push(u8::from_str_radix(pair, 16).map_err(|_| FingerprintError::Malformed)?);
        }
        Self::new(hash, &value)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.into_iter().find(|(hash, _)| *hash == self.hash).map_or("unknown", |(_, name)| name);
        f.write_str(name)?;
        for (index, byte) in self.value.iter().enumerate() {
            write!(f, "{}{byte:02X}", if index == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// The names of the IANA registry "Hash Function Textual Names".
const NAMES: [(HashId, &str); 5] = [
    (HashId::Md5, "md5"),
    (HashId::Sha1, "sha-1"),
    (HashId::Sha256, "sha-256"),
    (HashId::Sha384, "sha-384"),
    (HashId::Sha512, "sha-512"),
];

/// A text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FingerprintError {
    /// The value is not as long as the hash makes it.
    Length,
    /// It is not a name, a space, and pairs of hexadecimal digits between colons.
    Malformed,
    /// The hash is not known here. The attribute is to be ignored when there are others.
    UnknownHash,
}

impl fmt::Display for FingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "the fingerprint has not the length of its hash",
            Self::Malformed => "the fingerprint is malformed",
            Self::UnknownHash => "the fingerprint's hash is unknown",
        })
    }
}

impl std::error::Error for FingerprintError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_in_either_case() {
        let fingerprint = Fingerprint::new(HashId::Sha256, &[0xab; 32]).unwrap();
        let text = fingerprint.to_string();
        assert!(text.starts_with("sha-256 AB:AB:"));
        assert_eq!(text.parse(), Ok(fingerprint.clone()));
        assert_eq!(text.to_lowercase().parse(), Ok(fingerprint.clone()));
        assert_eq!(text.to_uppercase().parse(), Ok(fingerprint));
    }

    #[test]
    fn malformed_texts_are_refused() {
        let good = Fingerprint::new(HashId::Sha256, &[0xab; 32]).unwrap().to_string();
        let parse = |text: &str| text.parse::<Fingerprint>().unwrap_err();
        assert_eq!(parse(""), FingerprintError::Malformed);
        assert_eq!(parse("sha-256"), FingerprintError::Malformed);
        assert_eq!(parse("sha-256 "), FingerprintError::Malformed);
        assert_eq!(parse(&good[..good.len() - 1]), FingerprintError::Malformed);
        assert_eq!(parse(&good[..good.len() - 3]), FingerprintError::Length);
        assert_eq!(parse(&format!("{good}:00")), FingerprintError::Length);
        assert_eq!(parse(&good.replacen("AB:", "+B:", 1)), FingerprintError::Malformed);
        assert_eq!(parse(&good.replacen("AB:", "AB-", 1)), FingerprintError::Malformed);
        assert_eq!(parse(&good.replace("sha-256", "md2")), FingerprintError::UnknownHash);
        assert_eq!(parse(&good.replace("sha-256", "sha-512")), FingerprintError::Length);
        assert_eq!(parse(&format!("sha-512 {}", "AB:".repeat(100_000))), FingerprintError::Length);
        assert_eq!(Fingerprint::new(HashId::Sha256, &[0; 31]), Err(FingerprintError::Length));
    }
}
