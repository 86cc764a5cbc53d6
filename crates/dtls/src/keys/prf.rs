//! The pseudorandom function with SHA-256 (RFC 5246 §5), which both cipher suites use (RFC 5289 §3).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crypto::{CryptoError, MacId, Provider};

/// Bytes of HMAC-SHA256.
const MAC_LEN: usize = 32;

/// Fills `out` with PRF(secret, label, seed), the seed given in parts.
pub(crate) fn prf(
    provider: &Provider,
    secret: &[u8],
    label: &[u8],
    seed: &[&[u8]],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    let mac = provider.mac(MacId::HmacSha256).ok_or(CryptoError::Unsupported)?.key(secret);
    let mut parts: Vec<&[u8]> = Vec::with_capacity(seed.len() + 2);
    parts.push(label);
    parts.extend_from_slice(seed);
    // A(0) = seed, A(i) = HMAC(secret, A(i - 1)); the output is HMAC(secret, A(i) + seed) for i = 1, 2, …
    let mut a = [0; MAC_LEN];
    mac.sign(&parts, &mut a);
    for chunk in out.chunks_mut(MAC_LEN) {
        let mut block = [0; MAC_LEN];
        let mut input: Vec<&[u8]> = Vec::with_capacity(parts.len() + 1);
        input.push(&a);
        input.extend_from_slice(&parts);
        mac.sign(&input, &mut block);
        for (to, from) in chunk.iter_mut().zip(block) {
            *to = from;
        }
        let previous = a;
        mac.sign(&[&previous], &mut a);
    }
    Ok(())
}

#[cfg(test)]
#[cfg(feature = "rustcrypto")]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// The test vector for P_SHA256 that the TLS working group published on its list in 2009.
    #[test]
    fn known_answer() {
        let secret = hex("9b be 43 6b a9 40 f0 17 b1 76 52 84 9a 71 db 35");
        let seed = hex("a0 ba 9f 93 6c da 31 18 27 a6 f7 96 ff d5 19 8c");
        let mut out = [0; 100];
        prf(&crypto::rustcrypto::provider(), &secret, b"test label", &[&seed], &mut out).unwrap();
        let expected = hex(
            "e3 f2 29 ba 72 7b e1 7b 8d 12 26 20 55 7c d4 53 c2 aa b2 1d 07 c3 d4 95 32 9b 52 d4 e6 1e db 5a
             6b 30 17 91 e9 0d 35 c9 c9 a4 6b 4e 14 ba f9 af 0f a0 22 f7 07 7d ef 17 ab fd 37 97 c0 56 4b ab
             4f bc 91 66 6e 9d ef 9b 97 fc e3 4f 79 67 89 ba a4 80 82 d1 22 ee 42 c5 a7 2e 5a 51 10 ff f7 01
             87 34 7b 66",
        );
        assert_eq!(out[..], expected[..]);
        let mut again = [0; 100];
        let (front, back) = seed.split_at(5);
        prf(&crypto::rustcrypto::provider(), &secret, b"test label", &[front, back], &mut again).unwrap();
        assert_eq!(out, again, "the seed may come in parts");
    }
}
