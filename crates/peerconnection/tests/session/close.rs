//! Ends: at every point, twice, on both sides; and the stats at every point.

use crate::call::{BOB, Call, Kind, PeerEvent, Who, address, ms, picture, secs};
use peerconnection::{
    DataChannelInit, DataChannelState, Direction, DtlsTransportState, ErrorKind, IceConnectionState,
    MediaKind, OfferOptions, PeerConnectionState, SignalingState, TransceiverInit,
};
use std::time::Duration;

#[test]
fn a_close_tells_the_peer() {
    let mut call = Call::new(1);
    let channels = call.with_channel();
    call.exchange(Who::Alice, channels, b"hello");
    call.act(Who::Alice, |session, now| session.close(now));
    assert!(call.session(Who::Alice).is_closed(), "an empty socket takes the farewells at once");
    call.world.run_for(ms(100));
    assert_eq!(call.session(Who::Bob).data_channel_state(channels.1), DataChannelState::Closed);
    assert_eq!(call.session(Who::Bob).dtls_state(), DtlsTransportState::Closed);
    assert!(!call.send(Who::Bob, channels.1, "nobody there"));
    let sent = call.sent_by(Who::Alice, &[Kind::Stun, Kind::Dtls, Kind::Rtp, Kind::Rtcp, Kind::Other]);
    call.world.run_for(secs(60));
    let after = call.sent_by(Who::Alice, &[Kind::Stun, Kind::Dtls, Kind::Rtp, Kind::Rtcp, Kind::Other]);
    assert_eq!(after, sent, "closed is final");
    assert!(matches!(call.state(Who::Bob), PeerConnectionState::Disconnected | PeerConnectionState::Failed));
}

/// What every command on a closed session gives.
fn all_is_refused(call: &mut Call, who: Who) {
    let offer = call.act(who, |session, now| session.create_offer(now, &OfferOptions::new()).map(drop));
    let local = call.act(who, |session, now| session.set_local_description(now, None));
    let channel =
        call.act(who, |session, now| session.create_data_channel(now, "", &DataChannelInit::new()).map(drop));
    let transceiver = call.act(who, |session, now| {
        session.add_transceiver(now, MediaKind::Audio, TransceiverInit::new()).map(drop)
    });
    for outcome in [offer, local, channel, transceiver] {
        assert_eq!(outcome.expect_err("closed").kind(), ErrorKind::InvalidStateError);
    }
    let session = call.session(who);
    assert_eq!(session.connection_state(), PeerConnectionState::Closed);
    assert_eq!(session.ice_connection_state(), IceConnectionState::Closed);
    assert_eq!(session.signaling_state(), SignalingState::Closed);
    assert_eq!(session.stats().connection_state, PeerConnectionState::Closed);
}

/// A call with everything in it, as far as it has come after `steps` steps of its life.
fn call_at(steps: u32) -> (Call, bool) {
    let mut call = Call::new(u64::from(steps));
    call.watch();
    let mut left = steps;
    let mut step = |call: &mut Call, action: &mut dyn FnMut(&mut Call)| {
        let goes_on = left > 0;
        if goes_on {
            left -= 1;
            action(call);
        }
        goes_on
    };
    let mut ids = None;
    let mut channel = None;
    let mut description = None;
    let mut go = |call: &mut Call| -> bool {
        step(call, &mut |call| channel = Some(call.open(Who::Alice, "chat")))
            && step(call, &mut |call| ids = Some(call.transceiver(Who::Alice, MediaKind::Video, Direction::SendRecv)))
            && step(call, &mut |call| description = Some(call.offer(Who::Alice)))
            && step(call, &mut |call| call.take(Who::Bob, description.take().expect("an offer")))
            && step(call, &mut |call| _ = call.track(Who::Bob, MediaKind::Video))
            && step(call, &mut |call| description = Some(call.answer(Who::Bob)))
            && step(call, &mut |call| call.take(Who::Alice, description.take().expect("an answer")))
            // Checks, handshake, association, one network event at a time.
            && (0..40).all(|_| step(call, &mut |call| {
                let now = call.world.now();
                call.world.run_next(now + secs(100));
            }))
            && step(call, &mut |call| {
                call.connect();
            })
            && step(call, &mut |call| {
                for number in 0..30 {
                    call.send(Who::Alice, channel.expect("a channel"), vec![number; 20_000]);
                    call.frame(Who::Alice, ids.expect("a transceiver"), picture(true, 9_000, number), u64::from(number));
                }
            })
            && step(call, &mut |call| call.world.run_for(ms(30)))
            && step(call, &mut |call| call.act(Who::Alice, |session, now| session.restart_ice(now)))
            && step(call, &mut |call| drop(call.offer(Who::Alice)))
            && step(call, &mut |call| call.world.run_for(Duration::from_secs(10)))
    };
    let whole_life = go(&mut call);
    (call, whole_life)
}

/// Users 73 and 74: close at every step of a life, on either side or both, twice; stats before every single call.
#[test]
fn users_73_and_74_close_and_stats_at_every_point() {
    for closers in [&[Who::Alice][..], &[Who::Bob], &Who::BOTH] {
        for steps in 0.. {
            let (mut call, whole_life) = call_at(steps);
            for who in closers {
                call.act(*who, |session, now| {
                    session.close(now);
                    session.close(now);
                });
                all_is_refused(&mut call, *who);
            }
            call.world.run_for(Duration::from_millis(1_500));
            for who in closers {
                assert!(call.session(*who).is_closed(), "after {steps} steps");
                assert_eq!(call.session(*who).poll_timeout(), None);
                call.act(*who, |session, now| session.close(now));
                assert!(matches!(call.events(*who).last(), Some(PeerEvent::Ended)), "after {steps} steps");
            }
            let sent = call.sent.borrow().len();
            if closers.len() == 2 {
                call.world.run_for(secs(100));
                assert_eq!(call.sent.borrow().len(), sent, "after {steps} steps: both are closed");
            }
            all_is_refused(&mut call, closers[0]);
            if whole_life {
                break;
            }
        }
    }
}

/// Users 58: the peer vanishes in the middle of a transfer; sending says so in the end, and a new call works.
#[test]
fn users_58_a_peer_that_vanishes_stops_the_sender() {
    let mut call = Call::new(3);
    let channels = call.with_channel();
    call.world.on_wire(|sighting, _| {
        match sighting.source == address(BOB) || sighting.destination == address(BOB) {
            true if sighting.elapsed > secs(2) => testkit::Verdict::Drop,
            _ => testkit::Verdict::Pass,
        }
    });
    let mut taken = 0_usize;
    for _ in 0..4_000 {
        if call.send(Who::Alice, channels.0, vec![0; 10_000]) {
            taken += 1;
        }
        call.recv(Who::Bob, channels.1);
        call.world.run_for(ms(10));
    }
    assert!(taken > 20, "{taken}");
    assert!(!call.send(Who::Alice, channels.0, vec![0; 10_000]), "the buffer of the sender is bounded");
    assert!(call.session(Who::Alice).buffered_amount(channels.0) <= 1 << 20);
    assert_eq!(call.state(Who::Alice), PeerConnectionState::Failed);
    call.act(Who::Alice, |session, now| session.close(now));
    call.world.run_for(ms(1_100));
    assert!(call.session(Who::Alice).is_closed());
}
