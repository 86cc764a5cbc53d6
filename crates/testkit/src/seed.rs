//! Seeds and the generator that unfolds them.

use std::{env, fmt, time::Duration};

/// The number a whole run unfolds from. Same seed, same run, to the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seed(u64);

impl Seed {
    /// A seed with this value.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The value of `TESTKIT_SEED` (decimal, or hexadecimal after `0x`), or else `default`.
    ///
    /// # Panics
    ///
    /// When the variable is set to something that is not a number.
    #[must_use]
    pub fn from_env_or(default: u64) -> Self {
        Self(number_from_env("TESTKIT_SEED").unwrap_or(default))
    }

    /// The number itself.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// A seed for one named part of the run, independent of the seeds of parts with other names.
    #[must_use]
    pub fn fork(self, label: &str) -> Self {
        let mut state = self.0 ^ 0xcbf2_9ce4_8422_2325;
        for byte in label.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(split_mix(&mut state))
    }

    /// The generator of this seed.
    #[must_use]
    pub fn random(self) -> SeededRandom {
        let mut state = self.0;
        SeededRandom { state: std::array::from_fn(|_| split_mix(&mut state)) }
    }

    /// The generator of a named part, in the form that machines take.
    #[must_use]
    pub fn boxed_random(self, label: &str) -> Box<dyn crypto::Random> {
        Box::new(self.fork(label).random())
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Runs `test` with `count` seeds, always the same ones. A failing seed is printed.
///
/// `TESTKIT_SEED=7` runs that seed alone; `TESTKIT_SEEDS=1000` runs a thousand whatever `count` says.
pub fn for_each_seed(count: u64, mut test: impl FnMut(Seed)) {
    if let Some(only) = number_from_env("TESTKIT_SEED") {
        run_announced(Seed(only), &mut test);
        return;
    }
    for value in 0..number_from_env("TESTKIT_SEEDS").unwrap_or(count) {
        run_announced(Seed(value), &mut test);
    }
}

fn run_announced(seed: Seed, test: &mut impl FnMut(Seed)) {
    let _announce = AnnounceOnPanic(seed);
    test(seed);
}

/// Prints the seed when it is dropped by a panic.
#[derive(Debug)]
pub(crate) struct AnnounceOnPanic(pub(crate) Seed);

impl Drop for AnnounceOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("testkit: failed with seed {0}; TESTKIT_SEED={0} replays it", self.0);
        }
    }
}

pub(crate) fn number_from_env(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    match parsed {
        Ok(number) => Some(number),
        Err(error) => panic!("{name}={text} is not a number: {error}"),
    }
}

/// SplitMix64, which spreads one number over a whole generator state.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A repeatable generator: xoshiro256**, seeded by SplitMix64.
///
/// For tests only. It is statistically good and fast, and *not* secure: whoever sees a few outputs
/// can compute all the others.
#[derive(Clone, Debug)]
pub struct SeededRandom {
    state: [u64; 4],
}

impl SeededRandom {
    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number below `limit`, or 0 when the limit is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        // Multiply and shift: the bias is below 2^-32 for the small limits tests use.
        let wide = u128::from(self.next_u64()) * u128::from(limit);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from 0 up to, and without, 1.
    pub fn unit(&mut self) -> f64 {
        let mantissa = self.next_u64() >> 11;
        mantissa as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }

    /// A duration from zero to `limit`.
    pub fn up_to(&mut self, limit: Duration) -> Duration {
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX - 1);
        Duration::from_nanos(self.below(nanos + 1))
    }

    /// Random bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        crypto::Random::fill(self, &mut bytes);
        bytes
    }
}

impl crypto::Random for SeededRandom {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(word) {
                *to = from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::Random as _;

    #[test]
    fn same_seed_same_bytes_and_other_label_other_bytes() {
        let seed = Seed::new(7);
        let bytes = |label: &str| {
            let mut out = [0; 33];
            seed.boxed_random(label).fill(&mut out);
            out
        };
        assert_eq!(bytes("a"), bytes("a"));
        assert_ne!(bytes("a"), bytes("b"));
        assert_ne!(seed.fork("a"), Seed::new(8).fork("a"));
    }

    /// The reference outputs of SplitMix64 for state 1234567 and of xoshiro256** for state 1, 2, 3, 4.
    #[test]
    fn generators_give_the_published_numbers() {
        let mut state = 1_234_567;
        assert_eq!(split_mix(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(split_mix(&mut state), 3_203_168_211_198_807_973);
        let mut xoshiro = SeededRandom { state: [1, 2, 3, 4] };
        let first: Vec<u64> = (0..4).map(|_| xoshiro.next_u64()).collect();
        assert_eq!(first, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn numbers_stay_below_their_limit_and_reach_every_value() {
        let mut random = Seed::new(1).random();
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            let index = usize::try_from(random.below(10)).unwrap();
            seen[index] += 1;
        }
        assert!(seen.iter().all(|count| (850..1_150).contains(count)), "{seen:?}");
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn chance_meets_its_probability() {
        let mut random = Seed::new(2).random();
        let hits = (0..100_000).filter(|_| random.chance(0.2)).count();
        assert!((19_500..20_500).contains(&hits), "{hits}");
        assert!(!(0..1_000).any(|_| random.chance(0.0)));
        assert!((0..1_000).all(|_| random.chance(1.0)));
    }

    #[test]
    fn every_seed_is_run_once() {
        let mut seen = Vec::new();
        for_each_seed(5, |seed| seen.push(seed.value()));
        if number_from_env("TESTKIT_SEED").is_none() && number_from_env("TESTKIT_SEEDS").is_none() {
            assert_eq!(seen, [0, 1, 2, 3, 4]);
        }
    }
}
