use std::time::Duration;

use rtp::{ExtensionForm, ExtensionId, ExtensionKind, ExtensionMap, HeaderView, Mid, Rid};

use super::*;
use crate::codec::Codec;
use crate::config::{FeedbackKinds, Rtx};

#[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
fn start() -> Instant {
    Instant::now()
}

fn pt(value: u8) -> PayloadType {
    PayloadType::from_header(value)
}

fn map() -> ExtensionMap {
    let id = |value| ExtensionId::new(value).expect("not zero");
    ExtensionMap::new()
        .with(ExtensionKind::AbsSendTime, id(2))
        .with(ExtensionKind::TransportSequence, id(3))
        .with(ExtensionKind::Mid, id(4))
        .with(ExtensionKind::Rid, id(10))
        .with(ExtensionKind::RepairedRid, id(11))
        .with(ExtensionKind::VideoOrientation, id(13))
}

fn stream() -> SendStream {
    let config = SendStreamConfig::new(Codec::Vp8, pt(96), 90_000, Ssrc(1))
        .with_rtx(Rtx::new(pt(97), Ssrc(2)))
        .with_mid(Mid::new("0").expect("a token"))
        .with_rid(Rid::new("hi").expect("allowed"))
        .with_extensions(map(), ExtensionForm::OneByte)
        .with_feedback(FeedbackKinds::none().with_nack());
    SendStream::new(config, 0x1234_5678_9abc_def0)
}

fn frame(now: Instant, len: usize) -> EncodedFrame {
    EncodedFrame::new(Bytes::from(vec![0x10; len]), MediaTime(3_000), now)
}

struct Bench {
    start: Instant,
    now: Instant,
    wall: WallClock,
    limits: Config,
    budget: Budget,
    stream: SendStream,
}

impl Bench {
    fn new() -> Self {
        let now = start();
        let wall = WallClock::new(now, Duration::from_secs(1_700_000_000));
        let budget = Budget::new(now, 100, 1 << 20);
        Self { start: now, now, wall, limits: Config::new(), budget, stream: stream() }
    }

    fn send(&mut self, len: usize) {
        self.stream.send_frame(frame(self.now, len), &self.wall, &self.limits).expect("taken");
    }

    /// All packets that wait, checking that each is as long as announced.
    fn drain(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        while let Some(turn) = self.stream.turn() {
            let len = self.stream.next_len(turn);
            let mut out = vec![0xee];
            let sent = self.wall.ntp(self.now);
            let written = self.stream.write(self.now, turn, sent, 7, &self.limits, &mut out).expect("a turn");
            assert_eq!((Some(written.len), out.len()), (len, written.len + 1));
            assert_eq!(out.remove(0), 0xee);
            packets.push(out);
        }
        packets
    }

    fn nack(&mut self, numbers: &[SequenceNumber]) {
        let rtt = Duration::from_millis(50);
        self.stream.on_nack(self.now, numbers.iter().copied(), rtt, &self.limits, &mut self.budget);
    }
}

fn number(packet: &[u8]) -> SequenceNumber {
    HeaderView::parse(packet).expect("well-formed").header().sequence_number
}

#[test]
fn packets_fit_and_name_themselves_until_reported_on() {
    let mut bench = Bench::new();
    bench.send(5_000);
    let packets = bench.drain();
    assert_eq!(packets.len(), 5);
    assert!(packets.iter().all(|packet| packet.len() <= 1_180));
    let names = |packet: &[u8]| {
        let view = HeaderView::parse(packet).expect("well-formed");
        (view.extensions().value::<Mid>(&map()).is_some(), view.extensions().value::<Rid>(&map()).is_some())
    };
    assert!(packets.iter().all(|packet| names(packet) == (true, true)));
    assert!(packets.iter().rev().skip(1).all(|packet| packet[1] & 0x80 == 0) && packets[4][1] & 0x80 != 0);
    bench.stream.on_reported();
    bench.send(100);
    assert_eq!(names(&bench.drain()[0]), (false, false), "hdrext_mid_sent_until_acknowledged");
}

