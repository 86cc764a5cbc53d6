//! One UDP port for many connections.
//!
//! A datagram finds its connection by the path it came on, or, for a STUN request, by the ICE user name in it. A user
//! name is no proof: the session behind it checks the message integrity before anything moves. Paths are learned from
//! what the connections send, never from what arrives.

use super::udp::{Batch, Clock, ReadBuffer, UdpSocket};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};
use stun::{AttributeType, Class, Message};
use tokio::sync::{mpsc, oneshot};

/// Batches that wait for one connection; beyond it they are dropped and counted, as a kernel would.
const INBOX: usize = 64;
/// Changes of routes that wait for the reader of the port.
const ROUTE_QUEUE: usize = 1_024;
/// Paths remembered for one connection.
const PATHS_PER_CONNECTION: usize = 256;

/// A UDP port that connections share. Clones are handles to the same port; it closes when the last one and the last
/// connection are gone.
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

#[derive(Debug)]
enum Route {
    Path { connection: u64, remote: SocketAddr },
    Register { connection: u64, ufrag: String, inbox: mpsc::Sender<Batch> },
    Remove { connection: u64 },
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
        let router = Router {
            socket: socket.clone(),
            changes,
            counters: counters.clone(),
            by_ufrag: BTreeMap::new(),
            by_path: BTreeMap::new(),
            connections: BTreeMap::new(),
        };
        tokio::spawn(router.run(gone));
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
            ufrags: BTreeSet::new(),
            learned: BTreeSet::new(),
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
    ufrags: BTreeSet<String>,
    learned: BTreeSet<SocketAddr>,
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
        if self.ufrags.contains(ufrag) {
            return;
        }
        let inbox = self.inbox_sender.clone();
        let route = Route::Register { connection: self.connection, ufrag: ufrag.to_owned(), inbox };
        // A full queue of changes is tried again with the next description or datagram.
        if self.mux.inner.routes.try_send(route).is_ok() {
            self.ufrags.insert(ufrag.to_owned());
        }
    }

    /// Routes everything from `remote` here: we have just sent to it.
    pub(super) fn learn(&mut self, remote: SocketAddr) {
        if self.learned.contains(&remote) || self.learned.len() >= PATHS_PER_CONNECTION {
            return;
        }
        if self.mux.inner.routes.try_send(Route::Path { connection: self.connection, remote }).is_ok() {
            self.learned.insert(remote);
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

/// Reads the port and hands batches on.
struct Router {
    socket: Arc<UdpSocket>,
    changes: mpsc::Receiver<Route>,
    counters: Arc<Counters>,
    by_ufrag: BTreeMap<String, u64>,
    by_path: BTreeMap<SocketAddr, u64>,
    connections: BTreeMap<u64, Entry>,
}

struct Entry {
    inbox: mpsc::Sender<Batch>,
    ufrags: Vec<String>,
    paths: Vec<SocketAddr>,
}

impl Router {
    async fn run(mut self, mut gone: oneshot::Receiver<()>) {
        let mut buffer = ReadBuffer::default();
        loop {
            let clock = Clock::read();
            let Self { socket, changes, .. } = &mut self;
            tokio::select! {
                biased;
                change = changes.recv() => match change {
                    Some(change) => self.change(change),
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

    fn change(&mut self, change: Route) {
        match change {
            Route::Path { connection, remote } => {
                let Some(entry) = self.connections.get_mut(&connection) else { return };
                // Who sends to an address first owns its answers, until it is gone.
                if let std::collections::btree_map::Entry::Vacant(vacant) = self.by_path.entry(remote) {
                    vacant.insert(connection);
                    entry.paths.push(remote);
                }
            }
            Route::Register { connection, ufrag, inbox } => {
                let entry = self.connections.entry(connection).or_insert_with(|| Entry {
                    inbox,
                    ufrags: Vec::new(),
                    paths: Vec::new(),
                });
                entry.ufrags.push(ufrag.clone());
                self.by_ufrag.insert(ufrag, connection);
            }
            Route::Remove { connection } => {
                let Some(entry) = self.connections.remove(&connection) else { return };
                for ufrag in entry.ufrags {
                    self.by_ufrag.remove(&ufrag);
                }
                for path in entry.paths {
                    self.by_path.remove(&path);
                }
            }
        }
    }

    fn route(&mut self, batch: Batch) {
        // A request names its connection, wherever it comes from; a path may have had another owner before.
        let connection =
            request_ufrag(batch.bytes.get(..batch.stride.min(batch.bytes.len())).unwrap_or_default())
                .and_then(|ufrag| self.by_ufrag.get(ufrag))
                .or_else(|| self.by_path.get(&batch.path.remote));
        let Some(entry) = connection.and_then(|connection| self.connections.get(connection)) else {
            self.counters.unroutable.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if entry.inbox.try_send(batch).is_err() {
            self.counters.overflowed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The receiver's half of the user name in a STUN request (RFC 8445 §7.2.2: `receiver:sender`).
fn request_ufrag(datagram: &[u8]) -> Option<&str> {
    if !stun::is_stun(datagram) {
        return None;
    }
    let message = Message::parse(datagram).ok()?;
    if message.class() != Class::Request {
        return None;
    }
    let username = message.raw(AttributeType::USERNAME)?;
    let (receiver, _) = std::str::from_utf8(username).ok()?.split_once(':')?;
    Some(receiver)
}
