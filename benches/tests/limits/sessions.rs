//! Whole sessions: what an idle one holds, and that nothing is left of those that are gone.

use crate::{
    KIB,
    heap::{growth, held},
    stack::{Stack, datagram, session},
};
use peerconnection::{
    ChannelKey, DataChannelInit, DataChannelState, Datagram, Description, Direction, MediaKind, Session,
    SessionEvent, TransceiverInit, bytes::BytesMut, datachannel::Payload, stun::net::FiveTuple,
};
use std::{num::NonZeroUsize, time::Duration};

/// Two sessions that have connected, talked, and then been idle for a minute.
struct Idle {
    now: std::time::Instant,
    sides: [Session; 2],
}

impl Idle {
    fn new(kinds: &[MediaKind]) -> Self {
        let now = testkit::start();
        let mut a = session(now, "a", "192.0.2.1:5000");
        let mut b = session(now, "b", "192.0.2.2:5000");
        let channel = a.create_data_channel(now, "idle", &DataChannelInit::new()).expect("a channel");
        for kind in kinds {
            let init = TransceiverInit::new().direction(Direction::SendRecv);
            a.add_transceiver(now, *kind, init).expect("a transceiver");
        }
        a.set_local_description(now, None).expect("an offer");
        let offer = a.descriptions().pending_local.expect("an offer").sdp();
        b.set_remote_description(now, Description::offer(&offer).expect("readable")).expect("taken");
        b.set_local_description(now, None).expect("an answer");
        let answer = b.descriptions().current_local.expect("an answer").sdp();
        a.set_remote_description(now, Description::answer(&answer).expect("readable")).expect("taken");
        let mut idle = Self { now, sides: [a, b] };
        idle.run(Duration::from_secs(60), channel);
        assert_eq!(idle.sides[0].data_channel_state(channel), DataChannelState::Open);
        idle
    }

    /// Goes from deadline to deadline, carrying everything; reads what the other side opens and sends a message.
    fn run(&mut self, time: Duration, channel: ChannelKey) {
        let end = self.now + time;
        let mut is_said = false;
        let mut out = Vec::new();
        loop {
            let mut is_quiet = true;
            for (from, to) in [(0, 1), (1, 0)] {
                out.clear();
                if let Some(transmit) = self.sides[from].poll_transmit(self.now, NonZeroUsize::MIN, &mut out)
                {
                    self.sides[to].handle_datagram(self.now, datagram(self.now, transmit, &out));
                    is_quiet = false;
                }
                while let Some(event) = self.sides[from].poll_event() {
                    if let SessionEvent::DataChannelReadable(key) = event {
                        while self.sides[from].recv_data(self.now, key).is_some() {}
                    }
                }
            }
            if !is_said && self.sides[0].data_channel_state(channel) == DataChannelState::Open {
                let message = Payload::binary(vec![7; 10_000]);
                is_said = self.sides[0].send_data(self.now, channel, message).is_ok();
                is_quiet = false;
            }
            if !is_quiet {
                continue;
            }
            let next = self.sides.iter().filter_map(Session::poll_timeout).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            self.sides.iter_mut().for_each(|side| side.handle_timeout(next));
        }
        assert!(is_said, "the channel opened");
    }
}

/// What a pair of idle sessions holds on the heap, by half.
fn per_session(kinds: &[MediaKind]) -> isize {
    // Tables of the cryptography are made on first use.
    drop(Idle::new(kinds));
    let (held, pair) = growth(|| Idle::new(kinds));
    drop(pair);
    held / 2
}

#[test]
fn an_idle_session_with_data_alone() {
    let held = per_session(&[]);
    println!("an idle session with a data channel holds {held} bytes");
    assert!((KIB..=64 * KIB).contains(&held), "{held}");
}

#[test]
fn an_idle_session_with_audio_and_video() {
    let held = per_session(&[MediaKind::Audio, MediaKind::Video]);
    println!("an idle session with audio, video and a data channel holds {held} bytes");
    assert!((KIB..=160 * KIB).contains(&held), "{held}");
}

/// Users 76: sessions connect, carry data, end in this way or that, and leave not a byte.
#[test]
fn users_76_hundreds_of_sessions_leave_nothing() {
    drop(Idle::new(&[MediaKind::Audio, MediaKind::Video]));
    let before = held();
    for number in 0..150 {
        let kinds: &[_] = if number % 2 == 0 { &[] } else { &[MediaKind::Audio, MediaKind::Video] };
        let mut idle = Idle::new(kinds);
        match number % 3 {
            // Dropped as they are, closed on one side, closed on both.
            0 => {}
            1 => idle.sides[0].close(idle.now),
            _ => idle.sides.iter_mut().for_each(|side| side.close(idle.now)),
        }
        drop(idle);
        assert_eq!(held() - before, 0, "after pair {number}");
    }
}

