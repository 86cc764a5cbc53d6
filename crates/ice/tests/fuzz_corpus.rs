//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/ice_agent.rs"]
mod ice_agent;
#[path = "../fuzz/harness/ice_candidate.rs"]
mod ice_candidate;
#[path = "../fuzz/harness/ice_mdns.rs"]
mod ice_mdns;
#[path = "../fuzz/harness/ice_pair.rs"]
mod ice_pair;
#[path = "common/machine.rs"]
mod machine;

testkit::fuzz_tests!(ice_agent, ice_candidate, ice_mdns, ice_pair);
