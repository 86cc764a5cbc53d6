//! The smallest rules of the grammar (RFC 8866 §9), shared by all values.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use nom::{
    IResult, Parser as _,
    bytes::complete::{take_while, take_while1},
    error::{ErrorKind, ParseError},
};

/// Where a rule failed: the input from there on, and what it wanted to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure<'a> {
    pub(crate) rest: &'a str,
    pub(crate) expected: &'static str,
}

impl<'a> ParseError<&'a str> for Failure<'a> {
    fn from_error_kind(input: &'a str, _kind: ErrorKind) -> Self {
        Self { rest: input, expected: "other text" }
    }

    fn append(_input: &'a str, _kind: ErrorKind, other: Self) -> Self {
        other
    }
}

/// Refuses at `rest`.
pub(crate) fn fail<'a, T>(rest: &'a str, expected: &'static str) -> IResult<&'a str, T, Failure<'a>> {
    Err(nom::Err::Error(Failure { rest, expected }))
}

/// Runs `rule` over the whole of `input`.
pub(crate) fn whole<'a, T>(
    rule: impl FnOnce(&'a str) -> IResult<&'a str, T, Failure<'a>>,
    input: &'a str,
) -> Result<T, Failure<'a>> {
    match rule(input) {
        Ok(("", value)) => Ok(value),
        Ok((rest, _)) => Err(Failure { rest, expected: "end of line" }),
        Err(nom::Err::Error(failure) | nom::Err::Failure(failure)) => Err(failure),
        Err(nom::Err::Incomplete(_)) => Err(Failure { rest: input, expected: "more text" }),
    }
}

/// One or more characters that satisfy `set`.
pub(crate) fn run<'a>(
    input: &'a str,
    set: impl Fn(char) -> bool,
    expected: &'static str,
) -> IResult<&'a str, &'a str, Failure<'a>> {
    let (rest, word): (_, &str) = take_while(set).parse(input)?;
    if word.is_empty() { fail(input, expected) } else { Ok((rest, word)) }
}

/// `token` (RFC 8866 §9).
pub(crate) fn token<'a>(input: &'a str, expected: &'static str) -> IResult<&'a str, &'a str, Failure<'a>> {
    run(input, is_token_char, expected)
}

/// `non-ws-string` (RFC 8866 §9).
pub(crate) fn word<'a>(input: &'a str, expected: &'static str) -> IResult<&'a str, &'a str, Failure<'a>> {
    run(input, is_visible, expected)
}

/// A word made of `set` with a length in `length`.
pub(crate) fn sized<'a>(
    input: &'a str,
    length: std::ops::RangeInclusive<usize>,
    set: impl Fn(char) -> bool,
    expected: &'static str,
) -> IResult<&'a str, &'a str, Failure<'a>> {
    let (rest, word) = run(input, set, expected)?;
    if length.contains(&word.len()) { Ok((rest, word)) } else { fail(input, expected) }
}

/// One or more characters up to the end of the line.
pub(crate) fn text<'a>(input: &'a str, expected: &'static str) -> IResult<&'a str, &'a str, Failure<'a>> {
    run(input, |_| true, expected)
}

/// One space.
pub(crate) fn space(input: &str) -> IResult<&str, (), Failure<'_>> {
    literal(input, " ", "a space")
}

/// Exactly `literal`.
pub(crate) fn literal<'a>(
    input: &'a str,
    literal: &str,
    expected: &'static str,
) -> IResult<&'a str, (), Failure<'a>> {
    match input.strip_prefix(literal) {
        Some(rest) => Ok((rest, ())),
        None => fail(input, expected),
    }
}

/// A decimal number that fits `T` and has no leading zero.
pub(crate) fn number<'a, T: TryFrom<u64>>(
    input: &'a str,
    expected: &'static str,
) -> IResult<&'a str, T, Failure<'a>> {
    let (rest, digits) = digits(input, expected)?;
    if digits.len() > 1 && digits.starts_with('0') {
        return fail(input, "a number without a leading zero");
    }
    match digits.parse::<u64>().ok().and_then(|number| T::try_from(number).ok()) {
        Some(number) => Ok((rest, number)),
        None => fail(input, expected),
    }
}

/// `1*DIGIT`, of any length.
pub(crate) fn digits<'a>(input: &'a str, expected: &'static str) -> IResult<&'a str, &'a str, Failure<'a>> {
    let result: IResult<&str, &str, Failure<'_>> = take_while1(|c: char| c.is_ascii_digit()).parse(input);
    result.map_err(|error| error.map(|failure| Failure { expected, ..failure }))
}

/// Most items of a list within one value, so that a line cannot cost more than it should.
const MAX_ITEMS: usize = 1_024;

/// Appends to a list within a value, up to its bound.
pub(crate) fn push<'a, T>(items: &mut Vec<T>, item: T, rest: &'a str) -> IResult<&'a str, (), Failure<'a>> {
    if items.len() == MAX_ITEMS {
        return fail(rest, "at most 1024 items");
    }
    items.push(item);
    Ok((rest, ()))
}

/// `item` separated by single spaces, once or more.
pub(crate) fn spaced<'a, T>(
    input: &'a str,
    item: impl Fn(&'a str) -> IResult<&'a str, T, Failure<'a>>,
) -> IResult<&'a str, Vec<T>, Failure<'a>> {
    let (mut rest, first) = item(input)?;
    let mut items = vec![first];
    while !rest.is_empty() {
        let (after_space, ()) = space(rest)?;
        let (after_item, next) = item(after_space)?;
        (rest, ()) = push(&mut items, next, after_item)?;
    }
    Ok((rest, items))
}

pub(crate) fn is_token_char(c: char) -> bool {
    matches!(c, '!' | '#'..='\'' | '*' | '+' | '-' | '.' | '0'..='9' | 'A'..='Z' | '^'..='~')
}

pub(crate) fn is_visible(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_graphic()
}

/// `ice-char` (RFC 8839 §5.1).
pub(crate) fn is_ice_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '+' || c == '/'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_characters_are_those_of_the_grammar() {
        let set: String = (0_u8..128).map(char::from).filter(|&c| is_token_char(c)).collect();
        assert_eq!(set, "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~");
    }

    #[test]
    fn numbers_refuse_what_does_not_fit() {
        assert_eq!(number::<u8>("255 x", "n"), Ok((" x", 255)));
        assert_eq!(number::<u8>("0", "n"), Ok(("", 0)));
        for bad in ["256", "", "-1", "+1", "00", "01", "99999999999999999999999", "x"] {
            assert!(number::<u8>(bad, "n").is_err(), "{bad}");
        }
    }
}
