//! Ticks of media clocks.

use std::time::Duration;

/// `duration` in ticks of `rate`, rounded down.
pub(crate) fn ticks(duration: Duration, rate: u32) -> u64 {
    let ticks = duration.as_nanos() * u128::from(rate) / 1_000_000_000;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// `ticks` of `rate` as a span; a rate of zero gives zero.
pub(crate) fn duration(ticks: u64, rate: u32) -> Duration {
    let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(rate.max(1));
    if rate == 0 { Duration::ZERO } else { Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        assert_eq!(ticks(Duration::from_millis(20), 48_000), 960);
        assert_eq!(duration(960, 48_000), Duration::from_millis(20));
        assert_eq!(duration(5, 0), Duration::ZERO);
    }
}
