//! webrtc 0.21 and the crates below it (`rtc`), with their default back end, ring.

pub mod channel;

use crate::{
    inputs,
    kernel::{Timed, prepared, repeat},
    measure::Who,
    ours,
};
use bytes::{Bytes, BytesMut};
use rtc::{
    crypto::RTCCryptoProvider,
    dtls::{
        config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig},
        crypto::Certificate,
        endpoint::{Endpoint, EndpointEvent},
        extension::extension_use_srtp::SrtpProtectionProfile,
    },
    shared::{
        TransportProtocol,
        marshal::{Marshal, MarshalSize, Unmarshal},
    },
    srtp::{context::Context, option::srtp_replay_protection, protection_profile::ProtectionProfile},
    stun::{
        fingerprint::FINGERPRINT,
        integrity::MessageIntegrity,
        message::{BINDING_SUCCESS, Getter, Message},
        textattrs::Username,
        xoraddr::XorMappedAddress,
    },
};
use std::{hint::black_box, io::Cursor, net::SocketAddr, sync::Arc, time::Instant};

fn provider() -> Arc<dyn RTCCryptoProvider> {
    rtc::crypto::default_provider().expect("ring is built in")
}

pub fn profile(profile: srtp::Profile) -> Option<ProtectionProfile> {
    match profile {
        srtp::Profile::AeadAes128Gcm => Some(ProtectionProfile::AeadAes128Gcm),
        srtp::Profile::AeadAes256Gcm => Some(ProtectionProfile::AeadAes256Gcm),
        srtp::Profile::Aes128CmHmacSha1_80 => Some(ProtectionProfile::Aes128CmHmacSha1_80),
        srtp::Profile::Aes128CmHmacSha1_32 => Some(ProtectionProfile::Aes128CmHmacSha1_32),
        _ => None,
    }
}

fn context(profile: ProtectionProfile) -> Context {
    let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
    let window = Some(srtp_replay_protection(128));
    Context::new(&key, &salt, profile, window, None, provider().crypto()).expect("keys fit")
}

pub fn protect(profile: ProtectionProfile, payload: usize) -> Timed {
    let mut context = context(profile);
    let mut packet = inputs::plain_rtp(payload);
    let mut number = 0_u16;
    repeat(move || {
        number = number.wrapping_add(1);
        inputs::number(&mut packet, number);
        black_box(context.encrypt_rtp(&packet).expect("protected"));
    })
}

pub fn unprotect(ours: srtp::Profile, profile: ProtectionProfile, payload: usize) -> Timed {
    let mut context = context(profile);
    prepared(ours::protected(&ours::provider(Who::Ours), ours, payload), move |packet| {
        black_box(context.decrypt_rtp(&packet).expect("authentic"));
    })
}

pub fn check() -> Timed {
    let request = inputs::check();
    let password = String::from_utf8(inputs::PASSWORD.to_vec()).expect("text");
    let provider = provider();
    let address: SocketAddr = "192.0.2.1:5000".parse().expect("an address");
    repeat(move || {
        let mut message = Message::new();
        message.unmarshal_binary(black_box(&request)).expect("readable");
        FINGERPRINT.check(&message).expect("intact");
        MessageIntegrity::check(&mut message, inputs::PASSWORD, provider.crypto()).expect("authentic");
        let mut user = Username::new(rtc::stun::attributes::ATTR_USERNAME, String::new());
        user.get_from(&message).expect("there");
        let mut answer = Message::new();
        answer
            .build(&[
                Box::new(message.transaction_id),
                Box::new(BINDING_SUCCESS),
                Box::new(XorMappedAddress { ip: address.ip(), port: address.port() }),
                Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
                    password.clone(),
                    provider.crypto(),
                )),
                Box::new(FINGERPRINT),
            ])
            .expect("short");
        black_box(&answer.raw);
    })
}

pub fn sdp_parse() -> Timed {
    repeat(|| {
        let mut reader = Cursor::new(black_box(inputs::OFFER));
        black_box(rtc::sdp::SessionDescription::unmarshal(&mut reader).expect("readable"));
    })
}

pub fn rtp_parse() -> Timed {
    let packet = Bytes::from(inputs::voice());
    repeat(move || {
        let mut bytes = black_box(&packet).clone();
        let parsed = rtc::rtp::Packet::unmarshal(&mut bytes).expect("readable");
        black_box(parsed.header.get_extension(inputs::LEVEL.value()).expect("there"));
        black_box(parsed.header.get_extension(inputs::SEQUENCE.value()).expect("there"));
        black_box(&parsed);
    })
}

pub fn rtp_build() -> Timed {
    let payload = Bytes::from(vec![0xff; 160]);
    let mut out = vec![0; 1_500];
    let mut number = 0_u16;
    repeat(move || {
        number = number.wrapping_add(1);
        let mut header = rtc::rtp::header::Header {
            version: 2,
            marker: true,
            payload_type: 0,
            sequence_number: number,
            timestamp: 160,
            ssrc: 7,
            ..Default::default()
        };
        header.set_extension(inputs::LEVEL.value(), Bytes::from_static(&[0x9e])).expect("fits");
        let sequence = Bytes::copy_from_slice(&number.to_be_bytes());
        header.set_extension(inputs::SEQUENCE.value(), sequence).expect("fits");
        let packet = rtc::rtp::Packet { header, payload: payload.clone() };
        black_box(packet.marshal_size());
        black_box(packet.marshal_to(&mut out).expect("fits"));
    })
}

