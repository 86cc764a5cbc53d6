//! Two hosts, one session on each, and the network between them, in virtual time.

use crate::{
    peer::{Load, Peer},
    secs,
};
use peerconnection::{
    Configuration, DataChannelInit, DataChannelState, Description, MediaDelivery, MediaKind,
    PeerConnectionState, Session, SessionEvent, StatsReport, TransceiverId, TransceiverInit,
};
use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};
use testkit::{
    Gateway, Interface, InterfaceId, Link, NatConfig, NetworkId, NodeId, Point, Seed, Verdict, World,
};

/// Wall time at the start, which nothing depends on.
pub(crate) const WALL: Duration = Duration::from_secs(1_800_000_000);
/// Bob's second address.
pub(crate) const BOB_ELSEWHERE: &str = "192.0.2.3:5000";
pub(crate) const BOB: &str = "192.0.2.2:5000";
const ALICE: &str = "192.0.2.1:5000";
const ALICE_INSIDE: &str = "10.0.0.2:5000";

/// The two ends of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Alice,
    Bob,
}

impl Who {
    pub(crate) const BOTH: [Self; 2] = [Self::Alice, Self::Bob];

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Alice => Self::Bob,
            Self::Bob => Self::Alice,
        }
    }
}

/// What a datagram is, by its first bytes (RFC 7983 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Check,
    Answer,
    Dtls,
    Rtcp,
    Rtp,
}

fn kind_of(datagram: &[u8]) -> Kind {
    match datagram {
        // Of the STUN messages only requests are sent on a timer.
        [0, 1, ..] => Kind::Check,
        [0..=3, ..] => Kind::Answer,
        [128..=191, 192..=223, ..] => Kind::Rtcp,
        [128..=191, ..] => Kind::Rtp,
        _ => Kind::Dtls,
    }
}

/// A datagram that left a host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) who: Who,
    pub(crate) kind: Kind,
    pub(crate) len: usize,
}

/// What is different from a perfect wire between two hosts with one address each.
#[derive(Debug)]
pub(crate) struct Setup {
    up: Link,
    down: Link,
    behind_nat: bool,
    second_pair: bool,
    walls: [Duration; 2],
    media: Option<MediaKind>,
}

impl Setup {
    /// The link between Alice and Bob, the same both ways.
    pub(crate) fn new(link: Link) -> Self {
        Self {
            up: link.clone(),
            down: link,
            behind_nat: false,
            second_pair: false,
            walls: [WALL; 2],
            media: None,
        }
    }

    /// Puts Alice behind an address translator.
    pub(crate) fn behind_nat(self) -> Self {
        Self { behind_nat: true, ..self }
    }

    /// Gives Bob's session both of his addresses from the beginning.
    pub(crate) fn second_pair(self) -> Self {
        Self { second_pair: true, ..self }
    }

    /// What the wall clocks show.
    pub(crate) fn walls(self, walls: [Duration; 2]) -> Self {
        Self { walls, ..self }
    }

    /// A stream each way, received as packets.
    pub(crate) fn media(self, kind: MediaKind) -> Self {
        Self { media: Some(kind), ..self }
    }

    fn configuration() -> Configuration {
        Configuration::default().with_media_delivery(MediaDelivery::Packets)
    }
}

/// Alice and Bob.
pub(crate) struct Call {
    pub(crate) world: World,
    nodes: [NodeId<Peer>; 2],
    alice: InterfaceId,
    /// Bob's two interfaces.
    pub(crate) bob: [InterfaceId; 2],
    home: Option<NetworkId>,
    media: Option<MediaKind>,
    /// Everything that was sent so far.
    pub(crate) sent: Rc<RefCell<Vec<Sent>>>,
}

