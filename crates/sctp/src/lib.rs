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

pub use association::Association;
pub use config::{Config, ErrorDetection};
pub use error::{AddStreamsError, ConfigError, ResetError, SendError};
pub use event::{CloseReason, Direction, Event, ResetOutcome, Violation};
pub use path::{Fragmentation, PathInfo};
pub use state::Timer;
pub use stats::Stats;
pub use types::{Message, Order, Ppid, Reliability, SendOptions, StreamId};