/// Users 76: sessions that never got anywhere leave nothing either.
#[test]
fn users_76_abandoned_sessions_leave_nothing() {
    drop(Idle::new(&[]));
    let now = testkit::start();
    let before = held();
    for steps in 0..6 {
        let mut a = session(now, "a", "192.0.2.1:5000");
        let mut b = session(now, "b", "192.0.2.2:5000");
        let mut out = Vec::new();
        if steps > 0 {
            a.create_data_channel(now, "x", &DataChannelInit::new()).expect("a channel");
            a.add_transceiver(now, MediaKind::Video, TransceiverInit::new()).expect("a transceiver");
            a.set_local_description(now, None).expect("an offer");
        }
        if steps > 1 {
            let offer = a.descriptions().pending_local.expect("an offer").sdp();
            b.set_remote_description(now, Description::offer(&offer).expect("readable")).expect("taken");
            b.set_local_description(now, None).expect("an answer");
        }
        if steps > 2 {
            let answer = b.descriptions().current_local.expect("an answer").sdp();
            a.set_remote_description(now, Description::answer(&answer).expect("readable")).expect("taken");
        }
        // A few datagrams, then silence; in the last round until it has failed.
        let rounds = if steps > 3 { steps * 3 } else { 0 };
        for _ in 0..rounds {
            out.clear();
            if let Some(transmit) = a.poll_transmit(now, NonZeroUsize::MIN, &mut out) {
                b.handle_datagram(now, datagram(now, transmit, &out));
            }
            out.clear();
            if let Some(transmit) = b.poll_transmit(now, NonZeroUsize::MIN, &mut out) {
                a.handle_datagram(now, datagram(now, transmit, &out));
            }
        }
        for second in 0..if steps == 5 { 120 } else { 0 } {
            a.handle_timeout(now + Duration::from_secs(second));
            out.clear();
            while a.poll_transmit(now + Duration::from_secs(second), NonZeroUsize::MIN, &mut out).is_some() {}
        }
        drop((a, b, out));
        assert_eq!(held() - before, 0, "after {steps} steps");
    }
}

/// Nothing is kept for a source that has proved nothing: checks without integrity, DTLS, SRTP, SRTCP, TURN frames and
/// noise from ten thousand addresses, at a session in the middle of a call and at one that waits for its peer.
#[test]
fn strangers_cost_a_session_nothing() {
    let mut stack = Stack::new(testkit::start());
    let now = stack.now;
    let mut lonely = session(now, "lonely", "192.0.2.1:5000");
    lonely.create_data_channel(now, "x", &DataChannelInit::new()).expect("a channel");
    lonely.set_local_description(now, None).expect("an offer");
    let sdp = lonely.descriptions().pending_local.expect("an offer").sdp();
    let ufrag = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("one").to_owned();
    let mut check = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    let name = format!("{ufrag}:abcd");
    check.extend([0, 6, 0, name.len() as u8]);
    check.extend(name.bytes());
    check.resize(check.len().next_multiple_of(4), 0);
    // A tag, and a wrong one.
    check.extend([0, 8, 0, 20]);
    check.extend([9; 20]);
    check[3] = (check.len() - 20) as u8;
    let datagrams: [&[u8]; 7] = [
        &check,
        &[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
        &[0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        &[0x80, 200, 0, 6, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        &[0x40, 0, 0, 1, 7, 0, 0, 0],
        &[0; 19],
        &[],
    ];
    let flood = |session: &mut Session, rounds: u32| {
        for source in 0..rounds {
            let remote = (std::net::Ipv4Addr::from(0x0b00_0000 + source), 9).into();
            let path = FiveTuple::udp("192.0.2.1:5000".parse().expect("an address"), remote);
            for bytes in datagrams {
                let payload = BytesMut::from(bytes);
                let datagram = Datagram { path, ecn: None, arrival: now, payload };
                session.handle_datagram(now, datagram);
            }
            let mut out = Vec::new();
            while let Some(transmit) = session.poll_transmit(now, NonZeroUsize::MIN, &mut out) {
                assert_ne!(transmit.path.remote, remote, "nobody without proof is answered");
            }
        }
    };
    for session in [&mut stack.a, &mut lonely] {
        flood(session, 10);
        let (grown, ()) = growth(|| flood(session, 10_000));
        assert_eq!(grown, 0);
    }
}
