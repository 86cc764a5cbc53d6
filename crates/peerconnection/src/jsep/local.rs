//! Setting local descriptions (RFC 9429 §5.9).

use std::sync::Arc;

use super::{
    Created, IceChange, Negotiator, Plan, Slot, Snapshot, TransceiverChange,
    conclude::{Exchange, Side},
    mids::Mids,
    transport,
};
use crate::{
    description::{Description, SdpType},
    error::{Error, ErrorKind},
};

impl Negotiator {
    /// Plans what a description of ours does. Changes nothing.
    ///
    /// # Errors
    ///
    /// `InvalidStateError` when it may not come now, `InvalidModificationError` when it is not what was made last.
    pub(crate) fn set_local(&self, snapshot: &Snapshot, description: &Description) -> Result<Plan, Error> {
        let Some(sdp) = description.shared() else { return self.rollback(snapshot) };
        let kind = description.kind();
        let state = self.transition(Side::Local, kind)?;
        let created = match kind {
            SdpType::Offer => &self.created_offer,
            SdpType::Answer | SdpType::Pranswer | SdpType::Rollback => &self.created_answer,
        };
        //= rfc8829 §5.4
        //# The SDP returned from createOffer or createAnswer MUST NOT be changed
        //# before passing it to setLocalDescription.
        let Some(created) = created.as_ref().filter(|created| created.sdp == sdp) else {
            let context = format!("the {kind} is not the one that was made last, or it was changed");
            return Err(Error::new(ErrorKind::InvalidModificationError, context));
        };
        let mut next = self.clone();
        next.state = state;
        let slot = Slot { kind, sdp: Arc::clone(&sdp) };
        if kind == SdpType::Offer {
            return Ok(self.set_local_offer(snapshot, next, slot, created));
        }
        let Some(offer) = self.slots.pending_remote.as_ref() else {
            return Err(Error::new(ErrorKind::InvalidStateError, "there is no remote offer"));
        };
        let exchange = Exchange { offer: &offer.sdp, answer: &sdp, kind, offerer: Side::Remote };
        next.slots.pending_local = Some(slot);
        if kind == SdpType::Answer {
            next.settle();
        }
        let mut plan = Plan::new(next);
        plan.ice.gather = self.needs_gathering(&sdp);
        self.conclude(&mut plan, snapshot, exchange)?;
        Ok(plan)
    }

    fn set_local_offer(&self, snapshot: &Snapshot, mut next: Self, slot: Slot, created: &Created) -> Plan {
        next.next_mid = Mids::after(&slot.sdp, self.next_mid);
        let sections = slot.sdp.media.iter().zip(&created.transceivers).enumerate();
        let mut changes = Vec::new();
        for (index, (media, transceiver)) in sections {
            let (Some(mid), Some(id)) = (media.mid(), transceiver) else { continue };
            let view = snapshot.transceiver(*id);
            if view.is_some_and(|view| view.mid.is_none()) {
                changes.push(TransceiverChange::Associate { id: *id, mid: mid.to_owned(), index });
            }
        }
        changes.iter().for_each(|change| next.undo.note(snapshot, change));
        let ours = transport::credentials(&slot.sdp);
        let ice = IceChange {
            gather: self.needs_gathering(&slot.sdp),
            local: ours.filter(|ours| *ours != snapshot.ice.local),
            ..IceChange::default()
        };
        next.slots.pending_local = Some(slot);
        Plan { ice, transceivers: changes, ..Plan::new(next) }
    }

    /// Whether a local description is the first one with its credentials (RFC 9429 §3.5.1).
    fn needs_gathering(&self, sdp: &sdp::Description) -> bool {
        let Some(credentials) = transport::credentials(sdp) else { return false };
        let known = [&self.slots.current_local, &self.slots.pending_local];
        !known
            .into_iter()
            .flatten()
            .any(|slot| transport::credentials(&slot.sdp).as_ref() == Some(&credentials))
    }

    /// The pending descriptions become the current ones.
    pub(super) fn settle(&mut self) {
        self.slots.current_local = self.slots.pending_local.take();
        self.slots.current_remote = self.slots.pending_remote.take();
        (self.created_offer, self.created_answer) = (None, None);
        self.undo = super::Undo::default();
    }
}
