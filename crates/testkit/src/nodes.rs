//! Servers for a [`World`](crate::World).

mod stun;
mod turn;

pub use self::{stun::StunServer, turn::TurnServer};
