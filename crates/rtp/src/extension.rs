//! Header extensions (RFC 8285): elements, their identifiers, and the values this crate knows.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod abs_capture_time;
mod abs_send_time;
mod audio_level;
mod mid_rid;
mod playout_delay;
mod transmission_offset;
mod transport_sequence;
mod video_orientation;

use std::num::NonZeroU8;

use base::Reader;
use bytes::Bytes;

pub use abs_capture_time::AbsCaptureTime;
pub use abs_send_time::AbsSendTime;
pub use audio_level::{AudioLevel, CsrcAudioLevels, VoiceActivity};
pub use mid_rid::{Mid, RepairedRid, Rid};
pub use playout_delay::PlayoutDelay;
pub use transmission_offset::TransmissionOffset;
pub use transport_sequence::TransportSequence;
pub use video_orientation::{Rotation, VideoOrientation};

use crate::build::ExtensionForm;

/// RFC 8285 §4.2.
pub(crate) const ONE_BYTE_PROFILE: u16 = 0xbede;
/// RFC 8285 §4.3; the low four bits are the application's.
pub(crate) const TWO_BYTE_PROFILE: u16 = 0x1000;

/// A local identifier of a header extension, 1 to 255 (RFC 8285 §4.1). 15 exists in two-byte form only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionId(NonZeroU8);

impl ExtensionId {
    /// `None` for 0, which is padding.
    #[must_use]
    pub const fn new(id: u8) -> Option<Self> {
        match NonZeroU8::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0.get()
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $uri:literal,)*) => {
        /// The extensions known here, by the URI that negotiation names them with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ExtensionKind {
            $($(#[$doc])* $name,)*
        }

        impl ExtensionKind {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The URI in `a=extmap`.
            #[must_use]
            pub const fn uri(self) -> &'static str {
                match self {
                    $(Self::$name => $uri,)*
                }
            }
        }
    };
}

kinds! {
    /// When the frame was captured; [`AbsCaptureTime`].
    AbsCaptureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
    /// When the packet left; [`AbsSendTime`].
    AbsSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    /// RFC 6464; [`AudioLevel`].
    AudioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    /// Colour space of a frame; forwarded, not read.
    ColorSpace = "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
    /// RFC 6465; [`CsrcAudioLevels`].
    CsrcAudioLevel = "urn:ietf:params:rtp-hdrext:csrc-audio-level",
    /// Frame dependencies of scalable codecs; forwarded, not read.
    DependencyDescriptor =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    /// RFC 9143 §15; [`Mid`].
    Mid = "urn:ietf:params:rtp-hdrext:sdes:mid",
    /// Smallest and largest delay wanted at the receiver; [`PlayoutDelay`].
    PlayoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    /// RFC 8852; [`RepairedRid`].
    RepairedRid = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    /// RFC 8852; [`Rid`].
    Rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    /// RFC 5450; [`TransmissionOffset`].
    TransmissionOffset = "urn:ietf:params:rtp-hdrext:toffset",
    /// One sequence over all streams of a transport; [`TransportSequence`].
    TransportSequence = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    /// Screen content or camera; forwarded, not read.
    VideoContentType = "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type",
    /// Layers that a simulcast or scalable sender has; forwarded, not read.
    VideoLayersAllocation = "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
    /// How the picture must be turned; [`VideoOrientation`].
    VideoOrientation = "urn:3gpp:video-orientation",
    /// Time stamps along the sender's path; forwarded, not read.
    VideoTiming = "http://www.webrtc.org/experiments/rtp-hdrext/video-timing",
}

impl ExtensionKind {
    /// The extension that a URI names, if it is known here.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.uri() == uri)
    }

    /// Whether it describes one hop and must be written anew by a middlebox, rather than be forwarded.
    #[must_use]
    pub const fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::AbsSendTime
                | Self::Mid
                | Self::RepairedRid
                | Self::Rid
                | Self::TransmissionOffset
                | Self::TransportSequence
        )
    }
}

/// Which identifier stands for which extension on one media section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtensionMap {
    /// Identifier by kind; zero where the kind is not in use.
    ids: [u8; ExtensionKind::ALL.len()],
}

impl ExtensionMap {
    /// No extension in use.
    #[must_use]
    pub const fn new() -> Self {
        Self { ids: [0; ExtensionKind::ALL.len()] }
    }

    /// The same with one more, or another identifier for one that was there.
    #[must_use]
    pub fn with(mut self, kind: ExtensionKind, id: ExtensionId) -> Self {
        self.insert(kind, id);
        self
    }

    /// Puts `kind` at `id`, taking `id` away from the kind that had it.
    pub fn insert(&mut self, kind: ExtensionKind, id: ExtensionId) {
        for other in &mut self.ids {
            if *other == id.value() {
                *other = 0;
            }
        }
        if let Some(slot) = self.ids.get_mut(kind as usize) {
            *slot = id.value();
        }
    }

    /// Takes `kind` out of use.
    pub fn remove(&mut self, kind: ExtensionKind) {
        if let Some(slot) = self.ids.get_mut(kind as usize) {
            *slot = 0;
        }
    }

    /// The identifier of `kind`.
    #[must_use]
    pub fn id(&self, kind: ExtensionKind) -> Option<ExtensionId> {
        self.ids.get(kind as usize).copied().and_then(ExtensionId::new)
    }

