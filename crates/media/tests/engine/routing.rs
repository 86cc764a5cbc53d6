//! Where packets go (RFC 9143 §9.2), simulcast, and streams that come and go.

use media::{Codec, Delivery, Event, Rtx, SendStreamConfig};
use rtp::{ExtensionForm, ExtensionMap, Rid, Ssrc};

use crate::pair::*;

fn rid(text: &str) -> Rid {
    Rid::new(text).expect("allowed")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "one of many")]
fn started(pair: &Pair) -> Vec<(media::ReceiverId, Ssrc, Option<Rid>)> {
    let of = |event: &Event| match event {
        Event::StreamStarted { receiver, ssrc, rid } => Some((*receiver, *ssrc, *rid)),
        _ => None,
    };
    pair.events[B].iter().filter_map(of).collect()
}

/// `bundle_demux_table_mid_ssrc_pt_order`
#[test]
fn mid_then_ssrc_then_payload_type() {
    let mut pair = Pair::new(1);
    let by_mid = pair.engines[B].add_receiver(pair.now, audio_in());
    let by_ssrc =
        pair.engines[B].add_receiver(pair.now, audio_in().with_mid(mid("b")).with_ssrc(Ssrc(0x22), None));
    let video = video_in(Codec::Vp8).with_mid(mid("c"));
    let by_type = pair.engines[B].add_receiver(pair.now, video);
    let plain = |codec, payload_type, ssrc| SendStreamConfig::new(codec, payload_type, 48_000, ssrc);
    let senders = [
        // A tag wins over everything else.
        plain(Codec::Opus, pt(111), Ssrc(0x11))
            .with_mid(mid("a"))
            .with_extensions(extensions(), ExtensionForm::OneByte),
        plain(Codec::Opus, pt(111), Ssrc(0x22)),
        plain(Codec::Vp8, pt(96), Ssrc(0x33)),
        // A payload type of two sections, and a tag of none.
        plain(Codec::Opus, pt(111), Ssrc(0x44)),
        plain(Codec::Vp8, pt(96), Ssrc(0x55))
            .with_mid(mid("z"))
            .with_extensions(extensions(), ExtensionForm::OneByte),
    ];
    for config in senders {
        let sender = pair.engines[A].add_sender(pair.now, config);
        pair.frame(sender, 0, vec![0x08, 1, 2, 3, 4]);
    }
    pair.run(100 * MS, None);
    let started: Vec<_> = started(&pair).iter().map(|(receiver, ssrc, _)| (*receiver, ssrc.0)).collect();
    assert_eq!(started, [(by_mid, 0x11), (by_ssrc, 0x22), (by_type, 0x33)]);
    assert_eq!(pair.engines[B].stats().unroutable, 2);
}

/// Users 66: three encodings in one section, each with its retransmissions, told apart by RID and repaired RID alone.
#[test]
fn simulcast_by_rid_with_repair() {
    let mut pair = Pair::new(2);
    // Of each encoding, the second packet of the second frame and its first repetition are lost.
    pair.drops[A] = |ordinal, sent| matches!(sent, Sent::Rtp(_)) && ordinal % 11 == 10;
    let receiver = pair.engines[B]
        .add_receiver(pair.now, video_in(Codec::Vp8).with_rids(vec![rid("h"), rid("m"), rid("l")]));
    let senders: Vec<_> = [("h", 0x10), ("m", 0x20), ("l", 0x30)]
        .into_iter()
        .map(|(name, ssrc)| {
            let config = SendStreamConfig::new(Codec::Vp8, pt(96), 90_000, Ssrc(ssrc))
                .with_rtx(Rtx::new(pt(97), Ssrc(ssrc + 1)))
                .with_mid(mid("v"))
                .with_rid(rid(name))
                .with_extensions(extensions(), ExtensionForm::OneByte)
                .with_feedback(feedback());
            pair.engines[A].add_sender(pair.now, config)
        })
        .collect();
    for number in 0..60 {
        for sender in senders.clone() {
            pair.frame(sender, u64::from(number) * 3_000, vp8(number, 2_500, number == 0));
        }
        pair.run(33 * MS, Some(receiver));
    }
    pair.run(1_000 * MS, Some(receiver));
    let names: Vec<_> = started(&pair).iter().map(|(_, _, rid)| rid.expect("named")).collect();
    assert_eq!(names, [rid("h"), rid("m"), rid("l")]);
    for name in ["h", "m", "l"] {
        let numbers: Vec<_> = pair
            .frames
            .iter()
            .filter(|frame| frame.rid == Some(rid(name)))
            .map(|frame| vp8_number(&frame.payload))
            .collect();
        // Nobody can tell that the very last packet is missing.
        assert_eq!(numbers[..59], (0..59).collect::<Vec<_>>(), "{name}");
    }
    let stats = pair.engines[B].receiver_stats(receiver).expect("a receiver");
    assert!(stats.retransmitted_packets >= 10, "{}", stats.retransmitted_packets);
    assert_eq!(pair.engines[B].stats().orphan_retransmissions, 0);
}

