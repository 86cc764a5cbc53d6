//! Random walks in which both ends move to other places in the midst of everything: nothing reliable is lost, nothing
//! arrives twice, order is kept, and in the end nothing is left.

#[path = "common/mover.rs"]
mod mover;
#[path = "common/pair.rs"]
mod pair;

use bytes::Bytes;
use mover::move_end;
use pair::*;
use sctp::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What is sent on each stream.
const ORDERED: u16 = 0;
const RESET: u16 = 1;
const UNORDERED: u16 = 2;
const PARTIAL: u16 = 3;
const PARTIAL_UNORDERED: u16 = 4;
const LARGE: u16 = 5;
const PIECES: u16 = 6;
const STREAMS: u16 = 7;

struct Walk {
    pair: Pair,
    configs: [Arc<Config>; 2],
    rng: Seeded,
    seed: u64,
    /// By sender and stream: messages sent, and the next one expected where order is kept.
    sent: BTreeMap<(usize, u16), u32>,
    next: BTreeMap<(usize, u16), u32>,
    taken: BTreeMap<(usize, u16), BTreeSet<u32>>,
    /// Bytes of the message open on `PIECES`, by sender, and those taken of the one that comes, by receiver.
    open: [Option<usize>; 2],
    coming: [usize; 2],
    names: [BTreeSet<u64>; 2],
    named: u64,
    blocked: [bool; 2],
    moves: u32,
}

/// The byte of a message of `PIECES` at some place.
fn pattern(message: u32, at: usize) -> u8 {
    (message as usize * 31 + at * 7 + at / 251) as u8
}

fn body(number: u32, len: usize) -> Bytes {
    let mut payload = number.to_be_bytes().to_vec();
    payload.extend((0..len).map(|at| pattern(number, at)));
    payload.into()
}

impl Walk {
    fn new(seed: u64, loss: f64, change: impl Fn(Config) -> Config) -> Self {
        let config = || {
            change(
                Config::default()
                    .with_receive_buffer(64 << 10)
                    .with_send_buffer(64 << 10)
                    .with_max_message_size(48 << 10),
            )
        };
        let first = [vec![0xa, u32::MAX - 200], vec![0xb, u32::MAX - 30]];
        let mut pair = Pair::with(seed, Link::new(ms(15)), [config(), config()], first);
        pair.connect();
        for side in [A, B] {
            pair.links[side].loss = loss;
            pair.links[side].jitter = ms(12);
            pair.links[side].duplicate = 2.0;
            pair.ends[side].set_delivery(StreamId(PIECES), Delivery::Pieces);
        }
        Self {
            pair,
            configs: [Arc::new(config()), Arc::new(config())],
            rng: Seeded::new(seed + 99),
            seed,
            sent: BTreeMap::new(),
            next: BTreeMap::new(),
            taken: BTreeMap::new(),
            open: [None; 2],
            coming: [0; 2],
            names: [BTreeSet::new(), BTreeSet::new()],
            named: 0,
            blocked: [false; 2],
            moves: 0,
        }
    }

    fn pick(&mut self, below: u64) -> u64 {
        (self.rng.next() >> 16) % below
    }

    fn options(&mut self, stream: u16) -> SendOptions {
        let reliability = match (stream, self.pick(4)) {
            (PARTIAL | PARTIAL_UNORDERED, 0) => Reliability::MaxRetransmits(0),
            (PARTIAL | PARTIAL_UNORDERED, 1) => Reliability::MaxRetransmits(2),
            (PARTIAL | PARTIAL_UNORDERED, 2) => Reliability::MaxLifetime(ms(80)),
            (PARTIAL | PARTIAL_UNORDERED, _) => Reliability::Priority(7),
            _ => Reliability::Reliable,
        };
        let unordered = [UNORDERED, PARTIAL_UNORDERED].contains(&stream);
        let order = if unordered { Order::Unordered } else { Order::Ordered };
        SendOptions::new().with_reliability(reliability).with_order(order)
    }

