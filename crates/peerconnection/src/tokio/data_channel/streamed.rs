//! Messages that are sent and received in pieces, with memory that does not depend on their size.

use super::{DataChannelReceiver, DataChannelSender, shared::Shared};
use crate::{data_channel::DataChannelEnd, tokio::command::OutgoingItem};
use bytes::{Bytes, BytesMut};
use datachannel::Kind;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::OwnedSemaphorePermit;

/// The most that is handed to the driver at a time: what is written comes from the same buffer as what follows.
const MAX_PIECE: usize = 64 * 1024;

/// Writes one message in pieces, from [`DataChannel::writer`](crate::tokio::DataChannel::writer). The peer receives one
/// message; how it was cut is not carried.
///
/// Other messages of the channel wait until this one is finished: they are queued behind it, within the send buffer of the
/// channel, which then is full. Dropping the writer before [`MessageWriter::finish`] gives the message up. The peer then
/// skips what it has of it, without an end; where it cannot skip, the channel is closed.
#[derive(Debug)]
pub struct MessageWriter {
    sender: DataChannelSender,
    kind: Kind,
    written: u64,
    is_finished: bool,
    given_up: Arc<AtomicBool>,
    /// One writer at a time.
    _turn: OwnedSemaphorePermit,
}

/// Why a piece was not written. The message is given up by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageWriteError {
    /// The channel has ended.
    Ended(DataChannelEnd),
    /// The message was given up, as its channel is not reliable (RFC 3758).
    GivenUp,
    /// The peer does not take messages of this size (RFC 8841 §6.1).
    TooLarge {
        /// The largest message the peer takes, in bytes.
        limit: u64,
    },
}

impl fmt::Display for MessageWriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(end) => end.fmt(f),
            Self::GivenUp => f.write_str("the message was given up"),
            Self::TooLarge { limit } => write!(f, "the peer takes messages of at most {limit} bytes"),
        }
    }
}

impl std::error::Error for MessageWriteError {}

impl MessageWriter {
    pub(super) async fn new(sender: DataChannelSender, kind: Kind) -> Result<Self, DataChannelEnd> {
        let turn = Arc::clone(&sender.shared.writer_turn);
        let turn = tokio::select! {
            // A channel that has ended takes no writer, also when nobody else writes.
            biased;
            end = sender.closed() => return Err(end),
            turn = turn.acquire_owned() => turn,
        };
        // The semaphore is never closed; the reason of the channel says more than its error would.
        let Ok(turn) = turn else { return Err(sender.closed().await) };
        let given_up = Arc::new(AtomicBool::new(false));
        Ok(Self { sender, kind, written: 0, is_finished: false, given_up, _turn: turn })
    }

    /// Writes a piece; waits while the buffer of the channel's writers is full, which is as large as the send buffer.
    /// Large pieces go in parts.
    ///
    /// Cancellation: a call that did not return has written a part of its piece or nothing; the message is best given up
    /// then.
    ///
    /// # Errors
    /// See [`MessageWriteError`].
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> Result<(), MessageWriteError> {
        let mut bytes = bytes.into();
        let shared = Arc::clone(&self.sender.shared);
        let limit = shared.max_streamed_size.load(Ordering::Relaxed);
        if self.written.saturating_add(bytes.len() as u64) > limit {
            return Err(MessageWriteError::TooLarge { limit });
        }
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(MAX_PIECE).min(shared.send_buffer / 2));
            if self.given_up.load(Ordering::Acquire) {
                return Err(MessageWriteError::GivenUp);
            }
            match shared.piece_credit.acquire_many(shared.permits(piece.len())).await {
                Ok(permit) => permit.forget(),
                Err(_) => return Err(MessageWriteError::Ended(self.sender.closed().await)),
            }
            self.written += piece.len() as u64;
            shared.buffered.fetch_add(piece.len(), Ordering::AcqRel);
            let (kind, given_up) = (self.kind, Arc::clone(&self.given_up));
            if !self.sender.give(OutgoingItem::Piece { kind, bytes: piece, given_up }) {
                return Err(MessageWriteError::Ended(self.sender.closed().await));
            }
        }
        Ok(())
    }

    /// Ends the message. That it arrives is told by [`DataChannel::flush`](crate::tokio::DataChannel::flush).
    ///
    /// Cancellation: a call that did not return has not ended the message, and gives it up.
    ///
    /// # Errors
    /// See [`MessageWriteError`].
    pub async fn finish(mut self) -> Result<(), MessageWriteError> {
        if let Some(end) = self.sender.end() {
            return Err(MessageWriteError::Ended(end));
        }
        if self.given_up.load(Ordering::Acquire) {
            return Err(MessageWriteError::GivenUp);
        }
        if self.sender.shared.piece_credit.is_closed() {
            // The channel is closing, which has given the message up.
            self.is_finished = true;
            return Err(MessageWriteError::Ended(self.sender.closed().await));
        }
        if self.written == 0 {
            // A message without bytes is one of its own kind (RFC 8831 §6.6).
            self.is_finished = true;
            let empty = match self.kind {
                Kind::Text => super::Message::Text(String::new()),
                Kind::Binary => super::Message::Binary(Bytes::new()),
            };
            let sent = self.sender.send(empty).await;
            return match sent {
                Ok(()) => Ok(()),
                Err(_) => Err(MessageWriteError::Ended(self.sender.closed().await)),
            };
        }
        self.is_finished = true;
        if self.sender.give(OutgoingItem::Finish) {
            return Ok(());
        }
        Err(MessageWriteError::Ended(self.sender.closed().await))
    }

    /// Bytes written so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }
}

