//! Local sockets.

use crate::{Config, InterfaceKind, Loopback, candidate::LocalPreference};
use std::net::{IpAddr, SocketAddr};

/// A bound UDP socket and what is known about its interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalAddress {
    address: SocketAddr,
    interface: Option<String>,
    kind: InterfaceKind,
}

impl LocalAddress {
    /// A socket bound to `address`, which must be the address of an interface and not a wildcard.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        let kind = if address.ip().is_loopback() { InterfaceKind::Loopback } else { InterfaceKind::Unknown };
        Self { address, interface: None, kind }
    }

    /// Names its interface, for logs.
    #[must_use]
    pub fn with_interface(mut self, name: impl Into<String>) -> Self {
        self.interface = Some(name.into());
        self
    }

    /// Says what kind of interface it is; better kinds get better priorities.
    #[must_use]
    pub fn with_kind(mut self, kind: InterfaceKind) -> Self {
        self.kind = kind;
        self
    }

    /// The address it is bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The name of its interface.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }

    /// The kind of its interface.
    #[must_use]
    pub fn kind(&self) -> InterfaceKind {
        self.kind
    }
}

/// A socket of the agent.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) local: LocalAddress,
    pub(crate) preference: LocalPreference,
    /// Its place among the sockets of the same kind and family.
    slot: u16,
}

impl Socket {
    /// Takes the first free place among `others`.
    pub(crate) fn new(local: LocalAddress, others: &[Self]) -> Self {
        let alike = |socket: &&Self| {
            socket.local.kind == local.kind && socket.address().is_ipv4() == local.address.is_ipv4()
        };
        let taken: Vec<_> = others.iter().filter(alike).map(|socket| socket.slot).collect();
        let slot = (0..u16::MAX).find(|slot| !taken.contains(slot)).unwrap_or(u16::MAX);
        let preference = LocalPreference::new(local.kind, local.address.ip(), slot);
        Self { local, preference, slot }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.local.address
    }
}

/// RFC 8445 §5.1.1.1: which addresses may become host candidates.
pub(crate) fn is_usable(address: SocketAddr, config: &Config) -> bool {
    if address.port() == 0 || (address.ip().is_loopback() && config.loopback == Loopback::Deny) {
        return false;
    }
    match address.ip() {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => {
            let site_local = (ip.segments()[0] & 0xffc0) == 0xfec0;
            let compatible = ip.to_ipv4().is_some() && !ip.is_loopback();
            !ip.is_unspecified() && !ip.is_multicast() && !site_local && !compatible
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8445 §5.1.1.1.
    #[test]
    fn ice_no_loopback_no_v4compat_no_site_local_candidates() {
        let (strict, loose) = (Config::new(), Config::new().with_loopback(Loopback::Allow));
        let cases = [
            ("192.0.2.1:5", true),
            ("169.254.1.1:5", true),
            ("[2001:db8::1]:5", true),
            ("[fe80::1]:5", true),
            ("192.0.2.1:0", false),
            ("0.0.0.0:5", false),
            ("255.255.255.255:5", false),
            ("224.0.0.251:5", false),
            ("[::]:5", false),
            ("[ff02::fb]:5", false),
            ("[fec0::1]:5", false),
            ("[::192.0.2.1]:5", false),
            ("[::ffff:192.0.2.1]:5", false),
        ];
        for (text, expected) in cases {
            let address = text.parse().unwrap();
            assert_eq!(
                (is_usable(address, &strict), is_usable(address, &loose)),
                (expected, expected),
                "{text}"
            );
        }
        for text in ["127.0.0.1:5", "[::1]:5"] {
            let address = text.parse().unwrap();
            assert_eq!((is_usable(address, &strict), is_usable(address, &loose)), (false, true), "{text}");
        }
    }

    #[test]
    fn a_removed_socket_leaves_its_place_to_the_next() {
        let local = |port| LocalAddress::new(([10, 0, 0, 1], port).into());
        let mut sockets = vec![];
        for port in 1..=3 {
            let socket = Socket::new(local(port), &sockets);
            sockets.push(socket);
        }
        let gone = sockets.remove(1);
        let new = Socket::new(local(4), &sockets);
        assert_eq!(new.preference, gone.preference);
        assert!(sockets.iter().all(|socket| socket.preference != new.preference));
    }
}
