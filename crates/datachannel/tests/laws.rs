//! The laws of every machine of this family, tried on channels.

#[path = "common/machine.rs"]
mod machine;

use datachannel::Config;
use machine::End;
use std::time::Instant;
use testkit::Seed;

fn make(now: Instant, seed: Seed) -> (End, End) {
    machine::pair(Config::default(), now, seed)
}

testkit::law_tests!(make);
