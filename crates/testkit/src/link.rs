//! Links: what happens to a datagram between two points.

use crate::{DropReason, Seed, SeededRandom};
use std::time::{Duration, Instant};

/// How long a lost segment of a reliable stream is late, for each time it is lost.
const RELIABLE_RETRY: Duration = Duration::from_millis(200);

/// The properties of one direction of a link.
///
/// The default is a perfect wire: no delay, no loss, no limit.
#[derive(Clone, Debug, Default)]
pub struct Link {
    latency: Duration,
    jitter: Duration,
    loss: f64,
    burst: Option<BurstLoss>,
    reorder: f64,
    late: Duration,
    duplicate: f64,
    rate: Option<Rate>,
    mtu: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    bits_per_second: u64,
    queue: usize,
}

impl Link {
    /// A perfect wire.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A wire that carries nothing.
    #[must_use]
    pub fn dead() -> Self {
        Self::default().loss(1.0)
    }

    /// Time on the wire. Default zero.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Extra delay, uniform from zero to this. It never changes the order: a late datagram holds up the
    /// ones behind it. Default zero.
    #[must_use]
    pub fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Probability that a datagram is lost, each on its own. Default 0.
    #[must_use]
    pub fn loss(mut self, probability: f64) -> Self {
        self.loss = probability;
        self
    }

    /// Loss in bursts, beside the independent one. Default none.
    #[must_use]
    pub fn burst_loss(mut self, burst: BurstLoss) -> Self {
        self.burst = Some(burst);
        self
    }

    /// With this probability a datagram is late by a time uniform from zero to `late`, and those behind it
    /// overtake it. Default 0.
    #[must_use]
    pub fn reorder(mut self, probability: f64, late: Duration) -> Self {
        self.reorder = probability;
        self.late = late;
        self
    }

    /// Probability that a datagram arrives twice; the copy comes up to one millisecond later. Default 0.
    #[must_use]
    pub fn duplicate(mut self, probability: f64) -> Self {
        self.duplicate = probability;
        self
    }

    /// Bits per second, with a queue of so many bytes before the wire that drops at its tail.
    /// Default unlimited. A rate of 0 is no limit.
    #[must_use]
    pub fn rate(mut self, bits_per_second: u64, queue: usize) -> Self {
        self.rate = (bits_per_second > 0).then_some(Rate { bits_per_second, queue });
        self
    }

    /// The largest packet in bytes; larger ones vanish in silence. In a `World` a packet is the datagram with
    /// its IP and UDP headers (28 bytes, or 48 for IPv6); in a `Pair` it is the datagram alone. Default unlimited.
    #[must_use]
    pub fn mtu(mut self, bytes: usize) -> Self {
        self.mtu = Some(bytes);
        self
    }
}

/// Loss in bursts after Gilbert and Elliott: a good and a bad state, each with a loss of its own.
#[derive(Clone, Copy, Debug)]
pub struct BurstLoss {
    to_bad: f64,
    to_good: f64,
    good_loss: f64,
    bad_loss: f64,
}

impl BurstLoss {
    /// Loses `average` of all datagrams (0 to below 1) in bursts that are `length` datagrams long on average.
    #[must_use]
    pub fn new(average: f64, length: f64) -> Self {
        let to_good = 1.0 / length.max(1.0);
        let to_bad = (to_good * average / (1.0 - average).max(f64::EPSILON)).min(1.0);
        Self { to_bad, to_good, good_loss: 0.0, bad_loss: 1.0 }
    }

    /// The full model: the chance to fall from good to bad and to come back, per datagram, and the loss in each.
    #[must_use]
    pub const fn gilbert_elliott(to_bad: f64, to_good: f64, good_loss: f64, bad_loss: f64) -> Self {
        Self { to_bad, to_good, good_loss, bad_loss }
    }
}

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a datagram arrives or it does not")]
pub enum Carried {
    /// It arrives.
    Arrives {
        /// When.
        at: Instant,
        /// When it arrives a second time, if it was duplicated.
        copy: Option<Instant>,
    },
    /// It does not.
    Dropped(DropReason),
}

/// Counters of a wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkStats {
    /// Datagrams handed to the wire.
    pub offered: u64,
    /// Datagrams that arrived, without copies.
    pub carried: u64,
    /// Their bytes.
    pub carried_bytes: u64,
    /// Copies made.
    pub duplicated: u64,
    /// Datagrams made late.
    pub reordered: u64,
    /// Lost by either loss process.
    pub lost: u64,
    /// Dropped at the tail of the queue.
    pub queue_drops: u64,
    /// Larger than the MTU.
    pub mtu_drops: u64,
    /// The longest wait in the queue so far.
    pub longest_queue: Duration,
}

/// One direction of a link in operation: a [`Link`] with its queue, its bursts and its dice.
#[derive(Clone, Debug)]
pub struct Wire {
    link: Link,
    random: SeededRandom,
    in_burst: bool,
    busy_until: Option<Instant>,
    last_arrival: Option<Instant>,
    stats: LinkStats,
}

