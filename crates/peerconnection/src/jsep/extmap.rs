//! RTP header extensions (RFC 8285).

use std::collections::BTreeMap;

use sdp::{Extmap, MediaDescription};

use super::{NegotiatedExtension, direction};
use crate::transceiver::{Direction, MediaKind};

/// A header extension that we understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExtensionCapability {
    pub(crate) uri: String,
    /// The kinds of media it is for.
    pub(crate) kinds: Vec<MediaKind>,
    /// Whether we send and receive it.
    pub(crate) direction: Direction,
}

impl ExtensionCapability {
    /// Sent and received.
    pub(crate) fn new(uri: &str, kinds: &[MediaKind]) -> Self {
        Self { uri: uri.to_owned(), kinds: kinds.to_vec(), direction: Direction::SendRecv }
    }
}

/// What the media engine sends and reads.
pub(crate) fn supported_extensions() -> Vec<ExtensionCapability> {
    use MediaKind::{Audio, Video};
    vec![
        ExtensionCapability::new("urn:ietf:params:rtp-hdrext:sdes:mid", &[Audio, Video]),
        ExtensionCapability::new(
            "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            &[Audio, Video],
        ),
        ExtensionCapability::new("urn:ietf:params:rtp-hdrext:ssrc-audio-level", &[Audio]),
        ExtensionCapability::new(
            "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            &[Audio, Video],
        ),
    ]
}

/// Ids keep their meaning within a session and across a bundle (RFC 8285 §7, RFC 9143 §9.2).
#[derive(Clone, Debug, Default)]
pub(super) struct ExtensionIds {
    ids: BTreeMap<u16, String>,
    uris: BTreeMap<String, u16>,
}

impl ExtensionIds {
    pub(super) fn learn(&mut self, media: &MediaDescription) {
        for extmap in media.extmaps() {
            self.ids.entry(extmap.id).or_insert_with(|| extmap.uri.to_string());
            self.uris.entry(extmap.uri.to_string()).or_insert(extmap.id);
        }
    }

    /// The lines of an offer for one kind of media.
    pub(super) fn offer(&mut self, supported: &[ExtensionCapability], kind: MediaKind) -> Vec<Extmap> {
        let wanted = supported.iter().filter(|capability| capability.kinds.contains(&kind));
        let mut lines: Vec<Extmap> = wanted.filter_map(|capability| self.line(capability)).collect();
        lines.sort_by_key(|line| line.id);
        lines
    }

    fn line(&mut self, capability: &ExtensionCapability) -> Option<Extmap> {
        let id = match self.uris.get(&capability.uri) {
            // What was only proposed has no id to be used in packets.
            Some(id) if *id < 256 => *id,
            Some(_) | None => {
                let id = (1..=14).chain(16..=255).find(|id| !self.ids.contains_key(id))?;
                self.ids.insert(id, capability.uri.clone());
                self.uris.insert(capability.uri.clone(), id);
                id
            }
        };
        let mut line = Extmap::new(id, capability.uri.as_str());
        line.direction =
            Some(direction::to_sdp(capability.direction)).filter(|d| *d != sdp::Direction::Sendrecv);
        Some(line)
    }
}

/// The lines of an answer: what was offered and is understood, under the offered ids.
pub(super) fn answer(
    offer: &MediaDescription,
    supported: &[ExtensionCapability],
    kind: MediaKind,
) -> Vec<Extmap> {
    //= rfc8285 §7
    //# Identifier values in the valid range
    //# MUST NOT be altered (remapped).
    let common = |offered: &Extmap| {
        let own = supported.iter().find(|own| own.uri == offered.uri && own.kinds.contains(&kind))?;
        let theirs = direction::from_sdp(offered.direction.unwrap_or_default());
        let agreed = theirs.reversed().intersection(own.direction);
        if offered.id > 255 || agreed == Direction::Inactive {
            return None;
        }
        let mut line = Extmap::new(offered.id, &*offered.uri);
        line.direction = Some(direction::to_sdp(agreed)).filter(|d| *d != sdp::Direction::Sendrecv);
        Some(line)
    };
    offer.extmaps().filter_map(common).collect()
}

/// What both descriptions have: same id, same meaning.
pub(super) fn negotiated(local: &MediaDescription, remote: &MediaDescription) -> Vec<NegotiatedExtension> {
    let theirs: BTreeMap<u16, &Extmap> = remote.extmaps().map(|extmap| (extmap.id, extmap)).collect();
    let both = |own: &Extmap| {
        let their = theirs.get(&own.id).filter(|their| their.uri == own.uri)?;
        let own_direction = direction::from_sdp(own.direction.unwrap_or_default());
        let their_direction = direction::from_sdp(their.direction.unwrap_or_default());
        let direction = own_direction.intersection(their_direction.reversed());
        let id = u8::try_from(own.id).ok()?;
        Some(NegotiatedExtension { id, uri: own.uri.to_string(), direction })
    };
    local.extmaps().filter_map(both).collect()
}
