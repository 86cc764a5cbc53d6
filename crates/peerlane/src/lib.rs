#![doc = include_str!("../README.md")]

#[doc(inline)]
pub use peerconnection::*;

#[cfg(feature = "tokio")]
#[doc(inline)]
pub use peerconnection::tokio::*;

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The protocol crates that appear in no signature above.
pub use {sctp, sdp};

/// The program in the README of the repository is compiled too.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadme;