impl Call {
    pub(crate) fn new(seed: u64, setup: Setup) -> Self {
        let mut world = World::new(Seed::new(seed));
        world.recorder().set_budget(0);
        let internet = world.internet();
        let home = setup
            .behind_nat
            .then(|| world.add_network(internet, Gateway::nat(NatConfig::port_restricted(), "198.51.100.1")));
        let (network, first) = match home {
            Some(home) => (home, ALICE_INSIDE),
            None => (internet, ALICE),
        };
        let host = world.add_host("alice");
        let at = Interface::new(host_of(first)).uplink(setup.up).downlink(setup.down);
        let alice = world.add_interface(host, network, at);
        let bobs = world.add_host("bob");
        let bob = [BOB, BOB_ELSEWHERE]
            .map(|address| world.add_interface(bobs, internet, Interface::new(host_of(address))));
        let sent = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&sent);
        world.on_wire(move |sighting, _| {
            if let Point::Sent(from) = sighting.point {
                let who = if from == host { Who::Alice } else { Who::Bob };
                let (kind, len) = (kind_of(sighting.datagram), sighting.datagram.len());
                log.borrow_mut().push(Sent { at: sighting.at, who, kind, len });
            }
            Verdict::Pass
        });
        let [wall, other_wall] = setup.walls;
        let known = if setup.second_pair { [BOB, BOB_ELSEWHERE].as_slice() } else { &[BOB] };
        let alices = peer(&world, "alice", wall, &[first]);
        let sockets = [world.bind(host, first)];
        let a = world.add_node(host, alices, &sockets);
        let bobs_peer = peer(&world, "bob", other_wall, known);
        let sockets = [BOB, BOB_ELSEWHERE].map(|address| world.bind(bobs, address));
        let b = world.add_node(bobs, bobs_peer, &sockets);
        Self { world, nodes: [a, b], alice, bob, home, media: setup.media, sent }
    }

    /// Offer, answer, and the stream each way if there is to be one. Both sides have everything afterwards; nothing has
    /// been sent yet.
    pub(crate) fn negotiate_first(&mut self) {
        let channel = self.act(Who::Alice, |session, now| {
            session.create_data_channel(now, "sim", &DataChannelInit::new()).expect("a channel")
        });
        self.with(Who::Alice, |peer| peer.channel = Some(channel));
        let media = self.media;
        if let Some(kind) = media {
            let id = self.act(Who::Alice, |session, now| {
                session.add_transceiver(now, kind, TransceiverInit::new()).expect("a transceiver")
            });
            self.set_media(Who::Alice, id);
        }
        let offer = self.describe(Who::Alice);
        self.take(Who::Bob, Description::offer(&offer).expect("readable"));
        if let Some(kind) = media {
            let id = self.act(Who::Bob, |session, now| {
                session.add_track(now, kind, TransceiverInit::new()).expect("a track")
            });
            self.set_media(Who::Bob, id);
        }
        let answer = self.describe(Who::Bob);
        self.take(Who::Alice, Description::answer(&answer).expect("readable"));
    }

    /// Offer and answer once more, started by `who`.
    pub(crate) fn negotiate_again(&mut self, who: Who) {
        let offer = self.describe(who);
        self.take(who.other(), Description::offer(&offer).expect("readable"));
        let answer = self.describe(who.other());
        self.take(who, Description::answer(&answer).expect("readable"));
    }

    /// Negotiates and runs until the channel is open at both ends; how long that took.
    pub(crate) fn connect(&mut self, limit: Duration) -> Option<Duration> {
        self.negotiate_first();
        self.until(limit, Self::is_open)
    }

    pub(crate) fn is_open(&self) -> bool {
        Who::BOTH.iter().all(|who| {
            let peer = self.peer(*who);
            peer.channel.is_some_and(|key| peer.session.data_channel_state(key) == DataChannelState::Open)
        })
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

    pub(crate) fn peer(&self, who: Who) -> &Peer {
        self.world.node(self.id(who))
    }

    pub(crate) fn with<R>(&mut self, who: Who, action: impl FnOnce(&mut Peer) -> R) -> R {
        self.world.with(self.id(who), |peer, _| action(peer))
    }

    /// Does something as the application of one side.
    pub(crate) fn act<R>(&mut self, who: Who, action: impl FnOnce(&mut Session, Instant) -> R) -> R {
        self.world.with(self.id(who), |peer, now| action(&mut peer.session, now))
    }

    /// Puts a load on one side from now on.
    pub(crate) fn load(&mut self, who: Who, load: Load) {
        self.world.with(self.id(who), |peer, now| peer.start_load(now, load));
    }

    /// A load on both sides.
    pub(crate) fn load_both(&mut self, load: Load) {
        for who in Who::BOTH {
            self.load(who, load);
        }
    }

    pub(crate) fn stop_loads(&mut self) {
        for who in Who::BOTH {
            self.with(who, Peer::stop_loads);
        }
    }

    /// Changes the link between Alice and Bob: from her, and to her.
    pub(crate) fn set_links(&mut self, up: Link, down: Link) {
        self.world.set_uplink(self.alice, up);
        self.world.set_downlink(self.alice, down);
    }

    /// Makes the translator forget its mappings.
    pub(crate) fn rebind(&mut self) {
        if let Some(nat) = self.home.and_then(|home| self.world.nat(home)) {
            nat.rebind();
        }
    }

    /// How long a datagram of Alice would wait now.
    pub(crate) fn queue(&self) -> Duration {
        let now = self.world.now();
        self.world.wires(self.alice).map_or(Duration::ZERO, |(up, _)| up.queueing_delay(now))
    }

    pub(crate) fn stats(&self, who: Who) -> StatsReport {
        self.peer(who).session.stats()
    }

    /// When a side came into a state first after `from`.
    pub(crate) fn entered(&self, who: Who, state: PeerConnectionState, from: Instant) -> Option<Duration> {
        self.peer(who).events.iter().find_map(|(at, event)| {
            let SessionEvent::ConnectionStateChange(reached) = event else { return None };
            (*reached == state && *at >= from).then(|| at.saturating_duration_since(from))
        })
    }

    pub(crate) fn state(&self, who: Who) -> PeerConnectionState {
        self.peer(who).session.connection_state()
    }

    pub(crate) fn are_connected(&self) -> bool {
        Who::BOTH.iter().all(|who| self.state(*who) == PeerConnectionState::Connected)
    }

    /// Handshake flights that both sides sent again.
    pub(crate) fn flights_resent(&self) -> u64 {
        Who::BOTH
            .iter()
            .map(|who| self.stats(*who).transport.dtls.map_or(0, |dtls| dtls.flights_resent))
            .sum()
    }

    /// The largest UDP payload that anybody sent.
    pub(crate) fn largest(&self) -> usize {
        self.sent.borrow().iter().map(|sent| sent.len).max().unwrap_or(0)
    }

    fn id(&self, who: Who) -> NodeId<Peer> {
        let [alice, bob] = self.nodes;
        match who {
            Who::Alice => alice,
            Who::Bob => bob,
        }
    }

    fn set_media(&mut self, who: Who, id: TransceiverId) {
        self.with(who, |peer| peer.media = Some(id));
    }

    fn describe(&mut self, who: Who) -> String {
        self.act(who, |session, now| session.set_local_description(now, None)).expect("a description");
        let descriptions = self.peer(who).session.descriptions();
        descriptions.pending_local.or(descriptions.current_local).expect("a description").sdp()
    }

    fn take(&mut self, who: Who, description: Description) {
        self.act(who, |session, now| session.set_remote_description(now, description)).expect("acceptable");
    }
}

