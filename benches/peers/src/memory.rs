//! Connections without sockets: datagrams are handed over in memory.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// A connection of a stack that does no I/O.
pub trait Node {
    /// Appends what it has to send, and says when it wants to be called next.
    fn poll(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) -> Option<Instant>;
    fn receive(&mut self, now: Instant, datagram: &[u8]);
    fn timeout(&mut self, now: Instant);
    /// Whether everything asked for is open.
    fn is_ready(&self) -> bool;
}

/// The address of one end in every pair; pairs do not see each other.
pub fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 5_000))
}

pub struct Pair<N> {
    pub ends: [N; 2],
    /// When each wants to be called.
    due: [Option<Instant>; 2],
    out: Vec<Vec<u8>>,
}

impl<N: Node> Pair<N> {
    pub fn new(ends: [N; 2]) -> Self {
        Self { ends, due: [None, None], out: Vec::new() }
    }

    /// Carries datagrams until there are none.
    pub fn carry(&mut self, now: Instant) {
        loop {
            let mut carried = false;
            for from in 0..2 {
                self.due[from] = self.ends[from].poll(now, &mut self.out);
                for datagram in self.out.drain(..) {
                    self.ends[1 - from].receive(now, &datagram);
                    carried = true;
                }
            }
            if !carried {
                return;
            }
        }
    }

    /// The next moment at which something is to be done.
    pub fn next(&self) -> Option<Instant> {
        self.due.into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn wake(&mut self, now: Instant) {
        for (end, due) in self.ends.iter_mut().zip(self.due) {
            if due.is_some_and(|due| due <= now) {
                end.timeout(now);
            }
        }
        self.carry(now);
    }

    /// Goes on in virtual time until both are ready. Returns the time then.
    pub fn connect(&mut self, begin: Instant) -> Result<Instant, String> {
        let mut now = begin;
        self.carry(now);
        while !self.ends.iter().all(Node::is_ready) {
            let next = self.next().ok_or("nothing to wait for")?;
            now = next.max(now + Duration::from_micros(100));
            if now > begin + Duration::from_secs(30) {
                return Err("the ends do not connect".to_owned());
            }
            self.wake(now);
        }
        Ok(now)
    }
}

/// Forwards a packet to many connections.
pub trait Forwarder {
    /// Makes the next packet of the publisher; not measured.
    fn publish(&mut self);
    /// Takes it in, and makes the datagrams for all subscribers. Returns how many.
    fn forward(&mut self) -> usize;
}

pub const SUBSCRIBERS: usize = 100;
pub const FORWARDED: usize = 1_200;
