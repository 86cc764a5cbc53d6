use super::*;
use crate::ntp::{NtpShort, NtpTime};
use crate::{SequenceNumber, Timestamp};
use std::time::Duration;

fn one(datagram: &[u8]) -> RtcpPacket<'_> {
    let mut packets = Compound::new(datagram);
    let packet = packets.next().expect("one packet").expect("well-formed");
    assert!(packets.next().is_none());
    packet
}

fn block(ssrc: u32) -> ReportBlock {
    ReportBlock { cumulative_lost: -5, fraction_lost: 128, jitter: 9, ..ReportBlock::new(Ssrc(ssrc)) }
}

#[test]
fn compound_of_sr_sdes_bye() {
    let mut out = vec![0xee];
    let info = SenderInfo::new(Ssrc(1), NtpTime(0x0102_0304_0506_0708), Timestamp(90)).with_counts(3, 4);
    SenderReport::write(&mut out, &info, &[block(7)]);
    SourceDescription::write(&mut out, &[Ssrc(1), Ssrc(2)], "cname");
    Bye::write(&mut out, &[Ssrc(1)]);
    assert_eq!(out[0], 0xee);
    let packets: Vec<_> = Compound::new(&out[1..]).collect::<Result<_, _>>().expect("well-formed");
    let [RtcpPacket::SenderReport(sr), RtcpPacket::SourceDescription(sdes), RtcpPacket::Bye(bye)] =
        packets[..]
    else {
        panic!("{packets:?}");
    };
    assert_eq!(sr.info, info);
    assert_eq!(sr.blocks.collect::<Vec<_>>(), [block(7)]);
    let names: Vec<_> = sdes.chunks.map(|chunk| (chunk.ssrc, chunk.item(SdesKind::CNAME))).collect();
    assert_eq!(names, [(Ssrc(1), Some(&b"cname"[..])), (Ssrc(2), Some(&b"cname"[..]))]);
    assert_eq!(bye.sources().collect::<Vec<_>>(), [Ssrc(1)]);
    assert_eq!(bye.reason, None);
}

