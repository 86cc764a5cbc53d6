//! The scanner: a text as numbered lines, each a letter and a value.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crate::{ParseError, grammar::Failure};

/// Longest text that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// Most lines that are read.
pub const MAX_LINES: u32 = 20_000;

/// Most media descriptions that are read.
pub const MAX_MEDIA: usize = 1_024;

/// One line: `letter=content`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    number: u32,
    letter: u8,
    pub(crate) content: &'a str,
}

impl<'a> Line<'a> {
    /// Runs `rule` on the content, and tells where it failed.
    pub(crate) fn read<T>(
        self,
        rule: impl FnOnce(&'a str) -> Result<T, Failure<'a>>,
    ) -> Result<T, ParseError> {
        rule(self.content).map_err(|failure| {
            let column = self.content.len().saturating_sub(failure.rest.len()).saturating_add(3);
            ParseError::new(self.number, column, failure.expected)
        })
    }

    /// An error about the line as a whole.
    pub(crate) fn refuse(self, expected: &'static str) -> ParseError {
        ParseError::new(self.number, 1, expected)
    }
}

/// Gives the lines of a text one after another, with one line of lookahead.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a str,
    /// No line needs to be searched for bytes that it may not have.
    is_clean: bool,
    number: u32,
    next: Option<Line<'a>>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Result<Self, ParseError> {
        if text.len() > MAX_BYTES {
            return Err(ParseError::new(1, 1, "a text of at most 1048576 bytes"));
        }
        // Empty lines at the end come from copying and pasting, they mean nothing.
        let rest = text.trim_end_matches(['\r', '\n']);
        let mut scanner = Self { rest, is_clean: is_clean(rest.as_bytes()), number: 0, next: None };
        scanner.advance()?;
        Ok(scanner)
    }

    /// Takes the next line if it starts with `letter`.
    pub(crate) fn take(&mut self, letter: u8) -> Result<Option<Line<'a>>, ParseError> {
        match self.next {
            Some(line) if line.letter == letter => {
                self.advance()?;
                Ok(Some(line))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Takes the next line, which has to start with `letter`.
    pub(crate) fn need(&mut self, letter: u8, expected: &'static str) -> Result<Line<'a>, ParseError> {
        self.take(letter)?.ok_or_else(|| self.refuse(expected))
    }

    /// An error about the next line, or about the end of the text.
    pub(crate) fn refuse(&self, expected: &'static str) -> ParseError {
        match self.next {
            Some(line) => line.refuse(expected),
            None => ParseError::new(self.number.saturating_add(1), 1, expected),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.next.is_none()
    }

    fn advance(&mut self) -> Result<(), ParseError> {
        if self.rest.is_empty() {
            self.next = None;
            return Ok(());
        }
        let (line, rest) = match line_feed(self.rest.as_bytes()) {
            Some(at) => (self.rest.get(..at), self.rest.get(at.saturating_add(1)..)),
            None => (Some(self.rest), None),
        };
        self.rest = rest.unwrap_or_default();
        let mut line = line.unwrap_or_default();
        while let Some(shorter) = line.strip_suffix('\r') {
            line = shorter;
        }
        self.number = self.number.saturating_add(1);
        if self.number > MAX_LINES {
            return Err(ParseError::new(self.number, 1, "at most 20000 lines"));
        }
        if !self.is_clean
            && let Some(at) = line.bytes().position(|byte| byte == 0 || byte == b'\r')
        {
            return Err(ParseError::new(self.number, at.saturating_add(1), "no NUL and no CR within a line"));
        }
        let (&[letter, b'=', ..], Some(content)) = (line.as_bytes(), line.get(2..)) else {
            return Err(ParseError::new(self.number, 1, "a letter and an equals sign"));
        };
        self.next = Some(Line { number: self.number, letter, content });
        Ok(())
    }
}

/// Whether there is no NUL, and no CR but in front of a LF. It looks at all bytes alike, which processors do fast, so
/// that the lines of a good text need not be looked at one by one.
fn is_clean(text: &[u8]) -> bool {
    let pairs = text.iter().zip(text.get(1..).unwrap_or_default());
    let found =
        pairs.fold(false, |found, (byte, next)| found | (*byte == 0) | ((*byte == b'\r') & (*next != b'\n')));
    !found && !matches!(text.last(), Some(0 | b'\r'))
}

/// Where the first LF is, eight bytes at a time.
fn line_feed(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    const PATTERN: u64 = 0x0a0a_0a0a_0a0a_0a0a;
    let (words, tail) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let differs = u64::from_le_bytes(*word) ^ PATTERN;
        // The highest bit of each byte that is zero, the lowest of them for sure: borrows only go up from it.
        let zeros = differs.wrapping_sub(ONES) & !differs & HIGH;
        if zeros != 0 {
            return Some(index.saturating_mul(8).saturating_add(zeros.trailing_zeros() as usize / 8));
        }
    }
    let at = tail.iter().position(|byte| *byte == b'\n')?;
    Some(words.len().saturating_mul(8).saturating_add(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Line by line, byte by byte.
    fn simple(text: &str) -> Result<Vec<(u8, &str)>, ParseError> {
        let text = text.trim_end_matches(['\r', '\n']);
        let lines = if text.is_empty() { None } else { Some(text.split('\n')) };
        let lines = lines.into_iter().flatten().zip(1..).map(|(line, number)| {
            let line = line.trim_end_matches('\r');
            if let Some(at) = line.find(['\0', '\r']) {
                return Err(ParseError::new(number, at + 1, "no NUL and no CR within a line"));
            }
            let mut rest = line.chars();
            match (rest.next(), rest.next()) {
                (Some(letter), Some('=')) if letter.is_ascii() => Ok((letter as u8, rest.as_str())),
                _ => Err(ParseError::new(number, 1, "a letter and an equals sign")),
            }
        });
        lines.collect()
    }

    fn scanned(text: &str) -> Result<Vec<(u8, &str)>, ParseError> {
        let mut scanner = Scanner::new(text)?;
        let mut lines = Vec::new();
        while let Some(Line { letter, content, .. }) = scanner.next {
            lines.push((letter, content));
            scanner.advance()?;
        }
        Ok(lines)
    }

    proptest! {
        #[test]
        fn lines_are_those_of_a_simple_reader(
            text in "([a-z]=[a-zé\0\r]{0,30}\r?\n|[a-c=é\r\n\0]{0,4}|[a-z]=[ -~]{0,40}\r?\n){0,9}",
            good in "([a-z]=[ -~éĊ]{0,40}\r{0,2}\n){0,9}",
        ) {
            prop_assert_eq!(scanned(&text), simple(&text));
            prop_assert_eq!(scanned(&good), simple(&good));
        }

        #[test]
        fn line_feeds_are_found(bytes in prop::collection::vec(prop_oneof![8..13_u8, any::<u8>()], 0..70)) {
            prop_assert_eq!(line_feed(&bytes), bytes.iter().position(|byte| *byte == b'\n'));
        }
    }
}
