//! What a connection is made with.

use crate::IceServer;
use crypto::Provider;
use datachannel::{CongestionControlFactory, Cubic};
use dtls::Certificate;
use std::{sync::Arc, time::Duration};

/// Which candidates may be used (W3C `RTCIceTransportPolicy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the set is closed by the W3C specification")]
pub enum IceTransportPolicy {
    /// All of them.
    #[default]
    All,
    /// Relayed ones only, so that the peer never learns our addresses.
    Relay,
}

/// Whether host candidates show addresses or names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "shown or hidden")]
pub enum HostAddresses {
    /// Addresses, as a server or a trusted application wants them.
    #[default]
    Shown,
    /// `UUID.local` names that only the local network can resolve (mDNS candidates).
    #[cfg(feature = "mdns")]
    Hidden,
}

/// How received media is handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "frames or packets")]
pub enum MediaDelivery {
    /// Whole encoded frames, in order.
    #[default]
    Frames,
    /// RTP packets in order, for forwarding.
    Packets,
}

/// The configuration of a connection (W3C `RTCConfiguration`, plus limits).
#[derive(Clone, Debug)]
pub struct Configuration {
    pub(crate) certificate: Option<Certificate>,
    pub(crate) disconnect_after: Duration,
    pub(crate) host_addresses: HostAddresses,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) ice_transport_policy: IceTransportPolicy,
    pub(crate) max_message_size: usize,
    pub(crate) max_streamed_size: Option<u64>,
    pub(crate) media_delivery: MediaDelivery,
    pub(crate) mtu: usize,
    pub(crate) max_mtu: usize,
    #[cfg(feature = "snap")]
    pub(crate) sctp_setup: SctpSetup,
    pub(crate) provider: Provider,
    pub(crate) receive_buffer: usize,
    pub(crate) receive_buffer_cap: usize,
    pub(crate) send_buffer: usize,
    pub(crate) send_buffer_cap: usize,
    pub(crate) congestion_control: Arc<dyn CongestionControlFactory>,
    pub(crate) srtp_profiles: Vec<srtp::Profile>,
    pub(crate) dtls_setup: DtlsSetup,
}

/// Which DTLS role to take when answering an offer that leaves the choice (`a=setup:actpass`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8842 §5.3 knows these two")]
pub enum DtlsSetup {
    /// Be the client: the handshake starts one round trip earlier (RFC 8842 §5.3 recommends it).
    #[default]
    Active,
    /// Be the server.
    Passive,
}

/// How the SCTP association of data channels begins.
#[cfg(feature = "snap")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SctpSetup {
    /// By a handshake of two round trips (RFC 9260 §5.1).
    #[default]
    Handshake,
    /// By what both descriptions say in `a=sctp-init` (draft-hancke-tsvwg-snap), as soon as DTLS is up: offers carry the
    /// attribute, and answers to offers that do. With a peer that does not know it there is the handshake.
    Description,
}

/// The longest datagram of DTLS: a record has at most 2^14 bytes of payload (RFC 6347 §4.1).
const MAX_MTU: usize = 1 << 14;

#[cfg(feature = "rustcrypto")]
impl Default for Configuration {
    fn default() -> Self {
        Self::new(crypto::rustcrypto::provider())
    }
}

