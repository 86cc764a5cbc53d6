//! From the session to the handles: events, states, messages, media.

use super::Driver;
use crate::{
    SessionEvent,
    tokio::{data_channel::MessageFate, events::Event, peer_connection::Snapshot},
};
use std::{sync::Arc, time::Instant};
use tokio::sync::mpsc::error::TrySendError;

impl Driver {
    /// Hands over everything that has arrived and that its reader has room for. Returns whether the session may have
    /// more to send by that: a message that waited, a window that opened again.
    pub(super) fn deliver(&mut self, now: Instant) -> bool {
        let mut fed = self.flush_channels(now);
        let events: Vec<_> = std::iter::from_fn(|| self.session.poll_event()).collect();
        fed |= !events.is_empty() || !self.readable.is_empty();
        let mut changed = events.iter().any(changes_state);
        if std::mem::take(&mut self.session.descriptions_changed) {
            changed = true;
            self.update_transceivers();
            self.update_channels(now);
            for port in &mut self.ports {
                port.register(self.session.local_ufrag());
            }
        }
        // First the states, then the events: who is told of a change must find it made.
        if changed {
            self.publish();
        }
        for event in events {
            self.deliver_event(now, event);
        }
        let readable: Vec<_> = self.readable.iter().copied().collect();
        for key in readable {
            self.deliver_messages(now, key);
        }
        self.deliver_media();
        fed
    }

    fn deliver_event(&mut self, now: Instant, event: SessionEvent) {
        let event = match event {
            SessionEvent::ConnectionStateChange(state) => {
                // A failure ends the wait for channels that are closing.
                self.update_channels(now);
                Event::ConnectionStateChange(state)
            }
            SessionEvent::DataChannel(announced) => {
                let key = announced.channel;
                let handle = self.data_channel_handle(now, key, announced.label, announced.init);
                self.deliver_messages(now, key);
                Event::DataChannel(handle)
            }
            SessionEvent::DataChannelClosed { channel, end } => return self.channel_ended(channel, end),
            SessionEvent::DataChannelStateChange(key) => return self.update_channel(now, key),
            SessionEvent::DataChannelReadable(key) => return self.deliver_messages(now, key),
            SessionEvent::IceCandidate(candidate) => Event::IceCandidate(candidate),
            SessionEvent::IceCandidateError(error) => Event::IceCandidateError(error),
            SessionEvent::IceConnectionStateChange(state) => Event::IceConnectionStateChange(state),
            SessionEvent::IceGatheringStateChange(state) => Event::IceGatheringStateChange(state),
            SessionEvent::KeyFrameRequested(transceiver) => return self.key_frame_requested(transceiver),
            SessionEvent::MessageAbandoned(id) => return self.message_fate(id, MessageFate::Abandoned),
            SessionEvent::MessageDelivered(id) => return self.message_fate(id, MessageFate::Delivered),
            SessionEvent::NegotiationNeeded => Event::NegotiationNeeded,
            SessionEvent::Resolve { name } => return self.names.resolve(name),
            SessionEvent::Publish { name, address } => return self.names.publish(name, address),
            SessionEvent::Withdraw { name } => return self.names.withdraw(name),
            SessionEvent::SelectedCandidatePairChange(pair) => Event::SelectedCandidatePairChange(pair),
            SessionEvent::SignalingStateChange(state) => Event::SignalingStateChange(state),
            SessionEvent::Track { transceiver, track, streams } => {
                match self.track_event(transceiver, track, streams) {
                    Some(track) => Event::Track(track),
                    None => return,
                }
            }
        };
        match self.events.try_send(event) {
            // Nobody reads events: what they carry is dropped, which closes a channel and ends a track.
            Ok(()) | Err(TrySendError::Closed(_) | TrySendError::Full(_)) => {}
        }
    }

    /// Publishes the states and descriptions as they are now.
    pub(in crate::tokio) fn publish(&mut self) {
        let session = &self.session;
        self.snapshot.send_if_modified(|snapshot| {
            let descriptions = session.descriptions();
            let new = Snapshot {
                connection: session.connection_state(),
                ice_connection: session.ice_connection_state(),
                ice_gathering: session.ice_gathering_state(),
                signaling: session.signaling_state(),
                descriptions: if *snapshot.descriptions == descriptions {
                    snapshot.descriptions.clone()
                } else {
                    Arc::new(descriptions)
                },
            };
            let changed = *snapshot != new;
            *snapshot = new;
            changed
        });
    }
}

/// Whether the handles have to see new states or descriptions. Messages and key frames come often and change neither.
fn changes_state(event: &SessionEvent) -> bool {
    !matches!(
        event,
        SessionEvent::DataChannelClosed { .. }
            | SessionEvent::DataChannelReadable(_)
            | SessionEvent::DataChannelStateChange(_)
            | SessionEvent::KeyFrameRequested(_)
            | SessionEvent::MessageAbandoned(_)
            | SessionEvent::MessageDelivered(_)
            | SessionEvent::Publish { .. }
            | SessionEvent::Resolve { .. }
            | SessionEvent::Withdraw { .. }
    )
}
