//! What a description does to the session, decided before anything is touched.

use super::{Feedback, NegotiatedCodec, Negotiator, ReceiverView};
use crate::{
    description::SignalingState,
    transceiver::{Direction, MediaKind, TransceiverId},
};

/// Everything a description changes. Applying it cannot fail.
///
/// The fields are to be applied in the order they stand here; `next` is the negotiator afterwards.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) signaling: SignalingState,
    pub(crate) ice: IceChange,
    /// A DTLS association to start.
    pub(crate) dtls: Option<DtlsStart>,
    pub(crate) sctp: Option<SctpChange>,
    /// In order: later changes count on earlier ones.
    pub(crate) transceivers: Vec<TransceiverChange>,
    /// After an answer or a provisional one: all media in effect. Otherwise none, which leaves media as it is.
    pub(crate) streams: Option<Vec<StreamChange>>,
    pub(super) next: Box<Negotiator>,
}

impl Plan {
    pub(super) fn new(next: Negotiator) -> Self {
        Self {
            signaling: next.state,
            ice: IceChange::default(),
            dtls: None,
            sctp: None,
            transceivers: Vec::new(),
            streams: None,
            next: Box::new(next),
        }
    }
}

/// A user name fragment and a password (RFC 8839 §5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IceCredentials {
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
}

/// RFC 8445 §6.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IceRole {
    Controlled,
    Controlling,
}

/// What happens to ICE. All fields of the default say "nothing".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IceChange {
    /// Use these from now on: they differ from what the agent uses. A new generation of candidates.
    pub(crate) local: Option<IceCredentials>,
    /// Gather candidates: the first local description, or one with new credentials.
    pub(crate) gather: bool,
    /// The other side's credentials, when they are new. Replaces those of before: with `restart`, a restart.
    pub(crate) remote: Option<IceCredentials>,
    /// Whether the credentials of both sides change: an ICE restart takes effect (RFC 8445 §9).
    pub(crate) restart: bool,
    /// The role, when it is decided now. Restarts keep it.
    pub(crate) role: Option<IceRole>,
    /// Whether the other side is ICE-lite (RFC 8445 §2.5); meaningful with `remote`.
    pub(crate) remote_lite: bool,
    /// All candidates of the other side's description, some of which may be known already.
    pub(crate) candidates: Vec<sdp::Candidate>,
    /// Whether the description says that there will be no more.
    pub(crate) end_of_candidates: bool,
}

/// Which side of the handshake (RFC 8842 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DtlsRole {
    /// `setup:active`: the client.
    Active,
    /// `setup:passive`: the server.
    Passive,
}

impl DtlsRole {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Active => Self::Passive,
            Self::Passive => Self::Active,
        }
    }
}

/// A DTLS association to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DtlsStart {
    pub(crate) role: DtlsRole,
    /// The other side's certificate has to match one of these.
    pub(crate) fingerprints: Vec<sdp::Fingerprint>,
    /// Whether it takes the place of an association there is: that one's keys must not be used any more.
    pub(crate) replaces: bool,
}

/// The INIT chunks of both descriptions, instead of a handshake (draft-hancke-tsvwg-snap).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inits {
    pub(crate) local: Vec<u8>,
    pub(crate) remote: Vec<u8>,
}

/// What happens to the SCTP association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SctpChange {
    /// The other side rejected or closed it.
    Close,
    /// A new association, in place of one there may be.
    Start {
        local_port: u16,
        remote_port: u16,
        /// Largest message the other side receives, in bytes; 0 for any.
        max_message_size: u64,
        /// There when both sides sent one.
        inits: Option<Inits>,
    },
    /// The same association with another limit.
    Update { max_message_size: u64 },
}

/// What happens to one transceiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TransceiverChange {
    /// Make one that only receives, associated as told.
    Create {
        id: TransceiverId,
        kind: MediaKind,
        mid: String,
        index: usize,
    },
    Associate {
        id: TransceiverId,
        mid: String,
        index: usize,
    },
    /// Forget tag and index.
    Dissociate {
        id: TransceiverId,
    },
    /// Sets `currentDirection`.
    CurrentDirection {
        id: TransceiverId,
        direction: Direction,
    },
    /// The track of the other side changed. `event` says whether the application has to be told.
    RemoteTrack {
        id: TransceiverId,
        receiver: ReceiverView,
        event: RemoteTrackEvent,
    },
    /// Stopped by a rejected section.
    Stop {
        id: TransceiverId,
    },
    /// Leaves the set.
    Remove {
        id: TransceiverId,
    },
}

/// What the application hears about a remote track (W3C §4.4.1.4, "process remote tracks").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RemoteTrackEvent {
    /// A `track` event.
    Added,
    /// The track is muted and leaves its streams.
    Removed,
    /// It only changed streams.
    Moved,
}

/// Media of one section, in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamChange {
    pub(crate) transceiver: TransceiverId,
    pub(crate) kind: MediaKind,
    pub(crate) mid: String,
    pub(crate) index: usize,
    /// Whether we may send and receive.
    pub(crate) direction: Direction,
    /// What we may send, the other side's favourite first; payload types and parameters are the other side's.
    pub(crate) send: Vec<NegotiatedCodec>,
    /// What we may receive; payload types and parameters are ours.
    pub(crate) receive: Vec<NegotiatedCodec>,
    pub(crate) extensions: Vec<NegotiatedExtension>,
    /// RTP sources that the other side announced.
    pub(crate) sources: Vec<RemoteSource>,
    /// Names of encodings that the other side sends; receiving more than one is for later.
    pub(crate) rids: Vec<String>,
    pub(crate) remote: ReceiverView,
    /// Reduced-size RTCP (RFC 5506).
    pub(crate) rtcp_rsize: bool,
    /// What the other side wants to get at most, in bits per second of RTP payload and headers.
    pub(crate) max_bitrate: Option<u64>,
}

/// A header extension both sides use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NegotiatedExtension {
    pub(crate) id: u8,
    pub(crate) uri: String,
    /// Whether we may send and receive it.
    pub(crate) direction: Direction,
}

/// A source that the other side announced (RFC 5576).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteSource {
    pub(crate) ssrc: u32,
    /// The source of its retransmissions.
    pub(crate) rtx: Option<u32>,
    pub(crate) cname: Option<String>,
}

impl Feedback {
    /// Whether the message is `id` with `parameter`.
    pub(crate) fn is(&self, id: &str, parameter: Option<&str>) -> bool {
        self.id == id && self.parameter.as_deref() == parameter
    }
}
