#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod attribute;
mod base64;
mod description;
mod error;
mod grammar;
mod line;
mod media;
mod print;

pub use attribute::{
    Attribute, Candidate, Direction, Extmap, FeedbackTarget, Fingerprint, Fmtp, Group, Msid, PacketTime,
    PayloadType, Rid, RidDirection, Rtcp, RtcpFb, Rtpmap, Sctpmap, Setup, Simulcast, SimulcastId,
    SimulcastList, Ssrc, SsrcGroup,
};
pub use description::{Bandwidth, Connection, Description, Origin, Time};
pub use error::ParseError;
pub use line::{MAX_BYTES, MAX_LINES, MAX_MEDIA};
pub use media::{MediaDescription, MediaKind};
