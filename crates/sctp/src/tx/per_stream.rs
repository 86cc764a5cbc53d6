//! Bytes in flight by stream.

use crate::types::StreamId;
use std::collections::BTreeMap;

/// A count for each stream that has one. Changes of one stream in a row, the usual case, touch only two numbers.
#[derive(Debug, Default)]
pub(super) struct PerStream {
    counts: BTreeMap<StreamId, usize>,
    /// The stream changed last, and what it changed by; not yet in `counts`.
    recent: StreamId,
    added: usize,
    removed: usize,
}

impl PerStream {
    #[inline]
    pub(super) fn add(&mut self, stream: StreamId, bytes: usize) {
        self.turn_to(stream);
        self.added += bytes;
    }

    #[inline]
    pub(super) fn remove(&mut self, stream: StreamId, bytes: usize) {
        self.turn_to(stream);
        self.removed += bytes;
    }

    pub(super) fn of(&self, stream: StreamId) -> usize {
        let count = self.counts.get(&stream).copied().unwrap_or(0);
        if stream == self.recent { (count + self.added).saturating_sub(self.removed) } else { count }
    }

    #[inline]
    fn turn_to(&mut self, stream: StreamId) {
        if stream != self.recent {
            self.settle();
            self.recent = stream;
        }
    }

    fn settle(&mut self) {
        let count = self.of(self.recent);
        self.added = 0;
        self.removed = 0;
        if count == 0 {
            self.counts.remove(&self.recent);
        } else {
            self.counts.insert(self.recent, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_and_zeros_are_forgotten() {
        let mut flight = PerStream::default();
        for stream in [1, 1, 2, 1, 3, 3] {
            flight.add(StreamId(stream), 10);
        }
        assert_eq!([0, 1, 2, 3].map(|stream| flight.of(StreamId(stream))), [0, 30, 10, 20]);
        for (stream, bytes) in [(1, 30), (2, 4), (3, 20), (2, 6), (1, 0)] {
            flight.remove(StreamId(stream), bytes);
        }
        assert_eq!([1, 2, 3].map(|stream| flight.of(StreamId(stream))), [0, 0, 0]);
        assert!(flight.counts.is_empty());
    }
}
