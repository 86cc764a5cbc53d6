//! Data and media, renegotiation, restarts, loss.

use crate::call::{BOB, BOB_ELSEWHERE, Call, Kind, Who, address, ms, picture, secs, sound};
use peerconnection::{
    ChannelKey, Configuration, DataChannelInit, DataChannelState, Direction, MediaKind, PeerConnectionState,
    SignalingState, TransceiverId,
};
use std::time::Duration;
use testkit::{DropReason, Link};

/// Sends `count` numbered messages each way and checks that each arrives, once, whole and in order.
fn pump(call: &mut Call, channels: (ChannelKey, ChannelKey), count: u32, patience: Duration) {
    let message = |number: u32| {
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.resize(4 + number as usize * 37 % 6_000, number as u8);
        bytes
    };
    let deadline = call.world.now() + patience;
    let mut sides = [(Who::Alice, channels.0, 0, 0), (Who::Bob, channels.1, 0, 0)];
    while sides.iter().any(|(_, _, sent, received)| (*sent, *received) != (count, count)) {
        for (who, key, sent, received) in &mut sides {
            while *sent < count && call.send(*who, *key, message(*sent)) {
                *sent += 1;
            }
            while let Some(arrived) = call.recv(*who, *key) {
                assert_eq!(arrived, message(*received), "message {received} at {who:?}");
                *received += 1;
            }
        }
        assert!(call.world.now() < deadline, "after {patience:?}: {sides:?} of {count} messages");
        call.world.run_for(ms(5));
    }
}

#[test]
fn messages_go_both_ways() {
    let mut call = Call::new(1);
    let channels = call.with_channel();
    pump(&mut call, channels, 400, secs(60));
    let stats = call.session(Who::Alice).stats();
    assert_eq!((stats.data.messages_sent, stats.data.messages_received), (400, 400));
    // Late answers to checks are ignored, nothing else.
    assert_eq!(stats.drops.ignored, stats.ice.counters.stray_responses);
    assert_eq!((stats.drops.early, stats.drops.unauthenticated, stats.drops.send_errors), (0, 0, 0));
}

/// The peer's hello outruns its answer: it is kept, so that the handshake does not wait for a retransmission.
#[test]
fn a_late_answer_costs_no_retransmission() {
    for delay in (0..2_000).step_by(100) {
        let mut call = Call::new(delay);
        call.open(Who::Alice, "chat");
        let offer = call.offer(Who::Alice);
        call.take(Who::Bob, offer);
        let answer = call.answer(Who::Bob);
        call.world.run_for(ms(delay));
        call.take(Who::Alice, answer);
        let took = call.connect();
        // Alice's check takes a round trip of 80 ms, the three flights of the handshake that are left half a one each.
        assert!(took <= ms(300), "the answer came after {delay} ms, and {took:?} later they were connected");
        let stats = call.session(Who::Alice).stats();
        assert!(stats.drops.early <= 8, "retransmissions beyond what is kept: {:?}", stats.drops);
    }
}

/// Loss of every tenth datagram, handshake included.
#[test]
fn nothing_is_lost_over_a_lossy_link() {
    for seed in 0..3 {
        // Two links lie on the way: about 10 % together.
        let link = Link::new().latency(ms(10)).jitter(ms(5)).loss(0.052);
        let mut call = Call::with(seed, link, [Configuration::default(), Configuration::default()]);
        let channels = call.with_channel();
        pump(&mut call, channels, 200, secs(240));
        let lost = call.world.stats().dropped_for(DropReason::Loss);
        assert!(lost * 20 > call.world.stats().sent, "the link lost {lost} of {}", call.world.stats().sent);
    }
}

/// Alice's and Bob's transceivers.
#[derive(Clone, Copy)]
struct Media {
    audio: (TransceiverId, TransceiverId),
    video: (TransceiverId, TransceiverId),
}

fn with_media(call: &mut Call) -> Media {
    let audio = call.transceiver(Who::Alice, MediaKind::Audio, Direction::SendRecv);
    let video = call.transceiver(Who::Alice, MediaKind::Video, Direction::SendRecv);
    let offer = call.offer(Who::Alice);
    call.take(Who::Bob, offer);
    let media = Media {
        audio: (audio, call.track(Who::Bob, MediaKind::Audio)),
        video: (video, call.track(Who::Bob, MediaKind::Video)),
    };
    let answer = call.answer(Who::Bob);
    call.take(Who::Alice, answer);
    media
}