impl Configuration {
    /// The defaults over a crypto provider: no ICE servers, all candidates, 256 KiB messages, 1,200-byte datagrams.
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        Self {
            certificate: None,
            disconnect_after: Duration::from_secs(7),
            host_addresses: HostAddresses::default(),
            ice_servers: Vec::new(),
            ice_transport_policy: IceTransportPolicy::default(),
            max_message_size: 256 * 1024,
            max_streamed_size: None,
            media_delivery: MediaDelivery::default(),
            mtu: 1_200,
            max_mtu: MAX_MTU,
            #[cfg(feature = "snap")]
            sctp_setup: SctpSetup::default(),
            provider,
            receive_buffer: 1 << 20,
            receive_buffer_cap: 8 << 20,
            send_buffer: 1 << 20,
            send_buffer_cap: 8 << 20,
            congestion_control: Arc::new(Cubic),
            srtp_profiles: vec![
                srtp::Profile::AeadAes128Gcm,
                srtp::Profile::AeadAes256Gcm,
                srtp::Profile::Aes128CmHmacSha1_80,
            ],
            dtls_setup: DtlsSetup::default(),
        }
    }

    /// STUN and TURN servers. Default: none. At most 32 are kept, and the first 16 of all their URLs asked.
    #[must_use]
    pub fn with_ice_servers(self, ice_servers: impl IntoIterator<Item = IceServer>) -> Self {
        Self { ice_servers: ice_servers.into_iter().take(32).collect(), ..self }
    }

    /// Which candidates may be used. Default: all.
    #[must_use]
    pub fn with_ice_transport_policy(self, ice_transport_policy: IceTransportPolicy) -> Self {
        Self { ice_transport_policy, ..self }
    }

    /// The certificate to show. Default: a fresh ECDSA P-256 one per connection, so that connections cannot be linked.
    #[must_use]
    pub fn with_certificate(self, certificate: Certificate) -> Self {
        Self { certificate: Some(certificate), ..self }
    }

    /// Whether host candidates show addresses or `.local` names. Default: addresses.
    #[must_use]
    pub fn with_host_addresses(self, host_addresses: HostAddresses) -> Self {
        Self { host_addresses, ..self }
    }

    /// The largest data-channel message accepted, in bytes, announced as `a=max-message-size` (RFC 8841 §6).
    /// Default: 262,144.
    #[must_use]
    pub fn with_max_message_size(self, bytes: usize) -> Self {
        Self { max_message_size: bytes.max(1), ..self }
    }

    /// Lets the peer send messages larger than [`with_max_message_size`](Self::with_max_message_size) says: up to this
    /// many bytes, or of any size for 0, announced as `a=max-message-size` (RFC 8841 §6). Only a channel that is read in
    /// pieces takes them, in memory that does not depend on their size; any other channel on which one arrives is closed.
    /// Default: no such messages.
    #[must_use]
    pub fn with_max_streamed_size(self, bytes: u64) -> Self {
        Self { max_streamed_size: Some(bytes), ..self }
    }

    /// Whether received media is handed over as frames or as packets. Default: frames.
    #[must_use]
    pub fn with_media_delivery(self, media_delivery: MediaDelivery) -> Self {
        Self { media_delivery, ..self }
    }

    /// The largest UDP payload sent, in bytes. Default: 1,200, which fits every path with an IPv6 MTU of 1,280.
    /// Held to 576..=1,472.
    #[must_use]
    pub fn with_mtu(self, bytes: usize) -> Self {
        let mtu = bytes.clamp(576, 1_472);
        Self { mtu, max_mtu: self.max_mtu.max(mtu), ..self }
    }

    /// The largest UDP payload that data channels search for (RFC 8899), in bytes. Default: 16,384, which is what fits
    /// a DTLS record. Held to what [`with_mtu`](Self::with_mtu) says and 16,384.
    ///
    /// Large datagrams cost less for each byte; the search costs a few packets for each path, and again every ten
    /// minutes. With the value of `with_mtu` there is none.
    #[must_use]
    pub fn with_max_mtu(self, bytes: usize) -> Self {
        Self { max_mtu: bytes.clamp(self.mtu, MAX_MTU), ..self }
    }

    /// How SCTP begins. Default: by its handshake.
    #[cfg(feature = "snap")]
    #[must_use]
    pub fn with_sctp_setup(self, sctp_setup: SctpSetup) -> Self {
        Self { sctp_setup, ..self }
    }

    /// Bytes a data channel holds for a reader that does not read, before the peer is told to wait. Default: 1 MiB.
    #[must_use]
    pub fn with_receive_buffer(self, bytes: usize) -> Self {
        Self { receive_buffer: bytes.clamp(1 << 16, 1 << 30), ..self }
    }

    /// Bytes a data channel holds for the peer before `send` waits. Default: 1 MiB.
    #[must_use]
    pub fn with_send_buffer(self, bytes: usize) -> Self {
        Self { send_buffer: bytes.clamp(1 << 14, 1 << 30), ..self }
    }

    /// How large the receive window of all data channels together may grow, in bytes. Default: 8 MiB; zero leaves it as
    /// it begins. It grows with what the path carries in a round trip, as long as the application reads.
    #[must_use]
    pub fn with_receive_buffer_cap(self, bytes: usize) -> Self {
        Self { receive_buffer_cap: bytes.min(1 << 30), ..self }
    }

    /// How large the send buffer of all data channels together may grow, in bytes. Default: 8 MiB; zero leaves it as it
    /// begins. It follows what is in flight, which waits there for its acknowledgement.
    #[must_use]
    pub fn with_send_buffer_cap(self, bytes: usize) -> Self {
        Self { send_buffer_cap: bytes, ..self }
    }

    /// What sets the congestion window of data channels. Default: [`Cubic`]; see [`datachannel::NewReno`],
    /// [`datachannel::Scavenger`] and [`CongestionControlFactory`].
    #[must_use]
    pub fn with_congestion_control(self, factory: Arc<dyn CongestionControlFactory>) -> Self {
        Self { congestion_control: factory, ..self }
    }

    /// SRTP protection profiles, the most preferred first (RFC 5764 §4.1.2). Default: AES-128-GCM, AES-256-GCM,
    /// AES-128-CM with HMAC-SHA1-80.
    #[must_use]
    pub fn with_srtp_profiles(self, profiles: impl IntoIterator<Item = srtp::Profile>) -> Self {
        Self { srtp_profiles: profiles.into_iter().collect(), ..self }
    }

    /// Which DTLS role to take where the offer leaves the choice. Default: active.
    #[must_use]
    pub fn with_dtls_setup(self, dtls_setup: DtlsSetup) -> Self {
        Self { dtls_setup, ..self }
    }

    /// What `a=max-message-size` says: zero is any size.
    pub(crate) fn announced_message_size(&self) -> u64 {
        let whole = self.max_message_size as u64;
        self.max_streamed_size.map_or(whole, |streamed| if streamed == 0 { 0 } else { streamed.max(whole) })
    }
}
