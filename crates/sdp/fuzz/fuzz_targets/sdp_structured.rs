#![no_main]

#[path = "../harness/sdp_structured.rs"]
mod sdp_structured;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sdp_structured::run(data));
