//! The world carries, translates, filters, records and repeats itself.

use std::{
    cell::RefCell,
    net::SocketAddr,
    process::Command,
    rc::Rc,
    time::{Duration, Instant},
};
use stun::net::{FiveTuple, Transmit, Transport};
use testkit::{
    Attack, BindError, DropReason, Echo, Firewall, Gateway, Hairpin, Interface, Link, NatConfig, Node, Point,
    Seed, Sighting, SocketCommand, SocketId, Verdict, World,
};

fn endpoint(text: &str) -> SocketAddr {
    text.parse().expect("an endpoint")
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A home behind a translator, and an echo server on the internet.
fn home_and_server(config: NatConfig, link: Link) -> (World, SocketId, SocketAddr) {
    let mut world = World::new(Seed::from_env_or(7));
    let home = world.add_network(world.internet(), Gateway::nat(config, "203.0.113.7").link(link));
    let alice = world.add_host_on(home, "alice", Interface::new("192.168.1.2"));
    let server = world.add_host_on(world.internet(), "server", Interface::new("198.51.100.1"));
    let socket = world.bind(alice, "192.168.1.2:5000");
    let service = world.bind(server, "198.51.100.1:7");
    world.add_node(server, Echo::new(), &[service]);
    (world, socket, endpoint("198.51.100.1:7"))
}

#[test]
fn there_and_back_through_a_translator() {
    let (mut world, socket, server) =
        home_and_server(NatConfig::symmetric(), Link::new().latency(millis(25)));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    world.on_wire(move |sighting, _| {
        log.borrow_mut().push((sighting.point, sighting.source, sighting.destination));
        Verdict::Pass
    });
    world.send(socket, server, b"hello");
    world.run_for(millis(49));
    assert_eq!(world.recv(socket), None);
    world.run_for(millis(1));
    let answer = world.recv(socket).expect("an answer after 50 ms");
    assert_eq!((answer.source, answer.datagram.as_slice()), (server, b"hello".as_slice()));
    let seen = seen.borrow();
    assert_eq!(seen.len(), 4, "sent and received, both ways: {seen:?}");
    assert_eq!(seen[0].1, endpoint("192.168.1.2:5000"), "the host sees its own address");
    assert_eq!(seen[1].1.ip(), endpoint("203.0.113.7:0").ip(), "the server sees the outside address");
    assert_eq!(seen[3].2, endpoint("192.168.1.2:5000"));
}

#[test]
fn two_translators_in_a_row_and_two_homes_with_the_same_addresses() {
    let mut world = World::new(Seed::new(1));
    let carrier = world.add_network(world.internet(), Gateway::nat(NatConfig::full_cone(), "203.0.113.1"));
    let mut sockets = Vec::new();
    for outside in ["100.64.0.2", "100.64.0.3"] {
        let home = world.add_network(carrier, Gateway::nat(NatConfig::full_cone(), outside));
        let host = world.add_host_on(home, "host", Interface::new("192.168.1.2"));
        sockets.push(world.bind(host, "192.168.1.2:5000"));
    }
    let server = world.add_host_on(world.internet(), "server", Interface::new("198.51.100.1"));
    let service = world.bind(server, "198.51.100.1:7");
    for socket in &sockets {
        world.send(*socket, endpoint("198.51.100.1:7"), b"x");
    }
    world.run_for(millis(1));
    let first = world.recv(service).expect("from the first home").source;
    let second = world.recv(service).expect("from the second home").source;
    assert_eq!(first.ip(), second.ip());
    assert_ne!(first.port(), second.port());
    world.send(service, second, b"y");
    world.run_for(millis(1));
    assert_eq!(world.recv(sockets[0]), None);
    assert!(world.recv(sockets[1]).is_some());
}

#[test]
fn hairpin_between_two_hosts_of_one_home() {
    for (hairpin, arrives) in [(Hairpin::ExternalSource, true), (Hairpin::Off, false)] {
        let mut world = World::new(Seed::new(1));
        let gateway = Gateway::nat(NatConfig::full_cone().hairpin(hairpin), "203.0.113.1");
        let home = world.add_network(world.internet(), gateway);
        let one = world.add_host_on(home, "one", Interface::new("192.168.1.2"));
        let two = world.add_host_on(home, "two", Interface::new("192.168.1.3"));
        let server = world.add_host_on(world.internet(), "server", Interface::new("198.51.100.1"));
        let (one, two) = (world.bind(one, "192.168.1.2:1"), world.bind(two, "192.168.1.3:1"));
        let service = world.bind(server, "198.51.100.1:7");
        world.send(two, endpoint("198.51.100.1:7"), b"who am I?");
        world.run_for(millis(1));
        let outside_two = world.recv(service).expect("a request").source;
        world.send(one, outside_two, b"hi");
        world.run_for(millis(1));
        let got = world.recv(two);
        assert_eq!(got.is_some(), arrives);
        assert!(got.is_none_or(|got| got.source.ip() == outside_two.ip()));
    }
}

#[test]
fn ipv6_is_routed_unchanged_and_the_firewall_lets_answers_in() {
    let mut world = World::new(Seed::new(1));
    let gateway = Gateway::nat(NatConfig::symmetric(), "203.0.113.1").firewall(Firewall::open().stateful());
    let home = world.add_network(world.internet(), gateway);
    let alice = world.add_host_on(home, "alice", Interface::new("192.168.1.2").address("2001:db8:1::2"));
    let server = world.add_host_on(world.internet(), "server", Interface::new("2001:db8:2::1"));
    let socket = world.bind(alice, "[2001:db8:1::2]:5000");
    let service = world.bind(server, "[2001:db8:2::1]:7");
    world.send(service, endpoint("[2001:db8:1::2]:5000"), b"unasked");
    world.run_for(millis(1));
    assert_eq!(world.recv(socket), None);
    assert_eq!(world.stats().dropped_for(DropReason::Firewall), 1);
    world.send(socket, endpoint("[2001:db8:2::1]:7"), b"x");
    world.run_for(millis(1));
    assert_eq!(world.recv(service).expect("a request").source, endpoint("[2001:db8:1::2]:5000"));
    world.send(service, endpoint("[2001:db8:1::2]:5000"), b"answer");
    world.run_for(millis(1));
    assert!(world.recv(socket).is_some());
    world.run_for(Duration::from_secs(121));
    world.send(service, endpoint("[2001:db8:1::2]:5000"), b"late");
    world.run_for(millis(1));
    assert_eq!(world.recv(socket), None);
}

#[test]
fn a_firewall_blocks_udp_and_ports_and_lets_tcp_443_out() {
    let mut world = World::new(Seed::new(1));
    let rules = Firewall::open().block_udp().only_remote_ports([443]).stateful();
    let office = world
        .add_network(world.internet(), Gateway::nat(NatConfig::full_cone(), "203.0.113.1").firewall(rules));
    let alice = world.add_host_on(office, "alice", Interface::new("10.0.0.2"));
    let server = world.add_host_on(world.internet(), "server", Interface::new("198.51.100.1"));
    let udp = world.bind(alice, "10.0.0.2:1");
    let tcp = world.try_bind(alice, Transport::Tcp, endpoint("10.0.0.2:1")).expect("a socket");
    let service = world.try_bind(server, Transport::Tcp, endpoint("198.51.100.1:443")).expect("a socket");
    world.send(udp, endpoint("198.51.100.1:443"), b"no");
    world.send(tcp, endpoint("198.51.100.1:80"), b"no");
    world.send(tcp, endpoint("198.51.100.1:443"), b"yes");
    world.run_for(millis(1));
    assert_eq!(world.stats().dropped_for(DropReason::Firewall), 2);
    let got = world.recv(service).expect("TCP to 443");
    world.send(service, got.source, b"back");
    world.run_for(millis(1));
    assert!(world.recv(tcp).is_some());
}

#[test]
fn every_way_of_not_arriving_is_counted() {
    let (mut world, socket, server) = home_and_server(NatConfig::full_cone(), Link::new().mtu(1_280));
    world.send(socket, server, &[0; 1_253]);
    world.send(socket, endpoint("192.0.2.99:1"), b"nobody");
    world.send(socket, endpoint("198.51.100.1:8"), b"no port");
    world.run_for(millis(1));
    for reason in [DropReason::Mtu, DropReason::NoRoute, DropReason::NoSocket] {
        assert_eq!(world.stats().dropped_for(reason), 1, "{reason}");
    }
    world.send(socket, server, &[0; 1_252]);
    world.run_for(millis(1));
    assert!(world.recv(socket).is_some(), "exactly as large as the link carries");
}

#[test]
fn an_interface_that_is_down_is_silent_both_ways() {
    let mut world = World::new(Seed::new(1));
    let alice = world.add_host("alice");
    let wifi = world.add_interface(alice, world.internet(), Interface::new("203.0.113.2"));
    world.add_interface(alice, world.internet(), Interface::new("203.0.113.3"));
    let server = world.add_host_on(world.internet(), "server", Interface::new("198.51.100.1"));
    let service = world.bind(server, "198.51.100.1:7");
    world.add_node(server, Echo::new(), &[service]);
    let (one, two) = (world.bind(alice, "203.0.113.2:1"), world.bind(alice, "203.0.113.3:1"));
    let ask = |world: &mut World, socket| {
        world.send(socket, endpoint("198.51.100.1:7"), b"x");
        world.run_for(millis(10));
        world.recv(socket).is_some()
    };
    assert!(ask(&mut world, one));
    world.take_down(wifi);
    assert!(!ask(&mut world, one));
    assert!(ask(&mut world, two), "the other interface is not affected");
    world.bring_up(wifi);
    assert!(ask(&mut world, one));
    world.set_downlink(wifi, Link::dead());
    assert!(!ask(&mut world, one), "a one-way outage");
    assert_eq!(world.wires(wifi).map(|(_, down)| down.stats().lost), Some(1));
}

#[test]
fn ports_are_picked_and_taken_ports_refused() {
    let mut world = World::new(Seed::new(1));
    let host = world.add_host_on(world.internet(), "host", Interface::new("203.0.113.2"));
    let first = world.bind(host, "203.0.113.2:0");
    let second = world.bind(host, "203.0.113.2:0");
    assert_ne!(world.address(first), world.address(second));
    let taken = world.address(first);
    assert_eq!(world.try_bind(host, Transport::Udp, taken), Err(BindError::InUse));
    assert_eq!(world.try_bind(host, Transport::Udp, endpoint("203.0.113.9:1")), Err(BindError::NotOurs));
    world.close(first);
    assert!(world.try_bind(host, Transport::Udp, taken).is_ok());
}

#[test]
fn attackers_forge_sources_and_sit_on_the_wire() {
    let mut world = World::new(Seed::new(1));
    let alice = world.add_host_on(world.internet(), "alice", Interface::new("203.0.113.2"));
    let bob = world.add_host_on(world.internet(), "bob", Interface::new("203.0.113.3"));
    let (a, b) = (world.bind(alice, "203.0.113.2:1"), world.bind(bob, "203.0.113.3:1"));
    let bob_says = endpoint("203.0.113.3:1");
    world.inject(world.internet(), bob_says, endpoint("203.0.113.2:1"), b"I am Bob");
    world.run_for(millis(1));
    assert_eq!(world.recv(a).expect("forged").source, bob_says);

    let internet = world.internet();
    world.on_wire(move |sighting: &Sighting<'_>, attack: &mut Attack| match sighting.point {
        Point::Sent(_) if sighting.datagram == b"drop" => Verdict::Drop,
        Point::Sent(_) if sighting.datagram == b"change" => {
            attack.inject(internet, millis(5), sighting.destination, sighting.source, b"echo");
            Verdict::Replace(b"changed".to_vec())
        }
        Point::Dropped(_) | Point::Received(_) | Point::Sent(_) => Verdict::Pass,
    });
    world.send(a, bob_says, b"drop");
    world.send(a, bob_says, b"change");
    world.run_for(millis(10));
    assert_eq!(world.recv(b).expect("the second").datagram, b"changed");
    assert_eq!(world.recv(b), None);
    assert_eq!(world.recv(a).expect("the attacker's answer").datagram, b"echo");
    assert_eq!(world.stats().dropped_for(DropReason::Intercepted), 1);
    assert_eq!(world.stats().injected, 2);
}

