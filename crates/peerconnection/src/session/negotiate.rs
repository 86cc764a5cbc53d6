//! Offer and answer: every step is planned first and applied as a whole, or refused as a whole.

use super::Session;
use crate::{
    AnswerOptions, Description, Error, ErrorKind, IceCandidateInit, OfferOptions, SessionEvent,
    SignalingState,
    config::DtlsSetup,
    jsep::{
        BundleForm, DtlsRole, DtlsView, IceCredentials, IceView, RemoteCandidate, SctpView, Snapshot,
        supported_extensions,
    },
    transceiver::TransceiverId,
};
use crypto::HashId;
use std::time::Instant;

/// RFC 8841 §5: the port is a number without meaning under DTLS; everybody writes this one.
const SCTP_PORT: u16 = 5_000;

/// The four description slots (W3C `currentLocalDescription` and its siblings).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Descriptions {
    /// What we said in the negotiation completed last.
    pub current_local: Option<Description>,
    /// What the peer said in the negotiation completed last.
    pub current_remote: Option<Description>,
    /// What we said in the negotiation under way.
    pub pending_local: Option<Description>,
    /// What the peer said in the negotiation under way.
    pub pending_remote: Option<Description>,
    /// Whether the peer takes candidates one by one; unknown before its first description.
    pub can_trickle: Option<bool>,
}

impl Session {
    /// Makes an offer (RFC 9429 §5.2). Changes nothing but what an ICE restart needs.
    ///
    /// # Errors
    /// `InvalidStateError` when closed or in a signaling state that allows no offer.
    pub fn create_offer(&mut self, now: Instant, options: &OfferOptions) -> Result<Description, Error> {
        self.check_open(now)?;
        self.negotiator.create_offer(&self.snapshot(), options)
    }

    /// Makes an answer (RFC 9429 §5.3).
    ///
    /// # Errors
    /// `InvalidStateError` when closed or when there is no offer to answer.
    pub fn create_answer(&mut self, now: Instant, options: &AnswerOptions) -> Result<Description, Error> {
        self.check_open(now)?;
        self.negotiator.create_answer(&self.snapshot(), options)
    }

    /// Puts a local description in place; with `None`, the one that fits the signaling state.
    ///
    /// # Errors
    /// `InvalidStateError` for the wrong signaling state, `InvalidModificationError` for an altered text. A refused
    /// description changes nothing.
    pub fn set_local_description(
        &mut self,
        now: Instant,
        description: Option<Description>,
    ) -> Result<(), Error> {
        self.check_open(now)?;
        let snapshot = self.snapshot();
        let description = match description {
            Some(description) => description,
            None => self.negotiator.implicit_description(&snapshot)?,
        };
        let plan = self.negotiator.set_local(&snapshot, &description)?;
        self.apply(self.latest, plan);
        Ok(())
    }

    /// Takes the peer's description.
    ///
    /// # Errors
    /// `InvalidStateError` for the wrong signaling state, `InvalidAccessError` for what cannot be used. A refused
    /// description changes nothing.
    pub fn set_remote_description(&mut self, now: Instant, description: Description) -> Result<(), Error> {
        self.check_open(now)?;
        let plan = self.negotiator.set_remote(&self.snapshot(), &description)?;
        self.apply(self.latest, plan);
        Ok(())
    }

    /// Takes a candidate of the peer (W3C `addIceCandidate`). Candidates of other generations are ignored.
    ///
    /// # Errors
    /// `InvalidStateError` without a remote description, `TypeError` for a candidate without section,
    /// `OperationError` for text that is not a candidate or names no section.
    pub fn add_ice_candidate(&mut self, now: Instant, candidate: &IceCandidateInit) -> Result<(), Error> {
        self.check_open(now)?;
        let now = self.latest;
        if !self.negotiator.has_remote_description() {
            return Err(Error::new(
                ErrorKind::InvalidStateError,
                "a candidate came before the remote description it belongs to",
            ));
        }
        let has_section = candidate.mid().is_some() || candidate.m_line_index().is_some();
        if !candidate.is_end_of_candidates() && !has_section {
            return Err(Error::new(
                ErrorKind::TypeError,
                "a candidate needs its mid or the index of its m= section",
            ));
        }
        let (mid, index, ufrag) = (candidate.mid(), candidate.m_line_index(), candidate.ufrag());
        match self.negotiator.add_remote_candidate(candidate.candidate(), mid, index, ufrag)? {
            RemoteCandidate::Deliver(candidate) => self.deliver_candidate(now, &candidate),
            RemoteCandidate::End => self.transport.ice.end_of_remote_candidates(now),
            // Of a description that is not in effect yet, or of a generation that has passed.
            RemoteCandidate::Ignored | RemoteCandidate::Kept => {}
        }
        self.settle_ice(now);
        Ok(())
    }

    /// Asks for an ICE restart with the next offer (W3C `restartIce`).
    pub fn restart_ice(&mut self, now: Instant) {
        self.advance(now);
        if !self.is_closing() {
            self.ice_restart_wanted = true;
            self.update_negotiation_needed();
        }
    }

    /// The four description slots, local ones with the candidates gathered so far.
    #[must_use]
    pub fn descriptions(&self) -> Descriptions {
        let candidates = (self.local_candidates.as_slice(), self.local_candidates_complete);
        Descriptions {
            current_local: self.negotiator.current_local(candidates),
            current_remote: self.negotiator.current_remote(),
            pending_local: self.negotiator.pending_local(candidates),
            pending_remote: self.negotiator.pending_remote(),
            can_trickle: self.negotiator.can_trickle(),
        }
    }

    /// W3C webrtc-pc §4.7.3: one event per need, only in the stable state.
    pub(super) fn update_negotiation_needed(&mut self) {
        if self.is_closing() || self.signaling_state() != SignalingState::Stable {
            return;
        }
        let needed = self.negotiator.negotiation_needed(&self.snapshot());
        if needed && !self.announced.negotiation_needed {
            self.push(SessionEvent::NegotiationNeeded);
        }
        self.announced.negotiation_needed = needed;
    }

    /// What the negotiator has to know.
    fn snapshot(&self) -> Snapshot {
        let local = self.transport.ice.local_credentials();
        Snapshot {
            transceivers: self.transceivers.iter().map(|transceiver| transceiver.view.clone()).collect(),
            next_transceiver: TransceiverId(self.next_transceiver),
            session_id: self.session_id,
            data_channels_wanted: self.data_channels_wanted,
            bundle: BundleForm::default(),
            ice: IceView {
                local: IceCredentials { ufrag: local.ufrag().to_owned(), pwd: local.pwd().to_owned() },
                fresh: self.fresh_credentials.clone(),
                restart: self.ice_restart_wanted,
                candidates: self.local_candidates.clone(),
                end_of_candidates: self.local_candidates_complete,
            },
            dtls: DtlsView {
                fingerprints: self
                    .certificate
                    .fingerprint(&self.config.provider, HashId::Sha256)
                    .and_then(|fingerprint| fingerprint.to_string().parse().ok())
                    .into_iter()
                    .collect(),
                preferred: match self.config.dtls_setup {
                    DtlsSetup::Active => DtlsRole::Active,
                    DtlsSetup::Passive => DtlsRole::Passive,
                },
                tls_id: None,
            },
            sctp: SctpView {
                port: SCTP_PORT,
                max_message_size: self.config.announced_message_size(),
                init: self.local_sctp_init(),
            },
            codecs: self.codecs.clone(),
            extensions: supported_extensions(),
        }
    }
}
