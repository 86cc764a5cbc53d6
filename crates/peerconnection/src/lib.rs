#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod config;
mod data_channel;
mod demux;
mod description;
mod error;
mod event;
mod ice_candidate;
mod ice_server;
mod jsep;
mod session;
mod state;
mod stats;
#[cfg(feature = "tokio")]
pub mod tokio;
#[cfg(feature = "tokio")]
mod trace;
mod transceiver;

#[cfg(feature = "snap")]
pub use config::SctpSetup;
pub use config::{Configuration, DtlsSetup, HostAddresses, IceTransportPolicy, MediaDelivery};
pub use data_channel::{ChannelKey, DataChannelEnd, DataChannelInit, DataChannelPriority, DataChannelState};
pub use description::{Description, SdpType, SignalingState};
pub use error::{Error, ErrorKind};
pub use event::{AnnouncedChannel, IceCandidateError, SelectedCandidatePair, SessionEvent};
pub use ice_candidate::IceCandidateInit;
pub use ice_server::{IceServer, ResolvedServer};
pub use jsep::{AnswerOptions, OfferOptions};
pub use session::{Datagram, Descriptions, DropCounters, SendMediaError, Session};
pub use state::{DtlsTransportState, IceConnectionState, IceGatheringState, PeerConnectionState};
pub use stats::{InboundStats, OutboundStats, StatsReport, TransportStats};
pub use transceiver::{Direction, MediaKind, TransceiverId, TransceiverInit, TransceiverSnapshot};

/// The crates whose types appear in this one's API.
pub use {::bytes, ::crypto, ::datachannel, ::dtls, ::ice, ::media, ::rtp, ::srtp, ::stun, ::turn};
