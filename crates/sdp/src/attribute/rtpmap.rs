use std::{borrow::Cow, fmt, str::FromStr};

use super::located;
use crate::{
    ParseError,
    grammar::{Failure, fail, kept, number, space, token, whole},
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

    /// The number in digits, as `m=` lines and `a=fmtp` lines have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        DIGITS.get(usize::from(self.0)).copied().unwrap_or_default()
    }

    pub(crate) const EXPECTED: &str = "a payload type from 0 to 127";

    pub(crate) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (rest, value) = number(input, Self::EXPECTED)?;
        match Self::new(value) {
            Some(payload_type) => Ok((rest, payload_type)),
            None => fail(input, Self::EXPECTED),
        }
    }
}

/// The payload types as text.
const DIGITS: [&str; 128] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18",
    "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "35",
    "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47", "48", "49", "50", "51", "52",
    "53", "54", "55", "56", "57", "58", "59", "60", "61", "62", "63", "64", "65", "66", "67", "68", "69",
    "70", "71", "72", "73", "74", "75", "76", "77", "78", "79", "80", "81", "82", "83", "84", "85", "86",
    "87", "88", "89", "90", "91", "92", "93", "94", "95", "96", "97", "98", "99", "100", "101", "102", "103",
    "104", "105", "106", "107", "108", "109", "110", "111", "112", "113", "114", "115", "116", "117", "118",
    "119", "120", "121", "122", "123", "124", "125", "126", "127",
];

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

/// The codecs of browsers, and what goes with them.
const KNOWN: &[&str] = &[
    "rtx",
    "H264",
    "VP8",
    "VP9",
    "AV1",
    "H265",
    "opus",
    "red",
    "ulpfec",
    "flexfec-03",
    "PCMU",
    "PCMA",
    "G722",
    "CN",
    "telephone-event",
];

/// The codec behind a payload type (RFC 8866 §6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rtpmap {
    /// The payload type.
    pub payload_type: PayloadType,
    /// The codec, such as `opus`; letter case means nothing.
    pub encoding: Cow<'static, str>,
    /// The RTP clock rate in hertz.
    pub clock_rate: u32,
    /// The channels, for audio; 1 when it says nothing.
    pub channels: Option<u16>,
}

impl Rtpmap {
    /// A codec without a number of channels.
    #[must_use]
    pub fn new(payload_type: PayloadType, encoding: impl Into<String>, clock_rate: u32) -> Self {
        Self { payload_type, encoding: Cow::Owned(encoding.into()), clock_rate, channels: None }
    }

    /// Sets the number of channels.
    #[must_use]
    pub fn with_channels(mut self, channels: u16) -> Self {
        self.channels = Some(channels);
        self
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
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
        Ok((rest, Self { payload_type, encoding: kept(encoding, KNOWN), clock_rate, channels }))
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
