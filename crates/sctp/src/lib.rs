#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod association;
mod cause;
mod chunk;
mod config;
mod cookie;
mod error;
mod event;
mod packet;
mod procedure;
mod rx;
mod state;
mod stats;
mod tlv;
mod trace;
mod tx;
mod types;

pub use association::Association;
pub use config::{Config, Interleaving, Scheduler};
pub use error::{AbandonError, ConfigError, ResetError, SendError, SendPieceError};
pub use event::{CloseReason, Direction, Event, Progress, ResetOutcome, Violation};
pub use state::Timer;
pub use stats::Stats;
pub use types::{Delivery, End, Message, MessageId, Order, Piece, Ppid, Reliability, SendOptions, StreamId};
