//! Negative acknowledgement (RFC 4585 §6.2.1).

use base::{PutExt, Reader};

use super::{feedback_ssrcs, kind, write_packet};
use crate::error::ParseError;
use crate::numbers::{SequenceNumber, Ssrc};

pub(super) const FORMAT: u8 = 1;

/// Packets that a receiver misses.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Nack<'a> {
    /// Who misses them.
    pub sender: Ssrc,
    /// The stream they belong to.
    pub media: Ssrc,
    entries: &'a [u8],
}

impl<'a> Nack<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let (sender, media) = feedback_ssrcs(&mut reader)?;
        if reader.remaining() < 4 {
            return Err(ParseError::Truncated { offset: reader.offset() });
        }
        Ok(Self { sender, media, entries: reader.take_rest() })
    }

    /// The missing numbers, in the order they are named; one entry of four bytes names up to 17.
    pub fn lost(&self) -> impl Iterator<Item = SequenceNumber> + use<'a> {
        self.entries.as_chunks::<4>().0.iter().flat_map(|[a, b, c, d]| {
            let first = SequenceNumber(u16::from_be_bytes([*a, *b]));
            let mask = u16::from_be_bytes([*c, *d]);
            std::iter::once(first).chain(
                (0_u16..16)
                    .filter(move |bit| mask >> bit & 1 == 1)
                    .map(move |bit| first.plus(bit.saturating_add(1))),
            )
        })
    }

    /// Appends a packet that names `lost`, which should be in ascending order, with at most `max_entries` entries of
    /// four bytes each. Returns how many numbers it named; the rest needs another packet. With none to name, nothing
    /// is appended.
    pub fn write(
        out: &mut Vec<u8>,
        sender: Ssrc,
        media: Ssrc,
        lost: impl IntoIterator<Item = SequenceNumber>,
        max_entries: usize,
    ) -> usize {
        let mut lost = lost.into_iter().peekable();
        if max_entries == 0 || lost.peek().is_none() {
            return 0;
        }
        let mut named = 0;
        write_packet(out, kind::RTPFB, FORMAT, |out| {
            out.put_u32(sender.0);
            out.put_u32(media.0);
            for _ in 0..max_entries {
                let Some(first) = lost.next() else { break };
                named = usize::saturating_add(named, 1);
                let mut mask = 0_u16;
                while let Some(next) = lost.next_if(|next| (1..=16).contains(&next.distance_from(first))) {
                    mask |= 1 << next.distance_from(first).saturating_sub(1);
                    named = named.saturating_add(1);
                }
                out.put_u16(first.0);
                out.put_u16(mask);
            }
        });
        named
    }
}
