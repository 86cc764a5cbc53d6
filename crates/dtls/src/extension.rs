//! Hello extensions (RFC 5246 §7.4.1.4).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

pub(crate) mod numbers;
pub(crate) mod renegotiation_info;
pub(crate) mod use_srtp;

use crate::Violation;
use base::{LengthPrefix, PutExt};
use nom::IResult;
use nom::Parser;
use nom::combinator::all_consuming;
use nom::multi::{length_data, many0};
use nom::number::complete::be_u16;

/// No hello that is worth an answer has more extensions.
const MAX_EXTENSIONS: usize = 64;

/// The type of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExtensionType(pub(crate) u16);

impl ExtensionType {
    pub(crate) const SUPPORTED_GROUPS: Self = Self(10);
    pub(crate) const EC_POINT_FORMATS: Self = Self(11);
    pub(crate) const SIGNATURE_ALGORITHMS: Self = Self(13);
    pub(crate) const USE_SRTP: Self = Self(14);
    pub(crate) const EXTENDED_MASTER_SECRET: Self = Self(23);
    pub(crate) const SUPPORTED_VERSIONS: Self = Self(43);
    pub(crate) const RENEGOTIATION_INFO: Self = Self(0xff01);
}

/// The extensions of a hello, each type at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions<'a> {
    list: Vec<(ExtensionType, &'a [u8])>,
}

impl<'a> Extensions<'a> {
    /// Reads the content of the length-prefixed block.
    pub(crate) fn parse(block: &'a [u8]) -> Result<Self, Violation> {
        let (_, list) = all_consuming(many0(extension))
            .parse(block)
            .map_err(|_: nom::Err<nom::error::Error<&[u8]>>| Violation::Decode("extensions"))?;
        if list.len() > MAX_EXTENSIONS {
            return Err(Violation::Decode("extensions"));
        }
        let mut seen: Vec<ExtensionType> = Vec::with_capacity(list.len());
        for (kind, _) in &list {
            //= rfc5246 §7.4.1.4
            //# There MUST NOT be more than one extension of the same type.
            if seen.contains(kind) {
                return Err(Violation::IllegalParameter("extensions"));
            }
            seen.push(*kind);
        }
        Ok(Self { list })
    }

    /// The content of an extension.
    pub(crate) fn find(&self, kind: ExtensionType) -> Option<&'a [u8]> {
        self.list.iter().find(|(candidate, _)| *candidate == kind).map(|(_, content)| *content)
    }

    /// Whether every extension is one of `asked`.
    pub(crate) fn only(&self, asked: &[ExtensionType]) -> bool {
        self.list.iter().all(|(kind, _)| asked.contains(kind))
    }
}

fn extension(input: &[u8]) -> IResult<&[u8], (ExtensionType, &[u8])> {
    (be_u16.map(ExtensionType), length_data(be_u16)).parse(input)
}

/// Appends one extension whose content `write` appends.
pub(crate) fn put(out: &mut Vec<u8>, kind: ExtensionType, write: impl FnOnce(&mut Vec<u8>)) {
    out.put_u16(kind.0);
    let length = LengthPrefix::<2>::start(out);
    write(out);
    length.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_type_and_refuses_repetitions() {
        let mut block = Vec::new();
        put(&mut block, ExtensionType::EXTENDED_MASTER_SECRET, |_| ());
        put(&mut block, ExtensionType::USE_SRTP, |out| out.put_slice(b"abc"));
        let extensions = Extensions::parse(&block).unwrap();
        assert_eq!(extensions.find(ExtensionType::USE_SRTP), Some(&b"abc"[..]));
        assert_eq!(extensions.find(ExtensionType::SUPPORTED_GROUPS), None);
        assert!(!extensions.only(&[ExtensionType::USE_SRTP]));
        for len in 1..block.len() {
            if len != 4 {
                assert_eq!(Extensions::parse(&block[..len]), Err(Violation::Decode("extensions")), "{len}");
            }
        }
        put(&mut block, ExtensionType::USE_SRTP, |_| ());
        assert_eq!(Extensions::parse(&block), Err(Violation::IllegalParameter("extensions")));
    }

    #[test]
    fn a_flood_of_extensions_is_refused() {
        let mut block = Vec::new();
        for kind in 1_000..4_000 {
            put(&mut block, ExtensionType(kind), |_| ());
        }
        assert_eq!(Extensions::parse(&block), Err(Violation::Decode("extensions")));
    }
}
