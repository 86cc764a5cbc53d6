//! Header extensions of outgoing packets: what is written, and how long it will be.

use rtp::ntp::NtpTime;
use rtp::{
    AbsCaptureTime, AbsSendTime, AudioLevel, ExtensionBlock, ExtensionForm, ExtensionId, ExtensionMap,
    ExtensionValue, Mid, PacketBuilder, RepairedRid, Rid, SequenceNumber, TransportSequence,
    VideoOrientation,
};

/// Elements that belong to the frame of a packet, not to the packet.
#[derive(Clone, Debug)]
pub(crate) enum Carried {
    /// From an encoder.
    Frame {
        audio_level: Option<AudioLevel>,
        orientation: Option<VideoOrientation>,
        captured: Option<NtpTime>,
    },
    /// From another session: a block, and what its identifiers mean.
    Forwarded { block: ExtensionBlock, map: ExtensionMap },
}

impl Carried {
    pub(crate) const NOTHING: Self = Self::Frame { audio_level: None, orientation: None, captured: None };
}

/// Elements that every packet gets at the moment it leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) sent: NtpTime,
    pub(crate) transport: SequenceNumber,
    pub(crate) mid: Option<Mid>,
    pub(crate) rid: Option<Rid>,
    pub(crate) repaired: Option<Rid>,
}

/// Where elements go: into a packet, or only into a sum.
pub(crate) trait Sink {
    fn value<T: ExtensionValue>(&mut self, id: ExtensionId, value: &T);
    fn bytes(&mut self, id: ExtensionId, data: &[u8]);
}

impl Sink for PacketBuilder<'_> {
    fn value<T: ExtensionValue>(&mut self, id: ExtensionId, value: &T) {
        // What does not fit the form that was negotiated is left out, here as in `Measure`.
        let _ = self.extension(id, value);
    }

    fn bytes(&mut self, id: ExtensionId, data: &[u8]) {
        let _ = self.extension_bytes(id, data);
    }
}

/// Counts what would be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    form: ExtensionForm,
    elements: usize,
}

impl Measure {
    pub(crate) const fn new(form: ExtensionForm) -> Self {
        Self { form, elements: 0 }
    }

    /// Bytes of the whole extension, header and padding included.
    pub(crate) const fn len(self) -> usize {
        if self.elements == 0 { 0 } else { 4 + self.elements.next_multiple_of(4) }
    }

    pub(crate) fn add(&mut self, id: ExtensionId, len: usize) {
        if self.form.check(id, len).is_ok() {
            self.elements += self.form.element_overhead() + len;
        }
    }
}

impl Sink for Measure {
    fn value<T: ExtensionValue>(&mut self, id: ExtensionId, value: &T) {
        self.add(id, value.encoded_len());
    }

    fn bytes(&mut self, id: ExtensionId, data: &[u8]) {
        self.add(id, data.len());
    }
}

/// Puts everything that has an identifier in `map` into `sink`.
pub(crate) fn put(sink: &mut impl Sink, map: &ExtensionMap, stamp: &Stamp, carried: &Carried) {
    put_value(sink, map, Some(&AbsSendTime::from_ntp(stamp.sent)));
    put_value(sink, map, Some(&TransportSequence(stamp.transport)));
    put_value(sink, map, stamp.mid.as_ref());
    put_value(sink, map, stamp.rid.as_ref());
    put_value(sink, map, stamp.repaired.map(RepairedRid).as_ref());
    match carried {
        Carried::Frame { audio_level, orientation, captured } => {
            put_value(sink, map, audio_level.as_ref());
            put_value(sink, map, orientation.as_ref());
            put_value(sink, map, captured.map(AbsCaptureTime::new).as_ref());
        }
        Carried::Forwarded { block, map: source } => {
            for (id, data) in block.elements() {
                let kind = source.kind(id).filter(|kind| !kind.is_hop_by_hop());
                if let Some(id) = kind.and_then(|kind| map.id(kind)) {
                    sink.bytes(id, data);
                }
            }
        }
    }
}

fn put_value<T: ExtensionValue>(sink: &mut impl Sink, map: &ExtensionMap, value: Option<&T>) {
    if let (Some(value), Some(id)) = (value, map.id(T::KIND)) {
        sink.value(id, value);
    }
}

/// The longest extension that the frames of a stream can have.
pub(crate) fn reserve(
    map: &ExtensionMap,
    form: ExtensionForm,
    mid: Option<&Mid>,
    rid: Option<&Rid>,
) -> usize {
    let carried = Carried::Frame {
        audio_level: Some(AudioLevel::silence()),
        orientation: Some(VideoOrientation::default()),
        captured: Some(NtpTime(0)),
    };
    let len = |rid, repaired| {
        let mut measure = Measure::new(form);
        let mid = mid.copied();
        let stamp = Stamp { sent: NtpTime(0), transport: SequenceNumber(0), mid, rid, repaired };
        put(&mut measure, map, &stamp, &carried);
        measure.len()
    };
    len(rid.copied(), None).max(len(None, rid.copied()))
}
