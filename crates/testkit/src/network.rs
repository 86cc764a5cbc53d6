//! Interfaces and gateways: how hosts and networks hang together.

use crate::{Firewall, Link, Nat, NatConfig, Seed, Wire, firewall::FirewallState};
use std::net::IpAddr;

/// An interface of a host: its addresses and its access link.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) up: Link,
    pub(crate) down: Link,
    pub(crate) firewall: Firewall,
}

impl Interface {
    /// An interface with one address and a perfect link.
    ///
    /// # Panics
    ///
    /// When the text is not an IP address.
    #[must_use]
    pub fn new(address: &str) -> Self {
        Self::default().address(address)
    }

    /// Adds an address.
    ///
    /// # Panics
    ///
    /// When the text is not an IP address.
    #[must_use]
    pub fn address(mut self, address: &str) -> Self {
        self.addresses.push(parse(address));
        self
    }

    /// Sets the link, the same in both directions.
    #[must_use]
    pub fn link(self, link: Link) -> Self {
        self.uplink(link.clone()).downlink(link)
    }

    /// Sets the link from the host to the network.
    #[must_use]
    pub fn uplink(mut self, link: Link) -> Self {
        self.up = link;
        self
    }

    /// Sets the link from the network to the host.
    #[must_use]
    pub fn downlink(mut self, link: Link) -> Self {
        self.down = link;
        self
    }

    /// Sets the host's packet filter on this interface.
    #[must_use]
    pub fn firewall(mut self, firewall: Firewall) -> Self {
        self.firewall = firewall;
        self
    }
}

/// The way from an inner network to an outer one: a router, with or without address translation.
///
/// IPv4 is translated when the gateway has a NAT; IPv6 is always routed unchanged.
#[derive(Clone, Debug, Default)]
pub struct Gateway {
    pub(crate) nat: Option<NatConfig>,
    pub(crate) outside: Vec<IpAddr>,
    pub(crate) up: Link,
    pub(crate) down: Link,
    pub(crate) firewall: Firewall,
}

impl Gateway {
    /// A router that changes nothing.
    #[must_use]
    pub fn router() -> Self {
        Self::default()
    }

    /// A translator with one outside address.
    ///
    /// # Panics
    ///
    /// When the text is not an IP address.
    #[must_use]
    pub fn nat(config: NatConfig, outside: &str) -> Self {
        Self { nat: Some(config), ..Self::default() }.outside(outside)
    }

    /// Adds an outside address.
    ///
    /// # Panics
    ///
    /// When the text is not an IP address.
    #[must_use]
    pub fn outside(mut self, address: &str) -> Self {
        self.outside.push(parse(address));
        self
    }

    /// Sets the link to the outer network, the same in both directions.
    #[must_use]
    pub fn link(self, link: Link) -> Self {
        self.uplink(link.clone()).downlink(link)
    }

    /// Sets the link from the gateway to the outer network.
    #[must_use]
    pub fn uplink(mut self, link: Link) -> Self {
        self.up = link;
        self
    }

    /// Sets the link from the outer network to the gateway.
    #[must_use]
    pub fn downlink(mut self, link: Link) -> Self {
        self.down = link;
        self
    }

    /// Sets the packet filter between the two networks.
    #[must_use]
    pub fn firewall(mut self, firewall: Firewall) -> Self {
        self.firewall = firewall;
        self
    }
}

/// Both directions of a link with the filter at its end.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) up: Wire,
    pub(crate) down: Wire,
    pub(crate) firewall: FirewallState,
}

impl Port {
    pub(crate) fn new(up: Link, down: Link, firewall: Firewall, seed: Seed) -> Self {
        Self {
            up: Wire::new(up, seed.fork("up")),
            down: Wire::new(down, seed.fork("down")),
            firewall: FirewallState::new(firewall),
        }
    }
}

#[derive(Debug)]
pub(crate) struct InterfaceState {
    pub(crate) host: usize,
    pub(crate) network: usize,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) port: Port,
    pub(crate) is_up: bool,
}

#[derive(Debug)]
pub(crate) struct GatewayState {
    pub(crate) outer: usize,
    pub(crate) nat: Option<Nat>,
    pub(crate) port: Port,
}

impl GatewayState {
    pub(crate) fn new(outer: usize, gateway: Gateway, seed: Seed) -> Self {
        let Gateway { nat, outside, up, down, firewall } = gateway;
        Self {
            outer,
            nat: nat.map(|config| Nat::new(config, outside, seed.fork("nat"))),
            port: Port::new(up, down, firewall, seed),
        }
    }

    /// Whether addresses of this family are translated here.
    pub(crate) fn translates(&self, address: IpAddr) -> bool {
        self.nat.is_some() && address.is_ipv4()
    }
}

#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) gateway: Option<GatewayState>,
}

/// # Panics
///
/// When the text is not an IP address.
fn parse(address: &str) -> IpAddr {
    match address.parse() {
        Ok(parsed) => parsed,
        Err(error) => panic!("{address}: {error}"),
    }
}
