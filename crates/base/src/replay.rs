//! A sliding window over 64-bit sequence numbers (RFC 3711 §3.3.2, RFC 6347 §4.1.2.6).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

/// Remembers which of the last `64 * WORDS` numbers have been seen.
///
/// Checking and recording are two calls on purpose: the window must move only after authentication.
#[derive(Clone, Debug)]
pub struct ReplayWindow<const WORDS: usize> {
    /// One more than the highest number recorded; zero before the first.
    next: u64,
    /// Bit `n % (64 * WORDS)` tells whether number `n` was recorded.
    seen: [u64; WORDS],
}

impl<const WORDS: usize> Default for ReplayWindow<WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const WORDS: usize> ReplayWindow<WORDS> {
    /// How many numbers behind the highest are remembered.
    pub const SIZE: u64 = 64 * WORDS as u64;

    /// An empty window.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: 0, seen: [0; WORDS] }
    }

    /// Whether `number` is new and inside, or ahead of, the window. Changes nothing.
    #[must_use]
    pub fn is_new(&self, number: u64) -> bool {
        if number >= self.next {
            return true;
        }
        if self.next.saturating_sub(number) > Self::SIZE {
            return false;
        }
        let (word, bit) = Self::position(number);
        self.seen.get(word).is_some_and(|word| word & bit == 0)
    }

    /// Records an authenticated number, moving the window when it is the highest.
    pub fn record(&mut self, number: u64) {
        if number >= self.next {
            let steps = number.saturating_sub(self.next);
            if steps >= Self::SIZE {
                self.seen = [0; WORDS];
            } else {
                for skipped in self.next..number {
                    self.clear(skipped);
                }
            }
            self.clear(number);
            self.next = number.saturating_add(1);
        } else if self.next.saturating_sub(number) > Self::SIZE {
            return;
        }
        let (word, bit) = Self::position(number);
        if let Some(word) = self.seen.get_mut(word) {
            *word |= bit;
        }
    }

    /// The highest number recorded.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    fn clear(&mut self, number: u64) {
        let (word, bit) = Self::position(number);
        if let Some(word) = self.seen.get_mut(word) {
            *word &= !bit;
        }
    }

    fn position(number: u64) -> (usize, u64) {
        let place = number.checked_rem(Self::SIZE).unwrap_or(0);
        ((place / 64) as usize, 1 << (place % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn remembers_and_slides() {
        let mut window = ReplayWindow::<1>::new();
        assert!(window.is_new(0));
        window.record(0);
        assert!(!window.is_new(0));
        window.record(63);
        assert!(window.is_new(1));
        assert!(!window.is_new(0));
        window.record(64);
        assert!(!window.is_new(0), "0 fell out of the window");
        window.record(1_000_000);
        assert!(!window.is_new(64));
        assert!(window.is_new(999_999));
    }

    proptest! {
        #[test]
        fn agrees_with_a_naive_model(numbers in prop::collection::vec(0_u64..400, 1..300)) {
            let mut window = ReplayWindow::<2>::new();
            let mut seen = BTreeSet::new();
            for number in numbers {
                let highest = seen.last().copied();
                let expected = !seen.contains(&number)
                    && highest.is_none_or(|highest: u64| number + 128 > highest);
                prop_assert_eq!(window.is_new(number), expected);
                if expected {
                    window.record(number);
                    seen.insert(number);
                }
            }
        }
    }
}
