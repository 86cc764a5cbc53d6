//! Telling the protocols of one UDP port apart by their first byte (RFC 7983 §7, RFC 9443 §3).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

/// What a datagram is, going by its first bytes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// A DTLS record.
    Dtls,
    /// An SRTCP packet.
    Rtcp,
    /// An SRTP packet.
    Rtp,
    /// Nothing that belongs here: STUN inside a validated path's payload, ZRTP, QUIC, an empty datagram.
    Unknown,
}

impl Packet {
    pub(crate) fn classify(datagram: &[u8]) -> Self {
        match datagram {
            [20..=63, ..] => Self::Dtls,
            // RFC 5761 §4: with the marker bit taken into account, RTCP types 192 to 223 lie where RTP payload
            // types 64 to 95 would, and those are not used for RTP when multiplexing.
            [128..=191, 192..=223, ..] => Self::Rtcp,
            [128..=191, _, ..] => Self::Rtp,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `stun_demux_first_byte_table`, RFC 7983 §7.
    #[test]
    fn first_byte_table() {
        for first in 0..=255_u8 {
            let expected = match first {
                20..=63 => Packet::Dtls,
                128..=191 => Packet::Rtp,
                _ => Packet::Unknown,
            };
            assert_eq!(Packet::classify(&[first, 96]), expected, "first byte {first}");
        }
        assert_eq!(Packet::classify(&[]), Packet::Unknown);
        assert_eq!(Packet::classify(&[0x80]), Packet::Unknown);
    }

    /// RFC 5761 §4: sender reports and feedback are RTCP, whatever payload type they would be as RTP.
    #[test]
    fn rtcp_types_are_told_from_rtp_payload_types() {
        assert_eq!(Packet::classify(&[0x80, 200]), Packet::Rtcp);
        assert_eq!(Packet::classify(&[0x8f, 205]), Packet::Rtcp);
        assert_eq!(Packet::classify(&[0x80, 0x80 | 96]), Packet::Rtp);
        assert_eq!(Packet::classify(&[0x80, 111]), Packet::Rtp);
        assert_eq!(Packet::classify(&[0x80, 0x80 | 63]), Packet::Rtp);
    }
}
