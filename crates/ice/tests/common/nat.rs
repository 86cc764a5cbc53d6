//! Network address translators (RFC 4787).

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// What a mapping or a filter depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dependence {
    Endpoint,
    Address,
    AddressAndPort,
}

pub(crate) struct Nat {
    pub(crate) public: IpAddr,
    inside: IpAddr,
    mapping: Dependence,
    filtering: Dependence,
    next_port: u16,
    bindings: Vec<Binding>,
}

struct Binding {
    inside: SocketAddr,
    /// The destination that made it, as far as the mapping depends on it.
    towards: Option<(IpAddr, u16)>,
    port: u16,
    permitted: Vec<SocketAddr>,
    used: Instant,
}

const LIFETIME: Duration = Duration::from_secs(120);

impl Nat {
    /// For all addresses that share the first two bytes with `inside`.
    pub(crate) fn new(public: &str, inside: &str, mapping: Dependence, filtering: Dependence) -> Self {
        Self {
            public: public.parse().expect(public),
            inside: inside.parse().expect(inside),
            mapping,
            filtering,
            next_port: 40_000,
            bindings: Vec::new(),
        }
    }

    pub(crate) fn full_cone(public: &str, inside: &str) -> Self {
        Self::new(public, inside, Dependence::Endpoint, Dependence::Endpoint)
    }

    pub(crate) fn port_restricted(public: &str, inside: &str) -> Self {
        Self::new(public, inside, Dependence::Endpoint, Dependence::AddressAndPort)
    }

    pub(crate) fn symmetric(public: &str, inside: &str) -> Self {
        Self::new(public, inside, Dependence::AddressAndPort, Dependence::AddressAndPort)
    }

    pub(crate) fn has_inside(&self, address: SocketAddr) -> bool {
        match (self.inside, address.ip()) {
            (IpAddr::V4(inside), IpAddr::V4(address)) => inside.octets()[..2] == address.octets()[..2],
            _ => false,
        }
    }

    /// Forgets all mappings: the next datagrams get new ports.
    pub(crate) fn rebind(&mut self) {
        self.bindings.clear();
    }

    pub(crate) fn translate_out(&mut self, now: Instant, from: SocketAddr, to: SocketAddr) -> SocketAddr {
        let towards = match self.mapping {
            Dependence::Endpoint => None,
            Dependence::Address => Some((to.ip(), 0)),
            Dependence::AddressAndPort => Some((to.ip(), to.port())),
        };
        self.bindings.retain(|binding| now.saturating_duration_since(binding.used) < LIFETIME);
        let known = self.bindings.iter().position(|of| of.inside == from && of.towards == towards);
        let place = known.unwrap_or_else(|| {
            self.next_port += 1;
            let port = self.next_port;
            self.bindings.push(Binding { inside: from, towards, port, permitted: Vec::new(), used: now });
            self.bindings.len() - 1
        });
        let binding = &mut self.bindings[place];
        binding.used = now;
        if !binding.permitted.contains(&to) {
            binding.permitted.push(to);
        }
        SocketAddr::new(self.public, binding.port)
    }

    pub(crate) fn translate_in(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: SocketAddr,
    ) -> Option<SocketAddr> {
        let filtering = self.filtering;
        let binding = self.bindings.iter().find(|binding| binding.port == to.port())?;
        let alive = now.saturating_duration_since(binding.used) < LIFETIME;
        let permitted = match filtering {
            Dependence::Endpoint => true,
            Dependence::Address => binding.permitted.iter().any(|known| known.ip() == from.ip()),
            Dependence::AddressAndPort => binding.permitted.contains(&from),
        };
        (alive && permitted).then_some(binding.inside)
    }
}
