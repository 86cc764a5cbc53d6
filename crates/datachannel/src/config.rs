//! What can be set before the channels begin.

use crypto::Provider;
use sctp::{Interleaving, Scheduler};
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

    /// The first receive window, in bytes. Default: 1 MiB. It grows up to
    /// [`with_receive_buffer_cap`](Self::with_receive_buffer_cap); what is really held stays below twice the window by
    /// then.
    #[must_use]
    pub fn with_receive_buffer(self, bytes: usize) -> Self {
        self.with_sctp(|sctp| sctp.with_receive_buffer(bytes))
    }

    /// How large the receive window may grow, in bytes. Default: 8 MiB; zero leaves it at its first size. A round trip
    /// carries at most one window: 1 MiB is 84 Mbit/s at 100 ms. It grows when the peer fills it and the application
    /// takes what comes.
    #[must_use]
    pub fn with_receive_buffer_cap(self, bytes: usize) -> Self {
        self.with_sctp(|sctp| sctp.with_receive_buffer_cap(bytes))
    }

    /// What all channels together may have waiting for transmission or acknowledgement at first, in bytes. Default:
    /// 1 MiB. Beyond it `send` gives messages back, and a larger one is never taken. It grows with the congestion window,
    /// up to [`with_send_buffer_cap`](Self::with_send_buffer_cap).
    #[must_use]
    pub fn with_send_buffer(self, bytes: usize) -> Self {
        let bytes = bytes.max(4_096);
        Self { send_buffer: bytes, ..self }.with_sctp(|sctp| sctp.with_send_buffer(bytes))
    }

    /// How large the send buffer may grow, in bytes. Default: 8 MiB; zero leaves it at its first size.
    #[must_use]
    pub fn with_send_buffer_cap(self, bytes: usize) -> Self {
        self.with_sctp(|sctp| sctp.with_send_buffer_cap(bytes))
    }

    /// The algorithm that sets the congestion window. Default: [`Cubic`](sctp::Cubic).
    /// [`Scavenger`](sctp::Scavenger) makes way for other traffic: for files below a call.
    #[must_use]
    pub fn with_congestion_control(self, factory: Arc<dyn sctp::CongestionControlFactory>) -> Self {
        self.with_sctp(|sctp| sctp.with_congestion_control(factory))
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
        self.with_sctp(|sctp| sctp.with_interleaving(interleaving))
    }

    /// How channels share the association (RFC 8260 §3). Default: by weight, the
    /// [priority](crate::ChannelInit::with_priority) of each.
    #[must_use]
    pub fn with_scheduler(self, scheduler: Scheduler) -> Self {
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