/// Sends a datagram every 10 ms, three in one piece, and opens a second socket by itself.
#[derive(Debug, Default)]
struct Beacon {
    due: Option<Instant>,
    is_ripe: bool,
    wants_socket: bool,
    heard: Vec<SocketAddr>,
}

impl Node for Beacon {
    fn on_datagram(&mut self, _now: Instant, path: FiveTuple, _datagram: &mut [u8]) {
        self.heard.push(path.local);
    }

    fn on_timeout(&mut self, now: Instant) {
        self.is_ripe = true;
        self.due = Some(now + millis(10));
    }

    fn poll_transmit(&mut self, _now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        if !std::mem::take(&mut self.is_ripe) {
            return None;
        }
        out.extend_from_slice(&[7; 250]);
        let path = FiveTuple::udp(endpoint("203.0.113.2:1"), endpoint("203.0.113.3:1"));
        Some(Transmit::new(path, 250).with_segment(std::num::NonZeroUsize::new(100)))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    fn poll_socket(&mut self) -> Option<SocketCommand> {
        std::mem::take(&mut self.wants_socket)
            .then(|| SocketCommand::Bind(Transport::Udp, endpoint("203.0.113.2:2")))
    }
}

#[test]
fn nodes_keep_their_alarms_send_in_segments_and_open_sockets() {
    let mut world = World::new(Seed::new(1));
    let alice = world.add_host_on(world.internet(), "alice", Interface::new("203.0.113.2"));
    let bob = world.add_host_on(world.internet(), "bob", Interface::new("203.0.113.3"));
    let (a, b) = (world.bind(alice, "203.0.113.2:1"), world.bind(bob, "203.0.113.3:1"));
    let beacon = world.add_node(alice, Beacon::default(), &[a]);
    world.with(beacon, |beacon, now| {
        beacon.due = Some(now + millis(10));
        beacon.wants_socket = true;
    });
    world.run_for(millis(35));
    let sizes: Vec<usize> = std::iter::from_fn(|| world.recv(b)).map(|got| got.datagram.len()).collect();
    assert_eq!(sizes, [100, 100, 50, 100, 100, 50, 100, 100, 50]);
    world.send(b, endpoint("203.0.113.2:2"), b"x");
    world.run_for(millis(1));
    assert_eq!(world.node(beacon).heard, [endpoint("203.0.113.2:2")]);
}

/// Breaks law L2.
#[derive(Debug)]
struct Restless(Instant);

impl Node for Restless {
    fn on_datagram(&mut self, _now: Instant, _path: FiveTuple, _datagram: &mut [u8]) {}
    fn on_timeout(&mut self, _now: Instant) {}
    fn poll_transmit(&mut self, _now: Instant, _out: &mut Vec<u8>) -> Option<Transmit> {
        None
    }
    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.0)
    }
}

