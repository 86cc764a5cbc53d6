//! Whole messages, and the order they are in, as they move to another process.

use super::{Deferred, Early, Inbound};
use crate::chunk::data::{DataHeader, Format};
use crate::handover::wire::{Contradiction, MAX_COUNT, ensure, is_ascending, wire_struct};
use crate::rx::pieces::{Current, Streamed};
use crate::rx::reassembly::Whole;
use crate::types::{End, Message, Piece, StreamId};
use base::{Serial16, Serial32};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub(crate) struct InboundSnapshot {
    /// The next number of each stream where it is not zero.
    next: Vec<(StreamId, u32)>,
    early: Vec<(StreamId, EarlySnapshot)>,
    ready: Vec<(StreamId, Vec<Piece>)>,
    streamed: Vec<(StreamId, StreamedSnapshot)>,
    turns: Vec<StreamId>,
    deferred: Option<DeferredSnapshot>,
}

/// By their numbers.
#[derive(Clone, Debug)]
struct EarlySnapshot {
    messages: Vec<(u32, Option<Message>)>,
}

#[derive(Clone, Debug)]
struct StreamedSnapshot {
    current: Option<Current>,
    later: Vec<Piece>,
    tail: bool,
}

#[derive(Clone, Debug)]
struct DeferredSnapshot {
    last_tsn: u64,
    streams: Vec<StreamId>,
    held: Vec<WholeSnapshot>,
}

#[derive(Clone, Debug)]
struct WholeSnapshot {
    header: DataHeader,
    payload: Option<Bytes>,
    first_tsn: u64,
}

wire_struct!(InboundSnapshot { next, early, ready, streamed, turns, deferred });
wire_struct!(EarlySnapshot { messages });
wire_struct!(StreamedSnapshot { current, later, tail });
wire_struct!(DeferredSnapshot { last_tsn, streams, held });
wire_struct!(WholeSnapshot { header, payload, first_tsn });
wire_struct!(Current { unordered, mid, ppid });
wire_struct!(Message { ppid, payload });
wire_struct!(Piece { ppid, payload, end });

impl InboundSnapshot {
    pub(crate) fn check(&self, format: Format) -> Result<(), Contradiction> {
        let Self { next, early, ready, streamed, turns, deferred } = self;
        ensure(is_ascending(next.iter().map(|(stream, _)| stream)), "the order of streams")?;
        let plain = format == Format::Plain;
        let fits = |mid: u32| !plain || mid <= u32::from(u16::MAX);
        ensure(next.iter().all(|(_, mid)| *mid != 0 && fits(*mid)), "the number of the next message")?;
        ensure(is_ascending(early.iter().map(|(stream, _)| stream)), "the order of streams")?;
        let next: BTreeMap<_, _> = next.iter().copied().collect();
        for (stream, EarlySnapshot { messages }) in early {
            let next = next.get(stream).copied().unwrap_or(0);
            let is_ahead = |mid: u32| match format {
                Format::Plain => Serial16(mid as u16).is_after(Serial16(next as u16)),
                Format::Interleaved => Serial32(mid).is_after(Serial32(next)),
            };
            ensure(is_ascending(messages.iter().map(|(mid, _)| mid)), "the order of messages")?;
            let sound = messages.iter().all(|(mid, _)| fits(*mid) && is_ahead(*mid));
            ensure(sound && !messages.is_empty(), "messages that came early")?;
        }
        ensure(is_ascending(streamed.iter().map(|(stream, _)| stream)), "the order of streams")?;
        let streamed: BTreeMap<_, _> = streamed.iter().map(|(stream, it)| (*stream, it)).collect();
        ensure(is_ascending(ready.iter().map(|(stream, _)| stream)), "the order of streams")?;
        let ends = |pieces: &[Piece]| pieces.iter().all(|piece| piece.end != End::More);
        for (stream, pieces) in ready {
            let pulls_pieces = streamed.contains_key(stream);
            let whole = pulls_pieces || pieces.iter().all(|piece| piece.end == End::Last);
            ensure(!pieces.is_empty() && whole && ends(pieces), "messages to be pulled")?;
        }
        let ready: BTreeSet<_> = ready.iter().map(|(stream, _)| *stream).collect();
        for (stream, it) in &streamed {
            let StreamedSnapshot { current, later, tail } = it;
            let has_ready = ready.contains(stream);
            let sound = if current.is_some() { !has_ready && !tail } else { later.is_empty() };
            ensure(sound && (has_ready || !tail) && ends(later), "a message given out in pieces")?;
        }
        let whole = ready.iter().filter(|stream| !streamed.contains_key(stream));
        let in_turn: BTreeSet<_> = turns.iter().collect();
        ensure(in_turn.len() == turns.len() && in_turn.into_iter().eq(whole), "the turns of streams")?;
        let Some(DeferredSnapshot { last_tsn, streams, held }) = deferred else { return Ok(()) };
        ensure(is_ascending(streams), "the streams of a reset")?;
        let sound = |whole: &WholeSnapshot| {
            let listed = streams.is_empty() || streams.binary_search(&whole.header.stream).is_ok();
            whole.first_tsn < MAX_COUNT && listed
        };
        ensure(*last_tsn < MAX_COUNT && held.iter().all(sound), "messages behind a reset")
    }

