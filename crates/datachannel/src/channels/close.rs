//! Channels go: resets in both directions, and the end of everything (RFC 8831 §6.7).

use super::receive::{open_message, open_piece};
use super::{Channels, Phase};
use crate::channel::{ChannelState, Joined, Owed, Reset};
use crate::event::{AssociationEnd, ChannelEnd, Event};
use crate::ids::ChannelId;
use crate::payload::{Payload, Piece, ppid};
use crate::slab::ChannelKey;
use crate::trace;
use sctp::{CloseReason, Delivery, Direction, End, ResetError, ResetOutcome};
use std::time::Instant;

impl Channels {
    pub(crate) fn close_by_user(&mut self, now: Instant, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        if channel.state == ChannelState::Closed {
            // Only its last messages were left.
            self.channels.remove(key);
            return;
        }
        channel.discards = true;
        self.begin_closing(now, key);
    }

    /// Closes a channel on which the peer did what it must not.
    pub(crate) fn fail(&mut self, now: Instant, key: ChannelKey, end: ChannelEnd) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        channel.discards = true;
        if channel.end == ChannelEnd::Closed {
            channel.end = end;
        }
        if matches!(channel.state, ChannelState::Open | ChannelState::Connecting) {
            self.events.push_back(Event::Closing(key));
        }
        self.begin_closing(now, key);
    }

    fn begin_closing(&mut self, now: Instant, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        if channel.state != ChannelState::Closing {
            let never_announced = channel.id.is_none() || self.role.is_none();
            if never_announced {
                let end = channel.end;
                self.finish(key, end);
                return;
            }
            channel.state = ChannelState::Closing;
        }
        if channel.discards
            && let Some(id) = channel.id
        {
            self.discard(id);
        }
        if matches!(self.phase, Phase::Connected { .. }) {
            self.want_reset(now, key);
        }
    }

    /// Asks for the reset of our direction, as soon as what goes before it is on its way.
    pub(crate) fn want_reset(&mut self, now: Instant, key: ChannelKey) {
        self.send_owed(now, key);
        let Some(channel) = self.channels.get_mut(key) else { return };
        let Some(id) = channel.id else { return };
        if !matches!(channel.outgoing, Reset::None | Reset::Wanted) {
            return;
        }
        if channel.owed != Owed::Nothing {
            channel.outgoing = Reset::Wanted;
            return;
        }
        if channel.open_len.take().is_some() {
            self.give_up_open(now, id.stream());
        }
        let Some(channel) = self.channels.get_mut(key) else { return };
        match self.sctp.reset_stream(now, id.stream()) {
            Ok(()) => channel.outgoing = Reset::Requested,
            // The stream's last user is still being reset.
            Err(ResetError::AlreadyResetting) => channel.outgoing = Reset::Wanted,
            Err(ResetError::NotSupported) => {
                // The number cannot be used again, since the peer would take it for the same channel.
                self.burned.insert(id);
                let end = channel.end;
                self.finish(key, end);
            }
            // The association is ending, and ends the channel.
            Err(_) => {}
        }
    }

    pub(crate) fn on_reset(
        &mut self,
        now: Instant,
        id: ChannelId,
        direction: Direction,
        outcome: ResetOutcome,
    ) {
        let Some(&key) = self.by_id.get(&id) else {
            if direction == Direction::Incoming {
                self.refused.remove(&id);
            }
            return;
        };
        let Some(channel) = self.channels.get_mut(key) else { return };
        match direction {
            Direction::Incoming => {
                channel.incoming_done = true;
                if matches!(channel.state, ChannelState::Open | ChannelState::Connecting) {
                    channel.state = ChannelState::Closing;
                    self.events.push_back(Event::Closing(key));
                }
                self.want_reset(now, key);
            }
            Direction::Outgoing => match channel.outgoing {
                Reset::Requested => {
                    channel.outgoing = Reset::Done;
                    if outcome == ResetOutcome::Denied {
                        self.burned.insert(id);
                        channel.incoming_done = true;
                    }
                }
                // That was the end of the stream's last user.
                Reset::None => self.send_owed(now, key),
                Reset::Wanted => self.want_reset(now, key),
                Reset::Done => {}
            },
        }
        let Some(channel) = self.channels.get(key) else { return };
        if channel.incoming_done && channel.outgoing == Reset::Done {
            let end = channel.end;
            self.finish(key, end);
            // The peer may have used the number again in the same packet.
            self.on_readable(now, id);
        }
    }

    /// The channel is gone: its number is free, and what it received and the program did not pull is kept for it.
    pub(crate) fn finish(&mut self, key: ChannelKey, end: ChannelEnd) {
        let Some(channel) =
            self.channels.get_mut(key).filter(|channel| channel.state != ChannelState::Closed)
        else {
            return;
        };
        // Whoever is told to discard was told by the program, which then has closed it.
        let by_peer = end == ChannelEnd::Closed && !channel.discards;
        let end = if by_peer { ChannelEnd::ClosedByPeer } else { end };
        trace::debug!(id = ?channel.id, ?end, "channel closed");
        channel.state = ChannelState::Closed;
        if channel.was_open {
            self.stats.channels_closed += 1;
        }
        if let Some(id) = channel.id {
            self.by_id.remove(&id);
            self.keep_rest(key, id);
        }
        if self.channels.get(key).is_some_and(|channel| channel.leftover.is_none()) {
            self.channels.remove(key);
        }
        self.events.push_back(Event::Closed(key, end));
    }

    /// Keeps what arrived on a stream that is given back, for the program to pull. An OPEN behind it is that of the
    /// stream's next user.
    fn keep_rest(&mut self, key: ChannelKey, id: ChannelId) {
        let max = self.config.max_message_size;
        while self.peek_ppid(id).is_some_and(|ppid| ppid != ppid::DCEP)
            && let Some(piece) = self.pull(id)
        {
            let Some(channel) = self.channels.get_mut(key) else { return };
            if channel.discards {
                self.stats.messages_dropped += u64::from(piece.end != End::More);
            } else if channel.delivery == Delivery::Pieces {
                if let Ok(piece) = open_piece(piece) {
                    channel.keep(piece);
                }
            } else {
                let message = sctp::Message { ppid: piece.ppid, payload: piece.payload };
                if let Joined::Whole(Payload { kind, data }) = open_message(channel, message, max) {
                    channel.keep(Piece { kind, data, end: End::Last });
                }
            }
        }
        self.sctp.set_delivery(id.stream(), Delivery::Messages);
    }

    fn discard(&mut self, id: ChannelId) {
        while let Some(piece) = self.pull(id) {
            self.stats.messages_dropped += u64::from(piece.end != End::More);
        }
    }

    /// The peer lost its state: every channel is gone, and new ones can be opened.
    pub(crate) fn on_restarted(&mut self) {
        self.finish_all();
        self.refused.clear();
        self.burned.clear();
    }

    pub(crate) fn on_association_closed(&mut self, reason: CloseReason) {
        self.finish_all();
        self.phase = Phase::Closed;
        let end = match reason {
            CloseReason::Shutdown => AssociationEnd::Shutdown,
            CloseReason::LocalAbort => AssociationEnd::LocalAbort,
            CloseReason::PeerAbort(cause) => AssociationEnd::PeerAbort(cause),
            CloseReason::Timeout => AssociationEnd::Timeout,
            CloseReason::Violation(_) | _ => AssociationEnd::Violation,
        };
        self.events.push_back(Event::AssociationClosed(end));
    }

    fn finish_all(&mut self) {
        for key in self.channels.keys() {
            self.finish(key, ChannelEnd::Association);
        }
    }
}
