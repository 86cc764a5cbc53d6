//! A connection as the test kit sees it.

use crypto::HashId;
use crypto::Provider;
use dtls::{Certificate, Config, Connection, Event, Fingerprint, Role};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;
use testkit::{Machine, Seed, fuzz::reached};

/// A connection as the test kit sees it. What is sealed on command is sent by the next poll.
pub(crate) struct Adapter {
    pub(crate) connection: Connection,
    sealed: Vec<Vec<u8>>,
}

impl Machine for Adapter {
    type Path = ();
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, _: (), datagram: &mut [u8]) {
        self.connection.handle_datagram(now, datagram, &mut |_| reached("application data"));
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

/// A client and a server that expect each other.
pub(crate) fn pair(
    provider: Provider,
    config: Config,
    (client, server): (Certificate, Certificate),
    now: Instant,
    seed: Seed,
) -> (Adapter, Adapter) {
    let config = Arc::new(config);
    let print = |certificate: &Certificate| fingerprint(&provider, certificate);
    let (client_print, server_print) = (print(&client), print(&server));
    let adapter = |role, certificate, expected, label| {
        let rng = seed.boxed_random(label);
        let mut connection = Connection::new(Arc::clone(&config), role, certificate, now, rng);
        connection.expect_fingerprints(now, vec![expected]);
        connection.start(now);
        Adapter { connection, sealed: Vec::new() }
    };
    (
        adapter(Role::Client, client, server_print, "client"),
        adapter(Role::Server, server, client_print, "server"),
    )
}

fn fingerprint(provider: &Provider, certificate: &Certificate) -> Fingerprint {
    certificate.fingerprint(provider, HashId::Sha256).expect("invariant: the provider has SHA-256")
}
