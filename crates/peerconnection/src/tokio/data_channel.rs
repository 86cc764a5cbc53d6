//! Data channels as asynchronous handles.

use super::command::{Link, OutgoingMessage};
use crate::data_channel::{ChannelKey, DataChannelInit, DataChannelState};
use bytes::Bytes;
use datachannel::{Kind, Payload};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, Semaphore, mpsc, watch};

/// Bookkeeping charged to every queued message, so that a million empty ones are not free.
pub(super) const MESSAGE_OVERHEAD: usize = 64;

/// A message of a data channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8831 §6.6 knows text and binary")]
pub enum Message {
    /// Bytes.
    Binary(Bytes),
    /// UTF-8 text.
    Text(String),
}

impl Message {
    /// Payload length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Binary(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
        }
    }

    /// Whether it carries no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn into_payload(self) -> Payload {
        match self {
            Self::Binary(bytes) => Payload::binary(bytes),
            Self::Text(text) => Payload::text(text),
        }
    }

    pub(super) fn from_payload(payload: Payload) -> Self {
        match payload.kind {
            // A peer that sends broken UTF-8 as text gets replacement characters, as in browsers.
            Kind::Text => Self::Text(match String::from_utf8(payload.data.into()) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }),
            _ => Self::Binary(payload.data),
        }
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Why a message was not sent. It comes back with the error.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The channel is closing or closed, or the connection is.
    Closed(Message),
    /// Only from `try_send`: the send buffer is full. `send` waits instead.
    Full(Message),
    /// The peer does not take messages of this size (RFC 8841 §6.1).
    TooLarge {
        /// The largest message the peer takes, in bytes.
        limit: usize,
        /// The message.
        message: Message,
    },
}

impl SendError {
    /// The message that was not sent.
    #[must_use]
    pub fn into_message(self) -> Message {
        match self {
            Self::Closed(message) | Self::Full(message) | Self::TooLarge { message, .. } => message,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("the data channel is closed"),
            Self::Full(_) => f.write_str("the send buffer is full; wait with `send`, or try later"),
            Self::TooLarge { limit, message } => {
                write!(f, "the message has {} bytes, the peer takes at most {limit}", message.len())
            }
        }
    }
}

impl std::error::Error for SendError {}

/// What a channel can say about itself at any time, without asking the driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) state: DataChannelState,
    pub(super) id: Option<u16>,
}

/// What handle and driver share. Neither side keeps the connection open through it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) label: String,
    pub(super) init: DataChannelInit,
    /// Bytes that may still be queued. One permit a byte.
    pub(super) credit: Semaphore,
    pub(super) send_buffer: usize,
    /// Payload bytes queued and not yet given to the network.
    pub(super) buffered: AtomicUsize,
    pub(super) low_threshold: AtomicUsize,
    pub(super) drained: Notify,
    /// Bytes delivered to the handle and not yet read, bookkeeping included.
    pub(super) unread: AtomicUsize,
    pub(super) receive_buffer: usize,
    pub(super) max_message_size: AtomicUsize,
    /// Wakes the driver when the reader has made room.
    pub(super) wake_driver: Arc<Notify>,
}

impl Shared {
    /// What a message of `len` bytes costs; a message larger than the buffer may pass when the buffer is empty.
    pub(super) fn cost(&self, len: usize) -> usize {
        (len + MESSAGE_OVERHEAD).min(self.send_buffer)
    }
}

/// A data channel. Dropping it closes the channel.
#[derive(Debug)]
pub struct DataChannel {
    sender: DataChannelSender,
    receiver: DataChannelReceiver,
}

impl DataChannel {
    pub(super) fn new(
        key: ChannelKey,
        shared: Arc<Shared>,
        link: Link,
        status: watch::Receiver<Status>,
        incoming: mpsc::UnboundedReceiver<Message>,
    ) -> Self {
        let closer = Arc::new(Closer { key, link });
        Self {
            sender: DataChannelSender { shared: shared.clone(), status, closer: closer.clone() },
            receiver: DataChannelReceiver { shared, incoming, _closer: closer },
        }
    }

