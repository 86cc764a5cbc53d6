//! Two associations and a network in virtual time.
#![allow(dead_code, reason = "each test file uses its part")]

use bytes::Bytes;
use crypto::Random;
use sctp::{Association, Config, Event, Fragmentation, Message, Ppid, SendError, SendOptions, StreamId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Types of the chunks that carry user data: DATA and I-DATA.
pub(crate) const CARRIES_DATA: [u8; 2] = [0, 64];

pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn message(payload: impl Into<Bytes>) -> Message {
    Message { ppid: Ppid(53), payload: payload.into() }
}

pub(crate) fn bytes(len: usize) -> Bytes {
    (0..len).map(|index| (index % 251) as u8).collect::<Vec<_>>().into()
}

#[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// A small generator: one number gives one run.
#[derive(Clone)]
pub(crate) struct Seeded {
    state: u64,
    /// Handed out before anything else, four bytes each.
    pub(crate) first: Vec<u32>,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, first: Vec::new() }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn chance(&mut self, percent: f64) -> bool {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64 * 100.0 < percent
    }
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        if out.len() == 4 && !self.first.is_empty() {
            out.copy_from_slice(&self.first.remove(0).to_be_bytes());
            return;
        }
        for byte in out {
            *byte = self.next() as u8;
        }
    }
}

/// One direction.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    /// Percent.
    pub(crate) loss: f64,
    pub(crate) duplicate: f64,
    /// Bits per second, with a queue of this many bytes.
    pub(crate) rate: Option<(u64, usize)>,
    pub(crate) up: bool,
    /// Longer packets vanish, except those that may be cut on the way.
    pub(crate) mtu: usize,
    free_at: Option<Instant>,
    flying: BTreeMap<(Instant, u64), Vec<u8>>,
    pub(crate) carried: u64,
}

impl Link {
    pub(crate) fn new(delay: Duration) -> Self {
        Self {
            delay,
            jitter: Duration::ZERO,
            loss: 0.0,
            duplicate: 0.0,
            rate: None,
            up: true,
            mtu: usize::MAX,
            free_at: None,
            flying: BTreeMap::new(),
            carried: 0,
        }
    }

    fn carry(&mut self, now: Instant, rng: &mut Seeded, serial: &mut u64, packet: &[u8]) {
        self.carried += 1;
        if !self.up || rng.chance(self.loss) {
            return;
        }
        let mut leave = now;
        if let Some((rate, limit)) = self.rate {
            let free = self.free_at.unwrap_or(now).max(now);
            let waiting = (free - now).as_secs_f64() * rate as f64 / 8.0;
            if waiting > limit as f64 {
                return;
            }
            leave = free + Duration::from_secs_f64(packet.len() as f64 * 8.0 / rate as f64);
            self.free_at = Some(leave);
        }
        let copies = if rng.chance(self.duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            let jitter = self.jitter.mul_f64((rng.next() % 1_000) as f64 / 1_000.0);
            *serial += 1;
            self.flying.insert((leave + self.delay + jitter, *serial), packet.to_vec());
        }
    }
}

type Tap = Box<dyn FnMut(usize, &[u8]) -> bool>;

/// The two, their links, and what came out.
pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) ends: [Association; 2],
    /// `links[A]` carries what A sends.
    pub(crate) links: [Link; 2],
    pub(crate) rng: Seeded,
    pub(crate) events: [Vec<Event>; 2],
    pub(crate) received: [Vec<(StreamId, Message)>; 2],
    /// Whether the end pulls what it can.
    pub(crate) reads: [bool; 2],
    /// Sees every packet sent; `false` drops it.
    pub(crate) tap: Option<Tap>,
    serial: u64,
    out: Vec<u8>,
}

impl Pair {
    pub(crate) fn new(seed: u64, link: Link) -> Self {
        Self::with(seed, link, [Config::default(), Config::default()], [Vec::new(), Vec::new()])
    }

    pub(crate) fn with(seed: u64, link: Link, configs: [Config; 2], first: [Vec<u32>; 2]) -> Self {
        let now = start();
        let mut side = 0;
        let mut first = first.into_iter();
        let ends = configs.map(|config| {
            side += 1;
            let mut rng = Seeded::new(seed * 2 + side);
            rng.first = first.next().unwrap_or_default();
            Association::new(Arc::new(config), now, Box::new(rng))
        });
        Self {
            now,
            ends,
            links: [link.clone(), link],
            rng: Seeded::new(seed + 1_000_003),
            events: [Vec::new(), Vec::new()],
            received: [Vec::new(), Vec::new()],
            reads: [true, true],
            tap: None,
            serial: 0,
            out: Vec::new(),
        }
    }