/// Users 66, RFC 4588 §4: the same payload behind the original number, in a row of its own, with a repaired RID.
#[test]
fn users_66_retransmissions() {
    let mut bench = Bench::new();
    bench.send(3_000);
    let originals = bench.drain();
    bench.now += Duration::from_millis(100);
    bench.nack(&[number(&originals[2]), number(&originals[0])]);
    let repeats = bench.drain();
    assert_eq!(repeats.len(), 2);
    for (repeat, original) in repeats.iter().zip([&originals[2], &originals[0]]) {
        let (repeat, original) =
            (HeaderView::parse(repeat).expect("rtp"), HeaderView::parse(original).expect("rtp"));
        assert_eq!((repeat.header().ssrc, repeat.header().payload_type), (Ssrc(2), pt(97)));
        assert_eq!(repeat.header().marker, original.header().marker);
        assert_eq!(repeat.header().timestamp, original.header().timestamp);
        assert_eq!(repeat.payload()[..2], original.header().sequence_number.0.to_be_bytes());
        assert_eq!(&repeat.payload()[2..], original.payload());
        let repaired = repeat.extensions().value::<rtp::RepairedRid>(&map());
        assert_eq!(repaired.map(|rid| rid.0), Rid::new("hi"));
        assert_eq!(repeat.extensions().value::<Rid>(&map()), None);
    }
    assert_eq!(number(&repeats[1]), number(&repeats[0]).next());
    assert_eq!(bench.stream.stats.retransmitted_packets, 2);
}

/// T-S15: the same packet is not sent twice within a round trip, nor more often than allowed.
#[test]
fn t_s15_each_packet_a_limited_number_of_times() {
    let mut bench = Bench::new();
    bench.send(500);
    let original = number(&bench.drain()[0]);
    let mut repeats = 0;
    for _ in 0..1_000 {
        bench.now += Duration::from_millis(10);
        bench.nack(&[original; 20]);
        repeats += bench.drain().len();
    }
    assert_eq!(repeats, usize::from(bench.limits.max_retransmissions));
}

#[test]
fn t_s15_not_again_within_a_round_trip() {
    let mut bench = Bench::new();
    bench.send(500);
    let original = number(&bench.drain()[0]);
    let mut repeats = Vec::new();
    for ms in [50, 60, 99, 100, 149, 150] {
        bench.now = bench.start + Duration::from_millis(ms);
        bench.nack(&[original]);
        repeats.push((ms, bench.drain().len()));
    }
    assert_eq!(repeats, [(50, 1), (60, 0), (99, 0), (100, 1), (149, 0), (150, 1)]);
}

#[test]
fn what_is_not_in_the_history_is_refused() {
    let mut bench = Bench::new();
    bench.limits = Config::new().with_history(3, 1 << 20);
    bench.send(5_000);
    let numbers: Vec<_> = bench.drain().iter().map(|packet| number(packet)).collect();
    bench.nack(&numbers);
    assert_eq!(bench.stream.stats.retransmissions_refused, 2);
    assert_eq!(bench.drain().len(), 3);
    bench.nack(&[numbers[4].next(), numbers[0].minus(30_000)]);
    assert_eq!(bench.drain().len(), 0);
    // Wanted, and forgotten before its turn came.
    bench.now += Duration::from_secs(1);
    bench.nack(&numbers[2..3]);
    bench.stream.trim(0, 0);
    assert_eq!(bench.stream.turn(), None);
}

/// Without a stream for it nothing is sent again: it would be another packet under the same number.
#[test]
fn without_rtx_nothing_is_sent_twice() {
    let mut bench = Bench::new();
    bench.stream.config.rtx = None;
    bench.send(500);
    let original = number(&bench.drain()[0]);
    bench.nack(&[original]);
    assert_eq!(bench.drain().len(), 0);
    assert_eq!(bench.stream.stats.retransmissions_refused, 1);
    assert!(bench.stream.recipes.is_empty() && bench.stream.pieces.is_empty(), "nothing is kept");
}

/// T-S08: what waits is bounded, and a frame that does not fit comes back whole.
#[test]
fn t_s08_the_queue_is_bounded_and_gives_frames_back() {
    let mut bench = Bench::new();
    bench.limits = Config::new().with_send_queue(10_000);
    bench.send(20_000);
    let refused = frame(bench.now, 10);
    let result = bench.stream.send_frame(refused.clone(), &bench.wall, &bench.limits);
    assert_eq!(result, Err(SendFrameError::Full(refused)));
    assert_eq!(bench.stream.stats.queued_packets, 18);
    bench.drain();
    assert_eq!((bench.stream.stats.queued_packets, bench.stream.stats.queued_bytes), (0, 0));
    bench.send(10);
}