#[test]
#[should_panic(expected = "busy loop (law L2)")]
fn a_busy_loop_is_noticed() {
    let mut world = World::new(Seed::new(1));
    let host = world.add_host_on(world.internet(), "restless", Interface::new("203.0.113.2"));
    let now = world.now();
    world.add_node(host, Restless(now), &[]);
    world.run_for(millis(1));
}

/// A lossy, jittery run with everything switched on, as text.
fn noisy_run(seed: u64) -> Vec<String> {
    let link = Link::new()
        .latency(millis(10))
        .jitter(millis(20))
        .loss(0.1)
        .duplicate(0.1)
        .reorder(0.2, millis(50))
        .rate(1_000_000, 20_000);
    let mut world = World::new(Seed::new(seed));
    let home =
        world.add_network(world.internet(), Gateway::nat(NatConfig::symmetric(), "203.0.113.7").link(link));
    let alice = world.add_host_on(home, "alice", Interface::new("192.168.1.2"));
    let server = world.add_host_on(world.internet(), "server", Interface::new("198.51.100.1"));
    let socket = world.bind(alice, "192.168.1.2:5000");
    let service = world.bind(server, "198.51.100.1:7");
    world.add_node(server, Echo::new(), &[service]);
    let lines = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&lines);
    world.on_wire(move |sighting, _| {
        log.borrow_mut().push(format!(
            "{:?} {:?} {} {}",
            sighting.elapsed, sighting.point, sighting.source, sighting.destination
        ));
        Verdict::Pass
    });
    for number in 0..200_u16 {
        world.send(socket, endpoint("198.51.100.1:7"), &number.to_be_bytes());
        world.run_for(millis(3));
    }
    world.run_for(Duration::from_secs(1));
    drop(world);
    lines.take()
}

