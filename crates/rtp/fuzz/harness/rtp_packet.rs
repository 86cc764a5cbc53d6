//! Any bytes as an RTP packet: all views of it agree, and what was read is written and read again.

use bytes::Bytes;
use rtp::{
    AbsCaptureTime, AbsSendTime, AudioLevel, CsrcAudioLevels, ExtensionForm, ExtensionId, ExtensionKind,
    ExtensionMap, ExtensionValue, Extensions, HeaderView, Mid, Packet, PacketBuilder, PayloadType,
    PlayoutDelay, RepairedRid, Rid, SequenceNumber, Ssrc, TransmissionOffset, TransportSequence,
    VideoOrientation, rtx,
};
use std::any::type_name;
use testkit::fuzz::reached;

pub(crate) fn run(data: &[u8]) {
    let shared = Bytes::copy_from_slice(data);
    let (view, packet) = (HeaderView::parse(&shared), Packet::parse(&shared));
    assert_eq!(view.is_ok(), packet.is_ok());
    let (Ok(view), Ok(packet)) = (view, packet) else { return };
    assert_eq!(view.header(), packet.header);
    assert_eq!(view.header_len() + view.payload().len() + view.padding_len(), data.len());
    assert_eq!(view.payload(), &packet.payload[..]);
    assert!(view.csrcs().eq(packet.csrcs()));
    read_extensions(view.extensions());
    write_again(&packet);
    retransmit(packet);
}

fn read_extensions(extensions: Extensions<'_>) {
    const KINDS: [ExtensionKind; 4] = [
        ExtensionKind::Mid,
        ExtensionKind::AudioLevel,
        ExtensionKind::AbsSendTime,
        ExtensionKind::PlayoutDelay,
    ];
    assert!(extensions.into_iter().count() <= extensions.data().len());
    for (id, data) in extensions {
        assert!(extensions.element(id).is_some());
        read::<AbsCaptureTime>(data);
        read::<AbsSendTime>(data);
        read::<AudioLevel>(data);
        read::<CsrcAudioLevels>(data);
        read::<Mid>(data);
        read::<PlayoutDelay>(data);
        read::<RepairedRid>(data);
        read::<Rid>(data);
        read::<TransmissionOffset>(data);
        read::<TransportSequence>(data);
        read::<VideoOrientation>(data);
        let mut map = ExtensionMap::new();
        for kind in KINDS {
            map.insert(kind, id);
        }
        assert!(map.iter().count() <= KINDS.len());
        let _ = (extensions.value::<Mid>(&map), extensions.value::<AudioLevel>(&map));
    }
}

/// What can be read can be written, in as many bytes as announced, and reads the same.
fn read<T: ExtensionValue>(data: &[u8]) {
    let Some(value) = T::parse(data) else { return };
    reached(type_name::<T>().rsplit("::").next().unwrap_or_default());
    let mut out = Vec::new();
    value.write(&mut out);
    assert_eq!(out.len(), value.encoded_len(), "{:?}", T::KIND);
    let mut again = Vec::new();
    T::parse(&out).expect("what was written can be read").write(&mut again);
    assert_eq!(out, again, "{:?}", T::KIND);
}

fn write_again(packet: &Packet) {
    let csrcs: Vec<Ssrc> = packet.csrcs().collect();
    let form = packet.extensions().form().unwrap_or(ExtensionForm::OneByte);
    reached(if form == ExtensionForm::OneByte { "one byte" } else { "two bytes" });
    let mut out = b"before".to_vec();
    let mut builder = PacketBuilder::new(&mut out, packet.header, &csrcs, form);
    let mut written: Vec<(ExtensionId, Vec<u8>)> = Vec::new();
    for (id, element) in packet.extensions() {
        if builder.extension_bytes(id, element).is_ok() {
            written.push((id, element.to_vec()));
        }
    }
    let header_len = builder.finish();
    out.extend_from_slice(&packet.payload);
    assert_eq!(out.len(), 6 + header_len + packet.payload.len());
    let again = Packet::parse(&Bytes::from(out).slice(6..)).expect("what was written can be read");
    assert_eq!((again.header, &again.payload), (packet.header, &packet.payload));
    assert!(again.csrcs().eq(csrcs));
    let elements: Vec<(ExtensionId, Vec<u8>)> =
        again.extensions().into_iter().map(|(id, element)| (id, element.to_vec())).collect();
    assert_eq!(elements, written);
}

/// RFC 4588: a retransmission gives back the packet, but for its padding.
fn retransmit(packet: Packet) {
    let (ssrc, payload_type) = (packet.header.ssrc, packet.header.payload_type);
    let mut out = Vec::new();
    let len = rtx::wrap(&packet, Ssrc(1), PayloadType::PCMU, SequenceNumber(9), &mut out);
    assert_eq!(len, out.len());
    let wrapped = Packet::parse(&Bytes::from(out)).expect("a retransmission is a packet");
    assert_eq!(wrapped.payload.len(), packet.payload.len() + rtx::OVERHEAD);
    let again = rtx::unwrap(wrapped, ssrc, payload_type).expect("it has an original number");
    assert_eq!((again.header, &again.payload), (packet.header, &packet.payload));
    let _ = rtx::unwrap(packet, ssrc, payload_type);
}
