//! A peer that writes packets by hand.
#![allow(dead_code, reason = "each test file uses its part")]

use crate::pair::{Seeded, start};
use sctp::{Association, Config, Event};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) const TAG: u32 = 0x1111_2222;
pub(crate) const TSN: u32 = 1_000;

/// A packet with these chunks.
pub(crate) fn packet(tag: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut packet = vec![0x13, 0x88, 0x13, 0x88];
    packet.extend_from_slice(&tag.to_be_bytes());
    packet.extend_from_slice(&[0; 4]);
    for chunk in chunks {
        packet.extend_from_slice(chunk);
        packet.resize(packet.len().next_multiple_of(4), 0);
    }
    let crc = crc_fast::crc32_iscsi(&packet);
    packet[8..12].copy_from_slice(&crc.to_le_bytes());
    packet
}

pub(crate) fn chunk(kind: u8, flags: u8, value: &[u8]) -> Vec<u8> {
    let mut chunk = vec![kind, flags];
    chunk.extend_from_slice(&((value.len() + 4) as u16).to_be_bytes());
    chunk.extend_from_slice(value);
    chunk
}

pub(crate) fn parameter(code: u16, value: &[u8]) -> Vec<u8> {
    let mut parameter = code.to_be_bytes().to_vec();
    parameter.extend_from_slice(&((value.len() + 4) as u16).to_be_bytes());
    parameter.extend_from_slice(value);
    parameter.resize(parameter.len().next_multiple_of(4), 0);
    parameter
}

pub(crate) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

pub(crate) fn init(tag: u32, window: u32, outbound: u16, inbound: u16, tsn: u32) -> Vec<u8> {
    init_with(tag, window, outbound, inbound, tsn, &[130, 192])
}

pub(crate) fn init_with(
    tag: u32,
    window: u32,
    outbound: u16,
    inbound: u16,
    tsn: u32,
    extensions: &[u8],
) -> Vec<u8> {
    let streams = u32::from(outbound) << 16 | u32::from(inbound);
    let mut value = words(&[tag, window, streams, tsn]);
    value.extend(parameter(0xc000, &[]));
    value.extend(parameter(0x8008, extensions));
    chunk(1, 0, &value)
}

/// Flags as of DATA; `shared` is the PPID of a first fragment and the number of another.
pub(crate) fn i_data(flags: u8, tsn: u32, stream: u16, mid: u32, shared: u32, payload: &[u8]) -> Vec<u8> {
    let mut value = words(&[tsn, u32::from(stream) << 16, mid, shared]);
    value.extend_from_slice(payload);
    chunk(64, flags, &value)
}

/// Entries: stream, 1 for unordered, MID.
pub(crate) fn i_forward_tsn(cumulative: u32, skipped: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut value = words(&[cumulative]);
    for (stream, unordered, mid) in skipped {
        value.extend(words(&[u32::from(*stream) << 16 | u32::from(*unordered), *mid]));
    }
    chunk(194, 0, &value)
}

/// Flags: 1 is E, 2 is B, 4 is U.
pub(crate) fn data(flags: u8, tsn: u32, stream: u16, ssn: u16, payload: &[u8]) -> Vec<u8> {
    let mut value = words(&[tsn, u32::from(stream) << 16 | u32::from(ssn), 53]);
    value.extend_from_slice(payload);
    chunk(0, flags, &value)
}

pub(crate) fn outgoing_reset(request: u32, last_tsn: u32, streams: &[u16]) -> Vec<u8> {
    let mut value = words(&[request, 0, last_tsn]);
    value.extend(streams.iter().flat_map(|stream| stream.to_be_bytes()));
    chunk(130, 0, &parameter(13, &value))
}

/// Type, flags and value of each chunk.
pub(crate) fn chunks(packet: &[u8]) -> Vec<(u8, u8, Vec<u8>)> {
    let mut rest = &packet[12..];
    let mut chunks = Vec::new();
    while rest.len() >= 4 {
        let len = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        chunks.push((rest[0], rest[1], rest[4..len].to_vec()));
        rest = &rest[len.next_multiple_of(4).min(rest.len())..];
    }
    chunks
}

