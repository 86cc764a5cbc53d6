//! What can be set before an association begins.

use crate::error::ConfigError;
use crate::tx::congestion::{CongestionControlFactory, Cubic};
use crypto::{Mac, MacId, Provider};
use std::sync::Arc;
use std::time::Duration;

/// What WebRTC uses for both ends (RFC 8841 §5.2).
const DEFAULT_PORT: u16 = 5_000;

/// Settings of an association. They are shared by all associations of a program: put them in an `Arc`.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) cookie_mac: &'static dyn Mac,
    pub(crate) local_port: u16,
    pub(crate) remote_port: u16,
    pub(crate) outbound_streams: u16,
    pub(crate) inbound_streams: u16,
    pub(crate) receive_buffer: usize,
    pub(crate) receive_buffer_cap: usize,
    pub(crate) send_buffer: usize,
    pub(crate) send_buffer_cap: usize,
    pub(crate) congestion_control: Arc<dyn CongestionControlFactory>,
    pub(crate) max_message_size: usize,
    pub(crate) max_packet_len: usize,
    pub(crate) initial_window: usize,
    pub(crate) rto_initial: Duration,
    pub(crate) rto_min: Duration,
    pub(crate) rto_max: Duration,
    pub(crate) delayed_ack: Duration,
    pub(crate) cookie_lifetime: Duration,
    pub(crate) heartbeat_interval: Option<Duration>,
    pub(crate) max_init_retransmits: u32,
    pub(crate) max_retransmits: u32,
    pub(crate) error_detection: ErrorDetection,
    pub(crate) interleaving: Interleaving,
    pub(crate) scheduler: Scheduler,
}

/// What notices that a packet was altered on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorDetection {
    /// CRC32c in every packet, both ways (RFC 9260 §6.8).
    Crc32c,
    /// DTLS, towards a peer that agrees (RFC 9653): packets then leave with a checksum of zero, and such are taken.
    /// Those that set up the association have CRC32c all the same.
    #[default]
    Dtls,
}

/// Whether messages of different streams may be interleaved (RFC 8260 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it is offered or not")]
pub enum Interleaving {
    /// Used when the peer offers it too.
    #[default]
    Offered,
    /// Never used.
    Off,
}

/// Whose turn it is among the streams that have something to send (RFC 8260 §3). The peer does not learn of it.
///
/// With interleaving, turns change with every fragment; without it, a message once begun is sent to its end, and turns
/// change with every message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheduler {
    /// In the order of `send` (§3.1). A message waits for all that were sent before it, on whatever stream.
    FirstComeFirstServed,
    /// Streams in turn (§3.2), by messages or fragments and not by bytes: large ones get more.
    RoundRobin,
    /// Streams in turn, one for each packet (§3.3): the loss of a packet holds up one stream. A packet may be left
    /// partly empty.
    RoundRobinPerPacket,
    /// The stream with the highest [weight](crate::Association::set_weight) first, always (§3.4); equal ones in turn.
    /// A lower one may starve.
    Priority,
    /// The same number of bytes for each (§3.5).
    FairCapacity,
    /// Bytes in proportion to the [weights](crate::Association::set_weight) (§3.6). What WebRTC asks for
    /// (RFC 8831 §6.4).
    #[default]
    WeightedFair,
}

impl Config {
    /// Default values. From `provider` comes the MAC of the state cookie.
    ///
    /// # Errors
    /// [`ConfigError::NoMac`] when the provider has no HMAC-SHA256.
    pub fn new(provider: &Provider) -> Result<Self, ConfigError> {
        let cookie_mac = provider.mac(MacId::HmacSha256).ok_or(ConfigError::NoMac)?;
        Ok(Self {
            cookie_mac,
            local_port: DEFAULT_PORT,
            remote_port: DEFAULT_PORT,
            outbound_streams: u16::MAX,
            inbound_streams: u16::MAX,
            receive_buffer: 1 << 20,
            receive_buffer_cap: 8 << 20,
            send_buffer: 1 << 20,
            send_buffer_cap: 8 << 20,
            congestion_control: Arc::new(Cubic),
            max_message_size: 256 << 10,
            max_packet_len: 1_160,
            initial_window: 10,
            rto_initial: Duration::from_millis(500),
            rto_min: Duration::from_millis(220),
            rto_max: Duration::from_secs(3),
            delayed_ack: Duration::from_millis(25),
            cookie_lifetime: Duration::from_secs(60),
            heartbeat_interval: Some(Duration::from_secs(30)),
            max_init_retransmits: 14,
            max_retransmits: 15,
            interleaving: Interleaving::default(),
            scheduler: Scheduler::default(),
            error_detection: ErrorDetection::default(),
        })
    }

