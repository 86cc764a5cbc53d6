#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

#[cfg(test)]
extern crate self as dtls;

mod alert;
mod certificate;
mod client;
mod config;
mod connection;
mod cookie;
mod error;
mod event;
mod extension;
mod flight;
mod handshake;
mod keys;
mod log;
mod message;
mod record;
mod registry;
mod server;
mod stats;

pub use alert::{Alert, AlertDescription, AlertLevel};
pub use certificate::fingerprint::{Fingerprint, FingerprintError};
pub use certificate::generate::CertificateOptions;
pub use certificate::{Certificate, CertificateError};
pub use config::{Config, CookiePolicy, CookieSecret, SrtpPolicy};
pub use connection::{Connection, Role, State};
pub use error::ExportError;
pub use event::{CloseReason, Event, Violation};
pub use registry::{CipherSuite, ProtocolVersion, SrtpProfile};
pub use stats::Stats;
