//! One association, and packets of chunks that its peer makes up; the peer knows the tag, or does not.

use super::machine;
use machine::End;
use sctp::{Config, StreamId};
use std::time::Duration;
use testkit::{
    Machine as _, Seed,
    fuzz::{Bounds, Input, Lone, mend_sctp, null_crypto, reached},
};

/// RFC 9260 §3.2, RFC 3758, RFC 6525, RFC 8260, and three that are unknown, one for each way to treat them.
const KINDS: [u8; 22] =
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 64, 130, 192, 194, 0x50, 0x90, 0xd0];
/// Receive and send buffer.
const BUFFER: usize = 64 * 1_024;

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let head = input.u8();
    let make = |now| {
        let config = Config::new(&null_crypto())
            .expect("invariant: the provider has HMAC")
            .with_receive_buffer(BUFFER)
            .with_send_buffer(BUFFER);
        machine::pair(config, now, Seed::new(1)).0
    };
    let mut lone = Lone::new(make, Bounds::new(256, 256 * 1_024));
    let mut peer = Peer { tag: 0, tsn: 100, init: Vec::new() };
    peer.hear(lone.drain());
    if head & 1 == 1 {
        peer.connect(&mut lone);
    }
    for _ in 0..200 {
        if input.is_empty() {
            break;
        }
        let sent = peer.step(&mut lone, &mut input);
        peer.hear(sent);
        check(&lone.machine);
    }
    lone.machine.close(lone.now);
    lone.drain();
    lone.machine.close(lone.now);
    lone.drain();
    assert_eq!(lone.machine.poll_timeout(), None, "aborted is over");
}

/// `Config::with_receive_buffer`: four bytes for each stream, and what is held stays below twice the window otherwise.
fn check(end: &End) {
    let stats = end.association.stats();
    assert!(stats.receive_held <= BUFFER + 4 * 65_535, "{} bytes are held", stats.receive_held);
    assert!(stats.send_held <= 2 * BUFFER, "{} bytes wait", stats.send_held);
}

struct Peer {
    /// What it must put into its packets.
    tag: u32,
    tsn: u32,
    /// The INIT of the association.
    init: Vec<u8>,
}

type Sent = Vec<((), Vec<u8>)>;

impl Peer {
    /// Learns the tag from an INIT.
    fn hear(&mut self, sent: Sent) {
        for ((), packet) in sent {
            if let Some([1, _, _, _, a, b, c, d, ..]) = packet.get(12..) {
                self.tag = u32::from_be_bytes([*a, *b, *c, *d]);
                self.init = packet;
            }
        }
    }

    /// Answers the INIT, and the cookie.
    fn connect(&mut self, lone: &mut Lone<End>) {
        let mut body = vec![0, 0, 0, 9, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 100];
        // A cookie, FORWARD-TSN and RE-CONFIG.
        body.extend_from_slice(&[0, 7, 0, 8, 1, 2, 3, 4, 0xc0, 0, 0, 4, 0x80, 8, 0, 6, 192, 130, 0, 0]);
        let sent = self.send(lone, &[(2, 0, &body)], self.tag);
        self.hear(sent);
        let sent = self.send(lone, &[(11, 0, &[])], self.tag);
        self.hear(sent);
        assert!(lone.machine.association.is_connected(), "it answers like a peer");
    }

    fn step(&mut self, lone: &mut Lone<End>, input: &mut Input<'_>) -> Sent {
        match input.u8() % 8 {
            0..=2 => {
                let count = 1 + input.below(4);
                let chunks: Vec<(u8, u8, &[u8])> =
                    (0..count).map(|_| (input.pick(&KINDS), input.u8(), input.chunk())).collect();
                let tag = if input.u8() < 240 { self.tag } else { input.u32() };
                self.send(lone, &chunks, tag)
            }
            3 => {
                // Data in order, or nearly so.
                let flags = input.u8() & 0xf;
                let ahead = u32::from(input.u8() >> 4);
                let mut body = (self.tsn.wrapping_add(ahead)).to_be_bytes().to_vec();
                body.extend_from_slice(&[0, input.u8() & 3, 0, input.u8() & 3, 0, 0, 0, 51]);
                body.extend_from_slice(input.chunk());
                self.tsn = self.tsn.wrapping_add(u32::from(ahead == 0));
                self.send(lone, &[(0, flags, &body)], self.tag)
            }
            4 => lone.deliver((), input.chunk()),
            5 => lone.advance(Duration::from_millis(10) * input.u16().into()),
            6 => {
                lone.machine.command(lone.now, input.u32().into());
                lone.drain()
            }
            _ => {
                let stream = StreamId(u16::from(input.u8() & 7));
                let association = &mut lone.machine.association;
                if association.recv_from(stream).is_some() || association.recv().is_some() {
                    reached("message");
                }
                lone.drain()
            }
        }
    }

    /// One packet. Its lengths are right, but for what is in the bodies.
    fn send(&self, lone: &mut Lone<End>, chunks: &[(u8, u8, &[u8])], tag: u32) -> Sent {
        let mut packet = vec![0x13, 0x88, 0x13, 0x88];
        packet.extend_from_slice(&tag.to_be_bytes());
        packet.extend_from_slice(&[0; 4]);
        for (kind, flags, body) in chunks {
            let len = u16::try_from(4 + body.len()).unwrap_or(u16::MAX);
            packet.extend_from_slice(&[*kind, *flags]);
            packet.extend_from_slice(&len.to_be_bytes());
            packet.extend_from_slice(body);
            packet.resize(packet.len().next_multiple_of(4), 0);
        }
        mend_sctp(&mut packet);
        lone.deliver((), &packet)
    }
}
