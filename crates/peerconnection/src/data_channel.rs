//! The vocabulary of data channels.

pub use datachannel::ChannelKey;
use std::fmt;

/// The state of a data channel (W3C `RTCDataChannelState`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the set is closed by the W3C specification")]
pub enum DataChannelState {
    /// Waiting for the transport, or for the peer to agree.
    #[default]
    Connecting,
    /// Messages flow.
    Open,
    /// Sending what is queued, then closing.
    Closing,
    /// Closed, for good.
    Closed,
}

/// Why a data channel is closed. `Display` says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataChannelEnd {
    /// The association below it ended: the peer closed its connection, aborted, lost its state or stopped answering.
    Association,
    /// It was closed here, or all its handles were dropped.
    Closed,
    /// The peer closed it.
    ClosedByPeer,
    /// The connection was closed here, or ended with its runtime.
    ConnectionClosed,
    /// The connection failed while the channel was closing: the peer cannot be reached.
    ConnectionFailed,
    /// A message that was queued before the peer told its limit turned out to be larger than that (RFC 8841 §6.1).
    MessageRefused,
    /// The peer sent a message larger than we take.
    MessageTooLarge,
    /// No stream was left for it, or the peer has no stream of its number.
    NoStream,
    /// The peer broke the protocol of data channels (RFC 8831, RFC 8832).
    Violation,
}

impl fmt::Display for DataChannelEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Association => "the peer ended the connection, or does not answer",
            Self::Closed => "the data channel was closed here",
            Self::ClosedByPeer => "the peer closed the data channel",
            Self::ConnectionClosed => "the connection was closed here",
            Self::ConnectionFailed => "the connection has failed",
            Self::MessageRefused => "a queued message is larger than the peer takes",
            Self::MessageTooLarge => "the peer sent a message that is too large",
            Self::NoStream => "there is no stream for the data channel",
            Self::Violation => "the peer broke the protocol of data channels",
        })
    }
}

/// The error of calls that cannot go on because of it.
impl std::error::Error for DataChannelEnd {}

/// The share of a data channel among those that have something to send (W3C `RTCPriorityType`, webrtc-priority): each
/// class gets twice the share of the one before (RFC 8831 §6.4). The peer is told it (RFC 8832 §5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the set is closed by the W3C specification")]
pub enum DataChannelPriority {
    /// Below normal: 128.
    VeryLow,
    /// Normal: 256.
    #[default]
    Low,
    /// High: 512.
    Medium,
    /// Extra high: 1,024.
    High,
}

/// What a new data channel starts with (W3C `RTCDataChannelInit`). Default: ordered and reliable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataChannelInit {
    pub(crate) ordered: bool,
    pub(crate) reliability: Reliability,
    pub(crate) protocol: String,
    pub(crate) negotiated: Option<u16>,
    pub(crate) priority: DataChannelPriority,
}

/// How hard a data channel tries (RFC 8832 §5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reliability {
    #[default]
    Reliable,
    MaxPacketLifeTime(std::time::Duration),
    MaxRetransmits(u16),
}

impl Default for DataChannelInit {
    fn default() -> Self {
        Self::new()
    }
}

impl DataChannelInit {
    /// Ordered and reliable.
    #[must_use]
    pub fn new() -> Self {
        Self {
            ordered: true,
            reliability: Reliability::Reliable,
            protocol: String::new(),
            negotiated: None,
            priority: DataChannelPriority::Low,
        }
    }

    /// Messages may overtake each other: a lost one does not hold up the rest.
    #[must_use]
    pub fn unordered(self) -> Self {
        Self { ordered: false, ..self }
    }

    /// Gives up on a message after this many retransmissions (RFC 3758). Replaces a lifetime.
    #[must_use]
    pub fn max_retransmits(self, count: u16) -> Self {
        Self { reliability: Reliability::MaxRetransmits(count), ..self }
    }

    /// Gives up on a message this long after it was sent (RFC 3758); held to whole milliseconds up to 65,535. Replaces
    /// a count of retransmissions.
    #[must_use]
    pub fn max_packet_life_time(self, lifetime: std::time::Duration) -> Self {
        let milliseconds = u16::try_from(lifetime.as_millis()).unwrap_or(u16::MAX);
        let lifetime = std::time::Duration::from_millis(milliseconds.into());
        Self { reliability: Reliability::MaxPacketLifeTime(lifetime), ..self }
    }

    /// Names the subprotocol spoken in the channel.
    #[must_use]
    pub fn protocol(self, protocol: impl Into<String>) -> Self {
        Self { protocol: protocol.into(), ..self }
    }

    /// Both sides open the channel with this stream identifier by agreement, without an OPEN message.
    #[must_use]
    pub fn negotiated(self, id: u16) -> Self {
        Self { negotiated: Some(id), ..self }
    }

    /// Sets the share among the channels of a connection (webrtc-priority). Default: [`DataChannelPriority::Low`].
    #[must_use]
    pub fn priority(self, priority: DataChannelPriority) -> Self {
        Self { priority, ..self }
    }
}

#[cfg(feature = "tokio")]
impl DataChannelInit {
    pub(crate) fn retransmits(&self) -> Option<u16> {
        match self.reliability {
            Reliability::MaxRetransmits(count) => Some(count),
            Reliability::MaxPacketLifeTime(_) | Reliability::Reliable => None,
        }
    }

    pub(crate) fn life_time(&self) -> Option<std::time::Duration> {
        match self.reliability {
            Reliability::MaxPacketLifeTime(lifetime) => Some(lifetime),
            Reliability::MaxRetransmits(_) | Reliability::Reliable => None,
        }
    }
}
