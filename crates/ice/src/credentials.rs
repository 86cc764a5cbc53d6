//! The username fragment and password of one side (RFC 8445 §5.3, RFC 8839 §5.4).

use crypto::Random;
use std::fmt;

/// The 64 characters of `ice-char`.
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Characters of a generated username fragment: 48 bits, twice what RFC 8445 §5.3 asks for.
const UFRAG_LEN: usize = 8;

/// Characters of a generated password: 144 bits, more than the 128 of RFC 8445 §5.3.
const PWD_LEN: usize = 24;

/// The username fragment and password of one side of one generation.
///
/// `Debug` shows the fragment, which travels in clear anyway, and never the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    ufrag: String,
    pwd: String,
}

impl Credentials {
    /// Takes signalled credentials.
    ///
    /// Besides `ice-char` the characters `-`, `=`, `#` and `_` are accepted, because deployed peers send them.
    ///
    /// # Errors
    /// [`CredentialsError`] when a length or a character is outside RFC 8839 §5.4.
    pub fn new(ufrag: impl Into<String>, pwd: impl Into<String>) -> Result<Self, CredentialsError> {
        let (ufrag, pwd) = (ufrag.into(), pwd.into());
        if !(4..=256).contains(&ufrag.len()) {
            return Err(CredentialsError::UfragLength { actual: ufrag.len() });
        }
        if !(22..=256).contains(&pwd.len()) {
            return Err(CredentialsError::PwdLength { actual: pwd.len() });
        }
        if !ufrag.bytes().chain(pwd.bytes()).all(is_credential_char) {
            return Err(CredentialsError::Character);
        }
        Ok(Self { ufrag, pwd })
    }

    /// Makes fresh ones.
    #[must_use]
    pub fn generate(rng: &mut dyn Random) -> Self {
        Self { ufrag: ice_string::<UFRAG_LEN>(rng), pwd: ice_string::<PWD_LEN>(rng) }
    }

    /// The username fragment.
    #[must_use]
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The password.
    #[must_use]
    pub fn pwd(&self) -> &str {
        &self.pwd
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

/// Why [`Credentials::new`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A character that neither RFC 8839 nor deployed peers use.
    Character,
    /// The password is not 22 to 256 characters long.
    PwdLength {
        /// Its length in bytes.
        actual: usize,
    },
    /// The username fragment is not 4 to 256 characters long.
    UfragLength {
        /// Its length in bytes.
        actual: usize,
    },
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character => f.write_str("a character is not allowed in ICE credentials"),
            Self::PwdLength { actual } => write!(f, "the password has {actual} characters, not 22 to 256"),
            Self::UfragLength { actual } => {
                write!(f, "the username fragment has {actual} characters, not 4 to 256")
            }
        }
    }
}

impl std::error::Error for CredentialsError {}

/// Whether `byte` is an `ice-char` of RFC 8839 §5.1.
pub(crate) fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

fn is_credential_char(byte: u8) -> bool {
    is_ice_char(byte) || matches!(byte, b'-' | b'=' | b'#' | b'_')
}

fn ice_string<const N: usize>(rng: &mut dyn Random) -> String {
    let bytes: [u8; N] = rng.bytes();
    bytes.iter().filter_map(|byte| ICE_CHARS.get(usize::from(byte & 63))).copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Count(u8);

    impl Random for Count {
        fn fill(&mut self, out: &mut [u8]) {
            for byte in out {
                self.0 = self.0.wrapping_add(37);
                *byte = self.0;
            }
        }
    }

    /// T-I06: lengths carry the required entropy, and two agents share nothing.
    #[test]
    fn t_i06_generated_credentials_are_long_enough() {
        let mine = Credentials::generate(&mut Count(1));
        let yours = Credentials::generate(&mut Count(2));
        assert!(mine.ufrag().len() * 6 >= 24 && mine.pwd().len() * 6 >= 128);
        assert!(Credentials::new(mine.ufrag(), mine.pwd()).is_ok());
        assert_ne!(mine.ufrag(), yours.ufrag());
        assert_ne!(mine.pwd(), yours.pwd());
        assert!(!format!("{mine:?}").contains(mine.pwd()));
    }

    #[test]
    fn lengths_and_characters_are_checked() {
        let pwd = "a".repeat(22);
        assert_eq!(Credentials::new("abc", &pwd), Err(CredentialsError::UfragLength { actual: 3 }));
        assert_eq!(
            Credentials::new("a".repeat(257), &pwd),
            Err(CredentialsError::UfragLength { actual: 257 })
        );
        assert_eq!(Credentials::new("abcd", "a".repeat(21)), Err(CredentialsError::PwdLength { actual: 21 }));
        assert_eq!(Credentials::new("ab:d", &pwd), Err(CredentialsError::Character));
        assert_eq!(Credentials::new("abcd", format!("{pwd} ")), Err(CredentialsError::Character));
        assert!(Credentials::new("a-_=", pwd).is_ok());
    }
}
