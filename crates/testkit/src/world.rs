//! A network in memory, under virtual time.

mod carry;
mod sockets;

use crate::{
    Attack, Gateway, Interface, Link, Nat, Node, Recorder, Seed, Sighting, Verdict, WorldStats, clock,
    network::{GatewayState, InterfaceState, Network, Port},
    pcap::Encapsulation,
};
use carry::{Packet, Station};
use sockets::Socket;
pub use sockets::{BindError, Delivery};
use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    marker::PhantomData,
    net::SocketAddr,
    time::{Duration, Instant},
};
use stun::net::{FiveTuple, Transport};

/// Datagrams one poll may yield before it counts as endless.
const ENDLESS: usize = 100_000;
/// Turns of one node at one instant before it counts as a busy loop.
const BUSY: u32 = 100;

/// A network of a [`World`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetworkId(usize);

/// A host of a [`World`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(usize);

/// An interface of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceId(usize);

/// A bound socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(usize);

/// A node and its type.
pub struct NodeId<N> {
    index: usize,
    kind: PhantomData<fn() -> N>,
}

impl<N> Clone for NodeId<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for NodeId<N> {}

impl<N> fmt::Debug for NodeId<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NodeId").field(&self.index).finish()
    }
}

type Hook = Box<dyn FnMut(&Sighting<'_>, &mut Attack) -> Verdict>;

struct HostState {
    name: String,
    next_port: u16,
    recorded_as: u32,
}

struct NodeState {
    name: String,
    host: usize,
    node: Box<dyn Node>,
    turns: (Instant, u32),
}

/// Hosts, networks, gateways and what travels between them.
///
/// Time moves only when it is told to, and everything random comes from the seed: the same calls give the same
/// run, to the byte. A world dropped by a panic prints its seed and leaves a capture below the target folder.
pub struct World {
    seed: Seed,
    start: Instant,
    now: Instant,
    networks: Vec<Network>,
    hosts: Vec<HostState>,
    interfaces: Vec<InterfaceState>,
    sockets: Vec<Option<Socket>>,
    bound: BTreeMap<(Transport, SocketAddr, usize), usize>,
    nodes: Vec<NodeState>,
    under_way: BTreeMap<(Instant, u64), (Station, Packet)>,
    sequence: u64,
    hooks: Vec<Hook>,
    recorder: Recorder,
    lost_and_found: u32,
    stats: WorldStats,
    scratch: Vec<u8>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("seed", &self.seed)
            .field("elapsed", &self.elapsed())
            .field("hosts", &self.hosts.len())
            .field("under_way", &self.under_way.len())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "testkit: failed {:?} into the run with seed {}; TESTKIT_SEED={} replays it",
                self.elapsed(),
                self.seed,
                self.seed,
            );
            self.recorder.save_failure(self.seed);
        }
    }
}

