//! Where datagrams come in and go out: a socket of our own, or a share in one.

use crate::tokio::{
    interfaces::{self, Loopback},
    mux::{MuxLink, UdpMux},
    udp::{Batch, Clock, ReadBuffer, UdpSocket},
};
use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use stun::net::Transmit;

pub(in crate::tokio) enum Port {
    Muxed(MuxLink),
    Own { socket: Arc<UdpSocket>, interface: Option<String> },
}

impl Port {
    pub(in crate::tokio) fn own(socket: UdpSocket, interface: Option<String>) -> Self {
        Self::Own { socket: Arc::new(socket), interface }
    }

    pub(in crate::tokio) fn muxed(mux: &UdpMux) -> Self {
        Self::Muxed(mux.link())
    }

    /// The addresses that candidates are made of, with the names of their interfaces.
    pub(in crate::tokio) fn addresses(&self, loopback: Loopback) -> Vec<(Option<String>, SocketAddr)> {
        match self {
            // An interface list that cannot be read leaves the port without candidates, the others go on.
            Self::Muxed(link) => {
                interfaces::addresses_of(link.socket().local(), loopback).unwrap_or_default()
            }
            Self::Own { socket, interface } => vec![(interface.clone(), socket.local())],
        }
    }

    /// Whether datagrams from `local` leave through this port.
    pub(super) fn owns(&self, local: SocketAddr) -> bool {
        let bound = self.socket().local();
        bound == local || bound.ip().is_unspecified() && bound.port() == local.port()
    }

    pub(in crate::tokio) fn held(&self) -> usize {
        self.socket().held()
    }

    pub(in crate::tokio) fn max_segments(&self) -> usize {
        self.socket().max_segments()
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, clock: Clock) -> Poll<io::Result<Batch>> {
        match self {
            Self::Muxed(link) => link.poll_read(cx),
            Self::Own { socket, .. } => ReadBuffer::with_shared(|buffer| socket.poll_read(cx, buffer, clock)),
        }
    }

    pub(super) fn try_read(&mut self, clock: Clock) -> io::Result<Batch> {
        match self {
            Self::Muxed(link) => link.try_read(),
            Self::Own { socket, .. } => ReadBuffer::with_shared(|buffer| socket.try_read(buffer, clock)),
        }
    }

    pub(super) fn try_send(&mut self, now: Instant, transmit: &Transmit, contents: &[u8]) -> io::Result<()> {
        if let Self::Muxed(link) = self {
            link.learn(now, transmit.path.remote, contents);
        }
        self.socket().try_send(transmit, contents)
    }

    /// Tells a shared port which ICE user name leads here.
    pub(in crate::tokio) fn register(&mut self, ufrag: &str) {
        if let Self::Muxed(link) = self {
            link.register(ufrag);
        }
    }

    /// The socket itself, for waiting on it while the port is in use.
    pub(super) fn socket(&self) -> &Arc<UdpSocket> {
        match self {
            Self::Muxed(link) => link.socket(),
            Self::Own { socket, .. } => socket,
        }
    }
}

/// Waits until a full socket takes data again.
pub(super) async fn writable(full: Option<Arc<UdpSocket>>) {
    match full {
        // An error means that the runtime of a shared port is gone: it will never say that there is room. Timers go on.
        Some(socket) if socket.writable().await.is_ok() => {}
        Some(_) | None => std::future::pending().await,
    }
}
