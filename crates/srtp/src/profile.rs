//! Protection profiles of DTLS-SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2).

use crypto::CipherId;

/// A protection profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Profile {
    /// `SRTP_AES128_CM_HMAC_SHA1_80` (0x0001): AES-128 in counter mode, HMAC-SHA1 cut to 80 bits.
    Aes128CmHmacSha1_80,
    /// `SRTP_AES128_CM_HMAC_SHA1_32` (0x0002): the same with 32 bits for SRTP; SRTCP keeps 80.
    Aes128CmHmacSha1_32,
    /// `SRTP_AEAD_AES_128_GCM` (0x0007).
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM` (0x0008).
    AeadAes256Gcm,
}

/// The E flag and the index that every SRTCP packet carries (RFC 3711 §3.4).
const ESRTCP_LEN: usize = 4;

impl Profile {
    /// Every profile of this crate.
    pub const ALL: [Self; 4] =
        [Self::AeadAes128Gcm, Self::AeadAes256Gcm, Self::Aes128CmHmacSha1_80, Self::Aes128CmHmacSha1_32];

    /// Its number in the DTLS-SRTP Protection Profiles registry.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Aes128CmHmacSha1_80 => 0x0001,
            Self::Aes128CmHmacSha1_32 => 0x0002,
            Self::AeadAes128Gcm => 0x0007,
            Self::AeadAes256Gcm => 0x0008,
        }
    }

    /// The profile with this number, when this crate has it.
    #[must_use]
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            0x0001 => Some(Self::Aes128CmHmacSha1_80),
            0x0002 => Some(Self::Aes128CmHmacSha1_32),
            0x0007 => Some(Self::AeadAes128Gcm),
            0x0008 => Some(Self::AeadAes256Gcm),
            _ => None,
        }
    }

    /// Its name in that registry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128CmHmacSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
            Self::Aes128CmHmacSha1_32 => "SRTP_AES128_CM_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
        }
    }

    /// Bytes of the master key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        self.cipher().key_len()
    }

    /// Bytes of the master salt.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 | Self::Aes128CmHmacSha1_32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    /// Bytes that DTLS has to export: both keys and both salts (RFC 5764 §4.2).
    #[must_use]
    pub const fn exported_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }

    /// Bytes that protection adds to an RTP packet: the tag.
    #[must_use]
    pub const fn rtp_overhead(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 => 10,
            Self::Aes128CmHmacSha1_32 => 4,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }

    /// Bytes that protection adds to an RTCP packet: the tag, the E flag and the index.
    #[must_use]
    pub const fn rtcp_overhead(self) -> usize {
        self.rtcp_tag_len() + ESRTCP_LEN
    }

    /// The larger of the two, for the arithmetic of packet sizes.
    #[must_use]
    pub const fn max_overhead(self) -> usize {
        // The tag of SRTCP is never shorter than that of SRTP.
        self.rtcp_overhead()
    }

    pub(crate) const fn rtcp_tag_len(self) -> usize {
        match self {
            // RFC 5764 §4.1.2: the short tag is for SRTP alone.
            Self::Aes128CmHmacSha1_80 | Self::Aes128CmHmacSha1_32 => 10,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }

    /// The AES that derives the session keys.
    pub(crate) const fn cipher(self) -> CipherId {
        match self {
            Self::Aes128CmHmacSha1_80 | Self::Aes128CmHmacSha1_32 | Self::AeadAes128Gcm => CipherId::Aes128,
            Self::AeadAes256Gcm => CipherId::Aes256,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_are_those_of_the_registry() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_number(profile.number()), Some(profile));
            assert!(profile.max_overhead() >= profile.rtp_overhead());
            assert!(profile.max_overhead() >= profile.rtcp_overhead());
        }
        assert_eq!((0..=u16::MAX).filter_map(Profile::from_number).count(), Profile::ALL.len());
        assert_eq!(Profile::Aes128CmHmacSha1_80.exported_len(), 60);
        assert_eq!(Profile::AeadAes128Gcm.exported_len(), 56);
        assert_eq!(Profile::AeadAes256Gcm.exported_len(), 88);
        assert_eq!(Profile::Aes128CmHmacSha1_32.rtp_overhead(), 4);
        assert_eq!(Profile::Aes128CmHmacSha1_32.rtcp_overhead(), 14);
        assert_eq!(Profile::AeadAes256Gcm.rtcp_overhead(), 20);
    }
}
