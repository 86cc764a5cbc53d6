//! Peers that mean harm, behind a valid key.

use std::time::Duration;

use bytes::BytesMut;
use media::{Codec, Delivery, Event};
use rtp::rtcp::{BitrateEntry, Bye, Fir, FirEntry, Remb, Tmmbr, TransportFeedbackBuilder};
use rtp::{Header, PacketBuilder, SequenceNumber, Ssrc, Timestamp};

use crate::pair::*;

fn packet(payload_type: u8, number: u16, ssrc: u32, payload: &[u8]) -> BytesMut {
    let header = Header::new(pt(payload_type), SequenceNumber(number), Timestamp(9), Ssrc(ssrc));
    let mut out = Vec::new();
    let mut builder = PacketBuilder::new(&mut out, header, &[], rtp::ExtensionForm::OneByte);
    let id = extensions().id(rtp::ExtensionKind::Mid).expect("in use");
    builder.extension(id, &mid("v")).expect("fits");
    let _ = builder.finish();
    out.extend_from_slice(payload);
    BytesMut::from(&out[..])
}

/// T-S14: retransmissions of 0, 1 and 2 bytes, of what is far away, and of retransmissions.
#[test]
fn t_s14_malformed_retransmissions() {
    let mut pair = Pair::new(1);
    let receiver =
        pair.engines[B].add_receiver(pair.now, video_in(Codec::Vp8).with_delivery(Delivery::Packets));
    let engine = &mut pair.engines[B];
    engine.handle_rtp(pair.now, pair.now, packet(97, 1, 0x71, &[0, 1, 2]));
    assert_eq!(engine.stats().orphan_retransmissions, 1, "nothing to repeat yet");
    engine.handle_rtp(pair.now, pair.now, packet(96, 100, 0x70, &[0x10, 0x10]));
    for (number, payload) in
        [&[][..], &[0], &[0, 99], &[0xf0, 0, 1], &[0, 98, 0, 97, 0x10]].into_iter().enumerate()
    {
        engine.handle_rtp(pair.now, pair.now, packet(97, 2 + number as u16, 0x71, payload));
    }
    let mut numbers = Vec::new();
    while let Some(packet) = engine.recv_packet(receiver) {
        numbers.push((packet.packet.header.sequence_number.0, packet.packet.payload.len()));
    }
    assert_eq!(
        numbers,
        [(100, 2), (98, 3)],
        "what is repeated is not unwrapped twice, and padding is not given out"
    );
}

/// Users 60 and 61: no truncation of a real packet is taken for more than it is.
#[test]
fn users_60_61_truncated_packets() {
    let mut pair = Pair::new(2);
    pair.links[A].loss = 3;
    let (sender, receiver) = pair.video(Codec::Vp8);
    for number in 0..60 {
        pair.frame(sender, u64::from(number) * 3_000, vp8(number, 2_000, number == 0));
        pair.run(33 * MS, Some(receiver));
    }
    let log = std::mem::take(&mut pair.log);
    for (_, from, sent) in log.iter().step_by(5) {
        let engine = &mut pair.engines[1 - from];
        match sent {
            Sent::Rtp(bytes) => (0..bytes.len()).step_by(7).for_each(|len| {
                engine.handle_rtp(pair.now, pair.now, BytesMut::from(&bytes[..len]));
            }),
            Sent::Rtcp(bytes) => (0..bytes.len()).for_each(|len| engine.handle_rtcp(pair.now, &bytes[..len])),
        }
    }
    pair.run(Duration::from_secs(1), Some(receiver));
    assert!(pair.engines[B].stats().malformed_rtp > 0);
    assert!(pair.engines[A].stats().malformed_rtcp > 0);
}

