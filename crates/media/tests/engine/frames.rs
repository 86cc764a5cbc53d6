//! Frames in, frames out.

use std::collections::BTreeSet;
use std::time::Duration;

use media::{Codec, Delivery, EncodedFrame, Event, FrameKind, MediaTime, PacketToSend, SendStreamConfig};
use rtp::{AudioLevel, ExtensionForm, Ssrc, VoiceActivity};

use crate::pair::*;

/// Sends `count` VP8 frames at 30 per second, then lets everything settle.
fn send_video(pair: &mut Pair, codec: Codec, count: u32, len: impl Fn(u32) -> usize) {
    let (sender, receiver) = pair.video(codec);
    for number in 0..count {
        let is_key = number.is_multiple_of(60);
        let payload = if codec == Codec::Vp8 {
            vp8(number, len(number), is_key)
        } else {
            h264(number, len(number), is_key)
        };
        pair.frame(sender, u64::from(number) * 3_000, payload);
        pair.run(33 * MS, Some(receiver));
    }
    pair.run(Duration::from_secs(3), Some(receiver));
}

/// Every frame is there as it was sent, in order, or a gap tells that some are not: one gap per row of lost frames.
fn check_video(pair: &Pair, codec: Codec, count: u32, len: impl Fn(u32) -> usize) -> u32 {
    let mut next = None;
    let mut gaps = 0;
    let mut lost = 0;
    for frame in &pair.frames {
        let steps = (frame.time.0 - pair.frames[0].time.0) / 3_000;
        let number = first(pair, codec) + steps as u32;
        let is_key = number.is_multiple_of(60);
        let expected = if codec == Codec::Vp8 {
            vp8(number, len(number), is_key)
        } else {
            h264(number, len(number), is_key)
        };
        assert_eq!(frame.payload, expected, "frame {number}");
        assert_eq!(frame.kind, if is_key { FrameKind::Key } else { FrameKind::Delta });
        if let Some(next) = next {
            assert!(number >= next, "in order");
            assert!(number == next || frame.gap.is_some(), "frames {next}..{number} vanished without a word");
            lost += number - next;
        }
        gaps += usize::from(frame.gap.is_some());
        next = Some(number + 1);
    }
    let told = pair.events[B].iter().filter(|event| matches!(event, Event::Gap { .. })).count();
    assert!(
        told == gaps || told == gaps + 1,
        "{told} told, {gaps} in frames; the last may have no frame behind it"
    );
    assert!(next.is_some_and(|next| next + 30 > count), "the end arrived");
    lost
}

fn first(pair: &Pair, codec: Codec) -> u32 {
    if codec == Codec::Vp8 {
        return vp8_number(&pair.frames[0].payload);
    }
    // Only key frames at the very beginning are compared by number.
    assert_eq!(pair.frames[0].kind, FrameKind::Key);
    0
}

#[test]
fn a_clean_path_gives_every_frame_and_asks_for_nothing() {
    for codec in [Codec::Vp8, H264] {
        let mut pair = Pair::new(1);
        let len = |number: u32| 200 + 997 * (number as usize % 13);
        send_video(&mut pair, codec, 90, len);
        assert_eq!(check_video(&pair, codec, 90, len), 0);
        assert_eq!(pair.frames.len(), 90);
        assert!(pair.frames.iter().all(|frame| frame.gap.is_none()));
        let stats = pair.engines[A].stats();
        assert_eq!((stats.packets_reported_lost, stats.malformed_rtcp), (0, 0));
        assert!(stats.packets_acknowledged > 90 * 3);
    }
}

/// Users 64: thirty percent overtake each other by less than the tolerance; nothing is asked for.
#[test]
fn disorder_within_the_tolerance_asks_for_nothing() {
    for seed in 0..10 {
        let mut pair = Pair::new(seed);
        pair.links[A].jitter = 9 * MS;
        let len = |_| 4_000;
        send_video(&mut pair, Codec::Vp8, 60, len);
        assert_eq!(check_video(&pair, Codec::Vp8, 60, len), 0);
        assert_eq!(pair.frames.len(), 60);
        let nacks: u64 = stats(&pair).nack_count;
        assert_eq!(nacks, 0, "seed {seed}");
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "one of many")]
fn stats(pair: &Pair) -> media::ReceiverStats {
    let receiver = pair.events[B].iter().find_map(|event| match event {
        Event::StreamStarted { receiver, .. } => Some(*receiver),
        _ => None,
    });
    pair.engines[B].receiver_stats(receiver.expect("a stream")).expect("a receiver")
}

