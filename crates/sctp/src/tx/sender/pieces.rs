//! Messages that are sent in pieces.

use super::super::queue::Opened;
use super::Sender;
use crate::error::{AbandonError, SendPieceError};
use crate::event::{Event, Events, Progress};
use crate::stats::Stats;
use crate::types::{End, Piece, SendOptions, StreamId};
use std::time::Instant;

impl Sender {
    #[expect(clippy::too_many_arguments, reason = "a piece, and what making room for it may change")]
    pub(crate) fn send_piece(
        &mut self,
        now: Instant,
        stream: StreamId,
        piece: Piece,
        options: SendOptions,
        events: &mut Events,
        stats: &mut Stats,
    ) -> Result<(), SendPieceError> {
        if self.queue.take_given_up(stream) {
            return Err(SendPieceError::GivenUp);
        }
        let begins = !self.queue.is_open(stream);
        let len = piece.payload.len();
        if len == 0 && (begins || piece.end == End::More) {
            return Err(SendPieceError::Empty);
        }
        if len > self.send_buffer {
            return Err(SendPieceError::TooLarge { limit: self.send_buffer });
        }
        // An end without bytes needs no room.
        if len > 0 && !self.has_room(len, options.reliability, events, stats) {
            return Err(SendPieceError::WouldBlock(piece));
        }
        if begins {
            self.tracked.expect(options.tracking);
        }
        self.queue.push_piece(now, stream, piece, options);
        Ok(())
    }

    /// Gives up the open message of a stream.
    pub(crate) fn abandon_open(
        &mut self,
        now: Instant,
        stream: StreamId,
        events: &mut Events,
        stats: &mut Stats,
    ) -> Result<(), AbandonError> {
        match self.queue.close_open(stream) {
            Opened::None => return Err(AbandonError::NothingOpen),
            Opened::GivenUp => {}
            Opened::Dropped(dropped) => self.report_dropped(dropped, Progress::Unsent, events, stats),
            Opened::Begun(_) if !self.partial => return Err(AbandonError::NotSupported),
            Opened::Begun(message) => {
                let Some(cut) = self.queue.abandon(stream, message) else { return Ok(()) };
                self.queue.take_given_up(stream);
                self.outstanding.abandon_rest(now, message, cut.header);
                self.report_dropped(cut.dropped, Progress::Begun, events, stats);
                self.plan_forward(now);
            }
        }
        self.offer_space(events);
        Ok(())
    }

    /// An event about a tracked message was polled.
    pub(crate) fn polled(&mut self, event: &Event, events: &mut Events) {
        if matches!(event, Event::Delivered(_) | Event::Abandoned { .. }) {
            self.tracked.polled();
            self.offer_space(events);
        }
    }
}
