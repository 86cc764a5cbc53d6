//! A data channel as a sink and a stream of messages.

use super::data_channel::{DataChannel, DataChannelReceiver, DataChannelSender, Message, SendError, Shared};
use crate::data_channel::{DataChannelEnd, DataChannelState};
use futures_util::{Sink, Stream};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A data channel for those who work with the traits of `futures`: a [`Stream`] of what is received, and a [`Sink`] for
/// what is to be sent. From [`DataChannel::into_message_stream`].
///
/// - `start_send` takes one message, which waits inside while the send buffer is full: `poll_ready` then waits for it.
/// - `poll_flush` waits until the peer has acknowledged everything, as [`DataChannel::flush`] does. `SinkExt::send`
///   flushes after each message and so takes a round trip for each; `SinkExt::feed` does not.
/// - `poll_close` flushes and closes the channel.
/// - The stream ends when the channel is closed and everything was read.
///
/// Dropping it closes the channel, and gives up a message that waits inside.
#[derive(Debug)]
pub struct MessageStream {
    sender: DataChannelSender,
    receiver: DataChannelReceiver,
    /// The message that waits for credit.
    parked: Option<Message>,
    waits: Waits,
}

enum Waits {
    Credit(Pin<Box<dyn Future<Output = ()> + Send>>),
    Flush(Pin<Box<dyn Future<Output = Result<(), DataChannelEnd>> + Send>>),
    Nothing,
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credit(_) => "Credit",
            Self::Flush(_) => "Flush",
            Self::Nothing => "Nothing",
        })
    }
}

/// Why a [`MessageStream`] takes no message.
#[derive(Debug)]
#[non_exhaustive]
pub enum MessageStreamError {
    /// The channel ended; not everything was acknowledged.
    Ended(DataChannelEnd),
    /// A message was not sent. It comes back.
    Send(SendError),
}

impl fmt::Display for MessageStreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(end) => end.fmt(f),
            Self::Send(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for MessageStreamError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Ended(end) => Some(end),
            Self::Send(error) => Some(error),
        }
    }
}

impl MessageStream {
    pub(super) fn new(channel: DataChannel) -> Self {
        let (sender, receiver) = channel.split();
        Self { sender, receiver, parked: None, waits: Waits::Nothing }
    }

    /// The state of the channel.
    #[must_use]
    pub fn ready_state(&self) -> DataChannelState {
        self.sender.ready_state()
    }

    /// Why the channel is closed, once it is.
    #[must_use]
    pub fn end(&self) -> Option<DataChannelEnd> {
        self.sender.end()
    }

    /// Sends the message that waits, or waits on.
    fn poll_parked(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), MessageStreamError>> {
        while let Some(message) = self.parked.take() {
            if let Waits::Credit(waiting) = &mut self.waits {
                if waiting.as_mut().poll(cx).is_pending() {
                    self.parked = Some(message);
                    return Poll::Pending;
                }
                self.waits = Waits::Nothing;
            }
            match self.sender.try_send(message) {
                Ok(()) => {}
                Err(SendError::Full(message)) => {
                    self.waits = Waits::Credit(room(Arc::clone(self.sender.shared()), message.len()));
                    self.parked = Some(message);
                }
                Err(error) => return Poll::Ready(Err(MessageStreamError::Send(error))),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Waits until a message of `len` bytes has room, or the channel has ended.
fn room(shared: Arc<Shared>, len: usize) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let permits = u32::try_from(shared.cost(len)).unwrap_or(u32::MAX);
        // Given back at once: nobody else sends on this channel.
        drop(shared.credit.acquire_many(permits).await);
    })
}

impl Stream for MessageStream {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.get_mut().receiver.poll_recv(cx)
    }
}

impl Sink<Message> for MessageStream {
    type Error = MessageStreamError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), MessageStreamError>> {
        self.get_mut().poll_parked(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), MessageStreamError> {
        let this = self.get_mut();
        match this.sender.try_send(message) {
            Ok(()) => Ok(()),
            Err(SendError::Full(message)) => {
                this.parked = Some(message);
                Ok(())
            }
            Err(error) => Err(MessageStreamError::Send(error)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), MessageStreamError>> {
        let this = self.get_mut();
        ready!(this.poll_parked(cx))?;
        loop {
            match &mut this.waits {
                Waits::Flush(flushing) => {
                    let outcome = ready!(flushing.as_mut().poll(cx));
                    this.waits = Waits::Nothing;
                    return Poll::Ready(outcome.map_err(MessageStreamError::Ended));
                }
                Waits::Credit(_) | Waits::Nothing => {
                    let sender = this.sender.clone();
                    this.waits = Waits::Flush(Box::pin(async move { sender.flush().await }));
                }
            }
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), MessageStreamError>> {
        ready!(self.as_mut().poll_flush(cx))?;
        // Nothing is left to wait for but the peer's own end, and dropping the handles tells it of ours.
        self.sender.begin_close();
        Poll::Ready(Ok(()))
    }
}
