//! str0m 0.25 with aws-lc-rs, and the crates it is made of.

pub mod channel;
pub mod session;

use crate::{
    inputs,
    kernel::{Timed, repeat},
};
use is::{DefaultSha1HmacProvider, Sha1HmacProvider, stun::StunMessage};
use std::{hint::black_box, net::SocketAddr, sync::Arc, time::Instant};

/// `is` with its own HMAC, which is faster than the one that str0m gives it.
pub fn check() -> Timed {
    let request = inputs::check();
    let hmac = DefaultSha1HmacProvider;
    let address: SocketAddr = "192.0.2.1:5000".parse().expect("an address");
    let mut answer = [0; 200];
    repeat(move || {
        let message = StunMessage::parse(black_box(&request)).expect("readable");
        let mac = |key: &[u8], parts: &[&[u8]]| hmac.sha1_hmac(key, parts);
        assert!(message.verify(inputs::PASSWORD, mac), "authentic");
        black_box(message.split_username().expect("there"));
        let reply = StunMessage::binding_reply(message.trans_id(), address);
        black_box(reply.to_bytes(Some(inputs::PASSWORD), &mut answer, mac).expect("short"));
    })
}

pub fn sdp_parse() -> Timed {
    repeat(|| {
        black_box(str0m::change::SdpOffer::from_sdp_string(black_box(inputs::OFFER)).expect("readable"));
    })
}

struct Pair {
    client: dimpl::Dtls,
    server: dimpl::Dtls,
    buffer: Vec<u8>,
}

impl Pair {
    fn connect(config: &Arc<dimpl::Config>, certificates: &[dimpl::DtlsCertificate; 2]) -> Self {
        let now = Instant::now();
        let [ours, theirs] = certificates;
        let mut client = dimpl::Dtls::new_12(config.clone(), ours.clone(), now);
        client.set_active(true);
        let server = dimpl::Dtls::new_12(config.clone(), theirs.clone(), now);
        let mut pair = Self { client, server, buffer: vec![0; 4_096] };
        pair.client.handle_timeout(now).expect("started");
        pair.server.handle_timeout(now).expect("started");
        let mut done = 0;
        for _ in 0..20 {
            done += carry(&mut pair.client, &mut pair.server, &mut pair.buffer, &mut 0);
            done += carry(&mut pair.server, &mut pair.client, &mut pair.buffer, &mut 0);
            if done == 2 {
                return pair;
            }
        }
        panic!("the handshake goes on");
    }
}

/// Takes all that one end has to say; counts completed handshakes and application data.
fn carry(from: &mut dimpl::Dtls, to: &mut dimpl::Dtls, buffer: &mut Vec<u8>, data: &mut usize) -> usize {
    let mut done = 0;
    loop {
        match from.poll_output(buffer) {
            dimpl::Output::Packet(packet) => to.handle_packet(packet).expect("taken"),
            dimpl::Output::Connected => done += 1,
            dimpl::Output::ApplicationData(bytes) => *data += bytes.len(),
            dimpl::Output::BufferTooSmall { needed } => buffer.resize(needed, 0),
            dimpl::Output::Timeout(_) => return done,
            _ => {}
        }
    }
}

fn certificate() -> dimpl::DtlsCertificate {
    dimpl::certificate::generate_self_signed_certificate().expect("made")
}

pub fn handshake() -> Timed {
    let config = Arc::new(dimpl::Config::default());
    let certificates = [certificate(), certificate()];
    repeat(move || {
        black_box(Pair::connect(&config, &certificates).server.is_active());
    })
}

pub fn record(bytes: usize) -> Timed {
    let config = Arc::new(dimpl::Config::default());
    let mut pair = Pair::connect(&config, &[certificate(), certificate()]);
    let message = vec![7; bytes];
    repeat(move || {
        pair.client.send_application_data(&message).expect("connected");
        let mut opened = 0;
        carry(&mut pair.client, &mut pair.server, &mut pair.buffer, &mut 0);
        carry(&mut pair.server, &mut pair.client, &mut pair.buffer, &mut opened);
        assert_eq!(opened, message.len(), "authentic");
    })
}
