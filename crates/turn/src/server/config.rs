//! How a server behaves.

use super::{ByteRate, PeerPolicy};
use crate::Family;
use crypto::{HashId, MacId, Provider};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use stun::attr::{PasswordAlgorithms, Realm, Software};

/// Configuration of a [`Server`](super::Server).
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub(super) realm: String,
    pub(super) relays: Vec<RelayAddress>,
    pub(super) listeners: Vec<SocketAddr>,
    pub(super) policy: PeerPolicy,
    pub(super) passwords: PasswordPolicy,
    pub(super) software: Option<String>,
    pub(super) default_lifetime: Duration,
    pub(super) max_lifetime: Duration,
    pub(super) nonce_lifetime: Duration,
    pub(super) open_timeout: Duration,
    pub(super) max_allocations: usize,
    pub(super) max_allocations_per_user: usize,
    pub(super) max_permissions: usize,
    pub(super) max_channels: usize,
    pub(super) max_bandwidth: Option<ByteRate>,
    pub(super) unauthenticated_replies_per_second: u8,
}

impl ServerConfig {
    /// A server for `realm`, usually the provider's domain name, relaying on `relays`.
    ///
    /// A realm of up to 12 bytes keeps the answer to the smallest Allocate request within three times its size.
    #[must_use]
    pub fn new(realm: impl Into<String>, relays: impl IntoIterator<Item = RelayAddress>) -> Self {
        Self {
            realm: realm.into(),
            relays: relays.into_iter().collect(),
            listeners: Vec::new(),
            policy: PeerPolicy::new(),
            passwords: PasswordPolicy::Md5,
            software: None,
            default_lifetime: Duration::from_secs(600),
            max_lifetime: Duration::from_secs(3_600),
            nonce_lifetime: Duration::from_secs(600),
            open_timeout: Duration::from_secs(10),
            max_allocations: 10_000,
            max_allocations_per_user: 10,
            max_permissions: 256,
            max_channels: 256,
            max_bandwidth: None,
            unauthenticated_replies_per_second: 10,
        }
    }

    /// Adds an address that clients reach the server on, so that nobody relays to it (RFC 8656 §21.1.7). Default:
    /// none; the local address of the paths that datagrams come on is refused in any case.
    #[must_use]
    pub fn with_listener(mut self, address: SocketAddr) -> Self {
        self.listeners.push(address);
        self
    }

    /// To whom may be relayed. Default [`PeerPolicy::new`]: public addresses only.
    #[must_use]
    pub fn with_peer_policy(mut self, policy: PeerPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Which keys are accepted. Default [`PasswordPolicy::Md5`], which all clients have (RFC 8489 §9.2).
    #[must_use]
    pub const fn with_passwords(mut self, policy: PasswordPolicy) -> Self {
        self.passwords = policy;
        self
    }

    /// What SOFTWARE says in answers to authenticated Allocate and Refresh requests. Default: not sent.
    #[must_use]
    pub fn with_software(mut self, software: impl Into<String>) -> Self {
        self.software = Some(software.into());
        self
    }

    /// Lifetime of an allocation whose client asks for less, or for none. Default 600 s (RFC 8656 §3.2).
    #[must_use]
    pub const fn with_default_lifetime(mut self, lifetime: Duration) -> Self {
        self.default_lifetime = lifetime;
        self
    }

    /// The longest lifetime granted. Default 3,600 s, which RFC 8656 §7.2 recommends as the most.
    #[must_use]
    pub const fn with_max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime;
        self
    }

    /// How long a nonce is good for. Default 600 s, at most an hour (RFC 8656 §5).
    #[must_use]
    pub const fn with_nonce_lifetime(mut self, lifetime: Duration) -> Self {
        self.nonce_lifetime = lifetime;
        self
    }

    /// How long the driver may take to open a relay socket. Default 10 s.
    #[must_use]
    pub const fn with_open_timeout(mut self, timeout: Duration) -> Self {
        self.open_timeout = timeout;
        self
    }

    /// Allocations in all; 508 beyond. Default 10,000.
    #[must_use]
    pub const fn with_max_allocations(mut self, count: usize) -> Self {
        self.max_allocations = count;
        self
    }

    /// Allocations per user name; 486 beyond. Default 10.
    #[must_use]
    pub const fn with_max_allocations_per_user(mut self, count: usize) -> Self {
        self.max_allocations_per_user = count;
        self
    }

    /// Permissions per allocation; 508 beyond. Default 256.
    #[must_use]
    pub const fn with_max_permissions(mut self, count: usize) -> Self {
        self.max_permissions = count;
        self
    }

    /// Channels per allocation; 508 beyond. Default 256.
    #[must_use]
    pub const fn with_max_channels(mut self, count: usize) -> Self {
        self.max_channels = count;
        self
    }

    /// Payload per allocation, both directions together; what is over is dropped (RFC 8656 §5). Default: no limit.
    #[must_use]
    pub const fn with_max_bandwidth(mut self, rate: ByteRate) -> Self {
        self.max_bandwidth = Some(rate);
        self
    }

