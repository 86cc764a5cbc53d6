//! What the benches and the allocation budgets run on: things that are connected already.

use peerconnection::{
    ChannelKey, Configuration, DataChannelInit, DataChannelState, Datagram, Description, MediaKind, Session,
    SessionEvent, TransceiverId, TransceiverInit, bytes::BytesMut, stun::net::Transmit,
};
use std::{
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};
use testkit::Seed;

const WALL: Duration = Duration::from_secs(1_800_000_000);

pub fn provider() -> crypto::Provider {
    crypto::rustcrypto::provider()
}

/// A connected pair of DTLS connections, client first.
pub fn dtls_pair(now: Instant) -> [dtls::Connection; 2] {
    let mut pair = dtls_ends(now, &[certificate("a"), certificate("b")]);
    shake_hands(now, &mut pair);
    pair
}

pub fn certificate(name: &str) -> dtls::Certificate {
    let mut random = Seed::new(1).fork(name).random();
    dtls::Certificate::generate(&provider(), &mut random, WALL, &dtls::CertificateOptions::new())
        .expect("made")
}

pub fn dtls_ends(now: Instant, certificates: &[dtls::Certificate; 2]) -> [dtls::Connection; 2] {
    let config = Arc::new(dtls::Config::new(provider()));
    let end = |role, ours: usize| {
        let random = Seed::new(2).boxed_random(&format!("{ours}"));
        let mut connection =
            dtls::Connection::new(Arc::clone(&config), role, certificates[ours].clone(), now, random);
        let fingerprint =
            certificates[1 - ours].fingerprint(&provider(), crypto::HashId::Sha256).expect("computed");
        connection.expect_fingerprints(now, vec![fingerprint]);
        connection.start(now);
        connection
    };
    [end(dtls::Role::Client, 0), end(dtls::Role::Server, 1)]
}

pub fn shake_hands(now: Instant, [client, server]: &mut [dtls::Connection; 2]) {
    let mut out = Vec::new();
    while !(client.is_connected() && server.is_connected()) {
        let before = (client.stats().records_sent, server.stats().records_sent);
        exchange(now, client, server, &mut out);
        exchange(now, server, client, &mut out);
        assert_ne!(
            (client.stats().records_sent, server.stats().records_sent),
            before,
            "the handshake goes on"
        );
    }
    exchange(now, client, server, &mut out);
    exchange(now, server, client, &mut out);
}

/// Carries `len` bytes of data from one connection to the other.
pub fn seal_and_open(now: Instant, [from, to]: &mut [dtls::Connection; 2], len: usize, out: &mut Vec<u8>) {
    out.clear();
    let sealed = from.seal_with(out, |out| {
        out.resize(out.len() + len, 7);
        Some(())
    });
    assert_eq!(sealed, Some(()));
    let mut opened = 0;
    to.handle_datagram(now, out, &mut |data| opened += data.len());
    assert_eq!(opened, len);
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

/// Two sessions with a data channel and a video stream from the first to the second.
pub struct Stack {
    pub now: Instant,
    pub a: Session,
    pub b: Session,
    pub channel: ChannelKey,
    pub other: ChannelKey,
    pub video: TransceiverId,
    out: Vec<u8>,
}

/// A session that knows its address.
pub fn session(now: Instant, name: &'static str, address: &str) -> Session {
    let mut layer = 0;
    let random = move || {
        layer += 1;
        Seed::new(3).boxed_random(&format!("{name} {layer}"))
    };
    let mut session = Session::new(Configuration::default(), now, WALL, random).expect("made");
    session.add_local_address(now, address.parse().expect("an address"), None);
    session.local_addresses_complete(now);
    session
}

impl Stack {
    pub fn new(start: Instant) -> Self {
        let mut a = session(start, "a", "192.0.2.1:5000");
        let mut b = session(start, "b", "192.0.2.2:5000");
        let channel = a.create_data_channel(start, "bench", &DataChannelInit::new()).expect("a channel");
        let video =
            a.add_transceiver(start, MediaKind::Video, TransceiverInit::new()).expect("a transceiver");
        a.set_local_description(start, None).expect("an offer");
        let offer = a.descriptions().pending_local.expect("an offer");
        b.set_remote_description(start, Description::offer(&offer.sdp()).expect("readable")).expect("taken");
        b.set_local_description(start, None).expect("an answer");
        let answer = b.descriptions().current_local.expect("an answer");
        a.set_remote_description(start, Description::answer(&answer.sdp()).expect("readable"))
            .expect("taken");
        let mut stack =
            Self { now: start, a, b, channel, other: channel, video, out: Vec::with_capacity(1 << 16) };
        let mut other = None;
        while other.is_none() || stack.a.data_channel_state(channel) != DataChannelState::Open {
            stack.step();
            while let Some(event) = stack.b.poll_event() {
                if let SessionEvent::DataChannel(announced) = event {
                    other = Some(announced.channel);
                }
            }
            while stack.a.poll_event().is_some() {}
            assert!(stack.now < start + Duration::from_secs(20), "the sessions connect");
        }
        stack.other = other.expect("announced");
        stack
    }

    /// Carries everything there is, and moves the clock on by a millisecond.
    pub fn step(&mut self) {
        let Self { now, a, b, out, .. } = self;
        while carry(*now, a, b, out) | carry(*now, b, a, out) {}
        *now += Duration::from_millis(1);
        a.handle_timeout(*now);
        b.handle_timeout(*now);
    }
}

/// Whether anything was carried.
fn carry(now: Instant, from: &mut Session, to: &mut Session, out: &mut Vec<u8>) -> bool {
    out.clear();
    let Some(transmit) = from.poll_transmit(now, NonZeroUsize::MIN, out) else { return false };
    to.handle_datagram(now, datagram(now, transmit, out));
    true
}

pub fn datagram(now: Instant, transmit: Transmit, bytes: &[u8]) -> Datagram {
    let payload = BytesMut::from(bytes);
    Datagram { path: transmit.path.reversed(), ecn: transmit.ecn, arrival: now, payload }
}
