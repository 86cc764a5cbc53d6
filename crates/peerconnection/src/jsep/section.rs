//! Reading one `m=` section: what it is, and whether it lives.

use sdp::{Attribute, Msid};

use crate::transceiver::MediaKind;

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionKind {
    /// Data channels over SCTP over DTLS (RFC 8841).
    Data,
    /// Audio or video over RTP.
    Media(MediaKind),
    /// Nothing we can do; such sections are rejected.
    Unsupported,
}

impl SectionKind {
    pub(super) fn of(media: &sdp::MediaDescription) -> Self {
        let kind = &media.kind;
        if *kind == sdp::MediaKind::Audio && media.is_rtp() {
            Self::Media(MediaKind::Audio)
        } else if *kind == sdp::MediaKind::Video && media.is_rtp() {
            Self::Media(MediaKind::Video)
        } else if *kind == sdp::MediaKind::Application && media.protocol.ends_with("DTLS/SCTP") {
            Self::Data
        } else {
            Self::Unsupported
        }
    }
}

/// Whether a section is rejected or disabled: port 0, and not because it has no port of its own.
pub(super) fn is_rejected(media: &sdp::MediaDescription) -> bool {
    media.port == 0 && !media.has(&Attribute::BundleOnly)
}

/// The tags of the bundle (RFC 9143 §5); none without a bundle. There is at most one that concerns us: the first.
pub(super) fn bundle(description: &sdp::Description) -> Option<&[String]> {
    description.groups().find(|group| group.is_bundle()).map(|group| group.mids.as_slice())
}

/// The section whose transport all others share: the first live one of the bundle (RFC 9143 §7.2.1 and §7.3.1),
/// or without a bundle the first live one at all.
pub(super) fn tagged(description: &sdp::Description) -> Option<usize> {
    let live = |media: &sdp::MediaDescription| !is_rejected(media) && !media.has(&Attribute::BundleOnly);
    match bundle(description) {
        Some(mids) => mids.iter().find_map(|mid| {
            description.media.iter().position(|media| media.mid() == Some(mid.as_str()) && live(media))
        }),
        None => description.media.iter().position(live),
    }
}

/// The streams of a section, and the sender's name for the track (RFC 8830 §2).
pub(super) fn msids(media: &sdp::MediaDescription) -> (Vec<String>, Option<String>) {
    let mut streams: Vec<String> = Vec::new();
    let mut track = None;
    for attribute in &media.attributes {
        if let Attribute::Msid(msid) = attribute {
            if track.is_none() {
                track.clone_from(&msid.track);
            }
            if msid.stream != Msid::NO_STREAM
                && !streams.contains(&msid.stream)
                && streams.len() < MAX_STREAMS
            {
                streams.push(msid.stream.clone());
            }
        }
    }
    (streams, track)
}

/// Most media streams that one track is put into; more are ignored.
const MAX_STREAMS: usize = 32;

/// `a=sctp-port`, or what drafts had in its place.
pub(super) fn sctp_port(media: &sdp::MediaDescription) -> Option<u16> {
    media.attributes.iter().find_map(|attribute| {
        if let Attribute::SctpPort(port) = attribute {
            Some(*port)
        } else if let Attribute::Sctpmap(map) = attribute {
            Some(map.port)
        } else {
            None
        }
    })
}

/// `a=sctp-init`.
pub(super) fn sctp_init(media: &sdp::MediaDescription) -> Option<&[u8]> {
    media.attributes.iter().find_map(|attribute| {
        if let Attribute::SctpInit(chunk) = attribute { Some(chunk.as_slice()) } else { None }
    })
}

/// `a=max-message-size`, 0 for any.
pub(super) fn max_message_size(media: &sdp::MediaDescription) -> u64 {
    //= rfc8841 §6.1
    //# If the SDP "max-message-size" attribute is not present, the default
    //# value is 64K.
    let said = |attribute: &Attribute| {
        if let Attribute::MaxMessageSize(size) = attribute { Some(*size) } else { None }
    };
    media.attributes.iter().find_map(said).unwrap_or(65_536)
}

/// What the other side wants to get at most, in bits per second (RFC 9429 §5.10).
pub(super) fn max_bitrate(media: &sdp::MediaDescription) -> Option<u64> {
    let value = |kind: &str| media.bandwidths.iter().find(|line| line.kind == kind).map(|line| line.value);
    // 50 packets per second with 40 bytes of headers go off what AS counts in.
    let from_as = |kilobits: u64| kilobits.saturating_mul(950).saturating_sub(50 * 40 * 8);
    value("TIAS").or_else(|| value("AS").map(from_as))
}
