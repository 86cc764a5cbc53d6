//! Network address translators in the terms of RFC 4787.

use crate::{DropReason, Seed, SeededRandom};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use stun::net::Transport;

/// RFC 5382 REQ-5: an idle TCP mapping lives for two hours and four minutes.
const TCP_TIMEOUT: Duration = Duration::from_secs(7_440);
/// The lowest port that is handed out.
const LOWEST_PORT: u16 = 1_024;

/// What a mapping or a filter depends on. RFC 4787 §4.1 and §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the three of RFC 4787")]
pub enum Behaviour {
    /// Not on the other side at all.
    EndpointIndependent,
    /// On the other side's address.
    AddressDependent,
    /// On the other side's address and port.
    AddressAndPortDependent,
}

impl Behaviour {
    /// All three.
    pub const ALL: [Self; 3] =
        [Self::EndpointIndependent, Self::AddressDependent, Self::AddressAndPortDependent];

    /// The part of a remote endpoint that counts.
    fn key(self, remote: SocketAddr) -> Option<(IpAddr, Option<u16>)> {
        match self {
            Self::EndpointIndependent => None,
            Self::AddressDependent => Some((remote.ip(), None)),
            Self::AddressAndPortDependent => Some((remote.ip(), Some(remote.port()))),
        }
    }
}

/// What happens when an inside host sends to an outside address of its own translator. RFC 4787 §6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the cases of RFC 4787 section 6")]
pub enum Hairpin {
    /// It is dropped.
    Off,
    /// It arrives, and comes from the sender's outside address (what the RFC requires).
    ExternalSource,
    /// It arrives, and comes from the sender's inside address.
    InternalSource,
}

/// How outside ports are picked. RFC 4787 §4.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "preserved or not")]
pub enum PortAssignment {
    /// The inside port if it is free, else any.
    Preserving,
    /// Any.
    Random,
}

/// How a translator behaves.
#[derive(Clone, Debug)]
pub struct NatConfig {
    mapping: Behaviour,
    filtering: Behaviour,
    hairpin: Hairpin,
    ports: PortAssignment,
    timeout: Duration,
    inbound_refreshes: bool,
    capacity: usize,
}

impl NatConfig {
    /// A translator with this mapping and filtering, no hairpin, random ports, a timeout of two minutes that
    /// only outbound traffic refreshes, and room for 4,096 mappings.
    #[must_use]
    pub const fn new(mapping: Behaviour, filtering: Behaviour) -> Self {
        Self {
            mapping,
            filtering,
            hairpin: Hairpin::Off,
            ports: PortAssignment::Random,
            timeout: Duration::from_secs(120),
            inbound_refreshes: false,
            capacity: 4_096,
        }
    }

    /// "Full cone": nothing depends on the other side.
    #[must_use]
    pub const fn full_cone() -> Self {
        Self::new(Behaviour::EndpointIndependent, Behaviour::EndpointIndependent)
    }

    /// "Restricted cone": the filter depends on the address.
    #[must_use]
    pub const fn restricted() -> Self {
        Self::new(Behaviour::EndpointIndependent, Behaviour::AddressDependent)
    }

    /// "Port restricted cone": the filter depends on address and port. Most homes.
    #[must_use]
    pub const fn port_restricted() -> Self {
        Self::new(Behaviour::EndpointIndependent, Behaviour::AddressAndPortDependent)
    }

    /// "Symmetric": mapping and filter depend on address and port.
    #[must_use]
    pub const fn symmetric() -> Self {
        Self::new(Behaviour::AddressAndPortDependent, Behaviour::AddressAndPortDependent)
    }

    /// Every pair of mapping and filtering, nine in all.
    pub fn all() -> impl Iterator<Item = Self> {
        Behaviour::ALL.into_iter().flat_map(|mapping| {
            Behaviour::ALL.into_iter().map(move |filtering| Self::new(mapping, filtering))
        })
    }

    /// Sets what happens to inside traffic for an outside address. Default off.
    #[must_use]
    pub const fn hairpin(mut self, hairpin: Hairpin) -> Self {
        self.hairpin = hairpin;
        self
    }

