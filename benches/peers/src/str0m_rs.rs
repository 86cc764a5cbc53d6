//! str0m 0.25 with aws-lc-rs, and the crates it is made of.

pub mod channel;
pub mod session;

use crate::{
    inputs,
    kernel::{Timed, repeat},
    machine::thread_time,
};
use bytes::Bytes;
use is::{
    DefaultSha1HmacProvider, Sha1HmacProvider,
    stun::StunMessage,
};
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event, Payload,
    PayloadProtocolIdentifier, ServerConfig,
};
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

/// One end of an association of `sctp-proto`.
struct End {
    endpoint: Endpoint,
    association: Option<(AssociationHandle, Association)>,
    peer: SocketAddr,
    out: Vec<Bytes>,
}

impl End {
    fn drive(&mut self, now: Instant) {
        let Some((handle, association)) = &mut self.association else { return };
        while let Some(event) = association.poll_endpoint_event() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                association.handle_event(event);
            }
        }
        while let Some(transmit) = association.poll_transmit(now) {
            if let Payload::RawEncode(packets) = transmit.payload {
                self.out.extend(packets);
            }
        }
    }

    fn handle(&mut self, now: Instant, packet: Bytes) {
        match self.endpoint.handle(now, self.peer, None, None, packet) {
            Some((handle, DatagramEvent::NewAssociation(association))) => {
                self.association = Some((handle, association));
            }
            Some((_, DatagramEvent::AssociationEvent(event))) => {
                if let Some((_, association)) = &mut self.association {
                    association.handle_event(event);
                }
            }
            None => {}
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            if let Payload::RawEncode(packets) = transmit.payload {
                self.out.extend(packets);
            }
        }
    }

    fn association(&mut self) -> &mut Association {
        &mut self.association.as_mut().expect("connected").1
    }
}

/// As str0m uses it: at most 128 KiB queued, which is its default.
pub fn sctp_messages(bytes: usize) -> Timed {
    let now = Instant::now();
    let addresses: [SocketAddr; 2] =
        ["192.0.2.1:5000".parse().expect("an address"), "192.0.2.2:5000".parse().expect("an address")];
    let config = Arc::new(EndpointConfig::default());
    let server = Arc::new(ServerConfig::default());
    let mut a = End {
        endpoint: Endpoint::new(config.clone(), None),
        association: None,
        peer: addresses[1],
        out: Vec::new(),
    };
    let mut b =
        End { endpoint: Endpoint::new(config, Some(server)), association: None, peer: addresses[0], out: Vec::new() };
    a.association = Some(a.endpoint.connect(ClientConfig::default(), addresses[1]).expect("started"));
    let mut connected = false;
    for _ in 0..20 {
        exchange(now, &mut a, &mut b);
        while let Some(event) = a.association().poll() {
            connected |= matches!(event, Event::Connected);
        }
        if connected {
            break;
        }
    }
    assert!(connected, "the associations connect");
    a.association().open_stream(1, PayloadProtocolIdentifier::Binary).expect("opened");
    let payload = Bytes::from(vec![7; bytes]);
    let mut scratch = vec![0; bytes];
    Box::new(move |times| {
        let begin = thread_time();
        let (mut sent, mut received) = (0, 0);
        let mut now = now;
        while received < times {
            let mut stream = a.association().stream(1).expect("open");
            while sent < times && stream.buffered_amount().expect("open") + bytes <= 128 * 1_024 {
                stream.write_chunk(&payload).expect("room");
                sent += 1;
            }
            exchange(now, &mut a, &mut b);
            now += std::time::Duration::from_micros(10);
            let end = b.association();
            while end.poll().is_some() {}
            if end.accept_stream().is_some() || end.stream(1).is_ok() {
                let mut stream = end.stream(1).expect("open");
                while let Ok(Some(chunks)) = stream.read_sctp() {
                    chunks.read(&mut scratch).expect("fits");
                    received += 1;
                }
            }
            while a.association().poll().is_some() {}
            for end in [&mut a, &mut b] {
                if let Some((_, association)) = &mut end.association
                    && association.poll_timeout().is_some_and(|due| due <= now)
                {
                    association.handle_timeout(now);
                }
            }
        }
        thread_time().saturating_sub(begin)
    })
}

fn exchange(now: Instant, a: &mut End, b: &mut End) {
    a.drive(now);
    for packet in std::mem::take(&mut a.out) {
        b.handle(now, packet);
    }
    b.drive(now);
    for packet in std::mem::take(&mut b.out) {
        a.handle(now, packet);
    }
}
