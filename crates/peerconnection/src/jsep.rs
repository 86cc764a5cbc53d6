//! The negotiator: offers and answers (RFC 9429) as pure functions, plan first and apply later.
//!
//! ```text
//!             create_offer / create_answer          set_local / set_remote              apply
//!  Snapshot ---------------------------> Description -----------------------> Plan ----------> everything moves
//! ```
//!
//! The session's state enters as a [`Snapshot`], and what a description does to it comes out as a [`Plan`]. Until
//! [`Negotiator::apply`] nothing changes, and that cannot fail: a description that is refused has no effect at all.
//!
//! One ICE and DTLS transport per connection: everything accepted is bundled, and RTCP is multiplexed.

mod answer;
mod candidates;
mod codecs;
mod conclude;
mod direction;
mod extmap;
mod h264;
mod local;
mod mids;
mod needed;
mod offer;
mod plan;
mod remote;
mod rollback;
mod section;
mod simulcast;
mod snapshot;
mod streams;
mod transport;
mod verify;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::{
    description::{Description, SdpType, SignalingState},
    error::{Error, ErrorKind},
    transceiver::TransceiverId,
};
use rollback::Undo;
use transport::Transport;

pub use {answer::AnswerOptions, offer::OfferOptions};

pub(crate) use candidates::RemoteCandidate;
pub(crate) use codecs::{Codec, CodecTable, Feedback, NegotiatedCodec, SupportedCodec};
pub(crate) use extmap::{ExtensionCapability, supported_extensions};
pub(crate) use plan::{
    DtlsRole, DtlsStart, IceChange, IceCredentials, IceRole, Inits, NegotiatedExtension, Plan, RemoteSource,
    RemoteTrackEvent, SctpChange, StreamChange, TransceiverChange,
};
pub(crate) use snapshot::{
    BundleForm, DtlsView, IceView, ReceiverView, SctpView, SenderView, Snapshot, TransceiverOrigin,
    TransceiverState, TransceiverView,
};

/// The descriptions in use, and what follows from them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Negotiator {
    state: SignalingState,
    slots: Slots,
    /// What was made last: only that can be set.
    created_offer: Option<Created>,
    created_answer: Option<Created>,
    /// The session version of the description made last. Never goes back.
    version: u64,
    /// Where the search for a new tag starts.
    next_mid: u32,
    undo: Undo,
    ice_role: Option<IceRole>,
    /// The other side's credentials that the agent was given last.
    remote_ice: Option<IceCredentials>,
    /// The DTLS association in use.
    dtls: Option<AssociatedDtls>,
    /// The other side's SCTP port and largest message.
    sctp: Option<(u16, u64)>,
}

/// The four descriptions (W3C §4.4.1.1); they move together.
#[derive(Clone, Debug, Default)]
struct Slots {
    current_local: Option<Slot>,
    current_remote: Option<Slot>,
    pending_local: Option<Slot>,
    pending_remote: Option<Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    kind: SdpType,
    /// Shared, so that planning costs no copy.
    sdp: Arc<sdp::Description>,
}

/// A description that was made, with the transceiver behind each new section.
#[derive(Clone, Debug)]
struct Created {
    sdp: Arc<sdp::Description>,
    transceivers: Vec<Option<TransceiverId>>,
}

/// What a DTLS association was made for.
#[derive(Clone, Debug)]
struct AssociatedDtls {
    role: DtlsRole,
    fingerprints: Vec<sdp::Fingerprint>,
    tls_id: Option<String>,
}

impl Negotiator {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Makes an offer of everything the snapshot has. Changes nothing, but remembers it: only what was made last may
    /// be set (RFC 9429 §5.4).
    ///
    /// # Errors
    ///
    /// `InvalidStateError` unless an offer may be set now.
    pub(crate) fn create_offer(
        &mut self,
        snapshot: &Snapshot,
        options: &OfferOptions,
    ) -> Result<Description, Error> {
        let created = self.offer(snapshot, options)?;
        self.next_version(&created);
        let description = Description::new(SdpType::Offer, Arc::clone(&created.sdp));
        self.created_offer = Some(created);
        Ok(description)
    }

    /// Makes an answer to the remote offer. Changes nothing, but remembers it.
    ///
    /// # Errors
    ///
    /// `InvalidStateError` without a remote offer.
    pub(crate) fn create_answer(
        &mut self,
        snapshot: &Snapshot,
        _: &AnswerOptions,
    ) -> Result<Description, Error> {
        let created = self.answer(snapshot)?;
        self.next_version(&created);
        let description = Description::new(SdpType::Answer, Arc::clone(&created.sdp));
        self.created_answer = Some(created);
        Ok(description)
    }

    /// Makes what `setLocalDescription` without an argument sets (W3C §4.4.1.2): an offer, or an answer where one is
    /// due.
    ///
    /// # Errors
    ///
    /// `InvalidStateError` where neither may come.
    pub(crate) fn implicit_description(&mut self, snapshot: &Snapshot) -> Result<Description, Error> {
        match self.state {
            SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer => {
                self.create_answer(snapshot, &AnswerOptions::default())
            }
            SignalingState::Stable
            | SignalingState::HaveLocalOffer
            | SignalingState::HaveRemotePranswer
            | SignalingState::Closed => self.create_offer(snapshot, &OfferOptions::default()),
        }
    }