#[test]
fn frames_of_another_format_come_back() {
    let mut bench = Bench::new();
    let empty = frame(bench.now, 0);
    let result = bench.stream.send_frame(empty.clone(), &bench.wall, &bench.limits);
    assert_eq!(result.map_err(SendFrameError::into_frame), Err(empty));
    let config = SendStreamConfig::new(Codec::Other(crate::MediaKind::Video), pt(98), 90_000, Ssrc(9));
    let mut other = SendStream::new(config, 0);
    let result = other.send_frame(frame(bench.now, 9), &bench.wall, &bench.limits);
    assert!(matches!(result, Err(SendFrameError::Unsupported(_))));
}

/// T-S05: a stream that is made again under the same source goes on where the other ended.
#[test]
fn t_s05_numbers_continue() {
    let mut bench = Bench::new();
    bench.send(3_000);
    let last = number(&bench.drain()[2]);
    bench.send(3_000);
    let (media, rtx) = bench.stream.next_numbers();
    assert_eq!(media, last.next(), "what was never sent used no number");
    bench.stream = stream();
    bench.stream.continue_from(Some(media), Some(rtx));
    bench.send(10);
    assert_eq!(number(&bench.drain()[0]), media);
}

/// RFC 3550 §6.4.1: the time stamp of a report is the one that a frame captured now would have.
#[test]
fn rtcp_sr_ntp_rtp_mapping_lip_sync() {
    let mut bench = Bench::new();
    assert_eq!(bench.stream.sender_info(bench.now, &bench.wall), None, "nothing sent yet");
    bench.send(700);
    let packet = bench.drain().remove(0);
    let sent = HeaderView::parse(&packet).expect("rtp").header().timestamp;
    let later = bench.now + Duration::from_millis(500);
    let info = bench.stream.sender_info(later, &bench.wall).expect("sent");
    assert_eq!(info.timestamp.since(sent), 45_000);
    assert_eq!(info.ntp, bench.wall.ntp(later));
    assert_eq!((info.packets, info.octets), (1, 704));
}

#[test]
fn forwarded_packets_keep_what_is_end_to_end() {
    let mut bench = Bench::new();
    let id = |value| ExtensionId::new(value).expect("not zero");
    let source =
        ExtensionMap::new().with(ExtensionKind::VideoOrientation, id(5)).with(ExtensionKind::Mid, id(6));
    let mut bytes = Vec::new();
    let header = Header::new(pt(120), SequenceNumber(9), Timestamp(77), Ssrc(50)).with_marker();
    let mut builder = PacketBuilder::new(&mut bytes, header, &[], ExtensionForm::OneByte);
    builder.extension_bytes(id(5), &[2]).expect("fits");
    builder.extension_bytes(id(6), b"other").expect("fits");
    builder.extension_bytes(id(7), b"unknown").expect("fits");
    let _ = builder.finish();
    bytes.extend_from_slice(&[0x10, 0x10, 1, 2, 3]);
    let packet = rtp::Packet::parse(&Bytes::from(bytes)).expect("rtp");
    let forward = PacketToSend::forward(&packet, &source);
    bench.stream.send_packet(bench.now, forward, &bench.limits).expect("taken");
    let out = bench.drain().remove(0);
    let view = HeaderView::parse(&out).expect("rtp");
    assert_eq!(
        (view.header().timestamp, view.header().ssrc, view.header().marker),
        (Timestamp(77), Ssrc(1), true)
    );
    assert_eq!(view.payload(), &packet.payload[..]);
    let orientation = view.extensions().value::<rtp::VideoOrientation>(&map());
    assert_eq!(orientation.map(|value| value.rotation), Some(rtp::Rotation::Half));
    assert_eq!(view.extensions().value::<Mid>(&map()), Mid::new("0"), "our own, not the other's");
    assert_eq!(view.extensions().into_iter().count(), 5);
    let large = PacketToSend::new(Bytes::from(vec![0; 1_400]), Timestamp(0));
    let result = bench.stream.send_packet(bench.now, large.clone(), &bench.limits);
    assert_eq!(result, Err(SendPacketError::TooLarge(large)));
}
