//! What an agent is told before it starts.

mod server;
mod url;

pub use server::{IceServer, ServerError};
pub use url::ServerUrl;

use std::{fmt, time::Duration};

/// The shortest consent period RFC 7675 §5.1 allows.
const MIN_CONSENT_INTERVAL: Duration = Duration::from_secs(4);

/// The longest time without a response after which RFC 7675 §5.1 still allows sending.
const MAX_CONSENT_EXPIRY: Duration = Duration::from_secs(30);

/// The shortest pacing RFC 8445 §14.2 allows.
const MIN_PACING: Duration = Duration::from_millis(5);

/// Everything that can be chosen; the default is right for a browser as peer.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) servers: Vec<IceServer>,
    pub(crate) policy: TransportPolicy,
    pub(crate) loopback: Loopback,
    pub(crate) host_addresses: HostAddresses,
    pub(crate) pacing: Duration,
    pub(crate) patience: Duration,
    pub(crate) gather_timeout: Duration,
    pub(crate) resolve_timeout: Duration,
    pub(crate) consent_interval: Duration,
    pub(crate) consent_expiry: Duration,
    pub(crate) disconnect_after: Duration,
    pub(crate) nomination_wait: Duration,
    pub(crate) max_transmissions: u32,
    pub(crate) max_remote_candidates: usize,
    pub(crate) max_pairs: usize,
    pub(crate) max_local_addresses: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            policy: TransportPolicy::All,
            loopback: Loopback::Deny,
            host_addresses: HostAddresses::Plain,
            pacing: Duration::from_millis(50),
            patience: Duration::from_millis(39_500),
            gather_timeout: Duration::from_secs(5),
            resolve_timeout: Duration::from_secs(6),
            consent_interval: Duration::from_secs(5),
            consent_expiry: MAX_CONSENT_EXPIRY,
            disconnect_after: Duration::from_secs(7),
            nomination_wait: Duration::from_millis(500),
            max_transmissions: 7,
            max_remote_candidates: 64,
            max_pairs: 100,
            max_local_addresses: 32,
        }
    }
}

impl Config {
    /// The default configuration.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a STUN or TURN server. Default: none. Earlier servers get the better priorities.
    #[must_use]
    pub fn with_server(mut self, server: IceServer) -> Self {
        self.servers.push(server);
        self
    }

