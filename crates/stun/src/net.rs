//! The vocabulary of addressed datagrams: who talks to whom, and what is to be sent.
//!
//! Only STUN, TURN and ICE know addresses; `turn` and `ice` re-export these types.

use std::{fmt, net::SocketAddr, num::NonZeroUsize};

/// A transport protocol under STUN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Transport {
    /// TCP, framed where the usage says so (RFC 4571 for ICE).
    Tcp,
    /// UDP.
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// One path: a transport protocol and both ends of it, seen from here.
///
/// `local` is the address of the socket itself, not of any NAT in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a five-tuple has five parts")]
pub struct FiveTuple {
    /// The protocol.
    pub transport: Transport,
    /// Our end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
}

impl FiveTuple {
    /// A UDP path.
    #[must_use]
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { transport: Transport::Udp, local, remote }
    }

    /// A TCP path.
    #[must_use]
    pub const fn tcp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { transport: Transport::Tcp, local, remote }
    }

    /// The same path seen from the other end.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { transport: self.transport, local: self.remote, remote: self.local }
    }
}

impl fmt::Display for FiveTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.transport, self.local, self.remote)
    }
}

/// The explicit congestion notification bits of the IP header (RFC 3168 §5). "Not ECT" is the absence of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "two bits have no further values")]
pub enum Ecn {
    /// Congestion experienced.
    Ce = 0b11,
    /// ECN-capable transport, ECT(0).
    Ect0 = 0b10,
    /// ECN-capable transport, ECT(1), which L4S uses (RFC 9331).
    Ect1 = 0b01,
}

impl Ecn {
    /// Reads the two low bits of a traffic class; `None` is "not ECT".
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits & 0b11 {
            0b11 => Some(Self::Ce),
            0b10 => Some(Self::Ect0),
            0b01 => Some(Self::Ect1),
            _ => None,
        }
    }

    /// The two bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }
}

/// Whether IP may cut a datagram on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a bit of the IP header")]
pub enum Fragmentation {
    /// Longer than the path carries, it is dropped: what everything is sent with.
    #[default]
    Forbidden,
    /// It may be cut: a repetition that became longer than what the path carries, and that cannot be made shorter.
    Allowed,
}

/// What a poll appended to the caller's buffer, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the appended bytes are to be sent"]
#[non_exhaustive]
pub struct Transmit {
    /// Where to send it from and to.
    pub path: FiveTuple,
    /// How to mark it.
    pub ecn: Option<Ecn>,
    /// Bytes appended to the caller's buffer.
    pub len: usize,
    /// Set when `len` covers several datagrams of this size (the last may be shorter): one GSO send.
    pub segment: Option<NonZeroUsize>,
    /// Whether IP may cut it. Never both this and `segment`.
    pub fragmentation: Fragmentation,
}

impl Transmit {
    /// One datagram of `len` bytes, not ECN-capable.
    pub const fn new(path: FiveTuple, len: usize) -> Self {
        Self { path, ecn: None, len, segment: None, fragmentation: Fragmentation::Forbidden }
    }

    /// Sets the ECN mark.
    pub const fn with_ecn(mut self, ecn: Option<Ecn>) -> Self {
        self.ecn = ecn;
        self
    }

    /// Says whether IP may cut it.
    pub const fn with_fragmentation(mut self, fragmentation: Fragmentation) -> Self {
        self.fragmentation = fragmentation;
        self
    }

    /// Says that the bytes are several datagrams of `segment` bytes each; the last may be shorter.
    pub const fn with_segment(mut self, segment: Option<NonZeroUsize>) -> Self {
        self.segment = segment;
        self
    }

    /// How many datagrams it covers.
    #[must_use]
    pub const fn datagrams(&self) -> usize {
        match self.segment {
            Some(segment) => self.len.div_ceil(segment.get()),
            None => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_counts_its_datagrams() {
        let path = FiveTuple::udp(([10, 0, 0, 1], 1).into(), ([10, 0, 0, 2], 2).into());
        assert_eq!(Transmit::new(path, 100).datagrams(), 1);
        assert_eq!(Transmit::new(path, 2_500).with_segment(NonZeroUsize::new(1_200)).datagrams(), 3);
        assert_eq!(path.reversed().reversed(), path);
        assert_eq!(path.to_string(), "udp 10.0.0.1:1 -> 10.0.0.2:2");
    }

    #[test]
    fn ecn_bits_round_trip() {
        for ecn in [Ecn::Ce, Ecn::Ect0, Ecn::Ect1] {
            assert_eq!(Ecn::from_bits(0b1010_1000 | ecn.bits()), Some(ecn));
        }
        assert_eq!(Ecn::from_bits(0xfc), None);
    }
}
