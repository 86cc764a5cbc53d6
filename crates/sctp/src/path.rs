//! What the layers below tell of the path.

use crate::tx;

/// The smallest IP packet that every path carries: what RFC 8899 §5.1.2 has for `MIN_PLPMTU` over IPv4. With IPv6 it is
/// smaller than need be.
const MIN_IP: usize = 576;

/// A path, as packets of SCTP see it: what surely passes, what may, and what the layers below add.
///
/// All lengths are those of SCTP packets: what DTLS, TURN, UDP and IP add is in [`with_overhead`](Self::with_overhead)
/// alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathInfo {
    pub(crate) base: usize,
    pub(crate) max: usize,
    pub(crate) overhead: usize,
}

impl PathInfo {
    /// A path that is expected to carry packets of `base` bytes (`BASE_PLPMTU` of RFC 8899 §5.1.2), and larger ones not
    /// at all. What is added below is taken to be 97 bytes: an IPv6 header, UDP, a DTLS 1.2 record and a little more.
    #[must_use]
    pub fn new(base: usize) -> Self {
        let base = tx::clamp_packet_len(base);
        Self { base, max: base, overhead: 97 }
    }

    /// The largest packet to search for (`MAX_PLPMTU`), in bytes. Default: none larger than `base`.
    #[must_use]
    pub fn with_search_up_to(self, max: usize) -> Self {
        Self { max: tx::clamp_packet_len(max).max(self.base), ..self }
    }

    /// What all layers below add to a packet, headers of IP and UDP included, in bytes. The search tries sizes that
    /// are common for IP packets, so it must know.
    #[must_use]
    pub fn with_overhead(self, bytes: usize) -> Self {
        Self { overhead: bytes.min(1_000), ..self }
    }

    /// The packet that fills an IP packet of this size.
    pub(crate) fn packet_of(&self, ip: usize) -> usize {
        tx::clamp_packet_len(ip.saturating_sub(self.overhead))
    }

    /// `MIN_PLPMTU`.
    pub(crate) fn min(&self) -> usize {
        self.packet_of(MIN_IP).min(self.base)
    }
}

/// What may happen to a packet on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a bit of the IP header")]
pub enum Fragmentation {
    /// It is cut by nobody: too long, it is dropped. Everything that is not said to be otherwise.
    #[default]
    Forbidden,
    /// IP may cut it (RFC 8899 §3 lets data that was sent before do so): it is a repetition, longer than what the path
    /// carries by now.
    Allowed,
}
