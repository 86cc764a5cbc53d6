//! Two hosts, one session on each, and the signalling between them.

use peerconnection::{
    AnnouncedChannel, ChannelKey, Configuration, DataChannelInit, DataChannelState, Description, Direction,
    MediaKind, PeerConnectionState, Session, SessionEvent, TransceiverId, TransceiverInit,
    bytes::Bytes,
    datachannel::Payload,
    media::{EncodedFrame, MediaTime, ReceivedFrame},
};
use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};
use testkit::{Actor, Interface, Link, NodeId, Point, Seed, Verdict, World};

pub(crate) use super::peer::{ALICE, BOB, Peer, PeerEvent, address, session, sound};

/// A second socket of Bob's, on a second interface.
pub(crate) const BOB_ELSEWHERE: &str = "192.0.2.3:5000";

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The two ends of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Alice,
    Bob,
}

impl Who {
    pub(crate) const BOTH: [Self; 2] = [Self::Alice, Self::Bob];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Alice => Self::Bob,
            Self::Bob => Self::Alice,
        }
    }
}

/// What a datagram is, by its first bytes (RFC 7983 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Dtls,
    Other,
    Rtcp,
    Rtp,
    Stun,
}

pub(crate) fn kind_of(datagram: &[u8]) -> Kind {
    match datagram {
        [0..=3, ..] => Kind::Stun,
        [20..=63, ..] => Kind::Dtls,
        [128..=191, 192..=223, ..] => Kind::Rtcp,
        [128..=191, ..] => Kind::Rtp,
        _ => Kind::Other,
    }
}

/// A datagram that a host sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) kind: Kind,
}

/// Alice and Bob.
pub(crate) struct Call {
    pub(crate) world: World,
    nodes: [NodeId<Actor<Peer>>; 2],
    /// Everything that was sent so far.
    pub(crate) sent: Rc<RefCell<Vec<Sent>>>,
}

