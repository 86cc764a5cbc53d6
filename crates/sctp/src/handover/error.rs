//! Why an association does not move.

use crate::association::Association;
use std::fmt;

/// An association was not handed over. It comes back as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandoverError {
    /// It is not established: not yet begun, or in its handshake. What there is of it is cheaper to make anew.
    NotConnected(Box<Association>),
    /// It has ended, or has only its last packet left to write.
    Over(Box<Association>),
}

impl HandoverError {
    /// The association.
    #[must_use]
    pub fn into_association(self) -> Association {
        match self {
            Self::NotConnected(association) | Self::Over(association) => *association,
        }
    }
}

impl fmt::Display for HandoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected(_) => "the association is not established",
            Self::Over(_) => "the association is over",
        })
    }
}

impl std::error::Error for HandoverError {}

/// Not the bytes of a handover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandoverParseError {
    /// It does not begin like one.
    NoHandover,
    /// Written by a version of this crate whose format this one does not know.
    UnknownVersion {
        /// The number of the format.
        version: u16,
    },
    /// It ends early, goes on behind its end, or has a value that stands for nothing.
    Malformed,
    /// Two things in it cannot both be.
    Contradiction {
        /// What they are about.
        what: &'static str,
    },
}

impl fmt::Display for HandoverParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHandover => f.write_str("not a handover of an association"),
            Self::UnknownVersion { version } => write!(f, "a handover in the unknown format {version}"),
            Self::Malformed => f.write_str("a handover that is damaged"),
            Self::Contradiction { what } => write!(f, "a handover that contradicts itself: {what}"),
        }
    }
}

impl std::error::Error for HandoverParseError {}

/// An association cannot go on here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResumeError {
    /// It holds more for the application than the
    /// [receive buffer](crate::Config::with_receive_buffer_cap) here has room for.
    ReceiveBuffer {
        /// Payload bytes that wait to be pulled, or to become whole messages.
        held: usize,
        /// How many there may be.
        limit: usize,
    },
}

impl fmt::Display for ResumeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReceiveBuffer { held, limit } => {
                write!(f, "{held} bytes wait to be pulled, and the receive buffer takes {limit}")
            }
        }
    }
}

impl std::error::Error for ResumeError {}
