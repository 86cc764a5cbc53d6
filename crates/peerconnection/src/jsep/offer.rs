//! Making offers (RFC 9429 §5.2).

use sdp::{Attribute, Group, MediaDescription};

use super::{
    BundleForm, Created, Negotiator, Snapshot, TransceiverState, TransceiverView,
    codecs::{self, PayloadTypes},
    extmap::ExtensionIds,
    mids::Mids,
    section::{self, SectionKind},
    transport::{LocalTransport, Place},
    write::{self, RtpSection},
};
use crate::{
    description::{SdpType, SignalingState},
    error::{Error, ErrorKind},
    transceiver::{MediaKind, TransceiverId},
};

/// What an offer is to be like (W3C `RTCOfferOptions`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfferOptions {
    pub(crate) ice_restart: bool,
}

impl OfferOptions {
    /// An offer that changes nothing by itself.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts ICE again, as after a change of network (W3C `iceRestart`). Default: it goes on.
    #[must_use]
    pub fn with_ice_restart(self) -> Self {
        Self { ice_restart: true }
    }
}

/// What stands at one index of an offer.
enum Slot<'a> {
    Data { mid: String, before: Option<&'a MediaDescription> },
    Dead { before: &'a MediaDescription },
    Media { view: &'a TransceiverView, mid: String },
}

impl Negotiator {
    /// The offer, and who is behind its sections.
    pub(super) fn offer(&self, snapshot: &Snapshot, options: &OfferOptions) -> Result<Created, Error> {
        if !matches!(self.state, SignalingState::Stable | SignalingState::HaveLocalOffer) {
            let context = format!("an offer cannot be made in the state {}", self.state);
            return Err(Error::new(ErrorKind::InvalidStateError, context));
        }
        let slots = self.slots(snapshot);
        let mut draft = OfferDraft {
            negotiator: self,
            snapshot,
            transport: LocalTransport::offer(self, snapshot, options.ice_restart || snapshot.ice.restart),
            payload_types: PayloadTypes::default(),
            extension_ids: ExtensionIds::default(),
            bundled: Vec::new(),
        };
        for media in self.descriptions().flat_map(|sdp| &sdp.media) {
            draft.payload_types.learn(media);
            draft.extension_ids.learn(media);
        }
        let mut sdp = write::session(self, snapshot);
        sdp.media = slots.iter().map(|slot| draft.section(slot)).collect();
        sdp.attributes.push(write::ice_options(["trickle", "ice2"]));
        if !draft.bundled.is_empty() {
            sdp.attributes.push(Attribute::Group(Group::new(Group::BUNDLE, draft.bundled)));
        }
        sdp.attributes.push(Attribute::ExtmapAllowMixed);
        let transceivers = slots.iter().map(Slot::transceiver).collect();
        Ok(Created { sdp: sdp.into(), transceivers })
    }

    /// What stands where: old sections keep their index for ever, new ones take the first that is free.
    fn slots<'a>(&'a self, snapshot: &'a Snapshot) -> Vec<Slot<'a>> {
        let before = self.slots.pending_local.as_ref().or(self.slots.current_local.as_ref());
        let before: &[MediaDescription] = before.map_or(&[], |slot| &slot.sdp.media);
        let mut mids = Mids::new(self, snapshot);
        let mut data = !snapshot.data_channels_wanted;
        let mut slots: Vec<Slot<'a>> = before
            .iter()
            .enumerate()
            .map(|(index, media)| {
                let slot = self.old_slot(snapshot, index, media);
                data |= matches!(slot, Slot::Data { .. });
                slot
            })
            .collect();
        let mut free =
            (0..slots.len()).filter(|index| self.is_recyclable(*index)).collect::<Vec<_>>().into_iter();
        let mut place = |slots: &mut Vec<Slot<'a>>, slot: Slot<'a>| {
            //= rfc8829 §5.2.2
            //# If any RtpTransceiver has been added and there exists an "m="
            //# section with a zero port in the current local description or the
            //# current remote description, that "m=" section MUST be recycled by
            //# generating an "m=" section for the added RtpTransceiver as if the
            //# "m=" section were being added to the session description (including
            //# a new MID value) and placing it at the same index as the "m="
            //# section with a zero port.
            let index = free.find(|index| matches!(slots.get(*index), Some(Slot::Dead { .. })));
            match index.and_then(|index| slots.get_mut(index)) {
                Some(place) => *place = slot,
                None => slots.push(slot),
            }
        };
        let is_new = |view: &&TransceiverView| view.mid.is_none() && view.state == TransceiverState::Active;
        for view in snapshot.transceivers.iter().filter(is_new) {
            place(&mut slots, Slot::Media { view, mid: mids.next() });
        }
        if !data {
            place(&mut slots, Slot::Data { mid: mids.next(), before: None });
        }
        slots
    }

    fn old_slot<'a>(&self, snapshot: &'a Snapshot, index: usize, media: &'a MediaDescription) -> Slot<'a> {
        let Some(mid) = media.mid() else { return Slot::Dead { before: media } };
        if SectionKind::of(media) == SectionKind::Data && !self.is_recyclable(index) {
            return Slot::Data { mid: mid.to_owned(), before: Some(media) };
        }
        match snapshot.by_mid(mid) {
            Some(view) if view.state == TransceiverState::Active && !self.is_recyclable(index) => {
                Slot::Media { view, mid: mid.to_owned() }
            }
            Some(_) | None => Slot::Dead { before: media },
        }
    }

    /// Whether the section at an index was rejected or disabled by an answer, so that another may take its place.
    pub(super) fn is_recyclable(&self, index: usize) -> bool {
        [&self.slots.current_local, &self.slots.current_remote]
            .into_iter()
            .flatten()
            .filter_map(|slot| slot.sdp.media.get(index))
            .any(section::is_rejected)
    }
}

impl Slot<'_> {
    fn transceiver(&self) -> Option<TransceiverId> {
        match self {
            Slot::Media { view, .. } => Some(view.id),
            Slot::Data { .. } | Slot::Dead { .. } => None,
        }
    }
}

struct OfferDraft<'a> {
    negotiator: &'a Negotiator,
    snapshot: &'a Snapshot,
    transport: LocalTransport<'a>,
    payload_types: PayloadTypes,
    extension_ids: ExtensionIds,
    bundled: Vec<String>,
}

