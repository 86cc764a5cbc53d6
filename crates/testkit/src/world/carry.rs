//! The way of a datagram from host to host.

use super::{HostId, World};
use crate::{Attack, Carried, DropReason, Point, Sighting, Verdict, Wire};
use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use stun::net::{FiveTuple, Fragmentation, Transport};

/// From one address of a host to another of the same host.
const LOOPBACK: Duration = Duration::from_micros(10);

/// A datagram under way.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) transport: Transport,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: Vec<u8>,
    pub(super) fragmentation: Fragmentation,
}

impl Packet {
    pub(super) fn new(path: FiveTuple, datagram: &[u8]) -> Self {
        Self {
            transport: path.transport,
            source: path.local,
            destination: path.remote,
            payload: datagram.to_vec(),
            fragmentation: Fragmentation::Forbidden,
        }
    }

    /// Its size with the headers of UDP and IP.
    fn size(&self) -> usize {
        self.payload.len() + if self.destination.is_ipv4() { 28 } else { 48 }
    }
}

/// Where a datagram is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Station {
    /// At a host that sends it.
    Leaving(usize),
    /// On a network, looking for its way.
    Network(usize),
    /// At the outer side of the gateway of this network.
    Inward(usize),
    /// At an interface of the receiving host.
    Interface(usize),
    /// In the host itself, from another of its addresses.
    Loopback(usize),
}

/// Where a network sends a datagram.
enum Way {
    Interface(usize),
    Inward(usize),
    Outward,
    Nowhere,
}

impl World {
    pub(super) fn schedule(&mut self, at: Instant, station: Station, packet: Packet) {
        self.sequence += 1;
        self.under_way.insert((at, self.sequence), (station, packet));
    }

    /// Moves a datagram on from a station.
    pub(super) fn arrive(&mut self, station: Station, packet: Packet) {
        match station {
            Station::Leaving(host) => self.leave(host, packet),
            Station::Network(network) => self.forward(network, packet),
            Station::Inward(network) => self.inward(network, packet),
            Station::Interface(interface) => self.enter(interface, packet),
            Station::Loopback(host) => {
                if let Some(packet) = self.look(Point::Received(HostId(host)), packet) {
                    self.deliver_to_socket(host, packet);
                }
            }
        }
    }

    /// Counts and records a datagram that goes no further.
    pub(super) fn give_up(&mut self, packet: &Packet, reason: DropReason) {
        *self.stats.dropped.entry(reason).or_default() += 1;
        let elapsed = self.elapsed();
        self.recorder.record(
            self.lost_and_found,
            elapsed,
            packet.transport,
            (packet.source, packet.destination),
            &packet.payload,
            &format!("dropped: {reason}"),
        );
        self.call_hooks(Point::Dropped(reason), packet);
    }

    fn leave(&mut self, host: usize, packet: Packet) {
        let Some(packet) = self.look(Point::Sent(HostId(host)), packet) else { return };
        if self.interface_of(host, packet.destination.ip()).is_some() {
            self.schedule(self.now + LOOPBACK, Station::Loopback(host), packet);
            return;
        }
        let Some(index) = self.interface_of(host, packet.source.ip()) else {
            self.give_up(&packet, DropReason::NotOurs);
            return;
        };
        let now = self.now;
        let Some(interface) = self.interfaces.get_mut(index) else { return };
        if !interface.is_up {
            self.give_up(&packet, DropReason::InterfaceDown);
            return;
        }
        let port = &mut interface.port;
        if !port.firewall.outbound(now, packet.transport, packet.source, packet.destination) {
            self.give_up(&packet, DropReason::Firewall);
            return;
        }
        let station = Station::Network(interface.network);
        let carried = put_on(&mut port.up, now, &packet);
        self.settle(carried, station, packet);
    }

    fn forward(&mut self, network: usize, packet: Packet) {
        let now = self.now;
        match self.way(network, packet.destination.ip()) {
            Way::Interface(index) => {
                let Some(interface) = self.interfaces.get_mut(index) else { return };
                let carried = put_on(&mut interface.port.down, now, &packet);
                self.settle(carried, Station::Interface(index), packet);
            }
            Way::Inward(inner) => {
                let Some(gateway) = self.networks.get_mut(inner).and_then(|inner| inner.gateway.as_mut())
                else {
                    return;
                };
                let carried = put_on(&mut gateway.port.down, now, &packet);
                self.settle(carried, Station::Inward(inner), packet);
            }
            Way::Outward => self.outward(network, packet),
            Way::Nowhere => self.give_up(&packet, DropReason::NoRoute),
        }
    }

    /// Out through the gateway of a network.
    fn outward(&mut self, network: usize, mut packet: Packet) {
        let now = self.now;
        let Some(gateway) = self.networks.get_mut(network).and_then(|inner| inner.gateway.as_mut()) else {
            return;
        };
        let Packet { transport, source, destination, .. } = packet;
        if let Some(nat) = gateway.nat.as_mut().filter(|nat| nat.owns(destination.ip())) {
            match nat.hairpin(now, transport, source, destination) {
                Ok((source, destination)) => {
                    packet.source = source;
                    packet.destination = destination;
                    self.forward(network, packet);
                }
                Err(reason) => self.give_up(&packet, reason),
            }
            return;
        }
        if !gateway.port.firewall.outbound(now, transport, source, destination) {
            self.give_up(&packet, DropReason::Firewall);
            return;
        }
        if let Some(nat) = gateway.nat.as_mut().filter(|_| source.is_ipv4()) {
            match nat.outbound(now, transport, source, destination) {
                Ok(outside) => packet.source = outside,
                Err(reason) => {
                    self.give_up(&packet, reason);
                    return;
                }
            }
        }
        let station = Station::Network(gateway.outer);
        let carried = put_on(&mut gateway.port.up, now, &packet);
        self.settle(carried, station, packet);
    }

