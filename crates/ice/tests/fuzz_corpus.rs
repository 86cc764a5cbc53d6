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

testkit::fuzz_tests!(
    ice_agent: [
        "Completed", "SelectedPairChanged", "RoleChanged", "ready", "data", "relayed candidate", "Failed",
        "Closed",
    ],
    ice_candidate: ["candidate", "server"],
    ice_mdns: ["answered", "not there", "resolved"],
    ice_pair: [
        "Completed", "SelectedPairChanged", "RoleChanged", "both ready in the end", "data", "Disconnected",
        "Failed", "Closed",
    ],
);
