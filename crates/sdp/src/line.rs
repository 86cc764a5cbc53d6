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
    number: u32,
    next: Option<Line<'a>>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Result<Self, ParseError> {
        if text.len() > MAX_BYTES {
            return Err(ParseError::new(1, 1, "a text of at most 1048576 bytes"));
        }
        // Empty lines at the end come from copying and pasting, they mean nothing.
        let mut scanner = Self { rest: text.trim_end_matches(['\r', '\n']), number: 0, next: None };
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
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        let line = line.trim_end_matches('\r');
        self.rest = rest;
        self.number = self.number.saturating_add(1);
        if self.number > MAX_LINES {
            return Err(ParseError::new(self.number, 1, "at most 20000 lines"));
        }
        if let Some(at) = line.bytes().position(|byte| byte == 0 || byte == b'\r') {
            return Err(ParseError::new(self.number, at.saturating_add(1), "no NUL and no CR within a line"));
        }
        let (Some(&letter), Some(content)) =
            (line.as_bytes().first(), line.get(1..).and_then(|rest| rest.strip_prefix('=')))
        else {
            return Err(ParseError::new(self.number, 1, "a letter and an equals sign"));
        };
        self.next = Some(Line { number: self.number, letter, content });
        Ok(())
    }
}
