#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod attr;
pub mod client;
#[cfg(feature = "server")]
pub mod server;

mod channel;
mod log;
mod uri;

pub use attr::Family;
pub use channel::{ChannelData, ChannelNumber};
pub use client::{Client, ClientConfig};
#[cfg(feature = "server")]
pub use server::{Server, ServerConfig};
pub use stun::net::{FiveTuple, Transmit, Transport};
pub use uri::TurnUri;
