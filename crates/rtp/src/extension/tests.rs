use std::time::Duration;

use super::*;
use crate::ntp::NtpTime;
use crate::numbers::SequenceNumber;

fn id(value: u8) -> ExtensionId {
    ExtensionId::new(value).expect("not zero")
}

fn elements(profile: u16, data: &[u8]) -> Vec<(u8, Vec<u8>)> {
    Extensions::new(profile, data).into_iter().map(|(id, data)| (id.value(), data.to_vec())).collect()
}

/// The example of RFC 8285 §4.2.
#[test]
fn hdrext_one_byte_example() {
    let data = [0x10, 0xaa, 0x21, 0xbb, 0xbb, 0, 0, 0x33, 1, 2, 3, 4];
    assert_eq!(elements(0xbede, &data), [(1, vec![0xaa]), (2, vec![0xbb; 2]), (3, vec![1, 2, 3, 4])]);
}

/// The example of RFC 8285 §4.3.
#[test]
fn hdrext_two_byte_example() {
    let data = [1, 0, 2, 1, 0xaa, 0, 3, 4, 1, 2, 3, 4];
    assert_eq!(elements(0x1000, &data), [(1, vec![]), (2, vec![0xaa]), (3, vec![1, 2, 3, 4])]);
}

/// T-S10: every profile number; only 0xBEDE and 0x100X have elements.
#[test]
fn t_s10_every_profile_value() {
    for profile in 0..=u16::MAX {
        let found = elements(profile, &[0x11, 0x01, 0x02, 0]);
        match profile {
            0xbede => assert_eq!(found, [(1, vec![1, 2])]),
            0x1000..=0x100f => assert_eq!(found, [(0x11, vec![2])]),
            _ => assert!(found.is_empty(), "{profile:#x}"),
        }
    }
}

/// T-S10, RFC 8285 §4.2: 15 ends the block, whatever follows.
#[test]
fn t_s10_hdrext_id15_terminates() {
    assert_eq!(elements(0xbede, &[0x10, 1, 0xf0, 2, 0x20, 3]), [(1, vec![1])]);
    assert_eq!(elements(0x1000, &[15, 1, 9]), [(15, vec![9])], "an ordinary identifier in two-byte form");
}

/// T-S10: identifier 0 with a length is skipped with its data.
#[test]
fn t_s10_hdrext_id0_padding() {
    assert_eq!(elements(0xbede, &[0x01, 0x50, 0x50, 0x20, 3]), [(2, vec![3])]);
    assert_eq!(elements(0x1000, &[0, 0, 0, 2, 1, 3]), [(2, vec![3])]);
}

/// T-S10: a length past the end ends the walk, and the walk stays ended.
#[test]
fn t_s10_length_past_the_end() {
    for len in 0..16_u8 {
        let data = [0x10, 7, 0x20 | len, 1, 2, 3];
        let expected = if len < 3 { 2 } else { 1 };
        assert!(elements(0xbede, &data).len() >= expected);
        let mut walk = Extensions::new(0xbede, &data).into_iter();
        while walk.next().is_some() {}
        assert_eq!(walk.next(), None);
    }
    for len in 0..=255_u8 {
        let data = [1, len, 0, 0, 0, 0, 0, 0];
        assert_eq!(elements(0x1000, &data).len(), usize::from(len <= 6), "{len}");
    }
}

#[test]
fn t_s10_the_first_of_duplicates_counts() {
    let data = [0x10, 1, 0x10, 2];
    assert_eq!(Extensions::new(0xbede, &data).element(id(1)), Some(&[1][..]));
    assert_eq!(elements(0xbede, &data).len(), 2);
}

fn round_trip<T: ExtensionValue + PartialEq + std::fmt::Debug>(value: &T, bytes: &[u8]) {
    let mut out = Vec::new();
    value.write(&mut out);
    assert_eq!(out, bytes);
    assert_eq!(value.encoded_len(), bytes.len());
    assert_eq!(T::parse(&out).as_ref(), Some(value));
    assert_eq!(T::parse(&[]), None);
}

