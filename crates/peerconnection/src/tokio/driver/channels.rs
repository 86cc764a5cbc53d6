//! Data channels between handles and session: credit out, back-pressure in.

use super::Driver;
use crate::{
    DataChannelEnd, DataChannelInit, DataChannelState, Error, PeerConnectionState,
    data_channel::ChannelKey,
    session::Session,
    tokio::{
        command::{Outgoing, OutgoingItem},
        data_channel::{
            DataChannel, Incoming, MESSAGE_OVERHEAD, Message, MessageFate, PieceEnd, Shared, Status,
            streamed_limit,
        },
    },
};
use bytes::Bytes;
use datachannel::{AbandonError, End, Kind, MessageId, Payload, Piece, SendPieceError};
use std::{
    collections::VecDeque,
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};

/// What a channel has to send.
enum Waiting {
    Finish,
    GiveUp,
    Message(Payload),
    Piece { kind: Kind, bytes: Bytes, given_up: Arc<AtomicBool> },
    Tracked(Payload, MessageId),
}

impl Waiting {
    fn len(&self) -> usize {
        match self {
            Self::Message(payload) | Self::Tracked(payload, _) => payload.data.len(),
            Self::Piece { bytes, .. } => bytes.len(),
            Self::Finish | Self::GiveUp => 0,
        }
    }
}

/// The message that a handle writes in pieces.
#[derive(Default)]
struct Writer {
    /// It was begun and not ended: other messages go behind it.
    is_open: bool,
    behind: VecDeque<Waiting>,
    /// What it is, once the session has a part of it.
    begun: Option<Kind>,
    /// It was given up below: what still comes of it is dropped.
    is_dead: bool,
}

/// The driver's end of one channel.
pub(super) struct ChannelSink {
    shared: Arc<Shared>,
    status: watch::Sender<Status>,
    incoming: mpsc::UnboundedSender<Incoming>,
    /// The peer's messages are wanted in pieces.
    is_streamed: bool,
    /// What the session had no room for; its bytes are still charged.
    waiting: VecDeque<Waiting>,
    writer: Writer,
    waiting_bytes: usize,
    /// Permits taken and not given back.
    charged: usize,
    /// Payload bytes counted in `shared.buffered` that this side has seen.
    seen: usize,
    /// Who waits for everything to be acknowledged.
    flushes: Vec<oneshot::Sender<()>>,
    /// The application closed the channel; what is waiting is sent first (RFC 8831 §6.7).
    close_wanted: bool,
    /// The channel is closed; only what its reader has not read is left.
    ended: bool,
    /// A message could not be sent, which ends the channel.
    refused: bool,
    /// Why it ends, once that is known.
    reason: Option<DataChannelEnd>,
}

impl ChannelSink {
    /// Tells the handles that the channel is closed. What was delivered can still be read.
    fn end(&mut self, end: DataChannelEnd) {
        self.ended = true;
        self.shared.credit.close();
        self.shared.piece_credit.close();
        self.status.send_modify(|status| {
            status.state = DataChannelState::Closed;
            status.end = status.end.or(Some(end));
        });
        self.flushes.clear();
        self.shared.drained.notify_waiters();
    }

    /// Takes what is to be sent, behind all that came before and behind a message that is written in pieces.
    fn add(&mut self, waiting: Waiting) {
        let len = waiting.len();
        self.seen += len;
        self.waiting_bytes += len;
        match waiting {
            Waiting::Message(_) | Waiting::Tracked(..) => {
                self.charged += self.shared.cost(len);
                if self.writer.is_open {
                    self.writer.behind.push_back(waiting);
                } else {
                    self.waiting.push_back(waiting);
                }
            }
            Waiting::Piece { .. } => {
                self.writer.is_open = true;
                self.waiting.push_back(waiting);
            }
            Waiting::Finish | Waiting::GiveUp => {
                self.writer.is_open = false;
                self.waiting.push_back(waiting);
                self.waiting.append(&mut self.writer.behind);
            }
        }
    }

