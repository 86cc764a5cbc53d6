//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/media_containers.rs"]
mod media_containers;
#[path = "../fuzz/harness/media_depacketize.rs"]
mod media_depacketize;
#[path = "../fuzz/harness/media_engine.rs"]
mod media_engine;
#[path = "../fuzz/harness/media_packetize.rs"]
mod media_packetize;

testkit::fuzz_tests!(media_containers, media_depacketize, media_engine, media_packetize);
