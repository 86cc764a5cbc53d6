//! The bytes that all parties get.

use rtp::{
    ExtensionForm, ExtensionId, Header, PacketBuilder, PayloadType, SequenceNumber, Ssrc, Timestamp,
    VoiceActivity,
};
use std::time::Duration;
use stun::{
    Builder, IntegrityKey, Method, TransactionId,
    attr::{IceControlling, Priority, Username},
};

/// The ICE password of the side that is asked.
pub const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

/// The offer of a browser with audio, video and data, its candidates in it.
pub const OFFER: &str = include_str!("../../../crates/sdp/tests/vectors/chromium-offer-candidates.sdp");

pub const LEVEL: ExtensionId = ExtensionId::new(1).expect("identifiers start at 1");
pub const SEQUENCE: ExtensionId = ExtensionId::new(3).expect("identifiers start at 1");

/// A connectivity check as a browser sends it.
pub fn check() -> Vec<u8> {
    let key = IntegrityKey::new(&crypto::rustcrypto::provider(), PASSWORD).expect("HMAC-SHA1 is there");
    let mut request = Vec::new();
    let id = TransactionId::random(&mut *crypto::os_random());
    let mut builder = Builder::request(&mut request, Method::BINDING, id);
    builder
        .attribute(&Username::new("evtj:h6vY").expect("short"))
        .attribute(&IceControlling::new(0x0123_4567_89ab_cdef))
        .attribute(&Priority::new(1_845_501_695))
        .message_integrity(&key)
        .fingerprint();
    builder.finish().expect("short");
    request
}

/// An RTP packet without extensions and `payload` bytes of payload.
pub fn plain_rtp(payload: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2];
    packet.resize(packet.len() + payload, 7);
    packet
}

/// Writes the sequence number of an RTP packet.
pub fn number(packet: &mut [u8], number: u16) {
    packet[2..4].copy_from_slice(&number.to_be_bytes());
}

/// A voice packet: audio level, transport-wide sequence number, 160 bytes.
pub fn voice() -> Vec<u8> {
    let mut packet = Vec::new();
    write_voice(&mut packet, 1);
    packet
}

pub fn write_voice(out: &mut Vec<u8>, number: u16) {
    let header =
        Header::new(PayloadType::PCMU, SequenceNumber(number), Timestamp(160), Ssrc(7)).with_marker();
    let mut packet = PacketBuilder::new(out, header, &[], ExtensionForm::OneByte);
    packet.extension(LEVEL, &rtp::AudioLevel::new(30, VoiceActivity::Active)).expect("fits");
    packet.extension(SEQUENCE, &rtp::TransportSequence(SequenceNumber(number))).expect("fits");
    let _header = packet.finish();
    out.extend_from_slice(&[0xff; 160]);
}

/// A sender report with two blocks, and a name.
pub fn write_report(out: &mut Vec<u8>) {
    let ntp = rtp::ntp::NtpTime::from_unix(Duration::from_secs(1_800_000_000));
    let info = rtp::rtcp::SenderInfo::new(Ssrc(7), ntp, Timestamp(90_000)).with_counts(1_000, 1_000_000);
    let blocks = [rtp::rtcp::ReportBlock::new(Ssrc(8)), rtp::rtcp::ReportBlock::new(Ssrc(9))];
    rtp::rtcp::SenderReport::write(out, &info, &blocks);
    rtp::rtcp::SourceDescription::write(out, &[Ssrc(7)], "0123456789abcdef");
}

/// Twenty lost packets, in four entries.
pub fn lost() -> impl Iterator<Item = SequenceNumber> {
    [100, 300, 500, 700]
        .into_iter()
        .flat_map(|first| (0..5).map(move |step| SequenceNumber(first + step * 3)))
}

pub fn nack() -> Vec<u8> {
    let mut out = Vec::new();
    rtp::rtcp::Nack::write(&mut out, Ssrc(1), Ssrc(7), lost(), 16);
    out
}

/// Transport-wide feedback about forty packets, two of them lost.
pub fn write_feedback(builder: &mut rtp::rtcp::TransportFeedbackBuilder, out: &mut Vec<u8>) {
    write_arrivals(builder, out, |step| 4 + i64::from(step % 3));
}

/// The same with packets that overtook others: their deltas are negative, so that all statuses have two bits.
pub fn late_feedback() -> Vec<u8> {
    let mut out = Vec::new();
    let delta = |step: u16| if step % 6 == 3 { -3 } else { 4 + i64::from(step % 3) };
    write_arrivals(&mut rtp::rtcp::TransportFeedbackBuilder::new(), &mut out, delta);
    out
}

fn write_arrivals(
    builder: &mut rtp::rtcp::TransportFeedbackBuilder,
    out: &mut Vec<u8>,
    delta: impl Fn(u16) -> i64,
) {
    builder.start(SequenceNumber(1_000), 4_000, 1_200);
    let mut ticks = 4_000;
    for step in (0..40).filter(|step| step % 17 != 9) {
        ticks += delta(step);
        builder.push(SequenceNumber(1_000 + step), ticks).expect("fits");
    }
    builder.write(out, Ssrc(1), Ssrc(7), 1);
}

pub fn feedback() -> Vec<u8> {
    let mut out = Vec::new();
    write_feedback(&mut rtp::rtcp::TransportFeedbackBuilder::new(), &mut out);
    out
}

pub fn report() -> Vec<u8> {
    let mut out = Vec::new();
    write_report(&mut out);
    out
}
