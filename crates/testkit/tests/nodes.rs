//! The servers of a world serve.

use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    time::{Duration, Instant},
};
use stun::{Builder, Class, Message, Method, TransactionId, attr::XorMappedAddress};
use testkit::{
    Actor, Firewall, Gateway, Interface, Link, Machine, NatConfig, Seed, World,
    nodes::{StunServer, TurnServer},
};
use turn::{
    Client, ClientConfig, FiveTuple,
    client::{Event, Received},
};

#[test]
fn a_stun_server_tells_a_host_its_outside_address() {
    let mut world = World::new(Seed::from_env_or(1));
    let link = Link::new().latency(Duration::from_millis(10));
    let home =
        world.add_network(world.internet(), Gateway::nat(NatConfig::symmetric(), "203.0.113.7").link(link));
    let alice = world.add_host_on(home, "alice", Interface::new("192.168.1.2"));
    let server = world.add_host_on(world.internet(), "stun", Interface::new("198.51.100.1"));
    let service = world.bind(server, "198.51.100.1:3478");
    let node = world.add_node(server, StunServer::new(), &[service]);
    let socket = world.bind(alice, "192.168.1.2:0");
    let remote = world.address(service);

    let mut request = Vec::new();
    let mut builder = Builder::request(&mut request, Method::BINDING, TransactionId::new([7; 12]));
    builder.fingerprint();
    builder.finish().expect("a small message");
    world.send(socket, remote, &request);
    world.send(socket, remote, b"no STUN");
    world.run_for(Duration::from_millis(20));

    let got = world.recv(socket).expect("an answer after one round trip");
    let answer = Message::parse(&got.datagram).expect("a message");
    assert_eq!((answer.class(), answer.transaction_id()), (Class::Success, TransactionId::new([7; 12])));
    assert!(answer.check_fingerprint().is_ok());
    let mapped = answer.require::<XorMappedAddress>().expect("an address").address();
    assert_eq!(mapped.ip().to_string(), "203.0.113.7");
    assert_eq!(world.recv(socket), None);
    assert_eq!(world.node(node).requests(), 1);
}

/// A TURN client that sends what peers say back to them.
#[derive(Debug)]
struct EchoBehindRelay {
    client: Client,
    heard: Vec<(SocketAddr, Vec<u8>)>,
    answers: Vec<(SocketAddr, Vec<u8>)>,
}

impl Machine for EchoBehindRelay {
    type Path = FiveTuple;
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &mut [u8]) {
        if let Received::Peer { from, payload } = self.client.handle_datagram(now, path, datagram) {
            let said = datagram[payload].to_vec();
            self.heard.push((from, said.clone()));
            self.answers.push((from, said));
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.client.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<(FiveTuple, NonZeroUsize)> {
        let transmit = match self.answers.pop() {
            Some((peer, said)) => {
                let write = |out: &mut Vec<u8>| {
                    out.extend_from_slice(&said);
                    Some(())
                };
                self.client.frame_with(peer, out, write).map(|((), transmit)| transmit)
            }
            None => self.client.poll_transmit(now, out),
        }?;
        Some((transmit.path, NonZeroUsize::new(transmit.len)?))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.client.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.client.poll_timeout()
    }
}

/// Allocation, permission, and data both ways, from behind a symmetric translator with a firewall.
#[test]
fn a_turn_server_relays_both_ways_and_ends_with_its_client() {
    let mut world = World::new(Seed::from_env_or(1));
    let provider = crypto::rustcrypto::provider();
    let gateway = Gateway::nat(NatConfig::symmetric(), "203.0.113.7")
        .link(Link::new().latency(Duration::from_millis(10)))
        .firewall(Firewall::open().stateful());
    let home = world.add_network(world.internet(), gateway);
    let alice = world.add_host_on(home, "alice", Interface::new("192.168.1.2"));
    let relay = world.add_host_on(world.internet(), "turn", Interface::new("198.51.100.1"));
    let peer = world.add_host_on(world.internet(), "peer", Interface::new("198.51.100.9"));
    let service = world.bind(relay, "198.51.100.1:3478");
    let relay_ip = world.address(service).ip();
    let server = TurnServer::with_user(world.now(), world.seed(), &provider, relay_ip, ("alice", "secret"))
        .expect("a server");
    let server = world.add_node(relay, server, &[service]);

    let socket = world.bind(alice, "192.168.1.2:5000");
    let path = FiveTuple::udp(world.address(socket), world.address(service));
    let rng = world.seed().boxed_random("client");
    let client = Client::new(ClientConfig::new(path, "alice", "secret"), &provider, world.now(), rng)
        .expect("a client");
    let machine = EchoBehindRelay { client, heard: Vec::new(), answers: Vec::new() };
    let client = world.add_node(alice, Actor::new(machine), &[socket]);

    let allocated = world.run_until(Duration::from_secs(5), |world| {
        world.node(client).machine.client.relayed_address().is_some()
    });
    assert_eq!(allocated, Some(Duration::from_millis(40)), "a challenge and an answer: two round trips");
    let relayed = world.node(client).machine.client.relayed_address().expect("just seen");
    assert_eq!(relayed.ip(), relay_ip);
    assert_eq!(world.node(server).relays(), 1);

    let outside = world.bind(peer, "198.51.100.9:7000");
    let remote = world.address(outside);
    world.send(outside, relayed, b"too early");
    world
        .with(client, |actor, now| actor.machine.client.create_permission(now, remote))
        .expect("room for one");
    world.run_for(Duration::from_millis(100));
    assert!(world.node(client).machine.heard.is_empty(), "there was no permission yet");
    world.send(outside, relayed, b"hello");
    world.run_for(Duration::from_millis(100));
    assert_eq!(world.node(client).machine.heard, [(remote, b"hello".to_vec())]);
    let back = world.recv(outside).expect("the echo, through the relay");
    assert_eq!((back.source, back.datagram.as_slice()), (relayed, b"hello".as_slice()));

    world.with(client, |actor, now| actor.machine.client.close(now));
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.node(server).relays(), 0);
    world.send(outside, relayed, b"anybody?");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.node(client).machine.heard.len(), 1);
}
