//! Two engines, two wires, one clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use crypto::Random;
use media::{
    Codec, Config, EncodedFrame, Engine, Event, FeedbackKinds, H264Mode, MediaKind, MediaTime, Payload,
    ReceiveStreamConfig, ReceivedFrame, ReceiverId, Rtx, SendStreamConfig, SenderId, WallClock,
};
use rtp::{ExtensionForm, ExtensionId, ExtensionKind, ExtensionMap, Mid, PayloadType, Ssrc};

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;

/// xorshift64*: good enough to lose packets by, and to be repeatable.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() >> 33 < (percent << 31) / 100
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { (self.next() >> 20) % limit }
    }
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        out.iter_mut().for_each(|byte| *byte = (self.next() >> 24) as u8);
    }
}

/// What the network does to the packets of one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) delay: Duration,
    /// Each packet is late by up to this, so packets overtake each other.
    pub(crate) jitter: Duration,
    pub(crate) loss: u64,
    pub(crate) duplicates: u64,
}

impl Link {
    pub(crate) const CLEAN: Self =
        Self { delay: Duration::from_millis(20), jitter: Duration::ZERO, loss: 0, duplicates: 0 };
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Rtp(Vec<u8>),
    Rtcp(Vec<u8>),
}

pub(crate) struct Pair {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) engines: [Engine; 2],
    pub(crate) links: [Link; 2],
    /// Which packets of a direction are lost beside chance: its ordinal, and the packet.
    pub(crate) drops: [fn(u64, &Sent) -> bool; 2],
    /// Everything that was sent, by whom and when.
    pub(crate) log: Vec<(Instant, usize, Sent)>,
    pub(crate) events: [Vec<Event>; 2],
    pub(crate) frames: Vec<ReceivedFrame>,
    wire: BTreeMap<(Instant, u64), (usize, Sent)>,
    ordinals: [u64; 2],
    sequence: u64,
    rng: Seeded,
}

#[expect(clippy::disallowed_methods, reason = "the one place that needs some instant to start from")]
pub(crate) fn any_instant() -> Instant {
    Instant::now() + Duration::from_secs(1_000)
}

pub(crate) fn engine(config: Config, now: Instant, seed: u64) -> Engine {
    let wall = WallClock::new(now, Duration::from_secs(1_750_000_000));
    Engine::new(config, wall, now, Box::new(Seeded::new(seed)))
}

impl Pair {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with_config(seed, Config::new())
    }

    pub(crate) fn with_config(seed: u64, config: Config) -> Self {
        let start = any_instant();
        Self {
            start,
            now: start,
            engines: [engine(config.clone(), start, seed), engine(config, start, seed + 1_000)],
            links: [Link::CLEAN; 2],
            drops: [|_, _| false; 2],
            log: Vec::new(),
            events: [Vec::new(), Vec::new()],
            frames: Vec::new(),
            wire: BTreeMap::new(),
            ordinals: [0; 2],
            sequence: 0,
            rng: Seeded::new(seed + 7),
        }
    }

    /// A video stream from A to B.
    pub(crate) fn video(&mut self, codec: Codec) -> (SenderId, ReceiverId) {
        let sender = self.engines[A].add_sender(self.now, video_out(codec));
        let receiver = self.engines[B].add_receiver(self.now, video_in(codec));
        (sender, receiver)
    }

    pub(crate) fn frame(&mut self, sender: SenderId, time: u64, payload: Vec<u8>) {
        let frame = EncodedFrame::new(Bytes::from(payload), MediaTime(time), self.now);
        self.engines[A].send_frame(self.now, sender, frame).expect("taken");
    }

    /// Lets time pass, fetching frames of `receiver` at B as they come.
    pub(crate) fn run(&mut self, time: Duration, receiver: Option<ReceiverId>) {
        let until = self.now + time;
        loop {
            self.settle();
            if let Some(receiver) = receiver {
                while let Some(frame) = self.engines[B].recv_frame(receiver) {
                    self.frames.push(frame);
                }
            }
            let wire = self.wire.keys().next().map(|(at, _)| *at);
            let timers = self.engines.iter().filter_map(Engine::poll_timeout);
            let next = timers.chain(wire).min().filter(|at| *at <= until);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to, sent) = entry.remove();
                match sent {
                    Sent::Rtp(packet) => {
                        self.engines[to].handle_rtp(self.now, self.now, BytesMut::from(&packet[..]));
                    }
                    Sent::Rtcp(packet) => self.engines[to].handle_rtcp(self.now, &packet),
                }
            }
            self.engines.iter_mut().for_each(|engine| engine.handle_timeout(self.now));
        }
        self.now = until;
    }

    /// Takes everything out of both engines and puts it on the wires.
    fn settle(&mut self) {
        for from in [A, B] {
            for sent in drain(&mut self.engines[from], self.now) {
                self.log.push((self.now, from, sent.clone()));
                let ordinal = self.ordinals[from];
                self.ordinals[from] += 1;
                let link = self.links[from];
                if (self.drops[from])(ordinal, &sent) || self.rng.chance(link.loss) {
                    continue;
                }
                let copies = 1 + u32::from(self.rng.chance(link.duplicates));
                for _ in 0..copies {
                    let late = Duration::from_micros(self.rng.below(link.jitter.as_micros() as u64));
                    self.sequence += 1;
                    self.wire.insert((self.now + link.delay + late, self.sequence), (1 - from, sent.clone()));
                }
            }
            while let Some(event) = self.engines[from].poll_event() {
                self.events[from].push(event);
            }
            // L2: what was due is done.
            let next = self.engines[from].poll_timeout();
            assert!(next.is_none_or(|at| at > self.now), "L2: {from} wakes at {next:?}, now {:?}", self.now);
        }
    }
}

