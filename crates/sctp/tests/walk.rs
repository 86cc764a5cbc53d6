//! Long random walks: whatever the network and the applications do, bytes go on arriving or the end is reported, nothing
//! arrives twice, and nothing reliable is lost.

#[path = "common/pair.rs"]
mod pair;

use pair::*;
use sctp::*;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Streams with reliable, ordered messages; the one behind them has the others.
const RELIABLE: u16 = 3;
const PARTIAL: u16 = RELIABLE;

/// No data for this long, while there is some and it is taken, is a stall.
const STALL: Duration = Duration::from_secs(60);

struct Walk {
    pair: Pair,
    rng: Seeded,
    /// By direction and stream: numbers sent and numbers taken.
    sent: BTreeMap<(usize, u16), u32>,
    taken: BTreeMap<(usize, u16), u32>,
    /// When something was last taken from each side, or nothing was owed to it.
    progress: [Instant; 2],
    seed: u64,
}

impl Walk {
    fn new(seed: u64, rng: Seeded) -> Self {
        // TSNs wrap at once.
        let first = [vec![0xa, u32::MAX - 20], vec![0xb, u32::MAX - 3]];
        let config = || Config::default().with_receive_buffer(32 << 10).with_max_message_size(16 << 10);
        let mut pair = Pair::with(seed, Link::new(ms(10)), [config(), config()], first);
        pair.connect();
        let progress = [pair.now; 2];
        Self { pair, rng, sent: BTreeMap::new(), taken: BTreeMap::new(), progress, seed }
    }

    fn pick(&mut self, below: u64) -> u64 {
        (self.rng.next() >> 16) % below
    }

    fn send(&mut self) {
        let side = self.pick(2) as usize;
        for _ in 0..self.pick(20) {
            let stream = self.pick(u64::from(PARTIAL) + 1) as u16;
            let number = self.sent.get(&(side, stream)).copied().unwrap_or(0);
            let len = if self.pick(10) == 0 { self.pick(12_000) } else { self.pick(200) } as usize;
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(4 + len, number as u8);
            let reliability = match (stream, self.pick(3)) {
                (PARTIAL, 0) => Reliability::MaxRetransmits(0),
                (PARTIAL, 1) => Reliability::MaxRetransmits(2),
                (PARTIAL, _) => Reliability::MaxLifetime(ms(200)),
                _ => Reliability::Reliable,
            };
            let options = SendOptions::new().with_reliability(reliability);
            let now = self.pair.now;
            if self.pair.ends[side].send(now, StreamId(stream), message(payload), options).is_ok() {
                self.sent.insert((side, stream), number + 1);
            }
        }
    }

    fn disturb(&mut self) {
        let side = self.pick(2) as usize;
        match self.pick(8) {
            0 => self.pair.links[side].loss = self.pick(49) as f64,
            1 => self.pair.links[side].loss = 0.0,
            2 => self.pair.links[side].duplicate = self.pick(50) as f64,
            3 => self.pair.links[side].jitter = ms(self.pick(100)),
            4 => self.pair.links[side].delay = ms(1 + self.pick(100)),
            5 => self.pair.reads[side] = !self.pair.reads[side],
            6 => {
                let (now, stream) = (self.pair.now, StreamId(self.pick(4) as u16));
                let _ = self.pair.ends[side].reset_stream(now, stream);
            }
            _ => {
                let budget = self.pick(1_000_000);
                let now = self.pair.now;
                self.pair.ends[side]
                    .set_send_budget(now, std::num::NonZeroU64::new(budget / 10_000 * 10_000));
            }
        }
    }

