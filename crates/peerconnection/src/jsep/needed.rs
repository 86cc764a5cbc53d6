//! Whether there is something to negotiate (W3C webrtc-pc §4.7.3).

use super::{
    Negotiator, Slot, Snapshot, TransceiverState, TransceiverView, direction,
    section::{self, SectionKind},
};
use crate::description::{SdpType, SignalingState};

impl Negotiator {
    /// Whether what the snapshot has differs from what was agreed. False outside of the stable state: there it is
    /// asked again once the exchange is over.
    pub(crate) fn negotiation_needed(&self, snapshot: &Snapshot) -> bool {
        if self.state != SignalingState::Stable {
            return false;
        }
        let local = self.slots.current_local.as_ref();
        let has_data = local
            .into_iter()
            .flat_map(|slot| &slot.sdp.media)
            .any(|media| SectionKind::of(media) == SectionKind::Data);
        snapshot.ice.restart
            || (snapshot.data_channels_wanted && !has_data)
            || snapshot.transceivers.iter().any(|view| self.needs(view))
    }

    fn needs(&self, view: &TransceiverView) -> bool {
        match (view.state, &view.mid) {
            (TransceiverState::Stopped, _) | (TransceiverState::Stopping, None) => return false,
            // An application that stopped a transceiver wants the other side to know.
            (TransceiverState::Stopping, Some(_)) | (TransceiverState::Active, None) => return true,
            (TransceiverState::Active, Some(_)) => {}
        }
        let (Some(local), Some(remote)) = (&self.slots.current_local, &self.slots.current_remote) else {
            return true;
        };
        let section =
            |slot: &Slot| slot.sdp.media.iter().position(|media| media.mid() == view.mid.as_deref());
        let (Some(ours), Some(theirs)) = (section(local), section(remote)) else { return true };
        let (Some(ours), Some(theirs)) = (local.sdp.media.get(ours), remote.sdp.media.get(theirs)) else {
            return true;
        };
        if view.direction.sends() {
            let (mut said, _) = section::msids(ours);
            let mut wanted = view.sender.streams.clone();
            said.sort_unstable();
            wanted.sort_unstable();
            wanted.dedup();
            let silent = !direction::of(&local.sdp, ours).sends();
            // An answer that may not send has no msid; whether that is enough is for the direction to decide.
            if said != wanted && !(silent && local.kind == SdpType::Answer) {
                return true;
            }
        }
        let said = direction::of(&local.sdp, ours);
        let theirs = direction::of(&remote.sdp, theirs).reversed();
        match local.kind {
            SdpType::Offer => view.direction != said && view.direction != theirs,
            SdpType::Answer | SdpType::Pranswer | SdpType::Rollback => {
                said != view.direction.intersection(theirs)
            }
        }
    }
}
