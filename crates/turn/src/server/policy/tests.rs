use super::*;
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("invariant: an address")
}

/// T-T01: one function, one table, every encoding.
#[test]
fn t_t01_default_policy_refuses_every_encoding_of_inner_addresses() {
    let policy = PeerPolicy::new();
    for text in REFUSED.lines() {
        assert!(!policy.permits(ip(text)), "{text}");
    }
    for text in PERMITTED {
        assert!(policy.permits(ip(text)), "{text}");
    }
    assert!(REFUSED.lines().count() >= 60);
}

/// One address a line; shared with the tests of the whole server.
const REFUSED: &str = include_str!("../../../tests/vectors/refused_peers.txt");

const PERMITTED: &[&str] = &[
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.113.7",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2001:db8::1",
    "2002:808:808::1",
    "2600::1",
    "64:ff9b::8.8.8.8",
];

#[test]
fn lists_override_the_default_and_denial_wins() {
    let net = |text: &str| text.parse::<IpNet>().expect("invariant: a network");
    let policy = PeerPolicy::new().allow(net("127.0.0.0/8")).allow(net("fd00::/8"));
    let policy = policy.deny(net("127.0.0.2")).deny(net("8.8.8.0/24"));
    for (text, expected) in [
        ("127.0.0.1", true),
        ("127.0.0.2", false),
        ("10.0.0.1", false),
        ("8.8.8.8", false),
        ("8.8.4.4", true),
        ("64:ff9b::8.8.8.8", false),
        ("2002:808:808::1", false),
        ("fd12::1", true),
        ("fc12::1", false),
        // Allowed as IPv4 only: through an IPv6 socket nobody asks for it.
        ("::ffff:127.0.0.1", false),
        ("::127.0.0.1", false),
    ] {
        assert_eq!(policy.permits(ip(text)), expected, "{text}");
    }
}

#[test]
fn networks_are_read_and_shown() {
    for text in ["10.0.0.0/8", "0.0.0.0/0", "::/0", "fc00::/7", "192.0.2.1/32"] {
        assert_eq!(text.parse::<IpNet>().map(|net| net.to_string()).as_deref(), Ok(text));
    }
    for (text, error) in [
        ("10.0.0/8", IpNetError::Address),
        ("10.0.0.0/33", IpNetError::Prefix),
        ("::/129", IpNetError::Prefix),
        ("10.0.0.0/", IpNetError::Prefix),
        ("", IpNetError::Address),
    ] {
        assert_eq!(text.parse::<IpNet>(), Err(error), "{text}");
    }
}

proptest! {
    /// T-T02: membership is that of the 128-bit (or 32-bit) number.
    #[test]
    fn t_t02_membership_is_that_of_integers(base: u128, probe: u128, prefix in 0_u8..=128, near: bool) {
        let probe = if near { base ^ (probe >> prefix.min(127)) } else { probe };
        let size = 1_u128.checked_shl(128 - u32::from(prefix));
        let first = size.map_or(0, |size| base / size * size);
        let last = size.map_or(u128::MAX, |size| first + (size - 1));
        let net = IpNet::new(Ipv6Addr::from(base).into(), prefix);
        prop_assert_eq!(net.contains(Ipv6Addr::from(probe).into()), (first..=last).contains(&probe));
        prop_assert!(!net.contains(Ipv4Addr::from(probe as u32).into()));

        let (base, probe, prefix) = (base as u32, probe as u32, prefix % 33);
        let size = 1_u64 << (32 - prefix);
        let first = u64::from(base) / size * size;
        let net = IpNet::new(Ipv4Addr::from(base).into(), prefix);
        let expected = (first..first + size).contains(&u64::from(probe));
        prop_assert_eq!(net.contains(Ipv4Addr::from(probe).into()), expected);
    }
}