    /// Sends a message; waits while the send buffer is full.
    ///
    /// Cancellation: a call that did not return sent nothing.
    ///
    /// # Errors
    /// [`SendError::Closed`] and [`SendError::TooLarge`], with the message. A message sent before the channel is open
    /// is queued.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.sender.send(message).await
    }

    /// Sends a message or gives it back at once.
    ///
    /// # Errors
    /// [`SendError::Full`] besides those of [`DataChannel::send`].
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.sender.try_send(message)
    }

    /// The next message; `None` when the channel is closed and all was read.
    ///
    /// Cancellation: no message is lost. A reader that does not read makes the peer wait, nothing is dropped.
    pub async fn recv(&mut self) -> Option<Message> {
        self.receiver.recv().await
    }

    /// Waits until the channel is open.
    ///
    /// # Errors
    /// `InvalidStateError` when it closes before that.
    pub async fn opened(&self) -> Result<(), crate::Error> {
        self.sender.opened().await
    }

    /// Closes the channel: what is queued is still sent (RFC 8831 §6.7). Returns when both directions are closed, or when
    /// the connection has failed or ended.
    pub async fn close(self) {
        let Self { sender, receiver } = self;
        sender.close().await;
        drop(receiver);
    }

    /// Splits into a sender that can be cloned and a receiver. The channel closes when all of them are dropped.
    #[must_use]
    pub fn split(self) -> (DataChannelSender, DataChannelReceiver) {
        (self.sender, self.receiver)
    }

    /// The label (W3C `label`).
    #[must_use]
    pub fn label(&self) -> &str {
        self.sender.label()
    }

    /// The subprotocol (W3C `protocol`).
    #[must_use]
    pub fn protocol(&self) -> &str {
        &self.sender.shared.init.protocol
    }

    /// Whether messages arrive in the order sent.
    #[must_use]
    pub fn ordered(&self) -> bool {
        self.sender.shared.init.ordered
    }

    /// Whether both sides opened it by agreement, without an OPEN message.
    #[must_use]
    pub fn negotiated(&self) -> bool {
        self.sender.shared.init.negotiated.is_some()
    }

    /// After how many retransmissions a message is given up, if there is such a limit.
    #[must_use]
    pub fn max_retransmits(&self) -> Option<u16> {
        self.sender.shared.init.retransmits()
    }

    /// How long after it was sent a message is given up, if there is such a limit.
    #[must_use]
    pub fn max_packet_life_time(&self) -> Option<Duration> {
        self.sender.shared.init.life_time()
    }

    /// The stream identifier; `None` until the DTLS role is known.
    #[must_use]
    pub fn id(&self) -> Option<u16> {
        self.sender.status.borrow().id
    }

    /// The state.
    #[must_use]
    pub fn ready_state(&self) -> DataChannelState {
        self.sender.ready_state()
    }

    /// Payload bytes sent by the application and not yet given to the network.
    #[must_use]
    pub fn buffered_amount(&self) -> usize {
        self.sender.buffered_amount()
    }

    /// Sets the amount at or below which [`DataChannel::buffered_amount_low`] returns. Default: 0 bytes.
    pub fn set_buffered_amount_low_threshold(&self, bytes: usize) {
        self.sender.set_buffered_amount_low_threshold(bytes);
    }

    /// The amount at or below which [`DataChannel::buffered_amount_low`] returns, in bytes.
    #[must_use]
    pub fn buffered_amount_low_threshold(&self) -> usize {
        self.sender.buffered_amount_low_threshold()
    }

    /// Waits until the buffered amount is at or below the threshold.
    pub async fn buffered_amount_low(&self) {
        self.sender.buffered_amount_low().await;
    }

    /// The largest message the peer takes, in bytes (W3C `sctp.maxMessageSize`); known once connected.
    #[must_use]
    pub fn max_message_size(&self) -> usize {
        self.sender.shared.max_message_size.load(Ordering::Relaxed)
    }
}

/// The sending half of a data channel.
#[derive(Clone, Debug)]
pub struct DataChannelSender {
    shared: Arc<Shared>,
    status: watch::Receiver<Status>,
    closer: Arc<Closer>,
}

