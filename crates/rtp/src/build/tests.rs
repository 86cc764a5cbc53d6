use super::*;
use crate::{AudioLevel, HeaderView, Mid, PayloadType, SequenceNumber, Timestamp, TransportSequence};

fn header() -> Header {
    Header::new(PayloadType::PCMU, SequenceNumber(1), Timestamp(2), Ssrc(3))
}

fn id(value: u8) -> ExtensionId {
    ExtensionId::new(value).expect("not zero")
}

#[test]
fn without_elements_there_is_no_extension() {
    let mut out = Vec::new();
    assert_eq!(PacketBuilder::new(&mut out, header(), &[], ExtensionForm::OneByte).finish(), 12);
    assert_eq!(out, [0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
}

/// T-S10: writing what does not fit appends nothing and leaves the packet as it was.
#[test]
fn t_s10_elements_that_do_not_fit_are_refused_whole() {
    for form in [ExtensionForm::OneByte, ExtensionForm::TwoByte] {
        for id_value in 1..=255_u8 {
            for len in [0, 1, 2, 15, 16, 17, 255, 256] {
                let mut out = vec![0x55];
                let mut builder = PacketBuilder::new(&mut out, header(), &[], form);
                let written = builder.extension_bytes(id(id_value), &vec![7; len]);
                let header_len = builder.finish();
                assert_eq!(written, form.check(id(id_value), len));
                assert_eq!(out[0], 0x55);
                let view = HeaderView::parse(&out[1..]).expect("well-formed either way");
                assert_eq!(view.header_len(), header_len);
                match written {
                    Ok(()) => assert_eq!(view.extensions().element(id(id_value)), Some(&vec![7; len][..])),
                    Err(_) => assert_eq!(header_len, 12),
                }
            }
        }
    }
}

#[test]
fn a_refused_element_leaves_its_neighbours() {
    let mut out = Vec::new();
    let mut builder = PacketBuilder::new(&mut out, header(), &[], ExtensionForm::OneByte);
    builder.extension(id(1), &AudioLevel::silence()).expect("fits");
    let long = Mid::new("a-name-of-more-than-sixteen-bytes").expect("a token");
    assert_eq!(builder.extension(id(2), &long), Err(ExtensionError::Length));
    builder.extension(id(3), &TransportSequence(SequenceNumber(9))).expect("fits");
    assert_eq!(builder.finish(), 24);
    let view = HeaderView::parse(&out).expect("well-formed");
    let found: Vec<_> = view.extensions().into_iter().map(|(id, data)| (id.value(), data.to_vec())).collect();
    assert_eq!(found, [(1, vec![0x7f]), (3, vec![0, 9])]);
}

#[test]
fn a_block_that_would_overflow_its_length_is_full() {
    let mut out = Vec::new();
    let mut builder = PacketBuilder::new(&mut out, header(), &[], ExtensionForm::TwoByte);
    let mut result = Ok(());
    let mut count = 0;
    while result.is_ok() {
        result = builder.extension_bytes(id(1), &[0; 255]);
        count += 1;
    }
    assert_eq!((result, count), (Err(ExtensionError::Full), 4 * 65_535 / 257 + 1));
    let _ = builder.finish();
    assert!(HeaderView::parse(&out).is_ok());
}

#[test]
fn sixteen_contributing_sources_become_fifteen() {
    let mut out = Vec::new();
    let csrcs: Vec<Ssrc> = (0..16).map(Ssrc).collect();
    let _ = PacketBuilder::new(&mut out, header(), &csrcs, ExtensionForm::OneByte).finish();
    assert_eq!(HeaderView::parse(&out).map(|view| view.csrcs().count()), Ok(15));
}