impl Call {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, Link::new().latency(ms(20)), [Configuration::default(), Configuration::default()])
    }

    pub(crate) fn with(seed: u64, link: Link, configurations: [Configuration; 2]) -> Self {
        let mut world = World::new(Seed::from_env_or(seed));
        let seed = world.seed();
        let sent = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&sent);
        world.on_wire(move |sighting, _| {
            if matches!(sighting.point, Point::Sent(_)) {
                let (source, destination) = (sighting.source, sighting.destination);
                log.borrow_mut().push(Sent { source, destination, kind: kind_of(sighting.datagram) });
            }
            Verdict::Pass
        });
        let now = world.now();
        let [first, second] = configurations;
        let internet = world.internet();
        let alice = world.add_host_on(internet, "alice", Interface::new("192.0.2.1").link(link.clone()));
        let bob = world.add_host_on(internet, "bob", Interface::new("192.0.2.2").link(link.clone()));
        world.add_interface(bob, internet, Interface::new("192.0.2.3").link(link));
        let mut node = |host, name, configuration, sockets: &[&str]| {
            let mut session = session(configuration, now, seed, name);
            session.add_local_address(now, address(sockets[0]), None);
            session.local_addresses_complete(now);
            let sockets: Vec<_> = sockets.iter().map(|socket| world.bind(host, socket)).collect();
            world.add_node(host, Actor::new(Peer::new(session, now)), &sockets)
        };
        let nodes = [node(alice, "alice", first, &[ALICE]), node(bob, "bob", second, &[BOB, BOB_ELSEWHERE])];
        Self { world, nodes, sent }
    }

    fn id(&self, who: Who) -> NodeId<Actor<Peer>> {
        match who {
            Who::Alice => self.nodes[0],
            Who::Bob => self.nodes[1],
        }
    }

    pub(crate) fn peer(&self, who: Who) -> &Peer {
        &self.world.node(self.id(who)).machine
    }

    pub(crate) fn session(&self, who: Who) -> &Session {
        &self.peer(who).session
    }

    /// Does something as the application of one side.
    pub(crate) fn act<R>(&mut self, who: Who, action: impl FnOnce(&mut Session, Instant) -> R) -> R {
        self.world.with(self.id(who), |actor, now| action(&mut actor.machine.session, now))
    }

    /// Asks for the stats before every call from now on.
    pub(crate) fn watch(&mut self) {
        for who in Who::BOTH {
            self.world.with(self.id(who), |actor, _| actor.machine.watched = true);
        }
    }

    /// The events of one side so far.
    pub(crate) fn events(&self, who: Who) -> &[PeerEvent] {
        &self.world.node(self.id(who)).events
    }

    pub(crate) fn announced(&self, who: Who) -> Vec<AnnouncedChannel> {
        let announced = |event: &PeerEvent| match event {
            PeerEvent::Session(SessionEvent::DataChannel(channel)) => Some(channel.clone()),
            PeerEvent::Ended | PeerEvent::Session(_) => None,
        };
        self.events(who).iter().filter_map(announced).collect()
    }

    pub(crate) fn state(&self, who: Who) -> PeerConnectionState {
        self.session(who).connection_state()
    }

    pub(crate) fn are_connected(&self) -> bool {
        Who::BOTH.iter().all(|who| self.state(*who) == PeerConnectionState::Connected)
    }

    /// The local description of one side, as text.
    pub(crate) fn local(&self, who: Who) -> String {
        let descriptions = self.session(who).descriptions();
        descriptions.pending_local.or(descriptions.current_local).expect("a local description").sdp()
    }

    /// Makes the offer of one side, in place there.
    pub(crate) fn offer(&mut self, who: Who) -> Description {
        self.act(who, |session, now| session.set_local_description(now, None)).expect("an offer");
        Description::offer(&self.local(who)).expect("readable")
    }

    /// Makes the answer of one side, in place there.
    pub(crate) fn answer(&mut self, who: Who) -> Description {
        self.act(who, |session, now| session.set_local_description(now, None)).expect("an answer");
        Description::answer(&self.local(who)).expect("readable")
    }

    pub(crate) fn take(&mut self, who: Who, description: Description) {
        self.act(who, |session, now| session.set_remote_description(now, description)).expect("acceptable");
    }

    /// Offer and answer, started by `who`.
    pub(crate) fn negotiate(&mut self, who: Who) {
        let offer = self.offer(who);
        self.take(who.other(), offer);
        let answer = self.answer(who.other());
        self.take(who, answer);
    }

    /// Runs until both sides are connected and returns how long that took.
    pub(crate) fn connect(&mut self) -> Duration {
        let took = self.until(secs(30), Self::are_connected);
        took.unwrap_or_else(|| panic!("not connected: {:#?}", self.session(Who::Alice).stats()))
    }

    pub(crate) fn until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> Option<Duration> {
        let begin = self.world.now();
        let end = begin + limit;
        while !done(self) {
            if !self.world.run_next(end) {
                return done(self).then_some(limit);
            }
        }
        Some(self.world.now().saturating_duration_since(begin))
    }

    /// Opens a channel at Alice's and connects; returns both ends of it.
    pub(crate) fn with_channel(&mut self) -> (ChannelKey, ChannelKey) {
        let ours = self.open(Who::Alice, "chat");
        self.negotiate(Who::Alice);
        self.connect();
        let took = self.until(secs(30), |call| {
            !call.announced(Who::Bob).is_empty()
                && call.session(Who::Alice).data_channel_state(ours) == DataChannelState::Open
        });
        assert!(took.is_some(), "the channel did not open");
        (ours, self.announced(Who::Bob)[0].channel)
    }

    pub(crate) fn open(&mut self, who: Who, label: &str) -> ChannelKey {
        self.act(who, |session, now| session.create_data_channel(now, label, &DataChannelInit::new()))
            .expect("a channel")
    }

    /// Offers to queue a message; whether it was taken.
    pub(crate) fn send(&mut self, who: Who, channel: ChannelKey, message: impl Into<Bytes>) -> bool {
        let message = Payload::binary(message.into());
        self.act(who, |session, now| session.send_data(now, channel, message)).is_ok()
    }

    pub(crate) fn recv(&mut self, who: Who, channel: ChannelKey) -> Option<Bytes> {
        self.act(who, |session, now| session.recv_data(now, channel)).map(|message| message.data)
    }

    /// Sends a message and waits until it is there.
    pub(crate) fn exchange(&mut self, from: Who, channels: (ChannelKey, ChannelKey), message: &'static [u8]) {
        let (sender, receiver) = match from {
            Who::Alice => channels,
            Who::Bob => (channels.1, channels.0),
        };
        let open = self
            .until(secs(10), |call| call.session(from).data_channel_state(sender) == DataChannelState::Open);
        assert!(open.is_some(), "the channel is not open: {:#?}", self.session(from).stats());
        assert!(self.send(from, sender, message));
        for _ in 0..2_000 {
            if let Some(received) = self.recv(from.other(), receiver) {
                assert_eq!(received, message);
                return;
            }
            self.world.run_for(ms(5));
        }
        panic!("a message did not arrive");
    }

    pub(crate) fn transceiver(&mut self, who: Who, kind: MediaKind, direction: Direction) -> TransceiverId {
        let init = TransceiverInit::new().direction(direction);
        self.act(who, |session, now| session.add_transceiver(now, kind, init)).expect("a transceiver")
    }

    pub(crate) fn track(&mut self, who: Who, kind: MediaKind) -> TransceiverId {
        self.act(who, |session, now| session.add_track(now, kind, TransceiverInit::new())).expect("a track")
    }

    /// Sends a frame; whether it was taken.
    pub(crate) fn frame(&mut self, who: Who, id: TransceiverId, payload: Vec<u8>, time: u64) -> bool {
        self.act(who, |session, now| {
            session.send_frame(now, id, EncodedFrame::new(payload.into(), MediaTime(time), now)).is_ok()
        })
    }

    pub(crate) fn frames(&mut self, who: Who, id: TransceiverId) -> Vec<ReceivedFrame> {
        self.act(who, |session, _| std::iter::from_fn(|| session.recv_frame(id)).collect())
    }

    /// How many datagrams of a kind one side sent.
    pub(crate) fn sent_by(&self, who: Who, kinds: &[Kind]) -> usize {
        let ours = match who {
            Who::Alice => [address(ALICE), address(ALICE)],
            Who::Bob => [address(BOB), address(BOB_ELSEWHERE)],
        };
        self.sent
            .borrow()
            .iter()
            .filter(|sent| ours.contains(&sent.source) && kinds.contains(&sent.kind))
            .count()
    }
}

/// A VP8 frame of this many bytes: the header tells whether it is a key frame (RFC 6386 §9.1).
pub(crate) fn picture(is_key: bool, len: usize, mark: u8) -> Vec<u8> {
    let mut frame = match is_key {
        true => vec![0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00],
        false => vec![0x11, 0x02, 0x00],
    };
    frame.resize(len, mark);
    frame
}
