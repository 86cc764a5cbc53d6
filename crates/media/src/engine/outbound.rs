//! Whose packet goes next, and writing it.

use std::num::NonZeroUsize;
use std::time::Instant;

use super::{Engine, rank};
use crate::codec::MediaKind;
use crate::ids::SenderId;
use crate::send::Turn;

impl Engine {
    /// Retransmissions first: somebody waits for them. Then audio, then video, senders of a kind in turn, one frame
    /// each.
    pub(super) fn next_turn(&self) -> Option<(SenderId, Turn)> {
        let repeat = self.senders.iter().find_map(|(id, sender)| Some((*id, sender.repeat_turn()?)));
        repeat.or_else(|| {
            let waiting = self.senders.iter().filter_map(|(id, sender)| Some((*id, sender, sender.turn()?)));
            // Ids grow, so the one behind the last is the next in a circle.
            waiting
                .min_by_key(|(id, sender, _)| (rank(sender.config.codec.kind()), *id < self.last_sender, *id))
                .map(|(id, _, turn)| (id, turn))
        })
    }

    pub(super) fn write_rtp(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<NonZeroUsize> {
        let (id, turn) = self.next_turn()?;
        let sender = self.senders.get_mut(&id)?;
        let number = self.history.next_number();
        let departure = sender.write(now, turn, self.wall.ntp(now), number, &self.config, out)?;
        if turn == Turn::Fresh {
            self.budget.on_media(now, departure.len);
            // The turn passes on behind a whole frame; audio in between does not take it.
            if sender.config.codec.kind() == MediaKind::Video {
                self.last_sender = if departure.ends_frame { SenderId(id.0 + 1) } else { id };
            }
        }
        if departure.is_transport_numbered {
            let packet = self.history.on_sent(now, departure.len, id);
            if let Some(congestion) = &mut self.congestion {
                congestion.on_sent(now, packet);
            }
        }
        self.start_reports(now);
        NonZeroUsize::new(departure.len)
    }
}
