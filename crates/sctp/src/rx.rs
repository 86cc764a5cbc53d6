//! The receiving half: which TSNs arrived, what is not yet whole, and what waits to be pulled.

mod inbound;
mod reassembly;
mod receiver;
mod tracker;

pub(crate) use receiver::{Arrival, Receiver};
