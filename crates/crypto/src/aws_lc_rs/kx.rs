//! X25519, and ECDH on P-256.

use crate::{ActiveKeyExchange, CryptoError, Group, KeyExchange, Random, Secret};
use ::aws_lc_rs::agreement::{self, PrivateKey, PublicKey, UnparsedPublicKey};
use std::fmt;
use zeroize::Zeroizing;

/// Every group of this back end, the most preferred first.
pub(super) const ALL: &[&dyn KeyExchange] = &[
    &Curve { group: Group::X25519, algorithm: &agreement::X25519, public_len: 32 },
    &Curve { group: Group::Secp256r1, algorithm: &agreement::ECDH_P256, public_len: 65 },
];

/// The form byte of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

/// Draws a private key. One draw in 2^32 is no scalar of P-256; a source that fails this often is broken.
pub(super) fn draw(
    algorithm: &'static agreement::Algorithm,
    rng: &mut dyn Random,
) -> Result<(Zeroizing<[u8; 32]>, PrivateKey, PublicKey), CryptoError> {
    const ATTEMPTS: usize = 16;
    let mut scalar = Zeroizing::new([0; 32]);
    for _ in 0..ATTEMPTS {
        rng.fill(&mut *scalar);
        if let Ok(private) = PrivateKey::from_private_key(algorithm, &*scalar)
            && let Ok(public) = private.compute_public_key()
        {
            return Ok((scalar, private, public));
        }
    }
    Err(CryptoError::Random)
}

struct Curve {
    group: Group,
    algorithm: &'static agreement::Algorithm,
    /// Bytes of a public key; those of P-256 are uncompressed points.
    public_len: usize,
}

impl KeyExchange for Curve {
    fn group(&self) -> Group {
        self.group
    }

    fn start(&self, rng: &mut dyn Random) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        let (_, private, public) = draw(self.algorithm, rng)?;
        Ok(Box::new(Pair { group: self.group, public_len: self.public_len, private, public }))
    }
}

impl fmt::Debug for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyExchange({:?})", self.group)
    }
}

struct Pair {
    group: Group,
    public_len: usize,
    private: PrivateKey,
    public: PublicKey,
}

impl ActiveKeyExchange for Pair {
    fn group(&self) -> Group {
        self.group
    }

    fn public_key(&self) -> &[u8] {
        self.public.as_ref()
    }

    fn complete(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        // The library also reads other forms of a point; none is offered, so none is taken (RFC 8422 §5.4.1).
        let is_form = self.group == Group::X25519 || peer.first() == Some(&UNCOMPRESSED);
        if peer.len() != self.public_len || !is_form {
            return Err(CryptoError::InvalidPublicKey);
        }
        // Checks that a point is on the curve, and that the output of X25519 is not zero (RFC 7748 §6.1).
        let peer = UnparsedPublicKey::new(self.private.algorithm(), peer);
        agreement::agree(&self.private, peer, CryptoError::InvalidPublicKey, |secret| Ok(secret.into()))
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActiveKeyExchange({:?})", self.group)
    }
}
