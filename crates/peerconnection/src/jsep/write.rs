//! Writing `m=` sections, for offers and answers alike.

use std::borrow::Cow;

use sdp::{Attribute, Connection, Extmap, MediaDescription, Msid, Origin, Ssrc, SsrcGroup};

use super::{NegotiatedCodec, Negotiator, SenderView, Snapshot, direction};
use crate::transceiver::Direction;

/// The session lines of an offer or answer (RFC 9429 §5.2.1).
pub(super) fn session(negotiator: &Negotiator, snapshot: &Snapshot) -> sdp::Description {
    //= rfc8829 §5.2.2
    //# The value of the generated
    //# <session-version> is independent of the <session-version> of the
    //# current local description
    sdp::Description::new(Origin::new(snapshot.session_id, negotiator.version.saturating_add(1)))
}

/// What a live RTP section says below its transport.
pub(super) struct RtpSection<'a> {
    pub(super) mid: &'a str,
    pub(super) direction: Direction,
    pub(super) sender: &'a SenderView,
    pub(super) codecs: &'a [NegotiatedCodec],
    pub(super) extensions: Vec<Extmap>,
    pub(super) rtcp_mux_only: bool,
    pub(super) rtcp_rsize: bool,
}

impl RtpSection<'_> {
    pub(super) fn write(self, media: &mut MediaDescription) {
        let attributes = &mut media.attributes;
        attributes.push(Attribute::Mid(self.mid.to_owned()));
        attributes.extend(self.extensions.into_iter().map(Attribute::Extmap));
        attributes.push(Attribute::Direction(direction::to_sdp(self.direction)));
        if self.direction.sends() {
            attributes.extend(msids(self.sender));
        }
        attributes.push(Attribute::RtcpMux);
        if self.rtcp_mux_only {
            attributes.push(Attribute::RtcpMuxOnly);
        }
        if self.rtcp_rsize {
            attributes.push(Attribute::RtcpRsize);
        }
        attributes.extend(self.codecs.iter().flat_map(NegotiatedCodec::attributes));
        if self.direction.sends() {
            attributes.extend(sources(self.sender, self.codecs.iter().any(|codec| codec.rtx.is_some())));
        }
        media.formats = formats(self.codecs);
    }
}

/// A section that is rejected or disabled: port 0, and nothing but what the grammar needs (RFC 3264 §6, §8.2).
pub(super) fn rejected(like: &MediaDescription) -> MediaDescription {
    let mut media = MediaDescription::new(like.kind.clone(), like.protocol.as_str());
    media.port = 0;
    media.formats.clone_from(&like.formats);
    media.connections = vec![Connection::unspecified()];
    if let Some(mid) = like.mid() {
        media.attributes.push(Attribute::Mid(mid.to_owned()));
    }
    media.attributes.push(Attribute::Direction(sdp::Direction::Inactive));
    media
}

/// `a=ice-options`, when the other side may trickle (RFC 9429 §5.2.1, RFC 8839 §5.6).
pub(super) fn ice_options(options: impl IntoIterator<Item = &'static str>) -> Attribute {
    Attribute::IceOptions(options.into_iter().map(str::to_owned).collect())
}

/// Payload types for the `m=` line: each codec, and after it its retransmissions.
fn formats(codecs: &[NegotiatedCodec]) -> Vec<Cow<'static, str>> {
    let pair = |codec: &NegotiatedCodec| [Some(codec.payload_type), codec.rtx];
    codecs.iter().flat_map(pair).flatten().map(|payload_type| payload_type.as_str().into()).collect()
}

fn msids(sender: &SenderView) -> Vec<Attribute> {
    let line = |stream: &str| {
        let mut msid = Msid::new(stream);
        msid.track.clone_from(&sender.track_id);
        Attribute::Msid(msid)
    };
    if sender.streams.is_empty() {
        return vec![line(Msid::NO_STREAM)];
    }
    sender.streams.iter().map(|stream| line(stream)).collect()
}

fn sources(sender: &SenderView, retransmits: bool) -> Vec<Attribute> {
    let cname = |ssrc| Attribute::Ssrc(Ssrc::cname(ssrc, sender.cname.as_str()));
    match sender.rtx_ssrc {
        Some(rtx) if retransmits => {
            vec![Attribute::SsrcGroup(SsrcGroup::fid(sender.ssrc, rtx)), cname(sender.ssrc), cname(rtx)]
        }
        Some(_) | None => vec![cname(sender.ssrc)],
    }
}
