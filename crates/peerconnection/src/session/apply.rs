//! A plan made real. Nothing here can fail: everything was checked when the plan was made.

use super::{Session, transport::Dtls};
use crate::{
    SessionEvent,
    jsep::{
        DtlsRole, DtlsStart, IceChange, IceRole, Inits, Plan, RemoteTrackEvent, SctpChange,
        TransceiverChange, TransceiverOrigin,
    },
    transceiver::Direction,
};
use dtls::{Connection, Role};
use std::{sync::Arc, time::Instant};

impl Session {
    /// Does what the plan says, in its order.
    pub(super) fn apply(&mut self, now: Instant, plan: Plan) {
        self.apply_ice(now, &plan.ice);
        for change in &plan.transceivers {
            self.apply_transceiver(change);
        }
        if let Some(start) = &plan.dtls {
            self.apply_dtls(now, start);
        }
        if let Some(change) = plan.sctp.clone() {
            self.apply_sctp(now, change);
        }
        if let Some(streams) = plan.streams.clone() {
            self.apply_streams(now, streams);
        }
        self.negotiator.apply(plan);
        self.descriptions_changed = true;
        self.settle_ice(now);
        if matches!(self.transport.dtls, Dtls::Running(_)) {
            self.release_early(now);
        }
        self.announce();
        self.update_negotiation_needed();
    }

    fn apply_ice(&mut self, now: Instant, change: &IceChange) {
        let ice = &mut self.transport.ice;
        if let Some(role) = change.role {
            ice.set_role(match role {
                IceRole::Controlled => ice::Role::Controlled,
                IceRole::Controlling => ice::Role::Controlling,
            });
        }
        if let Some(local) = &change.local
            && let Ok(credentials) = ice::Credentials::new(&*local.ufrag, &*local.pwd)
        {
            ice.restart_with(now, credentials);
            self.local_candidates.clear();
            self.local_candidates_complete = false;
            // The next restart must not reuse them.
            let fresh = ice::Credentials::generate(&mut *self.rng);
            self.fresh_credentials.ufrag = fresh.ufrag().to_owned();
            self.fresh_credentials.pwd = fresh.pwd().to_owned();
        }
        if change.restart {
            self.ice_restart_wanted = false;
        }
        if change.gather {
            ice.start_gathering(now);
            if self.addresses_complete {
                ice.local_addresses_complete(now);
            }
        }
        if let Some(remote) = &change.remote
            && let Ok(credentials) = ice::Credentials::new(&*remote.ufrag, &*remote.pwd)
        {
            ice.set_remote_implementation(match change.remote_lite {
                true => ice::Implementation::Lite,
                false => ice::Implementation::Full,
            });
            ice.set_remote_credentials(now, credentials);
        }
        for candidate in &change.candidates {
            self.deliver_candidate(now, candidate);
        }
        if change.end_of_candidates {
            self.transport.ice.end_of_remote_candidates(now);
        }
    }

    /// Hands a candidate to the agent. One that cannot be used is counted there, and no reason to refuse the rest.
    pub(super) fn deliver_candidate(&mut self, now: Instant, candidate: &sdp::Candidate) {
        if let Ok(candidate) = candidate.to_string().parse() {
            let _ = self.transport.ice.add_remote_candidate(now, candidate);
        }
    }

    fn apply_dtls(&mut self, now: Instant, start: &DtlsStart) {
        if matches!(self.transport.dtls, Dtls::Running(_)) && !start.replaces {
            return;
        }
        let role = match start.role {
            DtlsRole::Active => Role::Client,
            DtlsRole::Passive => Role::Server,
        };
        // The keys of an association that is replaced must not be used any more (RFC 8842 §4).
        self.transport.srtp = None;
        self.transport.dtls_started = false;
        let config = Arc::clone(&self.dtls_config);
        let mut connection = Connection::new(config, role, self.certificate.clone(), now, (self.random)());
        let fingerprints =
            start.fingerprints.iter().filter_map(|fingerprint| fingerprint.to_string().parse().ok());
        connection.expect_fingerprints(now, fingerprints.collect());
        if role == Role::Server {
            // It listens from now on: the peer's first flight may come over a path that it has proved and we have not.
            connection.start(now);
        }
        self.transport.dtls = Dtls::Running(Box::new(connection));
        self.start_dtls_when_writable(now);
    }

    fn apply_sctp(&mut self, now: Instant, change: SctpChange) {
        match change {
            SctpChange::Close => {
                self.channels.abort(now, "the peer rejected data channels");
                self.sctp_wanted = false;
            }
            SctpChange::Start { max_message_size, inits, .. } => {
                self.channels.renew(now, (self.random)());
                // An association that took the place of another is not the one that the descriptions speak of.
                let is_ours = |inits: &Inits| self.local_sctp_init().as_ref() == Some(&inits.local);
                self.remote_sctp_init = inits.filter(is_ours).map(|inits| inits.remote);
                self.channels.set_remote_max_message_size(Some(max_message_size));
                self.sctp_wanted = true;
                self.path_changed(now);
                self.start_channels_when_connected(now);
            }
            SctpChange::Update { max_message_size } => {
                self.channels.set_remote_max_message_size(Some(max_message_size));
            }
        }
        self.descriptions_changed = true;
    }

    fn apply_transceiver(&mut self, change: &TransceiverChange) {
        match change {
            TransceiverChange::Create { id, kind, mid, index } => {
                self.next_transceiver = self.next_transceiver.max(id.0);
                let created = self.create_transceiver(*kind, TransceiverOrigin::Remote, Direction::RecvOnly);
                debug_assert_eq!(created, *id, "the plan counts as the session does");
                if let Some(transceiver) = self.transceiver_mut(created) {
                    transceiver.view.mid = Some(mid.clone());
                    transceiver.view.index = Some(*index);
                }
            }
            TransceiverChange::Remove { id } => {
                self.remove_streams(*id);
                self.transceivers.retain(|transceiver| transceiver.view.id != *id);
            }
            TransceiverChange::Stop { id } => {
                self.remove_streams(*id);
                if let Some(transceiver) = self.transceiver_mut(*id) {
                    transceiver.view.apply(change);
                }
            }
            TransceiverChange::RemoteTrack { id, receiver, event } => {
                if let Some(transceiver) = self.transceiver_mut(*id) {
                    transceiver.view.apply(change);
                }
                if *event == RemoteTrackEvent::Added {
                    self.push(SessionEvent::Track {
                        transceiver: *id,
                        track: receiver.track_id.clone().unwrap_or_default(),
                        streams: receiver.streams.clone(),
                    });
                }
            }
            TransceiverChange::Associate { id, .. }
            | TransceiverChange::Dissociate { id }
            | TransceiverChange::CurrentDirection { id, .. } => {
                if let Some(transceiver) = self.transceiver_mut(*id) {
                    transceiver.view.apply(change);
                }
            }
        }
    }
}
