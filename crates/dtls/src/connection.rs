//! One end of a DTLS association.

pub(crate) mod context;
pub(crate) mod machine;
mod receive;
mod transmit;

#[cfg(test)]
pub(crate) mod tests;

use crate::alert::Alert;
use crate::config::{MAX_MTU, MIN_MTU};
use crate::connection::context::{Context, Shared};
use crate::connection::machine::Machine;
use crate::error::Fault;
use crate::flight::Backoff;
use crate::handshake::reassembly::{Limits, Reassembly};
use crate::keys::exporter;
use crate::log::debug;
use crate::record::held::Held;
use crate::record::v12::Header;
use crate::{
    AlertDescription, Certificate, CipherSuite, CloseReason, Config, Event, ExportError, Fingerprint,
    ProtocolVersion, Stats, Violation, client, server,
};
use base::TimerTable;
use crypto::{Group, Random};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Which side of the handshake a connection is. SDP decides it (`a=setup`, RFC 8842).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third side")]
pub enum Role {
    /// Sends the first hello (`setup:active`).
    Client,
    /// Waits for it (`setup:passive`).
    Server,
}

impl Role {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Where a connection stands. The names are those of the W3C's `RTCDtlsTransportState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Nothing has happened yet; a server that waits for its first hello is here too.
    New,
    /// The handshake runs, or is complete while the peer's fingerprint is not known yet.
    Connecting,
    /// Keys can be exported and data flows.
    Connected,
    /// Ended by either side's `close_notify`.
    Closed,
    /// Ended for any other reason.
    Failed,
}

/// What is left to do.
#[derive(Debug)]
enum Phase {
    New,
    Connecting,
    Connected,
    /// The end is decided; the last alert may still have to leave.
    Closing(CloseReason),
    /// The end is told.
    Closed(State),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// The flight is sent again.
    Retransmit,
    /// The handshake is given up.
    Handshake,
}

/// A fatal alert, or a farewell, in clear text. It may be forged, so it ends nothing by itself; but when the peer stays silent after
/// it, it was true.
#[derive(Clone, Copy, Debug)]
struct Suspicion {
    alert: Alert,
    /// Retransmissions since then without any progress.
    repetitions: u32,
}

/// So many retransmissions in vain make an unauthenticated alert credible.
const CREDIBLE_AFTER: u32 = 3;

/// One end of a DTLS 1.2 association.
///
/// It does no I/O and has no clock. The owner hands in datagrams and the time, takes datagrams, events and the next
/// deadline out, in any order. See the crate's documentation for an example.
pub struct Connection {
    config: Arc<Config>,
    role: Role,
    certificate: Certificate,
    rng: Box<dyn Random>,
    /// The latest time seen; time does not run backwards.
    latest: Instant,
    mtu: usize,
    phase: Phase,
    machine: Machine,
    shared: Shared,
    reassembly: Reassembly,
    backoff: Backoff,
    timers: TimerTable<Timer, 2>,
    /// Records of the next epoch that came before its keys.
    future: Held<Header>,
    /// Application data that came before it may be delivered.
    early: Held<()>,
    connected_event: bool,
    /// The alert that ends the connection.
    last_alert: Option<Alert>,
    /// An alert that ends nothing.
    warning: Option<Alert>,
    suspicion: Option<Suspicion>,
    stats: Stats,
}

