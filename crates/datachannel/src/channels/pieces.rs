//! Messages in pieces.

use super::Channels;
use super::receive::open_piece;
use crate::channel::{ChannelState, Owed};
use crate::error::SendPieceError;
use crate::ids::ChannelId;
use crate::payload::{Payload, Piece, SendOptions, ppid};
use crate::slab::ChannelKey;
use sctp::{AbandonError, Delivery, End, StreamId};
use std::time::Instant;

impl Channels {
    /// Queues a piece of a message on an open channel. The first piece begins the message, and its options count; one
    /// with [`End::Last`] ends it. Until then the channel is the message's: [`send`](Self::send) is refused. The peer
    /// gets one message, as large as it says it takes, whatever the size of the send buffer.
    ///
    /// What does not fill a packet waits for more, for the end, or for [`flush_pieces`](Self::flush_pieces); the last
    /// byte always waits for the end. With a peer that does not interleave messages (RFC 8260), and no browser does so
    /// far, all other channels wait from the first packet of the message until its end: begin one only when the rest
    /// is at hand.
    ///
    /// # Errors
    /// See [`SendPieceError`].
    pub fn send_piece(
        &mut self,
        now: Instant,
        key: ChannelKey,
        piece: Piece,
        wanted: SendOptions,
    ) -> Result<(), SendPieceError> {
        let remote_limit = self.remote_limit.unwrap_or(usize::MAX);
        let Some(channel) = self.channels.get(key).filter(|channel| channel.state == ChannelState::Open)
        else {
            return Err(SendPieceError::NotOpen(piece));
        };
        let Some(id) = channel.id else { return Err(SendPieceError::NotOpen(piece)) };
        if channel.owed != Owed::Nothing {
            return Err(SendPieceError::WouldBlock(piece));
        }
        let is_last = piece.end != End::More;
        let begun = channel.open_len;
        let len = begun.unwrap_or(0).saturating_add(piece.data.len());
        if len > remote_limit {
            // Whether that can be is said where the error is described.
            let _ = self.abandon_message(now, key);
            return Err(SendPieceError::TooLarge { limit: remote_limit, piece });
        }
        if piece.data.is_empty() {
            if !is_last {
                return Ok(());
            }
            if begun.is_none() {
                return self.send_empty(now, key, piece, wanted);
            }
        }
        let options = wanted.apply(channel.init.send_options());
        let end = if is_last { End::Last } else { End::More };
        let part = sctp::Piece { ppid: piece.kind.ppid(), payload: piece.data.clone(), end };
        let sent = self.sctp.send_piece(now, id.stream(), part, options);
        let Some(channel) = self.channels.get_mut(key) else { return Ok(()) };
        match sent {
            Ok(()) => {
                channel.open_len = (!is_last).then_some(len);
                self.stats.messages_sent += u64::from(is_last);
                self.stats.bytes_sent += piece.data.len() as u64;
                Ok(())
            }
            Err(sctp::SendPieceError::GivenUp) => {
                channel.open_len = None;
                Err(SendPieceError::GivenUp)
            }
            Err(sctp::SendPieceError::TooLarge { limit }) => {
                Err(SendPieceError::PieceTooLarge { limit, piece })
            }
            Err(sctp::SendPieceError::WouldBlock(_) | sctp::SendPieceError::Resetting) => {
                Err(SendPieceError::WouldBlock(piece))
            }
            Err(_) => Err(SendPieceError::NotOpen(piece)),
        }
    }

    /// Lets what was queued of an open message go although it does not fill a packet, but for its last byte.
    pub fn flush_pieces(&mut self, now: Instant, key: ChannelKey) {
        if let Some(stream) = self.stream_of(key) {
            self.sctp.flush_pieces(now, stream);
        }
    }

    /// Gives up the message that was begun in pieces; the next piece begins another.
    ///
    /// # Errors
    /// See [`AbandonError`].
    pub fn abandon_message(&mut self, now: Instant, key: ChannelKey) -> Result<(), AbandonError> {
        let Some(stream) = self.stream_of(key) else { return Err(AbandonError::NothingOpen) };
        let abandoned = self.sctp.abandon_message(now, stream);
        let is_open = abandoned == Err(AbandonError::NotSupported);
        if !is_open && let Some(channel) = self.channels.get_mut(key) {
            channel.open_len = None;
        }
        self.drain(now);
        abandoned
    }