    /// Sets how ports are picked. Default random.
    #[must_use]
    pub const fn ports(mut self, ports: PortAssignment) -> Self {
        self.ports = ports;
        self
    }

    /// Sets how long an idle UDP mapping lives. Default two minutes, the least that RFC 4787 REQ-5 allows.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Lets inbound traffic keep a mapping alive too (RFC 4787 §4.3). Default: outbound only.
    #[must_use]
    pub const fn inbound_refreshes(mut self) -> Self {
        self.inbound_refreshes = true;
        self
    }

    /// Sets how many mappings fit; a new one beyond that is refused. Default 4,096.
    #[must_use]
    pub const fn capacity(mut self, mappings: usize) -> Self {
        self.capacity = mappings;
        self
    }

    /// What the mapping depends on.
    #[must_use]
    pub const fn mapping_behaviour(&self) -> Behaviour {
        self.mapping
    }

    /// What the filter depends on.
    #[must_use]
    pub const fn filtering_behaviour(&self) -> Behaviour {
        self.filtering
    }
}

type InsideKey = (Transport, SocketAddr, Option<(IpAddr, Option<u16>)>);

#[derive(Debug)]
struct Mapping {
    inside_key: InsideKey,
    expires: Instant,
    remotes: BTreeSet<SocketAddr>,
}

/// A translator in operation. It translates addresses only; carrying is the world's business.
#[derive(Debug)]
pub struct Nat {
    config: NatConfig,
    outside: Vec<IpAddr>,
    random: SeededRandom,
    rebound: bool,
    by_inside: BTreeMap<InsideKey, SocketAddr>,
    by_outside: BTreeMap<(Transport, SocketAddr), Mapping>,
}

impl Nat {
    /// A translator with these outside addresses. One inside address always gets the same one of them
    /// ("paired" pooling, RFC 4787 REQ-2).
    #[must_use]
    pub fn new(config: NatConfig, outside: Vec<IpAddr>, seed: Seed) -> Self {
        Self {
            config,
            outside,
            random: seed.random(),
            rebound: false,
            by_inside: BTreeMap::new(),
            by_outside: BTreeMap::new(),
        }
    }

    /// Translates the source of an outbound datagram.
    ///
    /// # Errors
    ///
    /// When the table is full or no port or outside address is left.
    pub fn outbound(
        &mut self,
        now: Instant,
        transport: Transport,
        inside: SocketAddr,
        remote: SocketAddr,
    ) -> Result<SocketAddr, DropReason> {
        let key = (transport, inside, self.config.mapping.key(remote));
        let outside = match self.live(now, &key) {
            Some(outside) => outside,
            None => self.create(now, key)?,
        };
        let timeout = self.timeout(transport);
        if let Some(mapping) = self.by_outside.get_mut(&(transport, outside)) {
            mapping.expires = now + timeout;
            mapping.remotes.insert(remote);
        }
        Ok(outside)
    }

    /// Translates the destination of an inbound datagram.
    ///
    /// # Errors
    ///
    /// When there is no mapping, or its filter refuses the sender.
    pub fn inbound(
        &mut self,
        now: Instant,
        transport: Transport,
        remote: SocketAddr,
        outside: SocketAddr,
    ) -> Result<SocketAddr, DropReason> {
        let timeout = self.timeout(transport);
        let mapping = self
            .by_outside
            .get_mut(&(transport, outside))
            .filter(|mapping| mapping.expires > now)
            .ok_or(DropReason::NatMapping)?;
        // A TCP connection has one remote end, whatever the filter for UDP is.
        let filtering = if transport == Transport::Udp {
            self.config.filtering
        } else {
            Behaviour::AddressAndPortDependent
        };
        let wanted = filtering.key(remote);
        if wanted.is_some() && !mapping.remotes.iter().any(|known| filtering.key(*known) == wanted) {
            return Err(DropReason::NatFilter);
        }
        if self.config.inbound_refreshes {
            mapping.expires = now + timeout;
        }
        let (_, inside, _) = mapping.inside_key;
        Ok(inside)
    }