impl Connection {
    /// A connection that does nothing before [`start`](Self::start).
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        role: Role,
        certificate: Certificate,
        now: Instant,
        rng: Box<dyn Random>,
    ) -> Self {
        let limits = Limits { message: config.max_message, total: config.max_reassembly };
        let (records, bytes) = (config.max_held_records, config.max_held_bytes);
        Self {
            role,
            certificate,
            rng,
            latest: now,
            mtu: config.mtu,
            phase: Phase::New,
            machine: Machine::Idle,
            shared: Shared::new(&config),
            reassembly: Reassembly::new(limits),
            backoff: Backoff::new(config.first_timeout(None), config.max_timeout),
            timers: TimerTable::new([Timer::Retransmit, Timer::Handshake], |timer| timer as usize),
            future: Held::new(records, bytes),
            early: Held::new(records, bytes),
            connected_event: false,
            last_alert: None,
            warning: None,
            suspicion: None,
            stats: Stats::default(),
            config,
        }
    }

    /// Starts: a client sends its hello, a server begins to listen. Datagrams before it are ignored.
    pub fn start(&mut self, now: Instant) {
        self.advance(now);
        if !matches!((&self.phase, &self.machine), (Phase::New, Machine::Idle)) {
            return;
        }
        match self.role {
            Role::Server => self.machine = server::v12::State::start().into(),
            Role::Client => {
                self.phase = Phase::Connecting;
                match self.with_context(client::v12::State::start) {
                    Ok(state) => self.machine = state.into(),
                    Err(fault) => self.fail(fault),
                }
            }
        }
    }

    /// Says which certificates the peer may have: those of the remote description. May come at any time; until
    /// then the handshake goes on, but the connection is not connected, no key can be exported, and application
    /// data is held back (RFC 8122 §6.2). Of several hashes only the strongest counts (RFC 8122 §5.1).
    ///
    /// A list without any usable fingerprint, an empty one included, lets no peer in. Once connected, a list that
    /// does not fit the peer's certificate ends the connection.
    ///
    /// What was held back is delivered by the next [`handle_datagram`](Self::handle_datagram), which may be called
    /// with an empty datagram for it.
    pub fn expect_fingerprints(&mut self, now: Instant, fingerprints: Vec<Fingerprint>) {
        self.advance(now);
        if self.is_ending() {
            return;
        }
        self.shared.expected = Some(fingerprints);
        match self.shared.fingerprint_matches(&self.config) {
            Some(true) => self.try_connect(),
            Some(false) => self.fail(Violation::FingerprintMismatch.into()),
            None => {}
        }
    }

    /// Tells the round-trip time of the path, as ICE has measured it. The first retransmission timeout follows from
    /// it.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.backoff.set_first(self.config.first_timeout(Some(round_trip)));
    }

    /// Sets the longest datagram, in bytes of UDP payload; see [`Config::with_mtu`].
    pub fn set_mtu(&mut self, mtu: usize) {
        self.mtu = mtu.clamp(MIN_MTU, MAX_MTU);
    }

    /// Names the peer's address, in any form, for cookies: a cookie is valid only with the source it was made for.
    pub fn set_cookie_source(&mut self, source: &[u8]) {
        self.shared.cookie_source = source.to_vec();
    }

    /// Takes time into account: sends a flight again, or gives up. Early and needless calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::Handshake => self.close_with(CloseReason::Timeout, None),
                Timer::Retransmit => {
                    if let Some(suspicion) = &mut self.suspicion {
                        suspicion.repetitions += 1;
                        if suspicion.repetitions >= CREDIBLE_AFTER {
                            let alert = suspicion.alert;
                            self.close_with(CloseReason::Peer(alert), None);
                            return;
                        }
                    }
                    debug!("handshake flight timed out, sending it again");
                    self.backoff.expired();
                    self.shared.flight.repeat();
                    self.stats.flights_resent += 1;
                }
            }
        }
    }

    /// Ends the connection with a `close_notify`, which the next [`poll_transmit`](Self::poll_transmit) gives out.
    pub fn close(&mut self, now: Instant) {
        self.advance(now);
        if self.is_ending() {
            return;
        }
        // Where nothing was ever said there is nobody to take leave of.
        let alert =
            (!matches!(self.phase, Phase::New)).then_some(Alert::warning(AlertDescription::CLOSE_NOTIFY));
        self.close_with(CloseReason::Local, alert);
    }

    /// The next event. [`Event::Closed`] comes only after the last alert has left, and is the last.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Phase::Closing(reason) = &self.phase {
            if self.last_alert.is_some() {
                return None;
            }
            let reason = reason.clone();
            self.phase = Phase::Closed(end_state(&reason));
            return Some(Event::Closed(reason));
        }
        std::mem::take(&mut self.connected_event).then_some(Event::Connected)
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; `None` is never.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next().map(|(at, _)| at)
    }

    /// Where the connection stands.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::New => State::New,
            Phase::Connecting => State::Connecting,
            Phase::Connected => State::Connected,
            Phase::Closing(reason) => end_state(reason),
            Phase::Closed(state) => *state,
        }
    }

    /// Whether keys can be exported and data flows.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected)
    }

    /// Which side it is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The certificate that this side presents.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The peer's certificate in DER, as soon as it has come. It proves nothing before the connection is connected.
    #[must_use]
    pub fn peer_certificate_der(&self) -> Option<&[u8]> {
        self.shared.peer.as_ref().map(|peer| peer.der.as_slice())
    }

    /// The number of the SRTP profile, once connected (RFC 5764 §4.1.2).
    #[must_use]
    pub fn srtp_profile(&self) -> Option<u16> {
        self.shared.srtp_profile.filter(|_| self.is_connected()).map(|profile| profile.0)
    }

    /// The negotiated cipher suite.
    #[must_use]
    pub fn cipher_suite(&self) -> Option<CipherSuite> {
        self.shared.cipher_suite
    }

    /// The group of the key exchange.
    #[must_use]
    pub fn group(&self) -> Option<Group> {
        self.shared.group
    }

    /// The negotiated version.
    #[must_use]
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.shared.cipher_suite.map(|_| ProtocolVersion::DTLS_1_2)
    }

    /// Fills `out` with keying material (RFC 5705), bound to the handshake by the extended master secret. For SRTP
    /// the label is `EXTRACTOR-dtls_srtp`, without context (RFC 5764 §4.2).
    ///
    /// # Errors
    /// [`ExportError::NotConnected`] before the connection is connected and after its end; the other variants for
    /// arguments that RFC 5705 §4 does not allow.
    pub fn export_keying_material(
        &self,
        label: &str,
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), ExportError> {
        let master = self.shared.master.as_ref().filter(|_| self.is_connected());
        exporter::export(&self.config.provider, master.ok_or(ExportError::NotConnected)?, label, context, out)
    }

    /// What has been counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Time never runs backwards: an earlier `now` counts as the latest seen.
    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }

    fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Closing(_) | Phase::Closed(_))
    }

    fn with_context<R>(&mut self, work: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let Self { config, role, certificate, rng, shared, .. } = self;
        work(&mut Context { config, role: *role, certificate, rng: &mut **rng, shared })
    }

    /// Connected, when the handshake is complete and the peer is the right one.
    fn try_connect(&mut self) {
        let ready = matches!((&self.phase, &self.machine), (Phase::Connecting, Machine::Done));
        if ready && self.shared.fingerprint_matches(&self.config) == Some(true) {
            debug!("connected");
            self.phase = Phase::Connected;
            self.connected_event = true;
        }
    }

    /// Ends the handshake, or the connection, for what the peer or the provider did.
    fn fail(&mut self, fault: Fault) {
        let description = match fault {
            Fault::Violation(violation) => violation.alert(),
            Fault::Crypto(_) => AlertDescription::INTERNAL_ERROR,
        };
        self.close_with(fault.into(), Some(Alert::fatal(description)));
    }

    /// Ends everything but a last alert.
    fn close_with(&mut self, reason: CloseReason, alert: Option<Alert>) {
        if self.is_ending() {
            return;
        }
        debug!(%reason, "closing");
        self.phase = Phase::Closing(reason);
        self.last_alert = alert;
        self.warning = None;
        self.connected_event = false;
        self.machine = Machine::Done;
        self.timers.stop_all();
        self.reassembly.clear();
        self.future.clear();
        self.early.clear();
        self.shared.flight.clear();
        self.shared.transcript.clear();
        self.shared.master = None;
        self.shared.read = None;
        self.suspicion = None;
    }
}

fn end_state(reason: &CloseReason) -> State {
    match reason {
        CloseReason::Local => State::Closed,
        CloseReason::Peer(alert) if alert.description == AlertDescription::CLOSE_NOTIFY => State::Closed,
        CloseReason::Peer(_)
        | CloseReason::Timeout
        | CloseReason::Violation(_)
        | CloseReason::Crypto(_)
        | CloseReason::SequenceExhausted => State::Failed,
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role)
            .field("state", &self.state())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
