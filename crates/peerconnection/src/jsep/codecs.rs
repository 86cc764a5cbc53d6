//! Codecs: what we can do, what a section offers, and what both have in common.

use std::{borrow::Cow, collections::BTreeMap};

use sdp::{Attribute, FeedbackTarget, Fmtp, MediaDescription, PayloadType, RtcpFb, Rtpmap};

use super::{TransceiverView, h264};
use crate::transceiver::MediaKind;

/// An RTCP feedback message (RFC 4585 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Feedback {
    pub(crate) id: Cow<'static, str>,
    pub(crate) parameter: Option<Cow<'static, str>>,
}

impl Feedback {
    pub(crate) fn new(id: &str, parameter: Option<&str>) -> Self {
        Self { id: id.to_owned().into(), parameter: parameter.map(|text| text.to_owned().into()) }
    }
}

/// A codec with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codec {
    /// As in `a=rtpmap`; letter case means nothing.
    pub(crate) name: String,
    /// In hertz.
    pub(crate) clock_rate: u32,
    /// 1 for video too.
    pub(crate) channels: u16,
    /// As in `a=fmtp`; empty for none.
    pub(crate) parameters: String,
    pub(crate) feedback: Vec<Feedback>,
}

impl Codec {
    pub(crate) fn new(name: &str, clock_rate: u32, channels: u16, parameters: &str) -> Self {
        Self {
            name: name.to_owned(),
            clock_rate,
            channels,
            parameters: parameters.to_owned(),
            feedback: Vec::new(),
        }
    }

    fn with_feedback(mut self, feedback: &[(&str, Option<&str>)]) -> Self {
        self.feedback = feedback.iter().map(|(id, parameter)| Feedback::new(id, *parameter)).collect();
        self
    }

    /// The value of a parameter; letter case of names means nothing.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.split(';').find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Whether both are one codec in one configuration, so that either can read what the other wrote.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// Whether it is H.264.
    pub(super) fn is_h264(&self) -> bool {
        self.name.eq_ignore_ascii_case("H264")
    }

    /// What two codecs have to have in common.
    fn key(&self) -> CodecKey {
        let detail = if self.is_h264() {
            h264::Format::of(self).map_or_else(String::new, |format| format.key())
        } else if self.name.eq_ignore_ascii_case("VP9") {
            self.parameter("profile-id").unwrap_or("0").to_owned()
        } else {
            String::new()
        };
        CodecKey {
            name: self.name.to_ascii_lowercase(),
            clock_rate: self.clock_rate,
            channels: self.channels,
            detail,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CodecKey {
    name: String,
    clock_rate: u32,
    channels: u16,
    detail: String,
}

/// A codec we can do, with the payload types it likes best.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SupportedCodec {
    pub(crate) codec: Codec,
    pub(crate) payload_type: PayloadType,
    /// The payload type of its retransmissions (RFC 4588); none if it has none.
    pub(crate) rtx: Option<PayloadType>,
}

/// What we can do, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodecTable {
    pub(crate) audio: Vec<SupportedCodec>,
    pub(crate) video: Vec<SupportedCodec>,
}

impl CodecTable {
    /// Opus, PCMU and PCMA; VP8 and H.264 constrained baseline, with retransmissions (RFC 7742, RFC 7874).
    pub(crate) fn standard() -> Self {
        let audio = |name, rate, channels, parameters, payload_type: u8| {
            let codec = Codec::new(name, rate, channels, parameters).with_feedback(&[("transport-cc", None)]);
            Some(SupportedCodec { codec, payload_type: PayloadType::new(payload_type)?, rtx: None })
        };
        let feedback = [
            ("goog-remb", None),
            ("transport-cc", None),
            ("ccm", Some("fir")),
            ("nack", None),
            ("nack", Some("pli")),
        ];
        let video = |name, parameters, payload_type: u8| {
            let codec = Codec::new(name, 90_000, 1, parameters).with_feedback(&feedback);
            let rtx = PayloadType::new(payload_type + 1);
            Some(SupportedCodec { codec, payload_type: PayloadType::new(payload_type)?, rtx })
        };
        let h264 =
            |mode| format!("level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id=42e01f");
        Self {
            audio: [
                audio("opus", 48_000, 2, "minptime=10;useinbandfec=1", 111),
                audio("PCMU", 8_000, 1, "", 0),
                audio("PCMA", 8_000, 1, "", 8),
            ]
            .into_iter()
            .flatten()
            .collect(),
            video: [video("VP8", "", 96), video("H264", &h264(1), 102), video("H264", &h264(0), 104)]
                .into_iter()
                .flatten()
                .collect(),
        }
    }