    /// Which candidates may be used. Default: all (RFC 8828 §5.2 describes the trade-off).
    #[must_use]
    pub fn with_policy(mut self, policy: TransportPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Whether loopback addresses may become candidates. Default: denied, as RFC 8445 §5.1.1.1 demands; allowing
    /// it is for tests and for two processes of one machine.
    #[must_use]
    pub fn with_loopback(mut self, loopback: Loopback) -> Self {
        self.loopback = loopback;
        self
    }

    /// Whether host candidates show their address. Default: plain. With names, the driver has to publish what
    /// [`Event::PublishName`](crate::Event::PublishName) tells it to.
    #[must_use]
    pub fn with_host_addresses(mut self, host_addresses: HostAddresses) -> Self {
        self.host_addresses = host_addresses;
        self
    }

    /// Time between two new STUN transactions, Ta. Default 50 ms, at least 5 ms (RFC 8445 §14.2). Shorter connects
    /// faster, and is to be agreed with the peer.
    #[must_use]
    pub fn with_pacing(mut self, pacing: Duration) -> Self {
        self.pacing = pacing.max(MIN_PACING);
        self
    }

    /// Least time from the first check to [`ConnectionState::Failed`](crate::ConnectionState::Failed). Default
    /// 39.5 s, the life of one check (RFC 8863 §4).
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long gathering waits for each server. Default 5 s. A server that is late never delays the others.
    #[must_use]
    pub fn with_gather_timeout(mut self, timeout: Duration) -> Self {
        self.gather_timeout = timeout;
        self
    }

    /// How long a remote `.local` name may stay unresolved before its candidate is dropped. Default 6 s.
    #[must_use]
    pub fn with_resolve_timeout(mut self, timeout: Duration) -> Self {
        self.resolve_timeout = timeout;
        self
    }

    /// Mean time between two consent checks; each interval is drawn from 0.8 to 1.2 times this. Default 5 s; no
    /// interval is ever shorter than 4 s (RFC 7675 §5.1).
    #[must_use]
    pub fn with_consent_interval(mut self, interval: Duration) -> Self {
        self.consent_interval = interval.max(MIN_CONSENT_INTERVAL);
        self
    }

    /// Time without a valid response after which all sending stops. Default and maximum 30 s (RFC 7675 §5.1).
    #[must_use]
    pub fn with_consent_expiry(mut self, expiry: Duration) -> Self {
        self.consent_expiry = expiry.min(MAX_CONSENT_EXPIRY);
        self
    }

    /// Silence after which the state is [`ConnectionState::Disconnected`](crate::ConnectionState::Disconnected).
    /// Default 7 s.
    ///
    /// Silence means: no response, no request and no data from the peer on any validated path. A peer that dies is
    /// therefore reported exactly this long after its last datagram. The default is the longest consent interval
    /// (6 s) and one second for the round trip, so an idle connection without loss never reports it.
    #[must_use]
    pub fn with_disconnect_after(mut self, silence: Duration) -> Self {
        self.disconnect_after = silence;
        self
    }

    /// How long the controlling side waits, from the first valid pair, for a better one before it nominates.
    /// Default 500 ms. Data flows before that. Nothing waits when no better pair can come.
    #[must_use]
    pub fn with_nomination_wait(mut self, wait: Duration) -> Self {
        self.nomination_wait = wait;
        self
    }

    /// How often a check is sent in all, Rc. Default 7 (RFC 8489 §6.2.1).
    #[must_use]
    pub fn with_max_transmissions(mut self, count: u32) -> Self {
        self.max_transmissions = count.max(1);
        self
    }

    /// Most remote candidates kept, signalled and learnt. Default 64.
    #[must_use]
    pub fn with_max_remote_candidates(mut self, count: usize) -> Self {
        self.max_remote_candidates = count;
        self
    }

    /// Most candidate pairs. Default 100 (RFC 8445 §6.1.2.5); the worst are dropped.
    #[must_use]
    pub fn with_max_pairs(mut self, count: usize) -> Self {
        self.max_pairs = count.max(1);
        self
    }

    /// Most local sockets. Default 32.
    #[must_use]
    pub fn with_max_local_addresses(mut self, count: usize) -> Self {
        self.max_local_addresses = count;
        self
    }
}

/// Who decides which pair is used (RFC 8445 §6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8445 has these two")]
pub enum Role {
    /// Follows the nomination of the peer.
    Controlled,
    /// Nominates.
    Controlling,
}

impl Role {
    /// The role of the other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Controlled => Self::Controlling,
            Self::Controlling => Self::Controlled,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Controlled => "controlled",
            Self::Controlling => "controlling",
        })
    }
}

/// What the peer is (RFC 8445 §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8445 has these two")]
pub enum Implementation {
    /// It sends checks.
    Full,
    /// It only answers checks, so we have to be controlling.
    Lite,
}

/// Which candidates may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportPolicy {
    /// All.
    All,
    /// Only relayed ones: the peer learns no address but the relay's.
    Relay,
}

/// Whether loopback addresses may become candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "yes or no")]
pub enum Loopback {
    /// They may.
    Allow,
    /// They may not.
    Deny,
}

/// How host candidates are signalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostAddresses {
    /// Behind a random `.local` name (draft-ietf-mmusic-mdns-ice-candidates); related addresses are blanked.
    #[cfg(feature = "mdns")]
    MdnsNames,
    /// As they are.
    Plain,
}

/// What kind of interface an address belongs to; better kinds are preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum InterfaceKind {
    /// A mobile network: may cost money.
    Cellular,
    /// The loopback interface.
    Loopback,
    /// Not known.
    Unknown,
    /// A tunnel, bridge or container network.
    Virtual,
    /// A wireless local network.
    Wifi,
    /// A cable.
    Wired,
}

impl InterfaceKind {
    /// 0 is best; three bits.
    pub(crate) const fn rank(self) -> u16 {
        match self {
            Self::Wired => 0,
            Self::Unknown => 1,
            Self::Wifi => 2,
            Self::Cellular => 3,
            Self::Virtual => 4,
            Self::Loopback => 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_the_rfcs_cannot_be_passed() {
        let config = Config::new()
            .with_pacing(Duration::ZERO)
            .with_consent_interval(Duration::ZERO)
            .with_consent_expiry(Duration::from_secs(31));
        assert_eq!(config.pacing, Duration::from_millis(5));
        assert_eq!(config.consent_interval, Duration::from_secs(4));
        assert_eq!(config.consent_expiry, Duration::from_secs(30));
    }
}
