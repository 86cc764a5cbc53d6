#![doc = include_str!("../README.md")]

pub mod attr;
pub mod client;

mod channel;
mod log;

pub use attr::Family;
pub use channel::{ChannelData, ChannelNumber};
pub use client::{Client, ClientConfig};
pub use stun::net::{FiveTuple, Transmit, Transport};
