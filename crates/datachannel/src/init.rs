//! What a channel is like.

use crate::ids::ChannelId;
use std::time::Duration;

/// Whether messages keep their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "DCEP has one bit for it")]
pub enum Order {
    /// In the order of sending.
    #[default]
    Ordered,
    /// Each as soon as it is complete.
    Unordered,
}

/// How long a message is worth repeating (RFC 8832 §5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reliability {
    /// Until it arrives.
    #[default]
    Reliable,
    /// Repeated at most this many times.
    MaxRetransmits(u16),
    /// Given up at this age, counted from `send`, in whole milliseconds.
    MaxLifetime(Duration),
}

/// The share of a channel among those that have something to send (RFC 8831 §6.4, RFC 8832 §8.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a wire number and nothing else")]
pub struct Priority(pub u16);

impl Priority {
    /// "below normal": 128.
    pub const VERY_LOW: Self = Self(128);
    /// "normal": 256.
    pub const LOW: Self = Self(256);
    /// "high": 512.
    pub const MEDIUM: Self = Self(512);
    /// "extra high": 1,024.
    pub const HIGH: Self = Self(1_024);
}

impl Default for Priority {
    fn default() -> Self {
        Self::LOW
    }
}

/// What [`Channels::open`](crate::Channels::open) makes. The default is a reliable, ordered channel without a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelInit {
    pub(crate) label: Box<str>,
    pub(crate) protocol: Box<str>,
    pub(crate) order: Order,
    pub(crate) reliability: Reliability,
    pub(crate) priority: Priority,
    pub(crate) negotiated: Option<ChannelId>,
}

impl ChannelInit {
    /// A reliable, ordered channel with this label: at most 65,535 bytes of UTF-8.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into().into_boxed_str(), ..Self::default() }
    }

    /// Sets the name of the subprotocol: at most 65,535 bytes of UTF-8. Default: empty.
    #[must_use]
    pub fn with_protocol(self, protocol: impl Into<String>) -> Self {
        Self { protocol: protocol.into().into_boxed_str(), ..self }
    }

    /// Sets whether messages keep their order. Default: [`Order::Ordered`].
    #[must_use]
    pub fn with_order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// Sets how long messages are repeated. Default: [`Reliability::Reliable`].
    #[must_use]
    pub fn with_reliability(self, reliability: Reliability) -> Self {
        Self { reliability, ..self }
    }

    /// Sets the share among channels. Default: [`Priority::LOW`], the "normal" of RFC 8831.
    #[must_use]
    pub fn with_priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// The application has agreed on this number, and on everything else, with the other side: nothing is announced
    /// (RFC 8831 §6.4). Both sides have to open it. What arrives before it is opened here is dropped.
    #[must_use]
    pub fn with_negotiated(self, id: ChannelId) -> Self {
        Self { negotiated: Some(id), ..self }
    }

    /// Bytes of label and protocol.
    pub(crate) fn text_len(&self) -> usize {
        self.label.len().saturating_add(self.protocol.len())
    }

    /// The label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The subprotocol.
    #[must_use]
    pub fn protocol(&self) -> &str {
        &self.protocol
    }

    /// Whether messages keep their order.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// How long messages are repeated.
    #[must_use]
    pub fn reliability(&self) -> Reliability {
        self.reliability
    }

    /// The share among channels.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// The number agreed upon, if it was.
    #[must_use]
    pub fn negotiated(&self) -> Option<ChannelId> {
        self.negotiated
    }

    pub(crate) fn send_options(&self) -> sctp::SendOptions {
        let order = match self.order {
            Order::Ordered => sctp::Order::Ordered,
            Order::Unordered => sctp::Order::Unordered,
        };
        let reliability = match self.reliability {
            Reliability::Reliable => sctp::Reliability::Reliable,
            Reliability::MaxRetransmits(count) => sctp::Reliability::MaxRetransmits(count),
            Reliability::MaxLifetime(life) => sctp::Reliability::MaxLifetime(life),
        };
        sctp::SendOptions::new().with_order(order).with_reliability(reliability)
    }
}
