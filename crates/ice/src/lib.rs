#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

#[macro_use]
mod log;

mod agent;
mod candidate;
mod check;
mod checklist;
mod config;
mod consent;
mod credentials;
mod error;
mod event;
mod gather;
mod generation;
#[cfg(feature = "mdns")]
pub mod mdns;
mod random;
mod stats;

pub use agent::{Agent, Received, SelectedPair, SendErrorKind, Timer};
pub use candidate::{
    Candidate, CandidateAddress, CandidateKind, CandidateTransport, Foundation, ParseCandidateError,
    Priority, TcpType,
};
pub use config::{
    Config, HostAddresses, IceServer, Implementation, InterfaceKind, Loopback, Role, ServerError, ServerUrl,
    TransportPolicy,
};
pub use credentials::{Credentials, CredentialsError};
pub use error::AddCandidateError;
pub use event::{ConnectionState, Event, GatherFailure, GatheringState};
pub use gather::LocalAddress;
pub use stats::{CandidatePairState, Counters, PairCounters, PairStats, Stats};
pub use stun::{net, uri};
pub use turn::TurnUri;