    fn send(&mut self) {
        let side = self.pick(2) as usize;
        for _ in 0..self.pick(12) {
            let stream = self.pick(u64::from(PIECES)) as u16;
            let number = self.sent.get(&(side, stream)).copied().unwrap_or(0);
            let len = match (stream, self.pick(6)) {
                (LARGE, _) => 10_000 + self.pick(30_000),
                (_, 0) => self.pick(9_000),
                _ => self.pick(300),
            };
            self.named += 1;
            let options = self.options(stream).with_tracking(MessageId(self.named));
            let payload = message(body(number, len as usize));
            let now = self.pair.now;
            if self.blocked[side] {
                return;
            }
            match self.pair.ends[side].send(now, StreamId(stream), payload, options) {
                Ok(()) => {
                    self.sent.insert((side, stream), number + 1);
                    self.names[side].insert(self.named);
                }
                Err(SendError::WouldBlock(_)) => self.blocked[side] = true,
                Err(SendError::Resetting) if stream == RESET => {}
                Err(error) => panic!("seed {}: {error:?}", self.seed),
            }
        }
    }

    /// A piece of the message on `PIECES`.
    fn piece(&mut self, ends: bool) {
        let side = self.pick(2) as usize;
        self.piece_of(side, ends);
    }

    /// Ends the open message. That needs no room, which others may have taken that wait for it.
    fn end_message(&mut self, side: usize) {
        if self.open[side].take().is_some() {
            self.pair.ends[side].end_message(self.pair.now, StreamId(PIECES));
            *self.sent.entry((side, PIECES)).or_default() += 1;
        }
    }

    fn piece_of(&mut self, side: usize, ends: bool) {
        if self.blocked[side] {
            return;
        }
        let number = self.sent.get(&(side, PIECES)).copied().unwrap_or(0);
        let at = self.open[side].unwrap_or(0);
        let len = 1 + self.pick(6_000) as usize;
        let ends = ends || self.pick(20) == 0;
        let payload: Bytes = (at..at + len).map(|at| pattern(number, at)).collect::<Vec<_>>().into();
        let end = if ends { End::Last } else { End::More };
        let piece = Piece { ppid: Ppid(7), payload, end };
        let (now, stream) = (self.pair.now, StreamId(PIECES));
        match self.pair.ends[side].send_piece(now, stream, piece, SendOptions::new()) {
            Ok(()) if ends => {
                self.open[side] = None;
                self.sent.insert((side, PIECES), number + 1);
            }
            Ok(()) => self.open[side] = Some(at + len),
            Err(SendPieceError::WouldBlock(_)) => self.blocked[side] = true,
            Err(error) => panic!("seed {}: {error:?}", self.seed),
        }
        if self.pick(4) == 0 {
            self.pair.ends[side].flush_pieces(now, stream);
        }
    }

    fn disturb(&mut self) {
        let side = self.pick(2) as usize;
        let now = self.pair.now;
        match self.pick(7) {
            0 => self.pair.reads[side] = !self.pair.reads[side],
            1 => {
                let _ = self.pair.ends[side].reset_stream(now, StreamId(RESET));
            }
            2 => {
                let _ = self.pair.ends[side].request_reset(now, StreamId(RESET));
            }
            3 => {
                let (stream, weight) = (StreamId(self.pick(7) as u16), self.pick(1_000) as u16);
                self.pair.ends[side].set_weight(stream, weight);
            }
            4 => {
                let count = std::num::NonZeroU16::new(1).expect("not zero");
                let _ = self.pair.ends[side].add_streams(now, Direction::Outgoing, count);
            }
            5 => self.end_message(side),
            _ => self.take_pieces(side, 2),
        }
    }

