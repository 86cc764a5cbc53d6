//! What the layers report, turned into what the next layer does and what the application hears.

use super::{
    Session,
    transport::{Dtls, Srtp},
};
use crate::{
    DtlsTransportState, IceCandidateError, IceCandidateInit, PeerConnectionState, SelectedCandidatePair,
    SessionEvent,
};
use std::time::Instant;

/// RFC 5764 §4.2.
const EXPORTER_LABEL: &str = "EXTRACTOR-dtls_srtp";
/// Events that wait for an owner who does not fetch them.
const MAX_EVENTS: usize = 4_096;

/// What the headers of IP and UDP take.
const IPV4_AND_UDP: usize = 28;
const IPV6_AND_UDP: usize = 48;

impl Session {
    /// Draws the conclusions from what ICE reports.
    #[expect(clippy::wildcard_enum_match_arm, reason = "states are read from the agent by `announce`")]
    pub(super) fn settle_ice(&mut self, now: Instant) {
        while let Some(event) = self.transport.ice.poll_event() {
            match event {
                ice::Event::LocalCandidate(candidate) => self.local_candidate(&candidate),
                ice::Event::GatheringComplete { ufrag } => {
                    self.local_candidates_complete = true;
                    self.descriptions_changed = true;
                    self.push(SessionEvent::IceCandidate(
                        self.candidate_init(String::new()).username_fragment(ufrag),
                    ));
                }
                ice::Event::GatherFailed(failure) => {
                    self.push(SessionEvent::IceCandidateError(IceCandidateError {
                        url: failure.url.to_string(),
                        local: Some(failure.local),
                        error_code: failure.code,
                        error_text: failure.reason,
                    }));
                }
                ice::Event::Resolve { name } => self.push(SessionEvent::Resolve { name }),
                ice::Event::PublishName { name, address } => {
                    self.push(SessionEvent::Publish { name, address });
                }
                ice::Event::WithdrawName { name } => self.push(SessionEvent::Withdraw { name }),
                ice::Event::SelectedPairChanged(Some(pair)) => {
                    self.push(SessionEvent::SelectedCandidatePairChange(SelectedCandidatePair {
                        local: pair.local.to_string(),
                        remote: pair.remote.to_string(),
                    }));
                    self.path_changed(now);
                }
                _ => {}
            }
        }
        if let Some(round_trip) = self.transport.ice.round_trip() {
            self.media.set_round_trip(round_trip);
        }
        self.start_dtls_when_writable(now);
        self.announce();
    }

    /// Draws the conclusions from what DTLS reports.
    pub(super) fn settle_dtls(&mut self, now: Instant) {
        while let Some(event) = self.transport.dtls.connection_mut().and_then(dtls::Connection::poll_event) {
            match event {
                dtls::Event::Connected => {
                    self.start_srtp();
                    self.path_changed(now);
                    self.start_channels_when_connected(now);
                    self.release_held_data(now);
                }
                dtls::Event::Closed(reason) => {
                    self.transport.dtls.end(reason);
                    self.transport.srtp = None;
                    // SCTP has no way left to say anything (RFC 8261 §6.1).
                    self.channels.abort(now, "the DTLS transport has ended");
                }
                _ => {}
            }
        }
        self.announce();
    }

    /// Tells the application which states changed since it was told last (W3C order: ICE before the whole).
    pub(super) fn announce(&mut self) {
        let gathering = self.ice_gathering_state();
        if std::mem::replace(&mut self.announced.ice_gathering, gathering) != gathering {
            self.push(SessionEvent::IceGatheringStateChange(gathering));
        }
        let signaling = self.signaling_state();
        if std::mem::replace(&mut self.announced.signaling, signaling) != signaling {
            self.push(SessionEvent::SignalingStateChange(signaling));
        }
        let ice = self.ice_connection_state();
        if std::mem::replace(&mut self.announced.ice_connection, ice) != ice {
            self.push(SessionEvent::IceConnectionStateChange(ice));
        }
        let connection: PeerConnectionState = self.connection_state();
        if std::mem::replace(&mut self.announced.connection, connection) != connection {
            self.push(SessionEvent::ConnectionStateChange(connection));
        }
    }

