//! Resets and added streams under way, as they move to another process. Our request is written again at once: its number
//! tells the peer that it is the same.

use super::{Ask, Limits, MAX_RESPONSES, Request, Resets, Wishes};
use crate::association::Peer;
use crate::chunk::reconfig::ResetResult;
use crate::handover::wire::{Contradiction, Malformed, Wire, ensure, is_ascending, wire_struct};
use crate::types::StreamId;
use base::{Reader, Serial32};
use std::collections::BTreeSet;

/// More than anyone can have tried.
const MOST_TRIES: u32 = 1 << 30;

/// More streams than this are not named in one packet.
const MOST_NAMED: usize = 32_000;

#[derive(Clone, Debug)]
pub(crate) struct ResetsSnapshot {
    wished: Vec<StreamId>,
    add_outgoing: u16,
    add_incoming: u16,
    most_outbound: u16,
    most_inbound: u16,
    next_request: Serial32,
    request: Option<RequestSnapshot>,
    expected: Serial32,
    last: Option<(Serial32, u32)>,
    responses: Vec<(Serial32, u32)>,
}

#[derive(Clone, Debug)]
struct RequestSnapshot {
    number: Serial32,
    ask: Ask,
    in_progress: bool,
    tries: u32,
}

wire_struct!(ResetsSnapshot {
    wished,
    add_outgoing,
    add_incoming,
    most_outbound,
    most_inbound,
    next_request,
    request,
    expected,
    last,
    responses
});
wire_struct!(RequestSnapshot { number, ask, in_progress, tries });

impl Wire for Ask {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::OutgoingReset { last_tsn, streams } => {
                0_u8.put(out);
                last_tsn.put(out);
                streams.put(out);
            }
            Self::IncomingReset { streams } => {
                1_u8.put(out);
                streams.put(out);
            }
            Self::AddStreams { direction, count } => {
                2_u8.put(out);
                direction.put(out);
                count.put(out);
            }
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match u8::take(reader)? {
            0 => Self::OutgoingReset { last_tsn: Wire::take(reader)?, streams: Wire::take(reader)? },
            1 => Self::IncomingReset { streams: Wire::take(reader)? },
            2 => Self::AddStreams { direction: Wire::take(reader)?, count: Wire::take(reader)? },
            _ => return Err(Malformed),
        })
    }
}

impl ResetsSnapshot {
    /// `requested` are the streams whose messages wait for the answer to a reset.
    pub(crate) fn check(
        &self,
        peer: &Peer,
        requested: impl Iterator<Item = StreamId>,
    ) -> Result<(), Contradiction> {
        let Self { wished, next_request, request, responses, .. } = self;
        ensure(is_ascending(wished), "the order of resets wished for")?;
        ensure(wished.iter().all(|stream| stream.0 < peer.inbound), "a reset of no stream")?;
        ensure(responses.len() <= MAX_RESPONSES, "the answers owed")?;
        let requested: BTreeSet<_> = requested.collect();
        let asked: BTreeSet<_> = match request.as_ref().map(|request| &request.ask) {
            Some(Ask::OutgoingReset { streams, .. }) => streams.iter().copied().collect(),
            Some(Ask::IncomingReset { .. } | Ask::AddStreams { .. }) | None => BTreeSet::new(),
        };
        ensure(asked == requested, "streams that wait for a reset")?;
        let Some(request) = request else { return Ok(()) };
        ensure(request.number.next() == *next_request, "the number of the request")?;
        ensure(request.tries <= MOST_TRIES, "the tries of the request")?;
        let sound = match &request.ask {
            Ask::OutgoingReset { streams, .. } | Ask::IncomingReset { streams } => {
                (1..=MOST_NAMED).contains(&streams.len())
            }
            Ask::AddStreams { count, .. } => *count > 0,
        };
        ensure(sound, "a request for nothing")
    }
}

impl Resets {
    /// Whether an answer is waited for.
    pub(crate) fn has_request(&self) -> bool {
        self.request.is_some()
    }

    pub(crate) fn snapshot(&self) -> ResetsSnapshot {
        let Self { wishes, limits, next_request, request, expected, last, responses } = self;
        let Wishes { incoming, add_outgoing, add_incoming } = wishes;
        let Limits { outbound, inbound } = *limits;
        let request = request.as_ref().map(|request| {
            let Request { number, ask, due: _, in_progress, tries } = request;
            let tries = (*tries).min(MOST_TRIES);
            RequestSnapshot { number: *number, ask: ask.clone(), in_progress: *in_progress, tries }
        });
        ResetsSnapshot {
            wished: incoming.iter().copied().collect(),
            add_outgoing: *add_outgoing,
            add_incoming: *add_incoming,
            most_outbound: outbound,
            most_inbound: inbound,
            next_request: *next_request,
            request,
            expected: *expected,
            last: last.map(|(number, ResetResult(result))| (number, result)),
            responses: responses.iter().map(|(number, ResetResult(result))| (*number, *result)).collect(),
        }
    }

    /// With `due` our request is written again.
    pub(crate) fn restore(snapshot: ResetsSnapshot, due: bool) -> Self {
        let ResetsSnapshot {
            wished,
            add_outgoing,
            add_incoming,
            most_outbound,
            most_inbound,
            next_request,
            request,
            expected,
            last,
            responses,
        } = snapshot;
        let answer = |(number, result)| (number, ResetResult(result));
        Self {
            wishes: Wishes { incoming: wished.into_iter().collect(), add_outgoing, add_incoming },
            limits: Limits { outbound: most_outbound, inbound: most_inbound },
            next_request,
            request: request.map(|request| {
                let RequestSnapshot { number, ask, in_progress, tries } = request;
                Request { number, ask, due, in_progress, tries }
            }),
            expected,
            last: last.map(answer),
            responses: responses.into_iter().map(answer).collect(),
        }
    }
}
