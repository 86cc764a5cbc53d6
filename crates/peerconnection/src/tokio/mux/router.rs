//! Reads a shared port and hands each datagram to its connection.

mod routes;

use self::routes::{Found, Routes};
use super::Counters;
use crate::tokio::udp::{Batch, Clock, ReadBuffer, UdpSocket};
use std::{
    future::poll_fn,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};
use stun::TransactionId;
use tokio::sync::{mpsc, oneshot};

/// What a connection tells the reader of the port.
#[derive(Debug)]
pub(super) enum Route {
    /// It answers a check from there, which was authentic: the peer may speak from there.
    Answers { connection: u64, remote: SocketAddr },
    /// It sends a STUN request: the response is for it.
    Asks { connection: u64, remote: SocketAddr, transaction: TransactionId },
    /// Requests with this user name fragment are for it.
    Register { connection: u64, ufrag: String, inbox: mpsc::Sender<Batch> },
    /// It is gone.
    Remove { connection: u64 },
    /// It sends protected data there, which it does on checked paths only.
    Uses { connection: u64, remote: SocketAddr, now: Instant },
}

pub(super) struct Router {
    socket: Arc<UdpSocket>,
    changes: mpsc::Receiver<Route>,
    counters: Arc<Counters>,
    routes: Routes,
}

impl Router {
    pub(super) fn new(
        socket: Arc<UdpSocket>,
        changes: mpsc::Receiver<Route>,
        counters: Arc<Counters>,
    ) -> Self {
        Self { socket, changes, counters, routes: Routes::default() }
    }

    pub(super) async fn run(mut self, mut gone: oneshot::Receiver<()>) {
        let mut buffer = ReadBuffer::default();
        loop {
            let clock = Clock::read();
            let Self { socket, changes, .. } = &mut self;
            tokio::select! {
                biased;
                change = changes.recv() => match change {
                    Some(change) => self.routes.change(change),
                    None => return,
                },
                _ = &mut gone => return,
                batch = poll_fn(|cx| socket.poll_read(cx, &mut buffer, clock)) => {
                    // An error is an ICMP message about an earlier datagram; it concerns no other.
                    if let Ok(batch) = batch {
                        self.route(batch);
                    }
                }
            }
        }
    }

    /// Datagrams of protected data stay together; STUN finds its connection message by message.
    fn route(&mut self, batch: Batch) {
        let has_stun = batch.bytes.chunks(batch.stride.max(1)).any(stun::is_stun);
        if !has_stun {
            return self.deliver(batch);
        }
        for single in batch.split() {
            self.deliver(single);
        }
    }

    fn deliver(&mut self, batch: Batch) {
        match self.routes.find(batch.path.remote, &batch.bytes) {
            Found::Nobody => drop(self.counters.unroutable.fetch_add(1, Ordering::Relaxed)),
            Found::One(connection) => self.hand_over(connection, batch),
            Found::Several(connections) => {
                for connection in connections {
                    self.hand_over(connection, batch.clone());
                }
            }
        }
    }

    fn hand_over(&self, connection: u64, batch: Batch) {
        let Some(inbox) = self.routes.inbox(connection) else { return };
        if inbox.try_send(batch).is_err() {
            self.counters.overflowed.fetch_add(1, Ordering::Relaxed);
        }
    }
}