    /// Why the session says that the channel ends; it is told with the state.
    fn note_end(&mut self, end: DataChannelEnd) {
        // A message that could not be sent made us close it.
        let end = if self.refused { DataChannelEnd::MessageRefused } else { end };
        self.reason = self.reason.or(Some(end));
        // The peer confirms the end of a stream when it has everything that was sent on it (RFC 6525 §5.2.2).
        if matches!(end, DataChannelEnd::Closed | DataChannelEnd::ClosedByPeer) {
            self.settle(0);
            self.shared.outstanding.store(0, Ordering::Release);
            if self.waiting.is_empty() {
                self.flushed();
            }
        }
    }

    /// Everything is acknowledged.
    fn flushed(&mut self) {
        for waiter in self.flushes.drain(..) {
            // Who does not wait any more does not hear of it.
            let _ = waiter.send(());
        }
    }

    /// Gives back the credit of bytes that have left, when `queued` are still in the session.
    fn settle(&mut self, queued: usize) {
        let remaining = queued + self.waiting_bytes;
        let overhead = self.waiting.len() * MESSAGE_OVERHEAD;
        let target = (remaining + overhead).min(self.shared.send_buffer);
        if let Some(released) = self.charged.checked_sub(target).filter(|released| *released > 0) {
            self.charged = target;
            self.shared.credit.add_permits(released);
        }
        if let Some(sent) = self.seen.checked_sub(remaining).filter(|sent| *sent > 0) {
            self.seen = remaining;
            let before = self.shared.buffered.fetch_sub(sent, Ordering::AcqRel);
            let threshold = self.shared.low_threshold.load(Ordering::Acquire);
            if before > threshold && before - sent <= threshold {
                self.shared.drained.notify_waiters();
            }
        }
    }
}

/// However the driver ends, also with its runtime: nobody waits for a channel that is gone.
impl Drop for ChannelSink {
    fn drop(&mut self) {
        self.end(DataChannelEnd::ConnectionClosed);
    }
}

impl Driver {
    pub(in crate::tokio) fn create_data_channel(
        &mut self,
        now: Instant,
        label: String,
        init: DataChannelInit,
    ) -> Result<DataChannel, Error> {
        let key = self.session.create_data_channel(now, &label, &init)?;
        Ok(self.data_channel_handle(now, key, label, init))
    }

    /// Makes the handle of a channel that the session knows.
    pub(super) fn data_channel_handle(
        &mut self,
        now: Instant,
        key: ChannelKey,
        label: String,
        init: DataChannelInit,
    ) -> DataChannel {
        let send_buffer = self.session.configuration().send_buffer;
        let shared = Arc::new(Shared {
            label,
            init,
            credit: Semaphore::new(send_buffer),
            send_buffer,
            piece_credit: Semaphore::new(send_buffer),
            writer_turn: Arc::new(Semaphore::new(1)),
            max_streamed_size: AtomicU64::new(streamed_limit(self.session.max_streamed_size())),
            buffered: AtomicUsize::new(0),
            low_threshold: AtomicUsize::new(0),
            drained: Notify::new(),
            outstanding: AtomicUsize::new(0),
            unread: AtomicUsize::new(0),
            receive_buffer: self.session.configuration().receive_buffer,
            max_received: self.session.configuration().max_message_size,
            max_message_size: AtomicUsize::new(self.session.max_message_size()),
            wake_driver: self.wake.clone(),
        });
        let (status, statuses) = watch::channel(Status::default());
        let (messages, incoming) = mpsc::unbounded_channel();
        let sink = ChannelSink {
            shared: shared.clone(),
            status,
            incoming: messages,
            is_streamed: false,
            waiting: VecDeque::new(),
            writer: Writer::default(),
            waiting_bytes: 0,
            charged: 0,
            seen: 0,
            flushes: Vec::new(),
            refused: false,
            reason: None,
            close_wanted: false,
            ended: false,
        };
        self.channels.insert(key, sink);
        self.update_channel(now, key);
        DataChannel::new(key, shared, self.link.clone(), statuses, incoming)
    }

