//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/sdp_structured.rs"]
mod sdp_structured;
#[path = "../fuzz/harness/sdp_text.rs"]
mod sdp_text;

testkit::fuzz_tests!(
    sdp_structured: ["description", "refused", "simulcast"],
    sdp_text: ["attribute", "candidate", "description", "fingerprint", "media"],
);
