//! One direction of the line: which packets get through, and when.

use std::time::{Duration, Instant};

/// What one direction does to packets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Impairment {
    /// Time on the way. Default zero.
    pub delay: Duration,
    /// More delay, uniform from zero to this. It never changes the order: a late packet holds up those behind it. Default
    /// zero.
    pub jitter: Duration,
    /// Probability that a packet is lost, each on its own. Default 0.
    pub loss: f64,
    /// Bits per second, with IP headers. Default: as fast as the relay is.
    pub rate: Option<u64>,
    /// Bytes that may wait for the rate; what comes then is dropped. Without a rate it has no effect. Default 128 KiB.
    pub queue: usize,
    /// Of the random choices: the same seed loses the same packets of a sequence. Default 1.
    pub seed: u64,
}

impl Default for Impairment {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: 0.0,
            rate: None,
            queue: 128 << 10,
            seed: 1,
        }
    }
}

/// Both directions.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Impairments {
    /// From left to right.
    pub to_right: Impairment,
    /// From right to left.
    pub to_left: Impairment,
}

impl Impairments {
    /// The same both ways, but for the seed.
    #[must_use]
    pub fn both(impairment: &Impairment) -> Self {
        let to_left = Impairment { seed: impairment.seed ^ 0x9e37_79b9, ..impairment.clone() };
        Self { to_right: impairment.clone(), to_left }
    }
}

impl Impairment {
    /// Changes what a text names: `delay=30ms,jitter=5ms,loss=1,rate=100mbit,queue=375k,seed=7`. Loss is in percent.
    pub fn change(&mut self, text: &str) -> Result<(), String> {
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| format!("{part:?} is not KEY=VALUE"))?;
            let unreadable = || format!("{value:?} is no value for {key}");
            match key {
                "delay" => self.delay = time(value).ok_or_else(unreadable)?,
                "jitter" => self.jitter = time(value).ok_or_else(unreadable)?,
                "loss" => {
                    let percent = value.trim_end_matches('%').parse::<f64>().map_err(|_| unreadable())?;
                    if !(0.0..=100.0).contains(&percent) {
                        return Err(unreadable());
                    }
                    self.loss = percent / 100.0;
                }
                "rate" if value == "unlimited" => self.rate = None,
                "rate" => self.rate = Some(rate(value).ok_or_else(unreadable)?),
                "queue" => self.queue = bytes(value).ok_or_else(unreadable)?,
                "seed" => self.seed = value.parse().map_err(|_| unreadable())?,
                other => {
                    return Err(format!("there is no {other:?}: delay, jitter, loss, rate, queue, seed"));
                }
            }
        }
        Ok(())
    }
}

/// An impairment in words.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a wrapper for display")]
pub struct Spoken<'a>(pub &'a Impairment);

impl std::fmt::Display for Spoken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Impairment { delay, jitter, loss, rate, queue, seed } = self.0;
        write!(f, "delay {delay:?}, jitter {jitter:?}, loss {} %, ", loss * 100.0)?;
        match rate {
            Some(rate) => write!(f, "{} Mbit/s with a queue of {queue} bytes, ", *rate as f64 / 1e6)?,
            None => write!(f, "no rate, ")?,
        }
        write!(f, "seed {seed}")
    }
}

fn scaled(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let (number, scale) = units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)))?;
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * scale)
}

fn time(text: &str) -> Option<Duration> {
    let seconds = scaled(text, &[("us", 1e-6), ("ms", 1e-3), ("s", 1.0)])?;
    (seconds <= 3_600.0).then(|| Duration::from_secs_f64(seconds))
}

