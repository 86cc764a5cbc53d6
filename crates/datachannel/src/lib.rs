#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod channel;
mod channels;
mod config;
mod dcep;
mod error;
mod event;
mod handover;
mod ids;
mod init;
mod payload;
mod slab;
mod stats;
mod trace;

pub use channel::ChannelState;
pub use channels::Channels;
pub use config::{Config, ConfigError};
pub use error::{OpenError, SendError, SendPieceError};
pub use event::{AssociationEnd, ChannelEnd, Event};
pub use handover::{Handover, HandoverError};
pub use ids::{ChannelId, Role};
pub use init::{ChannelInit, Order, Priority, Reliability};
pub use payload::{Kind, Payload, Piece, SendOptions};
#[cfg(feature = "snap")]
pub use sctp::RemoteInit;
/// Messages and turns: what SCTP says of streams holds for channels.
pub use sctp::{AbandonError, Delivery, End, Interleaving, MessageId, Progress, Scheduler};
/// Congestion control: see [`Config::with_congestion_control`].
pub use sctp::{
    Acknowledged, CongestionControl, CongestionControlFactory, Cubic, Loss, NewPath, NewReno, Scavenger,
};
/// The path below: see [`Channels::set_path`].
pub use sctp::{Fragmentation, PathInfo};
/// Why bytes are no handover, and why there is no room for one.
pub use sctp::{HandoverParseError, ResumeError};
pub use slab::ChannelKey;
pub use stats::Stats;