/// A link that carries what Ethernet does. Without a limit, packets would become as large as a DTLS record, and what is
/// said of loss would be said of those.
pub(crate) fn wire() -> Link {
    Link::new().mtu(1_500)
}

/// A connected call over a clean link with this one-way latency.
pub(crate) fn connected(seed: u64, one_way: Duration, setup: impl FnOnce(Setup) -> Setup) -> Call {
    let mut call = Call::new(seed, setup(Setup::new(wire().latency(one_way))));
    let took = call.connect(secs(30));
    assert!(took.is_some(), "a clean link connects: {:#?}", call.stats(Who::Alice));
    call
}

fn peer(world: &World, name: &'static str, wall: Duration, addresses: &[&str]) -> Peer {
    let (seed, now) = (world.seed(), world.now());
    let mut layer = 0;
    let random = move || {
        layer += 1;
        seed.boxed_random(&format!("{name} {layer}"))
    };
    let mut session = Session::new(Setup::configuration(), now, wall, random).expect("the defaults work");
    for address in addresses {
        session.add_local_address(now, address_of(address), None);
    }
    session.local_addresses_complete(now);
    Peer::new(session)
}

pub(crate) fn address_of(text: &str) -> SocketAddr {
    text.parse().expect("invariant: an address of this file")
}

fn host_of(address: &str) -> &str {
    address.split(':').next().unwrap_or(address)
}
