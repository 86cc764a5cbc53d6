//! The laws of every machine of this family, tried on associations.

#[path = "common/machine.rs"]
mod machine;

use machine::End;
use sctp::Config;
use std::time::Instant;
use testkit::Seed;

fn make(now: Instant, seed: Seed) -> (End, End) {
    machine::pair(Config::default(), now, seed)
}

testkit::law_tests!(make);
