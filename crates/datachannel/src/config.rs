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
