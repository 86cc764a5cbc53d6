//! A session as the test kit sees it.

#![allow(dead_code, reason = "each target uses its part")]

use peerconnection::{
    ChannelKey, Configuration, DataChannelInit, Datagram, Description, Direction, MediaKind,
    PeerConnectionState, Session, SessionEvent, TransceiverInit,
    bytes::BytesMut,
    datachannel::Payload,
    media::{EncodedFrame, MediaTime},
    stun::net::{FiveTuple, Fragmentation},
};
use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    time::{Duration, Instant},
};
use testkit::{Machine, Seed, fuzz::reached};

pub(crate) const ALICE: &str = "192.0.2.1:5000";
pub(crate) const BOB: &str = "192.0.2.2:5000";
/// Wall time at the start, which nothing depends on.
const WALL: Duration = Duration::from_secs(1_800_000_000);

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("invariant: an address of the test")
}

/// A session with one socket, and its random numbers from the seed.
pub(crate) fn session(configuration: Configuration, now: Instant, seed: Seed, name: &'static str) -> Session {
    let mut layer = 0;
    let random = move || {
        layer += 1;
        seed.boxed_random(&format!("{name} {layer}"))
    };
    Session::new(configuration, now, WALL, random).expect("invariant: the defaults work")
}

/// What a peer tells: the events of its session, and one more when the session has ended.
#[derive(Clone, Debug)]
pub(crate) enum PeerEvent {
    Ended,
    Session(SessionEvent),
}

/// A session as the test kit sees it.
pub(crate) struct Peer {
    pub(crate) session: Session,
    /// Asks for the stats before every call.
    pub(crate) watched: bool,
    pub(crate) has_ended: bool,
    start: Instant,
    fragmentation: Fragmentation,
    pub(crate) channels: Vec<ChannelKey>,
}

impl Peer {
    pub(crate) fn new(session: Session, start: Instant) -> Self {
        Self {
            session,
            watched: false,
            has_ended: false,
            start,
            fragmentation: Fragmentation::Forbidden,
            channels: Vec::new(),
        }
    }

    fn look(&self) {
        if self.watched {
            let stats = self.session.stats();
            assert_eq!(stats.connection_state, self.session.connection_state());
            assert_eq!(stats.ice_connection_state, self.session.ice_connection_state());
            assert_eq!(stats.transport.dtls_state, self.session.dtls_state());
        }
    }
}

impl Machine for Peer {
    type Path = FiveTuple;
    type Event = PeerEvent;

    fn handle_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &mut [u8]) {
        self.look();
        let payload = BytesMut::from(&*datagram);
        self.session.handle_datagram(now, Datagram { path, ecn: None, arrival: now, payload });
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.look();
        self.session.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<(FiveTuple, NonZeroUsize)> {
        self.look();
        let before = out.len();
        let transmit = self.session.poll_transmit(now, NonZeroUsize::MIN, out)?;
        assert_eq!(transmit.segment, None, "one datagram was asked for");
        assert_eq!(transmit.len, out.len() - before);
        self.fragmentation = transmit.fragmentation;
        Some((transmit.path, NonZeroUsize::new(transmit.len)?))
    }

    fn fragmentation(&self) -> Fragmentation {
        self.fragmentation
    }

    fn poll_event(&mut self) -> Option<PeerEvent> {
        self.look();
        if let Some(event) = self.session.poll_event() {
            if let SessionEvent::DataChannel(announced) = &event {
                self.channels.push(announced.channel);
            }
            return Some(PeerEvent::Session(event));
        }
        let ends = self.session.is_closed() && !self.has_ended;
        self.has_ended |= ends;
        ends.then_some(PeerEvent::Ended)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.look();
        self.session.poll_timeout()
    }

    fn command(&mut self, now: Instant, choice: u64) {
        let session = &mut self.session;
        let count = self.channels.len() as u64;
        let channel = usize::try_from(choice / 16)
            .ok()
            .and_then(|index| self.channels.get(index % count.max(1) as usize));
        let transceiver = session.transceivers().next().map(|transceiver| transceiver.id);
        match (choice % 10, channel, transceiver) {
            (0 | 1, Some(channel), _) => {
                let message = Payload::binary(vec![7; usize::try_from(choice % 3_000).unwrap_or(0)]);
                drop(session.send_data(now, *channel, message));
            }
            (2, Some(channel), _) => {
                if session.recv_data(now, *channel).is_some() {
                    reached("message");
                }
            }
            (3, _, _) => drop(
                session
                    .create_data_channel(now, "more", &DataChannelInit::new())
                    .map(|key| self.channels.push(key)),
            ),
            (4, Some(channel), _) if count > 3 => session.close_data_channel(now, *channel),
            (5 | 6, _, Some(id)) => {
                let frame = EncodedFrame::new(sound(1).into(), MediaTime(choice % 100_000), self.start);
                // Refused when nothing is negotiated.
                let _ = session.send_frame(now, id, frame);
            }
            (7, _, Some(id)) => {
                if session.recv_frame(id).is_some() {
                    reached("frame");
                }
                session.request_key_frame(now, id);
            }
            (8, _, _) => drop(session.set_remote_description(now, Description::rollback())),
            _ => session.restart_ice(now),
        }
    }

    fn close(&mut self, now: Instant) {
        self.session.close(now);
    }

    fn is_ready(&self) -> bool {
        self.session.connection_state() == PeerConnectionState::Connected
    }

    fn is_final(event: &PeerEvent) -> bool {
        matches!(event, PeerEvent::Ended)
    }
}

/// Two sessions with data, sound and pictures, that have exchanged offer and answer.
pub(crate) fn pair(configuration: &Configuration, now: Instant, seed: Seed) -> (Peer, Peer) {
    let side = |name, socket| {
        let mut session = session(configuration.clone(), now, seed, name);
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

/// An Opus packet of one frame of 20 ms (RFC 6716 §3.1).
pub(crate) fn sound(mark: u8) -> Vec<u8> {
    let mut packet = vec![mark; 80];
    packet[0] = 0x78;
    packet
}