    /// Error answers per second to one address (one /64 for IPv6) that has proven nothing; silence beyond. Default
    /// 10.
    #[must_use]
    pub const fn with_unauthenticated_replies_per_second(mut self, count: u8) -> Self {
        self.unauthenticated_replies_per_second = count;
        self
    }

    /// The relay address for the allocation number `counter`.
    pub(super) fn relay_for(&self, family: Family, counter: u64) -> Option<RelayAddress> {
        let of_family = || self.relays.iter().filter(|relay| Family::of(relay.advertised) == family);
        let count = of_family().count() as u64;
        let index = counter.checked_rem(count)?;
        of_family().nth(index as usize).copied()
    }

    /// Whether an address is one of this server's own.
    pub(super) fn is_own(&self, ip: IpAddr) -> bool {
        self.is_relay(ip) || self.listeners.iter().any(|listener| listener.ip() == ip)
    }

    /// Whether relayed addresses have this address.
    pub(super) fn is_relay(&self, ip: IpAddr) -> bool {
        self.relays.iter().any(|relay| relay.advertised == ip || relay.bind == ip)
    }

    pub(super) fn check(&self, provider: &Provider) -> Result<(), ServerConfigError> {
        if Realm::new(&self.realm).is_err() || self.realm.is_empty() {
            return Err(ServerConfigError::Realm);
        }
        if self.relays.is_empty() {
            return Err(ServerConfigError::NoRelayAddress);
        }
        if self.relays.iter().any(|relay| Family::of(relay.bind) != Family::of(relay.advertised)) {
            return Err(ServerConfigError::RelayFamilies);
        }
        if self.software.as_deref().is_some_and(|software| Software::new(software).is_err()) {
            return Err(ServerConfigError::SoftwareTooLong);
        }
        if self.default_lifetime > self.max_lifetime || self.default_lifetime.as_secs() == 0 {
            return Err(ServerConfigError::Lifetimes);
        }
        let (hashes, macs) = match self.passwords {
            PasswordPolicy::Md5 => (&[HashId::Md5][..], &[MacId::HmacSha1][..]),
            PasswordPolicy::Sha256 => (&[HashId::Sha256][..], &[MacId::HmacSha256][..]),
            PasswordPolicy::Sha256OrMd5 => {
                (&[HashId::Sha256, HashId::Md5][..], &[MacId::HmacSha256, MacId::HmacSha1][..])
            }
        };
        let has_hashes = hashes.iter().all(|id| provider.hash(*id).is_some());
        let has_macs = macs.iter().all(|id| provider.mac(*id).is_some());
        if has_hashes && has_macs { Ok(()) } else { Err(ServerConfigError::Crypto) }
    }
}

/// An address to relay on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayAddress {
    pub(super) bind: IpAddr,
    pub(super) advertised: IpAddr,
}

impl RelayAddress {
    /// An address that peers reach directly.
    #[must_use]
    pub const fn new(ip: IpAddr) -> Self {
        Self { bind: ip, advertised: ip }
    }

    /// An address behind a one-to-one NAT: sockets are bound to `bind`, peers reach them at `advertised`.
    #[must_use]
    pub const fn behind_nat(bind: IpAddr, advertised: IpAddr) -> Self {
        Self { bind, advertised }
    }
}

/// Which long-term keys a server accepts (RFC 8489 §18.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordPolicy {
    /// MD5 with MESSAGE-INTEGRITY, what every client has.
    Md5,
    /// SHA-256 only. Clients older than RFC 8489 cannot use the server.
    Sha256,
    /// SHA-256 for clients that know it, MD5 for the others. The answer to a request without credentials is 12 bytes
    /// longer than with [`Md5`](Self::Md5).
    Sha256OrMd5,
}

impl PasswordPolicy {
    /// The list to send, if any.
    pub(super) const fn algorithms(self) -> Option<PasswordAlgorithms<'static>> {
        match self {
            Self::Md5 => None,
            Self::Sha256 => Some(PasswordAlgorithms::SHA256),
            Self::Sha256OrMd5 => Some(PasswordAlgorithms::SHA256_MD5),
        }
    }
}

/// A server cannot be made of this configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerConfigError {
    /// The crypto provider lacks an algorithm of the password policy, or HMAC-SHA256 for nonces.
    Crypto,
    /// The default lifetime is zero or longer than the longest one.
    Lifetimes,
    /// There is no address to relay on.
    NoRelayAddress,
    /// The realm is empty or has more than 127 characters.
    Realm,
    /// The two addresses of a relay behind a NAT are of different families.
    RelayFamilies,
    /// SOFTWARE has more than 127 characters.
    SoftwareTooLong,
}

impl fmt::Display for ServerConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crypto => "the crypto provider lacks an algorithm",
            Self::Lifetimes => "the default lifetime is zero or above the longest one",
            Self::NoRelayAddress => "there is no address to relay on",
            Self::Realm => "the realm is empty or has more than 127 characters",
            Self::RelayFamilies => "bound and advertised relay address differ in family",
            Self::SoftwareTooLong => "SOFTWARE has more than 127 characters",
        })
    }
}

impl std::error::Error for ServerConfigError {}
