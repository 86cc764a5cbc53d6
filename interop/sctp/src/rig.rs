//! Both ends and the network between them, in virtual time.

use crate::end::{End, Fact, Received, Settings};
use crate::foreign::Foreign;
use crate::ours::{Ours, Random};
use crate::scenario::Setting;
use crate::trace;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Ours, Self::Theirs];

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Ours => Self::Theirs,
            Self::Theirs => Self::Ours,
        }
    }
}

/// One way takes it.
const DELAY: Duration = Duration::from_millis(20);

/// Bits per second in each direction: packets of one burst come one after another, as they do on real links.
const RATE: u64 = 100_000_000;

/// Two rigs never share a moment: one of the peers has one clock for all of them.
static NOW: AtomicU64 = AtomicU64::new(1_000_000);

pub(crate) struct Rig {
    pub(crate) ours: Ours,
    pub(crate) theirs: Box<dyn End>,
    pub(crate) now: Duration,
    begun: Duration,
    foreign: Foreign,
    /// Percent, in each direction.
    loss: f64,
    random: Random,
    flying: BTreeMap<(Duration, u64), (Side, Vec<u8>)>,
    serial: u64,
    /// When each direction has room for the next packet.
    free_at: [Duration; 2],
    /// Whether messages are taken from this side as they come.
    pub(crate) reads: [bool; 2],
    pub(crate) inbox: [Vec<Received>; 2],
    /// Facts so far.
    pub(crate) facts: [Vec<Fact>; 2],
    /// Until then an end of the association is a failure.
    pub(crate) may_end: bool,
    traces: bool,
    /// Packets reach us at multiples of this time only, all at once.
    pub(crate) batch: Option<Duration>,
    /// Packets sent so far, and those of them without a checksum.
    pub(crate) packets: [(u64, u64); 2],
    /// Packets that begin with DATA or with I-DATA.
    pub(crate) data: [(u64, u64); 2],
    /// Whether our INIT or INIT ACK says that we know I-DATA.
    pub(crate) offers_interleaving: bool,
}

impl Rig {
    /// Both ends, and who has called `connect`.
    pub(crate) fn new(setting: Setting, settings: [Settings; 2]) -> Self {
        let Setting { foreign, loss, traces, .. } = setting;
        let now = Duration::from_micros(NOW.fetch_add(1_000_000, Ordering::Relaxed));
        let seed = settings[0].seed;
        Self {
            ours: Ours::new(settings[Side::Ours as usize], now),
            theirs: foreign.make(settings[Side::Theirs as usize], now),
            now,
            begun: now,
            foreign,
            loss,
            random: Random(seed.wrapping_mul(0xd134_2543_de82_ef95) | 1),
            flying: BTreeMap::new(),
            serial: 0,
            free_at: [now; 2],
            reads: [true; 2],
            inbox: [Vec::new(), Vec::new()],
            facts: [Vec::new(), Vec::new()],
            may_end: false,
            traces,
            batch: None,
            packets: [(0, 0); 2],
            data: [(0, 0); 2],
            offers_interleaving: false,
        }
    }

    pub(crate) fn end(&mut self, side: Side) -> &mut dyn End {
        match side {
            Side::Ours => &mut self.ours,
            Side::Theirs => &mut *self.theirs,
        }
    }

