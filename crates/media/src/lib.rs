#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod clock;
mod codec;
mod config;
mod congestion;
#[cfg(feature = "containers")]
pub mod container;
mod demux;
mod engine;
mod error;
mod event;
mod frame;
mod ids;
mod keyframe;
mod log;
pub mod payload;
mod recv;
mod send;
mod stats;

pub use rtp::ntp::WallClock;

pub use codec::{Codec, H264Mode, MediaKind};
pub use config::{
    Config, Delivery, FeedbackKinds, Payload, ReceiveStreamConfig, RtcpForm, Rtx, SendStreamConfig,
};
pub use congestion::{CongestionController, FeedbackSummary, PacketResult, SentPacket};
pub use engine::Engine;
pub use error::{SendFrameError, SendPacketError};
pub use event::Event;
pub use frame::{EncodedFrame, FrameKind, Gap, MediaTime, PacketToSend, ReceivedFrame, ReceivedPacket};
pub use ids::{ReceiverId, SenderId};
pub use stats::{EngineStats, ReceiverStats, RemoteStats, SenderStats};
