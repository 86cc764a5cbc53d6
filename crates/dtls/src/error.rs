//! Errors of the caller, and the internal sum of what can end a handshake.

use crate::{CloseReason, Violation};
use crypto::CryptoError;
use std::fmt;

/// Keying material cannot be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// The context is longer than 65,535 bytes (RFC 5705 §4).
    ContextTooLong,
    /// The handshake is not complete, or the peer's fingerprint is not checked yet, or the connection has ended.
    NotConnected,
    /// The label is one of those that TLS itself uses (RFC 5705 §4).
    ReservedLabel,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ContextTooLong => "the exporter context is longer than 65,535 bytes",
            Self::NotConnected => "the connection is not established",
            Self::ReservedLabel => "the exporter label belongs to TLS itself",
        })
    }
}

impl std::error::Error for ExportError {}

/// What ends a handshake from inside a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Crypto(CryptoError),
    Violation(Violation),
}

impl From<Violation> for Fault {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl From<CryptoError> for Fault {
    fn from(error: CryptoError) -> Self {
        Self::Crypto(error)
    }
}

impl From<Fault> for CloseReason {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Crypto(error) => Self::Crypto(error),
            Fault::Violation(violation) => Self::Violation(violation),
        }
    }
}