    /// Port numbers of both ends, from `a=sctp-port` (RFC 8841 §5). Default: 5000 and 5000, for which a zero stands as
    /// well: RFC 9260 §3.1 forbids it.
    #[must_use]
    pub fn with_ports(self, local: u16, remote: u16) -> Self {
        //= rfc9260 §3.1
        //# The Source Port Number 0 MUST NOT be used.
        //= rfc9260 §3.1
        //# The Destination Port Number 0 MUST NOT be used.
        let valid = |port| if port == 0 { DEFAULT_PORT } else { port };
        Self { local_port: valid(local), remote_port: valid(remote), ..self }
    }

    /// Streams we would like to send on and to receive on. Default: 65,535 each, as RFC 8831 §6.2 asks. Zero counts
    /// as one: RFC 9260 §3.3.2 forbids zero.
    #[must_use]
    pub fn with_streams(self, outbound: u16, inbound: u16) -> Self {
        //= rfc9260 §3.3.2
        //# The value of 0 MUST NOT be used.
        //= rfc9260 §3.3.2
        //# The value 0 MUST NOT be used.
        //= rfc9260 §3.3.3
        //# The value 0 MUST NOT be used.
        Self { outbound_streams: outbound.max(1), inbound_streams: inbound.max(1), ..self }
    }

    /// The receive window we advertise first, in bytes (RFC 9260 §6). Default: 1 MiB, at least 4,096. It grows up to
    /// [`with_receive_buffer_cap`](Self::with_receive_buffer_cap). What is really held, bookkeeping included, stays below
    /// twice the window by then, or below the window and four bytes for each stream there may be, if that is more.
    #[must_use]
    pub fn with_receive_buffer(self, bytes: usize) -> Self {
        //= rfc9260 §3.3.3
        //# The Advertised Receiver Window Credit MUST NOT be smaller than 1500.
        Self { receive_buffer: bytes.clamp(4_096, 1 << 30), ..self }
    }

    /// How large the receive window may grow, in bytes. Default: 8 MiB; not below the first window, which alone a cap of
    /// zero leaves.
    ///
    /// A round trip carries at most one window: 1 MiB is 84 Mbit/s at 100 ms, 8 MiB are 670. The window doubles when the
    /// peer fills half of it within a round trip and the application takes what comes. An application that does not keep
    /// up costs no more than the first window.
    #[must_use]
    pub fn with_receive_buffer_cap(self, bytes: usize) -> Self {
        Self { receive_buffer_cap: bytes.min(1 << 30), ..self }
    }

    /// What may wait for transmission or acknowledgement at first, in bytes, bookkeeping included. Default: 1 MiB. Beyond
    /// it `send` gives the message back; a message larger than this is never taken. It grows up to
    /// [`with_send_buffer_cap`](Self::with_send_buffer_cap).
    #[must_use]
    pub fn with_send_buffer(self, bytes: usize) -> Self {
        Self { send_buffer: bytes.max(4_096), ..self }
    }

    /// How large the send buffer may grow, in bytes. Default: 8 MiB; not below the first size, which alone a cap of zero
    /// leaves.
    ///
    /// It follows the congestion window, at a little more than twice that: what is in flight, and as much again to wait
    /// while the application is told that there is room. Two messages always fit, up to the cap.
    #[must_use]
    pub fn with_send_buffer_cap(self, bytes: usize) -> Self {
        Self { send_buffer_cap: bytes, ..self }
    }

    /// The algorithm that sets the congestion window. Default: [`Cubic`]. [`NewReno`](crate::NewReno) is the one of
    /// RFC 9260 §7.2; [`Scavenger`](crate::Scavenger) makes way for others; one of your own is a
    /// [`CongestionControlFactory`].
    #[must_use]
    pub fn with_congestion_control(self, factory: Arc<dyn CongestionControlFactory>) -> Self {
        Self { congestion_control: factory, ..self }
    }

    /// The largest message taken from the peer, in bytes. Default: 256 KiB. It should be what `a=max-message-size`
    /// says (RFC 8841 §6) and not more than the receive buffer, or large messages never become whole.
    #[must_use]
    pub fn with_max_message_size(self, bytes: usize) -> Self {
        Self { max_message_size: bytes, ..self }
    }

    /// The largest packet written, in bytes, without the layers below. Default: 1,160, which fits a UDP payload of
    /// 1,200 behind a DTLS 1.2 record (RFC 8831 §5 asks for 1,200 where the path is unknown).
    #[must_use]
    pub fn with_max_packet_len(self, bytes: usize) -> Self {
        Self { max_packet_len: crate::tx::clamp_packet_len(bytes), ..self }
    }

