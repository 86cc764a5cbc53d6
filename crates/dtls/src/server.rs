//! The server's side of handshakes.

pub(crate) mod v12;
