//! RE-CONFIG and its parameters (RFC 6525 §3.1, §4).

use super::{ChunkWriter, RE_CONFIG};
use crate::event::Direction;
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
/// Bytes of a RE-CONFIG with an Incoming SSN Reset Request, without its stream numbers.
pub(crate) const INCOMING_RESET_LEN: usize = 4 + 8;
/// Bytes of a RE-CONFIG with an Add Streams Request.
pub(crate) const ADD_STREAMS_LEN: usize = 4 + 12;

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
    /// More streams, after those there are. The direction is seen from the peer: `Outgoing` are those it sends on.
    AddStreams { request: Serial32, direction: Direction, count: u16 },
    /// A request that is understood and always refused: SSN/TSN reset. The numbers of a whole association begin anew
    /// with a new one.
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
            TSN_RESET => Self::Refused { request: Serial32(reader.u32()?) },
            code @ (ADD_OUTGOING | ADD_INCOMING) => {
                let request = Serial32(reader.u32()?);
                let count = reader.u16()?;
                let direction = if code == ADD_OUTGOING { Direction::Outgoing } else { Direction::Incoming };
                Self::AddStreams { request, direction, count }
            }
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

/// Appends a RE-CONFIG with an Incoming SSN Reset Request.
pub(crate) fn write_incoming_reset(out: &mut Vec<u8>, request: Serial32, streams: &[StreamId]) {
    let chunk = ChunkWriter::start(out, RE_CONFIG, 0);
    let start = out.len();
    out.put_u16(INCOMING_RESET);
    out.put_u16(u16::try_from(streams.len().saturating_mul(2).saturating_add(8)).unwrap_or(u16::MAX));
    out.put_u32(request.0);
    for stream in streams {
        out.put_u16(stream.0);
    }
    tlv::pad(out, start);
    chunk.finish(out);
}

/// Appends a RE-CONFIG with an Add Outgoing or Add Incoming Streams Request.
pub(crate) fn write_add_streams(out: &mut Vec<u8>, request: Serial32, direction: Direction, count: u16) {
    let chunk = ChunkWriter::start(out, RE_CONFIG, 0);
    out.put_u16(match direction {
        Direction::Outgoing => ADD_OUTGOING,
        Direction::Incoming => ADD_INCOMING,
    });
    out.put_u16(12);
    out.put_u32(request.0);
    out.put_u16(count);
    //= rfc6525 §4.5
    //# This field is reserved.  It SHOULD be set to 0 by the sender and ignored by the receiver.
    out.put_u16(0);
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

    #[test]
    fn other_requests_round_trip() {
        let mut out = Vec::new();
        write_incoming_reset(&mut out, Serial32(1), &[StreamId(4), StreamId(5), StreamId(6)]);
        assert_eq!(out.len(), (INCOMING_RESET_LEN + 6).next_multiple_of(4));
        for direction in [Direction::Outgoing, Direction::Incoming] {
            write_add_streams(&mut out, Serial32(2), direction, 9);
        }
        let mut chunks = Tlvs::new(&out).map(Result::unwrap);
        let parameter = Tlvs::new(chunks.next().unwrap().value).next().unwrap().unwrap();
        let Parameter::IncomingReset { request: Serial32(1), streams } =
            Parameter::parse(&parameter).unwrap()
        else {
            panic!("wrong parameter");
        };
        assert_eq!(streams.iter().collect::<Vec<_>>(), [StreamId(4), StreamId(5), StreamId(6)]);
        for expected in [Direction::Outgoing, Direction::Incoming] {
            let chunk = chunks.next().unwrap();
            assert_eq!(chunk.whole.len(), ADD_STREAMS_LEN);
            let parameter = Tlvs::new(chunk.value).next().unwrap().unwrap();
            let Parameter::AddStreams { request: Serial32(2), direction, count: 9 } =
                Parameter::parse(&parameter).unwrap()
            else {
                panic!("wrong parameter");
            };
            assert_eq!(direction, expected);
        }
    }
}
