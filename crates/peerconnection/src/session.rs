//! The whole stack as one sans-IO machine: ICE, DTLS, SRTP, data channels, media, and offer/answer on top.
//!
//! A session does no I/O, reads no clock and starts no task. Whoever drives it brings datagrams and time and takes
//! away datagrams and events; the `tokio` module of this crate is the worked example.

mod apply;
mod channels;
mod closing;
mod early;
mod media;
mod negotiate;
mod receive;
mod settle;
mod stats;
mod streams;
mod timeout;
mod transceivers;
mod transmit;
mod transport;

use self::{
    closing::Farewell,
    early::Early,
    transceivers::Transceiver,
    transport::{Dtls, Transport},
};
pub use self::{media::SendMediaError, negotiate::Descriptions};
use crate::{
    Configuration, Error, ErrorKind, IceConnectionState, IceGatheringState, PeerConnectionState,
    ResolvedServer, SessionEvent, SignalingState,
    config::{HostAddresses, IceTransportPolicy},
    jsep::{CodecTable, IceCredentials, Negotiator},
    state,
};
use ::media::{Engine, ReceiverId, SenderId, WallClock};
use bytes::BytesMut;
use crypto::Random;
use datachannel::Channels;
use dtls::{Certificate, CertificateOptions};
use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use stun::net::{Ecn, FiveTuple};

/// The longest pause between two repetitions of a handshake flight, unless the round trip asks for more.
///
/// RFC 6347 §4.2.4.1 doubles up to a minute, against congestion. Here ICE has found the path alive and keeps asking whether
/// it is, and a flight is three datagrams at most: a call that nobody can use yet must not wait longer for the next try.
const MAX_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(1);

/// A datagram from the network, with what the kernel knows about it.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by every driver")]
pub struct Datagram {
    /// Where it came from and to.
    pub path: FiveTuple,
    /// Its congestion mark.
    pub ecn: Option<Ecn>,
    /// When it arrived; may be earlier than the time it is handed over.
    pub arrival: Instant,
    /// The UDP payload; worked on in place.
    pub payload: BytesMut,
}

/// Datagrams that went nowhere, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DropCounters {
    /// Of no protocol, or from a source that has not passed a connectivity check.
    pub ignored: u64,
    /// Came before the keys for them.
    pub early: u64,
    /// Events that nobody fetched; see [`Session::poll_event`].
    pub events: u64,
    /// SRTP or SRTCP that did not verify, or was a replay.
    pub unauthenticated: u64,
    /// Could not be sent.
    pub send_errors: u64,
}

/// The states as the application was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Announced {
    connection: PeerConnectionState,
    ice_connection: IceConnectionState,
    ice_gathering: IceGatheringState,
    signaling: SignalingState,
    negotiation_needed: bool,
}

/// A connection to one peer, without I/O.
pub struct Session {
    config: Configuration,
    certificate: Certificate,
    dtls_config: Arc<dtls::Config>,
    random: Box<dyn FnMut() -> Box<dyn Random> + Send>,
    rng: Box<dyn Random>,
    latest: Instant,
    transport: Transport,
    channels: Channels,
    data_channels_wanted: bool,
    /// Both descriptions have a data section that was not rejected.
    sctp_wanted: bool,
    /// The INIT of the other side, when the association begins without a handshake.
    remote_sctp_init: Option<Vec<u8>>,
    media: Engine,
    senders: BTreeMap<SenderId, crate::TransceiverId>,
    receivers: BTreeMap<ReceiverId, crate::TransceiverId>,
    transceivers: Vec<Transceiver>,
    next_transceiver: u32,
    negotiator: Negotiator,
    session_id: u64,
    cname: String,
    codecs: CodecTable,
    fresh_credentials: IceCredentials,
    ice_restart_wanted: bool,
    local_candidates: Vec<sdp::Candidate>,
    local_candidates_complete: bool,
    /// All sockets are known; said again to the agent for each generation.
    addresses_complete: bool,
    early: Early,
    events: VecDeque<SessionEvent>,
    announced: Announced,
    /// Set when descriptions, directions or limits changed; whoever caches them looks again.
    pub(crate) descriptions_changed: bool,
    counters: DropCounters,
    farewell: Farewell,
    farewell_deadline: Option<Instant>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("announced", &self.announced).finish_non_exhaustive()
    }
}

