//! rustrtc 0.4.

pub mod channel;

use crate::{
    inputs,
    kernel::{Timed, prepared, repeat},
    measure::Who,
    ours,
};
use bytes::{Bytes, BytesMut};
use rustrtc::{
    rtp::{RtcpPacket, RtpHeader, RtpPacket, decode_twcc_feedback, marshal_rtcp_packets, parse_rtcp_packets},
    srtp::{SrtpKeyingMaterial, SrtpPacket, SrtpProfile, SrtpSession},
};
use std::hint::black_box;

pub fn profile(profile: srtp::Profile) -> Option<SrtpProfile> {
    match profile {
        srtp::Profile::AeadAes128Gcm => Some(SrtpProfile::AeadAes128Gcm),
        srtp::Profile::Aes128CmHmacSha1_80 => Some(SrtpProfile::Aes128Sha1_80),
        srtp::Profile::Aes128CmHmacSha1_32 => Some(SrtpProfile::Aes128Sha1_32),
        _ => None,
    }
}

fn session(ours: srtp::Profile, profile: SrtpProfile) -> SrtpSession {
    let keys = || SrtpKeyingMaterial::new(vec![1; ours.key_len()], vec![2; ours.salt_len()]);
    SrtpSession::new(profile, keys(), keys()).expect("keys fit")
}

pub fn protect(ours: srtp::Profile, profile: SrtpProfile, payload: usize) -> Timed {
    let mut session = session(ours, profile);
    let mut packet = RtpPacket::new(RtpHeader::new(96, 1, 1, 2), vec![7; payload]);
    let mut out = vec![0; session.protected_rtp_len(&packet)];
    let mut number = 0_u16;
    repeat(move || {
        number = number.wrapping_add(1);
        packet.header.sequence_number = number;
        session.protect_rtp(&packet, &mut out).expect("protected");
        black_box(&out);
    })
}

pub fn unprotect(ours: srtp::Profile, profile: SrtpProfile, payload: usize) -> Timed {
    let mut session = session(ours, profile);
    let mut make = ours::protected(&ours::provider(Who::Ours), ours, payload);
    prepared(
        move || BytesMut::from(make().as_slice()),
        move |packet| {
            let packet = SrtpPacket::parse(packet).expect("readable");
            black_box(session.unprotect_rtp(packet).expect("authentic"));
        },
    )
}

pub fn sdp_parse() -> Timed {
    repeat(|| {
        let offer = rustrtc::SessionDescription::parse(rustrtc::SdpType::Offer, black_box(inputs::OFFER));
        black_box(offer.expect("readable"));
    })
}

pub fn rtp_parse() -> Timed {
    let packet = Bytes::from(inputs::voice());
    repeat(move || {
        let parsed = RtpPacket::parse_bytes(black_box(&packet).clone()).expect("readable");
        black_box(parsed.header.get_extension(inputs::LEVEL.value()).expect("there"));
        black_box(parsed.header.get_extension(inputs::SEQUENCE.value()).expect("there"));
        black_box(&parsed);
    })
}

pub fn rtp_build() -> Timed {
    let mut out = Vec::with_capacity(1_500);
    let mut packet = RtpPacket::new(RtpHeader::new(0, 1, 160, 7), vec![0xff; 160]);
    let mut number = 0_u16;
    repeat(move || {
        number = number.wrapping_add(1);
        let mut header = RtpHeader::new(0, number, 160, 7);
        header.marker = true;
        header.set_extension(inputs::LEVEL.value(), &[0x9e]).expect("fits");
        header.set_extension(inputs::SEQUENCE.value(), &number.to_be_bytes()).expect("fits");
        packet.header = header;
        out.clear();
        packet.marshal_into(&mut out);
        black_box(&out);
    })
}

/// Reads a compound packet and the lists in it. In vectors of one bit it takes what arrived for lost and the reverse, so
/// of such feedback it reads few deltas; the feedback with late packets has none of these vectors.
pub fn rtcp_parse(datagram: Vec<u8>) -> Timed {
    repeat(move || {
        let mut sum = 0_u32;
        for packet in parse_rtcp_packets(black_box(&datagram), None).expect("readable") {
            match packet {
                RtcpPacket::SenderReport(report) => {
                    sum = report.report_blocks.iter().fold(sum, |sum, block| sum.wrapping_add(block.jitter));
                }
                RtcpPacket::GenericNack(nack) => {
                    sum += nack.lost_packets.iter().map(|lost| u32::from(*lost)).sum::<u32>();
                }
                RtcpPacket::TransportWideCc(feedback) => {
                    for (sequence, delta) in decode_twcc_feedback(&feedback) {
                        sum = sum.wrapping_add(u32::from(sequence)).wrapping_add(delta.unwrap_or(0) as u32);
                    }
                }
                _ => {}
            }
        }
        black_box(sum);
    })
}

pub fn rtcp_build(datagram: Vec<u8>) -> Timed {
    let packets = parse_rtcp_packets(&datagram, None).expect("readable");
    repeat(move || {
        black_box(marshal_rtcp_packets(black_box(&packets)).expect("written"));
    })
}