/// Building.
impl World {
    /// An empty world: one network, the internet.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        let start = clock::start();
        let mut recorder = Recorder::new();
        let lost_and_found = recorder.add_interface("dropped", Encapsulation::Udp);
        Self {
            seed,
            start,
            now: start,
            networks: vec![Network { gateway: None }],
            hosts: Vec::new(),
            interfaces: Vec::new(),
            sockets: Vec::new(),
            bound: BTreeMap::new(),
            nodes: Vec::new(),
            under_way: BTreeMap::new(),
            sequence: 0,
            hooks: Vec::new(),
            recorder,
            lost_and_found,
            stats: WorldStats::default(),
            scratch: Vec::new(),
        }
    }

    /// The network that all others hang below.
    #[must_use]
    pub const fn internet(&self) -> NetworkId {
        NetworkId(0)
    }

    /// Adds a network behind a gateway.
    pub fn add_network(&mut self, outer: NetworkId, gateway: Gateway) -> NetworkId {
        let seed = self.seed.fork(&format!("gateway {}", self.networks.len()));
        self.networks.push(Network { gateway: Some(GatewayState::new(outer.0, gateway, seed)) });
        NetworkId(self.networks.len() - 1)
    }

    /// Adds a host without interfaces.
    pub fn add_host(&mut self, name: &str) -> HostId {
        let recorded_as = self.recorder.add_interface(name, Encapsulation::Udp);
        self.hosts.push(HostState { name: name.to_owned(), next_port: 49_152, recorded_as });
        HostId(self.hosts.len() - 1)
    }

    /// Adds an interface to a host.
    pub fn add_interface(&mut self, host: HostId, network: NetworkId, interface: Interface) -> InterfaceId {
        let seed = self.seed.fork(&format!("interface {}", self.interfaces.len()));
        let Interface { addresses, up, down, firewall } = interface;
        self.interfaces.push(InterfaceState {
            host: host.0,
            network: network.0,
            addresses,
            port: Port::new(up, down, firewall, seed),
            is_up: true,
        });
        InterfaceId(self.interfaces.len() - 1)
    }

    /// Adds a host with one interface.
    pub fn add_host_on(&mut self, network: NetworkId, name: &str, interface: Interface) -> HostId {
        let host = self.add_host(name);
        self.add_interface(host, network, interface);
        host
    }

    /// Puts a node on a host and gives it these sockets.
    pub fn add_node<N: Node>(&mut self, host: HostId, node: N, sockets: &[SocketId]) -> NodeId<N> {
        let index = self.nodes.len();
        let name = self.hosts.get(host.0).map(|host| host.name.clone()).unwrap_or_default();
        self.nodes.push(NodeState { name, host: host.0, node: Box::new(node), turns: (self.start, 0) });
        for socket in sockets {
            if let Some(Some(socket)) = self.sockets.get_mut(socket.0) {
                socket.owner = Some(index);
            }
        }
        self.flush(index);
        NodeId { index, kind: PhantomData }
    }

    /// Calls `hook` for everything that is seen on the wire; it may also drop, change and inject.
    pub fn on_wire(&mut self, hook: impl FnMut(&Sighting<'_>, &mut Attack) -> Verdict + 'static) {
        self.hooks.push(Box::new(hook));
    }
}

/// Changing things under way.
impl World {
    /// Changes the link from a host's interface to its network.
    pub fn set_uplink(&mut self, interface: InterfaceId, link: Link) {
        if let Some(interface) = self.interfaces.get_mut(interface.0) {
            interface.port.up.set_link(link);
        }
    }

    /// Changes the link from the network to a host's interface.
    pub fn set_downlink(&mut self, interface: InterfaceId, link: Link) {
        if let Some(interface) = self.interfaces.get_mut(interface.0) {
            interface.port.down.set_link(link);
        }
    }

    /// Switches an interface off: nothing leaves and nothing arrives. Sockets stay bound.
    pub fn take_down(&mut self, interface: InterfaceId) {
        self.set_up(interface, false);
    }

    /// Switches an interface on again.
    pub fn bring_up(&mut self, interface: InterfaceId) {
        self.set_up(interface, true);
    }

    /// The translator in front of a network, if there is one; [`Nat::rebind`] makes it forget its mappings.
    pub fn nat(&mut self, network: NetworkId) -> Option<&mut Nat> {
        self.networks.get_mut(network.0)?.gateway.as_mut()?.nat.as_mut()
    }

    /// The wires of an interface: up and down, for their counters.
    #[must_use]
    pub fn wires(&self, interface: InterfaceId) -> Option<(&crate::Wire, &crate::Wire)> {
        self.interfaces.get(interface.0).map(|interface| (&interface.port.up, &interface.port.down))
    }

    /// Puts a UDP datagram with any source address into a network, as an attacker can.
    pub fn inject(&mut self, network: NetworkId, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) {
        self.stats.injected += 1;
        let packet = Packet::new(FiveTuple::udp(source, destination), bytes);
        self.schedule(self.now, Station::Network(network.0), packet);
    }

    /// The recorder of everything on the wire.
    pub fn recorder(&mut self) -> &mut Recorder {
        &mut self.recorder
    }

    /// Looks at a node.
    ///
    /// # Panics
    ///
    /// When the handle is from another world.
    #[must_use]
    pub fn node<N: Node>(&self, id: NodeId<N>) -> &N {
        let node: &dyn Any =
            self.nodes.get(id.index).expect("invariant: nodes are never removed").node.as_ref();
        node.downcast_ref().expect("invariant: the handle carries the type of the node")
    }

