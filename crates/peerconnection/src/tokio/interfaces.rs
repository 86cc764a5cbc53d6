//! Which local addresses to bind to.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

/// Whether the loopback interface takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "yes or no")]
pub enum Loopback {
    /// Only when the machine has no other address (RFC 8445 §5.1.1.1 forbids loopback candidates otherwise).
    #[default]
    Fallback,
    /// Always: for tests and for peers on the same machine.
    Include,
}

/// An address of an interface that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) ip: IpAddr,
    /// Its number, for IPv6 multicast.
    pub(super) index: u32,
}

/// The addresses of this machine that can carry candidates, IPv6 first as RFC 8421 §3 wants them tried.
pub(super) fn list(loopback: Loopback) -> io::Result<Vec<Interface>> {
    let all = if_addrs::get_if_addrs()?;
    let usable = |wanted_loopback: bool| -> Vec<Interface> {
        let mut found: Vec<Interface> = all
            .iter()
            .filter(|interface| interface.is_oper_up() || interface.is_loopback())
            .filter(|interface| interface.is_loopback() == wanted_loopback)
            // A link-local address means nothing without its interface, which SDP cannot name.
            .filter(|interface| !interface.is_link_local())
            .filter(|interface| !interface.ip().is_unspecified())
            .map(|interface| Interface {
                name: interface.name.clone(),
                ip: interface.ip(),
                index: interface.index.unwrap_or_default(),
            })
            .collect();
        found.sort_by_key(|interface| (interface.ip.is_ipv4(), interface.name.clone(), interface.ip));
        found.dedup_by(|a, b| a.ip == b.ip);
        found
    };
    let mut found = usable(false);
    if loopback == Loopback::Include || found.is_empty() {
        found.extend(usable(true));
    }
    Ok(found)
}

/// The addresses that a socket bound to `bound` can be reached at.
pub(super) fn addresses_of(
    bound: SocketAddr,
    loopback: Loopback,
) -> io::Result<Vec<(Option<String>, SocketAddr)>> {
    if !bound.ip().is_unspecified() {
        return Ok(vec![(None, bound)]);
    }
    let addresses = list(loopback)?
        .into_iter()
        .filter(|interface| interface.ip.is_ipv4() == bound.is_ipv4())
        .map(|interface| (Some(interface.name), SocketAddr::new(interface.ip, bound.port())));
    Ok(addresses.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_there_when_asked_for_and_link_local_never() {
        let all = list(Loopback::Include).unwrap();
        assert!(all.iter().any(|interface| interface.ip.is_loopback()));
        let link_local = |ip: &IpAddr| match ip {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        };
        assert!(!all.iter().any(|interface| link_local(&interface.ip)));
    }
}
