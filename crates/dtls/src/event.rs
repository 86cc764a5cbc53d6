//! What a connection tells its owner.

use crate::{Alert, AlertDescription};
use crypto::CryptoError;
use std::fmt;

/// A fact about the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is complete and the peer's certificate has one of the expected fingerprints: keys can be
    /// exported and data flows. Comes once.
    Connected,
    /// The end. Nothing comes after it.
    Closed(CloseReason),
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// [`Connection::close`](crate::Connection::close) was called.
    Local,
    /// The peer said so, by a `close_notify` or a fatal alert.
    Peer(Alert),
    /// The peer stopped answering during the handshake (RFC 6347 §4.2.4).
    Timeout,
    /// The peer broke the protocol, or is not who it should be.
    Violation(Violation),
    /// The crypto provider lacks an algorithm or failed.
    Crypto(CryptoError),
    /// All 2^48 sequence numbers of the epoch are used (RFC 6347 §4.1): going on would repeat a nonce.
    SequenceExhausted,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("closed here"),
            Self::Peer(alert) => write!(f, "closed by the peer: {alert}"),
            Self::Timeout => f.write_str("the peer did not answer"),
            Self::Violation(violation) => violation.fmt(f),
            Self::Crypto(error) => error.fmt(f),
            Self::SequenceExhausted => f.write_str("all record sequence numbers are used"),
        }
    }
}

/// What the peer did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// Its certificate cannot be parsed, or holds a key of an unusable kind.
    BadCertificate,
    /// A message or extension cannot be parsed; the text names it.
    Decode(&'static str),
    /// Its certificate has none of the expected fingerprints (RFC 8122 §6.2).
    FingerprintMismatch,
    /// Its Finished message does not verify: somebody changed the handshake (RFC 5246 §7.4.9).
    Finished,
    /// The handshake grew beyond the configured limits.
    HandshakeTooLarge,
    /// A field has a value that is not allowed; the text names it.
    IllegalParameter(&'static str),
    /// It sent no certificate, or did not ask for ours (RFC 8122 §6.2).
    MissingCertificate,
    /// It does not do extended master secrets (RFC 7627).
    MissingExtendedMasterSecret,
    /// It does not do DTLS-SRTP although it is required (RFC 5764).
    MissingSrtp,
    /// No cipher suite in common.
    NoCommonCipherSuite,
    /// No key exchange group in common.
    NoCommonGroup,
    /// No signature scheme in common.
    NoCommonSignatureScheme,
    /// No DTLS-SRTP profile in common.
    NoCommonSrtpProfile,
    /// No protocol version in common.
    ProtocolVersion,
    /// Its first handshake claims to follow another one (RFC 5746 §3.4, §3.6).
    Renegotiation,
    /// A signature does not verify: the peer has not the key of its certificate, or the handshake was changed.
    Signature,
    /// A message came at the wrong time; the text names what was awaited.
    UnexpectedMessage(&'static str),
    /// An extension came that was not asked for.
    UnsupportedExtension,
}

impl Violation {
    /// The alert that is sent for it.
    #[must_use]
    pub const fn alert(&self) -> AlertDescription {
        match self {
            Self::BadCertificate | Self::FingerprintMismatch | Self::MissingCertificate => {
                AlertDescription::BAD_CERTIFICATE
            }
            Self::Decode(_) => AlertDescription::DECODE_ERROR,
            Self::Finished | Self::Signature => AlertDescription::DECRYPT_ERROR,
            Self::HandshakeTooLarge
            | Self::MissingExtendedMasterSecret
            | Self::MissingSrtp
            | Self::NoCommonCipherSuite
            | Self::NoCommonGroup
            | Self::NoCommonSignatureScheme
            | Self::NoCommonSrtpProfile
            | Self::Renegotiation => AlertDescription::HANDSHAKE_FAILURE,
            Self::IllegalParameter(_) => AlertDescription::ILLEGAL_PARAMETER,
            Self::ProtocolVersion => AlertDescription::PROTOCOL_VERSION,
            Self::UnexpectedMessage(_) => AlertDescription::UNEXPECTED_MESSAGE,
            Self::UnsupportedExtension => AlertDescription::UNSUPPORTED_EXTENSION,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadCertificate => f.write_str("the peer's certificate is not usable"),
            Self::Decode(what) => write!(f, "the peer's {what} cannot be parsed"),
            Self::FingerprintMismatch => {
                f.write_str("the peer's certificate has not the expected fingerprint")
            }
            Self::Finished => f.write_str("the peer's Finished message does not verify"),
            Self::HandshakeTooLarge => f.write_str("the peer's handshake is too large"),
            Self::IllegalParameter(what) => write!(f, "the peer's {what} has a value that is not allowed"),
            Self::MissingCertificate => f.write_str("the peer gave or asked for no certificate"),
            Self::MissingExtendedMasterSecret => f.write_str("the peer lacks the extended master secret"),
            Self::MissingSrtp => f.write_str("the peer lacks DTLS-SRTP"),
            Self::NoCommonCipherSuite => f.write_str("no cipher suite in common"),
            Self::NoCommonGroup => f.write_str("no key exchange group in common"),
            Self::NoCommonSignatureScheme => f.write_str("no signature scheme in common"),
            Self::NoCommonSrtpProfile => f.write_str("no DTLS-SRTP profile in common"),
            Self::ProtocolVersion => f.write_str("no protocol version in common"),
            Self::Renegotiation => f.write_str("the peer's first handshake claims to be a renegotiation"),
            Self::Signature => f.write_str("the peer's signature does not verify"),
            Self::UnexpectedMessage(awaited) => write!(f, "the peer sent another message than {awaited}"),
            Self::UnsupportedExtension => f.write_str("the peer sent an extension nobody asked for"),
        }
    }
}
