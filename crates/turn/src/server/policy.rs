//! To whom a server relays (RFC 8656 §21.2, §21.3.2).

#![deny(clippy::indexing_slicing)]

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// Which addresses clients may reach through the relay.
///
/// By default only public ones: a relay stands inside of networks whose other hosts trust it, and must not lend its
/// place to strangers. An address counts as what it finally leads to: IPv4 inside of IPv6 (mapped, compatible, 6to4,
/// NAT64, ISATAP, Teredo) is looked at as well.
#[derive(Clone, Debug, Default)]
pub struct PeerPolicy {
    allowed: Vec<IpNet>,
    denied: Vec<IpNet>,
}

impl PeerPolicy {
    /// Public addresses only.
    #[must_use]
    pub const fn new() -> Self {
        Self { allowed: Vec::new(), denied: Vec::new() }
    }

    /// Allows a network that the default refuses, such as `127.0.0.0/8` for a test on one host.
    #[must_use]
    pub fn allow(mut self, net: IpNet) -> Self {
        self.allowed.push(net);
        self
    }

    /// Refuses a network, also one that is allowed otherwise.
    #[must_use]
    pub fn deny(mut self, net: IpNet) -> Self {
        self.denied.push(net);
        self
    }

    /// Whether peers may have this address.
    #[must_use]
    pub fn permits(&self, ip: IpAddr) -> bool {
        // The socket of an IPv6 relay must not become a way to IPv4 behind the back of this list.
        if ip.to_canonical() != ip {
            return false;
        }
        !self.denies_explicitly(ip) && (contains(&self.allowed, ip) || faces(ip).all(is_public))
    }

    /// Whether this address is in a list of allowed networks, and in none of denied ones.
    pub(super) fn allows_explicitly(&self, ip: IpAddr) -> bool {
        contains(&self.allowed, ip) && !self.denies_explicitly(ip)
    }

    /// Whether this address is in a list of denied networks.
    pub(super) fn denies_explicitly(&self, ip: IpAddr) -> bool {
        faces(ip).any(|face| contains(&self.denied, face))
    }
}

/// An address as it is written, and what it leads to.
fn faces(ip: IpAddr) -> impl Iterator<Item = IpAddr> {
    [Some(ip), embedded_ipv4(ip).map(IpAddr::V4)].into_iter().flatten()
}

fn contains(nets: &[IpNet], ip: IpAddr) -> bool {
    nets.iter().any(|net| net.contains(ip))
}

fn is_public(ip: IpAddr) -> bool {
    !SPECIAL.iter().any(|net| net.contains(ip))
}

/// What the registries of special-purpose addresses (RFC 6890) and of multicast hold. Documentation networks are not
/// here: nothing answers there.
const SPECIAL: &[IpNet] = &[
    IpNet::v4(Ipv4Addr::new(0, 0, 0, 0), 8),      // this host, RFC 1122
    IpNet::v4(Ipv4Addr::new(10, 0, 0, 0), 8),     // private, RFC 1918
    IpNet::v4(Ipv4Addr::new(100, 64, 0, 0), 10),  // shared with carriers, RFC 6598
    IpNet::v4(Ipv4Addr::new(127, 0, 0, 0), 8),    // loopback
    IpNet::v4(Ipv4Addr::new(169, 254, 0, 0), 16), // link-local, RFC 3927
    IpNet::v4(Ipv4Addr::new(172, 16, 0, 0), 12),  // private, RFC 1918
    IpNet::v4(Ipv4Addr::new(192, 0, 0, 0), 24),   // protocol assignments, RFC 6890
    IpNet::v4(Ipv4Addr::new(192, 88, 99, 0), 24), // 6to4 relays, RFC 7526
    IpNet::v4(Ipv4Addr::new(192, 168, 0, 0), 16), // private, RFC 1918
    IpNet::v4(Ipv4Addr::new(198, 18, 0, 0), 15),  // benchmarks, RFC 2544
    IpNet::v4(Ipv4Addr::new(224, 0, 0, 0), 4),    // multicast
    IpNet::v4(Ipv4Addr::new(240, 0, 0, 0), 4),    // reserved, and broadcast
    IpNet::v6(Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0), 16), // unspecified, loopback, mapped, compatible
    IpNet::v6(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48), // local NAT64, RFC 8215
    IpNet::v6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64), // discard, RFC 6666
    IpNet::v6(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo among them
    IpNet::v6(Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16), // segment routing, RFC 9602
    IpNet::v6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7), // unique local, RFC 4193
    IpNet::v6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10), // link-local
    IpNet::v6(Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10), // site-local, RFC 3879
    IpNet::v6(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8), // multicast
];

