//! What can go wrong at the client.

use std::fmt;
use stun::{
    AttributeError,
    attr::Code,
    auth::{ChallengeError, CredentialError},
    net::Transport,
};

/// A client cannot be made of this configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// User name or password cannot be used.
    Credentials(CredentialError),
    /// SOFTWARE has more than 127 characters.
    SoftwareTooLong,
    /// Only UDP to the server is there; TCP, TLS and DTLS are not.
    UnsupportedTransport(Transport),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials(error) => fmt::Display::fmt(error, f),
            Self::SoftwareTooLong => f.write_str("SOFTWARE has more than 127 characters"),
            Self::UnsupportedTransport(transport) => write!(f, "TURN over {transport} is not supported"),
        }
    }
}

impl std::error::Error for ClientError {}

/// A permission or channel cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// The client has ended or is closing.
    Ended,
    /// The peer's address family is not that of the relayed address (RFC 8656 §10.1, §12.1).
    FamilyMismatch,
    /// The configured number of permissions or channels is reached.
    LimitReached,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended => "the allocation has ended",
            Self::FamilyMismatch => "the peer's address family is not that of the relayed address",
            Self::LimitReached => "too many permissions or channels",
        })
    }
}

impl std::error::Error for CommandError {}

/// The server did not do what a request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// It could not be authenticated.
    Challenge(ChallengeError),
    /// It was granted, and could not be refreshed in time.
    Expired,
    /// Responses came that did not prove the key; none other did.
    IntegrityViolated,
    /// The response is malformed.
    Malformed(AttributeError),
    /// The server said no.
    Refused(Code),
    /// No response came.
    Timeout,
    /// The response has a comprehension-required attribute that is unknown (RFC 8489 §6.3.3).
    UnknownAttribute,
    /// The request cannot be signed with the algorithms of the crypto provider.
    Unsigned,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Challenge(error) => fmt::Display::fmt(error, f),
            Self::Expired => f.write_str("could not be refreshed in time"),
            Self::IntegrityViolated => f.write_str("no response proved to be from the server"),
            Self::Malformed(error) => write!(f, "malformed response: {error}"),
            Self::Refused(code) => write!(f, "refused: {code}"),
            Self::Timeout => f.write_str("no response"),
            Self::UnknownAttribute => f.write_str("the response has an unknown attribute that must be known"),
            Self::Unsigned => f.write_str("the crypto provider cannot sign the request"),
        }
    }
}

impl std::error::Error for RequestError {}

/// There is no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllocateError {
    /// 437: the server has an allocation for this 5-tuple. Try from another local port, three at most (RFC 8656
    /// §7.4).
    AllocationMismatch,
    /// 508: the server has no relayed address left. Wait a minute at least.
    CapacityReached,
    /// The credentials were refused.
    CredentialsRefused,
    /// The relayed address has another family than asked for; it was deleted again (RFC 8656 §7.3).
    FamilyMismatch,
    /// 440: the server does not relay this family.
    FamilyNotSupported,
    /// 486: this user has as many allocations as allowed. Wait a minute at least.
    QuotaReached,
    /// The request failed in another way.
    Request(RequestError),
}

impl From<RequestError> for AllocateError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Challenge(ChallengeError::CredentialsRefused) => Self::CredentialsRefused,
            RequestError::Refused(Code::UNAUTHENTICATED) => Self::CredentialsRefused,
            RequestError::Refused(Code::ALLOCATION_MISMATCH) => Self::AllocationMismatch,
            RequestError::Refused(Code::INSUFFICIENT_CAPACITY) => Self::CapacityReached,
            RequestError::Refused(Code::ADDRESS_FAMILY_NOT_SUPPORTED) => Self::FamilyNotSupported,
            RequestError::Refused(Code::ALLOCATION_QUOTA_REACHED) => Self::QuotaReached,
            RequestError::Challenge(_)
            | RequestError::Expired
            | RequestError::IntegrityViolated
            | RequestError::Malformed(_)
            | RequestError::Refused(_)
            | RequestError::Timeout
            | RequestError::UnknownAttribute
            | RequestError::Unsigned => Self::Request(error),
        }
    }
}

impl fmt::Display for AllocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllocationMismatch => f.write_str("the server has an allocation for this 5-tuple already"),
            Self::CapacityReached => f.write_str("the server has no relayed address left"),
            Self::CredentialsRefused => f.write_str("the server refused the credentials"),
            Self::FamilyMismatch => f.write_str("the relayed address has another family than asked for"),
            Self::FamilyNotSupported => f.write_str("the server does not relay this address family"),
            Self::QuotaReached => f.write_str("the allocation quota of the user is reached"),
            Self::Request(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for AllocateError {}
