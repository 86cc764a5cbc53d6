//! The numbers of RTP headers, each a type of its own.

use std::fmt;

use base::Serial16;

/// A synchronisation source identifier (RFC 3550 §3): one sequence number space, one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct Ssrc(pub u32);

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A payload type: 7 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadType(u8);

impl PayloadType {
    /// PCMU, RFC 3551 §6.
    pub const PCMU: Self = Self(0);
    /// PCMA, RFC 3551 §6.
    pub const PCMA: Self = Self(8);

    /// `None` when the value needs more than 7 bits.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value < 0x80 { Some(Self(value)) } else { None }
    }

    /// The low 7 bits, as they stand in a header beside the marker.
    #[must_use]
    pub const fn from_header(byte: u8) -> Self {
        Self(byte & 0x7f)
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Whether RTP and RTCP on one port can use it: 64 to 95 would be taken for RTCP (RFC 5761 §4).
    #[must_use]
    pub const fn is_safe_with_rtcp_mux(self) -> bool {
        self.0 < 64 || self.0 > 95
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A 16-bit sequence number, which wraps and has an order by distance (RFC 1982).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct SequenceNumber(pub u16);

impl SequenceNumber {
    /// The one that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// `count` later, wrapping.
    #[must_use]
    pub const fn plus(self, count: u16) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// `count` earlier, wrapping.
    #[must_use]
    pub const fn minus(self, count: u16) -> Self {
        Self(self.0.wrapping_sub(count))
    }

    /// Steps from `earlier` to `self`, modulo 65,536.
    #[must_use]
    pub const fn distance_from(self, earlier: Self) -> u16 {
        self.0.wrapping_sub(earlier.0)
    }

    /// Whether it comes after `other`. Numbers exactly 32,768 apart have no order.
    #[must_use]
    pub fn is_after(self, other: Self) -> bool {
        Serial16(self.0).is_after(Serial16(other.0))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An RTP timestamp, in ticks of the payload's clock (RFC 3550 §5.1). It starts anywhere and wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct Timestamp(pub u32);

impl Timestamp {
    /// `ticks` later, wrapping.
    #[must_use]
    pub const fn plus(self, ticks: u32) -> Self {
        Self(self.0.wrapping_add(ticks))
    }

    /// Ticks from `earlier` to `self`: negative when it is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_types_have_seven_bits() {
        assert_eq!(PayloadType::new(127).map(PayloadType::value), Some(127));
        assert_eq!(PayloadType::new(128), None);
        assert_eq!(PayloadType::from_header(0xff).value(), 127);
    }

    /// RFC 5761 §4.
    #[test]
    fn payload_types_64_to_95_are_kept_for_rtcp() {
        let unsafe_ones: Vec<u8> =
            (0..128).filter(|v| PayloadType::new(*v).is_some_and(|pt| !pt.is_safe_with_rtcp_mux())).collect();
        assert_eq!(unsafe_ones, (64..=95).collect::<Vec<u8>>());
    }

    #[test]
    fn sequence_numbers_and_timestamps_wrap() {
        assert!(SequenceNumber(1).is_after(SequenceNumber(65_535)));
        assert!(!SequenceNumber(65_535).is_after(SequenceNumber(1)));
        assert_eq!(SequenceNumber(1).distance_from(SequenceNumber(65_534)), 3);
        assert_eq!(Timestamp(5).since(Timestamp(u32::MAX - 4)), 10);
        assert_eq!(Timestamp(u32::MAX - 4).since(Timestamp(5)), -10);
    }
}
