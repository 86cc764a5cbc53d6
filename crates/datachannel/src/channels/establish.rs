//! Channels come into being: numbers, OPEN and ACK (RFC 8832 §6).

use super::{Channels, Phase};
use crate::channel::{Channel, ChannelState, Owed};
use crate::dcep;
use crate::event::{ChannelEnd, Event};
use crate::ids::ChannelId;
use crate::init::ChannelInit;
use crate::payload::ppid;
use crate::slab::ChannelKey;
use crate::trace;
use sctp::{Message, SendOptions};
use std::time::Instant;

/// Labels and protocols of all channels that the peer has opened, in bytes. Each may have 131,070.
const MAX_ANNOUNCED_TEXT: usize = 1 << 20;

impl Channels {
    /// Whether a number is in use, was used and cannot be used again, or waits for a reset.
    pub(crate) fn is_taken(&self, id: ChannelId) -> bool {
        self.by_id.contains_key(&id) || self.refused.contains(&id) || self.burned.contains(&id)
    }

    pub(crate) fn free_id(&self) -> Option<ChannelId> {
        let limit = match self.phase {
            Phase::Connected { max_channels } => max_channels,
            Phase::Connecting | Phase::Closed => u16::MAX,
        };
        self.role?.lowest_free(limit, |id| self.is_taken(id))
    }

    /// Gives a number to a channel that has none, once the role is known.
    pub(crate) fn assign_id(&mut self, key: ChannelKey) {
        if self.channels.get(key).is_none_or(|channel| channel.id.is_some()) {
            return;
        }
        if let Some(id) = self.free_id() {
            self.adopt_id(key, id);
        }
    }

    pub(crate) fn adopt_id(&mut self, key: ChannelKey, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        channel.id = Some(id);
        self.sctp.set_buffered_low_threshold(id.stream(), channel.low_threshold);
        self.sctp.set_weight(id.stream(), channel.init.priority.0);
        self.sctp.set_delivery(id.stream(), channel.delivery);
        self.by_id.insert(id, key);
    }

    /// Opens a channel as far as that is possible now: a negotiated one when the association stands, another one by
    /// its OPEN, which may leave together with the last step of the association's own handshake.
    pub(crate) fn announce(&mut self, now: Instant, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        if channel.state != ChannelState::Connecting || channel.id.is_none() || self.role.is_none() {
            return;
        }
        if channel.init.negotiated.is_some() {
            if matches!(self.phase, Phase::Connected { .. }) {
                self.mark_open(key);
            }
            return;
        }
        channel.owed = Owed::Open;
        self.send_owed(now, key);
    }

    /// Sends the OPEN or ACK that goes before anything else, if the association takes it.
    pub(crate) fn send_owed(&mut self, now: Instant, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        let Some(id) = channel.id else { return };
        let payload = match channel.owed {
            Owed::Nothing => return,
            Owed::Open => dcep::open(&channel.init),
            Owed::Ack => dcep::ack(),
        };
        //= rfc8832 §6
        //# All DCEP messages MUST be sent using ordered delivery and reliable transmission.
        let options = SendOptions::new().with_uncounted();
        match self.sctp.send(now, id.stream(), Message { ppid: ppid::DCEP, payload }, options) {
            Ok(()) => channel.owed = Owed::Nothing,
            // Once there is room, or once the last user of the stream is gone.
            Err(sctp::SendError::WouldBlock(_) | sctp::SendError::Resetting) => {}
            // The association ends, and the channel with it.
            Err(_) => {}
        }
    }

    pub(crate) fn on_connected(&mut self, now: Instant, max_channels: u16) {
        self.phase = Phase::Connected { max_channels };
        self.events.push_back(Event::Connected { max_channels });
        for key in self.channels.keys() {
            self.assign_id(key);
            let id = self.channels.get(key).and_then(|channel| channel.id);
            match id {
                Some(id) if id.0 < max_channels => {
                    let Some(channel) = self.channels.get(key) else { continue };
                    if channel.state == ChannelState::Closing {
                        self.want_reset(now, key);
                    } else if channel.init.negotiated.is_some() {
                        self.announce(now, key);
                    }
                }
                // webrtc-pc §6.1.1.2: channels beyond what the association has are closed.
                _ => self.finish(key, ChannelEnd::NoStream),
            }
        }
    }

    pub(crate) fn mark_open(&mut self, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        if channel.state != ChannelState::Connecting {
            return;
        }
        channel.state = ChannelState::Open;
        channel.was_open = true;
        self.stats.channels_opened += 1;
        self.events.push_back(Event::Opened(key));
    }

    /// The peer opens a channel on a stream that is not in use.
    pub(crate) fn on_open(&mut self, now: Instant, id: ChannelId, init: ChannelInit) {
        let wrong_number = self.role.is_none_or(|role| role.owns(id));
        let text = self.announced_text().saturating_add(init.text_len());
        if wrong_number || self.channels.len() >= self.config.max_channels || text > MAX_ANNOUNCED_TEXT {
            self.refuse(now, id);
            return;
        }
        let key = self.channels.insert(Channel::new(init, None, ChannelState::Open));
        self.adopt_id(key, id);
        if let Some(channel) = self.channels.get_mut(key) {
            channel.was_open = true;
            channel.owed = Owed::Ack;
        }
        self.stats.channels_opened += 1;
        self.events.push_back(Event::Announced(key));
        self.send_owed(now, key);
    }

    /// What labels and protocols of the peer's channels take, in bytes.
    fn announced_text(&self) -> usize {
        let announced = self.by_id.iter().filter(|(id, _)| self.role.is_some_and(|role| !role.owns(**id)));
        let channels = announced.filter_map(|(_, key)| self.channels.get(*key));
        channels.map(|channel| channel.init.text_len()).sum()
    }

    /// Answers an OPEN that cannot be with a reset, and forgets it (RFC 8832 §6).
    pub(crate) fn refuse(&mut self, now: Instant, id: ChannelId) {
        self.stats.opens_refused += 1;
        trace::debug!(%id, "OPEN refused");
        self.refused.insert(id);
        if self.sctp.reset_stream(now, id.stream()) == Err(sctp::ResetError::NotSupported) {
            self.refused.remove(&id);
            self.burned.insert(id);
        }
    }
}
