//! The receiving half put together: acceptance, the window, and when to acknowledge.

mod snapshot;

pub(crate) use snapshot::{ReceiverSnapshot, TooMuch};

use super::coalescing::Coalescing;
use super::inbound::{EARLY_OVERHEAD, Inbound, MESSAGE_OVERHEAD};
use super::interleaved::{Interleaved, PARTIAL_OVERHEAD};
use super::reassembly::{RUN_OVERHEAD, Reassembly};
use super::tracker::{Place, Tracker};
use super::window::Window;
use crate::chunk::data::{Data, Format};
use crate::chunk::forward_tsn::{ForwardTsn, Skipped};
use crate::chunk::sack;
use crate::config::Config;
use crate::event::{Events, Violation};
use crate::types::{Message, Ppid, StreamId};
use base::Serial32;
use bytes::Bytes;
use std::time::{Duration, Instant};

/// The most that one chunk costs on top of its bytes.
const MOST_OVERHEAD: usize = {
    const EARLY: usize = MESSAGE_OVERHEAD + EARLY_OVERHEAD;
    const PARTIAL: usize = PARTIAL_OVERHEAD + RUN_OVERHEAD;
    if EARLY > PARTIAL { EARLY } else { PARTIAL }
};

//= rfc9260 §5.1
//# After the reception of the first DATA chunk in an association, the endpoint MUST immediately respond with a SACK
//# chunk to acknowledge the DATA chunk.
/// Packets acknowledged one by one when an association begins: the peer's window opens with each acknowledgement, and a
/// peer in slow start has no second packet to wait for. Afterwards those that are handed in together are acknowledged
/// together.
const QUICK: u32 = 32;

/// By less than a packet, or an eighth of a small one, the window does not grow: the peer would fill it with small chunks.
const LEAST_GROWTH: usize = 1_200;

/// What became of a DATA chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Accepted,
    Duplicate,
    /// Outside the window, or no room.
    Dropped,
}

/// Whether an acknowledgement is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ack {
    None,
    /// One packet since the last SACK: it may wait for a second (RFC 9260 §6.2).
    Delayed,
    Now,
}

/// Tracker, reassembly, streams and acknowledgement of one association.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(super) format: Format,
    tracker: Tracker,
    /// Of DATA.
    pub(super) reassembly: Reassembly,
    /// Of I-DATA.
    pub(super) interleaved: Interleaved,
    pub(super) inbound: Inbound,
    ack: Ack,
    coalescing: Coalescing,
    /// DATA was seen in the packet being handled.
    packet_has_data: bool,
    /// How many packets are still acknowledged at once.
    quick: u32,
    first_buffer: usize,
    buffer_cap: usize,
    buffer: Window,
    max_message_size: usize,
    /// The window in the last SACK or INIT.
    advertised: usize,
    /// What is left of that, after what arrived since.
    promised: usize,
}

