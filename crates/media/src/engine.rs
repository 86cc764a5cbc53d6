//! The engine: all RTP streams of one transport.

mod inbound;
mod outbound;
mod rtcp_in;
mod rtcp_out;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use base::RttEstimator;
use bytes::BytesMut;
use crypto::Random;
use rtp::ntp::WallClock;
use rtp::{SequenceNumber, Ssrc};

use crate::codec::MediaKind;
use crate::config::{Config, ReceiveStreamConfig, SendStreamConfig};
use crate::congestion::CongestionController;
use crate::demux::Demux;
use crate::error::{SendFrameError, SendPacketError};
use crate::event::{Event, EventQueue};
use crate::frame::{EncodedFrame, PacketToSend, ReceivedFrame, ReceivedPacket};
use crate::ids::{ReceiverId, SenderId};
use crate::recv::{ReceiveStream, Recorder};
use crate::send::{Budget, SendStream, SentHistory};
use crate::stats::{EngineStats, ReceiverStats, SenderStats};

/// Round-trip time before one was measured.
const INITIAL_RTT: Duration = Duration::from_millis(100);
/// Numbers of removed senders that are kept, so that they are not used twice.
const MAX_RETIRED: usize = 64;

/// Turns frames into RTP packets and back, and keeps the path healthy: reports, retransmissions, feedback, key frame
/// requests. Without I/O, clock and encryption: see the crate's documentation for the calls and their order.
pub struct Engine {
    config: Config,
    wall: WallClock,
    /// The latest time seen.
    now: Instant,
    rng: Box<dyn Random>,
    next_id: u64,
    senders: BTreeMap<SenderId, SendStream>,
    /// Whose a source of ours is.
    own: BTreeMap<Ssrc, SenderId>,
    receivers: BTreeMap<ReceiverId, ReceiveStream>,
    demux: Demux,
    recorder: Recorder,
    history: SentHistory,
    budget: Budget,
    congestion: Option<Box<dyn CongestionController>>,
    announced_target: Option<u64>,
    rtt: RttEstimator,
    events: EventQueue,
    stats: EngineStats,
    /// The video sender whose turn it is.
    last_sender: SenderId,
    /// The round trip as a layer below has measured it.
    path_rtt: Option<Duration>,
    /// Where RTCP comes from when nothing is sent.
    own_ssrc: Ssrc,
    cname: String,
    reports: rtcp_out::Reports,
    /// Numbers of removed senders, by source.
    retired: VecDeque<(Ssrc, SequenceNumber)>,
    is_closed: bool,
}

impl Engine {
    /// An engine without streams. `wall` is what the wall clock shows, for sender reports.
    #[must_use]
    pub fn new(config: Config, wall: WallClock, now: Instant, mut rng: Box<dyn Random>) -> Self {
        let own_ssrc = Ssrc(rng.u32());
        let cname = config.cname.clone().unwrap_or_else(|| random_cname(&mut *rng));
        Self {
            budget: Budget::new(now, config.retransmission_percent, config.retransmission_floor),
            config,
            wall,
            now,
            rng,
            next_id: 0,
            senders: BTreeMap::new(),
            own: BTreeMap::new(),
            receivers: BTreeMap::new(),
            demux: Demux::default(),
            // Arrivals may be a little earlier than the first call.
            recorder: Recorder::new(now),
            history: SentHistory::default(),
            congestion: None,
            announced_target: None,
            rtt: RttEstimator::new(INITIAL_RTT, Duration::from_millis(10), Duration::from_secs(10)),
            path_rtt: None,
            events: EventQueue::default(),
            stats: EngineStats::default(),
            last_sender: SenderId(0),
            own_ssrc,
            cname,
            reports: rtcp_out::Reports::default(),
            retired: VecDeque::new(),
            is_closed: false,
        }
    }

    /// Installs a congestion controller, which from now on learns what is sent and what arrives.
    pub fn set_congestion_controller(&mut self, controller: Box<dyn CongestionController>) {
        self.congestion = Some(controller);
    }

    /// Largest packet from now on, in bytes before SRTP; see [`Config::with_max_packet`]. Packets that wait keep
    /// their size.
    pub fn set_max_packet(&mut self, bytes: usize) {
        self.config = std::mem::take(&mut self.config).with_max_packet(bytes);
    }

