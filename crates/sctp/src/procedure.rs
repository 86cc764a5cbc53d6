//! What an association does, one procedure each. All are methods of [`Association`](crate::Association).

pub(crate) mod abort;
pub(crate) mod connect;
pub(crate) mod cookie_echo;
pub(crate) mod data;
pub(crate) mod heartbeat;
pub(crate) mod path_mtu;
pub(crate) mod reset;
pub(crate) mod shutdown;
pub(crate) mod transmit;