    fn take(&mut self) {
        for from in [A, B] {
            for (stream, message) in std::mem::take(&mut self.pair.received[1 - from]) {
                let number = u32::from_be_bytes(message.payload[..4].try_into().expect("four bytes"));
                assert!(message.payload[4..].iter().all(|byte| *byte == number as u8), "seed {}", self.seed);
                let next = self.taken.entry((from, stream.0)).or_default();
                let fits = if stream.0 == PARTIAL { number >= *next } else { number == *next };
                assert!(fits, "seed {}: {number} on {stream} after {next}", self.seed);
                *next = number + 1;
                self.progress[1 - from] = self.pair.now;
            }
        }
    }

    /// Whether something reliable is on its way from a side.
    fn owes(&self, from: usize) -> bool {
        (0..RELIABLE).any(|stream| self.sent.get(&(from, stream)) != self.taken.get(&(from, stream)))
    }

    fn is_closed(&self) -> bool {
        let closed = |event: &Event| matches!(event, Event::Closed(_));
        self.pair.events.iter().flatten().any(closed)
    }

    fn check(&mut self) {
        for to in [A, B] {
            if !self.pair.reads[to] || !self.owes(1 - to) {
                self.progress[to] = self.pair.now;
            }
            let waited = self.pair.now - self.progress[to];
            assert!(waited < STALL, "seed {}: nothing for {waited:?}: {:?}", self.seed, self.pair.ends);
            let stats = self.pair.ends[to].stats();
            assert!(stats.receive_held <= 2 * stats.receive_buffer, "seed {}: {stats:?}", self.seed);
        }
        for side in [A, B] {
            self.pair.events[side].retain(|event| matches!(event, Event::Closed(_)));
        }
    }

    /// The network heals, and both read: everything arrives.
    fn finish(&mut self) {
        self.pair.reads = [true; 2];
        for side in [A, B] {
            let link = &mut self.pair.links[side];
            (link.loss, link.duplicate, link.jitter, link.delay) = (0.0, 0.0, ms(0), ms(10));
            let now = self.pair.now;
            self.pair.ends[side].set_send_budget(now, None);
        }
        let flushed = |pair: &Pair| pair.ends.iter().all(Association::is_flushed);
        let done = self.pair.run_until(STALL, flushed);
        self.pair.run_for(ms(1_000));
        self.take();
        if !self.is_closed() {
            assert!(done, "seed {}: {:?}", self.seed, self.pair.ends);
            for side in [A, B] {
                assert!(!self.owes(side), "seed {}: {:?} {:?}", self.seed, self.sent, self.taken);
                for stream in 0..=PARTIAL {
                    assert_eq!(self.pair.ends[side].outstanding_on(StreamId(stream)), 0);
                    assert!(self.pair.ends[side].is_flushed_on(StreamId(stream)));
                }
            }
        }
    }
}

fn walk(seed: u64, steps: usize) {
    let mut rng = Seeded::new(seed + 77);
    let mut number = 0;
    let mut walk = Walk::new(seed, rng.clone());
    let mut restarts = 0;
    for step in 0..steps {
        match walk.pick(10) {
            0..5 => walk.send(),
            5 => walk.disturb(),
            _ => {
                let time = ms(walk.pick(60));
                walk.pair.run_for(time);
            }
        }
        walk.take();
        walk.check();
        if walk.is_closed() || step % 5_000 == 4_999 {
            restarts += usize::from(walk.is_closed());
            walk.finish();
            number += 1;
            rng.next();
            walk = Walk::new(seed * 1_000 + number, rng.clone());
        }
    }
    walk.finish();
    assert!(restarts < steps / 500, "{restarts} associations failed");
}

/// Users 51, and the invariant of all: 100,000 steps in five walks.
#[test]
fn stall_invariant_walk_1() {
    walk(1, 20_000);
}

#[test]
fn stall_invariant_walk_2() {
    walk(2, 20_000);
}

#[test]
fn stall_invariant_walk_3() {
    walk(3, 20_000);
}

#[test]
fn stall_invariant_walk_4() {
    walk(4, 20_000);
}

#[test]
fn stall_invariant_walk_5() {
    walk(5, 20_000);
}