impl OfferDraft<'_> {
    fn section(&mut self, slot: &Slot<'_>) -> MediaDescription {
        match slot {
            Slot::Data { mid, before } => self.data(mid, *before),
            Slot::Dead { before } => write::rejected(before),
            Slot::Media { view, mid } => self.media(view, mid),
        }
    }

    fn media(&mut self, view: &TransceiverView, mid: &str) -> MediaDescription {
        let kind = match view.kind {
            MediaKind::Audio => sdp::MediaKind::Audio,
            MediaKind::Video => sdp::MediaKind::Video,
        };
        //= rfc8829 §5.1.2
        //# For media "m=" sections, JSEP implementations MUST support the
        //# "UDP/TLS/RTP/SAVPF" profile specified in [RFC5764] as well as the
        //# "TCP/DTLS/RTP/SAVPF" profile specified in [RFC7850] and MUST
        //# indicate one of these profiles for each media "m=" line they
        //# produce in an offer.
        let mut media = MediaDescription::new(kind, "UDP/TLS/RTP/SAVPF");
        let mut wanted = self.snapshot.codecs.wanted(view);
        if view.codec_preferences.is_empty() {
            self.negotiator.order_as_answered(mid, &mut wanted);
        }
        let codecs: Vec<_> =
            wanted.into_iter().filter_map(|codec| self.payload_types.assign(codec)).collect();
        let extensions = self.extension_ids.offer(&self.snapshot.extensions, view.kind);
        self.transport(mid, &mut media);
        let answered = self.negotiator.was_answered(mid);
        let section = RtpSection {
            mid,
            direction: view.direction,
            sender: &view.sender,
            codecs: &codecs,
            extensions,
            rtcp_mux_only: !answered,
            rtcp_rsize: true,
        };
        section.write(&mut media);
        media
    }

    fn data(&mut self, mid: &str, before: Option<&MediaDescription>) -> MediaDescription {
        let mut media = MediaDescription::new(sdp::MediaKind::Application, "UDP/DTLS/SCTP");
        media.formats.push("webrtc-datachannel".into());
        let legacy = before.is_some_and(|before| before.protocol == "DTLS/SCTP");
        self.transport(mid, &mut media);
        media.attributes.push(Attribute::Mid(mid.to_owned()));
        if legacy && let Some(before) = before {
            media.protocol.clone_from(&before.protocol);
            media.formats.clone_from(&before.formats);
        }
        media.attributes.extend(data_attributes(self.snapshot, legacy));
        media
    }

    fn transport(&mut self, mid: &str, media: &mut MediaDescription) {
        let place = if self.bundled.is_empty() { Place::Tagged } else { Place::Bundled };
        self.bundled.push(mid.to_owned());
        self.transport.write(media, place);
        let alone = place == Place::Bundled && self.snapshot.bundle == BundleForm::Tagged;
        if alone && !self.negotiator.was_answered(mid) {
            //= rfc9143 §7.2
            //# *  Include an SDP 'bundle-only' attribute (Section 7.2.1) in the "m="
            //# section, and
            //# *  Assign a zero port value to the "m=" section.
            media.port = 0;
            media.connections = vec![sdp::Connection::unspecified()];
            media.attributes.push(Attribute::BundleOnly);
        }
    }
}

/// The SCTP lines of a data section.
pub(super) fn data_attributes(snapshot: &Snapshot, legacy: bool) -> Vec<Attribute> {
    let sctp = &snapshot.sctp;
    let port = if legacy {
        Attribute::Sctpmap(sdp::Sctpmap::new(sctp.port, u16::MAX))
    } else {
        Attribute::SctpPort(sctp.port)
    };
    let init = sctp.init.clone().map(Attribute::SctpInit);
    [port, Attribute::MaxMessageSize(sctp.max_message_size)].into_iter().chain(init).collect()
}

impl Negotiator {
    /// Whether a section was part of a finished exchange, and not rejected.
    fn was_answered(&self, mid: &str) -> bool {
        let slot = self.slots.current_remote.as_ref();
        slot.into_iter()
            .flat_map(|slot| &slot.sdp.media)
            .any(|media| media.mid() == Some(mid) && !section::is_rejected(media))
    }

    /// Puts codecs into the order of the most recent answer, the rest after them (RFC 9429 §5.2.2).
    fn order_as_answered(&self, mid: &str, codecs: &mut [&super::SupportedCodec]) {
        let answers = [&self.slots.current_local, &self.slots.current_remote].into_iter().flatten();
        let answer = answers.filter(|slot| slot.kind == SdpType::Answer).flat_map(|slot| &slot.sdp.media);
        let Some(media) = answer.into_iter().find(|media| media.mid() == Some(mid)) else { return };
        let answered = codecs::codecs(media);
        codecs.sort_by_key(|own| {
            answered.iter().position(|codec| codec.codec.matches(&own.codec)).unwrap_or(usize::MAX)
        });
    }
}
