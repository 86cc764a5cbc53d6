//! The nonce cookie (RFC 8489 §9.2, §18.1).

#![deny(clippy::indexing_slicing)]

/// What a server that follows RFC 8489 says about itself at the front of its nonces.
///
/// It is there so that nobody on the path can take PASSWORD-ALGORITHMS out of an answer unseen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityFeatures(u32);

const PREFIX: &[u8] = b"obMatJos2";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl SecurityFeatures {
    /// No feature.
    pub const NONE: Self = Self(0);
    /// Bit 0: the server lists its algorithms in PASSWORD-ALGORITHMS.
    pub const PASSWORD_ALGORITHMS: Self = Self(1 << 23);
    /// Bit 1: the server takes USERHASH and wants it.
    pub const USERNAME_ANONYMITY: Self = Self(1 << 22);
    /// Bytes of a nonce cookie.
    pub const COOKIE_LEN: usize = 13;

    /// The features of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all features of `other` are here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Reads the cookie at the front of a nonce; `None` when there is none.
    #[must_use]
    pub fn from_nonce(nonce: &[u8]) -> Option<Self> {
        let digits = nonce.strip_prefix(PREFIX)?.first_chunk::<4>()?;
        let mut bits = 0;
        for digit in digits {
            bits = bits << 6 | ALPHABET.iter().position(|entry| entry == digit)? as u32;
        }
        Some(Self(bits))
    }

    /// The cookie, to be put in front of a nonce.
    #[must_use]
    pub fn cookie(self) -> [u8; Self::COOKIE_LEN] {
        let mut cookie = [0; Self::COOKIE_LEN];
        let digits = [18, 12, 6, 0].map(|shift| ALPHABET.get((self.0 >> shift & 0x3f) as usize).copied());
        let bytes = PREFIX.iter().copied().chain(digits.into_iter().flatten());
        for (slot, byte) in cookie.iter_mut().zip(bytes) {
            *slot = byte;
        }
        cookie
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stun_nonce_cookie_obmatjos2_feature_bits() {
        let both = SecurityFeatures::PASSWORD_ALGORITHMS.with(SecurityFeatures::USERNAME_ANONYMITY);
        for (features, cookie) in [
            (SecurityFeatures::NONE, b"obMatJos2AAAA"),
            (SecurityFeatures::PASSWORD_ALGORITHMS, b"obMatJos2gAAA"),
            (SecurityFeatures::USERNAME_ANONYMITY, b"obMatJos2QAAA"),
            (both, b"obMatJos2wAAA"),
        ] {
            assert_eq!(&features.cookie(), cookie);
            assert_eq!(SecurityFeatures::from_nonce(cookie), Some(features));
        }
        assert!(both.contains(SecurityFeatures::PASSWORD_ALGORITHMS));
        assert!(!SecurityFeatures::NONE.contains(SecurityFeatures::PASSWORD_ALGORITHMS));
        let other = SecurityFeatures::from_nonce(b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA");
        assert_eq!(other, Some(SecurityFeatures(2)));
        for nonce in [&b""[..], b"obMatJos2", b"obMatJos2AAA", b"obMatJos2A*AA", b"obmatjos2AAAA"] {
            assert_eq!(SecurityFeatures::from_nonce(nonce), None);
        }
    }
}