/// So many milliseconds of talk: a sound every 20 ms and a picture every 40 ms from both. Returns how many of each arrived.
fn talk(call: &mut Call, media: Media, span: u64) -> [(usize, usize); 2] {
    let mut arrived = [(0, 0), (0, 0)];
    let sides = [(Who::Alice, media.audio.0, media.video.0), (Who::Bob, media.audio.1, media.video.1)];
    for tick in 0..span / 20 {
        for (index, (who, audio, video)) in sides.into_iter().enumerate() {
            call.frame(who, audio, sound(tick as u8), tick * 960);
            if tick.is_multiple_of(2) {
                call.frame(who, video, picture(tick.is_multiple_of(50), 4_000, tick as u8), tick * 1_800);
            }
            for frame in call.frames(who, audio) {
                assert_eq!(frame.payload.len(), 80);
                arrived[index].0 += 1;
            }
            for frame in call.frames(who, video) {
                assert_eq!(frame.payload.len(), 4_000);
                arrived[index].1 += 1;
            }
        }
        call.world.run_for(ms(20));
    }
    arrived
}

#[test]
fn sound_and_pictures_go_both_ways() {
    let mut call = Call::new(2);
    let media = with_media(&mut call);
    call.connect();
    let arrived = talk(&mut call, media, 2_000);
    for (sounds, pictures) in arrived {
        assert!(
            (95..=100).contains(&sounds) && (46..=50).contains(&pictures),
            "{arrived:?} {:#?}",
            call.session(Who::Alice).stats()
        );
    }
    for who in Who::BOTH {
        let stats = call.session(who).stats();
        assert_eq!((stats.outbound.len(), stats.inbound.len()), (2, 2));
        assert_eq!((stats.drops.early, stats.drops.unauthenticated), (0, 0));
        assert!(stats.inbound.iter().all(|inbound| inbound.counters.packets_lost == 0));
        assert!(call.sent_by(who, &[Kind::Rtcp]) > 0);
    }
}

/// Lost packets are asked for again and repeated: far fewer pictures are missing than packets were lost.
#[test]
fn pictures_survive_a_lossy_link() {
    let link = Link::new().latency(ms(10)).loss(0.052);
    let mut call = Call::with(3, link, [Configuration::default(), Configuration::default()]);
    let media = with_media(&mut call);
    call.connect();
    let arrived = talk(&mut call, media, 10_000);
    for (_, pictures) in arrived {
        // Four packets each: without repetition about 35 % of them would be broken.
        assert!(pictures > 225, "{arrived:?} of 250 pictures");
    }
}

/// Media is added to a call that has data, and taken away again; data flows all the time, over the same keys.
#[test]
fn renegotiation_leaves_the_rest_alone() {
    let mut call = Call::new(4);
    let channels = call.with_channel();
    let ufrag = call.session(Who::Alice).local_ufrag().to_owned();
    for number in 0..20 {
        assert!(call.send(Who::Alice, channels.0, vec![number; 3_000]));
    }
    let media = with_media(&mut call);
    for number in 0..20 {
        assert!(call.send(Who::Alice, channels.0, vec![20 + number; 3_000]));
    }
    let arrived = talk(&mut call, media, 1_000);
    assert!(arrived.iter().all(|(sounds, pictures)| *sounds > 40 && *pictures > 20), "{arrived:?}");
    let received: Vec<u8> =
        std::iter::from_fn(|| call.recv(Who::Bob, channels.1)).map(|message| message[0]).collect();
    assert_eq!(received, (0..40).collect::<Vec<u8>>());

    // Bob proposes this time: he stops his sound.
    call.act(Who::Bob, |session, now| session.stop_transceiver(now, media.audio.1)).expect("stopped");
    call.negotiate(Who::Bob);
    call.world.run_for(ms(200));
    call.frames(Who::Alice, media.audio.0);
    let arrived = talk(&mut call, media, 1_000);
    assert!(arrived.iter().all(|(sounds, pictures)| *sounds == 0 && *pictures > 20), "{arrived:?}");
    call.exchange(Who::Bob, channels, b"still there");
    assert_eq!(call.session(Who::Alice).local_ufrag(), ufrag);
    assert_eq!(call.session(Who::Alice).signaling_state(), SignalingState::Stable);
}