/// RFC 4588 §5.3: without any names, a retransmission stream belongs to the one that asked.
#[test]
fn a_retransmission_stream_is_found_by_what_was_asked_for() {
    let mut pair = Pair::new(3);
    pair.drops[A] = |ordinal, _| ordinal == 4;
    let config =
        SendStreamConfig::new(Codec::Vp8, pt(96), 90_000, Ssrc(0x10)).with_rtx(Rtx::new(pt(97), Ssrc(0x11)));
    let sender = pair.engines[A].add_sender(pair.now, config);
    let receiver =
        pair.engines[B].add_receiver(pair.now, video_in(Codec::Vp8).with_extensions(ExtensionMap::new()));
    for number in 0..10 {
        pair.frame(sender, u64::from(number) * 3_000, vp8(number, 2_000, number == 0));
        pair.run(33 * MS, Some(receiver));
    }
    pair.run(200 * MS, Some(receiver));
    assert_eq!(pair.frames.len(), 10);
    let stats = pair.engines[B].receiver_stats(receiver).expect("a receiver");
    assert_eq!(stats.retransmitted_packets, 1);
}

#[test]
fn a_source_that_moves_to_another_section_leaves_the_first() {
    let mut pair = Pair::new(4);
    let first = pair.engines[B].add_receiver(pair.now, audio_in());
    let second = pair.engines[B].add_receiver(pair.now, audio_in().with_mid(mid("b")));
    let sender = pair.engines[A].add_sender(pair.now, audio_out());
    pair.frame(sender, 0, vec![8, 1]);
    pair.run(50 * MS, None);
    pair.engines[A].update_sender(pair.now, sender, audio_out().with_mid(mid("b")));
    pair.frame(sender, 960, vec![8, 2]);
    pair.run(50 * MS, None);
    assert_eq!(started(&pair).iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [first, second]);
    assert!(pair.engines[B].recv_frame(second).is_some_and(|frame| frame.payload == [8, 2][..]));
}

/// T-S05: a sender that is removed and added again under the same source continues its numbers.
#[test]
fn t_s05_a_source_that_comes_back_continues() {
    let mut pair = Pair::new(5);
    let receiver = pair.engines[B].add_receiver(pair.now, audio_in());
    let mut numbers = Vec::new();
    for round in 0..3 {
        let sender = pair.engines[A].add_sender(pair.now, audio_out());
        for number in 0..5 {
            pair.frame(sender, (round * 10 + number) * 960, vec![8, 1]);
        }
        for sent in drain(&mut pair.engines[A], pair.now) {
            if let Sent::Rtp(bytes) = sent {
                numbers.push(rtp::HeaderView::parse(&bytes).expect("rtp").header().sequence_number);
            }
        }
        pair.engines[A].remove_sender(pair.now, sender);
        pair.run(50 * MS, Some(receiver));
    }
    assert_eq!(numbers.len(), 15);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].next()), "{numbers:?}");
}

