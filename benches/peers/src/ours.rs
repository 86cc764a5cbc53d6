//! peerlane: the loops in memory. `ours/` has what needs sockets or sessions.

pub mod blocking;
pub mod channel;
pub mod session;

use crate::{
    inputs,
    kernel::{Timed, prepared, repeat},
    measure::Who,
};
use crypto::Provider;
use rtp::{
    ExtensionKind, ExtensionMap, HeaderView,
    rtcp::{Compound, RtcpPacket},
};
use srtp::{Config, Profile, Protector, Unprotector};
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};
use stun::{
    Builder, IntegrityKey, Message,
    attr::{Username, XorMappedAddress},
};

/// The back end of a column.
pub fn provider(who: Who) -> Provider {
    match who {
        Who::OursAwsLc => crypto::aws_lc_rs::provider(),
        _ => crypto::rustcrypto::provider(),
    }
}

/// Time since 1970 that goes into certificates.
pub const WALL: Duration = Duration::from_secs(1_800_000_000);

fn keys(profile: Profile) -> (Vec<u8>, Vec<u8>) {
    (vec![1; profile.key_len()], vec![2; profile.salt_len()])
}

pub fn protect(provider: &Provider, profile: Profile, payload: usize) -> Timed {
    let (key, salt) = keys(profile);
    let mut protector = Protector::new(provider, profile, &key, &salt, Config::new()).expect("keys fit");
    let template = inputs::plain_rtp(payload);
    let mut packet = Vec::with_capacity(1_500);
    let mut number = 0_u16;
    repeat(move || {
        number = number.wrapping_add(1);
        packet.clear();
        packet.extend_from_slice(&template);
        inputs::number(&mut packet, number);
        protector.protect_rtp(&mut packet, 0).expect("protected");
        black_box(&packet);
    })
}

pub fn unprotect(provider: &Provider, profile: Profile, payload: usize) -> Timed {
    let (key, salt) = keys(profile);
    let mut unprotector = Unprotector::new(provider, profile, &key, &salt, Config::new()).expect("keys fit");
    prepared(protected(provider, profile, payload), move |mut packet| {
        black_box(unprotector.unprotect_rtp(&mut packet).expect("authentic"));
    })
}

/// Packets one after another, protected.
pub fn protected(provider: &Provider, profile: Profile, payload: usize) -> impl FnMut() -> Vec<u8> + use<> {
    let (key, salt) = keys(profile);
    let mut protector = Protector::new(provider, profile, &key, &salt, Config::new()).expect("keys fit");
    let mut number = 0_u16;
    move || {
        number = number.wrapping_add(1);
        let mut packet = inputs::plain_rtp(payload);
        inputs::number(&mut packet, number);
        protector.protect_rtp(&mut packet, 0).expect("protected");
        packet
    }
}

