//! Actors on hosts.

use crate::{
    BindError, Machine,
    machine::{Polled, poll_checked},
};
use std::{any::Any, collections::VecDeque, net::SocketAddr, time::Instant};
use stun::net::{FiveTuple, Transmit, Transport};

/// A wish of a node about its sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "nodes in tests build it")]
pub enum SocketCommand {
    /// Bind one more socket.
    Bind(Transport, SocketAddr),
    /// Close one.
    Close(Transport, SocketAddr),
}

/// Something that lives on a host and owns sockets.
pub trait Node: Any {
    /// A datagram for one of its sockets.
    fn on_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &mut [u8]);
    /// The clock reached what `poll_timeout` asked for.
    fn on_timeout(&mut self, now: Instant);
    /// Appends what is to be sent next. The local address of its path must be one that the node's sockets are
    /// bound to.
    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit>;
    /// When `on_timeout` is wanted.
    fn poll_timeout(&self) -> Option<Instant>;
    /// A wish about sockets; asked before `poll_transmit` after each turn. Default: none.
    fn poll_socket(&mut self) -> Option<SocketCommand> {
        None
    }
    /// What came of a wish to bind: the address, with the port that was picked for port 0. Default: nothing is done.
    fn on_bound(&mut self, now: Instant, asked: SocketAddr, bound: Result<SocketAddr, BindError>) {
        let _ = (now, asked, bound);
    }
}

/// A [`Machine`] that knows addresses, as a node. Its events are collected.
#[derive(Debug)]
#[non_exhaustive]
pub struct Actor<M: Machine> {
    /// The machine.
    pub machine: M,
    /// Its events so far, oldest first; take what you have seen.
    pub events: Vec<M::Event>,
}

impl<M: Machine<Path = FiveTuple>> Actor<M> {
    /// Wraps a machine.
    #[must_use]
    pub const fn new(machine: M) -> Self {
        Self { machine, events: Vec::new() }
    }
}

impl<M> Node for Actor<M>
where
    M: Machine<Path = FiveTuple> + 'static,
    M::Event: 'static,
{
    fn on_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &mut [u8]) {
        self.machine.handle_datagram(now, path, datagram);
    }

    fn on_timeout(&mut self, now: Instant) {
        self.machine.handle_timeout(now);
    }

    /// # Panics
    ///
    /// When the machine breaks the append-only contract.
    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        self.events.extend(std::iter::from_fn(|| self.machine.poll_event()));
        let polled = match poll_checked(&mut self.machine, now) {
            Ok(polled) => polled,
            Err(broken) => panic!("{broken}"),
        };
        let Polled { path, datagram } = polled?;
        out.extend_from_slice(&datagram);
        Some(Transmit::new(path, datagram.len()).with_fragmentation(self.machine.fragmentation()))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }
}

/// Sends every datagram back to where it came from.
#[derive(Debug, Default)]
pub struct Echo {
    waiting: VecDeque<(FiveTuple, Vec<u8>)>,
}

impl Echo {
    /// An echo with nothing to say yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Node for Echo {
    fn on_datagram(&mut self, _now: Instant, path: FiveTuple, datagram: &mut [u8]) {
        self.waiting.push_back((path, datagram.to_vec()));
    }

    fn on_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, _now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        let (path, bytes) = self.waiting.pop_front()?;
        out.extend_from_slice(&bytes);
        Some(Transmit::new(path, bytes.len()))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
