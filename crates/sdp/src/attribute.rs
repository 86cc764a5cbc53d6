//! `a=` lines: the ones WebRTC uses as types, all others as text.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod candidate;
mod direction;
mod extmap;
mod fingerprint;
mod fmtp;
mod group;
mod ice;
mod msid;
mod ptime;
mod rid;
mod rtcp;
mod rtcp_fb;
mod rtpmap;
mod sctp;
mod setup;
mod simulcast;
mod ssrc;

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use crate::{
    ParseError, base64,
    grammar::{Failure, fail, number, sized, split_near, token, whole},
};

pub use candidate::Candidate;
pub use direction::Direction;
pub use extmap::Extmap;
pub use fingerprint::Fingerprint;
pub use fmtp::Fmtp;
pub use group::Group;
pub use msid::Msid;
pub use ptime::PacketTime;
pub use rid::{Rid, RidDirection};
pub use rtcp::Rtcp;
pub use rtcp_fb::{FeedbackTarget, RtcpFb};
pub use rtpmap::{PayloadType, Rtpmap};
pub use sctp::Sctpmap;
pub use setup::Setup;
pub use simulcast::{Simulcast, SimulcastId, SimulcastList};
pub use ssrc::{Ssrc, SsrcGroup};

/// An attribute (RFC 8866 §5.13 and §6, and the RFCs named below).
///
/// `Display` and `FromStr` work on the text after `a=`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attribute {
    /// `bundle-only`: has no address of its own (RFC 9143 §6).
    BundleOnly,
    /// `candidate` (RFC 8839 §5.1). Boxed, since the others are half its size.
    Candidate(Box<Candidate>),
    /// `inactive`, `recvonly`, `sendonly` or `sendrecv` (RFC 8866 §6.7).
    Direction(Direction),
    /// `end-of-candidates` (RFC 8840 §8.2).
    EndOfCandidates,
    /// `extmap` (RFC 8285 §8).
    Extmap(Extmap),
    /// `extmap-allow-mixed`: one-byte and two-byte header extensions in one stream (RFC 8285 §6).
    ExtmapAllowMixed,
    /// `fingerprint` (RFC 8122 §5).
    Fingerprint(Fingerprint),
    /// `fmtp` (RFC 8866 §6.15).
    Fmtp(Fmtp),
    /// `group` (RFC 5888 §5).
    Group(Group),
    /// `ice-lite` (RFC 8839 §5.3).
    IceLite,
    /// `ice-options` (RFC 8839 §5.6).
    IceOptions(Vec<String>),
    /// `ice-pwd` (RFC 8839 §5.4).
    IcePwd(String),
    /// `ice-ufrag` (RFC 8839 §5.4).
    IceUfrag(String),
    /// `max-message-size` in bytes, 0 for any (RFC 8841 §6).
    MaxMessageSize(u64),
    /// `maxptime` (RFC 8866 §6.5).
    Maxptime(PacketTime),
    /// `mid` (RFC 5888 §4).
    Mid(String),
    /// `msid` (RFC 8830 §2).
    Msid(Msid),
    /// `msid-semantic`: of a draft that never became an RFC, kept as text.
    MsidSemantic(String),
    /// `ptime` (RFC 8866 §6.4).
    Ptime(PacketTime),
    /// `rid` (RFC 8851 §4).
    Rid(Rid),
    /// `rtcp` (RFC 3605 §2.1).
    Rtcp(Rtcp),
    /// `rtcp-fb` (RFC 4585 §4.2).
    RtcpFb(RtcpFb),
    /// `rtcp-mux` (RFC 5761 §5.1.1).
    RtcpMux,
    /// `rtcp-mux-only` (RFC 8858 §3).
    RtcpMuxOnly,
    /// `rtcp-rsize` (RFC 5506 §5).
    RtcpRsize,
    /// `rtpmap` (RFC 8866 §6.6).
    Rtpmap(Rtpmap),
    /// `sctp-init`: a complete INIT chunk (draft-hancke-tsvwg-snap).
    SctpInit(Vec<u8>),
    /// `sctp-port`, 0 to close the association (RFC 8841 §5).
    SctpPort(u16),
    /// `sctpmap`: what drafts used before `sctp-port`.
    Sctpmap(Sctpmap),
    /// `setup` (RFC 4145 §4, RFC 8842 §5).
    Setup(Setup),
    /// `simulcast` (RFC 8853 §5.1).
    Simulcast(Simulcast),
    /// `ssrc` (RFC 5576 §4.1).
    Ssrc(Ssrc),
    /// `ssrc-group` (RFC 5576 §4.2).
    SsrcGroup(SsrcGroup),
    /// `tls-id` (RFC 8842 §4).
    TlsId(String),
    /// An attribute without a type here; prints back as it came.
    Unknown {
        /// The text before the first colon.
        name: String,
        /// The text after it, if there is a colon.
        value: Option<String>,
    },
}

