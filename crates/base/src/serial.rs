//! Serial numbers (RFC 1982): numbers that wrap, compared by distance.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use std::cmp::Ordering;

macro_rules! serial {
    ($(#[$doc:meta])* $name:ident, $word:ty, $signed:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
        pub struct $name(pub $word);

        impl $name {
            /// The number `count` steps later, wrapping.
            #[must_use]
            pub fn plus(self, count: $word) -> Self {
                Self(self.0.wrapping_add(count))
            }

            /// The number `count` steps earlier, wrapping.
            #[must_use]
            pub fn minus(self, count: $word) -> Self {
                Self(self.0.wrapping_sub(count))
            }

            /// The number that follows.
            #[must_use]
            pub fn next(self) -> Self {
                self.plus(1)
            }

            /// Steps from `earlier` to `self`, modulo the number space.
            #[must_use]
            pub fn distance_from(self, earlier: Self) -> $word {
                self.0.wrapping_sub(earlier.0)
            }

            /// RFC 1982 §3.2. Two numbers exactly half the space apart have no order: neither is after the other.
            #[must_use]
            pub fn is_after(self, other: Self) -> bool {
                (self.0.wrapping_sub(other.0) as $signed) > 0
            }

            /// RFC 1982 §3.2: after, or equal.
            #[must_use]
            pub fn is_at_or_after(self, other: Self) -> bool {
                self == other || self.is_after(other)
            }

            /// RFC 1982 §3.2: before.
            #[must_use]
            pub fn is_before(self, other: Self) -> bool {
                other.is_after(self)
            }

            /// The order, or `None` for two numbers exactly half the space apart.
            #[must_use]
            pub fn compare(self, other: Self) -> Option<Ordering> {
                if self == other {
                    Some(Ordering::Equal)
                } else if self.is_after(other) {
                    Some(Ordering::Greater)
                } else if other.is_after(self) {
                    Some(Ordering::Less)
                } else {
                    None
                }
            }
        }
    };
}

serial!(
    /// A 16-bit serial number: RTP sequence numbers, SCTP stream sequence numbers.
    Serial16, u16, i16
);
serial!(
    /// A 32-bit serial number: SCTP TSNs, message identifiers, RTP timestamps.
    Serial32, u32, i32
);

/// Extends a 16-bit number to the 64-bit one nearest to `reference` (RFC 3711 §3.3.1 calls this guessing the
/// roll-over). Never below zero.
#[must_use]
pub fn extend_u16(reference: u64, value: u16) -> u64 {
    let delta = i64::from(value.wrapping_sub(reference as u16) as i16);
    match reference.checked_add_signed(delta) {
        Some(extended) => extended,
        // Before the very first number: it can only be one of the first era.
        None => u64::from(value),
    }
}

/// Follows a 16-bit counter through its wraps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extender16 {
    highest: Option<u64>,
}

impl Extender16 {
    /// Extends `value` and remembers the highest seen. The first era starts at 65,536, so that numbers slightly
    /// before the first one still have a place.
    pub fn extend(&mut self, value: u16) -> u64 {
        let Some(highest) = self.highest else {
            let first = 0x1_0000 + u64::from(value);
            self.highest = Some(first);
            return first;
        };
        let extended = extend_u16(highest, value);
        self.highest = Some(highest.max(extended));
        extended
    }

    /// The highest extended number seen.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T-C04: every pair of 16-bit numbers.
    #[test]
    fn t_c04_serial16_order_is_right_for_every_distance() {
        for start in [0, 1, 0x7fff, 0x8000, 0xffff_u16] {
            for distance in 0..=u16::MAX {
                let (a, b) = (Serial16(start), Serial16(start).plus(distance));
                let expected = match distance {
                    0 => Some(Ordering::Equal),
                    1..=0x7fff => Some(Ordering::Greater),
                    0x8000 => None,
                    0x8001.. => Some(Ordering::Less),
                };
                assert_eq!(b.compare(a), expected, "{start} + {distance}");
            }
        }
    }

    #[test]
    fn serial32_wraps() {
        assert!(Serial32(3).is_after(Serial32(u32::MAX - 2)));
        assert_eq!(Serial32(3).distance_from(Serial32(u32::MAX - 2)), 6);
    }

    #[test]
    fn extension_follows_wraps_both_ways() {
        let mut extender = Extender16::default();
        assert_eq!(extender.extend(65_534), 0x1_fffe);
        assert_eq!(extender.extend(1), 0x2_0001);
        assert_eq!(extender.extend(65_535), 0x1_ffff);
        assert_eq!(extender.highest(), Some(0x2_0001));
        assert_eq!(extend_u16(0, 65_535), 65_535);
    }
}
