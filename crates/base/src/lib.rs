#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod backoff;
mod count;
mod put;
mod reader;
mod replay;
mod rtt;
mod serial;
mod timers;

pub use backoff::Backoff;
pub use count::{count, padding};
pub use put::{LengthPrefix, PutExt};
pub use reader::{Reader, Truncated};
pub use replay::ReplayWindow;
pub use rtt::RttEstimator;
pub use serial::{Extender16, Serial16, Serial32, extend_u16};
pub use timers::TimerTable;
