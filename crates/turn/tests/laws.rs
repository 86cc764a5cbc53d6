//! The laws of the sans-IO idiom, for client and server against each other.

#[path = "harness/machine.rs"]
mod machine;

use machine::{ClientMachine, ServerMachine};
use std::time::Instant;
use testkit::Seed;

fn make(now: Instant, seed: Seed) -> (ClientMachine, ServerMachine) {
    machine::pair(crypto::rustcrypto::provider(), now, seed)
}

testkit::law_tests!(make);
