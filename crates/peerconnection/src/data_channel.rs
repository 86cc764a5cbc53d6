//! The vocabulary of data channels.

pub use datachannel::ChannelKey;

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

/// What a new data channel starts with (W3C `RTCDataChannelInit`). Default: ordered and reliable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataChannelInit {
    pub(crate) ordered: bool,
    pub(crate) reliability: Reliability,
    pub(crate) protocol: String,
    pub(crate) negotiated: Option<u16>,
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
        Self { ordered: true, reliability: Reliability::Reliable, protocol: String::new(), negotiated: None }
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

    /// Gives up on a message this long after it was sent (RFC 3758); whole milliseconds up to 65,535. Replaces a
    /// count of retransmissions.
    #[must_use]
    pub fn max_packet_life_time(self, lifetime: std::time::Duration) -> Self {
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
