//! Setting remote descriptions (RFC 9429 §5.10 and §5.11).

use std::{collections::BTreeSet, sync::Arc};

use sdp::MediaDescription;

use super::{
    Negotiator, Plan, ReceiverView, Slot, Snapshot, TransceiverChange, TransceiverOrigin, TransceiverState,
    TransceiverView,
    conclude::{self, Exchange, Side},
    direction, invalid_access,
    rollback::remote_track,
    section::{self, SectionKind},
    transport::Transport,
    verify,
};
use crate::{
    description::{Description, SdpType, SignalingState},
    error::{Error, ErrorKind},
    transceiver::{Direction, MediaKind, TransceiverId},
};

impl Negotiator {
    /// Plans what a description of the other side does. Changes nothing.
    ///
    /// An offer that meets one of ours rolls ours back first; whether to let that happen is the caller's choice
    /// (perfect negotiation, W3C §10.7).
    ///
    /// # Errors
    ///
    /// `InvalidStateError` when it may not come now, `InvalidAccessError` when it is not acceptable.
    pub(crate) fn set_remote(&self, snapshot: &Snapshot, description: &Description) -> Result<Plan, Error> {
        let Some(sdp) = description.shared() else { return self.rollback(snapshot) };
        let kind = description.kind();
        let state = self.transition(Side::Remote, kind)?;
        verify::description(&sdp)?;
        if kind != SdpType::Offer {
            return self.set_remote_answer(snapshot, state, kind, &sdp);
        }
        if self.state != SignalingState::HaveLocalOffer {
            return self.set_remote_offer(snapshot, &sdp);
        }
        // Two offers met: ours goes back, in the same plan.
        let back = self.rollback(snapshot)?;
        let after = snapshot.applied(&back.transceivers);
        let mut plan = back.next.set_remote_offer(&after, &sdp)?;
        plan.transceivers.splice(0..0, back.transceivers);
        plan.ice.local = back.ice.local;
        Ok(plan)
    }

    fn set_remote_offer(&self, snapshot: &Snapshot, sdp: &Arc<sdp::Description>) -> Result<Plan, Error> {
        self.verify_reoffer(sdp)?;
        if let Some(transport) = Transport::of(sdp)? {
            self.verify_transport(&transport, false)?;
        }
        let mut next = self.clone();
        next.state = SignalingState::HaveRemoteOffer;
        next.created_answer = None;
        let mut draft = Draft::new(snapshot, sdp);
        for (index, media) in sdp.media.iter().enumerate() {
            draft.section(index, media)?;
        }
        let mut before = snapshot.clone();
        for change in &draft.changes {
            next.undo.note(&before, change);
            before.apply(change);
        }
        next.slots.pending_remote = Some(Slot { kind: SdpType::Offer, sdp: Arc::clone(sdp) });
        let transceivers = draft.changes;
        Ok(Plan { transceivers, ..Plan::new(next) })
    }

    fn set_remote_answer(
        &self,
        snapshot: &Snapshot,
        state: SignalingState,
        kind: SdpType,
        sdp: &Arc<sdp::Description>,
    ) -> Result<Plan, Error> {
        let Some(offer) = self.slots.pending_local.as_ref() else {
            return Err(Error::new(ErrorKind::InvalidStateError, "there is no local offer"));
        };
        verify::answer(&offer.sdp, sdp)?;
        let exchange = Exchange { offer: &offer.sdp, answer: sdp, kind, offerer: Side::Local };
        let mut next = self.clone();
        next.state = state;
        next.slots.pending_remote = Some(Slot { kind, sdp: Arc::clone(sdp) });
        if kind == SdpType::Answer {
            next.settle();
        }
        let mut plan = Plan::new(next);
        self.conclude(&mut plan, snapshot, exchange)?;
        Ok(plan)
    }
}

/// Finds or makes a transceiver for each section of a remote offer.
struct Draft<'a> {
    snapshot: &'a Snapshot,
    sdp: &'a sdp::Description,
    changes: Vec<TransceiverChange>,
    used: BTreeSet<TransceiverId>,
    next: TransceiverId,
}

impl<'a> Draft<'a> {
    fn new(snapshot: &'a Snapshot, sdp: &'a sdp::Description) -> Self {
        let (changes, used) = (Vec::new(), BTreeSet::new());
        Self { snapshot, sdp, changes, used, next: snapshot.next_transceiver }
    }

    fn section(&mut self, index: usize, media: &MediaDescription) -> Result<(), Error> {
        let Some(mid) = media.mid() else { return Ok(()) };
        let section = SectionKind::of(media);
        let known = self.snapshot.by_mid(mid);
        if known.is_some_and(|view| view.index != Some(index) || section != SectionKind::Media(view.kind)) {
            return Err(invalid_access("a mid moved to another section"));
        }
        let SectionKind::Media(kind) = section else { return Ok(()) };
        if section::is_rejected(media) {
            // What the other side disabled sends no more; it is stopped when this is answered.
            if let Some(view) = known {
                self.track(view.id, &view.receiver, media, Direction::Inactive);
            }
            return Ok(());
        }
        let direction = direction::of(self.sdp, media).reversed();
        if let Some(view) = known {
            self.track(view.id, &view.receiver, media, direction);
            return Ok(());
        }
        //= rfc8829 §5.10
        //# If the "m=" section is sendrecv or recvonly, and there are
        //# RtpTransceivers of the same type that were added to the
        //# PeerConnection by addTrack and are not associated with any
        //# "m=" section and are not stopped, find the first (according
        //# to the canonical order described in Section 5.2.1) such
        //# RtpTransceiver.
        let found = if direction.sends() { self.free(kind) } else { None };
        let (id, receiver) = match found {
            Some(view) => {
                let mid = mid.to_owned();
                self.changes.push(TransceiverChange::Associate { id: view.id, mid, index });
                (view.id, view.receiver.clone())
            }
            None => {
                let id = self.next;
                self.next = TransceiverId(id.0.saturating_add(1));
                self.changes.push(TransceiverChange::Create { id, kind, mid: mid.to_owned(), index });
                (id, ReceiverView::default())
            }
        };
        self.used.insert(id);
        self.track(id, &receiver, media, direction);
        Ok(())
    }

    /// The first transceiver that `addTrack` made and no section has.
    fn free(&self, kind: MediaKind) -> Option<&'a TransceiverView> {
        self.snapshot.transceivers.iter().find(|view| {
            let by_track = match view.origin {
                TransceiverOrigin::AddTrack => true,
                TransceiverOrigin::AddTransceiver => false,
                TransceiverOrigin::Remote => view.sender.has_track,
            };
            let unused = view.mid.is_none() && !self.used.contains(&view.id);
            view.kind == kind && by_track && unused && view.state == TransceiverState::Active
        })
    }

    fn track(
        &mut self,
        id: TransceiverId,
        before: &ReceiverView,
        media: &MediaDescription,
        direction: Direction,
    ) {
        self.changes.extend(remote_track(id, before, conclude::receiver(before, media, direction)));
    }
}
