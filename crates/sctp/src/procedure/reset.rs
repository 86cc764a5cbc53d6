//! Resetting streams and adding some (RFC 6525 §5).

mod snapshot;

pub(crate) use snapshot::ResetsSnapshot;

use crate::association::Association;
use crate::chunk::reconfig::{self, Parameter, ResetResult, StreamList};
use crate::config::Config;
use crate::error::{AddStreamsError, ResetError};
use crate::event::{Direction, Event, ResetOutcome};
use crate::state::Timer;
use crate::tlv::{Tlv, Tlvs};
use crate::tx::Sender;
use crate::types::StreamId;
use base::Serial32;
use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroU16;
use std::time::Instant;

/// Answers owed at once. A peer has one request in flight (RFC 6525 §5.1.1), so more are not asked in good faith.
const MAX_RESPONSES: usize = 4;

/// Our request, until it is answered.
#[derive(Debug)]
struct Request {
    number: Serial32,
    ask: Ask,
    /// Is to be written.
    due: bool,
    /// The peer has it and waits for data.
    in_progress: bool,
    tries: u32,
}

/// What it asks for.
#[derive(Clone, Debug)]
enum Ask {
    /// We begin anew on streams we send on.
    OutgoingReset { last_tsn: Serial32, streams: Vec<StreamId> },
    /// The peer is to begin anew on streams it sends on.
    IncomingReset { streams: Vec<StreamId> },
    /// So many streams more that we, or the peer, may send on.
    AddStreams { direction: Direction, count: u16 },
}

/// What the next requests will ask for, beside the streams the send queue has ready.
#[derive(Debug, Default)]
struct Wishes {
    incoming: BTreeSet<StreamId>,
    add_outgoing: u16,
    add_incoming: u16,
}

impl Wishes {
    fn is_empty(&self) -> bool {
        self.incoming.is_empty() && self.add_outgoing == 0 && self.add_incoming == 0
    }
}

/// The most streams there may be in each direction: what was configured, and what was asked for since.
#[derive(Clone, Copy, Debug)]
struct Limits {
    outbound: u16,
    inbound: u16,
}

/// Both directions.
#[derive(Debug)]
pub(crate) struct Resets {
    wishes: Wishes,
    limits: Limits,
    next_request: Serial32,
    request: Option<Request>,
    /// The number of the peer's next request.
    expected: Serial32,
    /// The answer to the peer's last request.
    last: Option<(Serial32, ResetResult)>,
    responses: VecDeque<(Serial32, ResetResult)>,
}

impl Resets {
    /// RFC 6525 §4.1: request numbers start at the initial TSN.
    pub(crate) fn new(config: &Config, local: Serial32, peer: Serial32) -> Self {
        Self {
            wishes: Wishes::default(),
            limits: Limits { outbound: config.outbound_streams, inbound: config.inbound_streams },
            next_request: local,
            request: None,
            expected: peer,
            last: None,
            responses: VecDeque::new(),
        }
    }

    /// Whether a RE-CONFIG could be written now.
    pub(crate) fn has_something(&self, sender: &Sender) -> bool {
        !self.responses.is_empty()
            || match &self.request {
                Some(request) => request.due,
                None => sender.queue.has_drained() || !self.wishes.is_empty(),
            }
    }

    fn respond(&mut self, number: Serial32, result: ResetResult) {
        if self.responses.len() < MAX_RESPONSES {
            self.responses.push_back((number, result));
        }
    }

    /// Takes note of a request; `true` when it is new and its turn.
    fn accept(&mut self, number: Serial32) -> bool {
        if number == self.expected {
            self.expected = number.next();
            return true;
        }
        // RFC 6525 §5.2.1: a request seen before is answered as before.
        match self.last {
            Some((last, result)) if last == number => self.respond(number, result),
            _ => self.respond(number, ResetResult::BAD_SEQUENCE),
        }
        false
    }

    fn conclude(&mut self, number: Serial32, result: ResetResult) {
        self.last = Some((number, result));
        self.respond(number, result);
    }
}

impl Ask {
    /// Bytes of the RE-CONFIG, at most.
    fn len(&self) -> usize {
        match self {
            Self::OutgoingReset { streams, .. } => reconfig::OUTGOING_RESET_LEN + 2 * streams.len() + 2,
            Self::IncomingReset { streams } => reconfig::INCOMING_RESET_LEN + 2 * streams.len() + 2,
            Self::AddStreams { .. } => reconfig::ADD_STREAMS_LEN,
        }
    }
}

