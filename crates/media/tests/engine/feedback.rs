//! Reports, feedback, retransmissions and requests, as seen on the wire.

use std::time::Duration;

use media::{Codec, Config, Event, RtcpForm};
use rtp::rtcp::{Compound, Nack, Pli, RtcpPacket, SdesKind};
use rtp::{HeaderView, SequenceNumber, Ssrc};

use crate::pair::*;

fn packets(bytes: &[u8]) -> Vec<RtcpPacket<'_>> {
    Compound::new(bytes).collect::<Result<_, _>>().expect("well-formed")
}

fn rtcp_of(pair: &Pair, who: usize) -> Vec<Vec<u8>> {
    let of = |(_, from, sent): &(_, usize, Sent)| match sent {
        Sent::Rtcp(bytes) if *from == who => Some(bytes.clone()),
        Sent::Rtp(_) | Sent::Rtcp(_) => None,
    };
    pair.log.iter().filter_map(of).collect()
}

fn talk(pair: &mut Pair, seconds: u32) -> (media::SenderId, media::ReceiverId) {
    let (sender, receiver) = pair.video(Codec::Vp8);
    for number in 0..seconds * 30 {
        pair.frame(sender, u64::from(number) * 3_000, vp8(number, 2_000, number == 0));
        pair.run(33 * MS, Some(receiver));
    }
    (sender, receiver)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "one of many")]
fn cname<'a>(packet: &RtcpPacket<'a>) -> Option<&'a [u8]> {
    match packet {
        RtcpPacket::SourceDescription(sdes) => { sdes.chunks }.next()?.item(SdesKind::CNAME),
        _ => None,
    }
}

/// RFC 3550 §6.1: every compound begins with a report, then the canonical name; a goodbye is last.
#[test]
fn rtcp_compound_starts_with_sr_or_rr_then_sdes_cname() {
    let mut pair = Pair::new(1);
    let (sender, _) = talk(&mut pair, 5);
    pair.engines[A].remove_sender(pair.now, sender);
    pair.run(100 * MS, None);
    for who in [A, B] {
        let all = rtcp_of(&pair, who);
        assert!(all.len() >= 3);
        for datagram in &all {
            let packets = packets(datagram);
            assert!(matches!(packets[0], RtcpPacket::SenderReport(_) | RtcpPacket::ReceiverReport(_)));
            let names: Vec<_> = packets.iter().filter_map(cname).collect();
            assert_eq!(names.len(), 1);
            assert!(who == B || names[0] == b"alice" || names[0].len() == 16);
            let bye = packets.iter().position(|packet| matches!(packet, RtcpPacket::Bye(_)));
            assert!(bye.is_none_or(|place| place + 1 == packets.len()));
        }
    }
    let byes = pair.events[B].iter().filter(|event| matches!(event, Event::Bye { .. })).count();
    assert_eq!(byes, 1, "rtcp_bye_on_stop");
}

/// RFC 5506: feedback travels alone, only when negotiated.
#[test]
fn rtcp_reduced_size_only_if_negotiated() {
    let mut pair = Pair::with_config(2, Config::new().with_rtcp_form(RtcpForm::ReducedSize));
    talk(&mut pair, 3);
    let alone = rtcp_of(&pair, B);
    let alone =
        alone.iter().filter(|datagram| matches!(packets(datagram)[..], [RtcpPacket::TransportFeedback(_)]));
    assert!(alone.count() > 20);
}

#[test]
fn reports_tell_loss_jitter_and_round_trip() {
    let mut pair = Pair::new(3);
    pair.links[A] = Link { loss: 10, ..Link::CLEAN };
    let (sender, receiver) = talk(&mut pair, 10);
    let stats = pair.engines[A].sender_stats(sender).expect("a sender");
    let remote = stats.remote.expect("reported on");
    let rtt = remote.rtt.expect("measured");
    assert!(rtt.abs_diff(40 * MS) <= MS, "{rtt:?}");
    let share = remote.packets_lost as f64 / stats.packets as f64;
    assert!((0.05..0.16).contains(&share), "{share}");
    assert!(remote.rtt_measurements >= 5 && remote.total_rtt >= 5 * rtt / 2);
    assert!(pair.events[A].iter().any(|event| matches!(event, Event::RoundTrip { .. })));
    assert!(pair.events[B].iter().any(|event| matches!(event, Event::SenderReport { .. })));
    let received = pair.engines[B].receiver_stats(receiver).expect("a receiver");
    assert!(received.packets_lost >= remote.packets_lost, "the report is older");
    assert_eq!(pair.engines[A].stats().rtt.map(|rtt| rtt.abs_diff(40 * MS) <= MS), Some(true));
}

