//! SCTP and data channels: a peer that sends what it likes.

use crate::{KIB, MIB, heap::held};
use datachannel::{Channels, Role};
use sctp::{Association, Message, Ppid, SendOptions, StreamId};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use testkit::Seed;

/// One association of ours, and a peer that writes its packets by hand.
struct Script {
    now: Instant,
    end: Association,
    tag: u32,
    table: [u32; 256],
}

const TSN: u32 = 1_000;

impl Script {
    /// Through the handshake, which the peer began.
    fn new() -> Self {
        let now = testkit::start();
        let random = Seed::new(7).boxed_random("script");
        let end = Association::new(Arc::new(sctp::Config::default()), now, random);
        let mut script = Self { now, end, tag: 0, table: crc_table() };
        // INIT: tag 7, window, 65,535 streams, TSN.
        let mut init = vec![1, 0, 0, 20, 0, 0, 0, 7, 0, 16, 0, 0, 0xff, 0xff, 0xff, 0xff];
        init.extend_from_slice(&TSN.to_be_bytes());
        script.say(&init);
        let answer = script.answer().expect("an INIT ACK");
        script.tag = u32::from_be_bytes(answer[16..20].try_into().expect("four bytes"));
        let at = answer.windows(2).skip(32).position(|code| code == [0, 7]).expect("a cookie") + 32;
        let len = usize::from(u16::from_be_bytes([answer[at + 2], answer[at + 3]]));
        let mut echo = vec![10, 0];
        echo.extend_from_slice(&answer[at + 2..at + len]);
        script.say(&echo);
        while script.answer().is_some() {}
        assert!(script.end.is_connected());
        script
    }

    fn say(&mut self, chunks: &[u8]) {
        let mut packet = vec![0x13, 0x88, 0x13, 0x88];
        packet.extend_from_slice(&self.tag.to_be_bytes());
        packet.extend_from_slice(&[0; 4]);
        packet.extend_from_slice(chunks);
        packet.resize(packet.len().next_multiple_of(4), 0);
        let crc = !packet
            .iter()
            .fold(u32::MAX, |crc, byte| self.table[usize::from((crc as u8) ^ byte)] ^ (crc >> 8));
        packet[8..12].copy_from_slice(&crc.to_le_bytes());
        self.end.handle_packet(self.now, &packet);
    }

    fn data(&mut self, flags: u8, tsn: u32, stream: u16, ssn: u16, payload: &[u8]) {
        let mut chunk = vec![0, flags];
        chunk.extend_from_slice(&(payload.len() as u16 + 16).to_be_bytes());
        chunk.extend_from_slice(&tsn.to_be_bytes());
        chunk.extend_from_slice(&stream.to_be_bytes());
        chunk.extend_from_slice(&ssn.to_be_bytes());
        chunk.extend_from_slice(&53_u32.to_be_bytes());
        chunk.extend_from_slice(payload);
        self.say(&chunk);
    }

    fn answer(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.end.poll_transmit(self.now, &mut out).map(|_| out)
    }
}