    /// The extension that `id` stands for.
    #[must_use]
    pub fn kind(&self, id: ExtensionId) -> Option<ExtensionKind> {
        let place = self.ids.iter().position(|known| *known == id.value())?;
        ExtensionKind::ALL.get(place).copied()
    }

    /// All in use, in the order of the kinds.
    pub fn iter(&self) -> impl Iterator<Item = (ExtensionKind, ExtensionId)> + '_ {
        ExtensionKind::ALL.iter().filter_map(|kind| Some((*kind, self.id(*kind)?)))
    }
}

/// A value carried in a header extension element.
pub trait ExtensionValue: Sized {
    /// The extension it belongs to.
    const KIND: ExtensionKind;

    /// Reads the data of an element; `None` when it is malformed.
    fn parse(data: &[u8]) -> Option<Self>;

    /// Appends the data of an element.
    fn write(&self, out: &mut Vec<u8>);

    /// Bytes that [`ExtensionValue::write`] appends.
    fn encoded_len(&self) -> usize;
}

/// The extension elements of one packet, in a borrowed slice.
///
/// Iteration yields identifier and data, skips padding, and ends at the first element that does not fit or, in
/// one-byte form, at identifier 15 (RFC 8285 §4.2): what came before it counts.
#[derive(Clone, Copy, Debug)]
pub struct Extensions<'a> {
    profile: u16,
    data: &'a [u8],
}

impl<'a> Extensions<'a> {
    pub(crate) const EMPTY: Self = Self { profile: ONE_BYTE_PROFILE, data: &[] };

    /// The elements of a block: `profile` is the 16-bit number before its length.
    #[must_use]
    pub const fn new(profile: u16, data: &'a [u8]) -> Self {
        Self { profile, data }
    }

    /// The 16-bit number that says which form the block has.
    #[must_use]
    pub const fn profile(&self) -> u16 {
        self.profile
    }

    /// The block without its four-byte header.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The form of RFC 8285 it has; `None` for other profiles, which yield no elements.
    #[must_use]
    pub const fn form(&self) -> Option<ExtensionForm> {
        match self.profile {
            ONE_BYTE_PROFILE => Some(ExtensionForm::OneByte),
            profile if profile & 0xfff0 == TWO_BYTE_PROFILE => Some(ExtensionForm::TwoByte),
            _ => None,
        }
    }

    /// The data of the first element with this identifier.
    #[must_use]
    pub fn element(&self, id: ExtensionId) -> Option<&'a [u8]> {
        self.into_iter().find(|(found, _)| *found == id).map(|(_, data)| data)
    }

    /// The value of an extension, if `map` gives it an identifier and the packet carries a well-formed one.
    #[must_use]
    pub fn value<T: ExtensionValue>(&self, map: &ExtensionMap) -> Option<T> {
        self.element(map.id(T::KIND)?).and_then(T::parse)
    }
}

impl<'a> IntoIterator for Extensions<'a> {
    type Item = (ExtensionId, &'a [u8]);
    type IntoIter = Elements<'a>;

    fn into_iter(self) -> Elements<'a> {
        let form = self.form();
        Elements { form: form.unwrap_or_default(), reader: Reader::new(form.map_or(&[], |_| self.data)) }
    }
}

/// Iterator over [`Extensions`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    form: ExtensionForm,
    reader: Reader<'a>,
}

impl<'a> Elements<'a> {
    fn step(&mut self) -> Option<(ExtensionId, &'a [u8])> {
        loop {
            let first = self.reader.u8().ok()?;
            let (id, len) = match self.form {
                // A whole zero byte is padding. Identifier 0 with a length is not used by anyone: skipped with its data.
                ExtensionForm::OneByte if first == 0 => continue,
                ExtensionForm::OneByte => (first >> 4, usize::from(first & 0x0f) + 1),
                ExtensionForm::TwoByte if first == 0 => continue,
                ExtensionForm::TwoByte => (first, usize::from(self.reader.u8().ok()?)),
            };
            //= rfc8285 §4.2
            //# If the ID value 15 is encountered, its length field MUST be ignored, processing of the
            //# entire extension MUST terminate at that point, and only the extension
            //# elements present prior to the element with ID 15 SHOULD be
            //# considered.
            if self.form == ExtensionForm::OneByte && id == 15 {
                return None;
            }
            let data = self.reader.take(len).ok()?;
            if let Some(id) = ExtensionId::new(id) {
                return Some((id, data));
            }
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (ExtensionId, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step();
        if next.is_none() {
            self.reader.take_rest();
        }
        next
    }
}

/// The extension block of a packet, shared with the buffer it arrived in. Cheap to clone and to send along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionBlock {
    profile: u16,
    data: Bytes,
}

impl ExtensionBlock {
    /// A block as it stands in a packet: `profile` is the 16-bit number before its length.
    #[must_use]
    pub const fn new(profile: u16, data: Bytes) -> Self {
        Self { profile, data }
    }

    /// The elements in it.
    #[must_use]
    pub fn elements(&self) -> Extensions<'_> {
        Extensions::new(self.profile, &self.data)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
}

impl Default for ExtensionBlock {
    fn default() -> Self {
        Self::new(ONE_BYTE_PROFILE, Bytes::new())
    }
}

#[cfg(test)]
mod tests;
