//! Requests of a receiver to a sender: key frames and a limit of the bit rate (RFC 4585 §6.3, RFC 5104 §4).

use base::{PutExt, Reader};

use super::{feedback_ssrcs, kind, write_packet};
use crate::error::ParseError;
use crate::numbers::Ssrc;

pub(super) const PLI: u8 = 1;
pub(super) const FIR: u8 = 4;
pub(super) const TMMBR: u8 = 3;
pub(super) const TMMBN: u8 = 4;

/// Picture loss indication (RFC 4585 §6.3.1): a key frame is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pli {
    /// Who lost a picture.
    pub sender: Ssrc,
    /// The stream.
    pub media: Ssrc,
}

impl Pli {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let (sender, media) = feedback_ssrcs(&mut Reader::new(body))?;
        Ok(Self { sender, media })
    }

    /// Appends such a packet.
    pub fn write(out: &mut Vec<u8>, sender: Ssrc, media: Ssrc) {
        write_packet(out, kind::PSFB, PLI, |out| {
            out.put_u32(sender.0);
            out.put_u32(media.0);
        });
    }
}

/// Full intra request (RFC 5104 §4.3.1).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Fir<'a> {
    /// Who asks.
    pub sender: Ssrc,
    entries: &'a [u8],
}

/// One stream that is asked for a key frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirEntry {
    /// The stream.
    pub ssrc: Ssrc,
    /// One more for each new request; the same in repetitions of it.
    pub sequence: u8,
}

impl FirEntry {
    /// A request.
    #[must_use]
    pub const fn new(ssrc: Ssrc, sequence: u8) -> Self {
        Self { ssrc, sequence }
    }
}

impl<'a> Fir<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let (sender, _unused) = feedback_ssrcs(&mut reader)?;
        Ok(Self { sender, entries: reader.take_rest() })
    }

    /// The streams.
    pub fn entries(&self) -> impl Iterator<Item = FirEntry> + use<'a> {
        self.entries.as_chunks::<8>().0.iter().map(|[a, b, c, d, sequence, ..]| {
            FirEntry::new(Ssrc(u32::from_be_bytes([*a, *b, *c, *d])), *sequence)
        })
    }

    /// Appends such a packet.
    pub fn write(out: &mut Vec<u8>, sender: Ssrc, entries: &[FirEntry]) {
        write_packet(out, kind::PSFB, FIR, |out| {
            out.put_u32(sender.0);
            out.put_u32(0);
            for entry in entries {
                out.put_u32(entry.ssrc.0);
                out.put_u8(entry.sequence);
                out.put_zeros(3);
            }
        });
    }
}

/// A bit rate for one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BitrateEntry {
    /// The stream.
    pub ssrc: Ssrc,
    /// Bits per second, headers of lower layers included.
    pub bitrate: u64,
    /// Bytes of lower-layer headers that the receiver counted per packet.
    pub overhead: u16,
}

impl BitrateEntry {
    /// A limit.
    #[must_use]
    pub const fn new(ssrc: Ssrc, bitrate: u64, overhead: u16) -> Self {
        Self { ssrc, bitrate, overhead }
    }

    fn parse(bytes: [u8; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = bytes;
        let word = u32::from_be_bytes([e, f, g, h]);
        let mantissa = u64::from(word >> 9 & 0x1_ffff);
        Self {
            ssrc: Ssrc(u32::from_be_bytes([a, b, c, d])),
            bitrate: scale(mantissa, word >> 26),
            overhead: (word & 0x1ff) as u16,
        }
    }
}

/// `mantissa * 2^exponent`, at most what 64 bits hold.
pub(super) fn scale(mantissa: u64, exponent: u32) -> u64 {
    u64::try_from(u128::from(mantissa) << exponent.min(64)).unwrap_or(u64::MAX)
}

/// The largest mantissa of `bits` bits and its exponent that do not exceed `value`.
pub(super) fn unscale(value: u64, bits: u32) -> (u32, u32) {
    let exponent = u64::BITS.saturating_sub(value.leading_zeros()).saturating_sub(bits);
    ((value >> exponent) as u32, exponent)
}

fn write_entries(out: &mut Vec<u8>, format: u8, sender: Ssrc, entries: &[BitrateEntry]) {
    write_packet(out, kind::RTPFB, format, |out| {
        out.put_u32(sender.0);
        out.put_u32(0);
        for entry in entries {
            let (mantissa, exponent) = unscale(entry.bitrate, 17);
            out.put_u32(entry.ssrc.0);
            out.put_u32(exponent << 26 | mantissa << 9 | u32::from(entry.overhead.min(0x1ff)));
        }
    });
}

macro_rules! bitrate_packet {
    ($(#[$doc:meta])* $name:ident, $format:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub struct $name<'a> {
            /// Who sent it.
            pub sender: Ssrc,
            entries: &'a [u8],
        }

        impl<'a> $name<'a> {
            pub(super) fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
                let mut reader = Reader::new(body);
                let (sender, _unused) = feedback_ssrcs(&mut reader)?;
                Ok(Self { sender, entries: reader.take_rest() })
            }

            /// The limits.
            pub fn entries(&self) -> impl Iterator<Item = BitrateEntry> + use<'a> {
                self.entries.as_chunks::<8>().0.iter().map(|entry| BitrateEntry::parse(*entry))
            }

            /// Appends such a packet.
            pub fn write(out: &mut Vec<u8>, sender: Ssrc, entries: &[BitrateEntry]) {
                write_entries(out, $format, sender, entries);
            }
        }
    };
}

bitrate_packet!(
    /// Temporary maximum media bit rate request (RFC 5104 §4.2.1).
    Tmmbr,
    TMMBR
);
bitrate_packet!(
    /// Temporary maximum media bit rate notification (RFC 5104 §4.2.2).
    Tmmbn,
    TMMBN
);