    fn of(&self, kind: MediaKind) -> &[SupportedCodec] {
        match kind {
            MediaKind::Audio => &self.audio,
            MediaKind::Video => &self.video,
        }
    }

    /// What a transceiver wants to use, best first: its preferences, or everything.
    pub(super) fn wanted(&self, view: &TransceiverView) -> Vec<&SupportedCodec> {
        let supported = self.of(view.kind);
        if view.codec_preferences.is_empty() {
            return supported.iter().collect();
        }
        let find = |wish: &Codec| supported.iter().find(|supported| supported.codec.matches(wish));
        view.codec_preferences.iter().filter_map(find).collect()
    }
}

/// A format of a section: a codec under a payload type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NegotiatedCodec {
    pub(crate) payload_type: PayloadType,
    pub(crate) codec: Codec,
    /// The payload type of its retransmissions.
    pub(crate) rtx: Option<PayloadType>,
}

impl NegotiatedCodec {
    /// The attributes of the format and of its retransmissions.
    pub(super) fn attributes(&self) -> Vec<Attribute> {
        let Codec { name, clock_rate, channels, parameters, feedback } = &self.codec;
        let mut rtpmap = Rtpmap::new(self.payload_type, name.as_str(), *clock_rate);
        rtpmap.channels = (*channels > 1).then_some(*channels);
        let mut attributes = vec![Attribute::Rtpmap(rtpmap)];
        attributes.extend(feedback.iter().map(|feedback| {
            let mut line = RtcpFb::new(self.payload_type, &*feedback.id);
            line.parameter.clone_from(&feedback.parameter);
            Attribute::RtcpFb(line)
        }));
        if !parameters.is_empty() {
            attributes.push(Attribute::Fmtp(Fmtp::new(self.payload_type, parameters.as_str())));
        }
        if let Some(rtx) = self.rtx {
            attributes.push(Attribute::Rtpmap(Rtpmap::new(rtx, "rtx", *clock_rate)));
            attributes.push(Attribute::Fmtp(Fmtp::new(rtx, format!("apt={}", self.payload_type))));
        }
        attributes
    }
}

/// What one format of a section says, retransmissions not yet attached.
#[derive(Clone, Debug)]
pub(super) struct Format {
    pub(super) payload_type: PayloadType,
    pub(super) codec: Codec,
}

impl Format {
    /// The payload type that it retransmits, if that is what it does (RFC 4588 §8.6).
    pub(super) fn apt(&self) -> Option<PayloadType> {
        if self.is_rtx() { self.codec.parameter("apt")?.parse().ok() } else { None }
    }

    pub(super) fn is_rtx(&self) -> bool {
        self.codec.name.eq_ignore_ascii_case("rtx")
    }
}

/// The formats of a section, in order; those without a known meaning are left out. Linear in the section.
pub(super) fn formats(media: &MediaDescription) -> Vec<Format> {
    let mut rtpmaps = BTreeMap::new();
    let mut parameters = BTreeMap::new();
    let mut feedback: BTreeMap<_, Vec<Feedback>> = BTreeMap::new();
    let mut feedback_for_all = Vec::new();
    for attribute in &media.attributes {
        if let Attribute::Rtpmap(rtpmap) = attribute {
            rtpmaps.entry(rtpmap.payload_type).or_insert(rtpmap);
        } else if let Attribute::Fmtp(fmtp) = attribute {
            if let Some(payload_type) = fmtp.payload_type() {
                parameters.entry(payload_type).or_insert(fmtp.parameters.as_str());
            }
        } else if let Attribute::RtcpFb(line) = attribute {
            let message = Feedback { id: line.id.clone(), parameter: line.parameter.clone() };
            match line.target {
                FeedbackTarget::All => feedback_for_all.push(message),
                FeedbackTarget::PayloadType(payload_type) => {
                    feedback.entry(payload_type).or_default().push(message);
                }
            }
        }
    }
    let mut formats = BTreeMap::new();
    let mut order = Vec::new();
    for payload_type in media.payload_types() {
        let codec = match rtpmaps.get(&payload_type) {
            Some(rtpmap) => Some((&*rtpmap.encoding, rtpmap.clock_rate, rtpmap.channels.unwrap_or(1))),
            None => static_codec(payload_type),
        };
        let Some((name, clock_rate, channels)) = codec else { continue };
        let mut codec = Codec::new(name, clock_rate, channels, parameters.get(&payload_type).unwrap_or(&""));
        codec.feedback.clone_from(&feedback_for_all);
        codec.feedback.extend(feedback.remove(&payload_type).unwrap_or_default());
        if formats.insert(payload_type, Format { payload_type, codec }).is_none() {
            order.push(payload_type);
        }
    }
    order.into_iter().filter_map(|payload_type| formats.remove(&payload_type)).collect()
}