impl Drop for MessageWriter {
    fn drop(&mut self) {
        if !self.is_finished && self.written > 0 {
            // Refused when the connection is gone, and the message with it.
            let _ = self.sender.give(OutgoingItem::GiveUp);
        }
    }
}

/// What the driver hands to a reader.
#[derive(Debug)]
pub(in crate::tokio) enum Incoming {
    Message(super::Message),
    /// A part of a message; how the sender cut it does not matter.
    Piece {
        kind: Kind,
        bytes: Bytes,
        end: PieceEnd,
    },
}

/// What follows a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tokio) enum PieceEnd {
    GivenUp,
    Last,
    More,
}

impl Incoming {
    /// What it counts for in the receive buffer of the handle.
    pub(in crate::tokio) fn cost(&self) -> usize {
        let len = match self {
            Self::Message(message) => message.len(),
            Self::Piece { bytes, .. } => bytes.len(),
        };
        len + super::MESSAGE_OVERHEAD
    }
}

/// Reads one message in pieces, from [`DataChannel::recv_streamed`](crate::tokio::DataChannel::recv_streamed). Dropping it
/// skips the rest of the message.
#[derive(Debug)]
pub struct MessageReader<'a> {
    receiver: &'a mut DataChannelReceiver,
    kind: Kind,
    /// The piece that was read to find the message.
    first: Option<Bytes>,
    state: ReadState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadState {
    GivenUp,
    Over,
    Reading,
}

/// A message ended before it was whole: its sender gave it up, or the channel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing more to say")]
pub struct MessageGivenUp;

impl fmt::Display for MessageGivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message ended before it was whole")
    }
}

impl std::error::Error for MessageGivenUp {}

impl<'a> MessageReader<'a> {
    pub(super) fn whole(receiver: &'a mut DataChannelReceiver, kind: Kind, bytes: Bytes) -> Self {
        Self::begun(receiver, kind, bytes, PieceEnd::Last)
    }

    pub(super) fn begun(
        receiver: &'a mut DataChannelReceiver,
        kind: Kind,
        bytes: Bytes,
        end: PieceEnd,
    ) -> Self {
        let state = state_after(end);
        receiver.skips = state == ReadState::Reading;
        Self { receiver, kind, first: Some(bytes).filter(|bytes| !bytes.is_empty()), state }
    }

    /// Whether it is text or bytes. Text is cut anywhere, also within a character.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The next piece, never empty; `None` at the end of the message.
    ///
    /// Cancellation: nothing is lost.
    ///
    /// # Errors
    /// [`MessageGivenUp`] when the rest will never come.
    pub async fn read(&mut self) -> Result<Option<Bytes>, MessageGivenUp> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        while self.state == ReadState::Reading {
            let (bytes, end) = match self.receiver.next_incoming().await {
                Some(Incoming::Piece { bytes, end, .. }) => (bytes, end),
                // The channel ended within the message; a whole one cannot follow a begun one.
                Some(Incoming::Message(_)) | None => (Bytes::new(), PieceEnd::GivenUp),
            };
            self.state = state_after(end);
            self.receiver.skips = self.state == ReadState::Reading;
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        if self.state == ReadState::GivenUp { Err(MessageGivenUp) } else { Ok(None) }
    }
}

fn state_after(end: PieceEnd) -> ReadState {
    match end {
        PieceEnd::GivenUp => ReadState::GivenUp,
        PieceEnd::Last => ReadState::Over,
        PieceEnd::More => ReadState::Reading,
    }
}

/// A message that is put together for a reader of whole ones.
#[derive(Debug, Default)]
pub(super) struct Partial {
    bytes: BytesMut,
}

impl Partial {
    /// How many bytes of it there are so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes in a piece; gives the message when that was the last.
    pub(super) fn push(&mut self, bytes: Bytes, end: PieceEnd) -> Option<Bytes> {
        match end {
            PieceEnd::Last if self.bytes.is_empty() => return Some(bytes),
            PieceEnd::GivenUp => self.bytes.clear(),
            PieceEnd::Last | PieceEnd::More => self.bytes.extend_from_slice(&bytes),
        }
        (end == PieceEnd::Last).then(|| std::mem::take(&mut self.bytes).freeze())
    }
}

/// How large a streamed message may be: what the peer takes, whatever the buffers are.
pub(in crate::tokio) fn streamed_limit(remote: Option<usize>) -> u64 {
    remote.map_or(u64::MAX, |limit| limit as u64)
}

impl Shared {
    /// Gives back the credit of pieces that have left.
    pub(in crate::tokio) fn release_pieces(&self, permits: usize) {
        self.piece_credit.add_permits(permits);
    }
}
