//! Source description (RFC 3550 §6.5, RFC 7941 for MID and RID).

use base::{PutExt, Reader};

use super::{kind, write_packet};
use crate::error::ParseError;
use crate::numbers::Ssrc;

/// What an item describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct SdesKind(pub u8);

impl SdesKind {
    /// Canonical name (RFC 3550 §6.5.1), mandatory in compound packets.
    pub const CNAME: Self = Self(1);
    /// RFC 8852 §3.1.
    pub const RID: Self = Self(12);
    /// RFC 8852 §3.2.
    pub const REPAIRED_RID: Self = Self(13);
    /// RFC 9143 §15.
    pub const MID: Self = Self(15);
}

/// A source description packet: one chunk per source.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SourceDescription<'a> {
    /// The chunks.
    pub chunks: Chunks<'a>,
}

impl<'a> SourceDescription<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let chunks = Chunks { reader: Reader::new(body), left: count };
        let mut probe = chunks;
        for _ in 0..count {
            probe.read()?;
        }
        Ok(Self { chunks })
    }

    /// Appends a description of `sources` (at most 31), each with the same canonical name of at most 255 bytes; what
    /// is longer is cut.
    pub fn write(out: &mut Vec<u8>, sources: &[Ssrc], cname: &str) {
        let sources = sources.get(..31).unwrap_or(sources);
        let cname = cname.as_bytes();
        let cname = cname.get(..255).unwrap_or(cname);
        write_packet(out, kind::SDES, sources.len() as u8, |out| {
            for source in sources {
                out.put_u32(source.0);
                out.put_u8(SdesKind::CNAME.0);
                out.put_u8(cname.len() as u8);
                out.put_slice(cname);
                // RFC 3550 §6.5: ends with one or more zero bytes, up to a word.
                let items = cname.len().saturating_add(2);
                out.put_zeros(base::padding(items.saturating_add(1)).saturating_add(1));
            }
        });
    }

    /// Bytes that [`SourceDescription::write`] appends.
    #[must_use]
    pub const fn encoded_len(sources: usize, cname_len: usize) -> usize {
        let chunk = cname_len.saturating_add(3).next_multiple_of(4).saturating_add(4);
        sources.saturating_mul(chunk).saturating_add(4)
    }
}

/// Iterator over the chunks of a description.
#[derive(Clone, Copy, Debug)]
pub struct Chunks<'a> {
    reader: Reader<'a>,
    left: u8,
}

impl<'a> Chunks<'a> {
    fn read(&mut self) -> Result<Chunk<'a>, ParseError> {
        let ssrc = Ssrc(self.reader.u32()?);
        let items = Items { reader: self.reader };
        loop {
            match self.reader.u8()? {
                0 => break,
                _ => {
                    let len = self.reader.u8()?;
                    self.reader.take(usize::from(len))?;
                }
            }
        }
        // A chunk fills whole words; the packet's end may cut the last one short in sloppy senders.
        let pad = base::padding(self.reader.offset());
        self.reader.take(pad.min(self.reader.remaining()))?;
        Ok(Chunk { ssrc, items })
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        self.left = self.left.checked_sub(1)?;
        self.read().ok()
    }
}

/// What is said about one source.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Chunk<'a> {
    /// The source.
    pub ssrc: Ssrc,
    /// The items.
    pub items: Items<'a>,
}

impl<'a> Chunk<'a> {
    /// The first item of a kind.
    #[must_use]
    pub fn item(&self, kind: SdesKind) -> Option<&'a [u8]> {
        self.items.into_iter().find(|(found, _)| *found == kind).map(|(_, text)| text)
    }
}

/// Iterator over kind and text of the items of a chunk.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    reader: Reader<'a>,
}

impl<'a> Iterator for Items<'a> {
    type Item = (SdesKind, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.u8() {
            Ok(0) | Err(_) => {
                self.reader.take_rest();
                None
            }
            Ok(kind) => {
                let len = self.reader.u8().ok()?;
                Some((SdesKind(kind), self.reader.take(usize::from(len)).ok()?))
            }
        }
    }
}