    /// Translates a datagram from inside for one of our own outside addresses; returns the source and the
    /// destination that the inside receiver sees.
    ///
    /// # Errors
    ///
    /// When hairpinning is off, or one of the two translations fails.
    pub fn hairpin(
        &mut self,
        now: Instant,
        transport: Transport,
        inside: SocketAddr,
        outside: SocketAddr,
    ) -> Result<(SocketAddr, SocketAddr), DropReason> {
        if self.config.hairpin == Hairpin::Off {
            return Err(DropReason::NatFilter);
        }
        let source = self.outbound(now, transport, inside, outside)?;
        let target = self.inbound(now, transport, source, outside)?;
        let seen = if self.config.hairpin == Hairpin::ExternalSource { source } else { inside };
        Ok((seen, target))
    }

    /// Forgets every mapping, as a reboot does, and from now on picks ports at random, so that the next
    /// outbound datagram comes from a new port.
    pub fn rebind(&mut self) {
        self.by_inside.clear();
        self.by_outside.clear();
        self.rebound = true;
    }

    /// Whether this is one of the outside addresses.
    #[must_use]
    pub fn owns(&self, address: IpAddr) -> bool {
        self.outside.contains(&address)
    }

    /// The outside addresses.
    #[must_use]
    pub fn outside(&self) -> &[IpAddr] {
        &self.outside
    }

    /// How many mappings there are, dead ones included until they are met.
    #[must_use]
    pub fn mappings(&self) -> usize {
        self.by_outside.len()
    }

    fn live(&mut self, now: Instant, key: &InsideKey) -> Option<SocketAddr> {
        let outside = *self.by_inside.get(key)?;
        if self.by_outside.get(&(key.0, outside)).is_some_and(|mapping| mapping.expires > now) {
            return Some(outside);
        }
        self.by_inside.remove(key);
        self.by_outside.remove(&(key.0, outside));
        None
    }

    fn create(&mut self, now: Instant, key: InsideKey) -> Result<SocketAddr, DropReason> {
        if self.by_outside.len() >= self.config.capacity {
            self.sweep(now);
            if self.by_outside.len() >= self.config.capacity {
                return Err(DropReason::NatMapping);
            }
        }
        let (transport, inside, _) = key;
        let address = self.pooled_address(inside.ip()).ok_or(DropReason::NatMapping)?;
        let outside = self.free_port(transport, address, inside.port()).ok_or(DropReason::NatMapping)?;
        let expires = now + self.timeout(transport);
        self.by_inside.insert(key, outside);
        self.by_outside
            .insert((transport, outside), Mapping { inside_key: key, expires, remotes: BTreeSet::new() });
        Ok(outside)
    }

    fn sweep(&mut self, now: Instant) {
        let Self { by_inside, by_outside, .. } = self;
        by_outside.retain(|_, mapping| {
            let keep = mapping.expires > now;
            if !keep {
                by_inside.remove(&mapping.inside_key);
            }
            keep
        });
    }

    fn pooled_address(&self, inside: IpAddr) -> Option<IpAddr> {
        let family: Vec<IpAddr> =
            self.outside.iter().copied().filter(|address| address.is_ipv4() == inside.is_ipv4()).collect();
        let number = match inside {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        let index = number.checked_rem(family.len() as u128)?;
        family.get(usize::try_from(index).ok()?).copied()
    }

    fn free_port(&mut self, transport: Transport, address: IpAddr, inside: u16) -> Option<SocketAddr> {
        let preserve = self.config.ports == PortAssignment::Preserving && !self.rebound;
        let span = u64::from(u16::MAX - LOWEST_PORT) + 1;
        let first =
            if preserve { inside } else { LOWEST_PORT + u16::try_from(self.random.below(span)).unwrap_or(0) };
        (first..=u16::MAX)
            .chain(LOWEST_PORT..first)
            .map(|port| SocketAddr::new(address, port))
            .find(|candidate| !self.by_outside.contains_key(&(transport, *candidate)))
    }

    fn timeout(&self, transport: Transport) -> Duration {
        if transport == Transport::Udp { self.config.timeout } else { TCP_TIMEOUT.max(self.config.timeout) }
    }
}
