//! A snapshot of every counter (W3C `getStats`), as plain structs.

use crate::{
    DropCounters, DtlsTransportState, IceConnectionState, MediaKind, PeerConnectionState, TransceiverId,
};

/// Everything a session counts, at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StatsReport {
    /// The connection as a whole.
    pub connection_state: PeerConnectionState,
    /// ICE: state, candidates, pairs with their round trips (W3C `candidate-pair`, `local-candidate`, …).
    pub ice: ice::Stats,
    /// ICE as the API names it.
    pub ice_connection_state: IceConnectionState,
    /// DTLS and SRTP (W3C `transport`).
    pub transport: TransportStats,
    /// Data channels and the SCTP association below them.
    pub data: datachannel::Stats,
    /// RTP as a whole.
    pub media: media::EngineStats,
    /// One entry per stream sent (W3C `outbound-rtp`, `remote-inbound-rtp`).
    pub outbound: Vec<OutboundStats>,
    /// One entry per stream received (W3C `inbound-rtp`).
    pub inbound: Vec<InboundStats>,
    /// Datagrams that went nowhere.
    pub drops: DropCounters,
}

/// The secured transport.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransportStats {
    /// How DTLS is doing.
    pub dtls_state: DtlsTransportState,
    /// `FEFD` for DTLS 1.2, as browsers write it (W3C `tlsVersion`).
    pub tls_version: Option<String>,
    /// Cipher suite, as its registry names it (W3C `dtlsCipher`).
    pub dtls_cipher: Option<String>,
    /// SRTP protection profile, as its registry names it (W3C `srtpCipher`).
    pub srtp_cipher: Option<String>,
    /// Why DTLS has ended, if it has.
    pub dtls_end: Option<String>,
    /// What the DTLS connection counted.
    pub dtls: Option<dtls::Stats>,
}

/// A stream that we send.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OutboundStats {
    /// The transceiver it belongs to.
    pub transceiver: TransceiverId,
    /// Audio or video.
    pub kind: MediaKind,
    /// Its codec.
    pub codec: Option<String>,
    /// What the engine counted.
    pub counters: media::SenderStats,
}

/// A stream that we receive.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InboundStats {
    /// The transceiver it belongs to.
    pub transceiver: TransceiverId,
    /// Audio or video.
    pub kind: MediaKind,
    /// What the engine counted.
    pub counters: media::ReceiverStats,
}
