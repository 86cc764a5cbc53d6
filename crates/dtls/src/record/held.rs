//! A short queue for records that came too early.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use std::collections::VecDeque;

/// Keeps the newest few records, within a bound on their number and on their bytes.
#[derive(Debug)]
pub(crate) struct Held<H> {
    records: VecDeque<(H, Vec<u8>)>,
    bytes: usize,
    max_records: usize,
    max_bytes: usize,
}

impl<H> Held<H> {
    pub(crate) const fn new(max_records: usize, max_bytes: usize) -> Self {
        Self { records: VecDeque::new(), bytes: 0, max_records, max_bytes }
    }

    /// Keeps a copy; returns how many records were lost for it, the refused one included.
    pub(crate) fn push(&mut self, head: H, body: &[u8]) -> u64 {
        if self.max_records == 0 || body.len() > self.max_bytes {
            return 1;
        }
        let mut lost = 0;
        while self.records.len() >= self.max_records || self.bytes.saturating_add(body.len()) > self.max_bytes
        {
            if self.pop().is_none() {
                break;
            }
            lost = u64::saturating_add(lost, 1);
        }
        self.bytes = self.bytes.saturating_add(body.len());
        self.records.push_back((head, body.to_vec()));
        lost
    }

    /// The oldest record.
    pub(crate) fn pop(&mut self) -> Option<(H, Vec<u8>)> {
        let record = self.records.pop_front()?;
        self.bytes = self.bytes.saturating_sub(record.1.len());
        Some(record)
    }

    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.bytes = 0;
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T-D10: 100,000 records of the next epoch leave four, the newest.
    #[test]
    fn t_d10_keeps_the_newest_within_its_bounds() {
        let mut held = Held::new(4, 8 * 1024);
        let mut lost = 0;
        for number in 0..100_000_u32 {
            lost += held.push(number, &[0; 1_200]);
            assert!(held.bytes() <= 8 * 1024);
        }
        assert_eq!(lost, 99_996);
        assert_eq!(held.push(0, &[0; 9_000]), 1, "more than fits at all");
        assert_eq!(held.push(7, &[0; 8_000]), 4, "one large record pushes the small ones out");
        assert_eq!(held.pop().map(|(number, body)| (number, body.len())), Some((7, 8_000)));
        assert!(held.pop().is_none());
        assert_eq!(held.bytes(), 0);
    }
}
