use proptest::prelude::*;
use rtp::Timestamp;

use super::*;

fn unit(header: u8, len: usize) -> Vec<u8> {
    let mut unit = vec![header];
    unit.extend((1..len).map(|byte| (byte % 251) as u8 | 0x80));
    unit
}

fn frame(units: &[Vec<u8>]) -> Vec<u8> {
    units.iter().flat_map(|unit| START_CODE.iter().chain(unit)).copied().collect()
}

fn packets(mode: H264Mode, frame: &[u8], max: usize) -> Result<Vec<Vec<u8>>, PacketizeError> {
    let mut pieces = Vec::new();
    H264Packetizer::new(mode).packetize(frame, max, &mut pieces)?;
    let mut packets = vec![Vec::new()];
    for piece in &pieces {
        piece.write(frame, packets.last_mut().expect("one at least"));
        if piece.is_last() {
            packets.push(Vec::new());
        }
    }
    assert!(packets.pop().is_some_and(|rest| rest.is_empty()));
    Ok(packets)
}

fn push(
    depacketizer: &mut H264Depacketizer,
    payload: &[u8],
    is_last: bool,
) -> Result<Option<Frame>, PayloadError> {
    let mut packet = Packet::new(Bytes::copy_from_slice(payload), Timestamp(0));
    packet.marker = is_last;
    depacketizer.push(packet)
}

fn join(packets: &[Vec<u8>]) -> Frame {
    let mut depacketizer = H264Depacketizer::new(1 << 20);
    for (index, packet) in packets.iter().enumerate() {
        let is_last = index + 1 == packets.len();
        if let Some(frame) = push(&mut depacketizer, packet, is_last).expect("well-formed") {
            assert!(is_last);
            return frame;
        }
    }
    panic!("no frame");
}

/// T-S13: cut, lose nothing, join: the same access unit, for every size of packet.
#[test]
fn t_s13_round_trip_for_every_packet_size() {
    for max in 50..=1_500 {
        let key = frame(&[unit(0x67, 20), unit(0x68, 5), unit(0x65, 2 * max), unit(0x65, max)]);
        let cut = packets(H264Mode::NonInterleaved, &key, max).expect("can be cut");
        assert!(cut.iter().all(|packet| packet.len() <= max));
        assert_eq!(cut[0][0], 0x60 | nal::STAP_A, "parameter sets travel together");
        assert_eq!(begins(&cut[0]), Some(FrameKind::Key));
        assert_eq!(join(&cut), Frame::new(Bytes::from(key), FrameKind::Key));
        for len in [max + 1, max + 2] {
            let delta = frame(&[unit(0x41, len)]);
            let cut = packets(H264Mode::NonInterleaved, &delta, max).expect("can be cut");
            assert_eq!(join(&cut), Frame::new(Bytes::from(delta), FrameKind::Delta));
        }
    }
}

/// RFC 6184 §6.2: no aggregation, no fragments.
#[test]
fn single_nal_mode_is_one_unit_per_packet() {
    let access_unit = frame(&[unit(0x67, 20), unit(0x68, 5), unit(0x65, 100)]);
    let cut = packets(H264Mode::SingleNal, &access_unit, 100).expect("all fit");
    assert_eq!(cut.iter().map(|packet| packet[0]).collect::<Vec<_>>(), [0x67, 0x68, 0x65]);
    assert_eq!(join(&cut).payload, access_unit);
    assert_eq!(packets(H264Mode::SingleNal, &access_unit, 99), Err(PacketizeError::TooLarge));
}

/// RFC 6184 §5.8: S on the first, E on the last, never both; the header's bits are kept.
#[test]
fn fragments_have_a_start_and_an_end() {
    let access_unit = frame(&[unit(0x65, 101)]);
    let cut = packets(H264Mode::NonInterleaved, &access_unit, 100).expect("can be cut");
    let headers: Vec<_> = cut.iter().map(|packet| [packet[0], packet[1]]).collect();
    assert_eq!(headers, [[0x7c, 0x85], [0x7c, 0x45]]);
}

#[test]
fn start_codes_of_three_and_four_bytes_and_zeros_between() {
    let stream = [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 0, 0, 1, 0x68, 0, 0, 3, 0, 0, 1, 0x65, 9, 0];
    let units: Vec<_> = nal_units(&stream).map(|(start, end)| stream[start..end].to_vec()).collect();
    assert_eq!(units, [vec![0x67, 1], vec![0x68, 0, 0, 3], vec![0x65, 9]]);
    assert_eq!(nal_units(&[0x67, 1, 2]).count(), 0);
    assert_eq!(nal_units(&[0, 0, 1, 0, 0, 1]).count(), 0);
}

#[test]
fn what_is_no_access_unit_is_refused() {
    let cut = |frame: &[u8]| packets(H264Mode::NonInterleaved, frame, 100);
    assert_eq!(cut(&[]), Err(PacketizeError::Empty));
    assert_eq!(cut(&[0x65, 1, 2]), Err(PacketizeError::Malformed));
    assert_eq!(cut(&frame(&[unit(0x78, 9)])), Err(PacketizeError::Malformed), "a STAP-A is not the codec's");
    assert_eq!(packets(H264Mode::NonInterleaved, &frame(&[unit(0x65, 9)]), 2), Err(PacketizeError::TooLarge));
}

