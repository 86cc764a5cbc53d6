//! A data channel as a stream of bytes.

use super::data_channel::{DataChannel, DataChannelReceiver, DataChannelSender, Message, SendError, Shared};
use crate::data_channel::{DataChannelEnd, DataChannelState};
use bytes::{Buf, Bytes};
use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The largest message that a stream makes of what is written, in bytes: large enough for the cost of a message to
/// vanish, small enough to be taken by every peer (RFC 8841 §6.1) and to leave other channels their turn.
const MAX_MESSAGE: usize = 64 * 1024;

/// An ordered, reliable data channel as a stream of bytes, from [`DataChannel::into_byte_stream`].
///
/// What is written becomes binary messages of up to 64 KiB, each as soon as the send buffer has room; what is received
/// is read byte by byte, wherever the peer's messages begin and end, text as its UTF-8. The peer may be another stream
/// like this one or a program that sends and receives messages.
///
/// - A write waits while the send buffer is full, and a reader that does not read makes the peer wait.
/// - A flush has nothing to do, since nothing is held back: [`ByteStream::flushed`] waits for the peer.
/// - A shutdown waits until the peer has acknowledged everything and then closes the channel. A data channel has no half
///   that stays open: what the peer sends from then on is dropped, unless both sides use
///   [`ByteStream::with_half_close`].
/// - Reading ends when the channel is closed by either side; any other end is an error of the kind
///   [`io::ErrorKind::ConnectionReset`], with the [`DataChannelEnd`] inside.
///
/// Dropping it closes the channel.
#[derive(Debug)]
pub struct ByteStream {
    sender: DataChannelSender,
    receiver: DataChannelReceiver,
    /// What is left of the last message.
    unread: Bytes,
    end_of_input: bool,
    has_half_close: bool,
    write: Write,
}

/// What the writing side waits for.
enum Write {
    Closed,
    Credit(Pin<Box<dyn Future<Output = Result<Paid, ()>> + Send>>),
    Idle,
    Shutdown(Pin<Box<dyn Future<Output = Result<(), DataChannelEnd>> + Send>>),
}

/// Credit for that many bytes, given back when it is not used.
struct Paid {
    shared: Arc<Shared>,
    bytes: usize,
}

impl Drop for Paid {
    fn drop(&mut self) {
        self.shared.credit.add_permits(self.shared.cost(self.bytes));
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "Closed",
            Self::Credit(_) => "Credit",
            Self::Idle => "Idle",
            Self::Shutdown(_) => "Shutdown",
        })
    }
}

impl ByteStream {
    pub(super) fn new(channel: DataChannel) -> Result<Self, ByteStreamError> {
        let is_reliable = channel.max_retransmits().is_none() && channel.max_packet_life_time().is_none();
        if !channel.ordered() || !is_reliable {
            return Err(ByteStreamError { channel });
        }
        let (sender, receiver) = channel.split();
        Ok(Self {
            sender,
            receiver,
            unread: Bytes::new(),
            end_of_input: false,
            has_half_close: false,
            write: Write::Idle,
        })
    }

    /// Lets each direction end by itself: a shutdown sends an empty message, which ends the reading of the other side and
    /// nothing else; whoever has seen both ends closes the channel by dropping the stream. Both sides have to use it.
    #[must_use]
    pub fn with_half_close(self) -> Self {
        Self { has_half_close: true, ..self }
    }

    /// Waits until the peer has acknowledged everything that was written; see [`DataChannel::flush`].
    ///
    /// # Errors
    /// Why the channel ended before that.
    pub async fn flushed(&mut self) -> Result<(), DataChannelEnd> {
        self.sender.flush().await
    }

