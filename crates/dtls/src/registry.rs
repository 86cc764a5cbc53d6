//! Numbers of the wire that have names.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crypto::{Group, SignatureScheme};
use std::fmt;

/// A protocol version as it stands in a record.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number of the wire, open by itself")]
pub struct ProtocolVersion(pub u16);

impl ProtocolVersion {
    /// DTLS 1.0: never negotiated, but the record version of first hellos (RFC 6347 §4.1).
    pub const DTLS_1_0: Self = Self(0xfeff);
    /// DTLS 1.2 (RFC 6347).
    pub const DTLS_1_2: Self = Self(0xfefd);
    /// DTLS 1.3 (RFC 9147).
    pub const DTLS_1_3: Self = Self(0xfefc);

    pub(crate) const fn bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtocolVersion({self})")
    }
}

/// A cipher suite, as in the TLS Cipher Suites registry.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number of the wire, open by itself")]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (RFC 5289), which every WebRTC endpoint has (RFC 8827 §6.5).
    pub const ECDHE_ECDSA_AES_128_GCM_SHA256: Self = Self(0xc02b);
    /// TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 (RFC 5289), for servers with an RSA certificate.
    pub const ECDHE_RSA_AES_128_GCM_SHA256: Self = Self(0xc02f);
    /// TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 §3.3): a signal, not a suite.
    pub(crate) const EMPTY_RENEGOTIATION_INFO_SCSV: Self = Self(0x00ff);

    /// Its name in the registry, when it is one that can be negotiated here.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::ECDHE_ECDSA_AES_128_GCM_SHA256 => Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
            Self::ECDHE_RSA_AES_128_GCM_SHA256 => Some("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            _ => None,
        }
    }

    /// The suite whose server signs with keys of `scheme`.
    pub(crate) const fn for_server_key(scheme: SignatureScheme) -> Self {
        if is_ecdsa(scheme) {
            Self::ECDHE_ECDSA_AES_128_GCM_SHA256
        } else {
            Self::ECDHE_RSA_AES_128_GCM_SHA256
        }
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:04X}", self.0),
        }
    }
}

impl fmt::Debug for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CipherSuite({self})")
    }
}

/// An SRTP protection profile, as in the DTLS-SRTP registry (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number of the wire, open by itself")]
pub struct SrtpProfile(pub u16);

impl SrtpProfile {
    /// SRTP_AES128_CM_HMAC_SHA1_80, which every WebRTC endpoint has (RFC 8827 §6.5).
    pub const AES128_CM_SHA1_80: Self = Self(0x0001);
    /// SRTP_AES128_CM_HMAC_SHA1_32; its short tag is not offered unless asked for.
    pub const AES128_CM_SHA1_32: Self = Self(0x0002);
    /// SRTP_AEAD_AES_128_GCM.
    pub const AEAD_AES_128_GCM: Self = Self(0x0007);
    /// SRTP_AEAD_AES_256_GCM.
    pub const AEAD_AES_256_GCM: Self = Self(0x0008);
}

impl fmt::Debug for SrtpProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SrtpProfile({:#06x})", self.0)
    }
}

/// Whether keys of `scheme` are elliptic-curve keys.
pub(crate) const fn is_ecdsa(scheme: SignatureScheme) -> bool {
    matches!(scheme, SignatureScheme::EcdsaSecp256r1Sha256)
}

/// Every scheme the seam knows, the most preferred first.
pub(crate) const SCHEMES: [SignatureScheme; 7] = [
    SignatureScheme::EcdsaSecp256r1Sha256,
    SignatureScheme::RsaPssRsaeSha256,
    SignatureScheme::RsaPkcs1Sha256,
    SignatureScheme::RsaPssRsaeSha384,
    SignatureScheme::RsaPkcs1Sha384,
    SignatureScheme::RsaPssRsaeSha512,
    SignatureScheme::RsaPkcs1Sha512,
];

/// The scheme with this number.
pub(crate) fn scheme(number: u16) -> Option<SignatureScheme> {
    SCHEMES.into_iter().find(|scheme| scheme.number() == number)
}

/// The group with this number.
pub(crate) fn group(number: u16) -> Option<Group> {
    [Group::X25519, Group::Secp256r1].into_iter().find(|group| group.number() == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        assert_eq!(scheme(0x0403), Some(SignatureScheme::EcdsaSecp256r1Sha256));
        assert_eq!(scheme(0x0804), Some(SignatureScheme::RsaPssRsaeSha256));
        assert_eq!(scheme(0x0203), None);
        assert_eq!(group(0x001d), Some(Group::X25519));
        assert_eq!(group(0x11ec), None);
        assert_eq!(
            CipherSuite::ECDHE_ECDSA_AES_128_GCM_SHA256.to_string(),
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        );
        assert_eq!(CipherSuite(0).to_string(), "0000");
        assert_eq!(ProtocolVersion::DTLS_1_2.to_string(), "FEFD");
    }
}
