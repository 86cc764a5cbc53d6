//! Session keys from a master key (RFC 3711 §4.3, RFC 6188 §3), with a key derivation rate of zero.

use crate::{Profile, SetupError, key};
use crypto::{Provider, Secret, StreamKey};

/// What a derived key is for (RFC 3711 §4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// AES in counter mode as a pseudo-random function, keyed with the master key.
pub(crate) struct Kdf {
    prf: Box<dyn StreamKey>,
    /// The master salt times 2^16. The 96-bit salt of the AEAD profiles stands at the left of its 112 bits.
    salt: [u8; 16],
}

impl Kdf {
    pub(crate) fn new(
        provider: &Provider,
        profile: Profile,
        key: &[u8],
        salt: &[u8],
    ) -> Result<Self, SetupError> {
        key::check(profile, key, salt)?;
        let cipher = provider.stream_cipher(profile.cipher()).ok_or(SetupError::Unsupported)?;
        Ok(Self::from_prf(cipher.key(key).map_err(|_| SetupError::Unsupported)?, salt))
    }

    fn from_prf(prf: Box<dyn StreamKey>, salt: &[u8]) -> Self {
        let mut block = [0; 16];
        for (byte, salt) in block.iter_mut().zip(salt) {
            *byte = *salt;
        }
        Self { prf, salt: block }
    }

    /// The first `len` bytes of the key that `label` names.
    pub(crate) fn derive(&self, label: Label, len: usize) -> Secret {
        let mut iv = self.salt;
        // The label stands left of the 48-bit index, which a rate of zero makes zero.
        iv[7] ^= label as u8;
        let mut out = Secret::zeroed(len);
        self.prf.apply(&iv, out.as_mut_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::{CipherId, rustcrypto};

    fn kdf(cipher: CipherId, key: &[u8], salt: &[u8]) -> Kdf {
        let cipher = rustcrypto::provider().stream_cipher(cipher).unwrap();
        Kdf::from_prf(cipher.key(key).unwrap(), salt)
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn rfc3711_b3_aes_128() {
        let kdf = kdf(
            CipherId::Aes128,
            &hex("e1f97a0d3e018be0d64fa32c06de4139"),
            &hex("0ec675ad498afeebb6960b3aabe6"),
        );
        let derived = |label, len| kdf.derive(label, len).as_bytes().to_vec();
        assert_eq!(derived(Label::RtpEncryption, 16), hex("c61e7a93744f39ee10734afe3ff7a087"));
        assert_eq!(derived(Label::RtpSalt, 14), hex("30cbbc08863d8c85d49db34a9ae1"));
        let auth = hex("cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce\
                        e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25\
                        6d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2");
        assert_eq!(derived(Label::RtpAuthentication, 94), auth);
    }

    /// RFC 6188 §7.2.
    #[test]
    fn rfc6188_7_2_aes_256() {
        let kdf = kdf(
            CipherId::Aes256,
            &hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"),
            &hex("3b04803de51ee7c96423ab5b78d2"),
        );
        let derived = |label, len| kdf.derive(label, len).as_bytes().to_vec();
        let key = hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4");
        assert_eq!(derived(Label::RtpEncryption, 32), key);
        assert_eq!(derived(Label::RtpSalt, 14), hex("fa31791685ca444a9e07c6c64e93"));
        assert_eq!(derived(Label::RtpAuthentication, 20), hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"));
    }

    /// RFC 6188 §7.4.
    #[test]
    fn rfc6188_7_4_aes_192() {
        let kdf = kdf(
            CipherId::Aes192,
            &hex("73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1"),
            &hex("c8522f3acd4ce86d5add78edbb11"),
        );
        let derived = |label, len| kdf.derive(label, len).as_bytes().to_vec();
        let key = hex("31874736a8f1143870c26e4857d8a5b2c4a354407faadabb");
        assert_eq!(derived(Label::RtpEncryption, 24), key);
        assert_eq!(derived(Label::RtpSalt, 14), hex("2372b82d639b6d8503a47adc0a6c"));
        assert_eq!(derived(Label::RtpAuthentication, 20), hex("355b10973cd95b9eacf4061c7e1a7151e7cfbfcb"));
    }
}