    /// The first congestion window, in packets. Default: 10, at least 2.
    ///
    /// RFC 9260 §7.2.1 says about 4 packets; 10 is what TCP (RFC 6928), QUIC (RFC 9002 §7.2) and the SCTP in browsers
    /// use.
    #[must_use]
    pub fn with_initial_window(self, packets: usize) -> Self {
        Self { initial_window: packets.clamp(2, 1_000), ..self }
    }

    /// RTO.Initial, RTO.Min and RTO.Max (RFC 9260 §6.3.1, §16). Default: 500 ms, 220 ms, 3 s.
    ///
    /// RFC 9260 says 1 s, 1 s and 60 s. Its minimum protects against acknowledgements that are delayed by up to
    /// 200 ms (§6.2); here the minimum is counted *on top of the smoothed round-trip time*, so 220 ms do the same
    /// without costing a second for every lost tail. The maximum bounds the doubling, so that a path with much loss, or
    /// one that comes back, does not wait for a minute; a path slower than that keeps the timeout it needs, up to 60 s.
    /// The initial value counts while no round trip is known: see
    /// [`set_round_trip`](crate::Association::set_round_trip).
    #[must_use]
    pub fn with_rto(self, initial: Duration, min: Duration, max: Duration) -> Self {
        Self { rto_initial: initial, rto_min: min, rto_max: max.max(min).max(initial), ..self }
    }

    /// How long an acknowledgement may wait for a second packet (RFC 9260 §6.2). Default: 25 ms, at most 500 ms.
    ///
    /// RFC 9260 says 200 ms. A peer's timers have to allow for it: what is lost at the end of a message is found later by
    /// as much. 25 ms, as in QUIC (RFC 9000 §18.2), leave the time for an answer to carry the acknowledgement.
    /// The first 32 packets, those after a gap or a duplicate, and those that ask for it are acknowledged at once.
    #[must_use]
    pub fn with_delayed_ack(self, delay: Duration) -> Self {
        //= rfc9260 §6.2
        //# An implementation MUST NOT allow the maximum delay (protocol parameter 'SACK.Delay') to be configured to
        //# be more than 500 ms.
        //= rfc9260 §6.2
        //# MUST NOT raise it above 500 ms.
        Self { delayed_ack: delay.min(Duration::from_millis(500)), ..self }
    }

    /// Valid.Cookie.Life (RFC 9260 §16). Default: 60 s.
    #[must_use]
    pub fn with_cookie_lifetime(self, lifetime: Duration) -> Self {
        Self { cookie_lifetime: lifetime, ..self }
    }

    /// HB.interval: how long the path may be idle before a HEARTBEAT (RFC 9260 §8.3); `None` sends none. Default:
    /// 30 s. With ICE below, consent (RFC 7675) notices a dead path sooner.
    #[must_use]
    pub fn with_heartbeat_interval(self, interval: Option<Duration>) -> Self {
        Self { heartbeat_interval: interval, ..self }
    }

    /// What notices altered packets (RFC 9653). Default: [`ErrorDetection::Dtls`].
    ///
    /// Below DTLS a checksum finds nothing that the record's authentication did not find already, and costs a pass over
    /// every byte on both sides. [`ErrorDetection::Crc32c`] is for packets that do not travel in DTLS: in tests, or
    /// where captures are to be looked at.
    #[must_use]
    pub fn with_error_detection(self, error_detection: ErrorDetection) -> Self {
        Self { error_detection, ..self }
    }

    /// Max.Init.Retransmits and Association.Max.Retrans (RFC 9260 §16). Default: 14 and 15.
    ///
    /// RFC 9260 says 8 and 10, with timeouts of up to 60 s; with the shorter ones here, this many tries end a silent
    /// association after about 40 s, behind the 30 s of ICE consent (RFC 7675).
    #[must_use]
    pub fn with_max_retransmits(self, init: u32, association: u32) -> Self {
        Self { max_init_retransmits: init, max_retransmits: association, ..self }
    }

    /// Whether to offer interleaving of messages (RFC 8260 §2.2.1). Default: [`Interleaving::Offered`].
    ///
    /// With it, a large message does not hold up those of other streams, for 4 bytes more in the header of each chunk.
    /// The receive buffer then has to hold the begun messages of several streams at once; the sender bounds how much
    /// it begins by the window of its peer.
    #[must_use]
    pub fn with_interleaving(self, interleaving: Interleaving) -> Self {
        Self { interleaving, ..self }
    }

    /// How streams share the association (RFC 8260 §3). Default: [`Scheduler::WeightedFair`].
    #[must_use]
    pub fn with_scheduler(self, scheduler: Scheduler) -> Self {
        Self { scheduler, ..self }
    }
}

#[cfg(feature = "rustcrypto")]
impl Default for Config {
    /// [`Config::new`] with the RustCrypto provider.
    fn default() -> Self {
        Self::new(&crypto::rustcrypto::provider()).expect("invariant: this provider has HMAC-SHA256")
    }
}
