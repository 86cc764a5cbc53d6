//! Sockets of hosts.

use super::{HostId, Packet, SocketId, Station, World};
use crate::{DropReason, SocketCommand};
use std::{collections::VecDeque, error::Error, fmt, net::SocketAddr, time::Instant};
use stun::net::{FiveTuple, Fragmentation, Transport};

/// Datagrams that wait in a socket nobody reads.
const INBOX: usize = 4_096;

/// Why a socket could not be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// The port is taken, or no free one is left.
    InUse,
    /// The host has no interface with this address.
    NotOurs,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InUse => "the port is in use",
            Self::NotOurs => "the host has no such address",
        })
    }
}

impl Error for BindError {}

/// A datagram that waits in a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// When it arrived.
    pub at: Instant,
    /// From whom, as the host sees it.
    pub source: SocketAddr,
    /// Its payload.
    pub datagram: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) host: usize,
    pub(super) transport: Transport,
    pub(super) address: SocketAddr,
    pub(super) owner: Option<usize>,
    pub(super) inbox: VecDeque<Delivery>,
}

impl World {
    /// Binds a UDP socket; port 0 picks a free one.
    ///
    /// # Panics
    ///
    /// When the host does not have the address or the port is taken: a mistake in the test.
    pub fn bind(&mut self, host: HostId, address: &str) -> SocketId {
        match address.parse() {
            Ok(address) => match self.try_bind(host, Transport::Udp, address) {
                Ok(socket) => socket,
                Err(error) => panic!("{address}: {error}"),
            },
            Err(error) => panic!("{address}: {error}"),
        }
    }

    /// Binds a socket; port 0 picks a free one.
    ///
    /// A TCP socket exchanges whole messages with any other: they arrive complete, once and in order. There is no
    /// handshake and no splitting.
    ///
    /// # Errors
    ///
    /// When the host does not have the address, or the port is taken.
    pub fn try_bind(
        &mut self,
        host: HostId,
        transport: Transport,
        mut address: SocketAddr,
    ) -> Result<SocketId, BindError> {
        if self.interface_of(host.0, address.ip()).is_none() {
            return Err(BindError::NotOurs);
        }
        if address.port() == 0 {
            address.set_port(self.free_port(host, transport, address).ok_or(BindError::InUse)?);
        }
        let key = (transport, address, host.0);
        if self.bound.contains_key(&key) {
            return Err(BindError::InUse);
        }
        self.bound.insert(key, self.sockets.len());
        self.sockets.push(Some(Socket {
            host: host.0,
            transport,
            address,
            owner: None,
            inbox: VecDeque::new(),
        }));
        Ok(SocketId(self.sockets.len() - 1))
    }

    /// Closes a socket.
    pub fn close(&mut self, socket: SocketId) {
        if let Some(socket) = self.sockets.get_mut(socket.0).and_then(Option::take) {
            self.bound.remove(&(socket.transport, socket.address, socket.host));
        }
    }

    /// The address a socket is bound to.
    ///
    /// # Panics
    ///
    /// When the socket was closed.
    #[must_use]
    pub fn address(&self, socket: SocketId) -> SocketAddr {
        match self.sockets.get(socket.0) {
            Some(Some(socket)) => socket.address,
            _ => panic!("the socket is closed"),
        }
    }

    /// Sends a datagram from a socket that no node owns.
    pub fn send(&mut self, socket: SocketId, remote: SocketAddr, datagram: &[u8]) {
        if let Some(Some(socket)) = self.sockets.get(socket.0) {
            let path = FiveTuple { transport: socket.transport, local: socket.address, remote };
            self.send_from_host(socket.host, path, datagram, Fragmentation::Forbidden);
        }
    }

    /// Takes the oldest datagram that waits in a socket that no node owns.
    pub fn recv(&mut self, socket: SocketId) -> Option<Delivery> {
        self.sockets.get_mut(socket.0)?.as_mut()?.inbox.pop_front()
    }

    /// The interface of a host with this address.
    pub(super) fn interface_of(&self, host: usize, address: std::net::IpAddr) -> Option<usize> {
        self.interfaces
            .iter()
            .position(|interface| interface.host == host && interface.addresses.contains(&address))
    }

    pub(super) fn obey(&mut self, node: usize, command: SocketCommand) {
        let Some(host) = self.nodes.get(node).map(|state| state.host) else { return };
        match command {
            SocketCommand::Bind(transport, address) => {
                let bound = self.try_bind(HostId(host), transport, address);
                let bound = bound.map(|socket| {
                    if let Some(Some(socket)) = self.sockets.get_mut(socket.0) {
                        socket.owner = Some(node);
                    }
                    self.address(socket)
                });
                let now = self.now;
                if let Some(state) = self.nodes.get_mut(node) {
                    state.node.on_bound(now, address, bound);
                }
            }
            SocketCommand::Close(transport, address) => {
                if let Some(index) = self.bound.get(&(transport, address, host)) {
                    self.close(SocketId(*index));
                }
            }
        }
    }

    pub(super) fn send_from_node(
        &mut self,
        node: usize,
        path: FiveTuple,
        datagram: &[u8],
        fragmentation: Fragmentation,
    ) {
        let Some(host) = self.nodes.get(node).map(|state| state.host) else { return };
        let owner = self
            .bound
            .get(&(path.transport, path.local, host))
            .and_then(|index| self.sockets.get(*index))
            .and_then(|socket| socket.as_ref()?.owner);
        if owner == Some(node) {
            self.send_from_host(host, path, datagram, fragmentation);
        } else {
            let packet = Packet::new(path, datagram);
            self.give_up(&packet, DropReason::NotOurs);
        }
    }

    fn send_from_host(
        &mut self,
        host: usize,
        path: FiveTuple,
        datagram: &[u8],
        fragmentation: Fragmentation,
    ) {
        self.stats.sent += 1;
        self.stats.sent_bytes += datagram.len() as u64;
        let mut packet = Packet::new(path, datagram);
        packet.fragmentation = fragmentation;
        self.arrive(Station::Leaving(host), packet);
    }

    /// Hands a datagram to the socket it is for.
    pub(super) fn deliver_to_socket(&mut self, host: usize, mut packet: Packet) {
        let found = self.bound.get(&(packet.transport, packet.destination, host)).copied();
        let now = self.now;
        let Some(socket) = found.and_then(|index| self.sockets.get_mut(index)?.as_mut()) else {
            self.give_up(&packet, DropReason::NoSocket);
            return;
        };
        self.stats.delivered += 1;
        match socket.owner {
            Some(owner) => {
                let path = FiveTuple {
                    transport: packet.transport,
                    local: packet.destination,
                    remote: packet.source,
                };
                self.deliver(owner, path, &mut packet.payload);
            }
            None if socket.inbox.len() < INBOX => {
                let Packet { source, payload: datagram, .. } = packet;
                socket.inbox.push_back(Delivery { at: now, source, datagram });
            }
            None => self.give_up(&packet, DropReason::Queue),
        }
    }

    fn free_port(&mut self, host: HostId, transport: Transport, address: SocketAddr) -> Option<u16> {
        let first = self.hosts.get(host.0)?.next_port;
        let port = (first..=u16::MAX).chain(1_024..first).find(|port| {
            !self.bound.contains_key(&(transport, SocketAddr::new(address.ip(), *port), host.0))
        })?;
        self.hosts.get_mut(host.0)?.next_port = port.checked_add(1).unwrap_or(49_152);
        Some(port)
    }
}
