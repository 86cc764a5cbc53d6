//! The receiving half: which TSNs arrived, what is not yet whole, and what waits to be pulled.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod coalescing;
mod inbound;
mod interleaved;
mod pieces;
mod reassembly;
mod receiver;
mod tracker;
mod window;

pub(crate) use receiver::{Arrival, Receiver, ReceiverSnapshot, TooMuch};
