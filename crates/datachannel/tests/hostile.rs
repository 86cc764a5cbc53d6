//! Peers that break RFC 8832 and RFC 8831: they speak SCTP directly.

use bytes::Bytes;
use datachannel::*;
use sctp::{Association, Message, Ppid, SendOptions, StreamId};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[path = "common/pair.rs"]
mod pair;

use pair::Seeded;

/// Our channels as DTLS server, and a bare association as the client: even numbers are the peer's.
struct Bench {
    now: Instant,
    ours: Channels,
    peer: Association,
}

impl Bench {
    fn new(config: Config) -> Self {
        let now = pair::Pair::new(1).now;
        let ours = Channels::new(Arc::new(config), now, Box::new(Seeded::new(1)));
        let peer = Association::new(Arc::new(sctp::Config::default()), now, Box::new(Seeded::new(2)));
        let mut bench = Self { now, ours, peer };
        bench.ours.start(now, Role::Server);
        bench.run();
        assert_eq!(bench.ours.poll_event(), Some(Event::Connected { max_channels: 65_535 }));
        bench
    }

    /// Everything that goes without waiting, and what a second brings.
    fn run(&mut self) {
        for _ in 0..10 {
            self.exchange();
            self.now += Duration::from_millis(100);
            self.ours.handle_timeout(self.now);
            self.peer.handle_timeout(self.now);
        }
        self.exchange();
    }

    fn exchange(&mut self) {
        let mut idle = false;
        while !idle {
            idle = true;
            let mut packet = Vec::new();
            while self.ours.poll_transmit(self.now, &mut packet).is_some() {
                self.peer.handle_packet(self.now, &packet);
                packet.clear();
                idle = false;
            }
            while self.peer.poll_transmit(self.now, &mut packet).is_some() {
                self.ours.handle_packet(self.now, &packet);
                packet.clear();
                idle = false;
            }
        }
    }

    fn say(&mut self, stream: u16, ppid: u32, payload: &[u8]) {
        let message = Message { ppid: Ppid(ppid), payload: Bytes::copy_from_slice(payload) };
        self.peer.send(self.now, StreamId(stream), message, SendOptions::new()).expect("room");
        self.run();
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.ours.poll_event()).collect()
    }

    /// Streams our side has reset.
    fn resets(&mut self) -> Vec<u16> {
        let mut resets = Vec::new();
        while let Some(event) = self.peer.poll_event() {
            if let sctp::Event::StreamReset { stream, direction: sctp::Direction::Incoming, .. } = event {
                resets.push(stream.0);
            }
        }
        resets
    }

    /// The peer opens a channel; its handle here.
    fn open(&mut self, stream: u16) -> ChannelKey {
        self.say(stream, 50, &open(0, b"x", b""));
        let events = self.events();
        let [Event::Announced(key)] = events[..] else { panic!("{events:?}") };
        assert_eq!(self.peer.recv_from(StreamId(stream)).expect("an answer").payload[..], [2]);
        key
    }
}

fn open(kind: u8, label: &[u8], protocol: &[u8]) -> Vec<u8> {
    let mut open = vec![3, kind, 0, 0, 0, 0, 0, 0, 0, label.len() as u8, 0, protocol.len() as u8];
    open.extend_from_slice(label);
    open.extend_from_slice(protocol);
    open
}

/// T-C13, `dcep_bad_open_closes_channel_no_ack`: answered with a reset, never with an ACK, and no channel comes of it.
#[test]
fn t_c13_bad_opens_are_refused() {
    let too_long = [3, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, b'x'];
    for (stream, bad) in [
        (1, open(0, b"x", b"")),
        (2, open(3, b"x", b"")),
        (2, open(0xff, b"x", b"")),
        (2, open(0, &[0xff, 0xfe], b"")),
        (2, too_long.to_vec()),
        (2, vec![3]),
        (2, vec![0; 12]),
        (2, vec![0xff; 40]),
    ] {
        let mut bench = Bench::new(Config::default());
        bench.resets();
        bench.say(stream, 50, &bad);
        assert_eq!(bench.events(), [], "{bad:?}");
        assert_eq!(bench.resets(), [stream], "{bad:?}");
        assert!(bench.peer.recv().is_none(), "{bad:?}");
        assert_eq!(bench.ours.stats().opens_refused, 1);
        // Once the peer has reset its side too, the number is good again.
        if stream == 2 {
            bench.peer.reset_stream(bench.now, StreamId(2)).unwrap();
            bench.run();
            bench.resets();
            bench.open(2);
        }
    }
}