    /// Virtual time so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.begun
    }

    /// Another one in the place of theirs, which says nothing when it goes.
    pub(crate) fn replace_theirs(&mut self, settings: Settings) {
        self.theirs = self.foreign.make(settings, self.now);
        self.facts[Side::Theirs as usize].clear();
        self.inbox[Side::Theirs as usize].clear();
    }

    pub(crate) fn has(&self, side: Side, fact: &Fact) -> bool {
        self.facts[side as usize].contains(fact)
    }

    /// How and whether the association ended there.
    pub(crate) fn closed(&self, side: Side) -> Option<(bool, &str)> {
        self.facts[side as usize].iter().find_map(|fact| match fact {
            Fact::Closed { gracefully, why } => Some((*gracefully, why.as_str())),
            _ => None,
        })
    }

    /// Runs until the condition holds.
    pub(crate) fn run_until(
        &mut self,
        limit: Duration,
        what: &str,
        mut done: impl FnMut(&mut Self) -> Result<bool, String>,
    ) -> Result<(), String> {
        let end = self.now + limit;
        loop {
            self.settle()?;
            if done(self)? {
                // What that has done goes out.
                return self.settle();
            }
            // It may have sent something.
            self.settle()?;
            let Some(next) = self.next() else {
                return Err(format!(
                    "{what}: nothing moves any more after {:.1} s",
                    self.elapsed().as_secs_f64()
                ));
            };
            if next > end {
                return Err(format!("{what}: not within {:.0} s of virtual time", limit.as_secs_f64()));
            }
            self.go_to(next);
        }
    }

    /// Runs for a time, whatever happens.
    pub(crate) fn run_for(&mut self, time: Duration) -> Result<(), String> {
        let end = self.now + time;
        loop {
            self.settle()?;
            match self.next() {
                Some(next) if next <= end => self.go_to(next),
                _ => break,
            }
        }
        self.go_to(end);
        self.settle()
    }

    fn next(&self) -> Option<Duration> {
        let flight = self.flying.keys().next().map(|(at, _)| *at);
        [flight, self.ours.poll_timeout(), self.theirs.poll_timeout()].into_iter().flatten().min()
    }

    fn go_to(&mut self, next: Duration) {
        // A timer that stays due must not stop the clock.
        self.now = next.max(self.now + Duration::from_micros(10));
        let now = self.now;
        NOW.fetch_max((now.as_micros() as u64).saturating_add(1_000_000), Ordering::Relaxed);
        while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= now) {
            let (to, packet) = entry.remove();
            self.end(to).handle_packet(now, &packet);
        }
        for side in Side::BOTH {
            if self.end(side).poll_timeout().is_some_and(|at| at <= now) {
                self.end(side).handle_timeout(now);
            }
        }
    }

    /// Takes out everything that is there now.
    fn settle(&mut self) -> Result<(), String> {
        let now = self.now;
        loop {
            let mut is_quiet = true;
            for side in Side::BOTH {
                if self.reads[side as usize] {
                    while let Some(message) = self.end(side).recv(now) {
                        self.inbox[side as usize].push(message);
                        is_quiet = false;
                    }
                }
                while let Some(packet) = self.end(side).poll_packet(now) {
                    self.carry(side, packet);
                    is_quiet = false;
                }
                while let Some(fact) = self.end(side).poll_fact(now) {
                    if let Fact::Closed { why, .. } = &fact
                        && !self.may_end
                    {
                        return Err(format!(
                            "{side:?} ended after {:.1} s: {why}; {:?}",
                            self.elapsed().as_secs_f64(),
                            self.facts
                        ));
                    }
                    self.facts[side as usize].push(fact);
                    is_quiet = false;
                }
            }
            if is_quiet {
                return Ok(());
            }
        }
    }

    fn count(&mut self, from: Side, packet: &[u8]) {
        let (plain, interleaved) = &mut self.data[from as usize];
        match packet.get(12) {
            Some(0) => *plain += 1,
            Some(64) => *interleaved += 1,
            // Supported Extensions (RFC 5061 §4.2.7) with 64 in it, somewhere behind the fixed part.
            Some(1 | 2) if from == Side::Ours => {
                let mut rest = packet.get(32..).unwrap_or_default();
                while let [first, second, high, low, ..] = *rest {
                    let len = usize::from(u16::from_be_bytes([high, low])).max(4);
                    let value = rest.get(4..len).unwrap_or_default();
                    self.offers_interleaving |= (first, second) == (0x80, 0x08) && value.contains(&64);
                    rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
                }
            }
            _ => {}
        }
    }

    fn carry(&mut self, from: Side, packet: Vec<u8>) {
        let (all, without) = &mut self.packets[from as usize];
        *all += 1;
        *without += u64::from(packet.get(8..12) == Some(&[0; 4]));
        self.count(from, &packet);
        let is_lost = self.random.chance(self.loss);
        if self.traces {
            println!("{}", trace::packet(self.elapsed(), from, &packet, is_lost));
        }
        if is_lost {
            return;
        }
        let free_at = &mut self.free_at[from as usize];
        *free_at =
            self.now.max(*free_at) + Duration::from_nanos(packet.len() as u64 * 8 * 1_000_000_000 / RATE);
        self.serial += 1;
        let mut at = *free_at + DELAY;
        if let Some(batch) = self.batch.filter(|_| from == Side::Theirs) {
            let batch = batch.as_nanos();
            at = Duration::from_nanos((at.as_nanos().div_ceil(batch) * batch) as u64);
        }
        self.flying.insert((at, self.serial), (from.other(), packet));
    }
}