    /// In through the gateway of a network.
    fn inward(&mut self, network: usize, mut packet: Packet) {
        let now = self.now;
        let Some(gateway) = self.networks.get_mut(network).and_then(|inner| inner.gateway.as_mut()) else {
            return;
        };
        let Packet { transport, source, destination, .. } = packet;
        if let Some(nat) = gateway.nat.as_mut().filter(|nat| nat.owns(destination.ip())) {
            match nat.inbound(now, transport, source, destination) {
                Ok(inside) => packet.destination = inside,
                Err(reason) => {
                    self.give_up(&packet, reason);
                    return;
                }
            }
        }
        if !gateway.port.firewall.inbound(now, transport, packet.destination, source) {
            self.give_up(&packet, DropReason::Firewall);
            return;
        }
        if matches!(self.way(network, packet.destination.ip()), Way::Outward) {
            self.give_up(&packet, DropReason::NoRoute);
            return;
        }
        self.forward(network, packet);
    }

    fn enter(&mut self, index: usize, packet: Packet) {
        let now = self.now;
        let Some(interface) = self.interfaces.get_mut(index) else { return };
        let host = interface.host;
        if !interface.is_up {
            self.give_up(&packet, DropReason::InterfaceDown);
            return;
        }
        if !interface.port.firewall.inbound(now, packet.transport, packet.destination, packet.source) {
            self.give_up(&packet, DropReason::Firewall);
            return;
        }
        if let Some(packet) = self.look(Point::Received(HostId(host)), packet) {
            self.deliver_to_socket(host, packet);
        }
    }

    /// Who on this network, or below it, owns an address.
    fn way(&self, network: usize, address: IpAddr) -> Way {
        let owns = |interface: &crate::network::InterfaceState| {
            interface.network == network && interface.addresses.contains(&address)
        };
        if let Some(index) = self.interfaces.iter().position(owns) {
            return Way::Interface(index);
        }
        for (inner, state) in self.networks.iter().enumerate() {
            let Some(gateway) = state.gateway.as_ref().filter(|gateway| gateway.outer == network) else {
                continue;
            };
            let is_outside = gateway.nat.as_ref().is_some_and(|nat| nat.owns(address));
            let is_routed = !gateway.translates(address)
                && matches!(self.way(inner, address), Way::Interface(_) | Way::Inward(_));
            if is_outside || is_routed {
                return Way::Inward(inner);
            }
        }
        let has_gateway = self.networks.get(network).is_some_and(|network| network.gateway.is_some());
        if has_gateway { Way::Outward } else { Way::Nowhere }
    }

    /// Schedules what a wire carried.
    fn settle(&mut self, carried: Carried, station: Station, packet: Packet) {
        match carried {
            Carried::Arrives { at, copy } => {
                if let Some(copy) = copy {
                    self.schedule(copy, station, packet.clone());
                }
                self.schedule(at, station, packet);
            }
            Carried::Dropped(reason) => self.give_up(&packet, reason),
        }
    }

    /// Shows a datagram to recorder and hooks; they may take or change it.
    fn look(&mut self, point: Point, mut packet: Packet) -> Option<Packet> {
        let verdict = self.call_hooks(point, &packet);
        match verdict {
            Verdict::Pass => {}
            Verdict::Replace(payload) => packet.payload = payload,
            Verdict::Drop => {
                self.give_up(&packet, DropReason::Intercepted);
                return None;
            }
        }
        if let Point::Sent(HostId(host)) | Point::Received(HostId(host)) = point {
            let interface = self.hosts.get(host).map_or(self.lost_and_found, |host| host.recorded_as);
            let addresses = (packet.source, packet.destination);
            let elapsed = self.elapsed();
            self.recorder.record(interface, elapsed, packet.transport, addresses, &packet.payload, "");
        }
        Some(packet)
    }

    fn call_hooks(&mut self, point: Point, packet: &Packet) -> Verdict {
        if self.hooks.is_empty() {
            return Verdict::Pass;
        }
        let mut attack = Attack::default();
        let mut verdict = Verdict::Pass;
        let mut hooks = std::mem::take(&mut self.hooks);
        for hook in &mut hooks {
            let sighting = Sighting {
                at: self.now,
                elapsed: self.elapsed(),
                point,
                transport: packet.transport,
                source: packet.source,
                destination: packet.destination,
                datagram: &packet.payload,
            };
            let said = hook(&sighting, &mut attack);
            if verdict == Verdict::Pass {
                verdict = said;
            }
        }
        self.hooks = hooks;
        for injection in attack.injections {
            self.stats.injected += 1;
            let forged = Packet {
                transport: Transport::Udp,
                source: injection.source,
                destination: injection.destination,
                payload: injection.datagram,
                fragmentation: Fragmentation::Forbidden,
            };
            self.schedule(self.now + injection.delay, Station::Network(injection.network.0), forged);
        }
        verdict
    }
}

fn put_on(wire: &mut Wire, now: Instant, packet: &Packet) -> Carried {
    if packet.transport == Transport::Udp {
        match packet.fragmentation {
            Fragmentation::Forbidden => wire.carry(now, packet.size()),
            Fragmentation::Allowed => wire.carry_in_pieces(now, packet.size()),
        }
    } else {
        match wire.carry_reliable(now, packet.size()) {
            Some(at) => Carried::Arrives { at, copy: None },
            None => Carried::Dropped(DropReason::Loss),
        }
    }
}