fn rate(text: &str) -> Option<u64> {
    let bits = scaled(text, &[("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9)])?;
    (1.0..=1e12).contains(&bits).then_some(bits as u64)
}

fn bytes(text: &str) -> Option<usize> {
    let bytes = scaled(text, &[("k", 1e3), ("m", 1e6), ("", 1.0)])?;
    (bytes <= 1e10).then_some(bytes as usize)
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives at this moment.
    Arrives(Instant),
    /// It is lost on the way.
    Lost,
    /// The queue had no room for it.
    Dropped,
}

/// The state of one direction.
#[derive(Debug)]
pub(crate) struct Line {
    impairment: Impairment,
    random: Random,
    /// When the last bit of all that was taken has left the queue.
    busy_until: Option<Instant>,
    /// Nothing arrives before what was sent before it.
    last_arrival: Option<Instant>,
}

impl Line {
    pub(crate) fn new(impairment: Impairment) -> Self {
        let random = Random(impairment.seed);
        Self { impairment, random, busy_until: None, last_arrival: None }
    }

    /// What is under way stays under way; the random choices begin anew if the seed is another.
    pub(crate) fn set(&mut self, impairment: Impairment) {
        if impairment.seed != self.impairment.seed {
            self.random = Random(impairment.seed);
        }
        self.impairment = impairment;
    }

    /// Takes a packet of so many bytes.
    pub(crate) fn carry(&mut self, now: Instant, size: usize) -> Fate {
        let Some(sent) = self.leave(now, size) else { return Fate::Dropped };
        if self.random.chance(self.impairment.loss) {
            return Fate::Lost;
        }
        let at = sent + self.impairment.delay + self.random.up_to(self.impairment.jitter);
        let at = self.last_arrival.map_or(at, |last| last.max(at));
        self.last_arrival = Some(at);
        Fate::Arrives(at)
    }

    /// When its last bit leaves the queue, if the queue takes it.
    fn leave(&mut self, now: Instant, size: usize) -> Option<Instant> {
        let Some(rate) = self.impairment.rate else { return Some(now) };
        let free = self.busy_until.map_or(now, |busy| busy.max(now));
        let waiting = free.saturating_duration_since(now).as_secs_f64() * rate as f64 / 8.0;
        // A packet that need not wait is always taken.
        if waiting > 0.0 && waiting + size as f64 > self.impairment.queue as f64 {
            return None;
        }
        let sent = free + Duration::from_secs_f64(size as f64 * 8.0 / rate as f64);
        self.busy_until = Some(sent);
        Some(sent)
    }
}

/// SplitMix64: small, and good enough for tossing coins.
#[derive(Debug)]
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, and without, 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.share() < probability
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        if most.is_zero() { Duration::ZERO } else { most.mul_f64(self.share()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[expect(clippy::disallowed_methods, reason = "any moment will do")]
    fn start() -> Instant {
        Instant::now()
    }

    fn line(text: &str) -> Line {
        let mut impairment = Impairment::default();
        impairment.change(text).unwrap();
        Line::new(impairment)
    }

    #[test]
    fn words_become_an_impairment() {
        let mut impairment = Impairment::default();
        impairment.change("delay=30ms,jitter=500us,loss=0.1%,rate=100mbit,queue=375k,seed=7").unwrap();
        assert_eq!(
            impairment,
            Impairment {
                delay: 30 * MS,
                jitter: MS / 2,
                loss: 0.001,
                rate: Some(100_000_000),
                queue: 375_000,
                seed: 7,
            }
        );
        impairment.change("rate=unlimited,queue=10").unwrap();
        assert_eq!((impairment.rate, impairment.queue), (None, 10));
        for wrong in
            ["delay", "delay=30", "delay=-1ms", "loss=101", "loss=x", "rate=0mbit", "queue=NaNk", "x=1"]
        {
            assert!(Impairment::default().change(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_plain_line_carries_at_once_and_a_delay_is_added() {
        let now = start();
        assert_eq!(line("").carry(now, 1_500), Fate::Arrives(now));
        assert_eq!(line("delay=30ms").carry(now, 1_500), Fate::Arrives(now + 30 * MS));
    }

    #[test]
    fn jitter_keeps_the_order() {
        let now = start();
        let mut line = line("delay=10ms,jitter=5ms");
        let mut last = now;
        let mut latest = Duration::ZERO;
        for step in 0..1_000 {
            let sent = now + step * MS / 100;
            let Fate::Arrives(at) = line.carry(sent, 100) else { panic!("lost") };
            assert!(at >= last && at >= sent + 10 * MS);
            latest = latest.max(at - sent);
            last = at;
        }
        assert!(latest > 14 * MS && latest <= 15 * MS, "{latest:?}");
    }

    #[test]
    fn loss_is_near_its_probability_and_repeats_with_the_seed() {
        let fates = |text: &str| {
            let now = start();
            let mut line = line(text);
            (0..100_000).map(|_| line.carry(now, 100) == Fate::Lost).collect::<Vec<_>>()
        };
        let first = fates("loss=5,seed=3");
        let lost = first.iter().filter(|lost| **lost).count();
        assert!((4_700..5_300).contains(&lost), "{lost}");
        assert_eq!(first, fates("loss=5,seed=3"));
        assert_ne!(first, fates("loss=5,seed=4"));
        assert!(!fates("loss=0").contains(&true));
        assert!(!fates("loss=100").contains(&false));
    }

    #[test]
    fn a_rate_spaces_packets_and_a_full_queue_drops() {
        let now = start();
        // A packet of 1,250 bytes takes a tenth of a millisecond.
        let mut line = line("rate=100mbit,queue=12500");
        for count in 1..=10 {
            assert_eq!(line.carry(now, 1_250), Fate::Arrives(now + count * MS / 10));
        }
        assert_eq!(line.carry(now, 1_250), Fate::Dropped);
        assert_eq!(line.carry(now + MS / 10, 1_250), Fate::Arrives(now + 11 * MS / 10));
    }

    #[test]
    fn a_packet_larger_than_the_queue_passes_an_idle_line() {
        let now = start();
        let mut line = line("rate=100mbit,queue=100");
        assert_eq!(line.carry(now, 1_250), Fate::Arrives(now + MS / 10));
        assert_eq!(line.carry(now, 1_250), Fate::Dropped);
    }

    #[test]
    fn a_change_is_for_what_comes_later() {
        let now = start();
        let mut line = line("delay=30ms");
        assert_eq!(line.carry(now, 100), Fate::Arrives(now + 30 * MS));
        line.set(Impairment::default());
        // It does not overtake.
        assert_eq!(line.carry(now, 100), Fate::Arrives(now + 30 * MS));
        assert_eq!(line.carry(now + 40 * MS, 100), Fate::Arrives(now + 40 * MS));
    }
}