    /// Brings state, id and size limit of a channel up to date for its handles.
    pub(super) fn update_channel(&mut self, now: Instant, key: ChannelKey) {
        let status = Status {
            state: self.session.data_channel_state(key),
            id: self.session.data_channel_id(key),
            end: None,
        };
        // Without a peer nobody answers the reset, and what is queued cannot leave: whoever closes is not kept waiting.
        let is_cut_off = self.session.connection_state() == PeerConnectionState::Failed
            && (status.state == DataChannelState::Closing
                || self.channels.get(&key).is_some_and(|sink| sink.close_wanted));
        if is_cut_off {
            self.session.close_data_channel(now, key);
        }
        // What the handles were told is closed stays closed, also when a restart of ICE brings the peer back.
        let has_ended = self.channels.get(&key).is_some_and(|sink| sink.ended);
        if status.state == DataChannelState::Closed || is_cut_off || has_ended {
            self.sending.remove(&key);
            if let Some(sink) = self.channels.get_mut(&key) {
                let otherwise = if self.session.connection_state() == PeerConnectionState::Closed {
                    DataChannelEnd::ConnectionClosed
                } else if is_cut_off {
                    DataChannelEnd::ConnectionFailed
                } else {
                    DataChannelEnd::Association
                };
                sink.end(sink.reason.unwrap_or(otherwise));
            }
            // What is dropped tells that nothing more will be heard.
            self.receipts.retain(|_, (channel, _)| *channel != key);
            self.deliver_messages(now, key);
            return;
        }
        let max_message_size = self.session.max_message_size();
        if let Some(sink) = self.channels.get_mut(&key) {
            if status.state == DataChannelState::Closing {
                // What is queued is still sent; nothing new is taken.
                sink.shared.credit.close();
                sink.shared.piece_credit.close();
            }
            sink.shared.max_message_size.store(max_message_size, Ordering::Relaxed);
            let streamed = streamed_limit(self.session.max_streamed_size());
            sink.shared.max_streamed_size.store(streamed, Ordering::Relaxed);
            sink.status.send_if_modified(|old| std::mem::replace(old, status) != status);
        }
    }

    /// The session tells what became of a message.
    pub(super) fn message_fate(&mut self, id: MessageId, fate: MessageFate) {
        if let Some((_, receipt)) = self.receipts.remove(&id) {
            // Who does not wait any more does not hear of it.
            let _ = receipt.send(fate);
        }
    }

    /// The session tells why a channel is closed.
    pub(super) fn channel_ended(&mut self, key: ChannelKey, end: DataChannelEnd) {
        if let Some(sink) = self.channels.get_mut(&key) {
            sink.note_end(end);
        }
    }

    /// Brings all channels up to date, after a negotiation.
    pub(super) fn update_channels(&mut self, now: Instant) {
        let keys: Vec<ChannelKey> = self.channels.keys().copied().collect();
        for key in keys {
            self.update_channel(now, key);
        }
    }

    /// Takes what a handle sent; `flush_channels` hands it on.
    pub(super) fn queue(&mut self, now: Instant, outgoing: Outgoing) {
        let Outgoing { channel, item } = outgoing;
        // Whoever waits for a channel that is gone hears of it by what is dropped here.
        let Some(sink) = self.channels.get_mut(&channel).filter(|sink| !sink.ended) else { return };
        let waiting = match item {
            OutgoingItem::Finish => Waiting::Finish,
            OutgoingItem::GiveUp => Waiting::GiveUp,
            OutgoingItem::Message(payload) => Waiting::Message(payload),
            OutgoingItem::Piece { kind, bytes, given_up } => Waiting::Piece { kind, bytes, given_up },
            OutgoingItem::Tracked(payload, fate) => {
                self.last_message_id += 1;
                let id = MessageId(self.last_message_id);
                self.receipts.insert(id, (channel, fate));
                Waiting::Tracked(payload, id)
            }
            OutgoingItem::ReceivePieces => {
                sink.is_streamed = true;
                self.session.receive_pieces(now, channel);
                self.readable.insert(channel);
                return;
            }
            OutgoingItem::RefuseLarge => {
                sink.reason = sink.reason.or(Some(DataChannelEnd::MessageTooLarge));
                self.close_channel(now, channel);
                return;
            }
            OutgoingItem::Flush(done) => {
                // Those who gave up waiting leave no trace.
                sink.flushes.retain(|waiter| !waiter.is_closed());
                sink.flushes.push(done);
                self.sending.insert(channel);
                return;
            }
        };
        sink.add(waiting);
        self.sending.insert(channel);
    }

