//! A replay list of configurable size (RFC 3711 §3.3.2).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

/// What a window knows about an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It lies further back than the window reaches.
    Forgotten,
    /// Not recorded yet.
    New,
    /// Recorded.
    Recorded,
}

/// Remembers which of the last packets have been seen. Looking and recording are apart: only an authenticated packet
/// may move the window.
#[derive(Debug)]
pub(crate) struct Window {
    /// One more than the highest index recorded.
    next: u64,
    /// Bit `index % size` tells whether an index was recorded.
    words: Box<[u64]>,
}

impl Window {
    /// An empty window of `packets`, a multiple of 64.
    pub(crate) fn new(packets: usize) -> Self {
        Self { next: 0, words: vec![0; packets / 64].into() }
    }

    /// A window that takes everything before `next` as seen.
    pub(crate) fn closed_before(next: u64, packets: usize) -> Self {
        Self { next, words: vec![u64::MAX; packets / 64].into() }
    }

    pub(crate) fn look(&self, index: u64) -> Seen {
        if index >= self.next {
            return Seen::New;
        }
        if self.next.saturating_sub(index) > self.size() {
            return Seen::Forgotten;
        }
        let (word, bit) = self.place(index);
        match self.words.get(word) {
            Some(word) if word & bit == 0 => Seen::New,
            _ => Seen::Recorded,
        }
    }

    /// Records an index that [`look`](Self::look) called new.
    pub(crate) fn record(&mut self, index: u64) {
        if index >= self.next {
            if index.saturating_sub(self.next) >= self.size() {
                self.words.fill(0);
            } else {
                for skipped in self.next..index {
                    self.set(skipped, false);
                }
            }
            self.next = index.saturating_add(1);
        }
        self.set(index, true);
    }

    /// The highest index recorded.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// One more than the highest index recorded.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    fn set(&mut self, index: u64, seen: bool) {
        let (word, bit) = self.place(index);
        if let Some(word) = self.words.get_mut(word) {
            if seen {
                *word |= bit;
            } else {
                *word &= !bit;
            }
        }
    }

    fn place(&self, index: u64) -> (usize, u64) {
        let place = index.checked_rem(self.size()).unwrap_or(0);
        ((place / 64) as usize, 1 << (place % 64))
    }

    fn size(&self) -> u64 {
        (self.words.len() as u64).saturating_mul(64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_closed_window_knows_its_past() {
        let mut window = Window::closed_before(1_000, 128);
        assert_eq!(window.look(999), Seen::Recorded);
        assert_eq!(window.look(872), Seen::Recorded);
        assert_eq!(window.look(871), Seen::Forgotten);
        assert_eq!(window.look(1_000), Seen::New);
        window.record(1_002);
        assert_eq!(window.look(1_001), Seen::New);
        assert_eq!(window.look(999), Seen::Recorded);
    }

    proptest! {
        #[test]
        fn agrees_with_a_naive_model(indices in prop::collection::vec(0_u64..900, 1..400), words in 1_usize..5) {
            let mut window = Window::new(words * 64);
            let mut seen = BTreeSet::new();
            for index in indices {
                let next = seen.last().map_or(0, |highest| highest + 1);
                let expected = if seen.contains(&index) && next - index <= words as u64 * 64 {
                    Seen::Recorded
                } else if index + words as u64 * 64 < next {
                    Seen::Forgotten
                } else {
                    Seen::New
                };
                prop_assert_eq!(window.look(index), expected);
                if expected == Seen::New {
                    window.record(index);
                    seen.insert(index);
                }
                prop_assert_eq!(window.highest(), seen.last().copied());
            }
        }
    }
}
