//! The session keys of one master key, and what they do to a packet.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod aes_cm_sha1;
mod aes_gcm;
#[cfg(test)]
mod tests;

use crate::header::RtpHeader;
use crate::kdf::Kdf;
use crate::{Profile, SetupError, Ssrc};
use aes_cm_sha1::AesCmSha1;
use aes_gcm::AesGcm;
use crypto::{AuthError, Provider};
use std::fmt;

/// Two families of transforms, told apart once per packet without a virtual call.
pub(crate) enum Suite {
    AesCmSha1(AesCmSha1),
    AesGcm(AesGcm),
}

/// Whether an SRTCP packet is encrypted: the E flag (RFC 3711 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    Clear,
    Encrypted,
}

const E_FLAG: u32 = 1 << 31;

/// The E flag and the index of an SRTCP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RtcpIndex {
    pub(crate) encryption: Encryption,
    pub(crate) index: u32,
}

impl RtcpIndex {
    pub(crate) fn from_word(word: [u8; 4]) -> Self {
        let word = u32::from_be_bytes(word);
        let encryption = if word & E_FLAG == 0 { Encryption::Clear } else { Encryption::Encrypted };
        Self { encryption, index: word & !E_FLAG }
    }

    pub(crate) fn to_word(self) -> [u8; 4] {
        let flag = if self.encryption == Encryption::Encrypted { E_FLAG } else { 0 };
        (self.index | flag).to_be_bytes()
    }
}

impl Suite {
    pub(crate) fn new(
        provider: &Provider,
        profile: Profile,
        key: &[u8],
        salt: &[u8],
    ) -> Result<Self, SetupError> {
        let kdf = Kdf::new(provider, profile, key, salt)?;
        Ok(match profile {
            Profile::Aes128CmHmacSha1_80 | Profile::Aes128CmHmacSha1_32 => {
                Self::AesCmSha1(AesCmSha1::derive(provider, profile, &kdf)?)
            }
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => {
                Self::AesGcm(AesGcm::derive(provider, profile, &kdf)?)
            }
        })
    }

    /// Encrypts a packet that ends with room for the tag, and fills the tag in.
    pub(crate) fn seal_rtp(&self, header: RtpHeader, index: u64, packet: &mut [u8]) {
        match self {
            Self::AesCmSha1(suite) => suite.seal_rtp(header, index, packet),
            Self::AesGcm(suite) => suite.seal_rtp(header, index, packet),
        }
    }

    /// Checks and decrypts a packet that ends with its tag.
    pub(crate) fn open_rtp(&self, header: RtpHeader, index: u64, packet: &mut [u8]) -> Result<(), AuthError> {
        match self {
            Self::AesCmSha1(suite) => suite.open_rtp(header, index, packet),
            Self::AesGcm(suite) => suite.open_rtp(header, index, packet),
        }
    }

    /// Encrypts a packet that ends with room for the tag and the index, and fills both in.
    pub(crate) fn seal_rtcp(&self, sender: Ssrc, index: RtcpIndex, packet: &mut [u8]) {
        match self {
            Self::AesCmSha1(suite) => suite.seal_rtcp(sender, index, packet),
            Self::AesGcm(suite) => suite.seal_rtcp(sender, index, packet),
        }
    }

    /// The E flag and the index; `None` when the packet is too short to have them.
    pub(crate) fn rtcp_index(&self, packet: &[u8]) -> Option<RtcpIndex> {
        let word = match self {
            Self::AesCmSha1(suite) => suite.index_word(packet),
            Self::AesGcm(_) => packet.last_chunk().copied(),
        };
        word.map(RtcpIndex::from_word)
    }

    /// Checks and decrypts a packet that ends with its tag and index.
    pub(crate) fn open_rtcp(
        &self,
        sender: Ssrc,
        index: RtcpIndex,
        packet: &mut [u8],
    ) -> Result<(), AuthError> {
        match self {
            Self::AesCmSha1(suite) => suite.open_rtcp(sender, index, packet),
            Self::AesGcm(suite) => suite.open_rtcp(sender, index, packet),
        }
    }

    /// Whether a packet is as it was after `open_rtp` has refused it, so that another index can be tried.
    pub(crate) fn keeps_refused_packets(&self) -> bool {
        // HMAC is checked before anything is decrypted; an AEAD may do both at once.
        matches!(self, Self::AesCmSha1(_))
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AesCmSha1(_) => "AesCmSha1",
            Self::AesGcm(_) => "AesGcm",
        })
    }
}
