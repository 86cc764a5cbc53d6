//! How much later than its timestamp says a packet left (RFC 5450).

use base::PutExt;

use super::{ExtensionKind, ExtensionValue};

/// In ticks of the media clock, 24 bits with sign (RFC 5450 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransmissionOffset(i32);

impl TransmissionOffset {
    /// Limited to what 24 bits with sign can hold.
    #[must_use]
    pub fn new(ticks: i32) -> Self {
        Self(ticks.clamp(-0x80_0000, 0x7f_ffff))
    }

    /// Ticks of the media clock.
    #[must_use]
    pub const fn ticks(self) -> i32 {
        self.0
    }
}

impl ExtensionValue for TransmissionOffset {
    const KIND: ExtensionKind = ExtensionKind::TransmissionOffset;

    fn parse(data: &[u8]) -> Option<Self> {
        let [a, b, c] = *data.first_chunk()?;
        (data.len() == 3).then(|| Self(i32::from_be_bytes([a, b, c, 0]) >> 8))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.put_u24(self.0 as u32 & 0x00ff_ffff);
    }

    fn encoded_len(&self) -> usize {
        3
    }
}
