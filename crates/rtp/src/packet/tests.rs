use super::*;
use crate::{ExtensionForm, ExtensionId, PacketBuilder};

const FIXED: [u8; 12] = [0x80, 0xe0, 0x12, 0x34, 0, 0, 1, 0, 0, 0, 0, 7];

fn with_first(first: u8, tail: &[u8]) -> Vec<u8> {
    let mut packet = FIXED.to_vec();
    packet[0] = first;
    packet.extend_from_slice(tail);
    packet
}

#[test]
fn rtp_header_csrc_ext_padding_roundtrip() {
    let mut bytes = vec![0xaa];
    let header = Header::new(PayloadType::PCMA, SequenceNumber(0xfffe), Timestamp(9), Ssrc(77)).with_marker();
    let mut builder = PacketBuilder::new(&mut bytes, header, &[Ssrc(1), Ssrc(2)], ExtensionForm::OneByte);
    let id = ExtensionId::new(3).expect("not zero");
    builder.extension_bytes(id, &[1, 2, 3]).expect("fits");
    let header_len = builder.finish();
    assert_eq!(header_len, 12 + 8 + 4 + 4);
    bytes.extend_from_slice(&[9, 9, 9, 0, 2]);
    bytes[1] |= 0x20;

    let view = HeaderView::parse(&bytes[1..]).expect("well-formed");
    assert_eq!(view.header(), header);
    assert_eq!(view.csrcs().collect::<Vec<_>>(), [Ssrc(1), Ssrc(2)]);
    assert_eq!(view.extensions().element(id), Some(&[1, 2, 3][..]));
    assert_eq!(view.payload(), [9, 9, 9]);
    assert_eq!((view.header_len(), view.padding_len()), (header_len, 2));

    let shared = Bytes::copy_from_slice(&bytes[1..]);
    let packet = Packet::parse(&shared).expect("well-formed");
    assert_eq!(packet.header, header);
    assert_eq!(packet.csrcs().collect::<Vec<_>>(), [Ssrc(1), Ssrc(2)]);
    assert_eq!(packet.extensions().element(id), Some(&[1, 2, 3][..]));
    assert_eq!(packet.payload.as_ptr(), shared[header_len..].as_ptr(), "a slice, not a copy");
    assert_eq!(packet.padding_len(), 2);
}

/// Users 60: 0 to 11 bytes.
#[test]
fn users_60_every_truncation_of_the_fixed_header_is_refused() {
    for len in 0..FIXED.len() {
        assert!(matches!(HeaderView::parse(&FIXED[..len]), Err(ParseError::Truncated { .. })), "{len}");
    }
    assert!(HeaderView::parse(&FIXED).is_ok_and(|view| view.payload().is_empty()));
}

#[test]
fn rtp_version_2_else_drop() {
    for version in [0, 1, 3_u8] {
        assert_eq!(
            HeaderView::parse(&with_first(version << 6, &[])).err(),
            Some(ParseError::invalid("version", 0))
        );
    }
}

/// Users 60: more contributing sources than bytes.
#[test]
fn users_60_csrc_count_lies_are_refused() {
    for count in 1..=15_u8 {
        let needed = 4 * usize::from(count);
        assert!(HeaderView::parse(&with_first(0x80 | count, &vec![0; needed - 1])).is_err(), "{count}");
        let packet = with_first(0x80 | count, &vec![0; needed]);
        assert_eq!(HeaderView::parse(&packet).map(|view| view.csrcs().count()), Ok(usize::from(count)));
    }
}

/// T-S10 and users 60: every length field of an extension, against every amount of data up to 64 bytes.
#[test]
fn t_s10_extension_length_lies_are_refused() {
    for words in (0..=64_u16).chain([255, 256, 16_383, 16_384, 32_768, 65_535]) {
        for available in 0..=64_usize {
            let mut tail = vec![0xbe, 0xde];
            tail.extend_from_slice(&words.to_be_bytes());
            tail.resize(4 + available, 0);
            let fits = 4 * usize::from(words) <= available;
            let packet = with_first(0x90, &tail);
            assert_eq!(HeaderView::parse(&packet).is_ok(), fits, "{words} words in {available} bytes");
        }
    }
    for len in 0..4 {
        assert!(HeaderView::parse(&with_first(0x90, &[0xbe, 0xde, 0][..len.min(3)])).is_err());
    }
}

/// T-S09 and users 60: the padding count is zero, fits, fills the payload, exceeds it, or has no byte to be in.
#[test]
fn t_s09_padding_counts() {
    for len in 0..=255_usize {
        for count in 0..=255_u8 {
            let mut tail = vec![0; len];
            if let Some(last) = tail.last_mut() {
                *last = count;
            }
            let packet = with_first(0xa0, &tail);
            let parsed = HeaderView::parse(&packet).map(|view| view.payload().len());
            let fits = len > 0 && count > 0 && usize::from(count) <= len;
            assert_eq!(parsed.ok(), fits.then(|| len - usize::from(count)), "{count} of {len}");
        }
    }
}

#[test]
fn t_s09_padding_that_reaches_into_the_extension_is_refused() {
    let packet = with_first(0xb0, &[0xbe, 0xde, 0, 1, 0, 0, 0, 0, 0, 3]);
    assert_eq!(HeaderView::parse(&packet).err(), Some(ParseError::invalid("padding", 21)));
}

/// RFC 5761 §4.
#[test]
fn rtcp_mux_demux_192_223() {
    for second in 0..=255_u8 {
        assert_eq!(is_rtcp(&[0x80, second]), (192..=223).contains(&second));
    }
    assert!(!is_rtcp(&[0x80]));
}