    /// Closes the channel, after what was written; returns when both directions are closed. See [`DataChannel::close`].
    /// Where both sides go when all is said, it makes sure that each has heard the other to the end.
    pub async fn close(self) {
        let Self { sender, receiver, .. } = self;
        sender.close().await;
        drop(receiver);
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

    /// What reading gives when no message will come any more.
    fn input_over(&self) -> io::Result<()> {
        match self.receiver.end() {
            None | Some(DataChannelEnd::Closed | DataChannelEnd::ClosedByPeer) => Ok(()),
            Some(end) => Err(reset(end)),
        }
    }

    fn broken_pipe(&self) -> io::Error {
        match self.sender.end() {
            Some(end) => io::Error::new(io::ErrorKind::BrokenPipe, end),
            None => io::ErrorKind::BrokenPipe.into(),
        }
    }

    /// Sends as much of `bytes` as one message takes, without waiting.
    fn try_write(&self, bytes: &[u8]) -> Result<usize, SendError> {
        let len = bytes.len().min(self.largest());
        let bytes = bytes.get(..len).unwrap_or_default();
        self.sender.try_send(Bytes::copy_from_slice(bytes)).map(|()| len)
    }

    fn largest(&self) -> usize {
        // Half of the buffer at most, so that one message fills up while the other one leaves.
        let half = self.sender.shared().send_buffer / 2;
        MAX_MESSAGE.min(half).min(self.sender.max_message_size()).max(1)
    }

    /// Pays for `len` bytes; waits while the buffer is full.
    fn pay(&self, len: usize) -> Pin<Box<dyn Future<Output = Result<Paid, ()>> + Send>> {
        let shared = Arc::clone(self.sender.shared());
        Box::pin(async move {
            let permits = u32::try_from(shared.cost(len)).unwrap_or(u32::MAX);
            shared.credit.acquire_many(permits).await.map_err(|_| ())?.forget();
            Ok(Paid { shared, bytes: len })
        })
    }

    /// The end of the writing side: everything acknowledged, then the channel closed, or the half of it.
    fn end_output(&self) -> Pin<Box<dyn Future<Output = Result<(), DataChannelEnd>> + Send>> {
        let (sender, has_half_close) = (self.sender.clone(), self.has_half_close);
        Box::pin(async move {
            if has_half_close && sender.send(Bytes::new()).await.is_err() {
                return Err(sender.closed().await);
            }
            sender.flush().await?;
            if !has_half_close {
                sender.close().await;
            }
            Ok(())
        })
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.unread.is_empty() {
            if this.end_of_input {
                return Poll::Ready(Ok(()));
            }
            match ready!(this.receiver.poll_recv(cx)) {
                Some(message) if message.is_empty() => this.end_of_input = this.has_half_close,
                Some(Message::Binary(bytes)) => this.unread = bytes,
                Some(Message::Text(text)) => this.unread = text.into(),
                None => {
                    this.end_of_input = true;
                    return Poll::Ready(this.input_over());
                }
            }
        }
        let len = this.unread.len().min(buf.remaining());
        buf.put_slice(this.unread.get(..len).unwrap_or_default());
        this.unread.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        loop {
            match &mut this.write {
                Write::Closed | Write::Shutdown(_) => return Poll::Ready(Err(this.broken_pipe())),
                Write::Idle => match this.try_write(bytes) {
                    Ok(len) => return Poll::Ready(Ok(len)),
                    Err(SendError::Full(message)) => this.write = Write::Credit(this.pay(message.len())),
                    // The peer told a smaller limit meanwhile.
                    Err(SendError::TooLarge { .. }) => {}
                    Err(SendError::Closed(_)) => return Poll::Ready(Err(this.broken_pipe())),
                },
                Write::Credit(waiting) => {
                    let paid = ready!(waiting.as_mut().poll(cx));
                    this.write = Write::Idle;
                    let Ok(paid) = paid else { return Poll::Ready(Err(this.broken_pipe())) };
                    // Given back and taken again at once, for what is to be written now: it may be less than it was.
                    drop(paid);
                }
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.write {
                Write::Closed => return Poll::Ready(Ok(())),
                Write::Credit(_) | Write::Idle => this.write = Write::Shutdown(this.end_output()),
                Write::Shutdown(ending) => {
                    let ended = ready!(ending.as_mut().poll(cx));
                    this.write = Write::Closed;
                    return Poll::Ready(ended.map_err(reset));
                }
            }
        }
    }
}

fn reset(end: DataChannelEnd) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, end)
}

/// A channel that may lose or reorder messages is no stream of bytes. The channel comes back with the error.
#[derive(Debug)]
pub struct ByteStreamError {
    channel: DataChannel,
}

impl ByteStreamError {
    /// The channel.
    #[must_use]
    pub fn into_channel(self) -> DataChannel {
        self.channel
    }
}

impl fmt::Display for ByteStreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stream of bytes needs a data channel that is ordered and reliable")
    }
}

impl std::error::Error for ByteStreamError {}
