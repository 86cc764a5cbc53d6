//! The one transport of a session: ICE below, DTLS on it, SRTP keyed by DTLS.
//!
//! A struct of its own, so that a session could hold two.

use dtls::{CloseReason, Connection};
use srtp::{Protector, Unprotector};

pub(super) struct Transport {
    pub(super) ice: ice::Agent,
    pub(super) dtls: Dtls,
    /// The first path is there and the handshake was started on it.
    pub(super) dtls_started: bool,
    pub(super) srtp: Option<Srtp>,
}

/// The DTLS connection by the stage it is in.
pub(super) enum Dtls {
    /// The role is not negotiated.
    New,
    /// Handshake or data.
    Running(Box<Connection>),
    /// Over; the connection is kept for its certificate, its counters and a last alert.
    Ended(Box<Connection>, CloseReason),
}

impl Dtls {
    pub(super) fn connection(&self) -> Option<&Connection> {
        match self {
            Self::New => None,
            Self::Running(connection) | Self::Ended(connection, _) => Some(connection),
        }
    }

    pub(super) fn connection_mut(&mut self) -> Option<&mut Connection> {
        match self {
            Self::New => None,
            Self::Running(connection) | Self::Ended(connection, _) => Some(connection),
        }
    }

    /// Records the end.
    pub(super) fn end(&mut self, reason: CloseReason) {
        *self = match std::mem::replace(self, Self::New) {
            Self::Running(connection) => Self::Ended(connection, reason),
            other @ (Self::New | Self::Ended(..)) => other,
        };
    }
}

/// The two directions of SRTP.
pub(super) struct Srtp {
    pub(super) profile: srtp::Profile,
    pub(super) protector: Protector,
    pub(super) unprotector: Unprotector,
}
