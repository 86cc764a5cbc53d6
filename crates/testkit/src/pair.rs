//! Two machines and the wire between them.

use crate::{
    Carried, DropReason, Link, Machine, Recorder, Seed, Verdict, Wire, clock, machine::poll_checked,
    pcap::Encapsulation,
};
use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use stun::net::Transport;

/// Datagrams one poll may yield before it counts as endless.
const ENDLESS: usize = 100_000;
/// Turns at one instant before they count as a busy loop.
const BUSY: u32 = 100;

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a pair has two ends")]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// One end of a [`Pair`]: a machine and what came out of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct End<M: Machine> {
    /// The machine.
    pub machine: M,
    /// Its events so far, oldest first; take what you have seen.
    pub events: Vec<M::Event>,
    /// Datagrams it sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// The largest of them.
    pub largest: usize,
    /// Datagrams it was handed.
    pub received: u64,
    /// How often its alarm went off.
    pub timeouts: u64,
    turns: (Option<Instant>, u32),
}

impl<M: Machine<Path = ()>> End<M> {
    const fn new(machine: M) -> Self {
        Self {
            machine,
            events: Vec::new(),
            sent: 0,
            sent_bytes: 0,
            largest: 0,
            received: 0,
            timeouts: 0,
            turns: (None, 0),
        }
    }

    /// Takes everything out of the machine.
    fn drain(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        loop {
            match poll_checked(&mut self.machine, now) {
                Ok(Some(polled)) => datagrams.push(polled.datagram),
                Ok(None) => break,
                Err(broken) => panic!("{broken}"),
            }
            assert!(datagrams.len() < ENDLESS, "an endless supply of datagrams");
        }
        self.events.extend(std::iter::from_fn(|| self.machine.poll_event()));
        for datagram in &datagrams {
            self.sent += 1;
            self.sent_bytes += datagram.len() as u64;
            self.largest = self.largest.max(datagram.len());
        }
        datagrams
    }

    fn fire(&mut self, now: Instant) {
        let turns = if self.turns.0 == Some(now) { self.turns.1 + 1 } else { 1 };
        assert!(turns <= BUSY, "the same instant is asked for over and over: a busy loop (law L2)");
        self.turns = (Some(now), turns);
        self.timeouts += 1;
        self.machine.handle_timeout(now);
    }

    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        self.received += 1;
        self.machine.handle_datagram(now, (), datagram);
    }
}

type Hook = Box<dyn FnMut(Side, Instant, &[u8]) -> Verdict>;

/// Two machines that see bytes only, joined by a link under virtual time.
///
/// A pair dropped by a panic prints its seed and leaves a capture below the target folder.
pub struct Pair<A: Machine<Path = ()>, B: Machine<Path = ()>> {
    /// The first end.
    pub a: End<A>,
    /// The second end.
    pub b: End<B>,
    seed: Seed,
    start: Instant,
    now: Instant,
    a_to_b: Wire,
    b_to_a: Wire,
    under_way: BTreeMap<(Instant, u64), (Side, Vec<u8>)>,
    sequence: u64,
    hook: Option<Hook>,
    recorder: Recorder,
    encapsulation: Encapsulation,
    drops: BTreeMap<DropReason, u64>,
}

impl<A: Machine<Path = ()>, B: Machine<Path = ()>> fmt::Debug for Pair<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("seed", &self.seed)
            .field("elapsed", &self.elapsed())
            .field("under_way", &self.under_way.len())
            .field("drops", &self.drops)
            .finish_non_exhaustive()
    }
}

impl<A: Machine<Path = ()>, B: Machine<Path = ()>> Drop for Pair<A, B> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "testkit: failed {:?} into the run with seed {}; TESTKIT_SEED={} replays it",
                self.elapsed(),
                self.seed,
                self.seed,
            );
            self.recorder.save_failure(self.seed);
        }
    }
}

impl<A: Machine<Path = ()>, B: Machine<Path = ()>> Pair<A, B> {
    /// Joins the two machines that `make` builds, over a link that is the same in both directions.
    pub fn new(seed: Seed, link: Link, make: impl FnOnce(Instant, Seed) -> (A, B)) -> Self {
        let start = clock::start();
        let (a, b) = make(start, seed);
        let mut recorder = Recorder::new();
        for encapsulation in [Encapsulation::Udp, Encapsulation::Sctp] {
            for name in ["a", "b", "dropped"] {
                recorder.add_interface(name, encapsulation);
            }
        }
        Self {
            a: End::new(a),
            b: End::new(b),
            seed,
            start,
            now: start,
            a_to_b: Wire::new(link.clone(), seed.fork("a to b")),
            b_to_a: Wire::new(link, seed.fork("b to a")),
            under_way: BTreeMap::new(),
            sequence: 0,
            hook: None,
            recorder,
            encapsulation: Encapsulation::Udp,
            drops: BTreeMap::new(),
        }
    }

    /// Says how captures are written. Default as UDP.
    pub fn capture_as(&mut self, encapsulation: Encapsulation) {
        self.encapsulation = encapsulation;
    }

    /// Changes the link in the direction that starts at this side.
    pub fn set_link(&mut self, from: Side, link: Link) {
        match from {
            Side::A => self.a_to_b.set_link(link),
            Side::B => self.b_to_a.set_link(link),
        }
    }

    /// The wire that starts at this side, for its counters.
    #[must_use]
    pub const fn wire(&self, from: Side) -> &Wire {
        match from {
            Side::A => &self.a_to_b,
            Side::B => &self.b_to_a,
        }
    }