    /// Both connect at once, as in WebRTC.
    pub(crate) fn connected(seed: u64, link: Link) -> Self {
        let mut pair = Self::new(seed, link);
        pair.connect();
        pair
    }

    pub(crate) fn connect(&mut self) {
        self.ends[A].connect(self.now);
        self.ends[B].connect(self.now);
        let both = |pair: &Self| pair.ends.iter().all(Association::is_connected);
        assert!(self.run_until(ms(60_000), both), "not connected: {:?}", self.ends);
    }

    pub(crate) fn send(&mut self, side: usize, stream: u16, message: Message) -> Result<(), SendError> {
        self.ends[side].send(self.now, StreamId(stream), message, SendOptions::new())
    }

    /// Writes everything that may go now, pulls events and messages.
    pub(crate) fn flush(&mut self) {
        for side in [A, B] {
            self.out.clear();
            let mut at = 0;
            loop {
                let promised = self.ends[side].next_len(self.now);
                let Some(len) = self.ends[side].poll_transmit(self.now, &mut self.out) else {
                    assert_eq!(promised, None, "a packet was promised and did not come");
                    break;
                };
                if let Some(promised) = promised {
                    assert_eq!(promised, len.get(), "next_len");
                }
                assert_eq!(at + len.get(), self.out.len());
                let packet = &self.out[at..];
                at += len.get();
                let fits = packet.len() <= self.links[side].mtu
                    || self.ends[side].fragmentation() == Fragmentation::Allowed;
                if self.tap.as_mut().is_none_or(|tap| tap(side, packet)) && fits {
                    self.links[side].carry(self.now, &mut self.rng, &mut self.serial, packet);
                }
            }
            while let Some(event) = self.ends[side].poll_event() {
                self.events[side].push(event);
            }
            while self.reads[side]
                && let Some(received) = self.ends[side].recv()
            {
                self.received[side].push(received);
            }
        }
    }

    /// Goes to the next moment at which something happens; `false` when there is none before `limit`.
    pub(crate) fn step(&mut self, limit: Instant) -> bool {
        self.flush();
        let arrivals = self.links.iter().filter_map(|link| link.flying.keys().next().map(|(at, _)| *at));
        let timeouts = self.ends.iter().filter_map(Association::poll_timeout);
        let Some(next) = arrivals.chain(timeouts).min().filter(|next| *next <= limit) else {
            self.now = self.now.max(limit);
            return false;
        };
        self.now = self.now.max(next);
        self.deliver_due();
        self.flush();
        for end in &self.ends {
            assert!(
                end.poll_timeout().is_none_or(|at| at > self.now),
                "a timer that does not move: {:?}",
                end.next_timer()
            );
        }
        true
    }

    /// Hands over what is due by now.
    pub(crate) fn deliver_due(&mut self) {
        for side in [A, B] {
            while let Some(entry) =
                self.links[side].flying.first_entry().filter(|entry| entry.key().0 <= self.now)
            {
                let packet = entry.remove();
                self.ends[1 - side].handle_packet(self.now, &packet);
            }
            if self.ends[side].poll_timeout().is_some_and(|at| at <= self.now) {
                self.ends[side].handle_timeout(self.now);
            }
        }
    }

    pub(crate) fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let limit = self.now + limit;
        loop {
            self.flush();
            if done(self) {
                return true;
            }
            if !self.step(limit) {
                return done(self);
            }
        }
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        self.run_until(duration, |_| false);
    }

    /// Hands a packet to one end at once, as if the other had sent it.
    pub(crate) fn inject(&mut self, to: usize, packet: &[u8]) {
        self.ends[to].handle_packet(self.now, packet);
    }

    /// What one end writes now, one vector a packet.
    pub(crate) fn packets(&mut self, side: usize) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        loop {
            let mut out = Vec::new();
            if self.ends[side].poll_transmit(self.now, &mut out).is_none() {
                return packets;
            }
            packets.push(out);
        }
    }

    /// Keeps `side` supplied with messages of `size` bytes for `duration`; gives the goodput in bits per second.
    pub(crate) fn bulk(&mut self, side: usize, size: usize, duration: Duration) -> f64 {
        let begin = self.now;
        let limit = begin + duration;
        let payload = bytes(size);
        let mut taken = 0;
        while self.now < limit {
            while self.send(side, 1, message(payload.clone())).is_ok() {}
            if !self.step(limit) {
                break;
            }
            for (_, message) in self.received[1 - side].drain(..) {
                taken += message.payload.len();
            }
        }
        taken as f64 * 8.0 / (self.now - begin).as_secs_f64()
    }
}