impl Attribute {
    /// Reads the text after `a=`.
    pub(crate) fn read(content: &str) -> Result<Self, Failure<'_>> {
        let (name, value) = match split_near(content, b':') {
            Some((name, value)) => (name, Some(value)),
            None => (content, None),
        };
        if name.is_empty() {
            return fail(content, "an attribute name");
        }
        let Some(value) = value else {
            return match Self::flag(name) {
                Some(flag) => Ok(flag),
                None if is_valued(name) => fail("", "a colon and a value"),
                None => Ok(Self::Unknown { name: name.to_owned(), value: None }),
            };
        };
        // Most lines are about media.
        if let Some(attribute) = Self::read_media(name, value) {
            return attribute;
        }
        if let Some(attribute) = Self::read_transport(name, value) {
            return attribute;
        }
        if Self::flag(name).is_some() {
            return fail(content.get(name.len()..).unwrap_or(""), "end of line");
        }
        Ok(Self::Unknown { name: name.to_owned(), value: Some(value.to_owned()) })
    }

    fn flag(name: &str) -> Option<Self> {
        Some(match name {
            "bundle-only" => Self::BundleOnly,
            "end-of-candidates" => Self::EndOfCandidates,
            "extmap-allow-mixed" => Self::ExtmapAllowMixed,
            "ice-lite" => Self::IceLite,
            "inactive" => Self::Direction(Direction::Inactive),
            "recvonly" => Self::Direction(Direction::Recvonly),
            "rtcp-mux" => Self::RtcpMux,
            "rtcp-mux-only" => Self::RtcpMuxOnly,
            "rtcp-rsize" => Self::RtcpRsize,
            "sendonly" => Self::Direction(Direction::Sendonly),
            "sendrecv" => Self::Direction(Direction::Sendrecv),
            _ => return None,
        })
    }

    fn read_transport<'a>(name: &str, value: &'a str) -> Option<Result<Self, Failure<'a>>> {
        Some(match name {
            "candidate" => whole(Candidate::value, value).map(|line| Self::Candidate(Box::new(line))),
            "fingerprint" => whole(Fingerprint::value, value).map(Self::Fingerprint),
            "group" => whole(Group::parse, value).map(Self::Group),
            "ice-options" => whole(ice::options, value).map(Self::IceOptions),
            "ice-pwd" => whole(ice::pwd, value).map(Self::IcePwd),
            "ice-ufrag" => whole(ice::ufrag, value).map(Self::IceUfrag),
            "max-message-size" => {
                whole(|value| number(value, "a message size"), value).map(Self::MaxMessageSize)
            }
            "mid" => whole(|value| token(value, "an identification tag"), value)
                .map(|mid| Self::Mid(mid.to_owned())),
            "rtcp" => whole(Rtcp::parse, value).map(Self::Rtcp),
            "sctp-init" => whole(sctp_init, value).map(Self::SctpInit),
            "sctp-port" => whole(|value| number(value, "an SCTP port"), value).map(Self::SctpPort),
            "sctpmap" => whole(Sctpmap::parse, value).map(Self::Sctpmap),
            "setup" => whole(Setup::parse, value).map(Self::Setup),
            "tls-id" => whole(tls_id, value).map(|id| Self::TlsId(id.to_owned())),
            _ => return None,
        })
    }

    fn read_media<'a>(name: &str, value: &'a str) -> Option<Result<Self, Failure<'a>>> {
        Some(match name {
            "extmap" => whole(Extmap::parse, value).map(Self::Extmap),
            "fmtp" => whole(Fmtp::parse, value).map(Self::Fmtp),
            "maxptime" => whole(PacketTime::parse, value).map(Self::Maxptime),
            "msid" => whole(Msid::parse, value).map(Self::Msid),
            "msid-semantic" => Ok(Self::MsidSemantic(value.to_owned())),
            "ptime" => whole(PacketTime::parse, value).map(Self::Ptime),
            "rid" => whole(Rid::parse, value).map(Self::Rid),
            "rtcp-fb" => whole(RtcpFb::parse, value).map(Self::RtcpFb),
            "rtpmap" => whole(Rtpmap::parse, value).map(Self::Rtpmap),
            "simulcast" => whole(Simulcast::parse, value).map(Self::Simulcast),
            "ssrc" => whole(Ssrc::parse, value).map(Self::Ssrc),
            "ssrc-group" => whole(SsrcGroup::parse, value).map(Self::SsrcGroup),
            _ => return None,
        })
    }
}