impl DataChannelSender {
    /// As [`DataChannel::send`].
    ///
    /// # Errors
    /// As [`DataChannel::send`].
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        if let Some(limit) = self.too_large(&message) {
            return Err(SendError::TooLarge { limit, message });
        }
        let cost = u32::try_from(self.shared.cost(message.len())).unwrap_or(u32::MAX);
        match self.shared.credit.acquire_many(cost).await {
            Ok(permit) => permit.forget(),
            Err(_) => return Err(SendError::Closed(message)),
        }
        self.queue(message)
    }

    /// As [`DataChannel::try_send`].
    ///
    /// # Errors
    /// As [`DataChannel::try_send`].
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        if let Some(limit) = self.too_large(&message) {
            return Err(SendError::TooLarge { limit, message });
        }
        let cost = u32::try_from(self.shared.cost(message.len())).unwrap_or(u32::MAX);
        match self.shared.credit.try_acquire_many(cost) {
            Ok(permit) => permit.forget(),
            Err(tokio::sync::TryAcquireError::Closed) => return Err(SendError::Closed(message)),
            Err(tokio::sync::TryAcquireError::NoPermits) => return Err(SendError::Full(message)),
        }
        self.queue(message)
    }

    /// As [`DataChannel::opened`].
    ///
    /// # Errors
    /// As [`DataChannel::opened`].
    pub async fn opened(&self) -> Result<(), crate::Error> {
        let mut status = self.status.clone();
        match status.wait_for(|status| status.state != DataChannelState::Connecting).await {
            Ok(status) if status.state == DataChannelState::Open => Ok(()),
            _ => Err(crate::Error::closed()),
        }
    }

    /// As [`DataChannel::close`]; other clones find the channel closed.
    pub async fn close(&self) {
        let key = self.closer.key;
        if self.closer.link.call(move |driver, now| driver.close_channel(now, key)).await.is_ok() {
            let mut status = self.status.clone();
            // An error means that the connection is gone, and the channel with it.
            let _ = status.wait_for(|status| status.state == DataChannelState::Closed).await;
        }
    }

    /// The label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.shared.label
    }

    /// The state.
    #[must_use]
    pub fn ready_state(&self) -> DataChannelState {
        if self.status.has_changed().is_err() { DataChannelState::Closed } else { self.status.borrow().state }
    }

    /// As [`DataChannel::buffered_amount`].
    #[must_use]
    pub fn buffered_amount(&self) -> usize {
        self.shared.buffered.load(Ordering::Acquire)
    }

    /// As [`DataChannel::set_buffered_amount_low_threshold`].
    pub fn set_buffered_amount_low_threshold(&self, bytes: usize) {
        self.shared.low_threshold.store(bytes, Ordering::Release);
        self.shared.drained.notify_waiters();
    }

    /// As [`DataChannel::buffered_amount_low_threshold`].
    #[must_use]
    pub fn buffered_amount_low_threshold(&self) -> usize {
        self.shared.low_threshold.load(Ordering::Acquire)
    }

    /// As [`DataChannel::buffered_amount_low`].
    pub async fn buffered_amount_low(&self) {
        loop {
            let drained = self.shared.drained.notified();
            tokio::pin!(drained);
            // Registers before looking, so that a change in between is not missed.
            drained.as_mut().enable();
            let low = self.buffered_amount() <= self.shared.low_threshold.load(Ordering::Acquire);
            if low || self.shared.credit.is_closed() {
                return;
            }
            drained.await;
        }
    }

    fn too_large(&self, message: &Message) -> Option<usize> {
        let limit = self.shared.max_message_size.load(Ordering::Relaxed);
        (message.len() > limit).then_some(limit)
    }

    fn queue(&self, message: Message) -> Result<(), SendError> {
        let len = message.len();
        self.shared.buffered.fetch_add(len, Ordering::AcqRel);
        let outgoing = OutgoingMessage { channel: self.closer.key, payload: message.into_payload() };
        self.closer.link.messages.send(outgoing).map_err(|refused| {
            self.shared.buffered.fetch_sub(len, Ordering::AcqRel);
            SendError::Closed(Message::from_payload(refused.0.payload))
        })
    }
}

/// The receiving half of a data channel.
#[derive(Debug)]
pub struct DataChannelReceiver {
    shared: Arc<Shared>,
    incoming: mpsc::UnboundedReceiver<Message>,
    _closer: Arc<Closer>,
}

impl DataChannelReceiver {
    /// As [`DataChannel::recv`].
    pub async fn recv(&mut self) -> Option<Message> {
        let message = self.incoming.recv().await?;
        self.make_room(&message);
        Some(message)
    }

    /// The next message if one is waiting.
    pub fn try_recv(&mut self) -> Option<Message> {
        let message = self.incoming.try_recv().ok()?;
        self.make_room(&message);
        Some(message)
    }

    fn make_room(&self, message: &Message) {
        let cost = message.len() + MESSAGE_OVERHEAD;
        let before = self.shared.unread.fetch_sub(cost, Ordering::AcqRel);
        let half = self.shared.receive_buffer / 2;
        // One wake-up when half of the buffer has become free, not one per message.
        if before >= half && before.saturating_sub(cost) < half {
            self.shared.wake_driver.notify_one();
        }
    }
}

impl Drop for DataChannelReceiver {
    fn drop(&mut self) {
        self.incoming.close();
        // What waits in the connection for this reader is thrown away.
        self.shared.wake_driver.notify_one();
    }
}

/// Closes the channel when the last handle is dropped.
#[derive(Debug)]
struct Closer {
    key: ChannelKey,
    link: Link,
}

impl Drop for Closer {
    fn drop(&mut self) {
        let key = self.key;
        self.link.abandon(key);
    }
}