    /// Lets the application do something with a node, and sends what comes of it.
    ///
    /// # Panics
    ///
    /// When the handle is from another world.
    pub fn with<N: Node, R>(&mut self, id: NodeId<N>, action: impl FnOnce(&mut N, Instant) -> R) -> R {
        let state = self.nodes.get_mut(id.index).expect("invariant: nodes are never removed");
        let node: &mut dyn Any = state.node.as_mut();
        let node = node.downcast_mut().expect("invariant: the handle carries the type of the node");
        let result = action(node, self.now);
        self.flush(id.index);
        result
    }

    fn set_up(&mut self, interface: InterfaceId, is_up: bool) {
        if let Some(interface) = self.interfaces.get_mut(interface.0) {
            interface.is_up = is_up;
        }
    }
}

/// Running.
impl World {
    /// The present.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Time since the world began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now.saturating_duration_since(self.start)
    }

    /// The seed of the run.
    #[must_use]
    pub const fn seed(&self) -> Seed {
        self.seed
    }

    /// Counters so far.
    #[must_use]
    pub const fn stats(&self) -> &WorldStats {
        &self.stats
    }

    /// When something happens next.
    #[must_use]
    pub fn next_event(&self) -> Option<Instant> {
        let packet = self.under_way.first_key_value().map(|((at, _), _)| *at);
        let timer = self.next_timer().map(|(at, _)| at);
        packet.into_iter().chain(timer).min()
    }

    /// Runs for this long.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.step_before(end) {}
        self.now = end;
    }

    /// Runs until `done`, at most for `limit`. Returns how long it took, or `None` if it was not done.
    #[must_use]
    pub fn run_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&mut Self) -> bool,
    ) -> Option<Duration> {
        let begin = self.now;
        let end = begin + limit;
        loop {
            if done(self) {
                return Some(self.now.saturating_duration_since(begin));
            }
            if !self.step_before(end) {
                self.now = end;
                return done(self).then_some(limit);
            }
        }
    }

    /// Does what happens next, unless it is later than `end`.
    fn step_before(&mut self, end: Instant) -> bool {
        let timer = self.next_timer();
        let packet = self.under_way.first_key_value().map(|((at, _), _)| *at);
        match (packet, timer) {
            (Some(at), timer) if at <= end && timer.is_none_or(|(timer, _)| at <= timer) => {
                self.now = self.now.max(at);
                if let Some((_, (station, packet))) = self.under_way.pop_first() {
                    self.arrive(station, packet);
                }
                true
            }
            (_, Some((at, index))) if at <= end => {
                self.now = self.now.max(at);
                self.fire(index);
                true
            }
            _ => false,
        }
    }

    fn next_timer(&self) -> Option<(Instant, usize)> {
        self.nodes
            .iter()
            .enumerate()
            .filter_map(|(index, state)| Some((state.node.poll_timeout()?, index)))
            .min()
    }

    fn fire(&mut self, index: usize) {
        let now = self.now;
        if let Some(state) = self.nodes.get_mut(index) {
            let turns = if state.turns.0 == now { state.turns.1 + 1 } else { 1 };
            state.turns = (now, turns);
            assert!(
                turns <= BUSY,
                "{} asks for the same instant over and over: a busy loop (law L2)",
                state.name
            );
            state.node.on_timeout(now);
        }
        self.flush(index);
    }

    fn deliver(&mut self, index: usize, path: FiveTuple, datagram: &mut [u8]) {
        let now = self.now;
        if let Some(state) = self.nodes.get_mut(index) {
            state.node.on_datagram(now, path, datagram);
        }
        self.flush(index);
    }

    /// Obeys a node's wishes about sockets and sends everything it has.
    fn flush(&mut self, index: usize) {
        let now = self.now;
        let mut out = std::mem::take(&mut self.scratch);
        for turn in 0.. {
            assert!(turn < ENDLESS, "node {index} has an endless supply of datagrams");
            while let Some(command) = self.nodes.get_mut(index).and_then(|state| state.node.poll_socket()) {
                self.obey(index, command);
            }
            out.clear();
            let Some(transmit) =
                self.nodes.get_mut(index).and_then(|state| state.node.poll_transmit(now, &mut out))
            else {
                break;
            };
            assert_eq!(transmit.len, out.len(), "node {index} appended another number of bytes than it says");
            let segment = transmit.segment.map_or(out.len(), std::num::NonZeroUsize::get).max(1);
            for datagram in out.chunks(segment) {
                self.send_from_node(index, transmit.path, datagram, transmit.fragmentation);
            }
        }
        self.scratch = out;
    }
}
