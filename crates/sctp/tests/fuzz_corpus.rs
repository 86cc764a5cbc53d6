//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "common/machine.rs"]
mod machine;
#[path = "../fuzz/harness/sctp_chunks.rs"]
mod sctp_chunks;
#[path = "../fuzz/harness/sctp_pair.rs"]
mod sctp_pair;

testkit::fuzz_tests!(sctp_chunks, sctp_pair);