/// All that an engine has to send, checked against what it announced.
pub(crate) fn drain(engine: &mut Engine, now: Instant) -> Vec<Sent> {
    let mut all = Vec::new();
    let mut out = b"before".to_vec();
    while let Some(len) = engine.poll_rtcp(now, &mut out) {
        assert_eq!(out.len(), 6 + len.get());
        assert!(len.get() <= 1_176);
        all.push(Sent::Rtcp(out.split_off(6)));
    }
    loop {
        let announced = engine.next_len(now);
        let written = engine.poll_rtp(now, &mut out).map(|len| len.get());
        assert_eq!(announced, written, "next_len says what poll_rtp writes");
        let Some(len) = written else { break };
        assert_eq!(out.len(), 6 + len);
        assert!(len <= 1_500);
        all.push(Sent::Rtp(out.split_off(6)));
        assert!(all.len() < 100_000, "L2: it does not end");
    }
    assert_eq!(out, b"before", "what was there is not touched");
    all
}

pub(crate) fn pt(value: u8) -> PayloadType {
    PayloadType::new(value).expect("seven bits")
}

pub(crate) fn mid(text: &str) -> Mid {
    Mid::new(text).expect("a token")
}

pub(crate) fn extensions() -> ExtensionMap {
    let id = |value| ExtensionId::new(value).expect("not zero");
    ExtensionMap::new()
        .with(ExtensionKind::AudioLevel, id(1))
        .with(ExtensionKind::AbsSendTime, id(2))
        .with(ExtensionKind::TransportSequence, id(3))
        .with(ExtensionKind::Mid, id(4))
        .with(ExtensionKind::Rid, id(10))
        .with(ExtensionKind::RepairedRid, id(11))
}

pub(crate) fn feedback() -> FeedbackKinds {
    FeedbackKinds::none().with_nack().with_pli().with_fir().with_transport_cc()
}

pub(crate) fn video_out(codec: Codec) -> SendStreamConfig {
    SendStreamConfig::new(codec, pt(96), 90_000, Ssrc(0xa0))
        .with_rtx(Rtx::new(pt(97), Ssrc(0xa1)))
        .with_cname(String::from("alice"))
        .with_mid(mid("v"))
        .with_extensions(extensions(), ExtensionForm::OneByte)
        .with_feedback(feedback())
}

pub(crate) fn video_in(codec: Codec) -> ReceiveStreamConfig {
    ReceiveStreamConfig::new(
        MediaKind::Video,
        vec![Payload::media(pt(96), codec, 90_000), Payload::rtx(pt(97), pt(96))],
    )
    .with_mid(mid("v"))
    .with_extensions(extensions())
    .with_feedback(feedback())
}

pub(crate) fn audio_out() -> SendStreamConfig {
    SendStreamConfig::new(Codec::Opus, pt(111), 48_000, Ssrc(0xb0))
        .with_cname(String::from("alice"))
        .with_mid(mid("a"))
        .with_extensions(extensions(), ExtensionForm::OneByte)
}

pub(crate) fn audio_in() -> ReceiveStreamConfig {
    ReceiveStreamConfig::new(MediaKind::Audio, vec![Payload::media(pt(111), Codec::Opus, 48_000)])
        .with_mid(mid("a"))
        .with_extensions(extensions())
}

/// A VP8 frame that carries its number.
pub(crate) fn vp8(number: u32, len: usize, is_key: bool) -> Vec<u8> {
    let mut frame = vec![number as u8; len.max(5)];
    frame[0] = if is_key { 0x10 } else { 0x11 };
    frame[1..5].copy_from_slice(&number.to_be_bytes());
    frame
}

pub(crate) fn vp8_number(payload: &[u8]) -> u32 {
    u32::from_be_bytes(*payload[1..].first_chunk().expect("five bytes"))
}

/// An H.264 access unit that carries its number.
pub(crate) fn h264(number: u32, len: usize, is_key: bool) -> Vec<u8> {
    let mut unit = Vec::new();
    if is_key {
        unit.extend_from_slice(&[0, 0, 0, 1, 0x67, 0x42, 0x80, 0x1f, 0, 0, 0, 1, 0x68, 0xce]);
    }
    unit.extend_from_slice(&[0, 0, 0, 1, if is_key { 0x65 } else { 0x41 }, 0x88]);
    unit.extend(number.to_be_bytes().iter().flat_map(|byte| [byte >> 4 | 0x40, byte & 15 | 0x40]));
    unit.resize(unit.len() + len, 0x55);
    unit
}

pub(crate) const H264: Codec = Codec::H264(H264Mode::NonInterleaved);
