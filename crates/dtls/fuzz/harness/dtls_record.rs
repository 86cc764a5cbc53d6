//! Any datagrams to both ends of a handshake, with real cryptography: what a stranger can do.

use super::{keys, machine};
use dtls::{Config, State};
use std::time::Duration;
use testkit::{
    Seed,
    fuzz::{Bounds, Input, Lone, reached},
};

/// One flight.
const MOST: Bounds = Bounds::new(16, 16 * 1_024);

pub(crate) fn run(data: &[u8]) {
    let provider = crypto::rustcrypto::provider();
    let config = || Config::new(provider);
    let ends = |now| machine::pair(provider, config(), keys::real_pair(), now, Seed::new(1));
    let mut client = Lone::new(|now| ends(now).0, MOST);
    let mut server = Lone::new(|now| ends(now).1, MOST);
    let hello = client.drain().len();
    assert_eq!(hello, 1, "a client begins");
    let mut input = Input::new(data);
    while !input.is_empty() {
        let datagram = input.chunk();
        client.deliver((), datagram);
        server.deliver((), datagram);
    }
    for end in [&mut client, &mut server] {
        assert!(!end.machine.connection.is_connected(), "connected without a peer");
        end.advance(Duration::from_millis(1_100));
        if end.machine.connection.stats().records_received > 0 {
            reached("record");
        }
        // I3: what is not authenticated ends nothing, as long as nothing answers for it.
        let is_early = matches!(end.machine.connection.state(), State::New | State::Connecting);
        assert!(is_early || end.machine.connection.stats().records_received > 0, "ended by nothing");
    }
}