/// The IPv4 address that an IPv6 address leads to by one of the known translations.
fn embedded_ipv4(ip: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(ip) = ip else { return None };
    let join = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match ip.segments() {
        // IPv4-mapped (RFC 4291 §2.5.5.2), IPv4-compatible (§2.5.5.1), IPv4-translated (RFC 2765)
        [0, 0, 0, 0, 0, 0xffff | 0, a, b] | [0, 0, 0, 0, 0xffff, 0, a, b] => join(a, b),
        // 6to4 (RFC 3056)
        [0x2002, a, b, ..] => join(a, b),
        // NAT64 (RFC 6052)
        [0x64, 0xff9b, 0, 0, 0, 0, a, b] => join(a, b),
        // ISATAP (RFC 5214)
        [_, _, _, _, 0 | 0x200, 0x5efe, a, b] => join(a, b),
        _ => None,
    }
}

/// A network: an address and the length of its prefix in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpNet {
    ip: IpAddr,
    prefix: u8,
}

impl IpNet {
    /// A network; bits of `ip` behind the prefix do not matter. A prefix longer than the address is the address.
    #[must_use]
    pub const fn new(ip: IpAddr, prefix: u8) -> Self {
        let max = match ip {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        Self { ip, prefix: if prefix > max { max } else { prefix } }
    }

    const fn v4(ip: Ipv4Addr, prefix: u8) -> Self {
        Self::new(IpAddr::V4(ip), prefix)
    }

    const fn v6(ip: Ipv6Addr, prefix: u8) -> Self {
        Self::new(IpAddr::V6(ip), prefix)
    }

    /// Whether an address is in the network. IPv4 and IPv6 never contain each other.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let (difference, width) = match (self.ip, ip) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => (u128::from(u32::from(ours) ^ u32::from(theirs)), 32),
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => (u128::from(ours) ^ u128::from(theirs), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        // A shift by the whole width leaves nothing, as it should.
        difference.checked_shr(u32::from(width - self.prefix)).unwrap_or(0) == 0
    }
}

impl From<IpAddr> for IpNet {
    fn from(ip: IpAddr) -> Self {
        Self::new(ip, 128)
    }
}

impl fmt::Display for IpNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}

impl FromStr for IpNet {
    type Err = IpNetError;

    /// Reads `10.0.0.0/8`, `fc00::/7`, or a single address.
    fn from_str(text: &str) -> Result<Self, IpNetError> {
        let Some((ip, prefix)) = text.split_once('/') else {
            return text.parse().map(|ip: IpAddr| Self::from(ip)).map_err(|_| IpNetError::Address);
        };
        let ip: IpAddr = ip.parse().map_err(|_| IpNetError::Address)?;
        let prefix: u8 = prefix.parse().map_err(|_| IpNetError::Prefix)?;
        if prefix > if ip.is_ipv4() { 32 } else { 128 } {
            return Err(IpNetError::Prefix);
        }
        Ok(Self::new(ip, prefix))
    }
}

/// A text is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IpNetError {
    /// The address is none.
    Address,
    /// The prefix length is none, or longer than the address.
    Prefix,
}

impl fmt::Display for IpNetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "not an IP address",
            Self::Prefix => "not a prefix length of this address",
        })
    }
}

impl std::error::Error for IpNetError {}

#[cfg(test)]
mod tests;