impl Session {
    /// A session that has not started. `unix` is the wall time of `now`, as time since 1970; it goes into the
    /// certificate and the sender reports, and is never compared with anything. `random` makes a generator for each
    /// layer, so that layers do not disturb each other's sequence.
    ///
    /// # Errors
    /// `OperationError` when the certificate cannot be made with the configured crypto provider.
    pub fn new(
        config: Configuration,
        now: Instant,
        unix: Duration,
        mut random: impl FnMut() -> Box<dyn Random> + Send + 'static,
    ) -> Result<Self, Error> {
        let mut rng = random();
        let certificate = match &config.certificate {
            Some(certificate) => certificate.clone(),
            None => Certificate::generate(&config.provider, &mut *rng, unix, &CertificateOptions::new())
                .map_err(|error| {
                    Error::new(ErrorKind::OperationError, "the certificate could not be made")
                        .with_source(error)
                })?,
        };
        let dtls_config = dtls_config(&config);
        let credentials = ice::Credentials::generate(&mut *rng);
        let ice = ice::Agent::new(
            Arc::new(ice_config(&config)),
            ice::Role::Controlled,
            &config.provider,
            now,
            random(),
        );
        let channels_config = channels::config(&config).map_err(|error| {
            Error::new(ErrorKind::OperationError, "data channels cannot be configured").with_source(error)
        })?;
        let channels = Channels::new(Arc::new(channels_config), now, random());
        let wall = WallClock::new(now, unix);
        let cname = hex(&rng.bytes::<8>());
        let engine = Engine::new(streams::config(&config, &cname), wall, now, random());
        Ok(Self {
            certificate,
            dtls_config,
            latest: now,
            transport: Transport { ice, dtls: Dtls::New, dtls_started: false, srtp: None },
            channels,
            data_channels_wanted: false,
            sctp_wanted: false,
            remote_sctp_init: None,
            media: engine,
            senders: BTreeMap::new(),
            receivers: BTreeMap::new(),
            transceivers: Vec::new(),
            next_transceiver: 0,
            negotiator: Negotiator::new(),
            // RFC 9429 §5.2.1: 64 bits with the highest one clear.
            session_id: rng.u64() >> 1,
            cname,
            codecs: CodecTable::standard(),
            fresh_credentials: IceCredentials {
                ufrag: credentials.ufrag().to_owned(),
                pwd: credentials.pwd().to_owned(),
            },
            ice_restart_wanted: false,
            local_candidates: Vec::new(),
            local_candidates_complete: false,
            addresses_complete: false,
            early: Early::default(),
            events: VecDeque::new(),
            announced: Announced::default(),
            descriptions_changed: false,
            counters: DropCounters::default(),
            farewell: Farewell::None,
            farewell_deadline: None,
            random: Box::new(random),
            rng,
            config,
        })
    }

