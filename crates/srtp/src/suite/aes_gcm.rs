//! AES-GCM (RFC 7714).

use super::{Encryption, RtcpIndex};
use crate::header::{RTCP_HEADER_LEN, RtpHeader};
use crate::kdf::{Kdf, Label};
use crate::{Profile, SetupError, Ssrc};
use crypto::{AeadId, AeadKey, AuthError, Provider, Secret};

const TAG_LEN: usize = 16;
const SALT_LEN: usize = 12;

pub(crate) struct AesGcm {
    rtp: Keys,
    rtcp: Keys,
}

struct Keys {
    cipher: Box<dyn AeadKey>,
    salt: [u8; SALT_LEN],
}

impl AesGcm {
    pub(super) fn derive(provider: &Provider, profile: Profile, kdf: &Kdf) -> Result<Self, SetupError> {
        let keys = |cipher, salt| {
            Keys::new(provider, profile, &kdf.derive(cipher, profile.key_len()), &kdf.derive(salt, SALT_LEN))
        };
        Ok(Self {
            rtp: keys(Label::RtpEncryption, Label::RtpSalt)?,
            rtcp: keys(Label::RtcpEncryption, Label::RtcpSalt)?,
        })
    }

    //  | header (associated) | ciphertext | tag |
    pub(super) fn seal_rtp(&self, header: RtpHeader, index: u64, packet: &mut [u8]) {
        let nonce = self.rtp.nonce(header.ssrc, index);
        let (aad, rest) = packet.split_at_mut(header.len);
        let (payload, room) = rest.split_at_mut(rest.len().saturating_sub(TAG_LEN));
        let mut tag = [0; TAG_LEN];
        self.rtp.cipher.seal(&nonce, aad, payload, &mut tag);
        room.copy_from_slice(&tag);
    }

    pub(super) fn open_rtp(&self, header: RtpHeader, index: u64, packet: &mut [u8]) -> Result<(), AuthError> {
        let nonce = self.rtp.nonce(header.ssrc, index);
        let (aad, rest) = packet.split_at_mut_checked(header.len).ok_or(AuthError)?;
        let (payload, tag) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or(AuthError)?;
        self.rtp.cipher.open(&nonce, aad, payload, tag)
    }

    //  E = 1:  | header (associated) | ciphertext | tag | E, index (associated) |
    //  E = 0:  |     report (associated)          | tag | E, index (associated) |
    pub(super) fn seal_rtcp(&self, sender: Ssrc, index: RtcpIndex, packet: &mut [u8]) {
        let nonce = self.rtcp.nonce(sender, u64::from(index.index));
        let word = index.to_word();
        let end = packet.len().saturating_sub(TAG_LEN.saturating_add(word.len()));
        let mut tag = [0; TAG_LEN];
        match index.encryption {
            Encryption::Encrypted => {
                let (report, _) = packet.split_at_mut(end);
                let (header, payload) = report.split_at_mut(RTCP_HEADER_LEN);
                self.rtcp.cipher.seal(&nonce, &associated(header, word), payload, &mut tag);
            }
            Encryption::Clear => {
                // The associated data has to be in one piece: the index stands where the tag will be.
                let (aad, _) = packet.split_at_mut(end.saturating_add(word.len()));
                if let Some(place) = aad.last_chunk_mut::<4>() {
                    *place = word;
                }
                self.rtcp.cipher.seal(&nonce, aad, &mut [], &mut tag);
            }
        }
        let (_, trailer) = packet.split_at_mut(end);
        for (place, byte) in trailer.iter_mut().zip(tag.into_iter().chain(word)) {
            *place = byte;
        }
    }

    pub(super) fn open_rtcp(
        &self,
        sender: Ssrc,
        index: RtcpIndex,
        packet: &mut [u8],
    ) -> Result<(), AuthError> {
        let nonce = self.rtcp.nonce(sender, u64::from(index.index));
        let (rest, word) = packet.split_last_chunk_mut::<4>().ok_or(AuthError)?;
        let word = *word;
        let (report, tag) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or(AuthError)?;
        let tag = *tag;
        match index.encryption {
            Encryption::Encrypted => {
                let (header, payload) = report.split_at_mut_checked(RTCP_HEADER_LEN).ok_or(AuthError)?;
                self.rtcp.cipher.open(&nonce, &associated(header, word), payload, &tag)
            }
            Encryption::Clear => {
                // The associated data has to be in one piece: the index moves to where the tag was.
                let at = report.len();
                let aad = packet.get_mut(..at.saturating_add(word.len())).ok_or(AuthError)?;
                let (_, place) = aad.split_last_chunk_mut::<4>().ok_or(AuthError)?;
                *place = word;
                self.rtcp.cipher.open(&nonce, aad, &mut [], &tag)
            }
        }
    }
}

impl Keys {
    fn new(provider: &Provider, profile: Profile, key: &Secret, salt: &Secret) -> Result<Self, SetupError> {
        let id = match profile.key_len() {
            16 => AeadId::Aes128Gcm,
            _ => AeadId::Aes256Gcm,
        };
        let aead = provider.aead(id).ok_or(SetupError::Unsupported)?;
        let salt = salt.as_bytes();
        Ok(Self {
            cipher: aead.key(key.as_bytes()).map_err(|_| SetupError::Unsupported)?,
            salt: salt
                .try_into()
                .map_err(|_| SetupError::SaltLength { expected: SALT_LEN, actual: salt.len() })?,
        })
    }

    /// RFC 7714 §8.1 and §9.1: two zero bytes, the SSRC, and the index in 48 bits, XOR the salt.
    ///
    /// The roll-over counter and the sequence number are the index; so are the two zero bytes and the SRTCP index.
    fn nonce(&self, Ssrc(ssrc): Ssrc, index: u64) -> [u8; SALT_LEN] {
        let varying = (u128::from(ssrc) << 48 | u128::from(index)).to_be_bytes();
        let mut nonce = self.salt;
        for (byte, varying) in nonce.iter_mut().zip(varying.iter().skip(16 - SALT_LEN)) {
            *byte ^= varying;
        }
        nonce
    }
}

/// The associated data of an encrypted SRTCP packet (RFC 7714 §9.2).
fn associated(header: &[u8], word: [u8; 4]) -> [u8; RTCP_HEADER_LEN + 4] {
    let mut aad = [0; RTCP_HEADER_LEN + 4];
    for (byte, value) in aad.iter_mut().zip(header.iter().chain(&word)) {
        *byte = *value;
    }
    aad
}

#[cfg(test)]
impl AesGcm {
    /// From session keys, as in the examples of RFC 7714.
    pub(super) fn from_session_keys(provider: &Provider, profile: Profile, key: &[u8], salt: &[u8]) -> Self {
        let keys = || {
            let keys = Keys::new(provider, profile, &key.into(), &salt.into());
            keys.unwrap_or_else(|error| panic!("{error}"))
        };
        Self { rtp: keys(), rtcp: keys() }
    }
}
