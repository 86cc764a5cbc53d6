//! What the negotiator is told about the session each time: plain data, so that it can stay pure.

use super::{Codec, CodecTable, DtlsRole, ExtensionCapability, IceCredentials, TransceiverChange};
use crate::transceiver::{Direction, MediaKind, TransceiverId};

/// The session as the negotiator needs to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// All transceivers that were not removed, in the order of their creation.
    pub(crate) transceivers: Vec<TransceiverView>,
    /// The id of the next transceiver; a remote offer may use it and those that follow.
    pub(crate) next_transceiver: TransceiverId,
    /// The session id of the `o=` line: random, 63 bits (RFC 9429 §5.2.1).
    pub(crate) session_id: u64,
    /// Whether a data channel was ever made.
    pub(crate) data_channels_wanted: bool,
    /// How bundled sections are written.
    pub(crate) bundle: BundleForm,
    pub(crate) ice: IceView,
    pub(crate) dtls: DtlsView,
    pub(crate) sctp: SctpView,
    /// What can be coded, best first.
    pub(crate) codecs: CodecTable,
    /// RTP header extensions that are understood.
    pub(crate) extensions: Vec<ExtensionCapability>,
}

impl Snapshot {
    /// The same after `changes`.
    pub(crate) fn applied(&self, changes: &[TransceiverChange]) -> Self {
        let mut after = self.clone();
        changes.iter().for_each(|change| after.apply(change));
        after
    }

    /// Does to the transceivers what a plan asks for. Whoever owns them does the same.
    pub(crate) fn apply(&mut self, change: &TransceiverChange) {
        match change {
            TransceiverChange::Create { id, kind, mid, index } => {
                self.next_transceiver = self.next_transceiver.max(TransceiverId(id.0.saturating_add(1)));
                let mut view =
                    TransceiverView::new(*id, *kind, TransceiverOrigin::Remote, Direction::RecvOnly);
                (view.mid, view.index) = (Some(mid.clone()), Some(*index));
                self.transceivers.push(view);
            }
            TransceiverChange::Remove { id } => self.transceivers.retain(|view| view.id != *id),
            TransceiverChange::Associate { id, .. }
            | TransceiverChange::Dissociate { id }
            | TransceiverChange::CurrentDirection { id, .. }
            | TransceiverChange::RemoteTrack { id, .. }
            | TransceiverChange::Stop { id } => {
                if let Some(view) = self.transceivers.iter_mut().find(|view| view.id == *id) {
                    view.apply(change);
                }
            }
        }
    }

    pub(crate) fn transceiver(&self, id: TransceiverId) -> Option<&TransceiverView> {
        self.transceivers.iter().find(|view| view.id == id)
    }

    pub(super) fn by_mid(&self, mid: &str) -> Option<&TransceiverView> {
        self.transceivers.iter().find(|view| view.mid.as_deref() == Some(mid))
    }
}

/// A transceiver as negotiation sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransceiverView {
    pub(crate) id: TransceiverId,
    pub(crate) kind: MediaKind,
    pub(crate) origin: TransceiverOrigin,
    /// The tag of its section, once associated.
    pub(crate) mid: Option<String>,
    /// The index of its section, once associated.
    pub(crate) index: Option<usize>,
    /// What the application wants.
    pub(crate) direction: Direction,
    /// What the last answer agreed on.
    pub(crate) current_direction: Option<Direction>,
    pub(crate) state: TransceiverState,
    pub(crate) sender: SenderView,
    pub(crate) receiver: ReceiverView,
    /// What `setCodecPreferences` asked for; empty for no wish.
    pub(crate) codec_preferences: Vec<Codec>,
}

impl TransceiverView {
    /// A transceiver that nothing was negotiated for.
    pub(crate) fn new(
        id: TransceiverId,
        kind: MediaKind,
        origin: TransceiverOrigin,
        direction: Direction,
    ) -> Self {
        Self {
            id,
            kind,
            origin,
            mid: None,
            index: None,
            direction,
            current_direction: None,
            state: TransceiverState::Active,
            sender: SenderView::default(),
            receiver: ReceiverView::default(),
            codec_preferences: Vec::new(),
        }
    }