    /// Tells the round-trip time that a layer below has measured. Who only receives learns none from RTCP, and needs it
    /// to know when a request for a lost packet was lost itself.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.path_rtt = Some(round_trip);
    }

    /// Adds an outgoing stream. If its SSRC was in use before, its sequence numbers continue.
    pub fn add_sender(&mut self, now: Instant, config: SendStreamConfig) -> SenderId {
        self.tick(now);
        let id = SenderId(self.next_id);
        self.next_id += 1;
        if !self.is_closed {
            self.start_sender(id, config);
        }
        id
    }

    /// Changes an outgoing stream. With another SSRC it becomes another stream: the old one is said goodbye to, and
    /// what waits is dropped.
    pub fn update_sender(&mut self, now: Instant, id: SenderId, config: SendStreamConfig) {
        self.tick(now);
        let Some(stream) = self.senders.get_mut(&id) else { return };
        if stream.config.ssrc != config.ssrc {
            self.retire(id);
            self.start_sender(id, config);
            return;
        }
        self.own.retain(|_, owner| *owner != id);
        stream.reconfigure(config);
        self.own.extend(stream.ssrcs().map(|ssrc| (ssrc, id)));
    }

    /// Removes an outgoing stream and says goodbye to it (RFC 3550 §6.6). What waits is dropped.
    pub fn remove_sender(&mut self, now: Instant, id: SenderId) {
        self.tick(now);
        self.retire(id);
        self.events.forget_sender(id);
    }

    /// Adds an incoming media section.
    pub fn add_receiver(&mut self, now: Instant, config: ReceiveStreamConfig) -> ReceiverId {
        self.tick(now);
        let id = ReceiverId(self.next_id);
        self.next_id += 1;
        if !self.is_closed {
            self.receivers.insert(id, ReceiveStream::new(id, config));
            self.rebuild_demux();
        }
        id
    }

    /// Changes an incoming media section. Streams that were there stay, unless the delivery changes.
    pub fn update_receiver(&mut self, now: Instant, id: ReceiverId, config: ReceiveStreamConfig) {
        self.tick(now);
        let Some(stream) = self.receivers.get_mut(&id) else { return };
        stream.reconfigure(config);
        self.rebuild_demux();
    }

    /// Removes an incoming media section. What waits to be fetched is dropped.
    pub fn remove_receiver(&mut self, now: Instant, id: ReceiverId) {
        self.tick(now);
        if self.receivers.remove(&id).is_some() {
            self.events.forget_receiver(id);
            self.rebuild_demux();
        }
    }

    /// Takes a decrypted RTP packet. `arrival` is when it came in, if that is known better than by `now`.
    pub fn handle_rtp(&mut self, now: Instant, arrival: Instant, packet: BytesMut) {
        let now = self.tick(now);
        if !self.is_closed {
            self.on_rtp(now, arrival, packet);
        }
    }

    /// Takes a decrypted RTCP datagram.
    pub fn handle_rtcp(&mut self, now: Instant, packet: &[u8]) {
        let now = self.tick(now);
        if !self.is_closed {
            self.on_rtcp(now, packet);
        }
    }

    /// Does what is due. Calls that are late or too many are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.tick(now);
        if self.is_closed {
            return;
        }
        for receiver in self.receivers.values_mut() {
            receiver.on_timeout(now, &self.config, &mut self.events);
        }
        for (id, sender) in &mut self.senders {
            if sender.key_frames.expire(now, self.config.key_frame_interval) {
                self.events.push_ready(Event::KeyFrameRequested(*id));
            }
        }
        if let Some(congestion) = &mut self.congestion
            && congestion.poll_timeout().is_some_and(|at| at <= now)
        {
            congestion.on_timeout(now);
        }
        self.announce_target();
    }

    /// Queues a frame.
    ///
    /// # Errors
    ///
    /// Gives the frame back: the queue is full, the frame does not fit the stream, or there is no such stream.
    pub fn send_frame(
        &mut self,
        now: Instant,
        sender: SenderId,
        frame: EncodedFrame,
    ) -> Result<(), SendFrameError> {
        self.tick(now);
        match self.senders.get_mut(&sender) {
            Some(stream) => stream.send_frame(frame, &self.wall, &self.config),
            None => Err(SendFrameError::UnknownSender(frame)),
        }
    }

    /// Queues a packet. It gets the stream's own source and sequence number.
    ///
    /// # Errors
    ///
    /// Gives the packet back: the queue is full, the packet is too large, or there is no such stream.
    pub fn send_packet(
        &mut self,
        now: Instant,
        sender: SenderId,
        packet: PacketToSend,
    ) -> Result<(), SendPacketError> {
        let now = self.tick(now);
        match self.senders.get_mut(&sender) {
            Some(stream) => stream.send_packet(now, packet, &self.config),
            None => Err(SendPacketError::UnknownSender(packet)),
        }
    }

    /// The next frame of a receiver in frame mode.
    pub fn recv_frame(&mut self, receiver: ReceiverId) -> Option<ReceivedFrame> {
        self.receivers.get_mut(&receiver)?.pop_frame()
    }

    /// The next packet of a receiver in packet mode.
    pub fn recv_packet(&mut self, receiver: ReceiverId) -> Option<ReceivedPacket> {
        self.receivers.get_mut(&receiver)?.pop_packet()
    }

    /// Asks the peer for a key frame, at most once per interval and until one comes.
    pub fn request_key_frame(&mut self, now: Instant, receiver: ReceiverId) {
        let now = self.tick(now);
        if let Some(stream) = self.receivers.get_mut(&receiver) {
            stream.want_key_frame(now, &self.config);
        }
    }

    /// Says goodbye to all streams. The RTCP that is left to poll is the last of this engine.
    pub fn close(&mut self, now: Instant) {
        self.tick(now);
        if self.is_closed {
            return;
        }
        let ids: Vec<SenderId> = self.senders.keys().copied().collect();
        for id in ids {
            self.retire(id);
        }
        self.receivers.clear();
        self.demux.clear();
        self.events.clear();
        self.congestion = None;
        self.is_closed = true;
    }

    /// Length of the packet that [`Engine::poll_rtp`] would append; `None` when nothing is to be sent.
    #[must_use]
    pub fn next_len(&self, _now: Instant) -> Option<usize> {
        let (id, turn) = self.next_turn()?;
        self.senders.get(&id)?.next_len(turn)
    }

    /// Appends one RTP packet, to be encrypted and sent at once. Returns its length.
    pub fn poll_rtp(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<NonZeroUsize> {
        let now = self.tick(now);
        self.write_rtp(now, out)
    }

    /// Appends one RTCP datagram, to be encrypted and sent at once. Returns its length.
    pub fn poll_rtcp(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<NonZeroUsize> {
        let now = self.tick(now);
        self.write_rtcp(now, out)
    }

    /// The next fact.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// When [`Engine::handle_timeout`] and [`Engine::poll_rtcp`] are wanted next. Frames that wait are not counted:
    /// they can be polled at any time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_closed {
            return None;
        }
        let receivers = self.receivers.values().filter_map(ReceiveStream::deadline);
        let interval = self.config.key_frame_interval;
        let senders = self.senders.values().filter_map(|sender| sender.key_frames.deadline(interval));
        let congestion = self.congestion.as_ref().and_then(|congestion| congestion.poll_timeout());
        let single = [self.reports.deadline(), self.recorder.deadline(), congestion];
        receivers.chain(senders).chain(single.into_iter().flatten()).min()
    }

    /// An SSRC that no stream of this engine uses.
    #[must_use]
    pub fn unused_ssrc(&mut self) -> Ssrc {
        loop {
            let ssrc = Ssrc(self.rng.u32());
            if !self.own.contains_key(&ssrc)
                && self.demux.route(ssrc).is_none()
                && ssrc != self.own_ssrc
                && ssrc != Ssrc(0)
            {
                return ssrc;
            }
        }
    }

    /// Counters of the engine.
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        EngineStats { events_dropped: self.events.dropped, rtt: self.rtt.smoothed(), ..self.stats }
    }

    /// Counters of a sender.
    #[must_use]
    pub fn sender_stats(&self, id: SenderId) -> Option<SenderStats> {
        self.senders.get(&id).map(|sender| sender.stats)
    }

    /// Counters of a receiver.
    #[must_use]
    pub fn receiver_stats(&self, id: ReceiverId) -> Option<ReceiverStats> {
        self.receivers.get(&id).map(ReceiveStream::current_stats)
    }

    /// L3: time does not go back.
    fn tick(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    fn start_sender(&mut self, id: SenderId, config: SendStreamConfig) {
        let numbers = |ssrc: Ssrc| {
            self.retired.iter().rev().find(|(retired, _)| *retired == ssrc).map(|(_, next)| *next)
        };
        let media = numbers(config.ssrc);
        let rtx = config.rtx.and_then(|rtx| numbers(rtx.ssrc));
        let mut stream = SendStream::new(config, self.rng.u64());
        stream.continue_from(media, rtx);
        self.own.extend(stream.ssrcs().map(|ssrc| (ssrc, id)));
        self.senders.insert(id, stream);
    }

    fn retire(&mut self, id: SenderId) {
        let Some(stream) = self.senders.remove(&id) else { return };
        self.own.retain(|_, owner| *owner != id);
        let (media, rtx) = stream.next_numbers();
        for (ssrc, next) in stream.ssrcs().zip([media, rtx]) {
            if self.retired.len() >= MAX_RETIRED {
                self.retired.pop_front();
            }
            self.retired.push_back((ssrc, next));
        }
        // A stream that nobody has heard of needs no goodbye.
        if stream.stats.packets > 0 {
            self.reports.say_goodbye(stream.ssrcs());
        }
    }

    fn rebuild_demux(&mut self) {
        self.demux.rebuild(self.receivers.iter().map(|(id, stream)| (*id, &stream.config)));
    }

    fn round_trip(&self) -> Duration {
        self.rtt.smoothed().or(self.path_rtt).unwrap_or(INITIAL_RTT)
    }

    fn announce_target(&mut self) {
        let target = self.congestion.as_ref().and_then(|congestion| congestion.target_bitrate());
        if let Some(bitrate) = target
            && self.announced_target.replace(bitrate) != target
        {
            self.events.push(Event::TargetBitrate { bitrate });
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("senders", &self.senders.keys())
            .field("receivers", &self.receivers.keys())
            .field("stats", &self.stats)
            .field("is_closed", &self.is_closed)
            .finish_non_exhaustive()
    }
}

/// RFC 7022 §4.2: 96 random bits, in 16 characters.
fn random_cname(rng: &mut dyn Random) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: [u8; 16] = rng.bytes();
    bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 0x3f)))
        .map(|byte| char::from(*byte))
        .collect()
}

/// Audio goes before video.
fn rank(kind: MediaKind) -> u8 {
    match kind {
        MediaKind::Audio => 0,
        MediaKind::Video => 1,
    }
}