/// RFC 3550 §6.3.1: intervals differ, around the mean.
#[test]
fn report_intervals_are_spread() {
    let mut pair = Pair::new(4);
    talk(&mut pair, 60);
    let is_report = |sent: &Sent| match sent {
        Sent::Rtcp(bytes) => matches!(packets(bytes)[0], RtcpPacket::SenderReport(_)),
        Sent::Rtp(_) => false,
    };
    let times: Vec<_> =
        pair.log.iter().filter(|(_, from, sent)| *from == A && is_report(sent)).map(|(at, ..)| *at).collect();
    assert!((45..75).contains(&times.len()), "{}", times.len());
    let steps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| (499 * MS..=1_534 * MS).contains(step)), "{steps:?}");
    assert!(steps.iter().any(|step| *step < 800 * MS) && steps.iter().any(|step| *step > 1_200 * MS));
}

/// Transport-wide numbers run over all streams without holes, and each packet is reported on once as arrived.
#[test]
fn transport_wide_feedback_covers_all_streams() {
    let mut pair = Pair::new(5);
    pair.links[A] = Link { loss: 5, jitter: 30 * MS, ..Link::CLEAN };
    let audio = pair.engines[A].add_sender(pair.now, audio_out());
    pair.engines[B].add_receiver(pair.now, audio_in());
    let (video, receiver) = pair.video(Codec::Vp8);
    for number in 0..150_u32 {
        pair.frame(video, u64::from(number) * 3_000, vp8(number, 2_000, number == 0));
        pair.frame(audio, u64::from(number) * 960, vec![8; 60]);
        pair.run(33 * MS, Some(receiver));
    }
    pair.run(Duration::from_secs(1), Some(receiver));
    let map = extensions();
    let numbers: Vec<u16> = pair
        .log
        .iter()
        .filter_map(|(_, from, sent)| match sent {
            Sent::Rtp(bytes) if *from == A => {
                let view = HeaderView::parse(bytes).expect("rtp");
                view.extensions().value::<rtp::TransportSequence>(&map).map(|number| number.0.0)
            }
            Sent::Rtp(_) | Sent::Rtcp(_) => None,
        })
        .collect();
    assert!(numbers.iter().enumerate().all(|(place, number)| place as u16 == *number), "no holes");
    let stats = pair.engines[A].stats();
    let received = pair.engines[B].stats().rtp_received;
    assert_eq!(stats.packets_acknowledged, received);
    assert_eq!(stats.feedback_received, pair.engines[B].stats().feedback_sent);
    assert!(stats.packets_reported_lost > 0);
    assert!((40..=80).contains(&stats.feedback_received), "{}", stats.feedback_received);
}

/// Users 65: the first packet of a stream, and packets nobody can route yet, are in the feedback, too.
#[test]
fn users_65_feedback_includes_packets_without_a_home() {
    let mut pair = Pair::new(6);
    pair.engines[B].add_receiver(pair.now, audio_in());
    let sender = pair.engines[A].add_sender(pair.now, video_out(Codec::Vp8));
    pair.frame(sender, 0, vp8(0, 5_000, true));
    pair.run(500 * MS, None);
    assert_eq!(pair.engines[B].stats().unroutable, 5);
    assert_eq!(pair.engines[A].stats().packets_acknowledged, 5);
}

/// L6: all that is missing is asked for in one packet.
#[test]
fn one_nack_names_all_that_is_missing() {
    let mut pair = Pair::new(11);
    pair.drops[A] = |ordinal, _| ordinal < 200 && ordinal % 25 == 3;
    let (sender, receiver) = pair.video(Codec::Vp8);
    pair.frame(sender, 0, vp8(0, 200_000, true));
    pair.run(45 * MS, Some(receiver));
    let stats = pair.engines[B].receiver_stats(receiver).expect("a receiver");
    assert_eq!((stats.nack_count, stats.nacked_packets), (1, 7));
    pair.run(Duration::from_secs(1), Some(receiver));
    assert_eq!(pair.frames.len(), 1);
}