/// CRC32c (RFC 9260 Appendix A).
fn crc_table() -> [u32; 256] {
    std::array::from_fn(|index| {
        (0..8).fold(index as u32, |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}

/// T-C05: with 1 MiB advertised, never twice that on the heap, in every shape that data can have: nobody reads.
#[test]
fn t_c05_the_receive_buffer_is_what_it_says() {
    /// Flags, TSN, stream, sequence number and payload bytes of the chunk with a number.
    type Shape = fn(u32) -> (u8, u32, u16, u16, usize);
    let shapes: [(&str, Shape); 8] = [
        ("large messages", |number| (3, TSN + number, 1, number as u16, 1_000)),
        ("messages of one byte", |number| (3, TSN + number, 1, number as u16, 1)),
        ("a stream for each message", |number| (3, TSN + number, (number % 65_535) as u16, 0, 1)),
        ("out of order on each stream", |number| (3, TSN + number, (number % 65_535) as u16, 1, 1)),
        ("a message that never ends", |number| (u8::from(number == 0) * 2, TSN + number, 1, 0, 1_000)),
        ("every second fragment", |number| (0, TSN + 1 + number * 2, 1, 0, 1)),
        ("every second fragment, large", |number| (0, TSN + 1 + number * 2, 1, 0, 1_000)),
        ("messages out of order", |number| (3, TSN + number, 1, (number % 30_000) as u16 + 1, 1)),
    ];
    for (name, shape) in shapes {
        let mut script = Script::new();
        let before = held();
        let mut most = 0;
        for number in 0..40_000 {
            let (flags, tsn, stream, ssn, len) = shape(number);
            script.data(flags, tsn, stream, ssn, &vec![7; len]);
            if number % 16 == 0 {
                while script.answer().is_some() {}
                while script.end.poll_event().is_some() {}
                most = most.max(held() - before);
            }
        }
        println!("{name}: {most} bytes at most, counted as {}", script.end.stats().receive_held);
        assert!(script.end.is_connected(), "{name}");
        assert!(most <= 2 * MIB, "{name}: {most}");
    }
}

/// T-C05: many messages on one stream after the other, all of them read: the memory of empty queues is given back.
#[test]
fn t_c05_empty_queues_are_small() {
    let mut script = Script::new();
    let before = held();
    let mut tsn = TSN;
    for stream in 0..64 {
        for ssn in 0..2_000 {
            script.data(3, tsn, stream, ssn, b"x");
            tsn += 1;
        }
        while script.end.recv().is_some() {}
        while script.answer().is_some() {}
        while script.end.poll_event().is_some() {}
    }
    let kept = held() - before;
    println!("after 128,000 messages on 64 streams, all of them read: {kept} bytes");
    assert!(kept <= MIB, "{kept}");
}

/// T-C14: a writer whose peer takes nothing holds the send buffer and little more.
#[test]
fn t_c14_the_send_buffer_is_what_it_says() {
    for len in [1, 100, 1_000, 100_000] {
        let mut script = Script::new();
        let before = held();
        let mut refused = 0;
        while refused < 10 {
            let message = Message { ppid: Ppid(53), payload: vec![7; len].into() };
            let sent = script.end.send(script.now, StreamId(1), message, SendOptions::new());
            refused += usize::from(sent.is_err());
            while script.answer().is_some() {}
        }
        let most = held() - before;
        println!("messages of {len} bytes: {most} bytes, counted as {}", script.end.stats().send_held);
        assert!(most <= 2 * MIB, "{len}: {most}");
    }
}

/// How many channels were announced.
fn take(channels: &mut Channels) -> usize {
    let mut announced = 0;
    while let Some(event) = channels.poll_event() {
        announced += usize::from(matches!(event, datachannel::Event::Announced(_)));
    }
    announced
}

/// What both say within some time.
fn exchange(at: &mut Instant, ours: &mut Channels, peer: &mut Association) {
    let mut packet = Vec::new();
    for _ in 0..4 {
        while ours.poll_transmit(*at, &mut packet).is_some() {
            peer.handle_packet(*at, &packet);
            packet.clear();
        }
        while peer.poll_transmit(*at, &mut packet).is_some() {
            ours.handle_packet(*at, &packet);
            packet.clear();
        }
        *at += Duration::from_millis(20);
        ours.handle_timeout(*at);
        peer.handle_timeout(*at);
        while peer.poll_event().is_some() {}
        while peer.recv().is_some() {}
    }
}

/// A peer that opens channels without end, without names and with the longest: how many there are, and what they hold.
#[test]
fn t_c13_channels_of_the_peer_are_bounded() {
    for label in [0, 65_535] {
        let before = held();
        let now = testkit::start();
        let random = |name: &str| Seed::new(9).boxed_random(name);
        let mut ours = Channels::new(Arc::new(datachannel::Config::default()), now, random("ours"));
        ours.start(now, Role::Server);
        let mut peer = Association::new(Arc::new(sctp::Config::default()), now, random("peer"));
        let mut at = now;
        for _ in 0..20 {
            exchange(&mut at, &mut ours, &mut peer);
        }
        let [high, low] = (label as u16).to_be_bytes();
        let mut open = vec![3, 0, 0, 0, 0, 0, 0, 0, high, low, high, low];
        open.resize(12 + 2 * label, b'x');
        let count = if label == 0 { 6_000 } else { 1_500 };
        let mut announced = 0;
        for number in 0..count {
            let mut message = Message { ppid: Ppid(50), payload: open.clone().into() };
            loop {
                match peer.send(at, StreamId(number * 2), message, SendOptions::new()) {
                    Err(sctp::SendError::WouldBlock(back)) => message = back,
                    _ => break,
                }
                exchange(&mut at, &mut ours, &mut peer);
            }
            announced += take(&mut ours);
        }
        for _ in 0..50 {
            exchange(&mut at, &mut ours, &mut peer);
            announced += take(&mut ours);
        }
        drop((peer, open));
        let kept = held() - before;
        println!("{count} channels with names of {} bytes: {announced} taken, {kept} bytes", 2 * label);
        assert_eq!(announced, if label == 0 { 1_024 } else { 8 });
        assert!((KIB..=3 * MIB).contains(&kept), "{kept}");
    }
}
