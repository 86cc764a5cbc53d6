//! Channels and the ChannelData message (RFC 8656 §12).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Channel Number        |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! /                       Application Data                        /
//! ```

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use base::{LengthPrefix, PutExt, Reader};
use std::{fmt, ops::Range};

/// A channel number, 0x4000 to 0x4fff.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelNumber(u16);

impl ChannelNumber {
    /// The first channel.
    pub const MIN: Self = Self(0x4000);
    /// The last channel.
    pub const MAX: Self = Self(0x4fff);

    /// A channel by number, `None` outside the range (RFC 8656 §12).
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number >= Self::MIN.0 && number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The next one, the first after the last.
    pub(crate) const fn following(self) -> Self {
        if self.0 >= Self::MAX.0 { Self::MIN } else { Self(self.0.saturating_add(1)) }
    }
}

impl fmt::Debug for ChannelNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelNumber({:#06x})", self.0)
    }
}

/// A received ChannelData message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelData<'a> {
    channel: ChannelNumber,
    payload: &'a [u8],
}

impl<'a> ChannelData<'a> {
    /// Bytes in front of the payload.
    pub const HEADER_LEN: usize = 4;

    /// Whether a datagram is ChannelData by its first byte, 64 to 79 (RFC 7983 §7).
    #[must_use]
    pub const fn matches(datagram: &[u8]) -> bool {
        matches!(datagram.first(), Some(0x40..=0x4f))
    }

    /// Reads a datagram; `None` when it is not ChannelData or is shorter than it says.
    ///
    /// Bytes behind the payload are padding, which may be there over UDP too (RFC 8656 §12.5).
    #[must_use]
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(datagram);
        let channel = ChannelNumber::new(reader.u16().ok()?)?;
        let len = reader.u16().ok()?;
        let payload = reader.take(usize::from(len)).ok()?;
        Some(Self { channel, payload })
    }

    /// The channel.
    #[must_use]
    pub const fn channel(&self) -> ChannelNumber {
        self.channel
    }

    /// The payload.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Where the payload is in the datagram.
    #[must_use]
    pub const fn payload_range(&self) -> Range<usize> {
        Self::HEADER_LEN..Self::HEADER_LEN.saturating_add(self.payload.len())
    }

    /// Appends a header and what `write` appends; takes all of it back when that is `None` or over 65,535 bytes.
    pub fn append_with<R>(
        channel: ChannelNumber,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<R>,
    ) -> Option<R> {
        let start = out.len();
        out.put_u16(channel.0);
        let length = LengthPrefix::<2>::start(out);
        let body = start.saturating_add(Self::HEADER_LEN);
        let written = write(out).filter(|_| out.len().saturating_sub(body) <= usize::from(u16::MAX));
        if written.is_none() {
            out.truncate(start);
            return None;
        }
        length.finish(out);
        written
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;

    const CHANNEL: ChannelNumber = ChannelNumber::MIN;

    #[test]
    fn turn_channel_numbers_0x4000_0x4fff() {
        for number in 0..=u16::MAX {
            assert_eq!(ChannelNumber::new(number).is_some(), (0x4000..=0x4fff).contains(&number));
        }
        assert_eq!(ChannelNumber::MAX.following(), ChannelNumber::MIN);
        assert_eq!(ChannelNumber::MIN.following().get(), 0x4001);
    }

    #[test]
    fn appends_and_reads_back() {
        let mut out = vec![9];
        let done = ChannelData::append_with(CHANNEL, &mut out, |out| {
            out.extend_from_slice(b"abc");
            Some(7)
        });
        assert_eq!((done, &out[..]), (Some(7), &[9, 0x40, 0, 0, 3, b'a', b'b', b'c'][..]));
        let data = ChannelData::parse(&out[1..]).expect("invariant: well formed");
        assert_eq!((data.channel(), data.payload(), data.payload_range()), (CHANNEL, &b"abc"[..], 4..7));
        // T-T12: the length is that of the datagram, whatever the header says.
        for len in 1..out.len() {
            assert_eq!(ChannelData::parse(&out[1..len]), None);
        }
    }

    #[test]
    fn nothing_stays_when_nothing_is_written() {
        let mut out = vec![9];
        assert_eq!(ChannelData::append_with(CHANNEL, &mut out, |_| None::<()>), None);
        let long = ChannelData::append_with(CHANNEL, &mut out, |out| {
            out.resize(out.len() + 65_536, 0);
            Some(())
        });
        assert_eq!((long, &out[..]), (None, &[9][..]));
    }

    #[test]
    fn padding_behind_the_payload_is_not_payload() {
        let data = ChannelData::parse(&[0x4f, 0xff, 0, 1, 5, 0, 0, 0]).expect("invariant: well formed");
        assert_eq!((data.channel(), data.payload()), (ChannelNumber::MAX, &[5][..]));
        assert!(
            ChannelData::matches(&[0x4f]) && !ChannelData::matches(&[0x50]) && !ChannelData::matches(&[])
        );
        assert_eq!(ChannelData::parse(&[0x50, 0, 0, 0]), None);
    }
}
