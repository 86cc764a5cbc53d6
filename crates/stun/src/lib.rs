#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod attr;
pub mod auth;
pub mod net;
pub mod uri;

mod attrs;
mod builder;
mod fingerprint;
mod header;
mod integrity;
mod message;
mod transaction;

pub use attr::{Attribute, AttributeError, AttributeType};
pub use attrs::{Attributes, RawAttribute};
pub use builder::{BuildError, Builder};
pub use header::{Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId, is_stun, message_len};
pub use integrity::{Integrity, IntegrityError, IntegrityKey};
pub use message::{FingerprintError, Message, ParseError};
pub use transaction::{Failure, Step, Transaction, TransactionConfig};
