//! The certificates of both ends.

use crypto::Provider;
use dtls::{Certificate, CertificateOptions};
use std::{sync::OnceLock, time::Duration};
use testkit::Seed;

/// Wall time; nothing depends on it.
const WALL: Duration = Duration::from_secs(1_800_000_000);

/// One pair of certificates for all runs of a target: making them is slow.
pub(crate) fn certificates(provider: Provider) -> (Certificate, Certificate) {
    static PAIR: OnceLock<(Certificate, Certificate)> = OnceLock::new();
    let generate = |label| {
        let mut rng = Seed::new(1).boxed_random(label);
        Certificate::generate(&provider, &mut *rng, WALL, &CertificateOptions::new())
            .expect("invariant: the provider generates keys")
    };
    PAIR.get_or_init(|| (generate("client"), generate("server"))).clone()
}