    /// The configuration in force.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.config
    }

    /// Tells that a socket is bound to `address`, on the interface `name`. A candidate follows when gathering.
    pub fn add_local_address(&mut self, now: Instant, address: SocketAddr, name: Option<&str>) {
        let now = self.advance(now);
        let mut local = ice::LocalAddress::new(address);
        if let Some(name) = name {
            local = local.with_interface(name);
        }
        self.transport.ice.add_local_address(now, local);
        self.settle_ice(now);
    }

    /// Tells that the socket at `address` is gone.
    pub fn remove_local_address(&mut self, now: Instant, address: SocketAddr) {
        let now = self.advance(now);
        self.transport.ice.remove_local_address(now, address);
        self.settle_ice(now);
    }

    /// Tells that all sockets are known: gathering can end when the servers have answered.
    pub fn local_addresses_complete(&mut self, now: Instant) {
        let now = self.advance(now);
        self.addresses_complete = true;
        self.transport.ice.local_addresses_complete(now);
        self.settle_ice(now);
    }

    /// Replaces the STUN and TURN servers, with their names resolved. Used by the next gathering (W3C webrtc-pc
    /// §4.4.1.6).
    pub fn set_ice_servers(
        &mut self,
        now: Instant,
        servers: Vec<crate::IceServer>,
        resolved: Vec<ResolvedServer>,
    ) {
        let now = self.advance(now);
        self.config.ice_servers = servers;
        let usable = self.usable_servers(resolved);
        self.transport.ice.set_servers(now, usable);
    }

    /// Gives the addresses behind the configured servers. Names that did not resolve are reported as errors.
    pub fn set_resolved_servers(&mut self, now: Instant, resolved: Vec<ResolvedServer>) {
        let now = self.advance(now);
        for server in self.usable_servers(resolved) {
            self.transport.ice.add_server(now, server);
        }
        self.settle_ice(now);
    }

    fn usable_servers(&mut self, resolved: Vec<ResolvedServer>) -> Vec<ice::IceServer> {
        let mut servers = Vec::new();
        for ResolvedServer { url, addresses, login } in resolved {
            let server = match login {
                Some((username, credential)) if matches!(url, ice::ServerUrl::Turn(_)) => {
                    ice::IceServer::turn(url.clone(), &addresses, username, credential)
                }
                _ => ice::IceServer::stun(url.clone(), &addresses),
            };
            match server {
                Ok(server) => servers.push(server),
                Err(error) => {
                    self.push(SessionEvent::IceCandidateError(crate::IceCandidateError {
                        url: url.to_string(),
                        local: None,
                        // W3C webrtc-pc §4.8.3: 701 for a server that cannot be reached.
                        error_code: 701,
                        error_text: error.to_string(),
                    }));
                }
            }
        }
        servers
    }

    /// The answer to [`SessionEvent::Resolve`]: `None` when the name could not be resolved.
    pub fn resolved(&mut self, now: Instant, name: &str, address: Option<IpAddr>) {
        let now = self.advance(now);
        self.transport.ice.resolved(now, name, address);
        self.settle_ice(now);
    }

    /// The next event, or `None` for now. Who does not fetch events loses the new ones beyond 4,096; states, channels and
    /// transceivers can be read at any time.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        if self.is_closing() {
            return None;
        }
        if self.events.is_empty() {
            self.settle_channels();
            self.settle_media();
        }
        self.events.pop_front()
    }

    /// How the connection is doing (W3C `connectionState`).
    #[must_use]
    pub fn connection_state(&self) -> PeerConnectionState {
        state::peer_connection(self.ice_connection_state(), self.dtls_state(), self.is_closing())
    }

    /// How ICE is doing (W3C `iceConnectionState`).
    #[must_use]
    pub fn ice_connection_state(&self) -> IceConnectionState {
        if self.is_closing() {
            return IceConnectionState::Closed;
        }
        match self.transport.ice.connection_state() {
            ice::ConnectionState::New => IceConnectionState::New,
            ice::ConnectionState::Checking => IceConnectionState::Checking,
            ice::ConnectionState::Connected => IceConnectionState::Connected,
            ice::ConnectionState::Completed => IceConnectionState::Completed,
            ice::ConnectionState::Disconnected => IceConnectionState::Disconnected,
            ice::ConnectionState::Failed => IceConnectionState::Failed,
            ice::ConnectionState::Closed => IceConnectionState::Closed,
        }
    }

    /// How gathering is doing (W3C `iceGatheringState`).
    #[must_use]
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        match self.transport.ice.gathering_state() {
            ice::GatheringState::New => IceGatheringState::New,
            ice::GatheringState::Gathering => IceGatheringState::Gathering,
            ice::GatheringState::Complete => IceGatheringState::Complete,
        }
    }

    /// How offer and answer stand (W3C `signalingState`).
    #[must_use]
    pub fn signaling_state(&self) -> SignalingState {
        self.negotiator.signaling_state()
    }

    /// The ICE user name fragment of the current generation: STUN requests that begin with it are for this session.
    #[must_use]
    pub fn local_ufrag(&self) -> &str {
        self.transport.ice.local_credentials().ufrag()
    }

    /// Datagrams that went nowhere.
    #[must_use]
    pub fn drop_counters(&self) -> DropCounters {
        self.counters
    }

    /// L3: time never runs backwards within a session.
    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }

    /// DTLS is up and the peer has proved its fingerprint.
    fn is_connected(&self) -> bool {
        self.transport.dtls.connection().is_some_and(dtls::Connection::is_connected)
    }
}

fn ice_config(config: &Configuration) -> ice::Config {
    ice::Config::new()
        .with_policy(match config.ice_transport_policy {
            IceTransportPolicy::All => ice::TransportPolicy::All,
            IceTransportPolicy::Relay => ice::TransportPolicy::Relay,
        })
        // Which interfaces take part is the driver's choice; a bound loopback socket is meant to be used.
        .with_loopback(ice::Loopback::Allow)
        .with_host_addresses(match config.host_addresses {
            HostAddresses::Shown => ice::HostAddresses::Plain,
            #[cfg(feature = "mdns")]
            HostAddresses::Hidden => ice::HostAddresses::MdnsNames,
        })
        .with_disconnect_after(config.disconnect_after)
}

fn dtls_config(config: &Configuration) -> Arc<dtls::Config> {
    let profiles = config.srtp_profiles.iter().map(|profile| dtls::SrtpProfile(profile.number()));
    Arc::new(
        dtls::Config::new(config.provider)
            .with_srtp_profiles(profiles)
            // A peer that only wants data need not offer SRTP.
            .with_srtp_policy(dtls::SrtpPolicy::Optional)
            .with_max_timeout(MAX_HANDSHAKE_TIMEOUT)
            .with_mtu(config.mtu),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
