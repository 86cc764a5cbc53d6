//! The TURN server.

use crate::{KIB, MIB, heap::growth, stack::provider};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};
use stun::{
    AttributeType, Builder, IntegrityKey, Message, Method, TransactionId,
    attr::{Nonce, PasswordAlgorithmId},
    auth::long_term_key,
};
use testkit::Seed;
use turn::{
    FiveTuple,
    attr::{RequestedTransport, XorPeerAddress},
    server::{Event, RelayAddress, Server, ServerConfig, StaticUsers},
};

const REALM: &str = "example.org";

fn server(now: Instant) -> Server {
    let relay = RelayAddress::new("198.51.100.1".parse().expect("an address"));
    let users = StaticUsers::new().with("user", "secret");
    let random = Seed::new(4).boxed_random("relay");
    Server::new(ServerConfig::new(REALM, [relay]), Box::new(users), &provider(), now, random)
        .expect("a fine configuration")
}

fn path(remote: SocketAddr) -> FiveTuple {
    FiveTuple::udp("198.51.100.1:3478".parse().expect("an address"), remote)
}

fn request(method: Method, id: u32, write: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let mut transaction = [0; 12];
    transaction[8..].copy_from_slice(&id.to_be_bytes());
    let mut out = Vec::new();
    let mut builder = Builder::request(&mut out, method, TransactionId::new(transaction));
    write(&mut builder);
    builder.finish().expect("fits");
    out
}

/// A user with a nonce, on one path.
struct User {
    path: FiveTuple,
    nonce: Vec<u8>,
    key: IntegrityKey,
    next_id: u32,
}

impl User {
    fn new(server: &mut Server, now: Instant, remote: SocketAddr) -> Self {
        let ask = request(Method::ALLOCATE, 0, |builder| {
            builder.attribute(&RequestedTransport::UDP);
        });
        let path = path(remote);
        let _ = server.handle_datagram(now, path, &ask);
        let mut answer = Vec::new();
        assert!(server.poll_transmit(now, &mut answer).is_some());
        let answer = Message::parse(&answer).expect("well formed");
        let nonce = answer.require::<Nonce<'_>>().expect("a challenge").as_bytes().to_vec();
        let key = long_term_key(&provider(), PasswordAlgorithmId::MD5, "user", REALM.as_bytes(), "secret")
            .expect("fine credentials");
        Self { path, nonce, key, next_id: 1 }
    }

    /// Asks, lets the driver open what is wanted, and says whether it worked.
    fn ask(
        &mut self,
        server: &mut Server,
        now: Instant,
        method: Method,
        write: impl Fn(&mut Builder<'_>),
    ) -> bool {
        self.next_id += 1;
        let ask = request(method, self.next_id, |builder| {
            write(builder);
            builder.raw(AttributeType::USERNAME, b"user").raw(AttributeType::REALM, REALM.as_bytes());
            builder.raw(AttributeType::NONCE, &self.nonce).message_integrity(&self.key);
        });
        let _ = server.handle_datagram(now, self.path, &ask);
        while let Some(event) = server.poll_event() {
            if let Event::OpenRelay { relay, .. } = event {
                let port = 50_000 + self.path.remote.port() % 10_000;
                server.relay_opened(now, relay, ([198, 51, 100, 1], port).into());
            }
        }
        let mut answer = Vec::new();
        let mut is_success = false;
        while server.poll_transmit(now, &mut answer).is_some() {
            is_success = Message::parse(&answer).expect("well formed").class() == stun::Class::Success;
            answer.clear();
        }
        is_success
    }

    fn allocate(&mut self, server: &mut Server, now: Instant) -> bool {
        self.ask(server, now, Method::ALLOCATE, |builder| _ = builder.attribute(&RequestedTransport::UDP))
    }
}

/// T-T04: ten thousand strangers, and their requests with made-up names: the table of answers per address was there
/// before, and nothing else is kept.
#[test]
fn t_t04_strangers_cost_a_relay_nothing() {
    let now = testkit::start();
    let mut server = server(now);
    let mut out = Vec::with_capacity(2_000);
    let mut knock = |source: u32| {
        let path = path((Ipv4Addr::from(0x0b00_0000 + source), 9).into());
        let bare = request(Method::ALLOCATE, source, |builder| {
            builder.attribute(&RequestedTransport::UDP);
        });
        let forged = request(Method::REFRESH, source, |builder| {
            builder.raw(AttributeType::USERNAME, &[b'x'; 500]).raw(AttributeType::REALM, REALM.as_bytes());
            builder.raw(AttributeType::NONCE, b"made up").raw(AttributeType::MESSAGE_INTEGRITY, &[7; 20]);
        });
        for datagram in [&bare[..], &forged, &[0x40, 0, 0, 1, 7]] {
            let _ = server.handle_datagram(now, path, datagram);
        }
        out.clear();
        while server.poll_transmit(now, &mut out).is_some() {}
    };
    (0..10).for_each(&mut knock);
    let (grown, ()) = growth(|| (10..10_000).for_each(&mut knock));
    assert_eq!(grown, 0);
}

/// One user takes all there is: ten allocations, 256 permissions and channels in each.
#[test]
fn a_user_of_a_relay_is_bounded() {
    let now = testkit::start();
    let mut server = server(now);
    drop(User::new(&mut server, now, "203.0.113.9:1".parse().expect("an address")));
    let (held, counts) = growth(|| {
        let (mut allocations, mut permissions, mut channels) = (0, 0, 0);
        for port in 1_000..1_020_u16 {
            // Each from an address of its own: challenges are few per address.
            let host = (port - 1_000) as u8;
            let mut user = User::new(&mut server, now, ([203, 0, 113, host], port).into());
            if !user.allocate(&mut server, now) {
                continue;
            }
            allocations += 1;
            for host in 0..300_u16 {
                let peer = SocketAddr::from(([192, 0, 2 + (host >> 8) as u8, host as u8], 9));
                let is_permitted = user.ask(&mut server, now, Method::CREATE_PERMISSION, |builder| {
                    builder.attribute(&XorPeerAddress::new(peer));
                });
                permissions += usize::from(is_permitted);
                let is_bound = user.ask(&mut server, now, Method::CHANNEL_BIND, |builder| {
                    let [high, low] = (0x4000 + host).to_be_bytes();
                    builder.raw(AttributeType::CHANNEL_NUMBER, &[high, low, 0, 0]);
                    builder.attribute(&XorPeerAddress::new(peer));
                });
                channels += usize::from(is_bound);
            }
        }
        (allocations, permissions, channels)
    });
    println!("one user with {counts:?} allocations, permissions, channels: {held} bytes");
    assert_eq!(counts, (10, 2_560, 2_560));
    assert!((10 * KIB..=2 * MIB).contains(&held), "{held}");
}
