//! All channels of one association: the public face.

mod close;
mod establish;
mod pieces;
mod receive;
mod snapshot;

pub(crate) use snapshot::ChannelsSnapshot;

use crate::channel::{Channel, ChannelState, Owed};
use crate::config::Config;
use crate::error::{OpenError, SendError};
use crate::event::Event;
use crate::ids::{ChannelId, Role};
use crate::init::ChannelInit;
use crate::payload::{Payload, SendOptions};
use crate::slab::{ChannelKey, Slab};
use crate::stats::Stats;
use crypto::Random;
#[cfg(feature = "snap")]
use sctp::RemoteInit;
use sctp::{Association, Fragmentation, PathInfo, StreamId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the peer takes when it does not say (RFC 8841 §6.1).
const DEFAULT_REMOTE_LIMIT: usize = 65_536;

/// The longest label and protocol: their lengths have 16 bits (RFC 8832 §5.1).
const MAX_TEXT: usize = 65_535;

/// The data channels over one DTLS connection.
///
/// Bytes only: what [`poll_transmit`](Self::poll_transmit) writes goes into one DTLS record, what a DTLS record held
/// goes into [`handle_packet`](Self::handle_packet). Channels may be opened before [`start`](Self::start).
pub struct Channels {
    pub(crate) config: Arc<Config>,
    pub(crate) sctp: Association,
    pub(crate) channels: Slab<Channel>,
    pub(crate) by_id: BTreeMap<ChannelId, ChannelKey>,
    /// Streams of channels refused, until the peer has reset them.
    pub(crate) refused: BTreeSet<ChannelId>,
    /// Numbers that cannot be used again: the peer cannot reset streams.
    pub(crate) burned: BTreeSet<ChannelId>,
    pub(crate) phase: Phase,
    pub(crate) role: Option<Role>,
    pub(crate) remote_limit: Option<usize>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) space_queued: bool,
    /// For the next association, too.
    first_window: Option<usize>,
    pub(crate) stats: Stats,
}

/// How far the association is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not connected.
    Connecting,
    /// Connected; numbers lie below this.
    Connected {
        max_channels: u16,
    },
    Closed,
}

