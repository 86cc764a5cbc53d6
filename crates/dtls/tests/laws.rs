//! The laws of the sans-IO idiom.

#[path = "common/pair.rs"]
mod pair;

use dtls::{Config, Connection, Event, Role};
use pair::{Seeded, certificates, fingerprint, provider};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;
use testkit::{Machine, Seed};

/// A connection as the test kit sees it. What is sealed on command is sent by the next poll.
struct Adapter {
    connection: Connection,
    sealed: Vec<Vec<u8>>,
}

impl Machine for Adapter {
    type Path = ();
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, _: (), datagram: &mut [u8]) {
        self.connection.handle_datagram(now, datagram, &mut |_| ());
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.connection.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<((), NonZeroUsize)> {
        if let Some(len) = self.connection.poll_transmit(now, out) {
            return Some(((), len));
        }
        let record = self.sealed.pop()?;
        out.extend_from_slice(&record);
        NonZeroUsize::new(record.len()).map(|len| ((), len))
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.connection.poll_event()?;
        if Self::is_final(&event) {
            self.sealed.clear();
        }
        Some(event)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.connection.poll_timeout()
    }

    fn command(&mut self, _: Instant, choice: u64) {
        let mut out = Vec::new();
        let len = (choice % 1_100) as usize + 1;
        if self.sealed.len() < 8
            && self
                .connection
                .seal_with(&mut out, |out| {
                    out.resize(out.len() + len, choice as u8);
                    Some(())
                })
                .is_some()
        {
            self.sealed.push(out);
        }
    }

    fn close(&mut self, now: Instant) {
        self.connection.close(now);
    }

    fn is_ready(&self) -> bool {
        self.connection.is_connected()
    }

    fn is_final(event: &Event) -> bool {
        matches!(event, Event::Closed(_))
    }
}

fn make(now: Instant, seed: Seed) -> (Adapter, Adapter) {
    let (client, server) = certificates();
    let config = Arc::new(Config::new(provider()).with_mtu(400));
    let adapter = |role, certificate, expected, seed| {
        let mut connection =
            Connection::new(Arc::clone(&config), role, certificate, now, Box::new(Seeded(seed)));
        connection.expect_fingerprints(now, vec![expected]);
        connection.start(now);
        Adapter { connection, sealed: Vec::new() }
    };
    let (client_print, server_print) = (fingerprint(&client), fingerprint(&server));
    (
        adapter(Role::Client, client, server_print, seed.value()),
        adapter(Role::Server, server, client_print, !seed.value()),
    )
}

testkit::law_tests!(make);