/// T-S15: a thousand NACKs a second that name the whole window bring back no more than a quarter of the media, and no
/// packet more often than allowed.
#[test]
fn t_s15_a_storm_of_nacks_is_bounded() {
    let mut pair = Pair::new(7);
    pair.drops[B] = |_, _| true;
    let sender = pair.engines[A].add_sender(pair.now, video_out(Codec::Vp8));
    let mut newest = None;
    let mut media = Vec::new();
    let mut repeated: Vec<(u128, usize, u16)> = Vec::new();
    for ms in 0..5_000_u32 {
        if ms % 33 == 0 {
            pair.frame(sender, u64::from(ms) * 90, vp8(ms, 8_000, ms == 0));
        }
        if let Some(newest) = newest {
            let mut storm = Vec::new();
            let window = (0..500).rev().map(|back| SequenceNumber(newest).minus(back));
            Nack::write(&mut storm, Ssrc(9), Ssrc(0xa0), window, 200);
            pair.engines[A].handle_rtcp(pair.now, &storm);
        }
        for sent in drain(&mut pair.engines[A], pair.now) {
            let Sent::Rtp(bytes) = sent else { continue };
            let view = HeaderView::parse(&bytes).expect("rtp");
            if view.header().ssrc == Ssrc(0xa0) {
                newest = Some(view.header().sequence_number.0);
                media.push((u128::from(ms), bytes.len()));
            } else {
                let osn = u16::from_be_bytes([view.payload()[0], view.payload()[1]]);
                repeated.push((u128::from(ms), bytes.len(), osn));
            }
        }
        pair.now += MS;
    }
    for second in 1..5_u128 {
        let within = |ms: &u128| (second * 1_000..(second + 1) * 1_000).contains(ms);
        let media: usize = media.iter().filter(|(ms, _)| within(ms)).map(|(_, len)| len).sum();
        let again: usize = repeated.iter().filter(|(ms, ..)| within(ms)).map(|(_, len, _)| len).sum();
        assert!(again > 0 && again <= media * 41 / 100, "second {second}: {again} of {media}");
    }
    let mut times = std::collections::BTreeMap::new();
    repeated.iter().for_each(|(.., osn)| *times.entry(*osn).or_insert(0) += 1);
    assert!(times.values().all(|times| *times <= 8));
    let stats = pair.engines[A].sender_stats(sender).expect("a sender");
    assert!(stats.retransmissions_refused > 50_000);
}

/// T-S15: a flood of PLI is one request per 500 ms.
#[test]
fn t_s15_a_flood_of_pli_is_thinned() {
    let mut pair = Pair::new(8);
    let sender = pair.engines[A].add_sender(pair.now, video_out(Codec::Vp8));
    let mut requests = 0;
    for _ in 0..5_000 {
        let mut pli = Vec::new();
        Pli::write(&mut pli, Ssrc(9), Ssrc(0xa0));
        pair.engines[A].handle_rtcp(pair.now, &pli);
        pair.engines[A].handle_timeout(pair.now);
        while let Some(event) = pair.engines[A].poll_event() {
            requests += u32::from(event == Event::KeyFrameRequested(sender));
        }
        pair.now += MS;
    }
    assert_eq!(requests, 10);
    assert_eq!(pair.engines[A].sender_stats(sender).map(|stats| stats.pli_count), Some(5_000));
}

/// Many streams: reports are spread over datagrams that fit, and every source is reported on.
#[test]
fn reports_on_many_streams_fit_their_datagrams() {
    let mut pair = Pair::new(9);
    let mut senders = Vec::new();
    for index in 0..100_u32 {
        let ssrc = Ssrc(0x1000 + index);
        let config = media::SendStreamConfig::new(Codec::Opus, pt(111), 48_000, ssrc)
            .with_cname(String::from("x").repeat(40));
        senders.push(pair.engines[A].add_sender(pair.now, config));
        pair.engines[B]
            .add_receiver(pair.now, audio_in().with_mid(mid(&format!("a{index}"))).with_ssrc(ssrc, None));
    }
    for number in 0..100 {
        for sender in senders.clone() {
            pair.frame(sender, number * 960, vec![8; 20]);
        }
        pair.run(20 * MS, None);
    }
    pair.run(Duration::from_secs(2), None);
    let reported =
        senders.iter().filter(|id| pair.engines[A].sender_stats(**id).is_some_and(|s| s.remote.is_some()));
    assert_eq!(reported.count(), 100);
    assert!(rtcp_of(&pair, A).iter().chain(&rtcp_of(&pair, B)).all(|datagram| datagram.len() <= 1_176));
    let described = pair.events[B].iter().filter(|event| matches!(event, Event::SenderReport { .. })).count();
    assert!(described >= 100);
}

