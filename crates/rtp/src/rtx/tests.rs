use bytes::Bytes;

use super::*;
use crate::{ExtensionForm, ExtensionId, HeaderView, PacketBuilder, Timestamp};

fn rtx(payload: &[u8]) -> Packet {
    let header = Header::new(PayloadType::from_header(97), SequenceNumber(500), Timestamp(8), Ssrc(2));
    Packet::new(header, Bytes::copy_from_slice(payload))
}

/// T-S14: 0, 1 and 2 bytes.
#[test]
fn t_s14_short_retransmissions() {
    let unwrap = |payload: &[u8]| unwrap(rtx(payload), Ssrc(1), PayloadType::from_header(96));
    assert_eq!(unwrap(&[]), Err(UnwrapError { len: 0 }));
    assert_eq!(unwrap(&[9]), Err(UnwrapError { len: 1 }));
    let empty = unwrap(&[0xff, 0xfe]).expect("an empty original");
    assert_eq!(empty.header.sequence_number, SequenceNumber(0xfffe));
    assert!(empty.payload.is_empty());
}

/// Users 66, `rtx_padding_removed_marker_copied`: version 2, marker, timestamp, extension and sources kept.
#[test]
fn users_66_wrap_and_unwrap_give_the_original_back() {
    let mut bytes = Vec::new();
    let header = Header::new(PayloadType::from_header(96), SequenceNumber(65_535), Timestamp(3_000), Ssrc(1))
        .with_marker();
    let mut builder = PacketBuilder::new(&mut bytes, header, &[Ssrc(5)], ExtensionForm::TwoByte);
    let id = ExtensionId::new(200).expect("not zero");
    builder.extension_bytes(id, b"").expect("fits");
    let _ = builder.finish();
    bytes.extend_from_slice(b"frame\0\0\x03");
    bytes[0] |= 0x20;
    let original = Packet::parse(&Bytes::from(bytes)).expect("well-formed");

    let mut out = vec![1];
    let len = wrap(&original, Ssrc(2), PayloadType::from_header(97), SequenceNumber(10), &mut out);
    assert_eq!(out.len(), 1 + len);
    let view = HeaderView::parse(&out[1..]).expect("well-formed");
    assert_eq!(out[1] >> 6, 2);
    assert_eq!(view.padding_len(), 0);
    assert_eq!(view.header().sequence_number, SequenceNumber(10));
    assert_eq!(view.payload(), [0xff, 0xff, b'f', b'r', b'a', b'm', b'e']);

    let repeated = Packet::parse(&Bytes::copy_from_slice(&out[1..])).expect("well-formed");
    let back = unwrap(repeated, Ssrc(1), PayloadType::from_header(96)).expect("has a number");
    assert_eq!(back.header, original.header);
    assert_eq!(back.payload, original.payload);
    assert_eq!(back.csrcs().collect::<Vec<_>>(), [Ssrc(5)]);
    assert_eq!(back.extensions().element(id), Some(&[][..]));
}

/// T-S14: a retransmission of a retransmission is only a packet again.
#[test]
fn t_s14_rtx_of_rtx_unwraps_once() {
    let inner = rtx(&[0, 7, b'x']);
    let mut out = Vec::new();
    wrap(&inner, Ssrc(3), PayloadType::from_header(98), SequenceNumber(1), &mut out);
    let outer = Packet::parse(&Bytes::from(out)).expect("well-formed");
    assert_eq!(unwrap(outer, Ssrc(2), PayloadType::from_header(97)), Ok(inner));
}
