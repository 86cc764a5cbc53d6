//! Extensions that are lists of 16-bit numbers: supported_groups (RFC 8422 §5.1.1), signature_algorithms
//! (RFC 5246 §7.4.1.4.1) and supported_versions (RFC 8446 §4.2.1); and the point formats (RFC 8422 §5.1.2).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use base::{LengthPrefix, PutExt};
use nom::Parser;
use nom::combinator::all_consuming;
use nom::multi::{length_data, length_value, many1};
use nom::number::complete::{be_u8, be_u16};

type NomError<'a> = nom::error::Error<&'a [u8]>;

/// Numbers behind a 16-bit length; `None` when malformed or empty.
pub(crate) fn parse(content: &[u8]) -> Option<Vec<u16>> {
    all_consuming(length_value(be_u16::<_, NomError<'_>>, all_consuming(many1(be_u16))))
        .parse(content)
        .ok()
        .map(|(_, numbers)| numbers)
}

/// Numbers behind an 8-bit length, as in the ClientHello's supported_versions.
pub(crate) fn parse_short(content: &[u8]) -> Option<Vec<u16>> {
    all_consuming(length_value(be_u8::<_, NomError<'_>>, all_consuming(many1(be_u16))))
        .parse(content)
        .ok()
        .map(|(_, numbers)| numbers)
}

/// Point formats: bytes behind an 8-bit length.
pub(crate) fn parse_point_formats(content: &[u8]) -> Option<&[u8]> {
    all_consuming(length_data(be_u8::<_, NomError<'_>>)).parse(content).ok().map(|(_, formats)| formats)
}

/// Appends numbers behind a 16-bit length.
pub(crate) fn put(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u16>) {
    let length = LengthPrefix::<2>::start(out);
    for number in numbers {
        out.put_u16(number);
    }
    length.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        let mut content = Vec::new();
        put(&mut content, [0x1d, 0x17]);
        assert_eq!(parse(&content), Some(vec![0x1d, 0x17]));
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&[0, 0]), None);
        assert_eq!(parse(&[0, 1, 7]), None);
        assert_eq!(parse(&[0, 2, 7]), None);
        assert_eq!(parse(&[0, 2, 7, 7, 7]), None);
        assert_eq!(parse_short(&[4, 0xfe, 0xfc, 0xfe, 0xfd]), Some(vec![0xfefc, 0xfefd]));
        assert_eq!(parse_short(&[3, 0xfe, 0xfc, 0xfe]), None);
        assert_eq!(parse_point_formats(&[1, 0]), Some(&[0][..]));
        assert_eq!(parse_point_formats(&[2, 0]), None);
    }
}
