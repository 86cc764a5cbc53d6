//! How long a receiver should hold frames back.

use std::time::Duration;

use base::PutExt;

use super::{ExtensionKind, ExtensionValue};

/// Smallest and largest playout delay, in steps of 10 ms up to 40.95 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayoutDelay {
    min: u16,
    max: u16,
}

impl PlayoutDelay {
    /// Rounded down to steps of 10 ms and limited to 40.95 s. `None` when `min` is above `max`.
    #[must_use]
    pub fn new(min: Duration, max: Duration) -> Option<Self> {
        let steps = |duration: Duration| (duration.as_millis() / 10).min(0xfff) as u16;
        let (min, max) = (steps(min), steps(max));
        (min <= max).then_some(Self { min, max })
    }

    /// The smallest delay.
    #[must_use]
    pub fn min(self) -> Duration {
        Duration::from_millis(u64::from(self.min) * 10)
    }

    /// The largest delay.
    #[must_use]
    pub fn max(self) -> Duration {
        Duration::from_millis(u64::from(self.max) * 10)
    }
}

impl ExtensionValue for PlayoutDelay {
    const KIND: ExtensionKind = ExtensionKind::PlayoutDelay;

    fn parse(data: &[u8]) -> Option<Self> {
        let [a, b, c] = *data.first_chunk()?;
        let min = u16::from(a) << 4 | u16::from(b) >> 4;
        let max = u16::from(b & 0x0f) << 8 | u16::from(c);
        (data.len() == 3 && min <= max).then_some(Self { min, max })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.put_u24(u32::from(self.min) << 12 | u32::from(self.max));
    }

    fn encoded_len(&self) -> usize {
        3
    }
}
