//! The outgoing half: streams, what they may send again, and how packets are written.

mod extensions;
mod history;
mod rate;
mod stream;

pub(crate) use history::SentHistory;
pub(crate) use rate::Budget;
pub(crate) use stream::{SendStream, Turn};