/// T-S11: feedback about packets that were never sent, and about all of them at once, over and over.
#[test]
fn t_s11_absurd_feedback() {
    let mut pair = Pair::new(3);
    let (sender, _) = pair.video(Codec::Vp8);
    pair.frame(sender, 0, vp8(0, 100_000, true));
    pair.drops = [|_, _| true; 2];
    pair.run(MS, None);
    let mut builder = TransportFeedbackBuilder::new();
    for base in (0..=u16::MAX).step_by(257) {
        let mut report = Vec::new();
        builder.start(SequenceNumber(base), i64::from(base) * 1_000_003, 1_200);
        let _ = builder.push(SequenceNumber(base), i64::from(base) * 1_000_003);
        let _ = builder.push(SequenceNumber(base.wrapping_add(32_000)), i64::from(base) * 1_000_003 - 9);
        builder.write(&mut report, Ssrc(1), Ssrc(2), 0);
        pair.engines[A].handle_rtcp(pair.now, &report);
    }
    let stats = pair.engines[A].stats();
    assert_eq!(stats.feedback_received, 256);
    assert!(stats.packets_acknowledged + stats.packets_reported_lost <= 100);
}

/// Events that nobody fetches are bounded, and what must not be lost is not.
#[test]
fn floods_of_rtcp_are_bounded() {
    let mut pair = Pair::new(4);
    let sender = pair.engines[A].add_sender(pair.now, video_out(Codec::Vp8));
    for sequence in 0..10_000_u32 {
        let mut out = Vec::new();
        Remb::write(&mut out, Ssrc(1), u64::from(sequence), &[]);
        Tmmbr::write(&mut out, Ssrc(1), &[BitrateEntry::new(Ssrc(0xa0), 5, 0)]);
        Fir::write(&mut out, Ssrc(1), &[FirEntry::new(Ssrc(0xa0), sequence as u8)]);
        Bye::write(&mut out, &[Ssrc(sequence); 31]);
        pair.engines[A].handle_rtcp(pair.now, &out);
    }
    assert!(pair.engines[A].stats().events_dropped > 10_000);
    let mut events = Vec::new();
    while let Some(event) = pair.engines[A].poll_event() {
        events.push(event);
    }
    assert!(events.len() <= 1_100);
    assert_eq!(events.iter().filter(|event| **event == Event::KeyFrameRequested(sender)).count(), 1);
}

/// A hole of thousands of packets is not asked for packet by packet; a key frame is.
#[test]
fn a_hole_larger_than_the_list_asks_for_a_key_frame() {
    let mut pair = Pair::new(5);
    let receiver = pair.engines[B].add_receiver(pair.now, video_in(Codec::Vp8));
    pair.drops[B] = |_, _| true;
    pair.engines[B].handle_rtp(pair.now, pair.now, packet(96, 0, 0x70, &[0x10, 0x10]));
    pair.engines[B].handle_rtp(pair.now, pair.now, packet(96, 2_500, 0x70, &[0x10, 0x11]));
    pair.run(100 * MS, Some(receiver));
    let stats = pair.engines[B].receiver_stats(receiver).expect("a receiver");
    assert_eq!((stats.nack_count, stats.pli_count), (0, 1));
}

/// Frames far larger than allowed do not grow without end.
#[test]
fn a_frame_without_end_is_given_up() {
    let mut pair = Pair::new(6);
    let receiver = pair.engines[B].add_receiver(pair.now, video_in(Codec::Vp8));
    let mut first = vec![0x10; 1_001];
    first[1] = 0x10;
    pair.engines[B].handle_rtp(pair.now, pair.now, packet(96, 0, 0x70, &first));
    for number in 1..6_000_u16 {
        let payload = [0; 1_001];
        pair.engines[B].handle_rtp(pair.now, pair.now, packet(96, number, 0x70, &payload));
    }
    pair.run(100 * MS, Some(receiver));
    let stats = pair.engines[B].receiver_stats(receiver).expect("a receiver");
    assert_eq!((stats.payload_errors, stats.gaps, stats.frames), (1, 1, 0));
}