/// Reads a compound packet and the lists in it. Which packet a delta of feedback belongs to is left to the caller.
pub fn rtcp_parse(datagram: Vec<u8>) -> Timed {
    use rtc::rtcp::{
        sender_report::SenderReport,
        transport_feedbacks::{
            transport_layer_cc::TransportLayerCc, transport_layer_nack::TransportLayerNack,
        },
    };
    let datagram = Bytes::from(datagram);
    repeat(move || {
        let mut bytes = black_box(&datagram).clone();
        let mut sum = 0_u32;
        for packet in rtc::rtcp::packet::unmarshal(&mut bytes).expect("readable") {
            let any = packet.as_any();
            if let Some(report) = any.downcast_ref::<SenderReport>() {
                sum = report.reports.iter().fold(sum, |sum, block| sum.wrapping_add(block.jitter));
            } else if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
                for pair in &nack.nacks {
                    sum += pair.packet_list().into_iter().map(u32::from).sum::<u32>();
                }
            } else if let Some(feedback) = any.downcast_ref::<TransportLayerCc>() {
                for delta in &feedback.recv_deltas {
                    sum = sum.wrapping_add(delta.delta as u32);
                }
            }
        }
        black_box(sum);
    })
}

/// Writes packets that were read once: their structures are made outside of the loop.
pub fn rtcp_build(datagram: Vec<u8>) -> Timed {
    let packets = rtc::rtcp::packet::unmarshal(&mut Bytes::from(datagram)).expect("readable");
    repeat(move || {
        black_box(rtc::rtcp::packet::marshal(black_box(&packets)).expect("written"));
    })
}

fn dtls_config(client: bool, certificate: &Certificate) -> Arc<HandshakeConfig> {
    let config = ConfigBuilder::default()
        .with_crypto_provider(provider())
        .with_certificates(vec![certificate.clone()])
        .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .with_insecure_skip_verify(true)
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .build(client, None)
        .expect("complete");
    Arc::new(config)
}

/// Both ends of a handshake.
struct Pair {
    client: Endpoint,
    server: Endpoint,
}

const CLIENT: &str = "192.0.2.1:5000";
const SERVER: &str = "192.0.2.2:5000";

impl Pair {
    fn connect(client: &Arc<HandshakeConfig>, server: &Arc<HandshakeConfig>) -> Self {
        let (at_client, at_server) =
            (CLIENT.parse().expect("an address"), SERVER.parse().expect("an address"));
        let now = Instant::now();
        let mut pair = Self {
            client: Endpoint::new(at_client, TransportProtocol::UDP, None),
            server: Endpoint::new(at_server, TransportProtocol::UDP, Some(server.clone())),
        };
        pair.client.connect(now, at_server, client.clone(), None).expect("started");
        let mut done = 0;
        for _ in 0..20 {
            done += carry(now, &mut pair.client, &mut pair.server, at_client, &mut |_| {});
            done += carry(now, &mut pair.server, &mut pair.client, at_server, &mut |_| {});
            if done == 2 {
                return pair;
            }
        }
        panic!("the handshake goes on");
    }
}

/// How many handshakes were completed.
fn carry(
    now: Instant,
    from: &mut Endpoint,
    to: &mut Endpoint,
    address: SocketAddr,
    data: &mut dyn FnMut(BytesMut),
) -> usize {
    let mut done = 0;
    while let Some(transmit) = from.poll_transmit() {
        for event in to.read(now, address, None, transmit.message).expect("taken") {
            match event {
                EndpointEvent::HandshakeComplete => done += 1,
                EndpointEvent::ApplicationData(bytes) => data(bytes),
                _ => {}
            }
        }
    }
    done
}

fn certificate() -> Certificate {
    Certificate::generate_self_signed(vec!["localhost".to_owned()], provider().crypto()).expect("made")
}

pub fn handshake() -> Timed {
    let client = dtls_config(true, &certificate());
    let server = dtls_config(false, &certificate());
    repeat(move || {
        black_box(Pair::connect(&client, &server).server.get_connections_keys().len());
    })
}

pub fn record(bytes: usize) -> Timed {
    let mut pair = Pair::connect(&dtls_config(true, &certificate()), &dtls_config(false, &certificate()));
    let message = vec![7; bytes];
    let now = Instant::now();
    let (at_client, at_server) = (CLIENT.parse().expect("an address"), SERVER.parse().expect("an address"));
    repeat(move || {
        pair.client.write(now, at_server, &message).expect("connected");
        let mut opened = 0;
        carry(now, &mut pair.client, &mut pair.server, at_client, &mut |data| opened += data.len());
        assert_eq!(opened, message.len(), "authentic");
    })
}