    fn relocate(&mut self) {
        if self.pick(2) == 0 {
            // In the midst of a batch: events not polled, acknowledgements owed.
            let time = ms(self.pick(10));
            self.pair.now += time;
            self.pair.deliver_due();
        }
        let sides: &[usize] = [&[A][..], &[B], &[A, B]][self.pick(3) as usize];
        for &side in sides {
            let seed = self.seed ^ self.rng.next();
            let config = Arc::clone(&self.configs[side]);
            move_end(&mut self.pair, side, &config, seed);
            self.moves += 1;
        }
        if self.pick(4) == 0 {
            // It takes a while, and what comes meanwhile is lost.
            let to = [A, B][self.pick(2) as usize];
            self.pair.links[to].up = false;
            let time = ms(self.pick(300));
            self.pair.run_for(time);
            self.pair.links[to].up = true;
        }
    }

    fn take_pieces(&mut self, side: usize, count: usize) {
        let from = 1 - side;
        for _ in 0..count {
            let Some(piece) = self.pair.ends[side].recv_piece(StreamId(PIECES)) else { return };
            let number = self.next.entry((from, PIECES)).or_default();
            let at = self.coming[side];
            let right = piece.payload.iter().zip(at..).all(|(byte, at)| *byte == pattern(*number, at));
            assert!(right && piece.ppid == Ppid(7), "seed {}: message {number} at {at}", self.seed);
            self.coming[side] += piece.payload.len();
            if piece.end != End::More {
                assert_eq!(piece.end, End::Last, "seed {}", self.seed);
                *number += 1;
                self.coming[side] = 0;
            }
        }
    }

    fn take(&mut self) {
        for side in [A, B] {
            let from = 1 - side;
            for (stream, message) in std::mem::take(&mut self.pair.received[side]) {
                let number = u32::from_be_bytes(message.payload[..4].try_into().expect("four bytes"));
                let expected = body(number, message.payload.len() - 4);
                assert_eq!(message.payload, expected, "seed {}: {number} on {stream}", self.seed);
                let key = (from, stream.0);
                let first = self.taken.entry(key).or_default().insert(number);
                assert!(first, "seed {}: {number} on {stream} came twice", self.seed);
                let next = self.next.entry(key).or_default();
                let fits = match stream.0 {
                    UNORDERED | PARTIAL_UNORDERED => true,
                    PARTIAL => number >= *next,
                    _ => number == *next,
                };
                assert!(fits, "seed {}: {number} on {stream} after {next}", self.seed);
                *next = number + 1;
            }
            for event in std::mem::take(&mut self.pair.events[side]) {
                match event {
                    Event::Delivered(id) | Event::Abandoned { id, .. } => {
                        assert!(self.names[side].remove(&id.0), "seed {}: {id:?} again", self.seed);
                    }
                    Event::SendSpace => self.blocked[side] = false,
                    Event::Closed(reason) => panic!("seed {}: {reason:?}", self.seed),
                    Event::BufferedAmountLow(_)
                    | Event::Readable(_)
                    | Event::StreamReset { .. }
                    | Event::StreamsChanged { .. }
                    | Event::Connected { .. } => {}
                    other @ (Event::MessageTooLarge(_)
                    | Event::Restarted
                    | Event::ShuttingDown
                    | Event::StreamsDenied(_)
                    | _) => panic!("seed {}: {other:?}", self.seed),
                }
            }
        }
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.pick(16) {
                0..5 => self.send(),
                5..7 => self.piece(false),
                7 => self.disturb(),
                8..10 => self.relocate(),
                _ => {
                    let time = ms(self.pick(40));
                    self.pair.run_for(time);
                }
            }
            self.take();
        }
    }

    /// The network heals, and both read: everything arrives, and nothing is left.
    fn finish(mut self) -> u32 {
        self.pair.reads = [true; 2];
        for side in [A, B] {
            let link = &mut self.pair.links[side];
            (link.loss, link.jitter, link.duplicate) = (0.0, ms(0), 0.0);
        }
        for round in 0..2_000 {
            for side in [A, B] {
                self.end_message(side);
                self.take_pieces(side, usize::MAX);
            }
            self.pair.run_for(ms(50));
            self.take();
            let flushed = self.pair.ends.iter().all(Association::is_flushed);
            if flushed && self.open == [None; 2] {
                break;
            }
            assert!(round < 1_999, "seed {}: {:?}", self.seed, self.pair.ends);
        }
        // The last that was pulled shows in the window with the next packet.
        for side in [A, B] {
            self.take_pieces(side, usize::MAX);
            let number = self.sent.get(&(side, ORDERED)).copied().unwrap_or(0);
            self.pair.send(side, ORDERED, message(body(number, 1))).expect("room");
            self.sent.insert((side, ORDERED), number + 1);
        }
        self.pair.run_for(Duration::from_secs(10));
        self.take();
        for side in [A, B] {
            self.take_pieces(side, usize::MAX);
            self.check_end(side);
        }
        self.moves
    }

    fn check_end(&self, side: usize) {
        let seed = self.seed;
        for stream in [ORDERED, RESET, LARGE, PIECES] {
            let key = (side, stream);
            assert_eq!(self.next.get(&key), self.sent.get(&key), "seed {seed}: {stream} from {side}");
        }
        let unordered = self.taken.get(&(side, UNORDERED)).map_or(0, BTreeSet::len);
        assert_eq!(
            unordered,
            self.sent.get(&(side, UNORDERED)).copied().unwrap_or(0) as usize,
            "seed {seed}"
        );
        assert!(self.names[side].is_empty(), "seed {seed}: no word of {:?}", self.names[side]);
        assert!(!self.blocked[side], "seed {seed}: no word of room");
        let (end, other) = (&self.pair.ends[side], &self.pair.ends[1 - side]);
        let (stats, others) = (end.stats(), other.stats());
        assert_eq!((stats.in_flight, stats.send_held), (0, 0), "seed {seed}");
        assert!(stats.receive_held <= 4 * usize::from(STREAMS), "seed {seed}: {stats:?}");
        // What is told of it grows by packets, or by eighths of a small buffer (RFC 9260 §6.2).
        assert!(stats.peer_window + 1_500 >= others.receive_buffer, "seed {seed}: {stats:?} {others:?}");
        for stream in 0..STREAMS {
            assert!(end.is_flushed_on(StreamId(stream)), "seed {seed}: {stream}");
            assert_eq!(end.buffered(StreamId(stream)) + end.outstanding_on(StreamId(stream)), 0);
        }
    }
}