/// The codecs of a section with their retransmissions attached, in order.
pub(super) fn codecs(media: &MediaDescription) -> Vec<NegotiatedCodec> {
    let formats = formats(media);
    let mut rtx = BTreeMap::new();
    for format in &formats {
        if let Some(apt) = format.apt() {
            rtx.entry(apt).or_insert(format.payload_type);
        }
    }
    formats
        .into_iter()
        .filter(|format| !format.is_rtx())
        .map(|format| NegotiatedCodec {
            payload_type: format.payload_type,
            rtx: rtx.get(&format.payload_type).copied(),
            codec: format.codec,
        })
        .collect()
}

/// What `ours` and `theirs` can both do, with payload types, parameters and order of `theirs`.
///
/// As an answer has it with `Side::Answerer`: our parameters under their payload types.
pub(super) fn common(ours: &[&SupportedCodec], theirs: &[NegotiatedCodec]) -> Vec<NegotiatedCodec> {
    theirs
        .iter()
        .filter_map(|offered| {
            let own = ours.iter().find(|own| own.codec.matches(&offered.codec))?;
            let codec = Codec {
                parameters: answer_parameters(&own.codec, &offered.codec),
                feedback: common_feedback(&own.codec, &offered.codec),
                ..offered.codec.clone()
            };
            let rtx = if own.rtx.is_some() { offered.rtx } else { None };
            Some(NegotiatedCodec { payload_type: offered.payload_type, codec, rtx })
        })
        .collect()
}

/// Feedback that both have, in the order of `theirs`.
pub(super) fn common_feedback(ours: &Codec, theirs: &Codec) -> Vec<Feedback> {
    let mut common: Vec<Feedback> = Vec::new();
    for feedback in &theirs.feedback {
        if ours.feedback.contains(feedback) && !common.contains(feedback) {
            common.push(feedback.clone());
        }
    }
    common
}

fn answer_parameters(ours: &Codec, theirs: &Codec) -> String {
    if ours.is_h264() { h264::answer_parameters(ours, theirs) } else { ours.parameters.clone() }
}

/// Payload types of RFC 3551 that need no `a=rtpmap`.
fn static_codec(payload_type: PayloadType) -> Option<(&'static str, u32, u16)> {
    match payload_type.value() {
        0 => Some(("PCMU", 8_000, 1)),
        8 => Some(("PCMA", 8_000, 1)),
        9 => Some(("G722", 8_000, 1)),
        13 => Some(("CN", 8_000, 1)),
        _ => None,
    }
}

/// Payload types keep their meaning within a session (RFC 3264 §8.3.2) and across a bundle (RFC 9143 §9.1).
#[derive(Clone, Debug, Default)]
pub(super) struct PayloadTypes {
    /// All that are taken.
    taken: BTreeMap<PayloadType, ()>,
    codecs: BTreeMap<CodecKey, PayloadType>,
    /// From a codec's payload type to that of its retransmissions.
    rtx: BTreeMap<PayloadType, PayloadType>,
}

impl PayloadTypes {
    /// Learns what a section uses.
    pub(super) fn learn(&mut self, media: &MediaDescription) {
        for payload_type in media.payload_types() {
            self.taken.insert(payload_type, ());
        }
        for codec in codecs(media) {
            self.codecs.entry(codec.codec.key()).or_insert(codec.payload_type);
            if let Some(rtx) = codec.rtx {
                self.rtx.entry(codec.payload_type).or_insert(rtx);
            }
        }
    }

    /// Gives a codec its payload types: known ones, then those it likes, then free ones.
    pub(super) fn assign(&mut self, supported: &SupportedCodec) -> Option<NegotiatedCodec> {
        let key = supported.codec.key();
        let payload_type = match self.codecs.get(&key) {
            Some(payload_type) => *payload_type,
            None => {
                let payload_type = self.free(supported.payload_type)?;
                self.codecs.insert(key, payload_type);
                payload_type
            }
        };
        let rtx = supported.rtx.and_then(|liked| match self.rtx.get(&payload_type) {
            Some(rtx) => Some(*rtx),
            None => {
                let rtx = self.free(liked)?;
                self.rtx.insert(payload_type, rtx);
                Some(rtx)
            }
        });
        Some(NegotiatedCodec { payload_type, codec: supported.codec.clone(), rtx })
    }

    /// A payload type that nobody uses: dynamic ones (RFC 3551 §6), then the lower ones that RTCP leaves free.
    fn free(&mut self, liked: PayloadType) -> Option<PayloadType> {
        let any = (96..=127).chain(35..=63).filter_map(PayloadType::new);
        let free = std::iter::once(liked).chain(any).find(|number| !self.taken.contains_key(number))?;
        self.taken.insert(free, ());
        Some(free)
    }
}