impl Channels {
    /// No channels yet, over an association that answers its peer.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant, rng: Box<dyn Random>) -> Self {
        Self {
            sctp: Association::new(Arc::clone(&config.sctp), now, rng),
            config,
            channels: Slab::new(),
            by_id: BTreeMap::new(),
            refused: BTreeSet::new(),
            burned: BTreeSet::new(),
            phase: Phase::Connecting,
            role: None,
            remote_limit: Some(DEFAULT_REMOTE_LIMIT),
            events: VecDeque::new(),
            space_queued: false,
            first_window: None,
            stats: Stats::default(),
        }
    }

    /// DTLS is up: connects the association, gives numbers to channels that have none. Both sides call it. A second
    /// call does nothing.
    pub fn start(&mut self, now: Instant, role: Role) {
        if self.adopt_role(now, role) {
            self.sctp.connect(now);
            self.drain(now);
        }
    }

    /// The same without a handshake: both descriptions carried an INIT (draft-hancke-tsvwg-snap).
    #[cfg(feature = "snap")]
    pub fn start_from_init(&mut self, now: Instant, role: Role, remote: &RemoteInit) {
        if self.adopt_role(now, role) {
            if self.sctp.start_from_init(now, remote).is_err() {
                self.sctp.connect(now);
            }
            self.drain(now);
        }
    }

    /// What our description says in `a=sctp-init`: see [`sctp::Association::local_init`].
    #[cfg(feature = "snap")]
    #[must_use]
    pub fn local_init(&self) -> Vec<u8> {
        self.sctp.local_init()
    }

    fn adopt_role(&mut self, now: Instant, role: Role) -> bool {
        if self.role.is_some() || self.phase == Phase::Closed {
            return false;
        }
        self.role = Some(role);
        for key in self.channels.keys() {
            self.assign_id(key);
            self.announce(now, key);
        }
        true
    }

    /// Makes a channel. Before the association is established it waits for that; [`Event::Opened`] says when messages
    /// may be sent.
    ///
    /// # Errors
    /// See [`OpenError`]. A channel that gets no number later, because the peer takes fewer streams, is closed with
    /// [`ChannelEnd::NoStream`](crate::ChannelEnd::NoStream).
    pub fn open(&mut self, now: Instant, init: ChannelInit) -> Result<ChannelKey, OpenError> {
        self.check(&init)?;
        let id = init.negotiated;
        if let Some(id) = id {
            self.check_id(id)?;
        } else if self.role.is_some() && self.free_id().is_none() {
            return Err(OpenError::NoIdLeft);
        }
        let key = self.channels.insert(Channel::new(init, id, ChannelState::Connecting));
        if let Some(id) = id {
            self.adopt_id(key, id);
        }
        self.assign_id(key);
        self.announce(now, key);
        self.drain(now);
        Ok(key)
    }

    /// Queues a message on an open channel.
    ///
    /// # Errors
    /// See [`SendError`]; the message comes back in each.
    pub fn send(&mut self, now: Instant, key: ChannelKey, payload: Payload) -> Result<(), SendError> {
        self.send_with(now, key, payload, SendOptions::new())
    }

    /// The same, with options.
    ///
    /// # Errors
    /// See [`SendError`]; the message comes back in each.
    pub fn send_with(
        &mut self,
        now: Instant,
        key: ChannelKey,
        payload: Payload,
        wanted: SendOptions,
    ) -> Result<(), SendError> {
        let limit = self.max_message_size();
        let Some(channel) = self.channels.get(key).filter(|channel| channel.state == ChannelState::Open)
        else {
            return Err(SendError::NotOpen(payload));
        };
        let Some(id) = channel.id else { return Err(SendError::NotOpen(payload)) };
        if payload.data.len() > limit {
            return Err(SendError::TooLarge { limit, payload });
        }
        if channel.owed != Owed::Nothing {
            return Err(SendError::WouldBlock(payload));
        }
        let len = payload.data.len();
        let options = wanted.apply(channel.init.send_options());
        // An empty message has a byte on the wire that is nobody's payload.
        let options = if len == 0 { options.with_uncounted() } else { options };
        match self.sctp.send(now, id.stream(), payload.clone().into_message(), options) {
            Ok(()) => {
                self.stats.messages_sent += 1;
                self.stats.bytes_sent += len as u64;
                Ok(())
            }
            Err(sctp::SendError::TooLarge { limit }) => Err(SendError::TooLarge { limit, payload }),
            Err(sctp::SendError::Open(_)) => Err(SendError::MessageOpen(payload)),
            // Resetting happens while the peer confirms the end of the stream's last user.
            Err(sctp::SendError::WouldBlock(_) | sctp::SendError::Resetting) => {
                Err(SendError::WouldBlock(payload))
            }
            Err(_) => Err(SendError::NotOpen(payload)),
        }
    }

    /// Takes the next message of a channel. What is not taken closes the window towards the peer, for all channels.
    #[must_use = "the message is lost otherwise"]
    pub fn recv(&mut self, now: Instant, key: ChannelKey) -> Option<Payload> {
        let payload = self.receive(now, key)?;
        self.stats.messages_received += 1;
        self.stats.bytes_received += payload.data.len() as u64;
        Some(payload)
    }

    /// Closes a channel: what is queued still goes out, what arrives is dropped (RFC 8831 §6.7). [`Event::Closed`]
    /// tells when both sides are through.
    pub fn close(&mut self, now: Instant, key: ChannelKey) {
        self.close_by_user(now, key);
        self.drain(now);
    }

    /// Ends the association once everything queued has arrived. It ends all channels.
    pub fn shutdown(&mut self, now: Instant) {
        self.sctp.shutdown(now);
        self.drain(now);
    }

    /// Ends the association at once; `reason` goes to the peer, cut to 64 bytes.
    pub fn abort(&mut self, now: Instant, reason: &str) {
        self.sctp.abort(now, reason);
        self.drain(now);
    }

    /// Begins anew, for another DTLS association or after the end of this one: an association does not outlive the DTLS
    /// below it (RFC 8841 §10.3). Channels of the last association are closed; channels opened from now on wait for
    /// [`start`](Self::start). Nothing happens when there was no association.
    pub fn renew(&mut self, now: Instant, rng: Box<dyn Random>) {
        if self.role.is_none() && self.phase != Phase::Closed {
            return;
        }
        self.drain(now);
        self.on_restarted();
        self.sctp = Association::new(Arc::clone(&self.config.sctp), now, rng);
        if let Some(bytes) = self.first_window {
            self.sctp.limit_first_window(bytes);
        }
        self.phase = Phase::Connecting;
        self.role = None;
        self.space_queued = false;
    }

    /// Whether the association has ended; [`renew`](Self::renew) makes room for another.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Takes in one SCTP packet: the plaintext of one DTLS record.
    pub fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        self.sctp.handle_packet(now, packet);
        self.drain(now);
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.sctp.handle_timeout(now);
        self.drain(now);
    }

    /// The exact length of the next packet, when that is cheap to say: lets a caller batch packets of equal size.
    #[must_use]
    pub fn next_len(&self, now: Instant) -> Option<usize> {
        self.sctp.next_len(now)
    }

    /// Appends one packet, for one DTLS record; gives its length.
    #[must_use]
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<NonZeroUsize> {
        let len = self.sctp.poll_transmit(now, out);
        self.drain(now);
        len
    }

    /// The next fact, oldest first.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        match &event {
            Event::Readable(key) => {
                if let Some(channel) = self.channels.get_mut(*key) {
                    channel.readable_queued = false;
                }
            }
            Event::BufferedAmountLow(key) => {
                if let Some(channel) = self.channels.get_mut(*key) {
                    channel.low_queued = false;
                }
            }
            Event::SendSpace => self.space_queued = false,
            Event::Abandoned { .. }
            | Event::Delivered(_)
            | Event::Announced(_)
            | Event::AssociationClosed(_)
            | Event::Closed(..)
            | Event::Closing(_)
            | Event::Connected { .. }
            | Event::Opened(_) => {}
        }
        Some(event)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sctp.poll_timeout()
    }

    /// Sets the largest packet, in bytes: what the path carries, less what IP, UDP, TURN and DTLS add.
    pub fn set_max_packet_len(&mut self, bytes: usize) {
        self.sctp.set_max_packet_len(bytes);
    }

    /// Begins with a receive window of at most this many bytes: see [`sctp::Association::limit_first_window`].
    pub fn limit_first_window(&mut self, bytes: usize) {
        self.first_window = Some(bytes);
        self.sctp.limit_first_window(bytes);
    }

    /// Lets at most this many bytes go in a second, counted as SCTP packets; `None`, the default, as many as the path
    /// takes. It keeps a transfer from starving a call on the same connection.
    pub fn set_send_budget(&mut self, now: Instant, bytes_per_second: Option<NonZeroU64>) {
        self.sctp.set_send_budget(now, bytes_per_second);
    }

    /// Tells of the path, and of every new one: see [`sctp::Association::set_path`].
    pub fn set_path(&mut self, now: Instant, path: PathInfo) {
        self.sctp.set_path(now, path);
    }

    /// Tells that a datagram was refused for its length: see [`sctp::Association::handle_too_large`].
    pub fn handle_too_large(&mut self, now: Instant) {
        self.sctp.handle_too_large(now);
    }

    /// What may happen on the way to the packet written last: see [`sctp::Association::fragmentation`].
    #[must_use]
    pub fn fragmentation(&self) -> Fragmentation {
        self.sctp.fragmentation()
    }

    /// The largest packet in use, in bytes.
    #[must_use]
    pub fn packet_len(&self) -> usize {
        self.sctp.packet_len()
    }

    /// Tells the round-trip time that a layer below has measured; the first timeouts follow from it.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.sctp.set_round_trip(round_trip);
    }

    /// Sets what the peer takes, from its `a=max-message-size`: `None` when it has no such attribute, which means
    /// 65,536, and zero for any size (RFC 8841 §6.1).
    pub fn set_remote_max_message_size(&mut self, attribute: Option<u64>) {
        self.remote_limit = match attribute {
            None => Some(DEFAULT_REMOTE_LIMIT),
            Some(0) => None,
            Some(limit) => Some(usize::try_from(limit).unwrap_or(usize::MAX)),
        };
    }

    /// Sets the number of queued bytes at or below which [`Event::BufferedAmountLow`] is given when the queue falls to
    /// it from above (webrtc-pc, `bufferedAmountLowThreshold`). Default: 0.
    pub fn set_buffered_amount_low_threshold(&mut self, key: ChannelKey, bytes: usize) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        channel.low_threshold = bytes;
        if let Some(id) = channel.id {
            self.sctp.set_buffered_low_threshold(id.stream(), bytes);
        }
    }

    /// Payload bytes accepted by `send` and not yet written for the first time (webrtc-pc, `bufferedAmount`). What is
    /// in flight is not counted: see [`Stats::in_flight`].
    #[must_use]
    pub fn buffered_amount(&self, key: ChannelKey) -> usize {
        self.stream_of(key).map_or(0, |stream| self.sctp.buffered(stream))
    }

    /// Payload bytes of a channel that were written and are not yet acknowledged, those found lost included.
    #[must_use]
    pub fn outstanding_amount(&self, key: ChannelKey) -> usize {
        self.stream_of(key).map_or(0, |stream| self.sctp.outstanding_on(stream))
    }

    /// Whether everything sent on a channel was acknowledged or given up; `true` for one that is forgotten.
    #[must_use]
    pub fn is_flushed_on(&self, key: ChannelKey) -> bool {
        self.stream_of(key).is_none_or(|stream| self.sctp.is_flushed_on(stream))
    }

    /// Where the channel stands; [`ChannelState::Closed`] for one that is forgotten.
    #[must_use]
    pub fn state(&self, key: ChannelKey) -> ChannelState {
        self.channels.get(key).map_or(ChannelState::Closed, |channel| channel.state)
    }

    /// Its number, once it has one.
    #[must_use]
    pub fn id(&self, key: ChannelKey) -> Option<ChannelId> {
        self.channels.get(key)?.id
    }

    /// Label, protocol and the rest; `None` for a channel that is forgotten.
    #[must_use]
    pub fn init(&self, key: ChannelKey) -> Option<&ChannelInit> {
        self.channels.get(key).map(|channel| &channel.init)
    }

    /// The largest message `send` takes now, in bytes: the smaller of what the peer takes and of the send buffer.
    #[must_use]
    pub fn max_message_size(&self) -> usize {
        self.remote_limit.unwrap_or(usize::MAX).min(self.config.send_buffer)
    }

    /// The largest message the peer takes, in bytes; `None` when it takes any. It bounds messages sent in pieces.
    #[must_use]
    pub fn remote_max_message_size(&self) -> Option<usize> {
        self.remote_limit
    }

    /// Whether everything accepted by `send` was acknowledged or given up.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.sctp.is_flushed()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let transport = self.sctp.stats();
        Stats {
            packets_sent: transport.packets_sent,
            packets_received: transport.packets_received,
            retransmissions: transport.retransmissions,
            congestion_window: transport.congestion_window,
            packet_len: transport.packet_len,
            peer_window: transport.peer_window,
            in_flight: transport.in_flight,
            rtt: transport.rtt,
            ..self.stats.clone()
        }
    }

    fn check(&self, init: &ChannelInit) -> Result<(), OpenError> {
        if self.phase == Phase::Closed {
            Err(OpenError::Closed)
        } else if init.label.len() > MAX_TEXT {
            Err(OpenError::LabelTooLong)
        } else if init.protocol.len() > MAX_TEXT {
            Err(OpenError::ProtocolTooLong)
        } else if self.channels.len() >= self.config.max_channels {
            Err(OpenError::TooManyChannels)
        } else {
            Ok(())
        }
    }

    fn check_id(&self, id: ChannelId) -> Result<(), OpenError> {
        let beyond = matches!(self.phase, Phase::Connected { max_channels } if id.0 >= max_channels);
        if id > ChannelId::MAX || beyond {
            Err(OpenError::IdOutOfRange)
        } else if self.is_taken(id) {
            Err(OpenError::IdInUse)
        } else {
            Ok(())
        }
    }

    fn stream_of(&self, key: ChannelKey) -> Option<StreamId> {
        let channel = self.channels.get(key)?;
        // A closed channel may wait for its last messages to be pulled; its stream is somebody else's by now.
        if channel.state == ChannelState::Closed { None } else { channel.id.map(ChannelId::stream) }
    }

    /// Takes in what the association has to say.
    pub(crate) fn drain(&mut self, now: Instant) {
        while let Some(event) = self.sctp.poll_event() {
            match event {
                sctp::Event::Connected { outbound, inbound } => self.on_connected(now, outbound.min(inbound)),
                sctp::Event::Readable(stream) => self.on_readable(now, ChannelId(stream.0)),
                sctp::Event::BufferedAmountLow(stream) => self.on_buffered_low(ChannelId(stream.0)),
                sctp::Event::SendSpace => self.on_send_space(now),
                sctp::Event::Delivered(id) => {
                    self.events.push_back(Event::Delivered(id));
                }
                sctp::Event::Abandoned { id, progress } => {
                    self.events.push_back(Event::Abandoned { id, progress });
                }
                sctp::Event::StreamReset { stream, direction, outcome } => {
                    self.on_reset(now, ChannelId(stream.0), direction, outcome);
                }
                sctp::Event::MessageTooLarge(stream) => self.on_too_large(now, ChannelId(stream.0)),
                sctp::Event::Restarted => self.on_restarted(),
                sctp::Event::Closed(reason) => self.on_association_closed(reason),
                // Channels stay as they are until the end: what is queued still goes out.
                sctp::Event::ShuttingDown | _ => {}
            }
        }
    }

    fn on_buffered_low(&mut self, id: ChannelId) {
        let Some(&key) = self.by_id.get(&id) else { return };
        let Some(channel) = self.channels.get_mut(key) else { return };
        if !std::mem::replace(&mut channel.low_queued, true) {
            self.events.push_back(Event::BufferedAmountLow(key));
        }
    }

    fn on_send_space(&mut self, now: Instant) {
        for key in self.channels.keys() {
            self.send_owed(now, key);
        }
        if !std::mem::replace(&mut self.space_queued, true) {
            self.events.push_back(Event::SendSpace);
        }
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channels")
            .field("phase", &self.phase)
            .field("channels", &self.channels.len())
            .field("association", &self.sctp)
            .finish_non_exhaustive()
    }
}
