//! When a frame was captured, by the clock of the one who captured it.

use base::PutExt;

use super::{ExtensionKind, ExtensionValue};
use crate::ntp::NtpTime;

/// Capture time, with the offset between the capturer's and the sender's clock when a middlebox has estimated it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AbsCaptureTime {
    /// When the first sample was captured.
    pub captured: NtpTime,
    /// Capturer's clock minus sender's clock, in units of 2^-32 s.
    pub clock_offset: Option<i64>,
}

impl AbsCaptureTime {
    /// Without clock offset.
    #[must_use]
    pub const fn new(captured: NtpTime) -> Self {
        Self { captured, clock_offset: None }
    }
}

impl ExtensionValue for AbsCaptureTime {
    const KIND: ExtensionKind = ExtensionKind::AbsCaptureTime;

    fn parse(data: &[u8]) -> Option<Self> {
        let (captured, rest) = data.split_first_chunk()?;
        let clock_offset = match rest.len() {
            0 => None,
            _ => Some(i64::from_be_bytes(rest.try_into().ok()?)),
        };
        Some(Self { captured: NtpTime(u64::from_be_bytes(*captured)), clock_offset })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.put_u64(self.captured.0);
        if let Some(offset) = self.clock_offset {
            out.put_u64(offset as u64);
        }
    }

    fn encoded_len(&self) -> usize {
        if self.clock_offset.is_some() { 16 } else { 8 }
    }
}
