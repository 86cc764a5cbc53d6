//! Counters.

/// What a [`Protector`](crate::Protector) has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectorStats {
    /// SRTP packets made.
    pub rtp_packets: u64,
    /// Their bytes, tags included.
    pub rtp_bytes: u64,
    /// SRTCP packets made.
    pub rtcp_packets: u64,
    /// Their bytes, tags included.
    pub rtcp_bytes: u64,
    /// Packets refused.
    pub refused: u64,
    /// SSRCs in the table.
    pub streams: usize,
}

/// What an [`Unprotector`](crate::Unprotector) has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnprotectorStats {
    /// Authentic SRTP packets.
    pub rtp_packets: u64,
    /// Their bytes, tags included.
    pub rtp_bytes: u64,
    /// Authentic SRTCP packets.
    pub rtcp_packets: u64,
    /// Their bytes, tags included.
    pub rtcp_bytes: u64,
    /// Authentic SRTCP packets that were sent in the clear.
    pub rtcp_unencrypted: u64,
    /// Dropped: not SRTP or SRTCP.
    pub malformed: u64,
    /// Dropped: a packet with this index was already received.
    pub replayed: u64,
    /// Dropped: behind the replay window.
    pub too_old: u64,
    /// Dropped: no room for another SSRC.
    pub too_many_streams: u64,
    /// Dropped: the tag is wrong.
    pub unauthentic: u64,
    /// Dropped: SRTCP in the clear, or an index beyond the limit of a key.
    pub refused: u64,
    /// SSRCs in the table.
    pub streams: usize,
}