impl Association {
    pub(crate) fn ask_for_reset(&mut self, stream: StreamId, direction: Direction) -> Result<(), ResetError> {
        if !self.state.may_send_data() {
            return Err(ResetError::NotConnected);
        }
        //= rfc6525 §5.1.1
        //# Before sending a RE-CONFIG chunk, the sender MUST ensure that the peer advertised support for the
        //# re-configuration extension.
        if !self.peer.extensions.reconfig {
            return Err(ResetError::NotSupported);
        }
        let streams = match direction {
            Direction::Outgoing => self.peer.outbound,
            Direction::Incoming => self.peer.inbound,
        };
        if stream.0 >= streams {
            return Err(ResetError::UnknownStream);
        }
        let is_new = match direction {
            Direction::Outgoing => self.sender.queue.start_reset(stream),
            Direction::Incoming => {
                let asked = self.resets.request.as_ref().is_some_and(
                    |request| matches!(&request.ask, Ask::IncomingReset { streams } if streams.contains(&stream)),
                );
                !asked && self.resets.wishes.incoming.insert(stream)
            }
        };
        if is_new { Ok(()) } else { Err(ResetError::AlreadyResetting) }
    }

    pub(crate) fn ask_for_streams(
        &mut self,
        direction: Direction,
        count: NonZeroU16,
    ) -> Result<(), AddStreamsError> {
        if !self.state.may_send_data() {
            return Err(AddStreamsError::NotConnected);
        }
        if !self.peer.extensions.reconfig {
            return Err(AddStreamsError::NotSupported);
        }
        let asked = self.resets.request.as_ref().is_some_and(
            |request| matches!(request.ask, Ask::AddStreams { direction: asked, .. } if asked == direction),
        );
        let (streams, limit, wish) = match direction {
            Direction::Outgoing => {
                (self.peer.outbound, &mut self.resets.limits.outbound, &mut self.resets.wishes.add_outgoing)
            }
            Direction::Incoming => {
                (self.peer.inbound, &mut self.resets.limits.inbound, &mut self.resets.wishes.add_incoming)
            }
        };
        if asked || *wish > 0 {
            return Err(AddStreamsError::AlreadyAdding);
        }
        let Some(total) = streams.checked_add(count.get()) else {
            return Err(AddStreamsError::TooMany { available: u16::MAX - streams });
        };
        *limit = total.max(*limit);
        *wish = count.get();
        Ok(())
    }

    pub(crate) fn on_reconfig(&mut self, now: Instant, chunk: &Tlv<'_>) {
        if !self.state.is_connected() {
            return;
        }
        for parameter in Tlvs::new(chunk.value) {
            let Ok(parameter) = parameter.and_then(|parameter| Parameter::parse(&parameter)) else {
                self.stats.malformed_packets += 1;
                return;
            };
            match parameter {
                Parameter::OutgoingReset { request, last_tsn, streams } => {
                    self.on_outgoing_reset(request, last_tsn, streams);
                }
                Parameter::IncomingReset { request, streams } => self.on_incoming_reset(request, streams),
                Parameter::AddStreams { request, direction, count } => {
                    self.on_add_streams(request, direction, count);
                }
                Parameter::Refused { request } => {
                    if self.resets.accept(request) {
                        self.resets.conclude(request, ResetResult::DENIED);
                    }
                }
                Parameter::Response { request, result } => self.on_response(now, request, result),
                Parameter::Unknown => {}
            }
        }
    }

    /// The peer begins anew on streams it sends on (RFC 6525 §5.2.2).
    fn on_outgoing_reset(&mut self, request: Serial32, last_tsn: Serial32, streams: StreamList<'_>) {
        if !self.resets.accept(request) {
            return;
        }
        let mut listed: Vec<_> = streams.iter().filter(|stream| stream.0 < self.peer.inbound).collect();
        listed.sort_unstable();
        listed.dedup();
        if listed.is_empty() && !streams.is_empty() {
            self.resets.conclude(request, ResetResult::DENIED);
            return;
        }
        let reached = self.receiver.reset(last_tsn, listed);
        let result = if reached { ResetResult::PERFORMED } else { ResetResult::IN_PROGRESS };
        self.resets.conclude(request, result);
        self.report_resets();
    }

