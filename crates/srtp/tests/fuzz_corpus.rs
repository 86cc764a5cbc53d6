//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/srtp_stream.rs"]
mod srtp_stream;
#[path = "../fuzz/harness/srtp_unprotect.rs"]
mod srtp_unprotect;

testkit::fuzz_tests!(
    srtp_stream: ["as it was", "changed", "made up", "rolled over"],
    srtp_unprotect: ["tag"],
);
