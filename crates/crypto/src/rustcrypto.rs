//! The back end over the RustCrypto crates: pure Rust, the default.

mod aead;
mod cipher;
mod hash;
mod kx;
mod mac;
mod sign;

pub use crate::os_random;

use crate::Provider;

/// The provider.
///
/// Its ECDSA is deterministic (RFC 6979), so a run with a seeded [`Random`](crate::Random) can be repeated to the byte.
#[must_use]
pub const fn provider() -> Provider {
    Provider::new("rustcrypto")
        .with_aeads(aead::ALL)
        .with_stream_ciphers(cipher::STREAM)
        .with_block_ciphers(cipher::BLOCK)
        .with_hashes(hash::ALL)
        .with_macs(mac::ALL)
        .with_groups(kx::ALL)
        .with_key_generators(sign::KEY_GENERATORS)
        .with_verifiers(sign::VERIFIERS)
}