fn walks(seeds: std::ops::Range<u64>, change: impl Fn(Config) -> Config) {
    for seed in seeds {
        let loss = [0.0, 5.0, 20.0][(seed % 3) as usize];
        let mut walk = Walk::new(seed, loss, &change);
        if seed % 2 == 0 {
            for side in [A, B] {
                let now = walk.pair.now;
                walk.pair.ends[side].set_path(now, PathInfo::new(1_160).with_search_up_to(8_000));
            }
        }
        walk.run(400);
        let moves = walk.finish();
        assert!(moves > 20, "seed {seed}: only {moves} moves");
    }
}

#[test]
fn nothing_is_lost_when_ends_move() {
    walks(0..9, |config| config.with_interleaving(Interleaving::Off));
}

#[test]
fn nothing_is_lost_when_ends_move_with_interleaving() {
    walks(100..109, |config| config);
}

#[test]
fn nothing_is_lost_when_ends_move_with_other_schedulers() {
    let schedulers = [
        Scheduler::FirstComeFirstServed,
        Scheduler::RoundRobin,
        Scheduler::RoundRobinPerPacket,
        Scheduler::Priority,
        Scheduler::FairCapacity,
    ];
    for (scheduler, first) in schedulers.into_iter().zip([200, 201, 202, 203, 204]) {
        for interleaving in [Interleaving::Off, Interleaving::Offered] {
            walks(first..first + 1, |config| {
                config
                    .with_interleaving(interleaving)
                    .with_scheduler(scheduler)
                    .with_error_detection(ErrorDetection::Crc32c)
            });
        }
    }
}