impl Wire {
    /// A wire with empty queues.
    #[must_use]
    pub fn new(link: Link, seed: Seed) -> Self {
        Self {
            link,
            random: seed.random(),
            in_burst: false,
            busy_until: None,
            last_arrival: None,
            stats: LinkStats::default(),
        }
    }

    /// Changes the properties; what is under way stays under way.
    pub fn set_link(&mut self, link: Link) {
        self.link = link;
    }

    /// Puts a datagram of `size` bytes on the wire.
    pub fn carry(&mut self, now: Instant, size: usize) -> Carried {
        if self.link.mtu.is_some_and(|mtu| size > mtu) {
            self.stats.offered += 1;
            self.stats.mtu_drops += 1;
            return Carried::Dropped(DropReason::Mtu);
        }
        self.carry_in_pieces(now, size)
    }

    /// The same for a datagram that IP may cut to fit the MTU. Its pieces travel and are lost together.
    pub fn carry_in_pieces(&mut self, now: Instant, size: usize) -> Carried {
        self.stats.offered += 1;
        let sent = match self.enqueue(now, size) {
            Ok(sent) => sent,
            Err(reason) => return Carried::Dropped(reason),
        };
        if let Some(reason) = self.lose() {
            self.stats.lost += 1;
            return Carried::Dropped(reason);
        }
        let mut at = sent + self.link.latency + self.random.up_to(self.link.jitter);
        if self.random.chance(self.link.reorder) {
            self.stats.reordered += 1;
            at += self.random.up_to(self.link.late);
        } else {
            at = self.last_arrival.map_or(at, |last| last.max(at));
            self.last_arrival = Some(at);
        }
        let copy = self.random.chance(self.link.duplicate).then(|| {
            self.stats.duplicated += 1;
            at + self.random.up_to(Duration::from_millis(1))
        });
        self.stats.carried += 1;
        self.stats.carried_bytes += size as u64;
        Carried::Arrives { at, copy }
    }

    /// Puts a piece of a reliable stream on the wire: it is never dropped, duplicated or reordered, and each
    /// loss makes it (and what follows) 200 ms late. A dead wire carries it never.
    pub fn carry_reliable(&mut self, now: Instant, size: usize) -> Option<Instant> {
        self.stats.offered += 1;
        if self.link.loss >= 1.0 {
            self.stats.lost += 1;
            return None;
        }
        let mut sent = self.serialise(now, size);
        while self.lose().is_some() {
            self.stats.lost += 1;
            sent += RELIABLE_RETRY;
        }
        let at = sent + self.link.latency + self.random.up_to(self.link.jitter);
        let at = self.last_arrival.map_or(at, |last| last.max(at));
        self.last_arrival = Some(at);
        self.stats.carried += 1;
        self.stats.carried_bytes += size as u64;
        Some(at)
    }

    /// How long a datagram put on the wire now would wait before its first bit leaves.
    #[must_use]
    pub fn queueing_delay(&self, now: Instant) -> Duration {
        self.busy_until.map_or(Duration::ZERO, |busy| busy.saturating_duration_since(now))
    }

    /// Counters so far.
    #[must_use]
    pub const fn stats(&self) -> &LinkStats {
        &self.stats
    }

    fn enqueue(&mut self, now: Instant, size: usize) -> Result<Instant, DropReason> {
        if let Some(rate) = self.link.rate {
            let waiting = self.queueing_delay(now);
            let backlog = waiting.as_nanos() * u128::from(rate.bits_per_second) / 8_000_000_000;
            // An idle wire takes any packet: a queue shorter than one packet must not stop all traffic.
            if backlog > 0 && backlog + size as u128 > rate.queue as u128 {
                self.stats.queue_drops += 1;
                return Err(DropReason::Queue);
            }
            self.stats.longest_queue = self.stats.longest_queue.max(waiting);
        }
        Ok(self.serialise(now, size))
    }

    /// When the last bit has left.
    fn serialise(&mut self, now: Instant, size: usize) -> Instant {
        let Some(rate) = self.link.rate else { return now };
        let nanos = size as u128 * 8_000_000_000 / u128::from(rate.bits_per_second);
        let begin = self.busy_until.map_or(now, |busy| busy.max(now));
        let done = begin + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.busy_until = Some(done);
        done
    }

    fn lose(&mut self) -> Option<DropReason> {
        if let Some(burst) = self.link.burst {
            let turn = if self.in_burst { burst.to_good } else { burst.to_bad };
            if self.random.chance(turn) {
                self.in_burst = !self.in_burst;
            }
            let loss = if self.in_burst { burst.bad_loss } else { burst.good_loss };
            if self.random.chance(loss) {
                return Some(DropReason::BurstLoss);
            }
        }
        self.random.chance(self.link.loss).then_some(DropReason::Loss)
    }
}
