//! Receiver estimated maximum bit rate (draft-alvestrand-rmcat-remb-03).

use base::{PutExt, Reader};

use super::feedback::{scale, unscale};
use super::{feedback_ssrcs, kind, write_packet};
use crate::error::ParseError;
use crate::numbers::Ssrc;

pub(super) const FORMAT: u8 = 15;
const NAME: [u8; 4] = *b"REMB";

pub(super) fn is_remb(body: &[u8]) -> bool {
    body.get(8..12) == Some(&NAME)
}

/// The bit rate that a receiver believes its path can carry, over all streams named.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Remb<'a> {
    /// Who estimates.
    pub sender: Ssrc,
    /// Bits per second.
    pub bitrate: u64,
    ssrcs: &'a [u8],
}

impl<'a> Remb<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let (sender, _unused) = feedback_ssrcs(&mut reader)?;
        reader.take(NAME.len())?;
        let count = reader.u8()?;
        let rate = reader.u24()?;
        let ssrcs = reader.take(4 * usize::from(count))?;
        Ok(Self { sender, bitrate: scale(u64::from(rate & 0x3_ffff), rate >> 18), ssrcs })
    }

    /// The streams that share the bit rate.
    pub fn ssrcs(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        self.ssrcs.as_chunks::<4>().0.iter().map(|word| Ssrc(u32::from_be_bytes(*word)))
    }

    /// Appends such a packet for at most 255 streams. The rate is rounded down to 18 significant bits.
    pub fn write(out: &mut Vec<u8>, sender: Ssrc, bitrate: u64, ssrcs: &[Ssrc]) {
        let ssrcs = ssrcs.get(..255).unwrap_or(ssrcs);
        let (mantissa, exponent) = unscale(bitrate, 18);
        write_packet(out, kind::PSFB, FORMAT, |out| {
            out.put_u32(sender.0);
            out.put_u32(0);
            out.put_slice(&NAME);
            out.put_u8(ssrcs.len() as u8);
            out.put_u24(exponent << 18 | mantissa);
            for ssrc in ssrcs {
                out.put_u32(ssrc.0);
            }
        });
    }
}
