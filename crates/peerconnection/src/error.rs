//! The error of the connection's commands: the W3C exception names, with a sentence that says what to do.

use std::{error, fmt};

/// The W3C name of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The object, or a description in this place, is not acceptable.
    InvalidAccessError,
    /// Something that may not change was changed.
    InvalidModificationError,
    /// The connection is not in a state in which this is possible; closed, for example.
    InvalidStateError,
    /// This version cannot do what was asked.
    NotSupportedError,
    /// The operation failed for a reason of its own.
    OperationError,
    /// A number lies outside its range.
    RangeError,
    /// Text does not follow its grammar.
    SyntaxError,
    /// An argument is of the wrong kind or too large.
    TypeError,
}

impl ErrorKind {
    /// The W3C name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidAccessError => "InvalidAccessError",
            Self::InvalidModificationError => "InvalidModificationError",
            Self::InvalidStateError => "InvalidStateError",
            Self::NotSupportedError => "NotSupportedError",
            Self::OperationError => "OperationError",
            Self::RangeError => "RangeError",
            Self::SyntaxError => "SyntaxError",
            Self::TypeError => "TypeError",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a command was refused. The connection is as it was before the command.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    context: String,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `context` is a sentence for people.
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// The same with the error that lies behind it.
    #[must_use]
    pub fn with_source(self, source: impl error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..self }
    }

    /// What kind of error this is; programs decide by this.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The sentence for people.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The one error of every command on a closed connection.
    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::InvalidStateError, "the connection is closed")
    }
}

/// Two errors are equal when their kinds are; sentences are for people.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.context)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn error::Error + 'static))
    }
}
