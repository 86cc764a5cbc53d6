//! What can be set before the channels begin.

use crypto::Provider;
use std::fmt;
use std::sync::Arc;

/// Settings of all channels of an association. They are shared by all associations of a program: put them in an `Arc`.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) sctp: Arc<sctp::Config>,
    pub(crate) max_channels: usize,
    pub(crate) send_buffer: usize,
    pub(crate) max_message_size: usize,
}

/// Whether messages of different channels may be interleaved (RFC 8260 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it is offered or not")]
pub enum Interleaving {
    /// Used when the peer offers it too.
    #[default]
    Offered,
    /// Never used.
    Off,
}

/// Whose turn it is among the channels that have something to send (RFC 8260 §3).
///
/// With interleaving, turns change with every packet or so; without it, a message once begun is sent to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheduler {
    /// In the order of `send` (§3.1).
    FirstComeFirstServed,
    /// Channels in turn (§3.2), by messages or fragments and not by bytes.
    RoundRobin,
    /// Channels in turn, one for each packet (§3.3): the loss of a packet holds up one channel.
    RoundRobinPerPacket,
    /// The channel with the highest priority first, always (§3.4).
    Priority,
    /// The same number of bytes for each (§3.5).
    FairCapacity,
    /// Bytes in proportion to the priorities (§3.6, RFC 8831 §6.4).
    #[default]
    WeightedFair,
}

/// A configuration that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The provider has no HMAC-SHA256, which SCTP needs for its state cookie (RFC 9260 §5.1.3).
    NoMac,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMac => f.write_str("the crypto provider has no HMAC-SHA256"),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Default values, with the cryptography of `provider`.
    ///
    /// # Errors
    /// [`ConfigError::NoMac`] when the provider has no HMAC-SHA256.
    pub fn new(provider: &Provider) -> Result<Self, ConfigError> {
        let sctp = sctp::Config::new(provider).map_err(|_| ConfigError::NoMac)?;
        Ok(Self {
            sctp: Arc::new(sctp),
            max_channels: 1_024,
            send_buffer: 1 << 20,
            max_message_size: 256 << 10,
        })
    }

    /// SCTP ports of both ends, from `a=sctp-port` (RFC 8841 §5). Default: 5000 and 5000.
    #[must_use]
    pub fn with_ports(self, local: u16, remote: u16) -> Self {
        self.with_sctp(|sctp| sctp.with_ports(local, remote))
    }

    /// The receive window, in bytes. Default: 1 MiB. What is really held stays below twice this. A round trip carries
    /// at most one window.
    #[must_use]
    pub fn with_receive_buffer(self, bytes: usize) -> Self {
        self.with_sctp(|sctp| sctp.with_receive_buffer(bytes))
    }

    /// What all channels together may have waiting for transmission or acknowledgement, in bytes. Default: 1 MiB.
    /// Beyond it `send` gives messages back.
    #[must_use]
    pub fn with_send_buffer(self, bytes: usize) -> Self {
        let bytes = bytes.max(4_096);
        Self { send_buffer: bytes, ..self }.with_sctp(|sctp| sctp.with_send_buffer(bytes))
    }

    /// The largest message we take, in bytes: what our `a=max-message-size` has to say (RFC 8841 §6). Default: 256 KiB.
    /// A channel on which a larger one arrives is closed. It must not be larger than the receive buffer.
    #[must_use]
    pub fn with_max_message_size(self, bytes: usize) -> Self {
        Self { max_message_size: bytes, ..self }.with_sctp(|sctp| sctp.with_max_message_size(bytes))
    }

    /// The largest SCTP packet, in bytes. Default: 1,160. See
    /// [`Channels::set_max_packet_len`](crate::Channels::set_max_packet_len).
    #[must_use]
    pub fn with_max_packet_len(self, bytes: usize) -> Self {
        self.with_sctp(|sctp| sctp.with_max_packet_len(bytes))
    }

    /// The most channels that may exist at once, those of the peer included. Default: 1,024. Beyond it `open` fails
    /// and the peer's are refused.
    #[must_use]
    pub fn with_max_channels(self, count: usize) -> Self {
        Self { max_channels: count, ..self }
    }

    /// Whether to offer interleaving of messages of different channels (RFC 8260). Default: offered, as RFC 8831 §6.1
    /// asks. It costs 4 bytes a chunk; browsers do not offer it, so with them it makes no difference.
    #[must_use]
    pub fn with_interleaving(self, interleaving: Interleaving) -> Self {
        let interleaving = match interleaving {
            Interleaving::Offered => sctp::Interleaving::Offered,
            Interleaving::Off => sctp::Interleaving::Off,
        };
        self.with_sctp(|sctp| sctp.with_interleaving(interleaving))
    }

    /// How channels share the association (RFC 8260 §3). Default: by weight, the
    /// [priority](crate::ChannelInit::with_priority) of each.
    #[must_use]
    pub fn with_scheduler(self, scheduler: Scheduler) -> Self {
        let scheduler = match scheduler {
            Scheduler::FirstComeFirstServed => sctp::Scheduler::FirstComeFirstServed,
            Scheduler::RoundRobin => sctp::Scheduler::RoundRobin,
            Scheduler::RoundRobinPerPacket => sctp::Scheduler::RoundRobinPerPacket,
            Scheduler::Priority => sctp::Scheduler::Priority,
            Scheduler::FairCapacity => sctp::Scheduler::FairCapacity,
            Scheduler::WeightedFair => sctp::Scheduler::WeightedFair,
        };
        self.with_sctp(|sctp| sctp.with_scheduler(scheduler))
    }

    /// The largest message we take, in bytes.
    #[must_use]
    pub fn max_message_size(&self) -> usize {
        self.max_message_size
    }

    fn with_sctp(self, change: impl FnOnce(sctp::Config) -> sctp::Config) -> Self {
        Self { sctp: Arc::new(change(Arc::unwrap_or_clone(self.sctp))), ..self }
    }
}

#[cfg(feature = "rustcrypto")]
impl Default for Config {
    /// [`Config::new`] with the RustCrypto provider.
    fn default() -> Self {
        Self::new(&crypto::rustcrypto::provider()).expect("invariant: this provider has HMAC-SHA256")
    }
}