/// NACK and RTX bring back what is lost, over many seeds.
#[test]
fn nack_and_rtx_recover_losses() {
    let mut lost = 0;
    for seed in 0..20 {
        let mut pair = Pair::new(seed);
        pair.links[A] = Link { loss: 5, ..Link::CLEAN };
        let len = |_| 5_000;
        send_video(&mut pair, Codec::Vp8, 90, len);
        lost += check_video(&pair, Codec::Vp8, 90, len);
        let stats = stats(&pair);
        assert!(stats.retransmitted_packets > 0, "seed {seed}");
        assert!(stats.nack_count > 0);
    }
    assert!(lost <= 20 * 90 / 100, "{lost} of {} frames", 20 * 90);
}

/// Loss, disorder and duplicates both ways: frames in are frames out, or one gap tells.
#[test]
fn frames_or_a_gap_whatever_the_network_does() {
    for seed in 0..30 {
        let mut pair = Pair::new(seed);
        pair.links[A] = Link { loss: 8, duplicates: 10, jitter: 60 * MS, ..Link::CLEAN };
        pair.links[B] = Link { loss: 20, duplicates: 10, jitter: 60 * MS, ..Link::CLEAN };
        let len = |number: u32| 100 + 700 * (number as usize % 7);
        send_video(&mut pair, Codec::Vp8, 120, len);
        check_video(&pair, Codec::Vp8, 120, len);
        let mut seen = BTreeSet::new();
        assert!(pair.frames.iter().all(|frame| seen.insert(vp8_number(&frame.payload))), "no frame twice");
        assert!(stats(&pair).duplicates > 0);
    }
}

/// Without retransmission every loss is one gap, and a key frame is asked for.
#[test]
fn a_gap_asks_for_a_key_frame() {
    let mut pair = Pair::new(3);
    let sender = pair.engines[A].add_sender(pair.now, video_out(Codec::Vp8));
    let feedback = media::FeedbackKinds::none().with_pli();
    let receiver = pair.engines[B].add_receiver(pair.now, video_in(Codec::Vp8).with_feedback(feedback));
    // The second packet of the third frame.
    pair.drops[A] = |ordinal, _| ordinal == 7;
    for number in 0..20 {
        pair.frame(sender, u64::from(number) * 3_000, vp8(number, 3_000, number == 0));
        pair.run(33 * MS, Some(receiver));
    }
    assert_eq!(pair.frames.len(), 19);
    let gaps: Vec<_> = pair
        .frames
        .iter()
        .filter_map(|frame| Some((vp8_number(&frame.payload), frame.gap?.packets)))
        .collect();
    assert_eq!(gaps, [(3, 1)]);
    let requests =
        |pair: &Pair| pair.events[A].iter().filter(|e| matches!(e, Event::KeyFrameRequested(_))).count();
    assert_eq!(requests(&pair), 1);
    // It is repeated until a key frame comes, and not after.
    pair.run(900 * MS, Some(receiver));
    assert_eq!(requests(&pair), 3);
    pair.frame(sender, 100_000, vp8(20, 100, true));
    pair.run(Duration::from_secs(5), Some(receiver));
    assert_eq!(requests(&pair), 3);
    assert_eq!(pair.engines[A].sender_stats(sender).map(|stats| stats.pli_count), Some(3));
}

#[test]
fn audio_keeps_its_level_and_its_time() {
    let mut pair = Pair::new(4);
    let sender = pair.engines[A].add_sender(pair.now, audio_out());
    let receiver = pair.engines[B].add_receiver(pair.now, audio_in());
    for number in 0..100_u8 {
        let level = AudioLevel::new(number, VoiceActivity::Active);
        let time = MediaTime(u64::from(number) * 960);
        let frame = EncodedFrame::new(vec![0x08, number].into(), time, pair.now).with_audio_level(level);
        pair.engines[A].send_frame(pair.now, sender, frame).expect("taken");
        pair.run(20 * MS, Some(receiver));
    }
    pair.run(100 * MS, Some(receiver));
    assert_eq!(pair.frames.len(), 100);
    for (number, frame) in (0_u8..).zip(&pair.frames) {
        assert_eq!(frame.payload, [0x08, number][..]);
        assert_eq!(frame.audio_level, Some(AudioLevel::new(number, VoiceActivity::Active)));
        assert_eq!(frame.time.0 - pair.frames[0].time.0, u64::from(number) * 960);
    }
    // Once a sender report has come, frames tell when they were captured, by the sender's clock.
    let last = pair.frames.last().and_then(|frame| frame.captured).expect("a report came");
    let expected = Duration::from_secs(1_750_000_000) + 99 * 20 * MS;
    assert!(last.to_unix().abs_diff(expected) < MS, "{last:?}");
}

