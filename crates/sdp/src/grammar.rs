//! The smallest rules of the grammar (RFC 8866 §9), shared by all values.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use std::borrow::Cow;

/// Where a rule failed: the input from there on, and what it wanted to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure<'a> {
    pub(crate) rest: &'a str,
    pub(crate) expected: &'static str,
}

/// Refuses at `rest`.
pub(crate) fn fail<'a, T>(rest: &'a str, expected: &'static str) -> Result<T, Failure<'a>> {
    Err(Failure { rest, expected })
}

/// Runs `rule` over the whole of `input`. A rule reads from the front, and gives back what is left and what it read.
pub(crate) fn whole<'a, T>(
    rule: impl FnOnce(&'a str) -> Result<(&'a str, T), Failure<'a>>,
    input: &'a str,
) -> Result<T, Failure<'a>> {
    match rule(input)? {
        ("", value) => Ok(value),
        (rest, _) => fail(rest, "end of line"),
    }
}

/// One or more characters whose bytes satisfy `set`. It takes all bytes beyond ASCII or none, so that it never ends
/// within a character.
pub(crate) fn run<'a>(
    input: &'a str,
    set: impl Fn(u8) -> bool,
    expected: &'static str,
) -> Result<(&'a str, &'a str), Failure<'a>> {
    let length = input.bytes().position(|byte| !set(byte)).unwrap_or(input.len());
    match input.split_at_checked(length) {
        Some((word, rest)) if !word.is_empty() => Ok((rest, word)),
        Some(_) | None => fail(input, expected),
    }
}

/// The text before the first `separator`, which is ASCII, and the text after it. For separators that are near: a
/// search that looks at many bytes at once takes longer to begin.
pub(crate) fn split_near(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == separator)?;
    Some((text.get(..at)?, text.get(at.saturating_add(1)..)?))
}

/// `token` (RFC 8866 §9).
pub(crate) fn token<'a>(input: &'a str, expected: &'static str) -> Result<(&'a str, &'a str), Failure<'a>> {
    run(input, is_token_char, expected)
}

/// `non-ws-string` (RFC 8866 §9).
pub(crate) fn word<'a>(input: &'a str, expected: &'static str) -> Result<(&'a str, &'a str), Failure<'a>> {
    run(input, is_visible, expected)
}

/// A word made of `set` with a length in `length`.
pub(crate) fn sized<'a>(
    input: &'a str,
    length: std::ops::RangeInclusive<usize>,
    set: impl Fn(u8) -> bool,
    expected: &'static str,
) -> Result<(&'a str, &'a str), Failure<'a>> {
    let (rest, word) = run(input, set, expected)?;
    if length.contains(&word.len()) { Ok((rest, word)) } else { fail(input, expected) }
}

/// One or more characters up to the end of the line.
pub(crate) fn text<'a>(input: &'a str, expected: &'static str) -> Result<(&'a str, &'a str), Failure<'a>> {
    if input.is_empty() { fail(input, expected) } else { Ok(("", input)) }
}

/// One space.
pub(crate) fn space(input: &str) -> Result<(&str, ()), Failure<'_>> {
    match input.strip_prefix(' ') {
        Some(rest) => Ok((rest, ())),
        None => fail(input, "a space"),
    }
}

/// Exactly `literal`.
pub(crate) fn literal<'a>(
    input: &'a str,
    literal: &str,
    expected: &'static str,
) -> Result<(&'a str, ()), Failure<'a>> {
    match input.strip_prefix(literal) {
        Some(rest) => Ok((rest, ())),
        None => fail(input, expected),
    }
}

/// A decimal number that fits `T` and has no leading zero.
pub(crate) fn number<'a, T: TryFrom<u64>>(
    input: &'a str,
    expected: &'static str,
) -> Result<(&'a str, T), Failure<'a>> {
    let (rest, digits) = digits(input, expected)?;
    if digits.len() > 1 && digits.starts_with('0') {
        return fail(input, "a number without a leading zero");
    }
    let value = digits.bytes().try_fold(0_u64, |value, digit| {
        value.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    });
    match value.and_then(|value| T::try_from(value).ok()) {
        Some(number) => Ok((rest, number)),
        None => fail(input, expected),
    }
}

/// `1*DIGIT`, of any length.
pub(crate) fn digits<'a>(input: &'a str, expected: &'static str) -> Result<(&'a str, &'a str), Failure<'a>> {
    run(input, |byte| byte.is_ascii_digit(), expected)
}

/// What a rule took from the front of `input`, when it left `rest`.
pub(crate) fn taken<'a>(input: &'a str, rest: &str) -> &'a str {
    input.get(..input.len().saturating_sub(rest.len())).unwrap_or(input)
}

/// A text to be kept: one of `known` without allocating, any other as a copy.
pub(crate) fn kept(text: &str, known: &[&'static str]) -> Cow<'static, str> {
    match known.iter().find(|word| **word == text) {
        Some(word) => Cow::Borrowed(word),
        None => Cow::Owned(text.to_owned()),
    }
}

/// Most items of a list within one value, so that a line cannot cost more than it should.
const MAX_ITEMS: usize = 1_024;

/// Appends to a list within a value, up to its bound.
pub(crate) fn push<'a, T>(items: &mut Vec<T>, item: T, rest: &'a str) -> Result<(&'a str, ()), Failure<'a>> {
    if items.len() == MAX_ITEMS {
        return fail(rest, "at most 1024 items");
    }
    items.push(item);
    Ok((rest, ()))
}

/// `item` separated by single spaces, once or more.
pub(crate) fn spaced<'a, T>(
    input: &'a str,
    item: impl Fn(&'a str) -> Result<(&'a str, T), Failure<'a>>,
) -> Result<(&'a str, Vec<T>), Failure<'a>> {
    let (mut rest, first) = item(input)?;
    let spaces = rest.bytes().filter(|byte| *byte == b' ').count();
    let mut items = Vec::with_capacity(spaces.saturating_add(1).min(MAX_ITEMS));
    items.push(first);
    while !rest.is_empty() {
        let (after_space, ()) = space(rest)?;
        let (after_item, next) = item(after_space)?;
        (rest, ()) = push(&mut items, next, after_item)?;
    }
    Ok((rest, items))
}

pub(crate) fn is_token_char(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'~')
}

pub(crate) fn is_visible(byte: u8) -> bool {
    !byte.is_ascii() || byte.is_ascii_graphic()
}

/// `ice-char` (RFC 8839 §5.1).
pub(crate) fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_characters_are_those_of_the_grammar() {
        let set: String = (0_u8..=255).filter(|byte| is_token_char(*byte)).map(char::from).collect();
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
