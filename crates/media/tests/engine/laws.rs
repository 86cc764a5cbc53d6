//! The laws that all machines of this workspace obey.

use std::time::Duration;

use bytes::BytesMut;
use media::{Codec, Config, EncodedFrame, Engine, MediaTime};
use proptest::prelude::*;

use crate::pair::*;

/// L4: the same seed and the same calls give the same bytes.
#[test]
fn l4_runs_repeat_to_the_byte() {
    let run = |seed| {
        let mut pair = Pair::new(seed);
        pair.links[A] = Link { loss: 5, jitter: 40 * MS, duplicates: 3, ..Link::CLEAN };
        let (sender, receiver) = pair.video(Codec::Vp8);
        for number in 0..60 {
            pair.frame(sender, u64::from(number) * 3_000, vp8(number, 3_000, number == 0));
            pair.run(33 * MS, Some(receiver));
        }
        let start = pair.start;
        pair.log.into_iter().map(|(at, from, sent)| (at - start, from, sent)).collect::<Vec<_>>()
    };
    assert_eq!(run(11), run(11));
    assert_ne!(run(11), run(12));
}

/// L3: time that goes back is taken as the latest time seen.
#[test]
fn l3_time_does_not_go_back() {
    let mut pair = Pair::new(1);
    let (sender, receiver) = pair.video(Codec::Vp8);
    pair.frame(sender, 0, vp8(0, 3_000, true));
    pair.run(1_000 * MS, Some(receiver));
    let early = pair.start;
    let before = pair.engines[A].poll_timeout();
    pair.engines[A].handle_timeout(early);
    assert!(drain(&mut pair.engines[A], early).is_empty());
    assert_eq!(pair.engines[A].poll_timeout(), before);
    pair.frame(sender, 3_000, vp8(1, 10, false));
    assert_eq!(drain(&mut pair.engines[A], early).len(), 1);
}

/// L6: ten packets that come at once make one feedback.
#[test]
fn l6_a_batch_makes_one_feedback() {
    let mut pair = Pair::new(2);
    pair.links[A].delay = Duration::ZERO;
    let (sender, _) = pair.video(Codec::Vp8);
    for number in 0..10 {
        pair.frame(sender, u64::from(number) * 3_000, vp8(number, 500, number == 0));
    }
    pair.run(200 * MS, None);
    assert_eq!(pair.engines[B].stats().feedback_sent, 1);
}

/// L7: after `close` there is the goodbye, and nothing else for ever.
#[test]
fn l7_closed_is_final() {
    let mut pair = Pair::new(3);
    let (sender, receiver) = pair.video(Codec::Vp8);
    pair.frame(sender, 0, vp8(0, 3_000, true));
    pair.run(50 * MS, None);
    let late = drain(&mut pair.engines[A], pair.now);
    pair.frame(sender, 3_000, vp8(1, 3_000, false));
    let engine = &mut pair.engines[A];
    engine.close(pair.now);
    let last = drain(engine, pair.now);
    assert!(matches!(last[..], [Sent::Rtcp(_)]), "{last:?}");
    assert_eq!(engine.poll_timeout(), None);
    assert_eq!(engine.poll_event(), None);
    let frame = EncodedFrame::new(vp8(2, 10, true).into(), MediaTime(0), pair.now);
    assert!(engine.send_frame(pair.now, sender, frame).is_err());
    engine.add_sender(pair.now, audio_out());
    engine.add_receiver(pair.now, audio_in());
    for sent in late {
        if let Sent::Rtp(bytes) = sent {
            engine.handle_rtp(pair.now, pair.now, BytesMut::from(&bytes[..]));
        }
    }
    engine.handle_timeout(pair.now + Duration::from_secs(100));
    assert!(drain(engine, pair.now).is_empty());
    assert_eq!((engine.poll_timeout(), engine.poll_event()), (None, None));
    assert!(engine.recv_frame(receiver).is_none());
    pair.run(100 * MS, None);
}

/// T-S08: an engine without streams is silent, whatever it is asked.
#[test]
fn t_s08_nothing_comes_from_nothing() {
    let now = any_instant();
    let mut engine = engine(Config::new(), now, 1);
    engine.handle_timeout(now + Duration::from_secs(10));
    assert!(drain(&mut engine, now + Duration::from_secs(10)).is_empty());
    assert_eq!((engine.poll_timeout(), engine.poll_event(), engine.next_len(now)), (None, None, None));
}

