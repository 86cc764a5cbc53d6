//! What the parser says about a text it refuses.

use std::fmt;

/// Where a text stopped being SDP, and what should have stood there.
///
/// Never holds bytes of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: u32,
    /// The byte within the line, counted from 1.
    pub column: u32,
    /// What was expected there, as words for a person.
    pub expected: &'static str,
}

impl ParseError {
    pub(crate) fn new(line: u32, column: usize, expected: &'static str) -> Self {
        Self { line, column: u32::try_from(column).unwrap_or(u32::MAX), expected }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: expected {}", self.line, self.column, self.expected)
    }
}

impl std::error::Error for ParseError {}
