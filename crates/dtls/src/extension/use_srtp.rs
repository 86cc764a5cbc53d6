//! DTLS-SRTP (RFC 5764 §4.1).
//!
//! ```text
//! profiles: u16 length, u16 each    srtp_mki: u8 length, bytes
//! ```

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::{SrtpProfile, Violation};
use base::{LengthPrefix, PutExt};
use nom::Parser;
use nom::combinator::all_consuming;
use nom::multi::{length_data, length_value, many1};
use nom::number::complete::{be_u8, be_u16};

/// The content of the extension. A master key identifier is read over: none is ever used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UseSrtp {
    pub(crate) profiles: Vec<SrtpProfile>,
    pub(crate) has_mki: bool,
}

impl UseSrtp {
    pub(crate) fn parse(content: &[u8]) -> Result<Self, Violation> {
        let profiles = length_value(be_u16, all_consuming(many1(be_u16.map(SrtpProfile))));
        let mki = length_data(be_u8);
        all_consuming((profiles, mki))
            .parse(content)
            .map(|(_, (profiles, mki))| Self { profiles, has_mki: !mki.is_empty() })
            .map_err(|_: nom::Err<nom::error::Error<&[u8]>>| Violation::Decode("use_srtp"))
    }
}

/// Appends the content, without a master key identifier.
pub(crate) fn put(out: &mut Vec<u8>, profiles: &[SrtpProfile]) {
    let length = LengthPrefix::<2>::start(out);
    for profile in profiles {
        out.put_u16(profile.0);
    }
    length.finish(out);
    out.put_u8(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        let mut content = Vec::new();
        put(&mut content, &[SrtpProfile(8), SrtpProfile(7)]);
        let expected = UseSrtp { profiles: vec![SrtpProfile(8), SrtpProfile(7)], has_mki: false };
        assert_eq!(UseSrtp::parse(&content), Ok(expected));
        for len in 0..content.len() {
            assert_eq!(UseSrtp::parse(&content[..len]), Err(Violation::Decode("use_srtp")), "{len}");
        }
        assert!(UseSrtp::parse(&[0, 0, 0]).is_err(), "no profile at all");
        assert!(UseSrtp::parse(&[0, 2, 0, 1, 2, 9, 9]).is_ok_and(|srtp| srtp.has_mki));
    }
}
