//! Mistakes of the caller.

use std::fmt;

/// Why [`Agent::add_remote_candidate`](crate::Agent::add_remote_candidate) refused a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddCandidateError {
    /// The peer said before that it has no more (RFC 8838 §14).
    AfterEnd,
    /// The agent is closed.
    Closed,
    /// There are as many as the configuration allows.
    LimitReached {
        /// The limit.
        limit: usize,
    },
    /// Its username fragment is not that of the peer's current generation.
    UnknownUfrag,
}

impl fmt::Display for AddCandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterEnd => f.write_str("the peer has already said that it has no more candidates"),
            Self::Closed => f.write_str("the agent is closed"),
            Self::LimitReached { limit } => write!(f, "there are already {limit} remote candidates"),
            Self::UnknownUfrag => f.write_str("the candidate belongs to another generation"),
        }
    }
}

impl std::error::Error for AddCandidateError {}
