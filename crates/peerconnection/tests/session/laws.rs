//! The laws of the sans-IO idiom, for the whole stack.

use crate::call::{ALICE, BOB, Peer, address, session};
use peerconnection::{Configuration, DataChannelInit, Description, Direction, MediaKind, TransceiverInit};
use std::time::Instant;
use testkit::Seed;

/// Two sessions with data, sound and pictures, that have exchanged offer and answer.
fn make(now: Instant, seed: Seed) -> (Peer, Peer) {
    let side = |name, socket| {
        let mut session = session(Configuration::default(), now, seed, name);
        session.add_local_address(now, address(socket), None);
        session.local_addresses_complete(now);
        Peer::new(session, now)
    };
    let (mut alice, mut bob) = (side("alice", ALICE), side("bob", BOB));
    let channel = alice.session.create_data_channel(now, "chat", &DataChannelInit::new()).expect("a channel");
    alice.channels.push(channel);
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let init = TransceiverInit::new().direction(Direction::SendRecv);
        alice.session.add_transceiver(now, kind, init).expect("a transceiver");
    }
    alice.session.set_local_description(now, None).expect("an offer");
    let offer = alice.session.descriptions().pending_local.expect("an offer").sdp();
    bob.session
        .set_remote_description(now, Description::offer(&offer).expect("readable"))
        .expect("acceptable");
    for kind in [MediaKind::Audio, MediaKind::Video] {
        bob.session.add_track(now, kind, TransceiverInit::new()).expect("a track");
    }
    bob.session.set_local_description(now, None).expect("an answer");
    let answer = bob.session.descriptions().current_local.expect("an answer").sdp();
    alice
        .session
        .set_remote_description(now, Description::answer(&answer).expect("readable"))
        .expect("acceptable");
    (alice, bob)
}

testkit::law_tests!(make);