    /// Calls `hook` for every datagram as it is sent, with the side that sends it.
    pub fn on_wire(&mut self, hook: impl FnMut(Side, Instant, &[u8]) -> Verdict + 'static) {
        self.hook = Some(Box::new(hook));
    }

    /// Hands a datagram that the other side never sent to one side, now.
    pub fn inject(&mut self, to: Side, datagram: &[u8]) {
        self.schedule(self.now, to, datagram.to_vec());
    }

    /// The present.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Time since the pair was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now.saturating_duration_since(self.start)
    }

    /// The seed of the run.
    #[must_use]
    pub const fn seed(&self) -> Seed {
        self.seed
    }

    /// The recorder of everything on the wire.
    pub fn recorder(&mut self) -> &mut Recorder {
        &mut self.recorder
    }

    /// How many datagrams the link dropped for this reason.
    #[must_use]
    pub fn dropped_for(&self, reason: DropReason) -> u64 {
        self.drops.get(&reason).copied().unwrap_or(0)
    }

    /// Runs for this long.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.flush();
        while self.step_before(end) {
            self.flush();
        }
        self.now = end;
    }

    /// Runs until `done`, at most for `limit`. Returns how long it took, or `None` if it was not done.
    ///
    /// `done` may also act on the machines; what comes of it is sent before time moves on.
    #[must_use]
    pub fn run_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(Instant, &mut End<A>, &mut End<B>) -> bool,
    ) -> Option<Duration> {
        let begin = self.now;
        let end = begin + limit;
        loop {
            self.flush();
            let is_done = done(self.now, &mut self.a, &mut self.b);
            self.flush();
            if is_done {
                return Some(self.now.saturating_duration_since(begin));
            }
            if !self.step_before(end) {
                self.now = end;
                return done(end, &mut self.a, &mut self.b).then_some(limit);
            }
        }
    }

    /// Sends everything that waits in the machines, without moving time.
    pub fn flush(&mut self) {
        let from_a = self.a.drain(self.now);
        let from_b = self.b.drain(self.now);
        for (side, datagrams) in [(Side::A, from_a), (Side::B, from_b)] {
            for datagram in datagrams {
                self.send(side, datagram);
            }
        }
    }

    fn step_before(&mut self, end: Instant) -> bool {
        let packet = self.under_way.first_key_value().map(|((at, _), _)| *at);
        let timers = [(self.a.machine.poll_timeout(), Side::A), (self.b.machine.poll_timeout(), Side::B)];
        let timer = timers.into_iter().filter_map(|(at, side)| Some((at?, side))).min();
        match (packet, timer) {
            (Some(at), timer) if at <= end && timer.is_none_or(|(timer, _)| at <= timer) => {
                self.now = self.now.max(at);
                if let Some((_, (to, datagram))) = self.under_way.pop_first() {
                    self.deliver(to, datagram);
                }
                true
            }
            (_, Some((at, side))) if at <= end => {
                self.now = self.now.max(at);
                match side {
                    Side::A => self.a.fire(self.now),
                    Side::B => self.b.fire(self.now),
                }
                true
            }
            _ => false,
        }
    }

    fn deliver(&mut self, to: Side, mut datagram: Vec<u8>) {
        self.record(to, to, &datagram, "");
        match to {
            Side::A => self.a.take(self.now, &mut datagram),
            Side::B => self.b.take(self.now, &mut datagram),
        }
    }

    fn send(&mut self, from: Side, mut datagram: Vec<u8>) {
        let now = self.now;
        self.record(from, from.other(), &datagram, "");
        match self.hook.as_mut().map_or(Verdict::Pass, |hook| hook(from, now, &datagram)) {
            Verdict::Pass => {}
            Verdict::Replace(other) => datagram = other,
            Verdict::Drop => return self.give_up(from, &datagram, DropReason::Intercepted),
        }
        let wire = match from {
            Side::A => &mut self.a_to_b,
            Side::B => &mut self.b_to_a,
        };
        match wire.carry(now, datagram.len()) {
            Carried::Arrives { at, copy } => {
                if let Some(copy) = copy {
                    self.schedule(copy, from.other(), datagram.clone());
                }
                self.schedule(at, from.other(), datagram);
            }
            Carried::Dropped(reason) => self.give_up(from, &datagram, reason),
        }
    }

    fn schedule(&mut self, at: Instant, to: Side, datagram: Vec<u8>) {
        self.sequence += 1;
        self.under_way.insert((at, self.sequence), (to, datagram));
    }

    fn give_up(&mut self, from: Side, datagram: &[u8], reason: DropReason) {
        *self.drops.entry(reason).or_default() += 1;
        self.record_on(2, from.other(), datagram, &format!("dropped: {reason}"));
    }

    fn record(&mut self, at: Side, to: Side, datagram: &[u8], comment: &str) {
        let interface = match at {
            Side::A => 0,
            Side::B => 1,
        };
        self.record_on(interface, to, datagram, comment);
    }

    fn record_on(&mut self, interface: u32, to: Side, datagram: &[u8], comment: &str) {
        let elapsed = self.elapsed();
        match self.encapsulation {
            Encapsulation::Udp => {
                let a = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5_684);
                let b = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 5_684);
                let addresses = if to == Side::B { (a, b) } else { (b, a) };
                self.recorder.record(interface, elapsed, Transport::Udp, addresses, datagram, comment);
            }
            Encapsulation::Sctp => self.recorder.record_raw(interface + 3, elapsed, datagram, comment),
        }
    }
}
