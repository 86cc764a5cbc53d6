//! The laws of the sans-IO idiom, for the whole stack.

use crate::peer::{self, Peer};
use peerconnection::Configuration;
use std::time::Instant;
use testkit::Seed;

fn make(now: Instant, seed: Seed) -> (Peer, Peer) {
    peer::pair(&Configuration::default(), now, seed)
}

testkit::law_tests!(make);
