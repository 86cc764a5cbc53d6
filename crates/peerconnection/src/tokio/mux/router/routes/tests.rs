//! Who gets a datagram of a shared port, and who cannot have it.

use super::*;
use crate::tokio::udp::Clock;
use stun::{Builder, Method, attr::Username};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn transaction(number: u8) -> TransactionId {
    TransactionId::new([number; 12])
}

fn message(class: Class, number: u8, username: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut builder = Builder::new(&mut out, class, Method::BINDING, transaction(number));
    let username = username.map(|username| Username::new(username).unwrap());
    builder.attribute_opt(username.as_ref());
    builder.finish().unwrap();
    out
}

/// Connections 0, 1, … with the user names `ufrag0`, `ufrag1`, ….
struct Port {
    routes: Routes,
    start: Instant,
}

impl Port {
    fn new(connections: u64) -> Self {
        let mut port = Self { routes: Routes::default(), start: Clock::read().now };
        for connection in 0..connections {
            let (inbox, _) = mpsc::channel(1);
            port.routes.change(Route::Register { connection, ufrag: format!("ufrag{connection}"), inbox });
        }
        port
    }

    fn answers(&mut self, connection: u64, remote: &str) {
        self.routes.change(Route::Answers { connection, remote: address(remote) });
    }

    fn asks(&mut self, connection: u64, remote: &str, number: u8) {
        let remote = address(remote);
        self.routes.change(Route::Asks { connection, remote, transaction: transaction(number) });
    }

    fn uses(&mut self, connection: u64, remote: &str, seconds: u64) {
        let now = self.start + Duration::from_secs(seconds);
        self.routes.change(Route::Uses { connection, remote: address(remote), now });
    }

    /// The one connection that a datagram reaches.
    fn find(&mut self, remote: &str, datagram: &[u8]) -> Option<u64> {
        match self.routes.find(address(remote), datagram) {
            Found::Nobody => None,
            Found::One(connection) => Some(connection),
            Found::Several(connections) => panic!("{connections:?}"),
        }
    }
}

const PEER: &str = "198.51.100.7:5000";
const DTLS: &[u8] = &[22, 254, 253, 0];

#[test]
fn requests_go_by_name_and_responses_by_transaction() {
    let mut port = Port::new(3);
    assert_eq!(port.find(PEER, &message(Class::Request, 9, Some("ufrag1:theirs"))), Some(1));
    assert_eq!(port.find(PEER, &message(Class::Request, 9, Some("ufrag9:theirs"))), None);
    assert_eq!(port.find(PEER, &message(Class::Request, 9, None)), None);
    // Two connections ask one server at the same time.
    port.asks(0, PEER, 10);
    port.asks(2, PEER, 12);
    assert_eq!(port.find(PEER, &message(Class::Success, 12, None)), Some(2));
    assert_eq!(port.find(PEER, &message(Class::Error, 10, None)), Some(0));
    assert_eq!(port.find(PEER, &message(Class::Success, 12, None)), None, "answered already");
    port.asks(0, PEER, 20);
    assert_eq!(port.find("198.51.100.8:5000", &message(Class::Success, 20, None)), None, "from elsewhere");
}

/// A peer that lists the address of another one among its candidates gets nothing that is for the other.
#[test]
fn asking_an_address_does_not_own_it() {
    let mut port = Port::new(2);
    port.asks(0, PEER, 1);
    assert_eq!(port.find(PEER, DTLS), None, "nobody sends protected data there");
    port.uses(1, PEER, 0);
    assert_eq!(port.find(PEER, DTLS), Some(1));
    port.asks(0, PEER, 2);
    assert_eq!(port.find(PEER, DTLS), Some(1));
    assert_eq!(port.find(PEER, &message(Class::Indication, 3, None)), Some(1));
}

/// The peer speaks first when it is the DTLS client: where its checks came from. Who sends checks in the name of another
/// address hears what comes from there, as anybody on the path could, and keeps it from nobody.
#[test]
fn the_peer_may_speak_first_where_its_checks_came_from() {
    let mut port = Port::new(6);
    port.answers(1, PEER);
    assert_eq!(port.find(PEER, DTLS), Some(1));
    port.answers(0, PEER);
    port.answers(0, PEER);
    assert_eq!(port.routes.find(address(PEER), DTLS), Found::Several(vec![1, 0]));
    port.uses(1, PEER, 0);
    assert_eq!(port.find(PEER, DTLS), Some(1), "whose path has passed a check of ours");
    port.routes.change(Route::Remove { connection: 1 });
    assert_eq!(port.find(PEER, DTLS), Some(0));
    for connection in 2..6 {
        port.answers(connection, PEER);
    }
    assert_eq!(port.routes.find(address(PEER), DTLS), Found::Several(vec![2, 3, 4, 5]), "the latest");
}

#[test]
fn a_path_belongs_to_who_uses_it_while_it_is_used() {
    let mut port = Port::new(2);
    port.uses(0, PEER, 0);
    port.uses(1, PEER, 10);
    assert_eq!(port.find(PEER, DTLS), Some(0), "in use");
    port.uses(0, PEER, 15);
    port.uses(1, PEER, 30);
    assert_eq!(port.find(PEER, DTLS), Some(0));
    // The first has lost its peer and sends no more; its address was given to another.
    port.uses(1, PEER, 31);
    assert_eq!(port.find(PEER, DTLS), Some(1));
    // The end of the first takes nothing from the second.
    port.routes.change(Route::Remove { connection: 0 });
    assert_eq!(port.find(PEER, DTLS), Some(1));
}

#[test]
fn nothing_of_a_connection_that_is_gone_is_left() {
    let mut port = Port::new(1);
    port.asks(0, PEER, 1);
    port.uses(0, PEER, 0);
    port.answers(0, "198.51.100.8:5000");
    port.routes.change(Route::Remove { connection: 0 });
    // Late words of the connection change nothing.
    port.asks(0, PEER, 2);
    port.uses(0, PEER, 1);
    port.answers(0, PEER);
    let Routes { by_ufrag, by_path, questions, asked, connections } = &port.routes;
    assert!(by_ufrag.is_empty() && by_path.is_empty() && questions.is_empty() && asked.is_empty());
    assert!(connections.is_empty());
}

#[test]
fn every_table_is_bounded() {
    let mut port = Port::new(1);
    for number in 0..20_000_u32 {
        let remote = SocketAddr::from(([10, 0, 0, 1], u16::try_from(number % 60_000).unwrap()));
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        let transaction = TransactionId::new(bytes);
        port.routes.change(Route::Asks { connection: 0, remote, transaction });
        port.routes.change(Route::Answers { connection: 0, remote });
        port.routes.change(Route::Uses { connection: 0, remote, now: port.start });
        let (inbox, _) = mpsc::channel(1);
        port.routes.change(Route::Register { connection: 0, ufrag: format!("again{number}"), inbox });
    }
    let Routes { by_ufrag, by_path, questions, asked, .. } = &port.routes;
    assert_eq!((by_ufrag.len(), by_path.len()), (UFRAGS, PATHS));
    assert_eq!((questions.len(), asked.len()), (QUESTIONS, QUESTIONS));
}
