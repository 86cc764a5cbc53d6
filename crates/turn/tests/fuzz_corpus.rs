//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "harness/machine.rs"]
mod machine;
#[path = "../fuzz/harness/turn_channel_data.rs"]
mod turn_channel_data;
#[path = "../fuzz/harness/turn_pair.rs"]
mod turn_pair;
#[path = "../fuzz/harness/turn_server.rs"]
mod turn_server;

testkit::fuzz_tests!(
    turn_channel_data: ["URI", "channel data", "network"],
    turn_pair: [
        "Allocated", "PermissionReady", "data for a peer", "data of a peer", "both ready in the end",
        "Closed",
    ],
    turn_server: ["allocation", "OpenRelay", "CloseRelay", "data for a peer"],
);
