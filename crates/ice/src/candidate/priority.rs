//! Priorities of candidates and pairs (RFC 8445 §5.1.2, §6.1.2.3; RFC 8421).

use super::{COMPONENT, CandidateKind};
use crate::{InterfaceKind, Role};
use std::{fmt, net::IpAddr};

/// Most addresses of one family and one kind of interface that still get a preference of their own.
const MAX_SLOT: u16 = 255;

/// Most servers per socket that still get a preference of their own.
const MAX_SERVER: u16 = 15;

/// The priority of a candidate; greater is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct Priority(pub u32);

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The 16 bits that order the candidates of one type.
///
/// ```text
///   15   13 12              4 3      0
///  +-------+-----------------+--------+
///  | kind  | slot and family | server |   all inverted, so that first is best
///  +-------+-----------------+--------+
/// ```
///
/// The n-th IPv6 address of a kind of interface comes right before the n-th IPv4 address, so that no more than one
/// check in a row goes to a family that may be broken (RFC 8421 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalPreference(u16);

impl LocalPreference {
    /// `slot` counts the addresses of the family of `ip` on interfaces of this kind, from 0.
    pub(crate) fn new(kind: InterfaceKind, ip: IpAddr, slot: u16) -> Self {
        let family = u16::from(ip.is_ipv4());
        Self(u16::MAX - ((kind.rank() << 13) | (slot.min(MAX_SLOT) << 5) | (family << 4)))
    }

    /// The preference of a candidate that the `server`-th server gave for this address.
    pub(crate) fn with_server(self, server: u16) -> Self {
        Self(self.0.saturating_sub(server.min(MAX_SERVER)))
    }
}

/// RFC 8445 §5.1.2.1.
pub(crate) fn candidate_priority(kind: CandidateKind, preference: LocalPreference) -> Priority {
    let type_preference: u32 = match kind {
        CandidateKind::Host => 126,
        CandidateKind::PeerReflexive => 110,
        CandidateKind::ServerReflexive => 100,
        CandidateKind::Relayed => 0,
    };
    Priority((type_preference << 24) | (u32::from(preference.0) << 8) | u32::from(256 - COMPONENT))
}

/// RFC 8445 §6.1.2.3.
pub(crate) fn pair_priority(role: Role, local: Priority, remote: Priority) -> u64 {
    let (controlling, controlled) = match role {
        Role::Controlling => (u64::from(local.0), u64::from(remote.0)),
        Role::Controlled => (u64::from(remote.0), u64::from(local.0)),
    };
    // Greatest possible: 2^32 * (2^32 - 1) + 2 * (2^32 - 1) does not fit; a peer may send any 32-bit number.
    (controlling.min(controlled) << 32)
        .saturating_add(2 * controlling.max(controlled))
        .saturating_add(u64::from(controlling > controlled))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[test]
    fn priorities_order_types_then_interfaces_then_families() {
        let wired = |ip, slot| LocalPreference::new(InterfaceKind::Wired, ip, slot);
        let ladder = [
            candidate_priority(CandidateKind::Host, wired(V6, 0)),
            candidate_priority(CandidateKind::Host, wired(V4, 0)),
            candidate_priority(CandidateKind::Host, wired(V6, 1)),
            candidate_priority(CandidateKind::Host, wired(V4, 1)),
            candidate_priority(CandidateKind::Host, wired(V4, 5_000)),
            candidate_priority(CandidateKind::Host, LocalPreference::new(InterfaceKind::Wifi, V6, 0)),
            candidate_priority(CandidateKind::PeerReflexive, wired(V6, 0)),
            candidate_priority(CandidateKind::ServerReflexive, wired(V6, 0)),
            candidate_priority(CandidateKind::ServerReflexive, wired(V6, 0).with_server(1)),
            candidate_priority(CandidateKind::Relayed, wired(V6, 0)),
        ];
        assert!(ladder.windows(2).all(|two| two[0] > two[1]), "{ladder:?}");
        assert!(ladder.iter().all(|priority| (1..1 << 31).contains(&priority.0)));
        assert_eq!(ladder[0].0, (126 << 24) | (65_535 << 8) | 255);
    }

    #[test]
    fn pair_priority_is_the_same_for_both_sides() {
        let (a, b) = (Priority(2_130_706_431), Priority(1_694_498_815));
        let ours = pair_priority(Role::Controlling, a, b);
        assert_eq!(ours, pair_priority(Role::Controlled, b, a));
        assert_eq!(ours, (1_694_498_815_u64 << 32) + 2 * 2_130_706_431 + 1);
        assert_eq!(pair_priority(Role::Controlling, Priority(u32::MAX), Priority(u32::MAX)), u64::MAX);
    }
}
