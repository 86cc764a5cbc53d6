//! Data channels of the session: what the application asks, and what it hears.

use super::{Session, transport::Dtls};
use crate::{
    AnnouncedChannel, Configuration, DataChannelEnd, DataChannelInit, DataChannelPriority, DataChannelState,
    Error, ErrorKind, SessionEvent,
    data_channel::{ChannelKey, Reliability},
};
use datachannel::{
    AbandonError, ChannelEnd, ChannelId, ChannelInit, ChannelState, Delivery, Event, MessageId, Order,
    Payload, Piece, Priority, Role, SendOptions, SendPieceError,
};
use std::{sync::Arc, time::Instant};

/// The configuration of the layer below.
pub(super) fn config(config: &Configuration) -> Result<datachannel::Config, datachannel::ConfigError> {
    Ok(datachannel::Config::new(&config.provider)?
        .with_max_message_size(config.max_message_size)
        .with_receive_buffer(config.receive_buffer.max(config.max_message_size))
        .with_receive_buffer_cap(config.receive_buffer_cap)
        .with_send_buffer(config.send_buffer)
        .with_send_buffer_cap(config.send_buffer_cap)
        .with_congestion_control(Arc::clone(&config.congestion_control)))
}

impl Session {
    /// Tells how many bytes the sockets hold while nobody reads them: the peer's first burst should fit. Data channels
    /// begin with a window of at most this, which grows with the path. To be called before there is an association.
    pub fn set_socket_buffer(&mut self, bytes: usize) {
        self.channels.limit_first_window(bytes);
    }

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
            .with_order(if init.ordered { Order::Ordered } else { Order::Unordered })
            .with_priority(priority_to_wire(init.priority))
            .with_reliability(reliability);
        if let Some(id) = init.negotiated {
            wanted = wanted.with_negotiated(ChannelId(id));
        }
        if self.channels.is_closed() && !self.sctp_wanted {
            // The section was rejected, and may be negotiated again for this channel.
            self.channels.renew(self.latest, (self.random)());
        }
        let key = self.channels.open(self.latest, wanted).map_err(|error| {
            Error::new(ErrorKind::OperationError, "the data channel could not be opened").with_source(error)
        })?;
        self.data_channels_wanted = true;
        self.update_negotiation_needed();
        Ok(key)
    }

    /// Queues a message. `Err(Some(_))` gives it back when the queue is full or the channel is not open yet; `Err(None)`
    /// means that it can never be sent: the channel is closing, or the message larger than the peer takes.
    pub fn send_data(
        &mut self,
        now: Instant,
        key: ChannelKey,
        payload: Payload,
    ) -> Result<(), Option<Payload>> {
        let now = self.advance(now);
        if self.channels.state(key) == ChannelState::Connecting {
            return Err(Some(payload));
        }
        match self.channels.send(now, key, payload) {
            Ok(()) => Ok(()),
            Err(datachannel::SendError::WouldBlock(payload)) => Err(Some(payload)),
            Err(_) => Err(None),
        }
    }

    /// Queues a message and asks what becomes of it: [`SessionEvent::MessageDelivered`] or
    /// [`SessionEvent::MessageAbandoned`] tells, once, under this name. `Err` as [`Session::send_data`] has it.
    pub fn send_tracked(
        &mut self,
        now: Instant,
        key: ChannelKey,
        payload: Payload,
        id: MessageId,
    ) -> Result<(), Option<Payload>> {
        let now = self.advance(now);
        if self.channels.state(key) == ChannelState::Connecting {
            return Err(Some(payload));
        }
        match self.channels.send_with(now, key, payload, SendOptions::new().with_tracking(id)) {
            Ok(()) => Ok(()),
            Err(datachannel::SendError::WouldBlock(payload)) => Err(Some(payload)),
            Err(_) => Err(None),
        }
    }

    /// Queues a piece of a message; the first one begins it, [`datachannel::End::Last`] ends it. Until then no other
    /// message can be sent on the channel.
    ///
    /// # Errors
    /// See [`SendPieceError`]. `WouldBlock` gives the piece back when the queue is full or the channel is not open yet.
    pub fn send_piece(&mut self, now: Instant, key: ChannelKey, piece: Piece) -> Result<(), SendPieceError> {
        let now = self.advance(now);
        if self.channels.state(key) == ChannelState::Connecting {
            return Err(SendPieceError::WouldBlock(piece));
        }
        self.channels.send_piece(now, key, piece, SendOptions::new())
    }

    /// Lets what was queued in pieces go although it does not fill a packet.
    pub fn flush_pieces(&mut self, now: Instant, key: ChannelKey) {
        let now = self.advance(now);
        self.channels.flush_pieces(now, key);
    }

    /// Gives up the message that was begun in pieces.
    ///
    /// # Errors
    /// See [`AbandonError`].
    pub fn abandon_message(&mut self, now: Instant, key: ChannelKey) -> Result<(), AbandonError> {
        let now = self.advance(now);
        self.channels.abandon_message(now, key)
    }

    /// From now on the messages of a channel are received in pieces, with [`Session::recv_piece`]; they may then be of any
    /// size.
    pub fn receive_pieces(&mut self, now: Instant, key: ChannelKey) {
        let now = self.advance(now);
        self.channels.set_delivery(now, key, Delivery::Pieces);
    }

    /// What is there of the next message of a channel that receives pieces.
    pub fn recv_piece(&mut self, now: Instant, key: ChannelKey) -> Option<Piece> {
        let now = self.advance(now);
        self.channels.recv_piece(now, key)
    }

    /// The largest message that may be sent in pieces, in bytes; `None` when the peer takes any.
    #[must_use]
    pub fn max_streamed_size(&self) -> Option<usize> {
        self.channels.remote_max_message_size()
    }

    /// The next message of a channel. Messages that are not fetched close the peer's window.
    pub fn recv_data(&mut self, now: Instant, key: ChannelKey) -> Option<Payload> {
        let now = self.advance(now);
        self.channels.recv(now, key)
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

    /// Payload bytes sent and not yet acknowledged by the peer or given up; those still queued are not counted.
    #[must_use]
    pub fn outstanding_amount(&self, key: ChannelKey) -> usize {
        self.channels.outstanding_amount(key)
    }

    /// Whether everything sent on a channel was acknowledged by the peer or given up.
    #[must_use]
    pub fn is_flushed(&self, key: ChannelKey) -> bool {
        self.channels.is_flushed_on(key)
    }

    /// The state of a channel; closed when it is gone.
    #[must_use]
    pub fn data_channel_state(&self, key: ChannelKey) -> DataChannelState {
        if self.is_closing() {
            return DataChannelState::Closed;
        }
        match self.channels.state(key) {
            ChannelState::Connecting => DataChannelState::Connecting,
            ChannelState::Open => DataChannelState::Open,
            ChannelState::Closing => DataChannelState::Closing,
            ChannelState::Closed => DataChannelState::Closed,
        }
    }

    /// The stream identifier of a channel, once it has one.
    #[must_use]
    pub fn data_channel_id(&self, key: ChannelKey) -> Option<u16> {
        self.channels.id(key).map(|id| id.0)
    }

    /// The largest message the peer takes, in bytes (W3C `maxMessageSize`).
    #[must_use]
    pub fn max_message_size(&self) -> usize {
        self.channels.max_message_size()
    }

    /// SCTP starts when DTLS is up and both descriptions want it; both sides send INIT (RFC 8831 §6.1).
    pub(super) fn start_channels_when_connected(&mut self, now: Instant) {
        let Dtls::Running(connection) = &self.transport.dtls else { return };
        if !self.sctp_wanted || !connection.is_connected() {
            return;
        }
        let role = match connection.role() {
            dtls::Role::Client => Role::Client,
            dtls::Role::Server => Role::Server,
        };
        if let Some(round_trip) = self.transport.ice.round_trip() {
            self.channels.set_round_trip(round_trip);
        }
        self.start_channels(now, role);
        self.settle_channels();
    }

    /// What our descriptions say in `a=sctp-init`.
    #[cfg(feature = "snap")]
    pub(super) fn local_sctp_init(&self) -> Option<Vec<u8>> {
        (self.config.sctp_setup == crate::SctpSetup::Description).then(|| self.channels.local_init())
    }

    #[cfg(not(feature = "snap"))]
    #[expect(clippy::unused_self, reason = "with the feature it is asked")]
    pub(super) fn local_sctp_init(&self) -> Option<Vec<u8>> {
        None
    }

    #[cfg(feature = "snap")]
    fn start_channels(&mut self, now: Instant, role: Role) {
        let remote = self.remote_sctp_init.as_deref().and_then(|init| sctp::RemoteInit::parse(init).ok());
        match remote {
            Some(remote) => self.channels.start_from_init(now, role, &remote),
            None => self.channels.start(now, role),
        }
    }

    #[cfg(not(feature = "snap"))]
    fn start_channels(&mut self, now: Instant, role: Role) {
        self.channels.start(now, role);
    }

    /// Turns what the channels report into events of the session.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "room and low marks show in the buffered amount, which is looked at in every turn"
    )]
    pub(super) fn settle_channels(&mut self) {
        while let Some(event) = self.channels.poll_event() {
            let event = match event {
                Event::Announced(key) => {
                    let Some(init) = self.channels.init(key) else { continue };
                    self.data_channels_wanted = true;
                    SessionEvent::DataChannel(AnnouncedChannel {
                        channel: key,
                        label: init.label().to_owned(),
                        init: init_of(init),
                    })
                }
                Event::Readable(key) => SessionEvent::DataChannelReadable(key),
                Event::Closed(key, end) => {
                    self.push(SessionEvent::DataChannelClosed { channel: key, end: end_of(end) });
                    SessionEvent::DataChannelStateChange(key)
                }
                Event::Abandoned { id, .. } => SessionEvent::MessageAbandoned(id),
                Event::Delivered(id) => SessionEvent::MessageDelivered(id),
                Event::Closing(key) | Event::Opened(key) => SessionEvent::DataChannelStateChange(key),
                Event::Connected { .. } | Event::AssociationClosed(_) => {
                    self.descriptions_changed = true;
                    continue;
                }
                _ => continue,
            };
            self.push(event);
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is not known is the association's affair")]
fn end_of(end: ChannelEnd) -> DataChannelEnd {
    match end {
        ChannelEnd::Closed => DataChannelEnd::Closed,
        ChannelEnd::ClosedByPeer => DataChannelEnd::ClosedByPeer,
        ChannelEnd::MessageTooLarge => DataChannelEnd::MessageTooLarge,
        ChannelEnd::NoStream => DataChannelEnd::NoStream,
        ChannelEnd::Violation => DataChannelEnd::Violation,
        _ => DataChannelEnd::Association,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is not known to give up does not")]
fn init_of(init: &ChannelInit) -> DataChannelInit {
    DataChannelInit {
        ordered: init.order() == Order::Ordered,
        reliability: match init.reliability() {
            datachannel::Reliability::MaxLifetime(lifetime) => Reliability::MaxPacketLifeTime(lifetime),
            datachannel::Reliability::MaxRetransmits(count) => Reliability::MaxRetransmits(count),
            _ => Reliability::Reliable,
        },
        protocol: init.protocol().to_owned(),
        negotiated: init.negotiated().map(|id| id.0),
        priority: priority_of(init.priority()),
    }
}

/// RFC 8831 §6.4, RFC 8832 §8.2.2: the values that WebRTC uses.
fn priority_to_wire(priority: DataChannelPriority) -> Priority {
    match priority {
        DataChannelPriority::VeryLow => Priority::VERY_LOW,
        DataChannelPriority::Low => Priority::LOW,
        DataChannelPriority::Medium => Priority::MEDIUM,
        DataChannelPriority::High => Priority::HIGH,
    }
}

/// The class of the nearest value below; peers may choose any number (RFC 8832 §5.1).
fn priority_of(priority: Priority) -> DataChannelPriority {
    match priority {
        priority if priority >= Priority::HIGH => DataChannelPriority::High,
        priority if priority >= Priority::MEDIUM => DataChannelPriority::Medium,
        priority if priority >= Priority::LOW => DataChannelPriority::Low,
        _ => DataChannelPriority::VeryLow,
    }
}
