//! The connection states of the W3C API, computed from the states of ICE and DTLS, never stored twice.

use std::fmt;

/// How the whole connection is doing (W3C `RTCPeerConnectionState`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the set is closed by the W3C specification")]
pub enum PeerConnectionState {
    /// Nothing has started.
    #[default]
    New,
    /// ICE or DTLS is under way.
    Connecting,
    /// ICE and DTLS are up.
    Connected,
    /// ICE has lost contact and may find it again.
    Disconnected,
    /// ICE or DTLS has failed; an ICE restart may help the former.
    Failed,
    /// Closed, for good.
    Closed,
}

/// How ICE is doing (W3C `RTCIceConnectionState`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the set is closed by the W3C specification")]
pub enum IceConnectionState {
    /// No remote candidate has been tried.
    #[default]
    New,
    /// Checks are running and none has succeeded.
    Checking,
    /// A pair works; checks may go on.
    Connected,
    /// A pair works and all checks are done.
    Completed,
    /// The pair stopped answering.
    Disconnected,
    /// No pair works, or consent is gone.
    Failed,
    /// Closed, for good.
    Closed,
}

/// How gathering of candidates is doing (W3C `RTCIceGatheringState`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the set is closed by the W3C specification")]
pub enum IceGatheringState {
    /// Not started.
    #[default]
    New,
    /// Under way.
    Gathering,
    /// All candidates of this generation are known.
    Complete,
}

/// How the DTLS transport is doing (W3C `RTCDtlsTransportState`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the set is closed by the W3C specification")]
pub enum DtlsTransportState {
    /// Not started.
    #[default]
    New,
    /// The handshake is under way.
    Connecting,
    /// The peer has proved its fingerprint.
    Connected,
    /// Ended by close_notify.
    Closed,
    /// Ended by an error.
    Failed,
}

/// W3C webrtc-pc §4.3.3: the first state whose condition holds.
pub(crate) fn peer_connection(
    ice: IceConnectionState,
    dtls: DtlsTransportState,
    closed: bool,
) -> PeerConnectionState {
    if closed {
        return PeerConnectionState::Closed;
    }
    match (ice, dtls) {
        (IceConnectionState::Failed, _) | (_, DtlsTransportState::Failed) => PeerConnectionState::Failed,
        (IceConnectionState::Disconnected, _) => PeerConnectionState::Disconnected,
        (
            IceConnectionState::New | IceConnectionState::Closed,
            DtlsTransportState::New | DtlsTransportState::Closed,
        ) => PeerConnectionState::New,
        (
            IceConnectionState::Connected | IceConnectionState::Completed,
            DtlsTransportState::Connected | DtlsTransportState::Closed,
        ) => PeerConnectionState::Connected,
        _ => PeerConnectionState::Connecting,
    }
}

macro_rules! w3c_names {
    ($type:ty: $($variant:ident $name:literal),+) => {
        impl $type {
            /// The string of the W3C enumeration.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

w3c_names!(PeerConnectionState: New "new", Connecting "connecting", Connected "connected",
    Disconnected "disconnected", Failed "failed", Closed "closed");
w3c_names!(IceConnectionState: New "new", Checking "checking", Connected "connected", Completed "completed",
    Disconnected "disconnected", Failed "failed", Closed "closed");
w3c_names!(IceGatheringState: New "new", Gathering "gathering", Complete "complete");
w3c_names!(DtlsTransportState: New "new", Connecting "connecting", Connected "connected", Closed "closed",
    Failed "failed");

#[cfg(test)]
mod tests {
    use super::*;

    const ICE: [IceConnectionState; 7] = [
        IceConnectionState::New,
        IceConnectionState::Checking,
        IceConnectionState::Connected,
        IceConnectionState::Completed,
        IceConnectionState::Disconnected,
        IceConnectionState::Failed,
        IceConnectionState::Closed,
    ];

    /// W3C webrtc-pc §4.3.3, every cell. Columns: DTLS new, connecting, connected, closed, failed.
    #[test]
    fn connection_state_table() {
        use PeerConnectionState::{Connected, Connecting, Disconnected, Failed, New};
        let table = [
            [New, Connecting, Connecting, New, Failed],
            [Connecting, Connecting, Connecting, Connecting, Failed],
            [Connecting, Connecting, Connected, Connected, Failed],
            [Connecting, Connecting, Connected, Connected, Failed],
            [Disconnected, Disconnected, Disconnected, Disconnected, Failed],
            [Failed, Failed, Failed, Failed, Failed],
            [New, Connecting, Connecting, New, Failed],
        ];
        let dtls = [
            DtlsTransportState::New,
            DtlsTransportState::Connecting,
            DtlsTransportState::Connected,
            DtlsTransportState::Closed,
            DtlsTransportState::Failed,
        ];
        for (ice, row) in ICE.into_iter().zip(table) {
            for (dtls, expected) in dtls.into_iter().zip(row) {
                assert_eq!(peer_connection(ice, dtls, false), expected, "ICE {ice}, DTLS {dtls}");
                assert_eq!(peer_connection(ice, dtls, true), PeerConnectionState::Closed);
            }
        }
    }
}