    /// How DTLS is doing (W3C `RTCDtlsTransport.state`).
    #[must_use]
    pub fn dtls_state(&self) -> DtlsTransportState {
        match &self.transport.dtls {
            Dtls::New => DtlsTransportState::New,
            Dtls::Running(connection) if connection.is_connected() => DtlsTransportState::Connected,
            Dtls::Running(_) if self.transport.dtls_started => DtlsTransportState::Connecting,
            Dtls::Running(_) => DtlsTransportState::New,
            Dtls::Ended(_, dtls::CloseReason::Local) => DtlsTransportState::Closed,
            Dtls::Ended(_, dtls::CloseReason::Peer(alert))
                if alert.description == dtls::AlertDescription::CLOSE_NOTIFY =>
            {
                DtlsTransportState::Closed
            }
            Dtls::Ended(..) => DtlsTransportState::Failed,
        }
    }

    /// The handshake starts as soon as there is a path; its first timer is the round trip that ICE measured.
    pub(super) fn start_dtls_when_writable(&mut self, now: Instant) {
        if self.transport.dtls_started || !self.transport.ice.is_writable() {
            return;
        }
        let round_trip = self.transport.ice.round_trip();
        if let Dtls::Running(connection) = &mut self.transport.dtls {
            if let Some(round_trip) = round_trip {
                connection.set_round_trip(round_trip);
            }
            connection.start(now);
            self.transport.dtls_started = true;
            self.path_changed(now);
        }
    }

    /// Sizes depend on the path: a relay takes its share of each datagram.
    pub(super) fn path_changed(&mut self, now: Instant) {
        let relay = self.transport.ice.overhead();
        let is_v6 = self.transport.ice.selected_path().is_none_or(|path| path.remote.is_ipv6());
        if let Some(dtls) = self.transport.dtls.connection_mut() {
            dtls.set_mtu(self.config.mtu - relay);
            let above_udp = relay + dtls.overhead();
            let path = sctp::PathInfo::new(self.config.mtu - above_udp)
                .with_search_up_to(self.config.max_mtu.saturating_sub(above_udp))
                .with_overhead(above_udp + if is_v6 { IPV6_AND_UDP } else { IPV4_AND_UDP });
            self.channels.set_path(now, path);
        }
    }

    /// What the peer sent before its fingerprint was known has waited inside DTLS.
    fn release_held_data(&mut self, now: Instant) {
        let Self { transport, channels, .. } = self;
        if let Some(dtls) = transport.dtls.connection_mut() {
            dtls.handle_datagram(now, &mut [], &mut |packet| channels.handle_packet(now, packet));
        }
    }

    /// Derives the SRTP keys (RFC 5764 §4.2). Without a common profile there is no media, only data.
    fn start_srtp(&mut self) {
        let Dtls::Running(connection) = &self.transport.dtls else { return };
        let Some(profile) = connection.srtp_profile().and_then(srtp::Profile::from_number) else { return };
        let mut exported = crypto::Secret::zeroed(profile.exported_len());
        if connection.export_keying_material(EXPORTER_LABEL, None, exported.as_mut_bytes()).is_err() {
            return;
        }
        let Ok(material) = srtp::KeyingMaterial::split(profile, exported.as_bytes()) else { return };
        let (ours, theirs) = match connection.role() {
            dtls::Role::Client => (material.client(), material.server()),
            dtls::Role::Server => (material.server(), material.client()),
        };
        let (provider, config) = (&self.config.provider, srtp::Config::new());
        let protector = srtp::Protector::new(provider, profile, ours.key(), ours.salt(), config);
        let unprotector = srtp::Unprotector::new(provider, profile, theirs.key(), theirs.salt(), config);
        if let (Ok(protector), Ok(unprotector)) = (protector, unprotector) {
            self.transport.srtp = Some(Srtp { profile, protector, unprotector });
            let sending: Vec<_> = self.senders.values().copied().collect();
            for id in sending {
                self.ask_for_first_key_frame(id);
            }
        }
    }

    pub(super) fn push(&mut self, event: SessionEvent) {
        if self.is_closing() {
            return;
        }
        if self.events.len() >= MAX_EVENTS {
            self.counters.events += 1;
            return;
        }
        self.events.push_back(event);
    }

    fn local_candidate(&mut self, candidate: &ice::Candidate) {
        let text = candidate.to_string();
        if let Ok(parsed) = sdp::Candidate::parse(&text) {
            self.local_candidates.push(parsed);
        }
        self.descriptions_changed = true;
        let ufrag = self.local_ufrag().to_owned();
        self.push(SessionEvent::IceCandidate(self.candidate_init(text).username_fragment(ufrag)));
    }

    /// A candidate belongs to the first section that is bundled, the only one with a transport.
    fn candidate_init(&self, candidate: String) -> IceCandidateInit {
        let (mid, index) = self.negotiator.candidate_section();
        IceCandidateInit::new(candidate).sdp_mid(mid).sdp_m_line_index(index)
    }
}
