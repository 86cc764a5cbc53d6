//! Taking back what was proposed (RFC 9429 §5.7).

use super::{
    IceChange, Negotiator, Plan, ReceiverView, RemoteTrackEvent, Snapshot, TransceiverChange, transport,
};
use crate::{
    description::SignalingState,
    error::{Error, ErrorKind},
    transceiver::TransceiverId,
};

/// What the description that is pending did to transceivers, to be taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Undo {
    /// Were not associated before.
    pub(super) associated: Vec<TransceiverId>,
    /// Did not exist before.
    pub(super) created: Vec<TransceiverId>,
    /// What the other side sent before.
    pub(super) receivers: Vec<(TransceiverId, ReceiverView)>,
}

impl Undo {
    /// Notes what `change` is going to do.
    pub(super) fn note(&mut self, snapshot: &Snapshot, change: &TransceiverChange) {
        match change {
            TransceiverChange::Create { id, .. } => self.created.push(*id),
            TransceiverChange::Associate { id, .. } => {
                let fresh = snapshot.transceiver(*id).is_some_and(|view| view.mid.is_none());
                if fresh && !self.associated.contains(id) {
                    self.associated.push(*id);
                }
            }
            TransceiverChange::RemoteTrack { id, .. } => {
                let known = self.created.contains(id) || self.receivers.iter().any(|(other, _)| other == id);
                if let (false, Some(view)) = (known, snapshot.transceiver(*id)) {
                    self.receivers.push((*id, view.receiver.clone()));
                }
            }
            TransceiverChange::CurrentDirection { .. }
            | TransceiverChange::Dissociate { .. }
            | TransceiverChange::Remove { .. }
            | TransceiverChange::Stop { .. } => {}
        }
    }
}

impl Negotiator {
    pub(super) fn rollback(&self, snapshot: &Snapshot) -> Result<Plan, Error> {
        if !matches!(self.state, SignalingState::HaveLocalOffer | SignalingState::HaveRemoteOffer) {
            let context = format!("there is nothing to roll back in the state {}", self.state);
            return Err(Error::new(ErrorKind::InvalidStateError, context));
        }
        let mut next = self.clone();
        next.state = SignalingState::Stable;
        (next.slots.pending_local, next.slots.pending_remote) = (None, None);
        (next.created_offer, next.created_answer) = (None, None);
        let undo = std::mem::take(&mut next.undo);
        let mut plan = Plan::new(next);
        for (id, before) in undo.receivers {
            if let Some(view) = snapshot.transceiver(id) {
                plan.transceivers.extend(remote_track(id, &view.receiver, before));
            }
        }
        for id in undo.created {
            let Some(view) = snapshot.transceiver(id) else { continue };
            plan.transceivers.extend(remote_track(id, &view.receiver, ReceiverView::default()));
            //= rfc8829 §5.7
            //# However, an RtpTransceiver MUST NOT be removed if a
            //# track was attached to the RtpTransceiver via the addTrack method.
            plan.transceivers.push(if view.sender.has_track {
                TransceiverChange::Dissociate { id }
            } else {
                TransceiverChange::Remove { id }
            });
        }
        let known = undo.associated.into_iter().filter(|id| snapshot.transceiver(*id).is_some());
        plan.transceivers.extend(known.map(|id| TransceiverChange::Dissociate { id }));
        plan.ice = self.rolled_back_ice(snapshot);
        Ok(plan)
    }

    /// Goes back to the credentials that were agreed on, if the offer had others.
    fn rolled_back_ice(&self, snapshot: &Snapshot) -> IceChange {
        let agreed = self.slots.current_local.as_ref().and_then(|slot| transport::credentials(&slot.sdp));
        let proposed = self.slots.pending_local.as_ref().and_then(|slot| transport::credentials(&slot.sdp));
        match (agreed, proposed) {
            (Some(agreed), Some(proposed)) if agreed != proposed && snapshot.ice.local == proposed => {
                IceChange { local: Some(agreed), ..IceChange::default() }
            }
            _ => IceChange::default(),
        }
    }
}

/// The change from one state of the remote track to another, if there is one.
pub(super) fn remote_track(
    id: TransceiverId,
    before: &ReceiverView,
    receiver: ReceiverView,
) -> Option<TransceiverChange> {
    let event = match (before.receiving, receiver.receiving) {
        (false, true) => RemoteTrackEvent::Added,
        (true, false) => RemoteTrackEvent::Removed,
        // A new stream is a reason for a track event, one less is not (W3C §4.4.1.4).
        (true, true) if receiver.streams.iter().any(|stream| !before.streams.contains(stream)) => {
            RemoteTrackEvent::Added
        }
        (true, true) if before.streams != receiver.streams => RemoteTrackEvent::Moved,
        (true, true) | (false, false) => return None,
    };
    Some(TransceiverChange::RemoteTrack { id, receiver, event })
}
