//! The laws of the sans-IO idiom.

#[path = "common/machine.rs"]
mod machine;

use machine::Adapter;
use std::time::Instant;
use testkit::Seed;

fn make(now: Instant, seed: Seed) -> (Adapter, Adapter) {
    machine::pair(crypto::rustcrypto::provider(), now, seed)
}

testkit::law_tests!(make);

#[test]
fn noise_is_harmless() {
    testkit::laws::noise_is_harmless(make);
}
