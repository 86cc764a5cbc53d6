//! Facts the agent reports.

use crate::{Candidate, Role, SelectedPair, ServerUrl};
use std::{fmt, net::SocketAddr};

/// Something happened. The order of events is the order in which things happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The agent is closed: the last event.
    Closed,
    /// The state of the connection changed.
    ConnectionStateChanged(ConnectionState),
    /// A server gave no candidate to one socket. Reported once for each server of a generation.
    GatherFailed(GatherFailure),
    /// All candidates of the generation `ufrag` are known: the end-of-candidates indication may be sent
    /// (RFC 8838 §13).
    GatheringComplete {
        /// The username fragment of the generation.
        ufrag: String,
    },
    /// The state of gathering changed.
    GatheringStateChanged(GatheringState),
    /// A candidate to be sent to the peer.
    LocalCandidate(Candidate),
    /// A `.local` name of ours to be answered for, see `mdns::Responder`.
    PublishName {
        /// The name.
        name: String,
        /// What it stands for.
        address: std::net::IpAddr,
    },
    /// A `.local` name of the peer to be resolved; answer with [`Agent::resolved`](crate::Agent::resolved).
    Resolve {
        /// The name.
        name: String,
    },
    /// A role conflict was repaired (RFC 8445 §7.3.1.1).
    RoleChanged(Role),
    /// Data now travels on another pair, or on none.
    SelectedPairChanged(Option<Box<SelectedPair>>),
    /// A name of ours is no longer to be answered for.
    WithdrawName {
        /// The name.
        name: String,
    },
}

/// The state of the connection, as in the W3C `RTCIceTransportState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the W3C has these seven")]
pub enum ConnectionState {
    /// Waiting for the peer's credentials or candidates.
    New,
    /// Looking for a pair that works.
    Checking,
    /// A pair works; others may still be tried.
    Connected,
    /// A pair is nominated, and nothing more is to be tried.
    Completed,
    /// Nothing came from the peer for a while; it may come back by itself.
    Disconnected,
    /// No pair works, or consent expired. Final until [`Agent::restart`](crate::Agent::restart).
    Failed,
    /// Closed by the application. Final.
    Closed,
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Checking => "checking",
            Self::Connected => "connected",
            Self::Completed => "completed",
            Self::Disconnected => "disconnected",
            Self::Failed => "failed",
            Self::Closed => "closed",
        })
    }
}

/// The state of gathering, as in the W3C `RTCIceGathererState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the W3C has these three")]
pub enum GatheringState {
    /// Not started.
    New,
    /// Candidates may still come.
    Gathering,
    /// All candidates are known.
    Complete,
}

impl fmt::Display for GatheringState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Gathering => "gathering",
            Self::Complete => "complete",
        })
    }
}

/// A server that gave no candidate, as in the W3C `RTCPeerConnectionIceErrorEvent`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GatherFailure {
    /// The server.
    pub url: ServerUrl,
    /// The socket it was asked from.
    pub local: SocketAddr,
    /// The STUN error code, or 701 when it did not answer.
    pub code: u16,
    /// The reason the server gave, or a description.
    pub reason: String,
}
