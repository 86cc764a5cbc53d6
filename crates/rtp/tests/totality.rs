//! No bytes whatsoever make a reader panic or disagree with itself.

use bytes::Bytes;
use proptest::prelude::*;
use rtp::rtcp::{Compound, RtcpPacket};
use rtp::{HeaderView, Packet};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn rtp_is_total(mut bytes in prop::collection::vec(any::<u8>(), 0..200), shape in any::<bool>()) {
        if let (true, Some(first)) = (shape, bytes.first_mut()) {
            *first = *first & 0x3f | 0x80;
        }
        let shared = Bytes::from(bytes);
        let view = HeaderView::parse(&shared);
        let packet = Packet::parse(&shared);
        prop_assert_eq!(view.is_ok(), packet.is_ok());
        if let (Ok(view), Ok(packet)) = (view, packet) {
            prop_assert_eq!(view.header_len() + view.payload().len() + view.padding_len(), shared.len());
            prop_assert_eq!(view.payload(), &packet.payload[..]);
            prop_assert!(view.extensions().into_iter().count() <= shared.len());
        }
    }

    #[test]
    fn rtcp_is_total(mut bytes in prop::collection::vec(any::<u8>(), 4..120), packet_type in 200_u8..=207) {
        bytes[0] = bytes[0] & 0x3f | 0x80;
        bytes[1] = packet_type;
        let words = (bytes.len() / 4 - 1) as u16;
        bytes[2..4].copy_from_slice(&words.to_be_bytes());
        for packet in Compound::new(&bytes).flatten() {
            if let RtcpPacket::TransportFeedback(feedback) = packet {
                prop_assert_eq!(feedback.statuses().count(), usize::from(feedback.status_count));
            }
        }
    }
}