#[test]
fn values_go_there_and_back() {
    round_trip(&AudioLevel::new(5, VoiceActivity::Active), &[0x85]);
    round_trip(&AudioLevel::silence(), &[0x7f]);
    round_trip(&CsrcAudioLevels::new(&[1, 200]), &[1, 127]);
    round_trip(&TransportSequence(SequenceNumber(0xabcd)), &[0xab, 0xcd]);
    round_trip(&AbsSendTime::from_ntp(NtpTime(0x1_8000_0000)), &[0x06, 0, 0]);
    round_trip(&TransmissionOffset::new(-1), &[0xff; 3]);
    round_trip(&TransmissionOffset::new(i32::MAX), &[0x7f, 0xff, 0xff]);
    round_trip(&Mid::new("0").expect("a token"), b"0");
    round_trip(&Rid::new("hi-2_a").expect("allowed"), b"hi-2_a");
    round_trip(&RepairedRid(Rid::new("f").expect("allowed")), b"f");
    let delay = PlayoutDelay::new(Duration::from_millis(105), Duration::from_secs(100)).expect("in order");
    round_trip(&delay, &[0x00, 0xaf, 0xff]);
    assert_eq!((delay.min(), delay.max()), (Duration::from_millis(100), Duration::from_millis(40_950)));
    round_trip(
        &VideoOrientation { flipped: true, ..VideoOrientation::new(Rotation::ThreeQuarters) },
        &[0x07],
    );
    round_trip(&AbsCaptureTime::new(NtpTime(1)), &[0, 0, 0, 0, 0, 0, 0, 1]);
    let offset = AbsCaptureTime { clock_offset: Some(-1), ..AbsCaptureTime::new(NtpTime(0)) };
    round_trip(&offset, &[0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
}

#[test]
fn malformed_values_are_refused() {
    assert_eq!(AbsSendTime::parse(&[1, 2]), None);
    assert_eq!(AbsSendTime::parse(&[1, 2, 3, 4]), None);
    assert_eq!(AbsCaptureTime::parse(&[0; 9]), None);
    assert_eq!(PlayoutDelay::parse(&[0xff, 0xf0, 0]), None);
    assert_eq!(PlayoutDelay::new(Duration::from_secs(1), Duration::ZERO), None);
    assert_eq!(TransportSequence::parse(&[1]), None);
    assert_eq!(CsrcAudioLevels::parse(&[0; 16]), None);
    assert_eq!(Mid::parse(b"a b"), None);
    assert_eq!(Mid::parse(&[0xff]), None);
    assert_eq!(Mid::parse(&[b'a'; 65]), None);
    assert!(Mid::parse(&[b'a'; 64]).is_some());
    assert_eq!(Rid::new(""), None);
    assert_eq!(Rid::new("a.b"), None);
}

#[test]
fn rotation_in_degrees() {
    let all = [0, 1, 2, 3].map(|bits| VideoOrientation::parse(&[bits]).map(|value| value.rotation.degrees()));
    assert_eq!(all, [Some(0), Some(90), Some(180), Some(270)]);
}

#[test]
fn the_map_goes_both_ways_and_an_identifier_has_one_meaning() {
    let mut map = ExtensionMap::new().with(ExtensionKind::Mid, id(4)).with(ExtensionKind::Rid, id(10));
    assert_eq!(map.id(ExtensionKind::Mid), Some(id(4)));
    assert_eq!(map.kind(id(10)), Some(ExtensionKind::Rid));
    map.insert(ExtensionKind::AudioLevel, id(4));
    assert_eq!(map.id(ExtensionKind::Mid), None);
    map.remove(ExtensionKind::Rid);
    assert_eq!(map.iter().collect::<Vec<_>>(), [(ExtensionKind::AudioLevel, id(4))]);
    for kind in ExtensionKind::ALL {
        assert_eq!(ExtensionKind::from_uri(kind.uri()), Some(*kind));
    }
    assert_eq!(ExtensionKind::from_uri("urn:example"), None);
}
