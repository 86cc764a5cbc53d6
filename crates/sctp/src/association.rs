//! The association: the public face, and the way of a packet in.

mod snapshot;

pub(crate) use snapshot::IdentitySnapshot;

use crate::chunk::data::Format;
use crate::chunk::init::Extensions;
use crate::chunk::{self, unknown};
use crate::config::{Config, ErrorDetection, Interleaving};
use crate::cookie::CookieKey;
use crate::error::{AbandonError, AddStreamsError, ResetError, SendError, SendPieceError};
use crate::event::{CloseReason, Direction, Event, Events};
use crate::packet::{Checksum, PacketView};
use crate::path::{Fragmentation, PathInfo};
use crate::pmtu::PathMtu;
use crate::procedure::heartbeat::Heartbeat;
use crate::procedure::reset::Resets;
use crate::procedure::transmit::{Pending, Reply};
use crate::rx::Receiver;
use crate::state::{self, State, Timer, Timers};
use crate::stats::Stats;
use crate::tlv::Tlv;
use crate::trace;
use crate::tx::{self, Sender};
use crate::types::{Delivery, Message, Piece, Ppid, SendOptions, StreamId};
use base::Serial32;
use crypto::Random;
use std::fmt;
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One end of an SCTP association over a DTLS connection.
///
/// It answers from the moment it is made; [`connect`](Self::connect) makes it begin by itself. In WebRTC both ends
/// call it (RFC 8841 §9.3).
pub struct Association {
    pub(crate) config: Arc<Config>,
    pub(crate) rng: Box<dyn Random>,
    /// The latest time seen.
    pub(crate) now: Instant,
    pub(crate) state: State,
    pub(crate) local: Local,
    pub(crate) peer: Peer,
    pub(crate) cookies: CookieKey,
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
    pub(crate) resets: Resets,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) timers: Timers,
    pub(crate) pending: Pending,
    /// Whole packets owed to somebody whose tag is not the association's.
    pub(crate) replies: Vec<Reply>,
    /// Timeouts in a row without an answer (RFC 9260 §8.1), or tries of INIT and COOKIE ECHO.
    pub(crate) errors: u32,
    pub(crate) max_packet_len: usize,
    pub(crate) path_mtu: PathMtu,
    /// Of the packet written last.
    pub(crate) fragmentation: Fragmentation,
    /// What packets of the peer may have for a checksum: what our INIT or INIT ACK announced.
    pub(crate) accepted: Checksum,
    pub(crate) events: Events,
    pub(crate) stats: Stats,
}

/// Our half of the identification.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local {
    pub(crate) tag: u32,
    pub(crate) tsn: Serial32,
}

/// What the peer told us.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peer {
    /// Zero while unknown.
    pub(crate) tag: u32,
    /// Streams we may send on.
    pub(crate) outbound: u16,
    /// Streams the peer may send on.
    pub(crate) inbound: u16,
    pub(crate) extensions: Extensions,
}

impl Peer {
    /// Which chunks carry messages, both ways.
    pub(crate) fn format(&self) -> Format {
        if self.extensions.interleaving { Format::Interleaved } else { Format::Plain }
    }
}

impl Local {
    /// RFC 9260 §5.3.1: never zero.
    pub(crate) fn draw(rng: &mut dyn Random) -> Self {
        //= rfc9260 §3.3.3
        //# The Initiate Tag MUST NOT take the value 0.
        //= rfc9260 §5.3.1
        //# A new Verification Tag value MUST be used each time the endpoint tears down and then reestablishes an
        //# association to the same peer.
        //= rfc9260 §5.3.1
        //# Moreover, the Verification Tag value used by either endpoint in a given association MUST NOT change during
        //# the life time of an association.
        Self { tag: rng.u32().max(1), tsn: Serial32(rng.u32()) }
    }
}