/// A controller that remembers what it was told.
#[derive(Debug)]
struct Recorder {
    told: std::sync::mpsc::Sender<(&'static str, usize)>,
    target: Option<u64>,
    due: std::time::Instant,
}

impl media::CongestionController for Recorder {
    fn on_sent(&mut self, _now: std::time::Instant, packet: media::SentPacket) {
        let _ = self.told.send(("sent", packet.size));
    }

    fn on_feedback(&mut self, _now: std::time::Instant, results: &[media::PacketResult]) {
        let arrivals: Vec<_> = results.iter().filter_map(|result| result.arrival).collect();
        assert!(arrivals.is_sorted());
        let _ = self.told.send(("arrived", arrivals.len()));
    }

    fn on_round_trip(&mut self, _now: std::time::Instant, _rtt: Duration) {
        let _ = self.told.send(("round trip", 1));
    }

    fn on_timeout(&mut self, now: std::time::Instant) {
        self.target = Some(self.target.unwrap_or(300_000) + 1_000);
        self.due = now + 200 * MS;
    }

    fn target_bitrate(&self) -> Option<u64> {
        self.target
    }

    fn poll_timeout(&self) -> Option<std::time::Instant> {
        Some(self.due)
    }
}

#[test]
fn a_congestion_controller_learns_what_it_needs() {
    let mut pair = Pair::new(10);
    let (told, heard) = std::sync::mpsc::channel();
    let controller = Recorder { told, target: None, due: pair.now + 500 * MS };
    pair.engines[A].set_congestion_controller(Box::new(controller));
    let (sender, _) = talk(&mut pair, 3);
    pair.run(Duration::from_secs(1), None);
    let heard: Vec<_> = heard.try_iter().collect();
    let sum = |what| heard.iter().filter(|(kind, _)| *kind == what).map(|(_, count)| count).sum::<usize>();
    let stats = pair.engines[A].sender_stats(sender).expect("a sender");
    assert_eq!(sum("sent") as u64, stats.bytes + stats.header_bytes);
    assert_eq!(sum("arrived") as u64, stats.packets);
    assert!(sum("round trip") >= 1);
    let targets: Vec<_> = pair.events[A]
        .iter()
        .filter_map(|event| if let Event::TargetBitrate { bitrate } = event { Some(*bitrate) } else { None })
        .collect();
    assert!(targets.len() > 5 && targets.windows(2).all(|pair| pair[1] == pair[0] + 1_000), "{targets:?}");
}

/// What nobody waits for any more is not asked for any more.
#[test]
fn packets_given_up_are_not_asked_for() {
    let mut pair = Pair::new(12);
    // One packet, and all retransmissions.
    pair.drops[A] = |ordinal, sent| {
        let is_repeat = matches!(sent, Sent::Rtp(bytes) if HeaderView::parse(bytes).expect("rtp").header().ssrc == Ssrc(0xa1));
        ordinal == 1 || is_repeat
    };
    let sender = pair.engines[A].add_sender(pair.now, video_out(Codec::Vp8));
    let receiver = pair.engines[B].add_receiver(pair.now, video_in(Codec::Vp8).with_max_wait(100 * MS));
    pair.frame(sender, 0, vp8(0, 4_000, true));
    pair.run(Duration::from_secs(5), Some(receiver));
    let stats = pair.engines[B].receiver_stats(receiver).expect("a receiver");
    // After 10 ms; with round trips of 100 ms, as long as none was measured, the second would come after 160 ms.
    assert_eq!((stats.nack_count, stats.gaps), (1, 1));
}

/// Streams of a kind take turns by frames; audio goes before them.
#[test]
fn streams_take_turns() {
    let mut pair = Pair::new(13);
    let video = [0x10, 0x20].map(|ssrc| {
        let config = media::SendStreamConfig::new(Codec::Vp8, pt(96), 90_000, Ssrc(ssrc));
        pair.engines[A].add_sender(pair.now, config)
    });
    let audio = pair.engines[A].add_sender(pair.now, audio_out());
    for number in 0..3 {
        video.iter().for_each(|sender| pair.frame(*sender, number * 3_000, vp8(number as u32, 2_000, true)));
        pair.frame(audio, number * 960, vec![8, 1]);
    }
    let ssrcs: Vec<u32> = drain(&mut pair.engines[A], pair.now)
        .iter()
        .filter_map(|sent| {
            if let Sent::Rtp(bytes) = sent {
                Some(HeaderView::parse(bytes).ok()?.header().ssrc.0)
            } else {
                None
            }
        })
        .collect();
    let turns = [0x10, 0x10, 0x20, 0x20];
    assert_eq!(ssrcs, [&[0xb0; 3][..], &turns, &turns, &turns].concat());
}
