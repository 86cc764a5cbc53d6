use rtp::Timestamp;

use super::*;

fn frame(len: usize, kind: FrameKind) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..len).map(|byte| (byte * 31) as u8).collect();
    frame[0] = if kind == FrameKind::Key { 0x10 } else { 0x11 };
    frame
}

fn packets(packetizer: &mut Vp8Packetizer, frame: &[u8], max: usize) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    packetizer.packetize(frame, max, &mut pieces).expect("a frame");
    let mut packets = vec![Vec::new()];
    for piece in &pieces {
        let packet = packets.last_mut().expect("one at least");
        piece.write(frame, packet);
        if piece.is_last() {
            packets.push(Vec::new());
        }
    }
    assert!(packets.pop().is_some_and(|rest| rest.is_empty()));
    packets
}

fn push(
    depacketizer: &mut Vp8Depacketizer,
    payload: &[u8],
    is_last: bool,
) -> Result<Option<Frame>, PayloadError> {
    let mut packet = Packet::new(Bytes::copy_from_slice(payload), Timestamp(0));
    packet.marker = is_last;
    depacketizer.push(packet)
}

/// T-S13: cut, lose nothing, join: the same frame, for every size of packet.
#[test]
fn t_s13_round_trip_for_every_packet_size() {
    let mut packetizer = Vp8Packetizer::new(0x7ffe);
    let mut depacketizer = Vp8Depacketizer::new(1 << 20);
    for max in 50..=1_500 {
        for (len, kind) in [
            (1, FrameKind::Delta),
            (max - 4, FrameKind::Key),
            (max - 3, FrameKind::Delta),
            (2 * max, FrameKind::Key),
        ] {
            let frame = frame(len, kind);
            let packets = packets(&mut packetizer, &frame, max);
            assert_eq!(packets.len(), len.div_ceil(max - 4));
            for (index, packet) in packets.iter().enumerate() {
                assert!(packet.len() <= max);
                let is_last = index + 1 == packets.len();
                assert!(
                    is_last || packet.len() == packets[0].len(),
                    "equal lengths for segmentation offload"
                );
                assert_eq!(begins(packet), (index == 0).then_some(kind));
                let joined = push(&mut depacketizer, packet, is_last).expect("well-formed");
                assert_eq!(joined, is_last.then(|| Frame::new(Bytes::from(frame.clone()), kind)));
            }
        }
    }
}

/// RFC 7741 §4.2: `vp8_descriptor_s_bit_pid_pictureid_tl0`.
#[test]
fn vp8_descriptor_with_all_fields() {
    let payload = [0xf0, 0xf0, 0x81, 0x02, 9, 0xa5, 0];
    let descriptor = Descriptor::parse(&payload).expect("well-formed");
    assert!(descriptor.non_reference && descriptor.begins_frame() && descriptor.layer_sync);
    assert_eq!(descriptor.picture_id, Some(0x102));
    assert_eq!(
        (descriptor.tl0_index, descriptor.temporal_layer, descriptor.key_index),
        (Some(9), Some(2), Some(5))
    );
    assert_eq!(descriptor.len, 6);
    let short = Descriptor::parse(&[0x80, 0x80, 0x7f, 0]).expect("seven bits");
    assert_eq!((short.picture_id, short.len), (Some(0x7f), 3));
}

#[test]
fn picture_identifiers_increase_by_one_and_wrap() {
    let mut packetizer = Vp8Packetizer::new(0x7fff);
    let ids: Vec<_> = (0..3)
        .map(|_| {
            let packets = packets(&mut packetizer, &frame(100, FrameKind::Delta), 60);
            let ids: Vec<_> = packets.iter().map(|p| Descriptor::parse(p).map(|d| d.picture_id)).collect();
            assert_eq!(ids[0], ids[1]);
            ids[0]
        })
        .collect();
    assert_eq!(ids, [Ok(Some(0x7fff)), Ok(Some(0)), Ok(Some(1))]);
}

/// T-S13 and users 62: every descriptor cut everywhere is an error; none of them panics.
#[test]
fn t_s13_payloads_shorter_than_the_descriptor() {
    for first in 0..=255_u8 {
        for extension in (0..=255_u8).step_by(16) {
            let payload = [first, extension, 0x80, 1, 2, 3, 0x10];
            let whole = Descriptor::parse(&payload).expect("long enough").len;
            for len in 0..=whole {
                let error = if len == 0 { PayloadError::Empty } else { PayloadError::Truncated };
                assert_eq!(Descriptor::parse(&payload[..len]), Err(error), "{first:x} {extension:x} {len}");
                assert!(push(&mut Vp8Depacketizer::new(100), &payload[..len], true).is_err());
            }
        }
    }
}

#[test]
fn users_62_wrong_starts_are_errors_and_after_a_loss_are_passed_over() {
    let mut depacketizer = Vp8Depacketizer::new(100);
    assert_eq!(push(&mut depacketizer, &[0x00, 7], true), Err(PayloadError::Unexpected));
    assert_eq!(push(&mut depacketizer, &[0x00, 7], true), Ok(None), "lost: passed over");
    assert_eq!(push(&mut depacketizer, &[0x10, 0x10], false), Ok(None));
    assert!(push(&mut depacketizer, &[0x10, 0x10], false).is_err(), "second start");
    assert_eq!(push(&mut depacketizer, &[0x10, 0x10], false), Ok(None));
    assert_eq!(push(&mut depacketizer, &[0x11, 2], false), Ok(None), "second partition");
    assert_eq!(push(&mut depacketizer, &[0x00; 200], true), Err(PayloadError::TooLarge));
    assert_eq!(depacketizer.finish(), None);
    assert_eq!(push(&mut depacketizer, &[0x10, 0x11], false), Ok(None));
    assert_eq!(depacketizer.finish(), Some(Frame::new(Bytes::from_static(&[0x11]), FrameKind::Delta)));
}

#[test]
fn frames_that_cannot_be_cut_are_refused() {
    let mut pieces = Vec::new();
    let mut packetizer = Vp8Packetizer::new(0);
    assert_eq!(packetizer.packetize(&[], 100, &mut pieces), Err(PacketizeError::Empty));
    assert_eq!(packetizer.packetize(&[1], 4, &mut pieces), Err(PacketizeError::TooLarge));
    assert!(pieces.is_empty());
}