    /// The peer asks us to begin anew on streams we send on (RFC 6525 §5.2.3).
    fn on_incoming_reset(&mut self, request: Serial32, streams: StreamList<'_>) {
        if !self.resets.accept(request) {
            return;
        }
        // Only streams in use: a list of all others would fill the queue with resets of nothing.
        let listed: Vec<_> = if streams.is_empty() {
            self.sender.queue.used()
        } else {
            streams.iter().filter(|stream| self.sender.queue.is_used(*stream)).collect()
        };
        let mut any = false;
        for stream in listed.into_iter().filter(|stream| stream.0 < self.peer.outbound) {
            any |= self.sender.queue.start_reset(stream);
        }
        self.resets.conclude(request, if any { ResetResult::PERFORMED } else { ResetResult::NOTHING_TO_DO });
    }

    /// The peer adds streams it sends on (RFC 6525 §5.2.5), or asks us to add some that we send on (§5.2.6).
    fn on_add_streams(&mut self, number: Serial32, direction: Direction, count: u16) {
        if !self.resets.accept(number) {
            return;
        }
        let limits = self.resets.limits;
        //= rfc6525 §5.2.5
        //# The SCTP endpoint SHOULD deny the request if the number of streams exceeds a limit that should be
        //# configurable by the application.
        let within =
            |streams: u16, limit| streams.checked_add(count).filter(|total| *total <= limit && count > 0);
        let result = match direction {
            Direction::Outgoing => match within(self.peer.inbound, limits.inbound) {
                Some(total) => {
                    //= rfc6525 §5.2.5
                    //# If the response is successful, the receiver MUST add the requested number of inbound
                    //# streams to the association, initializing the next expected SSN to 0.
                    self.peer.inbound = total;
                    self.report_streams();
                    self.conclude_add(Direction::Incoming);
                    ResetResult::PERFORMED
                }
                None => ResetResult::DENIED,
            },
            Direction::Incoming => {
                let wish = self.resets.wishes.add_outgoing;
                match within(self.peer.outbound.saturating_add(wish), limits.outbound) {
                    Some(_) => {
                        self.resets.wishes.add_outgoing = wish.saturating_add(count);
                        ResetResult::PERFORMED
                    }
                    None => ResetResult::DENIED,
                }
            }
        };
        self.resets.conclude(number, result);
    }

    /// Our request to be given streams is answered by the peer's own to add them (RFC 6525 §5.2.6), with or without a
    /// response before.
    fn conclude_add(&mut self, ours: Direction) {
        let answered = self
            .resets
            .request
            .take_if(|request| matches!(request.ask, Ask::AddStreams { direction, .. } if direction == ours));
        if answered.is_some() {
            self.timers.stop(Timer::Reconfig);
        }
    }

    fn report_streams(&mut self) {
        self.events.streams_changed(self.peer.outbound, self.peer.inbound);
    }

    /// The answer to our request (RFC 6525 §5.2.7).
    fn on_response(&mut self, now: Instant, number: Serial32, result: ResetResult) {
        let Some(request) = self.resets.request.as_mut().filter(|request| request.number == number) else {
            return;
        };
        self.errors = 0;
        if result == ResetResult::IN_PROGRESS {
            //= rfc6525 §5.2.7
            //# If the timer runs out, the RE-CONFIG chunk MUST be retransmitted but the corresponding error
            //# counters MUST NOT be incremented.
            request.in_progress = true;
            self.timers.set(Timer::Reconfig, now + self.sender.rto.timeout());
            return;
        }
        self.timers.stop(Timer::Reconfig);
        let Some(request) = self.resets.request.take() else { return };
        let done = result == ResetResult::PERFORMED || result == ResetResult::NOTHING_TO_DO;
        match request.ask {
            Ask::OutgoingReset { streams, .. } => {
                let outcome = if done { ResetOutcome::Performed } else { ResetOutcome::Denied };
                for stream in streams {
                    self.sender.queue.end_reset(stream, done);
                    self.events.reset(stream, Direction::Outgoing, outcome);
                }
            }
            Ask::IncomingReset { streams } => {
                // When it is performed, the peer's own request says so, after the data before it.
                let outcome = match result {
                    ResetResult::PERFORMED => return,
                    ResetResult::NOTHING_TO_DO => ResetOutcome::NothingToDo,
                    _ => ResetOutcome::Denied,
                };
                for stream in streams {
                    self.events.reset(stream, Direction::Incoming, outcome);
                }
            }
            Ask::AddStreams { direction: Direction::Outgoing, count } if done => {
                //= rfc6525 §5.2.7
                //# If the request was to add outgoing streams, the endpoint MUST add the additional streams to the
                //# association.
                self.peer.outbound = self.peer.outbound.saturating_add(count);
                self.report_streams();
            }
            Ask::AddStreams { direction: Direction::Incoming, .. } if done => {}
            Ask::AddStreams { direction, .. } => self.events.push(Event::StreamsDenied(direction)),
        }
    }

