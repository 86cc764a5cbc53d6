//! Limits and policies.

/// Limits and policies of a [`Protector`](crate::Protector) or an [`Unprotector`](crate::Unprotector).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    rtp_window: usize,
    rtcp_window: usize,
    max_ssrcs: usize,
    rollover_search: u32,
    unencrypted_rtcp: UnencryptedRtcp,
}

/// What to do with SRTCP packets whose E flag is zero: authenticated, but sent in the clear (RFC 3711 §3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum UnencryptedRtcp {
    /// Check them like any other and hand them up. They are counted in
    /// [`UnprotectorStats::rtcp_unencrypted`](crate::UnprotectorStats::rtcp_unencrypted).
    #[default]
    Accept,
    /// Refuse them with [`UnprotectError::Unencrypted`](crate::UnprotectError::Unencrypted).
    Refuse,
}

/// Windows are counted in words of 64 packets; a stream never remembers fewer (RFC 3711 §3.3.2).
const MIN_WINDOW: usize = 64;

/// Beyond half the sequence number space the roll-over could not be guessed anyway (RFC 3711 §3.3.1).
const MAX_WINDOW: usize = 1 << 15;

impl Default for Config {
    fn default() -> Self {
        Self {
            rtp_window: 1_024,
            rtcp_window: 128,
            max_ssrcs: 1_024,
            rollover_search: 1,
            unencrypted_rtcp: UnencryptedRtcp::default(),
        }
    }
}

impl Config {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many packets behind the newest one an SRTP packet may arrive (RFC 3711 §3.3.2).
    ///
    /// In packets, rounded up to a multiple of 64, from 64 to 32,768; default 1,024. It should not be smaller than the
    /// longest retransmission history of the peer. It costs one bit per packet and SSRC.
    #[must_use]
    pub fn with_rtp_window(self, packets: usize) -> Self {
        Self { rtp_window: window(packets), ..self }
    }

    /// How many packets behind the newest one an SRTCP packet may arrive (RFC 3711 §3.3.2).
    ///
    /// In packets, rounded up to a multiple of 64, from 64 to 32,768; default 128.
    #[must_use]
    pub fn with_rtcp_window(self, packets: usize) -> Self {
        Self { rtcp_window: window(packets), ..self }
    }

    /// How many SSRCs one key may serve; default 1,024.
    ///
    /// No SSRC is ever forgotten while its key lives: forgetting a sending one would allow a key stream to be used
    /// twice, forgetting a receiving one would allow old packets to be replayed. Further SSRCs are refused.
    #[must_use]
    pub fn with_max_ssrcs(self, ssrcs: usize) -> Self {
        Self { max_ssrcs: ssrcs, ..self }
    }

    /// How many roll-overs of the sequence number may have happened before the first packet of an SSRC that arrives
    /// (RFC 3711 §3.3.1); default 1, at most 64.
    ///
    /// A stream may start at 65,530 and lose its first packets; what arrives then belongs to roll-over 1, and nothing
    /// in it says so. Each step costs up to one more tag for a forged packet with an unknown SSRC.
    #[must_use]
    pub fn with_rollover_search(self, rollovers: u32) -> Self {
        Self { rollover_search: rollovers.min(64), ..self }
    }

    /// What to do with SRTCP that was sent in the clear; accepted by default.
    #[must_use]
    pub fn with_unencrypted_rtcp(self, policy: UnencryptedRtcp) -> Self {
        Self { unencrypted_rtcp: policy, ..self }
    }

    pub(crate) fn rtp_window_packets(&self) -> usize {
        self.rtp_window
    }

    pub(crate) fn rtcp_window_packets(&self) -> usize {
        self.rtcp_window
    }

    pub(crate) fn ssrc_limit(&self) -> usize {
        self.max_ssrcs
    }

    pub(crate) fn rollovers(&self) -> u32 {
        self.rollover_search
    }

    pub(crate) fn unencrypted(&self) -> UnencryptedRtcp {
        self.unencrypted_rtcp
    }
}

fn window(packets: usize) -> usize {
    packets.clamp(MIN_WINDOW, MAX_WINDOW).next_multiple_of(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_rounded_and_bounded() {
        let config = Config::new().with_rtp_window(0).with_rtcp_window(usize::MAX);
        assert_eq!((config.rtp_window_packets(), config.rtcp_window_packets()), (64, 32_768));
        assert_eq!(Config::new().with_rtp_window(65).rtp_window_packets(), 128);
    }
}