    /// Hands messages to the session while it has room, and gives credit back for what has left. Returns whether the
    /// session got anything.
    pub(super) fn flush_channels(&mut self, now: Instant) -> bool {
        let mut fed = false;
        let mut next = self.sending.first().copied();
        while let Some(key) = next {
            fed |= self.send_waiting(now, key);
            if self.session.data_channel_state(key) == DataChannelState::Closed {
                // The figures stay as they were: what was not acknowledged will not be. `update_channel` does the rest.
                self.sending.remove(&key);
                next = self.after(key);
                continue;
            }
            let queued = self.session.buffered_amount(key);
            let is_flushed = self.session.is_flushed(key);
            if let Some(sink) = self.channels.get_mut(&key) {
                sink.settle(queued);
                sink.shared.outstanding.store(self.session.outstanding_amount(key), Ordering::Release);
                let handed_over = sink.waiting.is_empty();
                if handed_over && std::mem::take(&mut sink.close_wanted) {
                    self.session.close_data_channel(now, key);
                    fed = true;
                }
                if handed_over && is_flushed {
                    sink.flushed();
                    if sink.charged == 0 {
                        self.sending.remove(&key);
                    }
                }
            } else {
                self.sending.remove(&key);
            }
            next = self.after(key);
        }
        fed
    }

    /// The next channel that has bytes on their way out.
    fn after(&self, key: ChannelKey) -> Option<ChannelKey> {
        self.sending.range((Bound::Excluded(key), Bound::Unbounded)).next().copied()
    }

    fn send_waiting(&mut self, now: Instant, key: ChannelKey) -> bool {
        let Self { session, channels, .. } = self;
        let Some(sink) = channels.get_mut(&key) else { return false };
        let before = sink.waiting.len();
        while let Some(waiting) = sink.waiting.pop_front() {
            let len = waiting.len();
            match send_one(session, now, key, &mut sink.writer, &sink.shared, waiting) {
                Ok(()) => sink.waiting_bytes -= len,
                Err(Some(waiting)) => {
                    sink.waiting.push_front(waiting);
                    break;
                }
                // Refused for good: the channel is closing, or the message was written before the peer said how little
                // it takes. A gap in a reliable channel would go unnoticed, so the channel ends (W3C webrtc-pc §6.2).
                Err(None) => {
                    sink.waiting_bytes -= len;
                    // One that is closing already needs no close: that would throw away what the peer sent before its own.
                    if session.data_channel_state(key) == DataChannelState::Open {
                        sink.refused = true;
                        sink.close_wanted = true;
                    }
                }
            }
        }
        if sink.writer.begun.is_some() && sink.waiting.is_empty() {
            // The writer has no more at hand: what does not fill a packet goes as it is.
            session.flush_pieces(now, key);
        }
        sink.waiting.len() < before
    }

    /// Moves messages from the session to the handle while its reader keeps up. What is not moved stays in the
    /// session and closes the peer's window.
    pub(super) fn deliver_messages(&mut self, now: Instant, key: ChannelKey) {
        let Some(sink) = self.channels.get_mut(&key) else {
            self.readable.remove(&key);
            return;
        };
        loop {
            // A reader that has gone makes nobody wait.
            let is_full = sink.shared.unread.load(Ordering::Acquire) >= sink.shared.receive_buffer;
            if is_full && !sink.incoming.is_closed() {
                self.readable.insert(key);
                return;
            }
            let piece = if sink.is_streamed { self.session.recv_piece(now, key) } else { None };
            let incoming = match piece {
                Some(piece) => {
                    Incoming::Piece { kind: piece.kind, bytes: piece.data, end: end_of(piece.end) }
                }
                None => match self.session.recv_data(now, key) {
                    Some(payload) => Incoming::Message(Message::from_payload(payload)),
                    None => break,
                },
            };
            let cost = incoming.cost();
            sink.shared.unread.fetch_add(cost, Ordering::AcqRel);
            if sink.incoming.send(incoming).is_err() {
                // Only the sending half is held: messages have no reader.
                sink.shared.unread.fetch_sub(cost, Ordering::AcqRel);
            }
        }
        self.readable.remove(&key);
        if sink.ended {
            self.channels.remove(&key);
        }
    }

