//! Data channels of the session: what the application asks, and what it hears.

use super::Session;
use crate::{
    AnnouncedChannel, Configuration, DataChannelInit, DataChannelState, Error, ErrorKind, SessionEvent,
    data_channel::{ChannelKey, Reliability},
};
use datachannel::{ChannelInit, Payload};
use std::time::Instant;

/// What the application said about a channel; the rest lives in [`datachannel::Channels`].
#[derive(Clone, Debug)]
pub(super) struct ChannelInfo;

pub(super) fn config(config: &Configuration) -> datachannel::Config {
    datachannel::Config::new().with_max_message_size(config.max_message_size)
}

impl Session {
    /// Makes a data channel (W3C `createDataChannel`).
    ///
    /// # Errors
    /// `InvalidStateError` when closed, `TypeError` for a label or protocol over 65,535 bytes or the reserved id,
    /// `OperationError` for an id in use or none left.
    pub fn create_data_channel(
        &mut self,
        now: Instant,
        label: &str,
        init: &DataChannelInit,
    ) -> Result<ChannelKey, Error> {
        self.check_open(now)?;
        if label.len() > usize::from(u16::MAX) || init.protocol.len() > usize::from(u16::MAX) {
            return Err(Error::new(ErrorKind::TypeError, "label and protocol have at most 65,535 bytes"));
        }
        if init.negotiated == Some(u16::MAX) {
            return Err(Error::new(ErrorKind::TypeError, "65,535 is not a data channel id"));
        }
        let reliability = match init.reliability {
            Reliability::Reliable => datachannel::Reliability::Reliable,
            Reliability::MaxPacketLifeTime(lifetime) => datachannel::Reliability::MaxLifetime(lifetime),
            Reliability::MaxRetransmits(count) => datachannel::Reliability::MaxRetransmits(count),
        };
        let mut wanted = ChannelInit::new(label)
            .with_protocol(init.protocol.clone())
            .with_ordered(init.ordered)
            .with_reliability(reliability);
        if let Some(id) = init.negotiated {
            wanted = wanted.with_negotiated(id);
        }
        let key = self.channels.open(self.latest, wanted).map_err(|error| {
            Error::new(ErrorKind::OperationError, "the data channel could not be opened").with_source(error)
        })?;
        self.data_channels_wanted = true;
        self.update_negotiation_needed();
        Ok(key)
    }

    /// Queues a message. `Err(Some(_))` gives it back when the queue is full; `Err(None)` means that it can never be
    /// sent: the channel is closing, or the message larger than the peer takes.
    pub fn send_data(&mut self, now: Instant, key: ChannelKey, payload: Payload) -> Result<(), Option<Payload>> {
        let now = self.advance(now);
        match self.channels.send(now, key, payload) {
            Ok(()) => Ok(()),
            Err(datachannel::SendError::WouldBlock(payload)) => Err(Some(payload)),
            Err(_) => Err(None),
        }
    }

    /// The next message of a channel. Messages that are not fetched close the peer's window.
    pub fn recv_data(&mut self, key: ChannelKey) -> Option<Payload> {
        self.channels.recv(key)
    }

    /// Closes a channel; what is queued is still sent (RFC 8831 §6.7).
    pub fn close_data_channel(&mut self, now: Instant, key: ChannelKey) {
        let now = self.advance(now);
        self.channels.close(now, key);
        self.settle_channels();
    }

    /// Payload bytes queued and not yet sent.
    #[must_use]
    pub fn buffered_amount(&self, key: ChannelKey) -> usize {
        self.channels.buffered_amount(key)
    }
}
