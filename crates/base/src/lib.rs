#![doc = include_str!("../README.md")]

mod backoff;
mod put;
mod reader;
mod replay;
mod rtt;
mod serial;
mod timers;

pub use backoff::Backoff;
pub use put::{LengthPrefix, PutExt};
pub use reader::{Reader, Truncated};
pub use replay::ReplayWindow;
pub use rtt::RttEstimator;
pub use serial::{Extender16, Serial16, Serial32, extend_u16};
pub use timers::TimerTable;
