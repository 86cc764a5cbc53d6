//! From the shared secret to everything derived from it.

pub(crate) mod exporter;
pub(crate) mod prf;
pub(crate) mod schedule;
