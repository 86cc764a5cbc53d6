//! Two engines, with packets changed on the way, and frames, calls and alarms in any order.

use bytes::BytesMut;
use media::{
    Codec, Config, EncodedFrame, Engine, Event, FeedbackKinds, H264Mode, MediaKind, MediaTime, Payload,
    ReceiveStreamConfig, ReceiverId, Rtx, SendStreamConfig, SenderId, WallClock,
};
use rtp::{ExtensionForm, ExtensionId, ExtensionKind, ExtensionMap, Mid, PayloadType, Ssrc};
use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};
use testkit::{
    Machine, Seed,
    fuzz::{Bounds, reached, sequence},
};

pub(crate) fn run(data: &[u8]) {
    // The history may be asked for at once, and a frame is as large as this harness makes it.
    sequence(pair, Bounds::new(2_048, 2_048 * 1_024), data);
}

struct End {
    engine: Engine,
    senders: Vec<(SenderId, Codec)>,
    receivers: Vec<ReceiverId>,
    /// Of its sources.
    base: u32,
    time: u64,
    is_closed: bool,
}

fn pair(now: Instant, seed: Seed) -> (End, End) {
    // Each end has sources of its own; commands of the input may make them collide.
    let end = |label, base| {
        let wall = WallClock::new(now, Duration::from_secs(1_750_000_000));
        let config = Config::new().with_history(64, 64 * 1_024).with_send_queue(256 * 1_024);
        let mut engine = Engine::new(config, wall, now, seed.boxed_random(label));
        let senders =
            STREAMS.map(|stream| (engine.add_sender(now, outgoing(stream, base)), stream.2)).to_vec();
        let receivers = STREAMS.map(|stream| engine.add_receiver(now, incoming(stream))).to_vec();
        End { engine, senders, receivers, base, time: 0, is_closed: false }
    };
    (end("a", 0x0a_0000), end("b", 0x0b_0000))
}

