//! Application-defined packets (RFC 3550 §6.7).

use base::{PutExt, Reader};

use super::{kind, write_packet};
use crate::error::ParseError;
use crate::numbers::Ssrc;

/// An application-defined packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct App<'a> {
    /// Five bits of the application's.
    pub subtype: u8,
    /// Who sent it.
    pub ssrc: Ssrc,
    /// Four ASCII characters that name the application.
    pub name: [u8; 4],
    /// The application's data.
    pub data: &'a [u8],
}

impl<'a> App<'a> {
    pub(super) fn parse(subtype: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        Ok(Self { subtype, ssrc: Ssrc(reader.u32()?), name: reader.array()?, data: reader.take_rest() })
    }

    /// Appends such a packet; `data` is filled with zeros up to a word.
    pub fn write(out: &mut Vec<u8>, subtype: u8, ssrc: Ssrc, name: [u8; 4], data: &[u8]) {
        write_packet(out, kind::APP, subtype, |out| {
            out.put_u32(ssrc.0);
            out.put_slice(&name);
            out.put_slice(data);
        });
    }
}
