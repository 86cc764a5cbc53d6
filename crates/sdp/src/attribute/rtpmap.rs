use std::{fmt, str::FromStr};

use nom::IResult;

use super::located;
use crate::{
    ParseError,
    grammar::{Failure, fail, number, space, token, whole},
};

/// The number of a format in RTP packets: 0 to 127 (RFC 3550 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadType(u8);

impl PayloadType {
    /// The payload type with this number, if it has 7 bits.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number <= 127 { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    pub(crate) const EXPECTED: &str = "a payload type from 0 to 127";

    pub(crate) fn parse(input: &str) -> IResult<&str, Self, Failure<'_>> {
        let (rest, value) = number(input, Self::EXPECTED)?;
        match Self::new(value) {
            Some(payload_type) => Ok((rest, payload_type)),
            None => fail(input, Self::EXPECTED),
        }
    }
}

impl From<PayloadType> for u8 {
    fn from(payload_type: PayloadType) -> Self {
        payload_type.0
    }
}

impl FromStr for PayloadType {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        whole(Self::parse, text).map_err(|failure| located(text, failure))
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The codec behind a payload type (RFC 8866 §6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rtpmap {
    /// The payload type.
    pub payload_type: PayloadType,
    /// The codec, such as `opus`; letter case means nothing.
    pub encoding: String,
    /// The RTP clock rate in hertz.
    pub clock_rate: u32,
    /// The channels, for audio; 1 when it says nothing.
    pub channels: Option<u16>,
}

impl Rtpmap {
    /// A codec without a number of channels.
    #[must_use]
    pub fn new(payload_type: PayloadType, encoding: impl Into<String>, clock_rate: u32) -> Self {
        Self { payload_type, encoding: encoding.into(), clock_rate, channels: None }
    }

    /// Sets the number of channels.
    #[must_use]
    pub fn with_channels(mut self, channels: u16) -> Self {
        self.channels = Some(channels);
        self
    }

    pub(super) fn parse(input: &str) -> IResult<&str, Self, Failure<'_>> {
        let (rest, payload_type) = PayloadType::parse(input)?;
        let (rest, ()) = space(rest)?;
        let (rest, encoding) = token(rest, "an encoding name")?;
        let Some(after) = rest.strip_prefix('/') else { return fail(rest, "a slash") };
        let (rest, clock_rate) = number(after, "a clock rate")?;
        if clock_rate == 0 {
            return fail(after, "a clock rate above zero");
        }
        let (rest, channels) = match rest.strip_prefix('/') {
            Some(rest) => {
                number(rest, "a number of channels").map(|(rest, channels)| (rest, Some(channels)))?
            }
            None => (rest, None),
        };
        Ok((rest, Self { payload_type, encoding: encoding.to_owned(), clock_rate, channels }))
    }
}

impl fmt::Display for Rtpmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.payload_type, self.encoding, self.clock_rate)?;
        match self.channels {
            Some(channels) => write!(f, "/{channels}"),
            None => Ok(()),
        }
    }
}