/// T-C13: an OPEN for a channel that exists closes it; an ACK for one that was not asked for does nothing.
#[test]
fn t_c13_open_twice_and_ack_without_open() {
    let mut bench = Bench::new(Config::default());
    bench.say(6, 50, &[2]);
    assert!(bench.events().is_empty());
    let key = bench.open(4);
    bench.say(4, 50, &open(0, b"again", b""));
    assert_eq!(bench.events(), [Event::Closing(key)]);
    assert_eq!(bench.resets(), [4]);
    bench.peer.reset_stream(bench.now, StreamId(4)).unwrap();
    bench.run();
    assert_eq!(bench.events(), [Event::Closed(key, ChannelEnd::Violation)]);
}

/// T-C13, users 59: a flood of OPENs; channels are bounded, those beyond are refused, the association lives.
#[test]
fn t_c13_a_flood_of_opens_is_bounded() {
    let mut bench = Bench::new(Config::default());
    for number in 0..30_000_u16 {
        let message = Message { ppid: Ppid(50), payload: open(0, b"", b"").into() };
        let stream = StreamId(number * 2);
        if bench.peer.send(bench.now, stream, message, SendOptions::new()).is_err() {
            bench.run();
        }
        if number % 100 == 0 {
            bench.exchange();
        }
    }
    bench.run();
    let announced = bench.events().iter().filter(|event| matches!(event, Event::Announced(_))).count();
    assert_eq!(announced, 1_024);
    assert!(bench.ours.stats().opens_refused > 20_000);
    // One of ours still works, within the same limit: there is no room left.
    assert_eq!(bench.ours.open(bench.now, ChannelInit::new("x")), Err(OpenError::TooManyChannels));
}

/// T-C16, `dc_ppids_51_53_56_57`, `dc_empty_message_one_zero_byte_ignored_on_receive`, `dc_unknown_ppid_closes_channel`.
#[test]
fn t_c16_table_of_ppids() {
    for (ppid, expected) in [
        (51, Some(Payload::text("abc"))),
        (53, Some(Payload::binary(&b"abc"[..]))),
        (56, Some(Payload::text(""))),
        (57, Some(Payload::binary(Bytes::new()))),
        (0, None),
        (49, None),
        (50, None),
        (55, None),
        (58, None),
        (u32::MAX, None),
    ] {
        let mut bench = Bench::new(Config::default());
        let key = bench.open(2);
        bench.say(2, ppid, b"abc");
        let got = bench.ours.recv(bench.now, key);
        assert_eq!(got, expected, "{ppid}");
        bench.run();
        assert_eq!(bench.ours.state(key) == ChannelState::Open, expected.is_some(), "{ppid}");
    }
    // DCEP under the identifier of text is text.
    let mut bench = Bench::new(Config::default());
    let key = bench.open(2);
    bench.say(2, 51, &open(0, b"", b""));
    let got = bench.ours.recv(bench.now, key);
    assert_eq!(got.map(|payload| payload.kind), Some(Kind::Text));
}

/// T-C16: messages in parts, as before RFC 8831, and parts that do not fit together.
#[test]
fn t_c16_messages_in_parts() {
    let mut bench = Bench::new(Config::default().with_max_message_size(1_000));
    let key = bench.open(2);
    bench.say(2, 54, b"ab");
    bench.say(2, 54, b"cd");
    assert_eq!(bench.ours.recv(bench.now, key), None);
    bench.say(2, 51, b"ef");
    assert_eq!(bench.ours.recv(bench.now, key), Some(Payload::text("abcdef")));
    bench.say(2, 52, b"ab");
    bench.say(2, 51, b"cd");
    assert_eq!(bench.ours.recv(bench.now, key), None);
    assert_eq!(bench.ours.state(key), ChannelState::Closing);
    bench.events();
    let key = bench.open(4);
    for _ in 0..11 {
        bench.say(4, 52, &[0; 100]);
        assert_eq!(bench.ours.recv(bench.now, key), None);
    }
    assert_eq!(bench.ours.state(key), ChannelState::Closing);
}

