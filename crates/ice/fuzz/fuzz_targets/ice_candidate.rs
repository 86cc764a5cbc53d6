#![no_main]

#[path = "../harness/ice_candidate.rs"]
mod ice_candidate;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ice_candidate::run(data));
