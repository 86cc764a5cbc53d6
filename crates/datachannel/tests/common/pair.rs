//! Two sets of channels and a network in virtual time.
#![allow(dead_code, reason = "each test file uses its part")]

use crypto::Random;
use datachannel::{ChannelKey, Channels, Config, Event, Payload, Role};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
fn start() -> Instant {
    Instant::now()
}

/// A small generator: one number gives one run.
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            *byte = self.next() as u8;
        }
    }
}

/// A is the DTLS client, B the server.
pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) ends: [Channels; 2],
    pub(crate) events: [Vec<Event>; 2],
    pub(crate) delay: Duration,
    /// Percent, both ways.
    pub(crate) loss: u64,
    flying: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    serial: u64,
    rng: Seeded,
}

impl Pair {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, [Config::default(), Config::default()])
    }

    pub(crate) fn with(seed: u64, configs: [Config; 2]) -> Self {
        let now = start();
        let mut side = 0;
        let ends = configs.map(|config| {
            side += 1;
            Channels::new(Arc::new(config), now, Box::new(Seeded::new(seed * 2 + side)))
        });
        Self {
            now,
            ends,
            events: [Vec::new(), Vec::new()],
            delay: ms(10),
            loss: 0,
            flying: BTreeMap::new(),
            serial: 0,
            rng: Seeded::new(seed + 99),
        }
    }

    pub(crate) fn start(&mut self) {
        self.ends[A].start(self.now, Role::Client);
        self.ends[B].start(self.now, Role::Server);
    }

    pub(crate) fn connected(seed: u64) -> Self {
        let mut pair = Self::new(seed);
        pair.start();
        pair.run_for(ms(200));
        pair.events = [Vec::new(), Vec::new()];
        pair
    }

    /// A pair with one channel, opened by A, and its handles.
    pub(crate) fn with_channel(seed: u64, init: datachannel::ChannelInit) -> (Self, ChannelKey, ChannelKey) {
        let mut pair = Self::connected(seed);
        let a = pair.ends[A].open(pair.now, init).expect("a channel");
        pair.run_for(ms(200));
        assert_eq!(pair.take(A), [Event::Opened(a)]);
        let b = pair.announced(B);
        (pair, a, b)
    }

    pub(crate) fn take(&mut self, side: usize) -> Vec<Event> {
        std::mem::take(&mut self.events[side])
    }

    pub(crate) fn announced(&mut self, side: usize) -> ChannelKey {
        let events = self.take(side);
        let [Event::Announced(key)] = events[..] else { panic!("not one announced channel: {events:?}") };
        key
    }

    pub(crate) fn recv_all(&mut self, side: usize, key: ChannelKey) -> Vec<Payload> {
        let now = self.now;
        std::iter::from_fn(|| self.ends[side].recv(now, key)).collect()
    }

    pub(crate) fn flush(&mut self) {
        for side in [A, B] {
            let mut out = Vec::new();
            while self.ends[side].poll_transmit(self.now, &mut out).is_some() {
                let packet = std::mem::take(&mut out);
                if self.rng.next() % 100 < self.loss {
                    continue;
                }
                self.serial += 1;
                self.flying.insert((self.now + self.delay, self.serial), (1 - side, packet));
            }
            while let Some(event) = self.ends[side].poll_event() {
                self.events[side].push(event);
            }
        }
    }

    pub(crate) fn step(&mut self, limit: Instant) -> bool {
        self.flush();
        let arrival = self.flying.keys().next().map(|(at, _)| *at);
        let timeouts = self.ends.iter().filter_map(Channels::poll_timeout);
        let Some(next) = arrival.into_iter().chain(timeouts).min().filter(|next| *next <= limit) else {
            self.now = limit;
            return false;
        };
        self.now = self.now.max(next);
        while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (to, packet) = entry.remove();
            self.ends[to].handle_packet(self.now, &packet);
        }
        for end in &mut self.ends {
            end.handle_timeout(self.now);
        }
        self.flush();
        true
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let limit = self.now + duration;
        while self.step(limit) {}
    }

    pub(crate) fn run_until(&mut self, duration: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let limit = self.now + duration;
        loop {
            if done(self) {
                return true;
            }
            if !self.step(limit) {
                return done(self);
            }
        }
    }
}
