//! Goodbye (RFC 3550 §6.6).

use base::{PutExt, Reader};

use super::{kind, write_packet};
use crate::error::ParseError;
use crate::numbers::Ssrc;

/// Sources that end.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Bye<'a> {
    sources: &'a [u8],
    /// Why, if said. Any bytes.
    pub reason: Option<&'a [u8]>,
}

impl<'a> Bye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let sources = reader.take(4 * usize::from(count))?;
        let reason = if reader.is_empty() {
            None
        } else {
            let len = reader.u8()?;
            Some(reader.take(usize::from(len))?)
        };
        Ok(Self { sources, reason })
    }

    /// The sources, at most 31.
    pub fn sources(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        self.sources.as_chunks::<4>().0.iter().map(|word| Ssrc(u32::from_be_bytes(*word)))
    }

    /// Appends a goodbye for at most 31 sources, without a reason.
    pub fn write(out: &mut Vec<u8>, sources: &[Ssrc]) {
        let sources = sources.get(..31).unwrap_or(sources);
        write_packet(out, kind::BYE, sources.len() as u8, |out| {
            for source in sources {
                out.put_u32(source.0);
            }
        });
    }
}
