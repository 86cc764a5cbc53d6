//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "harness/machine.rs"]
mod machine;
#[path = "../fuzz/harness/turn_channel_data.rs"]
mod turn_channel_data;
#[path = "../fuzz/harness/turn_pair.rs"]
mod turn_pair;
#[path = "../fuzz/harness/turn_server.rs"]
mod turn_server;

testkit::fuzz_tests!(turn_channel_data, turn_pair, turn_server);
