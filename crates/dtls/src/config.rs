//! What the owner of connections decides.

use crate::SrtpProfile;
use crypto::{Provider, Secret};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Settings shared by any number of connections.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) provider: Provider,
    pub(crate) srtp_profiles: Vec<SrtpProfile>,
    pub(crate) srtp_policy: SrtpPolicy,
    pub(crate) mtu: usize,
    pub(crate) cookie_policy: CookiePolicy,
    pub(crate) initial_timeout: Duration,
    pub(crate) max_timeout: Duration,
    pub(crate) handshake_timeout: Duration,
    pub(crate) max_message: usize,
    pub(crate) max_reassembly: usize,
    pub(crate) max_held_records: usize,
    pub(crate) max_held_bytes: usize,
}

/// The shortest first retransmission timeout that a round trip leads to.
pub(crate) const MIN_TIMEOUT: Duration = Duration::from_millis(50);

/// The longest (RFC 6347 §4.2.4.1).
const MAX_FIRST_TIMEOUT: Duration = Duration::from_secs(60);

/// The shortest datagram limit: below it, headers leave no room for fragments.
pub(crate) const MIN_MTU: usize = 256;

/// The longest: a datagram of one record must not exceed a record.
pub(crate) const MAX_MTU: usize = 1 << 14;

impl Config {
    /// The defaults, with the algorithms of `provider`.
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            srtp_profiles: vec![
                SrtpProfile::AEAD_AES_256_GCM,
                SrtpProfile::AEAD_AES_128_GCM,
                SrtpProfile::AES128_CM_SHA1_80,
            ],
            srtp_policy: SrtpPolicy::Required,
            mtu: 1_200,
            cookie_policy: CookiePolicy::Off,
            initial_timeout: Duration::from_secs(1),
            max_timeout: Duration::from_secs(60),
            handshake_timeout: Duration::from_secs(60),
            max_message: 16 * 1024,
            max_reassembly: 32 * 1024,
            max_held_records: 4,
            max_held_bytes: 8 * 1024,
        }
    }

    /// The SRTP profiles to offer and to choose from, the most preferred first (RFC 5764 §4.1). Our order counts
    /// when we are the server. An empty list leaves DTLS-SRTP out. Default: AEAD_AES_256_GCM, AEAD_AES_128_GCM,
    /// AES128_CM_SHA1_80.
    #[must_use]
    pub fn with_srtp_profiles(mut self, profiles: impl IntoIterator<Item = SrtpProfile>) -> Self {
        self.srtp_profiles.clear();
        for profile in profiles {
            if !self.srtp_profiles.contains(&profile) && self.srtp_profiles.len() < 16 {
                self.srtp_profiles.push(profile);
            }
        }
        self
    }

    /// What to do with a peer that does no DTLS-SRTP, while there are profiles of ours. Default:
    /// [`SrtpPolicy::Required`]. A session that carries only data channels takes [`SrtpPolicy::Optional`]: some of
    /// its peers cannot do SRTP at all.
    #[must_use]
    pub fn with_srtp_policy(mut self, policy: SrtpPolicy) -> Self {
        self.srtp_policy = policy;
        self
    }

    /// The longest datagram, in bytes of UDP payload, from 256 to 16,384. Default: 1,200, which passes every path that
    /// WebRTC is used on. Handshake messages are cut to it; application data is not.
    #[must_use]
    pub fn with_mtu(mut self, mtu: usize) -> Self {
        self.mtu = mtu.clamp(MIN_MTU, MAX_MTU);
        self
    }

    /// Whether a server asks for a cookie before it does any work (RFC 6347 §4.2.1). Default: [`CookiePolicy::Off`],
    /// right under ICE, whose checks have proved the peer's address already.
    #[must_use]
    pub fn with_cookie_policy(mut self, policy: CookiePolicy) -> Self {
        self.cookie_policy = policy;
        self
    }

    /// The first retransmission timeout while no round trip is known (RFC 6347 §4.2.4.1). Default: 1 s. With a
    /// known round trip it is three times that, and at least 50 ms.
    #[must_use]
    pub fn with_initial_timeout(mut self, timeout: Duration) -> Self {
        self.initial_timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// The longest retransmission timeout that doubling leads to (RFC 6347 §4.2.4.1). Default: 60 s. A path whose round
    /// trip asks for a longer one gets it.
    #[must_use]
    pub fn with_max_timeout(mut self, timeout: Duration) -> Self {
        self.max_timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// How long the handshake may take from the first flight sent. It bounds the number of retransmissions.
    /// Default: 60 s.
    #[must_use]
    pub fn with_handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// The longest handshake message that is taken, in bytes. Default: 16 KiB.
    #[must_use]
    pub fn with_max_message(mut self, bytes: usize) -> Self {
        self.max_message = bytes;
        self
    }

    /// The bytes that all incomplete handshake messages may take together. Default: 32 KiB.
    #[must_use]
    pub fn with_max_reassembly(mut self, bytes: usize) -> Self {
        self.max_reassembly = bytes;
        self
    }

    /// How many records are kept, and how many bytes, that arrive before their keys or before the peer's
    /// fingerprint is known. Default: 4 records, 8 KiB, in either of the two cases.
    #[must_use]
    pub fn with_held_records(mut self, records: usize, bytes: usize) -> Self {
        self.max_held_records = records;
        self.max_held_bytes = bytes;
        self
    }

    pub(crate) fn first_timeout(&self, round_trip: Option<Duration>) -> Duration {
        match round_trip {
            // RFC 6298 §2.2: after the first measurement R the timeout is R + 4 * R / 2.
            Some(round_trip) => round_trip.saturating_mul(3).clamp(MIN_TIMEOUT, MAX_FIRST_TIMEOUT),
            None => self.initial_timeout.min(self.max_timeout),
        }
    }
}

/// What to do with a peer that does no DTLS-SRTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SrtpPolicy {
    /// Connect without SRTP keys.
    Optional,
    /// Refuse to connect.
    Required,
}

/// Whether a server asks for a cookie.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CookiePolicy {
    /// It does not.
    Off,
    /// It does, and makes cookies with this secret.
    ///
    /// A listener keeps no state for sources that have proved nothing: it makes a connection for the datagram of a
    /// new source, names the source by [`set_cookie_source`](crate::Connection::set_cookie_source), sends what the
    /// connection answers, and drops the connection while its state is [`State::New`](crate::State::New). The hello
    /// that comes back with the cookie is accepted by a new one.
    Required(CookieSecret),
}

/// The secret that cookies are made with (RFC 6347 §4.2.1). It is shared by all servers of a socket.
///
/// To change it, make a new one from the old: cookies made with the old one stay valid for one more change.
#[derive(Clone)]
pub struct CookieSecret {
    pub(crate) current: Arc<Secret>,
    pub(crate) previous: Option<Arc<Secret>>,
}

impl CookieSecret {
    /// A fresh secret.
    #[must_use]
    pub fn new(rng: &mut dyn crypto::Random) -> Self {
        Self { current: Arc::new(Secret::new(rng.bytes::<32>().to_vec())), previous: None }
    }

    /// A fresh secret that still knows the cookies of this one.
    #[must_use]
    pub fn rotate(&self, rng: &mut dyn crypto::Random) -> Self {
        Self { previous: Some(Arc::clone(&self.current)), ..Self::new(rng) }
    }
}

impl fmt::Debug for CookieSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieSecret(..)")
    }
}