    /// Sets whether the messages of a channel are taken whole or in pieces. Default: [`Delivery::Messages`].
    ///
    /// In pieces, a message of any size is taken, and given out while it arrives; what is not pulled closes the window
    /// towards the peer. [`Event::Readable`](crate::Event::Readable) tells of pieces as of messages. It is best set
    /// before the first message: as soon as the channel is made, or announced. Back to messages it takes effect
    /// between messages only: while one is being given out, and on a closed channel, the call does nothing.
    pub fn set_delivery(&mut self, now: Instant, key: ChannelKey, delivery: Delivery) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        if channel.state == ChannelState::Closed {
            return;
        }
        channel.delivery = delivery;
        if let Some(id) = channel.id {
            self.sctp.set_delivery(id.stream(), delivery);
            channel.delivery = self.sctp.delivery(id.stream());
        }
        self.drain(now);
    }

    /// Takes what is there of the next message of a channel with [`Delivery::Pieces`]. With [`Delivery::Messages`] it
    /// gives a whole message as one piece.
    #[must_use = "the piece is lost otherwise"]
    pub fn recv_piece(&mut self, now: Instant, key: ChannelKey) -> Option<Piece> {
        let piece = self.receive_piece(now, key)?;
        self.stats.messages_received += u64::from(piece.end == End::Last);
        self.stats.bytes_received += piece.data.len() as u64;
        Some(piece)
    }

    /// The next piece or message of a stream, as SCTP has it.
    pub(crate) fn pull(&mut self, id: ChannelId) -> Option<sctp::Piece> {
        let stream = id.stream();
        self.sctp.recv_piece(stream).or_else(|| {
            let sctp::Message { ppid, payload } = self.sctp.recv_from(stream)?;
            Some(sctp::Piece { ppid, payload, end: End::Last })
        })
    }

    /// What that will be.
    pub(crate) fn peek_ppid(&self, id: ChannelId) -> Option<sctp::Ppid> {
        let stream = id.stream();
        self.sctp.peek_piece(stream).or_else(|| self.sctp.peek(stream).map(|(ppid, _)| ppid))
    }

    /// The open message of a channel that closes cannot be ended by its writer any more. A peer that cannot skip it
    /// gets it cut.
    pub(crate) fn give_up_open(&mut self, now: Instant, stream: StreamId) {
        if self.sctp.abandon_message(now, stream) == Err(AbandonError::NotSupported) {
            self.sctp.end_message(now, stream);
        }
    }

    fn receive_piece(&mut self, now: Instant, key: ChannelKey) -> Option<Piece> {
        let channel = self.channels.get_mut(key)?;
        if channel.discards {
            return None;
        }
        if channel.state == ChannelState::Closed {
            let piece = channel.take_kept();
            if channel.leftover.is_none() {
                self.channels.remove(key);
            }
            return piece;
        }
        let id = channel.id?;
        loop {
            let piece = self.pull(id)?;
            if piece.ppid == ppid::DCEP {
                self.on_dcep(now, id, &piece.payload);
                continue;
            }
            match open_piece(piece) {
                Ok(piece) => return Some(piece),
                Err(end) => {
                    self.fail(now, key, end);
                    return None;
                }
            }
        }
    }

    fn send_empty(
        &mut self,
        now: Instant,
        key: ChannelKey,
        piece: Piece,
        wanted: SendOptions,
    ) -> Result<(), SendPieceError> {
        let payload = Payload { kind: piece.kind, data: piece.data.clone() };
        self.send_with(now, key, payload, wanted).map_err(|error| match error {
            crate::SendError::WouldBlock(_) => SendPieceError::WouldBlock(piece),
            crate::SendError::MessageOpen(_)
            | crate::SendError::NotOpen(_)
            | crate::SendError::TooLarge { .. } => SendPieceError::NotOpen(piece),
        })
    }
}
