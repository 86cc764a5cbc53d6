//! X25519 over `x25519-dalek`, ECDH on P-256 over `p256`.

use super::sign::generate_p256;
use crate::{ActiveKeyExchange, CryptoError, Group, KeyExchange, Random, Secret};
use p256::elliptic_curve::sec1::ToSec1Point;
use std::fmt;
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

/// Every group of this back end, the most preferred first.
pub(super) const ALL: &[&dyn KeyExchange] = &[&X25519, &Secp256r1];

#[derive(Debug)]
struct X25519;

impl KeyExchange for X25519 {
    fn group(&self) -> Group {
        Group::X25519
    }

    fn start(&self, rng: &mut dyn Random) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        let mut scalar = Zeroizing::new([0; 32]);
        rng.fill(&mut *scalar);
        // Every 32-byte string is a scalar: the multiplication clamps it (RFC 7748 §5).
        let secret = StaticSecret::from(*scalar);
        let public = x25519_dalek::PublicKey::from(&secret);
        Ok(Box::new(X25519Pair { secret, public }))
    }
}

struct X25519Pair {
    secret: StaticSecret,
    public: x25519_dalek::PublicKey,
}

impl ActiveKeyExchange for X25519Pair {
    fn group(&self) -> Group {
        Group::X25519
    }

    fn public_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn complete(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        let peer = <[u8; 32]>::try_from(peer).map_err(|_| CryptoError::InvalidPublicKey)?;
        let shared = self.secret.diffie_hellman(&peer.into());
        // RFC 7748 §6.1: a point of small order gives zero, whatever our key is.
        if !shared.was_contributory() {
            return Err(CryptoError::InvalidPublicKey);
        }
        Ok(shared.as_bytes()[..].into())
    }
}

impl fmt::Debug for X25519Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActiveKeyExchange(X25519)")
    }
}

/// Length of an uncompressed point: the form byte and two coordinates.
const POINT_LEN: usize = 65;

/// The form byte of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

#[derive(Debug)]
struct Secp256r1;

impl KeyExchange for Secp256r1 {
    fn group(&self) -> Group {
        Group::Secp256r1
    }

    fn start(&self, rng: &mut dyn Random) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        let secret = generate_p256(rng)?;
        let public = secret.public_key().to_sec1_point(false);
        let public = public
            .as_bytes()
            .try_into()
            .expect("invariant: an uncompressed point that is not the identity has 65 bytes");
        Ok(Box::new(Secp256r1Pair { secret, public }))
    }
}

struct Secp256r1Pair {
    secret: p256::SecretKey,
    public: [u8; POINT_LEN],
}

impl ActiveKeyExchange for Secp256r1Pair {
    fn group(&self) -> Group {
        Group::Secp256r1
    }

    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn complete(self: Box<Self>, peer: &[u8]) -> Result<Secret, CryptoError> {
        // RFC 8422 §5.4.1: no other form is offered, so none is taken.
        if peer.len() != POINT_LEN || peer.first() != Some(&UNCOMPRESSED) {
            return Err(CryptoError::InvalidPublicKey);
        }
        // Checks that the point is on the curve; the cofactor is 1, so it is then of full order.
        let peer = p256::PublicKey::from_sec1_bytes(peer).map_err(|_| CryptoError::InvalidPublicKey)?;
        Ok(self.secret.diffie_hellman(&peer).raw_secret_bytes()[..].into())
    }
}

impl fmt::Debug for Secp256r1Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActiveKeyExchange(Secp256r1)")
    }
}
