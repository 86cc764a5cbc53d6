#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod config;
mod error;
mod header;
mod index;
mod kdf;
mod key;
mod profile;
mod protect;
mod replay;
mod stats;
mod streams;
mod suite;
mod unprotect;

pub use config::{Config, UnencryptedRtcp};
pub use error::{PositionError, ProtectError, SetupError, UnprotectError};
pub use header::Ssrc;
pub use index::Position;
pub use key::{KeyingMaterial, MasterKey};
pub use profile::Profile;
pub use protect::Protector;
pub use stats::{ProtectorStats, UnprotectorStats};
pub use unprotect::Unprotector;
