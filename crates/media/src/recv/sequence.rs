//! Sequence numbers of a source: their order, and what reports say about them (RFC 3550 A.1, A.3, A.8).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use std::time::Instant;

use base::{ReplayWindow, extend_u16};
use rtp::{SequenceNumber, Timestamp};

use crate::clock;

/// RFC 3550 A.1: a step ahead of this size may be a restart of the source.
const MAX_DROPOUT: u64 = 3_000;
/// How far behind the highest number a packet may be.
pub(crate) const MAX_MISORDER: u64 = 1_024;
/// A retransmission ahead of all packets is believed so far.
const MAX_REPEAT_AHEAD: u64 = 128;

/// What a sequence number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It was seen before.
    Duplicate,
    /// It cannot belong where it claims, or the source may have restarted: the next packet will tell.
    Implausible,
    /// A packet not seen before.
    New {
        /// Its number without wraps.
        number: u64,
        /// How many numbers were skipped, when it is the highest.
        skipped: u64,
    },
    /// The source started over; all that was known is void.
    Restart {
        /// Its number without wraps, above all before.
        number: u64,
    },
}

/// The numbers of one source.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    highest: Option<u64>,
    /// The first number counted.
    first: u64,
    window: ReplayWindow<16>,
    /// RFC 3550 A.1, `bad_seq`.
    after_jump: Option<u16>,
    /// Packets received, for the loss of reports; retransmissions do not count.
    received: u64,
    expected_before: u64,
    received_before: u64,
    /// RFC 3550 A.8, times 16.
    jitter: u64,
    transit: Option<u32>,
    /// Time zero of arrivals in `transit`.
    origin: Option<Instant>,
}

/// What a report block needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) fraction: u8,
    pub(crate) cumulative: i64,
    pub(crate) highest: u32,
}

impl Sequence {
    /// Places a packet that came on the stream itself.
    pub(crate) fn place(&mut self, number: SequenceNumber) -> Place {
        let Some(highest) = self.highest else {
            // One era is left below, for packets that come after a later one.
            let number = 0x1_0000 + u64::from(number.0);
            self.start(number);
            return Place::New { number, skipped: 0 };
        };
        let extended = extend_u16(highest, number.0);
        let is_plausible = if extended > highest {
            extended.saturating_sub(highest) <= MAX_DROPOUT
        } else {
            highest.saturating_sub(extended) < MAX_MISORDER
        };
        if !is_plausible {
            if self.after_jump == Some(number.0) {
                let number = (highest | 0xffff).saturating_add(1).saturating_add(u64::from(number.0));
                let (jitter, origin) = (self.jitter, self.origin);
                *self = Self { jitter, origin, ..Self::default() };
                self.start(number);
                return Place::Restart { number };
            }
            self.after_jump = Some(number.next().0);
            return Place::Implausible;
        }
        self.after_jump = None;
        self.received = self.received.saturating_add(1);
        self.record(extended, highest)
    }

    /// Places a packet that a retransmission brought.
    pub(crate) fn place_repeated(&mut self, number: SequenceNumber) -> Place {
        let Some(highest) = self.highest else { return Place::Implausible };
        let extended = extend_u16(highest, number.0);
        let is_plausible = if extended > highest {
            extended.saturating_sub(highest) <= MAX_REPEAT_AHEAD
        } else {
            highest.saturating_sub(extended) < MAX_MISORDER
        };
        if is_plausible { self.record(extended, highest) } else { Place::Implausible }
    }

    /// RFC 3550 A.8, for a packet that came on the stream itself.
    pub(crate) fn on_arrival(&mut self, arrival: Instant, timestamp: Timestamp, rate: u32) {
        let origin = *self.origin.get_or_insert(arrival);
        let ticks = clock::ticks(arrival.saturating_duration_since(origin), rate) as u32;
        let transit = ticks.wrapping_sub(timestamp.0);
        if let Some(before) = self.transit.replace(transit) {
            let distance = u64::from((transit.wrapping_sub(before) as i32).unsigned_abs());
            // A clock that jumps would spoil the mean for minutes.
            let distance = distance.min(u64::from(rate) * 2);
            let decay = self.jitter.saturating_add(8) >> 4;
            self.jitter = self.jitter.saturating_add(distance).saturating_sub(decay);
        }
    }

    /// In ticks of the media clock.
    pub(crate) fn jitter(&self) -> u32 {
        u32::try_from(self.jitter >> 4).unwrap_or(u32::MAX)
    }

    /// RFC 3550 A.3, without closing the interval.
    pub(crate) fn lost(&self) -> i64 {
        (self.expected() as i64).saturating_sub(self.received as i64)
    }

    /// RFC 3550 A.3; the next call covers what comes from now on.
    pub(crate) fn report(&mut self) -> Loss {
        let expected = self.expected();
        let expected_interval = expected.saturating_sub(self.expected_before);
        let received_interval = self.received.saturating_sub(self.received_before);
        self.expected_before = expected;
        self.received_before = self.received;
        let lost = expected_interval.saturating_sub(received_interval);
        let fraction = (lost << 8).checked_div(expected_interval).unwrap_or(0).min(255);
        let highest = self.highest.unwrap_or(0).wrapping_sub(self.first & !0xffff);
        Loss { fraction: fraction as u8, cumulative: self.lost(), highest: highest as u32 }
    }

    fn start(&mut self, number: u64) {
        self.highest = Some(number);
        self.first = number;
        self.received = 1;
        self.window.record(number);
    }

    fn expected(&self) -> u64 {
        self.highest.map_or(0, |highest| highest.saturating_add(1).saturating_sub(self.first))
    }

    fn record(&mut self, number: u64, highest: u64) -> Place {
        if !self.window.is_new(number) {
            return Place::Duplicate;
        }
        self.window.record(number);
        self.highest = Some(highest.max(number));
        // A packet from before the first one seen belongs to the count, too.
        self.first = self.first.min(number);
        Place::New { number, skipped: number.saturating_sub(highest.saturating_add(1)) }
    }
}

#[cfg(test)]
mod tests;