pub(crate) fn tag_of(packet: &[u8]) -> u32 {
    u32::from_be_bytes(packet[4..8].try_into().expect("four bytes"))
}

pub(crate) fn word(bytes: &[u8], index: usize) -> u32 {
    u32::from_be_bytes(bytes[index * 4..index * 4 + 4].try_into().expect("four bytes"))
}

/// The parameters behind the fixed part of an INIT ACK.
pub(crate) fn parameters(value: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut rest = &value[16..];
    let mut parameters = Vec::new();
    while rest.len() >= 4 {
        let len = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        parameters.push((u16::from_be_bytes([rest[0], rest[1]]), rest[4..len].to_vec()));
        rest = &rest[len.next_multiple_of(4).min(rest.len())..];
    }
    parameters
}

/// One association and the hand-written peer.
pub(crate) struct Script {
    pub(crate) now: Instant,
    pub(crate) end: Association,
    /// The association's tag and first TSN, once known.
    pub(crate) tag: u32,
    pub(crate) tsn: u32,
    pub(crate) cookie: Vec<u8>,
}

impl Script {
    pub(crate) fn new(config: Config) -> Self {
        let now = start();
        let end = Association::new(Arc::new(config), now, Box::new(Seeded::new(7)));
        Self { now, end, tag: 0, tsn: 0, cookie: Vec::new() }
    }

    /// Gone through the handshake, with us as the one who began.
    pub(crate) fn established() -> Self {
        Self::established_with(Config::default())
    }

    pub(crate) fn established_with(config: Config) -> Self {
        Self::established_on(100, config)
    }

    /// With interleaving.
    pub(crate) fn interleaved() -> Self {
        Self::established_as(Config::default(), &[130, 192, 194, 64])
    }

    /// With these extensions of ours.
    pub(crate) fn established_as(config: Config, extensions: &[u8]) -> Self {
        Self::established_by(init_with(TAG, 1 << 20, 100, 100, TSN, extensions), config)
    }

    /// With so many streams each way.
    pub(crate) fn established_on(streams: u16, config: Config) -> Self {
        Self::established_by(init(TAG, 1 << 20, streams, streams, TSN), config)
    }

    fn established_by(init: Vec<u8>, config: Config) -> Self {
        let mut script = Self::new(config);
        script.ask_by(init);
        let cookie = chunk(10, 0, &script.cookie);
        script.give(&packet(script.tag, &[cookie]));
        let answer = script.written();
        assert_eq!(chunks(&answer[0])[0].0, 11);
        assert!(matches!(script.end.poll_event(), Some(Event::Connected { .. })));
        script
    }

    /// INIT and INIT ACK.
    pub(crate) fn ask(&mut self) {
        self.ask_by(init(TAG, 1 << 20, 100, 100, TSN));
    }

    fn ask_by(&mut self, init: Vec<u8>) {
        self.give(&packet(0, &[init]));
        let answer = self.written();
        assert_eq!(answer.len(), 1);
        assert_eq!(tag_of(&answer[0]), TAG);
        let (kind, _, value) = chunks(&answer[0]).remove(0);
        assert_eq!(kind, 2);
        self.tag = word(&value, 0);
        self.tsn = word(&value, 3);
        self.cookie = parameters(&value).into_iter().find(|(code, _)| *code == 7).expect("a cookie").1;
    }

    pub(crate) fn give(&mut self, packet: &[u8]) {
        self.end.handle_packet(self.now, packet);
    }

    /// Chunks under the right tag.
    pub(crate) fn say(&mut self, chunks: &[Vec<u8>]) {
        self.give(&packet(self.tag, chunks));
    }

    pub(crate) fn written(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        loop {
            let mut out = Vec::new();
            if self.end.poll_transmit(self.now, &mut out).is_none() {
                return packets;
            }
            packets.push(out);
        }
    }

    /// All chunks written now.
    pub(crate) fn answer(&mut self) -> Vec<(u8, u8, Vec<u8>)> {
        self.written().iter().flat_map(|packet| chunks(packet)).collect()
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.end.handle_timeout(self.now);
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.end.poll_event()).collect()
    }
}