#[test]
fn an_ice_restart_takes_new_credentials_and_loses_nothing() {
    let mut call = Call::new(5);
    let channels = call.with_channel();
    let before = Who::BOTH.map(|who| call.session(who).local_ufrag().to_owned());
    let records = call.session(Who::Alice).stats().transport.dtls.expect("DTLS").flights_resent;
    for number in 0..50 {
        assert!(call.send(Who::Bob, channels.1, vec![number; 1_000]));
    }
    call.act(Who::Alice, |session, now| session.restart_ice(now));
    call.negotiate(Who::Alice);
    call.world.run_for(secs(3));
    let received: Vec<u8> =
        std::iter::from_fn(|| call.recv(Who::Alice, channels.0)).map(|message| message[0]).collect();
    assert_eq!(received, (0..50).collect::<Vec<u8>>());
    let after = Who::BOTH.map(|who| call.session(who).local_ufrag().to_owned());
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
    assert!(call.are_connected());
    call.exchange(Who::Alice, channels, b"over the new path");
    assert_eq!(call.session(Who::Alice).stats().transport.dtls.expect("DTLS").flights_resent, records);
}

/// Bob's first interface dies; he restarts ICE with the second. What was under way arrives.
#[test]
fn a_call_moves_to_another_interface() {
    let mut call = Call::new(6);
    let channels = call.with_channel();
    // The hosts' interfaces were added in this order: Alice's, Bob's first, Bob's second.
    call.world.on_wire(|sighting, _| {
        match sighting.source == address(BOB) || sighting.destination == address(BOB) {
            true if sighting.elapsed > secs(5) => testkit::Verdict::Drop,
            _ => testkit::Verdict::Pass,
        }
    });
    call.world.run_for(secs(6));
    for number in 0..30 {
        assert!(call.send(Who::Bob, channels.1, vec![number; 2_000]));
    }
    let gone = call.until(secs(10), |call| call.state(Who::Bob) == PeerConnectionState::Disconnected);
    assert!(gone.is_some(), "{:?}", call.state(Who::Bob));
    call.act(Who::Bob, |session, now| {
        session.remove_local_address(now, address(BOB));
        session.add_local_address(now, address(BOB_ELSEWHERE), None);
        session.restart_ice(now);
    });
    call.negotiate(Who::Bob);
    let took = call.until(secs(10), Call::are_connected);
    assert!(took.is_some(), "{:#?}", call.session(Who::Alice).stats().ice);
    call.world.run_for(secs(5));
    let received: Vec<u8> =
        std::iter::from_fn(|| call.recv(Who::Alice, channels.0)).map(|message| message[0]).collect();
    assert_eq!(received, (0..30).collect::<Vec<u8>>());
    call.exchange(Who::Alice, channels, b"there you are");
}

/// Users 53: a message before the channel is open comes back, it is never taken and lost.
#[test]
fn users_53_send_before_open_gives_the_message_back() {
    let mut call = Call::new(7);
    let channel = call.open(Who::Alice, "early");
    assert!(!call.send(Who::Alice, channel, "too early"));
    call.negotiate(Who::Alice);
    let mut taken = 0_u32;
    // As a driver does: offer it again in every turn.
    let took = call.until(secs(10), |call| !call.announced(Who::Bob).is_empty());
    assert!(took.is_some());
    for number in 0..100_u32 {
        if call.send(Who::Alice, channel, number.to_be_bytes().to_vec()) {
            taken += 1;
        }
        call.world.run_for(ms(2));
    }
    call.world.run_for(secs(1));
    let theirs = call.announced(Who::Bob)[0].channel;
    let received = std::iter::from_fn(|| call.recv(Who::Bob, theirs)).count();
    assert_eq!(received, taken as usize);
    assert!(taken > 50, "{taken}");
}

/// Users 57: what was queued before a close arrives before the close.
#[test]
fn users_57_close_does_not_overtake_the_backlog() {
    let mut call = Call::new(8);
    let channels = call.with_channel();
    let mut queued = [0, 0];
    for (index, (who, key)) in [(Who::Alice, channels.0), (Who::Bob, channels.1)].into_iter().enumerate() {
        while queued[index] < 60 && call.send(who, key, vec![queued[index] as u8; 10_000]) {
            queued[index] += 1;
        }
    }
    assert_eq!(queued, [60, 60]);
    call.act(Who::Alice, |session, now| session.close_data_channel(now, channels.0));
    assert_eq!(call.session(Who::Alice).data_channel_state(channels.0), DataChannelState::Closing);
    let mut received = Vec::new();
    let took = (0..4_000).find(|_| {
        call.world.run_for(ms(5));
        received.extend(std::iter::from_fn(|| call.recv(Who::Bob, channels.1)).map(|message| message[0]));
        call.session(Who::Bob).data_channel_state(channels.1) == DataChannelState::Closed
            && call.session(Who::Alice).data_channel_state(channels.0) == DataChannelState::Closed
    });
    assert!(took.is_some(), "the channel did not close");
    received.extend(std::iter::from_fn(|| call.recv(Who::Bob, channels.1)).map(|message| message[0]));
    assert_eq!(received, (0..60).collect::<Vec<u8>>());
    assert!(!call.send(Who::Alice, channels.0, "late"));
    assert!(call.are_connected());
}