/// Parses a connectivity check, verifies it and writes the answer.
pub fn check(provider: &Provider) -> Timed {
    let request = inputs::check();
    let key = IntegrityKey::new(provider, inputs::PASSWORD).expect("HMAC-SHA1 is there");
    let address = "192.0.2.1:5000".parse().expect("an address");
    let mut answer = Vec::with_capacity(200);
    repeat(move || {
        let message = Message::parse(black_box(&request)).expect("readable");
        message.check_fingerprint().expect("intact");
        message.verify(&key).expect("authentic");
        black_box(message.require::<Username<'_>>().expect("there"));
        answer.clear();
        let mut builder = Builder::success(&mut answer, &message);
        builder.attribute(&XorMappedAddress::new(address)).message_integrity(&key).fingerprint();
        builder.finish().expect("short");
        black_box(&answer);
    })
}

pub fn sdp_parse() -> Timed {
    repeat(|| {
        black_box(sdp::Description::parse(black_box(inputs::OFFER)).expect("readable"));
    })
}

pub fn rtp_parse() -> Timed {
    let packet = inputs::voice();
    let map = ExtensionMap::new()
        .with(ExtensionKind::AudioLevel, inputs::LEVEL)
        .with(ExtensionKind::TransportSequence, inputs::SEQUENCE);
    repeat(move || {
        let view = HeaderView::parse(black_box(&packet)).expect("readable");
        black_box(view.header());
        black_box(view.extensions().value::<rtp::AudioLevel>(&map).expect("there"));
        black_box(view.extensions().value::<rtp::TransportSequence>(&map).expect("there"));
        black_box(view.payload());
    })
}

pub fn rtp_build() -> Timed {
    let mut out = Vec::with_capacity(1_500);
    let mut number = 0_u16;
    repeat(move || {
        number = number.wrapping_add(1);
        out.clear();
        inputs::write_voice(&mut out, number);
        black_box(&out);
    })
}

/// Reads a compound packet and everything in it. What a report says is looked at as a whole, since the others have
/// copied all of it.
pub fn rtcp_parse(datagram: Vec<u8>) -> Timed {
    repeat(move || {
        let mut sum = 0_u32;
        for packet in Compound::new(black_box(&datagram)) {
            match packet.expect("readable") {
                RtcpPacket::SenderReport(report) => {
                    black_box(report.info);
                    for block in report.blocks {
                        sum = sum.wrapping_add(black_box(block).jitter);
                    }
                }
                RtcpPacket::SourceDescription(description) => {
                    for chunk in description.chunks {
                        sum += chunk.item(rtp::rtcp::SdesKind::CNAME).map_or(0, |name| name.len() as u32);
                    }
                }
                RtcpPacket::Nack(nack) => {
                    for lost in nack.lost() {
                        sum += u32::from(lost.0);
                    }
                }
                RtcpPacket::TransportFeedback(feedback) => {
                    for arrival in feedback.arrivals() {
                        sum = sum.wrapping_add(u32::from(arrival.sequence.0));
                        sum = sum.wrapping_add(arrival.ticks.unwrap_or(0) as u32);
                    }
                }
                _ => {}
            }
        }
        black_box(sum);
    })
}

pub fn report_build() -> Timed {
    let mut out = Vec::with_capacity(1_500);
    repeat(move || {
        out.clear();
        inputs::write_report(&mut out);
        black_box(&out);
    })
}

/// The list of what is lost is made outside of the loop, as those of the others are; theirs are in entries already.
pub fn nack_build() -> Timed {
    let lost: Vec<rtp::SequenceNumber> = inputs::lost().collect();
    let mut out = Vec::with_capacity(1_500);
    repeat(move || {
        out.clear();
        rtp::rtcp::Nack::write(&mut out, rtp::Ssrc(1), rtp::Ssrc(7), black_box(&lost).iter().copied(), 16);
        black_box(&out);
    })
}

pub fn feedback_build() -> Timed {
    let mut out = Vec::with_capacity(1_500);
    let mut builder = rtp::rtcp::TransportFeedbackBuilder::new();
    repeat(move || {
        out.clear();
        inputs::write_feedback(&mut builder, &mut out);
        black_box(&out);
    })
}

fn certificate(provider: &Provider) -> dtls::Certificate {
    let mut random = crypto::os_random();
    dtls::Certificate::generate(provider, &mut *random, WALL, &dtls::CertificateOptions::new()).expect("made")
}

fn ends(
    provider: &Provider,
    now: Instant,
    config: &Arc<dtls::Config>,
    certificates: &[dtls::Certificate; 2],
) -> [dtls::Connection; 2] {
    let end = |role, ours: usize| {
        let certificate = certificates[ours].clone();
        let mut end = dtls::Connection::new(Arc::clone(config), role, certificate, now, crypto::os_random());
        let theirs = certificates[1 - ours].fingerprint(provider, crypto::HashId::Sha256).expect("computed");
        end.expect_fingerprints(now, vec![theirs]);
        end.start(now);
        end
    };
    [end(dtls::Role::Client, 0), end(dtls::Role::Server, 1)]
}

fn shake_hands(now: Instant, [client, server]: &mut [dtls::Connection; 2]) {
    let mut out = Vec::with_capacity(2_048);
    let mut turns = 0;
    while !(client.is_connected() && server.is_connected()) {
        exchange(now, client, server, &mut out);
        exchange(now, server, client, &mut out);
        turns += 1;
        assert!(turns < 20, "the handshake goes on");
    }
    exchange(now, client, server, &mut out);
    exchange(now, server, client, &mut out);
}

fn exchange(now: Instant, from: &mut dtls::Connection, to: &mut dtls::Connection, out: &mut Vec<u8>) {
    out.clear();
    while from.poll_transmit(now, out).is_some() {
        to.handle_datagram(now, out, &mut |_| {});
        out.clear();
    }
    while from.poll_event().is_some() {}
    while to.poll_event().is_some() {}
}

/// A whole handshake, both ends.
pub fn handshake(provider: Provider) -> Timed {
    let config = Arc::new(dtls::Config::new(provider));
    let certificates = [certificate(&provider), certificate(&provider)];
    repeat(move || {
        let now = Instant::now();
        let mut pair = ends(&provider, now, &config, &certificates);
        shake_hands(now, &mut pair);
        black_box(&pair);
    })
}

/// Application data sealed by one end and opened by the other.
pub fn record(provider: Provider, bytes: usize) -> Timed {
    let now = Instant::now();
    let certificates = [certificate(&provider), certificate(&provider)];
    let mut pair = ends(&provider, now, &Arc::new(dtls::Config::new(provider)), &certificates);
    shake_hands(now, &mut pair);
    let [mut client, mut server] = pair;
    let message = vec![7; bytes];
    let mut out = Vec::with_capacity(2_048);
    repeat(move || {
        out.clear();
        let sealed = client.seal_with(&mut out, |out| {
            out.extend_from_slice(&message);
            Some(())
        });
        assert!(sealed.is_some(), "connected");
        let mut opened = 0;
        server.handle_datagram(now, &mut out, &mut |data| opened += data.len());
        assert_eq!(opened, message.len(), "authentic");
    })
}
