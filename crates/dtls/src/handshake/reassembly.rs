//! Putting handshake messages together from fragments in any order (RFC 6347 §4.2.3), within fixed bounds.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::handshake::fragment::Fragment;
use crate::handshake::{HandshakeType, Message};

/// How many message numbers ahead of the awaited one are taken.
pub(crate) const WINDOW: usize = 8;

/// Bounds of a reassembly, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) message: usize,
    pub(crate) total: usize,
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It belongs to a message that was delivered before.
    Duplicate,
    /// It contradicts others, is too far ahead, or beyond a bound.
    Refused,
    /// It was taken, or held nothing new.
    Taken,
}

/// The messages under construction. The awaited one comes first, the next seven may arrive early.
#[derive(Debug)]
pub(crate) struct Reassembly {
    /// The number of the message that is delivered next.
    next: u16,
    /// Slot `n` is for message `next + n`.
    slots: [Option<Partial>; WINDOW],
    limits: Limits,
}

impl Reassembly {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self { next: 0, slots: [const { None }; WINDOW], limits }
    }

    /// The number of the message that is delivered next.
    pub(crate) const fn next(&self) -> u16 {
        self.next
    }

    /// Takes a fragment that came in a record of `epoch`.
    pub(crate) fn push(&mut self, epoch: u16, fragment: &Fragment<'_>) -> Pushed {
        let Some(ahead) = fragment.seq.checked_sub(self.next).map(usize::from) else {
            return Pushed::Duplicate;
        };
        let length = fragment.length as usize;
        if ahead >= WINDOW || length > self.limits.message {
            return Pushed::Refused;
        }
        if let Some(Some(partial)) = self.slots.get_mut(ahead) {
            if partial.matches(epoch, fragment) {
                partial.fill(fragment);
                return Pushed::Taken;
            }
            // Fragments of two messages are never merged. What came in an authenticated epoch displaces what did
            // not, and a whole message displaces parts that contradict it: so a forged fragment cannot block the
            // true message for good.
            let displaces = epoch > partial.epoch
                || (epoch == partial.epoch && fragment.body.len() == length && !partial.is_complete());
            if !displaces {
                return Pushed::Refused;
            }
        }
        if let Some(slot) = self.slots.get_mut(ahead) {
            *slot = None;
        }
        // An empty part of a longer message tells nothing: it must not cost memory.
        if fragment.body.is_empty() && length > 0 {
            return Pushed::Taken;
        }
        if !self.make_room(ahead, length) {
            return Pushed::Refused;
        }
        if let Some(slot) = self.slots.get_mut(ahead) {
            let mut partial = Partial::new(epoch, fragment.kind, length);
            partial.fill(fragment);
            *slot = Some(partial);
        }
        Pushed::Taken
    }

    /// The awaited message, once it is whole.
    pub(crate) fn pop(&mut self) -> Option<Message> {
        let [first, ..] = &mut self.slots;
        let partial = first.take_if(|partial| partial.is_complete())?;
        let message =
            Message { kind: partial.kind, seq: self.next, epoch: partial.epoch, body: partial.body };
        self.advance();
        Some(message)
    }

    /// Lets a server without state take the second hello first: the one with the cookie, whose number is 1.
    pub(crate) fn skip_to_second(&mut self) {
        let [first, second, ..] = &self.slots;
        if self.next == 0 && first.is_none() && second.as_ref().is_some_and(Partial::is_complete) {
            self.advance();
        }
    }

    /// Forgets the parts that came in epochs before `epoch`.
    pub(crate) fn forget_before(&mut self, epoch: u16) {
        for slot in &mut self.slots {
            slot.take_if(|partial| partial.epoch < epoch);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.slots = [const { None }; WINDOW];
    }

    /// Lowers the bound on the bytes of all messages together.
    pub(crate) fn limit_total(&mut self, total: usize) {
        self.limits.total = total;
    }

    /// Bytes held, bookkeeping included.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.iter().flatten().map(Partial::cost).sum()
    }

    /// Makes room for `length` bytes in slot `ahead`, giving up later messages for an earlier one.
    fn make_room(&mut self, ahead: usize, length: usize) -> bool {
        let cost = Partial::cost_of(length);
        let mut used = self.bytes();
        for later in (ahead.saturating_add(1)..WINDOW).rev() {
            if used.saturating_add(cost) <= self.limits.total {
                break;
            }
            if let Some(partial) = self.slots.get_mut(later).and_then(Option::take) {
                used = used.saturating_sub(partial.cost());
            }
        }
        used.saturating_add(cost) <= self.limits.total
    }

    fn advance(&mut self) {
        self.slots.rotate_left(1);
        if let Some(last) = self.slots.last_mut() {
            *last = None;
        }
        self.next = self.next.saturating_add(1);
    }
}

/// A message of which some bytes are known.
#[derive(Debug)]
struct Partial {
    epoch: u16,
    kind: HandshakeType,
    body: Vec<u8>,
    /// One bit for each byte of `body`: whether it is known.
    known: Vec<u64>,
    missing: usize,
}

impl Partial {
    fn new(epoch: u16, kind: HandshakeType, length: usize) -> Self {
        Self { epoch, kind, body: vec![0; length], known: vec![0; length.div_ceil(64)], missing: length }
    }

    const fn cost_of(length: usize) -> usize {
        length.saturating_add(length.div_ceil(64).saturating_mul(8))
    }

    fn cost(&self) -> usize {
        Self::cost_of(self.body.len())
    }

    const fn is_complete(&self) -> bool {
        self.missing == 0
    }

    fn matches(&self, epoch: u16, fragment: &Fragment<'_>) -> bool {
        self.epoch == epoch && self.kind == fragment.kind && self.body.len() == fragment.length as usize
    }

    /// Takes the bytes that are not known yet; the first content of a byte wins.
    fn fill(&mut self, fragment: &Fragment<'_>) {
        let offset = fragment.offset as usize;
        let Some(target) = self.body.get_mut(offset..) else { return };
        for (at, (target, byte)) in (offset..).zip(target.iter_mut().zip(fragment.body)) {
            let bit = 1_u64 << (at % 64);
            if let Some(word) = self.known.get_mut(at / 64)
                && *word & bit == 0
            {
                *word |= bit;
                *target = *byte;
                self.missing = self.missing.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests;