/// Users 57: channels are opened and closed again and again, by both sides; numbers and memory are given back.
#[test]
fn users_57_channels_are_made_anew_a_thousand_times() {
    let mut call =
        Call::with(9, Link::new().latency(ms(1)), [Configuration::default(), Configuration::default()]);
    call.with_channel();
    let mut highest = 0;
    for round in 0..500 {
        let keys = Who::BOTH.map(|who| {
            (
                who,
                call.act(who, |session, now| {
                    session.create_data_channel(now, "again", &DataChannelInit::new())
                })
                .unwrap_or_else(|error| panic!("round {round}: {error}")),
            )
        });
        let open = |call: &Call, state| {
            keys.iter().all(|(who, key)| call.session(*who).data_channel_state(*key) == state)
        };
        assert!(call.until(secs(5), |call| open(call, DataChannelState::Open)).is_some(), "round {round}");
        for (who, key) in keys {
            highest = call.session(who).data_channel_id(key).unwrap_or(0).max(highest);
            assert!(call.send(who, key, "x"));
            call.act(who, |session, now| session.close_data_channel(now, key));
        }
        let closed = call.until(secs(5), |call| open(call, DataChannelState::Closed));
        assert!(closed.is_some(), "round {round}: not closed");
        call.world.run_for(ms(10));
    }
    assert!(highest < 100, "stream numbers are used again, yet {highest} was reached");
    let stats = call.session(Who::Bob).stats().data;
    assert_eq!((stats.channels_opened, stats.channels_closed), (1_001, 1_000));
}

/// Nothing is lost, so nothing may wait for a retransmission: whoever is faster, the channel opens in a few round trips.
#[test]
fn a_channel_opens_without_waiting_for_a_timer() {
    for seed in 0..150 {
        let link =
            Link::new().latency(Duration::from_micros(seed * 40)).jitter(Duration::from_micros(seed * 30));
        let mut call = Call::with(seed, link, [Configuration::default(), Configuration::default()]);
        let channel = call.open(Who::Alice, "chat");
        let offer = call.offer(Who::Alice);
        call.take(Who::Bob, offer);
        let answer = call.answer(Who::Bob);
        call.world.run_for(Duration::from_micros(seed * 997 % 60_000));
        call.take(Who::Alice, answer);
        let took = call.until(secs(10), |call| {
            !call.announced(Who::Bob).is_empty()
                && call.session(Who::Alice).data_channel_state(channel) == DataChannelState::Open
        });
        assert!(took.is_some_and(|took| took < ms(500)), "seed {seed}: {took:?}");
    }
}

/// A reader that stood still and reads again: the sender goes on at once, at the speed of the link.
#[test]
fn a_window_that_opens_again_is_used_at_once() {
    let small = || {
        Configuration::default()
            .with_send_buffer(64 * 1024)
            .with_receive_buffer(64 * 1024)
            .with_max_message_size(64 * 1024)
    };
    let mut call = Call::with(10, Link::new().latency(ms(1)), [small(), small()]);
    let channels = call.with_channel();
    let mut sent = 0;
    let stuck = (0..400).filter(|_| {
        let taken = call.send(Who::Alice, channels.0, vec![0; 16_000]);
        sent += u32::from(taken);
        call.world.run_for(ms(5));
        !taken
    });
    assert!(stuck.count() > 300, "the window is closed");
    let begin = call.world.now();
    let mut received = 0;
    while received < sent + 100 {
        received += std::iter::from_fn(|| call.recv(Who::Bob, channels.1)).count() as u32;
        while sent < received + 8 && call.send(Who::Alice, channels.0, vec![0; 16_000]) {
            sent += 1;
        }
        call.world.run_for(ms(1));
        let took = call.world.now().saturating_duration_since(begin);
        assert!(took < secs(4), "{received} of {sent} messages in {took:?}");
        if received > 100 {
            break;
        }
    }
}
