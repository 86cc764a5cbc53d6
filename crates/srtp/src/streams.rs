//! A bounded table of SSRCs that finds the last one again at once.
#![deny(clippy::indexing_slicing)]

use crate::Ssrc;

/// The place of a stream in its table; places never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(usize);

#[derive(Debug)]
pub(crate) struct Streams<T> {
    /// Sorted by SSRC.
    order: Vec<(Ssrc, Slot)>,
    entries: Vec<T>,
    /// Packets come in runs of one SSRC: the last one is looked at before the table is searched.
    last: Option<(Ssrc, Slot)>,
    limit: usize,
}

impl<T> Streams<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { order: Vec::new(), entries: Vec::new(), last: None, limit }
    }

    pub(crate) fn find(&mut self, ssrc: Ssrc) -> Option<Slot> {
        if let Some((last, slot)) = self.last
            && last == ssrc
        {
            return Some(slot);
        }
        let slot = self.search(ssrc)?;
        self.last = Some((ssrc, slot));
        Some(slot)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= self.limit
    }

    /// Adds a stream that is not there; `None` when the table is full.
    pub(crate) fn insert(&mut self, ssrc: Ssrc, entry: T) -> Option<Slot> {
        if self.is_full() {
            return None;
        }
        let slot = Slot(self.entries.len());
        self.entries.push(entry);
        let at = self.order.partition_point(|(other, _)| *other < ssrc);
        self.order.insert(at, (ssrc, slot));
        self.last = Some((ssrc, slot));
        Some(slot)
    }

    pub(crate) fn entry(&mut self, slot: Slot) -> &mut T {
        self.entries.get_mut(slot.0).expect("invariant: a slot is made when its entry is, and entries stay")
    }

    /// The stream of `ssrc`, without touching the cache.
    pub(crate) fn get(&self, ssrc: Ssrc) -> Option<&T> {
        self.entries.get(self.search(ssrc)?.0)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn search(&self, ssrc: Ssrc) -> Option<Slot> {
        let at = self.order.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc).ok()?;
        self.order.get(at).map(|(_, slot)| *slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn agrees_with_a_map(operations in prop::collection::vec((0_u32..40, any::<bool>()), 0..200)) {
            let mut streams = Streams::new(20);
            let mut model = BTreeMap::new();
            for (ssrc, insert) in operations {
                let ssrc = Ssrc(ssrc.wrapping_mul(0x9e37_79b9));
                let found = streams.find(ssrc).map(|slot| *streams.entry(slot));
                prop_assert_eq!(found, model.get(&ssrc).copied());
                prop_assert_eq!(streams.get(ssrc).copied(), found);
                if insert && found.is_none() {
                    let added = streams.insert(ssrc, model.len());
                    prop_assert_eq!(added.is_some(), model.len() < 20);
                    if added.is_some() {
                        model.insert(ssrc, model.len());
                    }
                }
                prop_assert_eq!(streams.len(), model.len());
            }
        }
    }
}
