//! RE-CONFIG and its parameters (RFC 6525 §3.1, §4).

use super::{ChunkWriter, RE_CONFIG};
use crate::tlv::{self, Malformed, Tlv};
use crate::types::StreamId;
use base::{PutExt, Reader, Serial32};

const OUTGOING_RESET: u16 = 13;
const INCOMING_RESET: u16 = 14;
const TSN_RESET: u16 = 15;
const RESPONSE: u16 = 16;
const ADD_OUTGOING: u16 = 17;
const ADD_INCOMING: u16 = 18;

/// Bytes of a RE-CONFIG with an Outgoing SSN Reset Request, without its stream numbers.
pub(crate) const OUTGOING_RESET_LEN: usize = 4 + 16;

/// The result of a request (RFC 6525 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResetResult(pub(crate) u32);

impl ResetResult {
    pub(crate) const NOTHING_TO_DO: Self = Self(0);
    pub(crate) const PERFORMED: Self = Self(1);
    pub(crate) const DENIED: Self = Self(2);
    pub(crate) const BAD_SEQUENCE: Self = Self(5);
    pub(crate) const IN_PROGRESS: Self = Self(6);
}

/// Stream numbers as they stand in a parameter; none means all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamList<'a>(&'a [u8]);

impl<'a> StreamList<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = StreamId> + 'a {
        let (pairs, _) = self.0.as_chunks::<2>();
        pairs.iter().map(|pair| StreamId(u16::from_be_bytes(*pair)))
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// A parameter of a received RE-CONFIG.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameter<'a> {
    /// The peer begins anew on streams it sends on.
    OutgoingReset { request: Serial32, last_tsn: Serial32, streams: StreamList<'a> },
    /// The peer asks us to begin anew on streams we send on.
    IncomingReset { request: Serial32, streams: StreamList<'a> },
    /// A request that is understood and always refused: SSN/TSN reset, more streams.
    Refused { request: Serial32 },
    /// The answer to our request.
    Response { request: Serial32, result: ResetResult },
    /// Not a parameter of RFC 6525.
    Unknown,
}

impl<'a> Parameter<'a> {
    pub(crate) fn parse(parameter: &Tlv<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(parameter.value);
        Ok(match parameter.code() {
            OUTGOING_RESET => {
                let request = Serial32(reader.u32()?);
                let _response = reader.u32()?;
                let last_tsn = Serial32(reader.u32()?);
                Self::OutgoingReset { request, last_tsn, streams: StreamList(reader.take_rest()) }
            }
            INCOMING_RESET => Self::IncomingReset {
                request: Serial32(reader.u32()?),
                streams: StreamList(reader.take_rest()),
            },
            TSN_RESET | ADD_OUTGOING | ADD_INCOMING => Self::Refused { request: Serial32(reader.u32()?) },
            RESPONSE => {
                Self::Response { request: Serial32(reader.u32()?), result: ResetResult(reader.u32()?) }
            }
            _ => Self::Unknown,
        })
    }
}

/// Appends a RE-CONFIG with a response.
pub(crate) fn write_response(out: &mut Vec<u8>, request: Serial32, result: ResetResult) {
    let chunk = ChunkWriter::start(out, RE_CONFIG, 0);
    out.put_u16(RESPONSE);
    out.put_u16(12);
    out.put_u32(request.0);
    out.put_u32(result.0);
    chunk.finish(out);
}

/// Appends a RE-CONFIG with an Outgoing SSN Reset Request.
pub(crate) fn write_outgoing_reset(
    out: &mut Vec<u8>,
    request: Serial32,
    response: Serial32,
    last_tsn: Serial32,
    streams: &[StreamId],
) {
    let chunk = ChunkWriter::start(out, RE_CONFIG, 0);
    let start = out.len();
    out.put_u16(OUTGOING_RESET);
    out.put_u16(u16::try_from(streams.len().saturating_mul(2).saturating_add(16)).unwrap_or(u16::MAX));
    out.put_u32(request.0);
    out.put_u32(response.0);
    out.put_u32(last_tsn.0);
    for stream in streams {
        out.put_u16(stream.0);
    }
    tlv::pad(out, start);
    chunk.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::Tlvs;

    #[test]
    fn outgoing_reset_round_trip() {
        let mut out = Vec::new();
        write_outgoing_reset(&mut out, Serial32(1), Serial32(2), Serial32(3), &[StreamId(4)]);
        let chunk = Tlvs::new(&out).next().unwrap().unwrap();
        let parameter = Tlvs::new(chunk.value).next().unwrap().unwrap();
        let Parameter::OutgoingReset { request, last_tsn, streams } = Parameter::parse(&parameter).unwrap()
        else {
            panic!("wrong parameter");
        };
        assert_eq!((request, last_tsn), (Serial32(1), Serial32(3)));
        assert_eq!(streams.iter().collect::<Vec<_>>(), [StreamId(4)]);
    }
}
