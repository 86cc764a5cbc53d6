#![doc = include_str!("../README.md")]

pub mod attr;
pub mod client;
#[cfg(feature = "server")]
pub mod server;

mod channel;
mod log;

pub use attr::Family;
pub use channel::{ChannelData, ChannelNumber};
pub use client::{Client, ClientConfig};
#[cfg(feature = "server")]
pub use server::{Server, ServerConfig};
pub use stun::net::{FiveTuple, Transmit, Transport};