/// T-S12: more blocks than the count can say go into further reports.
#[test]
#[expect(clippy::wildcard_enum_match_arm, reason = "a report or a failed test")]
fn t_s12_more_than_31_blocks() {
    let blocks: Vec<_> = (0..70).map(block).collect();
    let mut out = Vec::new();
    SenderReport::write(&mut out, &SenderInfo::new(Ssrc(1), NtpTime(0), Timestamp(0)), &blocks);
    let mut read = Vec::new();
    for packet in Compound::new(&out) {
        match packet.expect("well-formed") {
            RtcpPacket::SenderReport(report) => read.extend(report.blocks),
            RtcpPacket::ReceiverReport(report) => read.extend(report.blocks),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(read, blocks);
    let mut empty = Vec::new();
    ReceiverReport::write(&mut empty, Ssrc(1), &[]);
    assert!(matches!(one(&empty), RtcpPacket::ReceiverReport(report) if { report.blocks }.next().is_none()));
}

#[test]
fn sdes_padding_is_right_for_every_name_length() {
    for len in 0..=300 {
        let mut out = Vec::new();
        SourceDescription::write(&mut out, &[Ssrc(1); 3], &"x".repeat(len));
        assert_eq!(out.len(), SourceDescription::encoded_len(3, len.min(255)));
        let RtcpPacket::SourceDescription(sdes) = one(&out) else { panic!("not SDES") };
        let lens: Vec<_> = sdes.chunks.map(|chunk| chunk.item(SdesKind::CNAME).map(<[u8]>::len)).collect();
        assert_eq!(lens, [Some(len.min(255)); 3]);
    }
}

/// RFC 4585 §6.2.1: `rtcp_nack_205_1_pid_blp`.
#[test]
fn nack_pid_and_mask() {
    let lost = [65_530, 65_531, 10, 11, 27_u16].map(SequenceNumber);
    let mut out = Vec::new();
    assert_eq!(Nack::write(&mut out, Ssrc(1), Ssrc(2), lost, 10), 5);
    assert_eq!(out[..4], [0x81, 205, 0, 4]);
    assert_eq!(out[12..], [0xff, 0xfa, 0x80, 0x01, 0, 11, 0x80, 0]);
    let RtcpPacket::Nack(nack) = one(&out) else { panic!("not a NACK") };
    assert_eq!((nack.sender, nack.media), (Ssrc(1), Ssrc(2)));
    assert_eq!(nack.lost().collect::<Vec<_>>(), lost);

    out.clear();
    assert_eq!(Nack::write(&mut out, Ssrc(1), Ssrc(2), lost, 1), 3, "one entry");
    out.clear();
    assert_eq!(Nack::write(&mut out, Ssrc(1), Ssrc(2), [], 9), 0);
    assert!(out.is_empty());
}

#[test]
fn key_frame_requests() {
    let mut out = Vec::new();
    Pli::write(&mut out, Ssrc(1), Ssrc(2));
    assert_eq!(out, [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]);
    assert!(matches!(one(&out), RtcpPacket::Pli(pli) if pli.media == Ssrc(2)));
    out.clear();
    Fir::write(&mut out, Ssrc(1), &[FirEntry::new(Ssrc(2), 255)]);
    assert_eq!(out, [0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 255, 0, 0, 0]);
    let RtcpPacket::Fir(fir) = one(&out) else { panic!("not a FIR") };
    assert_eq!(fir.entries().collect::<Vec<_>>(), [FirEntry::new(Ssrc(2), 255)]);
}

#[test]
fn bit_rates_round_down_and_never_overflow() {
    for bitrate in [0, 1, 0x3_ffff, 0x4_0001, 5_000_000, u64::from(u32::MAX), u64::MAX] {
        let mut out = Vec::new();
        Remb::write(&mut out, Ssrc(1), bitrate, &[Ssrc(2), Ssrc(3)]);
        let RtcpPacket::Remb(remb) = one(&out) else { panic!("not a REMB") };
        assert!(remb.bitrate <= bitrate && bitrate - remb.bitrate <= bitrate >> 17, "{bitrate}");
        assert_eq!(remb.ssrcs().count(), 2);
        out.clear();
        Tmmbr::write(&mut out, Ssrc(1), &[BitrateEntry::new(Ssrc(2), bitrate, 40)]);
        let RtcpPacket::Tmmbr(tmmbr) = one(&out) else { panic!("not a TMMBR") };
        let entry = tmmbr.entries().next().expect("one entry");
        assert!(entry.bitrate <= bitrate && bitrate - entry.bitrate <= bitrate >> 16, "{bitrate}");
        assert_eq!((entry.ssrc, entry.overhead), (Ssrc(2), 40));
    }
    let mut out = Vec::new();
    Remb::write(&mut out, Ssrc(1), 1, &[]);
    out[17..20].fill(0xff);
    assert!(matches!(one(&out), RtcpPacket::Remb(remb) if remb.bitrate == u64::MAX));
}

#[test]
fn application_feedback_that_is_no_remb_is_unknown() {
    let mut out = Vec::new();
    Remb::write(&mut out, Ssrc(1), 1, &[]);
    out[12] = b'X';
    assert!(
        matches!(one(&out), RtcpPacket::Unknown(unknown) if unknown.packet_type == 206 && unknown.count == 15)
    );
}

#[test]
fn extended_reports() {
    let mut out = Vec::new();
    ExtendedReport::write_reference_time(&mut out, Ssrc(1), NtpTime(5));
    let RtcpPacket::ExtendedReport(xr) = one(&out) else { panic!("not an XR") };
    assert_eq!(xr.blocks.collect::<Vec<_>>(), [XrBlock::ReferenceTime(NtpTime(5))]);
    out.clear();
    let answers = [Dlrr::new(Ssrc(2), NtpShort(3), NtpShort(4)); 2];
    ExtendedReport::write_dlrr(&mut out, Ssrc(1), &answers);
    let RtcpPacket::ExtendedReport(mut xr) = one(&out) else { panic!("not an XR") };
    assert_eq!(xr.blocks.next().map(|block| block.answers().collect()), Some(answers.to_vec()));
}

#[test]
fn congestion_feedback_round_trip() {
    let metric = |ms| Some(PacketMetric::new(Ecn::Ect1, Duration::from_millis(ms)));
    let (a, b) = ([metric(500), None, metric(20_000)], [metric(0)]);
    let mut out = Vec::new();
    let streams = [(Ssrc(2), SequenceNumber(65_535), &a[..]), (Ssrc(3), SequenceNumber(0), &b[..])];
    CongestionFeedback::write(&mut out, Ssrc(1), NtpShort(77), &streams);
    let RtcpPacket::CongestionFeedback(feedback) = one(&out) else { panic!("not RFC 8888") };
    assert_eq!((feedback.sender, feedback.reported), (Ssrc(1), NtpShort(77)));
    let read: Vec<_> = feedback.streams().map(|s| (s.ssrc, s.packets().collect::<Vec<_>>())).collect();
    assert_eq!(read[0].1[0].1.and_then(|metric| metric.offset), Some(512));
    assert_eq!(read[0].1[2], (SequenceNumber(1), metric(20_000)));
    assert_eq!(read[1], (Ssrc(3), vec![(SequenceNumber(0), metric(0))]));
    out[14..16].copy_from_slice(&16_385_u16.to_be_bytes());
    assert!(Compound::new(&out).next().is_some_and(|packet| packet.is_err()));
}

/// Users 61: one bad packet does not hide the others; a length that leaves the datagram ends the walk.
#[test]
fn users_61_one_bad_packet_does_not_hide_the_rest() {
    let mut out = Vec::new();
    out.extend_from_slice(&[0x9f, 201, 0, 1, 0, 0, 0, 1]); // 31 blocks promised, none there
    out.extend_from_slice(&[0x80, 199, 0, 0]); // a type that nobody knows
    Pli::write(&mut out, Ssrc(1), Ssrc(2));
    out.extend_from_slice(&[0x80, 203, 0xff, 0xff]);
    let kinds: Vec<_> = Compound::new(&out).collect();
    assert!(matches!(
        kinds[..],
        [
            Err(ParseError::Truncated { offset: 8 }),
            Ok(RtcpPacket::Unknown(_)),
            Ok(RtcpPacket::Pli(_)),
            Err(ParseError::Truncated { .. })
        ]
    ));
}

/// T-S12: length 0 makes progress, and every truncation and count of every packet type is walked without harm.
#[test]
fn t_s12_every_type_count_and_length() {
    let body: Vec<u8> = (0..120_u8).map(|byte| byte.wrapping_mul(37)).collect();
    for packet_type in 192..=223_u8 {
        for count in 0..32_u8 {
            for padding in [0, 0x20_u8] {
                for len in 0..=body.len() {
                    for words in [0, 1, len.saturating_sub(4) / 4, len / 4 + 1, 0xffff] {
                        let mut datagram = vec![0x80 | padding | count, packet_type];
                        datagram.extend_from_slice(&(words as u16).to_be_bytes());
                        datagram.extend_from_slice(&body[..len]);
                        walk(&datagram);
                    }
                }
            }
        }
    }
    assert_eq!(Compound::new(&[0x80, 195, 0, 0].repeat(1_000)).count(), 1_000);
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others hold no list")]
fn walk(datagram: &[u8]) {
    assert!(Compound::new(datagram).count() <= datagram.len() / 4 + 1);
    for packet in Compound::new(datagram).flatten() {
        match packet {
            RtcpPacket::Nack(nack) => assert!(nack.lost().count() <= 17 * datagram.len() / 4),
            RtcpPacket::TransportFeedback(feedback) => {
                assert_eq!(feedback.statuses().count(), usize::from(feedback.status_count));
            }
            RtcpPacket::SourceDescription(sdes) => {
                sdes.chunks.for_each(|chunk| assert!(chunk.items.count() <= datagram.len()));
            }
            RtcpPacket::ExtendedReport(xr) => {
                xr.blocks.for_each(|block| assert!(block.answers().count() <= datagram.len()));
            }
            RtcpPacket::CongestionFeedback(feedback) => {
                feedback.streams().for_each(|stream| assert!(stream.packets().count() <= datagram.len()));
            }
            _ => {}
        }
    }
}

/// RFC 3550 §6.4.1: the padding of the last packet belongs to nobody.
#[test]
fn padding_is_cut_off() {
    let mut out = Vec::new();
    App::write(&mut out, 3, Ssrc(1), *b"test", &[1, 2, 3, 4, 0, 0, 0, 4]);
    out[0] |= 0x20;
    assert!(matches!(one(&out), RtcpPacket::App(app) if app.data == [1, 2, 3, 4] && app.subtype == 3));
    *out.last_mut().expect("not empty") = 0;
    assert!(Compound::new(&out).next().is_some_and(|packet| packet.is_err()));
}