impl Association {
    /// An association that waits for its peer.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant, mut rng: Box<dyn Random>) -> Self {
        let local = Local::draw(&mut *rng);
        let cookies = CookieKey::new(config.cookie_mac, &mut *rng, now, config.cookie_lifetime);
        Self {
            sender: Sender::new(&config, local.tsn),
            receiver: Receiver::new(&config),
            resets: Resets::new(&config, local.tsn, Serial32(0)),
            heartbeat: Heartbeat::default(),
            timers: state::timers(),
            pending: Pending::default(),
            replies: Vec::new(),
            errors: 0,
            max_packet_len: config.max_packet_len,
            path_mtu: PathMtu::fixed(config.max_packet_len),
            fragmentation: Fragmentation::Forbidden,
            accepted: Checksum::Crc32c,
            events: Events::default(),
            stats: Stats::default(),
            state: State::Closed,
            peer: Peer::default(),
            config,
            rng,
            now,
            local,
            cookies,
        }
    }

    /// Sends INIT (RFC 9260 §5.1). Does nothing when the association has begun already.
    pub fn connect(&mut self, now: Instant) {
        let now = self.tick(now);
        self.start_init(now);
    }

    /// Takes in one packet: the plaintext of one DTLS record.
    pub fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        let now = self.tick(now);
        if self.state.is_over() {
            return;
        }
        self.stats.packets_received += 1;
        self.stats.bytes_received += packet.len() as u64;
        let view = PacketView::parse(packet, self.accepted).ok().filter(|view| {
            view.source_port == self.config.remote_port && view.destination_port == self.config.local_port
        });
        let Some(view) = view else {
            self.stats.malformed_packets += 1;
            trace::debug!(len = packet.len(), "malformed packet dropped");
            return;
        };
        if !self.accepts(&view) {
            return;
        }
        //= rfc9260 §6.10
        //# An endpoint MUST process received chunks in their order in the packet.
        //= rfc9260 §6
        //# they MUST be implemented by the data receiver, i.e., an endpoint MUST properly receive and process bundled
        //# or fragmented data.
        for chunk in view.chunks.flatten() {
            if !self.on_chunk(now, &view, &chunk) || self.state.is_over() {
                break;
            }
        }
        self.finish_packet(now);
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.tick(now);
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::Init => self.on_init_timeout(now),
                Timer::Cookie => self.on_cookie_timeout(now),
                Timer::Shutdown => self.on_shutdown_timeout(now),
                Timer::TailProbe => self.on_probe_timeout(now),
                Timer::Reorder => self.on_reorder_timeout(now),
                Timer::Retransmit => self.on_retransmit_timeout(now),
                Timer::Ack => self.receiver.acknowledge_now(),
                Timer::Heartbeat => self.on_heartbeat_timeout(now),
                // What it held is written when it is asked for.
                Timer::Pace => {}
                Timer::Reconfig => self.on_reconfig_timeout(now),
                Timer::PathMtu => self.on_path_mtu_timeout(now),
            }
        }
    }

    /// The exact length of the next packet, when that is cheap to say: when it will hold nothing but new data. It lets
    /// a caller who writes packets of equal size back to back know beforehand whether the next one is such.
    #[must_use]
    pub fn next_len(&self, now: Instant) -> Option<usize> {
        let now = now.max(self.now);
        let only_data = self.state.may_send_data()
            && self.replies.is_empty()
            && self.pending.is_empty()
            && self.path_mtu.due().is_none()
            && !self.receiver.is_ack_owed()
            && !self.sender.is_forward_pending()
            && !self.resets.has_something(&self.sender);
        if only_data { self.sender.next_packet_len(now) } else { None }
    }

    /// Appends one packet of at most the configured length; gives its length.
    ///
    /// A chunk that was cut for larger packets and has to be repeated after they became smaller goes as it is: SCTP
    /// cannot cut it again. IP can: see [`fragmentation`](Self::fragmentation).
    #[must_use]
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<NonZeroUsize> {
        let now = self.tick(now);
        self.write_packet(now, out)
    }

    /// Sets the largest packet, in bytes, of a path that is known, and ends the search for larger ones. See
    /// [`Config::with_max_packet_len`].
    pub fn set_max_packet_len(&mut self, bytes: usize) {
        self.path_mtu = PathMtu::fixed(tx::clamp_packet_len(bytes));
        self.apply_path_mtu();
    }

    /// Tells of the path, and of every new one: the largest packet it carries is searched for (RFC 8899), and what
    /// congestion control knew of the path before is forgotten (RFC 8831 §5).
    pub fn set_path(&mut self, now: Instant, path: PathInfo) {
        self.tick(now);
        self.follow_path(path);
    }

    /// Tells that the layers below refused to send a datagram because it was too long for the local interface: the
    /// size that was tried, or the one in use, counts as too large at once.
    pub fn handle_too_large(&mut self, now: Instant) {
        let now = self.tick(now);
        if !self.state.is_over() {
            self.on_refused(now);
        }
    }

    /// What may happen on the way to the packet that [`poll_transmit`](Self::poll_transmit) wrote last.
    #[must_use]
    pub fn fragmentation(&self) -> Fragmentation {
        self.fragmentation
    }

    /// The largest packet in use, in bytes.
    #[must_use]
    pub fn packet_len(&self) -> usize {
        self.max_packet_len
    }

    /// Begins with a receive window of at most this many bytes, when that is less than
    /// [`Config::with_receive_buffer`] says, but with room for the largest message: what the layers below can hold while
    /// nobody reads. It counts from the next handshake on; the window grows from there as usual.
    pub fn limit_first_window(&mut self, bytes: usize) {
        self.receiver.limit_first(bytes);
    }

    /// Lets at most this many bytes go in a second, as SCTP packets, the headers of layers below left out; `None`, the
    /// default, as many as the path takes. It keeps a transfer from starving a call on the same path: who divides the
    /// path's capacity says here what is left for data.
    ///
    /// What was not used is not saved up, but for a burst of 16 packets or 2 ms. A packet that asks for an
    /// acknowledgement, or repeats the first one after a timeout, is counted and does not wait.
    pub fn set_send_budget(&mut self, now: Instant, bytes_per_second: Option<NonZeroU64>) {
        let now = self.tick(now);
        self.sender.set_budget(now, bytes_per_second);
    }

    /// Tells the round-trip time that a layer below has measured. Until there is a measurement of our own, timeouts
    /// follow from it instead of RTO.Initial.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.sender.rto.expect(round_trip);
    }

    /// Queues a message. Before the association is established it waits for that.
    ///
    /// # Errors
    /// See [`SendError`]. With [`SendError::WouldBlock`] the message comes back.
    pub fn send(
        &mut self,
        now: Instant,
        stream: StreamId,
        message: Message,
        options: SendOptions,
    ) -> Result<(), SendError> {
        let now = self.tick(now);
        match self.accepts_messages() {
            Ok(()) => {}
            Err(Refusal::ShuttingDown) => return Err(SendError::ShuttingDown),
            Err(Refusal::Closed) => return Err(SendError::Closed),
        }
        //= rfc9260 §6.5
        //# Every DATA chunk MUST carry a valid stream identifier.
        if !self.has_stream(stream) {
            return Err(SendError::UnknownStream);
        }
        //= rfc9260 §3.3.1
        //# where L MUST be greater than 0.
        if message.payload.is_empty() {
            return Err(SendError::Empty);
        }
        if self.sender.queue.is_resetting(stream) {
            return Err(SendError::Resetting);
        }
        if self.sender.queue.is_open(stream) {
            return Err(SendError::Open(message));
        }
        self.sender.send(now, stream, message, options, &mut self.events, &mut self.stats)?;
        self.stats.messages_sent += 1;
        Ok(())
    }

    /// Queues a piece of a message. The first piece begins the message, and its options count; one with
    /// [`End::Last`](crate::End::Last) ends it (any other end than [`End::More`](crate::End::More) does). Until then
    /// the stream is the message's: [`send`](Self::send) is refused. How large a message becomes in the end does not
    /// matter to either side's memory, if the receiver [takes it in pieces](Self::set_delivery) too.
    ///
    /// Fragments of an open message fill whole packets. What does not fill one waits for more, for the end, or for
    /// [`flush_pieces`](Self::flush_pieces); the last byte always waits for the end, as there is no chunk without user
    /// data (RFC 9260 §3.3.1). For something interactive, messages are better than pieces.
    ///
    /// Without interleaving (RFC 8260) the fragments of a message have consecutive TSNs: from the first one sent until
    /// the message is ended, all other streams wait.
    ///
    /// # Errors
    /// See [`SendPieceError`]. With [`SendPieceError::WouldBlock`] the piece comes back.
    pub fn send_piece(
        &mut self,
        now: Instant,
        stream: StreamId,
        piece: Piece,
        options: SendOptions,
    ) -> Result<(), SendPieceError> {
        let now = self.tick(now);
        let begins = !self.sender.queue.is_open(stream);
        match self.accepts_messages() {
            Err(Refusal::Closed) => return Err(SendPieceError::Closed),
            Err(Refusal::ShuttingDown) if begins => return Err(SendPieceError::ShuttingDown),
            // What is begun is finished (RFC 9260 §9.2).
            Ok(()) | Err(Refusal::ShuttingDown) => {}
        }
        if !self.has_stream(stream) {
            return Err(SendPieceError::UnknownStream);
        }
        if begins && self.sender.queue.is_resetting(stream) {
            return Err(SendPieceError::Resetting);
        }
        let is_last = piece.end != crate::types::End::More;
        self.sender.send_piece(now, stream, piece, options, &mut self.events, &mut self.stats)?;
        self.stats.messages_sent += u64::from(is_last);
        Ok(())
    }

    /// Lets what was queued of an open message go although it does not fill a packet; the last byte still waits for
    /// the end. Does nothing on a stream without one.
    pub fn flush_pieces(&mut self, now: Instant, stream: StreamId) {
        self.tick(now);
        self.sender.queue.flush_open(stream);
    }

    /// Gives up the open message of a stream. If nothing of it was sent yet, the peer never hears of it; otherwise it
    /// is told to skip it (RFC 3758).
    ///
    /// # Errors
    /// See [`AbandonError`].
    pub fn abandon_message(&mut self, now: Instant, stream: StreamId) -> Result<(), AbandonError> {
        let now = self.tick(now);
        self.sender.abandon_open(now, stream, &mut self.events, &mut self.stats)?;
        if self.state.is_connected() {
            self.arm_retransmit(now);
            self.continue_shutdown(now);
        }
        Ok(())
    }

    /// Ends the open message of a stream where it is. Does nothing on a stream without one.
    pub fn end_message(&mut self, now: Instant, stream: StreamId) {
        let now = self.tick(now);
        self.sender.queue.end_open(now, stream);
    }

    /// Whether a message is open on the stream for more pieces.
    #[must_use]
    pub fn is_open(&self, stream: StreamId) -> bool {
        self.sender.queue.is_open(stream)
    }

    /// Sets whether the messages of a stream are taken whole or in pieces. Default: [`Delivery::Messages`].
    ///
    /// In pieces, [`Config::with_max_message_size`] does not apply, and a message is given out while it arrives:
    /// ordered ones in their order, unordered ones one after another. Without interleaving, unordered messages come as
    /// one piece each. Back from pieces to messages takes effect between messages only: while one is being given out,
    /// the call does nothing.
    pub fn set_delivery(&mut self, stream: StreamId, delivery: Delivery) {
        // Nothing is told behind the end.
        let mut untold = Events::default();
        let events = if matches!(self.state, State::Done) { &mut untold } else { &mut self.events };
        self.receiver.set_delivery(stream, delivery, events);
    }

    /// How the messages of a stream are taken.
    #[must_use]
    pub fn delivery(&self, stream: StreamId) -> Delivery {
        if self.receiver.is_streamed(stream) { Delivery::Pieces } else { Delivery::Messages }
    }

    /// Takes what is there of the next message of a stream with [`Delivery::Pieces`]; how the sender cut it does not
    /// matter. What is not taken closes the window towards the peer.
    #[must_use = "the piece is lost otherwise"]
    pub fn recv_piece(&mut self, stream: StreamId) -> Option<Piece> {
        let piece = self.receiver.recv_piece(stream)?;
        self.stats.messages_received += u64::from(piece.end == crate::types::End::Last);
        Some(piece)
    }

    /// What the next piece of a stream with [`Delivery::Pieces`] belongs to, if there is one.
    #[must_use]
    pub fn peek_piece(&self, stream: StreamId) -> Option<Ppid> {
        self.receiver.peek_piece(stream)
    }

    /// Takes the next message, streams in turn. What is not taken closes the window towards the peer.
    #[must_use = "the message is lost otherwise"]
    pub fn recv(&mut self) -> Option<(StreamId, Message)> {
        let received = self.receiver.recv()?;
        self.stats.messages_received += 1;
        Some(received)
    }

    /// Takes the next message of one stream.
    #[must_use = "the message is lost otherwise"]
    pub fn recv_from(&mut self, stream: StreamId) -> Option<Message> {
        let message = self.receiver.recv_from(stream)?;
        self.stats.messages_received += 1;
        Some(message)
    }

    /// Looks at the next message of one stream without taking it: what it is, and its bytes.
    #[must_use]
    pub fn peek(&self, stream: StreamId) -> Option<(Ppid, &bytes::Bytes)> {
        self.receiver.peek(stream)
    }

    /// Lets a stream begin anew once what is queued on it has gone out (RFC 6525 §5.1.2). Until
    /// [`Event::StreamReset`] tells how it ended, nothing more can be sent on it.
    ///
    /// # Errors
    /// See [`ResetError`].
    pub fn reset_stream(&mut self, now: Instant, stream: StreamId) -> Result<(), ResetError> {
        self.tick(now);
        self.ask_for_reset(stream, Direction::Outgoing)
    }

    /// Asks the peer to let a stream that it sends on begin anew (RFC 6525 §5.1.3). [`Event::StreamReset`] with
    /// [`Direction::Incoming`] comes behind the last message sent before, or tells that the peer refused.
    ///
    /// # Errors
    /// See [`ResetError`].
    pub fn request_reset(&mut self, now: Instant, stream: StreamId) -> Result<(), ResetError> {
        self.tick(now);
        self.ask_for_reset(stream, Direction::Incoming)
    }

    /// Asks the peer for `count` streams more in one direction, after those there are (RFC 6525 §5.1.5, §5.1.6).
    /// [`Event::StreamsChanged`] or [`Event::StreamsDenied`] is the answer. A peer grants only streams below the limit
    /// it began with ([`Config::with_streams`], for one of this kind), or that its own user asked for.
    ///
    /// # Errors
    /// See [`AddStreamsError`].
    pub fn add_streams(
        &mut self,
        now: Instant,
        direction: Direction,
        count: NonZeroU16,
    ) -> Result<(), AddStreamsError> {
        self.tick(now);
        self.ask_for_streams(direction, count)
    }

    /// Ends the association once everything queued is acknowledged (RFC 9260 §9.2). One that is not yet established
    /// ends at once.
    pub fn shutdown(&mut self, now: Instant) {
        let now = self.tick(now);
        self.start_shutdown(now);
    }

    /// Ends the association at once (RFC 9260 §9.1); `reason` goes to the peer, cut to 64 bytes.
    pub fn abort(&mut self, now: Instant, reason: &str) {
        self.tick(now);
        self.abort_by_user(reason);
    }

    /// Sets the number of queued bytes at or below which [`Event::BufferedAmountLow`] is given when the queue falls to
    /// it from above. Default: 0.
    pub fn set_buffered_low_threshold(&mut self, stream: StreamId, bytes: usize) {
        self.sender.queue.set_low_threshold(stream, bytes);
    }

    /// Sets the share of a stream among those that have something to send: RFC 8831 §6.4 uses 128, 256 (the default),
    /// 512 and 1024. A zero counts as one. With [`Scheduler::Priority`](crate::Scheduler::Priority) the highest goes
    /// first; other schedulers make nothing of it. It counts from the next message, or fragment, on.
    pub fn set_weight(&mut self, stream: StreamId, weight: u16) {
        self.sender.queue.set_weight(stream, weight);
    }

    /// The next fact, oldest first.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop()?;
        self.sender.polled(&event, &mut self.events);
        Some(event)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next().map(|(at, _)| at)
    }

    /// The same with the reason, for logs.
    #[must_use]
    pub fn next_timer(&self) -> Option<(Instant, Timer)> {
        self.timers.next()
    }

    /// Payload bytes on a stream that were not yet written for the first time.
    #[must_use]
    pub fn buffered(&self, stream: StreamId) -> usize {
        self.sender.queue.buffered(stream)
    }

    /// Payload bytes written and not yet acknowledged, of all streams; those found lost and not yet repeated are not
    /// counted.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.sender.in_flight()
    }

    /// Payload bytes of a stream that were written and not yet acknowledged in any way, those found lost included.
    #[must_use]
    pub fn outstanding_on(&self, stream: StreamId) -> usize {
        self.sender.unacked_on(stream)
    }

    /// Whether everything accepted by [`send`](Self::send) on a stream was acknowledged or given up.
    #[must_use]
    pub fn is_flushed_on(&self, stream: StreamId) -> bool {
        !self.sender.queue.has_messages(stream) && self.sender.unacked_on(stream) == 0
    }

    /// Whether everything accepted by [`send`](Self::send) was acknowledged or given up.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.sender.is_drained()
    }

    /// Whether messages of different streams are interleaved (RFC 8260): both sides offered it.
    #[must_use]
    pub fn is_interleaving(&self) -> bool {
        self.peer.format().is_interleaved()
    }

    /// Whether the association is established or being shut down.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state.is_connected()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        self.sender.fill_stats(&mut stats);
        stats.receive_held = self.receiver.held();
        stats.packet_len = self.max_packet_len;
        stats.receive_buffer = self.receiver.buffer();
        stats
    }

    fn accepts_messages(&self) -> Result<(), Refusal> {
        match self.state {
            State::Closed | State::CookieWait | State::CookieEchoed { .. } | State::Established => Ok(()),
            State::ShutdownPending
            | State::ShutdownSent
            | State::ShutdownReceived
            //= rfc9260 §4
            //# In the SHUTDOWN-RECEIVED state, the endpoint MUST NOT accept any new send requests from its SCTP user.
            //= rfc9260 §4
            //# In the SHUTDOWN-ACK-SENT state, the endpoint MUST NOT accept any new send requests from its SCTP user.
            | State::ShutdownAckSent => Err(Refusal::ShuttingDown),
            State::Ending { .. } | State::Done => Err(Refusal::Closed),
        }
    }

    fn has_stream(&self, stream: StreamId) -> bool {
        let streams = if self.peer.tag == 0 { self.config.outbound_streams } else { self.peer.outbound };
        stream.0 < streams
    }

    /// The latest time seen: one before it counts as it.
    pub(crate) fn tick(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    /// What our INIT and INIT ACK offer.
    pub(crate) fn offered(&self) -> Extensions {
        let zero_checksum = self.config.error_detection == ErrorDetection::Dtls;
        let interleaving = self.config.interleaving == Interleaving::Offered;
        Extensions {
            forward_tsn: true,
            pad: true,
            reconfig: true,
            interleaving,
            i_forward_tsn: interleaving,
            zero_checksum,
        }
    }

    /// The peer is being told what we offer.
    pub(crate) fn announce(&mut self) {
        if self.offered().zero_checksum {
            self.accepted = Checksum::OrZero;
        }
    }

    /// The end, with no packet left to write.
    pub(crate) fn close(&mut self, reason: CloseReason) {
        trace::debug!(?reason, "association closed");
        self.state = State::Done;
        self.timers.stop_all();
        self.pending = Pending::default();
        self.replies.clear();
        self.sender.clear();
        self.events.push(Event::Closed(reason));
    }

    /// Acts on one chunk; `false` leaves the rest of the packet alone.
    fn on_chunk(&mut self, now: Instant, view: &PacketView<'_>, chunk: &Tlv<'_>) -> bool {
        match chunk.chunk_type() {
            chunk::DATA => self.on_data(chunk, Format::Plain),
            chunk::I_DATA => self.on_data(chunk, Format::Interleaved),
            //= rfc9260 §12.3
            //# The receiver of an INIT chunk MUST silently discard the INIT chunk and all further chunks if the INIT
            //# chunk is bundled with other chunks or the packet has a non-zero Verification Tag.
            chunk::INIT | chunk::INIT_ACK if !view.is_single() => return false,
            // Behind other chunks, the T bit does not fit the tag that let them in.
            chunk::ABORT | chunk::SHUTDOWN_COMPLETE if !self.is_from_peer(view, chunk) => return false,
            chunk::INIT => self.on_init(now, chunk),
            chunk::INIT_ACK => self.on_init_ack(now, chunk),
            chunk::SACK => self.on_sack(now, chunk),
            chunk::HEARTBEAT => self.on_heartbeat(chunk),
            chunk::HEARTBEAT_ACK => self.on_heartbeat_ack(now, chunk),
            chunk::ABORT => self.on_abort(chunk),
            chunk::SHUTDOWN => self.on_shutdown(now, chunk),
            chunk::SHUTDOWN_ACK => self.on_shutdown_ack(),
            chunk::ERROR => self.on_error(chunk),
            chunk::COOKIE_ECHO => return self.on_cookie_echo(now, view.tag, chunk),
            chunk::COOKIE_ACK => self.on_cookie_ack(now),
            chunk::SHUTDOWN_COMPLETE => self.on_shutdown_complete(),
            chunk::FORWARD_TSN => self.on_forward_tsn(chunk, Format::Plain),
            chunk::I_FORWARD_TSN => self.on_forward_tsn(chunk, Format::Interleaved),
            chunk::RE_CONFIG => self.on_reconfig(now, chunk),
            // Explicit congestion notification is not offered, so these say nothing; padding never does.
            chunk::ECNE | chunk::CWR | chunk::PAD => {}
            kind => {
                let action = unknown::action(kind);
                if action.report {
                    self.report_unknown(chunk);
                }
                return !action.stop;
            }
        }
        true
    }
}

/// Why no message is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Closed,
    ShuttingDown,
}

impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Association")
            .field("state", &self.state)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
