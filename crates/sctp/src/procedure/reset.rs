//! Resetting streams (RFC 6525 §5).

use crate::association::Association;
use crate::chunk::reconfig::{self, Parameter, ResetResult, StreamList};
use crate::event::{Direction, ResetOutcome};
use crate::state::Timer;
use crate::tlv::{Tlv, Tlvs};
use crate::tx::Sender;
use crate::types::StreamId;
use base::Serial32;
use std::collections::VecDeque;
use std::time::Instant;

/// Answers owed at once. A peer has one request in flight (RFC 6525 §5.1.1), so more are not asked in good faith.
const MAX_RESPONSES: usize = 4;

/// Our request, until it is answered.
#[derive(Debug)]
struct Request {
    number: Serial32,
    last_tsn: Serial32,
    streams: Vec<StreamId>,
    /// Is to be written.
    due: bool,
    /// The peer has it and waits for data.
    in_progress: bool,
    tries: u32,
}

/// Both directions.
#[derive(Debug)]
pub(crate) struct Resets {
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
    pub(crate) fn new(local: Serial32, peer: Serial32) -> Self {
        Self { next_request: local, request: None, expected: peer, last: None, responses: VecDeque::new() }
    }

    /// Whether a RE-CONFIG could be written now.
    pub(crate) fn has_something(&self, sender: &Sender) -> bool {
        !self.responses.is_empty()
            || match &self.request {
                Some(request) => request.due,
                None => sender.queue.has_drained(),
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

impl Association {
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
        let mut any = false;
        for stream in streams.iter().filter(|stream| stream.0 < self.peer.outbound) {
            // Only streams in use: a list of all others would fill the queue with resets of nothing.
            if self.sender.queue.is_used(stream) {
                any |= self.sender.queue.start_reset(stream);
            }
        }
        self.resets.conclude(request, if any { ResetResult::PERFORMED } else { ResetResult::NOTHING_TO_DO });
    }

    /// The answer to our request (RFC 6525 §5.2.7).
    fn on_response(&mut self, now: Instant, number: Serial32, result: ResetResult) {
        let Some(request) = self.resets.request.as_mut().filter(|request| request.number == number) else {
            return;
        };
        self.errors = 0;
        if result == ResetResult::IN_PROGRESS {
            request.in_progress = true;
            self.timers.set(Timer::Reconfig, now + self.sender.rto.timeout());
            return;
        }
        self.timers.stop(Timer::Reconfig);
        let Some(request) = self.resets.request.take() else { return };
        let done = result == ResetResult::PERFORMED || result == ResetResult::NOTHING_TO_DO;
        let outcome = if done { ResetOutcome::Performed } else { ResetOutcome::Denied };
        for stream in request.streams {
            self.sender.queue.end_reset(stream, done);
            self.events.reset(stream, Direction::Outgoing, outcome);
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
            let Some(room) = space.checked_sub(reconfig::OUTGOING_RESET_LEN + 2).map(|room| room / 2) else {
                return;
            };
            let streams = self.sender.queue.take_drained(room);
            if streams.is_empty() {
                return;
            }
            let number = self.resets.next_request;
            self.resets.next_request = number.next();
            let last_tsn = self.sender.next_tsn().minus(1);
            let (due, in_progress, tries) = (true, false, 0);
            self.resets.request = Some(Request { number, last_tsn, streams, due, in_progress, tries });
            self.timers.set(Timer::Reconfig, now + self.sender.rto.timeout());
        }
        let response = self.resets.expected.minus(1);
        if let Some(request) = self.resets.request.as_mut().filter(|request| request.due) {
            let len = reconfig::OUTGOING_RESET_LEN + 2 * request.streams.len() + 2;
            if len <= space {
                request.due = false;
                reconfig::write_outgoing_reset(
                    out,
                    request.number,
                    response,
                    request.last_tsn,
                    &request.streams,
                );
            }
        }
    }

    fn report_resets(&mut self) -> bool {
        let Some(streams) = self.receiver.perform_reset(&mut self.events) else { return false };
        for stream in streams {
            self.events.reset(stream, Direction::Incoming, ResetOutcome::Performed);
        }
        true
    }
}
