#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod association;
mod cause;
mod chunk;
mod config;
mod cookie;
mod error;
mod event;
mod handover;
mod packet;
mod path;
mod pmtu;
mod procedure;
mod rx;
mod state;
mod stats;
mod tlv;
mod trace;
mod tx;
mod types;
#[cfg(test)]
mod wrap_tests;

// The harness of the tests in `tests/` calls the crate by its name.
#[cfg(test)]
extern crate self as sctp;

pub use association::Association;
pub use config::{Config, ErrorDetection, Interleaving, Scheduler};
pub use error::{AbandonError, AddStreamsError, ConfigError, ResetError, SendError, SendPieceError};
#[cfg(feature = "snap")]
pub use error::{InitError, SnapError};
pub use event::{CloseReason, Direction, Event, Progress, ResetOutcome, Violation};
pub use handover::{Handover, HandoverError, HandoverParseError, ResumeError};
pub use path::{Fragmentation, PathInfo};
#[cfg(feature = "snap")]
pub use procedure::snap::RemoteInit;
pub use state::Timer;
pub use stats::Stats;
pub use tx::congestion::{
    Acknowledged, CongestionControl, CongestionControlFactory, Cubic, Loss, NewPath, NewReno, Scavenger,
};
pub use types::{Delivery, End, Message, MessageId, Order, Piece, Ppid, Reliability, SendOptions, StreamId};
