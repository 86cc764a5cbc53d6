#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod build;
mod error;
mod extension;
pub mod ntp;
mod numbers;
mod packet;
pub mod rtcp;
pub mod rtx;

pub use build::{ExtensionForm, PacketBuilder};
pub use error::{ExtensionError, ParseError};
pub use extension::{
    AbsCaptureTime, AbsSendTime, AudioLevel, CsrcAudioLevels, Elements, ExtensionBlock, ExtensionId,
    ExtensionKind, ExtensionMap, ExtensionValue, Extensions, Mid, PlayoutDelay, RepairedRid, Rid, Rotation,
    TransmissionOffset, TransportSequence, VideoOrientation, VoiceActivity,
};
pub use numbers::{PayloadType, SequenceNumber, Ssrc, Timestamp};
pub use packet::{Header, HeaderView, Packet, is_rtcp};
