//! The certificates of both ends: one pair for all runs, because making them is slow.

#![allow(dead_code, reason = "each target uses one of the pairs")]

use crypto::Provider;
use dtls::{Certificate, CertificateOptions};
use std::{sync::OnceLock, time::Duration};
use testkit::{Seed, fuzz::null_crypto};

/// Wall time; nothing depends on it.
const WALL: Duration = Duration::from_secs(1_800_000_000);

/// Client's and server's, with keys that are none.
pub(crate) fn null_pair() -> (Certificate, Certificate) {
    static PAIR: OnceLock<(Certificate, Certificate)> = OnceLock::new();
    PAIR.get_or_init(|| generate(null_crypto())).clone()
}

/// Client's and server's, with keys.
pub(crate) fn real_pair() -> (Certificate, Certificate) {
    static PAIR: OnceLock<(Certificate, Certificate)> = OnceLock::new();
    PAIR.get_or_init(|| generate(crypto::rustcrypto::provider())).clone()
}

fn generate(provider: Provider) -> (Certificate, Certificate) {
    let generate = |label| {
        let mut rng = Seed::new(1).boxed_random(label);
        Certificate::generate(&provider, &mut *rng, WALL, &CertificateOptions::new())
            .expect("invariant: the provider generates keys")
    };
    (generate("client"), generate("server"))
}