impl FromStr for Attribute {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        one_line(text)?;
        Self::read(text).map_err(|failure| located(text, failure))
    }
}

impl Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BundleOnly => f.write_str("bundle-only"),
            Self::Candidate(candidate) => candidate.fmt(f),
            Self::Direction(direction) => direction.fmt(f),
            Self::EndOfCandidates => f.write_str("end-of-candidates"),
            Self::Extmap(extmap) => write!(f, "extmap:{extmap}"),
            Self::ExtmapAllowMixed => f.write_str("extmap-allow-mixed"),
            Self::Fingerprint(fingerprint) => write!(f, "fingerprint:{fingerprint}"),
            Self::Fmtp(fmtp) => write!(f, "fmtp:{fmtp}"),
            Self::Group(group) => write!(f, "group:{group}"),
            Self::IceLite => f.write_str("ice-lite"),
            Self::IceOptions(options) => write!(f, "ice-options:{}", Joined(options, " ")),
            Self::IcePwd(pwd) => write!(f, "ice-pwd:{pwd}"),
            Self::IceUfrag(ufrag) => write!(f, "ice-ufrag:{ufrag}"),
            Self::MaxMessageSize(size) => write!(f, "max-message-size:{size}"),
            Self::Maxptime(time) => write!(f, "maxptime:{time}"),
            Self::Mid(mid) => write!(f, "mid:{mid}"),
            Self::Msid(msid) => write!(f, "msid:{msid}"),
            Self::MsidSemantic(text) => write!(f, "msid-semantic:{text}"),
            Self::Ptime(time) => write!(f, "ptime:{time}"),
            Self::Rid(rid) => write!(f, "rid:{rid}"),
            Self::Rtcp(rtcp) => write!(f, "rtcp:{rtcp}"),
            Self::RtcpFb(feedback) => write!(f, "rtcp-fb:{feedback}"),
            Self::RtcpMux => f.write_str("rtcp-mux"),
            Self::RtcpMuxOnly => f.write_str("rtcp-mux-only"),
            Self::RtcpRsize => f.write_str("rtcp-rsize"),
            Self::Rtpmap(rtpmap) => write!(f, "rtpmap:{rtpmap}"),
            Self::SctpInit(chunk) => {
                f.write_str("sctp-init:")?;
                base64::write(f, chunk)
            }
            Self::SctpPort(port) => write!(f, "sctp-port:{port}"),
            Self::Sctpmap(sctpmap) => write!(f, "sctpmap:{sctpmap}"),
            Self::Setup(setup) => write!(f, "setup:{setup}"),
            Self::Simulcast(simulcast) => write!(f, "simulcast:{simulcast}"),
            Self::Ssrc(ssrc) => write!(f, "ssrc:{ssrc}"),
            Self::SsrcGroup(group) => write!(f, "ssrc-group:{group}"),
            Self::TlsId(id) => write!(f, "tls-id:{id}"),
            Self::Unknown { name, value: Some(value) } => write!(f, "{name}:{value}"),
            Self::Unknown { name, value: None } => f.write_str(name),
        }
    }
}

/// Attributes that mean nothing without a value.
fn is_valued(name: &str) -> bool {
    Attribute::read_transport(name, "").or_else(|| Attribute::read_media(name, "")).is_some()
}

fn sctp_init(input: &str) -> Result<(&str, Vec<u8>), Failure<'_>> {
    match base64::read(input) {
        Some(chunk) => Ok(("", chunk)),
        None => fail(input, "base 64"),
    }
}

fn tls_id(input: &str) -> Result<(&str, &str), Failure<'_>> {
    let set = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    sized(input, 20..=255, set, "a tls-id of 20 to 255 characters")
}

/// Refuses a text that is more than one line.
fn one_line(text: &str) -> Result<(), ParseError> {
    match text.find(['\r', '\n', '\0']) {
        Some(at) => Err(ParseError::new(1, at.saturating_add(1), "one line without NUL")),
        None => Ok(()),
    }
}

fn located(text: &str, failure: Failure<'_>) -> ParseError {
    ParseError::new(1, text.len().saturating_sub(failure.rest.len()).saturating_add(1), failure.expected)
}

/// Prints items with a separator between them.
struct Joined<'a, T>(&'a [T], &'static str);

impl<T: Display> Display for Joined<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(items, separator) = self;
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                f.write_str(separator)?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}
