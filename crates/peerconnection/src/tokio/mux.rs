//! One UDP port for many connections.
//!
//! A datagram finds its connection by what it says: a STUN request by the ICE user name in it, a STUN response by the
//! transaction that a connection began, anything else by the path, which belongs to the connection that sends protected
//! data there. A user name is no proof: the session behind it checks the message integrity before anything moves.
//! Nothing is learned from what arrives, only from what connections send, and a connection that merely asks an address
//! or answers it does not own it, so that no peer can take the datagrams of another by naming its address.

mod router;

use self::router::{Route, Router};
use super::udp::{Batch, UdpSocket};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use stun::{Class, Message};
use tokio::sync::{mpsc, oneshot};

/// Batches that wait for one connection; beyond it they are dropped and counted, as a kernel would.
const INBOX: usize = 64;
/// Changes of routes that wait for the reader of the port.
const ROUTE_QUEUE: usize = 1_024;
/// Paths remembered for one connection.
const PATHS: usize = 256;
/// ICE generations of one connection whose user names lead to it.
const UFRAGS: usize = 4;
/// How often a connection says again that it uses a path.
const CLAIM_EVERY: Duration = Duration::from_secs(5);

/// A UDP port that connections share. Clones are handles to the same port; it closes when the last one and the last
/// connection are gone.
///
/// Protected data finds its connection by the peer's address. Two connections on this port to one and the same address
/// and port of a peer, itself a shared port, cannot be told apart: the second one does not come up.
///
/// A TURN server tells its clients apart by their addresses (RFC 8656 §2.2), so of all connections on one port only one
/// can have a relay at the same server; the others report error 437. Connections that need relays take ports of their
/// own, which is the default.
#[derive(Clone, Debug)]
pub struct UdpMux {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    socket: Arc<UdpSocket>,
    routes: mpsc::Sender<Route>,
    counters: Arc<Counters>,
    next_id: AtomicU64,
    /// Dropping it ends the reading task.
    _alive: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Counters {
    overflowed: AtomicU64,
    unroutable: AtomicU64,
}

impl UdpMux {
    /// Binds the port; its task runs on the current tokio runtime.
    ///
    /// # Errors
    /// The operating system's, when the address cannot be bound.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Arc::new(UdpSocket::bind(address)?);
        let counters = Arc::new(Counters::default());
        let (routes, changes) = mpsc::channel(ROUTE_QUEUE);
        let (alive, gone) = oneshot::channel();
        tokio::spawn(Router::new(socket.clone(), changes, counters.clone()).run(gone));
        let inner = Inner { socket, routes, counters, next_id: AtomicU64::new(0), _alive: alive };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The bound address.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.inner.socket.local()
    }

    /// Datagrams dropped because a connection did not keep up, and those that belonged to none.
    #[must_use]
    pub fn dropped(&self) -> (u64, u64) {
        let Counters { overflowed, unroutable } = &*self.inner.counters;
        (overflowed.load(Ordering::Relaxed), unroutable.load(Ordering::Relaxed))
    }

    pub(super) fn link(&self) -> MuxLink {
        let (inbox_sender, inbox) = mpsc::channel(INBOX);
        MuxLink {
            mux: self.clone(),
            connection: self.inner.next_id.fetch_add(1, Ordering::Relaxed),
            inbox,
            inbox_sender,
            ufrags: VecDeque::new(),
            claims: BTreeMap::new(),
        }
    }
}

/// One connection's share in the port.
#[derive(Debug)]
pub(super) struct MuxLink {
    mux: UdpMux,
    connection: u64,
    inbox: mpsc::Receiver<Batch>,
    inbox_sender: mpsc::Sender<Batch>,
    ufrags: VecDeque<String>,
    /// Paths that protected data was sent on, and when that was last said.
    claims: BTreeMap<SocketAddr, Instant>,
}

impl MuxLink {
    pub(super) fn socket(&self) -> &Arc<UdpSocket> {
        &self.mux.inner.socket
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Batch>> {
        match self.inbox.poll_recv(cx) {
            Poll::Ready(Some(batch)) => Poll::Ready(Ok(batch)),
            // The port's task is gone with its runtime; timers go on.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    pub(super) fn try_read(&mut self) -> io::Result<Batch> {
        self.inbox.try_recv().map_err(|_| io::ErrorKind::WouldBlock.into())
    }

    /// Routes STUN requests with this local user name fragment here.
    pub(super) fn register(&mut self, ufrag: &str) {
        if self.ufrags.iter().any(|known| known == ufrag) {
            return;
        }
        let inbox = self.inbox_sender.clone();
        let route = Route::Register { connection: self.connection, ufrag: ufrag.to_owned(), inbox };
        // A full queue of changes is tried again with the next description.
        if self.mux.inner.routes.try_send(route).is_ok() {
            if self.ufrags.len() >= UFRAGS {
                self.ufrags.pop_front();
            }
            self.ufrags.push_back(ufrag.to_owned());
        }
    }

    /// Routes the answers to what is about to be sent here. A full queue of changes costs an answer, which is asked for
    /// again.
    pub(super) fn learn(&mut self, now: Instant, remote: SocketAddr, datagram: &[u8]) {
        let connection = self.connection;
        if stun::is_stun(datagram) {
            let Ok(message) = Message::parse(datagram) else { return };
            match message.class() {
                Class::Request => {
                    let transaction = message.transaction_id();
                    let _ = self.mux.inner.routes.try_send(Route::Asks { connection, remote, transaction });
                    return;
                }
                // Where we have sent data already, more than that is known.
                Class::Success if !self.claims.contains_key(&remote) => {
                    let _ = self.mux.inner.routes.try_send(Route::Answers { connection, remote });
                    return;
                }
                Class::Success | Class::Error => return,
                // Data to a TURN server before there is a channel (RFC 8656 §11), or a keepalive.
                Class::Indication => {}
            }
        }
        let is_fresh = |said: &Instant| now.saturating_duration_since(*said) < CLAIM_EVERY;
        if self.claims.get(&remote).is_some_and(is_fresh) {
            return;
        }
        if self.mux.inner.routes.try_send(Route::Uses { connection, remote, now }).is_ok() {
            if self.claims.len() >= PATHS
                && !self.claims.contains_key(&remote)
                && let Some(oldest) = self.claims.iter().min_by_key(|(_, said)| **said).map(|(path, _)| *path)
            {
                self.claims.remove(&oldest);
            }
            self.claims.insert(remote, now);
        }
    }
}

impl Drop for MuxLink {
    fn drop(&mut self) {
        let route = Route::Remove { connection: self.connection };
        if let Err(mpsc::error::TrySendError::Full(route)) = self.mux.inner.routes.try_send(route) {
            // Rare: so many changes at once that the removal has to wait. Keeps only the queue alive.
            let routes = self.mux.inner.routes.clone();
            tokio::spawn(async move { routes.send(route).await });
        }
    }
}