    /// Performs resets whose TSN has been reached meanwhile.
    pub(crate) fn finish_resets(&mut self) {
        if self.report_resets()
            && let Some((_, result)) = self.resets.last.as_mut()
            && *result == ResetResult::IN_PROGRESS
        {
            *result = ResetResult::PERFORMED;
        }
    }

    pub(crate) fn on_reconfig_timeout(&mut self, now: Instant) {
        if !self.state.is_connected() {
            return;
        }
        let Some(request) = self.resets.request.as_mut() else { return };
        request.due = true;
        request.tries += 1;
        let tries = request.tries.min(6);
        // RFC 6525 §5.2.7, H2: a peer that said "in progress" is alive.
        if !request.in_progress && self.count_error() {
            return;
        }
        let delay = self.sender.rto.timeout().saturating_mul(1 << tries).min(self.config.rto_max);
        self.timers.set(Timer::Reconfig, now + delay);
    }

    /// Appends what RE-CONFIG chunks are due and fit.
    pub(crate) fn write_reconfig(&mut self, now: Instant, out: &mut Vec<u8>, start: usize) {
        const RESPONSE_LEN: usize = 16;
        let space = |out: &[u8], max: usize| (max & !3).saturating_sub(out.len() - start);
        while space(out, self.max_packet_len) >= RESPONSE_LEN
            && let Some((number, result)) = self.resets.responses.pop_front()
        {
            reconfig::write_response(out, number, result);
        }
        let space = space(out, self.max_packet_len);
        if self.resets.request.is_none() && self.state.may_send_data() {
            let Some(ask) = self.next_ask(space) else { return };
            let number = self.resets.next_request;
            self.resets.next_request = number.next();
            let (due, in_progress, tries) = (true, false, 0);
            self.resets.request = Some(Request { number, ask, due, in_progress, tries });
            //= rfc6525 §5.1.1
            //# At any given time, there MUST NOT be more than one request in flight.
            self.timers.set(Timer::Reconfig, now + self.sender.rto.timeout());
        }
        let response = self.resets.expected.minus(1);
        let Some(request) = self.resets.request.as_mut().filter(|request| request.due) else { return };
        if request.ask.len() > space {
            return;
        }
        request.due = false;
        match &request.ask {
            Ask::OutgoingReset { last_tsn, streams } => {
                reconfig::write_outgoing_reset(out, request.number, response, *last_tsn, streams);
            }
            Ask::IncomingReset { streams } => reconfig::write_incoming_reset(out, request.number, streams),
            Ask::AddStreams { direction, count } => {
                reconfig::write_add_streams(out, request.number, *direction, *count);
            }
        }
    }

    /// What to ask for next, in at most `space` bytes.
    fn next_ask(&mut self, space: usize) -> Option<Ask> {
        let numbers = |head: usize| Some(space.checked_sub(head + 2)? / 2);
        let streams = self.sender.queue.take_drained(numbers(reconfig::OUTGOING_RESET_LEN)?);
        if !streams.is_empty() {
            //= rfc6525 §5.1.2
            //# The Sender's Last Assigned TSN MUST be set to the next TSN the sender assigns minus 1.
            let last_tsn = self.sender.next_tsn().minus(1);
            return Some(Ask::OutgoingReset { last_tsn, streams });
        }
        let wishes = &mut self.resets.wishes;
        for (direction, wish) in
            [(Direction::Outgoing, &mut wishes.add_outgoing), (Direction::Incoming, &mut wishes.add_incoming)]
        {
            if *wish > 0 {
                return Some(Ask::AddStreams { direction, count: std::mem::take(wish) });
            }
        }
        let room = numbers(reconfig::INCOMING_RESET_LEN)?;
        let mut streams = Vec::new();
        while streams.len() < room
            && let Some(stream) = wishes.incoming.pop_first()
        {
            streams.push(stream);
        }
        (!streams.is_empty()).then_some(Ask::IncomingReset { streams })
    }

    fn report_resets(&mut self) -> bool {
        let Some(streams) = self.receiver.perform_reset(&mut self.events) else { return false };
        for stream in streams {
            self.events.reset(stream, Direction::Incoming, ResetOutcome::Performed);
        }
        true
    }
}
