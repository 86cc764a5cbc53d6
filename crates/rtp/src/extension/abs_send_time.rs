//! When a packet left, for delay measurements at the receiver.

use base::PutExt;

use super::{ExtensionKind, ExtensionValue};
use crate::ntp::NtpTime;

/// 24 bits: 6 of seconds, 18 of fraction. It wraps every 64 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsSendTime(u32);

impl AbsSendTime {
    /// Ticks of the field in a second.
    pub const TICKS_PER_SECOND: u32 = 1 << 18;

    /// The field for a wall-clock time.
    #[must_use]
    pub const fn from_ntp(time: NtpTime) -> Self {
        Self(((time.0 >> 14) & 0x00ff_ffff) as u32)
    }

    /// The 24-bit number.
    #[must_use]
    pub const fn ticks(self) -> u32 {
        self.0
    }
}

impl ExtensionValue for AbsSendTime {
    const KIND: ExtensionKind = ExtensionKind::AbsSendTime;

    fn parse(data: &[u8]) -> Option<Self> {
        let [a, b, c] = *data.first_chunk()?;
        (data.len() == 3).then(|| Self(u32::from_be_bytes([0, a, b, c])))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.put_u24(self.0);
    }

    fn encoded_len(&self) -> usize {
        3
    }
}