#[test]
fn same_seed_same_run_to_the_nanosecond() {
    let run = noisy_run(3);
    assert!(run.len() > 600, "{} sightings", run.len());
    assert_eq!(run, noisy_run(3));
    assert_ne!(run, noisy_run(4));
}

#[test]
fn captures_are_readable_by_tshark() {
    let (mut world, socket, server) =
        home_and_server(NatConfig::full_cone(), Link::new().latency(millis(25)));
    // A STUN Binding Request without attributes, RFC 8489 §5.
    let mut request = vec![0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42];
    request.extend_from_slice(&[9; 12]);
    world.send(socket, server, &request);
    world.send(socket, endpoint("192.0.2.99:1"), b"nobody");
    world.run_for(Duration::from_secs(1));
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("captures_are_readable.pcapng");
    world.recorder().save(&path).expect("a file");
    let fields =
        ["frame.time_relative", "ip.src", "udp.dstport", "stun.id", "frame.comment", "frame.interface_name"];
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&path).args(["-T", "fields", "-E", "separator=;", "-o", "ip.check_checksum:TRUE"]);
    command.args(["-o", "udp.check_checksum:TRUE", "-d", "udp.port==7,stun"]);
    for field in fields {
        command.args(["-e", field]);
    }
    command.args(["-e", "ip.checksum.status", "-e", "udp.checksum.status"]);
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: tshark is not installed, the capture was not read back");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = text.lines().collect();
    let id = "09".repeat(12);
    assert_eq!(
        lines,
        [
            format!("0.000000000;192.168.1.2;7;{id};;alice;1;1"),
            "0.000000000;192.168.1.2;1;;;alice;1;1".to_owned(),
            "0.025000000;203.0.113.7;1;;dropped: no route;dropped;1;1".to_owned(),
            format!("0.025000000;203.0.113.7;7;{id};;server;1;1"),
            format!("0.025000000;198.51.100.1;{};{id};;server;1;1", field(lines[4], 2)),
            format!("0.050000000;198.51.100.1;5000;{id};;alice;1;1"),
        ],
        "{text}"
    );
}

fn field(line: &str, index: usize) -> &str {
    line.split(';').nth(index).unwrap_or_default()
}