/// Users 47, RFC 8831 §6.7 and the race of numbers used again: the peer opens a stream anew as soon as it has our reset, while the
/// answer to it is still on its way to us.
#[test]
fn t_c13_a_stream_used_again_before_our_reset_is_confirmed() {
    let mut bench = Bench::new(Config::default());
    let key = bench.open(2);
    bench.resets();
    bench.peer.reset_stream(bench.now, StreamId(2)).unwrap();
    // The peer's request reaches us, our answer and our own request reach the peer.
    let mut packet = Vec::new();
    while bench.peer.poll_transmit(bench.now, &mut packet).is_some() {
        bench.ours.handle_packet(bench.now, &packet);
        packet.clear();
    }
    while bench.ours.poll_transmit(bench.now, &mut packet).is_some() {
        bench.peer.handle_packet(bench.now, &packet);
        packet.clear();
    }
    assert_eq!(bench.resets(), [2], "both directions are reset, as the peer sees it");
    // Its confirmation is lost; its new OPEN is not.
    while bench.peer.poll_transmit(bench.now, &mut packet).is_some() {
        packet.clear();
    }
    assert_eq!(bench.ours.state(key), ChannelState::Closing);
    let message = Message { ppid: Ppid(50), payload: open(0, b"second life", b"").into() };
    bench.peer.send(bench.now, StreamId(2), message, SendOptions::new()).unwrap();
    bench.run();
    bench.run();
    let events = bench.events();
    let [Event::Closing(first), Event::Closed(closed, ChannelEnd::ClosedByPeer), Event::Announced(second)] =
        events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((first, closed), (key, key));
    assert_eq!(bench.ours.init(second).map(ChannelInit::label), Some("second life"));
    assert_eq!(bench.ours.state(second), ChannelState::Open);
    assert_eq!(bench.peer.recv_from(StreamId(2)).expect("an answer").payload[..], [2]);
}

/// B110: what comes on streams without a channel is dropped and frees the window.
#[test]
fn data_on_streams_without_a_channel_is_dropped() {
    let mut bench = Bench::new(Config::default());
    for _ in 0..100 {
        bench.say(8, 53, &[0; 60_000]);
    }
    assert!(bench.events().is_empty());
    assert_eq!(bench.ours.stats().messages_dropped, 100);
    assert!(bench.peer.is_flushed());
}

/// A peer that lost its state: every channel is gone, and new ones open.
#[test]
fn a_restart_closes_every_channel() {
    let mut bench = Bench::new(Config::default());
    let key = bench.open(2);
    bench.peer = Association::new(Arc::new(sctp::Config::default()), bench.now, Box::new(Seeded::new(3)));
    bench.peer.connect(bench.now);
    bench.run();
    assert_eq!(bench.events(), [Event::Closed(key, ChannelEnd::Association)]);
    bench.open(2);
}

/// A peer with few streams: channels beyond are closed, numbers stay below.
#[test]
fn channels_beyond_the_streams_of_the_peer_are_closed() {
    let now = pair::Pair::new(1).now;
    let mut ours = Channels::new(Arc::new(Config::default()), now, Box::new(Seeded::new(1)));
    let config = sctp::Config::default().with_streams(4, 4);
    let peer = Association::new(Arc::new(config), now, Box::new(Seeded::new(2)));
    let keys: Vec<_> = (0..3).map(|_| ours.open(now, ChannelInit::new("x")).unwrap()).collect();
    ours.start(now, Role::Server);
    let mut bench = Bench { now, ours, peer };
    bench.run();
    assert_eq!(
        bench.events(),
        [Event::Connected { max_channels: 4 }, Event::Closed(keys[2], ChannelEnd::NoStream)]
    );
    assert_eq!(bench.ours.open(bench.now, ChannelInit::new("x")), Err(OpenError::NoIdLeft));
    let beyond = ChannelInit::new("x").with_negotiated(ChannelId(4));
    assert_eq!(bench.ours.open(bench.now, beyond), Err(OpenError::IdOutOfRange));
}

/// T-C13: labels and protocols take memory, too: all of them together have a limit, and what is closed makes room.
#[test]
fn t_c13_labels_are_bounded_together() {
    let label = vec![b'x'; 65_535];
    let mut bench = Bench::new(Config::default().with_max_message_size(1 << 18));
    // Lengths beyond 255 need both bytes.
    let mut long = vec![3, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    long.extend_from_slice(&label);
    long.extend_from_slice(&label);
    let mut announced = Vec::new();
    for number in 0..40 {
        bench.say(number * 2, 50, &long);
        announced.extend(bench.events());
    }
    assert_eq!(announced.len(), 8, "of 131,070 bytes each, in 1 MiB");
    assert_eq!(bench.ours.stats().opens_refused, 32);
    // A short one still fits, and one of those that are there makes room for another.
    bench.open(100);
    bench.peer.reset_stream(bench.now, StreamId(0)).unwrap();
    bench.run();
    bench.events();
    bench.resets();
    bench.say(102, 50, &long);
    assert!(matches!(bench.events()[..], [Event::Announced(_)]));
}
