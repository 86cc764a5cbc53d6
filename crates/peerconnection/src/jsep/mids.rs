//! Identification tags of our own (RFC 5888 §4, RFC 9143 §15.2).

use std::collections::BTreeSet;

use super::{Negotiator, Snapshot};

/// Gives out tags that no description of this session used and no transceiver has.
#[derive(Clone, Debug)]
pub(super) struct Mids {
    taken: BTreeSet<String>,
    next: u32,
}

impl Mids {
    pub(super) fn new(negotiator: &Negotiator, snapshot: &Snapshot) -> Self {
        let described = negotiator.descriptions().flat_map(|sdp| &sdp.media).filter_map(|media| media.mid());
        let associated = snapshot.transceivers.iter().filter_map(|view| view.mid.as_deref());
        Self { taken: described.chain(associated).map(str::to_owned).collect(), next: negotiator.next_mid }
    }

    /// A new tag: a number, which says nothing about the user and is short (RFC 9429 §5.2.1).
    pub(super) fn next(&mut self) -> String {
        loop {
            let mid = self.next.to_string();
            self.next = self.next.wrapping_add(1);
            if self.taken.insert(mid.clone()) {
                return mid;
            }
        }
    }

    /// Where to go on after a description was used.
    pub(super) fn after(description: &sdp::Description, next: u32) -> u32 {
        let numbers = description.media.iter().filter_map(|media| media.mid()?.parse::<u32>().ok());
        // The other side may use large numbers; those are known by their descriptions.
        numbers
            .filter(|number| *number < next.saturating_add(2_048))
            .fold(next, |next, number| next.max(number.saturating_add(1)))
    }
}
