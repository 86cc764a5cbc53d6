//! AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1).

use super::{Encryption, RtcpIndex};
use crate::header::{RTCP_HEADER_LEN, RtpHeader};
use crate::index::rollover;
use crate::kdf::{Kdf, Label};
use crate::{Profile, SetupError, Ssrc};
use crypto::{AuthError, MacId, MacKey, Provider, Secret, StreamKey};

/// RFC 3711 §5.2: the session authentication key has 160 bits.
const AUTH_KEY_LEN: usize = 20;

/// RFC 3711 §5.1: the session salt has 112 bits.
const SALT_LEN: usize = 14;

pub(crate) struct AesCmSha1 {
    rtp: Keys,
    rtcp: Keys,
    rtp_tag_len: usize,
    rtcp_tag_len: usize,
}

struct Keys {
    cipher: Box<dyn StreamKey>,
    mac: Box<dyn MacKey>,
    /// The session salt times 2^16.
    salt: [u8; 16],
}

impl AesCmSha1 {
    pub(super) fn derive(provider: &Provider, profile: Profile, kdf: &Kdf) -> Result<Self, SetupError> {
        let keys = |cipher, mac, salt| {
            Keys::new(
                provider,
                profile,
                &kdf.derive(cipher, profile.key_len()),
                &kdf.derive(mac, AUTH_KEY_LEN),
                &kdf.derive(salt, SALT_LEN),
            )
        };
        Ok(Self {
            rtp: keys(Label::RtpEncryption, Label::RtpAuthentication, Label::RtpSalt)?,
            rtcp: keys(Label::RtcpEncryption, Label::RtcpAuthentication, Label::RtcpSalt)?,
            rtp_tag_len: profile.rtp_overhead(),
            rtcp_tag_len: profile.rtcp_tag_len(),
        })
    }

    pub(super) fn seal_rtp(&self, header: RtpHeader, index: u64, packet: &mut [u8]) {
        let (body, tag) = packet.split_at_mut(packet.len().saturating_sub(self.rtp_tag_len));
        let (_, payload) = body.split_at_mut(header.len);
        self.rtp.cipher.apply(&self.rtp.iv(header.ssrc, index), payload);
        self.rtp.mac.sign(&[body, &rollover(index).to_be_bytes()], tag);
    }

    pub(super) fn open_rtp(&self, header: RtpHeader, index: u64, packet: &mut [u8]) -> Result<(), AuthError> {
        let (body, tag) = cut(packet, self.rtp_tag_len)?;
        self.rtp.mac.verify(&[body, &rollover(index).to_be_bytes()], tag)?;
        let (_, payload) = body.split_at_mut_checked(header.len).ok_or(AuthError)?;
        self.rtp.cipher.apply(&self.rtp.iv(header.ssrc, index), payload);
        Ok(())
    }

    //  | header | encrypted | E, index | tag |
    //  |<----- authenticated -------->|
    pub(super) fn seal_rtcp(&self, sender: Ssrc, index: RtcpIndex, packet: &mut [u8]) {
        let (body, tag) = packet.split_at_mut(packet.len().saturating_sub(self.rtcp_tag_len));
        let (report, word) = body.split_at_mut(body.len().saturating_sub(4));
        word.copy_from_slice(&index.to_word());
        if index.encryption == Encryption::Encrypted {
            let (_, payload) = report.split_at_mut(RTCP_HEADER_LEN);
            self.rtcp.cipher.apply(&self.rtcp.iv(sender, u64::from(index.index)), payload);
        }
        self.rtcp.mac.sign(&[body], tag);
    }

    pub(super) fn index_word(&self, packet: &[u8]) -> Option<[u8; 4]> {
        let (body, _) = packet.split_at_checked(packet.len().checked_sub(self.rtcp_tag_len)?)?;
        body.last_chunk().copied()
    }

    pub(super) fn open_rtcp(
        &self,
        sender: Ssrc,
        index: RtcpIndex,
        packet: &mut [u8],
    ) -> Result<(), AuthError> {
        let (body, tag) = cut(packet, self.rtcp_tag_len)?;
        self.rtcp.mac.verify(&[body], tag)?;
        let (report, _) = cut(body, 4)?;
        let (_, payload) = report.split_at_mut_checked(RTCP_HEADER_LEN).ok_or(AuthError)?;
        if index.encryption == Encryption::Encrypted {
            self.rtcp.cipher.apply(&self.rtcp.iv(sender, u64::from(index.index)), payload);
        }
        Ok(())
    }
}

impl Keys {
    fn new(
        provider: &Provider,
        profile: Profile,
        cipher: &Secret,
        mac: &Secret,
        salt: &Secret,
    ) -> Result<Self, SetupError> {
        let aes = provider.stream_cipher(profile.cipher()).ok_or(SetupError::Unsupported)?;
        let hmac = provider.mac(MacId::HmacSha1).ok_or(SetupError::Unsupported)?;
        let mut shifted = [0; 16];
        for (byte, salt) in shifted.iter_mut().zip(salt.as_bytes()) {
            *byte = *salt;
        }
        Ok(Self {
            cipher: aes.key(cipher.as_bytes()).map_err(|_| SetupError::Unsupported)?,
            mac: hmac.key(mac.as_bytes()),
            salt: shifted,
        })
    }

    /// RFC 3711 §4.1.1: IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16).
    fn iv(&self, Ssrc(ssrc): Ssrc, index: u64) -> [u8; 16] {
        let varying = u128::from(ssrc) << 64 | u128::from(index) << 16;
        (u128::from_be_bytes(self.salt) ^ varying).to_be_bytes()
    }
}

/// Takes the last `len` bytes off.
fn cut(packet: &mut [u8], len: usize) -> Result<(&mut [u8], &mut [u8]), AuthError> {
    let at = packet.len().checked_sub(len).ok_or(AuthError)?;
    packet.split_at_mut_checked(at).ok_or(AuthError)
}

#[cfg(test)]
impl AesCmSha1 {
    /// From session keys, as in the examples of the RFCs.
    pub(super) fn key_stream(provider: &Provider, key: &[u8], salt: &[u8], index: u64, out: &mut [u8]) {
        let profile = Profile::Aes128CmHmacSha1_80;
        let keys = Keys::new(provider, profile, &key.into(), &[0; 20][..].into(), &salt.into());
        let keys = keys.unwrap_or_else(|error| panic!("{error}"));
        keys.cipher.apply(&keys.iv(Ssrc(0), index), out);
    }
}