    /// Does what a change of this transceiver says; making and removing it is for whoever has the set.
    pub(crate) fn apply(&mut self, change: &TransceiverChange) {
        match change {
            TransceiverChange::Associate { mid, index, .. } => {
                (self.mid, self.index) = (Some(mid.clone()), Some(*index));
            }
            TransceiverChange::Dissociate { .. } => (self.mid, self.index) = (None, None),
            TransceiverChange::CurrentDirection { direction, .. } => {
                self.current_direction = Some(*direction);
            }
            TransceiverChange::RemoteTrack { receiver, .. } => self.receiver = receiver.clone(),
            TransceiverChange::Stop { .. } => {
                self.state = TransceiverState::Stopped;
                (self.direction, self.current_direction) = (Direction::Inactive, None);
            }
            TransceiverChange::Create { .. } | TransceiverChange::Remove { .. } => {}
        }
    }
}

/// Who made a transceiver; decides whether a remote offer may use it (RFC 9429 §5.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransceiverOrigin {
    /// `addTrack`: may be used.
    AddTrack,
    /// `addTransceiver`: may not.
    AddTransceiver,
    /// A remote offer; may be used by another one once a track was attached and the offer was rolled back.
    Remote,
}

/// The life of a transceiver (W3C `[[Stopping]]` and `[[Stopped]]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransceiverState {
    Active,
    /// Stopped by the application; the other side has to be told.
    Stopping,
    Stopped,
}

/// What a sender writes into a description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SenderView {
    /// Ids of the media streams of its track.
    pub(crate) streams: Vec<String>,
    /// The id of the track or, without one, of the sender; sent with the streams as browsers do.
    pub(crate) track_id: Option<String>,
    /// Whether the application attached a track.
    pub(crate) has_track: bool,
    pub(crate) ssrc: u32,
    /// The SSRC for retransmissions, where the codec has them.
    pub(crate) rtx_ssrc: Option<u32>,
    pub(crate) cname: String,
}

/// What descriptions said about the track that is received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReceiverView {
    /// Whether a description said that the other side sends: a `track` event was due.
    pub(crate) receiving: bool,
    /// The media streams of the track.
    pub(crate) streams: Vec<String>,
    /// The other side's name for the track.
    pub(crate) track_id: Option<String>,
}

/// How bundled sections are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BundleForm {
    /// Every section repeats the transport, as browsers write it and as some peers need it.
    #[default]
    Repeated,
    /// Only the tagged section has a transport; new ones are `bundle-only` (RFC 9143 §7.2, RFC 9429 §5.2.1).
    Tagged,
}

/// ICE on our side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IceView {
    /// What the agent uses.
    pub(crate) local: IceCredentials,
    /// What it would use after a restart: random, and the same each time until a plan says `local`.
    pub(crate) fresh: IceCredentials,
    /// Whether the application asked for a restart.
    pub(crate) restart: bool,
    /// What was gathered for `local` so far.
    pub(crate) candidates: Vec<sdp::Candidate>,
    pub(crate) end_of_candidates: bool,
}

/// DTLS on our side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DtlsView {
    /// Hashes of our certificate.
    pub(crate) fingerprints: Vec<sdp::Fingerprint>,
    /// The role to take when the offer leaves the choice.
    pub(crate) preferred: DtlsRole,
    /// `a=tls-id` of our side; none leaves it out, as browsers do.
    pub(crate) tls_id: Option<String>,
}

/// SCTP on our side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SctpView {
    /// 5000 by custom.
    pub(crate) port: u16,
    /// Largest message we receive, in bytes; 0 for any (RFC 8841 §6).
    pub(crate) max_message_size: u64,
    /// The INIT of our association, where it may begin without a handshake (draft-hancke-tsvwg-snap).
    pub(crate) init: Option<Vec<u8>>,
}