/// Name, payload type, codec, clock rate.
type Stream = (&'static str, u8, Codec, u32);

const STREAMS: [Stream; 3] = [
    ("a", 111, Codec::Opus, 48_000),
    ("v", 96, Codec::Vp8, 90_000),
    ("h", 102, Codec::H264(H264Mode::NonInterleaved), 90_000),
];

fn extensions() -> ExtensionMap {
    let id = |value| ExtensionId::new(value).expect("invariant: not zero");
    ExtensionMap::new()
        .with(ExtensionKind::AudioLevel, id(1))
        .with(ExtensionKind::AbsSendTime, id(2))
        .with(ExtensionKind::TransportSequence, id(3))
        .with(ExtensionKind::Mid, id(4))
        .with(ExtensionKind::Rid, id(10))
        .with(ExtensionKind::RepairedRid, id(11))
}

fn feedback() -> FeedbackKinds {
    FeedbackKinds::none().with_nack().with_pli().with_fir().with_transport_cc()
}

fn outgoing((name, number, codec, rate): Stream, base: u32) -> SendStreamConfig {
    let (number, ssrc) = (payload_type(number), base | u32::from(number) << 8);
    SendStreamConfig::new(codec, number, rate, Ssrc(ssrc))
        .with_rtx(Rtx::new(payload_type(number.value() + 1), Ssrc(ssrc + 1)))
        .with_cname(String::from("cname"))
        .with_mid(Mid::new(name).expect("invariant: a token"))
        .with_extensions(extensions(), ExtensionForm::OneByte)
        .with_feedback(feedback())
}

fn incoming((name, number, codec, rate): Stream) -> ReceiveStreamConfig {
    let (media, rtx) = (payload_type(number), payload_type(number + 1));
    let kind = if codec == Codec::Opus { MediaKind::Audio } else { MediaKind::Video };
    ReceiveStreamConfig::new(kind, vec![Payload::media(media, codec, rate), Payload::rtx(rtx, media)])
        .with_mid(Mid::new(name).expect("invariant: a token"))
        .with_extensions(extensions())
        .with_feedback(feedback())
}

fn payload_type(number: u8) -> PayloadType {
    PayloadType::new(number).expect("invariant: seven bits")
}

impl Machine for End {
    type Path = ();
    type Event = Event;
    const ENDS: bool = false;

    fn handle_datagram(&mut self, now: Instant, (): (), datagram: &mut [u8]) {
        if rtp::is_rtcp(datagram) {
            self.engine.handle_rtcp(now, datagram);
        } else {
            self.engine.handle_rtp(now, now, BytesMut::from(&*datagram));
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.engine.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<((), NonZeroUsize)> {
        if let Some(len) = self.engine.poll_rtcp(now, out) {
            assert!(len.get() <= 1_200, "a report of {len} bytes");
            return Some(((), len));
        }
        let announced = self.engine.next_len(now);
        let len = self.engine.poll_rtp(now, out);
        assert_eq!(announced, len.map(NonZeroUsize::get), "next_len says what poll_rtp writes");
        Some(((), len?))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.engine.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        assert!(!self.is_closed || self.engine.poll_timeout().is_none(), "closed is final");
        self.engine.poll_timeout()
    }

    fn command(&mut self, now: Instant, choice: u64) {
        let pick = choice as usize >> 8;
        let stream = STREAMS[pick % STREAMS.len()];
        let sender = self.senders.get(pick % self.senders.len().max(1)).copied();
        let receiver = self.receivers.get(pick % self.receivers.len().max(1)).copied();
        match (choice % 12, sender, receiver) {
            (0..=3, Some((id, codec)), _) => {
                self.time += 960 * (1 + (choice >> 4 & 3));
                let frame = frame(codec, choice);
                let _ = self.engine.send_frame(
                    now,
                    id,
                    EncodedFrame::new(frame.into(), MediaTime(self.time), now),
                );
            }
            (4 | 5, _, Some(id)) => self.engine.recv_frame(id).iter().for_each(|_| reached("frame")),
            (6, _, Some(id)) => self.engine.request_key_frame(now, id),
            (7, Some((id, _)), _) if choice >> 4 & 7 == 0 => {
                self.engine.remove_sender(now, id);
                self.senders.retain(|(kept, _)| *kept != id);
            }
            (8, _, Some(id)) if choice >> 4 & 7 == 0 => {
                self.engine.remove_receiver(now, id);
                self.receivers.retain(|kept| *kept != id);
            }
            (9, ..) if self.senders.len() < 6 => {
                let base = if choice >> 4 & 15 == 0 { 0 } else { self.base };
                self.senders.push((self.engine.add_sender(now, outgoing(stream, base)), stream.2));
            }
            (10, ..) if self.receivers.len() < 6 => {
                self.receivers.push(self.engine.add_receiver(now, incoming(stream)));
            }
            (11, ..) => self.engine.set_max_packet(pick % 1_500),
            _ => {}
        }
    }

    fn close(&mut self, now: Instant) {
        self.engine.close(now);
        self.is_closed = true;
    }
}

fn frame(codec: Codec, choice: u64) -> Vec<u8> {
    let len = (choice >> 16) as usize % 6_000;
    let is_key = choice >> 6 & 1 == 1;
    match codec {
        Codec::Opus => {
            let mut packet = vec![7; len % 1_000 + 2];
            packet[0] = 0x78;
            packet
        }
        Codec::Vp8 => {
            let mut frame =
                if is_key { vec![0x10, 2, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0] } else { vec![0x11, 2, 0] };
            frame.resize(frame.len() + len, 5);
            frame
        }
        Codec::G711 | Codec::H264(_) | Codec::Other(_) | _ => {
            let mut unit = vec![0, 0, 0, 1, if is_key { 0x65 } else { 0x41 }];
            unit.resize(unit.len() + 1 + len, 0x55);
            unit
        }
    }
}
