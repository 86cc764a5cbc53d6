//! One end of a handshake, and a peer that can build anything.

use super::{keys, machine};
use dtls::{Config, CookiePolicy, CookieSecret, Role, State};
use machine::Adapter;
use std::time::Duration;
use testkit::{
    Machine as _, Seed,
    fuzz::{Bounds, Input, Lone, null_crypto},
};

/// One flight, and an alert.
const MOST: Bounds = Bounds::new(32, 32 * 1_024);

const HANDSHAKE: u8 = 22;

/// The end under test, with everything that the peer must count.
struct Peer {
    lone: Lone<Adapter>,
    record: u64,
    protected: u64,
    message: u16,
}

/// What the peer does, one step after the other.
pub(crate) fn run(role: Role, data: &[u8]) {
    let mut input = Input::new(data);
    let head = input.u8();
    let mut config = Config::new(null_crypto()).with_mtu(if head & 1 == 0 { 1_200 } else { 300 });
    if head & 2 != 0 {
        let mut rng = Seed::new(2).boxed_random("cookies");
        config = config.with_cookie_policy(CookiePolicy::Required(CookieSecret::new(&mut *rng)));
    }
    let make = |now| {
        let (client, server) = machine::pair(null_crypto(), config, keys::null_pair(), now, Seed::new(1));
        if role == Role::Client { client } else { server }
    };
    let mut peer = Peer { lone: Lone::new(make, MOST), record: 0, protected: 0, message: 0 };
    peer.lone.drain();
    for _ in 0..100 {
        if input.is_empty() {
            break;
        }
        peer.step(&mut input);
        peer.check();
    }
    peer.lone.advance(Duration::from_secs(200));
    let state = peer.lone.machine.connection.state();
    assert_ne!(state, State::Connecting, "a handshake has an end");
    peer.lone.machine.close(peer.lone.now);
    peer.lone.drain();
    assert_eq!(peer.lone.machine.poll_timeout(), None, "closed is final");
}

impl Peer {
    fn step(&mut self, input: &mut Input<'_>) {
        match input.u8() % 10 {
            0..=3 => {
                let kind = input.pick(&[0, 1, 2, 3, 11, 12, 13, 14, 15, 16, 20]);
                self.handshake(kind, input.chunk());
            }
            4 => self.fragment(input),
            // The two that end a flight, without a body to make up.
            5 => {
                self.send_plain(20, &[1]);
                self.finished();
            }
            6 => {
                let (content, body) = (input.pick(&[20, 21, 22, 23, 24]), input.chunk());
                if input.flag() { self.send_protected(content, body) } else { self.send_plain(content, body) }
            }
            7 => drop(self.lone.deliver((), input.chunk())),
            8 => drop(self.lone.advance(Duration::from_millis(100) * input.u8().into())),
            _ => {
                let now = self.lone.now;
                self.lone.machine.command(now, input.u16().into());
                self.lone.drain();
            }
        }
    }

    /// A whole message in the order of its number.
    fn handshake(&mut self, kind: u8, body: &[u8]) {
        let len = u24(body.len());
        let [high, low] = self.message.to_be_bytes();
        let mut message = vec![kind, len[0], len[1], len[2], high, low, 0, 0, 0, len[0], len[1], len[2]];
        message.extend_from_slice(body);
        self.message = self.message.wrapping_add(1);
        self.send_plain(HANDSHAKE, &message);
    }

    /// A message whose every number is made up.
    fn fragment(&mut self, input: &mut Input<'_>) {
        let kind = input.u8();
        let (total, offset) = (input.u16(), input.u16());
        let [seq_high, seq_low] = (self.message.wrapping_add(u16::from(input.u8() & 15))).to_be_bytes();
        let body = input.chunk();
        let [t1, t0] = total.to_be_bytes();
        let [o1, o0] = offset.to_be_bytes();
        let len = u24(body.len());
        let mut message = vec![kind, 0, t1, t0, seq_high, seq_low, 0, o1, o0, len[0], len[1], len[2]];
        message.extend_from_slice(body);
        self.send_plain(HANDSHAKE, &message);
    }

    fn finished(&mut self) {
        let [high, low] = self.message.to_be_bytes();
        let mut message = vec![20, 0, 0, 12, high, low, 0, 0, 0, 0, 0, 12];
        message.extend_from_slice(&[0; 12]);
        self.message = self.message.wrapping_add(1);
        self.send_protected(HANDSHAKE, &message);
    }

    fn send_plain(&mut self, content: u8, body: &[u8]) {
        let record = record(content, self.record, body);
        self.record += 1;
        self.lone.deliver((), &record);
    }

    fn send_protected(&mut self, content: u8, body: &[u8]) {
        let number = 1 << 48 | self.protected;
        self.protected += 1;
        let mut fragment = number.to_be_bytes().to_vec();
        fragment.extend_from_slice(body);
        fragment.extend_from_slice(&[0; 16]);
        self.lone.deliver((), &record(content, number, &fragment));
    }

    fn check(&self) {
        let connection = &self.lone.machine.connection;
        let mut keys = [0; 60];
        let exported = connection.export_keying_material("EXTRACTOR-dtls_srtp", None, &mut keys);
        assert_eq!(exported.is_ok(), connection.is_connected(), "keys are there when it is connected");
        assert!(!connection.is_connected() || connection.peer_certificate_der().is_some(), "T-D07");
    }
}

fn record(content: u8, number: u64, fragment: &[u8]) -> Vec<u8> {
    let mut record = vec![content, 0xfe, 0xfd];
    record.extend_from_slice(&number.to_be_bytes());
    record.extend_from_slice(&u16::try_from(fragment.len()).unwrap_or(u16::MAX).to_be_bytes());
    record.extend_from_slice(fragment);
    record
}

fn u24(len: usize) -> [u8; 3] {
    let [.., a, b, c] = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
    [a, b, c]
}