impl Receiver {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            format: Format::Plain,
            tracker: Tracker::new(Serial32(0)),
            reassembly: Reassembly::new(config.max_message_size),
            interleaved: Interleaved::new(config.max_message_size),
            inbound: Inbound::default(),
            ack: Ack::None,
            coalescing: Coalescing::new(),
            packet_has_data: false,
            quick: QUICK,
            first_buffer: config.receive_buffer,
            buffer_cap: config.receive_buffer_cap,
            buffer: Window::new(config.receive_buffer, config.receive_buffer_cap),
            max_message_size: config.max_message_size,
            advertised: config.receive_buffer,
            promised: config.receive_buffer,
        }
    }

    /// Begins to receive from a peer whose first TSN is `first`. What was ready before may still be pulled.
    pub(crate) fn start(&mut self, first: Serial32, format: Format, events: &mut Events) {
        self.format = format;
        self.tracker = Tracker::new(first);
        self.reassembly = Reassembly::new(self.max_message_size);
        self.interleaved = Interleaved::new(self.max_message_size);
        self.inbound.start(format, events);
        self.ack = Ack::None;
        self.coalescing = Coalescing::new();
        self.quick = QUICK;
        self.buffer = Window::new(self.first_buffer, self.buffer_cap);
        self.advertised = self.buffer.bytes();
        self.promised = self.advertised;
    }

    pub(crate) fn on_data(&mut self, data: &Data<'_>, events: &mut Events) -> Result<Arrival, Violation> {
        self.packet_has_data = true;
        let tsn = match self.tracker.place(data.tsn) {
            Place::New(tsn) => tsn,
            Place::Duplicate => {
                self.tracker.note_duplicate(data.tsn);
                //= rfc9260 §6.2
                //# When a packet arrives with duplicate DATA chunk(s) and with no new DATA chunk(s), the endpoint MUST
                //# immediately send a SACK chunk with no delay.
                self.ack = Ack::Now;
                return Ok(Arrival::Duplicate);
            }
            Place::Beyond => {
                self.ack = Ack::Now;
                return Ok(Arrival::Dropped);
            }
        };
        if !self.has_room(tsn, data.payload.len()) {
            if self.is_wedged(tsn) {
                return Err(Violation::TooManyBegun);
            }
            //= rfc9260 §6.2
            //# the receiver MUST immediately send back a SACK chunk with the current receive window showing only DATA
            //# chunks received and accepted so far.
            //= rfc9260 §6.2
            //# The dropped DATA chunk(s) MUST NOT be included in the SACK chunk, as they were not accepted.
            //= rfc9260 §6.2
            //# it MUST NOT include them in Gap Ack Blocks in subsequent SACK chunks until they are received again via
            //# retransmission.
            // The sender learns at once that the window is closed (RFC 9260 §6.2).
            self.ack = Ack::Now;
            return Ok(Arrival::Dropped);
        }
        let had_gaps = self.tracker.has_gaps();
        self.tracker.insert(tsn);
        self.buffer.on_arrival(data.payload.len());
        self.promised = self.promised.saturating_sub(data.payload.len());
        if data.immediate || had_gaps || self.tracker.has_gaps() {
            self.ack = Ack::Now;
        }
        let streamed = self.is_streamed(data.header.stream);
        let whole = match self.format {
            Format::Plain => self.reassembly.insert(tsn, data.header, data.payload, streamed)?,
            // What is left of a message given up, or of one that its sender said it gave up: nothing would ever free it.
            Format::Interleaved if self.inbound.is_past(&data.header, tsn) => None,
            Format::Interleaved => {
                let least = self.held_by_messages().saturating_add(data.payload.len());
                let spare = self.limit().saturating_sub(least.saturating_add(MOST_OVERHEAD));
                self.interleaved.insert(tsn, data.header, data.payload, streamed, spare)?
            }
        };
        match whole {
            Some(whole) => self.inbound.deliver(whole, events),
            None if streamed => self.announce_piece(data.header.stream, events),
            None => {}
        }
        Ok(Arrival::Accepted)
    }

    /// Counts a chunk that is acknowledged and not delivered: its stream does not exist (RFC 9260 §6.5).
    pub(crate) fn discard(&mut self, tsn: Serial32) {
        self.packet_has_data = true;
        self.ack = Ack::Now;
        if let Place::New(tsn) = self.tracker.place(tsn) {
            self.tracker.insert(tsn);
        }
    }

    pub(crate) fn on_forward_tsn(&mut self, chunk: &ForwardTsn<'_>, streams: u16, events: &mut Events) {
        // RFC 3758 §3.6: answered at once, also when it says nothing new.
        self.ack = Ack::Now;
        let tsn = self.tracker.extend(chunk.cumulative);
        if !self.tracker.forward(tsn) {
            return;
        }
        self.reassembly.forward(tsn);
        for skipped in chunk.skipped().filter(|skipped| skipped.stream.0 < streams) {
            let Skipped { stream, unordered, mid } = skipped;
            self.interleaved.skip(stream, unordered, mid);
            if unordered {
                self.inbound.skip_unordered(stream, mid, events);
            } else {
                self.inbound.skip(stream, mid, events);
            }
        }
    }

    /// The packet is handled. Tells whether an acknowledgement waits for its timer now.
    pub(crate) fn finish_packet(&mut self, now: Instant, round_trip: Option<Duration>) -> bool {
        if std::mem::take(&mut self.packet_has_data) {
            // RFC 9260 §6.2: one SACK for every second packet with data, not for every chunk.
            //= rfc9260 §6.2
            //# The SCTP endpoint MUST always acknowledge the reception of each valid DATA chunk when the DATA chunk
            //# received is inside its receive window.
            //= rfc9260 §6.2
            //# An SCTP receiver MUST NOT generate more than one SACK chunk for every incoming packet
            //= rfc9260 §6.2
            //# However, an SCTP transmitter MUST NOT be more aggressive in sending SACK chunks than the following
            //# algorithms allow.
            let waits = self.ack == Ack::None && self.quick == 0;
            self.ack = if waits { Ack::Delayed } else { Ack::Now };
            self.quick = self.quick.saturating_sub(1);
            let complete = !self.tracker.has_gaps() && self.tracker.duplicates().is_empty();
            self.coalescing.on_packet(complete.then(|| self.tracker.cumulative()));
            self.buffer.grow(now, round_trip);
        }
        self.ack == Ack::Delayed
    }

    /// Whether the peer is to be asked for the round trip: data comes in, and none of ours went out to measure it by.
    pub(crate) fn wants_round_trip(&mut self, now: Instant, measured: Option<Duration>) -> bool {
        measured.is_none() && self.packet_has_data && self.buffer.wants_round_trip(now)
    }

    /// Begins with a window of at most this, from the next [`start`](Self::start) on. The largest message must fit.
    pub(crate) fn limit_first(&mut self, bytes: usize) {
        self.first_buffer = self.first_buffer.min(bytes.max(self.max_message_size)).max(4_096);
    }

    /// What INIT says.
    pub(crate) fn first_buffer(&self) -> usize {
        self.first_buffer
    }

    /// The window that may be advertised, were nothing held.
    pub(crate) fn buffer(&self) -> usize {
        self.buffer.bytes()
    }

    /// The timer for a delayed acknowledgement ran out, or something else calls for one.
    pub(crate) fn acknowledge_now(&mut self) {
        self.ack = Ack::Now;
    }

    /// A SACK must go.
    pub(crate) fn is_ack_due(&self) -> bool {
        self.ack == Ack::Now
    }

    /// A SACK may go along with something else.
    pub(crate) fn is_ack_owed(&self) -> bool {
        self.ack != Ack::None
    }

    /// Appends a SACK of at most `space` bytes.
    pub(crate) fn write_sack(&mut self, out: &mut Vec<u8>, space: usize) -> bool {
        let Some(room) = space.checked_sub(sack::MIN_LEN).map(|rest| rest / 4) else { return false };
        let window = self.open_window();
        self.advertised = window;
        self.promised = window;
        let window = u32::try_from(window).unwrap_or(u32::MAX);
        if let Some(earlier) = self.coalescing.next(self.tracker.cumulative()) {
            // The next packet has another, until the one that acknowledges everything.
            self.ack = Ack::Now;
            sack::write(out, Serial32(earlier as u32), window, std::iter::empty(), &[]);
            return true;
        }
        self.coalescing.finish();
        let duplicates = self.tracker.duplicates();
        //= rfc9260 §6.2
        //# The SCTP endpoint MUST report as many Gap Ack Blocks as can fit in a single SACK chunk such that the size of
        //# the SCTP packet does not exceed the current PMTU.
        let blocks = self.tracker.blocks().take(room);
        let rest = room.saturating_sub(blocks.len());
        let duplicates = duplicates.get(..duplicates.len().min(rest)).unwrap_or_default();
        //= rfc9260 §6.2
        //# the SCTP endpoint MUST fill in the Cumulative TSN Ack field to indicate the latest sequential TSN
        //= rfc9260 §6.7
        //# When a single SACK chunk cannot cover all the Gap Ack Blocks needed to be reported due to the PMTU
        //# limitation, the endpoint MUST send only one SACK chunk.
        //= rfc9260 §6.7
        //# This single SACK chunk MUST report the Gap Ack Blocks from the lowest to highest TSNs, within the size
        //# limit set by the PMTU, and leave the remaining highest TSN numbers unacknowledged.
        let cumulative = Serial32(self.tracker.cumulative() as u32);
        sack::write(out, cumulative, window, blocks, duplicates);
        self.tracker.clear_duplicates();
        self.ack = Ack::None;
        true
    }

    pub(crate) fn recv(&mut self) -> Option<(StreamId, Message)> {
        let received = self.inbound.recv();
        if let Some((_, message)) = &received {
            self.buffer.on_taken(message.payload.len());
        }
        self.reopen();
        received
    }

    pub(crate) fn recv_from(&mut self, stream: StreamId) -> Option<Message> {
        let message = self.inbound.recv_from(stream);
        if let Some(message) = &message {
            self.buffer.on_taken(message.payload.len());
        }
        self.reopen();
        message
    }

    pub(crate) fn peek(&self, stream: StreamId) -> Option<(Ppid, &Bytes)> {
        self.inbound.peek(stream)
    }

    /// Asks for a reset after `last_tsn`. `true` when that TSN is reached and the reset is done, with the streams it
    /// touched; otherwise it waits.
    pub(crate) fn reset(&mut self, last_tsn: Serial32, streams: Vec<StreamId>) -> bool {
        let last_tsn = self.tracker.extend(last_tsn);
        self.inbound.defer_reset(last_tsn, streams);
        last_tsn <= self.tracker.cumulative()
    }

    /// Performs a reset whose time has come; gives the streams.
    pub(crate) fn perform_reset(&mut self, events: &mut Events) -> Option<Vec<StreamId>> {
        let (last_tsn, mut streams, held) = self.inbound.take_deferred(self.tracker.cumulative())?;
        let all = self.inbound.used();
        self.interleaved.reset(&streams, last_tsn);
        let touched = if streams.is_empty() { &all } else { &streams };
        for stream in touched {
            self.inbound.cut_current(*stream, false, |_, _| true, events);
            self.inbound.cut_current(*stream, true, |_, _| true, events);
        }
        self.inbound.reset(&streams);
        if streams.is_empty() {
            streams = all;
        }
        for whole in held {
            self.inbound.deliver(whole, events);
        }
        Some(streams)
    }

    #[cfg(test)]
    pub(crate) fn set_next(&mut self, stream: StreamId, mid: Serial32) {
        self.inbound.set_next(stream, mid);
    }

    /// The association is idle: gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.inbound.shrink();
    }

    pub(crate) fn cumulative(&self) -> Serial32 {
        Serial32(self.tracker.cumulative() as u32)
    }

    /// Bytes of memory, roughly.
    pub(crate) fn held(&self) -> usize {
        self.held_by_messages().saturating_add(self.inbound.numbers())
    }

    fn held_by_messages(&self) -> usize {
        self.reassembly.held().saturating_add(self.interleaved.held()).saturating_add(self.inbound.held())
    }

    /// What messages may hold: twice the buffer, less what the sequence numbers of the streams take of it. How many
    /// those are is up to the highest stream that was used; they never take so much that not one buffer is left.
    fn limit(&self) -> usize {
        let buffer = self.buffer.bytes();
        buffer.saturating_mul(2).saturating_sub(self.inbound.numbers()).max(buffer)
    }

    /// What is left of the buffer: of the payload it is meant for, and of the memory it may take.
    fn window(&self) -> usize {
        let payload = self
            .reassembly
            .payload()
            .saturating_add(self.interleaved.payload())
            .saturating_add(self.inbound.payload());
        let by_payload = self.buffer.bytes().saturating_sub(payload);
        let by_memory = self.limit().saturating_sub(self.held_by_messages()) / 2;
        by_payload.min(by_memory)
    }

    /// What is told to the peer of it.
    fn open_window(&self) -> usize {
        //= rfc9260 §6.2
        //# The receiver MUST also have an algorithm for advertising its receive window to avoid receiver silly window
        //# syndrome (SWS), as described in [RFC1122].
        let window = self.window();
        let least = self.promised.saturating_add(LEAST_GROWTH.min(self.buffer.bytes() / 8));
        if window < least { window.min(self.promised) } else { window }
    }

    /// Memory is bounded, see [`limit`](Self::limit). The last sixteenth is for the chunk everything else waits for, so that a
    /// buffer full of what came after it cannot lock itself.
    ///
    /// While the application has something to pull, a full buffer takes in nothing: a probe is then answered with a
    /// closed window (RFC 9260 §6.1, A) and comes again when its sender's timer says.
    fn has_room(&self, tsn: u64, len: usize) -> bool {
        let is_next = tsn == self.tracker.cumulative().saturating_add(1);
        //= rfc9260 §6.2
        //# When the receiver's advertised window is 0, the receiver MUST drop any new incoming DATA chunk with a TSN
        //# larger than the largest TSN received so far.
        // With nothing to pull, the chunk everything waits for is taken, or a message as large as the buffer would never
        // become whole.
        let is_beyond = !is_next && tsn > self.tracker.highest();
        if (self.has_something() || is_beyond) && self.open_window() == 0 {
            return false;
        }
        let limit = self.limit();
        let limit = if is_next { limit } else { limit.saturating_sub(limit / 16) };
        self.held_by_messages().saturating_add(len).saturating_add(MOST_OVERHEAD) <= limit
    }

    /// Whether nothing can ever move again: the very next chunk does not fit, nothing can be pulled, and what is held are
    /// beginnings. A sender that interleaves more than its peer's buffer holds brings that about.
    fn is_wedged(&self, tsn: u64) -> bool {
        self.format.is_interleaved()
            && tsn == self.tracker.cumulative().saturating_add(1)
            && !self.has_something()
    }

    /// Tells the sender of a window that grew by a good part, rather than of every byte.
    ///
    //= rfc9260 §6.2
    //# When the window opens up, an SCTP receiver SHOULD send additional SACK chunks to update the window even if no
    //# new data is received.
    pub(super) fn reopen(&mut self) {
        //= rfc9260 §6.2
        //# The receiver MUST avoid sending a large number of window updates -- in particular, large bursts of them.
        let (window, buffer) = (self.window(), self.buffer.bytes());
        if window >= self.advertised.saturating_add(buffer / 2)
            || (self.advertised < 2_400 && window >= buffer / 4)
        {
            self.ack = Ack::Now;
        }
    }
}
