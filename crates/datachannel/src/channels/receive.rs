//! What arrives on streams.

use super::Channels;
use crate::channel::{Channel, ChannelState, Joined, Reset};
use crate::dcep::Dcep;
use crate::event::{ChannelEnd, Event};
use crate::ids::ChannelId;
use crate::init::ChannelInit;
use crate::payload::{Class, Payload, Piece, classify, ppid};
use crate::slab::ChannelKey;
use bytes::Bytes;
use sctp::{Delivery, End, Message};
use std::time::Instant;

impl Channels {
    /// The stream has something to pull: what is not for the program is dealt with at once, and the program hears of
    /// the rest.
    pub(crate) fn on_readable(&mut self, now: Instant, id: ChannelId) {
        while let Some(ppid) = self.peek_ppid(id) {
            let is_dcep = ppid == ppid::DCEP;
            let channel = self.by_id.get(&id).and_then(|key| self.channels.get(*key));
            let for_program = !is_dcep && channel.is_some_and(|channel| !channel.discards);
            if for_program {
                break;
            }
            let Some(piece) = self.pull(id) else { break };
            if is_dcep {
                self.on_dcep(now, id, &piece.payload);
            } else if piece.end != End::More {
                // RFC 8831 has no place for data on a stream without a channel.
                self.stats.messages_dropped += 1;
            }
        }
        if self.peek_ppid(id).is_none() {
            return;
        }
        let Some(&key) = self.by_id.get(&id) else { return };
        // RFC 8832 §6: any message says that the peer has taken in the OPEN.
        self.mark_open(key);
        let Some(channel) = self.channels.get_mut(key) else { return };
        if !std::mem::replace(&mut channel.readable_queued, true) {
            self.events.push_back(Event::Readable(key));
        }
    }

    /// The next message for the program.
    pub(crate) fn receive(&mut self, now: Instant, key: ChannelKey) -> Option<Payload> {
        let channel = self.channels.get_mut(key)?;
        if channel.discards || channel.delivery == Delivery::Pieces {
            return None;
        }
        if channel.state == ChannelState::Closed {
            let piece = channel.take_kept();
            if channel.leftover.is_none() {
                self.channels.remove(key);
            }
            return piece.map(|piece| Payload { kind: piece.kind, data: piece.data });
        }
        let id = channel.id?;
        loop {
            let message = self.sctp.recv_from(id.stream())?;
            if message.ppid == ppid::DCEP {
                self.on_dcep(now, id, &message.payload);
                continue;
            }
            let max = self.config.max_message_size;
            let channel = self.channels.get_mut(key)?;
            match open_message(channel, message, max) {
                Joined::Whole(payload) => return Some(payload),
                Joined::More => {}
                Joined::Broken(end) => {
                    self.fail(now, key, end);
                    return None;
                }
            }
        }
    }

    pub(crate) fn on_dcep(&mut self, now: Instant, id: ChannelId, payload: &Bytes) {
        if self.refused.contains(&id) {
            self.stats.messages_dropped += 1;
            return;
        }
        let key = self.by_id.get(&id).copied();
        match (Dcep::parse(payload), key) {
            (Ok(Dcep::Open(init)), None) => self.on_open(now, id, init),
            (Ok(Dcep::Open(init)), Some(key)) => self.on_open_again(now, id, key, init),
            (Ok(Dcep::Ack), Some(key)) => self.on_ack(now, key),
            (Ok(Dcep::Ack), None) => self.stats.messages_dropped += 1,
            (Err(_), None) => self.refuse(now, id),
            (Err(_), Some(key)) => self.fail(now, key, ChannelEnd::Violation),
        }
    }

    fn on_ack(&mut self, now: Instant, key: ChannelKey) {
        if self.channels.get(key).is_some_and(|channel| channel.init.negotiated.is_some()) {
            // Nobody sent an OPEN.
            self.fail(now, key, ChannelEnd::Violation);
        } else {
            self.mark_open(key);
        }
    }

    /// An OPEN on a stream in use. The peer may use the stream again as soon as both directions are reset, and it
    /// learns that before we do when the answer to our own reset is still under way; anything else is an error.
    fn on_open_again(&mut self, now: Instant, id: ChannelId, key: ChannelKey, init: ChannelInit) {
        let over = self
            .channels
            .get(key)
            .is_some_and(|channel| channel.incoming_done && channel.outgoing == Reset::Requested);
        if over {
            self.finish(key, ChannelEnd::Closed);
            self.on_open(now, id, init);
        } else {
            self.fail(now, key, ChannelEnd::Violation);
        }
    }

    pub(crate) fn on_too_large(&mut self, now: Instant, id: ChannelId) {
        match self.by_id.get(&id) {
            Some(&key) => self.fail(now, key, ChannelEnd::MessageTooLarge),
            None => self.stats.messages_dropped += 1,
        }
    }
}

/// What a message of the peer is to the program.
pub(crate) fn open_message(channel: &mut Channel, message: Message, max: usize) -> Joined {
    match classify(message.ppid) {
        Class::Whole(kind) => channel.join(kind, message.payload, true, max),
        Class::Part(kind) => channel.join(kind, message.payload, false, max),
        Class::Empty(kind) => channel.join(kind, Bytes::new(), true, max),
        Class::Dcep | Class::Unknown => Joined::Broken(ChannelEnd::Violation),
    }
}

/// What a piece of the peer is to the program.
pub(crate) fn open_piece(piece: sctp::Piece) -> Result<Piece, ChannelEnd> {
    let end = piece.end;
    match classify(piece.ppid) {
        Class::Whole(kind) => Ok(Piece { kind, data: piece.payload, end }),
        // One that old senders cut themselves goes on with the next message.
        Class::Part(kind) if end == End::Last => Ok(Piece { kind, data: piece.payload, end: End::More }),
        Class::Part(kind) => Ok(Piece { kind, data: piece.payload, end }),
        Class::Empty(kind) => Ok(Piece { kind, data: Bytes::new(), end }),
        Class::Dcep | Class::Unknown => Err(ChannelEnd::Violation),
    }
}