    pub(in crate::tokio) fn close_channel(&mut self, now: Instant, key: ChannelKey) {
        let Some(sink) = self.channels.get_mut(&key).filter(|sink| !sink.ended) else { return };
        sink.close_wanted = true;
        sink.shared.credit.close();
        sink.shared.piece_credit.close();
        if sink.writer.is_open {
            // Its writer is still there, and may not end it for long.
            sink.add(Waiting::GiveUp);
        }
        self.sending.insert(key);
        self.flush_channels(now);
        self.update_channel(now, key);
    }

    /// Nobody holds the channel: close it and throw away what it receives.
    pub(super) fn abandon_channel(&mut self, now: Instant, key: ChannelKey) {
        if self.channels.contains_key(&key) {
            self.close_channel(now, key);
        }
    }
}

/// Gives one thing to the session; `Err` as [`Session::send_data`] has it.
fn send_one(
    session: &mut Session,
    now: Instant,
    key: ChannelKey,
    writer: &mut Writer,
    shared: &Shared,
    waiting: Waiting,
) -> Result<(), Option<Waiting>> {
    match waiting {
        Waiting::Message(payload) => {
            session.send_data(now, key, payload).map_err(|back| back.map(Waiting::Message))
        }
        Waiting::Tracked(payload, id) => {
            let sent = session.send_tracked(now, key, payload, id);
            sent.map_err(|back| back.map(|payload| Waiting::Tracked(payload, id)))
        }
        Waiting::Piece { bytes, .. } if writer.is_dead => {
            shared.release_pieces(shared.cost(bytes.len()));
            Ok(())
        }
        Waiting::Piece { kind, bytes, given_up } => {
            let permits = shared.cost(bytes.len());
            match session.send_piece(now, key, Piece { kind, data: bytes, end: End::More }) {
                Ok(()) => writer.begun = Some(kind),
                Err(SendPieceError::WouldBlock(piece)) => {
                    return Err(Some(Waiting::Piece { kind, bytes: piece.data, given_up }));
                }
                Err(SendPieceError::GivenUp | SendPieceError::TooLarge { .. }) => {
                    given_up.store(true, Ordering::Release);
                    writer.is_dead = true;
                    writer.begun = None;
                }
                Err(_) => return Err(None),
            }
            shared.release_pieces(permits);
            Ok(())
        }
        Waiting::Finish => {
            if std::mem::take(&mut writer.is_dead) {
                return Ok(());
            }
            let Some(kind) = writer.begun.take() else { return Ok(()) };
            match session.send_piece(now, key, Piece { kind, data: Bytes::new(), end: End::Last }) {
                Ok(()) | Err(SendPieceError::GivenUp) => Ok(()),
                Err(SendPieceError::WouldBlock(_)) => {
                    writer.begun = Some(kind);
                    Err(Some(Waiting::Finish))
                }
                Err(_) => Err(None),
            }
        }
        Waiting::GiveUp => {
            let is_begun = writer.begun.take().is_some();
            writer.is_dead = false;
            if is_begun && session.abandon_message(now, key) == Err(AbandonError::NotSupported) {
                // The peer cannot skip what it has of it.
                return Err(None);
            }
            Ok(())
        }
    }
}

fn end_of(end: End) -> PieceEnd {
    match end {
        End::GivenUp => PieceEnd::GivenUp,
        End::Last => PieceEnd::Last,
        End::More => PieceEnd::More,
    }
}
