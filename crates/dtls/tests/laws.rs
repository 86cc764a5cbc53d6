//! The laws of the sans-IO idiom.

#[path = "common/machine.rs"]
mod machine;
#[path = "common/pair.rs"]
mod pair;

use dtls::Config;
use machine::Adapter;
use pair::{certificates, provider};
use std::time::Instant;
use testkit::Seed;

fn make(now: Instant, seed: Seed) -> (Adapter, Adapter) {
    machine::pair(provider(), Config::new(provider()).with_mtu(400), certificates(), now, seed)
}

testkit::law_tests!(make);
