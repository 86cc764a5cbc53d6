//! NTP timestamps (RFC 3550 §4) and the one place where wall time enters.

use std::time::{Duration, Instant};

/// Seconds from the NTP epoch (1900) to the Unix epoch (1970).
const UNIX_EPOCH: u64 = 2_208_988_800;

/// What the wall clock showed at one instant. Later wall times are derived from it, so a clock that is set back
/// during a session changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallClock {
    at: Instant,
    unix: Duration,
}

impl WallClock {
    /// At the instant `at` the wall clock showed `unix` since 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn new(at: Instant, unix: Duration) -> Self {
        Self { at, unix }
    }

    /// Time since 1970-01-01 00:00 UTC at `instant`; an instant before `at` counts backwards.
    #[must_use]
    pub fn unix(&self, instant: Instant) -> Duration {
        match instant.checked_duration_since(self.at) {
            Some(after) => self.unix.saturating_add(after),
            None => self.unix.saturating_sub(self.at.saturating_duration_since(instant)),
        }
    }

    /// The same as an NTP timestamp.
    #[must_use]
    pub fn ntp(&self, instant: Instant) -> NtpTime {
        NtpTime::from_unix(self.unix(instant))
    }
}

/// A 64-bit NTP timestamp: seconds since 1900 and a 32-bit binary fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// From the time since 1970. The seconds wrap in 2036, as NTP's do.
    #[must_use]
    pub fn from_unix(unix: Duration) -> Self {
        let seconds = unix.as_secs().wrapping_add(UNIX_EPOCH) & 0xffff_ffff;
        // Rounded to the nearest 2^-32 s, so that conversions there and back agree.
        let fraction = ((u64::from(unix.subsec_nanos()) << 32) + 500_000_000) / 1_000_000_000;
        Self((seconds << 32).wrapping_add(fraction))
    }

    /// The time since 1970, for timestamps from 1970 to 2036; earlier ones are zero.
    #[must_use]
    pub fn to_unix(self) -> Duration {
        let nanos = ((self.0 & 0xffff_ffff) * 1_000_000_000) >> 32;
        match (self.0 >> 32).checked_sub(UNIX_EPOCH) {
            Some(seconds) => Duration::new(seconds, nanos as u32),
            None => Duration::ZERO,
        }
    }

    /// The middle 32 bits, as reports echo them.
    #[must_use]
    pub const fn short(self) -> NtpShort {
        NtpShort((self.0 >> 16) as u32)
    }
}

/// The middle 32 bits of an NTP timestamp: 16 bits of seconds, 16 of fraction. It wraps every 18 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct NtpShort(pub u32);

impl NtpShort {
    /// A span as it stands in the delay fields of reports, saturating at 18 hours.
    #[must_use]
    pub fn from_duration(duration: Duration) -> Self {
        let units = (u128::from(duration.as_secs()) << 16)
            + (u128::from(duration.subsec_nanos()) << 16).div_ceil(1_000_000_000);
        Self(u32::try_from(units).unwrap_or(u32::MAX))
    }

    /// The span it stands for.
    #[must_use]
    pub fn to_duration(self) -> Duration {
        Duration::from_nanos((u64::from(self.0) * 1_000_000_000) >> 16)
    }

    /// Time from `earlier` to `self`, wrapping; `None` when `earlier` is in fact the later one.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<Duration> {
        let delta = self.0.wrapping_sub(earlier.0);
        (delta < 0x8000_0000).then(|| Self(delta).to_duration())
    }
}

/// The round-trip time that a report block gives: `now - lsr - dlsr` (RFC 3550 §6.4.1).
///
/// `None` when the peer has not yet seen a sender report (`lsr` zero) or the arithmetic comes out negative.
#[must_use]
pub fn round_trip(now: NtpTime, last_sender_report: NtpShort, delay: NtpShort) -> Option<Duration> {
    if last_sender_report == NtpShort(0) {
        return None;
    }
    now.short().since(NtpShort(last_sender_report.0.wrapping_add(delay.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of RFC 3550 §6.4.1, Figure 2.
    #[test]
    fn round_trip_of_figure_2() {
        let now = NtpTime(0xb44d_b705_2000_0000);
        let expected = Duration::from_micros(6_125_000);
        assert_eq!(round_trip(now, NtpShort(0xb705_2000), NtpShort(0x0005_4000)), None, "n - lsr - dlsr < 0");
        let arrival = NtpTime(0xb710_8000_0000_0000 >> 16 | 0xb44d_0000_0000_0000);
        assert_eq!(arrival.short(), NtpShort(0xb710_8000));
        assert_eq!(round_trip(arrival, NtpShort(0xb705_2000), NtpShort(0x0005_4000)), Some(expected));
        assert_eq!(round_trip(arrival, NtpShort(0), NtpShort(0)), None);
    }

    #[test]
    fn unix_time_goes_there_and_back() {
        for nanos in [0, 1, 500_000_000, 999_999_999] {
            let unix = Duration::new(1_750_000_000, nanos);
            let back = NtpTime::from_unix(unix).to_unix();
            assert!(back.abs_diff(unix) <= Duration::from_nanos(1), "{back:?} {unix:?}");
        }
        assert_eq!(NtpTime::from_unix(Duration::ZERO).0 >> 32, UNIX_EPOCH);
    }

    #[test]
    fn short_spans_saturate() {
        assert_eq!(NtpShort::from_duration(Duration::from_secs(1)), NtpShort(0x1_0000));
        assert_eq!(NtpShort::from_duration(Duration::MAX), NtpShort(u32::MAX));
        assert_eq!(NtpShort(0x8000).to_duration(), Duration::from_millis(500));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn the_wall_clock_follows_the_instants() {
        let at = Instant::now();
        let wall = WallClock::new(at, Duration::from_secs(100));
        assert_eq!(wall.unix(at + Duration::from_secs(5)), Duration::from_secs(105));
        if let Some(before) = at.checked_sub(Duration::from_secs(5)) {
            assert_eq!(wall.unix(before), Duration::from_secs(95));
        }
    }
}
