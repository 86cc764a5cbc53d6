//! One media description: an `m=` line and what follows it.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use std::fmt;

use nom::IResult;

use crate::{
    Attribute, Bandwidth, Connection, Direction, ParseError, PayloadType, Rtpmap,
    attribute::{Candidate, Extmap, Fmtp, RtcpFb},
    description::read_text,
    grammar::{Failure, fail, literal, number, space, spaced, token, whole},
    line::{Line, Scanner},
};

/// An `m=` line with its own lines (RFC 8866 §5.14).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaDescription {
    /// What is sent.
    pub kind: MediaKind,
    /// The transport port: 9 for one that is not known yet (RFC 8840 §4.1.1), 0 for a rejected description.
    pub port: u16,
    /// How many consecutive ports, where it says so.
    pub port_count: Option<u16>,
    /// The transport protocol, such as `UDP/TLS/RTP/SAVPF`.
    pub protocol: String,
    /// Formats: payload types for RTP, `webrtc-datachannel` for data channels.
    pub formats: Vec<String>,
    /// `i=`: words about the media (RFC 8866 §5.4).
    pub information: Option<String>,
    /// `c=`: addresses (RFC 8866 §5.7).
    pub connections: Vec<Connection>,
    /// `b=`: proposed bandwidths (RFC 8866 §5.8).
    pub bandwidths: Vec<Bandwidth>,
    /// `k=`: obsolete, kept as it came (RFC 8866 §5.12).
    pub key: Option<String>,
    /// `a=` lines, in order.
    pub attributes: Vec<Attribute>,
}

impl MediaDescription {
    /// A description with port 9 and address 0.0.0.0, as trickle ICE starts (RFC 9429 §5.2.1).
    #[must_use]
    pub fn new(kind: MediaKind, protocol: impl Into<String>) -> Self {
        Self {
            kind,
            port: 9,
            port_count: None,
            protocol: protocol.into(),
            formats: Vec::new(),
            information: None,
            connections: vec![Connection::unspecified()],
            bandwidths: Vec::new(),
            key: None,
            attributes: Vec::new(),
        }
    }

    /// Appends an attribute.
    #[must_use]
    pub fn with(mut self, attribute: Attribute) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Whether the protocol carries RTP, so that formats are payload types.
    #[must_use]
    pub fn is_rtp(&self) -> bool {
        is_rtp(&self.protocol)
    }

    /// The formats as payload types; empty when they are something else.
    pub fn payload_types(&self) -> impl Iterator<Item = PayloadType> {
        let formats = if self.is_rtp() { self.formats.as_slice() } else { &[] };
        formats.iter().filter_map(|format| format.parse().ok())
    }

    /// The identification tag, `a=mid` (RFC 5888 §4).
    #[must_use]
    pub fn mid(&self) -> Option<&str> {
        self.attributes
            .iter()
            .find_map(|attribute| if let Attribute::Mid(mid) = attribute { Some(mid.as_str()) } else { None })
    }

