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
pub use config::Config;
pub use error::{ConfigError, ResetError, SendError};
pub use event::{CloseReason, Direction, Event, ResetOutcome, Violation};
pub use state::Timer;
pub use stats::Stats;
pub use tx::congestion::{
    Acknowledged, CongestionControl, CongestionControlFactory, Cubic, Loss, NewPath, NewReno, Scavenger,
};
pub use types::{Message, Order, Ppid, Reliability, SendOptions, StreamId};
