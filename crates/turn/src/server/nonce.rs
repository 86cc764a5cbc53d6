//! Nonces that need no memory: a time, and a proof that it was given to this client (RFC 8489 §9.2.4).

#![deny(clippy::indexing_slicing)]

use super::{ServerConfig, ServerConfigError};
use crypto::{MacId, MacKey, Provider, Random, Secret};
use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use stun::auth::SecurityFeatures;

const TIME_LEN: usize = 4;
const PROOF_LEN: usize = 13;
/// Four characters per three bytes, without padding.
const TEXT_LEN: usize = ((TIME_LEN + PROOF_LEN) * 4).div_ceil(3);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Makes and checks nonces: `cookie || base64url(seconds || HMAC(seconds, client))`, 36 characters.
#[derive(Debug)]
pub(super) struct Nonces {
    mac: Box<dyn MacKey>,
    start: Instant,
    lifetime: Duration,
    features: SecurityFeatures,
}

pub(super) struct Nonce([u8; SecurityFeatures::COOKIE_LEN + TEXT_LEN]);

impl Nonce {
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Nonces {
    pub(super) fn new(
        provider: &Provider,
        rng: &mut dyn Random,
        now: Instant,
        config: &ServerConfig,
    ) -> Result<Self, ServerConfigError> {
        let mac = provider.mac(MacId::HmacSha256).ok_or(ServerConfigError::Crypto)?;
        let mut secret = Secret::zeroed(32);
        rng.fill(secret.as_mut_bytes());
        let features = match config.passwords.algorithms() {
            Some(_) => SecurityFeatures::PASSWORD_ALGORITHMS,
            None => SecurityFeatures::NONE,
        };
        Ok(Self { mac: mac.key(secret.as_bytes()), start: now, lifetime: config.nonce_lifetime, features })
    }

    //= rfc8489 §9.2.4
    //# The server MUST NOT choose the
    //# same NONCE for two requests unless they have the same source IP
    //# address and port.
    pub(super) fn issue(&self, now: Instant, client: SocketAddr) -> Nonce {
        let time = self.seconds(now).to_be_bytes();
        let mut bytes = [0; TIME_LEN + PROOF_LEN];
        let (front, proof) = bytes.split_at_mut(TIME_LEN);
        front.copy_from_slice(&time);
        proof.copy_from_slice(&self.proof(time, client));
        let cookie = self.features.cookie();
        let mut nonce = Nonce([0; SecurityFeatures::COOKIE_LEN + TEXT_LEN]);
        let text = cookie.into_iter().chain(encode(&bytes));
        for (slot, character) in nonce.0.iter_mut().zip(text) {
            *slot = character;
        }
        nonce
    }

    /// Whether we gave this nonce to this client, not too long ago.
    pub(super) fn is_fresh(&self, now: Instant, client: SocketAddr, nonce: &[u8]) -> bool {
        let Some(text) = nonce.strip_prefix(&self.features.cookie()) else { return false };
        let Some(bytes) = decode(text) else { return false };
        let Some((time, proof)) = bytes.split_first_chunk::<TIME_LEN>() else { return false };
        let (port, address) = client_bytes(client);
        if self.mac.verify(&[b"nonce", time, &port, &address], proof).is_err() {
            return false;
        }
        let age = u64::from(self.seconds(now)).checked_sub(u64::from(u32::from_be_bytes(*time)));
        age.is_some_and(|age| age < self.lifetime.as_secs())
    }

    fn proof(&self, time: [u8; TIME_LEN], client: SocketAddr) -> [u8; PROOF_LEN] {
        let mut proof = [0; PROOF_LEN];
        let (port, address) = client_bytes(client);
        self.mac.sign(&[b"nonce", &time, &port, &address], &mut proof);
        proof
    }

    fn seconds(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.start).as_secs() as u32
    }
}

fn client_bytes(client: SocketAddr) -> ([u8; 2], [u8; 16]) {
    let ip = match client.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    (client.port().to_be_bytes(), ip.octets())
}

fn encode(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    bytes.chunks(3).flat_map(|chunk| {
        let mut word = [0; 4];
        for (slot, byte) in word.iter_mut().skip(1).zip(chunk) {
            *slot = *byte;
        }
        let word = u32::from_be_bytes(word);
        let digits = [18, 12, 6, 0].map(|shift| ALPHABET.get((word >> shift & 0x3f) as usize).copied());
        digits.into_iter().flatten().take(chunk.len() + 1)
    })
}

fn decode(text: &[u8]) -> Option<[u8; TIME_LEN + PROOF_LEN]> {
    if text.len() != TEXT_LEN {
        return None;
    }
    let mut bytes = [0; TIME_LEN + PROOF_LEN];
    for (quad, slots) in text.chunks(4).zip(bytes.chunks_mut(3)) {
        let mut word = 0_u32;
        for position in 0..4 {
            let digit = match quad.get(position) {
                Some(character) => ALPHABET.iter().position(|entry| entry == character)?,
                None => 0,
            };
            word = word << 6 | digit as u32;
        }
        for (slot, byte) in slots.iter_mut().zip(word.to_be_bytes().into_iter().skip(1)) {
            *slot = byte;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let mut bytes = [0; TIME_LEN + PROOF_LEN];
        for seed in 0..=255_u8 {
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte = seed.wrapping_mul(31).wrapping_add(at as u8 * 7);
            }
            let text: Vec<u8> = encode(&bytes).collect();
            assert_eq!(text.len(), TEXT_LEN);
            assert_eq!(decode(&text), Some(bytes));
        }
        assert_eq!(decode(&[b'A'; TEXT_LEN - 1]), None);
        assert_eq!(decode(&[b'*'; TEXT_LEN]), None);
        assert_eq!(SecurityFeatures::COOKIE_LEN + TEXT_LEN, 36, "fills words without padding");
    }
}
