//! Data channels as asynchronous handles.

mod message;
mod shared;
mod streamed;
mod tracked;

pub use self::message::{Message, SendError};
pub(super) use self::shared::{MESSAGE_OVERHEAD, Shared, Status};
pub(super) use self::streamed::{Incoming, PieceEnd, streamed_limit};
pub use self::streamed::{MessageGivenUp, MessageReader, MessageWriteError, MessageWriter};
pub use self::tracked::{MessageFate, Receipt};

use self::{shared::Closer, streamed::Partial};
use super::{
    byte_stream::{ByteStream, ByteStreamError},
    command::{Link, Outgoing, OutgoingItem},
};
use crate::data_channel::{ChannelKey, DataChannelEnd, DataChannelPriority, DataChannelState};
use datachannel::{Kind, Payload};
use std::{
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::sync::{TryAcquireError, mpsc, oneshot, watch};

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
        incoming: mpsc::UnboundedReceiver<Incoming>,
    ) -> Self {
        let closer = Arc::new(Closer { key, link });
        Self {
            sender: DataChannelSender {
                shared: shared.clone(),
                status: status.clone(),
                closer: closer.clone(),
            },
            receiver: DataChannelReceiver {
                shared,
                status,
                incoming,
                partial: Partial::default(),
                skips: false,
                refuses: false,
                is_streamed: false,
                closer,
            },
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

    /// Sends a message and gives a [`Receipt`], which tells what becomes of it.
    ///
    /// Cancellation: as [`DataChannel::send`].
    ///
    /// # Errors
    /// As [`DataChannel::send`].
    pub async fn send_tracked(&self, message: impl Into<Message>) -> Result<Receipt, SendError> {
        self.sender.send_tracked(message).await
    }

    /// Begins a message that is written in pieces: it may be larger than all buffers, up to what the peer takes. Waits
    /// while another message of the channel is written so.
    ///
    /// # Errors
    /// Why the channel has ended.
    pub async fn writer(&self, kind: Kind) -> Result<MessageWriter, DataChannelEnd> {
        self.sender.writer(kind).await
    }

    /// The next message, to be read in pieces while it arrives; `None` when the channel is closed and all was read. From
    /// the first call on the channel takes messages of any size, and keeps no more of one than the receive buffer.
    ///
    /// Cancellation: no message is lost.
    pub async fn recv_streamed(&mut self) -> Option<MessageReader<'_>> {
        self.receiver.recv_streamed().await
    }

    /// Waits until the peer has acknowledged everything sent on this channel before the call; what partial reliability
    /// gave up counts as well. Messages that clones of the sender send meanwhile may prolong it.
    ///
    /// Acknowledged means that the peer's transport has it, not that its application has read it.
    ///
    /// Cancellation: nothing depends on it.
    ///
    /// # Errors
    /// Why the channel ended before that.
    pub async fn flush(&self) -> Result<(), DataChannelEnd> {
        self.sender.flush().await
    }

    /// The next message; `None` when the channel is closed and all was read.
    ///
    /// As in browsers, what arrived before the end is read before the end is told: see [`DataChannel::closed`] for who
    /// wants to know at once.
    ///
    /// A message larger than [`Configuration::with_max_message_size`](crate::Configuration::with_max_message_size) ends
    /// the channel with [`DataChannelEnd::MessageTooLarge`], also on a channel that was read in pieces before: only
    /// [`recv_streamed`](Self::recv_streamed) takes larger ones.
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

    /// Waits until the channel is closed, and tells why. It overtakes received messages that were not read yet; those
    /// can still be read.
    pub async fn closed(&self) -> DataChannelEnd {
        self.sender.closed().await
    }

    /// Why the channel is closed, once it is.
    #[must_use]
    pub fn end(&self) -> Option<DataChannelEnd> {
        self.sender.end()
    }

    /// Makes it a stream of bytes, for [`tokio::io::AsyncRead`] and [`tokio::io::AsyncWrite`].
    ///
    /// # Errors
    /// [`ByteStreamError`] for a channel that may lose or reorder messages; it gives the channel back.
    pub fn into_byte_stream(self) -> Result<ByteStream, ByteStreamError> {
        ByteStream::new(self)
    }

    /// Makes it a stream and a sink of messages, for the traits of the crate `futures`.
    #[cfg(feature = "futures")]
    #[must_use]
    pub fn into_message_stream(self) -> super::message_stream::MessageStream {
        super::message_stream::MessageStream::new(self)
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

    /// Its share among the channels of the connection (webrtc-priority). Of a channel that the peer opened it is the
    /// class of what the peer said.
    #[must_use]
    pub fn priority(&self) -> DataChannelPriority {
        self.sender.shared.init.priority
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

    /// Payload bytes sent by the application and not yet given to the network (W3C `bufferedAmount`). What was sent
    /// counts from the call of `send` until its first transmission.
    #[must_use]
    pub fn buffered_amount(&self) -> usize {
        self.sender.buffered_amount()
    }

    /// Payload bytes given to the network that the peer has not acknowledged, as of the connection's last turn. What is
    /// counted here is not counted in the buffered amount.
    #[must_use]
    pub fn outstanding_amount(&self) -> usize {
        self.sender.outstanding_amount()
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
        let message = self.check(message.into())?;
        let permits = self.shared.permits(message.len());
        // Nobody waits while there is credit, so taking it at once overtakes nobody.
        match self.shared.credit.try_acquire_many(permits) {
            Ok(permit) => permit.forget(),
            Err(TryAcquireError::Closed) => return Err(SendError::Closed(message)),
            Err(TryAcquireError::NoPermits) => match self.shared.credit.acquire_many(permits).await {
                Ok(permit) => permit.forget(),
                Err(_) => return Err(SendError::Closed(message)),
            },
        }
        self.queue(message)
    }

    /// As [`DataChannel::try_send`].
    ///
    /// # Errors
    /// As [`DataChannel::try_send`].
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = self.check(message.into())?;
        match self.shared.credit.try_acquire_many(self.shared.permits(message.len())) {
            Ok(permit) => permit.forget(),
            Err(TryAcquireError::Closed) => return Err(SendError::Closed(message)),
            Err(TryAcquireError::NoPermits) => return Err(SendError::Full(message)),
        }
        self.queue(message)
    }

    /// As [`DataChannel::send_tracked`].
    ///
    /// # Errors
    /// As [`DataChannel::send_tracked`].
    pub async fn send_tracked(&self, message: impl Into<Message>) -> Result<Receipt, SendError> {
        let message = self.check(message.into())?;
        match self.shared.credit.acquire_many(self.shared.permits(message.len())).await {
            Ok(permit) => permit.forget(),
            Err(_) => return Err(SendError::Closed(message)),
        }
        let (fate, receipt) = oneshot::channel();
        self.queue_item(message.len(), OutgoingItem::Tracked(message.into_payload(), fate))?;
        Ok(Receipt::new(receipt))
    }

    /// As [`DataChannel::writer`].
    ///
    /// # Errors
    /// As [`DataChannel::writer`].
    pub async fn writer(&self, kind: Kind) -> Result<MessageWriter, DataChannelEnd> {
        MessageWriter::new(self.clone(), kind).await
    }

    /// As [`DataChannel::flush`].
    ///
    /// # Errors
    /// As [`DataChannel::flush`].
    pub async fn flush(&self) -> Result<(), DataChannelEnd> {
        let (done, reached) = oneshot::channel();
        // Through the queue of the messages, behind all that were sent.
        let asked = self
            .closer
            .link
            .outgoing
            .send(Outgoing { channel: self.closer.key, item: OutgoingItem::Flush(done) });
        let end = tokio::select! {
            biased;
            Ok(()) = reached, if asked.is_ok() => return Ok(()),
            end = self.closed() => end,
        };
        // The last acknowledgement and the end may have come together.
        if self.shared.is_flushed() { Ok(()) } else { Err(end) }
    }

    /// As [`DataChannel::closed`].
    pub async fn closed(&self) -> DataChannelEnd {
        end_of(self.status.clone()).await
    }

    /// As [`DataChannel::end`].
    #[must_use]
    pub fn end(&self) -> Option<DataChannelEnd> {
        self.status.borrow().end
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

    /// As [`DataChannel::outstanding_amount`].
    #[must_use]
    pub fn outstanding_amount(&self) -> usize {
        self.shared.outstanding.load(Ordering::Acquire)
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

    /// As [`DataChannel::max_message_size`].
    #[must_use]
    pub fn max_message_size(&self) -> usize {
        self.shared.max_message_size.load(Ordering::Relaxed)
    }

    /// Begins to close the channel, as dropping all handles does.
    #[cfg(feature = "futures")]
    pub(super) fn begin_close(&self) {
        self.closer.link.abandon(self.closer.key);
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Hands something to the driver; `false` when that is gone.
    fn give(&self, item: OutgoingItem) -> bool {
        self.closer.link.outgoing.send(Outgoing { channel: self.closer.key, item }).is_ok()
    }

    fn check(&self, message: Message) -> Result<Message, SendError> {
        let limit = self.max_message_size();
        if message.len() > limit { Err(SendError::TooLarge { limit, message }) } else { Ok(message) }
    }

    /// Queues a message that is paid for.
    pub(super) fn queue(&self, message: Message) -> Result<(), SendError> {
        self.queue_item(message.len(), OutgoingItem::Message(message.into_payload()))
    }

    fn queue_item(&self, len: usize, item: OutgoingItem) -> Result<(), SendError> {
        self.shared.buffered.fetch_add(len, Ordering::AcqRel);
        let outgoing = Outgoing { channel: self.closer.key, item };
        // Refused only when the connection is gone, and its credit with it: nothing is given back.
        self.closer.link.outgoing.send(outgoing).map_err(|refused| {
            self.shared.buffered.fetch_sub(len, Ordering::AcqRel);
            SendError::Closed(refused.0.into_message())
        })
    }
}

/// The receiving half of a data channel.
#[derive(Debug)]
pub struct DataChannelReceiver {
    shared: Arc<Shared>,
    status: watch::Receiver<Status>,
    incoming: mpsc::UnboundedReceiver<Incoming>,
    /// A message in pieces that is wanted whole.
    partial: Partial,
    /// The rest of a message is to be thrown away: its reader was dropped.
    skips: bool,
    /// A message was larger than what is taken as a whole: the channel ends, and nothing more is read.
    refuses: bool,
    is_streamed: bool,
    closer: Arc<Closer>,
}

impl DataChannelReceiver {
    /// As [`DataChannel::recv`].
    pub async fn recv(&mut self) -> Option<Message> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// The next message if one is waiting.
    pub fn try_recv(&mut self) -> Option<Message> {
        loop {
            let incoming = self.incoming.try_recv().ok()?;
            self.shared.make_room(incoming.cost());
            if let Some(message) = self.whole(incoming) {
                return Some(message);
            }
        }
    }

    /// As [`DataChannel::recv_streamed`].
    pub async fn recv_streamed(&mut self) -> Option<MessageReader<'_>> {
        if !std::mem::replace(&mut self.is_streamed, true) {
            // Refused when the connection is gone: what was delivered can still be read.
            let item = OutgoingItem::ReceivePieces;
            let _ = self.closer.link.outgoing.send(Outgoing { channel: self.closer.key, item });
        }
        loop {
            match self.next_incoming().await? {
                _ if self.refuses => {}
                Incoming::Message(Message::Binary(bytes)) => {
                    return Some(MessageReader::whole(self, Kind::Binary, bytes));
                }
                Incoming::Message(Message::Text(text)) => {
                    return Some(MessageReader::whole(self, Kind::Text, text.into()));
                }
                Incoming::Piece { end, .. } if self.skips => self.skips = end == PieceEnd::More,
                // Given up before anything of it was seen.
                Incoming::Piece { bytes, end: PieceEnd::GivenUp, .. } if bytes.is_empty() => {}
                Incoming::Piece { kind, bytes, end } => {
                    return Some(MessageReader::begun(self, kind, bytes, end));
                }
            }
        }
    }

    async fn next_incoming(&mut self) -> Option<Incoming> {
        let incoming = self.incoming.recv().await?;
        self.shared.make_room(incoming.cost());
        Some(incoming)
    }

    /// Puts pieces together; `None` while more are to come.
    fn whole(&mut self, incoming: Incoming) -> Option<Message> {
        match incoming {
            _ if self.refuses => None,
            Incoming::Message(message) => Some(message),
            Incoming::Piece { end, .. } if self.skips => {
                self.skips = end == PieceEnd::More;
                None
            }
            Incoming::Piece { kind, bytes, end } => {
                if end != PieceEnd::GivenUp && self.partial.len() + bytes.len() > self.shared.max_received {
                    self.refuse();
                    return None;
                }
                let data = self.partial.push(bytes, end)?;
                Some(Message::from_payload(Payload { kind, data }))
            }
        }
    }

    /// Ends the channel because of a message that is too large to be put together, as one ends that was never read in
    /// pieces.
    fn refuse(&mut self) {
        self.refuses = true;
        self.partial = Partial::default();
        let item = OutgoingItem::RefuseLarge;
        // Refused when the connection is gone, and the channel with it.
        let _ = self.closer.link.outgoing.send(Outgoing { channel: self.closer.key, item });
    }

    /// As [`DataChannel::closed`].
    pub async fn closed(&self) -> DataChannelEnd {
        end_of(self.status.clone()).await
    }

    /// As [`DataChannel::end`].
    #[must_use]
    pub fn end(&self) -> Option<DataChannelEnd> {
        self.status.borrow().end
    }

    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        while let Some(incoming) = ready!(self.incoming.poll_recv(cx)) {
            self.shared.make_room(incoming.cost());
            if let Some(message) = self.whole(incoming) {
                return Poll::Ready(Some(message));
            }
        }
        Poll::Ready(None)
    }
}

impl Drop for DataChannelReceiver {
    fn drop(&mut self) {
        self.incoming.close();
        // What waits in the connection for this reader is thrown away.
        self.shared.wake_driver.notify_one();
    }
}

/// Waits for the end of a channel. A status without an owner is one of a connection that is gone.
async fn end_of(mut status: watch::Receiver<Status>) -> DataChannelEnd {
    let ended = status.wait_for(|status| status.end.is_some()).await.ok().and_then(|status| status.end);
    ended.unwrap_or(DataChannelEnd::ConnectionClosed)
}
