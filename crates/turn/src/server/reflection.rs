//! A limit on answers to those who may have lied about their address.

#![deny(clippy::indexing_slicing)]

use crypto::Random;
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

/// How many addresses are counted at once. The table never grows; addresses that meet in a slot displace each other.
const SLOTS: usize = 4_096;

const WINDOW: Duration = Duration::from_secs(1);

/// Counts answers per address and second in a table of fixed size.
#[derive(Debug)]
pub(super) struct ReplyLimiter {
    slots: Vec<Slot>,
    /// Spreads addresses over the table in a way that nobody outside can foresee.
    keys: [u64; 2],
    per_window: u8,
    start: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    tag: u32,
    window: u32,
    count: u8,
}

impl ReplyLimiter {
    pub(super) fn new(per_second: u8, now: Instant, rng: &mut dyn Random) -> Self {
        let keys = [rng.u64(), rng.u64() | 1];
        Self { slots: vec![Slot::default(); SLOTS], keys, per_window: per_second, start: now }
    }

    /// Whether one more answer to `ip` is within the limit; counts it.
    pub(super) fn admit(&mut self, now: Instant, ip: IpAddr) -> bool {
        let elapsed = now.saturating_duration_since(self.start);
        // Starts at 1: an empty slot is of no window.
        let window = (elapsed.as_secs() / WINDOW.as_secs()) as u32 + 1;
        let hash = self.hash(ip);
        let tag = (hash >> 32) as u32;
        let Some(slot) = self.slots.get_mut(hash as usize % SLOTS) else { return false };
        if slot.window != window || slot.tag != tag {
            *slot = Slot { tag, window, count: 0 };
        }
        if slot.count >= self.per_window {
            return false;
        }
        slot.count += 1;
        true
    }

    fn hash(&self, ip: IpAddr) -> u64 {
        let bits = match ip.to_canonical() {
            IpAddr::V4(ip) => u64::from(u32::from(ip)),
            // Whoever has one address of a /64 has all of them.
            IpAddr::V6(ip) => (u128::from(ip) >> 64) as u64 ^ 1 << 63,
        };
        let [add, multiply] = self.keys;
        let mut hash = (bits ^ add).wrapping_mul(multiply);
        hash ^= hash >> 29;
        hash = hash.wrapping_mul(multiply);
        hash ^ hash >> 32
    }
}