    /// The direction on the description itself, if it has one (RFC 8866 §6.7).
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        self.attributes.iter().find_map(|attribute| {
            if let Attribute::Direction(direction) = attribute { Some(*direction) } else { None }
        })
    }

    /// The `a=rtpmap` lines, in order.
    pub fn rtpmaps(&self) -> impl Iterator<Item = &Rtpmap> {
        self.attributes.iter().filter_map(|attribute| {
            if let Attribute::Rtpmap(rtpmap) = attribute { Some(rtpmap) } else { None }
        })
    }

    /// The `a=fmtp` lines, in order.
    pub fn fmtps(&self) -> impl Iterator<Item = &Fmtp> {
        self.attributes
            .iter()
            .filter_map(|attribute| if let Attribute::Fmtp(fmtp) = attribute { Some(fmtp) } else { None })
    }

    /// The `a=rtcp-fb` lines, in order.
    pub fn rtcp_fbs(&self) -> impl Iterator<Item = &RtcpFb> {
        self.attributes.iter().filter_map(|attribute| {
            if let Attribute::RtcpFb(feedback) = attribute { Some(feedback) } else { None }
        })
    }

    /// The `a=extmap` lines, in order.
    pub fn extmaps(&self) -> impl Iterator<Item = &Extmap> {
        self.attributes.iter().filter_map(|attribute| {
            if let Attribute::Extmap(extmap) = attribute { Some(extmap) } else { None }
        })
    }

    /// The `a=candidate` lines, in order.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.attributes.iter().filter_map(|attribute| {
            if let Attribute::Candidate(candidate) = attribute { Some(candidate) } else { None }
        })
    }

    /// Whether `attribute` stands on the description.
    #[must_use]
    pub fn has(&self, attribute: &Attribute) -> bool {
        self.attributes.contains(attribute)
    }

    pub(crate) fn read(line: Line<'_>, lines: &mut Scanner<'_>) -> Result<Self, ParseError> {
        let mut media = line.read(|value| whole(Self::parse, value))?;
        media.information = read_text(lines, b'i')?;
        while let Some(line) = lines.take(b'c')? {
            media.connections.push(line.read(|value| whole(Connection::parse, value))?);
        }
        while let Some(line) = lines.take(b'b')? {
            media.bandwidths.push(line.read(|value| whole(Bandwidth::parse, value))?);
        }
        media.key = read_text(lines, b'k')?;
        while let Some(line) = lines.take(b'a')? {
            media.attributes.push(line.read(Attribute::read)?);
        }
        Ok(media)
    }

    fn parse(input: &str) -> IResult<&str, Self, Failure<'_>> {
        let (rest, kind) = token(input, "a media type")?;
        let (rest, ()) = space(rest)?;
        let (rest, port) = number(rest, "a port")?;
        let (rest, port_count) = match rest.strip_prefix('/') {
            Some(rest) => number(rest, "a number of ports").map(|(rest, count)| (rest, Some(count)))?,
            None => (rest, None),
        };
        let (rest, ()) = space(rest)?;
        let (rest, protocol) = protocol(rest)?;
        let (rest, ()) = space(rest)?;
        let rtp = is_rtp(protocol);
        let (rest, formats) = spaced(rest, |input| format(input, rtp))?;
        let media = Self {
            port,
            port_count,
            formats,
            connections: Vec::new(),
            ..Self::new(MediaKind::new(kind), protocol)
        };
        Ok((rest, media))
    }
}

/// What an `m=` line is about (RFC 8866 §5.14).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaKind {
    /// `application`: data channels, among others.
    Application,
    /// `audio`.
    Audio,
    /// `video`.
    Video,
    /// Another word, kept as it came.
    Other(String),
}

impl MediaKind {
    /// The kind a word stands for.
    #[must_use]
    pub fn new(word: &str) -> Self {
        match word {
            "application" => Self::Application,
            "audio" => Self::Audio,
            "video" => Self::Video,
            _ => Self::Other(word.to_owned()),
        }
    }

    /// The word on the line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Application => "application",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_rtp(protocol: &str) -> bool {
    protocol.split('/').any(|part| part == "RTP")
}

/// `proto`: tokens joined by slashes; any of them is taken.
fn protocol(input: &str) -> IResult<&str, &str, Failure<'_>> {
    let (mut rest, _) = token(input, "a transport protocol")?;
    while rest.starts_with('/') {
        let ((), after_slash) = literal(rest, "/", "a slash").map(|(rest, ())| ((), rest))?;
        (rest, _) = token(after_slash, "a transport protocol")?;
    }
    let length = input.len().saturating_sub(rest.len());
    match input.split_at_checked(length) {
        Some((protocol, rest)) => Ok((rest, protocol)),
        None => fail(input, "a transport protocol"),
    }
}

fn format(input: &str, rtp: bool) -> IResult<&str, String, Failure<'_>> {
    if rtp {
        let (rest, payload_type) = PayloadType::parse(input)?;
        return Ok((rest, payload_type.to_string()));
    }
    token(input, "a format").map(|(rest, format)| (rest, format.to_owned()))
}