/// T-S13 and users 62: empty, one byte, aggregations that read too far, fragments without parts.
#[test]
fn users_62_malformed_payloads_are_errors() {
    let cases: &[(&[u8], PayloadError)] = &[
        (&[], PayloadError::Empty),
        (&[0x78], PayloadError::Truncated),
        (&[0x78, 0], PayloadError::Truncated),
        (&[0x78, 0, 2, 0x67], PayloadError::Truncated),
        (&[0x78, 0xff, 0xff, 0x67, 1], PayloadError::Truncated),
        (&[0x78, 0, 1, 0x67, 0], PayloadError::Truncated),
        (&[0x78, 0, 0], PayloadError::Invalid("empty unit in an aggregation")),
        (&[0x78, 0, 1, 0x78], PayloadError::Invalid("NAL unit type within a packet")),
        (&[0x7c], PayloadError::Truncated),
        (&[0x7c, 0x85], PayloadError::Truncated),
        (&[0x7c, 0xc5, 1], PayloadError::Invalid("fragment that is start and end")),
        (&[0x7c, 0x05, 1], PayloadError::Unexpected),
        (&[0x7c, 0x9c, 1], PayloadError::Invalid("NAL unit type of a fragment")),
        (&[0x79, 0, 0, 0, 1, 0x67], PayloadError::Unsupported("interleaved mode")),
        (&[0x7a, 1], PayloadError::Unsupported("interleaved mode")),
        (&[0x7b, 1], PayloadError::Unsupported("interleaved mode")),
        (&[0x7d, 1], PayloadError::Unsupported("interleaved mode")),
        (&[0x60, 1], PayloadError::Invalid("NAL unit type")),
        (&[0x7e, 1], PayloadError::Invalid("NAL unit type")),
        (&[0x7f, 1], PayloadError::Invalid("NAL unit type")),
    ];
    for (payload, error) in cases {
        let mut depacketizer = H264Depacketizer::new(100);
        assert_eq!(push(&mut depacketizer, payload, true), Err(*error), "{payload:x?}");
        assert_eq!(depacketizer.finish(), None);
    }
}

#[test]
fn a_fragment_that_changes_or_never_ends_is_an_error() {
    let mut depacketizer = H264Depacketizer::new(100);
    let mut expect = |payload: &[u8], is_last, expected: Result<(), PayloadError>| {
        assert_eq!(push(&mut depacketizer, payload, is_last).map(|frame| assert!(frame.is_none())), expected);
    };
    expect(&[0x7c, 0x85, 0x88], false, Ok(()));
    expect(&[0x7c, 0x41, 1], false, Err(PayloadError::Invalid("type changed within a fragmented unit")));
    expect(&[0x7c, 0x85, 0x88], false, Ok(()));
    expect(&[0x41, 0x9a], false, Err(PayloadError::Invalid("another packet within a fragmented unit")));
    expect(&[0x7c, 0x85, 0x88], false, Ok(()));
    expect(&[0x7c, 0x85, 0x88], false, Err(PayloadError::Invalid("second start of a fragmented unit")));
    expect(&[0x7c, 0x85, 0x88], true, Err(PayloadError::Truncated));
    expect(&[0x7c, 0x85, 0x88], false, Ok(()));
    expect(&[[0x7c, 0x05].as_slice(), &[9; 100]].concat(), false, Err(PayloadError::TooLarge));
}

/// After a loss nothing is given out before a payload that begins an access unit.
#[test]
fn after_a_loss_the_rest_of_the_frame_is_passed_over() {
    let mut depacketizer = H264Depacketizer::new(1_000);
    assert!(!depacketizer.lost());
    assert_eq!(push(&mut depacketizer, &[0x7c, 0x41, 9], true), Ok(None), "end of a fragmented unit");
    assert_eq!(push(&mut depacketizer, &[0x41, 0x40], true), Ok(None), "a slice that is not the first");
    assert_eq!(push(&mut depacketizer, &[0x68, 1], false), Ok(None), "parameters may have been lost before");
    let frame = push(&mut depacketizer, &[0x41, 0x9a], true).expect("well-formed").expect("a frame");
    assert_eq!(frame.payload, [START_CODE, &[0x41, 0x9a]].concat());
}

proptest! {
    /// No payloads whatsoever make it panic, or give a frame larger than allowed.
    #[test]
    fn t_s13_any_payloads(payloads in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), any::<bool>()), 1..20)) {
        let mut depacketizer = H264Depacketizer::new(64);
        for (payload, is_last) in payloads {
            let _ = begins(&payload);
            if let Ok(Some(frame)) = push(&mut depacketizer, &payload, is_last) {
                prop_assert!(frame.payload.len() <= 64);
                prop_assert!(nal_units(&frame.payload).count() > 0);
            }
        }
    }
}
