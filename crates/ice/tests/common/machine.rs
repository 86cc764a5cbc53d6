//! An agent as the test kit sees it.

#![allow(dead_code, reason = "each target uses its part")]

use crypto::Provider;
use ice::{Agent, Config, Event, GatheringState, LocalAddress, Received, Role, net::FiveTuple};
use std::{num::NonZeroUsize, sync::Arc, time::Instant};
use testkit::{Machine, Seed, fuzz::reached};

/// An agent that handles its own signalling: both sides know everything from the start.
pub(crate) struct Adapter(pub(crate) Agent);

impl Machine for Adapter {
    type Path = FiveTuple;
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &mut [u8]) {
        let received = self.0.handle_datagram(now, path, datagram);
        if let Received::Peer { payload } = received {
            reached("data");
            assert!(payload.end <= datagram.len());
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.0.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<(FiveTuple, NonZeroUsize)> {
        let transmit = self.0.poll_transmit(now, out)?;
        Some((transmit.path, NonZeroUsize::new(transmit.len)?))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.0.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }

    fn command(&mut self, now: Instant, choice: u64) {
        match choice % 5 {
            0 => self.0.end_of_remote_candidates(now),
            1 => self.0.start_gathering(now),
            2 => self.0.set_role(if choice.is_multiple_of(2) { Role::Controlling } else { Role::Controlled }),
            3 => {
                let mut out = Vec::new();
                let _ = self.0.frame_with(&mut out, |out| {
                    out.push(0x80);
                    Some(())
                });
            }
            _ => {
                let candidate =
                    format!("candidate:1 1 udp {} 10.0.0.9 {} typ host", choice as u32, 1 + choice % 9);
                let _ = self.0.add_remote_candidate(now, candidate.parse().expect("invariant: a candidate"));
            }
        }
    }

    fn close(&mut self, now: Instant) {
        self.0.close(now);
    }

    fn is_ready(&self) -> bool {
        self.0.is_writable()
    }

    fn is_final(event: &Event) -> bool {
        matches!(event, Event::Closed)
    }
}

/// Two agents that know each other's credentials and candidates.
pub(crate) fn pair(provider: Provider, now: Instant, seed: Seed) -> (Adapter, Adapter) {
    let config = Arc::new(Config::new());
    let side = |role, socket: &str| {
        let rng = seed.boxed_random(socket);
        let mut agent = Agent::new(Arc::clone(&config), role, &provider, now, rng);
        agent.add_local_address(now, LocalAddress::new(socket.parse().expect("invariant: an address")));
        agent.start_gathering(now);
        agent.local_addresses_complete(now);
        assert_eq!(agent.gathering_state(), GatheringState::Complete);
        agent
    };
    let mut one = side(Role::Controlling, "10.0.0.1:1000");
    let mut other = side(Role::Controlled, "10.0.0.2:2000");
    one.set_remote_credentials(now, other.local_credentials().clone());
    other.set_remote_credentials(now, one.local_credentials().clone());
    let tell = |from: &Agent, to: &mut Agent| {
        for candidate in from.local_candidates() {
            to.add_remote_candidate(now, candidate.clone()).expect("invariant: a good candidate");
        }
    };
    tell(&one, &mut other);
    tell(&other, &mut one);
    (Adapter(one), Adapter(other))
}
