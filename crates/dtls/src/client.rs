//! The client's side of handshakes.

pub(crate) mod v12;
