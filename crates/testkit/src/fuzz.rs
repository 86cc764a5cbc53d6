//! What fuzz targets are made of. `docs/fuzzing.md` explains how they are run.
//!
//! A target is a plain function over bytes. The fuzzer calls it with whatever it makes up, and a plain test calls it
//! with every input that is kept in the repository ([`replay`], [`fuzz_tests!`](crate::fuzz_tests)).

mod input;
mod lone;
mod mend;
mod null_crypto;
mod places;
mod replay;
mod sequence;
mod text;

pub use input::Input;
pub use lone::Lone;
pub use mend::{Mended, mend_sctp, mend_stun};
pub use null_crypto::null_crypto;
pub use places::reached;
pub(crate) use places::reached_event;
pub use replay::replay;
pub use sequence::{Bounds, sequence};
pub use text::edit_lines;