    fn next_version(&mut self, created: &Created) {
        //= rfc8829 §5.2.2
        //# implementations MAY opt to increment
        //# <session-version> on every call.
        self.version = created.sdp.origin.session_version.parse().unwrap_or(self.version).max(self.version);
    }

    /// Does what was planned. The plan has to come from the negotiator as it is now.
    pub(crate) fn apply(&mut self, plan: Plan) {
        debug_assert_eq!(plan.signaling, plan.next.state, "a plan agrees with itself");
        *self = *plan.next;
    }

    /// Ends everything: every further call is refused.
    pub(crate) fn close(&mut self) {
        self.state = SignalingState::Closed;
    }

    pub(crate) fn signaling_state(&self) -> SignalingState {
        self.state
    }

    /// What we said in the exchange completed last, with what was gathered for it.
    pub(crate) fn current_local(&self, candidates: (&[sdp::Candidate], bool)) -> Option<Description> {
        self.slots.current_local.as_ref().map(|slot| self.with_candidates(slot, candidates))
    }

    /// What the other side said in the exchange completed last.
    pub(crate) fn current_remote(&self) -> Option<Description> {
        self.slots.current_remote.as_ref().map(Slot::description)
    }

    /// What we said in the exchange under way, with what was gathered for it.
    pub(crate) fn pending_local(&self, candidates: (&[sdp::Candidate], bool)) -> Option<Description> {
        self.slots.pending_local.as_ref().map(|slot| self.with_candidates(slot, candidates))
    }

    /// What the other side said in the exchange under way.
    pub(crate) fn pending_remote(&self) -> Option<Description> {
        self.slots.pending_remote.as_ref().map(Slot::description)
    }

    /// Whether the other side can take candidates after its description; none before there is one (W3C
    /// `canTrickleIceCandidates`).
    pub(crate) fn can_trickle(&self) -> Option<bool> {
        let slot = self.slots.pending_remote.as_ref().or(self.slots.current_remote.as_ref())?;
        let all = slot.sdp.attributes.iter().chain(slot.sdp.media.iter().flat_map(|media| &media.attributes));
        let trickles = |attribute: &sdp::Attribute| matches!(attribute, sdp::Attribute::IceOptions(options) if options.iter().any(|option| option == "trickle"));
        Some(all.into_iter().any(trickles))
    }

    /// All descriptions there are.
    fn descriptions(&self) -> impl Iterator<Item = &sdp::Description> {
        let Slots { current_local, current_remote, pending_local, pending_remote } = &self.slots;
        [current_local, current_remote, pending_local, pending_remote]
            .into_iter()
            .flatten()
            .map(|slot| &*slot.sdp)
    }

    /// The credentials of the next local description.
    fn next_credentials(&self, snapshot: &Snapshot, restart: bool) -> IceCredentials {
        let agreed = self.slots.current_local.as_ref().and_then(|slot| transport::credentials(&slot.sdp));
        // Those in use restart ICE already if they are not the ones that were agreed on.
        let used_up = agreed.is_some_and(|agreed| agreed == snapshot.ice.local);
        if restart && used_up { snapshot.ice.fresh.clone() } else { snapshot.ice.local.clone() }
    }

    /// Whether these credentials of the other side restart ICE.
    fn is_remote_restart(&self, credentials: &IceCredentials) -> bool {
        self.remote_ice.as_ref().is_some_and(|before| before != credentials)
    }

    /// Our role in the DTLS association there is, if a description with this transport goes on with it.
    fn continues(&self, remote: &Transport) -> Option<DtlsRole> {
        let dtls = self.dtls.as_ref()?;
        let same = Transport::same_fingerprints(&dtls.fingerprints, &remote.fingerprints);
        (same && dtls.tls_id == remote.tls_id).then_some(dtls.role)
    }

    /// The state after a description, or why it may not come now (W3C §4.3.1).
    fn transition(&self, side: conclude::Side, kind: SdpType) -> Result<SignalingState, Error> {
        use SignalingState::{
            HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer, Stable,
        };
        use conclude::Side::{Local, Remote};
        let next = match (self.state, side, kind) {
            (Stable | HaveLocalOffer, Local, SdpType::Offer) => HaveLocalOffer,
            (Stable | HaveLocalOffer | HaveRemoteOffer, Remote, SdpType::Offer) => HaveRemoteOffer,
            (HaveRemoteOffer | HaveLocalPranswer, Local, SdpType::Pranswer) => HaveLocalPranswer,
            (HaveLocalOffer | HaveRemotePranswer, Remote, SdpType::Pranswer) => HaveRemotePranswer,
            (HaveRemoteOffer | HaveLocalPranswer, Local, SdpType::Answer)
            | (HaveLocalOffer | HaveRemotePranswer, Remote, SdpType::Answer) => Stable,
            _ => {
                let whose = if side == Local { "local" } else { "remote" };
                let context = format!("a {whose} {kind} cannot be set in the state {}", self.state);
                return Err(Error::new(ErrorKind::InvalidStateError, context));
            }
        };
        Ok(next)
    }
}

impl Slot {
    fn description(&self) -> Description {
        Description::new(self.kind, Arc::clone(&self.sdp))
    }
}

/// A description that is understood but not acceptable.
fn invalid_access(context: &'static str) -> Error {
    Error::new(ErrorKind::InvalidAccessError, context)
}