#[derive(Clone, Debug)]
enum Call {
    Frame { len: usize, is_audio: bool },
    Advance { ms: u64, is_back: bool },
    Timeout,
    PollRtp,
    PollRtcp,
    PollEvent,
    Deliver { keep: u8 },
    Garbage { bytes: Vec<u8>, is_rtp: bool },
    RequestKeyFrame,
    RemoveSender,
    AddSender,
    Recv,
    Resize(usize),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (0_usize..6_000, any::<bool>()).prop_map(|(len, is_audio)| Call::Frame { len, is_audio }),
        4 => (0_u64..700, prop::bool::weighted(0.1)).prop_map(|(ms, is_back)| Call::Advance { ms, is_back }),
        3 => Just(Call::Timeout),
        6 => Just(Call::PollRtp),
        4 => Just(Call::PollRtcp),
        2 => Just(Call::PollEvent),
        6 => any::<u8>().prop_map(|keep| Call::Deliver { keep }),
        2 => (prop::collection::vec(any::<u8>(), 0..80), any::<bool>())
            .prop_map(|(bytes, is_rtp)| Call::Garbage { bytes, is_rtp }),
        1 => Just(Call::RequestKeyFrame),
        1 => Just(Call::RemoveSender),
        1 => Just(Call::AddSender),
        2 => Just(Call::Recv),
        1 => (0_usize..1_500).prop_map(Call::Resize),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// L1, L2, L5: any order of calls, with any losses and any garbage, neither panics nor spins.
    #[test]
    fn l1_l2_l5_any_order_of_calls(calls in prop::collection::vec(call(), 1..200), seed in any::<u64>()) {
        let start = any_instant();
        let mut now = start;
        let mut engines = [engine(Config::new(), now, seed % 1_000), engine(Config::new(), now, seed % 999 + 5_000)];
        let receivers = [engines[B].add_receiver(now, video_in(Codec::Vp8)), engines[B].add_receiver(now, audio_in())];
        let mut senders = vec![engines[A].add_sender(now, video_out(Codec::Vp8)), engines[A].add_sender(now, audio_out())];
        let mut wire: [Vec<Sent>; 2] = [Vec::new(), Vec::new()];
        let mut time = 0;
        for call in calls {
            match call {
                Call::Frame { len, is_audio } => {
                    time += 960;
                    let place = usize::from(is_audio).min(senders.len().saturating_sub(1));
                    let Some(sender) = senders.get(place) else { continue };
                    let payload = if is_audio { vec![8; len.min(1_500)] } else { vp8(1, len, len % 5 == 0) };
                    let _ = engines[A].send_frame(now, *sender, EncodedFrame::new(payload.into(), MediaTime(time), now));
                }
                Call::Advance { ms, is_back: false } => now += Duration::from_millis(ms),
                Call::Advance { ms, is_back: true } => now -= Duration::from_millis(ms.min(50)),
                Call::Timeout => engines.iter_mut().for_each(|engine| engine.handle_timeout(now)),
                Call::PollRtp => poll(&mut engines, &mut wire, now, Engine::poll_rtp, Sent::Rtp),
                Call::PollRtcp => poll(&mut engines, &mut wire, now, Engine::poll_rtcp, Sent::Rtcp),
                Call::PollEvent => engines.iter_mut().for_each(|engine| drop(engine.poll_event())),
                Call::Deliver { keep } => {
                    for to in [A, B] {
                        if let Some(sent) = wire[1 - to].pop().filter(|_| keep > 40) {
                            deliver(&mut engines[to], now, &sent, keep);
                        }
                    }
                }
                Call::Garbage { bytes, is_rtp } => {
                    let sent = if is_rtp { Sent::Rtp(bytes) } else { Sent::Rtcp(bytes) };
                    engines.iter_mut().for_each(|engine| deliver(engine, now, &sent, 255));
                }
                Call::RequestKeyFrame => engines[B].request_key_frame(now, receivers[0]),
                Call::RemoveSender => {
                    if let Some(sender) = senders.pop() {
                        engines[A].remove_sender(now, sender);
                    }
                }
                Call::AddSender if senders.is_empty() => senders.push(engines[A].add_sender(now, video_out(Codec::Vp8))),
                Call::AddSender => {}
                Call::Recv => receivers.iter().for_each(|receiver| drop(engines[B].recv_frame(*receiver))),
                Call::Resize(bytes) => engines[A].set_max_packet(bytes),
            }
        }
        now = now.max(start) + Duration::from_secs(5);
        for engine in &mut engines {
            engine.handle_timeout(now);
            drain(engine, now);
            prop_assert!(engine.poll_timeout().is_none_or(|at| at > now), "L2");
        }
    }
}

type Poll = fn(&mut Engine, std::time::Instant, &mut Vec<u8>) -> Option<std::num::NonZeroUsize>;

fn poll(
    engines: &mut [Engine; 2],
    wire: &mut [Vec<Sent>; 2],
    now: std::time::Instant,
    poll: Poll,
    sent: fn(Vec<u8>) -> Sent,
) {
    for (engine, wire) in engines.iter_mut().zip(wire) {
        let mut out = Vec::new();
        if poll(engine, now, &mut out).is_some() {
            wire.push(sent(out));
        }
    }
}

fn deliver(engine: &mut Engine, now: std::time::Instant, sent: &Sent, keep: u8) {
    // Some arrive with a byte changed: what follows authentication may still be nonsense.
    let damage = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        if keep < 80
            && let Some(byte) = bytes.get_mut(usize::from(keep))
        {
            *byte = !*byte;
        }
        bytes
    };
    match sent {
        Sent::Rtp(bytes) => engine.handle_rtp(now, now, BytesMut::from(&damage(bytes)[..])),
        Sent::Rtcp(bytes) => engine.handle_rtcp(now, &damage(bytes)),
    }
}