/// The tables are bounded: a peer that sends from ever new sources gets no further than the limit.
#[test]
fn sources_are_bounded() {
    let config = media::Config::new().with_max_streams(20, 8);
    let mut pair = Pair::with_config(6, config);
    let receiver = pair.engines[B].add_receiver(pair.now, audio_in().with_delivery(Delivery::Packets));
    for ssrc in 1..200 {
        let config = SendStreamConfig::new(Codec::Opus, pt(111), 48_000, Ssrc(ssrc))
            .with_mid(mid("a"))
            .with_extensions(extensions(), ExtensionForm::OneByte);
        let sender = pair.engines[A].add_sender(pair.now, config);
        pair.frame(sender, 0, vec![8, 1]);
        pair.run(MS, None);
    }
    pair.run(50 * MS, None);
    assert_eq!(started(&pair).len(), 8);
    assert_eq!(pair.engines[B].stats().streams_refused, 191);
    // Room is made for a new one once others have been silent for long.
    pair.run(11_000 * MS, None);
    let config = SendStreamConfig::new(Codec::Opus, pt(111), 48_000, Ssrc(999));
    let config = config.with_mid(mid("a")).with_extensions(extensions(), ExtensionForm::OneByte);
    let sender = pair.engines[A].add_sender(pair.now, config);
    pair.frame(sender, 0, vec![8, 1]);
    pair.run(50 * MS, None);
    assert_eq!(started(&pair).len(), 9);
    assert!(pair.engines[B].receiver_stats(receiver).is_some_and(|stats| stats.packets == 9));
}

/// `rtp_ssrc_collision_resolution_bye`: the peer uses our own source.
#[test]
fn a_collision_is_told() {
    let mut pair = Pair::new(7);
    let ours = pair.engines[B].add_sender(pair.now, audio_out());
    pair.engines[B].add_receiver(pair.now, audio_in());
    let sender = pair.engines[A].add_sender(pair.now, audio_out());
    pair.frame(sender, 0, vec![8, 1]);
    pair.run(50 * MS, None);
    assert!(pair.events[B].contains(&Event::SsrcCollision(ours)));
    assert!(started(&pair).is_empty());
    let fresh = pair.engines[B].unused_ssrc();
    assert_ne!(fresh, Ssrc(0xb0));
}

/// RFC 9143 §9.2: a packet that was overtaken by the move of its source does not move it back.
#[test]
fn an_old_packet_does_not_move_a_source_back() {
    let mut pair = Pair::new(8);
    let first = pair.engines[B].add_receiver(pair.now, audio_in().with_delivery(Delivery::Packets));
    let second = audio_in().with_mid(mid("b")).with_delivery(Delivery::Packets);
    let second = pair.engines[B].add_receiver(pair.now, second);
    let sender = pair.engines[A].add_sender(pair.now, audio_out());
    let mut sent = Vec::new();
    for tag in ["a", "a", "a", "b", "b"] {
        pair.engines[A].update_sender(pair.now, sender, audio_out().with_mid(mid(tag)));
        pair.frame(sender, 0, vec![8, 1]);
        for packet in drain(&mut pair.engines[A], pair.now) {
            if let Sent::Rtp(packet) = packet {
                sent.push(packet);
            }
        }
    }
    for place in [0, 3, 1, 4, 2] {
        let packet = bytes::BytesMut::from(&sent[place][..]);
        pair.engines[B].handle_rtp(pair.now, pair.now, packet);
    }
    let count = |engine: &mut media::Engine, id| std::iter::from_fn(|| engine.recv_packet(id)).count();
    assert_eq!(count(&mut pair.engines[B], first), 1);
    assert_eq!(count(&mut pair.engines[B], second), 4);
}

/// `bundle_rtcp_demux_by_ssrc_sdes_mid_bye`: a description tells where a source belongs.
#[test]
fn a_description_names_the_section() {
    let mut pair = Pair::new(9);
    pair.engines[B].add_receiver(pair.now, audio_in());
    let second = pair.engines[B].add_receiver(pair.now, audio_in().with_mid(mid("b")));
    // One chunk with the item MID "b".
    let sdes = [0x81, 202, 0, 2, 0, 0, 0, 0x77, 15, 1, b'b', 0];
    pair.engines[B].handle_rtcp(pair.now, &sdes);
    let sender =
        pair.engines[A].add_sender(pair.now, SendStreamConfig::new(Codec::Opus, pt(111), 48_000, Ssrc(0x77)));
    pair.frame(sender, 0, vec![8, 1]);
    pair.run(50 * MS, None);
    assert_eq!(started(&pair).iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [second]);
}