/// Users 64: frames of a stream whose sequence number and time stamp wrap.
#[test]
fn users_64_wraps_are_not_noticed() {
    let mut pair = Pair::new(5);
    let sender = pair.engines[A].add_sender(pair.now, audio_out());
    let receiver = pair.engines[B].add_receiver(pair.now, audio_in());
    pair.links = [Link { delay: Duration::ZERO, ..Link::CLEAN }; 2];
    let step = 1 << 17;
    for number in 0..70_000_u32 {
        let mut payload = vec![0x08];
        payload.extend_from_slice(&number.to_be_bytes());
        let frame = EncodedFrame::new(payload.into(), MediaTime(u64::from(number) * step), pair.now);
        pair.engines[A].send_frame(pair.now, sender, frame).expect("taken");
        if number % 10 == 0 {
            pair.run(20 * MS, Some(receiver));
            pair.log.clear();
        }
    }
    pair.run(100 * MS, Some(receiver));
    assert_eq!(pair.frames.len(), 70_000);
    assert!(
        pair.frames.windows(2).all(|pair| pair[1].time.0 - pair[0].time.0 == step && pair[1].gap.is_none())
    );
}

/// Users 68: packets pass at once, without waiting for those that are missing.
#[test]
fn packet_mode_adds_no_delay_and_turns_retransmissions_back() {
    let mut pair = Pair::new(6);
    let sender = pair.engines[A].add_sender(pair.now, video_out(Codec::Vp8));
    let config = video_in(Codec::Vp8).with_delivery(Delivery::Packets);
    let receiver = pair.engines[B].add_receiver(pair.now, config);
    pair.drops[A] = |ordinal, _| ordinal == 2;
    pair.frame(sender, 0, vp8(0, 6_000, true));
    pair.run(20 * MS, None);
    let mut packets = Vec::new();
    while let Some(packet) = pair.engines[B].recv_packet(receiver) {
        packets.push(packet);
    }
    assert_eq!(packets.len(), 5, "all but the lost one, at once");
    assert_eq!(packets[0].kind, Some(FrameKind::Key));
    assert!(packets.iter().all(|packet| packet.arrived == pair.now));
    pair.run(200 * MS, None);
    let repeated = pair.engines[B].recv_packet(receiver).expect("brought by a retransmission");
    assert_eq!(repeated.packet.header.ssrc, packets[0].packet.header.ssrc);
    assert_eq!(repeated.packet.header.payload_type, pt(96));
    assert_eq!(repeated.packet.header.sequence_number, packets[1].packet.header.sequence_number.next());
    assert!(pair.engines[B].recv_packet(receiver).is_none());
}

/// An echo: packets that B got go back through a sender of B, and A sees its own frames.
#[test]
fn an_echo_gives_the_frames_back() {
    let mut pair = Pair::new(7);
    let out = pair.engines[A].add_sender(pair.now, video_out(Codec::Vp8));
    let config = video_in(Codec::Vp8).with_delivery(Delivery::Packets);
    let at_b = pair.engines[B].add_receiver(pair.now, config);
    let back = SendStreamConfig::new(Codec::Vp8, pt(96), 90_000, Ssrc(0xc0))
        .with_mid(mid("v"))
        .with_extensions(extensions(), ExtensionForm::OneByte)
        .with_feedback(feedback());
    let back = pair.engines[B].add_sender(pair.now, back);
    let at_a = pair.engines[A].add_receiver(pair.now, video_in(Codec::Vp8));
    let mut frames = Vec::new();
    for number in 0..30 {
        pair.frame(out, u64::from(number) * 3_000, vp8(number, 2_500, number == 0));
        pair.run(33 * MS, None);
        while let Some(packet) = pair.engines[B].recv_packet(at_b) {
            let packet = PacketToSend::forward(&packet.packet, &extensions());
            pair.engines[B].send_packet(pair.now, back, packet).expect("taken");
        }
        while let Some(frame) = pair.engines[A].recv_frame(at_a) {
            frames.push(frame);
        }
    }
    assert!(frames.len() >= 27, "{}", frames.len());
    for (number, frame) in (0..).zip(&frames) {
        assert_eq!(frame.payload, vp8(number, 2_500, number == 0));
    }
}

/// Frames that nobody fetches are bounded; the oldest go, are counted, and leave a gap.
#[test]
fn frames_that_nobody_fetches_are_dropped() {
    let config = media::Config::new().with_receive_queue(10, 10, 1 << 20);
    let mut pair = Pair::with_config(8, config);
    let (sender, receiver) = pair.video(Codec::Vp8);
    for number in 0..30 {
        pair.frame(sender, u64::from(number) * 3_000, vp8(number, 500, number == 0));
        pair.run(33 * MS, None);
    }
    pair.run(100 * MS, None);
    let stats = pair.engines[B].receiver_stats(receiver).expect("a receiver");
    assert_eq!((stats.frames, stats.frames_dropped), (30, 20));
    let first = pair.engines[B].recv_frame(receiver).expect("kept");
    assert_eq!((vp8_number(&first.payload), first.gap.is_some()), (20, true));
    let ready = pair.events[B].iter().filter(|event| matches!(event, Event::FrameReady(_))).count();
    assert_eq!(ready, 1, "not repeated before all were fetched");
}
