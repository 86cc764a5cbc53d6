//! The back end over `aws-lc-rs`: C and assembler, the fast one.

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
/// Key pairs for key exchange and certificates come from the [`Random`](crate::Random) that is given; the nonces of ECDSA
/// come from the library's own generator, so two signatures of one message differ.
#[must_use]
pub const fn provider() -> Provider {
    Provider::new("aws-lc-rs")
        .with_aeads(aead::ALL)
        .with_stream_ciphers(cipher::STREAM)
        .with_block_ciphers(cipher::BLOCK)
        .with_hashes(hash::ALL)
        .with_macs(mac::ALL)
        .with_groups(kx::ALL)
        .with_key_generators(sign::KEY_GENERATORS)
        .with_verifiers(sign::VERIFIERS)
}