    pub(crate) fn payload(&self) -> usize {
        let Self { next: _, early, ready, streamed, turns: _, deferred } = self;
        let early = early.iter().flat_map(|(_, early)| &early.messages);
        let early = early.filter_map(|(_, message)| Some(&message.as_ref()?.payload));
        let ready = ready.iter().flat_map(|(_, pieces)| pieces);
        let later = streamed.iter().flat_map(|(_, it)| &it.later);
        let held = deferred.iter().flat_map(|deferred| &deferred.held);
        early
            .chain(ready.chain(later).map(|piece| &piece.payload))
            .chain(held.filter_map(|whole| whole.payload.as_ref()))
            .fold(0, |sum, payload| sum.saturating_add(payload.len()))
    }

    /// How many messages, and ends of messages.
    fn messages(&self) -> usize {
        let Self { next: _, early, ready, streamed, turns: _, deferred } = self;
        let early = early.iter().map(|(_, early)| early.messages.len());
        let ready = ready.iter().map(|(_, pieces)| pieces.len());
        let later = streamed.iter().map(|(_, it)| it.later.len());
        let held = deferred.iter().map(|deferred| deferred.held.len());
        early.chain(ready).chain(later).chain(held).fold(0, usize::saturating_add)
    }

    /// Streams received in pieces.
    pub(crate) fn streamed(&self) -> Vec<StreamId> {
        self.streamed.iter().map(|(stream, _)| *stream).collect()
    }
}

impl EarlySnapshot {
    fn of(early: &Early) -> Self {
        Self { messages: early.iter().map(|(mid, message)| (*mid, message.clone())).collect() }
    }
}

impl Inbound {
    pub(crate) fn snapshot(&self) -> InboundSnapshot {
        let Self { format: _, next, early, ready, streamed, turns, deferred, payload: _, messages: _ } = self;
        let next = next.iter().zip(0_u16..=u16::MAX);
        let ready = ready.iter().filter(|(_, queue)| !queue.is_empty());
        InboundSnapshot {
            next: next.filter(|(mid, _)| **mid != 0).map(|(mid, stream)| (StreamId(stream), *mid)).collect(),
            early: early.iter().map(|(stream, early)| (*stream, EarlySnapshot::of(early))).collect(),
            ready: ready.map(|(stream, queue)| (*stream, queue.iter().cloned().collect())).collect(),
            streamed: streamed.iter().map(|(stream, it)| (*stream, it.snapshot())).collect(),
            turns: turns.iter().copied().collect(),
            deferred: deferred.as_ref().map(Deferred::snapshot),
        }
    }

    pub(crate) fn restore(snapshot: InboundSnapshot, format: Format) -> Self {
        let (payload, messages) = (snapshot.payload(), snapshot.messages());
        let InboundSnapshot { next, early, ready, streamed, turns, deferred } = snapshot;
        let early = early.into_iter().map(|(stream, early)| (stream, Early::from_iter(early.messages)));
        let mut inbound = Self {
            format,
            next: Vec::new(),
            early: early.collect(),
            ready: ready.into_iter().map(|(stream, pieces)| (stream, pieces.into())).collect(),
            streamed: streamed.into_iter().map(|(stream, it)| (stream, Streamed::restore(it))).collect(),
            turns: turns.into(),
            deferred: deferred.map(Deferred::restore),
            payload,
            messages,
        };
        for (stream, mid) in next {
            inbound.set_next(stream, Serial32(mid));
        }
        inbound
    }
}

impl Streamed {
    fn snapshot(&self) -> StreamedSnapshot {
        let Self { current, later, tail } = self;
        StreamedSnapshot { current: *current, later: later.iter().cloned().collect(), tail: *tail }
    }

    fn restore(snapshot: StreamedSnapshot) -> Self {
        let StreamedSnapshot { current, later, tail } = snapshot;
        Self { current, later: later.into(), tail }
    }
}

impl Deferred {
    fn snapshot(&self) -> DeferredSnapshot {
        let Self { last_tsn, streams, held } = self;
        let held = held.iter().map(|whole| {
            let Whole { header, payload, first_tsn } = whole;
            WholeSnapshot { header: *header, payload: payload.clone(), first_tsn: *first_tsn }
        });
        DeferredSnapshot { last_tsn: *last_tsn, streams: streams.clone(), held: held.collect() }
    }

    fn restore(snapshot: DeferredSnapshot) -> Self {
        let DeferredSnapshot { last_tsn, streams, held } = snapshot;
        let held = held.into_iter().map(|whole| {
            let WholeSnapshot { header, payload, first_tsn } = whole;
            Whole { header, payload, first_tsn }
        });
        Self { last_tsn, streams, held: held.collect() }
    }
}
