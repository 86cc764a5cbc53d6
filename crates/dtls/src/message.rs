//! Bodies of handshake messages (RFC 5246 §7.4, RFC 6347 §4.3.2, RFC 8422 §5).
//!
//! Parsers take the whole body: what is left over is an error.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

pub(crate) mod certificate;
pub(crate) mod certificate_request;
pub(crate) mod certificate_verify;
pub(crate) mod client_hello;
pub(crate) mod hello_verify;
pub(crate) mod key_exchange;
pub(crate) mod server_hello;

use crate::Violation;
use nom::combinator::{all_consuming, map_opt};
use nom::number::complete::be_u16;
use nom::{IResult, Parser};

/// The error of the parsers; its details are never shown.
type NomError<'a> = nom::error::Error<&'a [u8]>;

/// Runs `parser` over the whole of `body`; `what` names the message in the violation.
fn whole<'a, T>(
    what: &'static str,
    body: &'a [u8],
    parser: impl Parser<&'a [u8], Output = T, Error = NomError<'a>>,
) -> Result<T, Violation> {
    all_consuming(parser).parse(body).map(|(_, value)| value).map_err(|_| Violation::Decode(what))
}

/// Takes `N` bytes by value.
fn array<const N: usize>(input: &[u8]) -> IResult<&[u8], [u8; N]> {
    map_opt(nom::bytes::complete::take(N), |bytes: &[u8]| <[u8; N]>::try_from(bytes).ok()).parse(input)
}

/// Takes a protocol version.
fn version(input: &[u8]) -> IResult<&[u8], crate::ProtocolVersion> {
    be_u16.map(crate::ProtocolVersion).parse(input)
}

#[cfg(test)]
mod tests;
